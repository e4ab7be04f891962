// SPDX-License-Identifier: GPL-2.0
/* Space-Saving against exact counts of the same streams. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "heavy.h"
#include "kselftest_harness.h"

#define KEYS	20000
#define ADDS	300000

static uint64_t state = 88172645463325252ULL;

static double any(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (state >> 11) * 0x1p-53;
}

/* Some thousand keys, those with small numbers more often (exponent 0: all alike). */
static uint32_t skewed(double exponent)
{
	double top = 1 - exponent, x = any();

	if (exponent == 1)
		return exp(x * log(KEYS));
	return pow(1 + x * (pow(KEYS, top) - 1), 1 / top);
}

struct truth {
	double of[KEYS + 1], total;
};

static void check_bounds(struct __test_metadata *_metadata,
			 const struct sl_heavy *h, const struct truth *t)
{
	double bound = t->total / SL_HEAVY_ROOM, slack = 1e-9 * t->total;
	static bool here[KEYS + 1];
	uint32_t i;

	memset(here, 0, sizeof(here));
	ASSERT_LT(fabs(h->total - t->total), slack + 1e-6);
	for (i = 0; i < h->n; i++) {
		ASSERT_FALSE(here[h->key[i]]);
		here[h->key[i]] = true;
		ASSERT_LE(h->count[i] - h->error[i] - slack, t->of[h->key[i]]);
		ASSERT_GE(h->count[i] + slack, t->of[h->key[i]]);
		ASSERT_LE(h->error[i], bound + slack);
	}
	for (i = 1; i <= KEYS; i++)
		if (t->of[i] > bound + slack)
			ASSERT_TRUE(here[i]);
}

static void feed(struct __test_metadata *_metadata, double exponent, bool weighed,
		 bool fades)
{
	struct truth *t = calloc(1, sizeof(*t));
	struct sl_heavy *h = calloc(1, sizeof(*h));
	uint32_t i, k, place;
	double weight;
	bool fresh;

	for (i = 0; i < ADDS; i++) {
		k = skewed(exponent);
		weight = weighed ? 1 + (uint32_t)(any() * 15) : 1;
		t->of[k] += weight;
		t->total += weight;
		place = sl_heavy_add(h, k, weight, &fresh);
		ASSERT_EQ(k, h->key[place]);
		if (fades && i % 10000 == 9999) {
			sl_heavy_fade(h, 0.5);
			t->total *= 0.5;
			for (k = 0; k <= KEYS; k++)
				t->of[k] *= 0.5;
		}
	}
	check_bounds(_metadata, h, t);
	free(t);
	free(h);
}

TEST(errors_stay_within_the_bound_on_any_skew)
{
	static const double exponent[] = { 0, 0.5, 0.8, 1, 1.2, 2 };
	unsigned int i;

	for (i = 0; i < sizeof(exponent) / sizeof(*exponent); i++) {
		feed(_metadata, exponent[i], false, false);
		feed(_metadata, exponent[i], true, false);
		feed(_metadata, exponent[i], true, true);
	}
}

TEST(the_greatest_comes_first)
{
	struct sl_heavy *h = calloc(1, sizeof(*h));
	uint8_t top[16];
	uint32_t i, k;
	bool fresh;

	/* sixteen that have 1/32 each and more, among a crowd */
	for (i = 0; i < 200000; i++) {
		k = any() * 32;
		k = k < 16 ? (k < any() * 16 + 1 ? k + 1 : 1) :
			100 + any() * 10000;
		sl_heavy_add(h, k, 1, &fresh);
	}
	ASSERT_EQ(16, sl_heavy_top(h, NULL, 16, top));
	EXPECT_EQ(1, h->key[top[0]]);
	for (i = 1; i < 16; i++)
		EXPECT_GE(h->count[top[i - 1]] - h->error[top[i - 1]],
			  h->count[top[i]] - h->error[top[i]]);
	free(h);
}

TEST(tops_by_sorting_agree)
{
	struct sl_heavy *h = calloc(1, sizeof(*h));
	uint32_t round, want, n, i, k, better;
	uint8_t top[SL_HEAVY_ROOM];
	bool among[SL_HEAVY_ROOM];
	double worst;
	bool fresh;

	for (round = 0; round < 300; round++) {
		memset(h, 0, sizeof(*h));
		for (i = any() * 400; i--;)
			sl_heavy_add(h, 1 + any() * 200, 1 + any() * 3, &fresh);
		want = any() * (SL_HEAVY_ROOM + 1);
		for (i = n = 0; i < SL_HEAVY_ROOM; i++) {
			among[i] = round % 2 || any() < 0.5;
			n += i < h->n && among[i];
		}
		n = want < n ? want : n;
		ASSERT_EQ(n, sl_heavy_top(h, round % 4 == 1 ? NULL : among, want,
					  top));
		if (!n)
			continue;
		worst = h->count[top[n - 1]] - h->error[top[n - 1]];
		for (k = better = 0; k < h->n; k++)
			better += among[k] && h->count[k] - h->error[k] > worst;
		ASSERT_LT(better, n);
		for (i = 0; i < n; i++)
			ASSERT_TRUE(among[top[i]]);
		for (i = 1; i < n; i++)
			ASSERT_GE(h->count[top[i - 1]] - h->error[top[i - 1]],
				  h->count[top[i]] - h->error[top[i]]);
	}
	free(h);
}

TEST(who_takes_a_place_is_told_apart)
{
	struct sl_heavy *h = calloc(1, sizeof(*h));
	uint32_t i, place;
	bool fresh;

	for (i = 0; i < SL_HEAVY_ROOM; i++) {
		ASSERT_EQ(i, sl_heavy_add(h, 1 + i, i == 5 ? 2 : 3, &fresh));
		ASSERT_TRUE(fresh);
	}
	EXPECT_EQ(5, sl_heavy_add(h, 6, 0.5, &fresh));
	EXPECT_FALSE(fresh);
	place = sl_heavy_add(h, 1000, 4, &fresh);	/* the least one's */
	EXPECT_EQ(5, place);
	EXPECT_TRUE(fresh);
	EXPECT_EQ(2.5, h->error[5]);
	EXPECT_EQ(6.5, h->count[5]);
	free(h);
}

TEST_HARNESS_MAIN
