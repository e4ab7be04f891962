/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Has the way of a lane's packets changed? Of one series of round trips (a lane by a
 * path) this keeps a baseline of a low quantile and tells when that has moved for
 * good. Pure: histograms and times go in, news come out. docs/changes.md tells the
 * reasons and the figures.
 *
 * The low quantile is p5 of steps of hold / 18 (10 s), longer ones where samples are
 * few. A step up counts when p2 has gone up as well, a step down when p20 has come
 * down, so that a mixture of two ways that shifts a little around 5 % is none; a rise
 * also needs that nearly no sample of the hold was at the former level.
 */
#ifndef SL_CHANGE_H
#define SL_CHANGE_H

#include <sealane/abi.h>
#include <stdbool.h>
#include <stdint.h>
#include "hold.h"

#define SL_CHANGE_RING	48		/* steps that are remembered */
#define SL_CHANGE_SAMPLES 12		/* a step has at least so many, */
#define SL_CHANGE_FEW	5		/* or these if a hold brought no more */
#define SL_CHANGE_FRESH_HOLDS 480	/* a change is one for so long: 24 h for 3 min */
#define SL_CHANGE_LEAST_NS 500000	/* no step is smaller: hosts' own jitter */

/* The configuration's. */
struct sl_change_rules {
	uint64_t step_ns;	/* a change is so large, */
	uint32_t share_ppm;	/* or this share of the baseline: the smaller
				 * of both is enough */
	uint64_t hold_ns;	/* for so long */
};

struct sl_change_step {
	uint64_t from_ns, to_ns;
	double p2_ns, p5_ns, p20_ns, p50_ns;
	double loss;		/* retransmitted of TCP's segments, 0..1 */
	uint32_t samples;
	uint32_t former;	/* of these nearer to the baseline than to a step
				 * above it */
};

/* What is kept over a restart: figures in ns. */
struct sl_change_base {
	double p2_ns, p5_ns, p20_ns;
	double spread_ns;	/* p50 - p5 */
	double scatter_ns;	/* mean distance of p5 from it */
	double loss;
};

enum sl_change_state { SL_CHANGE_LEARNING, SL_CHANGE_STEADY, SL_CHANGE_SUSPECT,
		       SL_CHANGE_CHANGED };

struct sl_change {
	struct sl_hist now;	/* the step that fills */
	uint64_t from_ns, to_ns;
	uint64_t segments, retrans;
	struct sl_change_step ring[SL_CHANGE_RING];
	unsigned int first, n;
	uint32_t steps;		/* that were ever whole; wraps */
	struct sl_change_base base;
	bool learned;
	uint64_t learned_ns;	/* when it was for the first time; 0: it was
				 * restored, or is not */
	bool seen;		/* a step as the baseline since we began */
	double former_ns;	/* the baseline before the last change; 0: none */
	uint64_t changed_ns;	/* when that was; 0: back, or long ago */
	bool queue;		/* told to be a queue */
	double level_ns;	/* p5 that does not look like one ... */
	uint64_t calm_ns;	/* ... for so long */
	struct sl_hold hold;	/* what: 1 up, -1 down */
};

/* What else is known of the way, by those who see more than round trips. */
enum sl_change_hops { SL_HOPS_UNKNOWN, SL_HOPS_SAME, SL_HOPS_OTHER };

enum sl_change_what {
	SL_CHANGE_NONE,
	SL_CHANGE_WAY,		/* another way */
	SL_CHANGE_QUEUE,	/* latency rose, as a queue makes it */
	SL_CHANGE_QUEUE_OVER,
};

struct sl_change_news {
	enum sl_change_what what;
	uint64_t from_ns, to_ns;	/* p5 before and now */
	uint64_t since_ns;
	bool back;		/* it is the baseline of before the last change */
	bool away;		/* nothing was seen at the former level since we
				 * began: it may have happened before */
	double spread_from_ns, spread_to_ns;
	double loss_from, loss_to;
};

/* What was measured in (from_ns, to_ns], of a clock that only goes forward; h NULL:
 * nothing. segments, retrans: TCP's in that time. news->what says whether there is
 * any; the caller need not ask again. */
void sl_change_take(struct sl_change *c, const struct sl_change_rules *r,
		    uint64_t from_ns, uint64_t to_ns, const struct sl_hist *h,
		    uint64_t segments, uint64_t retrans,
		    enum sl_change_hops hops, struct sl_change_news *news);
enum sl_change_state sl_change_state(const struct sl_change *c,
				     const struct sl_change_rules *r,
				     uint64_t now_ns, uint64_t *since_ns);
/* How far a p5 must be from the baseline to count. */
double sl_change_threshold_ns(const struct sl_change *c,
			      const struct sl_change_rules *r, double p5_ns);
/* The median of p5 of the steps that began then or later, < 0: there was none. */
double sl_change_p5_since_ns(const struct sl_change *c, uint64_t from_ns);
/* The last step's. */
double sl_change_last_p5_ns(const struct sl_change *c, uint64_t *from_ns,
			    uint64_t *to_ns);
/* Take up what was known before a restart. */
void sl_change_restore(struct sl_change *c, const struct sl_change_base *base);

#endif
