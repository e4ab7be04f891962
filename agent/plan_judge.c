// SPDX-License-Identifier: GPL-2.0
/*
 * A packet before two sets of rules. The verdict is the data plane's
 * (bpf/verdict.bpf.h), stage by stage: protected addresses, the rules by the
 * same lookup, then blocks and lists, which are asked of the live tables.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "commits.h"
#include "duration.h"
#include "plan.h"
#include "rule_diff.h"

/* Rules, compiled, and the prefixes that they and their lists name. */
struct side {
	struct sl_abv *abv;
	struct sl_rib *rib;
	struct rules *kind[RULE_KINDS];
};

struct plan_judge {
	struct sl_dp *dp;
	uint64_t now_ns;	/* the clock: expiry is as of now */
	struct side old, next;
	bool *fresh;		/* of the new file's rules: added or changed */
	const struct rules *file;
};

struct fate {
	enum { FATE_PASS, FATE_DROP, FATE_LIMIT } what;
	const struct sl_rule *rule;	/* that decided; NULL: none did */
};

static int make_side(struct agent *a, struct job *j, const struct job *as,
		     struct side *s)
{
	int rc;

	tables_kinds(a, as, s->kind);
	s->abv = tables_compile_aside(a, as, &j->r);
	if (!s->abv)
		return -1;
	s->rib = sl_rib_new();
	rc = s->rib ? sl_abv_add_groups(s->abv, s->rib) : -ENOMEM;
	if (!rc)
		rc = sl_rib_sort(s->rib);
	return rc ? refuse(&j->r, 500, "free memory", "out of memory") : 0;
}

static void free_side(struct side *s)
{
	sl_abv_free(s->abv);
	sl_rib_free(s->rib);
}

/* Which rules of the new file are not those of the old one. */
static int mark_fresh(struct plan_judge *p, const struct rules *old)
{
	struct sl_rule_change *c = NULL;
	unsigned int i, n = 0;

	p->fresh = calloc(p->file->set.n + 1, sizeof(*p->fresh));
	if (!p->fresh || sl_rule_diff(&old->set, &p->file->set, &c, &n))
		return -ENOMEM;
	for (i = 0; i < n; i++)
		if (c[i].what & (SL_RULE_ADDED | SL_RULE_CHANGED))
			p->fresh[c[i].after] = true;
	free(c);
	return 0;
}

int judge_new(struct agent *a, struct job *j, struct plan_judge **out)
{
	struct plan_judge *p = calloc(1, sizeof(*p));
	int rc;

	if (!p)
		return refuse(&j->r, 500, "free memory", "out of memory");
	p->dp = a->dp;
	p->now_ns = sl_mono_ns();
	p->file = j->rules;
	rc = make_side(a, j, NULL, &p->old);
	if (!rc)
		rc = make_side(a, j, j, &p->next);
	if (!rc && mark_fresh(p, a->rules))
		rc = refuse(&j->r, 500, "free memory", "out of memory");
	if (!rc)
		*out = p;
	else
		judge_free(p);
	return rc;
}

void judge_free(struct plan_judge *p)
{
	if (!p)
		return;
	free_side(&p->old);
	free_side(&p->next);
	free(p->fresh);
	free(p);
}

void judge_usage(const struct plan_judge *p, uint32_t *rows, uint64_t *bytes)
{
	uint32_t compounds;

	sl_abv_usage(p->next.abv, rows, &compounds, bytes);
}

/* --- the verdict --- */
static enum sl_action class_action(const struct plan_judge *p, int family,
				   const uint8_t *addr)
{
	uint32_t entry = sl_dp_lookup(p->dp, family, addr);
	uint32_t id = sl_dp_class_of(p->dp, entry).class_id;
	struct sl_class cls;

	if (!id)
		return SL_ACT_NONE;
	sl_dp_get_class(p->dp, id, &cls);
	return cls.until_ns && p->now_ns >= cls.until_ns ? SL_ACT_NONE :
	       cls.action;
}

/* What blocks, lists and protection say of the addresses. */
static enum sl_action addresses_say(const struct plan_judge *p,
				    const struct sl_glance *g)
{
	enum sl_action say = SL_ACT_NONE, one;
	const struct {
		int family;
		const uint8_t *addr;
	} at[] = { { g->family, g->src }, { g->family, g->dst },
		   { g->outer_family, g->outer_src },
		   { g->outer_family, g->outer_dst } };
	int i;

	for (i = 0; i < 4; i++) {
		if (!at[i].family)
			continue;
		one = class_action(p, at[i].family, at[i].addr);
		if (one == SL_ACT_PROTECT)
			return one;
		if (one == SL_ACT_DROP)
			say = one;
	}
	return say;
}

static const struct sl_rule *rule_at(const struct side *s, uint32_t i,
				     unsigned int *kind, unsigned int *n)
{
	for (*kind = 0; *kind < RULE_KINDS; ++*kind) {
		if (!s->kind[*kind])
			continue;
		if (i < s->kind[*kind]->set.n) {
			*n = i;
			return &s->kind[*kind]->set.r[i];
		}
		i -= s->kind[*kind]->set.n;
	}
	return NULL;
}

static struct fate judge(const struct plan_judge *p, const struct side *s,
			 const struct sl_glance *g, enum sl_action say,
			 struct sl_abv_hits *hits)
{
	struct sl_rib_pair pair = { .base = s->rib, .abv = s->abv };
	struct fate f = { FATE_PASS, NULL };
	unsigned int kind, n;

	sl_abv_judge(s->abv, pair, g, p->now_ns, hits);
	if (!hits->ended || hits->n > sizeof(hits->rule) / sizeof(hits->rule[0])) {
		f.what = hits->ended && hits->action == SL_ACT_DROP ?
			 FATE_DROP : FATE_PASS;
		if (!hits->ended && say == SL_ACT_DROP)
			f.what = FATE_DROP;
		return f;
	}
	f.rule = rule_at(s, hits->rule[hits->n - 1], &kind, &n);
	f.what = hits->action == SL_ACT_DROP ? FATE_DROP :
		 hits->action == SL_ACT_LIMIT ? FATE_LIMIT : FATE_PASS;
	return f;
}

/* --- what would change --- */
struct judging {
	struct plan_judge *p;
	struct plan_hits *out;
};

/* Rules that only count, and are new. */
static void add_counts(struct judging *d, const struct sl_abv_hits *hits,
		       const struct plan_packet *packet, double weight)
{
	unsigned int i, kind, n, most = hits->n - hits->ended;
	const struct sl_rule *r;

	for (i = 0; i < most && i < sizeof(hits->rule) / sizeof(hits->rule[0]);
	     i++) {
		r = rule_at(&d->p->next, hits->rule[i], &kind, &n);
		if (r && kind == 1 && d->p->fresh[n])
			hits_add(d->out, PLAN_COUNTED, r, packet, weight);
	}
}

/* A limit keeps its state by id, whatever else changes. */
static bool same_limit(const struct sl_rule *x, const struct sl_rule *y)
{
	return !strcmp(x->id, y->id) && x->limit.pps == y->limit.pps &&
	       x->limit.bps == y->limit.bps &&
	       x->limit.burst == y->limit.burst &&
	       x->limit.per_source == y->limit.per_source;
}

static enum plan_effect effect_of(const struct fate *old,
				  const struct fate *next, bool dropped)
{
	if (next->what == FATE_DROP)
		return dropped ? PLAN_SAME : PLAN_DROPPED;
	if (next->what == FATE_PASS)
		return dropped ? PLAN_PASSED : PLAN_SAME;
	if (old->what == FATE_LIMIT && same_limit(old->rule, next->rule))
		return PLAN_SAME;
	return dropped ? PLAN_PASSED : PLAN_LIMITED;
}

static void judge_packet(void *arg, const struct plan_packet *packet,
			 double weight)
{
	struct judging *d = arg;
	struct plan_hits *out = d->out;
	enum sl_action say = addresses_say(d->p, &packet->g);
	struct sl_abv_hits hits;
	enum plan_effect effect;
	struct fate old, next;
	bool dropped;

	hits_add_packet(out, packet, weight);
	if (say == SL_ACT_PROTECT || !packet->g.family) {
		out->passes += weight;
		return;
	}
	old = judge(d->p, &d->p->old, &packet->g, say, &hits);
	next = judge(d->p, &d->p->next, &packet->g, say, &hits);
	add_counts(d, &hits, packet, weight);
	dropped = old.what == FATE_DROP || (old.what == FATE_LIMIT &&
		  packet->reason == SL_R_DROP_LIMIT);
	if (!dropped)
		out->passes += weight;
	effect = effect_of(&old, &next, dropped);
	if (effect != PLAN_SAME)
		hits_add(out, effect, next.rule || effect != PLAN_PASSED ?
		    next.rule : old.rule, packet, weight);
}

static void judge_tick(void *arg, const struct plan_tick *t)
{
	hits_add_tick(((struct judging *)arg)->out, t);
}

void judge_view(struct plan_judge *p, const struct plan_view *v,
		struct plan_hits *out)
{
	struct judging d = { p, out };
	const struct plan_walk w = { judge_tick, judge_packet, &d };

	sample_walk(v, &w);
}
