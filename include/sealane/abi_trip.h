/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * Round trips that the data plane hands over one by one, as bpf/sample.bpf.h keeps
 * them. Part of abi.h: a change here bumps SL_ABI_VERSION.
 */
#ifndef SEALANE_ABI_TRIP_H
#define SEALANE_ABI_TRIP_H

#include <linux/types.h>

#define SL_TRIPS	4096	/* of a CPU; a power of two. A second's at the rate
				 * that the agent asks for are half as many */
#define SL_TRIP_EVERY_MAX	0xffffff	/* of sl_ctl.trip_every */

/*
 * A round trip to the far end, one of so many, in its histogram already. One line.
 * Index: cpu * SL_TRIPS + i. Written by the packet that gave it, its time last; who
 * reads it puts the time back to 0.
 */
struct sl_trip {
	__u64 time_ns;		/* clock of the answer; 0: none */
	__u64 key;		/* SL_SERIES_KEY; half far, or full */
	__u64 rtt_ns;
	__u8 addr[16];		/* the far end, of the innermost header; IPv4 as
				 * ::ffff:a.b.c.d */
	__u32 every;		/* one of so many was kept at that time */
	__u8 hop_limit;		/* IPv4: TTL; of the same header, in the packet
				 * that answered */
	__u8 dir;		/* enum sl_dir of that packet */
	__u8 pad[18];
} __attribute__((aligned(64)));

/* How a CPU chooses them. Index: cpu. */
struct sl_trip_head {
	__u32 until;		/* round trips until the next one is kept */
	__u32 kept;		/* so far; wraps. The next one's place follows */
	__u64 seen;		/* round trips that could have been, so far */
	__u64 pad[6];
};

_Static_assert(sizeof(struct sl_trip_head) == 64, "sl_trip_head");
_Static_assert(sizeof(struct sl_trip) == 64, "a trip is one cache line");

#endif
