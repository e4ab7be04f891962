// SPDX-License-Identifier: GPL-2.0
/*
 * What the agent says of prefixes against the traffic: a data plane that hands round
 * trips over as bpf/sample.bpf.h does, on two CPUs with loads that come and go,
 * faster than its rings where the agent has not adapted yet.
 */
#define sl_dp_take_trips	fake_take
#define sl_dp_set_trips		fake_set
#define sl_dp_settings		fake_settings
#define sl_mono_ns		fake_mono_ns
#include "../../agent/prefixes.c"
#include "../../agent/prefixes_top.c"
#include <math.h>
#include "kselftest_harness.h"

#define CPUS 2

static struct {
	uint64_t clock_ns;
	uint32_t every;
	struct fake_cpu {
		struct sl_trip ring[SL_TRIPS];
		uint32_t kept, until;
		uint64_t seen;
	} cpu[CPUS];
	uint64_t lost, taken;
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

const struct sl_settings *sl_dp_settings(const struct sl_dp *none)
{
	static const struct sl_settings set = { .n_cpus = CPUS };

	(void)none;
	return &set;
}

void sl_dp_set_trips(struct sl_dp *none, uint32_t every)
{
	(void)none;
	dp.every = every;
}

uint32_t sl_dp_take_trips(struct sl_dp *none, uint32_t cpu,
			  struct sl_dp_trip_reader *r, struct sl_trip *out,
			  uint64_t *seen)
{
	struct fake_cpu *c = &dp.cpu[cpu];
	uint32_t n = 0;

	(void)none;
	if (!r->known)
		*r = (struct sl_dp_trip_reader){ c->kept, c->seen, true };
	if (c->kept - r->next > SL_TRIPS) {
		dp.lost += c->kept - SL_TRIPS - r->next;
		r->next = c->kept - SL_TRIPS;
	}
	while (r->next != c->kept)
		out[n++] = c->ring[r->next++ % SL_TRIPS];
	*seen = c->seen - r->seen;
	r->seen = c->seen;
	dp.taken += n;
	return n;
}

/* An answer from 10.x.y.z on its way by path 1 or another; 1 ms and more. */
static void trip(uint32_t cpu, uint32_t lane, uint32_t path, uint32_t prefix,
		 uint64_t rtt_ns, uint8_t hop_limit)
{
	struct fake_cpu *c = &dp.cpu[cpu];
	struct sl_trip *t = &c->ring[c->kept % SL_TRIPS];

	if (!dp.every)
		return;
	c->seen++;
	if (c->until && c->until < 2 * dp.every) {
		c->until--;
		return;
	}
	c->until = any(2 * dp.every - 1);
	*t = (struct sl_trip){
		.time_ns = 1, .rtt_ns = rtt_ns, .every = dp.every,
		.key = SL_SERIES_KEY(lane, path, SL_M_ICMP, SL_HALF_FAR),
		.addr = { [10] = 0xff, 0xff, 10, prefix >> 8, prefix,
			  any(256) },
		.hop_limit = hop_limit, .dir = SL_DIR_IN };
	c->kept++;
}

static struct agent *start(void)
{
	struct agent *a = calloc(1, sizeof(*a));

	memset(&dp, 0, sizeof(dp));
	dp.clock_ns = 5000000000ULL;
	if (prefixes_open(a))
		abort();
	return a;
}

static void stop(struct agent *a)
{
	prefixes_close(a);
	free(a);
}

static void second(struct agent *a)
{
	dp.clock_ns += 1000000000;
	prefixes_second(a);
}

/* --- what is said --- */
#define SAID 4096
static struct said {
	uint32_t path, lane;
	struct sl_prefix p;
	struct sl_hist h;
} said[SAID];
static unsigned int n_said;

static void on_prefix(void *arg, uint32_t path, uint32_t lane,
		      const struct sl_prefix *p, const struct sl_hist *h)
{
	(void)arg;
	if (n_said == SAID)
		abort();
	said[n_said++] = (struct said){ path, lane, *p, *h };
}

static void listen_to(struct agent *a)
{
	n_said = 0;
	prefixes_take(a, on_prefix, NULL);
}

static const struct said *find(uint32_t lane, uint32_t path, uint32_t prefix)
{
	unsigned int i;

	for (i = 0; i < n_said; i++)
		if (said[i].lane == lane && said[i].path == path &&
		    said[i].p.addr[1] == prefix >> 8 &&
		    said[i].p.addr[2] == (prefix & 0xff))
			return &said[i];
	return NULL;
}

TEST(few_are_all_there_and_exact)
{
	struct agent *a = start();
	const struct said *s;
	char text[64];
	int i;

	for (i = 0; i < 1000; i++) {
		trip(0, 3, 1, 7, 36000000, 57);
		trip(1, 3, 1, 8, 44000000, 57);
	}
	second(a);
	EXPECT_EQ(1, dp.every);
	listen_to(a);
	ASSERT_EQ(2, n_said);
	s = find(3, 1, 7);
	ASSERT_NE(NULL, s);
	EXPECT_STREQ("10.0.7.0/24", sl_prefix_str(&s->p, text));
	EXPECT_EQ(1000, s->h.count);
	EXPECT_EQ(36000000, s->h.min_ns);
	EXPECT_EQ(36000000, s->h.max_ns);
	EXPECT_EQ(36000000000ULL, s->h.sum_ns);
	/* each counts once */
	listen_to(a);
	EXPECT_EQ(0, n_said);
	stop(a);
}

TEST(ipv6_is_told_apart_by_48_bits)
{
	struct top *t = top_new();
	struct sl_trip trip = {
		.key = SL_SERIES_KEY(1, 15, SL_M_ICMP, SL_HALF_FAR),
		.rtt_ns = 1000000,
		.addr = { 0x20, 1, 0xd, 0xb8, 0xff, 0xfe, 1 } };
	char text[64];

	n_said = 0;
	top_add(t, &trip, 1);
	trip.addr[6] = 2;
	top_add(t, &trip, 1);
	trip.addr[5] = 0xfd;
	top_add(t, &trip, 1);
	top_take(t, on_prefix, NULL);
	ASSERT_EQ(2, n_said);
	EXPECT_STREQ("2001:db8:fffe::/48", sl_prefix_str(&said[0].p, text));
	EXPECT_EQ(2, said[0].h.count);
	EXPECT_EQ(15, said[0].path);
	EXPECT_STREQ("2001:db8:fffd::/48", sl_prefix_str(&said[1].p, text));
	top_free(t);
}

/* Rates that change under the agent: the counts of each prefix, and the quantiles
 * of one that is fast while there is much and slow while there is little. */
TEST(weights_are_unbiased_while_rates_change)
{
	static const unsigned int rate[10] = { 2000, 90000, 90000, 300, 300,
					       60000, 60000, 60000, 1000, 50 };
	double slow = 0, all = 0, want, round, got = 0, counts = 0, truth = 0;
	struct sl_hist *sum = calloc(1, sizeof(*sum));
	struct agent *a = start();
	unsigned int i, k, b;
	const struct said *s;

	for (round = 0; round < 10; round++) {
		for (i = 0; i < 10; i++) {
			for (k = 0; k < rate[i]; k++) {
				uint64_t rtt_ns = k % 30 ? 20000000 : 80000000;

				if (rate[i] < 10000)
					rtt_ns = 80000000;
				slow += rtt_ns == 80000000;
				all++;
				trip(k % 5 == 0, 1, 0, 1, rtt_ns, 60);
				truth += k % 7 == 0;
				if (k % 7 == 0)
					trip(1, 1, 0, 2, 1000000, 60);
			}
			second(a);
		}
		listen_to(a);
		s = find(1, 0, 1);
		ASSERT_NE(NULL, s);
		sl_hist_add(sum, &s->h);
		counts += find(1, 0, 2)->h.count;
	}
	EXPECT_LT(0, dp.lost);
	EXPECT_GT(0.02, fabs(sum->count / all - 1)) {
		TH_LOG("%llu of %.0f", (unsigned long long)sum->count, all);
	}
	EXPECT_GT(0.05, fabs(counts / truth - 1)) {
		TH_LOG("%.0f of %.0f", counts, truth);
	}
	for (b = sl_hist_bucket(50000000); b < SL_HIST_BUCKETS; b++)
		got += sum->bucket[b];
	want = slow / all;
	EXPECT_GT(0.06, fabs(got / sum->count / want - 1)) {
		TH_LOG("%.4f slow of %.4f", got / sum->count, want);
	}
	free(sum);
	stop(a);
}

TEST(so_many_are_taken_whatever_comes)
{
	struct agent *a = start();
	uint64_t before;
	unsigned int i, k;

	for (i = 0; i < 10; i++) {
		before = dp.taken;
		for (k = 0; k < 200000; k++)
			trip(k % 4 == 0, 1, 0, k % 50, 1000000, 60);
		second(a);
		if (!i)
			continue;
		/* one CPU has three of four: its ring is what counts */
		EXPECT_LT(SL_TRIPS / 4, dp.taken - before);
		EXPECT_GT(PREFIXES_TAKEN_PER_S, dp.taken - before);
	}
	second(a);
	EXPECT_EQ(1, dp.every);
	stop(a);
}

/* Far more prefixes than there is room for, sixteen of them heavy. */
TEST(the_heavy_ones_are_found_among_a_crowd)
{
	struct agent *a = start();
	unsigned int i, k;

	for (i = 0; i < 20; i++) {
		for (k = 0; k < 4000; k++)
			trip(k & 1, 5, 2, k % 2 ? k / 2 % PREFIXES_TOP :
			     1000 + any(20000), 50000000, 60);
		second(a);
		if (i == 9)
			listen_to(a);
	}
	listen_to(a);
	EXPECT_GE(2 * PREFIXES_TOP, n_said);
	for (i = 0; i < PREFIXES_TOP; i++) {
		ASSERT_NE(NULL, find(5, 2, i)) {
			TH_LOG("prefix %u", i);
		}
		/* ten seconds of 125 each; dp.every is 1 here */
		EXPECT_EQ(1250, find(5, 2, i)->h.count);
	}
	stop(a);
}

/* One that comes once: its round trip tells which. */
static void once(unsigned int id)
{
	trip(0, 5, 2, id, 1000000 + id, 60);
}

TEST(who_takes_a_place_has_only_its_own)
{
	struct agent *a = start();
	unsigned int i, k;

	/* a crowd in which each comes once: every place is somebody else's soon */
	for (i = 0; i < 6; i++) {
		for (k = 0; k < 1200; k++)
			once(1200 * i + k);
		for (k = 0; i > 2 && k < 600; k++)
			once(10000 + k % 3);
		second(a);
	}
	listen_to(a);
	EXPECT_EQ(3, n_said);
	for (i = 0; i < n_said; i++) {
		EXPECT_LE(400, said[i].h.count);
		EXPECT_EQ(1000000U + (said[i].p.addr[1] << 8 |
				      said[i].p.addr[2]), said[i].h.min_ns);
		EXPECT_EQ(said[i].h.min_ns, said[i].h.max_ns);
	}
	stop(a);
}

/* Each step another choice of them would be as many series as there are prefixes. */
TEST(of_a_crowd_of_equals_nobody_is_reported)
{
	struct agent *a = start();
	unsigned int i, k, all = 0;

	for (i = 0; i < 60; i++) {
		for (k = 0; k < 500; k++)
			trip(0, 5, 2, any(20000), 1000000, 60);
		second(a);
		if (i % 10 == 9) {
			listen_to(a);
			all += n_said;
		}
	}
	EXPECT_GT(6, all);
	stop(a);
}

TEST(sketches_are_shared_among_lanes_and_never_run_out_of_bounds)
{
	unsigned int i, lane, k, of[SL_MAX_LANES], least = ~0U, round;
	struct top *t = top_new();
	struct sl_trip trip = { .rtt_ns = 1000000, .addr = { 0x20, 1 } };

	for (round = 0; round < 4; round++) {
		for (lane = 0; lane < SL_MAX_LANES; lane++)
			for (k = 0; k < 20; k++) {
				trip.addr[4] = k;
				trip.key = SL_SERIES_KEY(lane, 0, SL_M_DNS,
							 SL_HALF_FAR);
				top_add(t, &trip, 1 + k);
			}
		top_rank(t);
		n_said = 0;
		top_take(t, on_prefix, NULL);
	}
	EXPECT_GE(PREFIXES_SKETCHES, n_said);
	memset(of, 0, sizeof(of));
	for (i = 0; i < n_said; i++)
		of[said[i].lane]++;
	for (lane = 0; lane < SL_MAX_LANES; lane++)
		least = of[lane] < least ? of[lane] : least;
	EXPECT_EQ(1, least);	/* 1,024 lanes: one each */
	/* the heaviest one it is */
	for (i = 0; i < n_said; i++)
		EXPECT_EQ(19, said[i].p.addr[4]);
	/* and all are given back once nobody comes any more */
	for (i = 0; i < 20; i++)
		top_fade(t);
	EXPECT_EQ(0, t->n_lanes);
	EXPECT_EQ(PREFIXES_SKETCHES, t->n_spare);
	top_free(t);
}

/* A cable is cut: the same prefixes come by another path. */
TEST(a_new_path_is_reported_at_once)
{
	struct agent *a = start();
	unsigned int i, k;

	for (i = 0; i < 400; i++) {	/* longer than it takes to fade */
		for (k = 0; k < 160; k++)
			trip(k & 1, 2, 1, k % PREFIXES_TOP, 30000000, 58);
		second(a);
		if (i % 10 == 9)
			listen_to(a);
	}
	ASSERT_EQ(PREFIXES_TOP, n_said);
	for (i = 0; i < 10; i++) {
		for (k = 0; k < 160; k++)
			trip(k & 1, 2, 2, k % PREFIXES_TOP, 60000000, 54);
		second(a);
	}
	listen_to(a);
	for (i = 0; i < PREFIXES_TOP; i++) {
		ASSERT_NE(NULL, find(2, 2, i));
		EXPECT_LE(90, find(2, 2, i)->h.count);
		EXPECT_EQ(60000000, find(2, 2, i)->h.min_ns);
		EXPECT_EQ(NULL, find(2, 1, i));
	}
	stop(a);
}

/* --- hop limits --- */
static uint32_t hops[256], hops_of_others;

static void on_hops(void *arg, uint32_t path, uint32_t lane,
		    const struct sl_prefix *p, uint8_t hop_limit, uint32_t n)
{
	(void)arg;
	if (path == 1 && lane == 3 && p->addr[2] == 7)
		hops[hop_limit] += n;
	else
		hops_of_others += n;
}

static void count_hops(struct agent *a)
{
	memset(hops, 0, sizeof(hops));
	hops_of_others = 0;
	prefixes_take_hops(a, on_hops, NULL);
}

TEST(hop_limits_are_counted_by_prefix)
{
	struct agent *a = start();
	unsigned int i;

	for (i = 0; i < 100; i++) {
		trip(0, 3, 1, 7, 36000000, i % 4 ? 57 : 121);
		trip(0, 3, 1, 8, 36000000, 40);
	}
	second(a);
	listen_to(a);		/* one does not take the other's */
	count_hops(a);
	EXPECT_EQ(75, hops[57]);
	EXPECT_EQ(25, hops[121]);
	EXPECT_EQ(0, hops[40]);
	EXPECT_EQ(100, hops_of_others);
	count_hops(a);
	EXPECT_EQ(0, hops[57] + hops[121] + hops_of_others);
	/* the ninth is not counted, the first eight are right */
	for (i = 0; i < 90; i++)
		trip(0, 3, 1, 7, 36000000, 50 + i % 9);
	second(a);
	count_hops(a);
	for (i = 0; i < PREFIXES_HOPS; i++)
		EXPECT_EQ(10, hops[50 + i]);
	EXPECT_EQ(0, hops[58]);
	stop(a);
}

/* QUIC's spin bit: from edge to edge, near half and all. */
TEST(full_round_trips_give_hop_limits_only)
{
	struct agent *a = start();
	unsigned int i;

	for (i = 0; i < 30; i++) {
		trip(0, 3, 1, i < 20 ? 7 : 8, 36000000, 57);
		if (i >= 10)
			dp.cpu[0].ring[i].key = SL_SERIES_KEY(
				3, 1, SL_M_QUIC_SPIN, SL_HALF_FULL);
	}
	second(a);
	count_hops(a);
	EXPECT_EQ(20, hops[57]);
	EXPECT_EQ(0, hops_of_others);	/* not measured otherwise */
	listen_to(a);
	ASSERT_EQ(1, n_said);
	EXPECT_EQ(10, said[0].h.count);
	stop(a);
}

TEST(what_left_home_has_no_hop_limit_of_abroad)
{
	struct agent *a = start();
	unsigned int i;

	for (i = 0; i < 5; i++) {
		trip(0, 3, 1, 7, 36000000, 64);
		dp.cpu[0].ring[i].dir = SL_DIR_OUT;
	}
	second(a);
	count_hops(a);
	EXPECT_EQ(0, hops[64]);
	listen_to(a);
	ASSERT_EQ(1, n_said);
	EXPECT_EQ(5, said[0].h.count);
	stop(a);
}

TEST_HARNESS_MAIN
