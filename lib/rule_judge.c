// SPDX-License-Identifier: GPL-2.0
/*
 * Rule files: the fields of a rule together. What no packet can be is a
 * mistake; what is protected is left alone; and what would match everything is
 * believed only by force.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "rule_priv.h"

#define V4	1U
#define V6	2U

/* Are these fields there, and right so far? */
static bool sound(const struct rule_reading *r, uint32_t fields)
{
	return !(r->bad & fields);
}

/* Families that an address field leaves. */
static unsigned int families_of(const struct sl_rule_addr *a)
{
	unsigned int f = a->n_lists || !a->n ? V4 | V6 : 0, i;

	for (i = 0; i < a->n; i++)
		f |= a->p[i].family == 4 ? V4 : V6;
	return f;
}

static unsigned int families(const struct sl_rule_match *m)
{
	unsigned int f = m->family == 4 ? V4 : m->family == 6 ? V6 : V4 | V6;

	return f & families_of(&m->src) & families_of(&m->dst);
}

/* The prefixes of an address field, each where it stands; lists and what is
 * none are passed over. */
typedef void (*prefix_fn)(struct rule_reading *r, const struct tree_node *n,
			  const char *key, const struct sl_prefix *p);

static void each_prefix(struct rule_reading *r, enum rule_field at,
			prefix_fn fn)
{
	const struct tree_node *n = at == F_SRC ? r->src : r->dst;
	bool list = n && n->kind == TREE_LIST;
	struct sl_prefix p;

	r->at = at;
	if (list)
		n = tree_first(r->tree, n);
	for (; n; n = list ? tree_next(r->tree, n) : NULL)
		if (n->kind == TREE_SCALAR && !sl_prefix_parse(n->text, &p, NULL))
			fn(r, n, at == F_SRC ? "src" : "dst", &p);
}

static void judge_family(struct rule_reading *r, const struct tree_node *n,
			 const char *key, const struct sl_prefix *p)
{
	if (p->family != r->rule->match.family)
		rule_wrong(r, n->line, "leave family: out, or the address",
			   "%s: %.60s is not of family %u", key, n->text,
			   r->rule->match.family);
}

static void judge_addresses(struct rule_reading *r)
{
	const struct sl_rule_match *m = &r->rule->match;

	if (m->family && sound(r, F_BIT(F_FAMILY))) {
		each_prefix(r, F_SRC, judge_family);
		each_prefix(r, F_DST, judge_family);
	}
	if (!sound(r, F_BIT(F_SRC) | F_BIT(F_DST)) ||
	    families_of(&m->src) & families_of(&m->dst))
		return;
	r->at = F_DST;
	rule_wrong(r, r->line[F_DST], "make two rules, one for each family",
		   "src is %s and dst %s: no packet is both",
		   families_of(&m->src) == V4 ? "IPv4" : "IPv6",
		   families_of(&m->dst) == V4 ? "IPv4" : "IPv6");
}

/* --- L4 fields and the protocol --- */
static bool has_proto(const struct sl_spans *proto, bool (*is)(uint32_t))
{
	uint32_t p;

	for (p = 0; p < 256; p++)
		if (is(p) && sl_spans_has(proto, p))
			return true;
	return false;
}

static bool is_tcp(uint32_t p)
{
	return p == SL_PROTO_TCP;
}

static bool is_icmp(uint32_t p)
{
	return p == SL_PROTO_ICMP || p == SL_PROTO_ICMPV6;
}

#define PORTS_REMEDY "write proto: tcp, udp or both, or leave it out"

static const struct l4_field {
	enum rule_field field;
	const char *key, *remedy;
	bool (*is)(uint32_t proto);
} l4_fields[] = {
	{ F_SPORT, "sport", PORTS_REMEDY, sl_proto_has_ports },
	{ F_DPORT, "dport", PORTS_REMEDY, sl_proto_has_ports },
	{ F_PORT, "port", PORTS_REMEDY, sl_proto_has_ports },
	{ F_TCP_FLAGS, "tcp_flags", "write proto: tcp, or leave it out",
	  is_tcp },
	{ F_ICMP, "icmp", "write proto: icmp or icmpv6, or leave it out",
	  is_icmp },
};
#define N_L4 (sizeof(l4_fields) / sizeof(l4_fields[0]))

/* A protocol of the rule with ports that are not read: such a rule would let
 * pass what it seems to stop. NULL: none, or none is named. */
static const char *unread_ports(const struct rule_reading *r,
				const struct l4_field *f)
{
	const struct sl_spans *proto = &r->rule->match.proto;
	uint32_t p;

	if (f->is != sl_proto_has_ports || !proto->n || r->ctx->stored)
		return NULL;
	for (p = 0; p < 256; p++)
		if (sl_proto_ports_unread(p) && sl_spans_has(proto, p))
			return sl_word_of(sl_proto_words, p);
	return NULL;
}

/* A field that no protocol of the rule has; and ICMP beside what is not. */
static void judge_l4(struct rule_reading *r)
{
	const struct sl_spans *proto = &r->rule->match.proto;
	const struct l4_field *f;
	const char *unread;

	for (f = l4_fields; f < l4_fields + N_L4; f++) {
		if (!r->line[f->field])
			continue;
		r->at = f->field;
		unread = unread_ports(r, f);
		if (sound(r, F_BIT(F_PROTO)) && unread)
			rule_wrong(r, r->line[f->field], f->remedy,
				   "%s: ports of tcp and udp are read, not of "
				   "%s", f->key, unread);
		else if (sound(r, F_BIT(F_PROTO)) && !has_proto(proto, f->is))
			rule_wrong(r, r->line[f->field], f->remedy,
				   "%s: no packet of this proto has it", f->key);
		else if (f->field != F_ICMP && r->line[F_ICMP] &&
			 has_proto(proto, is_icmp))
			rule_wrong(r, r->line[f->field], "make two rules",
				   "%s beside icmp: no packet has both",
				   f->key);
	}
}

static bool only(const struct sl_spans *s, uint32_t value)
{
	return s->n == 1 && s->s[0].lo == value && s->s[0].hi == value;
}

static void judge_icmp_family(struct rule_reading *r, unsigned int left)
{
	const struct sl_rule_match *m = &r->rule->match;

	r->at = F_PROTO;
	if (!sound(r, F_BIT(F_PROTO)))
		return;
	if (left == V6 && only(&m->proto, SL_PROTO_ICMP))
		rule_wrong(r, r->line[F_PROTO], "write proto: icmpv6",
			   "proto icmp in a rule for IPv6");
	if (left == V4 && only(&m->proto, SL_PROTO_ICMPV6))
		rule_wrong(r, r->line[F_PROTO], "write proto: icmp",
			   "proto icmpv6 in a rule for IPv4");
}

static void judge_length(struct rule_reading *r, unsigned int left)
{
	const struct sl_spans *s = &r->rule->match.length_b;
	bool v6 = left == V6 || only(&r->rule->match.proto, SL_PROTO_ICMPV6);

	r->at = F_LENGTH;
	if (v6 && s->n && sound(r, F_BIT(F_LENGTH)) &&
	    s->s[s->n - 1].hi < RULE_MIN6_B)
		rule_wrong(r, r->line[F_LENGTH], "count the IPv6 header too",
			   "length_b: no IPv6 packet is as short as %u",
			   s->s[s->n - 1].hi);
}

static void judge_fragment(struct rule_reading *r, unsigned int left)
{
	uint16_t frags = r->rule->match.frags;
	const struct l4_field *f;

	r->at = F_FRAGMENT;
	if (!frags || !sound(r, F_BIT(F_FRAGMENT)))
		return;
	if (left == V6 && !(frags & ~SL_FRAGS_DF))
		rule_wrong(r, r->line[F_FRAGMENT], "leave it out",
			   "fragment: IPv6 has no dont");
	if (frags & ~SL_FRAGS_LATER)
		return;
	for (f = l4_fields; f < l4_fields + N_L4; f++)
		if (r->line[f->field])
			rule_wrong(r, r->line[F_FRAGMENT], "match addresses and "
				   "proto only, or fragment: first", "fragment: "
				   "a later fragment has no %s", f->key);
}

/* --- protected --- */
static void judge_protected(struct rule_reading *r, const struct tree_node *n,
			    const char *key, const struct sl_prefix *p)
{
	char safe[SL_PREFIX_STR_B];
	struct sl_prefix which;

	/* a /0 is any address, which protection has its own way with */
	if (p->len && sl_rib_protects(r->ctx->protect, p, &which))
		rule_wrong(r, n->line, "name prefixes beside it",
			   "%s: %.60s touches %s, which is protected", key,
			   n->text, sl_prefix_str(&which, safe));
}

/* --- everything --- */
/* Does the field let every address of a family through? Prefixes are sorted, so
 * that the next one not inside the last is behind it; the sum of the disjoint
 * ones wraps to 0 when nothing is left out. */
static bool is_every(const struct sl_rule_addr *a, int family)
{
	const struct sl_prefix *last = NULL;
	unsigned int bits = family == 4 ? 32 : 128, i;
	sl_u128 sum = 0, all = family == 4 ? (sl_u128)1 << 32 : 0;

	if (!a->n && !a->n_lists)
		return true;
	for (i = 0; i < a->n; i++) {
		if (a->p[i].family != family ||
		    (last && sl_prefix_covers(last, &a->p[i])))
			continue;
		last = &a->p[i];
		if (!last->len)
			return true;
		sum += (sl_u128)1 << (bits - last->len);
	}
	return last && sum == all;
}

static bool is_full(const struct sl_spans *s, uint32_t lo, uint32_t hi)
{
	return !s->n || (s->s[0].lo <= lo && s->s[0].hi >= hi);
}

/* Does nothing but family, direction and header narrow the match? */
static bool is_bare(const struct sl_rule_match *m)
{
	unsigned int left = families(m);
	bool wide = (left & V4 && is_every(&m->src, 4) &&
		     is_every(&m->dst, 4)) ||
		    (left & V6 && is_every(&m->src, 6) && is_every(&m->dst, 6));

	return wide && is_full(&m->proto, 0, 255) &&
	       is_full(&m->sport, 0, 65535) && is_full(&m->dport, 0, 65535) &&
	       is_full(&m->port, 0, 65535) && is_full(&m->dscp, 0, 63) &&
	       is_full(&m->length_b, RULE_MIN6_B, 65535) && !m->icmp.n &&
	       !m->tcp_flags.n && !m->lanes.n && !m->paths.n &&
	       (!m->frags || m->frags == SL_FRAGS_POSSIBLE);
}

static void judge_bare(struct rule_reading *r)
{
	enum sl_action action = r->rule->action;

	r->at = F_MATCH;
	if (action == SL_ACT_DROP || action == SL_ACT_LIMIT)
		rule_wrong(r, r->line[F_MATCH], "name addresses, a proto or "
			   "ports; --force if it is meant", "the match takes "
			   "every packet, and the action stops them");
	else if (action == SL_ACT_PASS)
		rule_wrong(r, r->line[F_MATCH], "name addresses, a proto or "
			   "ports; --force if it is meant", "the match takes "
			   "every packet, and nothing below is asked");
}

#define F_ALL_BUT_RULE ((F_BIT(F_MAX) - 1) & ~F_BIT(F_RULE))

void rule_judge(struct rule_reading *r)
{
	const struct sl_rule *rule = r->rule;
	bool stops = rule->action == SL_ACT_DROP ||
		     rule->action == SL_ACT_LIMIT;
	unsigned int left;

	judge_addresses(r);
	judge_l4(r);
	if (sound(r, F_BIT(F_SRC) | F_BIT(F_DST) | F_BIT(F_FAMILY))) {
		left = families(&rule->match);
		judge_icmp_family(r, left);
		judge_length(r, left);
		judge_fragment(r, left);
	}
	if (stops && r->ctx->protect && !r->ctx->stored) {
		each_prefix(r, F_SRC, judge_protected);
		each_prefix(r, F_DST, judge_protected);
	}
	if (r->line[F_MATCH] && sound(r, F_ALL_BUT_RULE) && !r->ctx->force &&
	    !r->ctx->stored && is_bare(&rule->match))
		judge_bare(r);
	r->at = F_RULE;
}
