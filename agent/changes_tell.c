// SPDX-License-Identifier: GPL-2.0
/* What was found, as events: kinds path-change, congestion, geography, budget. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "changes_priv.h"
#include "detour.h"
#include "duration.h"

#define WORDS_B 256

static const char *path_name(const struct agent *a, uint32_t path)
{
	return a->path_name[path][0] ? a->path_name[path] : "an unknown path";
}

/* "12:03:10 UTC" of the day, or with the date when that is another one. */
static const char *when(uint64_t mono_ns, char buf[48])
{
	uint64_t ns = changes_wall_ns(mono_ns);
	char now[48];

	sl_time_str(sl_now_ns(), now, sizeof(now));
	sl_time_str(ns, buf, 48);
	buf[19] = '\0';			/* no fraction */
	if (!strncmp(buf, now, 10))
		memmove(buf, buf + 11, 9);
	return buf;
}

/* "hop limit 62 -> 60", or what is known of it. */
static const char *hop_words(const struct way *w, const struct sl_hops_news *hops,
			     char buf[WORDS_B])
{
	int usual = w->hops ? sl_hops_usual(w->hops) : -1;

	if (hops->changed)
		snprintf(buf, WORDS_B, "hop limit %u -> %u", hops->from,
			 hops->to);
	else if (usual >= 0)
		snprintf(buf, WORDS_B, "hop limit %d as before", usual);
	else
		snprintf(buf, WORDS_B, "hop limit not known");
	return buf;
}

/* "; fits Hong Kong + 8.1 ms or Tokyo - 0.3 ms" */
static const char *fit_words(const struct agent *a, const struct sl_fit *fits,
			     unsigned int n, char buf[WORDS_B])
{
	size_t len = 0;
	unsigned int i;

	buf[0] = '\0';
	if (!a->cfg->n_detours)
		return buf;
	if (!n)
		snprintf(buf, WORDS_B, "; fits no known detour");
	for (i = 0; i < n && len < WORDS_B; i++)
		len += snprintf(buf + len, WORDS_B - len, "%s%s %c %.1f ms",
				i ? " or " : "; fits ", fits[i].name,
				fits[i].plus_ns < 0 ? '-' : '+',
				fabs(fits[i].plus_ns / 1e6));
	return buf;
}

static unsigned int fits_of(const struct agent *a, uint32_t lane, double rtt_ns,
			    struct sl_fit fits[SL_FITS])
{
	const struct sl_config_lane *cfg = changes_lane_cfg(a, lane);

	return cfg && rtt_ns > 0 ? sl_detour_fits(a->cfg, cfg, rtt_ns, fits) : 0;
}

static void put_ns(struct json_object *o, const char *key, double ns)
{
	if (ns > 0)
		put_int(o, key, ns);
	else
		put_null(o, key);
}

static void put_hops(struct json_object *o, const char *key, int limit)
{
	if (limit > 0)
		put_int(o, key, limit);
	else
		put_null(o, key);
}

/* The members that every path-change has; events.schema.json. */
static struct json_object *change_detail(const struct agent *a, uint32_t lane,
					 uint32_t path, const char *what,
					 double from_ns, double to_ns,
					 uint64_t since_ns)
{
	struct json_object *o = json_object_new_object();

	put_text(o, "lane", changes_lane_name(a, lane));
	put_text(o, "path", a->path_name[path]);
	put_text(o, "what", what);
	put_ns(o, "from_ns", from_ns);
	put_ns(o, "to_ns", to_ns);
	put_time(o, "since", changes_wall_ns(since_ns));
	return o;
}

static void put_fits(struct json_object *o, const struct sl_fit *fits,
		     unsigned int n)
{
	struct json_object *list = json_object_new_array(), *one;
	unsigned int i;

	for (i = 0; i < n; i++) {
		one = json_object_new_object();
		put_text(one, "name", fits[i].name);
		put_int(one, "plus_ns", fits[i].plus_ns);
		json_object_array_add(list, one);
	}
	json_object_object_add(o, "fits", list);
}

void tell_way(struct agent *a, struct way *w, const struct sl_change_news *news,
	      const struct sl_hops_news *hops)
{
	char hop[WORDS_B], fit[WORDS_B], t[48];
	int usual = w->hops ? sl_hops_usual(w->hops) : -1;
	struct sl_fit fits[SL_FITS];
	unsigned int n = fits_of(a, w->lane, news->to_ns, fits);
	struct json_object *o = change_detail(a, w->lane, w->path, "latency",
					      news->from_ns, news->to_ns,
					      news->since_ns);

	put_hops(o, "from_hops", hops->changed ? hops->from : usual);
	put_hops(o, "to_hops", hops->changed ? hops->to : usual);
	put_bool(o, "back", news->back);
	put_fits(o, fits, n);
	event(a, LOG_WARNING, "path-change", o, "%s by %s: the way has changed, "
	      "p5 %.1f -> %.1f ms since %s%s, %s%s%s",
	      changes_lane_name(a, w->lane), path_name(a, w->path),
	      news->from_ns / 1e6, news->to_ns / 1e6, when(news->since_ns, t),
	      news->away ? " or while the agent was away" : "",
	      hop_words(w, hops, hop),
	      news->back ? "; as it was before the last change" : "",
	      news->back ? "" : fit_words(a, fits, n, fit));
}

void tell_hops(struct agent *a, const struct way *w,
	       const struct sl_hops_news *news)
{
	const struct sl_change *c = &w->change;
	bool before = c->learned && c->learned_ns <= news->since_ns;
	bool after = sl_change_p5_since_ns(c, news->since_ns) > 0;
	double p5_ns = c->learned ? c->base.p5_ns : -1;
	struct json_object *o = change_detail(a, w->lane, w->path, "hop-limit",
					      before ? p5_ns : -1,
					      after ? p5_ns : -1,
					      news->since_ns);
	char t[48];

	put_hops(o, "from_hops", news->from);
	put_hops(o, "to_hops", news->to);
	put_bool(o, "back", false);
	put_fits(o, NULL, 0);
	event(a, LOG_WARNING, "path-change", o, "%s by %s: the way has changed, "
	      "hop limit %u -> %u since %s, %s",
	      changes_lane_name(a, w->lane), path_name(a, w->path), news->from,
	      news->to, when(news->since_ns, t),
	      !c->learned ? "latency not known yet" :
	      !before ? "latency before not known" :
	      !after ? "latency not measured since" : "latency as before");
}

/* What p5 is now on the path that was taken. */
static double now_ns(const struct agent *a, uint32_t lane, uint32_t path,
		     uint64_t since_ns)
{
	const struct way *w = a->changes->way[path * SL_MAX_LANES + lane];

	return w ? sl_change_p5_since_ns(&w->change, since_ns) : -1;
}

static int limit_of(const struct agent *a, uint32_t lane, uint32_t path,
		    int (*which)(const struct sl_hops *h))
{
	const struct way *w = a->changes->way[path * SL_MAX_LANES + lane];

	return w && w->hops ? which(w->hops) : -1;
}

void tell_moved(struct agent *a, uint32_t lane, const struct sl_shares_news *m,
		bool back)
{
	double from_ns = changes_usual_ns(a, lane, m->path_from);
	double to_ns = now_ns(a, lane, m->path_to, m->since_ns);
	int from_hops = limit_of(a, lane, m->path_from, sl_hops_usual);
	int to_hops = limit_of(a, lane, m->path_to, sl_hops_now);
	char fit[WORDS_B], figures[WORDS_B] = "", t[48];
	struct sl_fit fits[SL_FITS];
	unsigned int n = fits_of(a, lane, to_ns, fits);
	struct json_object *o = change_detail(a, lane, m->path_to, "latency",
					      from_ns, to_ns, m->since_ns);
	size_t len = 0;

	put_hops(o, "from_hops", from_hops);
	put_hops(o, "to_hops", to_hops);
	put_bool(o, "back", back);
	put_fits(o, fits, n);
	put_text(o, "path_from", a->path_name[m->path_from]);
	put_text(o, "path_to", a->path_name[m->path_to]);
	put_double(o, "share", m->share, 3);
	if (from_ns > 0 && to_ns > 0)
		len = snprintf(figures, WORDS_B, ": p5 %.1f -> %.1f ms",
			       from_ns / 1e6, to_ns / 1e6);
	if (from_hops > 0 && to_hops > 0)
		snprintf(figures + len, WORDS_B - len, "%s hop limit %d -> %d",
			 len ? "," : ":", from_hops, to_hops);
	event(a, LOG_WARNING, "path-change", o, "%s: %.0f %% of what comes home "
	      "moved from %s to %s since %s%s%s", changes_lane_name(a, lane),
	      m->share * 100, path_name(a, m->path_from),
	      path_name(a, m->path_to), when(m->since_ns, t), figures,
	      back ? "; back to where it was" :
	      to_ns > 0 ? fit_words(a, fits, n, fit) : "");
}

void tell_queue(struct agent *a, const struct way *w,
		const struct sl_change_news *news)
{
	bool over = news->what == SL_CHANGE_QUEUE_OVER;
	const struct sl_hops_news none = {};
	struct json_object *o = json_object_new_object();
	char hop[WORDS_B], t[48];

	put_text(o, "lane", changes_lane_name(a, w->lane));
	put_text(o, "path", a->path_name[w->path]);
	put_text(o, "state", over ? "over" : "raised");
	put_ns(o, "from_ns", news->from_ns);
	put_ns(o, "to_ns", news->to_ns);
	put_time(o, "since", changes_wall_ns(news->since_ns));
	put_ns(o, "spread_from_ns", news->spread_from_ns);
	put_ns(o, "spread_to_ns", news->spread_to_ns);
	put_int(o, "retrans_from_ppm", news->loss_from * 1e6);
	put_int(o, "retrans_to_ppm", news->loss_to * 1e6);
	if (over)
		event(a, LOG_NOTICE, "congestion", o, "%s by %s: latency is "
		      "back, p5 %.1f ms; it had risen at %s",
		      changes_lane_name(a, w->lane), path_name(a, w->path),
		      news->to_ns / 1e6, when(news->since_ns, t));
	else
		event(a, LOG_NOTICE, "congestion", o, "%s by %s: latency rose, "
		      "%s: p5 %.1f -> %.1f ms since %s, as by a queue (p50 "
		      "above p5 by %.1f, was %.1f ms; %.2f %% sent again, was "
		      "%.2f)", changes_lane_name(a, w->lane),
		      path_name(a, w->path), hop_words(w, &none, hop),
		      news->from_ns / 1e6, news->to_ns / 1e6,
		      when(news->since_ns, t), news->spread_to_ns / 1e6,
		      news->spread_from_ns / 1e6, news->loss_to * 100,
		      news->loss_from * 100);
}

void tell_floor(struct agent *a, const struct way *w, double p5_ns)
{
	const char *lane = changes_lane_name(a, w->lane), *source;
	uint64_t floor_ns = floor_ns_of(a, w->lane, &source);
	struct json_object *o = json_object_new_object();

	put_text(o, "lane", lane);
	put_text(o, "path", a->path_name[w->path]);
	put_text(o, "state", w->broken ? "broken" : "ok");
	put_int(o, "floor_ns", floor_ns);
	put_text(o, "floor_source", source);
	put_ns(o, "p5_ns", p5_ns);
	if (!w->broken)
		event(a, LOG_NOTICE, "geography", o, "%s by %s: p5 %.1f ms is "
		      "not below the floor of %.1f ms any more", lane,
		      path_name(a, w->path), p5_ns / 1e6, floor_ns / 1e6);
	else if (source && !strcmp(source, "cable"))
		event(a, LOG_WARNING, "geography", o, "%s by %s: p5 %.1f ms, "
		      "but light in the stated cable takes %.1f ms: answers "
		      "come by a shorter cable, or from nearer than %s is "
		      "(anycast or wrong geography)", lane,
		      path_name(a, w->path), p5_ns / 1e6, floor_ns / 1e6, lane);
	else
		event(a, LOG_WARNING, "geography", o, "%s by %s: p5 %.1f ms, "
		      "but light in fibre takes %.1f ms: answers come from "
		      "nearer than %s can be (anycast or wrong geography)",
		      lane, path_name(a, w->path), p5_ns / 1e6, floor_ns / 1e6,
		      lane);
}

void tell_budget(struct agent *a, uint32_t lane, const struct sl_budget_watch *b)
{
	bool broken = b->state == SL_BUDGET_BROKEN;
	struct json_object *o = json_object_new_object();

	put_text(o, "lane", changes_lane_name(a, lane));
	put_text(o, "budget", b->budget.text);
	put_text(o, "state", broken ? "broken" : "kept");
	put_ns(o, "value_ns", b->value_ns);
	event(a, broken ? LOG_WARNING : LOG_NOTICE, "budget", o, "%s: budget "
	      "%s is %s: p%g is %.1f ms", changes_lane_name(a, lane),
	      b->budget.text, broken ? "broken" : "kept again",
	      b->budget.quantile * 100, b->value_ns / 1e6);
	a->changes->save_now = true;
}
