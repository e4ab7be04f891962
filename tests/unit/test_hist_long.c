// SPDX-License-Identifier: GPL-2.0
/* 32-bit buckets as counters: samples fall into two of them for longer than those
 * can count, and a 64-bit twin knows better. */
#include <stdlib.h>
#include <string.h>
#include "hist_long.h"
#include "kselftest_harness.h"

struct both {
	struct sl_hist h;		/* as the data plane has it */
	uint64_t true_n[2];
	struct sl_hist_long *state;
	struct sl_expose_hist out;
};

static void add(struct both *t, int b, uint64_t n)
{
	t->h.bucket[b] += (uint32_t)n;
	t->h.count += n;
	t->h.sum_ns += n * 50;
	t->true_n[b] += n;
}

static void look(struct both *t)
{
	sl_hist_lengthen(&t->state, &t->h, &t->out);
}

TEST(a_quiet_series_needs_nothing_of_its_own)
{
	struct both t = {};

	add(&t, 0, 1000);
	t.h.zero = 3;
	t.h.overflow = 4;
	look(&t);
	EXPECT_EQ(NULL, t.state);
	EXPECT_EQ(t.out.bucket[0], 1000);
	EXPECT_EQ(t.out.zero, 3);
	EXPECT_EQ(t.out.overflow, 4);
	EXPECT_EQ(t.out.sum_ns, 50000);
}

TEST(buckets_go_round_many_times_and_nothing_is_lost)
{
	struct both t = {};
	int i;

	for (i = 0; i < 40; i++) {
		add(&t, 0, 1500000000);
		add(&t, 1, i);
		look(&t);
		ASSERT_EQ(t.out.bucket[0], t.true_n[0]);
		ASSERT_EQ(t.out.bucket[1], t.true_n[1]);
		ASSERT_EQ(sl_expose_hist_count(&t.out), t.h.count);
		ASSERT_EQ(t.out.sum_ns, t.h.sum_ns);
	}
	free(t.state);
}

TEST(first_seen_behind_two_billion_and_before_the_end)
{
	struct both t = {};

	add(&t, 0, 4000000000);
	add(&t, 1, 3000000000);		/* none of them went round */
	look(&t);
	EXPECT_EQ(t.out.bucket[0], 4000000000);
	EXPECT_EQ(t.out.bucket[1], 3000000000);
	free(t.state);
}

TEST(rounds_before_the_first_look_make_it_begin_anew)
{
	struct both t = {};

	add(&t, 0, 3000000000);
	add(&t, 0, 3000000000);
	t.h.zero = 7;
	t.h.count += 7;
	look(&t);
	EXPECT_EQ(sl_expose_hist_count(&t.out), 0);
	EXPECT_EQ(t.out.sum_ns, 0);
	add(&t, 1, 5);
	t.h.zero++;
	t.h.count++;
	look(&t);
	EXPECT_EQ(t.out.bucket[0], 0);
	EXPECT_EQ(t.out.bucket[1], 5);
	EXPECT_EQ(t.out.zero, 1);
	EXPECT_EQ(t.out.sum_ns, 250);
	free(t.state);
}

TEST(a_round_between_two_looks_makes_it_begin_anew_and_go_on)
{
	struct both t = {};

	add(&t, 0, 3000000000);
	look(&t);
	EXPECT_EQ(t.out.bucket[0], 3000000000);
	add(&t, 0, 3000000000);
	add(&t, 0, 3000000000);
	look(&t);
	EXPECT_EQ(sl_expose_hist_count(&t.out), 0);
	add(&t, 0, 3000000000);
	look(&t);
	EXPECT_EQ(t.out.bucket[0], 3000000000);
	free(t.state);
}

TEST_HARNESS_MAIN
