// SPDX-License-Identifier: GPL-2.0
/* rule: the verbs that ask the agent. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cmd_rule.h"
#include "duration.h"
#include "rule_input.h"

static const struct column rule_columns[] = {
	{ "id", "rule", COL_TEXT }, { "action_text", "action", COL_TEXT },
	{ "match_text", "match", COL_TEXT }, { "tag", "tag", COL_TEXT },
	{ "until", "until", COL_TEXT }, { "packets", "packets", COL_INT },
	{ "bytes", "bytes", COL_INT }, { "last_hit", "last hit", COL_TEXT },
	{}
};
static const struct column log_columns[] = {
	{ "generation", "generation", COL_INT }, { "at", "at", COL_TEXT },
	{ "who", "by", COL_TEXT }, { "what", "what", COL_TEXT },
	{ "outcome", "outcome", COL_TEXT }, { "change", "change", COL_TEXT },
	{ "why", "why", COL_TEXT }, {}
};

/* "+2 -1 ~3 rules": what a part of a difference says, behind what buf has. */
static void count_part(struct json_object *diff, const char *key, char *buf,
		       size_t len)
{
	static const char *const name[] = { "added", "removed", "changed",
					    "moved" };
	static const char sign[] = "+-~>";
	struct json_object *part, *list;
	size_t at = strlen(buf), before = at;
	unsigned int i, n;

	if (!json_object_object_get_ex(diff, key, &part))
		return;
	for (i = 0; i < 4; i++) {
		n = json_object_object_get_ex(part, name[i], &list) ?
		    json_object_array_length(list) : 0;
		if (n && at < len)
			at += snprintf(buf + at, len - at, "%s%c%u",
				       at ? " " : "", sign[i], n);
	}
	if (at > before && at < len)
		snprintf(buf + at, len - at, " %s", key);
}

void rule_diff_text(struct json_object *doc, char *buf, size_t len)
{
	struct json_object *diff;

	buf[0] = '\0';
	if (!json_object_object_get_ex(doc, "diff", &diff))
		return;
	count_part(diff, "rules", buf, len);
	count_part(diff, "blocks", buf, len);
	count_part(diff, "lists", buf, len);
}

static void show_pending(struct json_object *doc)
{
	struct json_object *p;

	if (!json_object_object_get_ex(doc, "pending", &p) || !p)
		return;
	if (!cli_int(p, "left_ns"))	/* on a full disk for long */
		printf("generation %s was NOT CONFIRMED until %s and is "
		       "undone; the log has not got it yet\n",
		       cli_text(p, "generation"), cli_text(p, "until"));
	else
		printf("generation %s WAITS TO BE CONFIRMED until %s (%lld s "
		       "left); else it is undone\n", cli_text(p, "generation"),
		       cli_text(p, "until"),
		       (long long)cli_int(p, "left_ns") / 1000000000);
}

int rule_apply(struct cli *cli, int argc, char **argv)
{
	const char *confirm = NULL, *why = NULL, *base = NULL;
	struct sl_rule_context ctx = { .now_ns = sl_now_ns() };
	const struct option_spec spec[] = { { "--confirm", &confirm, NULL },
		{ "--why", &why, NULL }, { "--base", &base, NULL },
		{ "--force", NULL, &ctx.force }, {} };
	char path[CLI_PATH_B] = "rule_apply", *text = NULL, change[160];
	struct json_object *doc;
	size_t len_b;
	int rc = cli_options(cli, spec, &argc, argv);

	if (rc)
		return rc;
	if (argc != 1)
		return cli_usage(cli, "rule apply takes one rule file");
	/* what the file says of itself needs no agent */
	rc = rule_input_text(cli, argv[0], &ctx, &text, &len_b);
	if (rc)
		return rc;
	cli_query(path, sizeof(path), "file", argv[0]);
	cli_query(path, sizeof(path), "confirm", confirm);
	cli_query(path, sizeof(path), "why", why);
	cli_query(path, sizeof(path), "base", base);
	cli_query(path, sizeof(path), "force", ctx.force ? "1" : NULL);
	rc = cli_send(cli, path, text, len_b, false, &doc);
	free(text);
	if (rc)
		return rc;
	if (!cli_json(cli, doc)) {
		rule_diff_text(doc, change, sizeof(change));
		printf("generation %s: %s rule%s in force (%s)\n",
		       cli_text(doc, "generation"), cli_text(doc, "rules"),
		       cli_int(doc, "rules") == 1 ? " is" : "s are",
		       change[0] ? change : "no change");
		cli_live(doc);
		if (cli_text(doc, "confirm_until")[0])
			printf("undone at %s unless confirmed: sealane rule "
			       "confirm\n", cli_text(doc, "confirm_until"));
	}
	json_object_put(doc);
	return DONE;
}

/* A body with the reason, and a generation where one is named. */
static int post(struct cli *cli, const char *path, const char *why,
		const char *generation, struct json_object **doc)
{
	struct json_object *body = json_object_new_object();
	char *end = "";
	int64_t n = generation ? strtoll(generation, &end, 10) : 0;
	int rc;

	if (*end || (generation && !generation[0])) {
		json_object_put(body);
		return cli_usage(cli, "%s is no generation", generation);
	}
	if (why)
		json_object_object_add(body, "why",
				       json_object_new_string(why));
	if (generation)
		json_object_object_add(body, "generation",
				       json_object_new_int64(n));
	rc = cli_call(cli, path, body, false, doc);
	json_object_put(body);
	return rc;
}

int rule_confirm(struct cli *cli, int argc, char **argv)
{
	const char *why = NULL;
	const struct option_spec spec[] = { { "--why", &why, NULL }, {} };
	struct json_object *doc;
	int rc = cli_options(cli, spec, &argc, argv);

	if (rc)
		return rc;
	if (argc)
		return cli_usage(cli, "rule confirm takes no %s", argv[0]);
	rc = post(cli, "rule_confirm", why, NULL, &doc);
	if (rc)
		return rc;
	if (!cli_json(cli, doc))
		printf("generation %s is confirmed\n",
		       cli_text(doc, "confirmed"));
	json_object_put(doc);
	return DONE;
}

int rule_rollback(struct cli *cli, int argc, char **argv)
{
	const char *why = NULL;
	const struct option_spec spec[] = { { "--why", &why, NULL }, {} };
	struct json_object *doc;
	char change[160];
	int rc = cli_options(cli, spec, &argc, argv);

	if (rc)
		return rc;
	if (argc > 1)
		return cli_usage(cli, "rule rollback takes one generation");
	rc = post(cli, "rule_rollback", why, argc ? argv[0] : NULL, &doc);
	if (rc)
		return rc;
	if (!cli_json(cli, doc) && argc) {
		rule_diff_text(doc, change, sizeof(change));
		printf("generation %s: all is as in generation %s (%s)\n",
		       cli_text(doc, "generation"), argv[0],
		       change[0] ? change : "no change");
	} else if (!cli->json) {
		printf("generation %s: generation %s is undone\n",
		       cli_text(doc, "generation"), cli_text(doc, "undone"));
	}
	json_object_put(doc);
	return DONE;
}

int rule_ls(struct cli *cli, int argc, char **argv)
{
	struct json_object *doc, *rules;
	int rc = cli_options(cli, NULL, &argc, argv);

	if (rc)
		return rc;
	if (argc)
		return cli_usage(cli, "rule ls takes no %s", argv[0]);
	rc = cli_call(cli, "rules", NULL, false, &doc);
	if (rc)
		return rc;
	if (!cli_json(cli, doc)) {
		show_pending(doc);
		if (json_object_object_get_ex(doc, "rules", &rules))
			cli_table(rule_columns, rules);
		if (json_object_object_get_ex(doc, "guards", &rules) &&
		    json_object_array_length(rules)) {
			puts("\nguards, before all others:");
			cli_table(rule_columns, rules);
		}
	}
	json_object_put(doc);
	return DONE;
}

int rule_log(struct cli *cli, int argc, char **argv)
{
	const char *limit = NULL;
	const struct option_spec spec[] = { { "--limit", &limit, NULL }, {} };
	struct json_object *doc, *list, *g;
	char path[80] = "generations", change[160];
	size_t i;
	int rc = cli_options(cli, spec, &argc, argv);

	if (rc)
		return rc;
	if (argc)
		return cli_usage(cli, "rule log takes no %s", argv[0]);
	cli_query(path, sizeof(path), "limit", limit);
	rc = cli_call(cli, path, NULL, false, &doc);
	if (rc)
		return rc;
	if (!cli_json(cli, doc) &&
	    json_object_object_get_ex(doc, "generations", &list)) {
		show_pending(doc);
		for (i = 0; i < json_object_array_length(list); i++) {
			g = json_object_array_get_idx(list, i);
			rule_diff_text(g, change, sizeof(change));
			json_object_object_add(g, "change",
				json_object_new_string(change));
		}
		cli_table(log_columns, list);
	}
	json_object_put(doc);
	return DONE;
}
