// SPDX-License-Identifier: GPL-2.0
/* Rule files: TCP flags and ICMP types, which are sets of pairs. */
#include <stdlib.h>
#include <string.h>
#include "rule_priv.h"

#define N_FLAGS	4096	/* values of the 12 bits */
#define N_ICMP	65536

/* --- a set of values as bits, so that no file makes it grow --- */
static void put(uint64_t *set, uint32_t v)
{
	set[v / 64] |= 1ULL << v % 64;
}

static bool has(const uint64_t *set, uint32_t v)
{
	return set[v / 64] >> v % 64 & 1;
}

static void set_to_spans(struct rule_reading *r, const uint64_t *set,
			 uint32_t n, struct sl_spans *out)
{
	uint32_t v, lo;

	for (v = 0; v < n; v++) {
		if (!has(set, v))
			continue;
		for (lo = v; v + 1 < n && has(set, v + 1); v++)
			;
		rule_add_span(r, out, lo, v);
	}
}

/* --- tcp_flags --- */
static void read_flag(struct rule_reading *r, const struct tree_node *n,
		      void *arg)
{
	const char *s = rule_word(r, n);
	const struct sl_word *w = s ? sl_word_find(sl_flag_words, s) : NULL;
	uint32_t *flags = arg;
	uint64_t v;

	if (!s)
		return;
	if (w)
		*flags |= w->value;
	else if (rule_number(s, &v) && v < N_FLAGS)
		*flags |= v;
	else
		rule_wrong(r, n->line, "write fin, syn, rst, psh, ack, urg, "
			   "ece, cwr, ae, or a number up to 4095",
			   "tcp_flags: %.60s is no flag", s);
}

static void read_value(struct rule_reading *r, const struct tree_node *n)
{
	r->item.has_value = true;
	if (n->kind != TREE_LIST || n->n)	/* []: none of them */
		rule_values(r, n, read_flag, &r->item.value);
}

static void read_mask(struct rule_reading *r, const struct tree_node *n)
{
	r->item.has_mask = true;
	rule_values(r, n, read_flag, &r->item.mask);
}

/* The values whose bits under the mask are so. */
static void put_flags(uint64_t *set, uint32_t value, uint32_t mask)
{
	uint32_t v;

	for (v = 0; v < N_FLAGS; v++)
		if ((v & mask) == value)
			put(set, v);
}

static void read_flags(struct rule_reading *r, const struct tree_node *n,
		       void *arg)
{
	static const struct rule_key keys[] = {
		{ "value", F_RULE, read_value }, { "mask", F_RULE, read_mask },
		{} };
	struct rule_item *it = &r->item;
	uint32_t bad = r->bad;

	*it = (struct rule_item){};
	r->bad = 0;
	rule_map(r, n, "tcp_flags", keys);
	if (n->kind == TREE_MAP && (!it->has_value || !it->has_mask))
		rule_wrong(r, n->line, "write {value: [syn], mask: [syn, ack]}",
			   "tcp_flags has no %s", it->has_value ? "mask" :
			   "value");
	else if (!r->bad && it->value & ~it->mask)
		rule_wrong(r, n->line, "name every flag of value in mask too",
			   "tcp_flags: value has flags that mask leaves out");
	else if (!r->bad)
		put_flags(arg, it->value, it->mask);
	r->bad |= bad;
}

void rule_read_flags(struct rule_reading *r, const struct tree_node *n)
{
	uint64_t set[N_FLAGS / 64] = {};

	rule_values(r, n, read_flags, set);
	set_to_spans(r, set, N_FLAGS, &r->rule->match.tcp_flags);
}

/* --- icmp --- */
static void read_type_word(struct rule_reading *r, const struct tree_node *n,
			   const char *s)
{
	bool v4 = sl_spans_has(&r->rule->match.proto, SL_PROTO_ICMP) &&
		  r->rule->match.family != 6;
	bool v6 = sl_spans_has(&r->rule->match.proto, SL_PROTO_ICMPV6) &&
		  r->rule->match.family != 4;
	const struct sl_word *w4 = sl_word_find(sl_icmp4_words, s);
	const struct sl_word *w6 = sl_word_find(sl_icmp6_words, s);
	const struct sl_word *w = v4 ? w4 : w6;

	if (v4 == v6 && (w4 || w6))
		rule_wrong(r, n->line, "write proto: icmp or proto: icmpv6; the "
			   "numbers differ", "icmp: type %.60s says not which "
			   "of the two", s);
	else if (!w || v4 == v6)
		rule_wrong(r, n->line, "write a number, or a name as in "
			   "docs/rules.md", "icmp: type %.60s is not known", s);
	else
		rule_add_span(r, &r->item.type, w->value, w->value);
}

static void read_type(struct rule_reading *r, const struct tree_node *n,
		      void *arg)
{
	const char *s = rule_word(r, n);
	struct sl_span v;

	(void)arg;
	if (!s)
		return;
	r->key = "icmp: type";
	if (s[0] < '0' || s[0] > '9')
		read_type_word(r, n, s);
	else if (rule_range(r, n, s, 255, &v))
		rule_add_span(r, &r->item.type, v.lo, v.hi);
}

static void read_types(struct rule_reading *r, const struct tree_node *n)
{
	r->item.has_type = true;
	rule_values(r, n, read_type, NULL);
}

static void read_code(struct rule_reading *r, const struct tree_node *n,
		      void *arg)
{
	const char *s = rule_word(r, n);
	struct sl_span v;

	(void)arg;
	r->key = "icmp: code";
	if (s && rule_range(r, n, s, 255, &v))
		rule_add_span(r, &r->item.code, v.lo, v.hi);
}

static void read_codes(struct rule_reading *r, const struct tree_node *n)
{
	r->item.has_code = true;
	rule_values(r, n, read_code, NULL);
}

static void put_icmp(uint64_t *set, const struct rule_item *it)
{
	unsigned int i, j;
	uint32_t type, code;

	for (i = 0; i < it->type.n; i++)
		for (type = it->type.s[i].lo; type <= it->type.s[i].hi; type++)
			for (j = 0; j < it->code.n; j++)
				for (code = it->code.s[j].lo;
				     code <= it->code.s[j].hi; code++)
					put(set, type << 8 | code);
}

static void read_icmp(struct rule_reading *r, const struct tree_node *n,
		      void *arg)
{
	static const struct rule_key keys[] = {
		{ "type", F_RULE, read_types }, { "code", F_RULE, read_codes },
		{} };
	struct rule_item *it = &r->item;

	*it = (struct rule_item){};
	rule_map(r, n, "icmp", keys);
	if (n->kind == TREE_MAP && !it->has_type)
		rule_wrong(r, n->line, "write {type: 8} or {type: 3, code: 1}",
			   "icmp has no type");
	if (!it->has_code)
		rule_add_span(r, &it->code, 0, 255);
	sl_spans_finish(&it->type);
	sl_spans_finish(&it->code);
	put_icmp(arg, it);
	free(it->type.s);
	free(it->code.s);
}

void rule_read_icmp(struct rule_reading *r, const struct tree_node *n)
{
	uint64_t set[N_ICMP / 64] = {};

	rule_values(r, n, read_icmp, set);
	set_to_spans(r, set, N_ICMP, &r->rule->match.icmp);
}
