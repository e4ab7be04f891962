// SPDX-License-Identifier: GPL-2.0
/* latency, explain: questions to the agent. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cli.h"

static const struct column latency_columns[] = {
	{ "lane", "lane", COL_TEXT }, { "path", "path", COL_TEXT },
	{ "method", "method", COL_TEXT }, { "half", "half", COL_TEXT },
	{ "samples", "samples", COL_INT }, { "min_ns", "min ms", COL_MS },
	{ "p50_ns", "p50 ms", COL_MS }, { "p90_ns", "p90 ms", COL_MS },
	{ "p99_ns", "p99 ms", COL_MS }, { "max_ns", "max ms", COL_MS },
	{ "floor_ns", "floor ms", COL_MS }, { "stretch", "stretch", COL_TEXT },
	{ "far_net_ns", "net ms", COL_MS },
	{ "retrans_ppm", "retrans ppm", COL_INT },
	{ "packets", "packets", COL_INT }, {}
};

static const struct column prefix_columns[] = {
	{ "lane", "lane", COL_TEXT }, { "path", "path", COL_TEXT },
	{ "prefix", "prefix", COL_TEXT }, { "samples", "samples", COL_INT },
	{ "min_ns", "min ms", COL_MS }, { "p50_ns", "p50 ms", COL_MS },
	{ "p90_ns", "p90 ms", COL_MS }, { "p99_ns", "p99 ms", COL_MS },
	{ "max_ns", "max ms", COL_MS }, { "stretch", "stretch", COL_TEXT }, {}
};

int cmd_latency(struct cli *cli, int argc, char **argv)
{
	const char *by = NULL, *half = NULL, *since = NULL, *until = NULL;
	const struct option_spec spec[] = {
		{ "--by", &by, NULL }, { "--half", &half, NULL },
		{ "--since", &since, NULL }, { "--until", &until, NULL }, {} };
	struct json_object *doc, *rows;
	char path[2000] = "latency";
	int i, rc = cli_options(cli, spec, &argc, argv);

	if (rc)
		return rc;
	for (i = 0; i < argc; i++)
		cli_query(path, sizeof(path), "lane", argv[i]);
	cli_query(path, sizeof(path), "by", by);
	cli_query(path, sizeof(path), "half", half);
	cli_query(path, sizeof(path), "since", since);
	cli_query(path, sizeof(path), "until", until);
	rc = cli_call(cli, path, NULL, false, &doc);
	if (rc)
		return rc;
	if (!cli_json(cli, doc)) {
		json_object_object_get_ex(doc, "rows", &rows);
		printf("from %s to %s\n", cli_text(doc, "from"),
		       cli_text(doc, "to"));
		cli_table(by && strstr(by, "prefix") ? prefix_columns :
			  latency_columns, rows);
	}
	json_object_put(doc);
	return DONE;
}

static const struct column block_columns[] = {
	{ "id", "id", COL_INT }, { "prefix", "prefix", COL_TEXT },
	{ "action", "action", COL_TEXT }, { "until", "until", COL_TEXT },
	{ "by", "by", COL_TEXT }, { "packets", "packets", COL_INT },
	{ "last_hit", "last hit", COL_TEXT }, { "why", "why", COL_TEXT }, {}
};

static const struct column in_list_columns[] = {
	{ "name", "list", COL_TEXT }, { "prefix", "prefix", COL_TEXT },
	{ "generation", "generation", COL_INT }, { "why", "why", COL_TEXT }, {}
};

static const struct column recent_columns[] = {
	{ "time", "last sample", COL_TEXT }, { "method", "method", COL_TEXT },
	{ "half", "half", COL_TEXT }, { "rtt_ns", "rtt ms", COL_MS },
	{ "path", "path", COL_TEXT }, { "tunnel", "tunnel", COL_INT },
	{ "vlan", "vlan", COL_INT }, {}
};

static const struct column rule_columns[] = {
	{ "id", "rule", COL_TEXT }, { "as", "as", COL_TEXT },
	{ "action", "action", COL_TEXT }, { "tag", "tag", COL_TEXT },
	{ "packets", "packets", COL_INT }, { "match", "match", COL_TEXT }, {}
};

/* A table of the document's list, when there is anything in it. */
static void show_list(struct json_object *doc, const char *key,
		      const struct column *cols)
{
	struct json_object *list;

	if (json_object_object_get_ex(doc, key, &list) &&
	    json_object_array_length(list))
		cli_table(cols, list);
}

int cmd_explain(struct cli *cli, int argc, char **argv)
{
	struct json_object *doc;
	char path[600] = "explain";
	int rc = cli_options(cli, NULL, &argc, argv);

	if (rc)
		return rc;
	if (argc != 1)
		return cli_usage(cli, "explain takes one address");
	cli_query(path, sizeof(path), "addr", argv[0]);
	rc = cli_call(cli, path, NULL, false, &doc);
	if (rc)
		return rc;
	if (!cli_json(cli, doc)) {
		printf("address    %s\n", cli_text(doc, "addr"));
		printf("lane       %s", cli_text(doc, "lane"));
		if (cli_text(doc, "lane_prefix")[0])
			printf("  (by %s, %s: %s)",
			       cli_text(doc, "lane_prefix"),
			       cli_text(doc, "lane_layer"),
			       cli_text(doc, "lane_source"));
		printf("\nprotected  %s\nverdict    %s\n",
		       cli_int(doc, "protected") ? "yes" : "no",
		       cli_text(doc, "verdict"));
		show_list(doc, "rules", rule_columns);
		show_list(doc, "blocks", block_columns);
		show_list(doc, "lists", in_list_columns);
		show_list(doc, "recent", recent_columns);
		show_list(doc, "latency", latency_columns);
	}
	json_object_put(doc);
	return DONE;
}

int cmd_block(struct cli *cli, int argc, char **argv)
{
	const char *duration = NULL, *why = NULL;
	bool count_only = false, force = false;
	const struct option_spec spec[] = {
		{ "--for", &duration, NULL }, { "--why", &why, NULL },
		{ "--count-only", NULL, &count_only },
		{ "--force", NULL, &force }, {} };
	struct json_object *body, *list, *doc;
	int i, rc = cli_options(cli, spec, &argc, argv);

	if (rc)
		return rc;
	if (!argc)
		return cli_usage(cli, "block wants an address or prefix");
	body = json_object_new_object();
	list = json_object_new_array();
	for (i = 0; i < argc; i++)
		json_object_array_add(list, json_object_new_string(argv[i]));
	json_object_object_add(body, "prefixes", list);
	json_object_object_add(body, "count_only",
			       json_object_new_boolean(count_only));
	json_object_object_add(body, "force", json_object_new_boolean(force));
	if (why)
		json_object_object_add(body, "why",
				       json_object_new_string(why));
	if (duration)
		json_object_object_add(body, "for",
				       json_object_new_string(duration));
	rc = cli_call(cli, "block", body, false, &doc);
	json_object_put(body);
	if (rc)
		return rc;
	if (!cli_json(cli, doc)) {
		printf("generation %s\n", cli_text(doc, "generation"));
		json_object_object_get_ex(doc, "blocks", &list);
		cli_table(block_columns, list);
		cli_live(doc);
	}
	json_object_put(doc);
	return DONE;
}

int cmd_unblock(struct cli *cli, int argc, char **argv)
{
	const char *why = NULL;
	const struct option_spec spec[] = { { "--why", &why, NULL }, {} };
	struct json_object *body, *list, *doc;
	int i, rc = cli_options(cli, spec, &argc, argv);

	if (rc)
		return rc;
	if (!argc)
		return cli_usage(cli, "unblock wants an address or prefix");
	body = json_object_new_object();
	list = json_object_new_array();
	for (i = 0; i < argc; i++)
		json_object_array_add(list, json_object_new_string(argv[i]));
	json_object_object_add(body, "prefixes", list);
	if (why)
		json_object_object_add(body, "why",
				       json_object_new_string(why));
	rc = cli_call(cli, "unblock", body, false, &doc);
	json_object_put(body);
	if (rc)
		return rc;
	if (!cli_json(cli, doc))
		printf("generation %s, %s unblocked\n",
		       cli_text(doc, "generation"), cli_text(doc, "removed"));
	json_object_put(doc);
	return DONE;
}
