// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <string.h>
#include "hist.h"
#include "rolling.h"

struct sl_rolling_part {
	uint64_t from_ns;
	uint64_t count, sum_ns, min_ns, max_ns, zero, overflow;
	uint32_t n;
	struct {
		uint32_t bucket, n;
	} at[];
};

void sl_rolling_init(struct sl_rolling *r, uint64_t over_ns)
{
	memset(r, 0, sizeof(*r));
	r->over_ns = over_ns;
}

void sl_rolling_free(struct sl_rolling *r)
{
	while (r->n)
		free(r->part[(r->first + --r->n) % SL_ROLLING_PARTS]);
}

uint64_t sl_rolling_part_len_ns(const struct sl_rolling *r)
{
	/* one part fills, so that the others reach back far enough */
	uint64_t len_ns = r->over_ns / (SL_ROLLING_PARTS - 1) + 1;

	return len_ns > SL_ROLLING_PART_NS ? len_ns : SL_ROLLING_PART_NS;
}

static struct sl_rolling_part *pack(const struct sl_hist *h, uint64_t from_ns)
{
	struct sl_rolling_part *p;
	uint32_t b, n = 0;

	for (b = 0; b < SL_HIST_BUCKETS; b++)
		n += h->bucket[b] != 0;
	p = malloc(sizeof(*p) + n * sizeof(p->at[0]));
	if (!p)
		return NULL;
	*p = (struct sl_rolling_part){
		.from_ns = from_ns, .count = h->count, .sum_ns = h->sum_ns,
		.min_ns = h->min_ns, .max_ns = h->max_ns, .zero = h->zero,
		.overflow = h->overflow };
	for (b = 0; b < SL_HIST_BUCKETS; b++)
		if (h->bucket[b]) {
			p->at[p->n].bucket = b;
			p->at[p->n++].n = h->bucket[b];
		}
	return p;
}

static void drop_first(struct sl_rolling *r)
{
	struct sl_rolling_part *p = r->part[r->first];
	uint32_t i;

	r->sum.count -= p->count;
	r->sum.sum_ns -= p->sum_ns;
	r->sum.zero -= p->zero;
	r->sum.overflow -= p->overflow;
	for (i = 0; i < p->n; i++)
		r->sum.bucket[p->at[i].bucket] -= p->at[i].n;
	free(p);
	r->first = (r->first + 1) % SL_ROLLING_PARTS;
	r->n--;
}

static void close_part(struct sl_rolling *r)
{
	struct sl_rolling_part *p = pack(&r->now, r->now_from_ns);

	if (r->n == SL_ROLLING_PARTS)
		drop_first(r);
	if (p) {
		r->part[(r->first + r->n++) % SL_ROLLING_PARTS] = p;
		sl_hist_add(&r->sum, &r->now);
	}
	memset(&r->now, 0, sizeof(r->now));
	r->now_from_ns = 0;
}

void sl_rolling_add(struct sl_rolling *r, uint64_t now_ns,
		    const struct sl_hist *h)
{
	uint64_t len_ns = sl_rolling_part_len_ns(r);

	if (r->now_from_ns && now_ns - r->now_from_ns >= len_ns)
		close_part(r);
	while (r->n && now_ns - r->part[r->first]->from_ns >=
		       r->over_ns + len_ns)
		drop_first(r);
	if (!r->n && !r->now_from_ns)
		r->seen_ns = 0;
	if (!h || !h->count)
		return;
	if (!r->now_from_ns)
		r->now_from_ns = now_ns;
	if (!r->seen_ns)
		r->seen_ns = now_ns;
	sl_hist_add(&r->now, h);
}

void sl_rolling_sum(const struct sl_rolling *r, struct sl_hist *out)
{
	unsigned int i;

	*out = r->sum;
	/* extremes cannot be taken off a sum: those of the parts */
	out->min_ns = out->max_ns = 0;
	for (i = 0; i < r->n; i++) {
		const struct sl_rolling_part *p =
			r->part[(r->first + i) % SL_ROLLING_PARTS];

		if (p->min_ns && (!out->min_ns || p->min_ns < out->min_ns))
			out->min_ns = p->min_ns;
		if (p->max_ns > out->max_ns)
			out->max_ns = p->max_ns;
	}
	sl_hist_add(out, &r->now);
}
