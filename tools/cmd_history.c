// SPDX-License-Identifier: GPL-2.0
/* history: a lane over time, as a heat strip or as rows. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "cli.h"
#include "duration.h"
#include "strip.h"

struct asked {
	const char *lane, *since, *until, *step, *by, *half, *path, *method;
};

static const struct column columns[] = {
	{ "time", "time", COL_TEXT }, { "path", "path", COL_TEXT },
	{ "method", "method", COL_TEXT }, { "half", "half", COL_TEXT },
	{ "prefix", "prefix", COL_TEXT }, { "samples", "samples", COL_INT },
	{ "min_ns", "min ms", COL_MS }, { "p5_ns", "p5 ms", COL_MS },
	{ "p50_ns", "p50 ms", COL_MS }, { "p90_ns", "p90 ms", COL_MS },
	{ "p95_ns", "p95 ms", COL_MS }, { "p99_ns", "p99 ms", COL_MS },
	{ "max_ns", "max ms", COL_MS }, {}
};

static const struct column mark_columns[] = {
	{ "time", "time", COL_TEXT }, { "kind", "what happened", COL_TEXT },
	{ "message", "", COL_TEXT }, {}
};

static int ask(const struct cli *cli, const struct asked *q, bool heat,
	       struct json_object **doc)
{
	char path[2000] = "history";

	cli_query(path, sizeof(path), "lane", q->lane);
	cli_query(path, sizeof(path), "since", q->since);
	cli_query(path, sizeof(path), "until", q->until);
	cli_query(path, sizeof(path), "step", q->step);
	cli_query(path, sizeof(path), "by", q->by);
	cli_query(path, sizeof(path), "half", q->half);
	cli_query(path, sizeof(path), "path", q->path);
	cli_query(path, sizeof(path), "method", q->method);
	cli_query(path, sizeof(path), "heat", heat ? "1" : NULL);
	return cli_call(cli, path, NULL, false, doc);
}

static struct json_object *list_of(struct json_object *doc, const char *key)
{
	struct json_object *list = NULL;

	json_object_object_get_ex(doc, key, &list);
	return list;
}

/* The steps of all rows, each with where it is from. */
static void show_rows(struct json_object *doc)
{
	static const char *const keys[] = { "path", "method", "half", "prefix" };
	struct json_object *flat = json_object_new_array(), *rows, *steps;
	size_t i, k, n;

	rows = list_of(doc, "rows");
	for (i = 0; i < json_object_array_length(rows); i++) {
		struct json_object *row = json_object_array_get_idx(rows, i);

		steps = list_of(row, "steps");
		for (k = 0; k < json_object_array_length(steps); k++) {
			struct json_object *step =
				json_object_array_get_idx(steps, k);

			for (n = 0; n < 4; n++)
				json_object_object_add(step, keys[n],
					json_object_get(
					json_object_object_get(row, keys[n])));
			json_object_array_add(flat, json_object_get(step));
		}
	}
	cli_table(columns, flat);
	json_object_put(flat);
	if (json_object_array_length(list_of(doc, "marks"))) {
		putchar('\n');
		cli_table(mark_columns, list_of(doc, "marks"));
	}
}

static void measure(struct strip *s, struct json_object *doc)
{
	double to_s = strip_time_s(cli_text(doc, "to"));

	s->from_s = strip_time_s(cli_text(doc, "from"));
	s->step_s = json_object_get_double(list_of(doc, "step_s"));
	s->n_steps = s->step_s > 0 ?
		     lround((to_s - s->from_s) / s->step_s) : 0;
}

static void show_strips(const struct strip *s, struct json_object *doc)
{
	struct json_object *rows = list_of(doc, "rows"), *row;
	size_t i;

	for (i = 0; i < json_object_array_length(rows); i++) {
		row = json_object_array_get_idx(rows, i);
		printf("%s%s  path %s  method %s  half %s  prefix %s\n",
		       i ? "\n" : "", cli_text(row, "lane"),
		       cli_text(row, "path"), cli_text(row, "method"),
		       cli_text(row, "half"), cli_text(row, "prefix"));
		strip_show(stdout, s, row, list_of(doc, "marks"));
	}
	if (s->n_steps > strip_room(s))
		fprintf(stderr, "sealane: only the first %u of %u steps have "
			"room\n", strip_room(s), s->n_steps);
}

static void say_window(struct json_object *doc, const struct asked *q)
{
	double step_s = json_object_get_double(list_of(doc, "step_s"));
	uint64_t wanted_ns;

	printf("from %s to %s in steps of %g s\n", cli_text(doc, "from"),
	       cli_text(doc, "to"), step_s);
	if (q->step && !sl_duration_parse(q->step, &wanted_ns) &&
	    wanted_ns != step_s * 1e9)
		fprintf(stderr, "sealane: steps of %g s and not of %s: history "
			"is kept in whole steps of 10 s, further back of 1 min "
			"and 15 min\n", step_s, q->step);
}

/* On a terminal: steps as long as there is room for, where none are asked. */
static int ask_to_fit(const struct cli *cli, struct asked *q, struct strip *s,
		      struct json_object **doc)
{
	char step[32];
	double span_s;
	int rc;

	strip_look(s);
	rc = ask(cli, q, true, doc);
	if (rc)
		return rc;
	measure(s, *doc);
	if (q->step || s->n_steps <= strip_room(s))
		return DONE;
	span_s = s->n_steps * s->step_s;
	snprintf(step, sizeof(step), "%.0fs", ceil(span_s /
		 (strip_room(s) - 1)));
	json_object_put(*doc);
	q->step = step;
	rc = ask(cli, q, true, doc);
	q->step = NULL;
	if (!rc)
		measure(s, *doc);
	return rc;
}

int cmd_history(struct cli *cli, int argc, char **argv)
{
	struct asked q = {};
	bool heat = false;
	const struct option_spec spec[] = {
		{ "--since", &q.since, NULL }, { "--until", &q.until, NULL },
		{ "--step", &q.step, NULL }, { "--by", &q.by, NULL },
		{ "--half", &q.half, NULL }, { "--path", &q.path, NULL },
		{ "--method", &q.method, NULL },
		{ "--heat", NULL, &heat }, {} };
	bool terminal = isatty(STDOUT_FILENO) && !cli->json;
	struct json_object *doc;
	struct strip s = {};
	int rc = cli_options(cli, spec, &argc, argv);

	if (rc)
		return rc;
	if (argc != 1)
		return cli_usage(cli, "history takes one lane");
	q.lane = argv[0];
	rc = terminal ? ask_to_fit(cli, &q, &s, &doc) :
			ask(cli, &q, heat, &doc);
	if (rc)
		return rc;
	if (!cli_json(cli, doc)) {
		say_window(doc, &q);
		if (!json_object_array_length(list_of(doc, "rows")))
			printf("no round trip of %s was measured then\n",
			       q.lane);
		else if (terminal)
			show_strips(&s, doc);
		else
			show_rows(doc);
	}
	json_object_put(doc);
	return DONE;
}
