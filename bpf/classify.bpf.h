/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Stage 2, classify: side and addresses -> direction, lane, rule classes.
 * Each address is looked up once; one entry gives lane and class. The epoch
 * is read once per packet and chooses the bank for all lookups.
 */
#ifndef SL_CLASSIFY_BPF_H
#define SL_CLASSIFY_BPF_H

#include "base.bpf.h"
#include "pkt.bpf.h"

/* Bank b holds its ranges from index b * max_ranges on. Written by the agent
 * into the idle bank, read by every packet, never deleted. Sizes: `tables:
 * ranges` of the configuration, twice. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, __u64);		/* struct sl_fib4_range */
} sl_fib4 SEC(".maps");

struct sl_fib6_slot {
	__u64 word[3];			/* struct sl_fib6_range */
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, struct sl_fib6_slot);
} sl_fib6 SEC(".maps");

/* Interfaces by ifindex. Written by the agent, read by every packet, cleared
 * by detach. Direct array: no hashing. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SL_MAX_IFINDEX);
	__type(key, __u32);
	__type(value, struct sl_port);
} sl_ports SEC(".maps");

/* VLANs of interfaces that carry several sides or paths. Written and deleted
 * by the agent, read by packets of such interfaces. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, struct sl_vlan_key);
	__type(value, struct sl_port);
} sl_vlans SEC(".maps");

struct sl_fib_view {
	__u32 base;		/* index of the bank's first range */
};

#include <sealane/fib.h>

SL_INLINE const struct sl_fib4_range *
sl_fib4_at(const struct sl_fib_view *v, __u32 i)
{
	__u32 k = v->base + i;

	return bpf_map_lookup_elem(&sl_fib4, &k);
}

SL_INLINE const struct sl_fib6_range *
sl_fib6_at(const struct sl_fib_view *v, __u32 i)
{
	__u32 k = v->base + i;

	return bpf_map_lookup_elem(&sl_fib6, &k);
}

/* Functions of their own, so that the verifier walks each search once. */
__noinline __u32 sl_lookup4(__u32 base, __u32 n, __u32 addr)
{
	struct sl_fib_view v = { .base = base };

	return sl_fib4_lookup(&v, n, addr);
}

__noinline __u32 sl_lookup6(__u32 base, __u32 n, __u64 hi, __u64 lo)
{
	struct sl_fib_view v = { .base = base };

	return sl_fib6_lookup(&v, n, hi, lo);
}

/* What classification says of a packet. */
struct sl_cls {
	__u32 src, dst;		/* table entries of the inner addresses */
	__u32 outer_src, outer_dst;
	__u16 lane;
	__u8 dir;		/* enum sl_dir */
	__u8 home;		/* 1: both ends are home */
};

static __always_inline __u64 pair(const __u32 *w)
{
	return (__u64)__builtin_bswap32(w[0]) << 32 | __builtin_bswap32(w[1]);
}

static __always_inline void lookup_ends(const struct sl_ctl *ctl, __u32 bank,
					__u8 family, const struct sl_ip *ip,
					__u32 *src, __u32 *dst)
{
	__u32 base = bank * sl_set.max_ranges, n;

	if (family == 4) {
		n = ctl->n_range4[bank];
		*src = sl_lookup4(base, n, __builtin_bswap32(ip->src[0]));
		*dst = sl_lookup4(base, n, __builtin_bswap32(ip->dst[0]));
	} else {
		n = ctl->n_range6[bank];
		*src = sl_lookup6(base, n, pair(ip->src), pair(ip->src + 2));
		*dst = sl_lookup6(base, n, pair(ip->dst), pair(ip->dst + 2));
	}
}

/* Lane field of an entry as a lane: home is no lane. */
static __always_inline __u32 lane_of(__u32 entry)
{
	__u32 lane = SL_ENTRY_LANE(entry);

	return lane < sl_set.n_lanes ? lane : 0;
}

/* Direction and lane from two entries. On a tap, and in replay, the home
 * prefixes tell the direction; elsewhere the side does. */
static __always_inline void set_lane(struct sl_cls *c, __u8 side, __u32 src,
				     __u32 dst)
{
	int src_home = SL_ENTRY_LANE(src) == SL_LANE_HOME;
	int dst_home = SL_ENTRY_LANE(dst) == SL_LANE_HOME;
	__u32 a = lane_of(src), b = lane_of(dst);

	c->home = src_home && dst_home;
	if (side == SL_SIDE_INSIDE)
		c->dir = SL_DIR_OUT;
	else if (side == SL_SIDE_OUTSIDE)
		c->dir = SL_DIR_IN;
	else if (src_home == dst_home)
		c->dir = SL_DIR_UNKNOWN;
	else
		c->dir = src_home ? SL_DIR_OUT : SL_DIR_IN;
	if (c->dir == SL_DIR_OUT)
		c->lane = b;
	else if (c->dir == SL_DIR_IN)
		c->lane = a;
	else
		c->lane = a > b ? a : b;	/* the same both ways */
}

/* Classify by the inner addresses; where those say nothing, a tunnel's outer
 * ones do: the corridor is where the packet really goes. */
static __always_inline void classify(const struct sl_ctl *ctl,
				     const struct sl_pkt *p, __u8 side,
				     struct sl_cls *c)
{
	__u32 bank = ctl->epoch & 1;

	if (!p->family)
		return;
	lookup_ends(ctl, bank, p->family, &p->ip, &c->src, &c->dst);
	set_lane(c, side, c->src, c->dst);
	if (!p->outer_family)
		return;
	lookup_ends(ctl, bank, p->outer_family, &p->outer, &c->outer_src,
		    &c->outer_dst);
	if (!SL_ENTRY_LANE(c->src) && !SL_ENTRY_LANE(c->dst))
		set_lane(c, side, c->outer_src, c->outer_dst);
}

/* The port a packet came in by, or NULL when it is none of ours. */
static __always_inline const struct sl_port *port_of(__u32 ifindex)
{
	const struct sl_port *port = bpf_map_lookup_elem(&sl_ports, &ifindex);

	return port && (port->side != SL_SIDE_NONE || port->vlans) ? port : 0;
}

static __always_inline const struct sl_port *
port_of_vlan(const struct sl_port *port, __u32 ifindex, __u32 vlan)
{
	struct sl_vlan_key key = { .ifindex = ifindex, .vlan = vlan };
	const struct sl_port *tagged;

	tagged = bpf_map_lookup_elem(&sl_vlans, &key);
	if (tagged)
		return tagged;
	return port->side != SL_SIDE_NONE ? port : 0;
}

#endif
