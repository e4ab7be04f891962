/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A match as sets that can be compared: addresses as disjoint ranges of each
 * family, and what its fields imply of one another (ports of the protocol, L4 of
 * the fragment). Private to rule_lint.c and rule_shape.c.
 */
#ifndef SL_RULE_SHAPE_H
#define SL_RULE_SHAPE_H

#include "rib.h"
#include "ruleset.h"

struct shape_range {
	sl_u128 first, last;
};

/* An address field in one family. */
struct shape_addr {
	struct shape_range *r;	/* sorted, disjoint, not adjacent */
	unsigned int n;
};

struct shape {
	const struct sl_rule *rule;
	unsigned int families;		/* 1: IPv4, 2: IPv6; 0: no packet */
	uint8_t dirs;
	uint16_t frags;
	uint64_t proto[4];		/* a bit for each */
	struct shape_addr src[2], dst[2];	/* by family */
};

/* 0 or -ENOMEM. */
int shape_make(struct shape *s, const struct sl_rule *r);
void shape_free(struct shape *s);

/* Both count what they compare in *steps. */
/* No packet matches both; may say false of such a pair. Cheap. */
bool shape_apart(const struct shape *a, const struct shape *b);
/* Every packet of a is one of b. */
bool shape_covered(const struct shape *a, const struct shape *b,
		   uint64_t *steps);
/* Some packet is one of both; lists that both name are not empty. */
bool shape_overlap(const struct shape *a, const struct shape *b,
		   uint64_t *steps);

#endif
