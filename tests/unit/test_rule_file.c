// SPDX-License-Identifier: GPL-2.0
/* Rule files: every field becomes the set of values that it says, JSON and YAML
 * are the same, what is written is read back, and what is broken or dangerous is
 * refused at its line, all of it at once. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "rule_diff.h"
#include "rule_file.h"
#include "rule_words.h"
#include "kselftest_harness.h"

static struct sl_ruleset set;
static struct sl_rule_mistakes all;

static int parse_with(const char *text, const struct sl_rule_context *ctx)
{
	sl_ruleset_free(&set);
	sl_rule_mistakes_free(&all);
	return sl_rule_file_parse(text, strlen(text), ctx, &set, &all);
}

static int parse(const char *text)
{
	return parse_with(text, NULL);
}

static void done(void)
{
	sl_ruleset_free(&set);
	sl_rule_mistakes_free(&all);
}

/* One rule whose match is given. */
static int parse_match(const char *match)
{
	static char text[4096];

	snprintf(text, sizeof(text), "rules:\n- id: x\n  match: %s\n"
		 "  action: count\n", match);
	return parse(text);
}

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

TEST(every_field_is_read)
{
	const struct sl_rule_match *m;

	ASSERT_EQ(0, parse(whole)) {
		TH_LOG("%s", all.m[0].message);
	}
	ASSERT_EQ(5, set.n);
	m = &set.r[0].match;
	EXPECT_STREQ("r1", set.r[0].id);
	EXPECT_EQ(2, set.r[0].line);
	EXPECT_EQ(1, m->src.n);
	EXPECT_EQ(24, m->src.p[0].len);
	EXPECT_EQ(1, m->src.n_lists);
	EXPECT_STREQ("spam", m->src.list[0]);
	EXPECT_EQ(6, m->proto.s[0].lo);
	EXPECT_EQ(2, m->dport.n);
	EXPECT_EQ(1000, m->dport.s[1].lo);
	EXPECT_EQ(2000, m->dport.s[1].hi);
	EXPECT_STREQ("SG", m->lanes.name[0]);
	EXPECT_EQ(99, m->length_b.s[0].hi);
	EXPECT_EQ(0x30, m->frags);
	EXPECT_EQ(SL_HEADER_INNER, m->at);
	EXPECT_EQ(SL_ACT_LIMIT, set.r[0].action);
	EXPECT_EQ(1000, set.r[0].limit.pps);
	EXPECT_EQ(100, set.r[0].limit.burst);
	EXPECT_FALSE(set.r[0].limit.per_source);
	EXPECT_EQ(1796083200ULL * 1000000000, set.r[0].until_ns);
	EXPECT_STREQ("case 12", set.r[0].why);
	EXPECT_STREQ("negative-list/seed", set.r[0].tag);
	m = &set.r[1].match;
	EXPECT_EQ(5, set.r[1].line);
	EXPECT_EQ(2, m->dst.n);
	EXPECT_EQ(53, m->sport.s[0].hi);
	EXPECT_EQ(2, m->port.n);
	EXPECT_EQ(3, m->port.s[0].hi);
	EXPECT_EQ(3, m->dscp.n);
	EXPECT_EQ(46, m->dscp.s[2].lo);
	EXPECT_EQ(2, m->paths.n);
	EXPECT_EQ(1 << SL_DIR_IN, m->dirs);
	EXPECT_EQ(6, m->family);
	EXPECT_EQ(SL_HEADER_OUTER, m->at);
	EXPECT_STREQ("noc", set.r[1].by);
	EXPECT_EQ(0, set.r[1].until_ns);
	m = &set.r[2].match;
	ASSERT_EQ(3, m->icmp.n);
	EXPECT_EQ(3 << 8 | 1, m->icmp.s[0].lo);
	EXPECT_EQ(3 << 8 | 4, m->icmp.s[1].hi);
	EXPECT_EQ(8 << 8, m->icmp.s[2].lo);
	EXPECT_EQ(8 << 8 | 255, m->icmp.s[2].hi);
	EXPECT_EQ(SL_ACT_PASS, set.r[2].action);
	EXPECT_EQ(10000000, set.r[4].limit.bps);
	EXPECT_EQ(1250000, set.r[4].limit.burst);
	EXPECT_TRUE(set.r[4].limit.per_source);
	done();
}

TEST(json_is_read_like_yaml)
{
	static const char json[] =
		"{\"rules\":[{\"id\":\"r1\",\"match\":{\"src\":"
		"[\"203.0.113.0/24\",\"@spam\"],\"proto\":\"tcp\",\"dport\":"
		"[80,\"1000-2000\"],\"lane\":\"SG\",\n\"tcp_flags\":{\"value\":"
		"[\"syn\"],\"mask\":[\"syn\",\"ack\"]},\"length_b\":\"0-99\","
		"\t\"fragment\":\"first\"},\"action\":{\"limit\":{\"pps\":1000,"
		"\"burst\":100}},\"until\":\"2026-12-01T08:00:00+08:00\","
		"\"why\":\"case 12\",\"tag\":\"negative-list\\/seed\"}]}";
	struct sl_rule yaml;

	ASSERT_EQ(0, parse(whole));
	ASSERT_EQ(0, sl_rule_copy(&yaml, &set.r[0]));
	ASSERT_EQ(0, parse(json)) {
		TH_LOG("%s", all.m[0].message);
	}
	EXPECT_TRUE(sl_rule_equal(&yaml, &set.r[0]));
	EXPECT_EQ(1, set.r[0].line);
	sl_rule_clear(&yaml);
	done();
}

/* --- sets of values --- */
TEST(tcp_flags_are_the_values_under_the_mask)
{
	static const struct { const char *text; uint32_t value, mask; } c[] = {
		{ "{value: [syn], mask: [syn, ack]}", 0x2, 0x12 },
		{ "{value: [syn, ack], mask: [ack, syn]}", 0x12, 0x12 },
		{ "{value: [], mask: [fin, syn, rst, psh, ack, urg]}", 0, 0x3f },
		{ "{value: 0, mask: fin}", 0, 0x1 },
		{ "{value: [ae, cwr, 0xx], mask: 1}", 0, 0 },	/* refused */
		{ "{value: [512, ece], mask: [4095]}", 0x240, 0xfff },
		{ "{value: 0, mask: 0}", 0, 0 },
	};
	uint32_t v;
	size_t i;

	for (i = 0; i < sizeof(c) / sizeof(c[0]); i++) {
		char match[200];

		snprintf(match, sizeof(match), "{tcp_flags: %s}", c[i].text);
		if (strstr(c[i].text, "0xx")) {
			EXPECT_EQ(-EINVAL, parse_match(match));
			continue;
		}
		ASSERT_EQ(0, parse_match(match)) {
			TH_LOG("%s: %s", match, all.m[0].message);
		}
		ASSERT_LT(0, set.r[0].match.tcp_flags.n);
		for (v = 0; v < 4096; v++)
			ASSERT_EQ((v & c[i].mask) == c[i].value,
				  sl_spans_has(&set.r[0].match.tcp_flags, v)) {
				TH_LOG("%s: %x", match, v);
			}
	}
	/* several: any of them */
	ASSERT_EQ(0, parse_match("{tcp_flags: [{value: syn, mask: syn},"
				 " {value: rst, mask: rst}]}"));
	for (v = 0; v < 4096; v++)
		ASSERT_EQ((v & 6) != 0,
			  sl_spans_has(&set.r[0].match.tcp_flags, v));
	done();
}

TEST(kinds_of_fragment_are_sets)
{
	static const struct { const char *text; uint16_t frags; } c[] = {
		{ "none", 1 << 0 | 1 << 1 },
		{ "first", 1 << 4 | 1 << 5 },
		{ "last", 1 << 10 | 1 << 11 },
		{ "later", 1 << 2 | 1 << 3 | 1 << 10 | 1 << 11 },
		{ "dont", 1 << 1 | 1 << 3 | 1 << 5 | 1 << 11 },
		{ "[none, first]", 0x33 },
		{ "[later, last]", 0xc0c },
		{ "4", 1 << 4 },
		{ "[0, 11]", 1 << 0 | 1 << 11 },
	};
	char match[100];
	size_t i;

	for (i = 0; i < sizeof(c) / sizeof(c[0]); i++) {
		snprintf(match, sizeof(match), "{fragment: %s}", c[i].text);
		ASSERT_EQ(0, parse_match(match));
		EXPECT_EQ(c[i].frags, set.r[0].match.frags) {
			TH_LOG("%s", c[i].text);
		}
	}
	done();
}

TEST(words_and_ranges_become_spans)
{
	static const struct { const char *match; uint32_t lo, hi; } c[] = {
		{ "{proto: icmpv6}", 58, 58 }, { "{proto: 41}", 41, 41 },
		{ "{proto: [tcp, 7, 8-9]}", 6, 9 },
		{ "{proto: sctp}", 132, 132 }, { "{proto: 0-255}", 0, 255 },
	};
	size_t i;

	for (i = 0; i < sizeof(c) / sizeof(c[0]); i++) {
		ASSERT_EQ(0, parse_match(c[i].match));
		ASSERT_EQ(1, set.r[0].match.proto.n);
		EXPECT_EQ(c[i].lo, set.r[0].match.proto.s[0].lo);
		EXPECT_EQ(c[i].hi, set.r[0].match.proto.s[0].hi);
	}
	ASSERT_EQ(0, parse_match("{icmp: {type: echo-request}, proto: icmp}"));
	EXPECT_EQ(8 << 8, set.r[0].match.icmp.s[0].lo);
	ASSERT_EQ(0, parse_match("{icmp: {type: echo-request}, proto: icmpv6}"));
	EXPECT_EQ(128 << 8, set.r[0].match.icmp.s[0].lo);
	ASSERT_EQ(0, parse_match("{icmp: {type: echo-request}, family: 6}"));
	EXPECT_EQ(128 << 8, set.r[0].match.icmp.s[0].lo);
	ASSERT_EQ(0, parse_match("{icmp: {type: 0-1, code: 0-255}}"));
	EXPECT_EQ(1, set.r[0].match.icmp.n);
	EXPECT_EQ(511, set.r[0].match.icmp.s[0].hi);
	ASSERT_EQ(0, parse_match("{src: [10.1.0.0/16, 10.0.0.0/8, 10.1.0.0/16,"
				 " \"@b\", \"@a\", \"@b\"]}"));
	EXPECT_EQ(2, set.r[0].match.src.n);
	EXPECT_EQ(8, set.r[0].match.src.p[0].len);
	EXPECT_EQ(2, set.r[0].match.src.n_lists);
	EXPECT_STREQ("a", set.r[0].match.src.list[0]);
	done();
}

/* --- what is written is read back --- */
static void random_spans(struct sl_spans *s, uint32_t max)
{
	uint32_t lo;
	int n = random() % 3 ? 0 : 1 + random() % 4;

	while (n--) {
		lo = random() % (max + 1);
		sl_spans_add(s, lo, random() % 2 ? lo :
			     lo + random() % (max - lo + 1));
	}
	sl_spans_finish(s);
}

static void random_flags(struct sl_spans *s)
{
	uint32_t value, mask, v, lo, how = random() % 4;

	if (how == 0) {		/* any set at all */
		random_spans(s, 4095);
	} else if (how < 3) {	/* one mask, or all but it */
		mask = random() & 0x1ff;
		value = random() & mask;
		for (v = lo = 0; v < 4096; v++) {
			if (((v & mask) == value) != (how == 1))
				lo = v + 1;
			else if (v == 4095 ||
				 (((v + 1) & mask) == value) != (how == 1))
				sl_spans_add(s, lo, v);
		}
	}
}

static void random_addr(struct sl_rule_addr *a)
{
	int n = random() % 4, i;
	unsigned int k;

	a->p = calloc(4, sizeof(*a->p));
	while (n--) {
		struct sl_prefix *p = &a->p[a->n++];

		p->family = random() % 2 ? 4 : 6;
		p->len = random() % (p->family == 4 ? 33 : 129);
		for (i = 0; i < p->len; i++)
			p->addr[i / 8] |= (random() & 1) << (7 - i % 8);
	}
	for (i = 0; i + 1 < (int)a->n; i++)	/* as the reader orders them */
		for (k = i + 1; k < a->n; k++)
			if (sl_prefix_cmp(&a->p[k], &a->p[i]) < 0) {
				struct sl_prefix t = a->p[i];

				a->p[i] = a->p[k];
				a->p[k] = t;
			}
	for (i = 0; i + 1 < (int)a->n; i++)
		if (!sl_prefix_cmp(&a->p[i], &a->p[i + 1]))
			a->n = i + 1;
	a->n_lists = random() % 3;
	a->list = calloc(2, sizeof(*a->list));
	for (k = 0; k < a->n_lists; k++)
		sprintf(a->list[k], "list-%u", k);
}

static void random_rule(struct sl_rule *r, unsigned int i)
{
	struct sl_rule_match *m = &r->match;

	sprintf(r->id, "r%u:%lx", i, random());
	if (random() % 2)
		strcpy(r->why, "a \"case\", \\ and: # {so} \xc3\xa9 on");
	if (random() % 2)
		strcpy(r->tag, "no");
	if (random() % 2)
		strcpy(r->by, "0012");
	r->until_ns = random() % 2 * random() * 1000000000ULL;
	if (r->until_ns)
		r->until_ns += random() % 2 * random() % 1000000000;
	random_addr(&m->src);
	random_addr(&m->dst);
	random_spans(&m->proto, 255);
	if (random() % 2) {
		random_spans(&m->sport, 65535);
		random_spans(&m->dport, 65535);
		random_spans(&m->port, 65535);
		random_flags(&m->tcp_flags);
	} else {
		random_spans(&m->icmp, 65535);
	}
	random_spans(&m->dscp, 63);
	random_spans(&m->length_b, 65535);
	m->frags = random() % 2 ? 0 : random() & SL_FRAGS_POSSIBLE;
	m->dirs = random() % 8;
	m->at = random() % 2 ? SL_HEADER_INNER : SL_HEADER_OUTER;
	m->family = random() % 3 ? 0 : random() % 2 ? 4 : 6;
	if (random() % 2)
		sl_names_add(&m->lanes, "HK");
	if (random() % 2)
		sl_names_add(&m->lanes, "SG");
	if (random() % 2)
		sl_names_add(&m->paths, "null");
	r->action = SL_ACT_DROP + random() % 4;
	if (r->action != SL_ACT_LIMIT)
		return;
	r->limit.per_source = random() % 2;
	*(random() % 2 ? &r->limit.pps : &r->limit.bps) = 1 + random() % 100000;
	r->limit.burst = 1500 + random() % 100000;
	if (r->limit.pps)
		r->limit.burst = 1 + random() % r->limit.pps;
}

/* Rules of any kind, also such as no packet can match: those are judged apart,
 * so that the mistakes here are only such as judge a whole rule. */
TEST(what_is_written_is_read_back)
{
	static const char *const judged[] = { "no packet", "in a rule for",
		"is not of family", "later fragment", "no IP packet",
		"IPv6 has no", "no IPv6 packet" };
	const struct sl_rule_context ctx = { .stored = true };
	unsigned int i, k, same = 0;
	struct json_object *doc, *again;
	struct sl_ruleset one = {};

	srandom(5);
	for (i = 0; i < 2000; i++) {
		random_rule(sl_ruleset_add(&one), i);
		doc = sl_ruleset_json(&one);
		if (parse_with(json_object_to_json_string(doc), &ctx)) {
			for (k = 0; k < sizeof(judged) / sizeof(*judged); k++)
				if (strstr(all.m[0].message, judged[k]))
					break;
			ASSERT_GT(sizeof(judged) / sizeof(*judged), k) {
				TH_LOG("%s\n%s", all.m[0].message,
				       json_object_to_json_string(doc));
			}
		} else {
			ASSERT_EQ(1, set.n);
			ASSERT_TRUE(sl_rule_equal(&one.r[0], &set.r[0])) {
				TH_LOG("%s", json_object_to_json_string(doc));
			}
			again = sl_ruleset_json(&set);
			ASSERT_STREQ(json_object_to_json_string(doc),
				     json_object_to_json_string(again));
			json_object_put(again);
			same++;
		}
		json_object_put(doc);
		sl_ruleset_free(&one);
	}
	EXPECT_LT(500, same);
	done();
}

TEST(one_mask_is_written_as_one)
{
	struct json_object *doc;

	ASSERT_EQ(0, parse(whole));
	doc = sl_rule_json(&set.r[0]);
	EXPECT_NE(NULL, strstr(json_object_to_json_string_ext(doc, 0),
		"\"tcp_flags\":[{\"value\":[\"syn\"],"
		"\"mask\":[\"syn\",\"ack\"]}]")) {
		TH_LOG("%s", json_object_to_json_string(doc));
	}
	EXPECT_NE(NULL, strstr(json_object_to_json_string_ext(doc, 0),
			       "\"fragment\":[\"first\"]"));
	json_object_put(doc);
	done();
}

TEST(lines_for_people)
{
	char buf[300], small[20];

	ASSERT_EQ(0, parse(whole));
	EXPECT_STREQ("src 203.0.113.0/24,@spam proto tcp dport 80,1000-2000 "
		     "tcp_flags syn/syn,ack length_b 0-99 fragment first "
		     "lane SG", sl_rule_match_text(&set.r[0].match, buf,
						   sizeof(buf)));
	EXPECT_STREQ("limit 1000 pps burst 100",
		     sl_rule_action_text(&set.r[0], buf, sizeof(buf)));
	EXPECT_STREQ("proto icmp icmp 3:1 or 3:3-4 or 8",
		     sl_rule_match_text(&set.r[2].match, buf, sizeof(buf)));
	EXPECT_STREQ("any packet", sl_rule_match_text(&set.r[3].match, buf,
						      sizeof(buf)));
	EXPECT_STREQ("limit 10000000 bit/s burst 1250000 B per source",
		     sl_rule_action_text(&set.r[4], buf, sizeof(buf)));
	sl_rule_match_text(&set.r[0].match, small, sizeof(small));
	EXPECT_EQ(0, strncmp(small, "src 203.0.113.0/24", 18));
	EXPECT_GT(sizeof(small), strlen(small));
	done();
}

/* --- broken files --- */
/* A match (its rule begins on line 2, the match stands on line 3), a piece of
 * the message, one of the remedy. */
static const struct { const char *match, *piece, *remedy; } broken[] = {
	{ "[]", "match must be a mapping", "known keys here: src dst" },
	{ "{sorce: 192.0.2.1}", "unknown key sorce", "known keys here" },
	{ "{[a]: b}", "unknown key (no word)", "known keys" },
	{ "{dst: 192.0.2.1, dst: 192.0.2.2}", "key dst stands twice",
	  "keep one" },
	{ "{src: 192.0.2.1/24}", "src: 192.0.2.1/24 has bits set",
	  "write 192.0.2.0/24" },
	{ "{src: \"2001:db8::1/64\"}", "2001:db8::1/64 has bits set",
	  "write 2001:db8::/64" },
	{ "{src: 192.0.2.0/33}", "no valid prefix length", "0 to 32" },
	{ "{src: 192.0.2}", "192.0.2 is no IP address", "\"@list\"" },
	{ "{src: example.net}", "example.net is no IP", "\"@list\"" },
	{ "{src: []}", "src is an empty list", "leave the key out" },
	{ "{src: {a: b}}", "src must be a single value", "one word" },
	{ "{src: [[192.0.2.1]]}", "src must be a single value", "one word" },
	{ "{src: ~}", "src is empty", "remove it" },
	{ "{src: null}", "src is empty", "remove it" },
	{ "{src: \"\"}", "src is empty", "remove it" },
	{ "{src: }", "src is empty", "remove it" },
	{ "{src: \"@a b\"}", "a b is no name of a list", "1 to 31" },
	{ "{dst: \"@\"}", "is no name of a list", "1 to 31" },
	{ "{src: 192.0.2.1, dst: \"2001:db8::1\"}",
	  "src is IPv4 and dst IPv6", "two rules" },
	{ "{src: 192.0.2.1, family: 6}", "192.0.2.1 is not of family 6",
	  "leave family" },
	{ "{family: 5}", "family: 5 is none", "4 or 6" },
	{ "{family: ipv4}", "family: ipv4 is none", "4 or 6" },
	{ "{header: middle}", "header: middle is none", "inner or outer" },
	{ "{proto: tpc}", "proto: tpc is not known", "docs/rules.md" },
	{ "{proto: 256}", "256 is over 255", "0 to 255" },
	{ "{proto: -1}", "proto: -1 is not known", "number" },
	{ "{proto: [tcp, icmp], icmp: {type: 8}, dport: 80}",
	  "dport beside icmp", "two rules" },
	{ "{dport: 65536}", "65536 is over 65535", "0 to 65535" },
	{ "{dport: 99999999999999999999999}", "is over 65535", "0 to 65535" },
	{ "{dport: 2000-1000}", "2000-1000 ends before it begins",
	  "write 1000-2000" },
	{ "{dport: http}", "dport: http is no number", "range" },
	{ "{dport: 0x50}", "0x50 is no number", "range" },
	{ "{dport: 080}", "080 is no number", "range" },
	{ "{dport: 80-}", "80- is no number", "range" },
	{ "{dport: 1-2-3}", "1-2-3 is no number", "range" },
	{ "{dport: 80.5}", "80.5 is no number", "range" },
	{ "{dport: 80, proto: gre}", "dport: no packet of this proto",
	  "tcp, udp" },
	{ "{sport: 80, proto: [esp, ah]}", "sport: no packet of this proto",
	  "tcp, udp" },
	{ "{port: 80, proto: icmp}", "port: no packet of this proto",
	  "tcp, udp" },
	{ "{tcp_flags: {value: syn, mask: syn}, proto: udp}",
	  "tcp_flags: no packet of this proto", "proto: tcp" },
	{ "{tcp_flags: {value: [syn], mask: [ack]}}",
	  "value has flags that mask leaves out", "in mask too" },
	{ "{tcp_flags: {value: syn}}", "tcp_flags has no mask", "mask: [syn" },
	{ "{tcp_flags: {mask: syn}}", "tcp_flags has no value", "value: [syn" },
	{ "{tcp_flags: {value: syn, mask: []}}", "mask is an empty list",
	  "name a value" },
	{ "{tcp_flags: syn}", "tcp_flags must be a mapping", "value mask" },
	{ "{tcp_flags: {value: sin, mask: syn}}", "sin is no flag", "syn" },
	{ "{tcp_flags: {value: 4096, mask: 4095}}", "4096 is no flag", "4095" },
	{ "{icmp: {type: 8}, proto: tcp}", "icmp: no packet of this proto",
	  "icmpv6" },
	{ "{icmp: {type: 256}}", "icmp: type: 256 is over 255", "0 to 255" },
	{ "{icmp: {code: 1}}", "icmp has no type", "{type: 8}" },
	{ "{icmp: {type: 3, code: x}}", "icmp: code: x is no number", "range" },
	{ "{icmp: {type: echo-request}}", "says not which of the two",
	  "proto: icmpv6" },
	{ "{icmp: {type: ping}, proto: icmp}", "type ping is not known",
	  "number" },
	{ "{icmp: []}", "icmp is an empty list", "name a value" },
	{ "{icmp: {type: []}}", "type is an empty list", "name a value" },
	{ "{proto: icmp, src: \"2001:db8::1\"}", "proto icmp in a rule for "
	  "IPv6", "icmpv6" },
	{ "{proto: icmpv6, dst: 192.0.2.1}", "proto icmpv6 in a rule for IPv4",
	  "proto: icmp" },
	{ "{length_b: 65536}", "65536 is over 65535", "0 to 65535" },
	{ "{length_b: 0-19}", "no IP packet is as short as 0-19", "header" },
	{ "{length_b: 39, family: 6}", "no IPv6 packet is as short as 39",
	  "header" },
	{ "{dscp: 64}", "64 is over 63", "0 to 63" },
	{ "{dscp: gold}", "dscp: gold is not known", "docs/rules.md" },
	{ "{fragment: second}", "second is no kind", "none, first" },
	{ "{fragment: 6}", "6 is no kind", "none, first" },
	{ "{fragment: []}", "fragment is an empty list", "leave the key out" },
	{ "{fragment: later, dport: 80}", "a later fragment has no dport",
	  "fragment: first" },
	{ "{fragment: last, icmp: {type: 8}}", "a later fragment has no icmp",
	  "fragment: first" },
	{ "{fragment: dont, family: 6}", "IPv6 has no dont", "leave it out" },
	{ "{lane: \"S G\"}", "S G is no name of a lane", "1 to 31" },
	{ "{lane: []}", "lane is an empty list", "leave the key out" },
	{ "{path: abcdefghijklmnopqrstuvwxyz0123456789}",
	  "is no name of a path", "1 to 31" },
	{ "{direction: up}", "direction: up is none", "out (leaving home)" },
	{ "&a {src: 192.0.2.1}", "anchors and aliases", "write the value" },
	{ "{src: *a}", "", "write the value" },
	{ "!x {src: 192.0.2.1}", "tags (!) are not read", "remove" },
	{ "{src: \"a\\0b\"}", "a NUL character", "remove" },
	{ "{src: [192.0.2.1}", "", "mend the YAML" },
};

TEST(each_broken_match_is_refused_at_its_line)
{
	size_t i;

	for (i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		ASSERT_EQ(-EINVAL, parse_match(broken[i].match)) {
			TH_LOG("accepted: %s", broken[i].match);
		}
		ASSERT_EQ(0, set.n);
		ASSERT_EQ(NULL, set.r);
		EXPECT_EQ(1, all.n) {
			TH_LOG("%s: %s, %s", broken[i].match, all.m[0].message,
			       all.m[1].message);
		}
		EXPECT_EQ(3, all.m[0].line) {
			TH_LOG("%s: %s", broken[i].match, all.m[0].message);
		}
		EXPECT_NE(NULL, strstr(all.m[0].message, broken[i].piece)) {
			TH_LOG("%s: %s", broken[i].match, all.m[0].message);
		}
		EXPECT_NE(NULL, strstr(all.m[0].remedy, broken[i].remedy)) {
			TH_LOG("%s: %s", broken[i].match, all.m[0].remedy);
		}
	}
	done();
}

/* Rules that are right but for one thing, in place of %s. */
static const struct { const char *rest, *piece; } broken_rules[] = {
	{ "id: x, match: {}", "the rule has no action" },
	{ "id: x, action: count", "the rule has no match" },
	{ "match: {}, action: count", "a rule has no id" },
	{ "id: \"a b\", match: {}, action: count", "id a b is no valid id" },
	{ "id: guard:bgp, match: {}, action: count", "the agent's own" },
	{ "id: flowspec:1, match: {}, action: count", "the agent's own" },
	{ "id: x, match: {}, action: block", "action: block is none" },
	{ "id: x, match: {}, action: limit", "action: limit is none" },
	{ "id: x, match: {}, action: {}", "action is empty" },
	{ "id: x, match: {}, action: {limit: 5}", "limit must be a mapping" },
	{ "id: x, match: {}, action: {drop: {}}", "unknown key drop" },
	{ "id: x, match: {proto: udp}, action: {limit: {}}", "no rate" },
	{ "id: x, match: {proto: udp}, action: {limit: {pps: 1, bps: 1}}",
	  "pps and bps" },
	{ "id: x, match: {proto: udp}, action: {limit: {pps: 0}}", "pps is 0" },
	{ "id: x, match: {proto: udp}, action: {limit: {pps: 101G}}",
	  "101G is too much" },
	{ "id: x, match: {proto: udp}, action: {limit: {bps: 1m}}",
	  "1m is no number" },
	{ "id: x, match: {proto: udp}, action: {limit: {pps: -5}}", "-5" },
	{ "id: x, match: {proto: udp}, action: {limit: {pps: 1, burst: 0}}",
	  "burst is 0" },
	{ "id: x, match: {proto: udp}, action: {limit: {bps: 9M, burst: 9}}",
	  "less than a packet" },
	{ "id: x, match: {proto: udp}, action: {limit: {pps: 1, burst: 1M}}",
	  "over a day" },
	{ "id: x, match: {proto: udp}, action: {limit: {pps: 1, per: host}}",
	  "per: host is neither" },
	{ "id: x, match: {}, action: count, until: tomorrow", "is no time" },
	{ "id: x, match: {}, action: count, until: 2026-12-01", "is no time" },
	{ "id: x, match: {}, action: count, until: 2027-02-29T00:00:00Z",
	  "is no time" },
	{ "id: x, match: {}, action: count, until: 2026-12-01T00:00:00",
	  "is no time" },
	{ "id: x, match: {}, action: count, until: 9999-12-01T00:00:00Z",
	  "is no time" },
	{ "id: x, match: {}, action: count, until: -1h", "is no time" },
	{ "id: x, match: {}, action: count, why: \"a\\nb\"", "control char" },
	{ "id: x, match: {}, action: count, by: [a]", "single value" },
	{ "id: x, match: {}, action: drop", "every packet" },
	{ "id: x, match: {}, action: pass", "nothing below is asked" },
	{ "id: x, match: {}, action: {limit: {pps: 1}}", "every packet" },
	{ "id: x, match: {src: 0.0.0.0/0}, action: drop", "every packet" },
	{ "id: x, match: {dst: \"::/0\"}, action: drop", "every packet" },
	{ "id: x, match: {src: [0.0.0.0/1, 128.0.0.0/1]}, action: drop",
	  "every packet" },
	{ "id: x, match: {src: [\"::/1\", \"8000::/2\", \"c000::/2\","
	  " \"1::/16\"]}, action: drop", "every packet" },
	{ "id: x, match: {direction: in, header: outer}, action: drop",
	  "every packet" },
	{ "id: x, match: {proto: 0-255, dscp: 0-63, length_b: 0-65535},"
	  " action: drop", "every packet" },
	{ "id: x, match: {fragment: [none, first, later]}, action: drop",
	  "every packet" },
};

TEST(each_broken_rule_is_refused)
{
	char text[400];
	size_t i;

	for (i = 0; i < sizeof(broken_rules) / sizeof(broken_rules[0]); i++) {
		snprintf(text, sizeof(text), "rules:\n\n- {%s}\n",
			 broken_rules[i].rest);
		ASSERT_EQ(-EINVAL, parse(text)) {
			TH_LOG("accepted: %s", broken_rules[i].rest);
		}
		ASSERT_EQ(0, set.n);
		EXPECT_EQ(1, all.n) {
			TH_LOG("%s: %s", broken_rules[i].rest,
			       all.m[1].message);
		}
		EXPECT_EQ(3, all.m[0].line);
		EXPECT_NE(NULL, strstr(all.m[0].message,
				       broken_rules[i].piece)) {
			TH_LOG("%s: %s", broken_rules[i].rest,
			       all.m[0].message);
		}
		EXPECT_NE('\0', all.m[0].remedy[0]);
	}
	done();
}

static const struct { const char *text; unsigned int line; const char *piece; }
broken_files[] = {
	{ "", 0, "empty" },
	{ "# nothing\n", 0, "empty" },
	{ "words\n", 1, "must be a mapping" },
	{ "- {id: x}\n", 1, "must be a mapping" },
	{ "{}\n", 1, "has no rules" },
	{ "rulez: []\n", 1, "unknown key rulez" },
	{ "rules: {a: b}\n", 1, "must be a list" },
	{ "rules:\n", 1, "must be a list" },
	{ "rules:\n- drop all\n", 2, "a rule must be a mapping" },
	{ "rules: []\nrules: []\n", 2, "stands twice" },
	{ "rules: []\n---\nrules: []\n", 2, "second document" },
	{ "{\"rules\": [}", 1, "" },
	{ "{\"rules\": []", 2, "" },
	{ "rules: []\n]\n", 2, "" },
	{ "rules: [[[[[[[[[[[[[[[[[[[[\n", 1, "too deeply" },
	{ "rules: &r []\n", 1, "anchors" },
	{ "rules: \"\xff\"\n", 1, "" },
};

TEST(each_broken_file_is_refused)
{
	size_t i;

	for (i = 0; i < sizeof(broken_files) / sizeof(broken_files[0]); i++) {
		ASSERT_EQ(-EINVAL, parse(broken_files[i].text)) {
			TH_LOG("accepted: %s", broken_files[i].text);
		}
		ASSERT_LT(0, all.n);
		EXPECT_EQ(broken_files[i].line, all.m[0].line) {
			TH_LOG("%s: %s", broken_files[i].text,
			       all.m[0].message);
		}
		EXPECT_NE(NULL, strstr(all.m[0].message,
				       broken_files[i].piece)) {
			TH_LOG("%s: %s", broken_files[i].text,
			       all.m[0].message);
		}
	}
	EXPECT_EQ(0, parse("rules: []\n"));
	EXPECT_EQ(0, set.n);
	done();
}

TEST(all_mistakes_are_said_at_once_by_line)
{
	size_t i;

	ASSERT_EQ(-EINVAL, parse(
		"rules:\n"
		"- {id: a, match: {src: 10.0.0.1/8, dport: 70000}, action: x}\n"
		"- {id: b, match: {lane: [\"\"]}, action: drop}\n"
		"- {id: a, match: {proto: gre, dport: 1}, action: count}\n"
		"- {idd: c, match: {}, action: pass}\n"));
	EXPECT_EQ(9, all.n);
	EXPECT_EQ(9, all.total);
	for (i = 1; i < all.n; i++)
		EXPECT_LE(all.m[i - 1].line, all.m[i].line);
	EXPECT_STREQ("a", all.m[0].rule);
	EXPECT_STREQ("", all.m[8].rule);
	done();
}

/* --- what else is known --- */
TEST(names_are_held_against_what_there_is)
{
	static const char text[] = "rules:\n- {id: x, match: {src: \"@spam\","
		" lane: [SG, other], path: hk}, action: drop}\n";
	struct sl_names lists = {}, lanes = {}, paths = {};
	struct sl_rule_context ctx = { .lists = &lists, .lanes = &lanes,
				       .paths = &paths };

	ASSERT_EQ(-EINVAL, parse_with(text, &ctx));
	EXPECT_EQ(4, all.n);
	EXPECT_STREQ("src: there is no list spam", all.m[0].message);
	sl_names_add(&lists, "spam");
	sl_names_add(&lanes, "SG");
	sl_names_add(&lanes, "other");
	ASSERT_EQ(-EINVAL, parse_with(text, &ctx));
	EXPECT_EQ(1, all.n);
	EXPECT_STREQ("path: there is no path hk", all.m[0].message);
	sl_names_add(&paths, "hk");
	EXPECT_EQ(0, parse_with(text, &ctx));
	done();
	free(lists.name);
	free(lanes.name);
	free(paths.name);
}

TEST(protected_prefixes_are_left_alone)
{
	static const struct { const char *match, *action; int rc; } c[] = {
		{ "src: 192.0.2.0/24", "drop", -EINVAL },
		{ "src: 192.0.2.1", "{limit: {pps: 1}}", -EINVAL },
		{ "dst: 192.0.0.0/16, proto: tcp", "drop", -EINVAL },
		{ "dst: \"2001:db8::/32\"", "drop", -EINVAL },
		{ "src: 192.0.2.1", "count", 0 },
		{ "src: 192.0.2.1", "pass", 0 },
		{ "src: 192.0.2.2", "drop", 0 },
		{ "src: 0.0.0.0/0, proto: udp", "drop", 0 },
	};
	struct sl_rule_context ctx = { .force = true };
	struct sl_rib *rib = sl_rib_new();
	struct sl_prefix p;
	char text[200];
	size_t i;

	sl_prefix_parse("192.0.2.1", &p, NULL);
	sl_rib_add_class(rib, &p, SL_CLASS_PROTECT, SL_ACT_PROTECT, 0);
	sl_prefix_parse("2001:db8:1::/48", &p, NULL);
	sl_rib_add_class(rib, &p, SL_CLASS_PROTECT, SL_ACT_PROTECT, 0);
	sl_rib_sort(rib);
	ctx.protect = rib;
	for (i = 0; i < sizeof(c) / sizeof(c[0]); i++) {
		snprintf(text, sizeof(text), "rules:\n- {id: x, match: {%s},"
			 " action: %s}\n", c[i].match, c[i].action);
		EXPECT_EQ(c[i].rc, parse_with(text, &ctx)) {
			TH_LOG("%s", text);
		}
		if (c[i].rc)
			EXPECT_NE(NULL, strstr(all.m[0].message,
					       "which is protected"));
	}
	/* where it stands, not where its field begins */
	EXPECT_EQ(-EINVAL, parse_with("rules:\n- id: x\n  match:\n    src:\n"
		"    - 198.51.100.1\n    - 192.0.2.0/24\n  action: drop\n",
		&ctx));
	EXPECT_EQ(1, all.n);
	EXPECT_EQ(6, all.m[0].line);
	done();
	sl_rib_free(rib);
}

TEST(force_and_stored_lift_what_they_may)
{
	static const char bare[] = "rules: [{id: x, match: {}, action: drop}]";
	static const char past[] = "rules: [{id: guard:x, match: {proto: tcp},"
		" action: drop, until: 2020-01-01T00:00:00Z}]";
	static const char wrong[] = "rules: [{id: x, match: {proto: gre,"
		" dport: 1}, action: drop}]";
	struct sl_rule_context ctx = { .force = true };

	EXPECT_EQ(-EINVAL, parse(bare));
	EXPECT_EQ(0, parse_with(bare, &ctx));
	EXPECT_EQ(-EINVAL, parse_with(wrong, &ctx));
	ctx.now_ns = 1700000000ULL * 1000000000;
	EXPECT_EQ(-EINVAL, parse_with(past, &ctx));
	EXPECT_EQ(2, all.n);
	ctx.stored = true;
	EXPECT_EQ(0, parse_with(past, &ctx));
	EXPECT_EQ(-EINVAL, parse_with(wrong, &ctx));
	done();
}

/* --- bounds --- */
static char *grow(size_t room_b, size_t *n, FILE **f)
{
	char *text = malloc(room_b);

	*n = 0;
	*f = fmemopen(text, room_b, "w");
	return text;
}

TEST(more_than_4096_rules_are_refused)
{
	size_t n;
	FILE *f;
	char *text = grow(1 << 20, &n, &f);
	int i, most;

	for (most = 4096; most <= 4097; most++) {
		rewind(f);
		fprintf(f, "rules:\n");
		for (i = 0; i < most; i++)
			fprintf(f, "- {id: r%d, match: {src: 10.0.%d.%d},"
				" action: drop}\n", i, i / 256, i % 256);
		fflush(f);
		sl_ruleset_free(&set);
		sl_rule_mistakes_free(&all);
		ASSERT_EQ(most == 4096 ? 0 : -EINVAL,
			  sl_rule_file_parse(text, ftell(f), NULL, &set, &all));
	}
	EXPECT_EQ(1, all.n);
	EXPECT_EQ(4098, all.m[0].line);
	EXPECT_STREQ("4097 rules are too many", all.m[0].message);
	done();
	fclose(f);
	free(text);
}

TEST(a_million_values_are_refused)
{
	size_t n;
	FILE *f;
	char *text = grow(8 << 20, &n, &f);
	int i;

	fprintf(f, "rules: [");
	for (i = 0; i < 1 << 20; i++)
		fprintf(f, "a,\n");
	fflush(f);
	ASSERT_EQ(-EINVAL, sl_rule_file_parse(text, ftell(f), NULL, &set,
					      &all));
	EXPECT_NE(NULL, strstr(all.m[0].message, "more than a million"));
	done();
	fclose(f);
	free(text);
}

TEST(mistakes_without_end_are_counted)
{
	size_t n;
	FILE *f;
	char *text = grow(1 << 20, &n, &f);
	int i;

	fprintf(f, "rules: [{id: x, action: count, match: {dport: [\n");
	for (i = 0; i < 20000; i++)
		fprintf(f, "x,\n");
	fprintf(f, "]}}]\n");
	fflush(f);
	ASSERT_EQ(-EINVAL, sl_rule_file_parse(text, ftell(f), NULL, &set,
					      &all));
	EXPECT_EQ(10000, all.n);
	EXPECT_EQ(20000, all.total);
	done();
	fclose(f);
	free(text);
}

TEST(a_file_that_is_too_long_is_refused)
{
	char path[] = "/tmp/sealane-rules.XXXXXX";
	int fd = mkstemp(path);

	ASSERT_EQ(0, ftruncate(fd, SL_RULE_FILE_MAX_B + 1));
	ASSERT_EQ(-EINVAL, sl_rule_file_load(path, NULL, &set, &all));
	EXPECT_STREQ("the file is over 64 MB", all.m[0].message);
	sl_rule_mistakes_free(&all);
	ASSERT_EQ(0, ftruncate(fd, 0));
	ASSERT_EQ(sizeof(whole) - 1, pwrite(fd, whole, sizeof(whole) - 1, 0));
	ASSERT_EQ(0, sl_rule_file_load(path, NULL, &set, &all));
	EXPECT_EQ(5, set.n);
	close(fd);
	unlink(path);
	ASSERT_EQ(-EINVAL, sl_rule_file_load(path, NULL, &set, &all));
	sl_rule_mistakes_free(&all);
	ASSERT_EQ(-EINVAL, sl_rule_file_load("/", NULL, &set, &all));
	EXPECT_STREQ("Is a directory", all.m[0].message);
	done();
}

TEST(no_cut_of_a_good_file_crashes)
{
	size_t n, good = 0;

	for (n = 0; n <= strlen(whole); n++) {
		sl_ruleset_free(&set);
		sl_rule_mistakes_free(&all);
		if (!sl_rule_file_parse(whole, n, NULL, &set, &all))
			good++;
		else
			ASSERT_LT(0, all.n);
	}
	EXPECT_EQ(5, set.n);
	EXPECT_LT(1, good);
	done();
}

/* --- differences --- */
static char *places(const char *before, const char *after)
{
	static char text[400];
	struct sl_rule_change *c = NULL;
	struct sl_ruleset old;
	unsigned int n = 0, i;
	size_t at = 0;

	text[0] = '\0';
	if (parse(before))
		return "before?";
	old = set;
	memset(&set, 0, sizeof(set));
	if (parse(after) || sl_rule_diff(&old, &set, &c, &n))
		return "after?";
	for (i = 0; i < n; i++)
		at += sprintf(text + at, "%s%s%s%s%s ", c[i].after < 0 ?
			      old.r[c[i].before].id : set.r[c[i].after].id,
			      c[i].what & SL_RULE_ADDED ? "+" : "",
			      c[i].what & SL_RULE_REMOVED ? "-" : "",
			      c[i].what & SL_RULE_CHANGED ? "!" : "",
			      c[i].what & SL_RULE_MOVED ? "~" : "");
	free(c);
	sl_ruleset_free(&old);
	return text;
}

TEST(differences_are_by_id_and_few)
{
	#define R(id, port) "- {id: " id ", match: {dport: " port "}, action: drop}\n"
	EXPECT_STREQ("", places("rules:\n" R("a", "1") R("b", "[2, 1]"),
				"rules:\n\n" R("a", "1") R("b", "[1, 2]")));
	EXPECT_STREQ("b! c+ ", places("rules:\n" R("a", "1") R("b", "2"),
		"rules:\n" R("a", "1") R("b", "3") R("c", "3")));
	EXPECT_STREQ("a- b- ", places("rules:\n" R("a", "1") R("b", "2"),
				      "rules: []"));
	/* the last to the front: one moved, not three */
	EXPECT_STREQ("d~ ", places(
		"rules:\n" R("a", "1") R("b", "1") R("c", "1") R("d", "1"),
		"rules:\n" R("d", "1") R("a", "1") R("b", "1") R("c", "1")));
	EXPECT_STREQ("e+ d~ c! b- ", places(
		"rules:\n" R("a", "1") R("b", "1") R("c", "1") R("d", "1"),
		"rules:\n" R("a", "1") R("e", "1") R("d", "1") R("c", "2")));
	done();
}

TEST_HARNESS_MAIN
