// SPDX-License-Identifier: GPL-2.0
/*
 * Change detection on series whose changes are known: simulated days with an
 * injected clock. Each line says what was detected, missed and made up, and how
 * long it took; docs/changes.md shows the table.
 */
#include "change_scenes.h"
#include "kselftest_harness.h"

/* --- lanes --- */
static void sparse(const struct scene *s, uint64_t t_ns, struct air *a)
{
	plain(s, t_ns, a);
	a->samples = 1;
}

/* The level itself swings by 4 ms over the day. */
static void diurnal(const struct scene *s, uint64_t t_ns, struct air *a)
{
	plain(s, t_ns, a);
	a->level_ns += 2 * MS * (1 - cos(2 * M_PI * (t_ns % DAY) / DAY));
}

/* Another cable with five times the jitter. */
static void rougher(const struct scene *s, uint64_t t_ns, struct air *a)
{
	plain(s, t_ns, a);
	if (a->level_ns > s->base_ns)
		a->jitter_ns *= 5;
}

static void wrong(const struct scene *s, uint64_t t_ns, struct air *a)
{
	plain(s, t_ns, a);
	a->wrong_share = 0.01;
}

/* Nothing is measured for three hours from half an hour before each change on, and
 * for ten minutes in each hour. */
static void outages(const struct scene *s, uint64_t t_ns, struct air *a)
{
	unsigned int i;

	plain(s, t_ns, a);
	if (t_ns % HOUR < 10 * MIN)
		a->samples = 0;
	for (i = 0; i < s->n; i++)
		if (t_ns + 30 * MIN > s->at[i].at_ns &&
		    t_ns < s->at[i].at_ns + 150 * MIN)
			a->samples = 0;
}

/* One packet in two goes the other way, 8 ms longer. */
static void two_ways(const struct scene *s, uint64_t t_ns, struct air *a)
{
	plain(s, t_ns, a);
	a->other_ns = a->level_ns + 8 * MS;
	a->other_share = 0.5;
}

/* The share of the short way wanders from 2 to 10 %. */
static void rare_way(const struct scene *s, uint64_t t_ns, struct air *a)
{
	two_ways(s, t_ns, a);
	a->other_share = 0.94 + 0.04 * sin(2 * M_PI * (t_ns % HOUR) / HOUR);
}

/* All packets at once change sides every seven minutes. */
static void flaps(const struct scene *s, uint64_t t_ns, struct air *a)
{
	plain(s, t_ns, a);
	if (t_ns / (7 * MIN) % 2)
		a->level_ns += 8 * MS;
}

/* Long queues for 90 s of every ten minutes, which few packets escape. */
static void bursts(const struct scene *s, uint64_t t_ns, struct air *a)
{
	plain(s, t_ns, a);
	if (t_ns % (10 * MIN) < 90 * S)
		a->queue_ns = 25 * MS;
}

/* Long queues half of the time, which many packets escape: p5 stays. */
static void escapes(const struct scene *s, uint64_t t_ns, struct air *a)
{
	plain(s, t_ns, a);
	if (t_ns % (2 * HOUR) < HOUR)
		a->jitter_ns = 20 * MS;
}

/* For two hours each day a queue that never empties. */
static void standing(const struct scene *s, uint64_t t_ns, struct air *a)
{
	plain(s, t_ns, a);
	if (t_ns % DAY > 8 * HOUR && t_ns % DAY < 10 * HOUR) {
		a->queue_ns = 15 * MS;
		a->loss = 0.02;
	}
}

/* Each evening fills slowly, up to a full buffer of 12 ms, and drains. */
static void evenings(const struct scene *s, uint64_t t_ns, struct air *a)
{
	double busy = sin(M_PI * ((double)(t_ns % DAY) / HOUR - 18) / 5);

	plain(s, t_ns, a);
	if (t_ns % DAY > 18 * HOUR && t_ns % DAY < 23 * HOUR) {
		a->level_ns += 12 * MS * (busy > 0.8 ? 1 : busy / 0.8);
		a->loss = 0.001 + 0.015 * busy;
	}
}

/* Up by 8 ms within ten minutes, held for two hours, and down again. */
static void ramps(const struct scene *s, uint64_t t_ns, struct air *a)
{
	double m = (double)(t_ns % (6 * HOUR)) / MIN;

	plain(s, t_ns, a);
	a->level_ns += 8 * MS * (m < 10 ? m / 10 : m < 130 ? 1 :
				 m < 140 ? (140 - m) / 10 : 0);
}

/* Up by 8 ms within a day, down within the next. */
static void slow_ramps(const struct scene *s, uint64_t t_ns, struct air *a)
{
	double days = (double)(t_ns % (2 * DAY)) / DAY;

	plain(s, t_ns, a);
	a->level_ns += 8 * MS * (days < 1 ? days : 2 - days);
}

/* --- tables --- */
#define SEEDS 1

static void run(struct __test_metadata *_metadata, struct scene *s)
{
	struct tally t = {};
	uint64_t i;

	for (i = 1; i <= SEEDS; i++)
		play(s, i, &t);
	qsort(t.delay_ns, t.n_delays, sizeof(*t.delay_ns), by_value);
	printf("# | %-44s | %2u x %4.1f d | %3u | %3u | %3u | %3u | %3u | ",
	       s->name, SEEDS, (double)s->length_ns / DAY, s->changes * SEEDS,
	       t.detected, t.missed, t.made_up, t.queues);
	if (t.n_delays)
		printf("%.0f s, %.0f s |\n", t.delay_ns[t.n_delays / 2] / 1e9,
		       t.delay_ns[t.n_delays - 1] / 1e9);
	else
		printf("- |\n");
	fflush(stdout);
	EXPECT_LE(t.missed, s->missed_most);
	EXPECT_LE(t.made_up, s->false_most);
	EXPECT_GE(t.queues, s->queues_least);
	EXPECT_LE(t.queues, s->queues_most);
	EXPECT_LE(t.queues, t.overs + SEEDS);	/* each ends, but the last */
	EXPECT_LT(t.off_most, 0.03);
}

static void run_all(struct __test_metadata *_metadata, struct scene *s,
		    unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		run(_metadata, &s[i]);
}

#define RUN(scenes) run_all(_metadata, scenes, sizeof(scenes) / sizeof(*scenes))

TEST(steps_are_seen)
{
	static struct scene scenes[] = {
		{ "step of 3 ms at 36 ms", LANE, .step_ns = 3 * MS,
		  .air = plain, .changes = 8 },
		{ "step of 5 ms at 36 ms", LANE, .step_ns = 5 * MS,
		  .air = plain, .changes = 8 },
		{ "step of 20 ms at 36 ms", LANE, .step_ns = 20 * MS,
		  .air = plain, .changes = 8 },
		{ "step of 10 % (1.2 ms) at 12 ms", .base_ns = 12 * MS,
		  .step_ns = 1.2 * MS, .samples = 40, .length_ns = 5 * DAY,
		  .air = plain, .changes = 8 },
		{ "step of 3 ms at 180 ms", .base_ns = 180 * MS,
		  .step_ns = 3 * MS, .samples = 40, .length_ns = 5 * DAY,
		  .air = plain, .changes = 8 },
	};

	RUN(scenes);
}

TEST(steps_are_seen_where_it_is_hard)
{
	static struct scene scenes[] = {
		{ "8 ms, 1 sample in 10 s", LANE, .step_ns = 8 * MS,
		  .air = sparse, .changes = 8 },
		{ "8 ms, level swings by 4 ms a day", LANE, .step_ns = 8 * MS,
		  .air = diurnal, .changes = 8 },
		{ "8 ms, to a way with 5 x the jitter", LANE,
		  .step_ns = 8 * MS, .air = rougher, .changes = 8 },
		{ "8 ms, 1 % of the samples far too small", LANE,
		  .step_ns = 8 * MS, .air = wrong, .changes = 8 },
		{ "8 ms, in an outage of 3 h", LANE, .step_ns = 8 * MS,
		  .air = outages, .changes = 8 },
		{ "8 ms, agent restarts 30 s later", LANE, .step_ns = 8 * MS,
		  .air = plain, .changes = 8, .restarts = true },
		{ "8 ms, one packet in two another way", LANE,
		  .step_ns = 8 * MS, .air = two_ways, .changes = 8 },
	};

	RUN(scenes);
}

TEST(what_is_no_change_is_none)
{
	static struct scene scenes[] = {
		{ "quiet", LANE, .air = plain },
		{ "1 sample in 10 s", LANE, .air = sparse },
		{ "level swings by 4 ms a day", LANE, .air = diurnal },
		{ "up by 8 ms in a day, down in the next", LANE,
		  .air = slow_ramps },
		{ "outages", LANE, .air = outages },
		{ "two ways, 8 ms apart", LANE, .air = two_ways },
		{ "two ways, the short one for 2 to 10 %", LANE,
		  .air = rare_way, .false_most = 1 },
	};

	RUN(scenes);
}

TEST(a_queue_is_none)
{
	static struct scene scenes[] = {
		{ "queues of 25 ms for 90 s in 10 min", LANE, .air = bursts },
		{ "queues that 1 in 5 packets escapes", LANE,
		  .air = escapes },
		{ "standing queue for 2 h a day", LANE, .air = standing,
		  .queues_least = 5 * SEEDS, .queues_most = 5 * SEEDS },
		{ "buffer full for 3 h each evening", LANE, .air = evenings,
		  .queues_least = 5 * SEEDS, .queues_most = 5 * SEEDS },
	};

	RUN(scenes);
}

TEST(a_slow_rise_is_told_as_a_queue_first)
{
	static struct scene s = { "up by 8 ms in 10 min, down 2 h later", LANE,
				  .air = ramps };
	struct tally t = {};

	play(&s, 1, &t);
	printf("# ramps: %u told as queues, %u as ways\n", t.queues, t.made_up);
	fflush(stdout);
	EXPECT_EQ(t.queues, 20);
	EXPECT_LE(t.made_up, 20);
}

TEST(who_changes_again_and_again_is_told_ever_more_slowly)
{
	static struct scene s = { "8 ms up or down every 7 min", LANE,
				  .air = flaps };
	struct tally t = {};

	play(&s, 1, &t);
	printf("# flaps: %u of 1028 changes told in five days\n", t.made_up);
	fflush(stdout);
	EXPECT_GE(t.made_up, 3);
	EXPECT_LE(t.made_up, 10);
}

TEST(less_than_a_step_is_not_told)
{
	static struct scene s = { "steps of 2 ms", LANE, .step_ns = 2 * MS,
				  .air = plain, .changes = 8 };
	struct tally t = {};

	play(&s, 1, &t);
	EXPECT_EQ(t.detected + t.made_up + t.queues, 0);
}

TEST(what_comes_back_is_known)
{
	static struct scene s = { "there and back", LANE, .step_ns = 8 * MS,
				  .air = plain, .changes = 8 };
	struct tally t = {};

	play(&s, 1, &t);
	EXPECT_EQ(t.detected, 8);
	EXPECT_EQ(t.backs, 7); 		/* all but the first */
}

TEST(another_hop_limit_settles_it_at_once)
{
	static struct scene s = { "a queue, and a way", LANE,
				  .air = standing, .hops = SL_HOPS_OTHER };
	struct tally t = {};

	play(&s, 1, &t);
	EXPECT_EQ(t.queues, 0);
	EXPECT_GE(t.made_up, 10);	/* two hours a day, there and back */
}

TEST(when_it_was_learned_stays_known)
{
	const uint64_t step_ns = rules.hold_ns / SL_HOLD_STEPS;
	struct sl_change c = {}, restored = {};
	struct sl_change_news news;
	struct sl_hist h = {};
	uint64_t at_ns;
	int i;

	for (i = 0; i < 40; i++)
		sl_hist_record(&h, 36 * MS + i * 1000);
	for (at_ns = S; at_ns < HOUR; at_ns += step_ns) {
		sl_change_take(&c, &rules, at_ns, at_ns + step_ns, &h, 0, 0,
			       SL_HOPS_UNKNOWN, &news);
		if (at_ns + step_ns - S < rules.hold_ns)
			EXPECT_EQ(c.learned_ns, 0);
	}
	EXPECT_TRUE(c.learned);
	EXPECT_EQ(c.learned_ns, S + rules.hold_ns);
	/* of before a restart: nobody saw when */
	sl_change_restore(&restored, &c.base);
	EXPECT_TRUE(restored.learned);
	EXPECT_EQ(restored.learned_ns, 0);
}

TEST_HARNESS_MAIN
