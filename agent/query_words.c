// SPDX-License-Identifier: GPL-2.0
/* The words of a question about latency. */
#include <stdlib.h>
#include <string.h>
#include "duration.h"
#include "names.h"
#include "query.h"

#define S		1000000000ULL
#define LATENCY_NS	(300 * S)	/* windows without since */
#define SERIES_NS	(3600 * S)
#define SERIES_STEPS	120		/* at most, where no step is asked for */

/* --- keys, lanes, halves --- */
static int parse_by(struct query *q, const char *by, struct refusal *r)
{
	static const char keys[] = "lane, path, method, half, prefix";
	char copy[128], *word, *rest = copy;

	if (strlen(by) >= sizeof(copy))
		return refuse(r, 400, keys, "by is too long");
	strcpy(copy, by);
	while ((word = strsep(&rest, ","))) {
		if (!strcmp(word, "lane"))
			q->by_lane = true;
		else if (!strcmp(word, "path"))
			q->by_path = true;
		else if (!strcmp(word, "method"))
			q->by_method = true;
		else if (!strcmp(word, "half"))
			q->by_half = true;
		else if (!strcmp(word, "prefix"))
			q->by_prefix = true;
		else
			return refuse(r, 400, keys, "cannot group by %s", word);
	}
	return 0;
}

static bool is_lane(const struct agent *a, const char *name)
{
	unsigned int i;

	for (i = 1; i < SL_MAX_LANES; i++)
		if (a->lane_name[i][0] && !strcmp(a->lane_name[i], name))
			return true;
	return !strcmp(name, "other");
}

int query_parse_lanes(const struct agent *a, const struct query_words *w,
		      struct refusal *r)
{
	unsigned int i;

	for (i = 0; i < w->n_lanes; i++)
		if (!is_lane(a, w->lanes[i]))
			refuse_item(r, "no lane %s", w->lanes[i]);
	return r->items ? refuse(r, 404, "see the configuration's lanes",
				 "unknown lanes") : 0;
}

static int parse_lanes(struct query *q, const struct query_words *w,
		       struct refusal *r)
{
	if (query_parse_lanes(q->a, w, r))
		return -1;
	while (q->n_lanes < w->n_lanes) {
		strcpy(q->lane[q->n_lanes], w->lanes[q->n_lanes]);
		q->n_lanes++;
	}
	return 0;
}

/* Of prefixes only round trips to the far end are kept, of all methods. */
static int parse_half(struct query *q, const char *half, struct refusal *r)
{
	int h;

	q->half = -1;
	for (h = 0; half && h < SL_HALF_MAX; h++)
		if (!strcmp(half, sl_half_name(h)))
			q->half = h;
	if (half && q->half < 0)
		return refuse(r, 400, "far, near, full or self", "no half %s",
			      half);
	if (q->by_prefix && half && q->half != SL_HALF_FAR)
		return refuse(r, 400, "ask for half far, or not by prefix",
			      "by prefix only half far is kept");
	return 0;
}

static int parse_method(struct query *q, const char *method, struct refusal *r)
{
	int m;

	q->method = -1;
	for (m = 0; method && m < SL_M_MAX; m++)
		if (!strcmp(method, sl_method_name(m)))
			q->method = m;
	if (method && q->method < 0)
		return refuse(r, 400, "tcp-hs, tcp-ts, tcp-seq, quic-hs, "
			      "quic-spin, icmp, dns, stun, srt, ...",
			      "no method %s", method);
	if (q->by_prefix && method)
		return refuse(r, 400, "ask for all methods, or not by prefix",
			      "by prefix all methods are merged");
	return 0;
}

/* --- windows --- */
static int parse_window(struct query *q, const struct query_words *w,
			uint64_t default_ns, struct refusal *r)
{
	unsigned int i;

	q->now_ns = sl_now_ns();
	for (i = 0; i < SL_HISTORY_LEVELS; i++)
		q->keep_ns[i] = q->a->cfg->history.keep_ns[i];
	q->seam_ns = collect_oldest(q->a);
	q->to_ns = q->now_ns;
	if (w->until && sl_time_parse(w->until, q->now_ns, &q->to_ns))
		return refuse(r, 400, "RFC 3339, or -10m", "until %s is no "
			      "time", w->until);
	q->from_ns = q->to_ns - default_ns;
	if (w->since && sl_time_parse(w->since, q->now_ns, &q->from_ns))
		return refuse(r, 400, "RFC 3339, or -10m", "since %s is no "
			      "time", w->since);
	if (q->to_ns > q->now_ns)
		q->to_ns = q->now_ns;
	if (q->from_ns >= q->to_ns)
		return refuse(r, 400, "since lies before until, and both "
			      "before now", "the window is empty");
	return 0;
}

int query_parse(struct query *q, const struct query_words *w,
		struct refusal *r)
{
	q->by_lane = q->by_path = q->by_method = q->by_half = !w->by;
	if ((w->by && parse_by(q, w->by, r)) || parse_half(q, w->half, r) ||
	    parse_method(q, w->method, r) || parse_lanes(q, w, r) ||
	    parse_window(q, w, LATENCY_NS, r))
		return -1;
	/* who did not ask about a time is not kept waiting for disk */
	if (!w->since && !w->until && q->from_ns < q->seam_ns)
		q->from_ns = q->seam_ns;
	return 0;
}

/* --- series --- */
static uint64_t up(uint64_t v, uint64_t unit)
{
	return (v + unit - 1) / unit * unit;
}

static uint64_t fitting_step(const struct query *q, uint64_t unit)
{
	static const uint64_t nice_s[] = { 10, 20, 30, 60, 120, 300, 600, 900,
		1800, 3600, 7200, 10800, 21600, 43200, 86400 };
	unsigned int i, n = sizeof(nice_s) / sizeof(*nice_s);

	for (i = 0; i < n; i++)
		if (nice_s[i] * S % unit == 0 && (q->to_ns - q->from_ns) /
		    (nice_s[i] * S) <= SERIES_STEPS)
			return nice_s[i] * S;
	return up((q->to_ns - q->from_ns) / SERIES_STEPS, 86400 * S);
}

/* Whole steps, outwards; they are made of what is kept at the window's begin,
 * which that moves. */
static void round_window(struct query *q)
{
	uint64_t from_ns = q->from_ns, unit = query_finest(q, from_ns);

	q->step_ns = up(q->step_ns, unit);
	q->from_ns = from_ns - from_ns % q->step_ns;
	unit = query_finest(q, q->from_ns);
	if (q->step_ns % unit) {
		q->step_ns = up(q->step_ns, unit);
		q->from_ns = from_ns - from_ns % q->step_ns;
	}
	q->to_ns = up(q->to_ns, q->step_ns);
}

static int parse_step(struct query *q, const char *step, struct refusal *r)
{
	if (!step)
		q->step_ns = fitting_step(q, query_finest(q, q->from_ns));
	else if (sl_duration_parse(step, &q->step_ns) || !q->step_ns ||
		 q->step_ns > 400 * 86400 * S)
		return refuse(r, 400, "a duration such as 10s, 1m, 15m",
			      "step %s is none", step);
	round_window(q);
	if ((q->to_ns - q->from_ns) / q->step_ns > QUERY_CELLS)
		return refuse(r, 400, "ask for longer steps or a shorter "
			      "window", "that would be over %d steps",
			      QUERY_CELLS);
	return 0;
}

int query_parse_series(struct query *q, const struct query_words *w,
		       struct refusal *r)
{
	if (!w->n_lanes)
		return refuse(r, 400, "lane=NAME; other is all that is in "
			      "none", "history is of a lane");
	if (w->heat && strcmp(w->heat, "0") && strcmp(w->heat, "1"))
		return refuse(r, 400, "0 or 1", "heat=%s", w->heat);
	if (w->path && strlen(w->path) >= sizeof(q->path))
		return refuse(r, 404, "see the configuration's interfaces",
			      "no path %s", w->path);
	q->heat = w->heat && w->heat[0] == '1';
	q->one_path = w->path;
	if (w->path)
		strcpy(q->path, w->path);
	q->by_lane = true;
	if ((w->by && parse_by(q, w->by, r)) || parse_half(q, w->half, r) ||
	    parse_method(q, w->method, r) || parse_lanes(q, w, r) ||
	    parse_window(q, w, SERIES_NS, r))
		return -1;
	if (!w->half && !q->by_half)
		q->half = SL_HALF_FAR;
	return parse_step(q, w->step, r);
}
