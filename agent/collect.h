/* SPDX-License-Identifier: GPL-2.0 */
/* What was measured in the last quarter of an hour, in memory. */
#ifndef SL_COLLECT_H
#define SL_COLLECT_H

#include "ring.h"

/* A window of wall clock. */
struct collect_window {
	uint64_t from_ns, to_ns;
	bool steps;		/* in: whole steps that have ended, no seconds */
	bool round;		/* in: where a step is cut of which there are no
				 * seconds any more, take all of it */
};

/* The first step (of HISTORY_STEP_NS) from which on memory has everything. */
uint64_t collect_oldest(const struct agent *a);
/* Show what was measured in a window; it comes back as it was really covered. */
void collect_show(const struct agent *a, struct collect_window *w,
		  const struct ring_eye *eye);

/* --- collect_hand.c: from memory to history --- */
struct kept_step;
/* A step is complete and kept. */
void hand_step(struct agent *a, const struct kept_step *s);
/* Bytes of a step that cannot be kept. */
void hand_bytes(struct agent *a, uint64_t step_ns, const uint8_t *b, size_t len);
/* Steps of a former agent may not have reached the disk: ask, then go on. */
void hand_recover(struct agent *a);
void hand_second(struct agent *a);
/* The name by which history knows a lane. */
const char *lane_word(const struct agent *a, uint32_t lane);

#endif
