// SPDX-License-Identifier: GPL-2.0
#include <string.h>
#include "budget.h"
#include "hist.h"

#define BELOW		0.98	/* of the limit, to be kept again */
#define LEAST_GOOD_NS	(10ULL * 1000000000)
#define MOST_GOOD_NS	(600ULL * 1000000000)
#define MOST_LOOK_NS	(10ULL * 1000000000)

uint64_t sl_budget_samples(double quantile)
{
	double n = 2 / (1 - quantile);

	return n > 20 ? n + 0.5 : 20;
}

void sl_budget_init(struct sl_budget_watch *w, const struct sl_budget *b)
{
	memset(w, 0, sizeof(*w));
	w->budget = *b;
	w->value_ns = -1;
	sl_rolling_init(&w->window, b->over_ns);
}

void sl_budget_free(struct sl_budget_watch *w)
{
	sl_rolling_free(&w->window);
}

static double value_ns(const struct sl_budget_watch *w, uint64_t now_ns)
{
	struct sl_hist h;

	sl_rolling_sum(&w->window, &h);
	if (h.count < sl_budget_samples(w->budget.quantile) ||
	    now_ns - w->window.seen_ns < w->budget.over_ns / 10)
		return -1;
	return sl_hist_quantile_ns(&h, w->budget.quantile);
}

static void enter(struct sl_budget_watch *w, enum sl_budget_state state,
		  uint64_t now_ns)
{
	if (w->state == state)
		return;
	w->state = state;
	w->since_ns = now_ns;
}

static uint64_t good_needed_ns(const struct sl_budget_watch *w)
{
	uint64_t ns = w->budget.over_ns / 5;

	return ns < LEAST_GOOD_NS ? LEAST_GOOD_NS :
	       ns > MOST_GOOD_NS ? MOST_GOOD_NS : ns;
}

static bool look(struct sl_budget_watch *w, uint64_t now_ns)
{
	bool was = w->broken;

	w->value_ns = value_ns(w, now_ns);
	if (w->value_ns < 0) {
		w->good_since_ns = 0;
		enter(w, SL_BUDGET_UNKNOWN, now_ns);
		return false;
	}
	if (w->value_ns > w->budget.most_ns)
		w->broken = true;
	if (w->value_ns > BELOW * w->budget.most_ns)
		w->good_since_ns = 0;
	else if (!w->good_since_ns)
		w->good_since_ns = now_ns;
	if (w->good_since_ns &&
	    now_ns - w->good_since_ns >= good_needed_ns(w))
		w->broken = false;
	enter(w, w->broken ? SL_BUDGET_BROKEN : SL_BUDGET_KEPT, now_ns);
	return w->broken != was;
}

bool sl_budget_take(struct sl_budget_watch *w, uint64_t now_ns,
		    const struct sl_hist *h)
{
	uint64_t every_ns = sl_rolling_part_len_ns(&w->window);

	sl_rolling_add(&w->window, now_ns, h);
	if (now_ns - w->look_ns < (every_ns < MOST_LOOK_NS ? every_ns :
				   MOST_LOOK_NS))
		return false;
	w->look_ns = now_ns;
	return look(w, now_ns);
}
