// SPDX-License-Identifier: GPL-2.0
/*
 * The parser compiled for user space, under the sanitizers, against the loaded
 * program: mutated frames must end for the same reason in both.
 */
#include <stdio.h>
#include <stdlib.h>
#include <linux/bpf.h>
#define SL_NATIVE
#ifndef __always_inline
#define __always_inline inline __attribute__((always_inline))
#endif
#include "../../bpf/parse.bpf.h"
#include "build.h"
#include "names.h"
#include "once.h"

#define ROUNDS 60000

/* The loop of bpf/sealane.bpf.c: parse() */
static int parse_native(const uint8_t *data, uint32_t len, struct sl_pkt *p)
{
	struct sl_view v = { data, data + len };
	int i, reason;

	memset(p, 0, sizeof(*p));
	p->frame_b = p->wire_b = p->cap_b = len;
	for (i = 0; i < SL_PARSE_STEPS; i++) {
		reason = parse_layer(&v, p);
		if (reason || p->layer == SL_L_DONE)
			return reason;
	}
	return SL_R_TOO_DEEP;
}

/* A random chain of layers, so that mutations start from what is nearly
 * right. */
static void random_chain(struct frame *f)
{
	int i, depth = random() % 5;

	f->len = f->n_len = 0;
	eth(f, random() % 3 ? 0x0800 : 0x86dd);
	if (f->b[12] == 0x86)
		ip6(f, "2001:db8::1", "2001:db8::2", random() % 2 ? 4 : 6);
	for (i = 0; i < depth && f->n_len < 12; i++) {
		static const unsigned int proto[] = { 4, 41, 47, 17, 6, 1, 51 };
		unsigned int next = proto[random() % 7];

		ip4(f, "192.0.2.1", "192.0.2.2", next, 0);
		if (next == 47)
			put32(f, random() % 2 ? 0x0800 : 0x20006558);
		if (next == 17) {
			static const unsigned int port[] = { 4789, 4790, 6081,
							     2152, 6635, 53 };
			udp(f, 4000, port[random() % 6]);
			put32(f, random() % 2 ? 0x08000000 : 0x0c000003);
			put32(f, 0x100);
		}
	}
	tcp(f, 80, 443, 1, 2, 0x10, random() % 2 ? 7 : 0, 9);
	payload(f, random() % 40);
	done(f);
}

static void mutate(struct frame *f)
{
	int n = random() % 6;

	while (n--)
		f->b[random() % f->len] = random() % 3 ? random() :
					  random() % 2 ? 0 : 0xff;
	if (random() % 4 == 0)
		f->len = 14 + random() % (f->len - 13);
}

/* Reasons that come after parsing. */
static int beyond(unsigned int reason)
{
	switch (reason) {
	case SL_R_TRACKED: case SL_R_UNTRACKED: case SL_R_TO_ITSELF:
	case SL_R_TABLE_FULL: case SL_R_FRAGMENT_FIRST:
		return 1;
	}
	return 0;
}

TEST(mutated_frames_end_alike_in_user_space_and_in_the_kernel)
{
	unsigned int seen[SL_R_MAX] = {}, i;
	struct sl_dp *dp = loaded;
	struct sl_pkt p;
	uint32_t verdict;
	uint8_t *exact;
	struct frame f;
	int reason;

	ASSERT_EQ(0, loaded_rc) {
		TH_LOG("%s", sl_dp_error(dp));
	}
	srandom(5);
	for (i = 0; i < ROUNDS; i++) {
		random_chain(&f);
		mutate(&f);
		exact = malloc(f.len);	/* so that one byte over is caught */
		memcpy(exact, f.b, f.len);
		reason = parse_native(exact, f.len, &p);
		free(exact);
		ASSERT_LT(reason, SL_R_MAX);
		seen[reason]++;
		sl_dp_replay(dp)->time_ns = 1000000000ULL + i * 1000;
		sl_dp_replay(dp)->wire_b = f.len;
		sl_dp_replay(dp)->n_samples = 0;
		ASSERT_EQ(0, sl_dp_run(dp, f.b, f.len, &verdict));
		ASSERT_EQ(XDP_PASS, verdict);
		if (reason) {
			ASSERT_EQ(reason, (int)sl_dp_replay(dp)->reason) {
				TH_LOG("round %u: %s, %s", i,
				       sl_reason_name(reason), sl_reason_name(
				       sl_dp_replay(dp)->reason));
			}
		} else {
			ASSERT_TRUE(beyond(sl_dp_replay(dp)->reason));
		}
	}
	/* the mutations reached every way to end */
	EXPECT_LT(0, seen[SL_R_TRACKED]);
	EXPECT_LT(0, seen[SL_R_NOT_IP]);
	EXPECT_LT(0, seen[SL_R_TRUNCATED]);
	EXPECT_LT(0, seen[SL_R_MALFORMED_IP]);
	EXPECT_LT(0, seen[SL_R_MALFORMED_L4]);
	EXPECT_LT(0, seen[SL_R_MALFORMED_TUNNEL]);
	EXPECT_LT(0, seen[SL_R_OTHER_PROTO]);
	EXPECT_LT(0, seen[SL_R_FRAGMENT_LATER]);
	EXPECT_LT(0, seen[SL_R_TOO_DEEP]);
}

TEST_HARNESS_MAIN
