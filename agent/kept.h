/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What must outlive the agent though it is in memory: the last quarter of an hour
 * in steps, and up to where the data plane's counters have been told. It lies in a
 * pinned map beside the data plane's, which no program touches, so that an agent
 * that was killed is followed by one that counts every sample once. Two banks, and
 * one store makes the other one hold: a kill leaves the state before or after a
 * step, never a mixture.
 */
#ifndef SL_KEPT_H
#define SL_KEPT_H

#include "history.h"

#define KEPT_STEPS 90		/* of 10 s; fewer when they are large */
#define KEPT_NS	(KEPT_STEPS * HISTORY_STEP_NS)

/* One step: records of ring.h in the arena. */
struct kept_step {
	uint64_t step_ns;	/* its beginning, wall clock */
	uint64_t from_ns, to_ns;	/* the readings in it reach from, to */
	uint32_t at_b, len_b, crc, pad;
};

/* A state: the steps, oldest first, and when its counters were read. */
struct kept_bank {
	uint64_t read_ns;	/* wall clock; 0: never */
	uint32_t n, pad;
	struct kept_step step[KEPT_STEPS];
};

struct kept;

/* *adopted: a former agent's state of the very data plane that runs. NULL: no
 * memory. A state that cannot be pinned works, and dies with the agent. */
struct kept *kept_open(const struct agent *a, bool *adopted);
void kept_close(struct kept *k);

const struct kept_bank *kept_live(const struct kept *k);
/* The counters as they were told, by slot; by path * SL_MAX_LANES + lane. */
const struct sl_hist *kept_hists(const struct kept *k);
const struct sl_lane_ctr *kept_lanes(const struct kept *k);
const uint8_t *kept_bytes(const struct kept *k, const struct kept_step *s);

/*
 * The state to come: the live one's steps and s behind them, whose bytes are
 * copied and at_b, len_b and crc filled in; the oldest ones make room. -ENOSPC:
 * it is larger than everything, and no step is left. Its counters are two steps
 * old and the caller's to bring up to date, then it holds.
 */
int kept_next(struct kept *k, const struct kept_step *s, const uint8_t *bytes,
	      size_t len);
struct sl_hist *kept_next_hists(struct kept *k);
struct sl_lane_ctr *kept_next_lanes(struct kept *k);
void kept_take(struct kept *k, uint64_t read_ns);
/* No steps; the counters stay. */
void kept_forget(struct kept *k);
/* Is it in a pinned map? Else why not. */
const char *kept_trouble(const struct kept *k);

#endif
