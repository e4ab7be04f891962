// SPDX-License-Identifier: GPL-2.0
/* How much of the live traffic a commit would drop, and whether it may. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include "plan.h"
#include "plan_groups.h"

#define TOLD_MOST	5	/* rules, and flows, where a commit is refused */

const char *const plan_effect_name[PLAN_EFFECTS] = {
	[PLAN_SAME] = "same", [PLAN_DROPPED] = "dropped",
	[PLAN_LIMITED] = "limited", [PLAN_PASSED] = "passed",
	[PLAN_COUNTED] = "counted" };

/* Of packets that come under a limit, how many are beyond it: what it lets
 * through is known, but not from whom where each source has its own. */
static double beyond(const struct plan_group *g, const struct plan_hits *h)
{
	const struct sl_rule *r = g->rule;
	double s = h->span_ns / 1e9, rate, most;

	if (!r || r->limit.per_source || s <= 0)
		return 0;
	rate = r->limit.bps ? g->ip_bits / s : g->packets.sum / s;
	most = r->limit.bps ? r->limit.bps : r->limit.pps;
	return rate > most ? g->packets.sum * (1 - most / rate) : 0;
}

static void by_text(const struct plan_group *g, const char *other, char *buf,
		    size_t len)
{
	snprintf(buf, len, "%s%s", g->rule ? "rule " : "",
		 g->rule ? g->rule->id : other);
}

static void tell_rules(struct plan *p, const struct plan_groups *rules,
		       const char *other)
{
	char text[300], by[120];
	unsigned int i, n = 0;

	for (i = 0; i < rules->n && n < TOLD_MOST; i++) {
		const struct plan_group *g = &rules->g[i];

		if (g->effect != PLAN_DROPPED && g->effect != PLAN_LIMITED)
			continue;
		by_text(g, other, by, sizeof(by));
		snprintf(text, sizeof(text), "%s: %.1f %% of the packets would "
			 "be %s", by, 100 * g->packets.sum / p->hits.passes,
			 plan_effect_name[g->effect]);
		json_object_array_add(p->told, json_object_new_string(text));
		n++;
	}
}

static void tell_flows(struct plan *p, const struct plan_groups *flows,
		       const char *other)
{
	char text[400], by[120], flow[160];
	unsigned int i, n = 0;

	for (i = 0; i < flows->n && n < TOLD_MOST; i++) {
		const struct plan_group *g = &flows->g[i];

		if (g->effect != PLAN_DROPPED && g->effect != PLAN_LIMITED)
			continue;
		by_text(g, other, by, sizeof(by));
		snprintf(text, sizeof(text), "flow %s: %.1f packets/s, by %s",
			 plan_flow_text(&g->first->g, flow, sizeof(flow)),
			 g->packets.sum / (p->hits.span_ns / 1e9), by);
		json_object_array_add(p->told, json_object_new_string(text));
		n++;
	}
}

int plan_find_share(struct plan *p, const char *other)
{
	struct plan_groups rules = {}, flows = {};
	double lost = 0;
	unsigned int i;
	int rc;

	p->share = -1;
	if (p->hits.sampled < KNOWN_FROM)
		return 0;
	rc = plan_group(&p->hits, PLAN_BY_RULE, &rules) ||
	     plan_group(&p->hits, PLAN_BY_FLOW, &flows) ? -1 : 0;
	for (i = 0; i < rules.n; i++)
		lost += rules.g[i].effect == PLAN_DROPPED ?
			rules.g[i].packets.sum :
			rules.g[i].effect == PLAN_LIMITED ?
			beyond(&rules.g[i], &p->hits) : 0;
	p->share = p->hits.passes > 0 ? fmin(lost / p->hits.passes, 1) : 0;
	if (!rc) {
		p->told = json_object_new_array();
		tell_rules(p, &rules, other);
		tell_flows(p, &flows, other);
	}
	plan_groups_free(&rules);
	plan_groups_free(&flows);
	return rc;
}

int plan_refuses(const struct agent *a, const struct plan *p, const char *who,
		 const char *remedy, struct refusal *r)
{
	size_t i;

	if (!p || p->share * 1e6 <= a->cfg->max_share_ppm)
		return 0;
	for (i = 0; p->told && i < json_object_array_length(p->told); i++)
		refuse_item(r, "%s", json_object_get_string(
			    json_object_array_get_idx(p->told, i)));
	return refuse(r, 409, remedy, "%s%.1f %% of the live traffic would be "
		      "dropped, %.1f %% are allowed", who, p->share * 100,
		      a->cfg->max_share_ppm / 1e4);
}

struct json_object *plan_share_doc(const struct plan *p)
{
	struct json_object *o;

	if (!p)
		return NULL;
	o = json_object_new_object();
	put_int(o, "sampled_packets", p->hits.sampled);
	if (p->share < 0)
		put_null(o, "dropped_share");
	else
		put_double(o, "dropped_share", p->share, 4);
	return o;
}

void plan_free(struct plan *p)
{
	sample_leave(&p->view);
	free(p->hits.h);
	json_object_put(p->told);
}
