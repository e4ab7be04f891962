/* SPDX-License-Identifier: GPL-2.0 */
/* What differs between two rule sets: by id, whatever the order. */
#ifndef SL_RULE_DIFF_H
#define SL_RULE_DIFF_H

#include "ruleset.h"

#define SL_RULE_ADDED	0x1
#define SL_RULE_REMOVED	0x2
#define SL_RULE_CHANGED	0x4	/* match, action, limit, until, why, tag or by */
#define SL_RULE_MOVED	0x8	/* overtook others, which may decide otherwise */

struct sl_rule_change {
	unsigned int what;	/* of the above */
	int before, after;	/* its place in each set; -1: none */
};

/*
 * In the order of the newer set, then what was removed in the order of the
 * older. As few rules as possible count as moved. Ids are unique in each set.
 * *out is the caller's. Cost: n log n. 0 or -ENOMEM.
 */
int sl_rule_diff(const struct sl_ruleset *before, const struct sl_ruleset *after,
		 struct sl_rule_change **out, unsigned int *n_out);

/* Equal but for the line. */
bool sl_rule_equal(const struct sl_rule *a, const struct sl_rule *b);
bool sl_rule_match_equal(const struct sl_rule_match *a,
			 const struct sl_rule_match *b);

#endif
