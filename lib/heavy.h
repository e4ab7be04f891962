/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The heavy hitters of a stream in bounded memory: Space-Saving (Metwally, Agrawal,
 * El Abbadi, "Efficient computation of frequent and top-k elements in data streams",
 * ICDT 2005), with weights. Of N = total weight so far and m = SL_HEAVY_ROOM:
 *
 *	count - error <= true weight <= count,	error <= N / m,
 *
 * a key that is not here has at most N / m, and any that has more is here. Fading
 * multiplies true weights and bounds alike.
 */
#ifndef SL_HEAVY_H
#define SL_HEAVY_H

#include <stdbool.h>
#include <stdint.h>

#define SL_HEAVY_ROOM 128

struct sl_heavy {
	double total;			/* N */
	uint32_t n;			/* keys that are here */
	uint64_t key[SL_HEAVY_ROOM];
	double count[SL_HEAVY_ROOM], error[SL_HEAVY_ROOM];
};

/* Add to a key (not 0); its place, which stays while the key does. *fresh: it came
 * just now, and what was kept of the place is of another key, or of none. */
uint32_t sl_heavy_add(struct sl_heavy *h, uint64_t key, double weight, bool *fresh);
/* The place of a key, or -1. */
int sl_heavy_find(const struct sl_heavy *h, uint64_t key);
/* All weights so far count so much less from now on; factor in 0..1. */
void sl_heavy_fade(struct sl_heavy *h, double factor);
/* The places of the `want` greatest by what is sure of them, count - error, greatest
 * first, of those whose place is true in `among` (NULL: of all); out has room for
 * them. How many there are. */
uint32_t sl_heavy_top(const struct sl_heavy *h, const bool *among, uint32_t want,
		      uint8_t *out);

#endif
