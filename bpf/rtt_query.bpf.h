/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Stage 4, match: icmp, dns, stun and srt, whose requests and replies share an
 * identifier, p->seq. rtt_icmp.bpf.h and so on say how it is found.
 *
 * The stamp is that of a request, answered by the first reply with its p->seq.
 * A request repeated while it waits is void. Identifiers that grow (echoes,
 * SRT's ACKs) also tell that the stamped one was lost, by a reply to a later
 * one; the others give up their stamp after SL_QUERY_PATIENCE_NS.
 */
#ifndef SL_RTT_QUERY_BPF_H
#define SL_RTT_QUERY_BPF_H

#include "rtt.bpf.h"

#define SL_QUERY_PATIENCE_NS	5000000000ULL

static __always_inline int query_grows(const struct sl_pkt *p)
{
	return p->method == SL_M_ICMP || p->method == SL_M_SRT;
}

/* Is the request outstanding for too long to wait any more? */
static __always_inline int query_is_old(const struct sl_pkt *p,
					const struct sl_flow *f,
					__u64 stamp_ns)
{
	if (query_grows(p))
		return stamp_is_old(f, stamp_ns);
	return coarse_since(f, stamp_ns) > SL_QUERY_PATIENCE_NS >> 20;
}

static __always_inline void query_stamp(const struct sl_pkt *p,
					const struct sl_cls *c,
					struct sl_ends *t)
{
	struct sl_flow_dir *mine = t->mine;
	__u64 old_ns = mine->stamp_ns;

	if (old_ns && mine->stamp_id == p->seq) {
		if (take_stamp(mine))
			count_miss(c->lane, SL_MISS_AMBIGUOUS);
		*t->my_flags |= SL_FR_REPEATED;
		return;
	}
	if (*t->my_flags & SL_FR_REPEATED && mine->stamp_id == p->seq)
		return;
	if (old_ns) {
		if (!query_is_old(p, t->flow, old_ns))
			return;
		count_miss(c->lane, SL_MISS_EXPIRED);
	}
	*t->my_flags &= ~SL_FR_REPEATED;
	mine->stamp_id = p->seq;
	put_stamp(mine, clock_ns());
}

static __always_inline void query_answer(const struct sl_pkt *p,
					 const struct sl_cls *c, __u32 path,
					 struct sl_ends *t)
{
	struct sl_flow_dir *peer = t->peer;
	__u64 stamp_ns;

	if (peer->stamp_id == p->seq)	/* answered: may be used again */
		*t->peer_flags &= ~SL_FR_REPEATED;
	if (!peer->stamp_ns)
		return;
	if (peer->stamp_id == p->seq) {
		stamp_ns = take_stamp(peer);
		if (stamp_ns)
			sample(c, path, p->method, stamp_ns, clock_ns());
	} else if (query_grows(p) && newer(p->seq, peer->stamp_id)) {
		if (take_stamp(peer))
			count_miss(c->lane, SL_MISS_VOIDED);
	}
}

static __always_inline void match_query(const struct sl_pkt *p,
					const struct sl_cls *c, __u32 path,
					struct sl_ends *t)
{
	if (p->role == SL_ROLE_REQUEST)
		query_stamp(p, c, t);
	else if (p->role == SL_ROLE_REPLY)
		query_answer(p, c, path, t);
}

#endif
