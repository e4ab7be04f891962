// SPDX-License-Identifier: GPL-2.0
/* The usual way to write such a gateway: the kernel's LPM trie for prefixes,
 * its hash for hosts; and a tail call into whatever another tool ships. */
#include "step.bpf.h"

struct key4 {
	__u32 len;
	__u32 addr;
};

struct key6 {
	__u32 len;
	__u32 addr[4];
};

/* Written by the bench before it starts, read by every packet. */
struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1200000);
	__type(key, struct key4);
	__type(value, __u32);
} lpm4 SEC(".maps"), lpm_hosts SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 300000);
	__type(key, struct key6);
	__type(value, __u32);
} lpm6 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1200000);
	__type(key, __u32);
	__type(value, __u32);
} hash4 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, __u64);
} counts SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} other SEC(".maps");

static __always_inline int out(__u32 k, int verdict)
{
	__u64 *n = bpf_map_lookup_elem(&counts, &k);

	if (n)
		++*n;
	return verdict;
}

/* Both addresses through the trie and through the hash of blocked hosts. */
SEC("xdp")
int lpm_ignored(struct xdp_md *ctx)
{
	__u8 *d = (__u8 *)(long)ctx->data;
	struct key4 src = { .len = 32 }, dst = { .len = 32 };
	__u32 *a, *b;

	if (step4(ctx) || d + 42 > (__u8 *)(long)ctx->data_end)
		return XDP_ABORTED;
	src.addr = *(__u32 *)(d + 26);
	dst.addr = *(__u32 *)(d + 30);
	if (bpf_map_lookup_elem(&hash4, &src.addr) ||
	    bpf_map_lookup_elem(&hash4, &dst.addr))
		return out(0, XDP_DROP);
	a = bpf_map_lookup_elem(&lpm4, &src);
	b = bpf_map_lookup_elem(&lpm4, &dst);
	return out((a ? *a : 0) + (b ? *b : 0) ? 1 : 2, XDP_PASS);
}

SEC("xdp")
int hash_drop(struct xdp_md *ctx)
{
	__u8 *d = (__u8 *)(long)ctx->data;

	if (step4(ctx) || d + 42 > (__u8 *)(long)ctx->data_end)
		return XDP_ABORTED;
	if (bpf_map_lookup_elem(&hash4, d + 26) ||
	    bpf_map_lookup_elem(&hash4, d + 30))
		return out(0, XDP_DROP);
	return out(2, XDP_PASS);
}

SEC("xdp")
int lpm_drop(struct xdp_md *ctx)
{
	__u8 *d = (__u8 *)(long)ctx->data;
	struct key4 src = { .len = 32 }, dst = { .len = 32 };

	if (step4(ctx) || d + 42 > (__u8 *)(long)ctx->data_end)
		return XDP_ABORTED;
	src.addr = *(__u32 *)(d + 26);
	dst.addr = *(__u32 *)(d + 30);
	if (bpf_map_lookup_elem(&lpm_hosts, &src) ||
	    bpf_map_lookup_elem(&lpm_hosts, &dst))
		return out(0, XDP_DROP);
	return out(2, XDP_PASS);
}

SEC("xdp")
int lpm_lookup6(struct xdp_md *ctx)
{
	const struct bench_step *s = next_step();
	struct key6 k = { .len = 128 };

	(void)ctx;
	if (!s)
		return XDP_ABORTED;
	__builtin_memcpy(k.addr, s->dst, 16);
	return bpf_map_lookup_elem(&lpm6, &k) ? XDP_PASS : XDP_ABORTED;
}

SEC("xdp")
int empty4(struct xdp_md *ctx)
{
	return step4(ctx) ? XDP_ABORTED : XDP_PASS;
}

SEC("xdp")
int empty_lookup(struct xdp_md *ctx)
{
	const struct bench_step *s = next_step();

	(void)ctx;
	return s && s->dst[0] ? XDP_PASS : XDP_ABORTED;
}

/* Into another tool's program; its empty twin is the pass below. */
SEC("xdp")
int into_other(struct xdp_md *ctx)
{
	if (!step4(ctx))
		bpf_tail_call(ctx, &other, 0);
	return XDP_ABORTED;
}

SEC("xdp")
int just_pass(struct xdp_md *ctx)
{
	(void)ctx;
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "GPL";
