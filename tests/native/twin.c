// SPDX-License-Identifier: GPL-2.0
/* The engine alone, or with the loaded program beside it: the same packets, the
 * same clock, the same tables, and every byte compared. */
#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <bpf/bpf.h>
#include "datapath.h"
#include "names.h"
#include "shot.h"

#define NOT_RUN 0xffff		/* a reason that no exit has */

/* A map of the loaded program. */
struct loaded_map {
	int fd;
	uint8_t *mem;		/* NULL: read by system call */
	size_t size_b;
};

static struct sl_config *cfg;
static struct sl_dp *dp;
static char difference[400];

static int planned_entries(void *arg, const char *map, uint32_t *n)
{
	return sl_dp_plan_entries(arg, map, n);
}

static int open_native(void)
{
	struct sl_dp_opts o = { .replay = true };
	struct sl_settings set;

	o.cfg = cfg = sl_config_default();
	if (!cfg)
		return -ENOMEM;
	sl_dp_plan(&o, &set);
	return native_open(&set, planned_entries, &set);
}

int alone_open(void)
{
	int rc = open_native();

	return rc ? rc : known_tables();
}

static void set_replay(struct sl_replay *r, const struct shot *s)
{
	r->time_ns = s->time_ns;
	r->wire_b = s->wire_b;
	r->flags = s->flags;
	r->reason = NOT_RUN;
	r->n_samples = 0;
}

uint32_t alone_run(const struct shot *s)
{
	native_host.clock_ns = s->time_ns;
	native_host.buff_b = s->wire_b;
	set_replay(native_at("sl_replay", 0), s);
	return native_run(s->b, s->len_b, s->ifindex);
}

/* --- the loaded program --- */
static int join(struct native_map *m)
{
	struct loaded_map *l = calloc(1, sizeof(*l));
	struct bpf_map_info info = {};
	__u32 len = sizeof(info);

	m->other = l;
	if (!l)
		return -ENOMEM;
	l->fd = sl_dp_map_fd(dp, m->name);
	if (l->fd < 0 || bpf_obj_get_info_by_fd(l->fd, &info, &len)) {
		fprintf(stderr, "twin: no loaded map %s\n", m->name);
		return -ENOENT;
	}
	if (info.type != m->type || info.value_size != m->value_b ||
	    info.max_entries != m->entries) {
		fprintf(stderr, "twin: %s has %u values of %u bytes, the loaded "
			"one %u of %u\n", m->name, m->entries, m->value_b,
			info.max_entries, info.value_size);
		return -EPROTO;
	}
	if (!(info.map_flags & BPF_F_MMAPABLE))
		return 0;
	l->size_b = (size_t)m->stride * m->entries;
	l->mem = mmap(NULL, l->size_b, PROT_READ | PROT_WRITE, MAP_SHARED,
		      l->fd, 0);
	return l->mem == MAP_FAILED ? -errno : 0;
}

void twin_copy(struct native_map *m)
{
	struct loaded_map *l = m->other;

	if (l->mem)
		memcpy(l->mem, m->mem, l->size_b);
}

/* Known tables, built once and copied: the loader's own words in sl_ctl stay. */
static int fill_tables(void)
{
	struct native_map *ctl = native_map("sl_ctl");
	unsigned int i;
	int rc;

	memcpy(ctl->mem, ((struct loaded_map *)ctl->other)->mem, ctl->value_b);
	rc = known_tables();
	for (i = 0; i < native_n_maps && !rc; i++)
		twin_copy(&native_maps[i]);
	return rc;
}

int twin_open(void)
{
	struct sl_dp_opts o = { .replay = true };
	unsigned int i;
	int rc = open_native();

	if (rc)
		return rc;
	o.cfg = cfg;
	rc = sl_dp_open(&o, &dp);
	if (rc)
		fprintf(stderr, "twin: %s\n", sl_dp_error(dp));
	for (i = 0; i < native_n_maps && !rc; i++)
		rc = join(&native_maps[i]);
	return rc ? rc : fill_tables();
}

void twin_close(void)
{
	struct loaded_map *l;
	unsigned int i;

	for (i = 0; i < native_n_maps; i++) {
		l = native_maps[i].other;
		if (l && l->mem)
			munmap(l->mem, l->size_b);
		free(l);
	}
	native_close();
	sl_dp_close(dp);
	sl_config_free(cfg);
	dp = NULL;
	cfg = NULL;
}

/* An element of the loaded map; by system call it is valid till the next. */
static const void *loaded_element(const struct native_map *m, uint32_t i)
{
	static uint8_t copy[4096];
	const struct loaded_map *l = m->other;

	if (l->mem)
		return l->mem + (size_t)i * m->stride;
	if (m->value_b > sizeof(copy) ||
	    bpf_map_lookup_elem(l->fd, &i, copy))
		return NULL;
	return copy;
}

static const char *compare(const struct native_map *m, uint32_t i)
{
	const uint8_t *mine = native_element(m, i);
	const uint8_t *theirs = loaded_element(m, i);
	uint32_t at = 0;

	if (theirs && !memcmp(mine, theirs, m->value_b))
		return NULL;
	while (theirs && mine[at] == theirs[at])
		at++;
	snprintf(difference, sizeof(difference), "%s[%u] differs at byte %u",
		 m->name, i, at);
	return difference;
}

static const char *compare_touched(void)
{
	const struct native_touch *t;
	const char *differs;
	unsigned int i, n;

	t = native_touched(&n);
	for (i = 0; i < n; i++) {
		differs = t[i].map->type == BPF_MAP_TYPE_HASH ? NULL :
			  compare(t[i].map, t[i].i);
		if (differs)
			return differs;
	}
	return NULL;
}

static const char *reason_of(const struct sl_replay *r)
{
	return r->reason < SL_R_MAX ? sl_reason_name(r->reason) : "none";
}

const char *twin_run(const struct shot *s, uint32_t *verdict)
{
	const struct sl_replay *mine = native_at("sl_replay", 0);
	struct sl_replay *theirs = sl_dp_replay(dp);
	uint32_t loaded_verdict;

	set_replay(theirs, s);
	if (sl_dp_run(dp, s->b, s->len_b, &loaded_verdict))
		return sl_dp_error(dp);
	*verdict = alone_run(s);
	if (*verdict == loaded_verdict && mine->reason == theirs->reason &&
	    mine->n_samples == theirs->n_samples)
		return compare_touched();
	snprintf(difference, sizeof(difference), "verdict %u, %s, %u samples; "
		 "loaded: verdict %u, %s, %u samples", *verdict,
		 reason_of(mine), mine->n_samples, loaded_verdict,
		 reason_of(theirs), theirs->n_samples);
	return difference;
}

const char *twin_compare_all(void)
{
	const char *differs = NULL;
	unsigned int k;
	uint32_t i;

	for (k = 0; k < native_n_maps && !differs; k++) {
		const struct native_map *m = &native_maps[k];
		const struct loaded_map *l = m->other;

		if (m->type == BPF_MAP_TYPE_HASH ||
		    (l->mem && !memcmp(m->mem, l->mem, l->size_b)))
			continue;
		for (i = 0; i < m->entries && !differs; i++)
			differs = compare(m, i);
	}
	return differs;
}

static void restore(struct native_map *m, uint32_t i)
{
	const struct loaded_map *l = m->other;

	if (m->type == BPF_MAP_TYPE_HASH)
		return;
	if (l->mem)
		memcpy(l->mem + (size_t)i * m->stride, native_element(m, i),
		       m->value_b);
	else
		bpf_map_update_elem(l->fd, &i, native_element(m, i), BPF_ANY);
}

void twin_undo(void)
{
	native_undo(restore);
}
