// SPDX-License-Identifier: GPL-2.0
/* tcp-seq, dns, stun, srt: conversations packet by packet, and the samples they give
 * (BPF_PROG_TEST_RUN). */
#include "loaded.h"

/* One TCP packet without time stamps at a time in ms; how many samples. */
static unsigned int seg(FIXTURE_DATA(dp) *self, uint64_t ms, int back,
			uint32_t seq, uint32_t ack, unsigned int flags,
			unsigned int len)
{
	uint32_t verdict;

	self->now_ms = ms;
	eth(&self->f, 0x0800);
	ip4(&self->f, back ? FAR : HOME, back ? HOME : FAR, 6, 0);
	tcp(&self->f, back ? 80 : 1000, back ? 1000 : 80, seq, ack, flags, 0,
	    0);
	payload(&self->f, len);
	run(self, &verdict);
	return sl_dp_replay(self->dp)->n_samples;
}

static const struct sl_sample *got(FIXTURE_DATA(dp) *self)
{
	return &sl_dp_replay(self->dp)->sample[0];
}

/* Handshake at 100 ms; home goes on with sequence 11, the far end with 51. */
static void open_flow(FIXTURE_DATA(dp) *self)
{
	seg(self, 100, 0, 10, 0, S, 0);
	seg(self, 136, 1, 50, 11, SA, 0);
	seg(self, 137, 0, 11, 51, A, 0);
}

TEST_F(dp, an_ack_of_exactly_the_end_answers_a_segment)
{
	open_flow(self);
	EXPECT_EQ(0, seg(self, 200, 0, 11, 51, PA, 100));
	EXPECT_EQ(1, seg(self, 236, 1, 51, 111, A, 0));
	EXPECT_EQ(SL_M_TCP_SEQ, got(self)->method);
	EXPECT_EQ(36000000, got(self)->rtt_ns);
	EXPECT_EQ(SL_HALF_FAR, got(self)->half);
	EXPECT_EQ(0, seg(self, 237, 1, 51, 111, A, 0));	/* once only */
}

TEST_F(dp, every_second_segment_acknowledged_gives_450_of_1000)
{
	unsigned int i, n = 0;
	uint32_t seq = 11;

	open_flow(self);
	for (i = 0; i < 1000; i++) {
		n += seg(self, 1000 + i * 40, 0, seq, 51, A, 1000);
		n += seg(self, 1001 + i * 40, 0, seq + 1000, 51, A, 1000);
		seq += 2000;
		if (seg(self, 1037 + i * 40, 1, 51, seq, A, 0) == 1) {
			n++;
			ASSERT_LT(got(self)->rtt_ns, 36001100);
			ASSERT_GE(got(self)->rtt_ns, 36000000);
		}
	}
	EXPECT_LT(450, n);
	EXPECT_GE(1000, n);
}

TEST_F(dp, what_is_sent_twice_gives_no_sample_and_what_is_new_does)
{
	struct sl_lane_miss m;

	open_flow(self);
	EXPECT_EQ(0, seg(self, 200, 0, 11, 51, PA, 100));
	EXPECT_EQ(0, seg(self, 400, 0, 11, 51, PA, 100));
	EXPECT_EQ(0, seg(self, 410, 0, 111, 51, PA, 100));
	EXPECT_EQ(0, seg(self, 436, 1, 51, 111, A, 0));
	EXPECT_EQ(1, seg(self, 446, 1, 51, 211, A, 0));
	EXPECT_EQ(36000000, got(self)->rtt_ns);
	sl_dp_read_miss(self->dp, 1, &m);
	EXPECT_EQ(1, m.n[SL_MISS_AMBIGUOUS]);
	EXPECT_EQ(0, seg(self, 500, 0, 211, 51, PA, 10));
	EXPECT_EQ(1, seg(self, 536, 1, 51, 221, A, 0));
}

TEST_F(dp, an_ack_of_new_data_and_of_data_sent_twice_is_no_sample)
{
	open_flow(self);
	EXPECT_EQ(0, seg(self, 150, 0, 11, 51, PA, 100));
	EXPECT_EQ(1, seg(self, 186, 1, 51, 111, A, 0));
	EXPECT_EQ(0, seg(self, 200, 0, 111, 51, PA, 100));	/* lost */
	EXPECT_EQ(0, seg(self, 201, 0, 211, 51, PA, 100));
	EXPECT_EQ(0, seg(self, 400, 0, 111, 51, PA, 100));
	EXPECT_EQ(0, seg(self, 401, 0, 311, 51, PA, 100));	/* new */
	EXPECT_EQ(0, seg(self, 437, 1, 51, 411, A, 0));		/* of both */
	EXPECT_EQ(0, seg(self, 500, 0, 411, 51, PA, 100));
	EXPECT_EQ(1, seg(self, 536, 1, 51, 511, A, 0));
}

TEST_F(dp, an_overtaken_segment_spoils_the_ack_that_covers_it)
{
	open_flow(self);
	EXPECT_EQ(0, seg(self, 150, 0, 11, 51, PA, 100));
	EXPECT_EQ(1, seg(self, 186, 1, 51, 111, A, 0));
	EXPECT_EQ(0, seg(self, 200, 0, 211, 51, PA, 100));
	EXPECT_EQ(0, seg(self, 201, 0, 111, 51, PA, 100));
	EXPECT_EQ(0, seg(self, 202, 0, 311, 51, PA, 100));
	EXPECT_EQ(0, seg(self, 236, 1, 51, 311, A, 0));
	EXPECT_EQ(1, seg(self, 238, 1, 51, 411, A, 0));
}

TEST_F(dp, nothing_is_stamped_past_an_open_gap)
{
	open_flow(self);
	EXPECT_EQ(0, seg(self, 200, 0, 11, 51, PA, 100));
	EXPECT_EQ(0, seg(self, 201, 0, 211, 51, PA, 100));	/* 111 lost */
	EXPECT_EQ(0, seg(self, 236, 1, 51, 111, A, 0));
	EXPECT_EQ(0, seg(self, 300, 0, 111, 51, PA, 100));
	EXPECT_EQ(0, seg(self, 336, 1, 51, 311, A, 0));
	EXPECT_EQ(0, seg(self, 400, 0, 311, 51, PA, 100));
	EXPECT_EQ(1, seg(self, 436, 1, 51, 411, A, 0));
}

TEST_F(dp, an_ack_that_passes_the_end_voids_the_stamp)
{
	open_flow(self);
	seg(self, 200, 0, 11, 51, PA, 100);
	seg(self, 201, 0, 111, 51, PA, 100);
	seg(self, 202, 0, 211, 51, PA, 100);
	EXPECT_EQ(0, seg(self, 240, 1, 51, 311, A, 0));
	EXPECT_EQ(0, seg(self, 300, 0, 311, 51, PA, 100));
	EXPECT_EQ(1, seg(self, 336, 1, 51, 411, A, 0));
}

TEST_F(dp, a_reset_answers_nothing)
{
	open_flow(self);
	seg(self, 200, 0, 11, 51, PA, 100);
	EXPECT_EQ(0, seg(self, 236, 1, 51, 111, R | A, 0));
	EXPECT_EQ(0, seg(self, 237, 1, 51, 111, A, 0));
}

TEST_F(dp, sequence_numbers_wrap)
{
	seg(self, 100, 0, 0xffffffb0, 0, S, 0);
	seg(self, 136, 1, 50, 0xffffffb1, SA, 0);
	seg(self, 137, 0, 0xffffffb1, 51, A, 0);
	EXPECT_EQ(0, seg(self, 200, 0, 0xffffffb1, 51, PA, 100));
	EXPECT_EQ(1, seg(self, 236, 1, 51, 21, A, 0));
	EXPECT_EQ(36000000, got(self)->rtt_ns);
}

/* A UDP packet with this payload. */
static unsigned int datagram(FIXTURE_DATA(dp) *self, uint64_t ms, int back,
			     unsigned int port, const void *data,
			     unsigned int len)
{
	uint32_t verdict;

	self->now_ms = ms;
	eth(&self->f, 0x0800);
	ip4(&self->f, back ? FAR : HOME, back ? HOME : FAR, 17, 0);
	udp(&self->f, back ? port : 5000, back ? 5000 : port);
	put(&self->f, data, len);
	run(self, &verdict);
	return sl_dp_replay(self->dp)->n_samples;
}

#define QUERY(id)	"\1" id "\1\0\0\1\0\0\0\0\0\0\3www\0\0\1\0\1", 21
#define REPLY(id)	"\1" id "\201\200\0\1\0\0\0\0\0\0\3www\0\0\1\0\1", 21
#define REPLY_OTHER(id)	"\1" id "\201\200\0\1\0\0\0\0\0\0\3ftp\0\0\1\0\1", 21

TEST_F(dp, dns_replies_answer_queries_even_side_by_side)
{
	EXPECT_EQ(0, datagram(self, 100, 0, 53, QUERY("a")));
	EXPECT_EQ(0, datagram(self, 101, 0, 53, QUERY("b")));
	EXPECT_EQ(0, datagram(self, 120, 1, 53, REPLY_OTHER("a")));
	EXPECT_EQ(1, datagram(self, 136, 1, 53, REPLY("a")));
	EXPECT_EQ(SL_M_DNS, got(self)->method);
	EXPECT_EQ(36000000, got(self)->rtt_ns);
	EXPECT_EQ(1, datagram(self, 138, 1, 53, REPLY("b")));
	EXPECT_EQ(37000000, got(self)->rtt_ns);
	EXPECT_EQ(0, datagram(self, 139, 1, 53, REPLY("b")));
	/* repeated while it waits */
	EXPECT_EQ(0, datagram(self, 200, 0, 53, QUERY("c")));
	EXPECT_EQ(0, datagram(self, 210, 0, 53, QUERY("c")));
	EXPECT_EQ(0, datagram(self, 236, 1, 53, REPLY("c")));
	/* too short, or on another port */
	EXPECT_EQ(0, datagram(self, 300, 0, 53, "\1d\1\0\0\1", 6));
	EXPECT_EQ(0, datagram(self, 400, 0, 54, QUERY("e")));
	EXPECT_EQ(0, datagram(self, 436, 1, 54, REPLY("e")));
}

#define STUN(type, id)	type "\0\0\x21\x12\xa4\x42" id "bcdefghijkl", 20

TEST_F(dp, stun_answers_are_found_by_transaction_on_any_port)
{
	EXPECT_EQ(0, datagram(self, 100, 0, 9999, STUN("\0\1", "a")));
	EXPECT_EQ(0, datagram(self, 110, 1, 9999, STUN("\1\1", "z")));
	EXPECT_EQ(1, datagram(self, 136, 1, 9999, STUN("\1\1", "a")));
	EXPECT_EQ(SL_M_STUN, got(self)->method);
	EXPECT_EQ(36000000, got(self)->rtt_ns);
	/* an error answers too; an indication neither asks nor answers */
	EXPECT_EQ(0, datagram(self, 200, 0, 9999, STUN("\0\1", "b")));
	EXPECT_EQ(1, datagram(self, 236, 1, 9999, STUN("\1\x11", "b")));
	EXPECT_EQ(0, datagram(self, 300, 0, 9999, STUN("\0\x11", "c")));
	EXPECT_EQ(0, datagram(self, 336, 1, 9999, STUN("\1\1", "c")));
	/* no cookie, no STUN */
	EXPECT_EQ(0, datagram(self, 400, 0, 9999,
			      "\0\1\0\0\x21\x12\xa4\x43" "dbcdefghijkl", 20));
	EXPECT_EQ(0, datagram(self, 436, 1, 9999,
			      "\1\1\0\0\x21\x12\xa4\x43" "dbcdefghijkl", 20));
}

TEST_F(dp, a_transaction_of_zeros_has_a_line_of_its_own)
{
	static const char zeros[] = "\0\1\0\0\x21\x12\xa4\x42\0\0\0\0\0\0\0\0\0\0\0\0";
	uint8_t initial[1200] = { 0xc3, 0, 0, 0, 1, 8 };

	datagram(self, 100, 1, 443, zeros, 20);
	datagram(self, 101, 1, 443, zeros, 20);
	EXPECT_EQ(0, datagram(self, 110, 0, 443, initial, 1200));
	EXPECT_EQ(1, datagram(self, 146, 1, 443, initial, 1200));
	EXPECT_EQ(SL_M_QUIC_HS, got(self)->method);
}

/* An SRT control packet: 16 bytes of header, then up to 64 for a handshake. */
static unsigned int srt(FIXTURE_DATA(dp) *self, uint64_t ms, int back,
			unsigned int type, uint32_t number)
{
	uint8_t b[64] = { 0x80, type, 0, 0, number >> 24, number >> 16,
			  number >> 8, number, [19] = type ? 0 : 5 };

	return datagram(self, ms, back, 9000, b, type == 6 ? 16 :
			type ? 20 : 64);
}

TEST_F(dp, srt_ackacks_answer_full_acks_of_a_known_flow)
{
	/* before the handshake it is nobody's */
	EXPECT_EQ(0, srt(self, 50, 1, 2, 1));
	EXPECT_EQ(0, srt(self, 60, 0, 6, 1));
	EXPECT_EQ(0, srt(self, 100, 0, 0, 0));
	EXPECT_EQ(0, srt(self, 136, 1, 0, 0));
	/* home sends, the far end acknowledges: near */
	EXPECT_EQ(0, srt(self, 200, 1, 2, 7));
	EXPECT_EQ(1, srt(self, 203, 0, 6, 7));
	EXPECT_EQ(SL_M_SRT, got(self)->method);
	EXPECT_EQ(SL_HALF_NEAR, got(self)->half);
	EXPECT_EQ(3000000, got(self)->rtt_ns);
	/* and the other way round: far */
	EXPECT_EQ(0, srt(self, 300, 0, 2, 9));
	EXPECT_EQ(1, srt(self, 336, 1, 6, 9));
	EXPECT_EQ(SL_HALF_FAR, got(self)->half);
	EXPECT_EQ(36000000, got(self)->rtt_ns);
	EXPECT_EQ(0, srt(self, 337, 1, 6, 9));
	/* light ACKs have no number */
	EXPECT_EQ(0, srt(self, 400, 1, 2, 0));
	EXPECT_EQ(0, srt(self, 403, 0, 6, 0));
	/* the stamped one was lost: a later number says so */
	EXPECT_EQ(0, srt(self, 500, 1, 2, 20));
	EXPECT_EQ(0, srt(self, 510, 1, 2, 21));
	EXPECT_EQ(0, srt(self, 513, 0, 6, 21));
	EXPECT_EQ(0, srt(self, 514, 0, 6, 20));
	EXPECT_EQ(0, srt(self, 520, 1, 2, 0xffffffff));
	EXPECT_EQ(1, srt(self, 523, 0, 6, 0xffffffff));
}

TEST_F(dp, queries_hold_no_line_that_a_flow_needs)
{
	uint8_t q[21];
	unsigned int i;

	for (i = 0; i < 20000; i++) {
		memcpy(q, "\1" "a\1\0\0\1\0\0\0\0\0\0\3www\0\0\1\0\1", 21);
		q[0] = i >> 8;
		q[1] = i;
		datagram(self, 100 + i / 100, 0, 53, q, 21);
		q[2] = 0x81;
		datagram(self, 100 + i / 100, 1, 53, q, 21);
	}
	open_flow(self);
	seg(self, 400, 0, 11, 51, PA, 100);
	EXPECT_EQ(1, seg(self, 436, 1, 51, 111, A, 0));
}

TEST_HARNESS_MAIN
