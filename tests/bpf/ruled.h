/* SPDX-License-Identifier: GPL-2.0 */
/* The loaded program with rules: those of loaded.h's tables, 2001:db8:1::66 and
 * all, under a rule set. */
#ifndef SL_TEST_RULED_H
#define SL_TEST_RULED_H

#include "loaded.h"
#include "naive.h"

/* The tables, with rules. */
static int with_rules(struct sl_dp *dp, const struct sl_ruleset *set,
		      struct sl_abv **abv_out)
{
	struct sl_abv_rule *rules = as_rules(set);
	struct sl_rib *c = sl_rib_new();
	struct sl_abv *abv;
	int rc;

	sl_dp_idle(dp);
	abv = sl_abv_new(sl_dp_idle_rules(dp), 0);
	add_lane(c, "198.18.0.0/24", SL_LANE_HOME);
	add_lane(c, "2001:db8::/64", SL_LANE_HOME);
	add_lane(c, "203.0.113.0/24", 1);
	add_lane(c, "2001:db8:1::/48", 1);
	add_class(c, "198.18.0.1", 1, SL_ACT_PROTECT);
	add_class(c, "203.0.113.66", 2, SL_ACT_DROP);
	add_class(c, "2001:db8:1::66", 2, SL_ACT_DROP);
	rc = sl_abv_compile(abv, rules, set->n, &naive_names);
	if (!rc)
		rc = sl_abv_add_groups(abv, c);
	if (!rc)
		rc = sl_rib_sort(c);
	if (!rc)
		rc = sl_dp_commit(dp, (struct sl_rib_pair){ .base = c,
							    .abv = abv });
	sl_rib_free(c);
	free(rules);
	*abv_out = abv;
	return rc;
}

static inline int one_rule(struct sl_dp *dp, struct sl_ruleset *set,
		    struct sl_abv **abv)
{
	int rc = with_rules(dp, set, abv);

	sl_ruleset_free(set);
	return rc;
}

static inline void udp_from(struct frame *f, const char *src, unsigned int n)
{
	f->len = 0;
	eth(f, 0x0800);
	ip4(f, src, HOME, 17, 0);
	udp(f, 5000, 5001);
	payload(f, n);
}

#endif
