// SPDX-License-Identifier: GPL-2.0
/* Path changes, floors and budgets: what each second brings, and to whom. */
#include <stdlib.h>
#include <string.h>
#include "changes_priv.h"
#include "duration.h"
#include "floor.h"
#include "hist.h"
#include "prefixes.h"

#define SAVE_EVERY_NS	(60ULL * 1000000000)
#define SAVE_SOON_NS	(5ULL * 1000000000)	/* many lanes learn one by one */
/* A change of hops waits for the first step of latency since, up to so long. */
#define PATIENCE_HOLDS	2
/* A floor is broken from so far below it on: a quantile's error is 1.1 %, and time
 * stamps of the same host are right to some microseconds. */
#define BELOW_FLOOR	0.98
#define STAMPS_NS	50000

/* --- what there is --- */
struct way *changes_way(struct changes *c, uint32_t lane, uint32_t path)
{
	struct way **at = &c->way[path * SL_MAX_LANES + lane], **grown;

	if (*at)
		return *at;
	if (c->n == c->room) {
		grown = realloc(c->all, (c->room * 2 + 16) * sizeof(*grown));
		if (!grown)
			return NULL;
		c->all = grown;
		c->room = c->room * 2 + 16;
	}
	*at = calloc(1, sizeof(**at));
	if (!*at)
		return NULL;
	(*at)->lane = lane;
	(*at)->path = path;
	return c->all[c->n++] = *at;
}

struct sl_hops *changes_hops(struct way *w)
{
	if (!w->hops)
		w->hops = calloc(1, sizeof(*w->hops));
	return w->hops;
}

struct sl_shares *changes_shares(struct changes *c, uint32_t lane)
{
	struct lane_watch *l = &c->lane[lane];

	if (!l->shares)
		l->shares = calloc(1, sizeof(*l->shares));
	return l->shares;
}

struct sl_change_rules changes_rules(const struct agent *a)
{
	return (struct sl_change_rules){ a->cfg->detection.step_ns,
					 a->cfg->detection.share_ppm,
					 a->cfg->detection.hold_ns };
}

const struct sl_config_lane *changes_lane_cfg(const struct agent *a,
					      uint32_t lane)
{
	unsigned int i;

	for (i = 0; lane && i < a->cfg->n_lanes; i++)
		if (a->lane_id[i] == lane)
			return &a->cfg->lanes[i];
	return NULL;
}

const char *changes_lane_name(const struct agent *a, uint32_t lane)
{
	return lane ? a->lane_name[lane] : "other";
}

uint64_t changes_wall_ns(uint64_t mono_ns)
{
	return mono_ns ? sl_now_ns() - (sl_mono_ns() - mono_ns) : 0;
}

double changes_usual_ns(const struct agent *a, uint32_t lane, uint32_t path)
{
	const struct way *w = a->changes->way[path * SL_MAX_LANES + lane];

	return w && w->change.learned ? w->change.base.p5_ns : -1;
}

bool changes_moved_here(const struct agent *a, uint32_t lane, uint32_t path)
{
	const struct lane_watch *l = &a->changes->lane[lane];

	return l->moved.since_ns && l->moved.to == path &&
	       sl_mono_ns() - l->moved.since_ns <
	       SL_CHANGE_FRESH_HOLDS * a->cfg->detection.hold_ns;
}

uint64_t floor_ns_of(const struct agent *a, uint32_t lane, const char **source)
{
	const struct sl_config_lane *cfg = changes_lane_cfg(a, lane);
	enum sl_floor_source from = SL_FLOOR_NONE;
	uint64_t ns = cfg ? sl_lane_floor_ns(a->cfg, cfg, &from) : 0;

	if (source)
		*source = from == SL_FLOOR_CABLE ? "cable" :
			  from == SL_FLOOR_CIRCLE ? "great-circle" : NULL;
	return ns;
}

/* --- what a second brought --- */
static void add_working(struct sl_rolling **r, uint64_t now_ns,
			const struct sl_hist *h)
{
	if (!*r) {
		*r = calloc(1, sizeof(**r));
		if (!*r)
			return;
		sl_rolling_init(*r, WORKING_NS);
	}
	sl_rolling_add(*r, now_ns, h);
}

static void take_series(void *arg, uint64_t key, const struct sl_hist *h)
{
	struct agent *a = arg;
	struct changes *c = a->changes;
	uint32_t lane = SL_SERIES_LANE(key), path = SL_SERIES_PATH(key);
	uint32_t method = SL_SERIES_METHOD(key);
	uint64_t now_ns = c->last_ns;
	struct lane_watch *l;
	struct way *w;
	unsigned int i;

	if (SL_SERIES_HALF(key) != SL_HALF_FAR || lane >= SL_MAX_LANES ||
	    path >= SL_MAX_PATHS)
		return;
	w = changes_way(c, lane, path);
	if (w)
		sl_hist_add(&w->second, h);
	l = &c->lane[lane];
	if (method == SL_M_TCP_HS)
		add_working(&l->idle, now_ns, h);
	else if (method == SL_M_TCP_TS || method == SL_M_TCP_SEQ)
		add_working(&l->busy, now_ns, h);
	for (i = 0; i < l->n_budgets; i++)
		if (sl_budget_take(&l->budget[i], now_ns, h))
			tell_budget(a, lane, &l->budget[i]);
}

static void take_lane(void *arg, uint32_t path, uint32_t lane,
		      const struct sl_lane_ctr *ctr)
{
	struct agent *a = arg;
	struct changes *c = a->changes;
	struct way *w;

	if (lane >= SL_MAX_LANES || path >= SL_MAX_PATHS)
		return;
	c->lane[lane].packets[path] += ctr->packets[SL_DIR_IN];
	w = c->way[path * SL_MAX_LANES + lane];
	if (w) {
		w->segments += ctr->tcp_data[0] + ctr->tcp_data[1];
		w->retrans += ctr->retrans[0] + ctr->retrans[1];
	}
}

static void take_hops(void *arg, uint32_t path, uint32_t lane,
		      const struct sl_prefix *p, uint8_t hop_limit, uint32_t n)
{
	struct agent *a = arg;
	struct way *w = lane < SL_MAX_LANES && path < SL_MAX_PATHS ?
			changes_way(a->changes, lane, path) : NULL;

	if (w && changes_hops(w))
		sl_hops_add(w->hops, p, hop_limit, n);
}

/* --- what it means --- */
static enum sl_change_hops hops_say(const struct way *w)
{
	if (!w->hops || w->hops->delta == SL_HOLD_NEITHER ||
	    sl_hops_usual(w->hops) < 0)
		return SL_HOPS_UNKNOWN;
	return w->hops->delta != SL_HOLD_FORMER &&
	       w->hops->delta == w->hops->hold.what ? SL_HOPS_OTHER :
	       SL_HOPS_SAME;
}

/* Is p5 below what light allows, for long? */
static void look_at_floor(struct agent *a, struct way *w, uint64_t hold_ns)
{
	uint64_t floor_ns = floor_ns_of(a, w->lane, NULL), from_ns, to_ns;
	double p5_ns = sl_change_last_p5_ns(&w->change, &from_ns, &to_ns);
	bool below = p5_ns < floor_ns * BELOW_FLOOR - STAMPS_NS;
	int32_t shows = below ? 1 : p5_ns >= floor_ns ? SL_HOLD_FORMER :
			SL_HOLD_NEITHER;

	if (w->broken && shows != SL_HOLD_NEITHER)
		shows = !shows;
	sl_hold_step(&w->below, shows, from_ns, to_ns, hold_ns);
	if (!sl_hold_ripe(&w->below, to_ns, hold_ns))
		return;
	sl_hold_settle(&w->below, to_ns, true);
	w->broken = !w->broken;
	tell_floor(a, w, p5_ns);
	a->changes->save_now = true;
}

static void empty_second(struct way *w)
{
	if (w->second.count)
		memset(&w->second, 0, sizeof(w->second));
	w->segments = w->retrans = 0;
}

/* Another number of hops waits while latency may have changed as well, so that it is
 * one event: that shows, or is measured at this moment. */
static bool latency_is_due(const struct way *w, uint64_t hold_ns, uint64_t now_ns)
{
	const struct sl_change *c = &w->change;
	uint64_t since_ns = w->hops->hold.since_ns;

	return c->hold.what != SL_HOLD_FORMER ||
	       (c->learned && c->now.count &&
		now_ns - since_ns < PATIENCE_HOLDS * hold_ns &&
		sl_change_p5_since_ns(c, since_ns) < 0);
}

static void look_at_way(struct agent *a, struct way *w, uint64_t from_ns,
			uint64_t now_ns)
{
	const bool learned = w->change.learned;
	const struct sl_change_rules rules = changes_rules(a);
	struct sl_hops_news hops = {};
	struct sl_change_news news;

	if (w->hops) {
		sl_hops_step(w->hops, rules.hold_ns, now_ns,
			     latency_is_due(w, rules.hold_ns, now_ns), &hops);
		if (hops.changed)
			tell_hops(a, w, &hops);
	}
	sl_change_take(&w->change, &rules, from_ns, now_ns, &w->second,
		       w->segments, w->retrans, hops_say(w), &news);
	if (news.what == SL_CHANGE_WAY) {
		hops.changed = false;
		if (w->hops)
			sl_hops_adopt(w->hops, now_ns, &hops);
		tell_way(a, w, &news, &hops);
	} else if (news.what != SL_CHANGE_NONE) {
		tell_queue(a, w, &news);
	}
	a->changes->save_now |= hops.changed || news.what != SL_CHANGE_NONE;
	a->changes->save_soon |= learned != w->change.learned;
	if (w->steps != w->change.steps)
		look_at_floor(a, w, rules.hold_ns);
	w->steps = w->change.steps;
}

static void note_move(struct agent *a, uint32_t lane,
		      const struct sl_shares_news *news)
{
	struct lane_watch *l = &a->changes->lane[lane];
	bool back = l->left == news->path_to + 1;

	tell_moved(a, lane, news, back);
	l->left = news->path_from + 1;
	l->moved.to = news->path_to;
	l->moved.since_ns = back ? 0 : news->since_ns;
	l->moved.from_ns = changes_usual_ns(a, lane, news->path_from);
	a->changes->save_now = true;
}

static void look_at_lane(struct agent *a, uint32_t lane, uint64_t from_ns,
			 uint64_t now_ns)
{
	static const uint64_t none[SL_MAX_PATHS];
	struct lane_watch *l = &a->changes->lane[lane];
	struct sl_shares_news news;
	unsigned int i;
	bool learned;

	for (i = 0; i < l->n_budgets; i++)
		if (sl_budget_take(&l->budget[i], now_ns, NULL))
			tell_budget(a, lane, &l->budget[i]);
	if (l->idle)
		sl_rolling_add(l->idle, now_ns, NULL);
	if (l->busy)
		sl_rolling_add(l->busy, now_ns, NULL);
	if (!memcmp(l->packets, none, sizeof(none)))
		return;
	if (changes_shares(a->changes, lane)) {
		learned = l->shares->learned;
		sl_shares_take(l->shares, a->cfg->detection.hold_ns, from_ns,
			       now_ns, l->packets, &news);
		if (news.moved)
			note_move(a, lane, &news);
		a->changes->save_soon |= learned != l->shares->learned;
	}
	memset(l->packets, 0, sizeof(l->packets));
}

/* --- budgets --- */
static bool same_budgets(const struct lane_watch *l,
			 const struct sl_config_lane *cfg)
{
	unsigned int i;

	for (i = 0; i < l->n_budgets && i < cfg->n_budgets; i++)
		if (strcmp(l->budget[i].budget.text, cfg->budgets[i].text))
			return false;
	return l->n_budgets == cfg->n_budgets;
}

static void drop_budgets(struct lane_watch *l)
{
	while (l->n_budgets)
		sl_budget_free(&l->budget[--l->n_budgets]);
	free(l->budget);
	l->budget = NULL;
}

/* Those that stay keep what they know. */
static void set_budgets(struct lane_watch *l, const struct sl_config_lane *cfg)
{
	struct lane_watch fresh = {};
	unsigned int i, k;

	fresh.budget = calloc(cfg->n_budgets + 1, sizeof(*fresh.budget));
	for (i = 0; fresh.budget && i < cfg->n_budgets; i++) {
		for (k = 0; k < l->n_budgets; k++)
			if (!strcmp(l->budget[k].budget.text,
				    cfg->budgets[i].text))
				break;
		if (k < l->n_budgets) {
			fresh.budget[fresh.n_budgets++] = l->budget[k];
			l->budget[k] = l->budget[--l->n_budgets];
		} else {
			sl_budget_init(&fresh.budget[fresh.n_budgets++],
				       &cfg->budgets[i]);
		}
	}
	drop_budgets(l);
	l->budget = fresh.budget;
	l->n_budgets = fresh.n_budgets;
}

void changes_sync_budgets(struct agent *a)
{
	const struct sl_config_lane *cfg;
	struct lane_watch *l;
	uint32_t lane;
	unsigned int i;

	for (i = 0; i < a->cfg->n_lanes; i++) {
		l = &a->changes->lane[a->lane_id[i]];
		if (!same_budgets(l, &a->cfg->lanes[i]))
			set_budgets(l, &a->cfg->lanes[i]);
	}
	for (lane = 1; lane < SL_MAX_LANES; lane++) {
		l = &a->changes->lane[lane];
		cfg = l->n_budgets ? changes_lane_cfg(a, lane) : NULL;
		if (l->n_budgets && !cfg)
			drop_budgets(l);
	}
}

/* --- begin, each second, end --- */
int changes_open(struct agent *a)
{
	struct changes *c = calloc(1, sizeof(*c));

	a->changes = c;
	if (!c)
		return -1;
	c->way = calloc(SL_MAX_PATHS * SL_MAX_LANES, sizeof(*c->way));
	c->lane = calloc(SL_MAX_LANES, sizeof(*c->lane));
	if (!c->way || !c->lane)
		return -1;
	changes_sync_budgets(a);
	changes_restore(a);
	return 0;
}

void changes_close(struct agent *a)
{
	struct changes *c = a->changes;
	uint32_t lane;

	if (!c)
		return;
	if (c->last_ns)
		changes_save(a);
	while (c->n) {
		free(c->all[--c->n]->hops);
		free(c->all[c->n]);
	}
	for (lane = 0; c->lane && lane < SL_MAX_LANES; lane++) {
		struct lane_watch *l = &c->lane[lane];

		drop_budgets(l);
		free(l->shares);
		if (l->idle)
			sl_rolling_free(l->idle);
		if (l->busy)
			sl_rolling_free(l->busy);
		free(l->idle);
		free(l->busy);
	}
	free(c->all);
	free(c->way);
	free(c->lane);
	free(c);
	a->changes = NULL;
}

void changes_second(struct agent *a)
{
	struct changes *c = a->changes;
	uint64_t now_ns = sl_mono_ns(), from_ns = c->last_ns;
	unsigned int i;

	/* the first second of adopted tables has all that was ever measured */
	c->last_ns = now_ns;
	prefixes_take_hops(a, take_hops, a);
	if (!from_ns)
		return;
	changes_sync_budgets(a);
	collect_last(a, take_series, take_lane, a);
	for (i = 0; i < SL_MAX_LANES; i++)
		look_at_lane(a, i, from_ns, now_ns);
	for (i = 0; i < c->n; i++) {
		/* `other` is no one place, so that no latency is its usual one */
		if (c->all[i]->lane)
			look_at_way(a, c->all[i], from_ns, now_ns);
		empty_second(c->all[i]);
	}
	if (c->save_now || now_ns - c->saved_ns >= (c->save_soon ?
	    SAVE_SOON_NS : SAVE_EVERY_NS))
		changes_save(a);
}
