// SPDX-License-Identifier: GPL-2.0
#include <linux/types.h>
#include <linux/btf_ids.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/skbuff.h>
#include <net/sch_generic.h>
#include "kfuncs.h"
#include "stamp.h"

#ifndef BTF_KFUNCS_START
#define BTF_KFUNCS_START(name) BTF_SET8_START(name)
#define BTF_KFUNCS_END(name) BTF_SET8_END(name)
#endif

#define ARRIVED_MAX_NS (60ULL * NSEC_PER_SEC)

/**
 * sealane_tx_stamp() - ask when a forwarded packet is sent
 * @ctx: the packet, in a program at traffic control's egress
 * @arrived_ns: when it arrived, CLOCK_MONOTONIC
 * @lane: for the series that its residence goes to, below SL_MAX_LANES
 * @path: likewise, below SL_MAX_PATHS
 *
 * Return: 0, -EBUSY when too many are waited for, -EOPNOTSUPP when this packet
 * cannot be asked about, -ENODEV when none of its interface can, -EINVAL for
 * what cannot be.
 */
__bpf_kfunc int sealane_tx_stamp(struct __sk_buff *ctx, u64 arrived_ns,
				 u32 lane, u32 path)
{
	struct sk_buff *skb = (struct sk_buff *)ctx;
	u64 now_ns = ktime_get_ns();

	if (lane >= SL_MAX_LANES || path >= SL_MAX_PATHS ||
	    arrived_ns > now_ns || now_ns - arrived_ns > ARRIVED_MAX_NS ||
	    skb_at_tc_ingress(skb))
		return -EINVAL;
	return slk_stamp_ask(skb, arrived_ns, lane, path);
}

/* The kernel takes one set of a module for each kind of program. */
BTF_KFUNCS_START(tc_ids)
BTF_ID_FLAGS(func, sealane_tx_stamp)
BTF_ID_FLAGS(func, sealane_lookup6)
BTF_KFUNCS_END(tc_ids)

BTF_KFUNCS_START(xdp_ids)
BTF_ID_FLAGS(func, sealane_lookup6)
BTF_KFUNCS_END(xdp_ids)

static const struct btf_kfunc_id_set tc_set = {
	.owner = THIS_MODULE,
	.set = &tc_ids,
};

static const struct btf_kfunc_id_set xdp_set = {
	.owner = THIS_MODULE,
	.set = &xdp_ids,
};

int slk_kfuncs_init(void)
{
	return register_btf_kfunc_id_set(BPF_PROG_TYPE_SCHED_CLS, &tc_set) ?:
	       register_btf_kfunc_id_set(BPF_PROG_TYPE_XDP, &xdp_set);
}
