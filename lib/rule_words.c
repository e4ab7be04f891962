// SPDX-License-Identifier: GPL-2.0
#include <stddef.h>
#include <string.h>
#include "rule_words.h"

const struct sl_word sl_proto_words[] = {
	{ "icmp", 1 }, { "igmp", 2 }, { "ipip", 4 }, { "tcp", 6 },
	{ "udp", 17 }, { "dccp", 33 }, { "ipv6", 41 }, { "rsvp", 46 },
	{ "gre", 47 }, { "esp", 50 }, { "ah", 51 }, { "icmpv6", 58 },
	{ "ospf", 89 }, { "etherip", 97 }, { "pim", 103 }, { "vrrp", 112 },
	{ "l2tp", 115 }, { "sctp", 132 }, { "udplite", 136 },
	{ "mpls", 137 }, {}
};

const struct sl_word sl_dscp_words[] = {
	{ "cs0", 0 }, { "be", 0 }, { "le", 1 }, { "cs1", 8 }, { "af11", 10 },
	{ "af12", 12 }, { "af13", 14 }, { "cs2", 16 }, { "af21", 18 },
	{ "af22", 20 }, { "af23", 22 }, { "cs3", 24 }, { "af31", 26 },
	{ "af32", 28 }, { "af33", 30 }, { "cs4", 32 }, { "af41", 34 },
	{ "af42", 36 }, { "af43", 38 }, { "cs5", 40 }, { "va", 44 },
	{ "ef", 46 }, { "cs6", 48 }, { "cs7", 56 }, {}
};

const struct sl_word sl_flag_words[] = {
	{ "fin", 0x001 }, { "syn", 0x002 }, { "rst", 0x004 }, { "psh", 0x008 },
	{ "ack", 0x010 }, { "urg", 0x020 }, { "ece", 0x040 }, { "cwr", 0x080 },
	{ "ae", 0x100 }, {}
};

const struct sl_word sl_icmp4_words[] = {
	{ "echo-reply", 0 }, { "unreachable", 3 }, { "source-quench", 4 },
	{ "redirect", 5 }, { "echo-request", 8 }, { "router-advertisement", 9 },
	{ "router-solicitation", 10 }, { "time-exceeded", 11 },
	{ "parameter-problem", 12 }, { "timestamp-request", 13 },
	{ "timestamp-reply", 14 }, { "mask-request", 17 }, { "mask-reply", 18 },
	{}
};

const struct sl_word sl_icmp6_words[] = {
	{ "unreachable", 1 }, { "packet-too-big", 2 }, { "time-exceeded", 3 },
	{ "parameter-problem", 4 }, { "echo-request", 128 },
	{ "echo-reply", 129 }, { "mld-query", 130 }, { "mld-report", 131 },
	{ "mld-done", 132 }, { "router-solicitation", 133 },
	{ "router-advertisement", 134 }, { "neighbor-solicitation", 135 },
	{ "neighbor-advertisement", 136 }, { "redirect", 137 }, {}
};

#define KIND(k)		(1U << (k))
#define WITH_DF(set)	((set) | (set) << SL_FRAG_DF)

/* The widest first, so that the writer of rules finds the fewest words. */
const struct sl_word sl_frag_words[] = {
	{ "dont", SL_FRAGS_DF },
	{ "later", SL_FRAGS_LATER },
	{ "none", WITH_DF(KIND(0)) },
	{ "first", WITH_DF(KIND(SL_FRAG_FIRST)) },
	{ "last", WITH_DF(KIND(SL_FRAG_LATER | SL_FRAG_LAST)) }, {}
};

const struct sl_word sl_dir_words[] = {
	{ "out", 1 << SL_DIR_OUT }, { "in", 1 << SL_DIR_IN },
	{ "unknown", 1 << SL_DIR_UNKNOWN }, {}
};

const struct sl_word sl_action_words[] = {
	{ "drop", SL_ACT_DROP }, { "count", SL_ACT_COUNT },
	{ "pass", SL_ACT_PASS }, {}
};

_Static_assert(SL_FRAGS_LATER == (WITH_DF(KIND(SL_FRAG_LATER)) |
	       WITH_DF(KIND(SL_FRAG_LATER | SL_FRAG_LAST))), "later");
_Static_assert(SL_FRAGS_POSSIBLE == (SL_FRAGS_LATER | WITH_DF(KIND(0)) |
	       WITH_DF(KIND(SL_FRAG_FIRST))), "possible");
_Static_assert(SL_FRAGS_DF == (SL_FRAGS_POSSIBLE & 0xaaaa), "df");

const struct sl_word *sl_word_find(const struct sl_word *w, const char *text)
{
	for (; w->word; w++)
		if (!strcmp(w->word, text))
			return w;
	return NULL;
}

const char *sl_word_of(const struct sl_word *w, uint32_t value)
{
	for (; w->word; w++)
		if (w->value == value)
			return w->word;
	return NULL;
}

bool sl_proto_has_ports(uint32_t proto)
{
	return proto == SL_PROTO_TCP || proto == SL_PROTO_UDP;
}

bool sl_proto_ports_unread(uint32_t proto)
{
	return proto == 33 || proto == 132 || proto == 136;
}
