/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Random rules that nest, and a stupid twin of the tables: a list searched from
 * end to end.
 */
#ifndef SL_TEST_RULES_H
#define SL_TEST_RULES_H

#include <stdlib.h>
#include <string.h>
#include "rib.h"

#define N		400	/* rules of a base; as many again on top */

struct rule {
	struct sl_prefix p;
	int is_class;
	uint32_t value;
	int rank;		/* a lane's layer, or the class's weight */
};

static struct rule rules[2 * N];
static int n_rules;

/* What holds at an address: the highest rank, then the longest prefix, then
 * the last one named. */
static inline uint32_t by_rules(const struct sl_prefix *addr)
{
	int i, k, len[2] = { -1, -1 }, rank[2] = {};
	uint32_t value[2] = {};

	for (i = 0; i < n_rules; i++) {
		const struct rule *r = &rules[i];

		k = r->is_class;
		if (!sl_prefix_covers(&r->p, addr) || r->rank < rank[k] ||
		    (r->rank == rank[k] && r->p.len < len[k]))
			continue;
		rank[k] = r->rank;
		len[k] = r->p.len;
		value[k] = r->value;
	}
	return SL_ENTRY(value[0], value[1]);
}

/* Few values and lengths near the borders of the tables: prefixes nest. */
static inline void random_prefix(struct sl_prefix *p, int family)
{
	static const int long4[] = { 16, 20, 24, 25, 28, 30, 31, 32, 32, 32 };
	static const int long6[] = { 19, 20, 21, 26, 32, 48, 64, 127, 128 };
	int i, max = family == 4 ? 32 : 128;

	memset(p, 0, sizeof(*p));
	p->family = family;
	if (random() % 4 == 0)
		p->len = random() % (max + 1);
	else
		p->len = family == 4 ? long4[random() % 10] :
			 long6[random() % 9];
	for (i = 0; i < max / 8; i++)
		p->addr[i] = random() % 8 ? random() & 0x11 : random();
	for (i = p->len; i < max; i++)
		p->addr[i / 8] &= ~(0x80 >> i % 8);
}

static inline void make_rules(int from, int to)
{
	struct rule *r;
	int i;

	for (i = from; i < to; i++) {
		r = &rules[i];
		random_prefix(&r->p, random() % 3 ? 4 : 6);
		r->is_class = random() % 2;
		r->value = random() % 1000;
		r->rank = r->is_class ? 1 + random() % 3 :
			  random() % SL_LAYERS;
	}
}

/* The rib becomes rules[from .. to - 1]: 0 or -ENOMEM. */
static inline int fill(struct sl_rib *c, int from, int to)
{
	static const enum sl_action action_of[] = {
		SL_ACT_NONE, SL_ACT_COUNT, SL_ACT_DROP, SL_ACT_PROTECT };
	int i;

	c->n4 = c->n6 = 0;
	for (i = from; i < to; i++) {
		const struct rule *r = &rules[i];

		if (r->is_class)
			sl_rib_add_class(c, &r->p, r->value,
					 action_of[r->rank], 0);
		else
			sl_rib_add_lane(c, &r->p, r->value, r->rank, 0);
	}
	return sl_rib_sort(c);
}

/* An address at an end of a rule's prefix, or one beside it. */
static inline void near(struct sl_prefix *a)
{
	const struct sl_prefix *p = &rules[random() % n_rules].p;
	int bits = p->family == 4 ? 32 : 128, i;

	*a = *p;
	a->len = bits;
	if (random() % 2)
		for (i = p->len; i < bits; i++)
			a->addr[i / 8] |= 0x80 >> i % 8;
	if (random() % 2)
		a->addr[bits / 8 - 1] += random() % 3 - 1;
}

#endif
