// SPDX-License-Identifier: GPL-2.0
/* events: what happened, and whatever comes. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "cli.h"

#define WAIT "25"		/* seconds, of a request for news */
#define AGAIN_S 1		/* after an answer that did not wait, or none */

struct asked {
	const char *since, *kind, *limit;
	bool follow;
};

/* The kinds of rows that can be followed differ in name and looks. */
struct stream {
	const char *resource;		/* and the array's name in the answer */
	void (*show)(struct json_object *row);
};

static void show_event(struct json_object *e)
{
	printf("%s  %-7s  %-9s  %s\n", cli_text(e, "time"),
	       cli_text(e, "severity"), cli_text(e, "kind"),
	       cli_text(e, "message"));
}

static const struct stream events = { "events", show_event };

/* Rows as they come: a line each, text or JSON. */
static size_t print_rows(const struct cli *cli, const struct stream *s,
			 struct json_object *doc)
{
	struct json_object *rows, *row;
	size_t i, n;

	json_object_object_get_ex(doc, s->resource, &rows);
	n = json_object_array_length(rows);
	for (i = 0; i < n; i++) {
		row = json_object_array_get_idx(rows, i);
		if (!cli_json(cli, row))
			s->show(row);
	}
	fflush(stdout);
	return n;
}

static int ask(const struct cli *cli, const struct stream *s,
	       const struct asked *q, const int64_t *after,
	       struct json_object **doc)
{
	char path[600], number[24];

	snprintf(path, sizeof(path), "%s", s->resource);
	cli_query(path, sizeof(path), "kind", q->kind);
	cli_query(path, sizeof(path), "since", q->since);
	if (!after) {
		cli_query(path, sizeof(path), "limit", q->limit);
		return cli_call(cli, path, NULL, false, doc);
	}
	snprintf(number, sizeof(number), "%lld", (long long)*after);
	cli_query(path, sizeof(path), "after", number);
	cli_query(path, sizeof(path), "limit", "1000");
	cli_query(path, sizeof(path), "wait", WAIT);
	return cli_call(cli, path, NULL, true, doc);
}

/* What lies between two answers and is not kept any more. */
static void say_missed(const struct stream *s, struct json_object *doc,
		       int64_t after)
{
	int64_t missed = cli_int(doc, "oldest") - after - 1;

	if (missed > 0)
		fprintf(stderr, "sealane: %lld %s were missed\n",
			(long long)missed, s->resource);
}

/* Until interrupted; an agent that goes away may come back. */
static int follow(const struct cli *cli, const struct stream *s,
		  const struct asked *q, int64_t after)
{
	struct json_object *doc;
	bool away = false;
	size_t n;
	int rc;

	while (!ferror(stdout)) {
		rc = ask(cli, s, q, &after, &doc);
		if (rc == UNREACHABLE) {
			if (!away)
				fprintf(stderr, "sealane: the agent is away\n");
			away = true;
			sleep(AGAIN_S);
			continue;
		}
		if (rc)
			return rc;
		away = false;
		say_missed(s, doc, after);
		n = print_rows(cli, s, doc);
		/* numbers that begin anew: the agent lost what it knew */
		after = cli_int(doc, "last") < after ? 0 : cli_int(doc, "last");
		json_object_put(doc);
		if (!n)
			usleep(250000);
	}
	return REFUSED;
}

static int run(struct cli *cli, const struct stream *s, const struct asked *q)
{
	struct json_object *doc;
	int64_t last;
	int rc = ask(cli, s, q, NULL, &doc);

	if (rc)
		return rc;
	last = cli_int(doc, "last");
	if (q->follow || !cli_json(cli, doc))
		print_rows(cli, s, doc);
	json_object_put(doc);
	return q->follow ? follow(cli, s, q, last) : DONE;
}

int cmd_events(struct cli *cli, int argc, char **argv)
{
	struct asked q = {};
	const struct option_spec spec[] = {
		{ "--follow", NULL, &q.follow }, { "--since", &q.since, NULL },
		{ "--kind", &q.kind, NULL }, { "--limit", &q.limit, NULL }, {} };
	int rc = cli_options(cli, spec, &argc, argv);

	if (rc)
		return rc;
	if (argc)
		return cli_usage(cli, "unexpected word %s", argv[0]);
	return run(cli, &events, &q);
}
