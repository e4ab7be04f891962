/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Latency history on disk: mergeable sketches in steps of 10 s, 1 min and
 * 15 min, in a database of its own (history.db), so that nothing that happens to
 * it harms rules or audit. A thread writes, another one reads; the loop waits for
 * neither.
 */
#ifndef SL_HISTORY_H
#define SL_HISTORY_H

#include "agent.h"

#define HISTORY_STEP_NS	(10ULL * 1000000000)

/* A series by its names: numbers of lanes and paths may come to mean others. */
struct history_key {
	char lane[SL_NAME_B], path[SL_NAME_B];
	uint8_t method, half;		/* enum sl_method (SL_M_MAX: all of
					 * them), enum sl_half */
	struct sl_prefix prefix;	/* family 0: all of the lane */
};

int history_open(struct agent *a);
void history_close(struct agent *a);	/* what was handed over is written */
void history_second(struct agent *a);	/* trouble becomes events, new limits
					 * of a->cfg take effect */
int history_fd(const struct agent *a);	/* readable: answers are ready */
void history_ready(struct agent *a);	/* their `done` runs */

/* --- writing: what was measured in one step, then that it is whole --- */
void history_add(struct agent *a, const struct history_key *key,
		 const struct sl_hist *h);
void history_add_traffic(struct agent *a, const char *lane, const char *path,
			 const struct sl_lane_ctr *c);
/* from_ns: wall clock, a multiple of HISTORY_STEP_NS. */
void history_step_done(struct agent *a, uint64_t from_ns);

/* The oldest step that was handed over and is not on disk yet; 0: none. */
uint64_t history_waiting_ns(struct agent *a);

/* --- reading --- */
struct history_reader;

/* What is asked: all steps that begin in [from_ns, to_ns), of the finest level
 * that reaches back far enough and is not finer than step_ns needs; what is so new
 * that it is not in that level yet comes in its finer steps (len_ns says). Called
 * in the order of time within a series. */
struct history_ask {
	uint64_t from_ns, to_ns, step_ns;
	/* NULL: all of them. `series` and `traffic` NULL: none of that kind. */
	bool (*wanted)(void *arg, const struct history_key *key);
	bool (*wanted_traffic)(void *arg, const char *lane, const char *path);
	void (*series)(void *arg, uint64_t from_ns, uint64_t len_ns,
		       const struct history_key *key, const struct sl_hist *h);
	void (*traffic)(void *arg, uint64_t from_ns, uint64_t len_ns,
			const char *lane, const char *path,
			const struct sl_lane_ctr *c);
	void *arg;
	/* Asked now and then; true: nobody wants the rest, -ECANCELED. Or NULL. */
	bool (*stop)(void *arg);
};

/* Run `work` on the reader's thread, then `done` in the loop (not at all once the
 * agent stops). 0, or -1: too much waits already. */
int history_run(struct agent *a,
		void (*work)(struct history_reader *r, void *arg),
		void (*done)(struct agent *a, void *arg), void *arg);
/* Within `work`. 0, or a negative errno; -EAGAIN: the file is still being checked,
 * or cannot be opened. */
int history_read(struct history_reader *r, const struct history_ask *ask);

#endif
