// SPDX-License-Identifier: GPL-2.0
/* FlowSpec: bytes to components, components to rules, actions, order. The
 * order and the operators have naive twins here, written from the RFC's text. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "flowspec.h"
#include "kselftest_harness.h"

static uint64_t seed = 0x9e3779b97f4a7c15ULL;
static uint32_t dice(uint32_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (seed >> 20) % n;
}

static size_t unhex(const char *hex, uint8_t *out)
{
	size_t n = 0;
	unsigned int v;

	for (; *hex; hex++) {
		if (*hex == ' ')
			continue;
		sscanf(hex, "%2x", &v);
		out[n++] = v;
		hex++;
	}
	return n;
}

static int decode(int family, const char *hex, struct sl_flowspec *f, char *why)
{
	static uint8_t b[8][SL_FLOWSPEC_MAX_B];
	static unsigned int turn;

	turn = (turn + 1) % 8;
	return sl_flowspec_decode(family, b[turn], unhex(hex, b[turn]), f, why);
}

static const struct {
	int family;
	const char *hex, *text;
} good[] = {
	/* the examples of RFC 8955 4.3 */
	{ 4, "01 18 c00002 03 81 06 04 81 19", "destination 192.0.2.0/24 "
	  "protocol =6 port =25" },
	{ 4, "01 18 c00002 02 08 cb 04 03 89 45 8b 91 1f90",
	  "destination 192.0.2.0/24 source 203.0.0.0/8 port >=137&<=139 "
	  "=8080" },
	{ 4, "01 18 c00002 0c 80 05", "destination 192.0.2.0/24 fragment any "
	  "0x5" },
	/* of RFC 8956 3.8 */
	{ 6, "01 20 00 20010db8 03 81 06", "destination 2001:db8::/32 "
	  "protocol =6" },
	{ 6, "01 20 00 20010db8 02 68 40 123456789a 03 81 06",
	  "destination 2001:db8::/32 source ::1234:5678:9a00:0/104 offset 64 "
	  "protocol =6" },
	/* every component of IPv4 */
	{ 4, "01 20 cb007107 02 00 03 81 06 04 01 35 81 36 05 91 01bb 06 81 35 "
	  "07 81 08 08 81 00 09 91 0102 0a 13 03e8 d5 05dc 0b 81 0a 0c 82 02",
	  "destination 203.0.113.7/32 source 0.0.0.0/0 protocol =6 port =53 "
	  "=54 destination-port =443 source-port =53 icmp-type =8 icmp-code =0 "
	  "tcp-flags all 0x102 packet-length >=1000&<=1500 dscp =10 fragment "
	  "!any 0x2" },
	{ 6, "0d a1 000007dd", "flow-label =2013" },
	/* values of 8 bytes, operators that are always or never true */
	{ 4, "04 b1 0000000000000050", "port =80" },
	{ 4, "05 00 00 87 00", "destination-port false 0 true 0" },
	/* bits behind a prefix mean nothing */
	{ 4, "01 14 cb0fff", "destination 203.15.240.0/20" },
};

TEST(good_routes_are_read)
{
	char why[SL_FLOWSPEC_WHY_B], text[SL_FLOWSPEC_TEXT_B];
	struct sl_flowspec f;
	size_t i;

	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		ASSERT_EQ(0, decode(good[i].family, good[i].hex, &f, why)) {
			TH_LOG("%s: %s", good[i].hex, why);
		}
		ASSERT_STREQ(good[i].text, sl_flowspec_text(&f, text));
	}
}

static const struct {
	int family;
	const char *hex, *piece;
} broken[] = {
	{ 4, "", "0 bytes" },
	{ 4, "01", "no value" },
	{ 4, "00 18 c00002", "unknown component 0" },
	{ 4, "0d 81 01", "unknown component 13" },
	{ 6, "0e 81 01", "unknown component 14" },
	{ 4, "ff", "unknown component 255" },
	{ 4, "01 21 c000020100", "length 33" },
	{ 4, "01 18 c000", "inside its prefix" },
	{ 6, "01 20", "inside its prefix" },
	{ 6, "01 81 00 20010db8", "length 129" },
	{ 6, "01 20 20 20010db8", "offset 32" },
	{ 6, "01 20 21 20010db8", "offset 33" },
	{ 6, "01 00 01", "offset 1" },
	{ 6, "01 20 00 20010d", "inside its prefix" },
	{ 4, "03 81 06 01 18 c00002", "component 1 behind component 3" },
	{ 4, "03 81 06 03 81 11", "component 3 behind component 3" },
	{ 4, "03 01 06", "no last operator" },
	{ 4, "03 81", "inside a value" },
	{ 4, "03 91 06", "inside a value" },
	{ 4, "03 01 06 81", "inside a value" },
	{ 4, "09 a1 00000002", "value of 4 bytes" },
	{ 4, "0b 91 000a", "value of 2 bytes" },
	{ 4, "0c 91 0002", "value of 2 bytes" },
	/* what ExaBGP 4.2 and GoBGP 3 send for a prefix with an offset */
	{ 6, "02 68 40 00000000 00000000 12345678 9a", "unknown component 0" },
};

TEST(broken_routes_are_malformed)
{
	char why[SL_FLOWSPEC_WHY_B];
	struct sl_flowspec f;
	size_t i;

	for (i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		ASSERT_EQ(-EBADMSG, decode(broken[i].family, broken[i].hex, &f,
					   why)) {
			TH_LOG("%s", broken[i].hex);
		}
		ASSERT_NE(NULL, strstr(why, broken[i].piece)) {
			TH_LOG("%s: %s", broken[i].hex, why);
		}
	}
}

TEST(operators_of_a_component_are_bounded)
{
	uint8_t b[SL_FLOWSPEC_MAX_B] = { SL_FS_PORT };
	char why[SL_FLOWSPEC_WHY_B];
	struct sl_flowspec f;
	unsigned int i;

	for (i = 0; i <= SL_FLOWSPEC_MAX_OPS; i++)
		b[1 + 2 * i] = 0x01;
	b[2 * SL_FLOWSPEC_MAX_OPS - 1] = 0x81;
	ASSERT_EQ(0, sl_flowspec_decode(4, b, 1 + 2 * SL_FLOWSPEC_MAX_OPS, &f,
					why));
	b[2 * SL_FLOWSPEC_MAX_OPS - 1] = 0x01;
	b[2 * SL_FLOWSPEC_MAX_OPS + 1] = 0x81;
	ASSERT_EQ(-EBADMSG, sl_flowspec_decode(4, b, 3 + 2 *
					       SL_FLOWSPEC_MAX_OPS, &f, why));
}

TEST(lengths_of_one_and_two_bytes)
{
	uint8_t b[SL_FLOWSPEC_MAX_B + 2] = { 0xef };
	const uint8_t *nlri;
	size_t n;

	ASSERT_EQ(240, sl_flowspec_frame(b, 240, &nlri, &n));
	ASSERT_EQ(239, n);
	ASSERT_EQ(-EBADMSG, sl_flowspec_frame(b, 239, &nlri, &n));
	b[0] = 0xf0;
	b[1] = 0xf0;
	ASSERT_EQ(242, sl_flowspec_frame(b, sizeof(b), &nlri, &n));
	ASSERT_EQ(b + 2, nlri);
	b[0] = b[1] = 0xff;
	ASSERT_EQ(SL_FLOWSPEC_MAX_B + 2, sl_flowspec_frame(b, sizeof(b), &nlri,
							   &n));
	ASSERT_EQ(-EBADMSG, sl_flowspec_frame(b, 1, &nlri, &n));
	ASSERT_EQ(-EBADMSG, sl_flowspec_frame(b, 0, &nlri, &n));
}

/* --- values, against a naive reading of RFC 8955 4.2.1 --- */

/* How much a list of operators says of one value. */
static bool naive(const uint8_t *ops, size_t n, uint64_t data, bool mask)
{
	bool result = false, group = true, first = true, hit;
	size_t at = 0, len;
	uint64_t v;
	uint8_t op;

	while (at < n) {
		op = ops[at++];
		for (v = 0, len = 1 << (op >> 4 & 3); len; len--)
			v = v * 256 + ops[at++];
		if (mask) {
			hit = op & 1 ? (data & v) == v : (data & v) != 0;
			if (op & 2)
				hit = !hit;
		} else {
			hit = (op & 4 && data < v) || (op & 2 && data > v) ||
			      (op & 1 && data == v);
		}
		if (first || !(op & 0x40)) {
			if (!first)
				result = result || group;
			group = hit;
		} else {
			group = group && hit;
		}
		first = false;
		if (op & 0x80)
			break;
	}
	return result || group;
}

static size_t random_ops(uint8_t *b, int type)
{
	bool narrow = type == SL_FS_DSCP || type == SL_FS_FRAGMENT;
	unsigned int n = 1 + dice(dice(8) ? 4 : 40), i, len, k;
	size_t at = 0;

	for (i = 0; i < n; i++) {
		len = narrow ? 0 : type == SL_FS_TCP_FLAGS ? dice(2) : dice(4);
		b[at++] = (i + 1 == n ? 0x80 : 0) | len << 4 |
			  (dice(2) ? 0x40 : 0) | dice(8);
		for (k = 0; k < 1U << len; k++)
			b[at++] = k + 2 < 1U << len && dice(8) ? 0 :
				  dice(256);
	}
	return at;
}

TEST(values_are_those_of_a_naive_reading)
{
	static const struct {
		int type;
		uint32_t max;
	} kinds[] = { { SL_FS_PROTO, 255 }, { SL_FS_PORT, 65535 },
		      { SL_FS_LENGTH, 65535 }, { SL_FS_TCP_FLAGS, 4095 } };
	char why[SL_FLOWSPEC_WHY_B];
	unsigned int round, i, k, some = 0, none = 0;
	struct sl_flowspec f;
	uint8_t b[600];
	size_t n;
	int rc;

	for (round = 0; round < 2000; round++) {
		struct sl_spans s = {};

		i = dice(4);
		b[0] = kinds[i].type;
		n = random_ops(b + 1, kinds[i].type);
		ASSERT_EQ(0, sl_flowspec_decode(4, b, 1 + n, &f, why)) {
			TH_LOG("%s", why);
		}
		rc = sl_flowspec_values(&f, kinds[i].type, kinds[i].max, &s);
		ASSERT_TRUE(rc == 0 || rc == -ENOENT);
		some += !rc;
		none += !!rc;
		for (k = 0; k <= kinds[i].max; k += kinds[i].max > 5000 ?
		     1 + dice(37) : 1)
			ASSERT_EQ(naive(b + 1, n, k, i == 3),
				  !rc && sl_spans_has(&s, k));
		for (k = 1; k < s.n; k++)
			ASSERT_LT(s.s[k - 1].hi + 1, s.s[k].lo);
		free(s.s);
	}
	ASSERT_LT(500, some);
	ASSERT_LT(50, none);
}

TEST(dscp_has_six_bits)
{
	char why[SL_FLOWSPEC_WHY_B];
	struct sl_spans s = {};
	struct sl_flowspec f;

	ASSERT_EQ(0, decode(4, "0b 81 ca", &f, why));
	ASSERT_EQ(0, sl_flowspec_values(&f, SL_FS_DSCP, 63, &s));
	ASSERT_EQ(1, s.n);
	ASSERT_EQ(10, s.s[0].lo);
	ASSERT_EQ(10, s.s[0].hi);
	free(s.s);
}

TEST(kinds_of_fragment)
{
	enum { WHOLE = 1 << 0, WHOLE_DF = 1 << 1, LATER = 1 << 2,
	       LATER_DF = 1 << 3, FIRST = 1 << 4, FIRST_DF = 1 << 5,
	       LAST = 1 << 10, LAST_DF = 1 << 11 };
	static const struct {
		int family;
		const char *hex;
		uint16_t kinds;
	} cases[] = {
		{ 4, "0c 80 02", LATER | LATER_DF | LAST | LAST_DF },
		{ 4, "0c 80 04", FIRST | FIRST_DF },
		{ 4, "0c 80 08", LAST | LAST_DF },
		{ 4, "0c 80 01", WHOLE_DF | FIRST_DF | LATER_DF | LAST_DF },
		{ 4, "0c 82 02", WHOLE | WHOLE_DF | FIRST | FIRST_DF },
		{ 4, "0c 02 02 c2 04", WHOLE | WHOLE_DF },
		{ 4, "0c 81 0a", LAST | LAST_DF },
		{ 4, "0c 81 0c", 0 },
		{ 6, "0c 80 02", LATER | LAST },
		{ 6, "0c 80 01", 0 },	/* there is no DF */
		{ 6, "0c 82 01", WHOLE | FIRST | LATER | LAST },
		{ 6, "0c 02 02 c2 04", WHOLE },
	};
	char why[SL_FLOWSPEC_WHY_B];
	struct sl_flowspec f;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ASSERT_EQ(0, decode(cases[i].family, cases[i].hex, &f, why));
		ASSERT_EQ(cases[i].kinds, sl_flowspec_fragments(&f)) {
			TH_LOG("%d %s", cases[i].family, cases[i].hex);
		}
	}
}

/* --- rules --- */

static const struct sl_flowspec_actions drop = { .bytes = true };

static int rule(int family, const char *hex, struct sl_rule *r, char *why)
{
	struct sl_flowspec f;
	bool accepts;

	if (decode(family, hex, &f, why))
		return -EBADMSG;
	return sl_flowspec_rule(&f, &drop, "192.0.2.1", r, &accepts, why);
}

TEST(a_route_becomes_a_rule)
{
	char why[SL_FLOWSPEC_WHY_B], text[SL_PREFIX_STR_B];
	struct sl_rule r;

	ASSERT_EQ(0, rule(4, "01 20 cb007107 02 18 c63364 03 81 06 05 91 01bb",
			  &r, why));
	ASSERT_EQ(0, strncmp(r.id, "flowspec:192.0.2.1:", 19));
	ASSERT_STREQ("192.0.2.1", r.by);
	ASSERT_EQ(4, r.match.family);
	ASSERT_EQ(SL_HEADER_OUTER, r.match.at);
	ASSERT_EQ(SL_ACT_DROP, (int)r.action);
	ASSERT_STREQ("203.0.113.7", sl_prefix_str(&r.match.dst.p[0], text));
	ASSERT_STREQ("198.51.100.0/24", sl_prefix_str(&r.match.src.p[0],
						      text));
	ASSERT_EQ(1, r.match.proto.n);
	ASSERT_EQ(6, r.match.proto.s[0].lo);
	ASSERT_EQ(443, r.match.dport.s[0].lo);
	ASSERT_EQ(443, r.match.dport.s[0].hi);
	ASSERT_EQ(0, r.match.sport.n);
	sl_rule_clear(&r);
	/* ports are those of TCP and UDP only; flags and types likewise */
	ASSERT_EQ(0, rule(4, "01 08 0a 04 81 50", &r, why));
	ASSERT_EQ(2, r.match.proto.n);
	ASSERT_EQ(6, r.match.proto.s[0].lo);
	ASSERT_EQ(17, r.match.proto.s[1].lo);
	sl_rule_clear(&r);
	ASSERT_EQ(0, rule(4, "09 80 02", &r, why));
	ASSERT_EQ(6, r.match.proto.s[0].lo);
	ASSERT_EQ(2, r.match.tcp_flags.s[0].lo);
	sl_rule_clear(&r);
	ASSERT_EQ(0, rule(6, "07 01 80 81 81 08 81 00", &r, why));
	ASSERT_EQ(58, r.match.proto.s[0].lo);
	ASSERT_EQ(2, r.match.icmp.n);
	ASSERT_EQ(0x8000, r.match.icmp.s[0].lo);
	ASSERT_EQ(0x8100, r.match.icmp.s[1].hi);
	sl_rule_clear(&r);
	ASSERT_EQ(0, rule(4, "08 81 03", &r, why));	/* any type, code 3 */
	ASSERT_EQ(256, r.match.icmp.n);
	sl_rule_clear(&r);
}

TEST(the_longest_id_fits_and_differs_by_route)
{
	const char *peer = "2001:0db8:0000:0000:0000:0000:0000:0001";
	char why[SL_FLOWSPEC_WHY_B];
	struct sl_rule r, other;
	struct sl_flowspec f;
	bool accepts;

	ASSERT_EQ(0, decode(4, "01 18 c00002", &f, why));
	ASSERT_EQ(0, sl_flowspec_rule(&f, &drop, peer, &r, &accepts, why));
	ASSERT_EQ(SL_RULE_ID_B - 1, strlen(r.id));
	ASSERT_EQ(0, decode(4, "01 18 c00003", &f, why));
	ASSERT_EQ(0, sl_flowspec_rule(&f, &drop, peer, &other, &accepts, why));
	ASSERT_STRNE(r.id, other.id);
	sl_rule_clear(&r);
	sl_rule_clear(&other);
}

static const struct {
	int family;
	const char *hex, *piece;
} refused[] = {
	{ 6, "02 68 40 123456789a 03 81 06", "offset 64" },
	{ 6, "01 20 00 20010db8 0d a1 000007dd", "flow labels" },
	{ 4, "01 00", "match everything" },
	{ 4, "01 00 02 00 03 83 00", "match everything" },
	{ 4, "04 83 00", "match everything" },
	{ 4, "01 18 c00002 0a 12 ffff d4 0000", "no packet matches" },
	{ 4, "01 18 c00002 0a 92 ffff", "component 10 contradicts" },
	{ 4, "01 18 c00002 05 01 50 c1 51", "component 5 contradicts" },
	{ 4, "01 18 c00002 03 81 01 05 81 50", "component 3 contradicts" },
	{ 4, "01 18 c00002 03 81 11 09 80 02", "component 3 contradicts" },
	{ 4, "01 18 c00002 07 81 08 09 80 02", "component 3 contradicts" },
	{ 4, "01 18 c00002 03 81 3a 07 81 08", "component 3 contradicts" },
	{ 6, "01 20 00 20010db8 0c 80 01", "component 12 contradicts" },
	{ 4, "01 18 c00002 09 91 f002", "component 9 contradicts" },
};

TEST(what_cannot_be_enforced_exactly_is_refused)
{
	char why[SL_FLOWSPEC_WHY_B];
	struct sl_rule r;
	size_t i;

	for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		why[0] = '\0';
		ASSERT_EQ(-EOPNOTSUPP, rule(refused[i].family, refused[i].hex,
					    &r, why)) {
			TH_LOG("%s: %s", refused[i].hex, why);
		}
		ASSERT_NE(NULL, strstr(why, refused[i].piece)) {
			TH_LOG("%s: %s", refused[i].hex, why);
		}
	}
}

static int act(const char *ext, const char *ext6, struct sl_rule *r,
	       bool *accepts, char *why)
{
	uint8_t b[256], b6[64];
	size_t n = unhex(ext, b), n6 = unhex(ext6, b6);
	struct sl_flowspec_actions a;
	struct sl_flowspec f;

	if (sl_flowspec_actions(b, n, b6, n6, &a, why))
		return -EBADMSG;
	decode(4, "01 18 c00002", &f, why);
	return sl_flowspec_rule(&f, &a, "192.0.2.1", r, accepts, why);
}

static const struct {
	const char *ext;
	int action;
	uint64_t bps, pps;
} actions[] = {
	{ "8006 fde9 00000000", SL_ACT_DROP, 0, 0 },
	{ "8006 fde9 80000000", SL_ACT_DROP, 0, 0 },	/* minus zero */
	{ "8006 fde9 bf800000", SL_ACT_DROP, 0, 0 },	/* -1: RFC 8955 7.1 */
	{ "8006 fde9 ff800000", SL_ACT_DROP, 0, 0 },	/* -infinity */
	{ "800c 0000 00000000", SL_ACT_DROP, 0, 0 },
	{ "8006 fde9 47f42400", SL_ACT_LIMIT, 1000000, 0 },
	{ "800c 0000 47c35000", SL_ACT_LIMIT, 0, 100000 },
	{ "8006 fde9 47f42400 8006 0000 47f42400", SL_ACT_LIMIT, 1000000, 0 },
	/* dropped packets need no marks, and end any evaluation */
	{ "8006 0000 00000000 8009 0000 00000008", SL_ACT_DROP, 0, 0 },
	{ "8006 0000 00000000 8007 0000 00000003", SL_ACT_DROP, 0, 0 },
	{ "8006 0000 47f42400 800c 0000 00000000", SL_ACT_DROP, 0, 0 },
	{ "8007 0000 00000001", SL_ACT_COUNT, 0, 0 },
	{ "0002 fde9 00000001", SL_ACT_COUNT, 0, 0 },	/* a route target */
	{ "", SL_ACT_COUNT, 0, 0 },
};

TEST(actions_become_those_of_rules)
{
	char why[SL_FLOWSPEC_WHY_B];
	bool accepts;
	struct sl_rule r;
	size_t i;

	for (i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
		ASSERT_EQ(0, act(actions[i].ext, "", &r, &accepts, why)) {
			TH_LOG("%s: %s", actions[i].ext, why);
		}
		ASSERT_EQ(actions[i].action, (int)r.action) {
			TH_LOG("%s", actions[i].ext);
		}
		ASSERT_EQ(actions[i].bps, r.limit.bps);
		ASSERT_EQ(actions[i].pps, r.limit.pps);
		if (r.action == SL_ACT_LIMIT)
			ASSERT_LT(0, r.limit.burst);
		/* without T a match ends the evaluation */
		ASSERT_EQ(r.action == SL_ACT_COUNT &&
			  !strstr(actions[i].ext, "8007"), accepts);
		sl_rule_clear(&r);
	}
}

TEST(actions_that_cannot_be_done_are_refused)
{
	static const char *const cases[][3] = {
		{ "8008 fde8 00003039", "", "redirect" },
		{ "8108 c0000201 3039", "", "redirect" },
		{ "8208 0000fde8 3039", "", "redirect" },
		{ "0800 c0000201 0000", "", "redirect" },
		{ "", "000d 20010db8000000000000000000000001 0001",
		  "redirect" },
		{ "8009 0000 00000008", "", "marking" },
		{ "8006 0000 47f42400 8009 0000 00000008", "", "marking" },
		{ "8006 0000 47f42400 8007 0000 00000001", "", "going on" },
		{ "8006 0000 47f42400 8006 0000 00000000", "", "contradict" },
		{ "8009 0000 00000008 8009 0000 0000000a", "", "contradict" },
		{ "8006 0000 47f42400 800c 0000 47c35000", "", "two limits" },
		{ "8006 0000 7f800000", "", "out of range" },
		{ "8006 0000 7f000000", "", "out of range" },
		{ "8006 0000 3a000000", "", "out of range" },
		{ "800c 0000 3fc00000", "", "whole number" },
		{ "800c 0000 3f000000", "", "out of range" },
	};
	char why[SL_FLOWSPEC_WHY_B];
	struct sl_rule r;
	bool accepts;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ASSERT_EQ(-EOPNOTSUPP, act(cases[i][0], cases[i][1], &r,
					   &accepts, why)) {
			TH_LOG("%s", cases[i][0]);
		}
		ASSERT_NE(NULL, strstr(why, cases[i][2])) {
			TH_LOG("%s: %s", cases[i][0], why);
		}
	}
	ASSERT_EQ(-EBADMSG, act("8006 0000 7fc00000", "", &r, &accepts, why));
	ASSERT_EQ(-EBADMSG, act("8006 0000 7fc0", "", &r, &accepts, why));
	ASSERT_EQ(-EBADMSG, act("", "000d 20010db8", &r, &accepts, why));
}

TEST(blackholes_are_for_hosts)
{
	char why[SL_FLOWSPEC_WHY_B];
	struct sl_prefix p;
	struct sl_rule r;

	sl_prefix_parse("203.0.113.66", &p, NULL);
	ASSERT_EQ(0, sl_flowspec_blackhole(&p, "192.0.2.1", &r, why));
	ASSERT_EQ(SL_ACT_DROP, (int)r.action);
	ASSERT_EQ(1, r.match.dst.n);
	ASSERT_EQ(0, r.match.src.n);
	sl_rule_clear(&r);
	sl_prefix_parse("203.0.113.64/31", &p, NULL);
	ASSERT_EQ(-EOPNOTSUPP, sl_flowspec_blackhole(&p, "x", &r, why));
	sl_prefix_parse("2001:db8::/127", &p, NULL);
	ASSERT_EQ(-EOPNOTSUPP, sl_flowspec_blackhole(&p, "x", &r, why));
	sl_prefix_parse("2001:db8::1", &p, NULL);
	ASSERT_EQ(0, sl_flowspec_blackhole(&p, "192.0.2.1", &r, why));
	sl_rule_clear(&r);
}

/* --- packets against the components themselves --- */

struct packet {
	uint32_t src, dst;
	uint16_t sport, dport, len_b, flags;
	uint8_t proto, type, code, dscp, frag;
};

/* RFC 8955 4.2.2, component by component, over the bytes. */
static bool naive_match(const struct sl_flowspec *f, const struct packet *p)
{
	bool first = !(p->frag & SL_FRAG_LATER);
	bool ports = first && (p->proto == 6 || p->proto == 17);
	bool icmp = first && p->proto == 1;
	const uint8_t *v;
	uint32_t addr, mask;
	size_t n;
	int t;

	for (t = 1; t < SL_FS_TYPES; t++) {
		v = f->raw + f->at[t];
		n = f->len_b[t];
		if (!n)
			continue;
		if (t <= SL_FS_SRC) {
			addr = (uint32_t)f->prefix[t].addr[0] << 24 |
			       f->prefix[t].addr[1] << 16 |
			       f->prefix[t].addr[2] << 8 |
			       f->prefix[t].addr[3];
			mask = v[0] ? ~0U << (32 - v[0]) : 0;
			if (((t == SL_FS_DST ? p->dst : p->src) & mask) !=
			    (addr & mask))
				return false;
			continue;
		}
		if ((t == SL_FS_PROTO && !naive(v, n, p->proto, false)) ||
		    (t == SL_FS_PORT && !(ports &&
		     (naive(v, n, p->sport, false) ||
		      naive(v, n, p->dport, false)))) ||
		    (t == SL_FS_DPORT && !(ports &&
		     naive(v, n, p->dport, false))) ||
		    (t == SL_FS_SPORT && !(ports &&
		     naive(v, n, p->sport, false))) ||
		    (t == SL_FS_ICMP_TYPE && !(icmp &&
		     naive(v, n, p->type, false))) ||
		    (t == SL_FS_ICMP_CODE && !(icmp &&
		     naive(v, n, p->code, false))) ||
		    (t == SL_FS_TCP_FLAGS && !(first && p->proto == 6 &&
		     naive(v, n, p->flags, true))) ||
		    (t == SL_FS_LENGTH && !naive(v, n, p->len_b, false)) ||
		    (t == SL_FS_DSCP && !naive(v, n, p->dscp, false)) ||
		    (t == SL_FS_FRAGMENT && !naive(v, n, p->frag, true)))
			return false;
	}
	return true;
}

static bool in_addr(const struct sl_rule_addr *a, uint32_t addr)
{
	struct sl_prefix host = { .family = 4, .len = 32,
		.addr = { addr >> 24, addr >> 16, addr >> 8, addr } };

	return !a->n || sl_prefix_covers(&a->p[0], &host);
}

/* The rule as ruleset.h reads it: a field that is asked for must be there. */
static bool rule_match(const struct sl_rule_match *m, const struct packet *p)
{
	bool first = !(p->frag & SL_FRAG_LATER);
	bool ports = first && (p->proto == 6 || p->proto == 17);

	if (!in_addr(&m->src, p->src) || !in_addr(&m->dst, p->dst) ||
	    !sl_spans_has(&m->proto, p->proto) ||
	    !sl_spans_has(&m->length_b, p->len_b) ||
	    !sl_spans_has(&m->dscp, p->dscp) ||
	    (m->frags && !(m->frags >> p->frag & 1)))
		return false;
	if ((m->sport.n && !(ports && sl_spans_has(&m->sport, p->sport))) ||
	    (m->dport.n && !(ports && sl_spans_has(&m->dport, p->dport))) ||
	    (m->port.n && !(ports && (sl_spans_has(&m->port, p->sport) ||
				      sl_spans_has(&m->port, p->dport)))))
		return false;
	if (m->icmp.n && !(first && p->proto == 1 &&
			   sl_spans_has(&m->icmp, p->type << 8 | p->code)))
		return false;
	return !m->tcp_flags.n || (first && p->proto == 6 &&
				   sl_spans_has(&m->tcp_flags, p->flags));
}

static size_t random_nlri(uint8_t *b)
{
	size_t n = 0, k;
	int t;

	while (!n)
		for (t = 1; t <= SL_FS_FRAGMENT; t++) {
			if (dice(4))
				continue;
			b[n++] = t;
			if (t > SL_FS_SRC) {
				k = random_ops(b + n, t);
				if (t == SL_FS_DSCP)	/* reserved bits */
					for (size_t i = 1; i < k; i += 2)
						b[n + i] &= 0x3f;
				if (t == SL_FS_FRAGMENT)
					for (size_t i = 1; i < k; i += 2)
						b[n + i] &= 0xf;
				n += k;
				continue;
			}
			b[n] = dice(33);
			for (k = 0; k < (b[n] + 7U) / 8; k++)
				b[n + 1 + k] = dice(2) ? 10 : dice(256);
			n += 1 + k;
		}
	return n;
}

static struct packet random_packet(void)
{
	static const uint8_t frag[] = { 0, 1, 4, 5, 2, 3, 10, 11 };
	static const uint8_t proto[] = { 1, 6, 17, 50 };

	return (struct packet){ .src = 10 << 24 | 10 << 16 | dice(65536),
		.dst = 10 << 24 | dice(1 << 24), .sport = dice(300),
		.dport = dice(65536), .len_b = dice(2) ? dice(65536) :
		dice(256), .flags = dice(4096), .proto = dice(3) ?
		proto[dice(4)] : dice(256), .type = dice(256),
		.code = dice(256), .dscp = dice(64), .frag = frag[dice(8)] };
}

TEST(rules_match_what_the_components_match)
{
	unsigned int round, i, made = 0, hits = 0;
	char why[SL_FLOWSPEC_WHY_B];
	struct sl_flowspec f;
	uint8_t b[8000];
	bool accepts, hit;
	int rc;

	for (round = 0; round < 8000; round++) {
		size_t n = random_nlri(b);
		struct sl_rule r;

		if (n > SL_FLOWSPEC_MAX_B)
			continue;
		ASSERT_EQ(0, sl_flowspec_decode(4, b, n, &f, why)) {
			TH_LOG("%s", why);
		}
		rc = sl_flowspec_rule(&f, &drop, "192.0.2.1", &r, &accepts,
				      why);
		ASSERT_TRUE(!rc || rc == -EOPNOTSUPP);
		made += !rc;
		for (i = 0; i < 60; i++) {
			struct packet p = random_packet();

			hit = naive_match(&f, &p);
			hits += hit && !rc;
			if (!rc) {
				ASSERT_EQ(hit, rule_match(&r.match, &p)) {
					TH_LOG("%s", r.why);
				}
			} else if (strstr(why, "no packet matches")) {
				ASSERT_FALSE(hit);
			}
		}
		if (!rc)
			sl_rule_clear(&r);
	}
	ASSERT_LT(1000, made);
	ASSERT_LT(1000, hits);
}

/* --- order: the pseudo code of RFC 8955, appendix A, word for word --- */

struct component {
	int type, prefix_b, value_b;
	const uint8_t *value;
	uint32_t network;
};

static int components(const struct sl_flowspec *f, struct component *c)
{
	int t, n = 0;

	for (t = 1; t < SL_FS_TYPES; t++)
		if (f->len_b[t]) {
			c[n] = (struct component){ t, f->prefix[t < 3 ? t : 0]
				.len, f->len_b[t], f->raw + f->at[t], 0 };
			if (t < 3)
				c[n].network = (uint32_t)f->prefix[t].addr[0]
					<< 24 | f->prefix[t].addr[1] << 16 |
					f->prefix[t].addr[2] << 8 |
					f->prefix[t].addr[3];
			n++;
		}
	return n;
}

static bool overlaps(const struct component *a, const struct component *b)
{
	int len = a->prefix_b < b->prefix_b ? a->prefix_b : b->prefix_b;
	uint32_t mask = len ? ~0U << (32 - len) : 0;

	return (a->network & mask) == (b->network & mask);
}

#define A_HAS_PRECEDENCE (-1)
#define B_HAS_PRECEDENCE 1

static int flow_rule_cmp(const struct sl_flowspec *fa,
			 const struct sl_flowspec *fb)
{
	struct component a[SL_FS_TYPES], b[SL_FS_TYPES];
	int na = components(fa, a), nb = components(fb, b), i, common, rc;

	for (i = 0; i < na || i < nb; i++) {
		if (i >= na)
			return B_HAS_PRECEDENCE;
		if (i >= nb)
			return A_HAS_PRECEDENCE;
		if (a[i].type < b[i].type)
			return A_HAS_PRECEDENCE;
		if (a[i].type > b[i].type)
			return B_HAS_PRECEDENCE;
		if (a[i].type <= SL_FS_SRC) {
			if (overlaps(&a[i], &b[i])) {
				if (a[i].prefix_b > b[i].prefix_b)
					return A_HAS_PRECEDENCE;
				if (a[i].prefix_b < b[i].prefix_b)
					return B_HAS_PRECEDENCE;
			} else if (a[i].network > b[i].network) {
				return B_HAS_PRECEDENCE;
			} else {
				return A_HAS_PRECEDENCE;
			}
			continue;
		}
		common = a[i].value_b < b[i].value_b ? a[i].value_b :
			 b[i].value_b;
		rc = memcmp(a[i].value, b[i].value, common);
		if (rc > 0)
			return B_HAS_PRECEDENCE;
		if (rc < 0)
			return A_HAS_PRECEDENCE;
		if (a[i].value_b > b[i].value_b)
			return A_HAS_PRECEDENCE;
		if (a[i].value_b < b[i].value_b)
			return B_HAS_PRECEDENCE;
	}
	return 0;
}

TEST(order_is_that_of_the_rfc)
{
	static uint8_t b[400][SL_FLOWSPEC_MAX_B];
	static struct sl_flowspec f[400];
	char why[SL_FLOWSPEC_WHY_B];
	unsigned int i, k, equal = 0;
	size_t n;

	for (i = 0; i < 400; i++) {
		do {
			uint8_t wide[8000];

			n = random_nlri(wide);
			memcpy(b[i], wide, n < SL_FLOWSPEC_MAX_B ? n : 0);
		} while (n >= SL_FLOWSPEC_MAX_B || n > 60);
		if (i % 4 == 3) {	/* one that differs in a byte or none */
			n = f[i - 1].raw_b;
			memcpy(b[i], b[i - 1], n);
			if (b[i][0] > SL_FS_SRC && dice(2) && n > 2)
				b[i][2] ^= 1;
		}
		ASSERT_EQ(0, sl_flowspec_decode(4, b[i], n, &f[i], why));
	}
	for (i = 0; i < 400; i++)
		for (k = 0; k < 400; k++) {
			int rc = sl_flowspec_cmp(&f[i], &f[k]);

			equal += !rc;
			ASSERT_EQ(flow_rule_cmp(&f[i], &f[k]), rc);
			ASSERT_EQ(-rc, sl_flowspec_cmp(&f[k], &f[i]));
		}
	ASSERT_LT(400, equal);
}

TEST(offsets_come_before_prefixes_in_the_order)
{
	char why[SL_FLOWSPEC_WHY_B];
	struct sl_flowspec a, b;

	ASSERT_EQ(0, decode(6, "01 20 00 20010db8", &a, why));
	ASSERT_EQ(0, decode(6, "01 40 20 00000001", &b, why));
	ASSERT_EQ(-1, sl_flowspec_cmp(&a, &b));
	ASSERT_EQ(1, sl_flowspec_cmp(&b, &a));
	ASSERT_EQ(0, decode(6, "01 30 00 20010db80001", &b, why));
	ASSERT_EQ(1, sl_flowspec_cmp(&a, &b));	/* the longer one first */
}

TEST(overlap_is_never_wrongly_denied)
{
	unsigned int round, i, apart = 0;
	char why[SL_FLOWSPEC_WHY_B];
	uint8_t b[2][8000];
	bool accepts;

	for (round = 0; round < 3000; round++) {
		struct sl_flowspec f[2];
		struct sl_rule r[2];
		int rc[2];

		for (i = 0; i < 2; i++) {
			size_t n = random_nlri(b[i]);

			rc[i] = n > SL_FLOWSPEC_MAX_B ? -1 :
				sl_flowspec_decode(4, b[i], n, &f[i], why);
			if (!rc[i])
				rc[i] = sl_flowspec_rule(&f[i], &drop, "x",
							 &r[i], &accepts, why);
		}
		if (!rc[0] && !rc[1] && !sl_rules_overlap(&r[0], &r[1])) {
			apart++;
			for (i = 0; i < 60; i++) {
				struct packet p = random_packet();

				ASSERT_FALSE(rule_match(&r[0].match, &p) &&
					     rule_match(&r[1].match, &p));
			}
		}
		for (i = 0; i < 2; i++)
			if (!rc[i])
				sl_rule_clear(&r[i]);
	}
	ASSERT_LT(50, apart);
}

TEST_HARNESS_MAIN
