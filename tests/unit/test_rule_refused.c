// SPDX-License-Identifier: GPL-2.0
/* Rule files that are broken, impossible, dangerous or too large: refused at
 * their line with a remedy, all mistakes at once, and nothing of them is kept. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "rule_file.h"
#include "kselftest_harness.h"
#include "rules_text.h"

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
	{ "id: x, match: {}, action: count, why: \"a\\P\"", "control char" },
	{ "id: x, match: {}, action: count, tag: \"\\x85\"", "control char" },
	{ "id: x, match: {}, action: count, tag: \"\\uFEFF\"", "control char" },
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
static char *grow(size_t room_b, FILE **f)
{
	char *text = malloc(room_b);

	*f = fmemopen(text, room_b, "w");
	return text;
}

TEST(more_than_4096_rules_are_refused)
{
	FILE *f;
	char *text = grow(1 << 20, &f);
	int i, most;

	for (most = 4096; most <= 4097; most++) {
		rewind(f);
		fprintf(f, "rules:\n");
		for (i = 0; i < most; i++)
			fprintf(f, "- {id: r%d, match: {src: 10.0.%d.%d},"
				" action: drop}\n", i, i / 256, i % 256);
		fflush(f);
		sl_ruleset_free(&set);
		sl_mistakes_free(&all);
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
	FILE *f;
	char *text = grow(8 << 20, &f);
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
	FILE *f;
	char *text = grow(1 << 20, &f);
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
	sl_mistakes_free(&all);
	ASSERT_EQ(0, ftruncate(fd, 0));
	ASSERT_EQ(sizeof(whole) - 1, pwrite(fd, whole, sizeof(whole) - 1, 0));
	ASSERT_EQ(0, sl_rule_file_load(path, NULL, &set, &all));
	EXPECT_EQ(5, set.n);
	close(fd);
	unlink(path);
	ASSERT_EQ(-EINVAL, sl_rule_file_load(path, NULL, &set, &all));
	sl_mistakes_free(&all);
	ASSERT_EQ(-EINVAL, sl_rule_file_load("/", NULL, &set, &all));
	EXPECT_STREQ("Is a directory", all.m[0].message);
	done();
}

TEST(no_cut_of_a_good_file_crashes)
{
	size_t n, good = 0;

	for (n = 0; n <= strlen(whole); n++) {
		sl_ruleset_free(&set);
		sl_mistakes_free(&all);
		if (!sl_rule_file_parse(whole, n, NULL, &set, &all))
			good++;
		else
			ASSERT_LT(0, all.n);
	}
	EXPECT_EQ(5, set.n);
	EXPECT_LT(1, good);
	done();
}

TEST_HARNESS_MAIN
