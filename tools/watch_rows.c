// SPDX-License-Identifier: GPL-2.0
/* For who has no terminal: a round is rows of text, or one document. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "duration.h"
#include "watch_data.h"

#define WIDE		WATCH_WIDTH	/* all columns */
#define TREND_CELLS	24
#define DROPS_SHOWN	10
#define EVENTS_SHOWN	5	/* in the first round; then all new ones */

/* --- documents --- */

static void add(struct json_object *o, const char *key, struct json_object *v)
{
	json_object_object_add(o, key, v);
}

static void add_text(struct json_object *o, const char *key, const char *text)
{
	add(o, key, json_object_new_string(text));
}

static void add_or_null(struct json_object *o, const char *key,
			const char *text)
{
	add(o, key, text[0] ? json_object_new_string(text) : NULL);
}

static void add_num(struct json_object *o, const char *key, double n)
{
	if (isnan(n))
		add(o, key, NULL);
	else if (n == floor(n) && n < 9e15)
		add(o, key, json_object_new_int64(n));
	else
		add(o, key, json_object_new_double(n));
}

static struct json_object *row_doc(const struct watch_row *r)
{
	struct json_object *o = json_object_new_object();
	int c;

	add_text(o, "lane", r->lane);
	add_text(o, "path", r->path);
	add_text(o, "state", r->state);
	add_or_null(o, "since", r->since);
	add_num(o, "samples", r->samples);
	add_num(o, "min_ns", r->min_ns);
	add_num(o, "p5_ns", r->p5_ns);
	for (c = WATCH_P50; c < WATCH_TREND; c++)
		add_num(o, watch_columns[c].key, r->num[c]);
	add_num(o, "baseline_ns", r->baseline_ns);
	add_num(o, "hop_limit", r->hop_limit);
	return o;
}

static struct json_object *drop_doc(const struct watch_drop *d)
{
	struct json_object *o = json_object_new_object();

	add_text(o, "source", watch_source_names[d->source]);
	add_text(o, "name", d->name);
	add_text(o, "action", d->action);
	add_num(o, "packets", d->packets);
	add_num(o, "packets_per_s", d->packets_per_s);
	add_or_null(o, "last_hit", d->last_hit);
	add_text(o, "why", d->why);
	return o;
}

static struct json_object *event_doc(const struct watch_event *e)
{
	struct json_object *o = json_object_new_object();

	add(o, "n", json_object_new_int64(e->n));
	add_text(o, "time", e->time);
	add_text(o, "severity", e->severity);
	add_text(o, "kind", e->kind);
	add_or_null(o, "lane", e->lane);
	add_text(o, "message", e->message);
	return o;
}

static struct json_object *agent_doc(const struct watch_model *m)
{
	struct json_object *o = json_object_new_object();

	add(o, "reached", json_object_new_boolean(m->reached));
	add_or_null(o, "why", m->reached ? m->trouble : m->why);
	add_text(o, "version", m->version);
	add_text(o, "started", m->started);
	add_num(o, "uptime_s", m->uptime_s);
	add_num(o, "generation", m->generation);
	add(o, "bypass", json_object_new_boolean(m->bypass));
	add_text(o, "module", m->module);
	add_text(o, "half_self_source", m->source);
	add_num(o, "interfaces", m->interfaces);
	add_num(o, "attached", m->attached);
	return o;
}

/* The first event to show, of those in order. */
static unsigned int first_new(const struct watch_model *m)
{
	unsigned int i;

	if (!m->shown_event)
		return m->n_events > EVENTS_SHOWN ? m->n_events - EVENTS_SHOWN :
						    0;
	for (i = 0; i < m->n_events && m->events[i].n <= m->shown_event; i++)
		;
	return i;
}

struct json_object *watch_doc(struct watch_model *m)
{
	struct json_object *o = json_object_new_object();
	struct json_object *lanes = json_object_new_array();
	struct json_object *drops = json_object_new_array();
	struct json_object *events = json_object_new_array();
	char time[40];
	unsigned int i;

	add_text(o, "time", sl_time_str(m->now_ns, time, sizeof(time)));
	add_or_null(o, "gateway", m->gateway);
	add(o, "agent", agent_doc(m));
	/* of an agent that is away nothing is known now */
	for (i = 0; m->reached && i < m->n_rows; i++)
		json_object_array_add(lanes, row_doc(&m->rows[i]));
	for (i = 0; m->reached && i < m->n_drops; i++)
		json_object_array_add(drops, drop_doc(&m->drops[i]));
	for (i = first_new(m); i < m->n_events; i++)
		json_object_array_add(events, event_doc(&m->events[i]));
	m->shown_event = m->last_event;
	add(o, "lanes", lanes);
	add(o, "drops", drops);
	add(o, "events", events);
	return o;
}

/* --- text --- */

static void put_line(char *text)
{
	size_t n = strlen(text);

	while (n && text[n - 1] == ' ')
		n--;
	printf("%.*s\n", (int)n, text);
}

static void print_lanes(const struct watch_model *m, bool ascii)
{
	const struct watch_order order = { .column = WATCH_LANE };
	const struct watch_row **rows;
	char text[WATCH_LINE_B];
	struct watch_layout l;
	unsigned int i, n;
	int at, len;

	rows = watch_rows_by(m, &order, &n);
	watch_lay_out(m, WIDE, WATCH_LANE, &l);
	if (l.width[l.n - 1] > TREND_CELLS)
		l.width[l.n - 1] = TREND_CELLS;
	/* none is sorted by hand here */
	watch_titles(&l, &(struct watch_order){ .column = WATCH_COLUMNS },
		     ascii, text, sizeof(text));
	put_line(text);
	for (i = 0; rows && i < n; i++) {
		watch_row_text(&l, rows[i], m->now_ns, ascii, text,
			       sizeof(text), &at, &len);
		put_line(text);
	}
	free(rows);
}

static void print_drops(const struct watch_model *m)
{
	const struct watch_drop **drops;
	char rate[24], total[24];
	unsigned int i, n;

	drops = watch_drops_by(m, "", &n);
	for (i = 0; drops && i < n && i < DROPS_SHOWN; i++)
		printf("%s %s: %s, %s packets/s, %s packets%s%s\n",
		       watch_source_names[drops[i]->source], drops[i]->name,
		       drops[i]->action,
		       watch_rate(drops[i]->packets_per_s, rate),
		       watch_count(drops[i]->packets, total),
		       drops[i]->why[0] ? ": " : "", drops[i]->why);
	if (n > DROPS_SHOWN)
		printf("%u more that drop less\n", n - DROPS_SHOWN);
	free(drops);
}

void watch_print(struct watch_model *m, bool ascii)
{
	char text[3 * WATCH_LONG_B], time[40];
	unsigned int i;

	watch_identity(m, text, sizeof(text));
	printf("%s  %s\n", sl_time_str(m->now_ns, time, sizeof(time)), text);
	if (watch_alarms(m, text, sizeof(text)))
		put_line(text);
	if (m->reached) {
		watch_summary(m, text, sizeof(text));
		put_line(text);
		print_lanes(m, ascii);
		print_drops(m);
	}
	for (i = first_new(m); i < m->n_events; i++)
		printf("%s  %-7s  %-9s  %s\n", m->events[i].time,
		       m->events[i].severity, m->events[i].kind,
		       m->events[i].message);
	m->shown_event = m->last_event;
}

static void show(struct watch_feed *f)
{
	struct json_object *doc;

	f->m.now_ns = sl_now_ns();
	if (f->cli->json) {
		doc = watch_doc(&f->m);
		cli_json(f->cli, doc);
		json_object_put(doc);
	} else {
		watch_print(&f->m, watch_ascii());
	}
	fflush(stdout);
}

static void sleep_until(uint64_t mono_ns)
{
	const struct timespec until = { mono_ns / 1000000000,
					mono_ns % 1000000000 };

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL))
		;
}

int watch_rows(struct watch_feed *f, uint64_t every_ns, uint64_t rounds)
{
	uint64_t next_ns = sl_mono_ns(), i;
	int rc = DONE;

	for (i = 0; !rounds || i < rounds; i++) {
		if (i)
			sleep_until(next_ns);
		next_ns = sl_mono_ns() + every_ns;
		rc = watch_round(f);
		/* who never reached it, or is refused, is told at once, as by
		 * other commands */
		if (rc && !f->m.ever)
			return cli_error(f->cli, rc, "is sealaned running? see "
					 "sealane doctor", "%s", f->m.why);
		if (!f->m.ever)
			return cli_error(f->cli, REFUSED, "", "%s",
					 f->m.trouble);
		if (!f->cli->json && i)
			putchar('\n');
		show(f);
		if (ferror(stdout))
			return REFUSED;
	}
	return rc;
}
