/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Stage 4, match: how TCP fares, from the flow's line. Counted by lane and by
 * the direction of the packet (of the SYN, for SYNs and their answers).
 *
 * A segment below the highest sequence seen (RFC 4737 would call it reordered)
 * was overtaken when its TSval is older than the newest of its direction: the
 * sender wrote it before what came first. Any other is a retransmission;
 * without time stamps the two look the same and count as that. Within one tick
 * of the sender's clock an overtaken segment counts as retransmitted too.
 */
#ifndef SL_TCP_HEALTH_BPF_H
#define SL_TCP_HEALTH_BPF_H

#include "rtt.bpf.h"

/* A SYN's first copy, and the first SYN-ACK that answers it. */
static __always_inline void health_syn(const struct sl_pkt *p,
				       const struct sl_cls *c,
				       const struct sl_ends *t)
{
	struct sl_lane_tcp *h = lane_tcp(c);
	__u32 way = c->dir == SL_DIR_IN;

	if (!h || *t->my_flags & SL_FD_SYN || has_una(*t->my_flags))
		return;		/* a copy */
	if (!(p->tcp_flags & SL_TCP_ACK))
		h->syn[way]++;
	else if ((*t->peer_flags & (SL_FD_SYN | SL_FD_SYNACK)) == SL_FD_SYN &&
		 p->ack == t->peer->iss + 1)
		h->syn_answered[way ^ 1]++;
}

/* What needs no line: resets, closed windows, SYNs that got none. */
static __always_inline void health_packet(const struct sl_pkt *p,
					  const struct sl_cls *c, int has_line)
{
	__u32 way = c->dir == SL_DIR_IN;
	__u8 fl = p->tcp_flags;
	struct sl_lane_tcp *h;

	if (p->window && !(fl & (SL_TCP_SYN | SL_TCP_RST)))
		return;
	h = lane_tcp(c);
	if (!h)
		return;
	if (fl & SL_TCP_RST)
		h->reset[way]++;
	else if (fl & SL_TCP_SYN)
		h->syn[way] += !has_line && !(fl & SL_TCP_ACK);
	else if (fl & SL_TCP_ACK)
		h->zero_window[way]++;
}

/* Payload in order or not. Keep-alive probes are neither. */
static __always_inline void health_sequence(const struct sl_pkt *p,
					    const struct sl_cls *c,
					    const struct sl_ends *t)
{
	__u32 way = c->dir == SL_DIR_IN;
	struct sl_lane_ctr *ctr = t->ctr;
	struct sl_lane_tcp *h;

	if (!ctr || !p->payload_b || p->tcp_flags & SL_TCP_RST)
		return;
	ctr->tcp_data[way]++;
	if (!(*t->my_flags & SL_FD_SEQ) || !newer(t->mine->seq_nxt, p->seq) ||
	    (p->payload_b == 1 && p->seq + 1 == t->mine->seq_nxt))
		return;
	if (!p->has_ts || !(*t->my_flags & SL_FD_TS) ||
	    !newer(t->mine->ts_max, p->tsval)) {
		ctr->retrans[way]++;
		return;
	}
	h = lane_tcp(c);
	if (h)
		h->reordered[way]++;
}

/* The highest sequence seen moves. */
static __always_inline void tcp_sequence(const struct sl_pkt *p,
					 const struct sl_ends *t)
{
	__u8 fl = p->tcp_flags;
	__u32 end = p->seq + p->payload_b + !!(fl & SL_TCP_SYN) +
		    !!(fl & SL_TCP_FIN);

	if (fl & SL_TCP_RST)
		return;
	if (!(*t->my_flags & SL_FD_SEQ) || newer(end, t->mine->seq_nxt)) {
		t->mine->seq_nxt = end;
		*t->my_flags |= SL_FD_SEQ;
	}
}

#endif
