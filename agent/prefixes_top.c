// SPDX-License-Identifier: GPL-2.0
/*
 * The most measured prefixes of each lane: counted by Space-Saving (lib/heavy.h),
 * the greatest of them with a sketch of their round trips. A prefix that comes by two
 * paths is two.
 *
 * Sketches are few, so they go to the top of each lane: of those that were measured
 * since the last report the greatest by what is sure of their counts. One is taken
 * when a prefix gets there, and given back, once reported, when it is there no more.
 * While many are left a new prefix has one at once (a cable that is cut makes all that
 * counts new), but must give it up when one of the top has none.
 */
#include <stdlib.h>
#include <string.h>
#include "hist.h"
#include "heavy.h"
#include "prefixes_priv.h"

#define NONE (-1)

/* A place of a lane's table: what is kept of its prefix. */
struct place {
	int32_t sketch;			/* NONE: none */
	uint8_t n_hops, hop_limit[PREFIXES_HOPS];
	uint32_t hops[PREFIXES_HOPS];	/* packets that arrived with it */
};

struct lane {
	struct sl_heavy heavy;
	struct place place[SL_HEAVY_ROOM];
	bool measured[SL_HEAVY_ROOM];	/* since they were reported */
	uint32_t n_sketches;
	bool changed;			/* since it was ranked */
};

struct top {
	struct lane *lane[SL_MAX_LANES];	/* NULL: nothing was measured */
	uint32_t n_lanes;
	struct sl_hist *sketch;
	int32_t spare[PREFIXES_SKETCHES];	/* that nobody has */
	uint32_t n_spare;
};

/* A prefix and its path as one number: 48 bits of IPv6, or 24 of IPv4. */
#define KEY_V6		(1ULL << 48)
#define KEY_PATH(path)	((uint64_t)(path) << 49)
#define KEY_USED	(1ULL << 63)

static uint64_t key_of(const struct sl_trip *t)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	uint64_t key = KEY_USED |
		       KEY_PATH(SL_SERIES_PATH(t->key) % SL_MAX_PATHS);
	bool v4 = !memcmp(t->addr, mapped, sizeof(mapped));
	const uint8_t *from = v4 ? t->addr + sizeof(mapped) : t->addr;
	int i, n = v4 ? 3 : 6;
	uint64_t bits = 0;

	for (i = 0; i < n; i++)
		bits = bits << 8 | from[i];
	return key | bits | (v4 ? 0 : KEY_V6);
}

static uint32_t path_of(uint64_t key)
{
	return key >> 49 & (SL_MAX_PATHS - 1);
}

static struct sl_prefix prefix_of(uint64_t key)
{
	bool v6 = key & KEY_V6;
	struct sl_prefix p = { .family = v6 ? 6 : 4, .len = v6 ? 48 : 24 };
	int i, n = v6 ? 6 : 3;

	for (i = n; i--; key >>= 8)
		p.addr[i] = key;
	return p;
}

struct top *top_new(void)
{
	struct top *t = calloc(1, sizeof(*t));
	uint32_t i;

	if (!t)
		return NULL;
	t->sketch = aligned_alloc(64, PREFIXES_SKETCHES * sizeof(*t->sketch));
	if (!t->sketch) {
		free(t);
		return NULL;
	}
	for (i = 0; i < PREFIXES_SKETCHES; i++)	/* the first one on top */
		t->spare[t->n_spare++] = PREFIXES_SKETCHES - 1 - i;
	return t;
}

void top_free(struct top *t)
{
	uint32_t i;

	if (!t)
		return;
	for (i = 0; i < SL_MAX_LANES; i++)
		free(t->lane[i]);
	free(t->sketch);
	free(t);
}

/* How many of a lane are reported. */
static uint32_t share(const struct top *t)
{
	uint32_t n = PREFIXES_SKETCHES / (t->n_lanes ? t->n_lanes : 1);

	return n < PREFIXES_TOP ? n : PREFIXES_TOP;
}

static void give_sketch(struct top *t, struct lane *l, struct place *p)
{
	if (p->sketch != NONE || !t->n_spare)
		return;
	p->sketch = t->spare[--t->n_spare];
	memset(&t->sketch[p->sketch], 0, sizeof(*t->sketch));
	l->n_sketches++;
}

static void give_back(struct top *t, struct lane *l, struct place *p)
{
	if (p->sketch == NONE)
		return;
	t->spare[t->n_spare++] = p->sketch;
	p->sketch = NONE;
	l->n_sketches--;
}

static struct lane *lane_of(struct top *t, uint32_t number)
{
	struct lane *l = t->lane[number];
	uint32_t i;

	if (l)
		return l;
	l = t->lane[number] = calloc(1, sizeof(*l));
	if (!l)
		return NULL;
	for (i = 0; i < SL_HEAVY_ROOM; i++)
		l->place[i].sketch = NONE;
	t->n_lanes++;
	return l;
}

static void add_hops(struct place *p, uint8_t hop_limit)
{
	uint32_t i;

	for (i = 0; i < p->n_hops; i++)
		if (p->hop_limit[i] == hop_limit)
			break;
	if (i == PREFIXES_HOPS)
		return;
	if (i == p->n_hops) {
		p->hop_limit[p->n_hops++] = hop_limit;
		p->hops[i] = 0;
	}
	p->hops[i]++;
}

/* From end to end: no figure of the far half, but an answer all the same. */
static void add_full(struct lane *l, const struct sl_trip *trip)
{
	int at = sl_heavy_find(&l->heavy, key_of(trip));

	if (at >= 0 && trip->dir == SL_DIR_IN)
		add_hops(&l->place[at], trip->hop_limit);
}

void top_add(struct top *t, const struct sl_trip *trip, uint32_t weight)
{
	struct lane *l = lane_of(t, SL_SERIES_LANE(trip->key) % SL_MAX_LANES);
	struct place *p;
	uint32_t at;
	bool fresh;

	if (!l)
		return;
	if (SL_SERIES_HALF(trip->key) != SL_HALF_FAR) {
		add_full(l, trip);
		return;
	}
	at = sl_heavy_add(&l->heavy, key_of(trip), weight, &fresh);
	l->changed = l->measured[at] = true;
	p = &l->place[at];
	if (fresh) {	/* nothing of whom it was before */
		give_back(t, l, p);
		p->n_hops = 0;
		if (t->n_spare > PREFIXES_SKETCHES / 4 &&
		    l->n_sketches < 2 * share(t))
			give_sketch(t, l, p);
	}
	if (trip->dir == SL_DIR_IN)
		add_hops(p, trip->hop_limit);
	if (p->sketch != NONE)
		sl_hist_record_many(&t->sketch[p->sketch], trip->rtt_ns, weight);
}

/* Where more prefixes come than there are places, one of a crowd is here by chance,
 * and another one in the next ten seconds: each would be a series for history, and
 * none of them one to look at. What surely has its share is no such one. */
static bool stands_out(const struct lane *l, uint32_t k)
{
	const struct sl_heavy *h = &l->heavy;

	return h->n < SL_HEAVY_ROOM ||
	       (h->count[k] - h->error[k]) * SL_HEAVY_ROOM >= h->total;
}

/* A lane's top, as it is now. */
static uint32_t best_of(const struct top *t, const struct lane *l,
			uint8_t best[PREFIXES_TOP], bool is_best[SL_HEAVY_ROOM])
{
	bool among[SL_HEAVY_ROOM];
	uint32_t k, n;

	for (k = 0; k < SL_HEAVY_ROOM; k++)
		among[k] = l->measured[k] && stands_out(l, k);
	n = sl_heavy_top(&l->heavy, among, share(t), best);
	memset(is_best, 0, SL_HEAVY_ROOM * sizeof(*is_best));
	for (k = 0; k < n; k++)
		is_best[best[k]] = true;
	return n;
}

/* Of those that have a sketch and are not among the top, the least one gives it back,
 * and nobody hears of its last round trips. */
static void drop_least(struct top *t, struct lane *l, const bool *is_best)
{
	bool among[SL_HEAVY_ROOM];
	uint8_t order[SL_HEAVY_ROOM];
	uint32_t k, n;

	for (k = 0; k < SL_HEAVY_ROOM; k++)
		among[k] = l->place[k].sketch != NONE && !is_best[k];
	n = sl_heavy_top(&l->heavy, among, SL_HEAVY_ROOM, order);
	if (n)
		give_back(t, l, &l->place[order[n - 1]]);
}

static void rank_lane(struct top *t, struct lane *l)
{
	bool is_best[SL_HEAVY_ROOM];
	uint8_t best[PREFIXES_TOP];
	uint32_t k, n = best_of(t, l, best, is_best);

	for (k = 0; k < n; k++) {
		if (l->place[best[k]].sketch != NONE)
			continue;
		if (!t->n_spare || l->n_sketches >= 2 * share(t))
			drop_least(t, l, is_best);
		give_sketch(t, l, &l->place[best[k]]);
	}
}

void top_rank(struct top *t)
{
	uint32_t i;

	for (i = 0; i < SL_MAX_LANES; i++)
		if (t->lane[i] && t->lane[i]->changed) {
			t->lane[i]->changed = false;
			rank_lane(t, t->lane[i]);
		}
}

static void forget_lane(struct top *t, uint32_t number)
{
	struct lane *l = t->lane[number];
	uint32_t i;

	for (i = 0; i < SL_HEAVY_ROOM; i++)
		give_back(t, l, &l->place[i]);
	free(l);
	t->lane[number] = NULL;
	t->n_lanes--;
}

/* A lane of which less than one round trip is left is forgotten. */
void top_fade(struct top *t)
{
	uint32_t i;

	for (i = 0; i < SL_MAX_LANES; i++) {
		if (!t->lane[i])
			continue;
		sl_heavy_fade(&t->lane[i]->heavy, 0.5);
		if (t->lane[i]->heavy.total < 1)
			forget_lane(t, i);
	}
}

static void take_place(struct top *t, uint32_t lane, uint64_t key, int32_t sketch,
		       prefix_fn fn, void *arg)
{
	struct sl_hist *h = &t->sketch[sketch];
	struct sl_prefix p = prefix_of(key);

	if (!h->count)
		return;
	fn(arg, path_of(key), lane, &p, h);
	memset(h, 0, sizeof(*h));
}

static void take_lane(struct top *t, uint32_t number, prefix_fn fn, void *arg)
{
	struct lane *l = t->lane[number];
	bool is_best[SL_HEAVY_ROOM];
	uint8_t best[PREFIXES_TOP];
	uint32_t k;

	best_of(t, l, best, is_best);
	for (k = 0; k < l->heavy.n; k++) {
		if (l->place[k].sketch == NONE)
			continue;
		if (stands_out(l, k))
			take_place(t, number, l->heavy.key[k],
				   l->place[k].sketch, fn, arg);
		if (!is_best[k])
			give_back(t, l, &l->place[k]);
	}
	memset(l->measured, 0, sizeof(l->measured));
}

void top_take(struct top *t, prefix_fn fn, void *arg)
{
	uint32_t i;

	for (i = 0; i < SL_MAX_LANES; i++)
		if (t->lane[i])
			take_lane(t, i, fn, arg);
}

static void take_hops_of(struct lane *l, uint32_t number, uint32_t want,
			 hops_fn fn, void *arg)
{
	uint8_t best[PREFIXES_TOP];
	bool seen[SL_HEAVY_ROOM];
	struct sl_prefix prefix;
	uint32_t k, h, n;
	struct place *p;
	uint64_t key;

	for (k = 0; k < SL_HEAVY_ROOM; k++)
		seen[k] = l->place[k].n_hops;
	n = sl_heavy_top(&l->heavy, seen, want, best);
	for (k = 0; k < n; k++) {
		p = &l->place[best[k]];
		key = l->heavy.key[best[k]];
		prefix = prefix_of(key);
		for (h = 0; h < p->n_hops; h++)
			fn(arg, path_of(key), number, &prefix, p->hop_limit[h],
			   p->hops[h]);
	}
	for (k = 0; k < l->heavy.n; k++)
		l->place[k].n_hops = 0;
}

void top_take_hops(struct top *t, hops_fn fn, void *arg)
{
	uint32_t i;

	for (i = 0; i < SL_MAX_LANES; i++)
		if (t->lane[i])
			take_hops_of(t->lane[i], i, share(t), fn, arg);
}
