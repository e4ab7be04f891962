/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The most measured prefixes of each lane (/24, /48), by a bounded heavy-hitter
 * table, from samples that the data plane hands over one by one (as many as there
 * is room for): their round trips, and the hop limits their answers arrive with.
 */
#ifndef SL_PREFIXES_H
#define SL_PREFIXES_H

#include "agent.h"

int prefixes_open(struct agent *a);
void prefixes_close(struct agent *a);
void prefixes_second(struct agent *a);

/* What was measured since the last call, half far; it is the caller's and counts
 * once. */
typedef void (*prefix_fn)(void *arg, uint32_t path, uint32_t lane,
			  const struct sl_prefix *p, const struct sl_hist *h);
void prefixes_take(struct agent *a, prefix_fn fn, void *arg);

/* Hop limits (IPv4 TTL) of answers that arrived from outside since the last call:
 * n packets of this prefix with this one. */
typedef void (*hops_fn)(void *arg, uint32_t path, uint32_t lane,
			const struct sl_prefix *p, uint8_t hop_limit,
			uint32_t n);
void prefixes_take_hops(struct agent *a, hops_fn fn, void *arg);

#endif
