// SPDX-License-Identifier: GPL-2.0
/* Routes of all neighbours -> one rule set, blackholes first, then FlowSpec in
 * the order of RFC 8955 5.1; and why some are not in it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "flowspec_priv.h"

/* A rule file may come to so many at any time, whatever peers announce. */
#define LEFT_FOR_FILE	1024

struct entry {
	const struct neighbour *n;
	const struct sl_route *r;
	struct flow_route *fr;
};

void flow_route_forget(struct sl_route *r)
{
	struct flow_route *fr = r->more;

	if (!fr)
		return;
	sl_rule_clear(&fr->rule);
	free(fr);
	r->more = NULL;
}

static int read_flowspec(struct sl_route *r, const char *peer,
			 struct flow_route *fr)
{
	const uint8_t *ext = r->bytes + r->key_b;
	int rc = sl_flowspec_decode(r->family, r->bytes, r->key_b, &fr->f,
				    fr->why);

	if (!rc)
		rc = sl_flowspec_actions(ext, r->ext_b, ext + r->ext_b,
					 r->ext6_b, &fr->actions, fr->why);
	if (!rc)
		rc = sl_flowspec_rule(&fr->f, &fr->actions, peer, &fr->rule,
				      &fr->accepts, fr->why);
	return rc;
}

/* A peer could fill the memory with sets of values. */
static unsigned int spans_of_all(const struct flowspec *fs)
{
	unsigned int i, k, sum = 0;

	for (i = 0; i < fs->count; i++)
		for (k = 0; k < fs->n[i]->routes.n; k++) {
			const struct flow_route *fr = fs->n[i]->routes.r[k]->more;

			if (fr && fr->usable)
				sum += sl_rule_spans(&fr->rule);
		}
	return sum;
}

int flow_route_read(const struct flowspec *fs, struct sl_route *r,
		    const char *peer)
{
	struct flow_route *fr = calloc(1, sizeof(*fr));
	struct sl_prefix dst;
	int rc;

	if (!fr)
		return -ENOMEM;
	r->more = fr;
	fr->slot = -1;
	if (r->kind == SL_BGP_FLOWSPEC) {
		rc = read_flowspec(r, peer, fr);
	} else {
		rc = sl_bgp_prefix(r->family, r->bytes, r->key_b, &dst);
		if (rc)
			snprintf(fr->why, sizeof(fr->why), "no prefix");
		else
			rc = sl_flowspec_blackhole(&dst, peer, &fr->rule,
						   fr->why);
	}
	if (!rc && sl_rule_spans(&fr->rule) > LEAST_SPANS &&
	    spans_of_all(fs) + sl_rule_spans(&fr->rule) > MAX_SPANS) {
		snprintf(fr->why, sizeof(fr->why), "no room for its %u ranges "
			 "of values", sl_rule_spans(&fr->rule));
		sl_rule_clear(&fr->rule);
		rc = -EOPNOTSUPP;
	}
	fr->usable = !rc;
	return rc == -ENOMEM ? rc : 0;
}

static int by_order(const void *x, const void *y)
{
	const struct entry *a = x, *b = y;
	int rc;

	if (a->r->kind != b->r->kind)	/* blackholes first */
		return (int)b->r->kind - (int)a->r->kind;
	rc = a->r->kind == SL_BGP_FLOWSPEC ?
	     sl_flowspec_cmp(&a->fr->f, &b->fr->f) : 0;
	/* of equals, the neighbour's name decides: always the same way */
	return rc ? rc : strcmp(a->fr->rule.id, b->fr->rule.id);
}

static int by_id(const void *x, const void *y)
{
	const struct entry *const *a = x, *const *b = y;

	return strcmp((*a)->fr->rule.id, (*b)->fr->rule.id);
}

static void refuse_now(struct flowspec *fs, struct entry *e, const char *text)
{
	if (strcmp(e->fr->now, text) && ++fs->said <= SAID_MAX)
		say(LOG_WARNING, "flowspec: %s: refused: %s (%s)", e->n->name,
		    text, e->fr->rule.why);
	snprintf(e->fr->now, sizeof(e->fr->now), "%s", text);
	e->fr->chosen = false;
}

/* Every route with a rule; those of a purged session are not asked. */
static struct entry *collect(struct flowspec *fs, unsigned int *count)
{
	struct entry *all = calloc(flowspec_total(fs) + 1, sizeof(*all));
	unsigned int i, k, n = 0;

	for (i = 0; all && i < fs->count; i++)
		for (k = 0; k < fs->n[i]->routes.n; k++) {
			struct entry e = { fs->n[i], fs->n[i]->routes.r[k],
					   fs->n[i]->routes.r[k]->more };

			e.fr->chosen = e.fr->usable;
			if (e.fr->usable && e.n->up && e.n->held &&
			    e.n->held == e.n->session)
				refuse_now(fs, &e, "purged by hand until the "
					   "session comes up anew");
			else if (e.fr->usable)
				all[n++] = e;
		}
	*count = n;
	return all;
}

static bool touches_protected(const struct agent *a,
			      const struct sl_rule_addr *addr,
			      struct sl_prefix *which)
{
	unsigned int i;

	/* before the first tables stand, the data plane alone protects */
	for (i = 0; a->base && i < addr->n; i++)
		if (sl_rib_protects(a->base, &addr->p[i], which))
			return true;
	return false;
}

static void check_protected(const struct agent *a, struct entry *e)
{
	char text[SL_PREFIX_STR_B], line[SL_FLOWSPEC_WHY_B];
	struct sl_prefix which;

	if (e->fr->rule.action != SL_ACT_COUNT &&
	    (touches_protected(a, &e->fr->rule.match.dst, &which) ||
	     touches_protected(a, &e->fr->rule.match.src, &which)))
		snprintf(line, sizeof(line), "it touches the protected %s",
			 sl_prefix_str(&which, text));
	else if (guards_forbid(a, &e->fr->rule, &which))
		snprintf(line, sizeof(line), "it would hit a protected port "
			 "of the gateway's own %s",
			 sl_prefix_str(&which, text));
	else
		return;
	refuse_now(a->flowspec, e, line);
}

/* Two routes of one id: a peer can make such bytes. The first by order has it. */
static int check_ids(struct flowspec *fs, struct entry *all, unsigned int n)
{
	struct entry **by = calloc(n + 1, sizeof(*by));
	unsigned int i;

	for (i = 0; by && i < n; i++)
		by[i] = &all[i];
	if (!by)
		return -ENOMEM;
	qsort(by, n, sizeof(*by), by_id);
	for (i = 1; i < n; i++)
		if (!by_id(&by[i - 1], &by[i]))
			refuse_now(fs, by[i], "another route has its number");
	free(by);
	return 0;
}

/* Who accepts ends the evaluation; `count` goes on, which is the same thing
 * only where nothing behind it acts on the same packets. */
static void check_accepting(struct flowspec *fs, struct entry *all,
			    unsigned int n)
{
	unsigned int i, k;

	for (i = 0; i < n; i++) {
		if (!all[i].fr->chosen || !all[i].fr->accepts)
			continue;
		for (k = i + 1; k < n; k++)
			if (all[k].fr->chosen &&
			    all[k].fr->rule.action != SL_ACT_COUNT &&
			    sl_rules_overlap(&all[i].fr->rule,
					     &all[k].fr->rule))
				break;
		if (k < n)
			refuse_now(fs, &all[i], "it accepts what a later rule acts "
				   "on; passing would lift blocks and lists");
	}
}

/* The data plane has a rule on either port twice. */
static int weight(const struct sl_rule *r)
{
	return r->match.port.n ? 2 : 1;
}

static int weight_of(const struct rules *r)
{
	unsigned int i;
	int sum = 0;

	for (i = 0; r && i < r->set.n; i++)
		sum += weight(&r->set.r[i]);
	return sum;
}

static void judge(const struct agent *a, struct entry *all, unsigned int n)
{
	int file = weight_of(a->rules), used = weight_of(a->guard);
	struct flowspec *fs = a->flowspec;
	unsigned int i;

	for (i = 0; i < n; i++) {
		check_protected(a, &all[i]);
		if (fs->spans_max &&
		    sl_rule_spans(&all[i].fr->rule) > fs->spans_max)
			refuse_now(fs, &all[i], "too many ranges of values "
				   "for the data plane beside other rules");
	}
	check_accepting(fs, all, n);
	used += file > LEFT_FOR_FILE ? file : LEFT_FOR_FILE;
	for (i = 0; i < n; i++) {
		if (!all[i].fr->chosen)
			continue;
		if (used + weight(&all[i].fr->rule) > SL_MAX_RULES)
			refuse_now(fs, &all[i], "no room for more rules");
		else
			used += weight(&all[i].fr->rule);
		if (all[i].fr->chosen)
			all[i].fr->now[0] = '\0';
	}
}

struct sl_ruleset *flowspec_rules(struct agent *a)
{
	struct sl_ruleset *set = calloc(1, sizeof(*set));
	unsigned int i, n = 0;
	struct entry *all = collect(a->flowspec, &n);
	struct sl_rule *r;
	int rc = set && all ? 0 : -ENOMEM;

	if (!rc) {
		qsort(all, n, sizeof(*all), by_order);
		rc = check_ids(a->flowspec, all, n);
	}
	if (!rc)
		judge(a, all, n);
	for (i = 0; !rc && i < n; i++) {
		if (!all[i].fr->chosen)
			continue;
		r = sl_ruleset_add(set);
		rc = r ? sl_rule_copy(r, &all[i].fr->rule) : -ENOMEM;
		if (!rc && !all[i].n->up)
			r->until_ns = all[i].n->deadline_ns;
		else if (!rc && all[i].r->stale)
			r->until_ns = all[i].n->stale_until_ns;
	}
	free(all);
	if (!rc)
		return set;
	if (set)
		sl_ruleset_free(set);
	free(set);
	return NULL;
}

static int by_rule(const void *x, const void *y)
{
	const struct sl_rule *const *a = x, *const *b = y;

	return strcmp((*a)->id, (*b)->id);
}

/* A route that was announced otherwise meanwhile is not in it. */
static int slot_of(const struct agent *a, const struct sl_rule **by,
		   const struct sl_rule *rule)
{
	const struct sl_rule **at = bsearch(&rule, by, a->flow->set.n,
					    sizeof(*by), by_rule);

	if (!at || (*at)->action != rule->action ||
	    (*at)->limit.bps != rule->limit.bps ||
	    (*at)->limit.pps != rule->limit.pps)
		return -1;
	return a->flow->slot[*at - a->flow->set.r];
}

void flowspec_settle(struct agent *a)
{
	const struct sl_rule **by = calloc(a->flow->set.n + 1, sizeof(*by));
	struct flowspec *fs = a->flowspec;
	struct flow_route *fr;
	unsigned int i, k;

	for (i = 0; by && i < a->flow->set.n; i++)
		by[i] = &a->flow->set.r[i];
	if (by)
		qsort(by, a->flow->set.n, sizeof(*by), by_rule);
	for (i = 0; i < fs->count; i++)
		for (k = 0; k < fs->n[i]->routes.n; k++) {
			fr = fs->n[i]->routes.r[k]->more;
			fr->slot = by && fr->chosen ?
				   slot_of(a, by, &fr->rule) : -1;
		}
	free(by);
}
