/* SPDX-License-Identifier: GPL-2.0 */
/* Which of the known detours a round trip fits. */
#ifndef SL_DETOUR_H
#define SL_DETOUR_H

#include "config.h"

/*
 * A way fits a round trip that is at most UNDER below what is expected of it (a
 * quantile of a histogram is known to 1.1 %, a stated round trip seldom better) and
 * not more above it than OVER of it, or than OVER_NS where that is more: cables are
 * longer than great circles, and routers take their time.
 */
#define SL_FIT_UNDER_PPM	20000
#define SL_FIT_OVER_PPM		250000
#define SL_FIT_OVER_NS		10000000
#define SL_FITS			4	/* that are named */

struct sl_fit {
	const char *name;	/* the configuration's */
	int64_t plus_ns;	/* the round trip is so much above what is
				 * expected; down to -UNDER of that */
};

/* The least round trip of a lane over a detour, in ns: as stated, by its length at
 * 2/3 c, or by great circles from the gateway over the place to the lane. 0: it is
 * not a way to this lane, or a place is not known. */
uint64_t sl_detour_rtt_ns(const struct sl_config *cfg, const struct sl_detour *d,
			  const struct sl_config_lane *lane);
/* The ways that fit, best first (the least |plus_ns|); how many are in fits[]. */
unsigned int sl_detour_fits(const struct sl_config *cfg,
			    const struct sl_config_lane *lane, uint64_t rtt_ns,
			    struct sl_fit fits[SL_FITS]);

#endif
