/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Has the number of hops changed that answers of a lane come over, by one path? Told
 * prefix by prefix (/24, /48), so that another mixture of remote ends is no change:
 * most packets must come from prefixes whose usual number of hops has moved by the
 * same amount. Senders begin with a hop limit of 32, 64, 128 or 255; the hops are what
 * is missing to the next of these above, so that another mixture of operating systems
 * behind one prefix is no change either.
 */
#ifndef SL_HOPS_H
#define SL_HOPS_H

#include "hold.h"
#include "prefix.h"

#define SL_HOPS_PREFIXES	32	/* of a lane by a path; the rarest goes */
#define SL_HOPS_SLOTS		4	/* different numbers within a window */
#define SL_HOPS_PACKETS		3	/* of a prefix, to have a say */
#define SL_HOPS_MOST		0.6	/* share of the packets that must agree */

struct sl_hops_prefix {
	struct sl_prefix prefix;	/* family 0: free */
	int16_t base;			/* hops; -1: not known yet */
	uint8_t limit;			/* as it arrived, of base */
	uint8_t now_limit;		/* ... of the last window */
	double weight;			/* packets of late, halved each window */
	uint64_t off_since_ns;		/* it alone has moved; 0: it has not */
	struct {
		int16_t hops;
		uint8_t limit;
		uint32_t n;
	} slot[SL_HOPS_SLOTS];
};

struct sl_hops {
	struct sl_hops_prefix p[SL_HOPS_PREFIXES];
	uint64_t window_ns;		/* its begin; 0: none */
	struct sl_hold hold;		/* what: hops more, negative: fewer */
	int32_t delta;			/* of the last window; NEITHER: none */
};

struct sl_hops_news {
	bool changed;
	uint8_t from, to;	/* hop limit of the busiest prefix concerned */
	uint64_t since_ns;
};

void sl_hops_add(struct sl_hops *h, const struct sl_prefix *p,
		 uint8_t hop_limit, uint32_t n);
/* Time goes on; to be called at least once a second. wait: do not tell now. */
void sl_hops_step(struct sl_hops *h, uint64_t hold_ns, uint64_t now_ns,
		  bool wait, struct sl_hops_news *news);
/* The change that the last window shows is told by somebody else: false: it shows
 * none. */
bool sl_hops_adopt(struct sl_hops *h, uint64_t now_ns, struct sl_hops_news *news);
/* The hop limit of the busiest prefix, usually and in the last window; -1: none. */
int sl_hops_usual(const struct sl_hops *h);
int sl_hops_now(const struct sl_hops *h);

#endif
