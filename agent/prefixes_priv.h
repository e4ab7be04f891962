/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the files of prefixes.h share: prefixes.c reads the data plane's round trips
 * and weighs them, prefixes_top.c has the most measured prefixes of each lane.
 * docs/prefixes.md tells how, and what the figures are worth.
 */
#ifndef SL_PREFIXES_PRIV_H
#define SL_PREFIXES_PRIV_H

#include "prefixes.h"

#define PREFIXES_TOP		16	/* of a lane, at most */
#define PREFIXES_SKETCHES	1024	/* of all lanes; 2,880 bytes each */
#define PREFIXES_HOPS		8	/* different hop limits of a prefix, counted
					 * between two calls */
#define PREFIXES_TAKEN_PER_S	8192	/* round trips, about, of all CPUs */
#define PREFIXES_FADE_S		60	/* after this weights count half */

struct top;

struct top *top_new(void);		/* NULL: no memory */
void top_free(struct top *t);		/* NULL is fine */
/* A round trip that stands for `weight`, at least 1. */
void top_add(struct top *t, const struct sl_trip *trip, uint32_t weight);
/* Who is among the top gets a sketch; once a second. */
void top_rank(struct top *t);
void top_fade(struct top *t);		/* former weights count half */
void top_take(struct top *t, prefix_fn fn, void *arg);
void top_take_hops(struct top *t, hops_fn fn, void *arg);

#endif
