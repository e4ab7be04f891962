// SPDX-License-Identifier: GPL-2.0
/* Conversations through the loaded program: which packets stamp, which answer,
 * and which must give no sample. */
#include "loaded.h"

static const struct sl_replay *out(FIXTURE_DATA(dp) *self, uint64_t ms,
				   uint32_t seq, uint32_t ack, unsigned int fl,
				   uint32_t val, uint32_t ecr, unsigned int n)
{
	uint32_t verdict;

	self->now_ms = ms;
	eth(&self->f, 0x0800);
	ip4(&self->f, HOME, FAR, 6, 0);
	tcp(&self->f, 1000, 80, seq, ack, fl, val, ecr);
	payload(&self->f, n);
	run(self, &verdict);
	return sl_dp_replay(self->dp);
}

static const struct sl_replay *in(FIXTURE_DATA(dp) *self, uint64_t ms,
				  uint32_t seq, uint32_t ack, unsigned int fl,
				  uint32_t val, uint32_t ecr, unsigned int n)
{
	uint32_t verdict;

	self->now_ms = ms;
	eth(&self->f, 0x0800);
	ip4(&self->f, FAR, HOME, 6, 0);
	tcp(&self->f, 80, 1000, seq, ack, fl, val, ecr);
	payload(&self->f, n);
	run(self, &verdict);
	return sl_dp_replay(self->dp);
}

#define NO_SAMPLE(call) EXPECT_EQ(0, (call)->n_samples)

TEST_F(dp, a_handshake_gives_far_and_near)
{
	const struct sl_replay *r;

	NO_SAMPLE(out(self, 100, 10, 0, S, 0, 0, 0));
	r = in(self, 136, 50, 11, SA, 0, 0, 0);
	ASSERT_EQ(1, r->n_samples);
	EXPECT_EQ(SL_M_TCP_HS, r->sample[0].method);
	EXPECT_EQ(SL_HALF_FAR, r->sample[0].half);
	EXPECT_EQ(36000000, r->sample[0].rtt_ns);
	EXPECT_EQ(1, r->sample[0].lane);
	EXPECT_EQ(1000, r->sample[0].sport);
	EXPECT_EQ(80, r->sample[0].dport);
	r = out(self, 138, 11, 51, A, 0, 0, 0);
	ASSERT_EQ(1, r->n_samples);
	EXPECT_EQ(SL_HALF_NEAR, r->sample[0].half);
	EXPECT_EQ(2000000, r->sample[0].rtt_ns);
	NO_SAMPLE(out(self, 139, 11, 51, A, 0, 0, 0));
}

TEST_F(dp, a_repeated_syn_is_ambiguous)
{
	struct sl_lane_miss m;

	NO_SAMPLE(out(self, 100, 10, 0, S, 0, 0, 0));
	NO_SAMPLE(out(self, 1100, 10, 0, S, 0, 0, 0));
	NO_SAMPLE(in(self, 1136, 50, 11, SA, 0, 0, 0));
	sl_dp_read_miss(self->dp, 1, &m);
	EXPECT_EQ(1, m.n[SL_MISS_AMBIGUOUS]);
}

TEST_F(dp, an_ecn_syn_is_a_syn)
{
	NO_SAMPLE(out(self, 100, 10, 0, S | 0xc0, 0, 0, 0));
	EXPECT_EQ(1, in(self, 136, 50, 11, SA | 0x40, 0, 0, 0)->n_samples);
}

TEST_F(dp, a_syn_ack_of_something_else_answers_nothing)
{
	NO_SAMPLE(out(self, 100, 10, 0, S, 0, 0, 0));
	NO_SAMPLE(in(self, 136, 50, 999, SA, 0, 0, 0));
}

TEST_F(dp, a_new_connection_on_old_ports_starts_anew)
{
	out(self, 100, 10, 0, S, 500, 0, 0);
	in(self, 136, 50, 11, SA, 900, 500, 0);
	out(self, 137, 11, 51, A, 501, 900, 0);
	NO_SAMPLE(out(self, 5000, 7000, 0, S, 20, 0, 0));
	EXPECT_EQ(2, in(self, 5036, 8000, 7001, SA, 30, 20, 0)->n_samples);
}

TEST_F(dp, payload_is_answered_by_its_time_stamp)
{
	const struct sl_replay *r;

	out(self, 100, 10, 0, S, 500, 0, 0);
	EXPECT_EQ(2, in(self, 136, 50, 11, SA, 900, 500, 0)->n_samples);
	EXPECT_EQ(2, out(self, 137, 11, 51, A, 537, 900, 0)->n_samples);
	NO_SAMPLE(out(self, 140, 11, 51, PA, 540, 900, 100));
	NO_SAMPLE(out(self, 141, 111, 51, PA, 541, 900, 100));
	r = in(self, 176, 51, 111, A, 940, 540, 0);
	ASSERT_EQ(1, r->n_samples);
	EXPECT_EQ(SL_M_TCP_TS, r->sample[0].method);
	EXPECT_EQ(36000000, r->sample[0].rtt_ns);
	NO_SAMPLE(in(self, 177, 51, 211, A, 941, 541, 0));
}

TEST_F(dp, pure_acks_are_never_stamped)
{
	out(self, 100, 10, 0, S, 500, 0, 0);
	in(self, 136, 50, 11, SA, 900, 500, 0);
	out(self, 137, 11, 51, A, 537, 900, 0);
	NO_SAMPLE(in(self, 300, 51, 11, PA, 1064, 537, 50));
}

TEST_F(dp, a_newer_echo_voids_the_stamp)
{
	struct sl_lane_miss m;

	out(self, 100, 10, 0, S, 500, 0, 0);
	in(self, 136, 50, 11, SA, 900, 500, 0);
	out(self, 140, 11, 51, PA, 540, 900, 100);
	NO_SAMPLE(in(self, 190, 51, 211, A, 954, 550, 0));
	NO_SAMPLE(in(self, 191, 51, 211, A, 955, 540, 0));
	sl_dp_read_miss(self->dp, 1, &m);
	EXPECT_EQ(1, m.n[SL_MISS_VOIDED]);
}

TEST_F(dp, time_stamps_wrap)
{
	out(self, 100, 10, 0, S, 0xffffff00, 0, 0);
	in(self, 136, 50, 11, SA, 900, 0xffffff00, 0);
	out(self, 137, 11, 51, A, 0xffffff25, 900, 0);
	NO_SAMPLE(out(self, 140, 11, 51, PA, 5, 900, 100));
	EXPECT_EQ(1, in(self, 176, 51, 111, A, 940, 5, 0)->n_samples);
}

TEST_F(dp, a_clock_that_steps_back_gives_no_sample)
{
	struct sl_lane_miss m;

	out(self, 5000, 10, 0, S, 0, 0, 0);
	NO_SAMPLE(in(self, 4000, 50, 11, SA, 0, 0, 0));
	sl_dp_read_miss(self->dp, 1, &m);
	EXPECT_EQ(1, m.n[SL_MISS_CLOCK_BACK]);
}

TEST_F(dp, an_answer_after_a_minute_is_no_sample)
{
	out(self, 1000, 10, 0, S, 0, 0, 0);
	NO_SAMPLE(in(self, 62000, 50, 11, SA, 0, 0, 0));
}

TEST_F(dp, retransmissions_are_counted_and_keepalives_are_not)
{
	struct sl_lane_ctr c;

	out(self, 100, 10, 0, S, 0, 0, 0);
	out(self, 140, 11, 51, PA, 0, 0, 100);
	out(self, 141, 111, 51, PA, 0, 0, 100);
	out(self, 400, 11, 51, PA, 0, 0, 100);
	out(self, 900, 210, 51, A, 0, 0, 1);
	sl_dp_read_lane(self->dp, 0, 1, &c);
	EXPECT_EQ(4, c.tcp_data[SL_DIR_OUT]);
	EXPECT_EQ(1, c.retrans[SL_DIR_OUT]);
	EXPECT_EQ(5, c.packets[SL_DIR_OUT]);
}

static unsigned int ping(FIXTURE_DATA(dp) *self, uint64_t ms, int reply,
			 unsigned int seq)
{
	uint32_t verdict;

	self->now_ms = ms;
	eth(&self->f, 0x86dd);
	ip6(&self->f, reply ? FAR6 : HOME6, reply ? HOME6 : FAR6, 58);
	echo(&self->f, reply ? 129 : 128, 7, seq);
	run(self, &verdict);
	return sl_dp_replay(self->dp)->n_samples;
}

TEST_F(dp, echo_replies_answer_requests)
{
	EXPECT_EQ(0, ping(self, 100, 0, 1));
	EXPECT_EQ(1, ping(self, 136, 1, 1));
	EXPECT_EQ(36000000, sl_dp_replay(self->dp)->sample[0].rtt_ns);
	EXPECT_EQ(0, ping(self, 137, 1, 1));
	/* repeated while it waits */
	EXPECT_EQ(0, ping(self, 200, 0, 2));
	EXPECT_EQ(0, ping(self, 210, 0, 2));
	EXPECT_EQ(0, ping(self, 236, 1, 2));
	/* lost, and the next one answered */
	EXPECT_EQ(0, ping(self, 300, 0, 3));
	EXPECT_EQ(0, ping(self, 400, 0, 4));
	EXPECT_EQ(0, ping(self, 436, 1, 4));
	EXPECT_EQ(0, ping(self, 500, 0, 5));
	EXPECT_EQ(1, ping(self, 536, 1, 5));
}

TEST_F(dp, new_flows_never_push_out_confirmed_ones)
{
	struct sl_lane_miss m;
	uint32_t verdict, i;
	char src[32];

	out(self, 100, 10, 0, S, 500, 0, 0);
	in(self, 136, 50, 11, SA, 900, 500, 0);
	out(self, 137, 11, 51, A, 537, 900, 0);
	in(self, 138, 51, 11, A, 901, 537, 0);
	for (i = 0; i < 20000; i++) {
		snprintf(src, sizeof(src), "203.0.113.%u", i % 50);
		eth(&self->f, 0x0800);
		ip4(&self->f, src, HOME, 6, 0);
		tcp(&self->f, 2000 + i / 50, 443, i, 0, S, 0, 0);
		run(self, &verdict);
	}
	sl_dp_read_miss(self->dp, 1, &m);
	EXPECT_LT(15000, m.n[SL_MISS_EVICTED]);
	out(self, 140, 11, 51, PA, 540, 900, 100);
	EXPECT_EQ(1, in(self, 176, 51, 111, A, 940, 540, 0)->n_samples);
}

/* A flow that grows old leaves its line to nobody and takes the next; a clock
 * that then steps back must not give such lines their flows again. */
TEST_F(dp, lines_of_nobody_are_free_whatever_the_clock_says)
{
	uint64_t ms = 1000000;
	int i;

	for (i = 0; i < SL_FLOW_WAYS; i++, ms += 400000) {
		out(self, ms, 10, 0, S, 500, 0, 0);
		in(self, ms + 36, 50, 11, SA, 900, 500, 0);
	}
	EXPECT_EQ(SL_R_UNTRACKED, out(self, ms, 11, 51, R, 0, 0, 0)->reason);
	EXPECT_EQ(SL_R_TRACKED, out(self, 1000000, 10, 0, S, 500, 0, 0)->reason);
}

TEST_F(dp, histograms_hold_what_the_samples_say)
{
	struct sl_hist h;
	uint64_t key = SL_SERIES_KEY(1, 0, SL_M_ICMP, SL_HALF_FAR);
	uint32_t slot;
	int i;

	for (i = 0; i < 100; i++) {
		ping(self, 1000 + i * 100, 0, i);
		ping(self, 1040 + i * 100, 1, i);
	}
	for (slot = 0; slot < 64; slot++)
		if (sl_dp_series_key(self->dp, slot) == key)
			break;
	ASSERT_LT(slot, 64);
	ASSERT_TRUE(sl_dp_read_series(self->dp, slot, &h));
	EXPECT_EQ(100, h.count);
	EXPECT_EQ(4000000000ULL, h.sum_ns);
	EXPECT_EQ(40000000, h.min_ns);
	EXPECT_EQ(40000000, h.max_ns);
	EXPECT_FALSE(sl_dp_read_series(self->dp, slot, &h));
}

TEST_F(dp, a_dropped_packet_neither_stamps_nor_answers)
{
	uint32_t verdict;

	eth(&self->f, 0x0800);
	ip4(&self->f, HOME, "203.0.113.66", 6, 0);
	tcp(&self->f, 1000, 80, 1, 0, S, 5, 0);
	EXPECT_EQ(SL_R_DROP_BLOCK, run(self, &verdict));
	eth(&self->f, 0x0800);
	ip4(&self->f, "203.0.113.66", HOME, 6, 0);
	tcp(&self->f, 80, 1000, 5, 2, SA, 6, 5);
	EXPECT_EQ(SL_R_DROP_BLOCK, run(self, &verdict));
	EXPECT_EQ(0, sl_dp_replay(self->dp)->n_samples);
}

TEST_HARNESS_MAIN
