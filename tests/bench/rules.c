// SPDX-License-Identifier: GPL-2.0
/*
 * What rules add to a packet: the same tables in both banks, rules in one of
 * them, and the epoch flipped between runs. FlowSpec rules as they are
 * announced against attacks: most for one home address, some for an address
 * pair, one in eight for any address, so that no packet is spared the match.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "bench.h"
#include "ruleset.h"

#define RUNS 9

static int no_name(void *arg, const char *name)
{
	(void)arg;
	(void)name;
	return -1;
}

static void one_prefix(struct sl_rule_addr *a, uint32_t addr, int len)
{
	a->p = calloc(1, sizeof(*a->p));
	a->n = 1;
	a->p->family = 4;
	a->p->len = len;
	addr = __builtin_bswap32(addr & ~(len == 32 ? 0 : ~0U >> len));
	memcpy(a->p->addr, &addr, 4);
}

/* A rule on ports below 1024, which no packet of the stream has. */
static void flowspec_rule(struct bench *b, struct sl_rule *r, unsigned int i,
			  bool any)
{
	struct sl_rule_match *m = &r->match;

	snprintf(r->id, sizeof(r->id), "r%u", i);
	r->action = SL_ACT_DROP;
	m->at = SL_HEADER_OUTER;
	m->family = 4;
	sl_spans_add(&m->proto, i % 5 ? 17 : 6, i % 5 ? 17 : 6);
	sl_spans_add(i % 3 ? &m->sport : &m->dport, bench_random(b) % 1024,
		     1024);
	if (i % 4 == 0)
		sl_spans_add(&m->length_b, 100 + i % 400, 1500);
	if (any && i % 8 == 0)
		return;
	one_prefix(&m->dst, HOME4 | (bench_random(b) & 4095), 32);
	if (i % 4 == 1)
		one_prefix(&m->src, tables_hit4(b), 24);
}

/* Rules into the bank that is not live, and live they are. */
static struct sl_abv *commit(struct bench *b, const struct sl_ruleset *set)
{
	const struct sl_abv_names names = { .lane = no_name, .path = no_name };
	struct sl_abv_rule *all = calloc(set->n, sizeof(*all));
	struct sl_rib *rib = sl_rib_new();
	struct sl_abv *abv;
	unsigned int i;

	for (i = 0; i < set->n; i++)
		all[i] = (struct sl_abv_rule){ &set->r[i], i };
	sl_dp_idle(b->dp);
	abv = sl_abv_new(sl_dp_idle_rules(b->dp), 0);
	if (sl_abv_compile(abv, all, set->n, &names) ||
	    sl_rib_add_rib(rib, b->rib) || sl_abv_add_groups(abv, rib) ||
	    sl_rib_sort(rib) ||
	    sl_dp_commit(b->dp, (struct sl_rib_pair){ .base = rib,
						      .abv = abv }))
		die("rules: %s %s", sl_abv_error(abv), sl_dp_error(b->dp));
	sl_rib_free(rib);
	free(all);
	return abv;
}

/* ns by which the rules' bank is slower; the other bank is live then. */
static void against_other_bank(struct bench *b, const char *id,
			       const char *subject, const struct stream *s)
{
	double d[RUNS], without[RUNS];
	int k;

	bench_load(b->obj, s);
	bench_run(b->obj, "ignored", s, 2);
	for (k = 0; k < RUNS; k++) {
		d[k] = bench_run(b->obj, "ignored", s, 2);
		sl_dp_flip(b->dp);
		without[k] = bench_run(b->obj, "ignored", s, 2);
		d[k] -= without[k];
		if (k + 1 < RUNS)
			sl_dp_flip(b->dp);
	}
	bench_print(id, subject, d, without, RUNS);
}

static void measure_flowspec(struct bench *b, const struct stream *s,
			     const char *id, unsigned int n, bool any)
{
	struct sl_ruleset set = {};
	struct sl_abv *abv;
	unsigned int i;

	/* RFC 8955 5.1: who has a destination comes first */
	for (i = 0; i < n; i++)
		if (!any || i % 8)
			flowspec_rule(b, sl_ruleset_add(&set), i, any);
	for (i = 0; any && i < n; i += 8)
		flowspec_rule(b, sl_ruleset_add(&set), i, any);
	abv = commit(b, &set);
	against_other_bank(b, id, any ? "sealane" : "addressed", s);
	sl_abv_free(abv);
	sl_ruleset_free(&set);
}

/* One rule that every packet meets: limited, against passed. */
static void measure_limit(struct bench *b, const struct stream *s,
			  const char *subject, bool per_source)
{
	struct sl_ruleset pass = {}, limit = {};
	struct sl_rule *r = sl_ruleset_add(&pass);
	struct sl_abv *first, *second;

	r->action = SL_ACT_PASS;
	first = commit(b, &pass);
	r = sl_ruleset_add(&limit);
	r->action = SL_ACT_LIMIT;
	r->limit.pps = 1000000000;
	r->limit.burst = 1000000;
	r->limit.per_source = per_source;
	second = commit(b, &limit);
	against_other_bank(b, "limit", subject, s);
	sl_abv_free(first);
	sl_abv_free(second);
	sl_ruleset_free(&pass);
	sl_ruleset_free(&limit);
}

void measure_rules(struct bench *b)
{
	struct sl_ruleset none = {};
	struct stream s;

	stream_ignored(b, &s);
	measure_flowspec(b, &s, "flowspec1024", 1024, true);
	measure_flowspec(b, &s, "flowspec1024", 1024, false);
	measure_flowspec(b, &s, "flowspec4096", 4096, true);
	measure_flowspec(b, &s, "flowspec4096", 4096, false);
	measure_limit(b, &s, "sealane", false);
	measure_limit(b, &s, "by_source", true);
	sl_abv_free(commit(b, &none));
	free((void *)s.steps);
}
