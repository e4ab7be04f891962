/* SPDX-License-Identifier: GPL-2.0 */
/* Rule files as text: parsed into one set, with one account of mistakes. */
#ifndef SL_TEST_RULES_TEXT_H
#define SL_TEST_RULES_TEXT_H

#include <stdio.h>
#include <string.h>
#include "rule_file.h"

static struct sl_ruleset set;
static struct sl_mistakes all;

static inline int parse_with(const char *text, const struct sl_rule_context *ctx)
{
	sl_ruleset_free(&set);
	sl_mistakes_free(&all);
	return sl_rule_file_parse(text, strlen(text), ctx, &set, &all);
}

static inline int parse(const char *text)
{
	return parse_with(text, NULL);
}

static inline void done(void)
{
	sl_ruleset_free(&set);
	sl_mistakes_free(&all);
}

/* One rule whose match is given. */
static inline int parse_match(const char *match)
{
	static char text[4096];

	snprintf(text, sizeof(text), "rules:\n- id: x\n  match: %s\n"
		 "  action: count\n", match);
	return parse(text);
}

/* Every field, in YAML. */
static const char whole[] =
	"rules:\n"
	"- {id: r1, match: {src: [203.0.113.0/24, \"@spam\"], proto: tcp,"
	" dport: [\"80\", \"1000-2000\"], lane: [SG],\n"
	"   tcp_flags: {value: [syn], mask: [syn, ack]}, length_b: [\"0-99\"],"
	" fragment: [first]},\n"
	"   action: {limit: {pps: 1000, burst: 100}}, until:"
	" 2026-12-01T00:00:00Z, why: \"case 12\", tag: negative-list/seed}\n"
	"- id: r2\n"
	"  match:\n"
	"    dst: [\"2001:db8::/32\", \"2001:db8:1::1\"]\n"
	"    sport: 53\n"
	"    port: [1-2, 3, 9]\n"
	"    dscp: [ef, af11, 1-3]\n"
	"    path: [hk, sg]\n"
	"    direction: in\n"
	"    family: 6\n"
	"    header: outer\n"
	"  action: drop\n"
	"  by: noc\n"
	"- {id: r3, match: {icmp: [{type: 3, code: [1, 3-4]}, {type: 8}],"
	" proto: icmp}, action: pass}\n"
	"- {id: r4, match: {}, action: count}\n"
	"- {id: r5, match: {src: 192.0.2.1}, action: {limit: {bps: 10M,"
	" per: source}}}\n";

#endif
