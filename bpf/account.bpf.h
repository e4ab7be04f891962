/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Stage 5, account: sample -> histogram, packet -> lane counters, every exit
 * -> one counter. Rows are per CPU, so nothing here is atomic but the claim
 * of a series slot.
 */
#ifndef SL_ACCOUNT_BPF_H
#define SL_ACCOUNT_BPF_H

#include "base.bpf.h"
#include "classify.bpf.h"
#include "pkt.bpf.h"
#include <sealane/hist.h>

/* Keys of the latency series. A slot is claimed once by the packet whose
 * sample needs it; read by the agent; freed by a reload of the object only. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} sl_series SEC(".maps");

/* Histograms, one row of n_series per CPU. Written by the packet that gave
 * the sample; the agent reads and exchanges the extremes; never deleted. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct sl_hist);
} sl_hists SEC(".maps");

/* Packets, bytes, retransmissions by CPU, path, lane. Written by packets,
 * read by the agent, never deleted. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct sl_lane_ctr);
} sl_lane_ctrs SEC(".maps");

/* How TCP fares, by CPU and lane. Written by packets, read by the agent, never
 * deleted. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct sl_lane_tcp);
} sl_lane_tcps SEC(".maps");

/* The last samples by remote address. Written by the packet that gave the
 * sample, read by the agent, overwritten by other addresses. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, SL_RECENT_ENTRIES);
	__type(key, __u32);
	__type(value, struct sl_recent);
} sl_recents SEC(".maps");

/* Missed samples by CPU and lane. Written by packets, read by the agent. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct sl_lane_miss);
} sl_lane_misses SEC(".maps");

/* Recent packets, taken at random, by CPU. Written by packets; read by the
 * agent, which leaves them to be overwritten. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, SL_SAMPLES);
	__type(key, __u32);
	__type(value, struct sl_sampled);
} sl_samples SEC(".maps");

/* Exits by CPU, slot and reason. Written by every packet, read by the agent. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, SL_MAX_SLOTS);
	__type(key, __u32);
	__type(value, struct sl_port_ctr);
} sl_port_ctrs SEC(".maps");

/* A missed sample of a lane, by cause. */
static __always_inline void count_miss(__u32 lane, __u32 miss)
{
	__u32 k = cpu_row() * sl_set.n_lanes + lane;
	struct sl_lane_miss *m = bpf_map_lookup_elem(&sl_lane_misses, &k);

	if (m && miss < SL_MISS_SLOTS)
		m->n[miss]++;
}

static __always_inline struct sl_lane_ctr *lane_ctr(__u32 path, __u32 lane)
{
	__u32 k = (cpu_row() * SL_MAX_PATHS + (path & (SL_MAX_PATHS - 1))) *
		  sl_set.n_lanes + lane;

	return bpf_map_lookup_elem(&sl_lane_ctrs, &k);
}

static __always_inline void count_lane(struct sl_lane_ctr *ctr, __u32 way,
				       __u32 frame_b)
{
	if (!ctr)
		return;
	ctr->packets[way]++;
	ctr->bytes[way] += frame_b;
}

static __always_inline struct sl_lane_tcp *lane_tcp(const struct sl_cls *c)
{
	__u32 k = cpu_row() * sl_set.n_lanes + c->lane;

	return bpf_map_lookup_elem(&sl_lane_tcps, &k);
}

/* Slot of a series, claimed when it is new; negative when the pool is full. */
static __always_inline int series_slot(__u64 key)
{
	__u32 i, mask = sl_set.n_series - 1;
	__u32 k = (__u32)(key * 0x9e3779b97f4a7c15ULL >> 40) & mask;

	for (i = 0; i < SL_SERIES_PROBES; i++) {
		__u64 *slot = bpf_map_lookup_elem(&sl_series, &k), old;

		if (!slot)
			return -1;
		old = *(volatile __u64 *)slot;
		if (!old)
			old = __sync_val_compare_and_swap(slot, 0, key);
		if (!old || old == key)
			return k;
		k = (k + 1) & mask;
	}
	return -1;
}

static __always_inline void hist_add(__u32 slot, __u64 rtt_ns)
{
	__u32 k = cpu_row() * sl_set.n_series + slot;
	struct sl_hist *h = bpf_map_lookup_elem(&sl_hists, &k);
	int b = sl_hist_bucket(rtt_ns);
	__u64 i = (__u32)b;

	if (!h)
		return;
	sl_keep_order(i);	/* 6.1 wants the check on the very index */
	if (i < SL_HIST_BUCKETS)
		h->bucket[i]++;
	else if (b < 0)
		h->zero++;
	else
		h->overflow++;
	h->count++;
	h->sum_ns += rtt_ns;
	if (!h->min_ns || rtt_ns < h->min_ns)
		h->min_ns = rtt_ns;
	if (rtt_ns > h->max_ns)
		h->max_ns = rtt_ns;
	h->dirty = 1;
}

/* A function of its own: the histogram arithmetic is walked once by the
 * verifier, not once for each method. */
__noinline int sl_account(__u32 lane, __u32 path, __u32 method_half,
			  __u64 rtt_ns)
{
	__u32 method = method_half >> 8, half = method_half & 0xff;
	int slot = series_slot(SL_SERIES_KEY(lane, path, method, half));

	if (slot < 0) {		/* pool full: counted, and kept as `other` */
		count_miss(lane < sl_set.n_lanes ? lane : 0,
			   SL_MISS_SERIES_FULL);
		slot = series_slot(SL_SERIES_KEY(0, 0, method, half));
	}
	if (slot >= 0)
		hist_add(slot, rtt_ns);
	return 0;
}

/* The remote end of a packet as two words, IPv4 mapped into IPv6. */
static __always_inline void remote_of(const struct sl_pkt *p, __u8 dir,
				      __u64 *hi, __u64 *lo)
{
	const __u32 *a = dir == SL_DIR_OUT ? p->ip.dst : p->ip.src;

	if (p->family == 4) {
		*hi = 0;
		*lo = (__u64)a[0] << 32 | 0xffff0000;
	} else {
		*hi = (__u64)a[1] << 32 | a[0];
		*lo = (__u64)a[3] << 32 | a[2];
	}
}

/* For `explain`: one line of memory, no lock, no insert. */
static __always_inline void remember(const struct sl_pkt *p,
				     const struct sl_cls *c, __u64 what,
				     __u64 now_ns)
{
	__u64 hi, lo, *addr;
	struct sl_recent_sample *s;
	struct sl_recent *r;
	__u32 k, near = SL_RECENT_HALF(what) == SL_HALF_NEAR;

	remote_of(p, c->dir, &hi, &lo);
	k = sl_recent_slot(hi, lo, sl_set.hash_key[0]);
	r = bpf_map_lookup_elem(&sl_recents, &k);
	if (!r)
		return;
	addr = (__u64 *)r->addr;
	if (addr[0] != hi || addr[1] != lo) {
		r->s[near ^ 1].time_ns = 0;
		addr[0] = hi;
		addr[1] = lo;
	}
	s = &r->s[near];
	s->time_ns = now_ns;
	s->what = what;
	s->lane = c->lane;
	s->tunnel = p->tunnel;
	s->vlan = p->vlan;
}

/* Replay writes each sample down. The stamped end is the destination of the
 * packet that answered; for the spin bit its source, which sent both edges. */
static __always_inline void replay_sample(const struct sl_pkt *p, __u32 lane,
					  __u32 path, __u32 method,
					  __u32 half, __u64 rtt_ns)
{
	int own = half == SL_HALF_FULL;
	struct sl_replay *r = replay_block();
	struct sl_sample *s;
	__u32 n;

	if (!r)
		return;
	n = r->n_samples;
	if (n >= SL_REPLAY_SAMPLES)
		return;
	s = &r->sample[n];
	s->time_ns = r->time_ns;
	s->rtt_ns = rtt_ns;
	__builtin_memcpy(s->src, own ? p->ip.src : p->ip.dst, sizeof(s->src));
	__builtin_memcpy(s->dst, own ? p->ip.dst : p->ip.src, sizeof(s->dst));
	s->sport = own ? p->sport : p->dport;
	s->dport = own ? p->dport : p->sport;
	s->lane = lane;
	s->family = p->family;
	s->method = method;
	s->half = half;
	s->path = path;
	r->n_samples = n + 1;
}

/*
 * A stamp taken at stamp_ns was answered by this packet now: check the time
 * between, then account it. A clock that stepped back gives no sample.
 */
static __always_inline void sample(const struct sl_pkt *p,
				   const struct sl_cls *c, __u32 path,
				   __u32 method, __u64 stamp_ns, __u64 now_ns)
{
	__u32 half = method == SL_M_QUIC_SPIN ? SL_HALF_FULL :
		     c->dir == SL_DIR_IN ? SL_HALF_FAR :
		     c->dir == SL_DIR_OUT ? SL_HALF_NEAR : SL_HALF_UNKNOWN;
	__u64 rtt_ns = now_ns - stamp_ns;

	if (now_ns < stamp_ns) {
		count_miss(c->lane, SL_MISS_CLOCK_BACK);
		return;
	}
	if (rtt_ns > sl_set.stamp_max_ns) {
		count_miss(c->lane, SL_MISS_EXPIRED);
		return;
	}
	sl_account(c->lane, path, method << 8 | half, rtt_ns);
	remember(p, c, SL_RECENT_WHAT(rtt_ns, method, path, half), now_ns);
	if (sl_set.replay)
		replay_sample(p, c->lane, path, method, half, rtt_ns);
}

/* The one way out: every exit is counted by slot and reason. */
static __always_inline int leave(__u32 slot, __u32 reason, __u32 frame_b)
{
	__u32 k = cpu_row() * SL_MAX_SLOTS + slot;
	struct sl_port_ctr *ctr = bpf_map_lookup_elem(&sl_port_ctrs, &k);

	if (ctr && reason < SL_REASON_SLOTS) {
		ctr->packets[reason]++;
		ctr->bytes[reason] += frame_b;
	}
	if (sl_set.replay) {
		struct sl_replay *r = replay_block();

		if (r)
			r->reason = reason;
	}
	return reason >= SL_R_DROP_FIRST ? XDP_DROP : XDP_PASS;
}

#endif
