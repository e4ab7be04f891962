/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Stage 4, match: a TCP connection and its methods. tcp-hs and tcp-ts share
 * the one stamp of a direction, since a SYN may be both; tcp-seq has it where
 * there are no time stamps.
 *
 * A SYN with a new sequence number on an old port pair is a new connection
 * and forgets the old one.
 */
#ifndef SL_RTT_TCP_BPF_H
#define SL_RTT_TCP_BPF_H

#include "rtt.bpf.h"
#include "rtt_tcp_hs.bpf.h"
#include "rtt_tcp_seq.bpf.h"
#include "rtt_tcp_ts.bpf.h"
#include "tcp_health.bpf.h"

#define SL_SEQ_LATE	(1U << 20)	/* bytes that a copy may be late */

/* A new connection on the old port pair. Of the old one only the highest ACK
 * is kept, as a point of recovery (rtt_tcp_seq.bpf.h): what is sent below it
 * cannot be told from late copies. */
static __always_inline void forget(struct sl_flow_dir *d, __u8 *flags)
{
	/* a side that has not sent anything yet has the flow's origin */
	__u32 una = d->iss, origin = *flags & SL_FD_SEQ ? 0 : d->origin;
	int had = has_una(*flags);

	*d = (struct sl_flow_dir){ .origin = origin };
	*flags = 0;
	if (!had)
		return;
	d->stamp_id = una;
	*flags = SL_FD_SEQ2;
}

/* SYN and SYN-ACK: is this a connection we do not know yet? */
static __always_inline void tcp_open(const struct sl_pkt *p, struct sl_ends *t)
{
	__u8 fl = *t->my_flags;
	int known = fl & SL_FD_SYN;
	int una = has_una(fl);

	if (known ? t->mine->iss == p->seq : !una && !(fl & SL_FD_SEQ))
		return;		/* the same one, or the first we see */
	/* without the ISS: a little behind is a late copy, not a new one */
	if (una && fl & SL_FD_SEQ && t->mine->seq_nxt - p->seq < SL_SEQ_LATE)
		return;
	if (!(p->tcp_flags & SL_TCP_ACK) || !(*t->peer_flags & SL_FD_SYN) ||
	    p->ack != t->peer->iss + 1)
		forget(t->peer, t->peer_flags);
	forget(t->mine, t->my_flags);
	t->flow->state &= ~SL_FLOW_FINS;
}

static __always_inline void tcp_answer(const struct sl_pkt *p,
				       const struct sl_cls *c, __u32 path,
				       struct sl_ends *t)
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
		sample(c, path, SL_M_TCP_HS, stamp_ns, now_ns);
	if (ts > 0)
		sample(c, path, SL_M_TCP_TS, stamp_ns, now_ns);
}

static __always_inline void tcp_stamp(const struct sl_pkt *p,
				      const struct sl_cls *c, __u32 first,
				      struct sl_ends *t)
{
	int hs = hs_stamp(p, c, t), ts = ts_stamp(p, first, t);
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
	put_stamp(t->mine, clock_ns());
}

/* A fragment's L4 gives no sample, but what it tells voids what it would have
 * answered. */
static __always_inline void tcp_fragment(const struct sl_pkt *p,
					 const struct sl_cls *c, __u32 first,
					 struct sl_ends *t)
{
	count_miss(c->lane, SL_MISS_FRAGMENTED);
	take_stamp(t->peer);
	take_stamp(t->mine);
	hs_stamp(p, c, t);
	ts_stamp(p, first, t);
}

/* A connection that ends gives its line to whoever needs it: both FINs, or a
 * RST where it should be. (Packets after a RST that was none confirm it
 * again.) */
static __always_inline void tcp_close(const struct sl_pkt *p, struct sl_ends *t)
{
	__u8 state = t->flow->state;

	if (p->tcp_flags & SL_TCP_FIN)
		state |= t->mine == &t->flow->d[0] ? SL_FLOW_FIN0 : SL_FLOW_FIN1;
	if ((state & SL_FLOW_FINS) == SL_FLOW_FINS ||
	    (p->tcp_flags & SL_TCP_RST && p->seq == t->mine->seq_nxt))
		state &= ~SL_FLOW_CONFIRMED;
	t->flow->state = state;
}

/* One packet of a connection; path is its path, first: SL_FIRST_* of its line. */
static __always_inline void match_tcp(const struct sl_pkt *p,
				      const struct sl_cls *c, __u32 path,
				      __u32 first, struct sl_ends *t)
{
	if (p->tcp_flags & SL_TCP_SYN && !(p->tcp_flags & SL_TCP_RST)) {
		tcp_open(p, t);
		ts_declined(p, t);
		health_syn(p, c, t);
	}
	if (p->frag) {
		tcp_fragment(p, c, first, t);
		return;
	}
	if (!(*t->peer_flags & SL_FD_TS))
		seq_answer(p, c, path, t);
	tcp_answer(p, c, path, t);
	seq_acked(p, c, t);
	health_sequence(p, c, t);	/* before ts_max moves */
	tcp_stamp(p, c, first, t);
	seq_stamp(p, c, first, t);
	if (p->tcp_flags & (SL_TCP_FIN | SL_TCP_RST))
		tcp_close(p, t);
	tcp_sequence(p, t);
	if (!p->has_ts && p->payload_b && !(t->flow->state & SL_FLOW_NO_TS)) {
		t->flow->state |= SL_FLOW_NO_TS;
		count_miss(c->lane, SL_MISS_NO_TIMESTAMP);
	}
}

#endif
