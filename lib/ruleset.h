/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Rules as people and BGP peers say them: one model for rule files
 * (rule_file.h) and FlowSpec (flowspec.h), compiled for the data plane by
 * abv.h. All fields AND, the values of a field OR.
 */
#ifndef SL_RULESET_H
#define SL_RULESET_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>
#include <sealane/abi.h>
#include "prefix.h"

#define SL_RULE_ID_B	64	/* of id, tag and by, with the NUL */
#define SL_RULE_WHY_B	256

/* Values lo..hi, both in. */
struct sl_span {
	uint32_t lo, hi;
};

/* Sorted, disjoint, not adjacent, once sl_spans_finish() was called. n 0: any
 * value, also that of a packet without the field. */
struct sl_spans {
	struct sl_span *s;
	unsigned int n;
};

/* Prefixes and names of lists; none of either: any address. */
struct sl_rule_addr {
	struct sl_prefix *p;
	unsigned int n;
	char (*list)[SL_NAME_B];
	unsigned int n_lists;
};

struct sl_names {
	char (*name)[SL_NAME_B];
	unsigned int n;		/* 0: any */
};

struct sl_rule_match {
	uint8_t family;		/* 4 or 6; 0: both */
	uint8_t at;		/* SL_HEADER_INNER or SL_HEADER_OUTER */
	uint8_t dirs;		/* 1 << SL_DIR_*; 0: any */
	uint16_t frags;		/* 1 << kind (SL_FRAG_*, 0..15); 0: any */
	struct sl_rule_addr src, dst;
	struct sl_spans proto;		/* 0..255 */
	struct sl_spans sport, dport;	/* 0..65535 */
	struct sl_spans port;		/* source or destination */
	struct sl_spans icmp;		/* type << 8 | code */
	struct sl_spans tcp_flags;	/* 0..4095, by value */
	struct sl_spans length_b;	/* of the IP packet */
	struct sl_spans dscp;		/* 0..63 */
	struct sl_names lanes, paths;
};

struct sl_rule {
	char id[SL_RULE_ID_B];	/* unique in a set */
	char tag[SL_RULE_ID_B], by[SL_RULE_ID_B], why[SL_RULE_WHY_B];
	unsigned long line;	/* of the file; 0: none */
	uint64_t until_ns;	/* wall clock; 0: never */
	struct sl_rule_match match;
	bool own;		/* a guard: of a tunnelled packet the outer
				 * addresses must match, too */
	enum sl_action action;	/* SL_ACT_DROP, _COUNT, _LIMIT, _PASS */
	struct {
		uint64_t pps, bps;	/* one of them; bit/s of the IP packet */
		uint64_t burst;		/* packets, or bytes with bps */
		bool per_source;
	} limit;
};

struct sl_ruleset {
	struct sl_rule *r;
	unsigned int n;
};

/* 0 or -ENOMEM. */
int sl_spans_add(struct sl_spans *s, uint32_t lo, uint32_t hi);
int sl_spans_finish(struct sl_spans *s);
bool sl_spans_has(const struct sl_spans *s, uint32_t value);	/* n 0: true */
int sl_names_add(struct sl_names *n, const char *name);
bool sl_names_has(const struct sl_names *n, const char *name);	/* n 0: true */

/* A new rule at the end of the set, zeroed but for match.at (inner); NULL: no
 * memory. Pointers to former ones are void then. */
struct sl_rule *sl_ruleset_add(struct sl_ruleset *set);
int sl_rule_copy(struct sl_rule *to, const struct sl_rule *from);
void sl_rule_clear(struct sl_rule *r);	/* what it owns */
void sl_ruleset_free(struct sl_ruleset *set);	/* its rules; set is zeroed */

#endif
