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

/* Of packets that come under a limit, how many are beyond it. Where each source
 * has its own, a source's rate is known from few packets: only what is surely
 * beyond counts, or many small ones would look like a few large. */
static double beyond(const struct plan_group *g, const struct plan_hits *h)
{
	const struct sl_rule *r = g->rule;
	double s = h->span_ns / 1e9, n = g->packets.sum, rate, most;

	if (g->effect != PLAN_LIMITED || !r || s <= 0 || n <= 0)
		return 0;
	if (r->limit.per_source)
		n = sl_estimate_total(&g->packets, 0).low;
	most = r->limit.bps ? r->limit.bps : r->limit.pps;
	rate = n / s;
	if (r->limit.bps)	/* of the IP packets */
		rate *= g->ip_bits / g->packets.sum;
	return rate > most ? n * (1 - most / rate) : 0;
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

/* Packets that pass now and would not. */
static double lost(const struct plan_hits *h, const struct plan_groups *rules,
		   const struct plan_groups *sources)
{
	double sum = 0;
	unsigned int i;

	for (i = 0; i < rules->n; i++)
		if (rules->g[i].effect == PLAN_DROPPED)
			sum += rules->g[i].packets.sum;
		else if (rules->g[i].rule && !rules->g[i].rule->limit.per_source)
			sum += beyond(&rules->g[i], h);
	for (i = 0; i < sources->n; i++)
		if (sources->g[i].rule && sources->g[i].rule->limit.per_source)
			sum += beyond(&sources->g[i], h);
	return sum;
}

int plan_find_share(struct plan *p, const char *other)
{
	struct plan_groups rules = {}, sources = {}, flows = {};
	int rc;

	p->share = -1;
	if (p->hits.sampled < KNOWN_FROM)
		return 0;
	rc = plan_group(&p->hits, PLAN_BY_RULE, &rules) ||
	     plan_group(&p->hits, PLAN_BY_SOURCE, &sources) ||
	     plan_group(&p->hits, PLAN_BY_FLOW, &flows) ? -1 : 0;
	if (!rc) {
		p->share = p->hits.passes > 0 ?
			   fmin(lost(&p->hits, &rules, &sources) /
				p->hits.passes, 1) : 0;
		p->told = json_object_new_array();
		tell_rules(p, &rules, other);
		tell_flows(p, &flows, other);
	}
	plan_groups_free(&rules);
	plan_groups_free(&sources);
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
