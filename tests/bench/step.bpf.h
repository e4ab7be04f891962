/* SPDX-License-Identifier: GPL-2.0 */
/*
 * BPF_PROG_TEST_RUN repeats one frame. These functions put the next packet of
 * the stream into it before the program under test looks; an empty twin does
 * the same and nothing more.
 */
#ifndef SL_BENCH_STEP_BPF_H
#define SL_BENCH_STEP_BPF_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "step.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, BENCH_ROOM);
	__type(key, __u32);
	__type(value, struct bench_step);
} bench_steps SEC(".maps");

__u32 bench_pos, bench_pass, bench_len = BENCH_STEPS;

static __always_inline const struct bench_step *next_step(void)
{
	__u32 k = bench_pos;

	bench_pos = k + 1;
	if (k >= bench_len) {
		k = 0;
		bench_pos = 1;
		bench_pass++;
	}
	return bpf_map_lookup_elem(&bench_steps, &k);
}

/* Frames: Ethernet, then at byte 14 the IP header, 20 or 40 bytes of it. */
static __always_inline int step4(struct xdp_md *ctx)
{
	const struct bench_step *s = next_step();
	__u8 *d = (__u8 *)(long)ctx->data;

	if (!s || d + 42 > (__u8 *)(long)ctx->data_end)
		return -1;
	*(__u32 *)(d + 26) = s->src[0];
	*(__u32 *)(d + 30) = s->dst[0];
	*(__u16 *)(d + 34) = s->sport;
	*(__u16 *)(d + 36) = s->dport;
	return 0;
}

/* TCP with the time stamp option at byte 54 (two NOPs before it). */
static __always_inline int step_tcp(struct xdp_md *ctx)
{
	const struct bench_step *s = next_step();
	__u8 *d = (__u8 *)(long)ctx->data;

	if (!s || d + 66 > (__u8 *)(long)ctx->data_end)
		return -1;
	d[17] = s->ip_len;
	*(__u32 *)(d + 26) = s->src[0];
	*(__u32 *)(d + 30) = s->dst[0];
	*(__u16 *)(d + 34) = s->sport;
	*(__u16 *)(d + 36) = s->dport;
	*(__u32 *)(d + 38) = __builtin_bswap32(s->seq + bench_pass * 100);
	d[47] = s->flags;
	*(__u32 *)(d + 58) = __builtin_bswap32(s->tsval + bench_pass);
	*(__u32 *)(d + 62) = __builtin_bswap32(s->tsecr + bench_pass);
	return 0;
}

static __always_inline int step6(struct xdp_md *ctx)
{
	const struct bench_step *s = next_step();
	__u8 *d = (__u8 *)(long)ctx->data;
	int i;

	if (!s || d + 58 > (__u8 *)(long)ctx->data_end)
		return -1;
	for (i = 0; i < 4; i++) {
		*(__u32 *)(d + 22 + 4 * i) = s->src[i];
		*(__u32 *)(d + 38 + 4 * i) = s->dst[i];
	}
	return 0;
}

#endif
