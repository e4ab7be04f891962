// SPDX-License-Identifier: GPL-2.0
/*
 * The last hour in memory. Once a second what changed in the data plane's
 * histograms and lane counters becomes one compact entry; after two minutes
 * ten entries are merged into one. Bounded: FINE + COARSE entries, and
 * MAX_BYTES for all of them (the oldest go first).
 *
 * An agent that adopts running tables has no base to subtract: all they hold
 * becomes one entry of its first second, so that nothing is lost and nothing
 * is counted twice.
 */
#include <stdlib.h>
#include <string.h>
#include "agent.h"
#include "duration.h"
#include "hist.h"
#include "module.h"

#define FINE_S		120
#define STEP_S		10
#define ENTRIES		(FINE_S + STEP_S + 3600 / STEP_S)
#define MAX_BYTES	(96U << 20)

/* Records of an entry, one behind the other, 8-byte aligned. */
struct record {
	uint64_t key;		/* series key; lanes: path << 16 | lane */
	uint64_t head[6];	/* as struct sl_hist's first six; or counters */
	uint32_t n_buckets;	/* what follows; IS_LANE: sl_lane_ctr */
	uint32_t pad;
};

#define IS_LANE UINT32_MAX

struct pairs {
	uint32_t bucket, n;
};

struct entry {
	uint64_t from_ns, to_ns;	/* wall clock */
	uint8_t *bytes;
	size_t len, room;
	bool coarse;
};

struct collect {
	struct entry ring[ENTRIES];
	unsigned int first, n;
	size_t bytes;
	uint64_t last_ns;
	uint32_t n_series;
	struct sl_hist *base;		/* cumulative, by slot */
	struct sl_lane_ctr *lane_base;	/* by path and lane */
	struct sl_hist *scratch;	/* for merging */
	uint64_t *scratch_key;
	uint32_t n_scratch;
	/* of the module's series, by slot; NULL: not seen yet */
	struct sl_hist *module_base[SLK_SERIES];
	uint64_t module_instance;	/* whose they are */
};

static void take_former(void *arg, uint32_t slot, uint64_t key,
			const struct sl_hist *now);

int collect_open(struct agent *a)
{
	struct collect *c = calloc(1, sizeof(*c));
	uint32_t n = sl_dp_settings(a->dp)->n_series;

	a->collect = c;
	if (!c)
		return -1;
	c->n_series = n;
	c->base = calloc(n, sizeof(*c->base));
	c->lane_base = calloc(SL_MAX_PATHS * SL_MAX_LANES,
			      sizeof(*c->lane_base));
	c->n_scratch = n + SLK_SERIES;
	c->scratch = calloc(c->n_scratch, sizeof(*c->scratch));
	c->scratch_key = calloc(c->n_scratch, sizeof(*c->scratch_key));
	c->last_ns = sl_now_ns();
	c->module_instance = a->module->instance;
	if (sl_dp_origin(a->dp) == SL_DP_FRESH)
		module_walk(a, take_former, c);
	return c->base && c->lane_base && c->scratch && c->scratch_key ? 0 : -1;
}

static void forget_module(struct collect *c)
{
	unsigned int i;

	for (i = 0; i < SLK_SERIES; i++) {
		free(c->module_base[i]);
		c->module_base[i] = NULL;
	}
}

void collect_close(struct agent *a)
{
	struct collect *c = a->collect;
	unsigned int i;

	if (!c)
		return;
	for (i = 0; i < ENTRIES; i++)
		free(c->ring[i].bytes);
	forget_module(c);
	free(c->base);
	free(c->lane_base);
	free(c->scratch);
	free(c->scratch_key);
	free(c);
}

static struct entry *at(struct collect *c, unsigned int i)
{
	return &c->ring[(c->first + i) % ENTRIES];
}

/* Room for n more bytes at the entry's end, or NULL. */
static void *grow(struct collect *c, struct entry *e, size_t n)
{
	uint8_t *b;

	if (e->len + n > e->room) {
		size_t room = (e->len + n) * 2;

		b = realloc(e->bytes, room);
		if (!b)
			return NULL;
		e->bytes = b;
		e->room = room;
	}
	b = e->bytes + e->len;
	e->len += n;
	c->bytes += n;
	return b;
}

static void drop_first(struct collect *c)
{
	struct entry *e = at(c, 0);

	c->bytes -= e->len;
	free(e->bytes);
	memset(e, 0, sizeof(*e));
	c->first = (c->first + 1) % ENTRIES;
	c->n--;
}

static void add_hist(struct collect *c, struct entry *e, uint64_t key,
		     const struct sl_hist *h)
{
	uint32_t b, n = 0;
	struct record *r;
	struct pairs *p;

	for (b = 0; b < SL_HIST_BUCKETS; b++)
		n += h->bucket[b] != 0;
	r = grow(c, e, sizeof(*r) + n * sizeof(*p));
	if (!r)
		return;
	r->key = key;
	memcpy(r->head, h, sizeof(r->head));
	r->n_buckets = n;
	r->pad = 0;
	p = (struct pairs *)(r + 1);
	for (b = 0; b < SL_HIST_BUCKETS; b++)
		if (h->bucket[b])
			*p++ = (struct pairs){ b, h->bucket[b] };
}

static void add_lane(struct collect *c, struct entry *e, uint64_t key,
		     const struct sl_lane_ctr *ctr)
{
	struct record *r = grow(c, e, sizeof(*r) + sizeof(*ctr));

	if (!r)
		return;
	memset(r, 0, sizeof(*r));
	r->key = key;
	r->n_buckets = IS_LANE;
	memcpy(r + 1, ctr, sizeof(*ctr));
}

/* Extremes that the data plane does not know (adopted tables): the bounds of
 * the outermost buckets. */
static void bound_extremes(struct sl_hist *h)
{
	int lo = 0, hi = SL_HIST_BUCKETS - 1;
	uint64_t min, max;

	while (lo < hi && !h->bucket[lo])
		lo++;
	while (hi > lo && !h->bucket[hi])
		hi--;
	min = sl_hist_lower_s(lo) * 1e9;
	max = sl_hist_upper_s(hi) * 1e9;
	if (!h->min_ns || h->min_ns > min * 1.03)
		h->min_ns = min;
	if (h->max_ns < max * 0.97)
		h->max_ns = max;
}

static void read_series(struct agent *a, struct entry *e)
{
	struct collect *c = a->collect;
	struct sl_hist now, diff;
	uint32_t slot;

	for (slot = 0; slot < c->n_series; slot++) {
		if (!sl_dp_series_key(a->dp, slot))
			continue;
		if (!sl_dp_read_series(a->dp, slot, &now)) {
			if (c->n > 1 || c->base[slot].count)
				continue;
			/* adopted, and quiet since: all it holds counts */
			sl_dp_peek_series(a->dp, slot, &now);
		}
		sl_hist_diff(&diff, &now, &c->base[slot]);
		if (!c->base[slot].count)
			bound_extremes(&diff);
		c->base[slot] = now;
		if (diff.count)
			add_hist(c, e, sl_dp_series_key(a->dp, slot), &diff);
	}
}

static void take_module(void *arg, uint32_t slot, uint64_t key,
			const struct sl_hist *now)
{
	struct collect *c = arg;
	struct sl_hist **base, diff;

	if (slot >= SLK_SERIES)
		return;
	base = &c->module_base[slot];
	if (!*base)
		*base = calloc(1, sizeof(**base));
	if (!*base || now->count == (*base)->count)
		return;
	sl_hist_diff(&diff, now, *base);
	if (!(*base)->count)
		bound_extremes(&diff);
	**base = *now;
	add_hist(c, at(c, c->n - 1), key, &diff);
}

/* What it measured before there was this data plane: not counted. */
static void take_former(void *arg, uint32_t slot, uint64_t key,
			const struct sl_hist *now)
{
	struct collect *c = arg;

	(void)key;
	if (slot >= SLK_SERIES)
		return;
	c->module_base[slot] = malloc(sizeof(*now));
	if (c->module_base[slot])
		*c->module_base[slot] = *now;
}

/* Into the last entry. A module that was loaded anew begins anew. */
void module_collect(struct agent *a)
{
	struct collect *c = a->collect;

	if (!c || !c->n)
		return;
	if (c->module_instance != a->module->instance)
		forget_module(c);
	c->module_instance = a->module->instance;
	module_walk(a, take_module, c);
}

static bool known_lane(const struct agent *a, uint32_t lane)
{
	return !lane || a->lane_name[lane][0];
}

static void read_lanes(struct agent *a, struct entry *e)
{
	struct collect *c = a->collect;
	struct sl_lane_ctr now, diff;
	uint32_t path, lane;
	uint64_t *d, *n, *b;
	size_t i;

	for (path = 0; path < SL_MAX_PATHS; path++) {
		if (path && !a->path_name[path][0])
			continue;
		for (lane = 0; lane < SL_MAX_LANES; lane++) {
			struct sl_lane_ctr *base = &c->lane_base[
				path * SL_MAX_LANES + lane];

			if (!known_lane(a, lane))
				continue;
			sl_dp_read_lane(a->dp, path, lane, &now);
			if (!memcmp(&now, base, sizeof(now)))
				continue;
			d = (uint64_t *)&diff;
			n = (uint64_t *)&now;
			b = (uint64_t *)base;
			for (i = 0; i < sizeof(now) / 8; i++)
				d[i] = n[i] - b[i];
			*base = now;
			add_lane(c, e, path << 16 | lane, &diff);
		}
	}
}

/* Merge STEP_S entries from `start` on into the first of them. */
static void merge(struct agent *a, unsigned int start)
{
	struct collect *c = a->collect;
	struct entry *to = at(c, start), out = { .from_ns = to->from_ns,
						 .coarse = true };
	uint32_t slot, used = 0, k;
	size_t before = c->bytes;
	unsigned int i;

	for (i = 0; i < STEP_S; i++) {
		struct entry *e = at(c, start + i);
		uint8_t *b = e->bytes;

		before -= e->len;
		out.to_ns = e->to_ns;
		while (b && b < e->bytes + e->len) {
			struct record *r = (struct record *)b;
			struct pairs *p = (struct pairs *)(r + 1);
			struct sl_hist h = {};

			if (r->n_buckets == IS_LANE) {
				add_lane(c, &out, r->key, (void *)(r + 1));
				b = (uint8_t *)(r + 1) +
				    sizeof(struct sl_lane_ctr);
				continue;
			}
			memcpy(&h, r->head, sizeof(r->head));
			for (k = 0; k < r->n_buckets; k++)
				h.bucket[p[k].bucket] = p[k].n;
			for (slot = 0; slot < used; slot++)
				if (c->scratch_key[slot] == r->key)
					break;
			if (slot == used && used < c->n_scratch) {
				c->scratch_key[used] = r->key;
				memset(&c->scratch[used++], 0, sizeof(h));
			}
			if (slot < used)
				sl_hist_add(&c->scratch[slot], &h);
			b = (uint8_t *)(p + r->n_buckets);
		}
	}
	for (slot = 0; slot < used; slot++)
		add_hist(c, &out, c->scratch_key[slot], &c->scratch[slot]);
	for (i = 0; i < STEP_S; i++)
		free(at(c, start + i)->bytes);
	c->bytes = before + out.len;
	*to = out;
	for (i = start + 1; i + STEP_S - 1 < c->n; i++)
		*at(c, i) = *at(c, i + STEP_S - 1);
	for (i = c->n - (STEP_S - 1); i < c->n; i++)
		memset(at(c, i), 0, sizeof(struct entry));
	c->n -= STEP_S - 1;
}

/* Coarse entries lie before the fine ones. */
static void compact(struct agent *a)
{
	struct collect *c = a->collect;
	unsigned int coarse = 0;

	while (coarse < c->n && at(c, coarse)->coarse)
		coarse++;
	if (c->n - coarse >= FINE_S + STEP_S)
		merge(a, coarse);
	while (c->n >= ENTRIES - 1 || (c->n > 1 && c->bytes > MAX_BYTES))
		drop_first(c);
}

void collect_second(struct agent *a)
{
	struct collect *c = a->collect;
	struct entry *e;

	compact(a);
	e = at(c, c->n++);
	e->from_ns = c->last_ns;
	e->to_ns = c->last_ns = sl_now_ns();
	read_series(a, e);
	read_lanes(a, e);
	module_collect(a);
}

static void walk_entry(const struct entry *e, collect_series_fn series,
		       collect_lane_fn lane, void *arg)
{
	const uint8_t *b = e->bytes;
	static struct sl_hist h;
	uint32_t k;

	while (b && b < e->bytes + e->len) {
		const struct record *r = (const struct record *)b;
		const struct pairs *p = (const struct pairs *)(r + 1);

		if (r->n_buckets == IS_LANE) {
			lane(arg, r->key >> 16, r->key & 0xffff,
			     (const void *)(r + 1));
			b = (const uint8_t *)(r + 1) +
			    sizeof(struct sl_lane_ctr);
			continue;
		}
		memset(&h, 0, sizeof(h));
		memcpy(&h, r->head, sizeof(r->head));
		for (k = 0; k < r->n_buckets; k++)
			h.bucket[p[k].bucket] = p[k].n;
		series(arg, r->key, &h);
		b = (const uint8_t *)(p + r->n_buckets);
	}
}

void collect_walk(const struct agent *a, uint64_t from_ns, uint64_t to_ns,
		  collect_series_fn series, collect_lane_fn lane, void *arg)
{
	unsigned int i;

	for (i = 0; i < a->collect->n; i++) {
		const struct entry *e = at(a->collect, i);

		if (e->to_ns > from_ns && e->to_ns <= to_ns)
			walk_entry(e, series, lane, arg);
	}
}

void collect_last(const struct agent *a, collect_series_fn series,
		  collect_lane_fn lane, void *arg)
{
	struct collect *c = a->collect;

	if (c->n)
		walk_entry(at(c, c->n - 1), series, lane, arg);
}
