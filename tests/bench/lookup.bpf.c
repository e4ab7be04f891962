// SPDX-License-Identifier: GPL-2.0
/*
 * One IPv6 lookup three ways, and an empty twin that does all but that: each run of
 * a program takes the next address of an array. The sum of the entries that were
 * found shows that all three find the same.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "../../bpf/classify.bpf.h"
#include "lookup.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, LOOKUP_STEPS);
	__type(key, __u32);
	__type(value, struct lookup_step);
} lookup_steps SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, LOOKUP_PREFIXES6);
	__type(key, struct lookup_key);
	__type(value, __u32);
} lookup_lpm SEC(".maps");

struct lookup_vars lookup_vars SEC(".data.lookup") = {};

static __always_inline const struct lookup_step *next(void)
{
	__u32 k = lookup_vars.pos++ % LOOKUP_STEPS;

	return bpf_map_lookup_elem(&lookup_steps, &k);
}

static __always_inline int found(__u32 e)
{
	lookup_vars.sum += e;
	return XDP_PASS;
}

SEC("xdp")
int by_nothing(struct xdp_md *ctx)
{
	const struct lookup_step *s = next();

	(void)ctx;
	return s ? found(s->lo) : XDP_ABORTED;
}

SEC("xdp")
int by_lpm(struct xdp_md *ctx)
{
	const struct lookup_step *s = next();
	struct lookup_key k = { .len = 128 };
	__u32 *e;

	(void)ctx;
	if (!s)
		return XDP_ABORTED;
	k.addr[0] = __builtin_bswap64(s->hi);
	k.addr[1] = __builtin_bswap64(s->lo);
	e = bpf_map_lookup_elem(&lookup_lpm, &k);
	return e ? found(*e) : XDP_ABORTED;
}

SEC("xdp")
int by_bpf(struct xdp_md *ctx)
{
	const struct lookup_step *s = next();

	(void)ctx;
	return s ? found(sl_lookup6(0, s->hi, s->lo)) : XDP_ABORTED;
}

SEC("xdp")
int by_kfunc(struct xdp_md *ctx)
{
	const struct lookup_step *s = next();

	(void)ctx;
	return s ? found(sealane_lookup6(lookup_vars.handle, s->hi, s->lo)) :
		   XDP_ABORTED;
}

/* Of images that are swapped meanwhile, each with one entry everywhere: how often
 * which was found. */
SEC("xdp")
int in_swapped(struct xdp_md *ctx)
{
	const struct lookup_step *s = next();
	__u32 handle = *(volatile __u32 *)&lookup_vars.handle, e;

	(void)ctx;
	if (!s)
		return XDP_ABORTED;
	e = sealane_lookup6(handle, s->hi, s->lo);
	e = e & SL_ENTRY_EXT ? LOOKUP_GONE :
	    e == LOOKUP_ONE || e == LOOKUP_OTHER ? e : LOOKUP_WRONG;
	/* for verifiers that do not see where e comes from */
	asm volatile("" : "+r"(e));
	__sync_fetch_and_add(&lookup_vars.found[e % LOOKUP_KINDS], 1);
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "GPL";
