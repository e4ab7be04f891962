// SPDX-License-Identifier: GPL-2.0
/* rule plan: what a rule file would do to the live traffic. */
#include <stdio.h>
#include <stdlib.h>
#include "cmd_rule.h"
#include "rule_input.h"

static const struct column row_columns[] = {
	{ "effect", "effect", COL_TEXT }, { "rule", "rule", COL_TEXT },
	{ "lane", "lane", COL_TEXT }, { "pps_text", "packets/s", COL_TEXT },
	{ "bps_text", "bit/s", COL_TEXT }, { "share_text", "share", COL_TEXT },
	{ "sampled_packets", "sampled", COL_INT }, {}
};
static const struct column flow_columns[] = {
	{ "effect", "effect", COL_TEXT }, { "rule", "rule", COL_TEXT },
	{ "src", "source", COL_TEXT }, { "sport", "port", COL_INT },
	{ "dst", "destination", COL_TEXT }, { "dport", "port", COL_INT },
	{ "proto", "proto", COL_INT }, { "lane", "lane", COL_TEXT },
	{ "pps_text", "packets/s", COL_TEXT },
	{ "bps_text", "bit/s", COL_TEXT }, {}
};

static double number(struct json_object *o, const char *key)
{
	struct json_object *v;

	return json_object_object_get_ex(o, key, &v) ?
	       json_object_get_double(v) : 0;
}

/* 1234567 -> "1.23M". */
static void short_number(double v, char *buf, size_t len)
{
	static const char unit[] = "\0kMGT";
	int i = 0;

	while (v >= 1000 && i < 4) {
		v /= 1000;
		i++;
	}
	snprintf(buf, len, v < 10 && v > 0 ? "%.2f%.1s" : "%.0f%.1s", v,
		 &unit[i]);
}

/* "12.1k (11.8k..12.5k)"; "" where there is nothing. */
static void interval_text(struct json_object *o, const char *key, double unit,
			  char *buf, size_t len)
{
	struct json_object *i;
	char value[24], low[24], high[24];

	buf[0] = '\0';
	if (!json_object_object_get_ex(o, key, &i) || !i)
		return;
	short_number(number(i, "value") * unit, value, sizeof(value));
	short_number(number(i, "low") * unit, low, sizeof(low));
	short_number(number(i, "high") * unit, high, sizeof(high));
	snprintf(buf, len, "%s (%s..%s)", value, low, high);
}

static void add_texts(struct json_object *o)
{
	static const struct {
		const char *key, *text, *behind;
		double unit;
	} what[] = { { "pps", "pps_text", "", 1 }, { "bps", "bps_text", "", 1 },
		     { "share", "share_text", " %", 100 } };
	char text[100], whole[110];
	unsigned int i;

	for (i = 0; i < 3; i++) {
		interval_text(o, what[i].key, what[i].unit, text,
			      sizeof(text));
		snprintf(whole, sizeof(whole), "%s%s", text, what[i].behind);
		json_object_object_add(o, what[i].text,
				       json_object_new_string(whole));
	}
}

static void show_list(struct json_object *doc, const char *key,
		      const struct column *columns, const char *title,
		      const char *more)
{
	struct json_object *list;
	size_t i;

	if (!json_object_object_get_ex(doc, key, &list) ||
	    !json_object_array_length(list))
		return;
	for (i = 0; i < json_object_array_length(list); i++)
		add_texts(json_object_array_get_idx(list, i));
	printf("\n%s, with 95 %% intervals:\n", title);
	cli_table(columns, list);
	if (cli_int(doc, more))
		printf("... and %s more\n", cli_text(doc, more));
}

static void show_findings(struct json_object *doc)
{
	struct json_object *list, *f;
	size_t i;

	if (!json_object_object_get_ex(doc, "findings", &list))
		return;
	for (i = 0; i < json_object_array_length(list); i++) {
		f = json_object_array_get_idx(list, i);
		printf("rule %s: %s, by rule %s before it\n",
		       cli_text(f, "rule"), cli_text(f, "kind"),
		       cli_text(f, "other"));
	}
}

/* One line for all of the traffic. */
static void show_change(struct json_object *doc)
{
	static const char *const effect[] = { "dropped", "limited", "passed",
					      "counted" };
	static const char *const words[] = {
		"would be dropped that pass now",
		"would come under a limit, up to all of them dropped",
		"would pass that are dropped now",
		"would be counted by new rules" };
	struct json_object *all, *one;
	char pps[100], share[100];
	unsigned int i, shown = 0;

	if (!json_object_object_get_ex(doc, "change", &all) || !all)
		return;
	for (i = 0; i < 4; i++) {
		if (!json_object_object_get_ex(all, effect[i], &one) ||
		    !cli_int(one, "sampled_packets"))
			continue;
		interval_text(one, "pps", 1, pps, sizeof(pps));
		interval_text(one, "share", 100, share, sizeof(share));
		printf("%s packets/s, %s %% of all, %s\n", pps, share,
		       words[i]);
		shown++;
	}
	if (!shown)
		printf("nothing else would have happened to any of them\n");
}

static void show_sample(struct json_object *doc)
{
	struct json_object *s;

	if (!json_object_object_get_ex(doc, "sample", &s) || !s) {
		printf("no live sample yet: what it does to the traffic is "
		       "not known\n");
		return;
	}
	printf("live sample: %s packets of %s, %s to %s\n",
	       cli_text(s, "packets"), cli_text(s, "of_packets"),
	       cli_text(s, "from"), cli_text(s, "to"));
	show_change(doc);
}

static void show_apply(struct json_object *doc)
{
	struct json_object *a, *share;

	if (!json_object_object_get_ex(doc, "apply", &a))
		return;
	if (!json_object_object_get_ex(a, "dropped_share", &share) || !share)
		printf("too few packets were sampled for apply to judge it\n");
	else if (cli_int(a, "needs_force"))
		printf("apply would be REFUSED without --force: %.1f %% of "
		       "the packets, %.1f %% are allowed\n",
		       json_object_get_double(share) * 100,
		       number(a, "max_share") * 100);
}

static void show(struct json_object *doc)
{
	struct json_object *memory;
	char change[160];

	rule_diff_text(doc, change, sizeof(change));
	printf("%s: %s rule%s, now %s (%s)\n", cli_text(doc, "file"),
	       cli_text(doc, "rules"), cli_int(doc, "rules") == 1 ? "" : "s",
	       cli_text(doc, "rules_now"),
	       change[0] ? change : "no change");
	show_findings(doc);
	if (json_object_object_get_ex(doc, "memory", &memory))
		printf("memory: %s of %s rows, %lld kB\n",
		       cli_text(memory, "rows"), cli_text(memory, "rows_room"),
		       (long long)(cli_int(memory, "bytes") + 1023) / 1024);
	show_sample(doc);
	show_apply(doc);
	show_list(doc, "rows", row_columns, "by rule and lane", "rows_more");
	show_list(doc, "flows", flow_columns, "flows", "flows_more");
}

int rule_plan(struct cli *cli, int argc, char **argv)
{
	const char *since = NULL;
	bool force = false;
	const struct option_spec spec[] = { { "--since", &since, NULL },
		{ "--force", NULL, &force }, {} };
	const struct sl_rule_context ctx = { .force = true };
	char path[CLI_PATH_B] = "rule_plan", *text = NULL;
	struct json_object *doc;
	size_t len_b;
	int rc = cli_options(cli, spec, &argc, argv);

	if (rc)
		return rc;
	if (argc != 1)
		return cli_usage(cli, "rule plan takes one rule file");
	rc = rule_input_text(cli, argv[0], &ctx, &text, &len_b);
	if (rc)
		return rc;
	cli_query(path, sizeof(path), "file", argv[0]);
	cli_query(path, sizeof(path), "since", since);
	cli_query(path, sizeof(path), "force", force ? "1" : NULL);
	rc = cli_send(cli, path, text, len_b, false, &doc);
	free(text);
	if (rc)
		return rc;
	if (!cli_json(cli, doc))
		show(doc);
	json_object_put(doc);
	return DONE;
}
