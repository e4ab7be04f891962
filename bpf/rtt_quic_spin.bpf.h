/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Stage 4, match: quic-spin (RFC 9000, 17.4). An edge of the spin bit in one
 * direction -> the next edge in it: a full round trip, if the bit spins.
 *
 * A server sends back the value it received last, a client the opposite: edges
 * must come in turn, client and server, with the right value. RFC 9000 lets
 * either end send random or constant bits instead ("greased"), so a direction
 * must earn belief: an edge in turn adds to `good`, one out of turn, or a
 * value held on to long after the other end's edge should have changed it,
 * ends `good` and adds to `strikes`. So does an interval that is suddenly much
 * longer than the one before: who throws dice in step with an honest end shows
 * edges in turn, and leaves some out. Samples are taken only while both
 * directions have more good edges in a row than their strikes ask for.
 * Reordering looks like grease for some round trips, and belief comes back.
 *
 * Not sampled either: what is shorter than half the handshake, and what had to
 * wait for somebody to send something (idle).
 */
#ifndef SL_RTT_QUIC_SPIN_BPF_H
#define SL_RTT_QUIC_SPIN_BPF_H

#include "rtt.bpf.h"

#define SL_SPIN_GOOD		3	/* edges in turn before belief */
#define SL_SPIN_STRIKE		2	/* what one out of turn costs */
#define SL_SPIN_STRIKES_MAX	12
#define SL_SPIN_GREASED		6	/* strikes that count a flow as greased */
#define SL_SPIN_SLACK_MS	200	/* queues and timers beside the RTT */
#define SL_SPIN_JUMP_US		2000	/* that an interval may grow beside 3/4 */

/* Is the value what an honest end of this side would send now? */
static __always_inline int spin_in_step(const struct sl_ends *t, int value)
{
	int client = !!(*t->my_flags & SL_FQ_CLIENT);
	int theirs = !!(*t->peer_flags & SL_FQ_SPIN);

	return *t->peer_flags & SL_FQ_KNOWN && value == (client ^ theirs);
}

/* Twice the handshake and some slack, in units of the coarse clock: what an
 * honest end takes at most to answer an edge, and how long a pause is not
 * idle. */
static __always_inline __u32 spin_patience(__u32 hs_us)
{
	return (2ULL * hs_us * 1000 + SL_SPIN_SLACK_MS * 1000000ULL) >> 20;
}

static __always_inline void spin_strike(const struct sl_cls *c,
					struct sl_ends *t)
{
	struct sl_flow_dir *d = t->mine;

	d->good = 0;
	if (d->strikes < SL_SPIN_STRIKES_MAX)
		d->strikes += SL_SPIN_STRIKE;
	if (d->strikes < SL_SPIN_GREASED || t->flow->state & SL_FLOW_GREASED)
		return;
	t->flow->state |= SL_FLOW_GREASED;
	count_miss(c->lane, SL_MISS_GREASED);
}

static __always_inline int spin_believed(const struct sl_flow_dir *d)
{
	return d->good >= SL_SPIN_GOOD + d->strikes;
}

/* The same value again: the end that should have changed it long ago strikes,
 * once for each edge that it leaves unanswered. */
static __always_inline void spin_same(const struct sl_cls *c, struct sl_ends *t,
				      __u32 patience)
{
	if (t->mine->late || !(*t->peer_flags & SL_FQ_EDGE) ||
	    t->peer->stamp_ns <= t->mine->stamp_ns ||
	    spin_in_step(t, !!(*t->my_flags & SL_FQ_SPIN)) ||
	    coarse_since(t->flow, t->peer->stamp_ns) <= patience)
		return;
	t->mine->late = 1;
	spin_strike(c, t);
}

/* Did the interval grow by more than queues make it grow in one round trip? */
static __always_inline int spin_jumped(struct sl_flow_dir *d, __u64 interval_ns)
{
	__u64 us = interval_ns / 1000, before = d->interval_us;

	d->interval_us = us > ~0U ? ~0U : us;
	return before && us > before + before * 3 / 4 + SL_SPIN_JUMP_US;
}

/* An edge: stamped always; a sample when both sides are believed. */
static __always_inline void spin_edge(const struct sl_pkt *p,
				      const struct sl_cls *c, __u32 path,
				      struct sl_ends *t, __u32 hs_us, int idle)
{
	__u8 fl = *t->my_flags, was_idle = fl & SL_FQ_IDLE;
	__u64 now_ns = clock_ns(), last_ns = take_stamp(t->mine);
	int turn = spin_in_step(t, p->seq) && (!(fl & SL_FQ_EDGE) ||
		   (*t->peer_flags & SL_FQ_EDGE && t->peer->stamp_ns > last_ns));

	*t->my_flags = (fl & ~(SL_FQ_SPIN | SL_FQ_IDLE)) | SL_FQ_EDGE |
		       (p->seq ? SL_FQ_SPIN : 0) | (idle ? SL_FQ_IDLE : 0);
	put_stamp(t->mine, now_ns);
	t->mine->late = 0;
	if (idle || was_idle || !turn)
		t->mine->interval_us = 0;	/* nothing to compare with */
	else if (fl & SL_FQ_EDGE && spin_jumped(t->mine, now_ns - last_ns))
		turn = 0;
	if (!turn) {
		spin_strike(c, t);
		return;
	}
	if (t->mine->good < 255)
		t->mine->good++;
	if (t->mine->good > SL_SPIN_GOOD && t->mine->strikes)
		t->mine->strikes--;
	if (!(fl & SL_FQ_EDGE) || idle || was_idle ||
	    *t->peer_flags & SL_FQ_IDLE || !spin_believed(t->mine) ||
	    !spin_believed(t->peer) ||
	    (now_ns - last_ns) * 2 < hs_us * 1000ULL)
		return;
	sample(c, path, SL_M_QUIC_SPIN, last_ns, now_ns);
}

/* A short header of a flow whose handshake was seen. */
static __always_inline void match_quic_short(const struct sl_pkt *p,
					     const struct sl_cls *c,
					     __u32 path, struct sl_ends *t)
{
	const struct sl_flow_dir *client = *t->my_flags & SL_FQ_CLIENT ?
					   t->mine : t->peer;
	__u32 hs_us = client->hs_us;
	__u32 patience, pause;

	if (!((*t->my_flags | *t->peer_flags) & SL_FQ_ANSWERED) || !hs_us)
		return;
	patience = spin_patience(hs_us);
	pause = coarse_age(t->flow->seen, t->mine->last);
	t->mine->last = t->flow->seen;
	if (!(*t->my_flags & SL_FQ_KNOWN)) {
		*t->my_flags |= SL_FQ_KNOWN | (p->seq ? SL_FQ_SPIN : 0);
		return;
	}
	if (!!(*t->my_flags & SL_FQ_SPIN) == (int)p->seq)
		spin_same(c, t, patience);
	else
		spin_edge(p, c, path, t, hs_us, pause > patience);
}

#endif
