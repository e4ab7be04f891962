/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Lookups by the packet's own code without packets: pairs of addresses in one
 * array, what classify() finds for them in another. A header, because
 * tests/run.sh takes every .c here for a test; test_twin.c compiles it for BPF
 * and includes it for the structs.
 */
#ifndef SL_TWIN_BPF_H
#define SL_TWIN_BPF_H

#ifdef __bpf__
#include "../../bpf/sealane.bpf.c"
#else
#include <linux/types.h>
#endif

#define TWIN_PAIRS	(1U << 14)	/* a ring: a run goes on where the last
					 * one ended */
#define TWIN_A_RUN	64

struct twin_pair {
	__u32 src[4], dst[4];	/* network order; IPv4 in word 0 */
	__u32 family;
	__u32 pad[7];
};

struct twin_answer {
	__u32 src, dst;		/* entries */
};

#ifdef __bpf__
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, TWIN_PAIRS);
	__type(key, __u32);
	__type(value, struct twin_pair);
} twin_pairs SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, TWIN_PAIRS);
	__type(key, __u32);
	__type(value, struct twin_answer);
} twin_answers SEC(".maps");

__u32 twin_pos;

/* A function of its own: the loop below is walked 64 times, this once. */
__noinline int twin_one(__u32 k)
{
	struct twin_answer *a = bpf_map_lookup_elem(&twin_answers, &k);
	const struct twin_pair *q = bpf_map_lookup_elem(&twin_pairs, &k);
	const struct sl_ctl *ctl = control();
	struct sl_pkt p = {};
	struct sl_cls c = {};

	if (!q || !a || !ctl)
		return -1;
	p.family = q->family == 4 ? 4 : 6;
	__builtin_memcpy(p.ip.src, q->src, sizeof(p.ip.src));
	__builtin_memcpy(p.ip.dst, q->dst, sizeof(p.ip.dst));
	c.bank = bank_of(ctl);
	classify(&p, SL_SIDE_TAP, &c);
	a->src = c.src;
	a->dst = c.dst;
	return 0;
}

SEC("xdp")
int twin(struct xdp_md *ctx)
{
	__u32 at = twin_pos, i;

	(void)ctx;
	for (i = 0; i < TWIN_A_RUN; i++)
		if (twin_one((at + i) % TWIN_PAIRS))
			return XDP_ABORTED;
	twin_pos = (at + TWIN_A_RUN) % TWIN_PAIRS;
	return XDP_PASS;
}
#endif

#endif
