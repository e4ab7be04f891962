// SPDX-License-Identifier: GPL-2.0
/*
 * The agent's sample of the live traffic against that traffic: a data plane that
 * takes packets as bpf/keep.bpf.h does, on two CPUs with uneven loads that come
 * and go, faster than its ring where sampling has not adapted yet. Whatever is in
 * the sample is held against what was sent.
 */
#define sl_dp_take_samples	fake_take
#define sl_dp_read_sampled_of	fake_counted
#define sl_dp_set_sampling	fake_set
#define sl_dp_settings		fake_settings
#define sl_mono_ns		fake_mono_ns
#define sl_now_ns		fake_now_ns
#include "../../agent/plan_sample.c"
#include "estimate.h"
#include "kselftest_harness.h"

#define CPUS	2
#define START_NS 1000000000000000ULL

static struct {
	uint64_t clock_ns;
	uint32_t every;
	struct fake_cpu {
		struct sl_sampled ring[SL_SAMPLES];
		uint32_t kept, unread, until;
		uint64_t packets, bytes;
	} cpu[CPUS];
	uint64_t overrun;
} dp;

static uint64_t state = 88172645463325252ULL;

static uint32_t any(uint32_t n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (state >> 20) % n;
}

uint64_t sl_mono_ns(void)
{
	return dp.clock_ns;
}

uint64_t sl_now_ns(void)
{
	return START_NS + dp.clock_ns;
}

const struct sl_settings *sl_dp_settings(const struct sl_dp *none)
{
	static const struct sl_settings set = { .n_cpus = CPUS };

	(void)none;
	return &set;
}

void sl_dp_set_sampling(struct sl_dp *none, uint32_t every)
{
	(void)none;
	dp.every = every;
}

void sl_dp_read_sampled_of(const struct sl_dp *none, uint32_t cpu,
			   uint64_t *packets, uint64_t *bytes)
{
	(void)none;
	*packets = dp.cpu[cpu].packets;
	*bytes = dp.cpu[cpu].bytes;
}

uint32_t sl_dp_take_samples(struct sl_dp *none, uint32_t cpu,
			    struct sl_dp_reader *r, struct sl_sampled *out)
{
	struct fake_cpu *c = &dp.cpu[cpu];
	uint32_t i, n = c->unread;

	(void)none;
	(void)r;
	if (n > SL_SAMPLES) {
		dp.overrun += n - SL_SAMPLES;
		n = SL_SAMPLES;
	}
	for (i = 0; i < n; i++)
		out[i] = c->ring[(c->kept - n + i) % SL_SAMPLES];
	c->unread = 0;
	return n;
}

/* One packet; lane is what it is told apart by. */
static void arrive(uint32_t cpu, uint32_t lane, uint32_t len_b)
{
	struct fake_cpu *c = &dp.cpu[cpu];
	struct sl_sampled *s = &c->ring[c->kept % SL_SAMPLES];

	c->packets++;
	c->bytes += len_b;
	if (!dp.every)
		return;
	if (c->until && c->until < 2 * dp.every) {
		c->until--;
		return;
	}
	c->until = any(2 * dp.every - 1);
	s->g.where = SL_WHERE(lane, 0, 0);
	s->g.frame_b = len_b;
	c->kept++;
	c->unread++;
}

static struct agent *start(void)
{
	struct agent *a = calloc(1, sizeof(*a));

	memset(&dp, 0, sizeof(dp));
	dp.clock_ns = 5000000000ULL;
	if (sample_open(a))
		abort();
	sample_second(a);
	/* what comes before there is a rate is not in the sample */
	arrive(0, 3, 9000);
	dp.clock_ns += 1000000000;
	sample_second(a);
	return a;
}

static void stop(struct agent *a)
{
	sample_close(a);
	free(a);
}

static void second(struct agent *a)
{
	dp.clock_ns += 1000000000;
	sample_second(a);
}

/* What a view says. */
#define LANES 4
struct said {
	struct sl_estimate packets[LANES], bytes[LANES];
	double weight_max, weights;
	uint64_t n, counted, counted_b, span_ns;
	unsigned int ticks;
};

static void on_packet(void *arg, const struct plan_packet *p, double weight)
{
	struct said *s = arg;
	uint32_t lane = p->g.where >> 6;

	sl_estimate_add(&s->packets[lane], weight, 1);
	sl_estimate_add(&s->bytes[lane], weight, p->g.frame_b);
	s->weights += weight;
	s->weight_max = weight > s->weight_max ? weight : s->weight_max;
	s->n++;
}

static void on_tick(void *arg, const struct plan_tick *t)
{
	struct said *s = arg;

	s->counted += t->packets;
	s->counted_b += t->bytes;
	s->span_ns += t->span_ns;
	s->ticks++;
}

static void listen_to(struct agent *a, uint64_t since_ns, struct said *s)
{
	const struct plan_walk w = { on_tick, on_packet, s };
	struct plan_view v;

	memset(s, 0, sizeof(*s));
	if (sample_view(a, since_ns, &v))
		abort();
	sample_walk(&v, &w);
	sample_leave(&v);
}

/* A second in which the load may be anything: lane 0 is everywhere, 1 on one
 * CPU, 2 on the other, 3 comes in bursts. */
static void some_second(struct agent *a, double *truth, double *truth_b)
{
	uint32_t n[CPUS] = { any(3) ? any(3000) : any(15000), any(300) };
	uint32_t burst = any(6) ? 0 : 30, cpu, i, lane, len_b;

	for (cpu = 0; cpu < CPUS; cpu++)
		for (i = 0; i < n[cpu]; i++) {
			lane = any(100) < burst ? 3 : any(10) ? 0 : 1 + cpu;
			len_b = any(4) ? 64 : 1500;
			truth[lane]++;
			truth_b[lane] += len_b;
			arrive(cpu, lane, len_b);
		}
	second(a);
}

TEST(estimates_hold_what_was_sent)
{
	const int runs = 300;
	double held[LANES] = {}, held_b[LANES] = {}, off[LANES] = {};
	uint64_t overrun = 0;
	int run, i;

	for (run = 0; run < runs; run++) {
		double truth[LANES] = {}, truth_b[LANES] = {};
		struct agent *a = start();
		struct sl_interval r;
		struct said s;

		for (i = 0; i < 25; i++)
			some_second(a, truth, truth_b);
		listen_to(a, 0, &s);
		ASSERT_EQ(25, s.ticks);
		ASSERT_EQ(truth[0] + truth[1] + truth[2] + truth[3],
			  s.counted);
		for (i = 0; i < LANES; i++) {
			r = sl_estimate_total(&s.packets[i], s.weight_max);
			held[i] += r.low <= truth[i] && truth[i] <= r.high;
			off[i] += truth[i] ? r.value / truth[i] - 1 : 0;
			r = sl_estimate_total(&s.bytes[i],
					      1500 * s.weight_max);
			held_b[i] += r.low <= truth_b[i] &&
				     truth_b[i] <= r.high;
		}
		overrun += dp.overrun;
		stop(a);
	}
	for (i = 0; i < LANES; i++) {
		TH_LOG("lane %d: packets %.3f, bytes %.3f, off by %.4f", i,
		       held[i] / runs, held_b[i] / runs, off[i] / runs);
		EXPECT_LE(0.9, held[i] / runs);
		EXPECT_LE(0.9, held_b[i] / runs);
		/* of the mean of all runs: four times its own deviation */
		EXPECT_GT(0.05, off[i] / runs);
		EXPECT_LT(-0.05, off[i] / runs);
	}
	/* the ring was too small at times, or this proves little */
	EXPECT_LT(runs, overrun);
}

TEST(little_traffic_is_taken_whole)
{
	struct agent *a = start();
	struct said s;
	int i, k;

	for (i = 0; i < 15; i++) {
		for (k = 0; k < 60; k++)
			arrive(k & 1, k % LANES, 100);
		second(a);
	}
	listen_to(a, 0, &s);
	EXPECT_EQ(900, s.n);
	EXPECT_EQ(900, s.weights);
	EXPECT_EQ(1, s.weight_max);
	EXPECT_EQ(900, s.counted);
	EXPECT_EQ(90000, s.counted_b);
	EXPECT_EQ(15000000000ULL, s.span_ns);
	stop(a);
}

TEST(the_sample_is_bounded_and_forgets_the_oldest)
{
	struct agent *a = start();
	struct said s;
	int i, k;

	for (i = 0; i < (PLAN_SLICES + 2) * PLAN_TICKS + 3; i++) {
		for (k = 0; k < 1200; k++)
			arrive(0, i < 30 ? 1 : 0, 100);
		second(a);
	}
	listen_to(a, 0, &s);
	EXPECT_GE(PLAN_SLICES * PLAN_PACKETS, s.n);
	EXPECT_LT((PLAN_SLICES - 2) * PLAN_PACKETS, s.n);
	EXPECT_EQ((PLAN_SLICES - 1) * PLAN_TICKS + 3, s.ticks);
	EXPECT_EQ(0, s.packets[1].n);
	EXPECT_EQ(s.ticks * 1200, s.counted);
	EXPECT_GT(0.01, s.weights / s.counted - 1);
	EXPECT_LT(-0.01, s.weights / s.counted - 1);
	/* the last four seconds of it */
	listen_to(a, sl_now_ns() - 4000000000ULL, &s);
	EXPECT_EQ(4, s.ticks);
	EXPECT_EQ(4800, s.counted);
	stop(a);
}

TEST(a_view_stays_as_it_was)
{
	struct agent *a = start();
	struct said s = {};
	const struct plan_walk w = { on_tick, on_packet, &s };
	struct plan_view v;
	int i;

	for (i = 0; i < 14; i++) {
		arrive(0, 2, 100);
		second(a);
	}
	ASSERT_EQ(0, sample_view(a, 0, &v));
	for (i = 0; i < (PLAN_SLICES + 2) * PLAN_TICKS; i++) {
		arrive(0, 3, 100);
		second(a);
	}
	sample_walk(&v, &w);
	sample_leave(&v);
	EXPECT_EQ(14, s.packets[2].n);
	EXPECT_EQ(0, s.packets[3].n);
	EXPECT_EQ(14, s.counted);
	stop(a);
}

TEST(quiet_after_a_flood_is_seen_again)
{
	struct agent *a = start();
	struct said s;
	int i, k;

	for (i = 0; i < 5; i++) {
		for (k = 0; k < 100000; k++)
			arrive(0, 0, 100);
		second(a);
	}
	EXPECT_LT(50, dp.every);
	for (i = 0; i < 12; i++) {
		for (k = 0; k < 5; k++)
			arrive(0, 2, 100);
		second(a);
	}
	EXPECT_EQ(1, dp.every);
	/* of a slice without flood: each of them */
	listen_to(a, sl_now_ns() - 7000000000ULL, &s);
	EXPECT_EQ(35, s.packets[2].n);
	EXPECT_EQ(35, s.packets[2].sum);
	stop(a);
}

TEST_HARNESS_MAIN
