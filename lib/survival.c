// SPDX-License-Identifier: GPL-2.0
#include <math.h>
#include "hist.h"
#include "survival.h"

#define COARSE_NS	1048576.0	/* unit of the ages: 2^20 ns */

/* Stamps lost at this age or later: spread evenly over the logarithm of their
 * bucket's width, the last of which is taken to be as wide as the others. */
static double lost_after(const __u64 lost[SL_LOST_BUCKETS], double ns)
{
	double at = ns > 0 ? 2 * log2(ns / COARSE_NS) : -INFINITY, sum = 0;
	int i;

	for (i = 0; i < SL_LOST_BUCKETS; i++)
		if (at <= i)
			sum += lost[i];
		else if (at < i + 1)
			sum += lost[i] * (i + 1 - at);
	return sum;
}

double sl_survival_quantile_ns(const struct sl_hist *answered,
			       const __u64 lost[SL_LOST_BUCKETS], double q)
{
	double waiting = answered->count, alive = 1, want = 1 - q, n, left, lo;
	int b;

	if (!answered->count)
		return -1;
	for (b = -1; b < SL_HIST_BUCKETS; b++) {
		n = b < 0 ? answered->zero : answered->bucket[b];
		if (!n)
			continue;
		lo = b < 0 ? 0 : sl_hist_lower_s(b) * 1e9;
		left = alive * (1 - n / (waiting + lost_after(lost, lo)));
		if (left <= want + 1e-12)
			return b < 0 ? sl_hist_lower_s(0) * 1e9 :
			       lo * exp2((alive - want) / (alive - left) / 32);
		alive = left;
		waiting -= n;
	}
	return -1;
}
