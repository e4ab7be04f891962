/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Loads that look like a gateway's. Series number r has a share of all samples by
 * Zipf's law; its round trips are log-normal around something of 5 to 300 ms (one
 * in five has a second mode), 3 % of them with an exponential tail, the median
 * wanders (0.3 % every twelve steps) and breathes with the day, as the rate does (0.3 to 1).
 * Buckets are drawn one by one from Poisson distributions, which is the same as
 * drawing samples, and quick.
 */
#ifndef LOAD_H
#define LOAD_H

#define LOAD_AGE	11	/* steps that have the same distribution */

#include <math.h>
#include <stdint.h>
#include <string.h>
#include "sketch.h"

struct load {
	double rate;			/* samples a second, by day */
	double mu, sigma, second;	/* of ln s; second 0: none */
	double walk;
	unsigned int first, n;
	double mass[SL_HIST_BUCKETS];	/* of buckets from `first` on */
	unsigned int age;		/* steps until it is made anew */
};

static uint64_t load_state = 88172645463325252ULL;

static inline double load_uniform(void)
{
	load_state ^= load_state << 13;
	load_state ^= load_state >> 7;
	load_state ^= load_state << 17;
	return (load_state >> 11) * (1.0 / 9007199254740992.0);
}

static inline double load_normal(void)
{
	return sqrt(-2 * log(load_uniform() + 1e-300)) *
	       cos(2 * M_PI * load_uniform());
}

static inline uint32_t load_poisson(double mean)
{
	double v, limit, p = 1;
	uint32_t k = 0;

	if (mean < 1e-9)
		return 0;
	if (mean > 30) {
		v = mean + sqrt(mean) * load_normal() + 0.5;
		return v < 0 ? 0 : v;
	}
	limit = exp(-mean);
	while ((p *= load_uniform()) > limit)
		k++;
	return k;
}

static inline void load_make(struct load *l, unsigned int r, unsigned int n,
			     double total, double zipf)
{
	double sum = 0;
	unsigned int i;

	for (i = 0; i < n; i++)
		sum += pow(i + 1, -zipf);
	memset(l, 0, sizeof(*l));
	l->rate = total * pow(r + 1, -zipf) / sum;
	l->mu = log(0.005) + log(60) * load_uniform();
	l->sigma = 0.04 + 0.16 * load_uniform();
	l->second = load_uniform() < 0.2 ? 0.1 + 0.4 * load_uniform() : 0;
}

static inline double load_below(double x, double mu, double sigma)
{
	return 0.5 * erfc((mu - x) / sigma * M_SQRT1_2);
}

static inline void load_masses(struct load *l, double mu)
{
	double top = mu + l->second + 3, x0, x1, p, tail;
	int b = (mu - 5 * l->sigma) / M_LN2 * 32 + 576;

	l->first = b < 0 ? 0 : b;
	for (l->n = 0, b = l->first; b < SL_HIST_BUCKETS - 1; b++, l->n++) {
		x1 = sl_hist_prom_index(b) * M_LN2 / 32;
		x0 = x1 - M_LN2 / 32;
		if (x0 > top)
			break;
		p = load_below(x1, mu, l->sigma) - load_below(x0, mu, l->sigma);
		if (l->second > 0)
			p = 0.7 * p + 0.3 *
			    (load_below(x1, mu + l->second, l->sigma) -
			     load_below(x0, mu + l->second, l->sigma));
		tail = x1 < mu ? 0 : exp(-fmax(0, x0 - mu) / 0.4) -
				     exp(-(x1 - mu) / 0.4);
		l->mass[l->n] = 0.97 * p + 0.03 * tail;
	}
}

/* One step of one series; at_s: wall clock. */
static inline void load_draw(struct load *l, uint64_t at_s, double step_s,
			     struct sl_hist *h)
{
	double day = sin(at_s / 86400.0 * 2 * M_PI), mean, lo, hi;
	unsigned int i, first = UINT32_MAX, last = 0;
	uint32_t k;

	if (!l->age--) {
		l->walk += 0.003 * load_normal();
		load_masses(l, l->mu + l->walk + 0.03 * day);
		l->age = LOAD_AGE;
	}
	memset(h, 0, sizeof(*h));
	mean = l->rate * step_s * (0.65 + 0.35 * day);
	for (i = 0; i < l->n; i++) {
		k = load_poisson(mean * l->mass[i]);
		if (!k)
			continue;
		lo = sl_hist_lower_s(l->first + i) * 1e9;
		hi = sl_hist_upper_s(l->first + i) * 1e9;
		h->bucket[l->first + i] = k;
		h->count += k;
		h->sum_ns += (uint64_t)(k * ((lo + hi) / 2 + (hi - lo) * 0.29 *
				       load_normal() / sqrt(k)));
		first = first == UINT32_MAX ? i : first;
		last = i;
	}
	if (!h->count)
		return;
	lo = sl_hist_lower_s(l->first + first) * 1e9;
	hi = sl_hist_upper_s(l->first + first) * 1e9;
	h->min_ns = lo + (hi - lo) * (0.01 + 0.98 * load_uniform());
	lo = sl_hist_lower_s(l->first + last) * 1e9;
	hi = sl_hist_upper_s(l->first + last) * 1e9;
	h->max_ns = lo + (hi - lo) * (0.01 + 0.98 * load_uniform());
	if (h->max_ns < h->min_ns || h->count == 1)
		h->max_ns = h->min_ns;
	if (h->count == 1)
		h->sum_ns = h->min_ns;
}

#endif
