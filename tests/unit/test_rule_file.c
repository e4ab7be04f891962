// SPDX-License-Identifier: GPL-2.0
/* Rule files: every field becomes the set of values that it says, JSON and YAML
 * are the same, what is written is read back, and two sets are told apart. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "rule_diff.h"
#include "rule_file.h"
#include "rule_words.h"
#include "kselftest_harness.h"
#include "rules_text.h"

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
