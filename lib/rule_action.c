// SPDX-License-Identifier: GPL-2.0
/* Rule files: what a rule does. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "rule_priv.h"

#define RATE_MAX	100000000000ULL	/* packets or bits a second */
#define BURST_MAX_S	86400		/* a burst of more is no limit */
#define BURST_MIN_B	1500		/* a packet of the usual MTU */

/* "10M": a whole number above 0, with k, M or G (thousands). */
static void read_amount(struct rule_reading *r, const struct tree_node *n,
			uint64_t *out)
{
	static const struct { char unit; uint64_t times; } units[] = {
		{ 'k', 1000 }, { 'M', 1000000 }, { 'G', 1000000000 } };
	const char *s = rule_word(r, n);
	char digits[24];
	uint64_t v, times = 1;
	size_t i, len = s ? strlen(s) : 0;

	if (!s)
		return;
	for (i = 0; len && i < 3; i++)
		if (s[len - 1] == units[i].unit)
			times = units[i].times;
	if (times > 1)
		len--;
	snprintf(digits, sizeof(digits), "%.*s", (int)(len > 23 ? 23 : len), s);
	if (!rule_number(digits, &v))
		rule_wrong(r, n->line, "write a whole number, or one such as "
			   "64k, 10M or 1G", "%s: %.60s is no number", r->key,
			   s);
	else if (!v)
		rule_wrong(r, n->line, "to let nothing through, write action: "
			   "drop", "%s is 0", r->key);
	else if (v > RATE_MAX / times)
		rule_wrong(r, n->line, "write at most 100G", "%s: %.60s is too "
			   "much", r->key, s);
	else
		*out = v * times;
}

static void read_pps(struct rule_reading *r, const struct tree_node *n)
{
	read_amount(r, n, &r->rule->limit.pps);
}

static void read_bps(struct rule_reading *r, const struct tree_node *n)
{
	read_amount(r, n, &r->rule->limit.bps);
}

static void read_burst(struct rule_reading *r, const struct tree_node *n)
{
	read_amount(r, n, &r->rule->limit.burst);
}

static void read_per(struct rule_reading *r, const struct tree_node *n)
{
	const char *s = rule_word(r, n);

	if (s && strcmp(s, "rule") && strcmp(s, "source"))
		rule_wrong(r, n->line, "write rule or source",
			   "per: %.60s is neither", s);
	else if (s)
		r->rule->limit.per_source = !strcmp(s, "source");
}

/* One rate, and a burst that lets a packet pass and still limits. */
static void check_limit(struct rule_reading *r, const struct tree_node *n)
{
	uint64_t pps = r->rule->limit.pps, bps = r->rule->limit.bps;
	uint64_t second = pps ? pps : bps / 8;
	uint64_t *burst = &r->rule->limit.burst;

	if (r->bad & F_BIT(F_ACTION))
		return;
	if (!pps == !bps) {
		rule_wrong(r, n->line, pps ? "keep one of them" :
			   "write pps: or bps: with a number",
			   pps ? "limit has pps and bps" :
			   "limit has no rate");
		return;
	}
	if (!*burst) {
		*burst = second;
		if (bps && *burst < BURST_MIN_B)
			*burst = BURST_MIN_B;
	} else if (bps && *burst < BURST_MIN_B) {
		rule_wrong(r, n->line, "write bytes, 1500 or more",
			   "burst: %llu bytes are less than a packet",
			   (unsigned long long)*burst);
	} else if (*burst / BURST_MAX_S > second) {
		rule_wrong(r, n->line, "write at most a day's worth",
			   "burst: %llu is over a day of the rate",
			   (unsigned long long)*burst);
	}
}

static void read_limit(struct rule_reading *r, const struct tree_node *n)
{
	static const struct rule_key keys[] = {
		{ "pps", F_RULE, read_pps }, { "bps", F_RULE, read_bps },
		{ "burst", F_RULE, read_burst }, { "per", F_RULE, read_per },
		{} };

	r->rule->action = SL_ACT_LIMIT;
	rule_map(r, n, "limit", keys);
	if (n->kind == TREE_MAP)
		check_limit(r, n);
}

void rule_read_action(struct rule_reading *r, const struct tree_node *n)
{
	static const struct rule_key keys[] = { { "limit", F_RULE, read_limit },
						{} };
	const struct sl_word *w;
	const char *s;

	if (n->kind == TREE_MAP) {
		rule_map(r, n, "action", keys);
		if (!n->n)
			rule_wrong(r, n->line, "write {limit: {pps: 1000}}",
				   "action is empty");
		return;
	}
	s = rule_word(r, n);
	if (!s)
		return;
	w = sl_word_find(sl_action_words, s);
	if (w)
		r->rule->action = w->value;
	else
		rule_wrong(r, n->line, !strcmp(s, "limit") ?
			   "write {limit: {pps: 1000}}" : "write drop, count, "
			   "pass or {limit: {pps: 1000}}",
			   "action: %.60s is none", s);
}
