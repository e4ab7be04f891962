/* SPDX-License-Identifier: GPL-2.0 */
/* Verbs of `sealane rule`: cmd_rule.c has the table. */
#ifndef SL_CMD_RULE_H
#define SL_CMD_RULE_H

#include "cli.h"
#include "ruleset.h"

struct rule_verb {
	const char *name;	/* NULL: behind the last */
	int (*run)(struct cli *cli, int argc, char **argv);	/* behind it */
};

/* cmd_rule_agent.c */
int rule_apply(struct cli *cli, int argc, char **argv);
int rule_confirm(struct cli *cli, int argc, char **argv);
int rule_rollback(struct cli *cli, int argc, char **argv);
int rule_ls(struct cli *cli, int argc, char **argv);
int rule_log(struct cli *cli, int argc, char **argv);

/* cmd_rule_plan.c */
int rule_plan(struct cli *cli, int argc, char **argv);

/* "+2 -1 ~3 rules": the diff of an answer. */
void rule_diff_text(struct json_object *doc, char *buf, size_t len);
/* What rule_lint.h finds: [{"line","rule","kind","other","message"}]. */
struct json_object *rule_warnings(const struct sl_ruleset *set);

#endif
