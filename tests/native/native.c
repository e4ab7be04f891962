// SPDX-License-Identifier: GPL-2.0
/* Maps, clock and frames for the engine in user space, and the log of what its
 * packets looked up. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/bpf.h>
#include "abv.h"
#include "fib_image.h"
#include "native.h"

#define UNWRITTEN_B 8	/* so many bytes as before: nobody wrote there */

extern struct native_use __start_native_uses[], __stop_native_uses[];

struct native_host native_host;
struct native_map native_maps[NATIVE_MAPS_MAX];
unsigned int native_n_maps;

/* The log: elements in the order they were first looked up by each packet, and
 * their bytes behind each other. */
static struct {
	struct native_touch *touch;
	unsigned int n, room;
	unsigned int packet;	/* first one of the last packet */
	uint8_t *bytes;
	size_t used, bytes_room;	/* multiples of 64, as maps are aligned */
} touches;

static void *zeroed(size_t n)
{
	/* arrays of cache lines: aligned, and an end that is the memory's */
	size_t size = (n + 63) & ~(size_t)63;
	void *p = aligned_alloc(64, size);

	if (!p)
		abort();
	return memset(p, 0, size);
}

static struct native_map *find(const char *name)
{
	unsigned int i;

	for (i = 0; i < native_n_maps; i++)
		if (!strcmp(native_maps[i].name, name))
			return &native_maps[i];
	return NULL;
}

static int make(const struct native_use *u, native_entries_fn *entries,
		void *arg)
{
	struct native_map *m = &native_maps[native_n_maps];
	uint32_t n = 0;

	if (u->name[0] != '&' || entries(arg, u->name + 1, &n)) {
		fprintf(stderr, "native: nobody knows the size of map %s\n",
			u->name);
		return -ENOENT;
	}
	if ((u->type != BPF_MAP_TYPE_ARRAY && u->type != BPF_MAP_TYPE_HASH) ||
	    native_n_maps == NATIVE_MAPS_MAX) {
		fprintf(stderr, "native: cannot make map %s of type %u\n",
			u->name, u->type);
		return -EOPNOTSUPP;
	}
	*m = (struct native_map){ .name = u->name + 1, .type = u->type,
		.key_b = u->key_b, .value_b = u->value_b,
		.stride = (u->value_b + 7) & ~7U,
		.entries = n ? n : u->entries };
	m->mem = zeroed((size_t)m->stride * m->entries);
	if (m->type == BPF_MAP_TYPE_HASH)
		m->keys = zeroed((size_t)m->key_b * m->entries);
	native_n_maps++;
	return 0;
}

int native_open(const struct sl_settings *set, native_entries_fn *entries,
		void *arg)
{
	struct native_use *u;
	int rc;

	sl_set = *set;
	for (u = __start_native_uses; u < __stop_native_uses; u++) {
		rc = find(u->name + 1) ? 0 : make(u, entries, arg);
		if (rc)
			return rc;
		u->map = find(u->name + 1);
	}
	return 0;
}

void native_close(void)
{
	while (native_n_maps--) {
		free(native_maps[native_n_maps].mem);
		free(native_maps[native_n_maps].keys);
	}
	native_n_maps = 0;
	free(touches.touch);
	free(touches.bytes);
	memset(&touches, 0, sizeof(touches));
}

struct native_map *native_map(const char *name)
{
	struct native_map *m = find(name);

	if (!m) {
		fprintf(stderr, "native: the engine uses no map %s\n", name);
		abort();
	}
	return m;
}

void *native_element(const struct native_map *m, uint32_t i)
{
	return m->mem + (size_t)i * m->stride;
}

void *native_at(const char *name, uint32_t i)
{
	return native_element(native_map(name), i);
}

void native_put(const char *name, const void *key, const void *value)
{
	struct native_map *m = native_map(name);

	if (m->used == m->entries)
		abort();
	memcpy(m->keys + (size_t)m->used * m->key_b, key, m->key_b);
	memcpy(native_element(m, m->used++), value, m->value_b);
}

void native_bank(int bank, struct sl_fib_image *img)
{
	uint32_t flags = SL_FIB4_FLAG_WORDS / SL_FIB_LINE;
	uint32_t root6 = SL_FIB6_ROOT_WORDS / SL_FIB_LINE;

	*img = (struct sl_fib_image){
		.room = { .lines = sl_set.fib_lines,
			  .buckets = sl_set.fib_buckets,
			  .nodes = sl_set.fib_nodes,
			  .leaves = sl_set.fib_leaves },
		.key = sl_set.hash_key[1],
		.line4 = native_at("sl_fib4", bank * sl_set.fib_lines),
		.flag4 = native_at("sl_fib4_flags", bank * flags),
		.bucket = native_at("sl_fib_hosts", bank * sl_set.fib_buckets),
		.root6 = native_at("sl_fib6_root", bank * root6),
		.node = native_at("sl_fib6_nodes", bank * sl_set.fib_nodes),
		.leaf = native_at("sl_fib6_leaves",
				  bank * (sl_set.fib_leaves / SL_FIB_LINE)),
	};
}

void native_rules(int bank, struct sl_abv_image *img)
{
	uint32_t rows = sl_set.rule_rows;

	*img = (struct sl_abv_image){
		.room = rows,
		.words = native_at("sl_rule_words",
				   bank * rows * SL_RULE_ROW_LINES),
		.agg = native_at("sl_rule_aggs", bank * rows / 8),
		.dim = native_at("sl_rule_dims",
				 bank * (SL_DIM_VALUES / SL_DIM_LINE)),
		.act = native_at("sl_acts", bank * SL_MAX_RULES),
		.compound = native_at("sl_compounds",
				      bank * SL_MAX_COMPOUNDS),
	};
}

/* --- the log --- */
static void more_touches(void)
{
	touches.room = touches.room ? 2 * touches.room : 256;
	touches.touch = realloc(touches.touch,
				touches.room * sizeof(*touches.touch));
	if (!touches.touch)
		abort();
}

static void more_bytes(size_t n)
{
	uint8_t *old = touches.bytes;

	touches.bytes_room = 2 * (touches.bytes_room + n);
	touches.bytes = zeroed(touches.bytes_room);
	if (old)
		memcpy(touches.bytes, old, touches.used);
	free(old);
}

static void note(struct native_map *m, uint32_t i)
{
	size_t n = (m->value_b + 63) & ~(size_t)63;
	unsigned int k;

	for (k = touches.packet; k < touches.n; k++)
		if (touches.touch[k].map == m && touches.touch[k].i == i)
			return;
	if (touches.n == touches.room)
		more_touches();
	if (touches.used + n > touches.bytes_room)
		more_bytes(n);
	memcpy(touches.bytes + touches.used, native_element(m, i), m->value_b);
	touches.touch[touches.n++] = (struct native_touch){
		.map = m, .i = i, .before = touches.used };
	touches.used += n;
}

void *native_lookup(struct native_map *m, const void *key)
{
	uint32_t i;

	if (m->type == BPF_MAP_TYPE_HASH) {
		for (i = 0; i < m->used; i++)
			if (!memcmp(m->keys + (size_t)i * m->key_b, key,
				    m->key_b))
				break;
		if (i == m->used)
			return NULL;
	} else {
		memcpy(&i, key, sizeof(i));
		if (i >= m->entries)
			return NULL;
	}
	note(m, i);
	return native_element(m, i);
}

/* What lay in a record before: a pattern that is new for each. */
static struct {
	uint8_t *b;		/* reserved, not yet submitted */
	size_t len;
	unsigned int seed;
} record;

static uint8_t before(size_t i)
{
	return (i + 1) * 151 + record.seed * 31;
}

void *native_ring_reserve(size_t size)
{
	size_t i;

	if (record.b)
		return NULL;
	record.b = malloc(size);
	if (!record.b)
		abort();
	record.len = size;
	record.seed++;
	for (i = 0; i < size; i++)
		record.b[i] = before(i);
	return record.b;
}

void native_ring_submit(void *r)
{
	size_t i, same = 0;

	for (i = 0; i < record.len && same < UNWRITTEN_B; i++)
		same = record.b[i] == before(i) ? same + 1 : 0;
	if (r != record.b || same == UNWRITTEN_B) {
		fprintf(stderr, "native: a record with bytes unwritten\n");
		abort();
	}
	free(record.b);
	record.b = NULL;
}

const struct native_touch *native_touched(unsigned int *n)
{
	*n = touches.n - touches.packet;
	return touches.touch + touches.packet;
}

const void *native_before(const struct native_touch *t)
{
	return touches.bytes + t->before;
}

void native_forget(void)
{
	touches.n = touches.packet = 0;
	touches.used = 0;
}

void native_undo(void (*restored)(struct native_map *m, uint32_t i))
{
	const struct native_touch *t;

	while (touches.n) {
		t = &touches.touch[--touches.n];
		memcpy(native_element(t->map, t->i), native_before(t),
		       t->map->value_b);
		if (restored)
			restored(t->map, t->i);
	}
	native_forget();
}

uint32_t native_run(const void *frame, uint32_t len_b, uint32_t ifindex)
{
	uint8_t *exact = malloc(len_b);
	uint32_t verdict;

	if (!exact)
		abort();
	memcpy(exact, frame, len_b);
	touches.packet = touches.n;
	verdict = native_engine(exact, exact + len_b, ifindex);
	if (memcmp(exact, frame, len_b)) {
		fprintf(stderr, "native: the engine wrote to the frame\n");
		abort();
	}
	free(exact);
	return verdict;
}
