/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Stage 4, match: tcp-ts. The first payload, SYN or FIN with a TSval that is
 * the newest of its direction -> first packet back with ACK and that TSecr; a
 * newer TSecr voids the stamp (RFC 7323 serial order).
 */
#ifndef SL_RTT_TCP_TS_BPF_H
#define SL_RTT_TCP_TS_BPF_H

#include "rtt.bpf.h"

/* Does its TSecr answer the peer's stamp? */
static __always_inline int ts_answer(const struct sl_pkt *p,
				     const struct sl_ends *t)
{
	if (!(*t->peer_flags & SL_FD_STAMP_TS) ||
	    !(*t->peer_flags & SL_FD_TS) || !p->has_ts || !p->tsecr ||
	    !(p->tcp_flags & SL_TCP_ACK))
		return 0;
	if (p->tsecr == t->peer->stamp_id)
		return SL_ANSWERS;
	return newer(p->tsecr, t->peer->stamp_id) ? SL_VOIDS : 0;
}

/* A SYN-ACK without the option declines it (RFC 7323, 2.5): the other end will
 * not send it any more, and its direction is one without time stamps. */
static __always_inline void ts_declined(const struct sl_pkt *p,
					struct sl_ends *t)
{
	__u8 fl = *t->peer_flags;

	if (p->has_ts || !(p->tcp_flags & SL_TCP_ACK) ||
	    (fl & (SL_FD_TS | SL_FD_SYN | SL_FD_SYNACK)) !=
	    (SL_FD_TS | SL_FD_SYN) || p->ack != t->peer->iss + 1)
		return;
	if (!(fl & SL_FD_STAMP_HS))
		take_stamp(t->peer);
	*t->peer_flags = fl & ~(SL_FD_TS | SL_FD_STAMP_TS | SL_FD_TS_PURE);
}

/* An option out of nowhere, on a direction that had none: begin anew. */
static __always_inline __u8 ts_begin(struct sl_ends *t)
{
	__u8 fl = *t->my_flags;

	if (fl & SL_FD_SEQ1)
		take_stamp(t->mine);
	if (fl & SL_FD_UNA)
		fl &= ~SL_FD_PAST;
	return fl & ~(SL_FD_UNA | SL_FD_SEQ1 | SL_FD_SEQ2);
}

/*
 * The TSval of every packet moves ts_max; 1 when this packet is the first that
 * occupies sequence space with the newest TSval, so that it may be stamped. A
 * pure ACK may have shown the same TSval before it, within one clock tick:
 * see docs/decisions.md, "tcp-ts behind a pure ACK".
 */
static __always_inline int ts_stamp(const struct sl_pkt *p, __u32 first,
				    struct sl_ends *t)
{
	__u8 fl = *t->my_flags, tf = p->tcp_flags;
	int occupies = p->payload_b || tf & (SL_TCP_SYN | SL_TCP_FIN);

	if (!p->has_ts || tf & SL_TCP_RST)
		return 0;
	if (!(fl & SL_FD_TS) && fl & (SL_FD_UNA | SL_FD_SEQ1 | SL_FD_SEQ2))
		fl = ts_begin(t);
	if (!(fl & SL_FD_TS) || newer(p->tsval, t->mine->ts_max)) {
		t->mine->ts_max = p->tsval;
		fl |= SL_FD_TS | SL_FD_TS_PURE;
	} else if (p->tsval != t->mine->ts_max || !(fl & SL_FD_TS_PURE)) {
		return 0;
	}
	if (occupies)
		fl &= ~SL_FD_TS_PURE;
	*t->my_flags = fl;
	if (!p->tsval || p->frag || !occupies)
		return 0;
	/* a flow that we may have known and forgotten starts with care */
	return first != SL_FIRST_AGAIN || tf & SL_TCP_SYN;
}

#endif
