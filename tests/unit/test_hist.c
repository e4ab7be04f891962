// SPDX-License-Identifier: GPL-2.0
/* Histogram arithmetic against a naive twin in exact integers. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "hist.h"
#include "kselftest_harness.h"

/* 2^(j/32) * 2^63 rounded down, by bisection on x^32 <= 2^(j + 63*32), with
 * 128-bit digits: the twin of hist_tables.h. Compares x^32 with 2^e. */
struct big {
	unsigned long long w[40];
};

static void big_mul(struct big *b, unsigned long long m)
{
	unsigned __int128 carry = 0;
	int i;

	for (i = 0; i < 40; i++) {
		carry += (unsigned __int128)b->w[i] * m;
		b->w[i] = carry;
		carry >>= 64;
	}
}

/* x^32 <= 2^e ? */
static int pow32_fits(unsigned long long x, int e)
{
	struct big b = { .w = { 1 } };
	int i, top = 39;

	for (i = 0; i < 32; i++)
		big_mul(&b, x);
	while (top > 0 && !b.w[top])
		top--;
	if (top != e / 64)
		return top < e / 64;
	if (b.w[top] != 1ULL << e % 64)
		return b.w[top] < 1ULL << e % 64;
	for (i = 0; i < top; i++)
		if (b.w[i])
			return 0;
	return 1;
}

TEST(thresholds_are_the_exact_roots)
{
	int j;

	for (j = 0; j < 32; j++) {
		ASSERT_TRUE(pow32_fits(sl_hist_thr[j], j + 63 * 32));
		ASSERT_FALSE(pow32_fits(sl_hist_thr[j] + 1, j + 63 * 32));
	}
}

/* Linear search over the exact thresholds. */
static int naive_bucket(unsigned long long ns)
{
	unsigned long long v = ((unsigned __int128)ns * 1125900) >> 20, m;
	int e = 63, j, i;

	if (!v)
		return SL_HIST_ZERO;
	while (!(v >> e))
		e--;
	m = v << (63 - e);
	for (j = 0; j < 32 && m > sl_hist_thr[j]; j++)
		;
	i = 32 * e + j - SL_HIST_LOCAL_FIRST;
	return i < 0 ? SL_HIST_ZERO :
	       i >= SL_HIST_BUCKETS ? SL_HIST_OVERFLOW : i;
}

TEST(bucket_agrees_with_the_twin_at_every_boundary)
{
	int b, d;

	for (b = 0; b < SL_HIST_BUCKETS; b++)
		for (d = -2; d <= 2; d++) {
			unsigned long long ns = sl_hist_upper_s(b) * 1e9 + d;

			ASSERT_EQ(naive_bucket(ns), sl_hist_bucket(ns)) {
				TH_LOG("at %llu ns", ns);
			}
		}
}

TEST(bucket_agrees_with_the_twin_on_random_values)
{
	unsigned long long ns;
	int i;

	srandom(7);
	for (i = 0; i < 2000000; i++) {
		ns = ((unsigned long long)random() << 31 | random()) >>
		     (random() % 60);
		ASSERT_EQ(naive_bucket(ns), sl_hist_bucket(ns)) {
			TH_LOG("at %llu ns", ns);
		}
	}
}

TEST(a_value_lies_inside_its_bucket)
{
	unsigned long long ns;
	int b;

	for (ns = 4000; ns < 16000000000ULL; ns += ns / 97 + 1) {
		b = sl_hist_bucket(ns);
		ASSERT_GE(b, 0);
		ASSERT_LT(b, SL_HIST_BUCKETS);
		ASSERT_TRUE(ns > sl_hist_lower_s(b) * 1e9 - 3);
		ASSERT_TRUE(ns <= sl_hist_upper_s(b) * 1e9 + 3);
	}
}

TEST(edges_of_the_range)
{
	ASSERT_EQ(SL_HIST_ZERO, sl_hist_bucket(0));
	ASSERT_EQ(SL_HIST_ZERO, sl_hist_bucket(3000));
	ASSERT_EQ(SL_HIST_OVERFLOW, sl_hist_bucket(16100000000ULL));
	ASSERT_EQ(SL_HIST_OVERFLOW, sl_hist_bucket(~0ULL));
	ASSERT_EQ(-575, sl_hist_prom_index(0));
	ASSERT_EQ(128, sl_hist_prom_index(SL_HIST_BUCKETS - 1));
}

static int by_value(const void *a, const void *b)
{
	unsigned long long x = *(const unsigned long long *)a;
	unsigned long long y = *(const unsigned long long *)b;

	return (x > y) - (x < y);
}

TEST(quantiles_are_within_the_bucket_error_of_exact_ones)
{
	static unsigned long long v[50000];
	static struct sl_hist h;
	const double q[] = { 0, 0.1, 0.5, 0.9, 0.99, 1 };
	double got, want;
	int i;

	srandom(3);
	memset(&h, 0, sizeof(h));
	for (i = 0; i < 50000; i++) {
		v[i] = 10000000 + random() % 60000000;
		sl_hist_record(&h, v[i]);
	}
	qsort(v, 50000, sizeof(v[0]), by_value);
	for (i = 0; i < 6; i++) {
		got = sl_hist_quantile_ns(&h, q[i]);
		want = v[(int)(q[i] * 49999)];
		ASSERT_LT(got / want, 1.022);
		ASSERT_GT(got / want, 0.978);
	}
	ASSERT_EQ(h.min_ns, v[0]);
	ASSERT_EQ(h.max_ns, v[49999]);
}

TEST(add_and_diff_are_inverse)
{
	static struct sl_hist a, b, sum, back;
	int i;

	memset(&a, 0, sizeof(a));
	memset(&b, 0, sizeof(b));
	for (i = 1; i < 1000; i++) {
		sl_hist_record(&a, i * 12345ULL);
		sl_hist_record(&b, i * 54321ULL);
	}
	sum = a;
	sl_hist_add(&sum, &b);
	ASSERT_EQ(1998, sum.count);
	sl_hist_diff(&back, &sum, &b);
	ASSERT_EQ(0, memcmp(back.bucket, a.bucket, sizeof(a.bucket)));
	ASSERT_EQ(back.sum_ns, a.sum_ns);
	ASSERT_EQ(-1, sl_hist_quantile_ns(&(struct sl_hist){}, 0.5));
}

TEST_HARNESS_MAIN
