// SPDX-License-Identifier: GPL-2.0
/*
 * Is a list or block too wide? Packets of the live sample that pass now and
 * would be dropped by it. A job asks the tables that it has built, beside those
 * that are live. A single block is asked about in the loop, which has no time:
 * one pass over the addresses, and a verdict for a few of those it touches.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "abv.h"
#include "duration.h"
#include "fib_image.h"
#include "plan.h"

#define JUDGED_MOST	512	/* packets of a single block, so that it stays short */
#define REMEDY		"look at the flows, or say --force; nothing was changed"

/* What one bank says of addresses. */
struct bank {
	const struct sl_fib_image *img;
	const struct sl_abv *abv;
	uint8_t action[SL_MAX_CLASSES];	/* enum sl_action, as of now */
};

/* ... of those of a packet. */
struct said {
	struct sl_compound at[4];
	enum sl_action say;
};

struct wide {
	struct agent *a;
	struct plan_hits *out;
	uint64_t now_ns;		/* the data plane's clock */
	struct bank old, next;
	bool rules_too;			/* some name the list */
};

static void live_bank(struct wide *w)
{
	struct sl_class cls;
	uint32_t id;

	w->now_ns = sl_mono_ns();
	w->old.img = sl_dp_live(w->a->dp);
	w->old.abv = w->a->abv;
	for (id = 1; id < SL_MAX_CLASSES; id++) {
		sl_dp_get_class(w->a->dp, id, &cls);
		w->old.action[id] = cls.until_ns && w->now_ns >= cls.until_ns ?
				    SL_ACT_NONE : cls.action;
	}
}

/* The bank that the job has built, and its classes as they will be. */
static void next_bank(struct wide *w, const struct job *j)
{
	unsigned int i;

	memcpy(w->next.action, w->old.action, sizeof(w->next.action));
	w->next.img = sl_dp_idle(w->a->dp);
	w->next.abv = j->abv;
	if (j->list)
		w->next.action[j->list->class_id] = SL_ACT_DROP;
	for (i = 0; i < j->blocks.n; i++)
		w->next.action[j->blocks.b[i].class_id] = j->blocks.b[i].action;
}

static void ask_addresses(const struct bank *b, const struct sl_glance *g,
			  struct said *s)
{
	const uint8_t *addr[] = { g->src, g->dst, g->outer_src, g->outer_dst };
	enum sl_action one;
	int i, family;

	*s = (struct said){ .say = SL_ACT_NONE };
	for (i = 0; i < 4; i++) {
		family = i < 2 ? g->family : g->outer_family;
		if (!family)
			continue;
		s->at[i] = sl_abv_class_of(b->abv,
				sl_fib_lookup(b->img, family, addr[i]));
		one = b->action[s->at[i].class_id];
		if (one == SL_ACT_PROTECT || s->say == SL_ACT_PROTECT)
			s->say = SL_ACT_PROTECT;
		else if (one == SL_ACT_DROP)
			s->say = SL_ACT_DROP;
	}
}

/* Protected, then rules, then blocks and lists. *rule: that decided, or NULL. */
static bool drops(const struct wide *w, const struct bank *b,
		  const struct said *s, const struct sl_glance *g,
		  const struct sl_rule **rule)
{
	struct sl_abv_hits hits;
	uint32_t slot;

	*rule = NULL;
	if (s->say == SL_ACT_PROTECT)
		return false;
	sl_abv_judge_at(b->abv, s->at, g, w->now_ns, &hits);
	if (!hits.ended)
		return s->say == SL_ACT_DROP;
	if (hits.n <= sizeof(hits.rule) / sizeof(hits.rule[0]))
		*rule = tables_rule(w->a, hits.rule[hits.n - 1], &slot);
	return hits.action == SL_ACT_DROP;
}

static bool passed(const struct plan_packet *p)
{
	return p->reason < SL_R_DROP_FIRST;
}

/* --- jobs --- */
static void judge_packet(void *arg, const struct plan_packet *p, double weight)
{
	struct wide *w = arg;
	const struct sl_rule *rule;
	struct said old, next;

	hits_add_packet(w->out, p, weight);
	ask_addresses(&w->old, &p->g, &old);
	ask_addresses(&w->next, &p->g, &next);
	if (old.say == next.say && !w->rules_too) {
		w->out->passes += passed(p) ? weight : 0;
		return;
	}
	if (drops(w, &w->old, &old, &p->g, &rule))
		return;
	w->out->passes += weight;
	if (drops(w, &w->next, &next, &p->g, &rule))
		hits_add(w->out, PLAN_DROPPED, rule, p, weight);
}

static void judge_tick(void *arg, const struct plan_tick *t)
{
	hits_add_tick(((struct wide *)arg)->out, t);
}

static bool names(const struct sl_rule_addr *at, const char *list)
{
	unsigned int i;

	for (i = 0; i < at->n_lists; i++)
		if (!strcmp(at->list[i], list))
			return true;
	return false;
}

static bool rules_name(const struct agent *a, const char *list)
{
	struct rules *kind[RULE_KINDS];
	unsigned int i, k;

	tables_kinds(a, NULL, kind);
	for (k = 0; k < RULE_KINDS; k++)
		for (i = 0; kind[k] && i < kind[k]->set.n; i++)
			if (names(&kind[k]->set.r[i].match.src, list) ||
			    names(&kind[k]->set.r[i].match.dst, list))
				return true;
	return false;
}

static int no_memory(struct refusal *r)
{
	return refuse(r, 500, "free memory; nothing was changed",
		      "out of memory");
}

int wide_check(struct agent *a, struct job *j)
{
	char other[SL_NAME_B + 8] = "these blocks", who[sizeof(other) + 2];
	struct wide *w = calloc(1, sizeof(*w));
	const struct plan_walk walk = { judge_tick, judge_packet, w };
	struct plan *p = j->plan;
	int rc = -1;

	j->step = "judging";
	if (w) {
		w->a = a;
		w->out = &p->hits;
		w->rules_too = j->list && rules_name(a, j->name);
		live_bank(w);
		next_bank(w, j);
		sample_walk(&p->view, &walk);
		free(w);
		if (j->list)
			snprintf(other, sizeof(other), "list %s", j->name);
		rc = p->hits.no_memory ? -1 : plan_find_share(p, other);
	}
	if (rc)
		return no_memory(&j->r);
	snprintf(who, sizeof(who), "%s: ", other);
	return plan_refuses(a, p, who, REMEDY, &j->r);
}

/* --- a single block --- */
/* A prefix as it is compared with addresses. */
struct pattern {
	uint64_t want[2], mask[2];
	int family;
};

struct picked {
	const struct plan_packet *packet;
	double weight;
};

struct single {
	struct pattern is;
	struct wide w;
	double touched;			/* weight of what it touches */
	unsigned int seen, every;	/* of that one of so many is picked */
	unsigned int n;
	struct picked one[JUDGED_MOST];
};

static void pattern_of(const struct sl_prefix *p, struct pattern *out)
{
	uint8_t mask[16] = {};
	unsigned int i;

	for (i = 0; i < p->len; i++)
		mask[i / 8] |= 0x80 >> i % 8;
	memcpy(out->mask, mask, sizeof(mask));
	memcpy(out->want, p->addr, sizeof(out->want));
	out->family = p->family;
}

static bool is_in(const struct pattern *p, int family, const uint8_t *addr)
{
	uint64_t a[2];

	if (family != p->family)
		return false;
	memcpy(a, addr, sizeof(a));
	return !(((a[0] ^ p->want[0]) & p->mask[0]) |
		 ((a[1] ^ p->want[1]) & p->mask[1]));
}

static void pick(struct single *s, const struct plan_packet *p, double weight)
{
	unsigned int i;

	if (s->seen++ % s->every)
		return;
	if (s->n == JUDGED_MOST) {	/* every other one stays */
		for (i = 0; i < JUDGED_MOST / 2; i++)
			s->one[i] = s->one[2 * i];
		s->n = JUDGED_MOST / 2;
		s->every *= 2;
	}
	s->one[s->n++] = (struct picked){ p, weight };
}

static void touch_packet(void *arg, const struct plan_packet *p, double weight)
{
	struct single *s = arg;
	const struct sl_glance *g = &p->g;

	hits_add_packet(s->w.out, p, weight);
	if (is_in(&s->is, g->family, g->src) ||
	    is_in(&s->is, g->family, g->dst) ||
	    is_in(&s->is, g->outer_family, g->outer_src) ||
	    is_in(&s->is, g->outer_family, g->outer_dst)) {
		s->touched += weight;
		pick(s, p, weight);
	} else if (passed(p)) {
		s->w.out->passes += weight;
	}
}

static void touch_tick(void *arg, const struct plan_tick *t)
{
	hits_add_tick(((struct single *)arg)->w.out, t);
}

/* What was picked stands for all that the block touches. */
static void judge_picked(struct single *s)
{
	const struct sl_rule *rule;
	double picked = 0, scale;
	struct said said;
	unsigned int i;

	for (i = 0; i < s->n; i++)
		picked += s->one[i].weight;
	scale = picked > 0 ? s->touched / picked : 0;
	for (i = 0; i < s->n; i++) {
		const struct picked *p = &s->one[i];

		ask_addresses(&s->w.old, &p->packet->g, &said);
		if (drops(&s->w, &s->w.old, &said, &p->packet->g, &rule))
			continue;
		s->w.out->passes += p->weight * scale;
		if (said.say != SL_ACT_PROTECT)
			said.say = SL_ACT_DROP;
		if (drops(&s->w, &s->w.old, &said, &p->packet->g, &rule))
			hits_add(s->w.out, PLAN_DROPPED, rule, p->packet,
				 p->weight * scale);
	}
}

int wide_block(struct agent *a, const struct sl_prefix *p, struct plan *out,
	       struct refusal *r)
{
	char text[SL_PREFIX_STR_B], other[sizeof(text) + 16];
	char who[sizeof(other) + 2];
	struct single *s = calloc(1, sizeof(*s));
	const struct plan_walk walk = { touch_tick, touch_packet, s };

	if (!s || sample_view(a, 0, &out->view)) {
		free(s);
		return no_memory(r);
	}
	s->w.a = a;
	s->w.out = &out->hits;
	s->every = 1;
	pattern_of(p, &s->is);
	live_bank(&s->w);
	sample_walk(&out->view, &walk);
	judge_picked(s);
	free(s);
	snprintf(other, sizeof(other), "the block of %s",
		 sl_prefix_str(p, text));
	if (out->hits.no_memory || plan_find_share(out, other))
		return no_memory(r);
	snprintf(who, sizeof(who), "%s: ", other);
	return plan_refuses(a, out, who, REMEDY, r);
}
