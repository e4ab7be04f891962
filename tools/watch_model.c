// SPDX-License-Identifier: GPL-2.0
/* What the agent says of now. An answer is taken as a whole: what it does not
 * name any more is gone. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "duration.h"
#include "watch.h"

#define S_NS 1000000000ULL

const char *const watch_source_names[WATCH_SOURCES] = {
	"rule", "flowspec", "list", "block"
};

/* --- the agent --- */

static bool flag(struct json_object *o, const char *key)
{
	struct json_object *v = watch_member(o, key);

	return json_object_is_type(v, json_type_boolean) &&
	       json_object_get_boolean(v);
}

static void take_bypass(struct watch_model *m, struct json_object *doc)
{
	struct json_object *o = watch_member(doc, "bypassed");
	char since[40], by[WATCH_TEXT_B], why[256];

	m->bypass = flag(doc, "bypass");
	watch_word(o, "since", since, sizeof(since));
	watch_word(o, "by", by, sizeof(by));
	watch_word(o, "why", why, sizeof(why));
	snprintf(m->bypass_text, sizeof(m->bypass_text), "%s%s%s%s%s%s",
		 since[0] ? " since " : "", since, by[0] ? " by " : "", by,
		 why[0] ? ": " : "", why);
}

static void take_module(struct watch_model *m, struct json_object *doc)
{
	struct json_object *mod = watch_member(doc, "module");

	if (!mod)
		strcpy(m->module, "no module");
	else
		strcpy(m->module, flag(mod, "used") ? "module" :
		       "module not used");
	watch_word(watch_member(doc, "residence"), "source", m->source,
		   sizeof(m->source));
}

void watch_take_status(struct watch_model *m, struct json_object *doc)
{
	struct json_object *agent = watch_member(doc, "agent");
	struct json_object *ports = watch_member(doc, "interfaces");
	char started[40], state[WATCH_TEXT_B];
	size_t i;

	watch_word(agent, "started", started, sizeof(started));
	if (m->started[0] && strcmp(m->started, started))
		m->restarted_ns = m->now_ns;
	strcpy(m->started, started);
	watch_word(agent, "version", m->version, sizeof(m->version));
	m->pid = watch_num(agent, "pid");
	m->uptime_s = watch_num(agent, "uptime_s");
	m->generation = watch_num(doc, "generation");
	take_bypass(m, doc);
	take_module(m, doc);
	m->interfaces = watch_length(ports);
	m->attached = 0;
	for (i = 0; i < m->interfaces; i++) {
		watch_word(watch_at(ports, i), "state", state, sizeof(state));
		m->attached += !strcmp(state, "attached");
	}
}

/* --- lanes --- */

static int compare_names(const void *x, const void *y)
{
	const struct watch_row *a = x, *b = y;
	int d = strcmp(a->lane, b->lane);

	return d ? d : strcmp(a->path, b->path);
}

static struct watch_row *find_row(struct watch_model *m,
				  const struct watch_row *like)
{
	return m->n_rows ? bsearch(like, m->rows, m->n_rows, sizeof(*like),
				   compare_names) : NULL;
}

void watch_put_trend(struct watch_trend *t, int64_t number, double ns)
{
	int64_t i;

	if (number < 0 || number <= t->last - WATCH_CELLS || isnan(ns))
		return;
	if (number > t->last) {
		i = number - t->last > WATCH_CELLS ? number - WATCH_CELLS + 1 :
						     t->last + 1;
		for (; i <= number; i++)
			t->cell_ns[i % WATCH_CELLS] = NAN;
		t->last = number;
	}
	t->cell_ns[number % WATCH_CELLS] = ns;
}

/* How bad a state is; unknown words are worth a look too. */
static int rank_of(const char *state)
{
	static const char *const by_rank[] = { "steady", "learning", NULL,
					       "suspect", NULL, NULL,
					       "changed" };
	size_t i;

	for (i = 0; i < sizeof(by_rank) / sizeof(by_rank[0]); i++)
		if (by_rank[i] && !strcmp(state, by_rank[i]))
			return i;
	return 2;
}

static void worsen(struct watch_row *r, int rank, const char *word)
{
	size_t n = strlen(r->state);

	/* of a path that is as it was nothing need be said */
	if (!strcmp(r->state, "steady"))
		n = 0;
	snprintf(r->state + n, sizeof(r->state) - n, "%s%s", n ? ", " : "",
		 word);
	r->rank = r->rank > rank ? r->rank + 1 : rank;
}

static unsigned int broken_budgets(struct json_object *lane)
{
	struct json_object *list = watch_member(lane, "budgets");
	char state[WATCH_TEXT_B];
	unsigned int n = 0;
	size_t i;

	for (i = 0; i < watch_length(list); i++) {
		watch_word(watch_at(list, i), "state", state, sizeof(state));
		n += !strcmp(state, "broken");
	}
	return n;
}

static void take_path(struct watch_row *r, struct json_object *lane,
		      struct json_object *path)
{
	char geography[WATCH_TEXT_B];
	int c;

	memset(r, 0, sizeof(*r));
	for (c = 0; c < WATCH_COLUMNS; c++)
		r->num[c] = NAN;
	for (c = 0; c < WATCH_CELLS; c++)
		r->trend.cell_ns[c] = NAN;
	watch_word(lane, "lane", r->lane, sizeof(r->lane));
	watch_word(path, "path", r->path, sizeof(r->path));
	watch_word(path, "since", r->since, sizeof(r->since));
	watch_word(path, "state", r->state, sizeof(r->state));
	if (!r->state[0])
		strcpy(r->state, "unknown");
	for (c = WATCH_P50; c < WATCH_TREND; c++)
		r->num[c] = watch_num(c == WATCH_FLOOR ? lane : path,
				      watch_columns[c].key);
	r->min_ns = watch_num(path, "min_ns");
	r->p5_ns = watch_num(path, "p5_ns");
	r->baseline_ns = watch_num(path, "baseline_ns");
	r->hop_limit = watch_num(path, "hop_limit");
	r->samples = watch_num(path, "samples");
	/* of what saw nothing so far there is nothing to look at */
	r->rank = r->samples > 0 || strcmp(r->state, "learning") ?
		  rank_of(r->state) : 0;
	watch_word(lane, "geography", geography, sizeof(geography));
	if (!strcmp(geography, "broken"))
		worsen(r, 4, "geography");
	if (broken_budgets(lane))
		worsen(r, 5, "budget");
}

static void sum_up(struct watch_model *m, struct json_object *lane)
{
	double packets = watch_num(lane, "packets_per_s");
	double bits = watch_num(lane, "bits_per_s");

	m->packets_per_s += isnan(packets) ? 0 : packets;
	m->bits_per_s += isnan(bits) ? 0 : bits;
}

/* The paths of a lane behind `n` rows; a lane without any is a row too. */
static unsigned int take_lane(struct watch_model *m, unsigned int n,
			      struct json_object *lane)
{
	struct json_object *paths = watch_member(lane, "paths");
	size_t i, k = watch_length(paths);
	struct watch_row *grown;

	if (!watch_member(lane, "lane"))
		return n;
	grown = realloc(m->rows, (n + k + 1) * sizeof(*m->rows));
	if (!grown)
		return n;
	m->rows = grown;
	sum_up(m, lane);
	for (i = 0; i < k; i++)
		take_path(&m->rows[n++], lane, watch_at(paths, i));
	if (k)
		return n;
	take_path(&m->rows[n], lane, NULL);
	strcpy(m->rows[n].state, "no traffic");
	m->rows[n].rank = 0;
	if (broken_budgets(lane))
		worsen(&m->rows[n], 5, "budget");
	return n + 1;
}

/* What was there before knows the minutes before. */
static void keep_trends(struct watch_model *m, struct watch_model *before)
{
	int64_t number = m->now_ns / S_NS / WATCH_CELL_S;
	const struct watch_row *old;
	unsigned int i;

	for (i = 0; i < m->n_rows; i++) {
		struct watch_row *r = &m->rows[i];

		old = find_row(before, r);
		if (old)
			r->trend = old->trend;
		watch_put_trend(&r->trend, number, r->num[WATCH_P50]);
		m->n_changed += r->rank >= rank_of("changed");
	}
}

void watch_take_lanes(struct watch_model *m, struct json_object *doc)
{
	struct json_object *lanes = watch_member(doc, "lanes");
	struct watch_model before = { .rows = m->rows, .n_rows = m->n_rows };
	size_t i;

	m->rows = NULL;
	m->n_rows = m->n_broken = m->n_changed = 0;
	m->packets_per_s = m->bits_per_s = 0;
	m->n_lanes = watch_length(lanes);
	for (i = 0; i < m->n_lanes; i++) {
		m->n_rows = take_lane(m, m->n_rows, watch_at(lanes, i));
		m->n_broken += broken_budgets(watch_at(lanes, i));
	}
	if (m->n_rows)
		qsort(m->rows, m->n_rows, sizeof(*m->rows), compare_names);
	keep_trends(m, &before);
	free(before.rows);
	watch_word(watch_member(doc, "gateway"), "name", m->gateway,
		   sizeof(m->gateway));
	json_object_put(m->lanes);
	m->lanes = json_object_get(doc);
}

/* A step of history fills as many cells as it is long. */
static void take_steps(struct watch_trend *t, struct json_object *steps,
		       int64_t cells)
{
	char time[40];
	uint64_t at_ns;
	int64_t k;
	size_t i;

	for (i = 0; i < watch_length(steps); i++) {
		struct json_object *s = watch_at(steps, i);

		watch_word(s, "time", time, sizeof(time));
		if (sl_time_parse(time, 0, &at_ns))
			continue;
		for (k = 0; k < cells; k++)
			watch_put_trend(t, (int64_t)(at_ns / S_NS /
					WATCH_CELL_S) + k,
					watch_num(s, "p50_ns"));
	}
}

void watch_take_trends(struct watch_model *m, struct json_object *doc)
{
	struct json_object *rows = watch_member(doc, "rows");
	double step_s = watch_num(doc, "step_s");
	struct watch_row like, *r;
	size_t i;

	for (i = 0; i < watch_length(rows); i++) {
		struct json_object *o = watch_at(rows, i);

		watch_word(o, "lane", like.lane, sizeof(like.lane));
		watch_word(o, "path", like.path, sizeof(like.path));
		r = find_row(m, &like);
		if (r && step_s >= WATCH_CELL_S &&
		    step_s <= WATCH_CELLS * WATCH_CELL_S)
			take_steps(&r->trend, watch_member(o, "steps"),
				   step_s / WATCH_CELL_S);
	}
}

/* --- events --- */

static void push_event(struct watch_model *m, struct json_object *o)
{
	struct watch_event *e;

	if (!m->events)
		m->events = calloc(WATCH_EVENTS, sizeof(*m->events));
	if (!m->events)
		return;
	if (m->n_events == WATCH_EVENTS)
		memmove(m->events, m->events + 1, --m->n_events *
			sizeof(*m->events));
	e = &m->events[m->n_events++];
	e->n = json_object_get_int64(watch_member(o, "n"));
	watch_word(o, "time", e->time, sizeof(e->time));
	watch_word(o, "severity", e->severity, sizeof(e->severity));
	watch_word(o, "kind", e->kind, sizeof(e->kind));
	watch_word(o, "message", e->message, sizeof(e->message));
	watch_word(watch_member(o, "detail"), "lane", e->lane,
		   sizeof(e->lane));
}

void watch_take_events(struct watch_model *m, struct json_object *doc)
{
	struct json_object *list = watch_member(doc, "events");
	int64_t last = json_object_get_int64(watch_member(doc, "last"));
	size_t i;

	if (last < m->last_event) {
		/* numbers that begin anew: the agent lost what it knew */
		m->n_events = 0;
		m->last_event = m->shown_event = 0;
		return;
	}
	for (i = 0; i < watch_length(list); i++)
		push_event(m, watch_at(list, i));
	m->last_event = last;
}

/* --- what is looked into --- */

void watch_look(struct watch_model *m, const char *lane)
{
	if (!strcmp(m->lane, lane))
		return;
	snprintf(m->lane, sizeof(m->lane), "%s", lane);
	json_object_put(m->latency);
	json_object_put(m->prefixes);
	json_object_put(m->history);
	m->latency = m->prefixes = m->history = NULL;
	m->no_prefixes[0] = m->no_history[0] = '\0';
}

void watch_model_free(struct watch_model *m)
{
	watch_look(m, "");
	json_object_put(m->lanes);
	free(m->rows);
	free(m->drops);
	free(m->events);
}
