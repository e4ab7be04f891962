// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <string.h>
#include "hist_long.h"

#define ROUND	(1ULL << 32)	/* of a bucket */

struct sl_hist_long {
	struct sl_hist base;		/* what is not counted: it was lost */
	uint32_t last[SL_HIST_BUCKETS];
	uint64_t bucket[SL_HIST_BUCKETS];
};

static uint64_t bucket_sum(const struct sl_hist *h)
{
	uint64_t sum = 0;
	int b;

	for (b = 0; b < SL_HIST_BUCKETS; b++)
		sum += h->bucket[b];
	return sum;
}

/* All there is, where no bucket went round; else what comes from here on. */
static void begin(struct sl_hist_long *l, const struct sl_hist *now)
{
	uint64_t all = bucket_sum(now) + now->zero + now->overflow;
	bool whole = now->count < all + ROUND / 2;	/* CPUs go on counting */
	int b;

	memset(&l->base, 0, sizeof(l->base));
	if (!whole)
		l->base = *now;
	for (b = 0; b < SL_HIST_BUCKETS; b++) {
		l->last[b] = now->bucket[b];
		l->bucket[b] = whole ? now->bucket[b] : 0;
	}
}

static void add_since(struct sl_hist_long *l, const struct sl_hist *now)
{
	uint64_t sum = now->zero - l->base.zero +
		       now->overflow - l->base.overflow;
	int b;

	for (b = 0; b < SL_HIST_BUCKETS; b++) {
		l->bucket[b] += (uint32_t)(now->bucket[b] - l->last[b]);
		l->last[b] = now->bucket[b];
		sum += l->bucket[b];
	}
	if (now->count - l->base.count >= sum + ROUND / 2)
		begin(l, now);
}

void sl_hist_lengthen(struct sl_hist_long **state, const struct sl_hist *now,
		      struct sl_expose_hist *out)
{
	struct sl_hist_long *l = *state;
	int b;

	if (l) {
		add_since(l, now);
	} else if (now->count >= ROUND / 2) {
		l = *state = malloc(sizeof(*l));
		if (l)
			begin(l, now);
	}
	out->sum_ns = now->sum_ns - (l ? l->base.sum_ns : 0);
	out->zero = now->zero - (l ? l->base.zero : 0);
	out->overflow = now->overflow - (l ? l->base.overflow : 0);
	for (b = 0; b < SL_HIST_BUCKETS; b++)
		out->bucket[b] = l ? l->bucket[b] : now->bucket[b];
}
