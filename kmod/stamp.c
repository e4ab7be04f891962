// SPDX-License-Identifier: GPL-2.0
#include <linux/delay.h>
#include <linux/errqueue.h>
#include <linux/in.h>
#include <linux/ktime.h>
#include <linux/net.h>
#include <linux/netdevice.h>
#include <linux/net_tstamp.h>
#include <linux/skbuff.h>
#include <linux/spinlock.h>
#include <linux/tcp.h>
#include <net/net_namespace.h>
#include <net/sock.h>
#include "clock.h"
#include "pending.h"
#include "series.h"
#include "stamp.h"
#include "stats.h"

static struct slk_pending pending;
static DEFINE_SPINLOCK(lock);
static struct socket *sock;
static void (*report_before)(struct sock *sk);
static u32 next_key;

/* --- a stamp has come --- */

/* When the packet was sent, by CLOCK_MONOTONIC; 0: its stamp is of a clock
 * that we do not know. A report without the NIC's stamp is made while the packet
 * is handed over: that is now. */
static u64 sent_ns(const struct sk_buff *report, const struct slk_wait *w)
{
	ktime_t hw = skb_hwtstamps((struct sk_buff *)report)->hwtstamp;

	return hw ? slk_clock_convert(w->net, w->ifindex, ktime_to_ns(hw)) :
		    ktime_get_ns();
}

static void settle(struct sk_buff *report)
{
	bool hw = skb_hwtstamps(report)->hwtstamp;
	unsigned long flags;
	struct slk_wait w;
	u64 now_ns;
	int rc;

	spin_lock_irqsave(&lock, flags);
	rc = slk_pending_take(&pending, skb_shinfo(report)->tskey, &w);
	spin_unlock_irqrestore(&lock, flags);
	if (rc) {
		slk_stats_count(SLK_S_REPEATED);
		return;
	}
	now_ns = sent_ns(report, &w);
	/* what NIC and system tell apart may lie in their error */
	if (!now_ns || now_ns < w.arrived_ns) {
		slk_stats_count(SLK_S_CLOCK);
		return;
	}
	slk_stats_count(hw ? SLK_S_HARDWARE : SLK_S_SOFTWARE);
	if (slk_series_add(SL_SERIES_KEY(w.lane, w.path, hw ? SL_M_TX_HW :
					 SL_M_TX_SW, SL_HALF_SELF),
			   now_ns - w.arrived_ns))
		slk_stats_count(SLK_S_SERIES_FULL);
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
	if (skb_is_gso(skb) && skb->encapsulation)
		return SLK_S_TUNNEL_GSO;
	return SLK_S_MAX;
}

/*
 * Its key. When TCP segments are made of a packet, the stamp goes with the one
 * whose sequence number is the key (tcp_gso_tstamp()), so there the first's is
 * the key; any other number will do elsewhere.
 */
static u32 key_of(const struct sk_buff *skb)
{
	lockdep_assert_held(&lock);
	/* (its type may say TCP where it is one segment only) */
	if (skb_is_gso(skb) && skb_is_gso_tcp(skb) &&
	    skb_transport_header_was_set(skb) && skb_transport_offset(skb) +
	    sizeof(struct tcphdr) <= skb_headlen(skb))
		return ntohl(tcp_hdr(skb)->seq);
	return next_key++;
}

/* When it arrived, as exactly as can be known: NICs that stamp what they
 * receive saw it before the kernel did. */
static u64 arrival_ns(const struct sk_buff *skb, u64 net, u64 seen_ns)
{
	ktime_t hw = skb_hwtstamps((struct sk_buff *)skb)->hwtstamp;
	u64 ns;

	if (!hw || skb_shinfo(skb)->tx_flags & SKBTX_HW_TSTAMP_NETDEV)
		return seen_ns;
	ns = slk_clock_convert(net, skb->skb_iif, ktime_to_ns(hw));
	return ns && ns <= seen_ns && seen_ns - ns < NSEC_PER_SEC ? ns :
								   seen_ns;
}

/* Wait for a packet's stamp: 0 with its key. */
static int wait_for(const struct sk_buff *skb, struct slk_wait *w)
{
	unsigned long flags;
	u32 lost;
	int rc;

	spin_lock_irqsave(&lock, flags);
	lost = slk_pending_expire(&pending, w->asked_ns);
	w->key = key_of(skb);
	rc = slk_pending_add(&pending, w);
	spin_unlock_irqrestore(&lock, flags);
	slk_stats_add(SLK_S_LOST, lost);
	return rc;
}

int slk_stamp_ask(struct sk_buff *skb, u64 arrived_ns, u32 lane, u32 path)
{
	u64 net = dev_net(skb->dev)->net_cookie;
	enum slk_stat why = unfit(skb);
	struct slk_wait w = {
		.arrived_ns = arrival_ns(skb, net, arrived_ns),
		.asked_ns = ktime_get_ns(),
		.net = net,
		.ifindex = skb->dev->ifindex,
		.lane = lane,
		.path = path,
	};

	if (why != SLK_S_MAX) {
		slk_stats_count(why);
		return -EOPNOTSUPP;
	}
	if (wait_for(skb, &w)) {
		slk_stats_count(SLK_S_BUSY);
		return -EBUSY;
	}
	/* not sock_efree: netem would take such a socket away */
	skb_set_owner_w(skb, sock->sk);
	skb_shinfo(skb)->tskey = w.key;
	skb_shinfo(skb)->tx_flags |= SKBTX_SW_TSTAMP;
	/* the kernel leaves out the software's where the NIC gives its own */
	if (slk_clock_is_known(net, skb->dev->ifindex))
		skb_shinfo(skb)->tx_flags |= SKBTX_HW_TSTAMP;
	slk_stats_count(SLK_S_ASKED);
	return 0;
}

u32 slk_stamp_pending(void)
{
	unsigned long flags;
	u32 n, lost;

	spin_lock_irqsave(&lock, flags);
	lost = slk_pending_expire(&pending, ktime_get_ns());
	n = slk_pending_count(&pending);
	spin_unlock_irqrestore(&lock, flags);
	slk_stats_add(SLK_S_LOST, lost);
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

int slk_stamp_init(void)
{
	int rc = sock_create_kern(&init_net, AF_INET, SOCK_DGRAM, IPPROTO_UDP,
				  &sock);

	if (rc)
		return rc;
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
