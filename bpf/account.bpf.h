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

static __always_inline void hist_add(__u32 row, __u32 slot, __u64 rtt_ns)
{
	__u32 k = row * sl_set.n_series + slot;
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

/* Put a round trip into the histogram of its series. 0: not even `other` had one. */
static __always_inline int account(__u32 row, __u64 key, __u64 rtt_ns)
{
	__u32 lane = SL_SERIES_LANE(key);
	int slot = series_slot(key);

	if (slot < 0) {		/* pool full: counted, and kept as `other` */
		count_miss(lane < sl_set.n_lanes ? lane : 0,
			   SL_MISS_SERIES_FULL);
		slot = series_slot(SL_SERIES_KEY(0, 0, SL_SERIES_METHOD(key),
						 SL_SERIES_HALF(key)));
	}
	if (slot < 0)
		return 0;
	hist_add(row, slot, rtt_ns);
	return 1;
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
