/* SPDX-License-Identifier: GPL-2.0 */
/* Packets to which something else would happen, put together. */
#ifndef SL_PLAN_GROUPS_H
#define SL_PLAN_GROUPS_H

#include "estimate.h"
#include "plan.h"

struct plan_group {
	enum plan_effect effect;
	const struct sl_rule *rule;
	const struct plan_packet *first;	/* one of them */
	struct sl_estimate packets, bits;	/* bits of the frames */
	double ip_bits;				/* without what is before IP */
};

struct plan_groups {
	struct plan_group *g;
	unsigned int n;
};

/* Each is by effect too. Flows leave out what is only counted. */
enum plan_by { PLAN_BY_RULE, PLAN_BY_LANE, PLAN_BY_SOURCE, PLAN_BY_FLOW };

/* The largest first. *out is the caller's. 0 or -ENOMEM. */
int plan_group(const struct plan_hits *h, enum plan_by by,
	       struct plan_groups *out);
void plan_groups_free(struct plan_groups *g);
void plan_group_add(struct plan_group *g, const struct plan_hit *h);

/* "192.0.2.1:53 > 198.51.100.2:4000 udp" */
const char *plan_flow_text(const struct sl_glance *g, char *buf, size_t len);

#endif
