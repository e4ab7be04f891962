/* SPDX-License-Identifier: GPL-2.0 */
/*
 * FlowSpec (RFC 8955, RFC 8956): NLRI bytes as a peer sent them, what they
 * match, what is to be done, and their order. Nothing here allocates but
 * sl_flowspec_rule(), whose rule is bounded by SL_FLOWSPEC_MAX_SPANS.
 */
#ifndef SL_FLOWSPEC_H
#define SL_FLOWSPEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "prefix.h"
#include "ruleset.h"

#define SL_FLOWSPEC_MAX_B	4095	/* of an NLRI: what its length can say */
#define SL_FLOWSPEC_MAX_OPS	256	/* operators of one component */
#define SL_FLOWSPEC_MAX_SPANS	4096	/* of values, in one component */
#define SL_FLOWSPEC_WHY_B	160
#define SL_FLOWSPEC_TEXT_B	512
#define SL_FLOWSPEC_PEER_B	40	/* a neighbour's name, with the NUL */

/* Component types, RFC 8955 4.2.2 and RFC 8956 3. */
enum sl_flowspec_type {
	SL_FS_DST = 1, SL_FS_SRC, SL_FS_PROTO, SL_FS_PORT, SL_FS_DPORT,
	SL_FS_SPORT, SL_FS_ICMP_TYPE, SL_FS_ICMP_CODE, SL_FS_TCP_FLAGS,
	SL_FS_LENGTH, SL_FS_DSCP, SL_FS_FRAGMENT, SL_FS_FLOW_LABEL,
	SL_FS_TYPES,
};

/* Decoded; the bytes stay the caller's. A component's value begins behind its
 * type: a prefix with its length, or operators with their values. */
struct sl_flowspec {
	uint8_t family;			/* 4 or 6 */
	const uint8_t *raw;		/* behind the NLRI's length: the key */
	uint16_t raw_b;
	uint16_t at[SL_FS_TYPES];	/* of the value in raw */
	uint16_t len_b[SL_FS_TYPES];	/* 0: no such component */
	struct sl_prefix prefix[SL_FS_SRC + 1];
	uint8_t offset[SL_FS_SRC + 1];	/* IPv6: bits that are not compared */
};

/* The NLRI at the head of a list of them: its bytes behind the length. Bytes
 * taken, or -EBADMSG when the list ends inside. */
int sl_flowspec_frame(const uint8_t *list, size_t list_b, const uint8_t **nlri,
		      size_t *nlri_b);

/* 0, or -EBADMSG with the reason (SL_FLOWSPEC_WHY_B): malformed. */
int sl_flowspec_decode(int family, const uint8_t *nlri, size_t nlri_b,
		       struct sl_flowspec *out, char *why);

/* Order of RFC 8955 5.1 and RFC 8956 4: below 0, a comes first. */
int sl_flowspec_cmp(const struct sl_flowspec *a, const struct sl_flowspec *b);

/* In words; buf of SL_FLOWSPEC_TEXT_B, cut with "...". */
const char *sl_flowspec_text(const struct sl_flowspec *f, char *buf);

/* The component as a set of values 0..max, finished. 0; -ENOENT: no value at
 * all; -E2BIG, -ENOMEM. An absent component leaves the set empty. */
int sl_flowspec_values(const struct sl_flowspec *f, enum sl_flowspec_type type,
		       uint32_t max, struct sl_spans *out);
/* Kinds of fragment (1 << SL_FRAG_* bits); 0: none of those that exist. */
uint16_t sl_flowspec_fragments(const struct sl_flowspec *f);

/* --- what is to be done --- */
struct sl_flowspec_actions {
	bool bytes, packets;		/* there is a rate of that kind ... */
	float bytes_rate, packets_rate;	/* ... a second */
	bool conflict;			/* two rates of a kind, not alike */
	bool go_on;			/* traffic-action's T: evaluation goes on */
	bool sample, mark, redirect;
	uint8_t dscp;			/* of mark */
};

/* Extended communities (8 bytes each) and those of IPv6 (20 bytes each), whole
 * attributes or only those that sl_flowspec_is_action() knows. 0, or -EBADMSG
 * with the reason. */
int sl_flowspec_actions(const uint8_t *ext, size_t ext_b, const uint8_t *ext6,
			size_t ext6_b, struct sl_flowspec_actions *out,
			char *why);
bool sl_flowspec_is_action(const uint8_t ext[8]);
bool sl_flowspec_is_action6(const uint8_t ext6[20]);
const char *sl_flowspec_action_text(const struct sl_flowspec_actions *a,
				    char *buf);	/* SL_FLOWSPEC_TEXT_B */

/*
 * The rule, out zeroed before and the caller's to clear. 0; -EOPNOTSUPP with
 * the reason when it cannot be enforced exactly; -ENOMEM. `accepts`: it ends
 * the evaluation and lets packets pass, which `count` says only where no later
 * rule of the set could match the same packets.
 */
int sl_flowspec_rule(const struct sl_flowspec *f,
		     const struct sl_flowspec_actions *a, const char *peer,
		     struct sl_rule *out, bool *accepts, char *why);

/* Drop what is sent to a host (RFC 7999). Likewise. */
int sl_flowspec_blackhole(const struct sl_prefix *dst, const char *peer,
			  struct sl_rule *out, char *why);

/* Ranges of values that a rule asks for: what it costs to keep and compile. */
unsigned int sl_rule_spans(const struct sl_rule *r);
/* Could one packet match both? Never wrongly false. */
bool sl_rules_overlap(const struct sl_rule *a, const struct sl_rule *b);

#endif
