/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Transmit time stamps of packets that others sent through us. The kernel
 * reports a stamp to the socket that owns the packet: a forwarded packet has
 * none, so it gets ours for its last steps, and the report is taken off our
 * socket's error queue (Documentation/networking/timestamping.rst).
 */
#ifndef SLK_STAMP_H
#define SLK_STAMP_H

#include <sealane/kmod.h>

struct sk_buff;

int slk_stamp_init(void);
void slk_stamp_exit(void);
/*
 * Ask when a packet is sent that arrived at arrived_ns (CLOCK_MONOTONIC). In the
 * transmit path, before the queue. 0, or a negative errno and the packet is as
 * it was.
 */
int slk_stamp_ask(struct sk_buff *skb, u64 arrived_ns, u32 lane, u32 path);
/* How many are waited for, after those were given up whose time is over. */
u32 slk_stamp_pending(void);

#endif
