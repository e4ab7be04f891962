/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Stage 4, match: tcp-seq, for flows without time stamps. A segment that
 * begins at the highest sequence seen is stamped with its end; the ACK of
 * exactly that end answers it. Two adjacent ends are kept, since receivers
 * acknowledge every second segment: the later one as a difference in time and
 * length.
 *
 * Karn: whatever is sent twice, or fills a gap, ends the stamps and sets a
 * point of recovery: its end. What is new may be stamped beyond that point,
 * but the ACK of it counts only when an earlier one had passed the point: else
 * it acknowledges what was sent twice together with what was not.
 *
 * State of a direction (no time stamp option was seen in it, so the fields of
 * tcp-ts are free):
 *   SL_FD_UNA	iss holds the highest ACK of this side's data, not the ISS
 *   SL_FD_SEQ1	stamp_ns, stamp_id: time and end of the segment
 *   SL_FD_SEQ2	with SEQ1: ts_max holds the second's delay and length; alone:
 *		stamp_id is the point of recovery
 *   SL_FD_PAST	(with UNA and SEQ1) the stamp is beyond a point of recovery: ts_max
 */
#ifndef SL_RTT_TCP_SEQ_BPF_H
#define SL_RTT_TCP_SEQ_BPF_H

#include "rtt.bpf.h"

#define SL_SEQ_STATE	(SL_FD_SEQ1 | SL_FD_SEQ2)
#define SL_SEQ_SHIFT	10		/* unit of the delay: 1.024 us */

/* Both stamps of a direction, read once: its own packets may change them. */
struct sl_seq {
	__u64 ns, second_ns;	/* the second's at most a microsecond early */
	__u32 end, second_end;
};

static __always_inline void seq_read(const struct sl_flow_dir *d,
				     struct sl_seq *s)
{
	__u32 beside = d->ts_max;

	s->ns = *(volatile const __u64 *)&d->stamp_ns;
	s->end = d->stamp_id;
	s->second_ns = s->ns + ((__u64)(beside >> 16) << SL_SEQ_SHIFT);
	s->second_end = s->end + (beside & 0xffff);
}

/* The second stamp becomes the only one. Swapped and not taken, so that the
 * direction sees no moment without a stamp, in which it would set one. 1:
 * ours. */
static __always_inline int seq_promote(struct sl_flow_dir *d, __u8 *flags,
				       const struct sl_seq *s)
{
	if (__sync_val_compare_and_swap(&d->stamp_ns, s->ns, s->second_ns) !=
	    s->ns)
		return 0;
	d->stamp_id = s->second_end;
	*flags &= ~SL_FD_SEQ2;
	return 1;
}

static __always_inline int seq_past(__u8 flags)
{
	return (flags & (SL_FD_UNA | SL_FD_PAST)) == (SL_FD_UNA | SL_FD_PAST);
}

/* The bits that a direction's stamps have; PAST is another one without UNA. */
static __always_inline __u8 seq_none(__u8 flags)
{
	return flags & ~(SL_SEQ_STATE | (flags & SL_FD_UNA ? SL_FD_PAST : 0));
}

/* Stamps end, and a point of recovery is set or moves on. */
static __always_inline void seq_recover(const struct sl_cls *c,
					struct sl_flow_dir *d, __u8 *flags,
					__u32 until)
{
	__u8 fl = *flags;

	if (fl & SL_FD_SEQ1 && take_stamp(d))
		count_miss(c->lane, SL_MISS_AMBIGUOUS);
	if (seq_past(fl) && newer(d->ts_max, until))
		until = d->ts_max;
	else if ((fl & SL_SEQ_STATE) == SL_FD_SEQ2 && newer(d->stamp_id, until))
		until = d->stamp_id;
	d->stamp_id = until;
	*flags = seq_none(fl) | SL_FD_SEQ2;
}

/* A stamp ends; a recovery goes on. */
static __always_inline void seq_forget(struct sl_flow_dir *d, __u8 *flags)
{
	__u8 fl = *flags;

	if (fl & SL_FD_TS || !(fl & SL_FD_SEQ1))
		return;
	take_stamp(d);
	*flags = seq_none(fl);
	if (!seq_past(fl))
		return;
	d->stamp_id = d->ts_max;
	*flags |= SL_FD_SEQ2;
}

/* An ACK that does not reach the stamp may still pass the point of recovery. */
static __always_inline void seq_passed(struct sl_flow_dir *d, __u8 *flags,
				       __u32 ack)
{
	if (!(*flags & SL_FD_SEQ1)) {
		if (!newer(d->stamp_id, ack))
			*flags &= ~SL_FD_SEQ2;
	} else if (seq_past(*flags) && !newer(d->ts_max, ack)) {
		*flags &= ~SL_FD_PAST;
	}
}

/* The peer's stamps against this packet's ACK. */
static __always_inline void seq_answer(const struct sl_pkt *p,
				       const struct sl_cls *c, __u32 path,
				       struct sl_ends *t)
{
	struct sl_flow_dir *d = t->peer;
	__u8 fl = *t->peer_flags;
	__u64 at_ns = 0;
	struct sl_seq s;

	if ((p->tcp_flags & (SL_TCP_ACK | SL_TCP_RST)) != SL_TCP_ACK ||
	    !(fl & SL_SEQ_STATE))
		return;
	seq_read(d, &s);
	if (!(fl & SL_FD_SEQ1) || newer(s.end, p->ack)) {
		seq_passed(d, t->peer_flags, p->ack);
		return;
	}
	if (p->ack == s.end && !(seq_past(fl) && newer(d->ts_max, d->iss)))
		at_ns = s.ns;
	else if (fl & SL_FD_SEQ2 && p->ack == s.second_end)
		at_ns = s.second_ns;
	if (fl & SL_FD_SEQ2 && newer(s.second_end, p->ack)) {
		if (!s.ns || !seq_promote(d, t->peer_flags, &s))
			return;
	} else {
		*t->peer_flags = seq_none(fl);
		if (!take_stamp(d))
			return;
	}
	if (at_ns)
		sample(c, path, SL_M_TCP_SEQ, at_ns, clock_ns());
	else
		count_miss(c->lane, SL_MISS_VOIDED);
}

/* Highest ACK of the peer's data. Takes the place of its ISS, once no stamp
 * of the handshake waits for that. */
static __always_inline void seq_acked(const struct sl_pkt *p,
				      const struct sl_cls *c, struct sl_ends *t)
{
	__u8 fl = *t->peer_flags;

	if ((p->tcp_flags & (SL_TCP_ACK | SL_TCP_RST)) != SL_TCP_ACK ||
	    fl & SL_FD_TS)
		return;
	/* of what we have not seen: stamps say nothing until that is sent */
	if (fl & SL_FD_SEQ && newer(p->ack, t->peer->seq_nxt)) {
		seq_recover(c, t->peer, t->peer_flags, p->ack);
		fl = *t->peer_flags;
	}
	if (fl & SL_FD_UNA) {
		if (newer(p->ack, t->peer->iss))
			t->peer->iss = p->ack;
		return;
	}
	if (fl & SL_FD_STAMP_HS && t->peer->stamp_ns)
		return;
	t->peer->iss = p->ack;
	*t->peer_flags = (fl | SL_FD_UNA) &
			 ~(SL_FD_SYN | SL_FD_SYNACK | SL_FD_STAMP_HS);
}

/* The only stamp of its direction; beyond a point of recovery that is waited for. */
static __always_inline void seq_first(struct sl_ends *t, __u32 end)
{
	struct sl_flow_dir *d = t->mine;
	__u8 fl = *t->my_flags & ~SL_FD_STAMP_HS;

	if ((fl & SL_SEQ_STATE) == SL_FD_SEQ2) {
		d->ts_max = d->stamp_id;
		fl |= SL_FD_PAST;
	}
	*t->my_flags = (fl & ~SL_FD_SEQ2) | SL_FD_SEQ1;
	d->stamp_id = end;
	put_stamp(d, clock_ns());
}

/* Adjacent to the stamp: kept as the second. */
static __always_inline void seq_second(const struct sl_pkt *p,
				       struct sl_ends *t, __u32 end)
{
	struct sl_flow_dir *d = t->mine;
	__u64 now_ns, delay;

	if (d->stamp_id != p->seq || end - p->seq > 0xffff)
		return;
	now_ns = clock_ns();
	delay = (now_ns - d->stamp_ns) >> SL_SEQ_SHIFT;
	if (now_ns < d->stamp_ns || delay > 0xffff)
		return;
	d->ts_max = (__u32)delay << 16 | (end - p->seq);
	*t->my_flags |= SL_FD_SEQ2;
}

/* A segment in order, its end not yet acknowledged: stamp it, or keep it as
 * the second. */
static __always_inline void seq_take(const struct sl_pkt *p,
				     const struct sl_cls *c, struct sl_ends *t,
				     __u32 end)
{
	struct sl_flow_dir *d = t->mine;

	if (d->stamp_ns && stamp_is_old(t->flow, d->stamp_ns)) {
		count_miss(c->lane, SL_MISS_EXPIRED);
		if (*t->my_flags & SL_FD_SEQ1)
			seq_forget(d, t->my_flags);
		else
			take_stamp(d);
	}
	/* or one that nothing can answer, such as of a SYN-ACK sent twice */
	if (!d->stamp_ns || !(*t->my_flags & (SL_FD_SEQ1 | SL_FD_STAMP_HS)))
		seq_first(t, end);
	else if ((*t->my_flags & SL_SEQ_STATE) == SL_FD_SEQ1 &&
		 !seq_past(*t->my_flags))
		seq_second(p, t, end);
}

/* Sent twice, filling a gap, or past one. 1: it is new all the same. */
static __always_inline int seq_out_of_order(const struct sl_pkt *p,
					    const struct sl_cls *c,
					    struct sl_ends *t, __u32 end)
{
	__u32 nxt = t->mine->seq_nxt;
	int past = newer(p->seq, nxt), una = *t->my_flags & SL_FD_UNA;

	if (!una)		/* until all that was sent is acknowledged */
		seq_recover(c, t->mine, t->my_flags,
			    newer(end, nxt) ? end : nxt);
	else
		seq_recover(c, t->mine, t->my_flags, past ? p->seq : end);
	return past && una;
}

/* Must the point of recovery be acknowledged before a segment with this end
 * may be stamped? Always, while the highest ACK is not known or the point is
 * not behind. */
static __always_inline int seq_waits(const struct sl_ends *t, __u32 end)
{
	__u8 fl = *t->my_flags;

	return (fl & SL_SEQ_STATE) == SL_FD_SEQ2 &&
	       (!(fl & SL_FD_UNA) || !newer(end, t->mine->stamp_id));
}

/* Before seq_nxt moves. first: SL_FIRST_* of the flow's line. */
static __always_inline void seq_stamp(const struct sl_pkt *p,
				      const struct sl_cls *c, __u32 first,
				      struct sl_ends *t)
{
	__u8 fl = *t->my_flags;
	__u32 end = p->seq + p->payload_b + !!(p->tcp_flags & SL_TCP_FIN);

	if (p->tcp_flags & SL_TCP_RST) {	/* nothing answers any more */
		seq_forget(t->mine, t->my_flags);
		seq_forget(t->peer, t->peer_flags);
		return;
	}
	if (p->has_ts || fl & SL_FD_TS || p->tcp_flags & SL_TCP_SYN ||
	    (!p->payload_b && !(p->tcp_flags & SL_TCP_FIN)))
		return;
	if (fl & SL_FD_UNA && !newer(end, t->mine->iss))
		return;				/* acknowledged already */
	if (fl & SL_FD_SEQ && p->seq != t->mine->seq_nxt &&
	    !seq_out_of_order(p, c, t, end))
		return;
	if (!seq_waits(t, end) && first != SL_FIRST_AGAIN && p->payload_b)
		seq_take(p, c, t, end);
}

#endif
