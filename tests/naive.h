/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A stupid twin of the rule matcher: rules and packets at random, from few
 * values so that they meet, and a comparison field by field.
 */
#ifndef SL_TEST_NAIVE_H
#define SL_TEST_NAIVE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <arpa/inet.h>
#include "abv.h"
#include "prefix.h"
#include "rib.h"
#include "ruleset.h"

/* One header of a packet, as it was meant. */
struct header {
	int family;
	const char *src, *dst;
	unsigned int proto, sport, dport, icmp, flags, len_b, dscp, frag;
};

struct packet {
	struct header in, out;	/* out.family 0: no tunnel */
	unsigned int lane, path, dir;
};

static const char *const pool4[] = { "198.18.0.2", "198.18.0.130",
	"203.0.113.5", "203.0.113.66", "203.0.113.200", "192.0.2.1",
	"192.0.2.129", "10.9.8.7", "198.18.0.1" };
static const char *const pool6[] = { "2001:db8::2", "2001:db8:1::5",
	"2001:db8:1::66", "2001:db8:1:8000::1", "2001:db8:ffff::1" };
static const char *const nets4[] = { "198.18.0.0/24", "198.18.0.128/25",
	"203.0.113.0/24", "203.0.113.0/25", "203.0.113.5", "203.0.113.64/26",
	"192.0.2.0/24", "192.0.2.128/25", "192.0.0.0/8", "10.0.0.0/8",
	"0.0.0.0/1", "198.18.0.2" };
static const char *const nets6[] = { "2001:db8::/64", "2001:db8:1::/48",
	"2001:db8:1::/49", "2001:db8::/32", "2001:db8:1::5", "2000::/3" };
static const unsigned int ports[] = { 0, 22, 53, 80, 443, 1023, 1024, 5000,
	65535 };

#define PICK(a) ((a)[random() % (sizeof(a) / sizeof((a)[0]))])
#define MAYBE(n) (random() % (n) == 0)

/* What the list "seed" holds. */
static const char *const seed_nets[] = { "203.0.113.192/26", "192.0.2.1",
	"2001:db8:1:8000::/49" };

static inline bool inside(const char *net, const char *addr)
{
	struct sl_prefix n, a;

	sl_prefix_parse(net, &n, NULL);
	sl_prefix_parse(addr, &a, NULL);
	return sl_prefix_covers(&n, &a);
}

/* --- rules --- */
static inline void random_spans(struct sl_spans *s, const unsigned int *v,
				unsigned int n, unsigned int max)
{
	unsigned int k = 1 + random() % 3, lo, hi;

	while (k--) {
		lo = v[random() % n];
		hi = MAYBE(2) ? lo : lo + random() % 3000;
		sl_spans_add(s, lo, hi > max ? max : hi);
	}
	sl_spans_finish(s);
}

static inline void random_addr(struct sl_rule_addr *a, int family)
{
	unsigned int k = 1 + random() % 3;
	struct sl_prefix p;

	a->p = calloc(k, sizeof(*a->p));
	while (k--) {
		sl_prefix_parse(family == 4 ? PICK(nets4) : PICK(nets6), &p,
				NULL);
		a->p[a->n++] = p;
	}
	if (MAYBE(6)) {
		a->list = calloc(1, sizeof(*a->list));
		strcpy(a->list[a->n_lists++], "seed");
	}
}

static inline void random_rule(struct sl_rule *r, unsigned int i)
{
	static const unsigned int protos[] = { 1, 6, 17, 47, 58, 132 };
	static const unsigned int icmps[] = { 0, 0x800, 0x301, 0x8000, 0xffff };
	static const unsigned int lens[] = { 0, 28, 40, 60, 100, 500, 1400 };
	static const unsigned int flags[] = { 0, 2, 16, 18, 20, 0x110, 4095 };
	static const unsigned int dscps[] = { 0, 1, 46, 63 };
	static const enum sl_action acts[] = { SL_ACT_DROP, SL_ACT_COUNT,
		SL_ACT_COUNT, SL_ACT_COUNT, SL_ACT_PASS, SL_ACT_LIMIT };
	struct sl_rule_match *m = &r->match;
	int family = MAYBE(3) ? 6 : 4;

	snprintf(r->id, sizeof(r->id), "r%u", i);
	r->action = PICK(acts);
	r->limit.pps = 1000000000;
	r->limit.burst = 1000000000;
	if (MAYBE(4))
		m->at = SL_HEADER_OUTER;
	if (!MAYBE(3))
		random_addr(&m->src, family);
	if (!MAYBE(3))
		random_addr(&m->dst, family);
	if (MAYBE(5))
		m->family = family;
	if (MAYBE(2))
		random_spans(&m->proto, protos, 6, 255);
	if (MAYBE(3))
		random_spans(&m->sport, ports, 9, 65535);
	if (MAYBE(3))
		random_spans(&m->dport, ports, 9, 65535);
	if (MAYBE(5))
		random_spans(&m->port, ports, 9, 65535);
	if (MAYBE(8))
		random_spans(&m->icmp, icmps, 5, 65535);
	if (MAYBE(8))
		random_spans(&m->tcp_flags, flags, 7, 4095);
	if (MAYBE(6))
		random_spans(&m->length_b, lens, 7, 65535);
	if (MAYBE(8))
		random_spans(&m->dscp, dscps, 4, 63);
	if (MAYBE(8))
		m->frags = random() & 0xffff;
	if (MAYBE(6))
		m->dirs = 1 + random() % 7;
	if (MAYBE(6))
		sl_names_add(&m->lanes, MAYBE(2) ? "other" : "one");
}

static inline void random_rules(struct sl_ruleset *set, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		random_rule(sl_ruleset_add(set), i);
}

/* --- packets --- */
/* TCP, UDP; the ports of others are not asked for (RFC 8955, 4.2.2.4). */
static inline bool has_ports(const struct header *h)
{
	return h->proto == 6 || h->proto == 17;
}

static inline void random_header(struct header *h)
{
	*h = (struct header){ .family = MAYBE(3) ? 6 : 4 };
	h->src = h->family == 4 ? PICK(pool4) : PICK(pool6);
	h->dst = h->family == 4 ? PICK(pool4) : PICK(pool6);
	h->dscp = MAYBE(2) ? 0 : MAYBE(2) ? 46 : random() % 64;
	switch (random() % 4) {
	case 0:
		h->proto = 6;
		h->flags = MAYBE(4) ? random() & 0xfff :
			   MAYBE(2) ? 0x02 : 0x10;
		break;
	case 1:
		h->proto = 17;
		break;
	case 2:
		h->proto = h->family == 4 ? 1 : 58;
		h->icmp = MAYBE(2) ? 0x800 : random() & 0xffff;
		break;
	default:
		h->proto = 132;
	}
	if (has_ports(h)) {
		h->sport = PICK(ports);
		h->dport = PICK(ports);
	}
	if (MAYBE(6)) {
		h->frag = MAYBE(2) ? SL_FRAG_FIRST : MAYBE(2) ? SL_FRAG_LATER :
			  SL_FRAG_LATER | SL_FRAG_LAST;
	} else if (h->family == 4 && MAYBE(2)) {
		h->frag = SL_FRAG_DF;
	}
}

static inline bool l4_seen(const struct header *h)
{
	return !(h->frag & SL_FRAG_LATER);
}

static inline void fields_of(const struct header *h, unsigned int at,
			     struct sl_fields *f)
{
	*f = (struct sl_fields){ .proto = h->proto, .len_b = h->len_b,
		.header = SL_HEADER(h->dscp, h->frag, h->family == 6, at) };
	if (!l4_seen(h))
		return;
	f->sport = h->sport;
	f->dport = h->dport;
	f->icmp = h->icmp;
	f->tcp_flags = h->flags;
	if (has_ports(h))
		f->has |= SL_HAS_PORTS;
	if (h->proto == 6)
		f->has |= SL_HAS_FLAGS;
	if (h->proto == 1 || h->proto == 58)
		f->has |= SL_HAS_ICMP;
}

static inline void glance_of(const struct packet *p, struct sl_glance *g)
{
	memset(g, 0, sizeof(*g));
	g->family = p->in.family;
	inet_pton(p->in.family == 4 ? AF_INET : AF_INET6, p->in.src, g->src);
	inet_pton(p->in.family == 4 ? AF_INET : AF_INET6, p->in.dst, g->dst);
	g->outer_family = p->out.family;
	fields_of(&p->in, p->out.family ? SL_HEADER_INNER : SL_HEADER_INNER |
		  SL_HEADER_OUTER, &g->in);
	g->where = SL_WHERE(p->lane, p->path, p->dir);
	if (!p->out.family)
		return;
	inet_pton(p->out.family == 4 ? AF_INET : AF_INET6, p->out.src,
		  g->outer_src);
	inet_pton(p->out.family == 4 ? AF_INET : AF_INET6, p->out.dst,
		  g->outer_dst);
	fields_of(&p->out, SL_HEADER_OUTER, &g->out);
}

/* --- the comparison --- */
static inline bool addr_matches(const struct sl_rule_addr *a, const char *addr)
{
	struct sl_prefix p;
	unsigned int i;

	sl_prefix_parse(addr, &p, NULL);
	for (i = 0; i < a->n; i++)
		if (sl_prefix_covers(&a->p[i], &p))
			return true;
	for (i = 0; a->n_lists && i < 3; i++)
		if (inside(seed_nets[i], addr))
			return true;
	return !a->n && !a->n_lists;
}

/* A field that is not there matches only who does not ask for it. */
static inline bool value_matches(const struct sl_spans *s, bool there,
				 unsigned int v)
{
	return !s->n || (there && sl_spans_has(s, v));
}

static inline bool header_matches(const struct sl_rule_match *m,
				  const struct header *h,
				  const struct packet *p)
{
	bool ports_seen = l4_seen(h) && has_ports(h);

	return (!m->family || m->family == h->family) &&
	       addr_matches(&m->src, h->src) &&
	       addr_matches(&m->dst, h->dst) &&
	       value_matches(&m->proto, true, h->proto) &&
	       value_matches(&m->sport, ports_seen, h->sport) &&
	       value_matches(&m->dport, ports_seen, h->dport) &&
	       (value_matches(&m->port, ports_seen, h->sport) ||
		value_matches(&m->port, ports_seen, h->dport)) &&
	       value_matches(&m->icmp, l4_seen(h) && (h->proto == 1 ||
			     h->proto == 58), h->icmp) &&
	       value_matches(&m->tcp_flags, l4_seen(h) && h->proto == 6,
			     h->flags) &&
	       value_matches(&m->length_b, true, h->len_b) &&
	       value_matches(&m->dscp, true, h->dscp) &&
	       (!m->frags || m->frags >> h->frag & 1) &&
	       (!m->dirs || m->dirs >> p->dir & 1) &&
	       sl_names_has(&m->lanes, p->lane ? "one" : "other");
}

static inline bool naive_matches(const struct sl_rule *r,
				 const struct packet *p)
{
	const struct header *h = r->match.at == SL_HEADER_OUTER &&
				 p->out.family ? &p->out : &p->in;

	return header_matches(&r->match, h, p);
}

/* --- names, for the compiler --- */
static struct sl_pset seed_set;

static inline int naive_lane(void *arg, const char *name)
{
	(void)arg;
	return !strcmp(name, "other") ? 0 : !strcmp(name, "one") ? 1 : -1;
}

static inline int naive_path(void *arg, const char *name)
{
	(void)arg;
	return !strcmp(name, "cable") ? 1 : -1;
}

static inline const struct sl_pset *naive_list(void *arg, const char *name)
{
	struct sl_prefix p;
	int i;

	(void)arg;
	if (strcmp(name, "seed"))
		return NULL;
	if (!seed_set.n4) {
		for (i = 0; i < 3; i++) {
			sl_prefix_parse(seed_nets[i], &p, NULL);
			sl_pset_add(&seed_set, &p);
		}
		sl_pset_finish(&seed_set);
	}
	return &seed_set;
}

static const struct sl_abv_names naive_names = {
	.lane = naive_lane, .path = naive_path, .list = naive_list };

/* Rules as the compiler takes them, slot i for rule i. */
static inline struct sl_abv_rule *as_rules(const struct sl_ruleset *set)
{
	struct sl_abv_rule *r = calloc(set->n + 1, sizeof(*r));
	unsigned int i;

	for (i = 0; i < set->n; i++)
		r[i] = (struct sl_abv_rule){ &set->r[i], i };
	return r;
}

#endif
