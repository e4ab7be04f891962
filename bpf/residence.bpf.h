/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How long the gateway itself keeps a packet that leaves home: half `self`. XDP
 * has no egress, so two programs of the traffic control layer take part, and
 * between them a packet carries a number in skb->tc_index, which hardly anybody
 * else uses (docs/residence.md names who does):
 *
 *	sealane_in, at inside interfaces: choose -> stamp -> lane
 *	sealane_out, at outside ones: the stamp's packet -> ask for a stamp of its
 *	transmission (the module), or else: what it took so far
 *
 * (What XDP could write beside the frame reaches the stack too, but GRO keeps
 * packets apart whose such bytes differ, and a chosen one would overtake those
 * that GRO still holds.) Neither ever decides over a packet.
 */
#ifndef SL_RESIDENCE_BPF_H
#define SL_RESIDENCE_BPF_H

#include <linux/errno.h>
#include <linux/pkt_cls.h>
#include <sealane/kmod.h>
#include "base.bpf.h"
#include "parse.bpf.h"
#include "classify.bpf.h"
#include "account.bpf.h"

/* Chosen packets on their way. Written by sealane_in, taken by sealane_out,
 * overwritten when all later ones have had a turn. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SL_TRANSITS);
	__type(key, __u32);
	__type(value, struct sl_transit);
} sl_transits SEC(".maps");

/* Who chooses, by CPU, and what became of the chosen. Written by the packet at
 * hand, read by the agent, never deleted. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct sl_chooser);
} sl_choosers SEC(".maps");

/* What the parser finds of a chosen packet, by CPU; not of XDP's rows, whose
 * packet may be the one that brought us here. */
struct sl_departing {
	struct sl_pkt pkt;
	struct sl_cls cls;
} __attribute__((aligned(64)));

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct sl_departing);
} sl_departings SEC(".maps");

extern int sealane_tx_stamp(struct __sk_buff *skb, __u64 time_ns, __u32 lane,
			    __u32 path) __ksym __weak;

static __always_inline struct sl_chooser *chooser(void)
{
	__u32 row = cpu_row();

	return bpf_map_lookup_elem(&sl_choosers, &row);
}

/* The port of a VLAN that the NIC took off or will put on. */
static __always_inline const struct sl_port *
port_of_skb(struct __sk_buff *skb, __u32 ifindex)
{
	const struct sl_port *port = port_of(ifindex);
	__u32 vlan = skb->vlan_present ? skb->vlan_tci & 0xfff : 0;

	return port && port->vlans ? port_of_vlan(port, ifindex, vlan) : port;
}

/* May one more be taken in this tick? */
static __always_inline int in_budget(struct sl_chooser *c)
{
	__u64 tick = bpf_jiffies64();

	if (c->tick != tick) {
		c->tick = tick;
		c->taken = 0;
	}
	return c->taken < SL_TRANSIT_BURST;
}

__noinline int sl_parse_layer_skb(struct __sk_buff *skb, struct sl_pkt *p)
{
	struct sl_view v = {
		.data = (const __u8 *)(long)skb->data,
		.end = (const __u8 *)(long)skb->data_end,
	};

	if (!p)
		return SL_R_TRUNCATED;
	return parse_layer(&v, p);
}

/* All layers, one by one: chosen packets are few. What cannot be parsed to its
 * end may have an address all the same. */
static __always_inline void parse_skb(struct __sk_buff *skb, struct sl_pkt *p)
{
	int i, reason = 0;

	*p = (struct sl_pkt){ .frame_b = skb->len, .wire_b = skb->len,
			      .cap_b = skb->data_end - skb->data };
	for (i = 0; i < SL_PARSE_STEPS; i++) {
		if (reason || p->layer == SL_L_DONE)
			break;
		reason = sl_parse_layer_skb(skb, p);
	}
}

#define SL_PULL_B	256	/* headers of the deepest tunnels in use */

/* Lane of a packet that leaves home, by the same parser and tables as XDP. */
static __always_inline __u32 lane_of_skb(struct __sk_buff *skb,
					 const struct sl_ctl *ctl)
{
	__u32 row = cpu_row();
	struct sl_departing *d = bpf_map_lookup_elem(&sl_departings, &row);

	if (!d)
		return 0;
	/* headers may lie in the packet's fragments */
	bpf_skb_pull_data(skb, skb->len < SL_PULL_B ? skb->len : SL_PULL_B);
	parse_skb(skb, &d->pkt);
	d->cls = (struct sl_cls){ .bank = bank_of(ctl) };
	sl_forget();
	classify(&d->pkt, SL_SIDE_INSIDE, &d->cls);
	return d->cls.lane;
}

/* A packet was chosen: put it down and give it its number. */
static __always_inline void depart(struct __sk_buff *skb,
				   const struct sl_ctl *ctl,
				   struct sl_chooser *c)
{
	__u32 n = c->chosen, own = SL_TRANSITS_OF(sl_set.n_cpus), slot, turn;
	__u64 now_ns = clock_ns();
	struct sl_transit *t;

	slot = (cpu_row() * own + n % own) & (SL_TRANSITS - 1);
	turn = n / own % SL_TRANSIT_TURNS + 1;
	t = bpf_map_lookup_elem(&sl_transits, &slot);
	if (!t)
		return;
	c->taken++;
	c->chosen++;
	t->time_ns = 0;		/* whoever was here before is too late */
	t->hash = skb->hash;
	t->lane = lane_of_skb(skb, ctl);
	t->turn = turn;
	*(volatile __u64 *)&t->time_ns = now_ns;
	skb->tc_index = SL_TRANSIT_TAG(slot, turn);
}

static __always_inline void arrive(struct __sk_buff *skb)
{
	const struct sl_ctl *ctl = control();
	struct sl_chooser *c = chooser();
	const struct sl_port *port;
	__u32 every;

	if (!ctl || !c || ctl->bypass)
		return;
	every = ctl->transit_every & SL_SAMPLE_EVERY_MAX;
	if (!every)
		return;
	c->seen++;
	/* a longer gap is of the time when there was more traffic */
	if (c->until && c->until < 2 * every) {
		c->until--;
		return;
	}
	port = port_of_skb(skb, skb->ifindex);
	if (!port || port->side != SL_SIDE_INSIDE)
		return;
	/* 1 .. 2 every - 1 from here; also where this one cannot be taken, or
	 * the first ones of a tick would always be */
	c->until = bpf_get_prandom_u32() % (2 * every - 1);
	if (!skb->tc_index && in_budget(c))
		depart(skb, ctl, c);
}

/* The stamp of a packet's number, taken by whoever comes first; 0: the number
 * is somebody else's, or has come too late. */
static __always_inline __u64 take(struct __sk_buff *skb, __u32 *lane)
{
	__u32 tag = skb->tc_index, slot = SL_TRANSIT_SLOT(tag);
	struct sl_transit *t = bpf_map_lookup_elem(&sl_transits, &slot);

	if (!t || t->turn != SL_TRANSIT_TURN(tag) ||
	    (t->hash && skb->hash && t->hash != skb->hash))
		return 0;
	*lane = t->lane;
	return __sync_lock_test_and_set(&t->time_ns, 0);
}

static __always_inline void leaves(struct __sk_buff *skb,
				   struct sl_chooser *c)
{
	const struct sl_port *port = port_of_skb(skb, skb->ifindex);
	__u64 time_ns, now_ns;
	__u32 lane = 0;

	time_ns = take(skb, &lane);
	if (!time_ns)
		return;
	skb->tc_index = 0;
	if (!port || port->side != SL_SIDE_OUTSIDE) {
		c->elsewhere++;
		return;
	}
	c->left++;
	/* the module counts what it refuses; where it never can, this must do */
	if (sl_set.kmod & SL_KMOD_STAMP &&
	    sealane_tx_stamp(skb, time_ns, lane, port->path) != -ENODEV)
		return;
	now_ns = clock_ns();
	if (now_ns < time_ns)
		return;
	account(cpu_row(), SL_SERIES_KEY(lane, port->path, SL_M_TC, SL_HALF_SELF),
		now_ns - time_ns);
}

/* Nearly all packets carry no number. */
static __always_inline void go(struct __sk_buff *skb)
{
	struct sl_chooser *c;

	if (!skb->tc_index)
		return;
	c = chooser();
	if (c)
		leaves(skb, c);
}

SEC("tc")
int sealane_in(struct __sk_buff *skb)
{
	arrive(skb);
	return TC_ACT_UNSPEC;
}

SEC("tc")
int sealane_out(struct __sk_buff *skb)
{
	go(skb);
	return TC_ACT_UNSPEC;
}

#endif
