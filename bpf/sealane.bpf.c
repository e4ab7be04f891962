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

/* A function of its own: what it reads back from *p the verifier takes as
 * unknown, so that it walks the layers once and not once for each step. */
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
	int i, reason;

	p->cap_b = ctx->data_end - ctx->data;
	p->wire_b = p->frame_b;
	for (i = 0; i < SL_PARSE_STEPS; i++) {
		reason = sl_parse_layer(ctx, p);
		if (reason || p->layer == SL_L_DONE)
			return reason;
	}
	return SL_R_TOO_DEEP;
}

/* Likewise: matching is walked once, with nothing known of the packet. */
__noinline int sl_match(struct sl_pkt *p, struct sl_cls *c, __u32 port_path)
{
	if (!p || !c)
		return SL_R_UNTRACKED;
	return match(p, c, port_path);
}

/* Frame length on the wire: all fragments of the buffer; in replay the length
 * of the captured packet, of which only the first part is presented. */
static __always_inline __u32 frame_length(struct xdp_md *ctx)
{
	if (sl_set.replay) {
		struct sl_replay *r = replay_block();

		return r ? r->wire_b : 0;
	}
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

SEC("xdp.frags")
int sealane(struct xdp_md *ctx)
{
	const struct sl_port tap = { .side = SL_SIDE_TAP }, *port = &tap;
	const struct sl_ctl *ctl = control();
	__u32 frame_b = frame_length(ctx);
	struct sl_pkt pkt = { .frame_b = frame_b };
	struct sl_cls cls = { .dir = SL_DIR_UNKNOWN };
	int reason, drop;

	if (!sl_set.replay)
		port = port_of(ctx->ingress_ifindex);
	if (!ctl || !port)
		return leave(0, SL_R_NO_PORT, frame_b);
	if (ctl->bypass)
		return leave(port->slot, SL_R_BYPASS, frame_b);

	reason = parse(ctx, &pkt);
	if (port->vlans)
		port = port_of_vlan(port, ctx->ingress_ifindex, pkt.vlan);
	if (!port)
		return leave(0, SL_R_NO_PORT, frame_b);
	classify(ctl, &pkt, port->side, &cls);
	drop = verdict(&pkt, &cls);
	if (drop)
		reason = drop;
	else if (!reason && cls.home)
		reason = SL_R_HOME;
	else if (!reason && !has_clock())
		reason = SL_R_NO_TIME;
	else if (!reason)
		reason = sl_match(&pkt, &cls, port->path);
	return leave(port->slot, reason, frame_b);
}

char LICENSE[] SEC("license") = "GPL";
