// SPDX-License-Identifier: GPL-2.0
/* The delays that packets really had, for the summary. */
#include <errno.h>
#include <stdlib.h>
#include "cable_delays.h"

#define MAX_DELAYS	(1 << 20)

int cable_delays_init(struct cable_delays *d)
{
	d->us10 = malloc(MAX_DELAYS * sizeof(*d->us10));
	d->n = 0;
	return d->us10 ? 0 : -ENOMEM;
}

void cable_delays_add(struct cable_delays *d, uint64_t ns)
{
	if (d->n < MAX_DELAYS)
		d->us10[d->n++] = ns / 100;
}

static int by_value(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

void cable_delays_sort(struct cable_delays *d)
{
	qsort(d->us10, d->n, sizeof(*d->us10), by_value);
}

uint64_t cable_delays_quantile_ns(const struct cable_delays *d, double q)
{
	return d->n ? d->us10[(unsigned int)(q * (d->n - 1))] * 100ULL : 0;
}
