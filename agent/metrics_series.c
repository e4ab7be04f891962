// SPDX-License-Identifier: GPL-2.0
/* Histograms of round trips and residence. */
#include <stdlib.h>
#include "metrics.h"
#include "module.h"
#include "names.h"

static void put(struct agent *a, struct sl_expose *x, uint64_t key,
		struct sl_hist_long **at, const struct sl_hist *h)
{
	static struct sl_expose_hist out;
	const char *lane = metrics_lane(a, SL_SERIES_LANE(key));
	const char *path = metrics_path(a, SL_SERIES_PATH(key));
	const char *method = sl_method_name(SL_SERIES_METHOD(key));

	if (!lane || !path)
		return;
	sl_hist_lengthen(at, h, &out);
	if (SL_SERIES_HALF(key) == SL_HALF_SELF)
		sl_expose_hist(x, SL_LABELS({ "lane", lane }, { "path", path },
					    { "method", method }), &out);
	else
		sl_expose_hist(x, SL_LABELS({ "lane", lane }, { "path", path },
			{ "method", method },
			{ "half", sl_half_name(SL_SERIES_HALF(key)) }), &out);
}

/* The data plane's, half self or the others. */
static void put_series(struct agent *a, struct sl_expose *x, bool self)
{
	uint32_t slot, n = sl_dp_settings(a->dp)->n_series;
	struct sl_hist h;
	uint64_t key;

	for (slot = 0; slot < n; slot++) {
		key = sl_dp_series_key(a->dp, slot);
		if (!key || (SL_SERIES_HALF(key) == SL_HALF_SELF) != self)
			continue;
		sl_dp_peek_series(a->dp, slot, &h);
		put(a, x, key, &a->metrics->series[slot], &h);
	}
}

struct module_put {
	struct agent *a;
	struct sl_expose *x;
};

static void put_module(void *arg, uint32_t slot, uint64_t key,
		       const struct sl_hist *h)
{
	struct module_put *p = arg;

	put(p->a, p->x, key, &p->a->metrics->module[slot], h);
}

static void forget_module(struct metrics *m)
{
	unsigned int i;

	for (i = 0; i < SLK_SERIES; i++) {
		free(m->module[i]);
		m->module[i] = NULL;
	}
}

void metrics_series(struct agent *a, struct sl_expose *x)
{
	struct module_put p = { a, x };

	if (a->metrics->module_instance != a->module->instance)
		forget_module(a->metrics);
	a->metrics->module_instance = a->module->instance;
	sl_expose_family(x, "sealane_rtt_seconds", SL_HISTOGRAM, "seconds",
			 "Round trips, passively measured, by the half of the "
			 "way: far is between gateway and remote end.");
	put_series(a, x, false);
	sl_expose_family(x, "sealane_residence_seconds", SL_HISTOGRAM,
			 "seconds", "Time that sampled packets which leave "
			 "home spent in the gateway (half self).");
	put_series(a, x, true);
	module_peek(a, put_module, &p);
}

void metrics_series_close(struct metrics *m)
{
	uint32_t i;

	forget_module(m);
	for (i = 0; m->series && i < m->n_series; i++)
		free(m->series[i]);
	free(m->series);
}
