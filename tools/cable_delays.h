/* SPDX-License-Identifier: GPL-2.0 */
/* The delays that packets really had, for the summary. */
#ifndef SL_CABLE_DELAYS_H
#define SL_CABLE_DELAYS_H

#include <stdint.h>

struct cable_delays {
	uint32_t *us10;			/* 0.1 us each: 429 s at most */
	unsigned int n;
};

/* 0 or -ENOMEM. */
int cable_delays_init(struct cable_delays *d);
/* The first million are kept. */
void cable_delays_add(struct cable_delays *d, uint64_t ns);
void cable_delays_sort(struct cable_delays *d);
/* Of sorted delays; q 0..1; 0 where there are none. */
uint64_t cable_delays_quantile_ns(const struct cable_delays *d, double q);

#endif
