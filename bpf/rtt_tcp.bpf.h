/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Stage 4, match: TCP. Two methods share the one stamp of a direction:
 *
 * tcp-hs  SYN -> SYN-ACK with ack = seq + 1, and SYN-ACK -> first ACK of it;
 *         void when the stamped packet was seen twice (Karn).
 * tcp-ts  the first payload, SYN or FIN with a TSval that is the newest of its
 *         direction -> first packet back with ACK and that TSecr; a newer
 *         TSecr voids the stamp (RFC 7323 serial order).
 *
 * A SYN with a new sequence number on an old port pair is a new connection
 * and forgets the old one.
 */
#ifndef SL_RTT_TCP_BPF_H
#define SL_RTT_TCP_BPF_H

#include "account.bpf.h"
#include "flow.bpf.h"

/* Both ends of a flow as this packet sees them. */
struct sl_tcp {
	struct sl_flow *flow;
	struct sl_flow_dir *mine, *peer;
	__u8 *my_flags, *peer_flags;
};

#define SL_SEQ_LATE	(1U << 20)	/* bytes that a copy may be late */

static __always_inline int newer(__u32 a, __u32 b)
{
	return (__s32)(a - b) > 0;
}

/* Take the stamp of a direction: the winner of the exchange owns it. */
static __always_inline __u64 take_stamp(struct sl_flow_dir *d)
{
	return __sync_lock_test_and_set(&d->stamp_ns, 0);
}

/* A new connection on the old port pair. Of the old one only the highest ACK is
 * kept, as a point of recovery (rtt_seq.bpf.h): what is sent below it cannot be
 * told from late copies. */
static __always_inline void forget(struct sl_flow_dir *d, __u8 *flags)
{
	__u32 una = d->iss;
	int had = !(*flags & SL_FD_TS) && *flags & SL_FD_UNA;

	*d = (struct sl_flow_dir){};
	*flags = 0;
	if (!had)
		return;
	d->stamp_id = una;
	*flags = SL_FD_SEQ2;
}

/* SYN and SYN-ACK: is this a connection we do not know yet? */
static __always_inline void tcp_open(const struct sl_pkt *p, struct sl_tcp *t)
{
	__u8 fl = *t->my_flags;
	int known = fl & SL_FD_SYN;
	int una = !(fl & SL_FD_TS) && fl & SL_FD_UNA;

	if (known ? t->mine->iss == p->seq : !una && !(fl & SL_FD_SEQ))
		return;		/* the same one, or the first we see */
	/* without the ISS: a little behind is a late copy, not a new one */
	if (una && fl & SL_FD_SEQ && t->mine->seq_nxt - p->seq < SL_SEQ_LATE)
		return;
	if (!(p->tcp_flags & SL_TCP_ACK) || !(*t->peer_flags & SL_FD_SYN) ||
	    p->ack != t->peer->iss + 1)
		forget(t->peer, t->peer_flags);
	forget(t->mine, t->my_flags);
}

/* Does this packet acknowledge the peer's SYN or SYN-ACK? 1: it answers the
 * stamp; -1: it shows that the stamp can no longer be answered. */
static __always_inline int hs_answer(const struct sl_pkt *p,
				     const struct sl_tcp *t)
{
	__u32 want = t->peer->iss + 1;
	__u8 fl = p->tcp_flags;

	if (!(*t->peer_flags & SL_FD_STAMP_HS) || !(fl & SL_TCP_ACK))
		return 0;
	if (!(*t->peer_flags & SL_FD_SYNACK)) {
		if (p->ack != want)
			return 0;
		if (fl & SL_TCP_RST)
			return -1;
		/* the first SYN-ACK only: a repeated one answers nothing */
		return fl & SL_TCP_SYN && !(*t->my_flags & SL_FD_SYN);
	}
	if (fl & (SL_TCP_SYN | SL_TCP_RST))
		return 0;
	if (p->ack == want)
		return 1;
	return newer(p->ack, want) ? -1 : 0;
}

/* Does its TSecr answer the peer's stamp? 1: yes; -1: a newer one came. */
static __always_inline int ts_answer(const struct sl_pkt *p,
				     const struct sl_tcp *t)
{
	if (!(*t->peer_flags & SL_FD_STAMP_TS) ||
	    !(*t->peer_flags & SL_FD_TS) || !p->has_ts || !p->tsecr ||
	    !(p->tcp_flags & SL_TCP_ACK))
		return 0;
	if (p->tsecr == t->peer->stamp_id)
		return 1;
	return newer(p->tsecr, t->peer->stamp_id) ? -1 : 0;
}

static __always_inline void tcp_answer(const struct sl_pkt *p,
				       const struct sl_cls *c, __u32 path,
				       struct sl_tcp *t)
{
	int hs, ts;
	__u64 stamp_ns, now_ns;

	if (!t->peer->stamp_ns ||
	    (!(*t->peer_flags & SL_FD_TS) && *t->peer_flags & SL_FD_SEQ1))
		return;
	hs = hs_answer(p, t);
	ts = ts_answer(p, t);
	if (!hs && !ts)
		return;
	stamp_ns = take_stamp(t->peer);
	if (!stamp_ns)
		return;
	if (hs <= 0 && ts <= 0) {
		count_miss(c->lane, SL_MISS_VOIDED);
		return;
	}
	now_ns = clock_ns();
	if (hs > 0)
		sample(p, c, path, SL_M_TCP_HS, stamp_ns, now_ns);
	if (ts > 0)
		sample(p, c, path, SL_M_TCP_TS, stamp_ns, now_ns);
}

/*
 * The TSval of every packet moves ts_max; 1 when this packet is the first that
 * occupies sequence space with the newest TSval, so that it may be stamped. A
 * pure ACK may have shown the same TSval before it, within one clock tick:
 * see docs/decisions.md, "tcp-ts behind a pure ACK".
 */
static __always_inline int ts_advance(const struct sl_pkt *p, __u32 first,
				      struct sl_tcp *t)
{
	__u8 fl = *t->my_flags, tf = p->tcp_flags;
	int occupies = p->payload_b || tf & (SL_TCP_SYN | SL_TCP_FIN);

	if (!p->has_ts || tf & SL_TCP_RST)
		return 0;
	if (!(fl & SL_FD_TS) && fl & (SL_FD_UNA | SL_FD_SEQ1 | SL_FD_SEQ2)) {
		/* an option out of nowhere: begin anew with it */
		if (fl & SL_FD_SEQ1)
			take_stamp(t->mine);
		fl &= ~(SL_FD_UNA | SL_FD_SEQ1 | SL_FD_SEQ2);
	}
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

/* A SYN or SYN-ACK: 1 when it is the first copy, so that it may be stamped.
 * A repeated one takes the handshake out of an outstanding stamp (Karn). */
static __always_inline int hs_advance(const struct sl_pkt *p,
				      const struct sl_cls *c, struct sl_tcp *t)
{
	__u8 fl = *t->my_flags;

	if (!(p->tcp_flags & SL_TCP_SYN) || p->tcp_flags & SL_TCP_RST)
		return 0;
	if (!(fl & SL_FD_TS) && fl & SL_FD_UNA)
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

/* An outstanding stamp that nobody can answer in time any more. Judged by
 * the flow's coarse time, so that the clock is not read for it. */
static __always_inline int stamp_is_old(const struct sl_flow *f, __u64 stamp_ns)
{
	__u32 age = f->seen - (__u32)(stamp_ns >> 20);

	return (__s32)age > (__s32)(sl_set.stamp_max_ns >> 20) + 1;
}

static __always_inline void tcp_stamp(const struct sl_pkt *p,
				      const struct sl_cls *c, __u32 first,
				      struct sl_tcp *t)
{
	int hs = hs_advance(p, c, t), ts = ts_advance(p, first, t);
	__u64 old_ns = t->mine->stamp_ns;

	if (!hs && !ts)
		return;
	if (old_ns) {
		if (!stamp_is_old(t->flow, old_ns))
			return;
		count_miss(c->lane, SL_MISS_EXPIRED);
	}
	*t->my_flags &= *t->my_flags & SL_FD_TS ?
			~(SL_FD_STAMP_HS | SL_FD_STAMP_TS) : ~SL_FD_STAMP_HS;
	*t->my_flags |= (hs ? SL_FD_STAMP_HS : 0) | (ts ? SL_FD_STAMP_TS : 0);
	if (ts)
		t->mine->stamp_id = p->tsval;
	*(volatile __u64 *)&t->mine->stamp_ns = clock_ns();
}

/* Highest sequence seen; payload below it is a retransmission (or arrived
 * out of order: from here they look the same). Keep-alive probes are not. */
static __always_inline void tcp_sequence(const struct sl_pkt *p,
					 const struct sl_tcp *t,
					 struct sl_lane_ctr *ctr, __u32 way)
{
	__u8 fl = p->tcp_flags;
	__u32 end = p->seq + p->payload_b + !!(fl & SL_TCP_SYN) +
		    !!(fl & SL_TCP_FIN);
	int known = *t->my_flags & SL_FD_SEQ;

	if (fl & SL_TCP_RST)
		return;
	if (p->payload_b && ctr) {
		ctr->tcp_data[way]++;
		if (known && newer(t->mine->seq_nxt, p->seq) &&
		    !(p->payload_b == 1 && p->seq + 1 == t->mine->seq_nxt))
			ctr->retrans[way]++;
	}
	if (!known || newer(end, t->mine->seq_nxt)) {
		t->mine->seq_nxt = end;
		*t->my_flags |= SL_FD_SEQ;
	}
}

/* A fragment's L4 gives no sample, but what it tells voids what it would have
 * answered. */
static __always_inline void tcp_fragment(const struct sl_pkt *p,
					 const struct sl_cls *c, __u32 first,
					 struct sl_tcp *t)
{
	count_miss(c->lane, SL_MISS_FRAGMENTED);
	take_stamp(t->peer);
	take_stamp(t->mine);
	hs_advance(p, c, t);
	ts_advance(p, first, t);
}

#endif
