// SPDX-License-Identifier: GPL-2.0
/* rule: the table of its verbs, and those that need no agent. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "cmd_rule.h"
#include "duration.h"
#include "rule_input.h"
#include "rule_lint.h"

/* --- check --- */
static void warning_text(const struct sl_ruleset *set, const struct sl_lint *l,
			 char *buf, size_t len_b)
{
	const struct sl_rule *r = &set->r[l->rule], *by = &set->r[l->by];
	char will[80];

	sl_rule_action_text(by, will, sizeof(will));
	if (l->kind == SL_LINT_REDUNDANT)
		snprintf(buf, len_b, "is redundant: rule %s on line %lu does "
			 "the same with all that it matches", by->id, by->line);
	else if (l->kind == SL_LINT_SHADOWED)
		snprintf(buf, len_b, "is shadowed: rule %s on line %lu (%s) "
			 "takes all that it matches", by->id, by->line, will);
	else
		snprintf(buf, len_b, "overlaps with rule %s on line %lu (%s), "
			 "which comes first%s", by->id, by->line, will,
			 r->match.at == by->match.at ? "" :
			 " where there is no tunnel");
}

static struct json_object *warning_doc(const struct sl_ruleset *set,
				       const struct sl_lint *l)
{
	const struct sl_rule *r = &set->r[l->rule];
	struct json_object *o = json_object_new_object();
	char text[300];

	warning_text(set, l, text, sizeof(text));
	json_object_object_add(o, "line", json_object_new_int64(r->line));
	json_object_object_add(o, "rule", json_object_new_string(r->id));
	json_object_object_add(o, "kind",
			       json_object_new_string(sl_lint_name(l->kind)));
	json_object_object_add(o, "other",
			       json_object_new_string(set->r[l->by].id));
	json_object_object_add(o, "message", json_object_new_string(text));
	return o;
}

struct json_object *rule_warnings(const struct sl_ruleset *set)
{
	struct json_object *all = json_object_new_array();
	struct sl_lints lints;
	unsigned int i;

	if (sl_rule_lint(set, &lints))
		return all;
	for (i = 0; i < lints.n; i++)
		json_object_array_add(all, warning_doc(set, &lints.l[i]));
	sl_lints_free(&lints);
	return all;
}

static void show_check(const char *file, unsigned int n,
		       struct json_object *warnings)
{
	struct json_object *w;
	size_t i;

	for (i = 0; i < json_object_array_length(warnings); i++) {
		w = json_object_array_get_idx(warnings, i);
		printf("%s:%s: rule %s: warning: %s\n", file,
		       cli_text(w, "line"), cli_text(w, "rule"),
		       cli_text(w, "message"));
	}
	printf("%s: %u rule%s, valid\n", file, n, n == 1 ? "" : "s");
}

static int check(struct cli *cli, int argc, char **argv)
{
	struct sl_rule_context ctx = { .now_ns = sl_now_ns() };
	const char *conf = NULL;
	const struct option_spec spec[] = { { "-c", &conf, NULL },
					    { "--force", NULL, &ctx.force },
					    {} };
	struct json_object *doc, *warnings;
	struct sl_config *cfg = NULL;
	struct sl_ruleset set = {};
	int rc = cli_options(cli, spec, &argc, argv);

	if (rc)
		return rc;
	if (argc != 1)
		return cli_usage(cli, "rule check takes one rule file");
	if (conf)
		rc = rule_input_config(cli, conf, &cfg);
	if (!rc)
		rc = rule_input(cli, argv[0], cfg, &ctx, &set);
	sl_config_free(cfg);
	if (rc)
		return rc;
	warnings = rule_warnings(&set);
	doc = json_object_new_object();
	json_object_object_add(doc, "file", json_object_new_string(argv[0]));
	json_object_object_add(doc, "rules", json_object_new_int64(set.n));
	json_object_object_add(doc, "warnings", warnings);
	if (!cli_json(cli, doc))
		show_check(argv[0], set.n, warnings);
	json_object_put(doc);
	sl_ruleset_free(&set);
	return DONE;
}

/* --- verbs --- */
static const struct rule_verb verbs[] = {
	{ "check", check },
	{ "plan", rule_plan },
	{ "apply", rule_apply },
	{ "confirm", rule_confirm },
	{ "rollback", rule_rollback },
	{ "ls", rule_ls },
	{ "log", rule_log },
	{}
};

int cmd_rule(struct cli *cli, int argc, char **argv)
{
	const struct rule_verb *v;
	char known[120] = "";
	size_t n = 0;

	for (v = verbs; v->name; v++) {
		if (argc && !strcmp(v->name, argv[0]))
			return v->run(cli, argc - 1, argv + 1);
		n += snprintf(known + n, sizeof(known) - n, "%s%s",
			      n ? ", " : "", v->name);
	}
	return cli_usage(cli, "rule wants %s%s%s", known,
			 argc ? ", not " : "", argc ? argv[0] : "");
}
