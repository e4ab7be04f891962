/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Totals of a stream from a sample of it, with a 95 % confidence interval.
 *
 * Of a packet that was taken with probability 1/w, w is its weight; the total of
 * a figure y is estimated by the sum of w * y (Horvitz and Thompson 1952) and
 * its variance by the sum of w * (w - 1) * y^2, packets being taken independently
 * of each other. The interval is that of Fay and Feuer (Statistics in Medicine 16,
 * 1997) for weighted sums of counts: gamma quantiles by total and variance, which
 * for equal weights is the exact interval of a Poisson count, so that it holds for
 * three packets as for a million; with all packets taken it has no width.
 */
#ifndef SL_ESTIMATE_H
#define SL_ESTIMATE_H

#include <stdint.h>

struct sl_estimate {
	uint64_t n;		/* sampled */
	double sum, var;	/* of the total */
	double seen;		/* y of the sampled ones: surely there */
	double one_max;		/* the largest w * y */
};

struct sl_interval {
	double value, low, high;
};

void sl_estimate_add(struct sl_estimate *e, double weight, double y);
/* one_max: the largest w * y of anything that could have been in the sum, for
 * sums that are small or empty; 0: what was added says it. */
struct sl_interval sl_estimate_total(const struct sl_estimate *e,
				     double one_max);

/* x with P(shape, x) = p of the gamma distribution of scale 1. Shapes of estimates
 * are 1 and more. */
double sl_gamma_quantile(double shape, double p);
/* P(shape, x), the regularized lower incomplete gamma function. */
double sl_gamma_cdf(double shape, double x);

#endif
