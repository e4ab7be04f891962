/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Rule files: YAML or JSON -> rules, all of them or none. docs/rules.md says
 * what may stand in them.
 */
#ifndef SL_RULE_FILE_H
#define SL_RULE_FILE_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "mistakes.h"
#include "rib.h"
#include "ruleset.h"

#define SL_RULE_FILE_MAX_B	(64UL << 20)
#define SL_RULE_FILE_RULES	4096	/* of one file */

/* What a file is judged by. NULL: what is not known is not judged. */
struct sl_rule_context {
	const struct sl_names *lists, *lanes, *paths;
	const struct sl_rib *protect;	/* sorted; its protected items count */
	uint64_t now_ns;		/* wall clock; 0: none */
	bool force;			/* bare wildcards are meant */
	bool stored;			/* our own writing, admitted before: only
					 * the form is judged */
};

/*
 * 0 with the rules in *out; -EINVAL with every mistake of the file in *all, by
 * line, and nothing in *out; or -ENOMEM. ctx may be NULL.
 */
int sl_rule_file_parse(const char *text, size_t len_b,
		       const struct sl_rule_context *ctx,
		       struct sl_ruleset *out, struct sl_mistakes *all);
/* The same of a file, a pipe, or standard input ("-"). */
int sl_rule_file_load(const char *path, const struct sl_rule_context *ctx,
		      struct sl_ruleset *out, struct sl_mistakes *all);
/* Its bytes only, with a NUL behind them. 0 or -EINVAL, -ENOMEM. */
int sl_rule_file_read(const char *path, char **text, size_t *len_b,
		      struct sl_mistakes *all);

/* --- rule_json.c --- */
/* As a file has it: read again it is the same rule. A limit's burst is always
 * said. NULL: no memory. */
struct json_object *sl_rule_json(const struct sl_rule *r);
/* {"rules":[...]}: a whole file. */
struct json_object *sl_ruleset_json(const struct sl_ruleset *set);
/* A match in one line, cut at len_b: "src 203.0.113.0/24 proto tcp dport 80",
 * "any packet". */
const char *sl_rule_match_text(const struct sl_rule_match *m, char *buf,
			       size_t len_b);
/* Likewise: "drop", "limit 1000 pps burst 100 per source". */
const char *sl_rule_action_text(const struct sl_rule *r, char *buf,
				size_t len_b);

#endif
