// SPDX-License-Identifier: GPL-2.0
#include <linux/errno.h>
#include <linux/if_arp.h>
#include <linux/ktime.h>
#include <linux/minmax.h>
#include <linux/netdevice.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <net/net_namespace.h>
#include <net/rtnetlink.h>
#include "clock.h"
#include "nic.h"

#define SILENT_AFTER	32	/* requests without an answer between them */
#define SILENT_NS	(60 * NSEC_PER_SEC)	/* then it is tried again */
#define HW_GAP_NS	(10 * NSEC_PER_MSEC)	/* between stamps of a NIC */

/* How one way of stamping fares. */
struct answers {
	u32 lost;		/* later than heard_ns */
	u64 heard_ns;		/* the latest request that was answered */
	u64 silent_until_ns;
};

struct nic {
	u64 net;
	u32 ifindex;		/* 0: free */
	u64 used_ns;
	struct answers sw, hw;
	struct slk_clock clock;	/* until_ns 0: none */
	bool hw_asked;		/* its one place is taken */
	u64 hw_next_ns;
};

static struct nic table[SLK_NICS];
static DEFINE_SPINLOCK(lock);

/* A NIC's place; with `claim` the one that was used the longest ago. */
static struct nic *find(u64 net, u32 ifindex, bool claim)
{
	struct nic *oldest = &table[0];
	int i;

	lockdep_assert_held(&lock);
	for (i = 0; i < SLK_NICS; i++) {
		if (table[i].ifindex == ifindex && table[i].net == net)
			return &table[i];
		if (table[i].used_ns < oldest->used_ns)
			oldest = &table[i];
	}
	if (!claim)
		return NULL;
	*oldest = (struct nic){ .net = net, .ifindex = ifindex };
	return oldest;
}

static bool is_silent(const struct answers *a, u64 now_ns)
{
	return a->lost >= SILENT_AFTER && now_ns < a->silent_until_ns;
}

static bool may_ask_hw(const struct nic *n, u64 now_ns)
{
	return now_ns < n->clock.until_ns && !n->hw_asked &&
	       now_ns >= n->hw_next_ns && !is_silent(&n->hw, now_ns);
}

int slk_nic_ask(u64 net, u32 ifindex, u64 now_ns)
{
	unsigned long flags;
	struct nic *n;
	int rc = 0;

	spin_lock_irqsave(&lock, flags);
	n = find(net, ifindex, true);
	n->used_ns = now_ns;
	if (may_ask_hw(n, now_ns)) {
		n->hw_asked = true;
		n->hw_next_ns = now_ns + HW_GAP_NS;
		rc = 1;
	} else if (is_silent(&n->sw, now_ns)) {
		rc = -ENODEV;
	}
	spin_unlock_irqrestore(&lock, flags);
	return rc;
}

void slk_nic_not_asked(u64 net, u32 ifindex)
{
	unsigned long flags;
	struct nic *n;

	spin_lock_irqsave(&lock, flags);
	n = find(net, ifindex, false);
	if (n)
		n->hw_asked = false;
	spin_unlock_irqrestore(&lock, flags);
}

void slk_nic_answered(u64 net, u32 ifindex, bool hw, u64 asked_ns)
{
	struct answers *a;
	unsigned long flags;
	struct nic *n;

	spin_lock_irqsave(&lock, flags);
	n = find(net, ifindex, false);
	if (n) {
		a = hw ? &n->hw : &n->sw;
		a->lost = 0;
		a->heard_ns = max(a->heard_ns, asked_ns);
		if (hw)
			n->hw_asked = false;
	}
	spin_unlock_irqrestore(&lock, flags);
}

/* A queue that drops many has answered others of the same time. After its time of
 * silence a NIC has half of its losses to its credit. */
static void count_lost(struct answers *a, u64 asked_ns, u64 now_ns)
{
	if (asked_ns <= a->heard_ns)
		return;
	if (a->lost >= SILENT_AFTER && now_ns >= a->silent_until_ns)
		a->lost = SILENT_AFTER / 2;
	if (++a->lost == SILENT_AFTER)
		a->silent_until_ns = now_ns + SILENT_NS;
}

void slk_nic_lost(u64 net, u32 ifindex, bool hw, u64 asked_ns)
{
	u64 now_ns = ktime_get_ns();
	unsigned long flags;
	struct nic *n;

	spin_lock_irqsave(&lock, flags);
	n = find(net, ifindex, false);
	if (n) {
		count_lost(hw ? &n->hw : &n->sw, asked_ns, now_ns);
		if (hw)
			n->hw_asked = false;
	}
	spin_unlock_irqrestore(&lock, flags);
}

/* --- its clock --- */
int slk_nic_set_clock(u64 net, const struct slk_clock *c)
{
	u64 now_ns = ktime_get_ns();
	unsigned long flags;
	struct nic *n;

	if (!slk_clock_is_sane(c, now_ns))
		return -EINVAL;
	spin_lock_irqsave(&lock, flags);
	n = find(net, c->ifindex, c->until_ns);
	if (n) {
		n->used_ns = now_ns;
		n->clock = *c;
	}
	spin_unlock_irqrestore(&lock, flags);
	return 0;
}

u64 slk_nic_mono_ns(u64 net, u32 ifindex, u64 stamp_ns)
{
	u64 mono_ns = 0, now_ns = ktime_get_ns();
	unsigned long flags;
	struct nic *n;

	spin_lock_irqsave(&lock, flags);
	n = find(net, ifindex, false);
	if (n && now_ns < n->clock.until_ns)
		mono_ns = slk_clock_mono_ns(&n->clock, stamp_ns);
	spin_unlock_irqrestore(&lock, flags);
	return mono_ns;
}

/* --- its kind --- */

/*
 * A veth hands a packet that a socket owns to another queue of its peer than the
 * packets around it when the peer merges what is not its own, so that it could
 * overtake them (veth_skb_is_eligible_for_gro()). Who the peer is can be asked
 * under RTNL only: as soon as one of the host's does, none is asked any more.
 */
static bool veths_merge;

static bool is_pair(const struct net_device *dev)
{
	const char *kind = dev->rtnl_link_ops ? dev->rtnl_link_ops->kind : "";

	return !strcmp(kind, "veth") || !strcmp(kind, "netkit");
}

/* Others give the packet to IP once more, where an owner is asked for his
 * cgroup; DSA's ports have a way of their own for what is to be stamped. */
bool slk_nic_is_fit(const struct net_device *dev)
{
	const char *kind = dev->rtnl_link_ops ? dev->rtnl_link_ops->kind : "";

	if (dev->type != ARPHRD_ETHER || netif_is_l3_master(dev) ||
	    !strcmp(kind, "dsa"))
		return false;
	/* without TSO all packets take the other queue */
	return !is_pair(dev) || !READ_ONCE(veths_merge) ||
	       !(dev->features & NETIF_F_ALL_TSO);
}

/* A number may be given to another interface at once. (Told of those that are there
 * already, too.) */
static int happened(struct notifier_block *nb, unsigned long event, void *data)
{
	struct net_device *dev = netdev_notifier_info_to_dev(data);
	unsigned long flags;
	struct nic *n;

	if (is_pair(dev) && dev->features & (NETIF_F_GRO_FRAGLIST |
					     NETIF_F_GRO_UDP_FWD))
		WRITE_ONCE(veths_merge, true);
	if (event != NETDEV_UNREGISTER)
		return NOTIFY_DONE;
	spin_lock_irqsave(&lock, flags);
	n = find(dev_net(dev)->net_cookie, dev->ifindex, false);
	if (n)
		*n = (struct nic){};
	spin_unlock_irqrestore(&lock, flags);
	return NOTIFY_DONE;
}

static struct notifier_block watch = { .notifier_call = happened };

int slk_nic_init(void)
{
	return register_netdevice_notifier(&watch);
}

void slk_nic_exit(void)
{
	unregister_netdevice_notifier(&watch);
}
