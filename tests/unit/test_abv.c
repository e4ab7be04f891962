// SPDX-License-Identifier: GPL-2.0
/* The rule compiler: random rules and packets against a comparison field by
 * field, and what it refuses. */
#include "kselftest_harness.h"
#include "naive.h"

/* Under the sanitizers, on a busy machine. */
#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT 120

static void random_packet(struct packet *p)
{
	memset(p, 0, sizeof(*p));
	random_header(&p->in);
	p->in.len_b = random() % 1500;
	if (MAYBE(4)) {
		random_header(&p->out);
		p->out.len_b = random() % 1500;
	}
	p->lane = random() % 2;
	p->dir = random() % 3;
}

static struct sl_rib *rib_of(struct sl_abv *abv)
{
	struct sl_rib *rib = sl_rib_new();

	sl_abv_add_groups(abv, rib);
	sl_rib_sort(rib);
	return rib;
}

/* Both say the same of a packet: which rules match, and what comes of it. */
static int compare(const struct sl_ruleset *set, const struct packet *p,
		   struct sl_abv *abv, struct sl_rib *rib)
{
	struct sl_abv_hits h;
	struct sl_glance g;
	unsigned int i, n = 0;

	glance_of(p, &g);
	sl_abv_judge(abv, (struct sl_rib_pair){ .base = rib, .abv = abv }, &g,
		     0, &h);
	for (i = 0; i < set->n; i++) {
		if (!naive_matches(&set->r[i], p))
			continue;
		if (n >= h.n || (n < 64 && h.rule[n] != i))
			return 1;
		n++;
		if (set->r[i].action != SL_ACT_COUNT)
			return !h.ended || h.n != n ||
			       h.action != set->r[i].action;
	}
	return h.ended || h.n != n;
}

TEST(matches_as_a_comparison_field_by_field)
{
	static const unsigned int sizes[] = { 1, 5, 63, 64, 65, 129, 400 };
	unsigned long packets = 0, matched = 0;
	unsigned int round, i;

	srandom(1);
	for (round = 0; round < 21; round++) {
		struct sl_ruleset set = {};
		struct sl_abv_rule *rules;
		struct sl_abv *abv = sl_abv_new(NULL, 4096);
		struct sl_rib *rib;

		random_rules(&set, sizes[round % 7]);
		rules = as_rules(&set);
		ASSERT_EQ(0, sl_abv_compile(abv, rules, set.n, &naive_names)) {
			TH_LOG("%s", sl_abv_error(abv));
		}
		rib = rib_of(abv);
		for (i = 0; i < 4000; i++) {
			struct packet p;

			random_packet(&p);
			packets++;
			ASSERT_EQ(0, compare(&set, &p, abv, rib)) {
				TH_LOG("round %u, packet %u", round, i);
			}
			matched += naive_matches(&set.r[0], &p);
		}
		ASSERT_EQ(0, sl_abv_failed(abv));
		sl_rib_free(rib);
		sl_abv_free(abv);
		free(rules);
		sl_ruleset_free(&set);
	}
	EXPECT_GT(matched, packets / 1000);
	TH_LOG("%lu packets, first rule matched %lu", packets, matched);
}

/* As many as there may be, with addresses of their own each. */
TEST(four_thousand_rules_of_their_own_addresses)
{
	struct sl_ruleset set = {};
	struct sl_abv *abv = sl_abv_new(NULL, 32768);
	struct sl_abv_rule *rules;
	struct sl_abv_hits h;
	struct sl_glance g = { .family = 4 };
	struct sl_rib *rib;
	uint32_t rows, compounds;
	uint64_t bytes;
	unsigned int i;

	for (i = 0; i < 4096; i++) {
		struct sl_rule *r = sl_ruleset_add(&set);
		char text[64];

		snprintf(r->id, sizeof(r->id), "r%u", i);
		r->action = SL_ACT_DROP;
		r->match.src.p = calloc(1, sizeof(struct sl_prefix));
		r->match.dst.p = calloc(1, sizeof(struct sl_prefix));
		r->match.src.n = r->match.dst.n = 1;
		snprintf(text, sizeof(text), "10.%u.%u.0/24", i >> 8, i & 255);
		sl_prefix_parse(text, r->match.src.p, NULL);
		snprintf(text, sizeof(text), "20.%u.%u.7", i >> 8, i & 255);
		sl_prefix_parse(text, r->match.dst.p, NULL);
		sl_spans_add(&r->match.dport, i, i);
	}
	rules = as_rules(&set);
	ASSERT_EQ(0, sl_abv_compile(abv, rules, set.n, &naive_names));
	rib = rib_of(abv);
	for (i = 0; i < 4096; i++) {
		uint8_t src[4] = { 10, i >> 8, i, 9 };
		uint8_t dst[4] = { 20, i >> 8, i, 7 };

		memcpy(g.src, src, 4);
		memcpy(g.dst, dst, 4);
		g.in = (struct sl_fields){ .proto = 6, .has = SL_HAS_PORTS,
					   .dport = i };
		sl_abv_judge(abv, (struct sl_rib_pair){ .base = rib,
			     .abv = abv }, &g, 0, &h);
		ASSERT_EQ(1, h.n);
		ASSERT_EQ(i, h.rule[0]);
		g.in.dport = i ^ 1;
		sl_abv_judge(abv, (struct sl_rib_pair){ .base = rib,
			     .abv = abv }, &g, 0, &h);
		ASSERT_EQ(0, h.n);
	}
	sl_abv_usage(abv, &rows, &compounds, &bytes);
	TH_LOG("%u rows, %.1f MB", rows, bytes / 1e6);
	ASSERT_EQ(0, sl_abv_failed(abv));
	sl_rib_free(rib);
	sl_abv_free(abv);
	free(rules);
	sl_ruleset_free(&set);
}

static int compile_one(struct sl_ruleset *set, uint32_t rows, char *error)
{
	struct sl_abv *abv = sl_abv_new(NULL, rows);
	struct sl_abv_rule *rules = as_rules(set);
	int rc = sl_abv_compile(abv, rules, set->n, &naive_names);

	strcpy(error, sl_abv_error(abv));
	sl_abv_free(abv);
	free(rules);
	sl_ruleset_free(set);
	return rc;
}

TEST(names_that_nobody_knows_are_refused)
{
	struct sl_ruleset set = {};
	struct sl_rule *r = sl_ruleset_add(&set);
	char error[256];

	strcpy(r->id, "r1");
	r->action = SL_ACT_DROP;
	sl_names_add(&r->match.lanes, "atlantis");
	EXPECT_EQ(-ENOENT, compile_one(&set, 64, error));
	EXPECT_NE(NULL, strstr(error, "atlantis"));
	r = sl_ruleset_add(&set);
	strcpy(r->id, "r2");
	r->action = SL_ACT_DROP;
	r->match.src.list = calloc(1, sizeof(*r->match.src.list));
	strcpy(r->match.src.list[r->match.src.n_lists++], "nolist");
	EXPECT_EQ(-ENOENT, compile_one(&set, 64, error));
	EXPECT_NE(NULL, strstr(error, "nolist"));
	EXPECT_NE(NULL, strstr(error, "r2"));
}

TEST(too_many_rules_and_rows_are_refused)
{
	struct sl_ruleset set = {};
	char error[256];
	unsigned int i;

	/* in one piece: the sanitizers' realloc() moves all for each */
	set.n = SL_MAX_RULES + 1;
	set.r = calloc(set.n, sizeof(*set.r));
	for (i = 0; i < set.n; i++)
		set.r[i].action = SL_ACT_DROP;
	EXPECT_EQ(-E2BIG, compile_one(&set, 64, error));
	for (i = 0; i < 100; i++) {
		struct sl_rule *r = sl_ruleset_add(&set);

		r->action = SL_ACT_DROP;
		sl_spans_add(&r->match.dport, i * 7, i * 7 + 3);
	}
	EXPECT_EQ(-E2BIG, compile_one(&set, 16, error));
	EXPECT_NE(NULL, strstr(error, "rows"));
}

/* The wall clock is set while rules hold: they end by it all the same. */
TEST(ends_follow_the_wall_clock)
{
	const struct sl_glance g = { .family = 4 };
	const int64_t second = 1000000000;
	struct sl_abv *abv = sl_abv_new(NULL, 64);
	struct sl_abv_names names = naive_names;
	struct sl_ruleset set = {};
	struct sl_abv_rule *rules;
	struct sl_abv_hits h;
	struct sl_rib *rib;
	unsigned int i;
	/* offset of the clocks, now by the data plane's, does the rule hold? */
	static const struct { int64_t clock_s, now_s; unsigned int n; } t[] = {
		{ -1000, 99, 1 }, { -1000, 100, 0 },
		{ -900, 199, 1 }, { -900, 200, 0 },	/* set back */
		{ -1090, 9, 1 }, { -1090, 10, 0 },	/* set forward */
		{ -2000, 1, 0 }, { -1000, 99, 1 } };

	strcpy(sl_ruleset_add(&set)->id, "until");
	set.r[0].action = SL_ACT_DROP;
	set.r[0].until_ns = 1100 * second;
	names.clock_ns = -1000 * second;
	rules = as_rules(&set);
	ASSERT_EQ(0, sl_abv_compile(abv, rules, 1, &names));
	free(rules);
	sl_ruleset_free(&set);
	rib = rib_of(abv);
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		sl_abv_set_clock(abv, t[i].clock_s * second);
		sl_abv_judge(abv, (struct sl_rib_pair){ .base = rib,
			     .abv = abv }, &g, t[i].now_s * second, &h);
		EXPECT_EQ(t[i].n, h.n) {
			TH_LOG("line %u", i);
		}
	}
	sl_rib_free(rib);
	sl_abv_free(abv);
}

/* Addresses that are named by another pair of rules each: refused before they
 * take memory that no table could hold. */
TEST(addresses_of_too_many_mixtures_are_refused)
{
	enum { N = 370 };
	struct sl_ruleset set = {};
	struct sl_prefix p = { .family = 4, .len = 32 };
	uint32_t i, k, addr = 0;
	char error[256];

	for (i = 0; i < N; i++) {
		struct sl_rule *r = sl_ruleset_add(&set);

		snprintf(r->id, sizeof(r->id), "r%u", i);
		r->action = SL_ACT_DROP;
		r->match.src.p = calloc(N, sizeof(struct sl_prefix));
	}
	for (i = 0; i < N; i++)
		for (k = 0; k < i; k++) {
			addr++;
			memcpy(p.addr, &addr, 4);
			set.r[i].match.src.p[set.r[i].match.src.n++] = p;
			set.r[k].match.src.p[set.r[k].match.src.n++] = p;
		}
	ASSERT_GT(addr, SL_MAX_COMPOUNDS);
	EXPECT_EQ(-E2BIG, compile_one(&set, 32768, error));
	EXPECT_NE(NULL, strstr(error, "ways"));
}

TEST_HARNESS_MAIN
