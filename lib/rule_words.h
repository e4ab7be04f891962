/* SPDX-License-Identifier: GPL-2.0 */
/* Words for numbers in rules: protocols, ICMP types, DSCPs, TCP flags, kinds of
 * fragment. Both the reader and the writer of rules use them. */
#ifndef SL_RULE_WORDS_H
#define SL_RULE_WORDS_H

#include <stdbool.h>
#include <stdint.h>
#include <sealane/abi.h>

struct sl_word {
	const char *word;	/* NULL: behind the last */
	uint32_t value;
};

extern const struct sl_word sl_proto_words[], sl_dscp_words[], sl_flag_words[];
extern const struct sl_word sl_icmp4_words[], sl_icmp6_words[];
extern const struct sl_word sl_frag_words[];	/* value: a set, as match.frags */
extern const struct sl_word sl_dir_words[];
extern const struct sl_word sl_action_words[];	/* without limit */

/* Exact words only. NULL: none. */
const struct sl_word *sl_word_find(const struct sl_word *w, const char *text);
const char *sl_word_of(const struct sl_word *w, uint32_t value);

#define SL_PROTO_ICMP	1
#define SL_PROTO_TCP	6
#define SL_PROTO_UDP	17
#define SL_PROTO_ICMPV6	58
/* The data plane reads ports of TCP and UDP, as RFC 8955 4.2.2.4 has it; those
 * of DCCP, SCTP and UDP-Lite it does not. */
bool sl_proto_has_ports(uint32_t proto);
bool sl_proto_ports_unread(uint32_t proto);

/* The kinds of fragment that a packet can be; a last one is a later one. */
#define SL_FRAGS_POSSIBLE	0x0c3f
#define SL_FRAGS_LATER		0x0c0c	/* of these, without L4 */
#define SL_FRAGS_DF		0x082a

#endif
