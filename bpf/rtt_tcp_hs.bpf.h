/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Stage 4, match: tcp-hs. SYN -> first SYN-ACK with ack = seq + 1; SYN-ACK ->
 * first ACK of it. Void when the stamped packet was seen twice (Karn).
 */
#ifndef SL_RTT_TCP_HS_BPF_H
#define SL_RTT_TCP_HS_BPF_H

#include "rtt.bpf.h"

/* Does this packet acknowledge the peer's SYN or SYN-ACK? */
static __always_inline int hs_answer(const struct sl_pkt *p,
				     const struct sl_ends *t)
{
	__u32 want = t->peer->iss + 1;
	__u8 fl = p->tcp_flags;

	if (!(*t->peer_flags & SL_FD_STAMP_HS) || !(fl & SL_TCP_ACK))
		return 0;
	if (!(*t->peer_flags & SL_FD_SYNACK)) {
		if (p->ack != want)
			return 0;
		if (fl & SL_TCP_RST)
			return SL_VOIDS;
		/* the first SYN-ACK only: a repeated one answers nothing */
		return fl & SL_TCP_SYN && !(*t->my_flags & SL_FD_SYN);
	}
	if (fl & (SL_TCP_SYN | SL_TCP_RST))
		return 0;
	if (p->ack == want)
		return SL_ANSWERS;
	return newer(p->ack, want) ? SL_VOIDS : 0;
}

/* A SYN or SYN-ACK: 1 when it is the first copy, so that it may be stamped.
 * A repeated one takes the handshake out of an outstanding stamp. */
static __always_inline int hs_stamp(const struct sl_pkt *p,
				    const struct sl_cls *c, struct sl_ends *t)
{
	__u8 fl = *t->my_flags;

	if (!(p->tcp_flags & SL_TCP_SYN) || p->tcp_flags & SL_TCP_RST)
		return 0;
	if (has_una(fl))
		return 0;	/* a late copy */
	if (fl & SL_FD_SYN) {
		if (fl & SL_FD_STAMP_HS && t->mine->stamp_ns)
			count_miss(c->lane, SL_MISS_AMBIGUOUS);
		*t->my_flags &= ~SL_FD_STAMP_HS;
		return 0;
	}
	t->mine->iss = p->seq;
	*t->my_flags |= SL_FD_SYN |
			(p->tcp_flags & SL_TCP_ACK ? SL_FD_SYNACK : 0);
	return !p->frag;
}

#endif
