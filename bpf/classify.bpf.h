/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Stage 2, classify: side and addresses -> direction, lane, rule classes.
 * Each address is looked up once; one entry gives lane and class. The epoch
 * is read once per packet and chooses the bank for all lookups.
 */
#ifndef SL_CLASSIFY_BPF_H
#define SL_CLASSIFY_BPF_H

#include <sealane/kmod.h>
#include "base.bpf.h"
#include "pkt.bpf.h"

/*
 * The prefix tables: two banks, one behind the other in each array. Written by
 * the agent into the idle bank, read by every packet, never deleted. Sizes:
 * `tables: size` of the configuration.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct sl_fib_line);
} sl_fib4 SEC(".maps"), sl_fib4_flags SEC(".maps"),
  sl_fib6_root SEC(".maps"), sl_fib6_leaves SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct sl_fib_bucket);
} sl_fib_hosts SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct sl_fib_node);
} sl_fib6_nodes SEC(".maps");

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
	__u32 bank;
};

#define SL_FIB_FAR __noinline
#include <sealane/fib.h>

#define LINES(words) ((words) / SL_FIB_LINE)

SL_INLINE const struct sl_fib_line *
sl_fib_line4(const struct sl_fib_view *v, __u32 i)
{
	__u32 k = v->bank * sl_set.fib_lines + i;

	return bpf_map_lookup_elem(&sl_fib4, &k);
}

SL_INLINE const __u32 *sl_fib_flags(const struct sl_fib_view *v, __u32 i)
{
	__u32 k = v->bank * LINES(SL_FIB4_FLAG_WORDS) + LINES(i);
	struct sl_fib_line *l = bpf_map_lookup_elem(&sl_fib4_flags, &k);

	return l ? &l->word[i % SL_FIB_LINE] : 0;
}

SL_INLINE const struct sl_fib_bucket *
sl_fib_bucket(const struct sl_fib_view *v, __u32 i)
{
	__u32 k = v->bank * sl_set.fib_buckets + i;

	return bpf_map_lookup_elem(&sl_fib_hosts, &k);
}

SL_INLINE const __u32 *sl_fib_root6(const struct sl_fib_view *v, __u32 i)
{
	__u32 k = v->bank * LINES(SL_FIB6_ROOT_WORDS) + LINES(i);
	struct sl_fib_line *l = bpf_map_lookup_elem(&sl_fib6_root, &k);

	return l ? &l->word[i % SL_FIB_LINE] : 0;
}

SL_INLINE const struct sl_fib_node *
sl_fib_node(const struct sl_fib_view *v, __u32 i)
{
	__u32 k = v->bank * sl_set.fib_nodes + i;

	return bpf_map_lookup_elem(&sl_fib6_nodes, &k);
}

SL_INLINE const __u32 *sl_fib_leaf6(const struct sl_fib_view *v, __u32 i)
{
	__u32 k = v->bank * LINES(sl_set.fib_leaves) + LINES(i);
	struct sl_fib_line *l = bpf_map_lookup_elem(&sl_fib6_leaves, &k);

	return l ? &l->word[i % SL_FIB_LINE] : 0;
}

static __always_inline void lookup4(__u32 bank, const struct sl_ip *ip,
				    __u32 *src, __u32 *dst)
{
	struct sl_fib_view v = { .bank = bank };

	*src = sl_fib_lookup4(&v, __builtin_bswap32(ip->src[0]),
			      sl_set.hash_key[1], sl_set.fib_buckets - 1);
	*dst = sl_fib_lookup4(&v, __builtin_bswap32(ip->dst[0]),
			      sl_set.hash_key[1], sl_set.fib_buckets - 1);
}

/* The module's search, on its copy of a bank's table; SL_ENTRY_EXT: it has not
 * that copy. */
extern __u32 sealane_lookup6(__u32 handle, __u64 hi, __u64 lo) __ksym __weak;

/* A function of its own, so that the verifier walks the search once. */
__noinline __u32 sl_lookup6(__u32 bank, __u64 hi, __u64 lo)
{
	struct sl_fib_view v = { .bank = bank };
	const struct sl_ctl *ctl;
	__u32 e;

	if (sl_set.kmod & SL_KMOD_LOOKUP6) {
		ctl = control();
		e = ctl && ctl->image[bank & 1] ?
			sealane_lookup6(ctl->image[bank & 1], hi, lo) :
			SL_ENTRY_EXT;
		if (!(e & SL_ENTRY_EXT))
			return e;
	}
	return sl_fib_lookup6(&v, hi, lo);
}

/* What classification says of a packet. */
struct sl_cls {
	__u32 src, dst;		/* table entries of the inner addresses */
	__u32 outer_src, outer_dst;
	/* rows of the addresses, once verdict asked for them */
	__u16 src_row, dst_row, outer_src_row, outer_dst_row;
	__u16 bank;		/* of every table, for this packet */
	__u16 lane;
	__u8 dir;		/* enum sl_dir */
	__u8 home;		/* not measured: SL_R_HOME, SL_R_MARTIAN */
};

static __always_inline __u64 pair(const __u32 *w)
{
	return (__u64)__builtin_bswap32(w[0]) << 32 | __builtin_bswap32(w[1]);
}

static __always_inline void lookup6(__u32 bank, const struct sl_ip *ip,
				    __u32 *src, __u32 *dst)
{
	*src = sl_lookup6(bank, pair(ip->src), pair(ip->src + 2));
	*dst = sl_lookup6(bank, pair(ip->dst), pair(ip->dst + 2));
}

/* The outer addresses of a tunnel: rare enough for a call. */
__noinline int sl_lookup_outer(struct sl_pkt *p, struct sl_cls *c, __u32 bank)
{
	if (!p || !c)
		return 0;
	if (p->outer_family == 4)
		lookup4(bank, &p->outer, &c->outer_src, &c->outer_dst);
	else
		lookup6(bank, &p->outer, &c->outer_src, &c->outer_dst);
	return 0;
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

	c->home = src_home && dst_home ? SL_R_HOME :
		  (src_home && side == SL_SIDE_OUTSIDE) ||
		  (dst_home && side == SL_SIDE_INSIDE) ? SL_R_MARTIAN : 0;
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

/* The bank of every table: the epoch's. An epoch that waits for confirmation is
 * over at its time, whoever lives. */
static __always_inline __u32 bank_of(const struct sl_ctl *ctl)
{
	__u64 epoch = *(volatile __u64 *)&ctl->epoch;

	if (ctl->confirm_epoch == epoch && epoch &&
	    clock_coarse_ns() >= ctl->confirm_ns)
		epoch ^= 1;
	return epoch & 1;
}

/* Classify by the inner addresses; where those say nothing, a tunnel's outer
 * ones do: the corridor is where the packet really goes. */
static __always_inline void classify(struct sl_pkt *p, __u8 side,
				     struct sl_cls *c)
{
	__u32 bank = c->bank & 1;

	if (!p->family)
		return;
	if (p->family == 4)
		lookup4(bank, &p->ip, &c->src, &c->dst);
	else
		lookup6(bank, &p->ip, &c->src, &c->dst);
	set_lane(c, side, c->src, c->dst);
	if (!p->outer_family)
		return;
	sl_lookup_outer(p, c, bank);
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
