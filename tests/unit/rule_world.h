/* SPDX-License-Identifier: GPL-2.0 */
/* A small world of packets, each value that the rules of test_rule_lint.c may
 * name and one that none does, and a naive matcher. */
#ifndef SL_TEST_RULE_WORLD_H
#define SL_TEST_RULE_WORLD_H

#include <stdlib.h>
#include <string.h>
#include "ruleset.h"
#include "rule_words.h"

struct head {
	int family;
	uint8_t src, dst;	/* last byte of the address */
	uint32_t proto, sport, dport, icmp, flags, len_b, dscp, frag;
};

struct packet {
	struct head at[2];	/* inner, outer */
	int dir, lane;
};

static inline bool in_addr(const struct sl_rule_addr *a, int family, uint8_t low)
{
	struct sl_prefix addr = { .family = family, .len = 32 };
	unsigned int i;

	if (family == 4) {
		memcpy(addr.addr, low == 9 ? "\xc0\0\2" : "\x0a\0\0", 3);
		addr.addr[3] = low;
	} else {
		memcpy(addr.addr, "\x20\x01\x0d\xb8", 4);
		addr.addr[15] = low;
		addr.len = 128;
	}
	for (i = 0; i < a->n; i++)
		if (sl_prefix_covers(&a->p[i], &addr))
			return true;
	for (i = 0; i < a->n_lists; i++)	/* what the lists hold */
		if (a->list[i][0] == 'a' ? low == 3 : low == 5 || low == 6)
			return true;
	return !a->n && !a->n_lists;
}

/* A field that the packet does not have meets no value. */
static inline bool in_spans(const struct sl_spans *s, bool has, uint32_t v)
{
	return !s->n || (has && sl_spans_has(s, v));
}

static inline bool matches(const struct sl_rule_match *m, const struct packet *p)
{
	static const char *const lane[] = { "HK", "SG", "other" };
	const struct head *h = &p->at[m->at == SL_HEADER_OUTER];
	bool first = !(h->frag & SL_FRAG_LATER);
	bool ports = first && sl_proto_has_ports(h->proto);
	bool icmp = first && (h->proto == SL_PROTO_ICMP ||
			      h->proto == SL_PROTO_ICMPV6);

	return (!m->family || m->family == h->family) &&
	       (!m->dirs || m->dirs >> p->dir & 1) &&
	       (!m->frags || m->frags >> h->frag & 1) &&
	       in_addr(&m->src, h->family, h->src) &&
	       in_addr(&m->dst, h->family, h->dst) &&
	       in_spans(&m->proto, true, h->proto) &&
	       in_spans(&m->sport, ports, h->sport) &&
	       in_spans(&m->dport, ports, h->dport) &&
	       (in_spans(&m->port, ports, h->sport) ||
		in_spans(&m->port, ports, h->dport)) &&
	       in_spans(&m->icmp, icmp, h->icmp) &&
	       in_spans(&m->tcp_flags, first && h->proto == SL_PROTO_TCP,
			h->flags) &&
	       in_spans(&m->length_b, true, h->len_b) &&
	       in_spans(&m->dscp, true, h->dscp) &&
	       sl_names_has(&m->lanes, lane[p->lane]);
}

/* --- the world --- */
#define N_WORLD	16384
static struct packet world[N_WORLD];
static const uint32_t protos[] = { 1, 6, 6, 6, 17, 47, 58 };
static const uint32_t ports[] = { 80, 81, 443, 9 };

static inline void random_head(struct head *h)
{
	static const uint32_t frags[] = { 0, 0, 0, 1, 2, 3, 4, 5, 10, 11 };

	*h = (struct head){ .family = random() % 4 ? 4 : 6,
		.src = random() % 10, .dst = random() % 10,
		.proto = protos[random() % 7], .sport = ports[random() % 4],
		.dport = ports[random() % 4], .icmp = random() % 3 << 8 |
		random() % 2, .flags = random() % 4, .dscp = random() % 3,
		.len_b = (uint32_t[]){ 100, 300, 600, 1000 }[random() % 4],
		.frag = frags[random() % 10] };
	if (h->family == 6)	/* has no such bit */
		h->frag &= ~SL_FRAG_DF;
}

static inline void make_world(void)
{
	int i;

	for (i = 0; i < N_WORLD; i++) {
		random_head(&world[i].at[0]);
		world[i].at[1] = world[i].at[0];
		if (random() % 4 == 0)	/* in a tunnel */
			random_head(&world[i].at[1]);
		world[i].dir = random() % 3;
		world[i].lane = random() % 3;
	}
}

#endif
