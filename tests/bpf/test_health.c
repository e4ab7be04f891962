// SPDX-License-Identifier: GPL-2.0
/* TCP health by lane and direction; what is kept of a flow's table: evictions
 * with the stamps that went, and the last samples by address. */
#include <stdlib.h>
#include "loaded.h"

/* One TCP packet; window 0 closes it. */
static unsigned int seg(FIXTURE_DATA(dp) *self, uint64_t ms, int back,
			uint32_t seq, unsigned int flags, uint32_t val,
			unsigned int window, unsigned int len)
{
	unsigned int start;
	uint32_t verdict;

	self->now_ms = ms;
	eth(&self->f, 0x0800);
	ip4(&self->f, back ? FAR : HOME, back ? HOME : FAR, 6, 0);
	start = self->f.len;
	tcp(&self->f, back ? 80 : 1000, back ? 1000 : 80, seq, 11, flags, val,
	    1);
	self->f.b[start + 14] = window >> 8;
	self->f.b[start + 15] = window;
	payload(&self->f, len);
	return run(self, &verdict);
}

static struct sl_lane_tcp health(FIXTURE_DATA(dp) *self)
{
	struct sl_lane_tcp h;

	sl_dp_read_tcp(self->dp, 1, &h);
	return h;
}

TEST_F(dp, syns_and_their_answers_are_counted_once)
{
	struct sl_lane_tcp h;

	seg(self, 100, 0, 10, S, 0, 9, 0);
	seg(self, 1100, 0, 10, S, 0, 9, 0);	/* a copy */
	h = health(self);
	EXPECT_EQ(1, h.syn[SL_DIR_OUT]);
	EXPECT_EQ(0, h.syn_answered[SL_DIR_OUT]);
	seg(self, 1136, 1, 50, SA, 0, 9, 0);
	seg(self, 1137, 1, 50, SA, 0, 9, 0);	/* a copy */
	h = health(self);
	EXPECT_EQ(1, h.syn[SL_DIR_OUT]);
	EXPECT_EQ(1, h.syn_answered[SL_DIR_OUT]);
	EXPECT_EQ(0, h.syn[SL_DIR_IN]);
	EXPECT_EQ(0, h.syn_answered[SL_DIR_IN]);
}

TEST_F(dp, a_copy_of_a_syn_after_its_answer_is_no_second_one)
{
	seg(self, 100, 0, 10, S, 0, 9, 0);
	seg(self, 136, 1, 50, SA, 0, 9, 0);
	seg(self, 137, 0, 10, S, 0, 9, 0);
	EXPECT_EQ(1, health(self).syn[SL_DIR_OUT]);
	EXPECT_EQ(1, health(self).syn_answered[SL_DIR_OUT]);
}

TEST_F(dp, resets_and_closed_windows_have_their_direction)
{
	struct sl_lane_tcp h;

	seg(self, 100, 0, 10, S, 0, 9, 0);
	seg(self, 136, 1, 50, SA, 0, 9, 0);
	seg(self, 137, 0, 11, A, 0, 9, 0);
	seg(self, 140, 1, 51, A, 0, 0, 0);
	seg(self, 141, 1, 51, A, 0, 1, 0);
	seg(self, 150, 0, 11, R, 0, 0, 0);
	seg(self, 151, 1, 51, R | A, 0, 0, 0);
	seg(self, 152, 1, 51, R | A, 0, 5, 0);
	h = health(self);
	EXPECT_EQ(0, h.zero_window[SL_DIR_OUT]);
	EXPECT_EQ(1, h.zero_window[SL_DIR_IN]);
	EXPECT_EQ(1, h.reset[SL_DIR_OUT]);
	EXPECT_EQ(2, h.reset[SL_DIR_IN]);
}

TEST_F(dp, overtaken_and_sent_twice_are_told_apart_by_time_stamps)
{
	struct sl_lane_tcp h;
	struct sl_lane_ctr c;

	seg(self, 100, 0, 10, S, 500, 9, 0);
	seg(self, 140, 0, 11, PA, 540, 9, 100);
	seg(self, 145, 0, 211, PA, 545, 9, 100);
	seg(self, 146, 0, 111, PA, 541, 9, 100);	/* overtaken */
	seg(self, 400, 0, 11, PA, 800, 9, 100);		/* sent twice */
	h = health(self);
	sl_dp_read_lane(self->dp, 0, 1, &c);
	EXPECT_EQ(1, h.reordered[SL_DIR_OUT]);
	EXPECT_EQ(0, h.reordered[SL_DIR_IN]);
	EXPECT_EQ(1, c.retrans[SL_DIR_OUT]);
	EXPECT_EQ(4, c.tcp_data[SL_DIR_OUT]);
}

static uint64_t lost_of(const struct sl_lane_lost *l, int in)
{
	uint64_t sum = 0;
	int i;

	for (i = 0; i < SL_LOST_BUCKETS; i++)
		sum += l->n[in][i];
	return sum;
}

/* SYNs that nothing answers, one every ms from ports that all differ. */
static void flood(FIXTURE_DATA(dp) *self, uint64_t from_ms, unsigned int n,
		  unsigned int per_ms)
{
	char src[32];
	uint32_t verdict;
	unsigned int i;

	for (i = 0; i < n; i++) {
		self->now_ms = from_ms + i / per_ms;
		snprintf(src, sizeof(src), "203.0.113.%u", i % 50);
		eth(&self->f, 0x0800);
		ip4(&self->f, src, HOME, 6, 0);
		tcp(&self->f, 2000 + i / 50, 443, i, 0, S, 0, 0);
		run(self, &verdict);
	}
}

TEST_F(dp, stamps_that_go_with_their_flow_are_counted_by_their_age)
{
	struct sl_lane_lost l;
	struct sl_lane_miss m;
	uint64_t around = 0;
	unsigned int i;

	/* 1024 lines, 8 new flows a ms: each lives for some 128 ms */
	flood(self, 1000, 8000, 8);
	sl_dp_read_lost(self->dp, 1, &l);
	sl_dp_read_miss(self->dp, 1, &m);
	EXPECT_LT(6000, m.n[SL_MISS_EVICTED]);
	/* the SYNs came from abroad: their answers would have been near */
	EXPECT_EQ(0, lost_of(&l, 0));
	EXPECT_EQ(m.n[SL_MISS_EVICTED], lost_of(&l, 1));
	for (i = sl_lost_bucket(64); i <= sl_lost_bucket(255); i++)
		around += l.n[1][i];
	EXPECT_LT(6000 * 8 / 10, around);
}

TEST_F(dp, a_spoofed_flood_that_is_answered_confirms_nothing)
{
	struct sl_lane_miss m;
	uint32_t verdict;
	unsigned int i;

	for (i = 0; i < 5000; i++) {
		self->now_ms = 1000 + i;
		eth(&self->f, 0x0800);
		ip4(&self->f, FAR, HOME, 6, 0);
		tcp(&self->f, 1024 + i, 443, i, 0, S, 0, 0);
		run(self, &verdict);
		eth(&self->f, 0x0800);
		ip4(&self->f, HOME, FAR, 6, 0);
		tcp(&self->f, 443, 1024 + i, 7, i + 1, SA, 0, 0);
		run(self, &verdict);
	}
	sl_dp_read_miss(self->dp, 1, &m);
	EXPECT_EQ(0, m.n[SL_MISS_REFUSED]);
	EXPECT_LT(3500, m.n[SL_MISS_EVICTED]);
}

TEST_F(dp, the_last_samples_of_an_address_are_kept)
{
	static const uint8_t far[4] = { 203, 0, 113, 5 };
	static const uint8_t other[4] = { 203, 0, 113, 6 };
	struct sl_recent r;

	EXPECT_FALSE(sl_dp_read_recent(self->dp, 4, far, &r));
	seg(self, 100, 0, 10, S, 0, 9, 0);
	seg(self, 136, 1, 50, SA, 0, 9, 0);
	ASSERT_TRUE(sl_dp_read_recent(self->dp, 4, far, &r));
	EXPECT_EQ(36000000, SL_RECENT_RTT_NS(r.s[0].what));
	EXPECT_EQ(136000000, r.s[0].time_ns);
	EXPECT_EQ(SL_M_TCP_HS, SL_RECENT_METHOD(r.s[0].what));
	EXPECT_EQ(SL_HALF_FAR, SL_RECENT_HALF(r.s[0].what));
	EXPECT_EQ(1, r.s[0].lane);
	EXPECT_EQ(0, r.s[0].tunnel);
	EXPECT_EQ(0, r.s[1].time_ns);
	EXPECT_FALSE(sl_dp_read_recent(self->dp, 4, other, &r));
}

TEST_F(dp, the_tunnel_of_the_last_sample_is_kept)
{
	static const uint8_t far[4] = { 203, 0, 113, 5 };
	struct sl_recent r;
	uint32_t verdict;
	int back;

	for (back = 0; back < 2; back++) {
		self->now_ms = 100 + back * 36;
		eth(&self->f, 0x0800);
		ip4(&self->f, "192.0.2.1", "192.0.2.2", 47, 0);
		put32(&self->f, 0x20000800);	/* GRE with a key */
		put32(&self->f, 4711);
		ip4(&self->f, back ? FAR : HOME, back ? HOME : FAR, 1, 0);
		echo(&self->f, back ? 0 : 8, 1, 1);
		run(self, &verdict);
	}
	ASSERT_EQ(1, sl_dp_replay(self->dp)->n_samples);
	ASSERT_TRUE(sl_dp_read_recent(self->dp, 4, far, &r));
	EXPECT_EQ(4711, r.s[0].tunnel);
	EXPECT_EQ(SL_M_ICMP, SL_RECENT_METHOD(r.s[0].what));
}

TEST_F(dp, a_header_that_ends_early_is_missed_by_its_lane)
{
	struct sl_lane_miss m;
	uint32_t verdict;

	eth(&self->f, 0x0800);
	ip4(&self->f, HOME, FAR, 6, 0);
	put32(&self->f, 0x03e80050);	/* ports, and no more */
	EXPECT_EQ(SL_R_TRUNCATED, run(self, &verdict));
	sl_dp_read_miss(self->dp, 1, &m);
	EXPECT_EQ(1, m.n[SL_MISS_TRUNCATED]);
}

TEST_HARNESS_MAIN
