/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Rules that cannot do what they seem to: a rule is held against each earlier
 * one that ends (drop, pass, limit).
 *
 * What is claimed is so: a rule that is said to be covered sees no packet that
 * the earlier one does not take; one that is said to disagree has packets in
 * common with it. Not everything is found: what only several earlier rules cover
 * together, or what lists hold, which is not known here.
 */
#ifndef SL_RULE_LINT_H
#define SL_RULE_LINT_H

#include "ruleset.h"

enum sl_lint_kind {
	SL_LINT_NONE = 0,
	SL_LINT_REDUNDANT,	/* covered, and the earlier one does the same */
	SL_LINT_SHADOWED,	/* covered: it has no effect */
	SL_LINT_CONFLICT,	/* overlaps with one that drops where this one
				 * passes or the like; the order decides. Where the
				 * later one covers the earlier, as the rule behind
				 * its exceptions does, that is no conflict */
};

struct sl_lint {
	unsigned int rule, by;	/* places in the set; by is the earlier one */
	enum sl_lint_kind kind;
};

struct sl_lints {
	struct sl_lint *l;
	unsigned int n;
	bool cut;		/* the bound was met: there may be more */
};

/*
 * At most one finding for a rule: the first that covers it, else the first
 * conflict. Each pair is looked at, most of them at their addresses' bounds
 * only; in all at most SL_LINT_STEPS values are compared. 0 or -ENOMEM.
 */
#define SL_LINT_STEPS	(1ULL << 28)	/* under 2 s */
int sl_rule_lint(const struct sl_ruleset *set, struct sl_lints *out);
void sl_lints_free(struct sl_lints *l);

/* "shadowed", "redundant", "conflict". */
const char *sl_lint_name(enum sl_lint_kind kind);

#endif
