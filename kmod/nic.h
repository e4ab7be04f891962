/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What is known of a NIC: its clock, as the agent tells it, and whether it
 * answers. A NIC is an ifindex in a network namespace (its cookie). All of it is
 * asked some hundred times a second, in any context.
 */
#ifndef SLK_NIC_H
#define SLK_NIC_H

#include <linux/types.h>
#include <sealane/kmod.h>

struct net_device;

int slk_nic_init(void);
void slk_nic_exit(void);
/* Would its packets go the same way when a socket owns one of them? */
bool slk_nic_is_fit(const struct net_device *dev);
/* 0: the driver may be asked; 1: the NIC as well; -ENODEV: it never answers. */
int slk_nic_ask(u64 net, u32 ifindex, u64 now_ns);
/* The NIC was to be asked and was not. */
void slk_nic_not_asked(u64 net, u32 ifindex);
/* How a request of asked_ns ended; losses are known long after answers are. */
void slk_nic_answered(u64 net, u32 ifindex, bool hw, u64 asked_ns);
void slk_nic_lost(u64 net, u32 ifindex, bool hw, u64 asked_ns);
/* 0, -EINVAL, or -ENOSPC. */
int slk_nic_set_clock(u64 net, const struct slk_clock *c);
/* A stamp of a NIC as CLOCK_MONOTONIC; 0: its clock is not known (any more). */
u64 slk_nic_mono_ns(u64 net, u32 ifindex, u64 stamp_ns);

#endif
