// SPDX-License-Identifier: GPL-2.0
/*
 * Estimated totals against exact ones: streams of known composition are sampled
 * again and again, and the interval must hold the truth as often as it says.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "estimate.h"
#include "kselftest_harness.h"

#define RUNS 2000

static uint64_t state = 88172645463325252ULL;

static double uniform(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (state >> 11) * 0x1p-53;
}

/* Published values: chi-square quantiles are twice those of gamma(df / 2). */
TEST(quantiles_are_those_of_the_tables)
{
	EXPECT_GT(1e-3, fabs(2 * sl_gamma_quantile(0.5, 0.95) - 3.841));
	EXPECT_GT(1e-3, fabs(2 * sl_gamma_quantile(5, 0.025) - 3.247));
	EXPECT_GT(1e-3, fabs(2 * sl_gamma_quantile(5, 0.975) - 20.483));
	EXPECT_GT(1e-2, fabs(2 * sl_gamma_quantile(50, 0.975) - 129.561));
	EXPECT_GT(1e-9, fabs(sl_gamma_quantile(1, 0.975) + log(0.025)));
}

TEST(quantile_and_distribution_undo_each_other)
{
	static const double shape[] = { 0.3, 1, 7.5, 1e3, 1e6, 3e7, 1e12 };
	static const double p[] = { 0.001, 0.025, 0.5, 0.975, 0.999 };
	unsigned int i, k;

	for (i = 0; i < sizeof(shape) / sizeof(*shape); i++)
		for (k = 0; k < sizeof(p) / sizeof(*p); k++)
			EXPECT_GT(1e-6, fabs(p[k] - sl_gamma_cdf(shape[i],
				sl_gamma_quantile(shape[i], p[k]))));
}

TEST(all_packets_taken_leave_nothing_to_guess)
{
	struct sl_estimate e = {};
	struct sl_interval r;
	int i;

	for (i = 0; i < 10; i++)
		sl_estimate_add(&e, 1, 100);
	r = sl_estimate_total(&e, 1500);
	EXPECT_EQ(1000, r.value);
	EXPECT_EQ(1000, r.low);
	EXPECT_EQ(1000, r.high);
}

TEST(none_seen_is_not_none_there)
{
	const struct sl_estimate e = {};
	struct sl_interval r = sl_estimate_total(&e, 100);

	EXPECT_EQ(0, r.value);
	EXPECT_EQ(0, r.low);
	/* 1 - 0.025 of no Poisson event: 3.689 */
	EXPECT_GT(0.1, fabs(r.high - 368.9));
}

TEST(a_poisson_count_has_its_exact_interval)
{
	struct sl_estimate e = {};
	struct sl_interval r;
	int i;

	for (i = 0; i < 10; i++)
		sl_estimate_add(&e, 1e6, 1);
	r = sl_estimate_total(&e, 0);
	/* Garwood 1936: 4.795 .. 18.390 of 10 */
	EXPECT_GT(1e-3, fabs(r.low / 1e6 - 4.795));
	EXPECT_GT(1e-3, fabs(r.high / 1e6 - 18.390));
}

struct stream {
	const char *name;
	int packets;		/* of which ... */
	double share;		/* ... this share is in the sum */
	double every[2];	/* sampled one of so many: first, second half */
	int small_b, large_b;	/* lengths; half of each */
};

/* How often does the interval hold the truth: packets, and bytes? */
static void coverage(const struct stream *s, double *packets, double *bytes)
{
	int run, i, held = 0, held_b = 0;

	for (run = 0; run < RUNS; run++) {
		struct sl_estimate n = {}, b = {};
		struct sl_interval r;
		double truth = 0, truth_b = 0, every, len_b;
		double most = s->every[0] > s->every[1] ? s->every[0] :
							  s->every[1];

		for (i = 0; i < s->packets; i++) {
			every = s->every[i >= s->packets / 2];
			len_b = uniform() < 0.5 ? s->small_b : s->large_b;
			if (uniform() >= s->share)
				continue;
			truth++;
			truth_b += len_b;
			if (uniform() * every >= 1)
				continue;
			sl_estimate_add(&n, every, 1);
			sl_estimate_add(&b, every, len_b);
		}
		r = sl_estimate_total(&n, most);
		held += r.low <= truth && truth <= r.high;
		r = sl_estimate_total(&b, most * s->large_b);
		held_b += r.low <= truth_b && truth_b <= r.high;
	}
	*packets = 1.0 * held / RUNS;
	*bytes = 1.0 * held_b / RUNS;
}

TEST(the_interval_holds_the_truth_as_often_as_it_says)
{
	static const struct stream stream[] = {
		{ "many", 4000, 0.5, { 10, 10 }, 64, 64 },
		{ "few", 4000, 0.01, { 10, 10 }, 64, 1500 },
		{ "hardly any", 2000, 0.002, { 10, 10 }, 64, 1500 },
		{ "nearly all taken", 400, 0.2, { 1.1, 1.1 }, 64, 1500 },
		{ "sampling adapted", 4000, 0.1, { 5, 80 }, 64, 1500 },
		{ "one of a thousand", 20000, 0.3, { 1000, 1000 }, 64, 9000 },
	};
	double packets, bytes;
	unsigned int i;

	for (i = 0; i < sizeof(stream) / sizeof(*stream); i++) {
		coverage(&stream[i], &packets, &bytes);
		TH_LOG("%s: packets %.3f, bytes %.3f", stream[i].name, packets,
		       bytes);
		EXPECT_LE(0.93, packets);
		EXPECT_LE(0.93, bytes);
	}
}

/* An interval that is wide enough always is no use. */
TEST(the_interval_is_not_wider_than_it_must_be)
{
	struct sl_estimate e = {};
	struct sl_interval r;
	int i;

	for (i = 0; i < 10000; i++)
		sl_estimate_add(&e, 50, 1);
	r = sl_estimate_total(&e, 50);
	/* 1.96 / sqrt(n) = 1.96 % */
	EXPECT_GT(0.0200 * r.value, r.value - r.low);
	EXPECT_GT(0.0205 * r.value, r.high - r.value);
	EXPECT_LT(0.0190 * r.value, r.value - r.low);
}

TEST_HARNESS_MAIN
