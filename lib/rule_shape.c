// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "rule_shape.h"
#include "rule_words.h"

#define ALL_DIRS	0x7
#define LAST(f)		((f) ? ~(sl_u128)0 : (sl_u128)UINT32_MAX)

/* --- a rule's shape --- */
static int by_first(const void *x, const void *y)
{
	const struct shape_range *a = x, *b = y;

	return a->first < b->first ? -1 : a->first > b->first;
}

static void merge(struct shape_addr *a)
{
	unsigned int i, n = 0;

	if (!a->n)
		return;
	qsort(a->r, a->n, sizeof(*a->r), by_first);
	for (i = 1; i < a->n; i++) {
		/* the very last address has no next one */
		if (a->r[n].last == ~(sl_u128)0 ||
		    a->r[i].first <= a->r[n].last + 1) {
			if (a->r[i].last > a->r[n].last)
				a->r[n].last = a->r[i].last;
		} else {
			a->r[++n] = a->r[i];
		}
	}
	a->n = n + 1;
}

static int make_addr(struct shape_addr *out, const struct sl_rule_addr *a,
		     int v6)
{
	unsigned int i;

	out->r = malloc((a->n + 1) * sizeof(*out->r));
	if (!out->r)
		return -ENOMEM;
	for (i = 0; i < a->n; i++)
		if (a->p[i].family == (v6 ? 6 : 4))
			out->r[out->n++] = (struct shape_range){
				sl_prefix_first(&a->p[i]),
				sl_prefix_last(&a->p[i]) };
	if (!a->n && !a->n_lists)
		out->r[out->n++] = (struct shape_range){ 0, LAST(v6) };
	merge(out);
	return 0;
}

static bool implied(const struct sl_rule_match *m, uint32_t proto)
{
	bool ports = m->sport.n || m->dport.n || m->port.n;

	return (!ports || sl_proto_has_ports(proto)) &&
	       (!m->tcp_flags.n || proto == SL_PROTO_TCP) &&
	       (!m->icmp.n || proto == SL_PROTO_ICMP ||
		proto == SL_PROTO_ICMPV6);
}

static bool make_protos(struct shape *s, const struct sl_rule_match *m)
{
	uint64_t some = 0;
	uint32_t p;

	for (p = 0; p < 256; p++)
		if (sl_spans_has(&m->proto, p) && implied(m, p))
			s->proto[p / 64] |= 1ULL << p % 64;
	for (p = 0; p < 4; p++)
		some |= s->proto[p];
	return some;
}

int shape_make(struct shape *s, const struct sl_rule *r)
{
	const struct sl_rule_match *m = &r->match;
	bool l4 = m->sport.n || m->dport.n || m->port.n || m->icmp.n ||
		  m->tcp_flags.n;
	int f;

	memset(s, 0, sizeof(*s));
	s->rule = r;
	s->dirs = m->dirs ? m->dirs : ALL_DIRS;
	s->frags = (m->frags ? m->frags : 0xffff) & SL_FRAGS_POSSIBLE;
	if (l4)
		s->frags &= ~SL_FRAGS_LATER;
	for (f = 0; f < 2; f++) {
		if (make_addr(&s->src[f], &m->src, f) ||
		    make_addr(&s->dst[f], &m->dst, f)) {
			shape_free(s);
			return -ENOMEM;
		}
		if ((s->src[f].n || m->src.n_lists) &&
		    (s->dst[f].n || m->dst.n_lists) &&
		    (!m->family || m->family == (f ? 6 : 4)))
			s->families |= 1U << f;
	}
	if (!make_protos(s, m) || !s->frags)
		s->families = 0;
	return 0;
}

void shape_free(struct shape *s)
{
	int f;

	for (f = 0; f < 2; f++) {
		free(s->src[f].r);
		free(s->dst[f].r);
	}
	memset(s, 0, sizeof(*s));
}

/* --- addresses --- */
static bool beside(const struct shape_addr *a, const struct shape_addr *b)
{
	return a->r[0].first > b->r[b->n - 1].last ||
	       b->r[0].first > a->r[a->n - 1].last;
}

static bool ranges_inside(const struct shape_addr *a,
			  const struct shape_addr *b, uint64_t *steps)
{
	unsigned int i, k = 0;

	for (i = 0; i < a->n; i++) {
		for (; k < b->n && b->r[k].last < a->r[i].first; k++)
			++*steps;
		++*steps;
		if (k == b->n || b->r[k].first > a->r[i].first ||
		    b->r[k].last < a->r[i].last)
			return false;
	}
	return true;
}

static bool ranges_meet(const struct shape_addr *a, const struct shape_addr *b,
			uint64_t *steps)
{
	unsigned int i = 0, k = 0;

	while (i < a->n && k < b->n) {
		++*steps;
		if (a->r[i].last < b->r[k].first)
			i++;
		else if (b->r[k].last < a->r[i].first)
			k++;
		else
			return true;
	}
	return false;
}

static bool among(const char *name, char (*of)[SL_NAME_B], unsigned int n,
		  uint64_t *steps)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		++*steps;
		if (!strcmp(of[i], name))
			return true;
	}
	return false;
}

static bool addr_covered(const struct shape_addr *a,
			 const struct sl_rule_addr *a_of,
			 const struct shape_addr *b,
			 const struct sl_rule_addr *b_of, int f,
			 uint64_t *steps)
{
	unsigned int i;

	if (b->n && !b->r[0].first && b->r[0].last == LAST(f))
		return true;
	for (i = 0; i < a_of->n_lists; i++)
		if (!among(a_of->list[i], b_of->list, b_of->n_lists, steps))
			return false;
	return ranges_inside(a, b, steps);
}

static bool addr_meets(const struct shape_addr *a,
		       const struct sl_rule_addr *a_of,
		       const struct shape_addr *b,
		       const struct sl_rule_addr *b_of, int f, uint64_t *steps)
{
	unsigned int i;

	/* a list is somewhere in every address */
	if ((a->n && !a->r[0].first && a->r[0].last == LAST(f)) ||
	    (b->n && !b->r[0].first && b->r[0].last == LAST(f)))
		return true;
	for (i = 0; i < a_of->n_lists; i++)
		if (among(a_of->list[i], b_of->list, b_of->n_lists, steps))
			return true;
	return ranges_meet(a, b, steps);
}

bool shape_apart(const struct shape *a, const struct shape *b)
{
	const struct sl_rule_match *m = &a->rule->match, *n = &b->rule->match;
	unsigned int both = a->families & b->families;
	int f;

	if (!(a->dirs & b->dirs))
		return true;
	for (f = 0; f < 2; f++) {
		if (!(both >> f & 1))
			continue;
		if ((m->src.n_lists || n->src.n_lists ||
		     !beside(&a->src[f], &b->src[f])) &&
		    (m->dst.n_lists || n->dst.n_lists ||
		     !beside(&a->dst[f], &b->dst[f])))
			return false;
	}
	return true;
}

/* --- numbers and names --- */
/* Every value that a names is one of b; what has no such field is in a when a
 * asks nothing. */
static bool spans_inside(const struct sl_spans *a, const struct sl_spans *b,
			 uint64_t *steps)
{
	unsigned int i, k = 0;

	if (!b->n)
		return true;
	for (i = 0; i < a->n; i++) {
		for (; k < b->n && b->s[k].hi < a->s[i].lo; k++)
			++*steps;
		++*steps;
		if (k == b->n || b->s[k].lo > a->s[i].lo ||
		    b->s[k].hi < a->s[i].hi)
			return false;
	}
	return a->n;
}

/* Is there a value that all of them have? */
static bool common(const struct sl_spans *const *s, int n, uint64_t *steps)
{
	unsigned int at[4] = {};
	uint32_t v = 0;
	int i = 0, same = 0;

	while (same < n) {
		const struct sl_spans *x = s[i];

		for (; at[i] < x->n && x->s[at[i]].hi < v; at[i]++)
			++*steps;
		++*steps;
		if (x->n && at[i] == x->n)
			return false;
		if (x->n && x->s[at[i]].lo > v) {
			v = x->s[at[i]].lo;
			same = 0;
		}
		same++;
		i = (i + 1) % n;
	}
	return true;
}

static bool spans_meet(const struct sl_spans *a, const struct sl_spans *b,
		       uint64_t *steps)
{
	const struct sl_spans *const s[] = { a, b };

	return common(s, 2, steps);
}

/* `port` is met by the source's or by the destination's: try each for each. */
static bool ports_meet(const struct sl_rule_match *a,
		       const struct sl_rule_match *b, uint64_t *steps)
{
	static const struct sl_spans any;
	int how;

	for (how = 0; how < 4; how++) {
		const struct sl_spans *const src[] = { &a->sport, &b->sport,
			how & 1 ? &a->port : &any, how & 2 ? &b->port : &any };
		const struct sl_spans *const dst[] = { &a->dport, &b->dport,
			how & 1 ? &any : &a->port, how & 2 ? &any : &b->port };

		if (common(src, 4, steps) && common(dst, 4, steps))
			return true;
	}
	return false;
}

static bool ports_covered(const struct sl_rule_match *a,
			  const struct sl_rule_match *b, uint64_t *steps)
{
	return spans_inside(&a->sport, &b->sport, steps) &&
	       spans_inside(&a->dport, &b->dport, steps) &&
	       (spans_inside(&a->port, &b->port, steps) ||
		spans_inside(&a->sport, &b->port, steps) ||
		spans_inside(&a->dport, &b->port, steps));
}

static bool names_inside(const struct sl_names *a, const struct sl_names *b,
			 uint64_t *steps)
{
	unsigned int i;

	if (!b->n)
		return true;
	for (i = 0; i < a->n; i++)
		if (!among(a->name[i], b->name, b->n, steps))
			return false;
	return a->n;
}

static bool names_meet(const struct sl_names *a, const struct sl_names *b,
		       uint64_t *steps)
{
	unsigned int i;

	for (i = 0; b->n && i < a->n; i++)
		if (among(a->name[i], b->name, b->n, steps))
			return true;
	return !a->n || !b->n;
}

/* --- the whole match --- */
static bool protos_inside(const struct shape *a, const struct sl_rule_match *b)
{
	uint32_t p;

	if (!b->proto.n)
		return true;
	for (p = 0; p < 256; p++)
		if (a->proto[p / 64] >> p % 64 & 1 &&
		    !sl_spans_has(&b->proto, p))
			return false;
	return true;
}

bool shape_covered(const struct shape *a, const struct shape *b,
		   uint64_t *steps)
{
	const struct sl_rule_match *m = &a->rule->match, *n = &b->rule->match;
	uint16_t frags = n->frags ? n->frags : 0xffff;
	int f;

	if (m->at != n->at || a->dirs & ~b->dirs || a->frags & ~frags ||
	    a->families & ~b->families)
		return false;
	for (f = 0; f < 2; f++)
		if (a->families >> f & 1 &&
		    (!addr_covered(&a->src[f], &m->src, &b->src[f], &n->src, f,
				   steps) ||
		     !addr_covered(&a->dst[f], &m->dst, &b->dst[f], &n->dst, f,
				   steps)))
			return false;
	return protos_inside(a, n) && ports_covered(m, n, steps) &&
	       spans_inside(&m->icmp, &n->icmp, steps) &&
	       spans_inside(&m->tcp_flags, &n->tcp_flags, steps) &&
	       spans_inside(&m->length_b, &n->length_b, steps) &&
	       spans_inside(&m->dscp, &n->dscp, steps) &&
	       names_inside(&m->lanes, &n->lanes, steps) &&
	       names_inside(&m->paths, &n->paths, steps);
}

static bool families_meet(const struct shape *a, const struct shape *b,
			  uint64_t *steps)
{
	const struct sl_rule_match *m = &a->rule->match, *n = &b->rule->match;
	uint16_t frags = a->frags & b->frags;
	int f;

	for (f = 0; f < 2; f++)
		if (a->families & b->families & 1U << f &&
		    frags & (f ? ~SL_FRAGS_DF : 0xffff) &&	/* v6: no DF */
		    addr_meets(&a->src[f], &m->src, &b->src[f], &n->src, f,
			       steps) &&
		    addr_meets(&a->dst[f], &m->dst, &b->dst[f], &n->dst, f,
			       steps))
			return true;
	return false;
}

bool shape_overlap(const struct shape *a, const struct shape *b,
		   uint64_t *steps)
{
	const struct sl_rule_match *m = &a->rule->match, *n = &b->rule->match;
	uint64_t protos = 0;
	int i;

	for (i = 0; i < 4; i++)
		protos |= a->proto[i] & b->proto[i];
	return a->dirs & b->dirs && protos && families_meet(a, b, steps) &&
	       ports_meet(m, n, steps) &&
	       spans_meet(&m->icmp, &n->icmp, steps) &&
	       spans_meet(&m->tcp_flags, &n->tcp_flags, steps) &&
	       spans_meet(&m->length_b, &n->length_b, steps) &&
	       spans_meet(&m->dscp, &n->dscp, steps) &&
	       names_meet(&m->lanes, &n->lanes, steps) &&
	       names_meet(&m->paths, &n->paths, steps);
}
