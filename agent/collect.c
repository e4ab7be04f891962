// SPDX-License-Identifier: GPL-2.0
/*
 * The last minutes in memory. Once a second what grew in the data plane's
 * histograms and lane counters becomes one entry of some bytes a series. Every
 * ten seconds of wall clock what grew in them becomes a step, which is kept for a
 * quarter of an hour (kept.h) and handed to history. A second belongs to the step
 * that its middle lies in.
 *
 * An agent that adopts running tables finds in kept.h up to where they were told:
 * the rest becomes its first entry. Where it finds nothing all they hold does, so
 * that nothing is lost and nothing is counted twice.
 */
#include <stdlib.h>
#include <string.h>
#include "collect.h"
#include "collect_priv.h"
#include "duration.h"
#include "history.h"
#include "kept.h"
#include "module.h"
#include "prefixes.h"

#define SECOND_NS	1000000000ULL
#define FINE_NS		(120 * SECOND_NS)	/* so long seconds are kept */
/* More than this and the clock was set, or the machine slept. */
#define JUMP_NS		(5 * SECOND_NS)
#define PEN_B	65536			/* of a second; it grows */
/* A former agent's last reading, so long ago, still tells when. */
#define DATED_NS	(60 * SECOND_NS)

/* --- opening, closing --- */
/* What the module measured before: told by a former agent, or nobody's. */
static void take_former(void *arg, uint32_t slot, uint64_t key,
			const struct sl_hist *now)
{
	struct collect *c = arg;

	(void)key;
	if (slot >= SLK_SERIES)
		return;
	c->module[slot] = calloc(1, sizeof(*c->module[slot]));
	if (c->module[slot])
		c->module[slot]->base = *now;
}

/* Where the former agent left off: its last reading, unless that tells nothing
 * about when the rest came. */
static void go_on(struct collect *c, uint64_t now_ns, uint64_t mono_ns)
{
	const struct kept_bank *b = kept_live(c->kept);
	uint64_t gap_ns = now_ns - b->read_ns;

	if (b->read_ns > now_ns + JUMP_NS)	/* the clock was set back */
		kept_forget(c->kept);
	memcpy(c->base, kept_hists(c->kept), c->n_series * sizeof(*c->base));
	memcpy(c->lane_base, kept_lanes(c->kept),
	       SL_MAX_PATHS * SL_MAX_LANES * sizeof(*c->lane_base));
	if (b->read_ns > now_ns || gap_ns > DATED_NS)
		return;
	c->last_ns = b->read_ns;
	c->last_mono_ns = mono_ns - gap_ns;
}

static int reserve(struct collect *c, uint32_t n)
{
	c->n_series = n;
	c->base = calloc(n, sizeof(*c->base));
	c->lane_base = calloc(SL_MAX_PATHS * SL_MAX_LANES,
			      sizeof(*c->lane_base));
	c->mark = calloc(n, 1);
	c->extreme = calloc(n, sizeof(*c->extreme));
	c->pen.room = PEN_B;
	c->pen.b = malloc(PEN_B);
	return c->base && c->lane_base && c->mark && c->extreme && c->pen.b ?
	       0 : -1;
}

int collect_open(struct agent *a)
{
	struct collect *c = calloc(1, sizeof(*c));
	bool adopted;

	a->collect = c;
	if (!c || reserve(c, sl_dp_settings(a->dp)->n_series))
		return -1;
	c->kept = kept_open(a, &adopted);
	if (!c->kept)
		return -1;
	if (kept_trouble(c->kept)[0])
		say(LOG_WARNING, "what the last steps held would not outlive "
		    "the agent: %s", kept_trouble(c->kept));
	c->last_ns = sl_now_ns();
	c->last_mono_ns = sl_mono_ns();
	c->unmarked = true;
	c->stale = true;
	if (adopted)
		go_on(c, c->last_ns, c->last_mono_ns);
	c->module_instance = a->module->instance;
	if (adopted || sl_dp_origin(a->dp) == SL_DP_FRESH)
		module_walk(a, take_former, c);
	if (adopted)
		hand_recover(a);
	return 0;
}

static void forget_module(struct collect *c)
{
	unsigned int i;

	for (i = 0; i < SLK_SERIES; i++)
		if (c->module[i])
			memset(&c->module[i]->base, 0,
			       sizeof(c->module[i]->base));
}

/* What the step that has not ended holds is the next agent's: kept.h. */
void collect_close(struct agent *a)
{
	struct collect *c = a->collect;
	unsigned int i;

	if (!c)
		return;
	for (i = 0; i < FINE_MAX; i++)
		free(c->fine[i].b);
	for (i = 0; i < SLK_SERIES; i++)
		free(c->module[i]);
	kept_close(c->kept);
	free(c->pen.b);
	free(c->base);
	free(c->lane_base);
	free(c->mark);
	free(c->extreme);
	free(c->hand);
	free(c);
	a->collect = NULL;
}

/* --- a second --- */
/* Extremes that the data plane does not know (adopted tables): the bounds of
 * the outermost buckets. */
static void bound_extremes(struct sl_hist_sparse *s)
{
	uint64_t min, max;

	if (!s->n)
		return;
	min = sl_hist_lower_s(s->pair[0].bucket) * 1e9;
	max = sl_hist_upper_s(s->pair[s->n - 1].bucket) * 1e9;
	if (!s->min_ns || s->min_ns > min * 1.03)
		s->min_ns = min;
	if (s->max_ns < max * 0.97)
		s->max_ns = max;
}

static void widen(struct extreme *e, uint64_t min_ns, uint64_t max_ns)
{
	if (min_ns && (!e->min_ns || min_ns < e->min_ns))
		e->min_ns = min_ns;
	if (max_ns > e->max_ns)
		e->max_ns = max_ns;
}

static void read_series(struct agent *a)
{
	struct collect *c = a->collect;
	struct sl_hist_sparse s;
	uint64_t key;
	uint32_t slot;
	bool first;

	for (slot = 0; slot < c->n_series; slot++) {
		key = sl_dp_series_key(a->dp, slot);
		if (!key)
			continue;
		first = c->unmarked || !c->base[slot].count;
		/* adopted, and quiet since: all it holds counts */
		if (!sl_dp_grown_series(a->dp, slot, c->unmarked,
					&c->base[slot], &s) ||
		    (!s.count && !s.n))
			continue;
		if (first || !s.min_ns)
			bound_extremes(&s);
		c->mark[slot] |= MARK_NOW;
		widen(&c->extreme[slot], s.min_ns, s.max_ns);
		ring_put_series(&c->pen, key, &s);
	}
	c->unmarked = false;
}

static void take_module(void *arg, uint32_t slot, uint64_t key,
			const struct sl_hist *now)
{
	struct collect *c = arg;
	struct module_series *m;
	struct sl_hist_sparse s;

	if (slot >= SLK_SERIES)
		return;
	if (!c->module[slot])
		c->module[slot] = calloc(1, sizeof(*c->module[slot]));
	m = c->module[slot];
	if (!m || now->count == m->base.count)
		return;
	sl_hist_diff_sparse(&s, now, &m->base);
	if (!m->base.count)
		bound_extremes(&s);
	m->base = *now;
	m->key = key;
	sl_hist_add_sparse(&m->step, &s);
	ring_put_series(&c->pen, key, &s);
}

static void read_module(struct agent *a)
{
	struct collect *c = a->collect;

	if (c->module_instance != a->module->instance)
		forget_module(c);	/* loaded anew, it begins anew */
	c->module_instance = a->module->instance;
	module_walk(a, take_module, c);
}

static bool known_lane(const struct agent *a, uint32_t lane)
{
	return !lane || a->lane_name[lane][0];
}

/* What a lane's counters grew by since `then`; false: nothing. */
static bool lane_grown(const struct sl_lane_ctr *now,
		       const struct sl_lane_ctr *then, struct sl_lane_ctr *out)
{
	const uint64_t *n = (const uint64_t *)now, *t = (const uint64_t *)then;
	uint64_t *o = (uint64_t *)out, any = 0;
	size_t i;

	for (i = 0; i < sizeof(*out) / 8; i++)
		any |= o[i] = n[i] - t[i];
	return any;
}

static void read_lanes(struct agent *a)
{
	struct collect *c = a->collect;
	struct sl_lane_ctr now, grown, *base;
	uint32_t path, lane;

	for (path = 0; path < SL_MAX_PATHS; path++) {
		if (path && !a->path_name[path][0])
			continue;
		for (lane = 0; lane < SL_MAX_LANES; lane++) {
			if (!known_lane(a, lane))
				continue;
			base = &c->lane_base[path * SL_MAX_LANES + lane];
			sl_dp_read_lane(a->dp, path, lane, &now);
			if (!lane_grown(&now, base, &grown))
				continue;
			*base = now;
			ring_put_lane(&c->pen, path, lane, &grown);
		}
	}
}

/* --- a step --- */
static void put_prefix(void *arg, uint32_t path, uint32_t lane,
		       const struct sl_prefix *p, const struct sl_hist *h)
{
	static const struct sl_hist none;
	struct collect *c = arg;
	struct sl_hist_sparse s;

	sl_hist_diff_sparse(&s, h, &none);
	if (s.count)
		ring_put_prefix(&c->pen, path, lane, p, &s);
}

static void put_step_module(struct collect *c)
{
	static const struct sl_hist none;
	struct sl_hist_sparse s;
	unsigned int i;

	for (i = 0; i < SLK_SERIES; i++) {
		if (!c->module[i] || !c->module[i]->step.count)
			continue;
		sl_hist_diff_sparse(&s, &c->module[i]->step, &none);
		ring_put_series(&c->pen, c->module[i]->key, &s);
		memset(&c->module[i]->step, 0, sizeof(c->module[i]->step));
	}
}

/* All that grew since the last step, into the pen. */
static void put_step(struct agent *a)
{
	struct collect *c = a->collect;
	const struct sl_hist *told = kept_hists(c->kept);
	const struct sl_lane_ctr *lanes = kept_lanes(c->kept);
	struct sl_hist_sparse s;
	struct sl_lane_ctr grown;
	uint32_t i;

	for (i = 0; i < c->n_series; i++) {
		if (!(c->mark[i] & MARK_NOW))
			continue;
		sl_hist_diff_sparse(&s, &c->base[i], &told[i]);
		s.min_ns = c->extreme[i].min_ns;
		s.max_ns = c->extreme[i].max_ns;
		c->extreme[i] = (struct extreme){};
		ring_put_series(&c->pen, sl_dp_series_key(a->dp, i), &s);
	}
	for (i = 0; i < SL_MAX_PATHS * SL_MAX_LANES; i++)
		if (lane_grown(&c->lane_base[i], &lanes[i], &grown))
			ring_put_lane(&c->pen, i / SL_MAX_LANES,
				      i % SL_MAX_LANES, &grown);
	put_step_module(c);
	prefixes_take(a, put_prefix, c);
}

/* The counters as they are now, into the state to come, which lacks the step
 * that ends and the one before. */
static void tell_counters(struct collect *c)
{
	struct sl_hist *hists = kept_next_hists(c->kept);
	uint32_t i;

	for (i = 0; i < c->n_series; i++) {
		if (c->stale || c->mark[i])
			hists[i] = c->base[i];
		c->mark[i] = c->mark[i] & MARK_NOW ? MARK_BEFORE : 0;
	}
	memcpy(kept_next_lanes(c->kept), c->lane_base,
	       SL_MAX_PATHS * SL_MAX_LANES * sizeof(*c->lane_base));
	c->stale = false;
}

static void end_step(struct agent *a)
{
	struct collect *c = a->collect;
	struct kept_step s = { .step_ns = c->step_ns, .to_ns = c->last_ns,
			       .from_ns = c->step_from_ns };
	const struct kept_bank *live;
	int rc;

	c->pen.len = 0;
	c->pen.failed = false;
	put_step(a);
	rc = kept_next(c->kept, &s, c->pen.b, c->pen.len);
	tell_counters(c);
	kept_take(c->kept, c->last_ns);
	c->step_ns = 0;
	live = kept_live(c->kept);
	if (rc)
		hand_bytes(a, s.step_ns, c->pen.b, c->pen.len);
	else
		hand_step(a, &live->step[live->n - 1]);
}

/* --- time --- */
/* Somebody set the clock back: what was measured in times that come again would
 * be found beside what comes. It is history's. */
static void forget_all(struct agent *a)
{
	struct collect *c = a->collect;

	if (c->step_ns)
		end_step(a);
	kept_forget(c->kept);
	while (c->n_fine)
		drop_fine(c);
}

/* The time of the reading to come. Where the clock was set, or the machine slept,
 * it is as long as it really was; and never goes back by a little. */
static void next_window(struct agent *a, uint64_t mono_ns, uint64_t *from_ns,
			uint64_t *to_ns)
{
	struct collect *c = a->collect;
	uint64_t now_ns = sl_now_ns(), took_ns = mono_ns - c->last_mono_ns;

	*from_ns = c->last_ns;
	*to_ns = now_ns > c->last_ns ? now_ns : c->last_ns;
	if (now_ns + JUMP_NS < c->last_ns) {
		forget_all(a);
		*to_ns = now_ns;
	}
	if (*to_ns < *from_ns || *to_ns - *from_ns > took_ns + JUMP_NS)
		*from_ns = *to_ns - (took_ns < *to_ns ? took_ns : 0);
}

static uint64_t step_of(uint64_t ns)
{
	return ns - ns % HISTORY_STEP_NS;
}

void drop_fine(struct collect *c)
{
	free(c->fine[c->first].b);
	memset(&c->fine[c->first], 0, sizeof(c->fine[0]));
	c->first = (c->first + 1) % FINE_MAX;
	c->n_fine--;
}

/* Seconds go by whole steps, so that of each there are all or none. */
static void drop_old_fine(struct collect *c)
{
	uint64_t step_ns;

	while (c->n_fine && (c->n_fine > FINE_MAX - 4 ||
			     c->fine[c->first].step_ns + FINE_NS +
			     HISTORY_STEP_NS < c->last_ns)) {
		step_ns = c->fine[c->first].step_ns;
		while (c->n_fine && c->fine[c->first].step_ns == step_ns)
			drop_fine(c);
	}
}

/* What the pen holds becomes the last second. */
static void keep_fine(struct collect *c, uint64_t from_ns, uint64_t to_ns)
{
	struct fine *f = &c->fine[(c->first + c->n_fine) % FINE_MAX];

	*f = (struct fine){ .step_ns = c->step_ns, .from_ns = from_ns,
			    .to_ns = to_ns, .b = malloc(c->pen.len + 1) };
	if (f->b) {
		memcpy(f->b, c->pen.b, c->pen.len);
		f->len = c->pen.len;
	}
	c->n_fine++;
}

/* Begin the step that a reading belongs to; the one before ends. */
static void enter_step(struct agent *a, uint64_t from_ns, uint64_t to_ns)
{
	struct collect *c = a->collect;
	uint64_t step_ns = step_of(from_ns + (to_ns - from_ns) / 2);
	const struct kept_bank *live;

	if (c->step_ns && step_ns > c->step_ns)
		end_step(a);
	if (c->step_ns)
		return;
	live = kept_live(c->kept);
	if (live->n && step_ns <= live->step[live->n - 1].step_ns)
		step_ns = live->step[live->n - 1].step_ns + HISTORY_STEP_NS;
	c->step_ns = step_ns;
	c->step_from_ns = from_ns;
}

void collect_second(struct agent *a)
{
	struct collect *c = a->collect;
	uint64_t mono_ns = sl_mono_ns(), from_ns, to_ns;

	next_window(a, mono_ns, &from_ns, &to_ns);
	enter_step(a, from_ns, to_ns);
	c->last_ns = to_ns;
	c->last_mono_ns = mono_ns;
	drop_old_fine(c);
	c->pen.len = 0;
	read_series(a);
	read_lanes(a);
	read_module(a);
	keep_fine(c, from_ns, to_ns);
	hand_second(a);
}

/* A module that is let go is asked a last time. */
void module_collect(struct agent *a)
{
	struct collect *c = a->collect;

	if (!c || !c->step_ns)
		return;
	c->pen.len = 0;
	read_module(a);
	drop_old_fine(c);	/* it may be let go often */
	keep_fine(c, c->last_ns, c->last_ns);
}
