// SPDX-License-Identifier: GPL-2.0
/*
 * Spoofed floods of ten times the flow table's size, mixed with established flows:
 * what those are sampled, with the flood and without it (BPF_PROG_TEST_RUN).
 */
#include <stdlib.h>
#include "loaded.h"

#define LINES		1024		/* of the fixture's table */
#define FLOWS		200		/* established */
#define ROUNDS		5
#define TIMES		10

enum flood { NONE, SYNS, ANSWERED_SYNS, INITIALS, QUERIES, KINDS };

/* What of a spoofed conversation of three packets, the second is home's answer. */
struct three {
	unsigned int proto, fl[3];	/* TCP flags, or 0: see three_one() */
};

static void from_anywhere(FIXTURE_DATA(dp) *self, unsigned int proto, int back)
{
	char src[32];

	snprintf(src, sizeof(src), "203.%lu.%lu.%lu", random() % 256,
		 random() % 256, 100 + random() % 100);
	eth(&self->f, 0x0800);
	ip4(&self->f, back ? HOME : src, back ? src : HOME, proto, 0);
}

/* One spoofed packet; for ANSWERED_SYNS the answer of home too. */
static void flood_one(FIXTURE_DATA(dp) *self, enum flood kind)
{
	unsigned int port = 1024 + random() % 60000;
	uint32_t verdict, addr;

	from_anywhere(self, kind == INITIALS || kind == QUERIES ? 17 : 6, 0);
	memcpy(&addr, self->f.b + 26, 4);
	if (kind == SYNS || kind == ANSWERED_SYNS) {
		tcp(&self->f, port, 443, 7, 0, S, 0, 0);
	} else if (kind == INITIALS) {
		udp(&self->f, port, 443);
		put8(&self->f, 0xc3);
		put32(&self->f, 1);
		payload(&self->f, 1195);
	} else {
		udp(&self->f, port, 53);
		put16(&self->f, random());
		put(&self->f, "\1\0\0\1\0\0\0\0\0\0\3www\0\0\1\0\1", 19);
	}
	run(self, &verdict);
	if (kind != ANSWERED_SYNS)
		return;
	from_anywhere(self, 6, 1);
	memcpy(self->f.b + 30, &addr, 4);
	tcp(&self->f, 443, port, 9, 8, SA, 0, 0);
	run(self, &verdict);
}

/* A packet of established flow i; samples. */
static unsigned int packet(FIXTURE_DATA(dp) *self, unsigned int i, int back,
			   unsigned int fl, uint32_t val, uint32_t ecr,
			   unsigned int len)
{
	char far[32];
	uint32_t verdict;

	snprintf(far, sizeof(far), "203.0.113.%u", 100 + i % 50);
	eth(&self->f, 0x0800);
	ip4(&self->f, back ? far : HOME, back ? HOME : far, 6, 0);
	tcp(&self->f, back ? 80 : 2000 + i, back ? 2000 + i : 80,
	    fl & S ? 10 : 11, 11, fl, val, ecr);
	payload(&self->f, len);
	run(self, &verdict);
	return sl_dp_replay(self->dp)->n_samples;
}

static void establish(FIXTURE_DATA(dp) *self)
{
	unsigned int i;

	for (i = 0; i < FLOWS; i++) {
		packet(self, i, 0, S, 100, 0, 0);
		packet(self, i, 1, SA, 100, 100, 0);
		packet(self, i, 0, A, 101, 100, 0);
	}
}

/* Rounds of data and answers; between the two the flood has its turn. */
static unsigned int rounds(FIXTURE_DATA(dp) *self, enum flood kind)
{
	unsigned int n = 0, r, i, k, each = TIMES * LINES / (FLOWS * ROUNDS);
	static uint32_t val = 1000;

	for (r = 0; r < ROUNDS; r++) {
		val += 100;
		self->now_ms += 100;
		for (i = 0; i < FLOWS; i++) {
			packet(self, i, 0, PA, val, 101, 100);
			for (k = 0; kind != NONE && k < each + 1; k++)
				flood_one(self, kind);
		}
		self->now_ms += 36;
		for (i = 0; i < FLOWS; i++)
			n += packet(self, i, 1, A, val, val, 0);
	}
	return n;
}

TEST_F(dp, established_flows_are_sampled_through_every_flood)
{
	struct sl_lane_miss before, after;
	enum flood kind;
	unsigned int calm, n;

	srandom(11);
	establish(self);
	calm = rounds(self, NONE);
	ASSERT_EQ(FLOWS * ROUNDS, calm);
	for (kind = SYNS; kind < KINDS; kind++) {
		sl_dp_read_miss(self->dp, 0, &before);
		n = rounds(self, kind);
		sl_dp_read_miss(self->dp, 0, &after);
		EXPECT_LE(calm * 99 / 100, n) {
			TH_LOG("flood %d: %u of %u samples", kind, n, calm);
		}
		/* it was a flood: the table had to give lines away */
		EXPECT_LT(LINES * (TIMES - 2),
			  after.n[SL_MISS_EVICTED] + after.n[SL_MISS_REFUSED] -
			  before.n[SL_MISS_EVICTED] -
			  before.n[SL_MISS_REFUSED]);
	}
}

/* A handshake that is short enough is still seen in the middle of a flood. */
TEST_F(dp, new_flows_are_still_seen_in_a_flood)
{
	unsigned int i, k, n = 0;

	srandom(12);
	for (i = 0; i < FLOWS; i++) {
		self->now_ms += 1;
		packet(self, i, 0, S, 100, 0, 0);
		for (k = 0; k < LINES / 16; k++)
			flood_one(self, SYNS);
		n += packet(self, i, 1, SA, 100, 100, 0) == 2;
	}
	EXPECT_LT(FLOWS * 9 / 10, n);
}

/* Spoofed twice, with home's answer between: packets that need no secret. */
static void three_one(FIXTURE_DATA(dp) *self, const struct three *w)
{
	unsigned int port = 1024 + random() % 60000, k;
	uint32_t verdict, addr = 0;

	for (k = 0; k < 3; k++) {
		from_anywhere(self, w->proto, k == 1);
		if (k)
			memcpy(self->f.b + (k == 1 ? 30 : 26), &addr, 4);
		else
			memcpy(&addr, self->f.b + 26, 4);
		if (w->proto == 6) {
			tcp(&self->f, k == 1 ? 443 : port, k == 1 ? port : 443,
			    k == 1 ? 9 : 7, k == 1 ? 8 : 10, w->fl[k], 0, 0);
		} else if (w->proto == 17) {
			udp(&self->f, k == 1 ? 443 : port, k == 1 ? port : 443);
			put8(&self->f, 0xc3);
			put32(&self->f, 1);
			put8(&self->f, 8);
			payload(&self->f, 1194);
		} else {
			echo(&self->f, k == 1 ? 0 : 8, port, k);
		}
		run(self, &verdict);
	}
}

TEST_F(dp, floods_that_are_answered_and_go_on_hold_no_line)
{
	static const struct three kinds[] = {
		{ 6, { S, SA, S } }, { 6, { A, R, A } }, { 17, {} }, { 1, {} } };
	unsigned int kind, i, n;

	srandom(13);
	for (kind = 0; kind < 4; kind++) {
		for (i = 0; i < 6 * LINES; i++)
			three_one(self, &kinds[kind]);
		self->now_ms += 1000;
		for (n = 0, i = 0; i < FLOWS; i++) {
			packet(self, i, 0, S, 100, 0, 0);
			n += packet(self, i, 1, SA, 100, 100, 0) > 0;
			packet(self, i, 0, R, 101, 100, 0);
		}
		EXPECT_LT(FLOWS * 95 / 100, n) {
			TH_LOG("kind %u: %u of %u", kind, n, FLOWS);
		}
		self->now_ms += 400000;		/* all is forgotten */
	}
}

/* 32 bits of coarse time wrap after 52 days, and look negative after 26. */
TEST_F(dp, lines_of_last_month_are_free)
{
	static const unsigned int days[] = { 1, 24, 30, 45, 60 };
	unsigned int d, i, n;

	for (d = 0; d < 5; d++) {
		self->now_ms = (d + 1) * 10000000000ULL;
		for (i = 0; i < 4 * LINES; i++) {	/* all confirmed */
			packet(self, i, 0, S, 100, 0, 0);
			packet(self, i, 1, SA, 100, 100, 0);
			packet(self, i, 0, A, 101, 100, 0);
			packet(self, i, 1, A, 101, 101, 0);
		}
		self->now_ms += days[d] * 86400000ULL;
		for (n = 0, i = 10000; i < 10000 + FLOWS; i++) {
			packet(self, i, 0, S, 100, 0, 0);
			n += packet(self, i, 1, SA, 100, 100, 0) > 0;
		}
		EXPECT_LT(FLOWS * 95 / 100, n) {
			TH_LOG("after %u days: %u of %u", days[d], n, FLOWS);
		}
	}
}

/* Short connections that follow each other for hours: those that ended must not
 * keep the new ones out. */
TEST_F(dp, connections_that_end_make_room)
{
	unsigned int i, k, n = 0;
	char far[32];
	uint32_t verdict;

	for (i = 0; i < 8 * LINES; i++) {
		static const struct {
			int back;
			unsigned int fl, seq, ack;
		} c[] = { { 0, S, 10, 0 }, { 1, SA, 50, 11 }, { 0, A, 11, 51 },
			  { 1, A, 51, 11 }, { 0, F, 11, 51 }, { 1, F, 51, 12 },
			  { 0, A, 12, 52 } };

		self->now_ms += 5;
		snprintf(far, sizeof(far), "203.0.113.%u", 100 + i % 50);
		for (k = 0; k < sizeof(c) / sizeof(c[0]); k++) {
			eth(&self->f, 0x0800);
			ip4(&self->f, c[k].back ? far : HOME,
			    c[k].back ? HOME : far, 6, 0);
			tcp(&self->f, c[k].back ? 80 : 2000 + i,
			    c[k].back ? 2000 + i : 80, c[k].seq, c[k].ack,
			    c[k].fl, 0, 0);
			run(self, &verdict);
			n += k == 1 && sl_dp_replay(self->dp)->n_samples == 1;
		}
	}
	EXPECT_LT(8 * LINES * 99 / 100, n);
}

TEST_HARNESS_MAIN
