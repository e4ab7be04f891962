// SPDX-License-Identifier: GPL-2.0
/* events: what happened, and whatever comes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "cli.h"
#include "plain.h"

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
	char *message = strdup(cli_text(e, "message"));

	printf("%s  %-7s  %-9s  %s\n", cli_text(e, "time"),
	       cli_text(e, "severity"), cli_text(e, "kind"),
	       message ? sl_plain(message) : "");
	free(message);
}

static const struct stream events = { "events", show_event };

static const char *proto_name(int64_t proto)
{
	static const struct {
		int64_t proto;
		const char *name;
	} known[] = { { 1, "icmp" }, { 6, "tcp" }, { 17, "udp" },
		      { 47, "gre" }, { 50, "esp" }, { 58, "icmp6" },
		      { 132, "sctp" } };
	static char number[24];
	size_t i;

	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (known[i].proto == proto)
			return known[i].name;
	snprintf(number, sizeof(number), "proto %lld", (long long)proto);
	return number;
}

/* An end of the flow: address and, where there is one, port. */
static const char *end_of(struct json_object *d, const char *addr,
			  const char *port, char *buf, size_t len)
{
	const char *a = cli_text(d, addr), *p = cli_text(d, port);

	snprintf(buf, len, p[0] ? strchr(a, ':') ? "[%s]:%s" : "%s:%s" : "%s",
		 a[0] ? a : "?", p);
	return buf;
}

/* " [syn ack]"; nothing without the field or with none set but `dull`. */
static void print_words(struct json_object *d, const char *key,
			const char *dull)
{
	struct json_object *list;
	const char *word;
	size_t i, n = 0;

	if (!json_object_object_get_ex(d, key, &list) || !list)
		return;
	for (i = 0; i < json_object_array_length(list); i++) {
		word = json_object_get_string(
			json_object_array_get_idx(list, i));
		if (strcmp(word, dull))
			printf("%s%s", n++ ? " " : " [", word);
	}
	printf("%s", n ? "]" : "");
}

static void show_why(struct json_object *d)
{
	static const char *const who[] = { "rule", "list", "block" };
	char tag[128];
	size_t i;

	snprintf(tag, sizeof(tag), "%s", cli_text(d, "tag"));
	for (i = 0; i < 3; i++)
		if (cli_text(d, who[i])[0])
			printf("  %s %s", who[i], cli_text(d, who[i]));
	if (!strcmp(cli_text(d, "reason"), "limit"))
		printf(" (limit)");
	if (tag[0])
		printf(" (%s)", sl_plain(tag));
}

static void show_drop(struct json_object *d)
{
	char src[80], dst[80];

	printf("%s", cli_text(d, "time"));
	show_why(d);
	printf("  %s  %s > %s  %s", cli_text(d, "interface"),
	       end_of(d, "src", "sport", src, sizeof(src)),
	       end_of(d, "dst", "dport", dst, sizeof(dst)),
	       proto_name(cli_int(d, "proto")));
	if (cli_text(d, "icmp_type")[0])
		printf(" %s/%s", cli_text(d, "icmp_type"),
		       cli_text(d, "icmp_code"));
	print_words(d, "tcp_flags", "");
	print_words(d, "fragment", "dont");
	printf("  %s B  lane %s\n", cli_text(d, "length_b")[0] ?
	       cli_text(d, "length_b") : cli_text(d, "frame_b"),
	       cli_text(d, "lane"));
}

static const struct stream drops = { "drops", show_drop };

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

/* Drops that were only counted since *before. */
static void say_unsampled(const struct cli *cli, struct json_object *doc,
			  int64_t *before)
{
	int64_t now = cli_int(doc, "unsampled");

	if (now > *before && !cli->json)
		fprintf(stderr, "sealane: %lld more were dropped and not "
			"shown\n", (long long)(now - *before));
	*before = now;
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
		  const struct asked *q, int64_t after, int64_t unsampled)
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
		say_unsampled(cli, doc, &unsampled);
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
	int64_t last, unsampled = 0;
	int rc = ask(cli, s, q, NULL, &doc);

	if (rc)
		return rc;
	last = cli_int(doc, "last");
	if (q->follow || !cli_json(cli, doc))
		print_rows(cli, s, doc);
	say_unsampled(cli, doc, &unsampled);
	json_object_put(doc);
	return q->follow ? follow(cli, s, q, last, unsampled) : DONE;
}

int cmd_events(struct cli *cli, int argc, char **argv)
{
	struct asked q = {};
	bool of_drops = false;
	const struct option_spec spec[] = {
		{ "--drops", NULL, &of_drops },
		{ "--follow", NULL, &q.follow }, { "--since", &q.since, NULL },
		{ "--kind", &q.kind, NULL }, { "--limit", &q.limit, NULL }, {} };
	int rc = cli_options(cli, spec, &argc, argv);

	if (rc)
		return rc;
	if (argc)
		return cli_usage(cli, "unexpected word %s", argv[0]);
	if (of_drops && q.kind)
		return cli_usage(cli, "--kind is of events, not of --drops");
	return run(cli, of_drops ? &drops : &events, &q);
}
