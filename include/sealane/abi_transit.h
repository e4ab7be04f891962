/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * Packets on their way through the gateway, as bpf/residence.bpf.h times them. Part
 * of abi.h: a change here bumps SL_ABI_VERSION.
 */
#ifndef SEALANE_ABI_TRANSIT_H
#define SEALANE_ABI_TRANSIT_H

#include <linux/types.h>

#define SL_TRANSITS		1024	/* chosen packets on their way, at most */
/* ... of one CPU */
#define SL_TRANSITS_OF(n_cpus) \
	((n_cpus) < SL_TRANSITS ? SL_TRANSITS / (n_cpus) : 1)
#define SL_TRANSIT_BURST	4	/* chosen by one CPU in one tick, at most */
/* A packet's number in skb->tc_index: its place, and which turn of it. */
#define SL_TRANSIT_TURNS	63
#define SL_TRANSIT_TAG(slot, turn) ((__u16)((turn) << 10 | (slot)))
#define SL_TRANSIT_SLOT(tag)	((tag) & (SL_TRANSITS - 1))
#define SL_TRANSIT_TURN(tag)	((tag) >> 10)

/* A packet on its way through the gateway. Accepted race: who waits for so long
 * that SL_TRANSIT_TURNS others had its place is taken for the last of them. */
struct sl_transit {
	__u64 time_ns;		/* clock at its arrival; 0: nobody, or gone */
	__u32 hash;		/* of the kernel's, if it had one by then */
	__u16 lane;
	__u16 turn;		/* 1..SL_TRANSIT_TURNS */
};

/* Who chooses them, on one CPU. */
struct sl_chooser {
	__u64 tick;		/* the kernel's ticks, at the last choice */
	__u32 taken;		/* in this tick */
	__u32 until;		/* packets until the next choice */
	__u64 seen;		/* could have been chosen */
	__u64 chosen;
	__u64 left;		/* ... and left by an outside interface */
	__u64 elsewhere;	/* ... or by another */
	__u64 pad[2];
};

_Static_assert(sizeof(struct sl_transit) == 16, "sl_transit");
_Static_assert(sizeof(struct sl_chooser) == 64, "sl_chooser");

#endif
