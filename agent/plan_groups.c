// SPDX-License-Identifier: GPL-2.0
/* Hits of a plan: gathered; by rule, lane or flow, neighbours put together. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "plan_groups.h"

void hits_add_packet(struct plan_hits *to, const struct plan_packet *p,
		     double weight)
{
	to->sampled++;
	if (weight > to->weight_max)
		to->weight_max = weight;
	if (p->g.frame_b > to->frame_b_max)
		to->frame_b_max = p->g.frame_b;
}

void hits_add_tick(struct plan_hits *to, const struct plan_tick *t)
{
	if (!to->from_ns)
		to->from_ns = t->from_ns;
	to->to_ns = t->from_ns + t->span_ns;
	to->span_ns += t->span_ns;
	to->packets += t->packets;
	to->bytes += t->bytes;
}

void hits_add(struct plan_hits *to, enum plan_effect effect,
	      const struct sl_rule *rule, const struct plan_packet *packet,
	      double weight)
{
	size_t room = to->room ? 2 * to->room : 256;
	struct plan_hit *grown;

	if (to->n == to->room) {
		grown = realloc(to->h, room * sizeof(*grown));
		if (!grown) {
			to->no_memory = true;
			return;
		}
		to->h = grown;
		to->room = room;
	}
	to->h[to->n++] = (struct plan_hit){ effect, rule, packet, weight };
}

void plan_group_add(struct plan_group *g, const struct plan_hit *h)
{
	const struct sl_glance *p = &h->packet->g;

	if (!g->first) {
		g->first = h->packet;
		g->effect = h->effect;
		g->rule = h->rule;
	}
	sl_estimate_add(&g->packets, h->weight, 1);
	sl_estimate_add(&g->bits, h->weight, 8.0 * p->frame_b);
	g->ip_bits += h->weight * 8 * p->in.len_b;
}

static int by_number(uint64_t x, uint64_t y)
{
	return x < y ? -1 : x > y;
}

static int by_rule(const void *x, const void *y)
{
	const struct plan_hit *a = x, *b = y;
	int order = by_number(a->effect, b->effect);

	return order ? order : by_number((uintptr_t)a->rule,
					 (uintptr_t)b->rule);
}

static int by_lane(const void *x, const void *y)
{
	const struct plan_hit *a = x, *b = y;
	int order = by_rule(x, y);

	return order ? order : by_number(a->packet->g.where >> 6,
					 b->packet->g.where >> 6);
}

static int by_source(const void *x, const void *y)
{
	const struct plan_hit *a = x, *b = y;
	int order = by_rule(x, y);

	return order ? order : memcmp(a->packet->g.src, b->packet->g.src,
				      sizeof(a->packet->g.src));
}

/* Ports of a packet without any are 0. */
static uint64_t ports(const struct sl_fields *f)
{
	return (uint64_t)f->proto << 32 |
	       (f->has & SL_HAS_PORTS ? (uint32_t)f->sport << 16 | f->dport : 0);
}

static int by_flow(const void *x, const void *y)
{
	const struct plan_hit *a = x, *b = y;
	const struct sl_glance *p = &a->packet->g, *q = &b->packet->g;
	int order = by_number(ports(&p->in), ports(&q->in));

	if (!order)
		order = memcmp(p->src, q->src, sizeof(p->src));
	if (!order)
		order = memcmp(p->dst, q->dst, sizeof(p->dst));
	return order ? order : by_rule(x, y);
}

static int by_size(const void *x, const void *y)
{
	const struct plan_group *a = x, *b = y;

	return a->packets.sum > b->packets.sum ? -1 :
	       a->packets.sum < b->packets.sum;
}

int plan_group(const struct plan_hits *h, enum plan_by by,
	       struct plan_groups *out)
{
	static int (*const order[])(const void *, const void *) = {
		[PLAN_BY_RULE] = by_rule, [PLAN_BY_LANE] = by_lane,
		[PLAN_BY_SOURCE] = by_source,
		[PLAN_BY_FLOW] = by_flow };
	struct plan_hit *s = calloc(h->n + 1, sizeof(*s));
	size_t i, n = 0;

	*out = (struct plan_groups){};
	for (i = 0; s && i < h->n; i++)
		if (by != PLAN_BY_FLOW || h->h[i].effect != PLAN_COUNTED)
			s[n++] = h->h[i];
	out->g = calloc(n + 1, sizeof(*out->g));
	if (!s || !out->g) {
		free(s);
		return -ENOMEM;
	}
	qsort(s, n, sizeof(*s), order[by]);
	for (i = 0; i < n; i++) {
		out->n += !i || order[by](&s[i - 1], &s[i]);
		plan_group_add(&out->g[out->n - 1], &s[i]);
	}
	qsort(out->g, out->n, sizeof(*out->g), by_size);
	free(s);
	return 0;
}

void plan_groups_free(struct plan_groups *g)
{
	free(g->g);
	*g = (struct plan_groups){};
}

static size_t end_text(const struct sl_glance *g, const uint8_t *addr,
		       uint16_t port, char *buf, size_t len)
{
	char text[INET6_ADDRSTRLEN] = "?";
	bool v6 = g->family == 6;

	inet_ntop(v6 ? AF_INET6 : AF_INET, addr, text, sizeof(text));
	if (!(g->in.has & SL_HAS_PORTS))
		return snprintf(buf, len, "%s", text);
	return snprintf(buf, len, v6 ? "[%s]:%u" : "%s:%u", text, port);
}

const char *plan_flow_text(const struct sl_glance *g, char *buf, size_t len)
{
	const char *name = g->in.proto == IPPROTO_TCP ? "tcp" :
			   g->in.proto == IPPROTO_UDP ? "udp" : NULL;
	size_t at = end_text(g, g->src, g->in.sport, buf, len);

	at += snprintf(buf + at, len - at, " > ");
	at += end_text(g, g->dst, g->in.dport, buf + at, len - at);
	if (name)
		snprintf(buf + at, len - at, " %s", name);
	else
		snprintf(buf + at, len - at, " protocol %u", g->in.proto);
	return buf;
}
