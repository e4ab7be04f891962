// SPDX-License-Identifier: GPL-2.0
/* What the analysis of rules claims, held against every packet of a small world
 * and a naive matcher: nothing is claimed that is not so, and between two rules
 * that name their values plainly nothing is missed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "rule_file.h"
#include "rule_lint.h"
#include "kselftest_harness.h"
#include "rule_world.h"

/* --- random rules about it --- */
static const char *one_of(const char *const *words, int n)
{
	return words[random() % n];
}
#define ONE_OF(...) one_of((const char *const[]){ __VA_ARGS__ }, \
	sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *))

static void put(FILE *f, int odds, const char *key, const char *value)
{
	if (random() % odds == 0)
		fprintf(f, "%s: %s, ", key, value);
}

/* plain: fields that imply nothing of one another, and no lists or tunnels */
static void random_match(FILE *f, bool plain)
{
	put(f, 2, "src", ONE_OF("10.0.0.0/29", "10.0.0.0/30", "10.0.0.2/31",
		"[10.0.0.4/31, 10.0.0.6/31]", "10.0.0.0/8", "10.0.0.3",
		"[10.0.0.1, \"2001:db8::/125\"]", "\"2001:db8::2\"",
		"[10.0.0.4/30, 10.0.0.7, 10.0.0.8]"));
	put(f, 3, "dst", ONE_OF("10.0.0.0/30", "10.0.0.0/29", "10.0.0.1",
		"[\"2001:db8::/126\", 10.0.0.4/30]"));
	put(f, 4, "direction", ONE_OF("in", "out"));
	put(f, 4, "lane", ONE_OF("HK", "SG", "[HK, SG]", "[SG, other]"));
	put(f, 4, "length_b", ONE_OF("0-500", "20-100", "[1000, 2000]"));
	put(f, 5, "dscp", ONE_OF("0", "1", "0-1"));
	if (plain) {
		put(f, 3, "proto", ONE_OF("tcp", "udp", "[tcp, udp]", "gre"));
		return;
	}
	put(f, 5, "family", ONE_OF("4", "6"));
	put(f, 5, "header", "outer");
	put(f, 4, "fragment", ONE_OF("none", "first", "later", "last", "dont",
				     "[none, first]"));
	put(f, 6, "src", ONE_OF("\"@a\"", "[\"@a\", \"@b\"]",
				"[\"@b\", 10.0.0.1]"));
	if (random() % 2) {
		put(f, 3, "proto", ONE_OF("tcp", "[tcp, udp]", "[tcp, gre]"));
		put(f, 3, "dport", ONE_OF("80", "80-81", "[80, 443]"));
		put(f, 4, "sport", ONE_OF("81", "80-100"));
		put(f, 4, "port", ONE_OF("80", "[9, 443]", "81-443"));
		put(f, 4, "tcp_flags", ONE_OF("{value: 1, mask: 1}",
			"{value: 2, mask: 3}", "{value: 0, mask: 2}"));
	} else {
		put(f, 3, "icmp", ONE_OF("{type: 0}", "{type: [0, 1]}",
					 "{type: 1, code: 0}"));
	}
}

/* Rules that are refused for what they are left out. */
static void random_set(struct sl_ruleset *set, bool plain)
{
	const struct sl_rule_context ctx = { .force = true };
	struct sl_mistakes all = {};
	struct sl_ruleset one;
	char text[800];
	int i, n = 2 + random() % 12;
	FILE *f;

	memset(set, 0, sizeof(*set));
	for (i = 0; i < n; i++) {
		f = fmemopen(text, sizeof(text), "w");
		fprintf(f, "rules: [{id: r%d, match: {", i);
		random_match(f, plain);
		fprintf(f, "}, action: %s}]", ONE_OF("drop", "drop", "pass",
			"count", "{limit: {pps: 5}}"));
		fclose(f);
		if (!sl_rule_file_parse(text, strlen(text), &ctx, &one, &all)) {
			sl_rule_copy(sl_ruleset_add(set), &one.r[0]);
			sl_ruleset_free(&one);
		}
		sl_mistakes_free(&all);
	}
}

/* --- what every packet says of two rules --- */
struct truth {
	unsigned int both, only_later, only_earlier;
};

/* Packets that each rule of a set matches, a bit for each. */
static uint64_t hits[16][N_WORLD / 64];

static void match_all(const struct sl_ruleset *set)
{
	unsigned int r;
	int i;

	memset(hits, 0, sizeof(hits));
	for (r = 0; r < set->n; r++)
		for (i = 0; i < N_WORLD; i++)
			if (matches(&set->r[r].match, &world[i]))
				hits[r][i / 64] |= 1ULL << i % 64;
}

static struct truth look(unsigned int earlier, unsigned int later)
{
	struct truth t = {};
	uint64_t a, b;
	int i;

	for (i = 0; i < N_WORLD / 64; i++) {
		a = hits[earlier][i];
		b = hits[later][i];
		t.both += __builtin_popcountll(a & b);
		t.only_earlier += __builtin_popcountll(a & ~b);
		t.only_later += __builtin_popcountll(b & ~a);
	}
	return t;
}

static bool ends(const struct sl_rule *r)
{
	return r->action != SL_ACT_COUNT;
}

static char said[2000];
static const char *say(const struct sl_rule *a, const struct sl_rule *b)
{
	char x[500], y[500], p[60], q[60];

	snprintf(said, sizeof(said), "%s %s: %s; %s %s: %s", a->id,
		 sl_rule_action_text(a, p, sizeof(p)),
		 sl_rule_match_text(&a->match, x, sizeof(x)), b->id,
		 sl_rule_action_text(b, q, sizeof(q)),
		 sl_rule_match_text(&b->match, y, sizeof(y)));
	return said;
}

TEST(nothing_is_claimed_that_is_not_so)
{
	unsigned int i, k, found[4] = {};
	struct sl_lints lints;
	struct sl_ruleset set;

	srandom(7);
	make_world();
	for (i = 0; i < 200; i++) {
		random_set(&set, false);
		ASSERT_EQ(0, sl_rule_lint(&set, &lints));
		ASSERT_FALSE(lints.cut);
		match_all(&set);
		for (k = 0; k < lints.n; k++) {
			const struct sl_lint *l = &lints.l[k];
			const struct sl_rule *later = &set.r[l->rule];
			const struct sl_rule *earlier = &set.r[l->by];
			struct truth t = look(l->by, l->rule);

			ASSERT_LT(l->by, l->rule);
			ASSERT_TRUE(ends(earlier));
			found[l->kind]++;
			if (l->kind != SL_LINT_CONFLICT) {
				ASSERT_EQ(0, t.only_later) {
					TH_LOG("%s", say(earlier, later));
				}
				ASSERT_EQ(l->kind == SL_LINT_REDUNDANT,
					  earlier->action == later->action &&
					  later->action != SL_ACT_LIMIT);
				continue;
			}
			ASSERT_TRUE(ends(later));
			ASSERT_NE(earlier->action, later->action);
			found[0] += t.both > 0;
		}
		sl_lints_free(&lints);
		sl_ruleset_free(&set);
	}
	/* a common packet may be too rare for a world of 16,384 */
	EXPECT_LT(found[SL_LINT_CONFLICT] * 7 / 10, found[0]);
	EXPECT_LT(50, found[SL_LINT_CONFLICT]);
	EXPECT_LT(50, found[SL_LINT_SHADOWED]);
	EXPECT_LT(10, found[SL_LINT_REDUNDANT]);
}

/* The finding about a rule, by the world; the first that covers it. */
static struct sl_lint expected(const struct sl_ruleset *set, unsigned int at)
{
	struct sl_lint l = { .rule = at };
	const struct sl_rule *later = &set->r[at];
	unsigned int i;

	for (i = 0; i < at; i++) {
		const struct sl_rule *earlier = &set->r[i];
		struct truth t;

		if (!ends(earlier))
			continue;
		t = look(i, at);
		if (t.both && !t.only_later) {
			l.kind = earlier->action == later->action &&
				 later->action != SL_ACT_LIMIT ?
				 SL_LINT_REDUNDANT : SL_LINT_SHADOWED;
			l.by = i;
			return l;
		}
		if (!l.kind && ends(later) && t.both && t.only_earlier &&
		    earlier->action != later->action) {
			l.kind = SL_LINT_CONFLICT;
			l.by = i;
		}
	}
	return l;
}

/* Where rules have packets enough to tell. */
static bool is_seen(unsigned int rule)
{
	unsigned int i, n = 0;

	for (i = 0; i < N_WORLD / 64; i++)
		n += __builtin_popcountll(hits[rule][i]);
	return n >= 100;
}

TEST(plain_rules_are_all_found)
{
	unsigned int i, k, at, n = 0, same = 0;
	struct sl_lints lints;
	struct sl_ruleset set;

	srandom(8);
	make_world();
	for (i = 0; i < 150; i++) {
		random_set(&set, true);
		ASSERT_EQ(0, sl_rule_lint(&set, &lints));
		match_all(&set);
		for (at = 1; at < set.n; at++) {
			struct sl_lint want = expected(&set, at), got = {};

			if (!is_seen(at))
				continue;
			for (k = 0; k < lints.n; k++)
				if (lints.l[k].rule == at)
					got = lints.l[k];
			/* covering is exact; an overlap may be too rare */
			if (want.kind && want.kind != SL_LINT_CONFLICT) {
				ASSERT_EQ(want.kind, got.kind) {
					TH_LOG("%s", say(&set.r[want.by],
							 &set.r[at]));
				}
				ASSERT_EQ(want.by, got.by);
			}
			if (want.kind == SL_LINT_CONFLICT) {
				ASSERT_EQ(SL_LINT_CONFLICT, got.kind) {
					TH_LOG("%s", say(&set.r[want.by],
							 &set.r[at]));
				}
				ASSERT_GE(want.by, got.by);
			}
			same += want.kind == got.kind && want.by == got.by;
			n++;
		}
		sl_lints_free(&lints);
		sl_ruleset_free(&set);
	}
	EXPECT_LT(500, n);
	EXPECT_LT(n * 9 / 10, same);
}

/* --- by hand --- */
static const char *lint(const char *rules)
{
	const struct sl_rule_context ctx = { .force = true };
	struct sl_mistakes all = {};
	static char out[200];
	struct sl_ruleset set;
	struct sl_lints lints;
	char text[2000];
	unsigned int i;
	size_t n = 0;

	snprintf(text, sizeof(text), "rules:\n%s", rules);
	if (sl_rule_file_parse(text, strlen(text), &ctx, &set, &all)) {
		snprintf(out, sizeof(out), "%s", all.m[0].message);
		sl_mistakes_free(&all);
		return out;
	}
	out[0] = '\0';
	if (sl_rule_lint(&set, &lints))
		return "no memory";
	for (i = 0; i < lints.n; i++)
		n += snprintf(out + n, sizeof(out) - n, "%s%s by %s %s",
			      n ? ", " : "", set.r[lints.l[i].rule].id,
			      set.r[lints.l[i].by].id,
			      sl_lint_name(lints.l[i].kind));
	sl_lints_free(&lints);
	sl_ruleset_free(&set);
	return out;
}
#define R(id, match, action) "- {id: " id ", match: {" match "}, action: " \
	action "}\n"
#define UNTIL(id, match, action, day) "- {id: " id ", match: {" match \
	"}, action: " action ", until: 2030-01-" day "T00:00:00Z}\n"

TEST(rules_by_hand)
{
	/* an exception and the rule behind it are no conflict */
	EXPECT_STREQ("", lint(R("a", "src: 10.0.0.1", "pass")
			      R("b", "src: 10.0.0.0/8", "drop")));
	EXPECT_STREQ("b by a shadowed",
		     lint(R("a", "src: 10.0.0.0/8", "drop")
			  R("b", "src: 10.0.0.1", "pass")));
	EXPECT_STREQ("b by a shadowed", lint(R("a", "proto: tcp", "drop")
		R("b", "tcp_flags: {value: syn, mask: syn}", "count")));
	/* two halves are the whole */
	EXPECT_STREQ("b by a redundant",
		     lint(R("a", "src: [10.0.0.0/9, 10.128.0.0/9]", "drop")
			  R("b", "src: 10.0.0.0/8, dport: 80", "drop")));
	EXPECT_STREQ("", lint(R("a", "src: 10.0.0.0/8", "count")
			      R("b", "src: 10.0.0.1", "drop")));
	/* limits have counts of their own */
	EXPECT_STREQ("b by a shadowed",
		     lint(R("a", "proto: udp", "{limit: {pps: 9}}")
			  R("b", "proto: udp", "{limit: {pps: 9}}")));
	EXPECT_STREQ("b by a conflict", lint(R("a", "dport: 80", "pass")
					     R("b", "sport: 80", "drop")));
	EXPECT_STREQ("", lint(R("a", "dport: 80", "pass")
			      R("b", "dport: 81", "drop")));
	/* `port` is either's */
	EXPECT_STREQ("b by a redundant", lint(R("a", "port: 80-90", "drop")
					      R("b", "sport: 85", "drop")));
	EXPECT_STREQ("", lint(R("a", "sport: 1, dport: 2", "pass")
			      R("b", "port: 3", "drop")));
	EXPECT_STREQ("b by a conflict", lint(R("a", "port: 1", "pass")
					     R("b", "port: 2", "drop")));
	/* no packet of both protocols */
	EXPECT_STREQ("", lint(R("a", "icmp: {type: 8}", "pass")
			      R("b", "dport: 80", "drop")));
	EXPECT_STREQ("", lint(R("a", "fragment: later", "pass")
			      R("b", "dport: 80", "drop")));
	/* lists: by name only */
	EXPECT_STREQ("b by a redundant",
		     lint(R("a", "src: [\"@x\", \"@y\"]", "drop")
			  R("b", "src: \"@y\", proto: tcp", "drop")));
	EXPECT_STREQ("", lint(R("a", "src: \"@x\"", "drop")
			      R("b", "src: 10.0.0.1", "pass")));
	/* an earlier one that ends sooner does not cover for ever */
	EXPECT_STREQ("", lint(UNTIL("a", "proto: tcp", "drop", "01")
			      R("b", "proto: tcp", "drop")));
	EXPECT_STREQ("", lint(UNTIL("a", "proto: tcp", "drop", "01")
			      UNTIL("b", "proto: tcp", "drop", "02")));
	EXPECT_STREQ("b by a redundant",
		     lint(UNTIL("a", "proto: tcp", "drop", "02")
			  UNTIL("b", "proto: tcp", "drop", "02")));
	EXPECT_STREQ("b by a shadowed",
		     lint(R("a", "src: \"2001:db8::/32\"", "drop")
			  R("b", "src: \"2001:db8::1\", lane: SG", "pass")));
	EXPECT_STREQ("", lint(R("a", "src: \"2001:db8::/32\"", "drop")
			      R("b", "src: 10.0.0.1", "pass")));
	/* outer and inner headers are not the same packet's in a tunnel */
	EXPECT_STREQ("b by a conflict",
		     lint(R("a", "src: 10.0.0.0/8, header: outer", "drop")
			  R("b", "src: 10.0.0.1", "pass")));
}

/* 4,096 rules of one address, and such that have much to compare. */
static double seconds_of(bool heavy, bool *cut)
{
	struct sl_ruleset set = {};
	struct timespec a, b;
	struct sl_lints l;
	unsigned int i, k;

	set.r = calloc(4096, sizeof(*set.r));
	for (i = 0; i < 4096; i++) {
		struct sl_rule *r = &set.r[set.n++];

		sprintf(r->id, "r%u", i);
		r->match.at = SL_HEADER_INNER;
		r->action = i % 2 ? SL_ACT_DROP : SL_ACT_PASS;
		r->match.dst.n = heavy ? 250 : 1;
		r->match.dst.p = calloc(r->match.dst.n, sizeof(struct sl_prefix));
		for (k = 0; k < r->match.dst.n; k++)
			r->match.dst.p[k] = (struct sl_prefix){
				{ 10, k, i / 256, i % 256 }, 4, 32 };
	}
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &a);
	if (sl_rule_lint(&set, &l))
		return -1;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &b);
	*cut = l.cut;
	sl_lints_free(&l);
	sl_ruleset_free(&set);
	return b.tv_sec - a.tv_sec + (b.tv_nsec - a.tv_nsec) / 1e9;
}

TEST(four_thousand_rules_are_looked_at_in_time)
{
	double light, heavy;
	bool cut;

	light = seconds_of(false, &cut);
	EXPECT_FALSE(cut);
	EXPECT_LE(0, light);
	heavy = seconds_of(true, &cut);
	EXPECT_TRUE(cut);	/* the bound holds, and says so */
	TH_LOG("4,096 rules: %.2f s; of 250 addresses each, cut: %.2f s",
	       light, heavy);
	/* sanitized; 5 times faster in the product */
	EXPECT_GT(10, light);
	EXPECT_GT(20, heavy);
}

TEST_HARNESS_MAIN
