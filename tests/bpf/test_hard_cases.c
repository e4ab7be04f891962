// SPDX-License-Identifier: GPL-2.0
/* The cases that passive tools get wrong, by name (BPF_PROG_TEST_RUN). */
#include "loaded.h"

/* A packet says what matters of it; the rest is 0. */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

/* What one packet says; the rest is filled in by seg(). */
struct say {
	uint32_t seq, ack;
	unsigned int flags;
	uint32_t val, ecr;		/* time stamps; val 0: none */
	unsigned int len;		/* payload */
	unsigned int pad;		/* bytes behind the IP packet */
};

static unsigned int seg(FIXTURE_DATA(dp) *self, uint64_t ms, int back,
			struct say s)
{
	unsigned int k;
	uint32_t verdict;

	self->now_ms = ms;
	eth(&self->f, 0x0800);
	ip4(&self->f, back ? FAR : HOME, back ? HOME : FAR, 6, 0);
	tcp(&self->f, back ? 80 : 1000, back ? 1000 : 80, s.seq, s.ack,
	    s.flags, s.val, s.ecr);
	payload(&self->f, s.len);
	done(&self->f);			/* lengths first, then the padding */
	for (k = 0; k < s.pad; k++)
		put8(&self->f, 0);
	run(self, &verdict);
	return sl_dp_replay(self->dp)->n_samples;
}

#define OUT(ms, ...) seg(self, ms, 0, (struct say){ __VA_ARGS__ })
#define IN(ms, ...) seg(self, ms, 1, (struct say){ __VA_ARGS__ })
#define RTT_NS() sl_dp_replay(self->dp)->sample[0].rtt_ns

/* A download: home only acknowledges. Its ACKs come back in the data's TSecr,
 * whenever the server next has something to say. */
TEST_F(dp, a_stream_of_pure_acks_gives_no_sample_of_its_sender)
{
	unsigned int i, near = 0;

	OUT(100, 10, 0, S, 500, 0);
	IN(136, 50, 11, SA, 900, 500);
	OUT(137, 11, 51, A, 537, 900);
	for (i = 0; i < 50; i++) {
		/* the data shows the last ACK's TSval: not a far sample */
		EXPECT_EQ(0, IN(1000 + i * 300, 51 + i * 100, 11, PA,
				1000 + i * 300, 537 + i * 300, 100));
		near += OUT(1001 + i * 300, 11, 151 + i * 100, A,
			    837 + i * 300, 1000 + i * 300);
		EXPECT_EQ(SL_HALF_NEAR, sl_dp_replay(self->dp)->sample[0].half);
	}
	EXPECT_EQ(50, near);
}

/* Ethernet pads to 60 bytes: six of them behind an ACK are no payload. */
TEST_F(dp, a_padded_ack_is_an_ack)
{
	struct sl_lane_ctr c;

	OUT(100, 10, 0, S);
	IN(136, 50, 11, SA);
	OUT(137, 11, 51, A, .pad = 6);
	OUT(150, 11, 51, A, .pad = 6);
	EXPECT_EQ(0, IN(186, 51, 17, A));	/* of the padding, if it counted */
	sl_dp_read_lane(self->dp, 0, 1, &c);
	EXPECT_EQ(0, c.tcp_data[SL_DIR_OUT]);
	EXPECT_EQ(0, c.retrans[SL_DIR_OUT]);
}

TEST_F(dp, a_padded_ack_with_time_stamps_is_never_stamped)
{
	OUT(100, 10, 0, S, 500, 0);
	IN(136, 50, 11, SA, 900, 500);
	OUT(137, 11, 51, A, 537, 900, .pad = 8);
	EXPECT_EQ(0, IN(900, 51, 11, PA, 1700, 537, 10));
}

TEST_F(dp, a_syn_sent_again_gives_no_handshake)
{
	OUT(100, 10, 0, S, 500, 0);
	OUT(1100, 10, 0, S, 1500, 0);
	/* which of the two it answers its time stamp tells */
	EXPECT_EQ(0, IN(1136, 50, 11, SA));
}

TEST_F(dp, a_syn_ack_sent_again_gives_no_near_handshake)
{
	OUT(100, 10, 0, S);
	EXPECT_EQ(1, IN(136, 50, 11, SA));
	EXPECT_EQ(0, IN(1136, 50, 11, SA));
	EXPECT_EQ(0, OUT(1137, 11, 51, A));
}

TEST_F(dp, an_ecn_setup_is_a_handshake)
{
	EXPECT_EQ(0, OUT(100, 10, 0, S | 0xc0));	/* ECE and CWR */
	EXPECT_EQ(1, IN(136, 50, 11, SA | 0x40));
	EXPECT_EQ(1, OUT(138, 11, 51, A | 0x100));	/* AccECN's third bit */
}

TEST_F(dp, sequence_numbers_wrap_inside_a_segment)
{
	OUT(100, 0xffffff00, 0, S);
	IN(136, 50, 0xffffff01, SA);
	OUT(137, 0xffffff01, 51, A);
	EXPECT_EQ(0, OUT(200, 0xffffff01, 51, PA, .len = 1000));
	EXPECT_EQ(1, IN(236, 51, 0xffffff01 + 1000, A));
	EXPECT_EQ(0, OUT(300, 0xffffff01 + 1000, 51, PA, .len = 1000));
	EXPECT_EQ(1, IN(336, 51, 0xffffff01 + 2000, A));
}

TEST_F(dp, time_stamps_wrap_between_stamp_and_answer)
{
	OUT(100, 10, 0, S, 0xfffffff0, 0);
	EXPECT_EQ(2, IN(136, 50, 11, SA, 0xffffff00, 0xfffffff0));
	OUT(137, 11, 51, A, 0xfffffff8, 0xffffff00);
	EXPECT_EQ(0, OUT(140, 11, 51, PA, 0xffffffff, 0xffffff00, 100));
	EXPECT_EQ(1, IN(176, 51, 111, A, 0x10, 0xffffffff));
	EXPECT_EQ(0, OUT(180, 111, 51, PA, 0x28, 0x10, 100));
	EXPECT_EQ(1, IN(216, 51, 211, A, 0x38, 0x28));
}

/* The tap was plugged in late: no handshake, no options seen. */
TEST_F(dp, a_flow_that_is_joined_in_the_middle_is_measured)
{
	EXPECT_EQ(0, OUT(100, 5000, 900, PA, 700, 300, 100));
	EXPECT_EQ(1, IN(136, 900, 5100, A, 400, 700));
	EXPECT_EQ(36000000, RTT_NS());
}

TEST_F(dp, the_middle_of_a_flow_is_no_handshake)
{
	EXPECT_EQ(0, IN(100, 50, 11, A));
	EXPECT_EQ(0, OUT(101, 11, 51, A));
	EXPECT_EQ(0, OUT(200, 11, 51, PA, .len = 100));
	EXPECT_EQ(1, IN(236, 51, 111, A));
	EXPECT_EQ(SL_M_TCP_SEQ, sl_dp_replay(self->dp)->sample[0].method);
}

/* Asymmetric routing: only one direction passes here. */
TEST_F(dp, one_way_views_give_no_sample)
{
	unsigned int i, n = 0;

	n += OUT(100, 10, 0, S, 500, 0);
	for (i = 0; i < 100; i++)
		n += OUT(200 + i * 10, 11 + i * 100, 51 + i, PA, 600 + i * 10,
			 900 + i * 10, 100);
	EXPECT_EQ(0, n);
	for (i = 0; i < 100; i++)
		n += OUT(2000 + i * 10, 20011 + i * 100, 151 + i, PA,
			 .len = 100);
	EXPECT_EQ(0, n);
}

/* A mirror port that sends every frame twice, some us apart. */
TEST_F(dp, frames_that_the_hardware_doubles_give_no_wrong_sample)
{
	unsigned int i, n = 0;

	/* time stamps: the first copy of each counts, and only that */
	OUT(100, 10, 0, S, 500, 0);
	OUT(100, 10, 0, S, 500, 0);
	n = IN(136, 50, 11, SA, 900, 500);
	EXPECT_EQ(1, n);		/* tcp-ts; the SYN was seen twice */
	EXPECT_EQ(0, IN(136, 50, 11, SA, 900, 500));
	OUT(137, 11, 51, A, 537, 900);
	OUT(137, 11, 51, A, 537, 900);
	for (i = 0; i < 10; i++) {
		OUT(200 + i * 100, 11 + i * 10, 51, PA, 600 + i * 100, 900, 10);
		OUT(200 + i * 100, 11 + i * 10, 51, PA, 600 + i * 100, 900, 10);
		EXPECT_EQ(1, IN(236 + i * 100, 51, 21 + i * 10, A,
				1000 + i * 100, 600 + i * 100));
		EXPECT_EQ(36000000, RTT_NS());
		EXPECT_EQ(0, IN(236 + i * 100, 51, 21 + i * 10, A,
				1000 + i * 100, 600 + i * 100));
	}
}

TEST_F(dp, frames_doubled_without_time_stamps_are_left_alone)
{
	unsigned int i, n = 0;

	OUT(100, 10, 0, S);
	IN(136, 50, 11, SA);
	OUT(137, 11, 51, A);
	for (i = 0; i < 10; i++) {
		n += OUT(200 + i * 100, 11 + i * 10, 51, PA, .len = 10);
		n += OUT(200 + i * 100, 11 + i * 10, 51, PA, .len = 10);
		n += IN(236 + i * 100, 51, 21 + i * 10, A);
		n += IN(236 + i * 100, 51, 21 + i * 10, A);
	}
	EXPECT_EQ(0, n);
}

TEST_F(dp, a_clock_that_steps_gives_no_absurd_sample)
{
	struct sl_lane_miss m;

	/* back by ten seconds, and by an hour, between stamp and answer */
	OUT(4000000, 10, 0, S, 500, 0);
	EXPECT_EQ(0, IN(3990000, 50, 11, SA, 900, 500));
	OUT(4000000, 5000, 0, S, 50500, 0);
	EXPECT_EQ(0, IN(400000, 60, 5001, SA, 90900, 50500));
	/* forward by an hour */
	OUT(500000, 7000, 0, S, 100500, 0);
	EXPECT_EQ(0, IN(4100000, 9000, 7001, SA, 900, 100500));
	/* and what comes after it is measured */
	OUT(4200000, 7777, 0, S, 200500, 0);
	EXPECT_EQ(2, IN(4200036, 8888, 7778, SA, 1000, 200500));
	EXPECT_EQ(36000000, RTT_NS());
	sl_dp_read_miss(self->dp, 1, &m);
	EXPECT_LE(1, m.n[SL_MISS_CLOCK_BACK]);
}

/* Somebody wraps what the far end might have said into a tunnel to us, which needs
 * no spoofed address: it is not of the plain flow. */
TEST_F(dp, what_comes_in_a_tunnel_answers_no_plain_flow)
{
	uint32_t verdict;
	int kind;

	OUT(100, 10, 0, S, 500, 0);
	IN(200, 50, 11, SA, 900, 500);
	OUT(201, 11, 51, A, 537, 900);
	OUT(300, 11, 51, PA, 700, 900, 100);
	for (kind = 0; kind < 2; kind++) {
		self->now_ms = 301 + kind;
		eth(&self->f, 0x0800);
		ip4(&self->f, "192.0.2.66", HOME, kind ? 17 : 4, 0);
		if (kind) {		/* VXLAN, VNI 0 */
			udp(&self->f, 4000, 4789);
			put32(&self->f, 0x08000000);
			put32(&self->f, 0);
			eth(&self->f, 0x0800);
		}
		ip4(&self->f, FAR, HOME, 6, 0);
		tcp(&self->f, 80, 1000, 51, 111, A, 901, 700);
		run(self, &verdict);
		EXPECT_EQ(0, sl_dp_replay(self->dp)->n_samples);
	}
	EXPECT_EQ(1, IN(400, 51, 111, A, 1000, 700));
	EXPECT_EQ(100000000, RTT_NS());
}

TEST_F(dp, a_segment_sent_again_after_the_flow_was_forgotten_is_not_new)
{
	OUT(100, 10, 0, S);
	IN(136, 50, 11, SA);
	OUT(137, 11, 51, A);
	OUT(200, 11, 51, PA, .len = 100);
	EXPECT_EQ(0, OUT(301200, 11, 51, PA, .len = 100));
	EXPECT_EQ(0, IN(301205, 51, 111, A));
}

/* A port pair used again while the first connection's packets are still late. */
TEST_F(dp, a_late_packet_of_the_old_connection_answers_nothing)
{
	OUT(100, 10, 0, S, 500, 0);
	IN(136, 50, 11, SA, 900, 500);
	OUT(137, 11, 51, A, 537, 900);
	OUT(5000, 900000, 0, S, 5400, 0);
	EXPECT_EQ(0, IN(5010, 51, 11, A, 950, 537));
	EXPECT_EQ(2, IN(5036, 700, 900001, SA, 5800, 5400));
	EXPECT_EQ(36000000, RTT_NS());
}

TEST_HARNESS_MAIN
