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

/* What rule_lint.h finds: [{"line","rule","kind","other","message"}]. */
struct json_object *rule_warnings(const struct sl_ruleset *set);

#endif
