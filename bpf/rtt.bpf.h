/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What every method shares. A method is a file that says of a packet
 *
 *	stamp	whether it starts the clock of its direction,
 *	answer	whether it ends the clock of the other one (a sample),
 *	void	whether it shows that nothing can end it any more,
 *
 * and how it is recognised (for the parser: the first function of the file).
 * match.bpf.h has a line for each.
 */
#ifndef SL_RTT_BPF_H
#define SL_RTT_BPF_H

#include "flow.bpf.h"
#include "sample.bpf.h"

/* Both ends of a flow as this packet sees them. */
struct sl_ends {
	struct sl_flow *flow;
	struct sl_flow_dir *mine, *peer;
	__u8 *my_flags, *peer_flags;
	struct sl_lane_ctr *ctr;	/* of the lane and path; may be NULL */
};

/* What a stamp's question was answered with. */
#define SL_ANSWERS	1
#define SL_VOIDS	(-1)

/* RFC 7323 and TCP serial order. */
static __always_inline int newer(__u32 a, __u32 b)
{
	return (__s32)(a - b) > 0;
}

/* Take the stamp of a direction: the winner of the exchange owns it. */
static __always_inline __u64 take_stamp(struct sl_flow_dir *d)
{
	return __sync_lock_test_and_set(&d->stamp_ns, 0);
}

static __always_inline void put_stamp(struct sl_flow_dir *d, __u64 now_ns)
{
	*(volatile __u64 *)&d->stamp_ns = now_ns;
}

/* TCP without time stamps: is iss the highest ACK? (Their flags' bits mean
 * else once a time stamp was seen.) */
static __always_inline int has_una(__u8 flags)
{
	return (flags & (SL_FD_TS | SL_FD_UNA)) == SL_FD_UNA;
}

/* Units of the coarse clock (2^20 ns) from ns to the flow's last packet. */
static __always_inline __u32 coarse_since(const struct sl_flow *f, __u64 ns)
{
	return coarse_age(f->seen, ns >> 20);
}

/* An outstanding stamp that nobody can answer in time any more. Judged by
 * the flow's coarse time, so that the clock is not read for it. */
static __always_inline int stamp_is_old(const struct sl_flow *f, __u64 stamp_ns)
{
	return coarse_since(f, stamp_ns) > (sl_set.stamp_max_ns >> 20) + 1;
}

#endif
