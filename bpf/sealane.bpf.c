// SPDX-License-Identifier: GPL-2.0
/*
 * The packet's way, from top to bottom:
 *
 *	parse -> classify -> verdict -> match -> account -> pass or drop
 *
 * One program for every NIC; what a packet's interface is comes from
 * sl_ports. Measurement never decides a verdict, and whatever cannot be
 * parsed is counted by its reason and passes unless an address of it is
 * blocked.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <sealane/abi.h>
#include "base.bpf.h"
#include "parse.bpf.h"
#include "classify.bpf.h"
#include "verdict.bpf.h"
#include "match.bpf.h"
#include "account.bpf.h"
#include "keep.bpf.h"
#include "work.bpf.h"
#include "drops.bpf.h"
#ifndef SL_NATIVE
#include "residence.bpf.h"
#endif

/* For the unusual: its layers one by one. A function of its own, likewise. */
__noinline int sl_parse_layer(struct xdp_md *ctx, struct sl_pkt *p)
{
	struct sl_view v = {
		.data = (const __u8 *)(long)ctx->data,
		.end = (const __u8 *)(long)ctx->data_end,
	};

	if (!p)
		return SL_R_TRUNCATED;
	return parse_layer(&v, p);
}

/* From the Ethernet header on. 0 when a TCP, UDP or ICMP header was reached,
 * else the reason why not. */
static __always_inline int parse(struct xdp_md *ctx, struct sl_pkt *p)
{
	struct sl_view v = {
		.data = (const __u8 *)(long)ctx->data,
		.end = (const __u8 *)(long)ctx->data_end,
	};
	int i, reason;

	p->cap_b = ctx->data_end - ctx->data;
	p->wire_b = p->frame_b;
	reason = parse_usual(&v, p);
	for (i = 0; i < SL_PARSE_STEPS; i++) {
		if (reason || p->layer == SL_L_DONE)
			return reason;
		reason = sl_parse_layer(ctx, p);
	}
	return SL_R_TOO_DEEP;
}

/* Does the IP header say that all of the frame lies before us? */
static __always_inline int is_whole(const __u8 *d, __u32 len_b)
{
	__u32 etype = sl_be16(d + 12), ip_b;

	if (etype == 0x0800)
		ip_b = sl_be16(d + 16);
	else if (etype == 0x86dd)
		ip_b = sl_be16(d + 18) ? sl_be16(d + 18) + 40 : 0;
	else
		return 0;
	return ip_b && ip_b + 14 <= len_b;
}

/* Frame length on the wire: all fragments of the buffer; in replay the length
 * of the captured packet, of which only the first part is presented. */
static __always_inline __u32 frame_length(struct xdp_md *ctx)
{
	const __u8 *d = (const __u8 *)(long)ctx->data;
	const __u8 *end = (const __u8 *)(long)ctx->data_end;

	if (sl_set.replay) {
		struct sl_replay *r = replay_block();

		return r ? r->wire_b : 0;
	}
	if (d + 20 <= end && is_whole(d, end - d))
		return end - d;
	return bpf_xdp_get_buff_len(ctx);
}

/* A record without a time stamp can be judged but not measured. */
static __always_inline int has_clock(void)
{
	struct sl_replay *r;

	if (!sl_set.replay)
		return 1;
	r = replay_block();
	return r && !(r->flags & SL_REPLAY_NO_TIME);
}

static __always_inline int handle(struct xdp_md *ctx)
{
	const struct sl_port tap = { .side = SL_SIDE_TAP }, *port = &tap;
	const struct sl_ctl *ctl = control();
	__u32 frame_b = frame_length(ctx), row = cpu_row();
	struct sl_work *w = bpf_map_lookup_elem(&sl_works, &row);
	int reason, drop;

	if (!sl_set.replay)
		port = port_of(ctx->ingress_ifindex);
	if (!ctl || !port || !w)
		return leave(0, SL_R_NO_PORT, frame_b);
	if (ctl->bypass)
		return leave(port->slot, SL_R_BYPASS, frame_b);

	w->pkt = (struct sl_pkt){ .frame_b = frame_b };
	w->cls = (struct sl_cls){ .dir = SL_DIR_UNKNOWN,
				  .bank = bank_of(ctl) };
	w->reason = parse(ctx, &w->pkt);
	sl_forget();
	if (port->vlans)
		port = port_of_vlan(port, ctx->ingress_ifindex, w->pkt.vlan);
	if (!port)
		return leave(0, SL_R_NO_PORT, frame_b);
	classify(&w->pkt, port->side, &w->cls);
	sl_forget();
	reason = w->reason;
	if (reason == SL_R_TRUNCATED && w->pkt.family)
		count_miss(w->cls.lane, SL_MISS_TRUNCATED);
	w->path = port->path;
	drop = verdict(ctl, w);
	if (drop) {
		reason = drop;
		show_drop(ctl, w, drop, port->slot);
	} else if (!reason && w->cls.home) {
		reason = w->cls.home;
	} else if (!reason && !has_clock()) {
		reason = SL_R_NO_TIME;
	} else if (!reason) {
		reason = match(w, port->path);
	}
	if (ctl->sample_every)
		maybe_keep(w, ctl->sample_every, reason);
	return leave(port->slot, reason, frame_b);
}

SEC("xdp.frags")
int sealane(struct xdp_md *ctx)
{
	return handle(ctx);
}

char LICENSE[] SEC("license") = "GPL";
