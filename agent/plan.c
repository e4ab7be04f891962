// SPDX-License-Identifier: GPL-2.0
/*
 * The report of a plan, made beside the loop of a view of the sample that the
 * loop took.
 */
#include <stdlib.h>
#include <string.h>
#include "commits.h"
#include "duration.h"
#include "estimate.h"
#include "plan.h"
#include "plan_groups.h"
#include "rule_lint.h"

#define ROWS_MOST	200	/* lanes and rules of a report */
#define FLOWS_MOST	20

/* Those that are held against the live traffic; rules when they are read. */
static bool asks_sample(const struct job *j)
{
	return j->kind == JOB_PLAN || (!j->force && (j->kind == JOB_LIST ||
	       j->kind == JOB_BLOCK || (j->kind == JOB_RULES && !j->rules)));
}

int plan_begin(struct agent *a, struct job *j)
{
	struct plan *p;

	if (!asks_sample(j))
		return 0;
	plan_drop(j);
	p = calloc(1, sizeof(*p));
	if (!p || sample_view(a, j->since_ns, &p->view)) {
		free(p);
		return refuse(&j->r, 500, "free memory", "out of memory");
	}
	p->share = -1;
	j->plan = p;
	return 0;
}

void plan_drop(struct job *j)
{
	struct plan *p = j->plan;

	if (!p)
		return;
	plan_free(p);
	free(p);
	j->plan = NULL;
}

/* --- the report --- */
static void put_interval(struct json_object *o, const char *key,
			 const struct sl_estimate *e, double one_max,
			 double per, int digits)
{
	struct sl_interval i = sl_estimate_total(e, one_max);
	struct json_object *v;

	if (per <= 0) {
		put_null(o, key);
		return;
	}
	v = json_object_new_object();
	put_double(v, "value", i.value / per, digits);
	put_double(v, "low", i.low / per, digits);
	put_double(v, "high", i.high / per, digits);
	json_object_object_add(o, key, v);
}

/* Totals of packets and bits, with what they are uncertain by. */
static void put_totals(struct json_object *o, const struct plan_group *g,
		       const struct plan_hits *h)
{
	/* where every packet was taken there is none that was missed */
	double one = h->weight_max > 1 ? h->weight_max : 0;
	double s = h->span_ns / 1e9;

	put_int(o, "sampled_packets", g->packets.n);
	put_interval(o, "pps", &g->packets, one, s, 1);
	put_interval(o, "bps", &g->bits, one * h->frame_b_max * 8, s, 0);
	put_interval(o, "share", &g->packets, one, h->packets, 6);
}

static struct json_object *change_doc(const struct plan_hits *h)
{
	struct json_object *o = json_object_new_object(), *one;
	struct plan_group sum[PLAN_EFFECTS] = {};
	int k;
	size_t i;

	for (i = 0; i < h->n; i++)
		plan_group_add(&sum[h->h[i].effect], &h->h[i]);
	for (k = PLAN_DROPPED; k < PLAN_EFFECTS; k++) {
		one = json_object_new_object();
		put_totals(one, &sum[k], h);
		json_object_object_add(o, plan_effect_name[k], one);
	}
	return o;
}

static void put_lane(struct json_object *o, const struct agent *a,
		     const struct sl_glance *g)
{
	uint32_t lane = g->where >> 6;

	put_text(o, "lane", lane && lane < SL_MAX_LANES &&
		 a->lane_name[lane][0] ? a->lane_name[lane] : "other");
}

static struct json_object *groups_doc(const struct agent *a,
				      const struct plan_hits *h,
				      const struct plan_groups *all,
				      unsigned int most, bool flows)
{
	struct json_object *list = json_object_new_array(), *o;
	unsigned int i;

	for (i = 0; i < all->n && i < most; i++) {
		const struct plan_group *g = &all->g[i];

		o = json_object_new_object();
		put_text(o, "effect", plan_effect_name[g->effect]);
		put_text(o, "rule", g->rule ? g->rule->id : NULL);
		put_text(o, "tag", g->rule && g->rule->tag[0] ? g->rule->tag :
			 NULL);
		put_lane(o, a, &g->first->g);
		if (flows)
			put_glance(o, &g->first->g);
		put_totals(o, g, h);
		json_object_array_add(list, o);
	}
	return list;
}

static struct json_object *sample_doc(const struct plan_hits *h)
{
	struct json_object *o;

	if (!h->sampled)
		return NULL;
	o = json_object_new_object();
	put_int(o, "packets", h->sampled);
	put_time(o, "from", h->from_ns);
	put_time(o, "to", h->to_ns);
	put_int(o, "span_ns", h->span_ns);
	put_int(o, "of_packets", h->packets);
	put_double(o, "pps", h->packets / (h->span_ns / 1e9), 1);
	put_double(o, "bps", h->bytes * 8 / (h->span_ns / 1e9), 0);
	return o;
}

static struct json_object *findings_doc(const struct sl_ruleset *set)
{
	struct json_object *list = json_object_new_array(), *o;
	struct sl_lints lints;
	unsigned int i;

	if (sl_rule_lint(set, &lints))
		return list;
	for (i = 0; i < lints.n; i++) {
		o = json_object_new_object();
		put_text(o, "rule", set->r[lints.l[i].rule].id);
		put_text(o, "kind", sl_lint_name(lints.l[i].kind));
		put_text(o, "other", set->r[lints.l[i].by].id);
		json_object_array_add(list, o);
	}
	sl_lints_free(&lints);
	return list;
}

static struct json_object *memory_doc(const struct agent *a,
				      const struct plan_judge *p)
{
	struct json_object *o = json_object_new_object();
	uint64_t bytes;
	uint32_t rows;

	judge_usage(p, &rows, &bytes);
	put_int(o, "rows", rows);
	put_int(o, "rows_room", sl_dp_settings(a->dp)->rule_rows);
	put_int(o, "bytes", bytes);
	return o;
}

static struct json_object *report(struct agent *a, struct job *j,
				  const struct plan_judge *judge)
{
	struct json_object *o = json_object_new_object();
	const struct plan_hits *h = &j->plan->hits;
	struct plan_groups rows = {}, flows = {};

	if (plan_group(h, PLAN_BY_LANE, &rows) ||
	    plan_group(h, PLAN_BY_FLOW, &flows))
		refuse(&j->r, 500, "free memory", "out of memory");
	put_int(o, "generation", a->generation);
	put_text(o, "file", j->file);
	put_int(o, "rules", j->rules->set.n);
	put_int(o, "rules_now", a->rules->set.n);
	json_object_object_add(o, "diff", diff_join(
		diff_of_rules(a->rules, j->rules), NULL, NULL));
	json_object_object_add(o, "findings", findings_doc(&j->rules->set));
	json_object_object_add(o, "memory", memory_doc(a, judge));
	json_object_object_add(o, "sample", sample_doc(h));
	json_object_object_add(o, "change", h->sampled ? change_doc(h) : NULL);
	json_object_object_add(o, "rows", groups_doc(a, h, &rows, ROWS_MOST,
						     false));
	put_int(o, "rows_more", rows.n > ROWS_MOST ? rows.n - ROWS_MOST : 0);
	json_object_object_add(o, "flows", groups_doc(a, h, &flows, FLOWS_MOST,
						      true));
	put_int(o, "flows_more", flows.n > FLOWS_MOST ? flows.n - FLOWS_MOST :
		0);
	json_object_object_add(o, "apply", plan_share_doc(j->plan));
	plan_groups_free(&rows);
	plan_groups_free(&flows);
	return o;
}

int plan_make(struct agent *a, struct job *j)
{
	struct plan_judge *judge = NULL;
	struct plan *p = j->plan;
	struct json_object *apply;
	int rc = 0;

	j->step = "judging";
	if (judge_new(a, j, &judge))
		return -1;
	judge_view(judge, &p->view, &p->hits);
	if (p->hits.no_memory || plan_find_share(p, "(a block or list)"))
		rc = refuse(&j->r, 500, "free memory", "out of memory");
	if (!rc && j->kind == JOB_PLAN) {
		j->answer = report(a, j, judge);
		json_object_object_get_ex(j->answer, "apply", &apply);
		put_double(apply, "max_share", a->cfg->max_share_ppm / 1e6, 6);
		put_bool(apply, "needs_force",
			 p->share * 1e6 > a->cfg->max_share_ppm);
	}
	judge_free(judge);
	return rc;
}
