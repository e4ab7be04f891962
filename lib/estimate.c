// SPDX-License-Identifier: GPL-2.0
#include <math.h>
#include "estimate.h"

#define P_LOW	0.025
#define P_HIGH	0.975
#define TERMS	10000
#define PRECISE	1e-13
#define NORMAL	1e7	/* a shape above: the cube root is normal, to 1e-8 */

/* x^a e^-x / gamma(a), by logarithms. */
static double front(double a, double x)
{
	return exp(a * log(x) - x - lgamma(a));
}

/* Below the mean: the series. */
static double series(double a, double x)
{
	double term = 1 / a, sum = term;
	int i;

	for (i = 1; i < TERMS && term > sum * PRECISE; i++) {
		term *= x / (a + i);
		sum += term;
	}
	return front(a, x) * sum;
}

/* Above it: the continued fraction of 1 - P, by Lentz. */
static double fraction(double a, double x)
{
	double b = x + 1 - a, c = 1e300, d = 1 / b, h = d, an, step;
	int i;

	for (i = 1; i < TERMS; i++) {
		an = -i * (i - a);
		b += 2;
		d = 1 / (an * d + b);
		c = b + an / c;
		step = d * c;
		h *= step;
		if (fabs(step - 1) < PRECISE)
			break;
	}
	return front(a, x) * h;
}

/* Wilson and Hilferty 1931: (x / a)^(1/3) is nearly normal. */
static double cube_root_z(double a, double x)
{
	return (cbrt(x / a) - 1 + 1 / (9 * a)) * 3 * sqrt(a);
}

double sl_gamma_cdf(double a, double x)
{
	if (x <= 0)
		return 0;
	if (a > NORMAL)
		return 0.5 * erfc(-cube_root_z(a, x) / M_SQRT2);
	return x < a + 1 ? series(a, x) : 1 - fraction(a, x);
}

double sl_gamma_quantile(double a, double p)
{
	double low = 0, high = a + 10 + 20 * sqrt(a), mid = high;
	int i;

	for (i = 0; i < 200 && high - low > 1e-12 * high; i++) {
		mid = (low + high) / 2;
		if (sl_gamma_cdf(a, mid) < p)
			low = mid;
		else
			high = mid;
	}
	return mid;
}

void sl_estimate_add(struct sl_estimate *e, double w, double y)
{
	e->n++;
	e->sum += w * y;
	e->var += w * (w - 1) * y * y;
	e->seen += y;
	if (w * y > e->one_max)
		e->one_max = w * y;
}

/* Quantile of the gamma distribution with this mean and variance. */
static double by_moments(double mean, double var, double p)
{
	return mean > 0 && var > 0 ?
	       var / mean * sl_gamma_quantile(mean * mean / var, p) : mean;
}

struct sl_interval sl_estimate_total(const struct sl_estimate *e,
				     double one_max)
{
	struct sl_interval r = { .value = e->sum };
	double one = one_max > e->one_max ? one_max : e->one_max;

	r.low = by_moments(e->sum, e->var, P_LOW);
	if (r.low < e->seen)	/* these we saw ourselves */
		r.low = e->seen;
	/* one more that was just missed, of the largest kind */
	r.high = e->var > 0 || e->sum <= 0 ?
		 by_moments(e->sum + one, e->var + one * one, P_HIGH) : e->sum;
	return r;
}
