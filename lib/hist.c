// SPDX-License-Identifier: GPL-2.0
#include <math.h>
#include <string.h>
#include "hist.h"

double sl_hist_upper_s(int b)
{
	return exp2(sl_hist_prom_index(b) / 32.0);
}

double sl_hist_lower_s(int b)
{
	return exp2((sl_hist_prom_index(b) - 1) / 32.0);
}

_Static_assert(SL_HIST_BUCKETS % 16 == 0, "buckets are compared by sixteen");

static void merge_extremes(struct sl_hist *dst, const struct sl_hist *src)
{
	if (src->min_ns && (!dst->min_ns || src->min_ns < dst->min_ns))
		dst->min_ns = src->min_ns;
	if (src->max_ns > dst->max_ns)
		dst->max_ns = src->max_ns;
}

void sl_hist_add(struct sl_hist *dst, const struct sl_hist *src)
{
	int b;

	dst->count += src->count;
	dst->sum_ns += src->sum_ns;
	dst->zero += src->zero;
	dst->overflow += src->overflow;
	for (b = 0; b < SL_HIST_BUCKETS; b++)
		dst->bucket[b] += src->bucket[b];
	merge_extremes(dst, src);
}

void sl_hist_diff(struct sl_hist *dst, const struct sl_hist *now,
		  const struct sl_hist *then)
{
	int b;

	dst->count = now->count - then->count;
	dst->sum_ns = now->sum_ns - then->sum_ns;
	dst->zero = now->zero - then->zero;
	dst->overflow = now->overflow - then->overflow;
	for (b = 0; b < SL_HIST_BUCKETS; b++)
		dst->bucket[b] = now->bucket[b] - then->bucket[b];
	dst->min_ns = now->min_ns;
	dst->max_ns = now->max_ns;
}

void sl_hist_diff_sparse(struct sl_hist_sparse *out, const struct sl_hist *now,
			 const struct sl_hist *then)
{
	__u32 b, k;

	out->count = now->count - then->count;
	out->sum_ns = now->sum_ns - then->sum_ns;
	out->min_ns = now->min_ns;
	out->max_ns = now->max_ns;
	out->zero = now->zero - then->zero;
	out->overflow = now->overflow - then->overflow;
	out->n = 0;
	for (b = 0; b < SL_HIST_BUCKETS; b += 16) {
		if (!memcmp(now->bucket + b, then->bucket + b, 16 * 4))
			continue;
		for (k = b; k < b + 16; k++) {
			if (now->bucket[k] == then->bucket[k])
				continue;
			out->pair[out->n].bucket = k;
			out->pair[out->n++].n = now->bucket[k] -
						then->bucket[k];
		}
	}
}

void sl_hist_advance(struct sl_hist *base, const struct sl_hist_sparse *s)
{
	__u32 k;

	base->count += s->count;
	base->sum_ns += s->sum_ns;
	base->zero += s->zero;
	base->overflow += s->overflow;
	for (k = 0; k < s->n; k++)
		base->bucket[s->pair[k].bucket] += s->pair[k].n;
}

void sl_hist_add_sparse(struct sl_hist *h, const struct sl_hist_sparse *s)
{
	sl_hist_advance(h, s);
	if (s->min_ns && (!h->min_ns || s->min_ns < h->min_ns))
		h->min_ns = s->min_ns;
	if (s->max_ns > h->max_ns)
		h->max_ns = s->max_ns;
}

void sl_hist_record_many(struct sl_hist *h, __u64 rtt_ns, __u32 n)
{
	int b = sl_hist_bucket(rtt_ns);

	if (!n)
		return;
	if (b < 0)
		h->zero += n;
	else if (b >= SL_HIST_BUCKETS)
		h->overflow += n;
	else
		h->bucket[b] += n;
	h->count += n;
	h->sum_ns += rtt_ns * n;
	if (!h->min_ns || rtt_ns < h->min_ns)
		h->min_ns = rtt_ns;
	if (rtt_ns > h->max_ns)
		h->max_ns = rtt_ns;
}

void sl_hist_record(struct sl_hist *h, __u64 rtt_ns)
{
	sl_hist_record_many(h, rtt_ns, 1);
}

static double clamp(const struct sl_hist *h, double v)
{
	if (h->max_ns && v > h->max_ns)
		v = h->max_ns;
	if (h->min_ns && v < h->min_ns)
		v = h->min_ns;
	return v;
}

double sl_hist_quantile_ns(const struct sl_hist *h, double q)
{
	double rank = q * h->count, below = h->zero, share;
	int b;

	if (!h->count)
		return -1;
	if (rank <= below)
		return clamp(h, sl_hist_lower_s(0) * 1e9);
	for (b = 0; b < SL_HIST_BUCKETS; b++) {
		if (!h->bucket[b])
			continue;
		if (rank <= below + h->bucket[b]) {
			share = (rank - below) / h->bucket[b];
			return clamp(h, sl_hist_lower_s(b) * 1e9 *
					exp2(share / 32.0));
		}
		below += h->bucket[b];
	}
	return clamp(h, sl_hist_upper_s(SL_HIST_BUCKETS - 1) * 1e9);
}
