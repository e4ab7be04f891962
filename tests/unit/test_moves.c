// SPDX-License-Identifier: GPL-2.0
/* Traffic that moves between paths, hop limits that move, and what looks like it and
 * is none; days of an injected clock. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "hops.h"
#include "shares.h"
#include "kselftest_harness.h"

#define S	1000000000ULL
#define MIN	(60 * S)
#define HOUR	(60 * MIN)
#define DAY	(24 * HOUR)
#define HOLD	(3 * MIN)

static double uniform(void)
{
	return (random() + 0.5) / (RAND_MAX + 1.0);
}

/* --- shares --- */
struct shares_run {
	struct sl_shares s;
	uint64_t at_ns;
	unsigned int moves;
	struct sl_shares_news last;
	uint64_t last_at_ns;
};

/* For so long so many packets in 10 s, this share of them by path 2, others by 1. */
static void go(struct shares_run *r, uint64_t for_ns, double share,
	       unsigned int packets)
{
	uint64_t end_ns = r->at_ns + for_ns, n[SL_MAX_PATHS];
	struct sl_shares_news news;
	unsigned int i;

	for (; r->at_ns < end_ns; r->at_ns += 10 * S) {
		memset(n, 0, sizeof(n));
		for (i = 0; i < packets; i++)
			n[uniform() < share ? 2 : 1]++;
		sl_shares_take(&r->s, HOLD, r->at_ns, r->at_ns + 10 * S, n,
			       &news);
		if (news.moved) {
			r->moves++;
			r->last = news;
			r->last_at_ns = r->at_ns + 10 * S;
		}
	}
}

TEST(traffic_that_moves_is_told_with_both_paths)
{
	struct shares_run r = { .at_ns = S };
	uint64_t cut_ns;

	go(&r, DAY, 0.02, 100);
	EXPECT_EQ(r.moves, 0);
	cut_ns = r.at_ns;
	go(&r, HOUR, 1, 100);
	ASSERT_EQ(r.moves, 1);
	EXPECT_EQ(r.last.path_from, 1);
	EXPECT_EQ(r.last.path_to, 2);
	EXPECT_GT(r.last.share, 0.95);
	EXPECT_LE(r.last.since_ns - cut_ns, 10 * S);
	EXPECT_LE(r.last_at_ns - cut_ns, HOLD + 20 * S);
	go(&r, HOUR, 0, 100);
	EXPECT_EQ(r.moves, 2);
	EXPECT_EQ(r.last.path_to, 1);
}

TEST(half_of_it_is_told_with_its_share)
{
	struct shares_run r = { .at_ns = S };

	go(&r, DAY, 0, 200);
	go(&r, HOUR, 0.6, 200);
	ASSERT_EQ(r.moves, 1);
	EXPECT_LT(fabs(r.last.share - 0.6), 0.05);
}

TEST(a_lane_that_wanders_does_not_move)
{
	struct shares_run r = { .at_ns = S };
	unsigned int i;

	/* by day more of it goes the other way */
	for (i = 0; i < 7 * 24; i++)
		go(&r, HOUR, 0.5 + 0.2 * sin(2 * M_PI * i / 24), 100);
	EXPECT_EQ(r.moves, 0);
	/* for two minutes all of it */
	go(&r, 2 * MIN, 1, 100);
	go(&r, HOUR, 0.5, 100);
	EXPECT_EQ(r.moves, 0);
}

TEST(a_lane_of_few_flows_moves_with_none_of_them)
{
	struct shares_run r = { .at_ns = S };
	unsigned int i, first;

	/* each flow of some minutes takes the one or the other */
	for (i = 0; i < 24 * 60; i++)
		go(&r, (1 + random() % 4) * MIN, random() % 2, 50);
	first = r.moves;
	for (i = 0; i < 6 * 24 * 30; i++)
		go(&r, (1 + random() % 4) * MIN, random() % 2, 50);
	TH_LOG("few flows: %u moves at first, %u in a week more", first,
	       r.moves - first);
	EXPECT_LE(first, 6);	/* until it is known to */
	EXPECT_LE(r.moves - first, 2);
}

TEST(pauses_and_few_packets_are_no_move)
{
	struct shares_run r = { .at_ns = S };
	unsigned int i;

	go(&r, HOUR, 0, 100);
	for (i = 0; i < 100; i++) {
		go(&r, HOUR, 0, 0);
		go(&r, 10 * S, 1, 3);	/* three packets astray */
		go(&r, 10 * MIN, 0, 30);
	}
	EXPECT_EQ(r.moves, 0);
}

/* --- hops --- */
struct hops_run {
	struct sl_hops h;
	uint64_t at_ns;
	unsigned int changes;
	struct sl_hops_news last;
	uint64_t last_at_ns;
};

static struct sl_prefix prefix_of(unsigned int i)
{
	return (struct sl_prefix){ .addr = { 203, 0, i }, .family = 4,
				   .len = 24 };
}

struct end {		/* a prefix of a lane, as it answers now */
	unsigned int prefix, packets;
	uint8_t limit;
};

static void hear(struct hops_run *r, uint64_t for_ns, const struct end *e,
		 unsigned int n)
{
	uint64_t end_ns = r->at_ns + for_ns;
	struct sl_hops_news news;
	struct sl_prefix p;
	unsigned int i;

	for (; r->at_ns < end_ns; r->at_ns += S) {
		for (i = 0; i < n; i++) {
			p = prefix_of(e[i].prefix);
			if (e[i].packets)
				sl_hops_add(&r->h, &p, e[i].limit,
					    e[i].packets);
		}
		sl_hops_step(&r->h, HOLD, r->at_ns + S, false, &news);
		if (news.changed) {
			r->changes++;
			r->last = news;
			r->last_at_ns = r->at_ns + S;
		}
	}
}

TEST(a_hop_more_for_most_is_told)
{
	static const struct end before[] = { { 1, 50, 57 }, { 2, 20, 52 },
					     { 3, 5, 110 }, { 4, 1, 240 } };
	static const struct end after[] = { { 1, 50, 56 }, { 2, 20, 51 },
					    { 3, 5, 109 }, { 4, 1, 240 } };
	struct hops_run r = { .at_ns = S };
	uint64_t cut_ns;

	hear(&r, HOUR, before, 4);
	EXPECT_EQ(r.changes, 0);
	EXPECT_EQ(sl_hops_usual(&r.h), 57);
	cut_ns = r.at_ns;
	hear(&r, HOUR, after, 4);
	ASSERT_EQ(r.changes, 1);
	EXPECT_EQ(r.last.from, 57);
	EXPECT_EQ(r.last.to, 56);
	EXPECT_LE(r.last_at_ns - cut_ns, HOLD + 61 * S);
	EXPECT_EQ(sl_hops_now(&r.h), 56);
	EXPECT_EQ(sl_hops_usual(&r.h), 56);
	hear(&r, HOUR, before, 4);
	EXPECT_EQ(r.changes, 2);
	EXPECT_EQ(r.last.to, 57);
}

TEST(another_mixture_is_no_change)
{
	struct end e[3] = { { 1, 50, 57 }, { 2, 5, 52 }, { 3, 1, 110 } };
	struct hops_run r = { .at_ns = S };
	unsigned int i;

	hear(&r, HOUR, e, 3);
	e[0].packets = 1;	/* the busiest is another one now */
	e[1].packets = 50;
	hear(&r, HOUR, e, 3);
	/* another operating system behind the same addresses */
	e[1].limit = 116;
	hear(&r, HOUR, e, 3);
	EXPECT_EQ(r.changes, 0);
	/* one prefix of three moves house, and it is the lesser half */
	e[0].packets = e[2].packets = 20;
	e[1].packets = 25;
	e[1].limit = 50;
	hear(&r, DAY, e, 3);
	EXPECT_EQ(r.changes, 0);
	/* prefixes come and go */
	for (i = 0; i < 200; i++) {
		e[0].prefix = 10 + i;
		e[0].limit = 40 + random() % 20;
		e[0].packets = 100;
		hear(&r, 5 * MIN, e, 3);
	}
	EXPECT_EQ(r.changes, 0);
}

TEST(packets_by_two_ways_are_no_change)
{
	static const struct end both[] = { { 1, 5, 57 }, { 1, 5, 55 },
					   { 2, 5, 52 }, { 2, 5, 50 } };
	struct hops_run r = { .at_ns = S };

	hear(&r, DAY, both, 4);
	EXPECT_EQ(r.changes, 0);
}

TEST(less_than_the_hold_is_none)
{
	static const struct end before[] = { { 1, 9, 57 } };
	static const struct end after[] = { { 1, 9, 54 } };
	struct hops_run r = { .at_ns = S };
	unsigned int i;

	for (i = 0; i < 100; i++) {
		hear(&r, 10 * MIN, before, 1);
		hear(&r, 90 * S, after, 1);
	}
	EXPECT_EQ(r.changes, 0);
}

TEST(what_latency_tells_as_well_is_told_once)
{
	static const struct end before[] = { { 1, 9, 57 } };
	static const struct end after[] = { { 1, 9, 54 } };
	struct hops_run r = { .at_ns = S };
	struct sl_hops_news news;

	hear(&r, HOUR, before, 1);
	EXPECT_FALSE(sl_hops_adopt(&r.h, r.at_ns, &news));
	hear(&r, 2 * MIN, after, 1);
	EXPECT_TRUE(sl_hops_adopt(&r.h, r.at_ns, &news));
	EXPECT_EQ(news.from, 57);
	EXPECT_EQ(news.to, 54);
	hear(&r, HOUR, after, 1);
	EXPECT_EQ(r.changes, 0);
}

TEST_HARNESS_MAIN
