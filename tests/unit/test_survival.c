// SPDX-License-Identifier: GPL-2.0
/* The product-limit estimate against the truth that it cannot see. */
#include <math.h>
#include <stdlib.h>
#include "hist.h"
#include "survival.h"
#include "kselftest_harness.h"

#define N 200000

static double uniform(void)
{
	return (random() + 0.5) / (RAND_MAX + 1.0);
}

/* Log-normal round trips, median 100 ms. */
static double rtt_ns(double spread)
{
	double g = sqrt(-2 * log(uniform())) * cos(2 * M_PI * uniform());

	return 100e6 * exp(spread * g);
}

/* Each flow is evicted at a random time; its round trip is seen only when it is
 * shorter. all: what an unbounded table would have seen. */
static void simulate(double spread, double evicted_after_ns,
		     struct sl_hist *all, struct sl_hist *seen, __u64 *lost)
{
	double t, e;
	int i;

	for (i = 0; i < N; i++) {
		t = rtt_ns(spread);
		e = -log(uniform()) * evicted_after_ns;
		sl_hist_record(all, t);
		if (t < e)
			sl_hist_record(seen, t);
		else
			lost[sl_lost_bucket(e / (1 << 20))]++;
	}
}

static double off(double got, double want)
{
	return fabs(got - want) / want;
}

TEST(what_eviction_hides_is_estimated)
{
	static const double q[] = { 0.5, 0.9, 0.99 }, at_most[] = { 0.03, 0.05,
								    0.15 };
	struct sl_hist all = {}, seen = {};
	__u64 lost[SL_LOST_BUCKETS] = {};
	double truth, naive, mended;
	unsigned int i;

	srandom(1);
	simulate(0.5, 100e6, &all, &seen, lost);
	EXPECT_LT(seen.count, N / 2);		/* most of them were hidden */
	for (i = 0; i < 3; i++) {
		truth = sl_hist_quantile_ns(&all, q[i]);
		naive = sl_hist_quantile_ns(&seen, q[i]);
		mended = sl_survival_quantile_ns(&seen, lost, q[i]);
		TH_LOG("p%g: truth %.1f ms, seen %.1f, estimate %.1f",
		       q[i] * 100, truth / 1e6, naive / 1e6, mended / 1e6);
		EXPECT_GT(off(naive, truth), 0.15);
		EXPECT_LT(off(mended, truth), at_most[i]);
		EXPECT_LT(off(mended, truth), off(naive, truth) / 2);
	}
}

TEST(without_evictions_it_is_the_plain_quantile)
{
	__u64 lost[SL_LOST_BUCKETS] = {};
	struct sl_hist seen = {};
	double q;
	int i;

	srandom(2);
	for (i = 0; i < 1000; i++)
		sl_hist_record(&seen, rtt_ns(1));
	for (q = 0.01; q < 1; q += 0.01)
		EXPECT_LT(off(sl_survival_quantile_ns(&seen, lost, q),
			      sl_hist_quantile_ns(&seen, q)), 0.0001);
}

TEST(what_lies_beyond_all_answers_is_not_guessed)
{
	__u64 lost[SL_LOST_BUCKETS] = { [18] = 1000 };	/* half a second and more */
	struct sl_hist seen = {};
	int i;

	EXPECT_EQ(-1, sl_survival_quantile_ns(&seen, lost, 0.5));
	for (i = 0; i < 1000; i++)
		sl_hist_record(&seen, 10000000);
	EXPECT_LT(off(sl_survival_quantile_ns(&seen, lost, 0.49), 10e6), 0.03);
	EXPECT_EQ(-1, sl_survival_quantile_ns(&seen, lost, 0.51));
}

TEST(ages_have_two_buckets_to_each_power_of_two)
{
	unsigned int units;
	int i;

	EXPECT_EQ(0, sl_lost_bucket(0));
	EXPECT_EQ(SL_LOST_BUCKETS - 1, sl_lost_bucket(~0U));
	for (units = 1; units < 60000; units++) {
		i = floor(2 * log2(units) + 1e-9);
		if (i > SL_LOST_BUCKETS - 1)
			i = SL_LOST_BUCKETS - 1;
		ASSERT_EQ(i, (int)sl_lost_bucket(units)) {
			TH_LOG("%u units", units);
		}
	}
}

TEST_HARNESS_MAIN
