// SPDX-License-Identifier: GPL-2.0
/* Round trips that the data plane hands over one by one: whose they are, how far
 * away, and how many each stands for. */
#include "loaded.h"

static struct sl_trip got[SL_TRIPS];

static uint64_t seen;		/* that the last take() chose from */

/* From now on, one of so many. */
static struct sl_dp_trip_reader begin(FIXTURE_DATA(dp) *self, uint32_t every)
{
	struct sl_dp_trip_reader r = {};

	sl_dp_set_trips(self->dp, every);
	sl_dp_take_trips(self->dp, 0, &r, got, &seen);
	return r;
}

static uint32_t take(FIXTURE_DATA(dp) *self, struct sl_dp_trip_reader *r)
{
	return sl_dp_take_trips(self->dp, 0, r, got, &seen);
}

static bool is_addr(const struct sl_trip *t, const char *text)
{
	struct in6_addr a = {};

	if (strchr(text, ':'))
		inet_pton(AF_INET6, text, &a);
	else
		inet_pton(AF_INET, text, &a.s6_addr[12]);
	if (!strchr(text, ':'))
		memset(&a.s6_addr[10], 0xff, 2);
	return !memcmp(&a, t->addr, sizeof(a));
}

/* A header with another hop limit than build.h's. */
static void ip4_hops(struct frame *f, const char *src, const char *dst,
		     unsigned int proto, unsigned int hops)
{
	unsigned int at = f->len;

	ip4(f, src, dst, proto, 0);
	f->b[at + 8] = hops;
}

static void ip6_hops(struct frame *f, const char *src, const char *dst,
		     unsigned int next, unsigned int hops)
{
	unsigned int at = f->len;

	ip6(f, src, dst, next);
	f->b[at + 7] = hops;
}

static void ping4(FIXTURE_DATA(dp) *self, uint64_t ms, int reply,
		  unsigned int seq, unsigned int hops)
{
	uint32_t verdict;

	self->now_ms = ms;
	eth(&self->f, 0x0800);
	ip4_hops(&self->f, reply ? FAR : HOME, reply ? HOME : FAR, 1, hops);
	echo(&self->f, reply ? 0 : 8, 7, seq);
	run(self, &verdict);
}

/* Round trips of 10 ms to FAR, n of them. */
static void many(FIXTURE_DATA(dp) *self, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		ping4(self, 1000 + 20 * i, 0, i, 64);
		ping4(self, 1010 + 20 * i, 1, i, 57);
	}
}

TEST_F(dp, an_answer_from_abroad_is_handed_over)
{
	struct sl_dp_trip_reader r = begin(self, 1);

	ping4(self, 1000, 0, 1, 64);
	ping4(self, 1036, 1, 1, 53);
	ASSERT_EQ(1, take(self, &r));
	EXPECT_EQ(1036000000, got[0].time_ns);
	EXPECT_EQ(SL_SERIES_KEY(1, 0, SL_M_ICMP, SL_HALF_FAR), got[0].key);
	EXPECT_EQ(36000000, got[0].rtt_ns);
	EXPECT_TRUE(is_addr(&got[0], FAR));
	EXPECT_EQ(1, got[0].every);
	EXPECT_EQ(53, got[0].hop_limit);
	EXPECT_EQ(SL_DIR_IN, got[0].dir);
	EXPECT_EQ(0, take(self, &r));
}

TEST_F(dp, nothing_is_handed_over_unasked)
{
	struct sl_dp_trip_reader r = begin(self, 0);

	many(self, 3);
	EXPECT_EQ(0, take(self, &r));
}

TEST_F(dp, an_ipv6_answer_has_its_hop_limit)
{
	struct sl_dp_trip_reader r = begin(self, 1);
	uint32_t verdict;
	int reply;

	for (reply = 0; reply < 2; reply++) {
		self->now_ms = 1000 + 44 * reply;
		eth(&self->f, 0x86dd);
		ip6_hops(&self->f, reply ? FAR6 : HOME6, reply ? HOME6 : FAR6,
			 58, reply ? 241 : 64);
		echo(&self->f, 128 + reply, 7, 1);
		run(self, &verdict);
	}
	ASSERT_EQ(1, take(self, &r));
	EXPECT_TRUE(is_addr(&got[0], FAR6));
	EXPECT_EQ(44000000, got[0].rtt_ns);
	EXPECT_EQ(241, got[0].hop_limit);
}

TEST_F(dp, what_home_answers_is_not_of_interest)
{
	struct sl_dp_trip_reader r = begin(self, 1);
	uint32_t verdict;

	eth(&self->f, 0x0800);
	ip4(&self->f, FAR, HOME, 6, 0);
	tcp(&self->f, 80, 1000, 10, 0, S, 0, 0);
	run(self, &verdict);
	eth(&self->f, 0x0800);
	ip4(&self->f, HOME, FAR, 6, 0);
	tcp(&self->f, 1000, 80, 50, 11, SA, 0, 0);
	run(self, &verdict);
	ASSERT_EQ(1, sl_dp_replay(self->dp)->n_samples);
	EXPECT_EQ(SL_HALF_NEAR, sl_dp_replay(self->dp)->sample[0].half);
	EXPECT_EQ(0, take(self, &r));
}

TEST_F(dp, of_a_tunnel_the_inner_header_counts)
{
	struct sl_dp_trip_reader r = begin(self, 1);
	uint32_t verdict;
	int reply;

	for (reply = 0; reply < 2; reply++) {
		self->now_ms = 1000 + 20 * reply;
		eth(&self->f, 0x86dd);
		ip6_hops(&self->f, reply ? "2001:db8:9::1" : "2001:db8:8::1",
			 reply ? "2001:db8:8::1" : "2001:db8:9::1", 47, 200);
		put32(&self->f, 0x00000800);	/* GRE */
		ip4_hops(&self->f, reply ? FAR : HOME, reply ? HOME : FAR, 1,
			 reply ? 118 : 64);
		echo(&self->f, reply ? 0 : 8, 7, 1);
		run(self, &verdict);
	}
	ASSERT_EQ(1, take(self, &r));
	EXPECT_TRUE(is_addr(&got[0], FAR));
	EXPECT_EQ(118, got[0].hop_limit);
}

/* Both ends of two QUIC flows whose spin bit turns every 20 ms: full round trips,
 * with one end home and with neither. */
static unsigned int spin(FIXTURE_DATA(dp) *self, const char *near,
			 const char *far)
{
	static const uint8_t initial[8] = { 0xc0, 0, 0, 0, 1, 8, 1, 2 };
	unsigned int i, full = 0, k;
	uint32_t verdict;

	for (i = 0; i < 60; i++) {
		int from_far = i & 1;

		self->now_ms = 1000 + 10 * i;
		eth(&self->f, 0x0800);
		ip4_hops(&self->f, from_far ? far : near,
			 from_far ? near : far, 17, from_far ? 50 : 64);
		udp(&self->f, from_far ? 443 : 5000, from_far ? 5000 : 443);
		if (i < 2) {
			put(&self->f, initial, sizeof(initial));
			payload(&self->f, 1200);
		} else {
			/* server reflects, client inverts */
			put8(&self->f, 0x40 | (((i + 2) / 2) & 1) << 5);
			payload(&self->f, 40);
		}
		run(self, &verdict);
		for (k = 0; k < sl_dp_replay(self->dp)->n_samples; k++)
			full += sl_dp_replay(self->dp)->sample[k].half ==
				SL_HALF_FULL;
	}
	return full;
}

TEST_F(dp, full_round_trips_name_the_far_end_where_it_is_known)
{
	unsigned int n, i, full = 0, in = 0;
	struct sl_dp_trip_reader r = begin(self, 1);

	ASSERT_LT(10, spin(self, HOME, FAR));
	n = take(self, &r);
	for (i = 0; i < n; i++) {
		if (SL_SERIES_HALF(got[i].key) != SL_HALF_FULL)
			continue;
		full++;
		in += got[i].dir == SL_DIR_IN;
		EXPECT_TRUE(is_addr(&got[i], FAR));
		EXPECT_EQ(got[i].dir == SL_DIR_IN ? 50 : 64, got[i].hop_limit);
	}
	EXPECT_LT(10, full);
	EXPECT_LT(5, in);
	EXPECT_LT(in, full);
	ASSERT_LT(10, spin(self, "192.0.2.1", "192.0.2.2"));
	EXPECT_EQ(0, take(self, &r));
}

TEST_F(dp, one_of_eight_stands_for_eight)
{
	struct sl_dp_trip_reader r = begin(self, 1);
	uint32_t i, n, weight = 0;

	many(self, 100);
	EXPECT_EQ(100, take(self, &r));
	EXPECT_EQ(100, seen);
	sl_dp_set_trips(self->dp, 8);
	many(self, 800);
	n = take(self, &r);
	for (i = 0; i < n; i++)
		weight += got[i].every;
	EXPECT_EQ(100, n);
	EXPECT_EQ(800, weight);
	EXPECT_EQ(800, seen);
	/* a gap that is too long for now is of another time */
	sl_dp_set_trips(self->dp, SL_TRIP_EVERY_MAX);
	many(self, 20);
	take(self, &r);
	sl_dp_set_trips(self->dp, 1);
	many(self, 20);
	EXPECT_EQ(20, take(self, &r));
}

TEST_F(dp, who_is_late_has_the_newest_and_learns_what_was_lost)
{
	struct sl_dp_trip_reader r = begin(self, 1);
	uint64_t first_ns = ~0ULL;
	uint32_t i, lost = 904;

	many(self, 5);
	ASSERT_EQ(5, take(self, &r));
	many(self, SL_TRIPS + lost);
	ASSERT_EQ(SL_TRIPS, take(self, &r));
	EXPECT_EQ(SL_TRIPS + lost, seen);
	for (i = 0; i < SL_TRIPS; i++)
		if (got[i].time_ns < first_ns)
			first_ns = got[i].time_ns;
	EXPECT_EQ((1010 + 20 * lost) * 1000000ULL, first_ns);
	many(self, 3);
	EXPECT_EQ(3, take(self, &r));
	EXPECT_EQ(3, seen);
}

TEST_F(dp, none_is_taken_twice)
{
	struct sl_dp_trip_reader r = begin(self, 1), late = r;

	many(self, 3);
	ASSERT_EQ(3, take(self, &r));
	EXPECT_EQ(0, take(self, &late));
	EXPECT_EQ(3, seen);
}

TEST_HARNESS_MAIN
