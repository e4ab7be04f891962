// SPDX-License-Identifier: GPL-2.0
/* One lane, looked into. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "duration.h"
#include "watch.h"

#define EVENTS_SHOWN 100
#define STRIP_LEFT 18		/* columns of its names and figures */

static struct json_object *find_lane(const struct watch_model *m,
				     const char *name)
{
	struct json_object *lanes = watch_member(m->lanes, "lanes");
	char lane[WATCH_TEXT_B];
	size_t i;

	for (i = 0; i < watch_length(lanes); i++) {
		watch_word(watch_at(lanes, i), "lane", lane, sizeof(lane));
		if (!strcmp(lane, name))
			return watch_at(lanes, i);
	}
	return NULL;
}

/* " at LATITUDE, LONGITUDE", or nothing. */
static void where_is(struct json_object *at, char *out, size_t len)
{
	out[0] = '\0';
	if (watch_length(at) == 2)
		snprintf(out, len, " at %.2f, %.2f",
			 json_object_get_double(watch_at(at, 0)),
			 json_object_get_double(watch_at(at, 1)));
}

static void compose_about(struct json_object *lane, const char *name,
			  struct watch_page *p)
{
	char source[WATCH_TEXT_B], geography[WATCH_TEXT_B];
	char floor[24], idle[24], p50[24], p90[24], km[24];
	char where[64];

	watch_word(lane, "floor_source", source, sizeof(source));
	watch_word(lane, "geography", geography, sizeof(geography));
	where_is(watch_member(lane, "at"), where, sizeof(where));
	watch_add(p, WATCH_BOLD, "lane %s%s", name, where);
	watch_add(p, !strcmp(geography, "broken") ? WATCH_BAD : WATCH_PLAIN,
		  "floor %s ms%s%s, cable %s km, geography %s%s",
		  watch_ms(watch_num(lane, "floor_ns"), floor),
		  source[0] ? " by " : "", source,
		  watch_count(watch_num(lane, "cable_km"), km),
		  geography[0] ? geography : "unknown",
		  !strcmp(geography, "broken") ? ": faster than light in fibre, "
		  "so the far end is not where it is said to be" : "");
	watch_add(p, WATCH_PLAIN, "idle %s ms; under load p50 %s ms, p90 %s ms",
		  watch_ms(watch_num(lane, "idle_ns"), idle),
		  watch_ms(watch_num(lane, "working_p50_ns"), p50),
		  watch_ms(watch_num(lane, "working_p90_ns"), p90));
}

static void compose_budgets(struct json_object *lane, struct watch_page *p)
{
	struct json_object *list = watch_member(lane, "budgets");
	char text[WATCH_TEXT_B], state[WATCH_TEXT_B], since[40], value[24];
	size_t i;

	for (i = 0; i < watch_length(list); i++) {
		struct json_object *b = watch_at(list, i);

		watch_word(b, "budget", text, sizeof(text));
		watch_word(b, "state", state, sizeof(state));
		watch_word(b, "since", since, sizeof(since));
		watch_add(p, !strcmp(state, "broken") ? WATCH_BAD :
			  WATCH_PLAIN, "budget %s: %s%s%s, now %s ms", text,
			  state, since[0] ? " since " : "", since,
			  watch_ms(watch_num(b, "value_ns"), value));
	}
}

/* --- tables of the answers' rows --- */

struct cell {
	const char *title, *key;
	int width;
	char *(*show)(double n, char *buf);	/* NULL: text */
};

static void compose_titles(const struct cell *c, bool ascii,
			   struct watch_page *p)
{
	char text[512];
	size_t at = 0;

	for (; c->key; c++) {
		at += watch_fit(text + at, sizeof(text) - at, c->title,
				c->width, (ascii ? WATCH_ASCII : 0) |
				(c->show ? WATCH_RIGHT : 0));
		text[at++] = ' ';
	}
	text[at] = '\0';
	watch_add(p, WATCH_TITLE, "  %s", text);
}

static void compose_cells(const struct cell *c, struct json_object *row,
			  enum watch_style style, bool ascii,
			  struct watch_page *p)
{
	char text[WATCH_LINE_B / 2], buf[WATCH_TEXT_B];
	size_t at = 0;

	for (; c->key; c++) {
		if (c->show)
			c->show(watch_num(row, c->key), buf);
		else
			watch_word(row, c->key, buf, sizeof(buf));
		at += watch_fit(text + at, sizeof(text) - at - 2, buf, c->width,
				(ascii ? WATCH_ASCII : 0) |
				(c->show ? WATCH_RIGHT : 0));
		text[at++] = ' ';
	}
	text[at] = '\0';
	watch_add(p, style, "  %s", text);
}

static void compose_paths(const struct watch_model *m, const char *lane,
			  struct json_object *doc, bool ascii,
			  struct watch_page *p)
{
	static const struct cell cells[] = {
		{ "path", "path", 14, NULL }, { "state", "state", 9, NULL },
		{ "p5 ms", "p5_ns", 8, watch_ms },
		{ "p50 ms", "p50_ns", 8, watch_ms },
		{ "p95 ms", "p95_ns", 8, watch_ms },
		{ "p99 ms", "p99_ns", 8, watch_ms },
		{ "before ms", "baseline_ns", 9, watch_ms },
		{ "stretch", "stretch", 7, watch_ratio },
		{ "hop limit", "hop_limit", 9, watch_count },
		{ "loss ppm", "retrans_ppm", 8, watch_count },
		{ "packets/s", "packets_per_s", 9, watch_rate },
		{ "since", "since", 24, NULL }, {} };
	struct json_object *paths = watch_member(doc, "paths");
	unsigned int i, k = 0;

	compose_titles(cells, ascii, p);
	/* rows and paths of a lane in the order of names; the colour is theirs */
	for (i = 0; i < watch_length(paths); i++) {
		char path[WATCH_TEXT_B];

		watch_word(watch_at(paths, i), "path", path, sizeof(path));
		for (k = 0; k < m->n_rows; k++)
			if (!strcmp(m->rows[k].lane, lane) &&
			    !strcmp(m->rows[k].path, path))
				break;
		compose_cells(cells, watch_at(paths, i), k < m->n_rows ?
			      watch_row_style(&m->rows[k]) : WATCH_PLAIN,
			      ascii, p);
	}
	if (!i)
		watch_add(p, WATCH_FAINT, "  no traffic");
}

static void compose_list(const struct cell *cells, struct json_object *doc,
			 const char *none, bool ascii, struct watch_page *p)
{
	struct json_object *rows = watch_member(doc, "rows");
	size_t i;

	compose_titles(cells, ascii, p);
	for (i = 0; i < watch_length(rows); i++)
		compose_cells(cells, watch_at(rows, i), WATCH_PLAIN, ascii, p);
	if (!i)
		watch_add(p, WATCH_FAINT, "  %s", doc ? "none" : none[0] ?
			  none : "asked for");
}

static void compose_latency(const struct watch_model *m, bool ascii,
			    struct watch_page *p)
{
	static const struct cell cells[] = {
		{ "path, last 5 min", "path", 16, NULL },
		{ "method", "method", 9, NULL }, { "half", "half", 5, NULL },
		{ "samples", "samples", 9, watch_count },
		{ "min ms", "min_ns", 8, watch_ms },
		{ "p50 ms", "p50_ns", 8, watch_ms },
		{ "p90 ms", "p90_ns", 8, watch_ms },
		{ "p99 ms", "p99_ns", 8, watch_ms },
		{ "max ms", "max_ns", 8, watch_ms }, {} };

	compose_list(cells, m->latency, "", ascii, p);
}

static void compose_prefixes(const struct watch_model *m, bool ascii,
			     struct watch_page *p)
{
	static const struct cell cells[] = {
		{ "prefixes measured most", "prefix", 32, NULL },
		{ "samples", "samples", 9, watch_count },
		{ "min ms", "min_ns", 8, watch_ms },
		{ "p50 ms", "p50_ns", 8, watch_ms },
		{ "p90 ms", "p90_ns", 8, watch_ms },
		{ "p99 ms", "p99_ns", 8, watch_ms }, {} };

	compose_list(cells, m->prefixes, m->no_prefixes, ascii, p);
}

/* --- the strip: quantiles over time, and what happened --- */

struct strip {
	uint64_t from_ns, step_ns;
	int n;				/* steps shown, the newest last */
};

/* Which step a time belongs to; -1: none that is shown. */
static int step_of(const struct strip *s, struct json_object *o)
{
	char time[40];
	uint64_t at_ns;

	watch_word(o, "time", time, sizeof(time));
	if (sl_time_parse(time, 0, &at_ns) || at_ns < s->from_ns ||
	    (at_ns - s->from_ns) / s->step_ns >= (uint64_t)s->n)
		return -1;
	return (at_ns - s->from_ns) / s->step_ns;
}

static bool strip_of(struct json_object *doc, int width, struct strip *s)
{
	double step_s = watch_num(doc, "step_s");
	uint64_t from_ns, to_ns, n;
	char from[40], to[40];

	watch_word(doc, "from", from, sizeof(from));
	watch_word(doc, "to", to, sizeof(to));
	if (!(step_s >= 1 && step_s < 1e9) || sl_time_parse(from, 0, &from_ns) ||
	    sl_time_parse(to, 0, &to_ns) || to_ns <= from_ns)
		return false;
	s->step_ns = step_s * 1e9;
	/* steps begin at multiples of their length */
	n = to_ns / s->step_ns - from_ns / s->step_ns + 1;
	s->n = width - STRIP_LEFT;
	s->n = s->n > WATCH_WIDTH ? WATCH_WIDTH : s->n < 1 ? 1 : s->n;
	if (n < (uint64_t)s->n)
		s->n = n;
	s->from_ns = (to_ns / s->step_ns - s->n + 1) * s->step_ns;
	return true;
}

static const char *const quantiles[] = { "p99_ns", "p95_ns", "p50_ns", "p5_ns" };
#define QUANTILES 4

static void compose_strips(const struct strip *s, struct json_object *steps,
			   bool ascii, struct watch_page *p)
{
	double v[QUANTILES][WATCH_WIDTH], low = INFINITY, high = 0, last;
	char text[WATCH_WIDTH * 4], now[24];
	size_t q, i;
	int at;

	for (q = 0; q < QUANTILES; q++)
		for (at = 0; at < s->n; at++)
			v[q][at] = NAN;
	for (i = 0; i < watch_length(steps); i++) {
		at = step_of(s, watch_at(steps, i));
		for (q = 0; at >= 0 && q < QUANTILES; q++) {
			v[q][at] = watch_num(watch_at(steps, i), quantiles[q]);
			low = fmin(low, v[q][at]);
			high = fmax(high, v[q][at]);
		}
	}
	high = fmax(high, low * 1.1);
	for (q = 0; q < QUANTILES; q++) {
		for (last = NAN, at = s->n; at-- && isnan(last);)
			last = v[q][at];
		watch_strip(v[q], s->n, low, high, ascii, text, sizeof(text));
		watch_add(p, WATCH_PLAIN, "  %.*s%*s %8s ms %s",
			  (int)strlen(quantiles[q]) - 3, quantiles[q],
			  q == QUANTILES - 1 ? 1 : 0, "", watch_ms(last, now),
			  text);
	}
}

static void compose_marks(const struct strip *s, struct json_object *doc,
			  struct watch_page *p)
{
	struct json_object *marks = watch_member(doc, "marks");
	char line[WATCH_WIDTH + 1], kind[WATCH_TEXT_B];
	bool any = false;
	size_t i;
	int at;

	memset(line, ' ', s->n);
	line[s->n] = '\0';
	for (i = 0; i < watch_length(marks); i++) {
		at = step_of(s, watch_at(marks, i));
		if (at < 0)
			continue;
		watch_word(watch_at(marks, i), "kind", kind, sizeof(kind));
		/* a path change hides what happened in the same step */
		if (line[at] != 'P')
			line[at] = !strcmp(kind, "path-change") ? 'P' :
				   !strcmp(kind, "budget") ? 'B' :
				   !strcmp(kind, "commit") ? 'C' : '*';
		any = true;
	}
	if (any)
		watch_add(p, WATCH_WARN, "  %-*s%s", STRIP_LEFT - 2, "P path "
			  "B budget", line);
}

static void compose_history(const struct watch_model *m,
			    const struct watch_view *v, struct watch_page *p)
{
	struct json_object *rows = watch_member(m->history, "rows");
	struct strip s;
	char from[40];
	double step_s;

	if (!watch_length(rows) || !strip_of(m->history, v->width, &s)) {
		watch_add(p, WATCH_TITLE, "  history");
		watch_add(p, WATCH_FAINT, "  %s", m->history ? "none yet" :
			  m->no_history[0] ? m->no_history : "asked for");
		return;
	}
	sl_time_str(s.from_ns, from, sizeof(from));
	step_s = s.step_ns / 1e9;
	watch_add(p, WATCH_TITLE, "  history from %.8sZ until now, %.0f %s a "
		  "column", from + 11, step_s < 60 ? step_s : step_s / 60,
		  step_s < 60 ? "s" : "min");
	compose_strips(&s, watch_member(watch_at(rows, 0), "steps"), v->ascii,
		       p);
	compose_marks(&s, m->history, p);
}

void watch_compose_lane(const struct watch_model *m,
			const struct watch_view *v, struct watch_page *p)
{
	struct json_object *lane = find_lane(m, v->lane);

	if (!lane)
		watch_add(p, WATCH_WARN, "lane %s: the agent does not name it "
			  "any more", v->lane);
	compose_about(lane, v->lane, p);
	compose_budgets(lane, p);
	watch_add(p, WATCH_PLAIN, " ");
	compose_paths(m, v->lane, lane, v->ascii, p);
	watch_add(p, WATCH_PLAIN, " ");
	compose_history(m, v, p);
	watch_add(p, WATCH_PLAIN, " ");
	compose_latency(m, v->ascii, p);
	watch_add(p, WATCH_PLAIN, " ");
	compose_prefixes(m, v->ascii, p);
	watch_add(p, WATCH_PLAIN, " ");
	watch_compose_events(m, v, EVENTS_SHOWN, p);
}
