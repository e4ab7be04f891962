/* SPDX-License-Identifier: GPL-2.0 */
/*
 * "p99 <= 60ms over 5m", kept or broken.
 *
 * Broken at the first look above the limit. Kept again when the quantile has been
 * 2 % below it (twice the histogram's error) for a fifth of the window, at least 10 s
 * and at most 10 min. Unknown while there are too few samples for the quantile, or
 * less than a tenth of the window has been seen.
 */
#ifndef SL_BUDGET_H
#define SL_BUDGET_H

#include "config.h"
#include "rolling.h"

enum sl_budget_state { SL_BUDGET_UNKNOWN, SL_BUDGET_KEPT, SL_BUDGET_BROKEN };

struct sl_budget_watch {
	struct sl_budget budget;	/* a copy: the configuration may go */
	struct sl_rolling window;
	uint64_t look_ns;		/* the last look */
	bool broken;			/* told, and not yet told otherwise */
	uint64_t good_since_ns;		/* below the limit; 0: it is not */
	enum sl_budget_state state;
	uint64_t since_ns;		/* of the state */
	double value_ns;		/* the quantile; < 0: unknown */
};

/* Samples that a quantile needs: two beyond it, and 20 at least. */
uint64_t sl_budget_samples(double quantile);
void sl_budget_init(struct sl_budget_watch *w, const struct sl_budget *b);
void sl_budget_free(struct sl_budget_watch *w);
/* What was measured just now; h may be NULL. now_ns: of a clock that only goes
 * forward, never 0. True: broken or kept again, which is news; see state. */
bool sl_budget_take(struct sl_budget_watch *w, uint64_t now_ns,
		    const struct sl_hist *h);

#endif
