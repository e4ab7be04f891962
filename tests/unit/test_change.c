// SPDX-License-Identifier: GPL-2.0
/*
 * Change detection on series whose changes are known: simulated weeks with an
 * injected clock. Each line says what was detected, missed and made up, and how
 * long it took; docs/changes.md shows the table.
 */
#include <json-c/json.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "change.h"
#include "hist.h"
#include "kselftest_harness.h"

#define S	1000000000ULL
#define MIN	(60 * S)
#define HOUR	(60 * MIN)
#define DAY	(24 * HOUR)
#define MS	1e6

static const struct sl_change_rules rules = { 3000000, 100000, 3 * MIN };

/* --- randomness that is the same in every run --- */
static uint64_t seed;

static double uniform(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return ((seed >> 11) + 0.5) / (1ULL << 53);
}

static double exponential(double mean)
{
	return -log(uniform()) * mean;
}

/* --- what a lane does at a time --- */
struct air {
	double level_ns;	/* the way's own round trip */
	double jitter_ns;	/* mean of what each packet waits, exponential */
	double queue_ns;	/* mean of a queue that moves from step to step */
	double other_ns;	/* a second way's round trip ... */
	double other_share;	/* ... for this share of the packets */
	double wrong_share;	/* samples far too small */
	double loss;
	unsigned int samples;	/* in 10 s, on the average */
};

struct truth {
	uint64_t at_ns;
	double to_ns;
};

struct scene;
typedef void (*air_fn)(const struct scene *s, uint64_t t_ns, struct air *a);

/* Changes that must be seen are in at[]; air() may look at them. */
struct scene {
	const char *name;
	double base_ns, step_ns;
	unsigned int samples;
	uint64_t length_ns;
	air_fn air;
	unsigned int changes;	/* up and down in turn, over the length */
	bool restarts;		/* the agent, 30 s after each change */
	enum sl_change_hops hops;
	/* what may come beside the changes */
	unsigned int false_most, queues_least, queues_most, missed_most;
	/* filled in */
	struct truth at[64];
	unsigned int n;
};

static double level_of(const struct scene *s, uint64_t t_ns)
{
	double level_ns = s->base_ns;
	unsigned int i;

	for (i = 0; i < s->n && s->at[i].at_ns <= t_ns; i++)
		level_ns = s->at[i].to_ns;
	return level_ns;
}

/* A week's traffic: fewer packets and shorter queues at night. */
static void plain(const struct scene *s, uint64_t t_ns, struct air *a)
{
	double day = sin(2 * M_PI * (t_ns % DAY) / DAY);

	*a = (struct air){ .level_ns = level_of(s, t_ns),
			   .jitter_ns = 0.4 * MS * (1 + 0.8 * day),
			   .samples = s->samples * (1 + 0.8 * day),
			   .loss = 0.001 };
}

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

/* --- a run --- */
struct tally {
	unsigned int detected, missed, made_up, queues, overs, backs;
	double off_most;		/* of a detected level, relative */
	uint64_t delay_ns[256];
	unsigned int n_delays;
};

static double one_sample(const struct air *a, double queue_ns)
{
	double v = a->level_ns;

	if (a->wrong_share > 0 && uniform() < a->wrong_share)
		return v / 3;
	if (a->other_share > 0 && uniform() < a->other_share)
		v = a->other_ns;
	v += exponential(a->jitter_ns);
	if (queue_ns > 0)
		v += queue_ns * (0.4 + 0.6 * uniform());
	return v;
}

static void measure(const struct air *a, struct sl_hist *h)
{
	double queue_ns = a->queue_ns > 0 ?
		a->queue_ns * (0.6 + 0.8 * uniform()) : 0;
	unsigned int n = a->samples * (0.7 + 0.6 * uniform()) + 0.5, i;

	memset(h, 0, sizeof(*h));
	for (i = 0; i < n; i++)
		sl_hist_record(h, one_sample(a, queue_ns));
}

static void plan_changes(struct scene *s)
{
	uint64_t part_ns = s->length_ns / (s->changes + 1);
	unsigned int i;

	s->n = s->changes;
	for (i = 0; i < s->n; i++)
		s->at[i] = (struct truth){
			.at_ns = part_ns * (i + 1) +
				 (uint64_t)((uniform() - 0.5) * part_ns / 2),
			.to_ns = s->base_ns + (i % 2 ? 0 : s->step_ns) };
}

/* A way that is told must be the next one of the truth, soon after it. */
static void judge(const struct scene *s, struct tally *t, unsigned int *next,
		  uint64_t now_ns, const struct air *a,
		  const struct sl_change_news *news)
{
	const struct truth *w = &s->at[*next];
	double off;

	if (news->what == SL_CHANGE_QUEUE)
		t->queues++;
	if (news->what == SL_CHANGE_QUEUE_OVER)
		t->overs++;
	if (news->what != SL_CHANGE_WAY)
		return;
	/* what was not told before the next one came is missed */
	while (*next + 1 < s->n && s->at[*next + 1].at_ns <= now_ns)
		w = &s->at[++*next];
	if (*next == s->n || now_ns < w->at_ns ||
	    fabs(news->to_ns - a->level_ns) > fabs(s->step_ns) / 3 + 0.5 * MS) {
			t->made_up++;
		return;
	}
	t->detected++;
	t->backs += news->back;
	off = fabs(news->to_ns - a->level_ns) / a->level_ns;
	t->off_most = off > t->off_most ? off : t->off_most;
	if (t->n_delays < 256)
		t->delay_ns[t->n_delays++] = now_ns - w->at_ns;
	(*next)++;
}

static void restart(struct sl_change *c)
{
	const struct sl_change_base base = c->base;

	memset(c, 0, sizeof(*c));
	sl_change_restore(c, &base);
}

static void play(struct scene *s, uint64_t first_seed, struct tally *t)
{
	struct sl_change *c = calloc(1, sizeof(*c));
	unsigned int next = 0, restarted = 0, before = t->detected;
	struct sl_change_news news;
	struct sl_hist h;
	struct air a;
	uint64_t at;

	seed = first_seed * 0x9e3779b97f4a7c15ULL;
	plan_changes(s);
	for (at = 0; at < s->length_ns; at += 10 * S) {
		s->air(s, at, &a);
		measure(&a, &h);
		if (s->restarts && restarted < s->n &&
		    at > s->at[restarted].at_ns + 30 * S) {
			restart(c);
			restarted++;
		}
		sl_change_take(c, &rules, at, at + 10 * S, &h, 10000,
			       10000 * a.loss, s->hops, &news);
		judge(s, t, &next, at + 10 * S, &a, &news);
	}
	t->missed += s->n - (t->detected - before);
	free(c);
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

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
#define LANE .base_ns = 36 * MS, .samples = 40, .length_ns = 5 * DAY

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

TEST(the_state_follows)
{
	static struct scene s = { "8 ms", LANE, .step_ns = 8 * MS };
	struct sl_change *c = calloc(1, sizeof(*c));
	struct sl_change_news news;
	struct sl_hist h;
	struct air a;
	uint64_t at, since;

	seed = 1;
	s.n = 1;
	s.at[0] = (struct truth){ HOUR, 44 * MS };
	EXPECT_EQ(sl_change_state(c, &rules, 0, &since), SL_CHANGE_LEARNING);
	for (at = 0; at < 30 * HOUR; at += 10 * S) {
		plain(&s, at, &a);
		measure(&a, &h);
		sl_change_take(c, &rules, at, at + 10 * S, &h, 0, 0,
			       SL_HOPS_SAME, &news);
		if (at == 30 * MIN)
			EXPECT_EQ(sl_change_state(c, &rules, at, &since),
				  SL_CHANGE_STEADY);
		if (at == HOUR + MIN)
			EXPECT_EQ(sl_change_state(c, &rules, at, &since),
				  SL_CHANGE_SUSPECT);
		if (at == HOUR + 5 * MIN || at == 24 * HOUR) {
			EXPECT_EQ(sl_change_state(c, &rules, at, &since),
				  SL_CHANGE_CHANGED);
			EXPECT_EQ(since, HOUR);
		}
	}
	EXPECT_EQ(sl_change_state(c, &rules, at, &since), SL_CHANGE_STEADY);
	free(c);
}

/* --- noise of real networks --- */
static struct {
	double *rtt_ns, p5_ns;
	unsigned int n;
} real;

static bool read_real(const char *file, const char *method)
{
	struct json_object *doc, *m, *flow, *samples;
	struct sl_hist h = {};
	char path[512];
	unsigned int i;

	snprintf(path, sizeof(path), "%s/data/captures/truth/%s.json",
		 getenv("SHARED") ? getenv("SHARED") : "../shared", file);
	doc = json_object_from_file(path);
	if (!doc || !json_object_object_get_ex(doc, "methods", &m) ||
	    !json_object_object_get_ex(m, method, &m))
		return false;
	for (i = 0, real.n = 0; i < json_object_array_length(m); i++) {
		flow = json_object_array_get_idx(m, i);
		if (json_object_object_get_ex(flow, "samples", &samples) &&
		    json_object_array_length(samples) > real.n) {
			real.n = json_object_array_length(samples);
			json_object_get(samples);
			json_object_object_add(doc, "longest", samples);
		}
	}
	json_object_object_get_ex(doc, "longest", &samples);
	free(real.rtt_ns);
	real.rtt_ns = calloc(real.n + 1, sizeof(*real.rtt_ns));
	for (i = 0; i < real.n; i++) {
		real.rtt_ns[i] = json_object_get_double(
			json_object_array_get_idx(json_object_array_get_idx(
				samples, i), 1));
		sl_hist_record(&h, real.rtt_ns[i]);
	}
	real.p5_ns = sl_hist_quantile_ns(&h, 0.05);
	json_object_put(doc);
	return true;
}

/* A step is a run of the recording from a random place on, so that what belongs
 * together stays together; the next step is from another place. */
static void play_real(double step_ns, struct tally *t)
{
	struct scene s = { .base_ns = real.p5_ns, .step_ns = step_ns,
			   .length_ns = 5 * DAY, .changes = 8 };
	struct sl_change *c = calloc(1, sizeof(*c));
	unsigned int next = 0, from, i;
	struct sl_change_news news;
	struct air a = {};
	struct sl_hist h;
	uint64_t at;

	seed = 7;
	plan_changes(&s);
	for (at = 0; at < s.length_ns; at += 10 * S) {
		memset(&h, 0, sizeof(h));
		from = uniform() * real.n;
		a.level_ns = level_of(&s, at);
		for (i = 0; i < 40; i++)
			sl_hist_record(&h, real.rtt_ns[(from + i) % real.n] +
				       a.level_ns - s.base_ns);
		sl_change_take(c, &rules, at, at + 10 * S, &h, 0, 0,
			       SL_HOPS_UNKNOWN, &news);
		judge(&s, t, &next, at + 10 * S, &a, &news);
	}
	t->missed = s.n - t->detected;
	free(c);
}

TEST(steps_are_seen_in_the_noise_of_recordings)
{
	static const struct {
		const char *name, *file, *method;
		double step_ns;
	} recording[] = {
		{ "5 ms in a recording: ping, 50 ms",
		  "link_null__spindump__trace_tunnel_interface_ping__86734d.pcap",
		  "icmp_echo", 5 * MS },
		{ "5 ms in one: ssh, 19 to 28 ms", "mixed_large__zeek__ssh_kex_mlkem__716e31.pcap",
		  "tcp_ts", 5 * MS },
		{ "80 ms in one: satellite, 560 to 640 ms",
		  "tcp_long_fat__tcptrace__dsack__a5cd67.pcap", "tcp_seq",
		  80 * MS },
	};
	unsigned int i;

	for (i = 0; i < 3; i++) {
		struct tally t = {};

		if (!read_real(recording[i].file, recording[i].method))
			SKIP(return, "no recordings beside the tree");
		play_real(recording[i].step_ns, &t);
		qsort(t.delay_ns, t.n_delays, sizeof(*t.delay_ns), by_value);
		printf("# | %-44s | 1 x  5.0 d |   8 | %3u | %3u | %3u | %3u | "
		       "%.0f s, %.0f s |\n", recording[i].name, t.detected,
		       t.missed, t.made_up, t.queues,
		       t.delay_ns[t.n_delays / 2] / 1e9,
		       t.delay_ns[t.n_delays - 1] / 1e9);
		fflush(stdout);
		EXPECT_EQ(t.missed, 0);
		EXPECT_EQ(t.made_up, 0);
	}
	free(real.rtt_ns);
}

TEST_HARNESS_MAIN
