// SPDX-License-Identifier: GPL-2.0
/* GET lanes: how each lane is now, by path. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "changes_priv.h"
#include "duration.h"
#include "hist.h"

#define WINDOW_NS	(10ULL * 1000000000)

/* The last ten seconds of a lane by a path. */
struct recent {
	uint32_t lane, path;
	struct sl_hist h;
	struct sl_lane_ctr ctr;
};

struct recents {
	struct recent **at;		/* path * SL_MAX_LANES + lane */
	uint64_t packets[SL_MAX_LANES], len_b[SL_MAX_LANES];
};

static void put_ns(struct json_object *o, const char *key, double ns)
{
	if (ns > 0)
		put_int(o, key, ns);
	else
		put_null(o, key);
}

/* As it was written: doubles in full have 17 digits. */
static struct json_object *short_number(double v)
{
	char text[32];

	snprintf(text, sizeof(text), "%.9g", v);
	return json_object_new_double_s(v, text);
}

static void put_place(struct json_object *o, const struct sl_place *p)
{
	struct json_object *at = p && p->known ? json_object_new_array() : NULL;

	if (at) {
		json_object_array_add(at, short_number(p->lat_deg));
		json_object_array_add(at, short_number(p->lon_deg));
	}
	json_object_object_add(o, "at", at);
}

/* --- idle against working --- */
void put_working(const struct agent *a, uint32_t lane, struct json_object *o)
{
	const struct lane_watch *l = &a->changes->lane[lane];
	struct sl_hist h = {};

	if (l->idle)
		sl_rolling_sum(l->idle, &h);
	put_ns(o, "idle_ns", h.min_ns);
	memset(&h, 0, sizeof(h));
	if (l->busy)
		sl_rolling_sum(l->busy, &h);
	put_ns(o, "working_p50_ns", sl_hist_quantile_ns(&h, 0.5));
	put_ns(o, "working_p90_ns", sl_hist_quantile_ns(&h, 0.9));
}

/* --- what was measured of late --- */
static struct recent *recent_of(struct recents *r, uint32_t lane, uint32_t path)
{
	struct recent **at;

	if (lane >= SL_MAX_LANES || path >= SL_MAX_PATHS)
		return NULL;
	at = &r->at[path * SL_MAX_LANES + lane];
	if (!*at)
		*at = calloc(1, sizeof(**at));
	return *at;
}

static void take_series(void *arg, uint64_t key, const struct sl_hist *h)
{
	struct recent *r;

	if (SL_SERIES_HALF(key) != SL_HALF_FAR)
		return;
	r = recent_of(arg, SL_SERIES_LANE(key), SL_SERIES_PATH(key));
	if (r)
		sl_hist_add(&r->h, h);
}

static void take_lane(void *arg, uint32_t path, uint32_t lane,
		      const struct sl_lane_ctr *c)
{
	struct recent *r = recent_of(arg, lane, path);
	struct recents *all = arg;
	int d;

	if (!r)
		return;
	for (d = 0; d < 2; d++) {
		r->ctr.packets[d] += c->packets[d];
		r->ctr.bytes[d] += c->bytes[d];
		r->ctr.tcp_data[d] += c->tcp_data[d];
		r->ctr.retrans[d] += c->retrans[d];
		all->packets[lane] += c->packets[d];
		all->len_b[lane] += c->bytes[d];
	}
}

/* --- the answer --- */
static void put_rates(struct json_object *o, uint64_t packets, uint64_t len_b)
{
	const double s = WINDOW_NS / 1e9;

	put_double(o, "packets_per_s", packets / s, 1);
	put_double(o, "bits_per_s", len_b * 8 / s, 0);
}

static void put_traffic(struct json_object *o, const struct sl_lane_ctr *c)
{
	uint64_t data = c->tcp_data[0] + c->tcp_data[1];

	put_rates(o, c->packets[0] + c->packets[1], c->bytes[0] + c->bytes[1]);
	if (data)
		put_int(o, "retrans_ppm", (c->retrans[0] + c->retrans[1]) *
			1000000 / data);
	else
		put_null(o, "retrans_ppm");
}

static enum sl_change_state state_of(const struct agent *a,
				     const struct recent *r, uint64_t *since_ns)
{
	const struct sl_change_rules rules = changes_rules(a);
	const struct lane_watch *l = &a->changes->lane[r->lane];
	const struct way *w = a->changes->way[r->path * SL_MAX_LANES + r->lane];
	enum sl_change_state s = SL_CHANGE_LEARNING;

	*since_ns = 0;
	if (w)
		s = sl_change_state(&w->change, &rules, sl_mono_ns(), since_ns);
	/* what has changed here since the lane came tells more than that it came */
	if (s == SL_CHANGE_SUSPECT || *since_ns > l->moved.since_ns ||
	    !changes_moved_here(a, r->lane, r->path))
		return s;
	*since_ns = l->moved.since_ns;
	return SL_CHANGE_CHANGED;
}

static void put_state(const struct agent *a, struct json_object *o,
		      const struct recent *r)
{
	static const char *const word[] = { "learning", "steady", "suspect",
					    "changed" };
	const struct lane_watch *l = &a->changes->lane[r->lane];
	const struct way *w = a->changes->way[r->path * SL_MAX_LANES + r->lane];
	double usual_ns = changes_usual_ns(a, r->lane, r->path);
	uint64_t since_ns;
	enum sl_change_state s = state_of(a, r, &since_ns);

	if (s == SL_CHANGE_CHANGED && since_ns == l->moved.since_ns &&
	    l->moved.from_ns > 0)
		usual_ns = l->moved.from_ns;
	put_ns(o, "baseline_ns", usual_ns);
	put_ns(o, "hop_limit", w && w->hops ? sl_hops_now(w->hops) : -1);
	put_text(o, "state", word[s]);
	put_time(o, "since", changes_wall_ns(since_ns));
}

static struct json_object *path_doc(const struct agent *a,
				    const struct recent *r, uint64_t floor_ns)
{
	struct json_object *o = json_object_new_object();
	double p5_ns = sl_hist_quantile_ns(&r->h, 0.05);

	put_text(o, "path", a->path_name[r->path]);
	put_int(o, "samples", r->h.count);
	put_ns(o, "p5_ns", p5_ns);
	put_ns(o, "p50_ns", sl_hist_quantile_ns(&r->h, 0.50));
	put_ns(o, "p95_ns", sl_hist_quantile_ns(&r->h, 0.95));
	put_ns(o, "p99_ns", sl_hist_quantile_ns(&r->h, 0.99));
	put_ns(o, "min_ns", r->h.min_ns);
	if (floor_ns && p5_ns > 0)
		put_double(o, "stretch", p5_ns / floor_ns, 3);
	else
		put_null(o, "stretch");
	put_state(a, o, r);
	put_traffic(o, &r->ctr);
	return o;
}

/* Where it was measured at all, by whatever path; else nothing is known. */
static const char *geography(const struct agent *a, uint32_t lane,
			     uint64_t floor_ns)
{
	const char *word = "unknown";
	const struct way *w;
	uint32_t path;

	for (path = 0; floor_ns && path < SL_MAX_PATHS; path++) {
		w = a->changes->way[path * SL_MAX_LANES + lane];
		if (w && w->broken)
			return "broken";
		if (w && w->steps)
			word = "ok";
	}
	return word;
}

static struct json_object *budgets_doc(const struct lane_watch *l)
{
	static const char *const word[] = { "unknown", "kept", "broken" };
	struct json_object *list = json_object_new_array(), *o;
	unsigned int i;

	for (i = 0; i < l->n_budgets; i++) {
		o = json_object_new_object();
		put_text(o, "budget", l->budget[i].budget.text);
		put_text(o, "state", word[l->budget[i].state]);
		put_ns(o, "value_ns", l->budget[i].value_ns);
		put_time(o, "since", changes_wall_ns(l->budget[i].since_ns));
		json_object_array_add(list, o);
	}
	return list;
}

/* What is known of the lane by this path; NULL: nothing. */
static struct recent *known_of(const struct agent *a, struct recents *r,
			       uint32_t lane, uint32_t path)
{
	struct recent *one = r->at[path * SL_MAX_LANES + lane];

	if (!one && (a->changes->way[path * SL_MAX_LANES + lane] ||
		     changes_moved_here(a, lane, path)))
		one = recent_of(r, lane, path);
	if (one) {
		one->lane = lane;
		one->path = path;
	}
	return one;
}

/* It saw packets astray, or flows whose path is not known yet: a row of it would hide
 * those that matter. */
static bool is_stray(const struct agent *a, const struct recent *r)
{
	uint64_t since_ns;

	return !r->h.count && state_of(a, r, &since_ns) == SL_CHANGE_LEARNING;
}

/* Of paths that are all stray, the busiest one; "" then is that of what went out
 * before anything came back: no path. */
static struct json_object *paths_doc(const struct agent *a,
				     struct recents *r, uint32_t lane,
				     uint64_t floor_ns)
{
	struct json_object *list = json_object_new_array();
	struct recent *one, *busiest = NULL;
	uint64_t len_b, most_b = 0;
	uint32_t path;

	for (path = 0; path < SL_MAX_PATHS; path++) {
		one = known_of(a, r, lane, path);
		if (one && !is_stray(a, one))
			json_object_array_add(list, path_doc(a, one, floor_ns));
		len_b = one ? one->ctr.bytes[0] + one->ctr.bytes[1] : 0;
		if (path && one && (!busiest || len_b > most_b)) {
			busiest = one;
			most_b = len_b;
		}
	}
	if (busiest && !json_object_array_length(list))
		json_object_array_add(list, path_doc(a, busiest, floor_ns));
	return list;
}

static struct json_object *one_lane(const struct agent *a, struct recents *r,
				    uint32_t lane)
{
	const struct sl_config_lane *cfg = changes_lane_cfg(a, lane);
	struct json_object *o = json_object_new_object();
	const char *source;
	uint64_t floor_ns = floor_ns_of(a, lane, &source);

	put_text(o, "lane", changes_lane_name(a, lane));
	put_place(o, cfg ? &cfg->at : NULL);
	if (cfg && cfg->cable_km > 0)
		json_object_object_add(o, "cable_km",
				       short_number(cfg->cable_km));
	else
		put_null(o, "cable_km");
	put_ns(o, "floor_ns", floor_ns);
	put_text(o, "floor_source", source);
	put_text(o, "geography", geography(a, lane, floor_ns));
	json_object_object_add(o, "budgets",
			       budgets_doc(&a->changes->lane[lane]));
	put_working(a, lane, o);
	put_rates(o, r->packets[lane], r->len_b[lane]);
	json_object_object_add(o, "paths", paths_doc(a, r, lane, floor_ns));
	return o;
}

static struct json_object *gateway_doc(const struct agent *a)
{
	struct json_object *o = json_object_new_object();
	char host[256] = "";

	gethostname(host, sizeof(host) - 1);
	put_text(o, "name", a->cfg->gateway.name[0] ? a->cfg->gateway.name :
		 host);
	put_place(o, &a->cfg->gateway.at);
	return o;
}

static struct json_object *detection_doc(const struct agent *a)
{
	const struct sl_change_rules r = changes_rules(a);
	struct json_object *o = json_object_new_object();

	put_int(o, "step_ns", r.step_ns);
	put_int(o, "share_ppm", r.share_ppm);
	put_double(o, "hold_s", r.hold_ns / 1e9, 3);
	return o;
}

static bool is_in(const char *name, const char *const *names, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		if (!strcmp(names[i], name))
			return true;
	return false;
}

struct json_object *lanes_now_doc(const struct agent *a,
				  const char *const *names, unsigned int n)
{
	struct json_object *doc = json_object_new_object();
	struct json_object *list = json_object_new_array();
	struct recents *r = calloc(1, sizeof(*r));
	uint64_t now_ns = sl_now_ns();
	unsigned int i;

	json_object_object_add(doc, "gateway", gateway_doc(a));
	json_object_object_add(doc, "detection", detection_doc(a));
	json_object_object_add(doc, "lanes", list);
	if (r)
		r->at = calloc(SL_MAX_PATHS * SL_MAX_LANES, sizeof(*r->at));
	if (!r || !r->at) {
		free(r);
		return doc;
	}
	collect_walk(a, now_ns - WINDOW_NS, now_ns, take_series, take_lane, r);
	for (i = 0; i < a->cfg->n_lanes; i++)
		if (!n || is_in(a->cfg->lanes[i].name, names, n))
			json_object_array_add(list,
					      one_lane(a, r, a->lane_id[i]));
	if (n ? is_in("other", names, n) : r->packets[0])
		json_object_array_add(list, one_lane(a, r, 0));
	for (i = 0; i < SL_MAX_PATHS * SL_MAX_LANES; i++)
		free(r->at[i]);
	free(r->at);
	free(r);
	return doc;
}
