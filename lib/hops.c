// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <string.h>
#include "hops.h"

#define WINDOWS		6	/* to a hold */
#define OWN_HOLDS	10	/* after which one prefix's move is its own */
#define CLEAR_MODE	0.7	/* share of a prefix's packets that agree */

static int16_t hops_of(uint8_t limit)
{
	return (limit <= 32 ? 32 : limit <= 64 ? 64 : limit <= 128 ? 128 :
		255) - limit;
}

static bool same(const struct sl_prefix *a, const struct sl_prefix *b)
{
	return a->family == b->family && a->len == b->len &&
	       !memcmp(a->addr, b->addr, sizeof(a->addr));
}

/* The prefix's entry: its own, a free one, or that of the rarest. */
static struct sl_hops_prefix *entry(struct sl_hops *h, const struct sl_prefix *p)
{
	struct sl_hops_prefix *rarest = &h->p[0];
	unsigned int i;

	for (i = 0; i < SL_HOPS_PREFIXES; i++)
		if (same(&h->p[i].prefix, p))
			return &h->p[i];
	for (i = 0; i < SL_HOPS_PREFIXES; i++)
		if (h->p[i].weight < rarest->weight)
			rarest = &h->p[i];
	*rarest = (struct sl_hops_prefix){ .prefix = *p, .base = -1 };
	return rarest;
}

void sl_hops_add(struct sl_hops *h, const struct sl_prefix *p,
		 uint8_t hop_limit, uint32_t n)
{
	struct sl_hops_prefix *e = entry(h, p);
	int16_t hops = hops_of(hop_limit);
	unsigned int i, at = 0;

	e->weight += n;
	for (i = 0; i < SL_HOPS_SLOTS; i++) {
		if (e->slot[i].n && e->slot[i].hops == hops) {
			e->slot[i].n += n;
			return;
		}
		if (e->slot[i].n < e->slot[at].n)
			at = i;
	}
	e->slot[at].hops = hops;
	e->slot[at].limit = hop_limit;
	e->slot[at].n = n;
}

/* The slot most packets are in; NULL: too few, or no clear most. */
static int mode(const struct sl_hops_prefix *e, uint32_t *n)
{
	int i, best = 0;

	for (*n = 0, i = 0; i < SL_HOPS_SLOTS; i++) {
		*n += e->slot[i].n;
		if (e->slot[i].n > e->slot[best].n)
			best = i;
	}
	return *n >= SL_HOPS_PACKETS && e->slot[best].n >= CLEAR_MODE * *n ?
	       best : -1;
}

/* Prefixes' differences, weighed. */
struct ballot {
	int32_t delta[SL_HOPS_PREFIXES];
	double n[SL_HOPS_PREFIXES], all;
	unsigned int kinds;
};

static void vote(struct ballot *b, int32_t delta, double n)
{
	unsigned int i;

	for (i = 0; i < b->kinds && b->delta[i] != delta; i++)
		;
	if (i == b->kinds) {
		b->delta[b->kinds] = delta;
		b->n[b->kinds++] = 0;
	}
	b->n[i] += n;
	b->all += n;
}

/* What most of the packets agree on; NEITHER: nothing, or nobody voted. */
static int32_t elected(const struct ballot *b)
{
	unsigned int i;

	for (i = 0; i < b->kinds; i++)
		if (b->n[i] >= SL_HOPS_MOST * b->all)
			return b->delta[i];
	return SL_HOLD_NEITHER;
}

/* A prefix that moved by itself is where it is after a while. */
static void settle_alone(struct sl_hops_prefix *e, int16_t hops, uint8_t limit,
			 uint64_t hold_ns, uint64_t now_ns)
{
	if (e->base < 0 || (e->off_since_ns && now_ns - e->off_since_ns >
					       OWN_HOLDS * hold_ns)) {
		e->base = hops;
		e->limit = limit;
	}
	if (e->base == hops)
		e->off_since_ns = 0;
	else if (!e->off_since_ns)
		e->off_since_ns = now_ns;
}

static int32_t count(struct sl_hops *h, uint64_t hold_ns, uint64_t now_ns)
{
	struct ballot b = {};
	unsigned int i;
	uint32_t n;
	int m;

	for (i = 0; i < SL_HOPS_PREFIXES; i++) {
		struct sl_hops_prefix *e = &h->p[i];

		if (!e->prefix.family)
			continue;
		e->weight /= 2;
		m = mode(e, &n);
		if (n < SL_HOPS_PACKETS)
			continue;	/* goes on filling */
		if (m >= 0) {
			e->now_limit = e->slot[m].limit;
			settle_alone(e, e->slot[m].hops, e->slot[m].limit,
				     hold_ns, now_ns);
			vote(&b, e->slot[m].hops - e->base, n);
		}
		memset(e->slot, 0, sizeof(e->slot));
	}
	return elected(&b);
}

static struct sl_hops_prefix *busiest(const struct sl_hops *h)
{
	const struct sl_hops_prefix *best = NULL;
	unsigned int i;

	for (i = 0; i < SL_HOPS_PREFIXES; i++)
		if (h->p[i].prefix.family && h->p[i].base >= 0 &&
		    (!best || h->p[i].weight > best->weight))
			best = &h->p[i];
	return (struct sl_hops_prefix *)best;
}

/* What the prefixes that moved have now is what they had ever since. */
static void take_over(struct sl_hops *h, int32_t delta,
		      struct sl_hops_news *news)
{
	struct sl_hops_prefix *best = NULL;
	unsigned int i;

	for (i = 0; i < SL_HOPS_PREFIXES; i++) {
		struct sl_hops_prefix *e = &h->p[i];

		if (!e->prefix.family || e->base < 0 ||
		    hops_of(e->now_limit) - e->base != delta)
			continue;
		if (!best || e->weight > best->weight) {
			best = e;
			news->from = e->limit;
			news->to = e->limit - delta;
		}
		e->base += delta;
		e->limit = e->now_limit;
		e->off_since_ns = 0;
	}
	news->changed = best;
}

void sl_hops_step(struct sl_hops *h, uint64_t hold_ns, uint64_t now_ns,
		  bool wait, struct sl_hops_news *news)
{
	uint64_t len_ns = hold_ns / WINDOWS > SL_HOLD_LEAST_NS ?
			  hold_ns / WINDOWS : SL_HOLD_LEAST_NS;

	news->changed = false;
	if (!h->window_ns)
		h->window_ns = now_ns;
	if (now_ns - h->window_ns < len_ns)
		return;
	h->delta = count(h, hold_ns, now_ns);
	sl_hold_step(&h->hold, h->delta, h->window_ns, now_ns, hold_ns);
	h->window_ns = now_ns;
	if (wait || !sl_hold_ripe(&h->hold, now_ns, hold_ns))
		return;
	news->since_ns = h->hold.since_ns;
	take_over(h, h->hold.what, news);
	sl_hold_settle(&h->hold, now_ns, true);
}

bool sl_hops_adopt(struct sl_hops *h, uint64_t now_ns, struct sl_hops_news *news)
{
	news->changed = false;
	if (h->hold.what == SL_HOLD_FORMER || h->delta != h->hold.what)
		return false;
	news->since_ns = h->hold.since_ns;
	take_over(h, h->delta, news);
	sl_hold_settle(&h->hold, now_ns, true);
	return news->changed;
}

int sl_hops_usual(const struct sl_hops *h)
{
	const struct sl_hops_prefix *e = busiest(h);

	return e ? e->limit : -1;
}

int sl_hops_now(const struct sl_hops *h)
{
	const struct sl_hops_prefix *e = busiest(h);

	return e ? e->now_limit : -1;
}
