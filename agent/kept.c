// SPDX-License-Identifier: GPL-2.0
/* What outlives the agent: see kept.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <zlib.h>
#include "kept.h"

#define PAGE_B		4096U
#define MAGIC		0x7065656b2d6c73ULL	/* "sl-keep" */
#define LAYOUT		1
/* Lanes and paths may take 4 MB at most, a busy series 130 bytes a step. */
#define ARENA_BASE_B	(4U << 20)
#define ARENA_SERIES_B	(12U << 10)

struct kept_head {
	uint64_t magic;
	uint32_t layout, n_series;
	uint64_t size_b;
	uint64_t instance;		/* of the data plane */
	uint64_t seq;			/* its lowest bit: the live bank */
};

struct kept {
	struct kept_head *head;		/* the mapping */
	size_t size_b, bank_b, hists_b;
	uint32_t arena_b;
	char trouble[TEXT_B];		/* "": pinned */
};

static size_t pages(size_t b)
{
	return (b + PAGE_B - 1) / PAGE_B * PAGE_B;
}

static void lay_out(struct kept *k, uint32_t n_series)
{
	k->hists_b = pages(n_series * sizeof(struct sl_hist));
	k->bank_b = pages(sizeof(struct kept_bank)) + k->hists_b +
		    pages(SL_MAX_PATHS * SL_MAX_LANES *
			  sizeof(struct sl_lane_ctr));
	k->arena_b = ARENA_BASE_B + n_series * ARENA_SERIES_B;
	k->size_b = PAGE_B + 2 * k->bank_b + pages(k->arena_b);
}

static uint8_t *bank_at(const struct kept *k, uint64_t seq)
{
	return (uint8_t *)k->head + PAGE_B + (seq & 1) * k->bank_b;
}

static struct kept_bank *bank(const struct kept *k, uint64_t seq)
{
	return (struct kept_bank *)bank_at(k, seq);
}

static struct sl_hist *hists(const struct kept *k, uint64_t seq)
{
	return (struct sl_hist *)(bank_at(k, seq) +
				  pages(sizeof(struct kept_bank)));
}

static struct sl_lane_ctr *lanes(const struct kept *k, uint64_t seq)
{
	return (struct sl_lane_ctr *)((uint8_t *)hists(k, seq) + k->hists_b);
}

static uint8_t *arena(const struct kept *k)
{
	return (uint8_t *)k->head + PAGE_B + 2 * k->bank_b;
}

/* --- opening --- */
/* A map of our size that a former agent left, or a new one; -1: none. */
static int open_map(struct kept *k, const char *path)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_MMAPABLE);
	struct bpf_map_info info = {};
	uint32_t len = sizeof(info);
	int fd = bpf_obj_get(path);

	if (fd >= 0 && !bpf_obj_get_info_by_fd(fd, &info, &len) &&
	    info.type == BPF_MAP_TYPE_ARRAY && info.value_size == PAGE_B &&
	    info.max_entries == k->size_b / PAGE_B)
		return fd;
	if (fd >= 0) {			/* of other sizes */
		close(fd);
		unlink(path);
	}
	fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "sl_kept", 4, PAGE_B,
			    k->size_b / PAGE_B, &opts);
	if (fd < 0 || bpf_obj_pin(fd, path)) {
		snprintf(k->trouble, sizeof(k->trouble), "cannot make or pin "
			 "its map: %s", strerror(errno));
		if (fd >= 0)
			close(fd);
		return -1;
	}
	return fd;
}

static void *map_memory(struct kept *k, const char *path)
{
	int fd = open_map(k, path);
	void *m = fd < 0 ? MAP_FAILED : mmap(NULL, k->size_b, PROT_READ |
					     PROT_WRITE, MAP_SHARED, fd, 0);

	if (fd >= 0) {
		if (m == MAP_FAILED)
			snprintf(k->trouble, sizeof(k->trouble),
				 "cannot map it: %s", strerror(errno));
		close(fd);
	}
	if (m != MAP_FAILED)
		return m;
	m = mmap(NULL, k->size_b, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return m == MAP_FAILED ? NULL : m;
}

static bool whole(const struct kept *k, const struct kept_step *s)
{
	return s->len_b <= k->arena_b && s->at_b <= k->arena_b - s->len_b &&
	       s->step_ns % HISTORY_STEP_NS == 0 &&
	       crc32(0, arena(k) + s->at_b, s->len_b) == s->crc;
}

/* A step that was being overwritten when the agent died is the oldest one. */
static void drop_broken(struct kept *k)
{
	struct kept_bank *b = bank(k, k->head->seq);
	uint32_t i, from = 0;

	if (b->n > KEPT_STEPS)
		b->n = 0;
	for (i = 0; i < b->n; i++)
		if (!whole(k, &b->step[i]) ||
		    (i && b->step[i].step_ns <= b->step[i - 1].step_ns))
			from = i + 1;
	memmove(b->step, b->step + from, (b->n - from) * sizeof(*b->step));
	b->n -= from;
}

/* Of the tables: their key is random. */
static uint64_t instance(const struct agent *a)
{
	const struct sl_settings *set = sl_dp_settings(a->dp);

	return set->hash_key[0] ^ set->hash_key[1];
}

static bool ours(const struct kept *k, const struct agent *a)
{
	const struct kept_head *h = k->head;

	return sl_dp_origin(a->dp) == SL_DP_ADOPTED && h->magic == MAGIC &&
	       h->layout == LAYOUT && h->size_b == k->size_b &&
	       h->n_series == sl_dp_settings(a->dp)->n_series &&
	       h->instance == instance(a) && bank(k, h->seq)->read_ns;
}

struct kept *kept_open(const struct agent *a, bool *adopted)
{
	uint32_t n = sl_dp_settings(a->dp)->n_series;
	struct kept *k = calloc(1, sizeof(*k));
	char path[sizeof(a->pin_dir) + 32];

	*adopted = false;
	if (!k)
		return NULL;
	lay_out(k, n);
	snprintf(path, sizeof(path), "%s/v%d/kept", a->pin_dir,
		 SL_ABI_VERSION);
	k->head = map_memory(k, path);
	if (!k->head) {
		free(k);
		return NULL;
	}
	*adopted = ours(k, a);
	if (*adopted) {
		drop_broken(k);
		return k;
	}
	k->head->magic = 0;
	memset(k->head + 1, 0, PAGE_B - sizeof(*k->head) + 2 * k->bank_b);
	*k->head = (struct kept_head){ .layout = LAYOUT, .n_series = n,
				       .size_b = k->size_b,
				       .instance = instance(a) };
	__atomic_store_n(&k->head->magic, MAGIC, __ATOMIC_RELEASE);
	return k;
}

void kept_close(struct kept *k)
{
	if (!k)
		return;
	munmap(k->head, k->size_b);
	free(k);
}

const char *kept_trouble(const struct kept *k)
{
	return k->trouble;
}

/* --- reading --- */
const struct kept_bank *kept_live(const struct kept *k)
{
	return bank(k, k->head->seq);
}

const struct sl_hist *kept_hists(const struct kept *k)
{
	return hists(k, k->head->seq);
}

const struct sl_lane_ctr *kept_lanes(const struct kept *k)
{
	return lanes(k, k->head->seq);
}

const uint8_t *kept_bytes(const struct kept *k, const struct kept_step *s)
{
	return arena(k) + s->at_b;
}

/* --- writing --- */
static void drop_first(struct kept_bank *b)
{
	memmove(b->step, b->step + 1, --b->n * sizeof(*b->step));
}

static bool in_the_way(const struct kept_bank *b, uint32_t at, uint32_t len)
{
	uint32_t i;

	for (i = 0; i < b->n; i++)
		if (b->step[i].at_b < at + len &&
		    at < b->step[i].at_b + b->step[i].len_b)
			return true;
	return false;
}

int kept_next(struct kept *k, const struct kept_step *s, const uint8_t *bytes,
	      size_t len)
{
	struct kept_bank *next = bank(k, k->head->seq + 1);
	uint32_t at = 0;

	memcpy(next, kept_live(k), sizeof(*next));
	if (len > k->arena_b) {
		next->n = 0;
		return -ENOSPC;
	}
	while (next->n && next->step[0].step_ns + KEPT_NS <= s->step_ns)
		drop_first(next);
	if (next->n)
		at = next->step[next->n - 1].at_b +
		     next->step[next->n - 1].len_b;
	if (at + len > k->arena_b)
		at = 0;
	while (next->n == KEPT_STEPS || in_the_way(next, at, len))
		drop_first(next);
	memcpy(arena(k) + at, bytes, len);
	next->step[next->n] = *s;
	next->step[next->n].at_b = at;
	next->step[next->n].len_b = len;
	next->step[next->n++].crc = crc32(0, bytes, len);
	return 0;
}

struct sl_hist *kept_next_hists(struct kept *k)
{
	return hists(k, k->head->seq + 1);
}

struct sl_lane_ctr *kept_next_lanes(struct kept *k)
{
	return lanes(k, k->head->seq + 1);
}

void kept_take(struct kept *k, uint64_t read_ns)
{
	bank(k, k->head->seq + 1)->read_ns = read_ns;
	__atomic_store_n(&k->head->seq, k->head->seq + 1, __ATOMIC_RELEASE);
}

void kept_forget(struct kept *k)
{
	__atomic_store_n(&bank(k, k->head->seq)->n, 0, __ATOMIC_RELEASE);
}
