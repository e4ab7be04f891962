// SPDX-License-Identifier: GPL-2.0
/* Lanes and paths: their traffic, how TCP fares, what was not measured; floors,
 * changes of path and budgets as GET lanes has them. */
#include <stdlib.h>
#include <string.h>
#include "changes.h"
#include "metrics.h"
#include "names.h"

static const char *const direction[] = { [SL_DIR_OUT] = "out",
					 [SL_DIR_IN] = "in" };

/* --- traffic --- */
struct traffic {
	const char *lane, *path;
	struct sl_lane_ctr c;
};

/* The lanes and paths that saw a packet; *n of them, the caller's. */
static struct traffic *read_traffic(struct agent *a, unsigned int *n)
{
	static const struct sl_lane_ctr none;
	struct traffic *all = NULL, *grown;
	uint32_t path, lane, room = 0;
	struct traffic t;

	*n = 0;
	for (path = 0; path < SL_MAX_PATHS; path++)
		for (lane = 0; lane < SL_MAX_LANES; lane++) {
			t.lane = metrics_lane(a, lane);
			t.path = metrics_path(a, path);
			if (!t.lane || !t.path)
				continue;
			sl_dp_read_lane(a->dp, path, lane, &t.c);
			if (!memcmp(&t.c, &none, sizeof(none)))
				continue;
			if (*n == room) {
				room = room * 2 + 64;
				grown = realloc(all, room * sizeof(*all));
				if (!grown)
					return all;
				all = grown;
			}
			all[(*n)++] = t;
		}
	return all;
}

/* One of sl_lane_ctr's pairs. */
static const uint64_t *pair_of(const struct sl_lane_ctr *c, int i)
{
	const uint64_t *const of[] = {
		(const uint64_t *)c->packets, (const uint64_t *)c->bytes,
		(const uint64_t *)c->tcp_data, (const uint64_t *)c->retrans };

	return of[i];
}

static void put_traffic(struct agent *a, struct sl_expose *x)
{
	static const struct { const char *name, *unit, *help; } family[] = {
		{ "sealane_lane_packets_total", NULL,
		  "Packets by lane, path and direction (out: leaving home)." },
		{ "sealane_lane_bytes_total", "bytes",
		  "Bytes on the wire of these packets." },
		{ "sealane_tcp_data_segments_total", NULL,
		  "TCP segments with payload." },
		{ "sealane_tcp_retransmitted_segments_total", NULL,
		  "Of these: below the highest sequence number seen." } };
	struct traffic *all;
	unsigned int n, i;
	size_t f;
	int d;

	all = read_traffic(a, &n);
	for (f = 0; f < sizeof(family) / sizeof(family[0]); f++) {
		sl_expose_family(x, family[f].name, SL_COUNTER, family[f].unit,
				 family[f].help);
		for (i = 0; i < n; i++)
			for (d = 0; d < 2; d++)
				sl_expose_count(x, SL_LABELS(
					{ "lane", all[i].lane },
					{ "path", all[i].path },
					{ "direction", direction[d] }),
					pair_of(&all[i].c, f)[d]);
	}
	free(all);
}

/* --- TCP, and what was not measured --- */
static bool all_zero(const void *mem, size_t len_b)
{
	const uint64_t *w = mem;
	size_t i;

	for (i = 0; i < len_b / 8; i++)
		if (w[i])
			return false;
	return true;
}

static const uint64_t *tcp_pair(const struct sl_lane_tcp *t, int i)
{
	const uint64_t *const of[] = {
		(const uint64_t *)t->reordered,
		(const uint64_t *)t->zero_window, (const uint64_t *)t->reset,
		(const uint64_t *)t->syn, (const uint64_t *)t->syn_answered };

	return of[i];
}

static void put_tcp(struct agent *a, struct sl_expose *x)
{
	static const struct { const char *name, *help; } family[] = {
		{ "sealane_tcp_reordered_segments_total",
		  "TCP segments that were overtaken on the way." },
		{ "sealane_tcp_zero_windows_total",
		  "TCP segments that close the window." },
		{ "sealane_tcp_resets_total", "TCP resets." },
		{ "sealane_tcp_syns_total",
		  "First copies of SYNs, by the SYN's direction." },
		{ "sealane_tcp_syns_answered_total",
		  "Of these: answered by a SYN-ACK." } };
	struct sl_lane_tcp t;
	uint32_t lane;
	size_t f;
	int d;

	for (f = 0; f < sizeof(family) / sizeof(family[0]); f++) {
		sl_expose_family(x, family[f].name, SL_COUNTER, NULL,
				 family[f].help);
		for (lane = 0; lane < SL_MAX_LANES; lane++) {
			if (!metrics_lane(a, lane))
				continue;
			sl_dp_read_tcp(a->dp, lane, &t);
			for (d = 0; d < 2 && !all_zero(&t, sizeof(t)); d++)
				sl_expose_count(x, SL_LABELS(
					{ "lane", metrics_lane(a, lane) },
					{ "direction", direction[d] }),
					tcp_pair(&t, f)[d]);
		}
	}
}

static void put_missed(struct agent *a, struct sl_expose *x)
{
	struct sl_lane_miss m;
	uint32_t lane;
	int i;

	sl_expose_family(x, "sealane_unmeasured_total", SL_COUNTER, NULL,
			 "What might have been measured and was not; refused, "
			 "evicted and expired are the flow table's.");
	for (lane = 0; lane < SL_MAX_LANES; lane++) {
		if (!metrics_lane(a, lane))
			continue;
		sl_dp_read_miss(a->dp, lane, &m);
		for (i = 0; i < SL_MISS_MAX && !all_zero(&m, sizeof(m)); i++)
			sl_expose_count(x, SL_LABELS(
				{ "lane", metrics_lane(a, lane) },
				{ "reason", sl_miss_name(i) }), m.n[i]);
	}
}

static void put_lost(struct agent *a, struct sl_expose *x)
{
	struct sl_lane_lost l;
	uint32_t lane;
	uint64_t sum;
	int side, i;

	sl_expose_family(x, "sealane_evicted_stamps_total", SL_COUNTER, NULL,
			 "Stamps that waited for an answer and went with their "
			 "evicted flow: long round trips go first.");
	for (lane = 0; lane < SL_MAX_LANES; lane++) {
		if (!metrics_lane(a, lane))
			continue;
		sl_dp_read_lost(a->dp, lane, &l);
		for (side = 0; side < 2 && !all_zero(&l, sizeof(l)); side++) {
			for (sum = 0, i = 0; i < SL_LOST_BUCKETS; i++)
				sum += l.n[side][i];
			sl_expose_count(x, SL_LABELS(
				{ "lane", metrics_lane(a, lane) },
				{ "half", side ? "near" : "far" }), sum);
		}
	}
}

/* --- GET lanes --- */
static struct json_object *member(struct json_object *o, const char *key)
{
	struct json_object *v = NULL;

	return json_object_object_get_ex(o, key, &v) ? v : NULL;
}

static const char *text(struct json_object *o, const char *key)
{
	struct json_object *v = member(o, key);

	return v ? json_object_get_string(v) : "";
}

/* A figure of GET lanes and how it is told; null ones are left out. */
struct figure {
	const char *name, *unit, *help, *key;
	double scale;
};

static void put_figure(struct sl_expose *x, const struct figure *f,
		       struct json_object *o, const struct sl_label *labels)
{
	struct json_object *v = member(o, f->key);

	if (v)
		sl_expose_value(x, labels,
				json_object_get_double(v) * f->scale);
}

#define EACH(i, o, list) (i) = 0; (i) < (list ? json_object_array_length(list) \
	: 0) && ((o) = json_object_array_get_idx(list, i)); (i)++

static void put_lane_figures(struct sl_expose *x, struct json_object *lanes)
{
	static const struct figure of[] = {
		{ "sealane_lane_floor_seconds", "seconds", "Least round trip "
		  "that light in fibre allows to the lane.", "floor_ns", 1e-9 },
		{ "sealane_lane_idle_rtt_seconds", "seconds", "Shortest "
		  "handshake of late, far half: the round trip without load.",
		  "idle_ns", 1e-9 },
		{ "sealane_lane_working_rtt_median_seconds", "seconds",
		  "Median round trip of late under load, far half.",
		  "working_p50_ns", 1e-9 } };
	struct json_object *lane;
	size_t f, i;

	for (f = 0; f < sizeof(of) / sizeof(of[0]); f++) {
		sl_expose_family(x, of[f].name, SL_GAUGE, of[f].unit,
				 of[f].help);
		for (EACH(i, lane, lanes))
			put_figure(x, &of[f], lane, SL_LABELS({ "lane",
				   text(lane, "lane") }));
	}
	sl_expose_family(x, "sealane_lane_geography_broken", SL_GAUGE, NULL,
			 "1 where round trips are shorter than light allows: "
			 "the place or the prefixes are wrong.");
	for (EACH(i, lane, lanes))
		sl_expose_value(x, SL_LABELS({ "lane", text(lane, "lane") }),
				!strcmp(text(lane, "geography"), "broken"));
}

static void put_path_figures(struct sl_expose *x, struct json_object *lanes)
{
	static const struct figure of[] = {
		{ "sealane_path_p5_rtt_seconds", "seconds", "Low quantile (5 %) "
		  "of the last round trips of lane and path, far half.",
		  "p5_ns", 1e-9 },
		{ "sealane_path_baseline_rtt_seconds", "seconds", "What that "
		  "quantile usually is.", "baseline_ns", 1e-9 },
		{ "sealane_path_stretch_ratio", "ratio", "That quantile over "
		  "the lane's floor.", "stretch", 1 },
		{ "sealane_path_hop_limit", NULL, "Hop limit with which most "
		  "answers arrive.", "hop_limit", 1 } };
	struct json_object *lane, *path, *paths;
	size_t f, i, k;

	for (f = 0; f < sizeof(of) / sizeof(of[0]); f++) {
		sl_expose_family(x, of[f].name, SL_GAUGE, of[f].unit,
				 of[f].help);
		for (EACH(i, lane, lanes)) {
			paths = member(lane, "paths");
			for (EACH(k, path, paths))
				put_figure(x, &of[f], path, SL_LABELS(
					{ "lane", text(lane, "lane") },
					{ "path", text(path, "path") }));
		}
	}
}

/* One of four states is 1; and those paths are counted from now on. */
static void put_path_states(struct agent *a, struct sl_expose *x,
			    struct json_object *lanes)
{
	static const char *const state[] = { "learning", "steady", "suspect",
					     "changed" };
	struct json_object *lane, *path, *paths;
	size_t i, k, s;

	sl_expose_family(x, "sealane_path_state", SL_GAUGE, NULL,
			 "1 for the state that the detection of path changes "
			 "is in.");
	for (EACH(i, lane, lanes)) {
		paths = member(lane, "paths");
		for (EACH(k, path, paths)) {
			metrics_changes_of(a->metrics, text(lane, "lane"),
					   text(path, "path"));
			for (s = 0; s < sizeof(state) / sizeof(state[0]); s++)
				sl_expose_value(x, SL_LABELS(
					{ "lane", text(lane, "lane") },
					{ "path", text(path, "path") },
					{ "state", state[s] }), !strcmp(state[s],
					text(path, "state")));
		}
	}
}

static void put_path_changes(struct agent *a, struct sl_expose *x)
{
	const struct metrics *m = a->metrics;
	unsigned int i;

	sl_expose_family(x, "sealane_path_changes_total", SL_COUNTER, NULL,
			 "Changes of path that were found since the agent "
			 "began, by what gave them away.");
	for (i = 0; i < m->n_changes; i++) {
		const struct path_changes *c = &m->changes[i];

		sl_expose_count(x, SL_LABELS({ "lane", c->lane },
			{ "path", c->path }, { "what", "latency" }),
			c->latency);
		sl_expose_count(x, SL_LABELS({ "lane", c->lane },
			{ "path", c->path }, { "what", "hop-limit" }), c->hops);
	}
}

/* --- budgets --- */
/* A budget's own metrics: value of `what`; false: none. */
enum budget_what { BROKEN, UNKNOWN, VALUE };

static void put_budgets(struct sl_expose *x, struct json_object *lanes,
			enum budget_what what)
{
	static const struct figure value = { .key = "value_ns", .scale = 1e-9 };
	struct json_object *lane, *one, *budgets;
	const char *state;
	size_t i, k;

	for (EACH(i, lane, lanes)) {
		budgets = member(lane, "budgets");
		for (EACH(k, one, budgets)) {
			const struct sl_label labels[] = {
				{ "lane", text(lane, "lane") },
				{ "budget", text(one, "budget") }, {} };

			state = text(one, "state");
			if (what == VALUE)
				put_figure(x, &value, one, labels);
			else if (what == UNKNOWN)
				sl_expose_value(x, labels,
						!strcmp(state, "unknown"));
			else
				sl_expose_value(x, labels,
						!strcmp(state, "broken"));
		}
	}
}

static void put_limits(struct agent *a, struct sl_expose *x)
{
	const struct sl_config *c = a->cfg;
	unsigned int i, k;

	sl_expose_family(x, "sealane_budget_limit_seconds", SL_GAUGE, "seconds",
			 "Round trip that a budget allows.");
	for (i = 0; i < c->n_lanes; i++)
		for (k = 0; k < c->lanes[i].n_budgets; k++)
			sl_expose_value(x, SL_LABELS(
				{ "lane", c->lanes[i].name },
				{ "budget", c->lanes[i].budgets[k].text }),
				c->lanes[i].budgets[k].most_ns / 1e9);
}

void metrics_lanes(struct agent *a, struct sl_expose *x)
{
	struct json_object *doc = lanes_now_doc(a, NULL, 0);
	struct json_object *lanes = member(doc, "lanes");

	put_traffic(a, x);
	put_tcp(a, x);
	put_missed(a, x);
	put_lost(a, x);
	put_lane_figures(x, lanes);
	put_path_figures(x, lanes);
	put_path_states(a, x, lanes);
	put_path_changes(a, x);
	put_limits(a, x);
	sl_expose_family(x, "sealane_budget_broken", SL_GAUGE, NULL,
			 "1 while a lane's latency budget is broken.");
	put_budgets(x, lanes, BROKEN);
	sl_expose_family(x, "sealane_budget_unknown", SL_GAUGE, NULL,
			 "1 while there is too little to judge a budget by.");
	put_budgets(x, lanes, UNKNOWN);
	sl_expose_family(x, "sealane_budget_value_seconds", SL_GAUGE, "seconds",
			 "What the budget's quantile is now.");
	put_budgets(x, lanes, VALUE);
	json_object_put(doc);
}
