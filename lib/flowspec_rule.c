// SPDX-License-Identifier: GPL-2.0
/* FlowSpec routes as rules of ours: exactly, or not at all. */
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "flowspec.h"

#define MAX_BPS		1e13	/* above, a packet's cost is no number of ours */
#define MAX_PPS		1e9
/* What a limit lets through at once: a tenth of a second, and a large packet
 * or a few small ones in any case. */
#define BURST_PART	10
#define LEAST_BURST_B	65536
#define LEAST_BURST	10

#define PROTO_ICMP	1
#define PROTO_TCP	6
#define PROTO_UDP	17
#define PROTO_ICMP6	58

/* A rule in the making. */
struct making {
	const struct sl_flowspec *f;
	struct sl_rule *r;
	bool narrow;		/* some component leaves something out */
	char *why;
};

static int no(struct making *m, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
static int no(struct making *m, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(m->why, SL_FLOWSPEC_WHY_B, fmt, ap);
	va_end(ap);
	return -EOPNOTSUPP;
}

static int nothing(struct making *m, int type)
{
	return no(m, "component %d contradicts itself or another: no packet "
		  "matches", type);
}

/* FNV-1a, 56 bits: tells the routes of a neighbour apart; whoever has one
 * that another route has already is refused by the agent. */
static uint64_t digest(int family, const uint8_t *b, size_t n)
{
	uint64_t h = 0xcbf29ce484222325ULL ^ family;
	size_t i;

	for (i = 0; i < n; i++)
		h = (h ^ b[i]) * 0x100000001b3ULL;
	return h ^ h >> 56 << 8;
}

static void name(struct sl_rule *r, const char *kind, const char *peer,
		 uint64_t id)
{
	snprintf(r->id, sizeof(r->id), "%s:%.*s:%014llx", kind,
		 SL_FLOWSPEC_PEER_B - 1, peer,
		 (unsigned long long)(id & 0xffffffffffffffULL));
	snprintf(r->by, sizeof(r->by), "%.*s", SL_FLOWSPEC_PEER_B - 1, peer);
	snprintf(r->tag, sizeof(r->tag), "%s", kind);
	r->match.at = SL_HEADER_OUTER;
}

static int set_addr(struct making *m, int type, struct sl_rule_addr *out)
{
	const struct sl_prefix *p = &m->f->prefix[type];

	if (!m->f->len_b[type] || !p->len)
		return 0;
	if (m->f->offset[type])
		return no(m, "component %d: a prefix with offset %u is not "
			  "enforced", type, m->f->offset[type]);
	out->p = malloc(sizeof(*p));
	if (!out->p)
		return -ENOMEM;
	*out->p = *p;
	out->n = 1;
	m->narrow = true;
	return 0;
}

static bool is_full(const struct sl_spans *s, uint32_t max)
{
	return s->n == 1 && !s->s[0].lo && s->s[0].hi == max;
}

/* always: every packet has such a value, so that all of them mean nothing. */
static int set_values(struct making *m, int type, uint32_t max, bool always,
		      struct sl_spans *out)
{
	int rc = sl_flowspec_values(m->f, type, max, out);

	if (rc == -ENOENT)
		return nothing(m, type);
	if (rc == -E2BIG)
		return no(m, "component %d has over %d ranges of values", type,
			  SL_FLOWSPEC_MAX_SPANS);
	if (rc || !out->n)
		return rc;
	if (!is_full(out, max)) {
		m->narrow = true;
	} else if (always) {
		free(out->s);
		*out = (struct sl_spans){};
	}
	return 0;
}

/* Every type with every code. */
static int pair_icmp(struct making *m, const struct sl_spans *types,
		     const struct sl_spans *codes, struct sl_spans *out)
{
	unsigned int i, k, type;
	int rc = 0;

	if (!codes->n || is_full(codes, 255)) {
		for (i = 0; !rc && i < types->n; i++)
			rc = sl_spans_add(out, types->s[i].lo << 8,
					  types->s[i].hi << 8 | 255);
		return rc;
	}
	for (type = 0; !rc && type < 256; type++) {
		if (!sl_spans_has(types, type))
			continue;
		for (k = 0; !rc && k < codes->n; k++)
			rc = sl_spans_add(out, type << 8 | codes->s[k].lo,
					  type << 8 | codes->s[k].hi);
		if (out->n > SL_FLOWSPEC_MAX_SPANS)
			return no(m, "over %d pairs of ICMP type and code",
				  SL_FLOWSPEC_MAX_SPANS);
	}
	return rc;
}

static int set_icmp(struct making *m)
{
	struct sl_spans types = {}, codes = {};
	int rc = set_values(m, SL_FS_ICMP_TYPE, 255, false, &types);

	if (!rc)
		rc = set_values(m, SL_FS_ICMP_CODE, 255, false, &codes);
	if (!rc && !types.n && codes.n)
		rc = sl_spans_add(&types, 0, 255);
	if (!rc && types.n)
		rc = pair_icmp(m, &types, &codes, &m->r->match.icmp);
	if (!rc)
		sl_spans_finish(&m->r->match.icmp);
	free(types.s);
	free(codes.s);
	return rc;
}

/* Only what has these protocols can have the fields that were asked for. */
static int bind_protocols(struct making *m)
{
	const struct sl_rule_match *r = &m->r->match;
	uint8_t icmp = m->f->family == 4 ? PROTO_ICMP : PROTO_ICMP6;
	const uint8_t each[] = { PROTO_ICMP, PROTO_TCP, PROTO_UDP,
				 PROTO_ICMP6 };
	bool ports = r->port.n || r->sport.n || r->dport.n;
	struct sl_spans now = m->r->match.proto, out = {};
	unsigned int i;
	int rc = 0;

	if (!ports && !r->tcp_flags.n && !r->icmp.n)
		return 0;
	for (i = 0; !rc && i < sizeof(each); i++) {
		if ((ports && each[i] != PROTO_TCP && each[i] != PROTO_UDP) ||
		    (r->tcp_flags.n && each[i] != PROTO_TCP) ||
		    (r->icmp.n && each[i] != icmp) ||
		    !sl_spans_has(&now, each[i]))
			continue;
		rc = sl_spans_add(&out, each[i], each[i]);
	}
	if (!rc && !out.n)
		rc = nothing(m, SL_FS_PROTO);
	if (rc) {
		free(out.s);
		return rc;
	}
	free(now.s);
	m->r->match.proto = out;
	return 0;
}

static int set_fragments(struct making *m)
{
	const uint16_t all = m->f->family == 4 ?
		(1 << 0 | 1 << SL_FRAG_FIRST | 1 << SL_FRAG_LATER |
		 1 << (SL_FRAG_LATER | SL_FRAG_LAST)) * 3 :
		1 << 0 | 1 << SL_FRAG_FIRST | 1 << SL_FRAG_LATER |
		1 << (SL_FRAG_LATER | SL_FRAG_LAST);
	uint16_t kinds;

	if (!m->f->len_b[SL_FS_FRAGMENT])
		return 0;
	kinds = sl_flowspec_fragments(m->f);
	if (!kinds)
		return nothing(m, SL_FS_FRAGMENT);
	if (kinds == all)
		return 0;
	m->r->match.frags = kinds;
	m->narrow = true;
	return 0;
}

static int set_match(struct making *m)
{
	struct sl_rule_match *r = &m->r->match;
	int rc;

	r->family = m->f->family;
	if (m->f->len_b[SL_FS_FLOW_LABEL])
		return no(m, "component 13: flow labels are not enforced");
	rc = set_addr(m, SL_FS_DST, &r->dst);
	if (!rc)
		rc = set_addr(m, SL_FS_SRC, &r->src);
	if (!rc)
		rc = set_values(m, SL_FS_PROTO, 255, true, &r->proto);
	if (!rc)
		rc = set_values(m, SL_FS_PORT, 65535, false, &r->port);
	if (!rc)
		rc = set_values(m, SL_FS_DPORT, 65535, false, &r->dport);
	if (!rc)
		rc = set_values(m, SL_FS_SPORT, 65535, false, &r->sport);
	if (!rc)
		rc = set_icmp(m);
	if (!rc)
		rc = set_values(m, SL_FS_TCP_FLAGS, 4095, false,
				&r->tcp_flags);
	if (!rc)
		rc = set_values(m, SL_FS_LENGTH, 65535, true, &r->length_b);
	if (!rc)
		rc = set_values(m, SL_FS_DSCP, 63, true, &r->dscp);
	if (!rc)
		rc = set_fragments(m);
	if (!rc && !m->narrow)
		rc = no(m, "it would match everything");
	return rc ? rc : bind_protocols(m);
}

static int set_limit(struct making *m, const struct sl_flowspec_actions *a)
{
	double bps = a->bytes_rate * 8.0, pps = a->packets_rate;

	if (a->bytes && a->packets)
		return no(m, "two limits at once, in bytes and in packets");
	if (a->go_on)
		return no(m, "a limit with evaluation going on behind it");
	if (a->bytes ? bps > MAX_BPS || bps < 1 : pps > MAX_PPS || pps < 1)
		return no(m, "a rate of %g %s/s is out of range",
			  (double)(a->bytes ? a->bytes_rate : a->packets_rate),
			  a->bytes ? "bytes" : "packets");
	m->r->action = SL_ACT_LIMIT;
	if (a->bytes) {
		m->r->limit.bps = bps;
		m->r->limit.burst = a->bytes_rate / BURST_PART;
		if (m->r->limit.burst < LEAST_BURST_B)
			m->r->limit.burst = LEAST_BURST_B;
		return 0;
	}
	m->r->limit.pps = pps;
	if (pps != floor(pps))
		return no(m, "a rate of %g packets/s is no whole number", pps);
	m->r->limit.burst = pps / BURST_PART;
	if (m->r->limit.burst < LEAST_BURST)
		m->r->limit.burst = LEAST_BURST;
	return 0;
}

/* Interfering actions (RFC 8955 7.7): what says two things is not done. */
static int set_action(struct making *m, const struct sl_flowspec_actions *a,
		      bool *accepts)
{
	*accepts = false;
	if (a->redirect)
		return no(m, "redirect is not enforced");
	if (a->conflict)
		return no(m, "its actions contradict each other");
	if ((a->bytes && !a->bytes_rate) || (a->packets && !a->packets_rate)) {
		m->r->action = SL_ACT_DROP;
		return 0;
	}
	if (a->mark)
		return no(m, "traffic marking (dscp %u) is not enforced",
			  a->dscp);
	if (a->bytes || a->packets)
		return set_limit(m, a);
	m->r->action = SL_ACT_COUNT;
	*accepts = !a->go_on;
	return 0;
}

int sl_flowspec_rule(const struct sl_flowspec *f,
		     const struct sl_flowspec_actions *a, const char *peer,
		     struct sl_rule *out, bool *accepts, char *why)
{
	struct making m = { f, out, false, why };
	char text[SL_FLOWSPEC_TEXT_B];
	int rc;

	memset(out, 0, sizeof(*out));
	name(out, "flowspec", peer, digest(f->family, f->raw, f->raw_b));
	snprintf(out->why, sizeof(out->why), "%.*s", SL_RULE_WHY_B - 1,
		 sl_flowspec_text(f, text));
	rc = set_match(&m);
	if (!rc)
		rc = set_action(&m, a, accepts);
	if (rc)
		sl_rule_clear(out);
	return rc;
}

int sl_flowspec_blackhole(const struct sl_prefix *dst, const char *peer,
			  struct sl_rule *out, char *why)
{
	char text[SL_PREFIX_STR_B];

	memset(out, 0, sizeof(*out));
	if (dst->len != (dst->family == 4 ? 32 : 128)) {
		snprintf(why, SL_FLOWSPEC_WHY_B, "a blackhole for %s: only "
			 "single hosts are taken", sl_prefix_str(dst, text));
		return -EOPNOTSUPP;
	}
	name(out, "rtbh", peer, digest(dst->family, dst->addr,
				       dst->family == 4 ? 4 : 16));
	snprintf(out->why, sizeof(out->why), "blackhole %s",
		 sl_prefix_str(dst, text));
	out->match.family = dst->family;
	out->match.dst.p = malloc(sizeof(*dst));
	if (!out->match.dst.p)
		return -ENOMEM;
	*out->match.dst.p = *dst;
	out->match.dst.n = 1;
	out->action = SL_ACT_DROP;
	return 0;
}

unsigned int sl_rule_spans(const struct sl_rule *r)
{
	const struct sl_rule_match *m = &r->match;

	return m->proto.n + m->sport.n + m->dport.n + m->port.n + m->icmp.n +
	       m->tcp_flags.n + m->length_b.n + m->dscp.n;
}

static bool addrs_meet(const struct sl_rule_addr *a,
		       const struct sl_rule_addr *b)
{
	unsigned int i, k;

	if (a->n_lists || b->n_lists || !a->n || !b->n)
		return true;
	for (i = 0; i < a->n; i++)
		for (k = 0; k < b->n; k++)
			if (sl_prefix_covers(&a->p[i], &b->p[k]) ||
			    sl_prefix_covers(&b->p[k], &a->p[i]))
				return true;
	return false;
}

/* Both are sorted. */
static bool spans_meet(const struct sl_spans *a, const struct sl_spans *b)
{
	unsigned int i = 0, k = 0;

	if (!a->n || !b->n)
		return true;
	while (i < a->n && k < b->n) {
		if (a->s[i].hi < b->s[k].lo)
			i++;
		else if (b->s[k].hi < a->s[i].lo)
			k++;
		else
			return true;
	}
	return false;
}

/* Not by `port`: one of two ports may fit the one, the other the other. */
bool sl_rules_overlap(const struct sl_rule *a, const struct sl_rule *b)
{
	const struct sl_rule_match *x = &a->match, *y = &b->match;

	return (!x->family || !y->family || x->family == y->family) &&
	       (!x->frags || !y->frags || x->frags & y->frags) &&
	       addrs_meet(&x->src, &y->src) && addrs_meet(&x->dst, &y->dst) &&
	       spans_meet(&x->proto, &y->proto) &&
	       spans_meet(&x->sport, &y->sport) &&
	       spans_meet(&x->dport, &y->dport) &&
	       spans_meet(&x->icmp, &y->icmp) &&
	       spans_meet(&x->tcp_flags, &y->tcp_flags) &&
	       spans_meet(&x->length_b, &y->length_b) &&
	       spans_meet(&x->dscp, &y->dscp);
}
