// SPDX-License-Identifier: GPL-2.0
/* FlowSpec: bytes to components, components to rules, actions, order. The
 * order and the operators have naive twins here, written from the RFC's text. */
#include "flowspec_bytes.h"
#include "kselftest_harness.h"

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

TEST_HARNESS_MAIN
