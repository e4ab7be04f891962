// SPDX-License-Identifier: GPL-2.0
#include <linux/delay.h>
#include <linux/errqueue.h>
#include <linux/in.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/net.h>
#include <linux/netdevice.h>
#include <linux/net_tstamp.h>
#include <linux/random.h>
#include <linux/skbuff.h>
#include <linux/spinlock.h>
#include <linux/tcp.h>
#include <linux/workqueue.h>
#include <net/net_namespace.h>
#include <net/sock.h>
#include "clock.h"
#include "nic.h"
#include "pending.h"
#include "series.h"
#include "stamp.h"
#include "stats.h"

static unsigned int pending_ms = SLK_PENDING_MS;
module_param(pending_ms, uint, 0444);
MODULE_PARM_DESC(pending_ms, "A packet counts as lost when no stamp of it has come by then");

static struct slk_pending pending;
static DEFINE_SPINLOCK(lock);
static struct socket *sock;
static void (*report_before)(struct sock *sk);
static u32 next_key;

static u64 limit_ns(void)
{
	return pending_ms * (u64)NSEC_PER_MSEC;
}

static u64 key_of_series(const struct slk_wait *w)
{
	return SL_SERIES_KEY(w->lane, w->path, w->hw ? SL_M_TX_HW : SL_M_TX_SW,
			     SL_HALF_SELF);
}

/* Nothing was heard of a packet. Under our lock. */
static void lost(const struct slk_wait *w)
{
	slk_stats_count(SLK_S_LOST);
	slk_series_lost(key_of_series(w));
	slk_nic_lost(w->net, w->ifindex, w->hw, w->asked_ns);
}

/* --- a stamp has come --- */

/*
 * When the packet was sent, by CLOCK_MONOTONIC; 0: its stamp is of a clock that
 * we do not know, or says what cannot be. A report without the NIC's stamp is
 * made while the packet is handed over: that is now.
 */
static u64 sent_ns(const struct slk_wait *w, ktime_t hw)
{
	u64 now_ns = ktime_get_ns(), ns;

	if (!hw)
		return now_ns;
	ns = slk_nic_mono_ns(w->net, w->ifindex, ktime_to_ns(hw));
	if (ns > now_ns)
		ns = ns - now_ns < SLK_CLOCK_ERROR_NS ? now_ns : 0;
	return ns + SLK_CLOCK_ERROR_NS < w->asked_ns ? 0 : ns;
}

/* Its wait; -1: nobody waits for it, or no longer. */
static int take(u32 key, struct slk_wait *w)
{
	unsigned long flags;
	int rc;

	spin_lock_irqsave(&lock, flags);
	rc = slk_pending_take(&pending, key, w);
	if (!rc && slk_pending_is_over(w, ktime_get_ns(), limit_ns())) {
		lost(w);
		rc = -1;
	}
	spin_unlock_irqrestore(&lock, flags);
	return rc;
}

static void settle(struct sk_buff *report)
{
	ktime_t hw = skb_hwtstamps(report)->hwtstamp;
	struct slk_wait w;
	u64 ns;

	if (take(skb_shinfo(report)->tskey, &w)) {
		slk_stats_count(SLK_S_REPEATED);
		return;
	}
	slk_nic_answered(w.net, w.ifindex, w.hw, w.asked_ns);
	ns = sent_ns(&w, hw);
	/* what NIC and system tell apart may lie in their error */
	if (!ns || ns < w.arrived_ns) {
		slk_stats_count(SLK_S_CLOCK);
		return;
	}
	w.hw = hw != 0;
	slk_stats_count(w.hw ? SLK_S_HARDWARE : SLK_S_SOFTWARE);
	slk_series_add(key_of_series(&w), ns - w.arrived_ns);
}

/* Our socket's sk_error_report. Any context; sock_dequeue_err_skb() would call
 * us again from within for each further report. */
static void reported(struct sock *sk)
{
	struct sk_buff *report;

	while ((report = skb_dequeue(&sk->sk_error_queue))) {
		if (SKB_EXT_ERR(report)->ee.ee_origin ==
		    SO_EE_ORIGIN_TIMESTAMPING)
			settle(report);
		dev_consume_skb_any(report);
	}
}

/* --- ask for one --- */

/*
 * Segments are made of it: the stamp goes with the one that holds the sequence
 * number which is the key (tcp_gso_tstamp()), but only the last one has an owner
 * to report to (skb_segment()). So the key is the last byte's. What is no TCP, or
 * lies in a tunnel, has no such place, but for UDP, whose segments all have an
 * owner.
 */
static bool has_gso_key(const struct sk_buff *skb)
{
	if (!skb_is_gso(skb))
		return true;
	if (skb->encapsulation)
		return false;
	if (skb_shinfo(skb)->gso_type & SKB_GSO_UDP_L4)
		return true;
	return skb_is_gso_tcp(skb) && skb_transport_header_was_set(skb) &&
	       skb_transport_offset(skb) + sizeof(struct tcphdr) <=
	       skb_headlen(skb);
}

/* Why a packet cannot be asked about; SLK_S_MAX: it can. */
static enum slk_stat unfit(const struct sk_buff *skb)
{
	if (skb->sk || skb->destructor)
		return SLK_S_OWNED;
	/* its clones share the place where the stamp is asked for */
	if (skb_shared(skb) || skb_cloned(skb))
		return SLK_S_CLONED;
	if (skb_shinfo(skb)->tx_flags & SKBTX_ANY_TSTAMP)
		return SLK_S_STAMPED;
	if (!has_gso_key(skb))
		return SLK_S_GSO;
	return slk_nic_is_fit(skb->dev) ? SLK_S_MAX : SLK_S_DEVICE;
}

static u32 key_of(const struct sk_buff *skb)
{
	lockdep_assert_held(&lock);
	/* (its type may say TCP where it is one segment only) */
	if (skb_is_gso(skb) && skb_is_gso_tcp(skb))
		return ntohl(tcp_hdr(skb)->seq) + skb->len -
		       skb_transport_offset(skb) - tcp_hdrlen(skb) - 1;
	return next_key++;
}

/* Wait for a packet's stamp: 0 with its key. */
static int wait_for(const struct sk_buff *skb, struct slk_wait *w)
{
	unsigned long flags;
	int rc;

	spin_lock_irqsave(&lock, flags);
	w->key = key_of(skb);
	slk_pending_expire(&pending, w->key, w->asked_ns, limit_ns(), lost);
	rc = slk_pending_add(&pending, w);
	spin_unlock_irqrestore(&lock, flags);
	return rc;
}

int slk_stamp_ask(struct sk_buff *skb, u64 arrived_ns, u32 lane, u32 path)
{
	struct slk_wait w = {
		.arrived_ns = arrived_ns, .asked_ns = ktime_get_ns(),
		.net = dev_net(skb->dev)->net_cookie,
		.ifindex = skb->dev->ifindex, .lane = lane, .path = path };
	enum slk_stat why = unfit(skb);
	int hw;

	if (why != SLK_S_MAX) {
		slk_stats_count(why);
		return why == SLK_S_DEVICE ? -ENODEV : -EOPNOTSUPP;
	}
	hw = slk_nic_ask(w.net, w.ifindex, w.asked_ns);
	if (hw < 0) {
		slk_stats_count(SLK_S_SILENT);
		return hw;
	}
	w.hw = hw;
	if (wait_for(skb, &w)) {
		slk_stats_count(SLK_S_BUSY);
		slk_series_busy(key_of_series(&w));
		if (w.hw)
			slk_nic_not_asked(w.net, w.ifindex);
		return -EBUSY;
	}
	/* not sock_efree: netem would take such a socket away */
	skb_set_owner_w(skb, sock->sk);
	skb_shinfo(skb)->tskey = w.key;
	/* one of both: some drivers report both, the poorer first */
	skb_shinfo(skb)->tx_flags |= w.hw ? SKBTX_HW_TSTAMP : SKBTX_SW_TSTAMP;
	slk_stats_count(SLK_S_ASKED);
	return 0;
}

u32 slk_stamp_pending(void)
{
	unsigned long flags;
	u32 n, bucket;

	for (bucket = 0; bucket < SLK_BUCKETS; bucket++) {
		spin_lock_irqsave(&lock, flags);
		slk_pending_expire(&pending, bucket, ktime_get_ns(),
				   limit_ns(), lost);
		spin_unlock_irqrestore(&lock, flags);
	}
	spin_lock_irqsave(&lock, flags);
	n = slk_pending_count(&pending);
	spin_unlock_irqrestore(&lock, flags);
	return n;
}

/* --- the socket --- */

/* Reports without the packet, the NIC's where there is one; nothing is ever
 * sent or received here. */
#define REPORT_FLAGS (SOF_TIMESTAMPING_TX_SOFTWARE | \
	SOF_TIMESTAMPING_TX_HARDWARE | SOF_TIMESTAMPING_SOFTWARE | \
	SOF_TIMESTAMPING_RAW_HARDWARE | SOF_TIMESTAMPING_OPT_TSONLY)

static void set_report(struct sock *sk, void (*report)(struct sock *sk))
{
	write_lock_bh(&sk->sk_callback_lock);
	sk->sk_error_report = report;
	write_unlock_bh(&sk->sk_callback_lock);
}

/* In a worker, which belongs to no cgroup but the root: whoever loads the module
 * would else be asked about the packets. */
static void make_socket(struct work_struct *work)
{
	if (sock_create_kern(&init_net, AF_INET, SOCK_DGRAM, IPPROTO_UDP,
			     &sock))
		sock = NULL;
}

int slk_stamp_init(void)
{
	struct work_struct work;

	if (pending_ms < 100 || pending_ms > 60000)
		return -EINVAL;
	INIT_WORK_ONSTACK(&work, make_socket);
	schedule_work(&work);
	flush_work(&work);
	destroy_work_on_stack(&work);
	if (!sock)
		return -ENOBUFS;
	next_key = get_random_u32();
	WRITE_ONCE(sock->sk->sk_tsflags, REPORT_FLAGS);
	report_before = sock->sk->sk_error_report;
	set_report(sock->sk, reported);
	return 0;
}

/* Packets of ours may still stand in a queue: they keep the socket, but must
 * not find us. */
void slk_stamp_exit(void)
{
	struct sock *sk = sock->sk;
	int tries;

	for (tries = 0; tries < 20 && refcount_read(&sk->sk_wmem_alloc) > 1;
	     tries++)
		msleep(100);
	lock_sock(sk);
	sock_set_flag(sk, SOCK_DEAD);
	release_sock(sk);
	set_report(sk, report_before);
	/* those that are in the middle of a report: in a softirq, or in a task
	 * that may have been preempted there */
	synchronize_rcu_tasks();
	synchronize_rcu();
	skb_queue_purge(&sk->sk_error_queue);
	sock_release(sock);
}
