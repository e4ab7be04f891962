// SPDX-License-Identifier: GPL-2.0
/* Any bytes as a rule file: refused with mistakes that have a remedy, or rules
 * which, written out and read again, are the same. */
#include <stdlib.h>
#include <string.h>
#include "rule_diff.h"
#include "rule_file.h"
#include "rule_lint.h"

static void check_spans(const struct sl_spans *s, uint32_t max)
{
	unsigned int i;

	for (i = 0; i < s->n; i++)
		if (s->s[i].lo > s->s[i].hi || s->s[i].hi > max ||
		    (i && s->s[i].lo <= s->s[i - 1].hi + 1))
			abort();
}

static void check_rule(const struct sl_rule *r)
{
	const struct sl_rule_match *m = &r->match;
	char text[300];

	check_spans(&m->proto, 255);
	check_spans(&m->sport, 65535);
	check_spans(&m->dport, 65535);
	check_spans(&m->port, 65535);
	check_spans(&m->icmp, 65535);
	check_spans(&m->tcp_flags, 4095);
	check_spans(&m->length_b, 65535);
	check_spans(&m->dscp, 63);
	if (!r->id[0] || !r->line || r->action < SL_ACT_DROP ||
	    r->action > SL_ACT_PASS)
		abort();
	if (r->action == SL_ACT_LIMIT &&
	    (!r->limit.pps == !r->limit.bps || !r->limit.burst))
		abort();
	sl_rule_match_text(m, text, sizeof(text));
}

static void check_again(const struct sl_ruleset *set,
			const struct sl_rule_context *ctx)
{
	struct json_object *doc = sl_ruleset_json(set);
	const char *text = json_object_to_json_string(doc);
	struct sl_mistakes all = {};
	struct sl_ruleset again;
	struct sl_lints lints;
	unsigned int i;

	if (sl_rule_file_parse(text, strlen(text), ctx, &again, &all) ||
	    again.n != set->n)
		abort();
	for (i = 0; i < set->n; i++)
		if (!sl_rule_equal(&set->r[i], &again.r[i]))
			abort();
	if (sl_rule_lint(set, &lints))
		abort();
	for (i = 0; i < lints.n; i++)
		if (lints.l[i].by >= lints.l[i].rule)
			abort();
	sl_lints_free(&lints);
	sl_ruleset_free(&again);
	sl_mistakes_free(&all);
	json_object_put(doc);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sl_rule_context ctx = { .force = size & 1 };
	struct sl_mistakes all = {};
	struct sl_ruleset set;
	unsigned int i;
	size_t k;
	int rc;

	rc = sl_rule_file_parse((const char *)data, size, &ctx, &set, &all);
	if (rc && (rc != -12 && (!all.n || set.n || set.r)))
		abort();
	if (!rc && all.n)
		abort();
	for (k = 0; k < all.n; k++)
		if (!all.m[k].message[0] || !all.m[k].remedy[0])
			abort();
	for (i = 0; i < set.n; i++)
		check_rule(&set.r[i]);
	if (!rc)
		check_again(&set, &ctx);
	sl_ruleset_free(&set);
	sl_mistakes_free(&all);
	return 0;
}
