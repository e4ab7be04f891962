// SPDX-License-Identifier: GPL-2.0
/* flowspec: exabgp, gobgp, ls, purge. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "config.h"
#include "duration.h"
#include "flowspec_feed.h"

#define DEFAULT_LIMIT	1000
#define MAX_LIMIT	8192		/* what the agent keeps of all */

struct words {
	const char *limit, *grace, *source;
	bool adj_in;
};

static const struct column neighbour_columns[] = {
	{ "neighbour", "neighbour", COL_TEXT },
	{ "source", "source", COL_TEXT }, { "state", "state", COL_TEXT },
	{ "routes", "routes", COL_INT }, { "enforced", "enforced", COL_INT },
	{ "refused", "refused", COL_INT },
	{ "over_limit", "over limit", COL_INT },
	{ "until", "until", COL_TEXT }, { "changed", "changed", COL_TEXT }, {}
};

static const struct column rule_columns[] = {
	{ "neighbour", "neighbour", COL_TEXT }, { "rule", "rule", COL_TEXT },
	{ "packets", "packets", COL_INT },
	{ "action", "action", COL_TEXT }, { "match", "match", COL_TEXT },
	{ "reason", "refused because", COL_TEXT }, {}
};

static int ls(struct cli *cli)
{
	struct json_object *doc, *list;
	int rc = cli_call(cli, "flowspec", NULL, false, &doc);

	if (rc)
		return rc;
	if (!cli_json(cli, doc)) {
		json_object_object_get_ex(doc, "neighbours", &list);
		cli_table(neighbour_columns, list);
		json_object_object_get_ex(doc, "rules", &list);
		if (json_object_array_length(list)) {
			putchar('\n');
			cli_table(rule_columns, list);
		}
		if (cli_text(doc, "failed")[0])
			fprintf(stderr, "the last change is not enforced: %s\n",
				cli_text(doc, "failed"));
	}
	json_object_put(doc);
	return DONE;
}

static int purge(struct cli *cli, const char *name)
{
	struct json_object *body = json_object_new_object(), *doc;
	int rc;

	json_object_object_add(body, "neighbour", json_object_new_string(name));
	rc = cli_call(cli, "flowspec_purge", body, false, &doc);
	json_object_put(body);
	if (rc)
		return rc;
	if (!cli_json(cli, doc))
		printf("%s: %s routes purged%s\n", name,
		       cli_text(doc, "purged"),
		       strcmp(cli_text(doc, "held"), "true") ? "" :
		       "; its session is up: what it announces is refused "
		       "until the session comes up anew");
	json_object_put(doc);
	return DONE;
}

static int feed(struct cli *cli, const char *speaker, const struct words *w)
{
	bool gobgp = !strcmp(speaker, "gobgp");
	struct feed_options o = {
		.source = w->source ? w->source : speaker, .grace = w->grace,
		.limit = DEFAULT_LIMIT, .no_sessions = gobgp,
		.one_path = gobgp && !w->adj_in,
		.read = gobgp ? sl_bgp_gobgp_line : sl_bgp_exabgp_line };
	uint64_t ns;
	char *end;

	if (w->limit) {
		o.limit = strtoul(w->limit, &end, 10);
		if (w->limit[0] < '0' || w->limit[0] > '9' || *end ||
		    !o.limit || o.limit > MAX_LIMIT)
			return cli_usage(cli, "--neighbor-limit wants 1 to %d,"
					 " not %s", MAX_LIMIT, w->limit);
	}
	if (w->grace && (sl_duration_parse(w->grace, &ns) ||
			 ns > 7 * 86400 * 1000000000ULL))
		return cli_usage(cli, "--grace wants 90s, 5m, 2h, at most 7d, "
				 "not %s", w->grace);
	if (!o.source[0] || strlen(o.source) >= SL_NAME_B ||
	    o.source[strspn(o.source, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLM"
			    "NOPQRSTUVWXYZ0123456789._-")])
		return cli_usage(cli, "--source wants 1 to %d letters, digits, "
				 "dots, dashes, not %s", SL_NAME_B - 1,
				 o.source);
	if (w->adj_in && !gobgp)
		return cli_usage(cli, "--adj-in is for gobgp");
	return flowspec_feed(cli, &o);
}

int cmd_flowspec(struct cli *cli, int argc, char **argv)
{
	struct words w = {};
	const struct option_spec spec[] = {
		{ "--neighbor-limit", &w.limit, NULL },
		{ "--grace", &w.grace, NULL }, { "--source", &w.source, NULL },
		{ "--adj-in", NULL, &w.adj_in }, {} };
	int rc = cli_options(cli, spec, &argc, argv);

	if (rc)
		return rc;
	if (argc == 1 && !strcmp(argv[0], "ls"))
		return ls(cli);
	if (argc == 2 && !strcmp(argv[0], "purge"))
		return purge(cli, argv[1]);
	if (argc == 1 && (!strcmp(argv[0], "exabgp") ||
			  !strcmp(argv[0], "gobgp")))
		return feed(cli, argv[0], &w);
	if (argc && !strcmp(argv[0], "purge"))
		return cli_usage(cli, "flowspec purge takes one neighbour");
	return cli_usage(cli, "flowspec wants exabgp, gobgp, ls or purge%s%s",
			 argc ? ", not " : "", argc ? argv[argc - 1] : "");
}
