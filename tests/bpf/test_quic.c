// SPDX-License-Identifier: GPL-2.0
/* quic-hs and quic-spin: conversations packet by packet, and the samples they
 * give (BPF_PROG_TEST_RUN). */
#include "loaded.h"

#define INITIAL		0xc0
#define ZERO_RTT	0xd0
#define HANDSHAKE	0xe0
#define RETRY		0xf0
#define V1		0x00000001
#define V2		0x6b3343cf
#define DRAFT29		0xff00001d
#define GREASED		0x1a2a3a4a

/* A datagram with this first byte and version; len: of its payload. */
static unsigned int quic(FIXTURE_DATA(dp) *self, uint64_t ms, int back,
			 unsigned int first, uint32_t version, unsigned int len)
{
	uint32_t verdict;

	self->now_ms = ms;
	eth(&self->f, 0x0800);
	ip4(&self->f, back ? FAR : HOME, back ? HOME : FAR, 17, 0);
	udp(&self->f, back ? 443 : 5000, back ? 5000 : 443);
	put8(&self->f, first);
	put32(&self->f, version);
	payload(&self->f, len - 5);
	run(self, &verdict);
	return sl_dp_replay(self->dp)->n_samples;
}

static const struct sl_sample *got(FIXTURE_DATA(dp) *self)
{
	return &sl_dp_replay(self->dp)->sample[0];
}

static uint64_t missed(FIXTURE_DATA(dp) *self, enum sl_miss why)
{
	struct sl_lane_miss m;

	sl_dp_read_miss(self->dp, 1, &m);
	return m.n[why];
}

TEST_F(dp, a_quic_handshake_is_measured_in_every_version)
{
	static const struct {
		uint32_t version;
		unsigned int first, answer;
	} v[] = { { V1, INITIAL, HANDSHAKE }, { V2, 0xd0, 0xf0 },
		  { DRAFT29, INITIAL, INITIAL }, { V1, ZERO_RTT, HANDSHAKE },
		  { 0xfaceb002, INITIAL, HANDSHAKE } };
	unsigned int i;

	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		uint64_t t = (i + 1) * 1000000;		/* the last one expired */

		EXPECT_EQ(0, quic(self, t, 0, v[i].first, v[i].version, 1200));
		ASSERT_EQ(1, quic(self, t + 36, 1, v[i].answer, v[i].version,
				  1200)) {
			TH_LOG("version %x", v[i].version);
		}
		EXPECT_EQ(SL_M_QUIC_HS, got(self)->method);
		EXPECT_EQ(SL_HALF_FAR, got(self)->half);
		EXPECT_EQ(36000000, got(self)->rtt_ns);
		EXPECT_EQ(5000, got(self)->sport);
		EXPECT_EQ(443, got(self)->dport);
		/* the rest of the handshake answers nothing */
		EXPECT_EQ(0, quic(self, t + 37, 1, HANDSHAKE, v[i].version,
				  1200));
		EXPECT_EQ(0, quic(self, t + 38, 0, HANDSHAKE, v[i].version,
				  100));
		EXPECT_EQ(0, quic(self, t + 75, 1, HANDSHAKE, v[i].version,
				  1200));
	}
}

TEST_F(dp, a_first_flight_in_several_datagrams_is_one_packet)
{
	quic(self, 1000, 0, INITIAL, V1, 1200);
	quic(self, 1001, 0, INITIAL, V1, 1250);
	EXPECT_EQ(1, quic(self, 1036, 1, INITIAL, V1, 1200));
	EXPECT_EQ(36000000, got(self)->rtt_ns);
}

TEST_F(dp, an_initial_repeated_later_is_ambiguous)
{
	quic(self, 1000, 0, INITIAL, V1, 1200);
	quic(self, 1300, 0, INITIAL, V1, 1200);
	EXPECT_EQ(0, quic(self, 1336, 1, INITIAL, V1, 1200));
	EXPECT_EQ(1, missed(self, SL_MISS_AMBIGUOUS));
}

TEST_F(dp, retry_and_version_negotiation_begin_again)
{
	quic(self, 1000, 0, INITIAL, V1, 1200);
	EXPECT_EQ(0, quic(self, 1036, 1, RETRY, V1, 100));
	quic(self, 1040, 0, INITIAL, V1, 1200);
	EXPECT_EQ(1, quic(self, 1077, 1, INITIAL, V1, 1200));
	EXPECT_EQ(37000000, got(self)->rtt_ns);

	quic(self, 2000000, 0, INITIAL, GREASED, 1200);
	EXPECT_EQ(0, quic(self, 2000036, 1, INITIAL, 0, 60));
	quic(self, 2000040, 0, INITIAL, V1, 1200);
	EXPECT_EQ(1, quic(self, 2000078, 1, INITIAL, V1, 1200));
	EXPECT_EQ(38000000, got(self)->rtt_ns);

	/* Retry of version 2 has another number: there 0xc0 */
	quic(self, 4000000, 0, 0xd0, V2, 1200);
	EXPECT_EQ(0, quic(self, 4000036, 1, 0xc0, V2, 100));
	EXPECT_EQ(3, missed(self, SL_MISS_VOIDED));
}

TEST_F(dp, what_is_no_client_initial_starts_no_clock)
{
	quic(self, 1000, 0, INITIAL, V1, 1199);		/* too small */
	EXPECT_EQ(0, quic(self, 1036, 1, INITIAL, V1, 1200));
	quic(self, 2000000, 0, HANDSHAKE, V1, 1200);
	EXPECT_EQ(0, quic(self, 2000036, 1, HANDSHAKE, V1, 1200));
	quic(self, 4000000, 0, INITIAL, 0x12345678, 1200);
	EXPECT_EQ(0, quic(self, 4000036, 1, INITIAL, 0x12345678, 1200));
}

/* Handshake at t; then `edges` turns of 50 ms between client and server, of
 * which the server's side is far: 36 of them. Packets between the edges. */
static unsigned int spin(FIXTURE_DATA(dp) *self, uint64_t t, int edges,
			 unsigned int *wrong)
{
	unsigned int n = 0, s = 0, k;
	int i;

	quic(self, t, 0, INITIAL, V1, 1200);
	quic(self, t + 36, 1, INITIAL, V1, 1200);
	quic(self, t + 37, 1, 0x40, 0, 60);
	t += 50;
	for (i = 0; i < edges; i++) {
		/* the client inverts, the server reflects */
		for (k = 0; k < 3; k++) {
			unsigned int c = quic(self, t + k, 0, 0x40 | s << 5, 0,
					      60);

			*wrong += c && got(self)->rtt_ns != 50000000;
			n += c;
		}
		t += 36;
		for (k = 0; k < 3; k++) {
			unsigned int c = quic(self, t + k, 1, 0x40 | s << 5, 0,
					      60);

			*wrong += c && got(self)->rtt_ns != 50000000;
			n += c;
		}
		t += 14;
		s ^= 1;
	}
	return n;
}

TEST_F(dp, an_honest_spin_bit_is_believed_after_three_turns)
{
	unsigned int wrong = 0, n = spin(self, 1000, 20, &wrong);

	EXPECT_LT(25, n);
	EXPECT_EQ(0, wrong);
	EXPECT_EQ(0, missed(self, SL_MISS_GREASED));
}

TEST_F(dp, a_spin_sample_is_of_both_ends_and_full)
{
	unsigned int wrong = 0;

	spin(self, 1000, 10, &wrong);
	ASSERT_EQ(1, quic(self, 1550, 0, 0x40, 0, 60));
	EXPECT_EQ(SL_HALF_FULL, got(self)->half);
	EXPECT_EQ(SL_M_QUIC_SPIN, got(self)->method);
	EXPECT_EQ(50000000, got(self)->rtt_ns);
	EXPECT_EQ(5000, got(self)->sport);		/* who sent the edges */
	EXPECT_EQ(443, got(self)->dport);
}

/* Random values in one direction or both, or constant ones. */
static unsigned int grease(FIXTURE_DATA(dp) *self, uint64_t t, int client,
			   int server)
{
	unsigned int n = 0, i;

	srandom(7);
	quic(self, t, 0, INITIAL, V1, 1200);
	quic(self, t + 36, 1, INITIAL, V1, 1200);
	for (i = 0; i < 3000; i++) {
		int back = random() % 2, rnd = back ? server : client;
		unsigned int bit = rnd ? random() % 2 : 0;

		n += quic(self, t + 50 + i * 7, back, 0x40 | bit << 5, 0, 60);
	}
	return n;
}

TEST_F(dp, greased_spin_bits_give_nothing_and_are_counted)
{
	EXPECT_EQ(0, grease(self, 1000, 1, 0));
	EXPECT_EQ(1, missed(self, SL_MISS_GREASED));
	EXPECT_EQ(0, grease(self, 1000000, 0, 1));
	EXPECT_EQ(2, missed(self, SL_MISS_GREASED));
	EXPECT_EQ(0, grease(self, 2000000, 1, 1));
	EXPECT_EQ(3, missed(self, SL_MISS_GREASED));
	EXPECT_EQ(0, grease(self, 3000000, 0, 0));	/* constant: silent */
	EXPECT_EQ(3, missed(self, SL_MISS_GREASED));
}

/* One request, one answer at a time, and an honest server that reflects a client
 * which throws dice: every edge comes in turn, but some are left out. */
static void dice(FIXTURE_DATA(dp) *self, uint64_t t, unsigned int pace_ms,
		 unsigned int *n, unsigned int *wrong)
{
	unsigned int i, k, bit;

	quic(self, t, 0, INITIAL, V1, 1200);
	quic(self, t + 36, 1, INITIAL, V1, 1200);
	for (i = 0; i < 300; i++) {
		bit = random() % 2;
		t += pace_ms;
		for (k = 0; k < 2; k++) {
			if (!quic(self, t + 36 * k, k, 0x40 | bit << 5, 0, 60))
				continue;
			++*n;
			*wrong += got(self)->rtt_ns != pace_ms * 1000000ULL;
		}
	}
}

TEST_F(dp, dice_in_lockstep_are_found_by_what_they_leave_out)
{
	static const unsigned int pace_ms[] = { 60, 80, 120, 200, 280, 1000 };
	unsigned int i, n = 0, wrong = 0;

	srandom(3);
	for (i = 0; i < 6; i++) {
		dice(self, 1000000 * (i + 1), pace_ms[i], &n, &wrong);
		EXPECT_EQ(i + 1, missed(self, SL_MISS_GREASED));
	}
	EXPECT_EQ(0, wrong);
	EXPECT_GT(20, n);	/* until the first one was left out */
}

TEST_F(dp, a_pause_is_no_round_trip)
{
	unsigned int wrong = 0;

	spin(self, 1000, 10, &wrong);
	/* both were silent for two seconds; then it spins on */
	EXPECT_EQ(0, quic(self, 3550, 0, 0x40, 0, 60));
	EXPECT_EQ(0, quic(self, 3586, 1, 0x40, 0, 60));
	EXPECT_EQ(0, quic(self, 3600, 0, 0x60, 0, 60));
	EXPECT_EQ(0, quic(self, 3636, 1, 0x60, 0, 60));
	EXPECT_EQ(1, quic(self, 3650, 0, 0x40, 0, 60));
	EXPECT_EQ(50000000, got(self)->rtt_ns);
}

TEST_F(dp, a_reordered_edge_gives_no_short_sample)
{
	unsigned int wrong = 0, n = 0, i, s = 0;
	uint64_t t = 1550;

	spin(self, 1000, 10, &wrong);
	n += quic(self, t, 0, 0x40, 0, 60);		/* the edge, a sample */
	EXPECT_EQ(1, n);
	EXPECT_EQ(0, quic(self, t + 1, 0, 0x60, 0, 60));	/* a late packet */
	EXPECT_EQ(0, quic(self, t + 2, 0, 0x40, 0, 60));
	EXPECT_EQ(0, quic(self, t + 36, 1, 0x40, 0, 60));
	for (i = 1; i < 12; i++) {
		s ^= 1;
		if (quic(self, t + 50 * i, 0, 0x40 | s << 5, 0, 60)) {
			n++;
			wrong += got(self)->rtt_ns != 50000000;
		}
		n += quic(self, t + 50 * i + 36, 1, 0x40 | s << 5, 0, 60);
	}
	EXPECT_LT(4, n);			/* belief comes back */
	EXPECT_EQ(0, wrong);
	EXPECT_EQ(0, missed(self, SL_MISS_GREASED));
}

TEST_F(dp, short_headers_without_a_handshake_are_nobodys)
{
	unsigned int i, n = 0;

	for (i = 0; i < 40; i++) {
		n += quic(self, 1000 + i * 50, 0, 0x40 | (i & 1) << 5, 0, 60);
		n += quic(self, 1036 + i * 50, 1, 0x40 | (i & 1) << 5, 0, 60);
	}
	EXPECT_EQ(0, n);
	EXPECT_EQ(SL_R_UNTRACKED, sl_dp_replay(self->dp)->reason);
}

TEST_HARNESS_MAIN
