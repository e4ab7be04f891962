// SPDX-License-Identifier: GPL-2.0
/* Rules to bits, and their addresses to groups. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "abv_priv.h"
#include "rib.h"

/* --- bits: a rule's, and a second one for "either port" --- */
/* Values of both sets, or of a without b. Neither is "any". */
static int combine(const struct sl_spans *a, const struct sl_spans *b,
		   bool without, struct sl_spans *out)
{
	unsigned int i, k;
	uint32_t lo;
	int rc = 0;

	for (i = 0; i < a->n && !rc; i++) {
		lo = a->s[i].lo;
		for (k = 0; k < b->n && !rc; k++) {
			struct sl_span s = b->s[k];

			if (s.hi < lo || s.lo > a->s[i].hi)
				continue;
			if (!without)
				rc = sl_spans_add(out, s.lo > lo ? s.lo : lo,
						  s.hi < a->s[i].hi ? s.hi :
						  a->s[i].hi);
			else if (s.lo > lo)
				rc = sl_spans_add(out, lo, s.lo - 1);
			if (without)
				lo = s.hi + 1;
		}
		if (without && !rc && lo <= a->s[i].hi)
			rc = sl_spans_add(out, lo, a->s[i].hi);
	}
	return rc;
}

static struct sl_abv_bit *add_bit(struct sl_abv *a, uint32_t rule)
{
	struct sl_abv_bit *b = &a->bit[a->n_bits++];

	*b = (struct sl_abv_bit){ .rule = rule,
				  .until_ns = a->rules[rule].rule->until_ns };
	return b;
}

/*
 * "Source or destination port in P" as two rules that no packet matches both:
 * source port in P; source port not in P and destination port in P.
 */
static int split_bits(struct sl_abv *a, uint32_t rule)
{
	static struct sl_span all_ports = { 0, 65535 };
	static const struct sl_spans all = { &all_ports, 1 };
	const struct sl_rule_match *m = &a->rules[rule].rule->match;
	const struct sl_spans *s = m->sport.n ? &m->sport : &all;
	const struct sl_spans *d = m->dport.n ? &m->dport : &all;
	struct sl_abv_bit *b = add_bit(a, rule);
	int rc;

	b->split = true;
	rc = combine(s, &m->port, false, &b->sport) |
	     combine(d, &all, false, &b->dport);
	if (!b->sport.n) {	/* holds nowhere */
		free(b->dport.s);
		b->dport = (struct sl_spans){};
	}
	b = add_bit(a, rule);
	b->split = true;
	rc |= combine(s, &m->port, true, &b->sport) |
	      combine(d, &m->port, false, &b->dport);
	return rc ? -ENOMEM : 0;
}

static int make_bits(struct sl_abv *a)
{
	unsigned int i, n = 0;
	int rc = 0;

	for (i = 0; i < a->n_rules; i++)
		n += a->rules[i].rule->match.port.n ? 2 : 1;
	if (n > SL_MAX_RULES)
		return sl_abv_fail(a, -E2BIG, "%u rules are too many, the "
				   "limit is %d (one on either port counts "
				   "twice)", n, SL_MAX_RULES);
	a->bit = calloc(n + 1, sizeof(*a->bit));
	if (!a->bit)
		return -ENOMEM;
	for (i = 0; i < a->n_rules && !rc; i++) {
		if (a->rules[i].rule->match.port.n)
			rc = split_bits(a, i);
		else
			add_bit(a, i);
	}
	a->words = (n + 127) / 128 * 2;
	return rc;
}

/* A rule's end by the data plane's clock. */
static uint64_t end_ns(const struct sl_abv *a, uint32_t bit)
{
	int64_t until_ns = a->bit[bit].until_ns + a->clock_ns;

	if (!a->bit[bit].until_ns)
		return 0;
	return until_ns > 0 ? until_ns : 1;
}

#define CLOCK_SLACK_NS	100000000	/* what slewing does is let be so far */

void sl_abv_set_clock(struct sl_abv *a, int64_t clock_ns)
{
	int64_t by_ns = clock_ns - a->clock_ns;
	uint32_t bit;

	if (by_ns < CLOCK_SLACK_NS && by_ns > -CLOCK_SLACK_NS)
		return;
	a->clock_ns = clock_ns;
	for (bit = 0; bit < a->n_bits; bit++)
		if (a->bit[bit].until_ns)
			__atomic_store_n(&a->img.act[bit].until_ns,
					 end_ns(a, bit), __ATOMIC_RELAXED);
}

static void make_act(struct sl_abv *a, uint32_t bit)
{
	const struct sl_abv_rule *ar = &a->rules[a->bit[bit].rule];
	const struct sl_rule *r = ar->rule;
	struct sl_act act = { .action = r->action, .slot = ar->slot,
			      .until_ns = end_ns(a, bit) };
	const uint64_t second = 1000000000ULL * SL_LIMIT_UNIT;

	if (r->match.at == SL_HEADER_OUTER)
		act.flags |= SL_ACTF_OUTER;
	if (r->action == SL_ACT_LIMIT) {
		if (r->limit.per_source)
			act.flags |= SL_ACTF_PER_SOURCE;
		if (r->limit.bps) {
			act.flags |= SL_ACTF_BYTES;
			act.cost = (unsigned __int128)second * 8 * 65536 /
				   r->limit.bps;
			act.burst = (unsigned __int128)act.cost *
				    r->limit.burst >> 16;
		} else {
			act.cost = second / r->limit.pps;
			/* the packet itself is one of the burst */
			act.burst = (r->limit.burst - 1) * act.cost;
		}
		if (act.burst >= SL_LIMIT_COARSE_NS * SL_LIMIT_UNIT)
			act.flags |= SL_ACTF_COARSE;
	}
	a->img.act[bit] = act;
}

/* --- addresses --- */
/* A rule's bit at one of its prefixes or lists. */
struct named {
	struct sl_prefix p;
	const char *list;
	uint32_t bit;
	bool src;
};

struct names_found {
	struct named *n;
	size_t n_all, room;
};

static int note(struct names_found *f, const struct sl_prefix *p,
		const char *list, uint32_t bit, bool src)
{
	struct named *grown;

	if (f->n_all == f->room) {
		f->room = f->room ? f->room * 2 : 256;
		grown = realloc(f->n, f->room * sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		f->n = grown;
	}
	f->n[f->n_all] = (struct named){ .list = list, .bit = bit, .src = src };
	if (p)
		f->n[f->n_all].p = *p;
	f->n_all++;
	return 0;
}

static int note_addr(struct names_found *f, const struct sl_rule_addr *addr,
		     uint32_t bit, bool src)
{
	unsigned int i;
	int rc = 0;

	for (i = 0; i < addr->n && !rc; i++)
		rc = note(f, &addr->p[i], NULL, bit, src);
	for (i = 0; i < addr->n_lists && !rc; i++)
		rc = note(f, NULL, addr->list[i], bit, src);
	return rc;
}

/* Lists first, by name; then prefixes. */
static int by_name(const void *x, const void *y)
{
	const struct named *a = x, *b = y;

	if (!a->list != !b->list)
		return a->list ? -1 : 1;
	return a->list ? strcmp(a->list, b->list) : sl_prefix_cmp(&a->p, &b->p);
}

static bool has_addr(const struct sl_rule_addr *addr)
{
	return addr->n || addr->n_lists;
}

/* The group of these bits, made when there is none. */
static int group_of(struct sl_abv *a, const struct sl_abv_group *g,
		    uint32_t *out)
{
	uint64_t key = sl_abv_hash(&g->dst, a->words,
				   sl_abv_hash(&g->src, a->words, 1)) | 1;
	struct sl_abv_group *grown;

	for (; sl_memo_get(&a->group_of, key, out); key += 2)
		if (!memcmp(&a->group[*out], g, sizeof(*g)))
			return 0;
	/* each would need a compound, and takes over a kilobyte here */
	if (a->n_groups >= SL_MAX_COMPOUNDS)
		return sl_abv_fail(a, -E2BIG, "the rules' addresses meet in "
				   "over %u ways", SL_MAX_COMPOUNDS);
	if (!(a->n_groups & (a->n_groups - 1))) {
		grown = realloc(a->group, (a->n_groups ? a->n_groups * 2 : 1) *
				sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		a->group = grown;
	}
	a->group[a->n_groups] = *g;
	*out = a->n_groups++;
	return sl_memo_put(&a->group_of, key, *out);
}

/* One prefix or list, and all the bits at it. */
static int add_named(struct sl_abv *a, const struct named *n, size_t same,
		     const struct sl_abv_names *names)
{
	struct sl_abv_group g = {};
	struct sl_abv_list *l;
	uint32_t group;
	size_t i;
	int rc;

	for (i = 0; i < same; i++)
		sl_bit_set(n[i].src ? &g.src : &g.dst, n[i].bit);
	rc = group_of(a, &g, &group);
	if (rc)
		return rc;
	if (!n->list) {
		a->prefix[a->n_prefixes].p = n->p;
		a->prefix[a->n_prefixes++].group = group;
		return 0;
	}
	l = &a->list[a->n_lists++];
	strcpy(l->name, n->list);
	l->group = group;
	l->set = names->list(names->arg, n->list);
	return l->set ? 0 : sl_abv_fail(a, -ENOENT, "rule %s names the list "
		"%s, which is not there", a->rules[a->bit[n->bit].rule].rule->id,
		n->list);
}

int sl_abv_addresses(struct sl_abv *a, const struct sl_abv_names *names)
{
	struct names_found f = {};
	struct sl_bits src = {}, dst = {};
	size_t i, same;
	uint32_t b;
	int rc = 0;

	for (b = 0; b < a->n_bits && !rc; b++) {
		const struct sl_rule_match *m = sl_abv_match(a, b);

		rc = note_addr(&f, &m->src, b, true);
		if (!rc)
			rc = note_addr(&f, &m->dst, b, false);
		if (!has_addr(&m->src))
			sl_bit_set(&src, b);
		else
			a->head |= SL_RULES_SRC;
		if (!has_addr(&m->dst))
			sl_bit_set(&dst, b);
		else
			a->head |= SL_RULES_DST;
		if (!has_addr(&m->src) && !has_addr(&m->dst))
			a->head |= SL_RULES_ANY;
	}
	a->prefix = calloc(f.n_all + 1, sizeof(*a->prefix));
	a->list = calloc(f.n_all + 1, sizeof(*a->list));
	if (!rc && (!a->prefix || !a->list))
		rc = -ENOMEM;
	if (!rc && f.n_all)
		qsort(f.n, f.n_all, sizeof(*f.n), by_name);
	/* rows SL_ROW_SRC and SL_ROW_DST, even where both are of the same bits */
	if (!rc && sl_abv_row(a, &src) == SL_ROW_SRC &&
	    sl_abv_row(a, &dst) == SL_ROW_SRC)
		rc = sl_abv_copy_row(a, SL_ROW_DST);
	for (i = 0; i < f.n_all && !rc; i += same) {
		for (same = 1; i + same < f.n_all &&
		     !by_name(&f.n[i], &f.n[i + same]); same++)
			;
		rc = add_named(a, &f.n[i], same, names);
	}
	free(f.n);
	return rc;
}

int sl_abv_compile(struct sl_abv *a, const struct sl_abv_rule *rules,
		   unsigned int n, const struct sl_abv_names *names)
{
	uint32_t b;
	int rc;

	a->rules = rules;
	a->n_rules = n;
	a->clock_ns = names->clock_ns;
	a->head = n ? SL_RULES_SOME : 0;
	rc = make_bits(a);
	for (b = 0; b < a->n_bits && !rc; b++)
		make_act(a, b);
	if (!rc && n)
		rc = sl_abv_addresses(a, names);
	if (!rc && n)
		rc = sl_abv_dims(a, names);
	/* one dimension at least: a row says how many bits there are */
	if (n && !(a->head & ((1U << (SL_DIM_MAX + 2)) - 1)))
		a->head |= SL_RULES_SRC;
	a->rules = NULL;	/* the caller's own again */
	if (rc)
		return sl_abv_fail(a, rc, "out of memory");
	return a->failed;
}
