// SPDX-License-Identifier: GPL-2.0
/* Somebody else's filter: the router of the one-armed gateway, for kernels that
 * have no VLAN devices. What comes by VLAN 10 leaves by 20 and the other way
 * round; all else it passes on. */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_helpers.h>

SEC("tc")
int turn(struct __sk_buff *skb)
{
	__u16 id = skb->vlan_tci & 0xfff;

	if (!skb->vlan_present || (id != 10 && id != 20))
		return TC_ACT_UNSPEC;
	if (bpf_skb_vlan_pop(skb) ||
	    bpf_skb_vlan_push(skb, skb->vlan_proto, 30 - id))
		return TC_ACT_SHOT;
	return bpf_redirect(skb->ifindex, 0);
}

char LICENSE[] SEC("license") = "GPL";
