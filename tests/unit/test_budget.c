// SPDX-License-Identifier: GPL-2.0
/* Budgets over hours and days of an injected clock, and the window under them held
 * against one that keeps every sample. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "budget.h"
#include "hist.h"
#include "kselftest_harness.h"

#define S	1000000000ULL
#define MIN	(60 * S)
#define HOUR	(60 * MIN)
#define MS	1000000ULL

static struct sl_hist of(unsigned int n, uint64_t rtt_ns)
{
	struct sl_hist h = {};

	while (n--)
		sl_hist_record(&h, rtt_ns);
	return h;
}

static const struct sl_budget p99 = { .text = "p99 <= 60ms over 5m",
	.quantile = 0.99, .most_ns = 60 * MS, .over_ns = 5 * MIN };

/* So many seconds of n samples each; how often there was news. */
static unsigned int spend(struct sl_budget_watch *w, uint64_t *at_ns,
			  uint64_t seconds, unsigned int n, uint64_t rtt_ns)
{
	struct sl_hist h = of(n, rtt_ns);
	unsigned int news = 0;

	while (seconds--)
		news += sl_budget_take(w, *at_ns += S, &h);
	return news;
}

TEST(a_window_holds_what_was_measured_in_it)
{
	static const uint64_t over[] = { 10 * S, 5 * MIN, 24 * HOUR };
	struct sl_rolling *r = calloc(1, sizeof(*r));
	uint64_t at, from, k, part_ns;
	struct sl_hist got;
	unsigned int i;

	for (i = 0; i < 3; i++) {
		sl_rolling_init(r, over[i]);
		part_ns = sl_rolling_part_len_ns(r);
		for (k = 1; k < 3000; k++) {
			/* one sample a step, and it tells when it was */
			at = k * (over[i] / 200);
			struct sl_hist h = of(1, k * 1000000);

			sl_rolling_add(r, at, &h);
			sl_rolling_sum(r, &got);
			from = at > over[i] ? at - over[i] : 0;
			ASSERT_GE(got.count * (over[i] / 200), at - from);
			ASSERT_LE(got.count * (over[i] / 200),
				  at - from + 2 * part_ns + over[i] / 200);
			ASSERT_EQ(got.max_ns, k * 1000000);
			ASSERT_EQ(got.min_ns, (k - got.count + 1) * 1000000);
		}
		sl_rolling_add(r, at + 3 * over[i], NULL);
		sl_rolling_sum(r, &got);
		EXPECT_EQ(got.count, 0);
		EXPECT_EQ(got.sum_ns, 0);
		EXPECT_EQ(r->seen_ns, 0);
		sl_rolling_free(r);
	}
	free(r);
}

TEST(few_samples_say_nothing)
{
	struct sl_budget_watch *w = calloc(1, sizeof(*w));
	uint64_t at = S;

	EXPECT_EQ(sl_budget_samples(0.99), 200);
	EXPECT_EQ(sl_budget_samples(0.5), 20);
	sl_budget_init(w, &p99);
	EXPECT_EQ(spend(w, &at, 100, 1, 90 * MS), 0);
	EXPECT_EQ(w->state, SL_BUDGET_UNKNOWN);
	EXPECT_LT(w->value_ns, 0);
	/* enough of them, but of less than a tenth of the window */
	sl_budget_free(w);
	sl_budget_init(w, &p99);
	EXPECT_EQ(spend(w, &at, 25, 100, 90 * MS), 0);
	EXPECT_EQ(w->state, SL_BUDGET_UNKNOWN);
	EXPECT_EQ(spend(w, &at, 15, 100, 90 * MS), 1);
	EXPECT_EQ(w->state, SL_BUDGET_BROKEN);
	sl_budget_free(w);
	free(w);
}

TEST(a_budget_is_broken_and_kept_again)
{
	struct sl_budget_watch *w = calloc(1, sizeof(*w));
	uint64_t at = S, broke;

	sl_budget_init(w, &p99);
	EXPECT_EQ(spend(w, &at, 600, 50, 40 * MS), 0);
	EXPECT_EQ(w->state, SL_BUDGET_KEPT);
	EXPECT_LT(fabs(w->value_ns - 40e6), 0.0109 * 40e6 + 1);
	/* a hundredth of five minutes is three seconds */
	broke = at;
	EXPECT_EQ(spend(w, &at, 20, 50, 70 * MS), 1);
	EXPECT_EQ(w->state, SL_BUDGET_BROKEN);
	EXPECT_LE(w->since_ns, broke + 10 * S);
	/* it ages out of the window after five minutes; a fifth of it more */
	EXPECT_EQ(spend(w, &at, 330, 50, 40 * MS), 0);
	EXPECT_EQ(w->state, SL_BUDGET_BROKEN);
	EXPECT_EQ(spend(w, &at, 60, 50, 40 * MS), 1);
	EXPECT_EQ(w->state, SL_BUDGET_KEPT);
	sl_budget_free(w);
	free(w);
}

TEST(at_the_limit_it_does_not_flap)
{
	struct sl_budget_watch *w = calloc(1, sizeof(*w));
	unsigned int news = 0, i;
	uint64_t at = S;

	sl_budget_init(w, &p99);
	for (i = 0; i < 2000; i++)
		news += spend(w, &at, 10, 20, (i / 40 % 2 ? 603 : 597) *
			      MS / 10);
	EXPECT_EQ(news, 1);
	EXPECT_EQ(w->state, SL_BUDGET_BROKEN);
	sl_budget_free(w);
	free(w);
}

TEST(without_samples_what_was_told_is_remembered)
{
	struct sl_budget_watch *w = calloc(1, sizeof(*w));
	uint64_t at = S;

	sl_budget_init(w, &p99);
	EXPECT_EQ(spend(w, &at, 60, 50, 90 * MS), 1);
	EXPECT_EQ(spend(w, &at, 900, 0, 1), 0);
	EXPECT_EQ(w->state, SL_BUDGET_UNKNOWN);
	EXPECT_TRUE(w->broken);
	EXPECT_EQ(spend(w, &at, 60, 50, 90 * MS), 0);
	EXPECT_EQ(w->state, SL_BUDGET_BROKEN);
	EXPECT_EQ(spend(w, &at, 900, 50, 30 * MS), 1);
	EXPECT_EQ(w->state, SL_BUDGET_KEPT);
	sl_budget_free(w);
	free(w);
}

TEST(a_day_is_a_day)
{
	struct sl_budget b = { .quantile = 0.5, .most_ns = 60 * MS,
			       .over_ns = 24 * HOUR };
	struct sl_budget_watch *w = calloc(1, sizeof(*w));
	uint64_t at = S;

	sl_budget_init(w, &b);
	EXPECT_EQ(spend(w, &at, 86400, 2, 40 * MS), 0);
	EXPECT_EQ(w->state, SL_BUDGET_KEPT);
	EXPECT_EQ(spend(w, &at, 11 * 3600, 2, 80 * MS), 0);
	EXPECT_EQ(spend(w, &at, 2 * 3600, 2, 80 * MS), 1);
	EXPECT_EQ(w->state, SL_BUDGET_BROKEN);
	EXPECT_EQ(spend(w, &at, 10 * 3600, 2, 40 * MS), 0);
	EXPECT_EQ(spend(w, &at, 15 * 3600, 2, 40 * MS), 1);
	EXPECT_EQ(w->state, SL_BUDGET_KEPT);
	sl_budget_free(w);
	free(w);
}

TEST_HARNESS_MAIN
