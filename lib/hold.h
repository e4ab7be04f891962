/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Is something other than it was, and has it been for long enough? Steps come one
 * after the other, each with a word of what it shows; some may be missing or say
 * the contrary. Times are of any clock that only goes forward.
 *
 * What changes again and again is told ever more slowly, as BGP's route flap
 * damping (RFC 2439) does: from the third change on within DAMP holds of each other
 * a change must hold twice as long, from the fourth on four times, up to 16 times.
 */
#ifndef SL_HOLD_H
#define SL_HOLD_H

#include <stdbool.h>
#include <stdint.h>

#define SL_HOLD_STEPS	18	/* that a hold is cut into: 3 min -> 10 s */
#define SL_HOLD_DAMP	20
#define SL_HOLD_LEAST_NS 1000000000ULL	/* of a step: nothing is read more often */

/* What a step may show beside what the caller numbers from 1 or -1 on. */
#define SL_HOLD_FORMER	0		/* all is as it was */
#define SL_HOLD_NEITHER	INT32_MIN	/* neither clearly other nor clearly not */

struct sl_hold {
	int32_t what;		/* that waits to be believed; FORMER: nothing */
	uint64_t since_ns;	/* its first step began */
	uint64_t with_ns, against_ns;	/* steps for it, and against it */
	uint64_t last_ns;	/* end of the last step for it */
	uint32_t with;		/* steps */
	uint32_t recent;	/* changes that were believed of late */
	uint64_t recent_ns;	/* the last of them, or since one was forgotten */
};

/* Length of a step, and how long a change must hold now. */
uint64_t sl_hold_step_len_ns(uint64_t hold_ns);
uint64_t sl_hold_needed_ns(const struct sl_hold *h, uint64_t hold_ns);
/* One step. True: what waited has come to nothing. */
bool sl_hold_step(struct sl_hold *h, int32_t shows, uint64_t from_ns,
		  uint64_t to_ns, uint64_t hold_ns);
/* Has it held for long enough by now, three quarters of the time seen? */
bool sl_hold_ripe(const struct sl_hold *h, uint64_t now_ns, uint64_t hold_ns);
/* It is believed (or no more of interest: believed false). */
void sl_hold_settle(struct sl_hold *h, uint64_t now_ns, bool believed);

#endif
