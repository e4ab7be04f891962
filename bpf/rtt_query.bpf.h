/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Stage 4, match: requests and replies that share an identifier.
 *
 * icmp  a flow is (both addresses, identifier), p->seq the sequence number. An
 *       echo too long for one packet is measured from first fragment to first
 *       fragment: those carry the whole header.
 * dns   UDP port 53; p->seq is the id and the beginning of the question.
 * stun  any port; p->seq is the 96-bit transaction id, folded (classic STUN, of
 *       128 bits, on port 3478 only).
 *
 * The stamp is that of a request, answered by the first reply with its p->seq. A
 * request repeated while it waits is void. A reply to a later echo says that the
 * stamped one was lost; ids of the others have no order, so those give up their
 * stamp after SL_QUERY_PATIENCE_NS.
 */
#ifndef SL_RTT_QUERY_BPF_H
#define SL_RTT_QUERY_BPF_H

#include "account.bpf.h"
#include "flow.bpf.h"
#include "rtt_tcp.bpf.h"

#define SL_QUERY_PATIENCE_NS	5000000000ULL

/* Is the request outstanding for too long to wait any more? */
static __always_inline int query_is_old(const struct sl_pkt *p,
					const struct sl_flow *f,
					__u64 stamp_ns)
{
	__u32 age = f->seen - (__u32)(stamp_ns >> 20);

	if (p->method == SL_M_ICMP)
		return stamp_is_old(f, stamp_ns);
	return (__s32)age > (__s32)(SL_QUERY_PATIENCE_NS >> 20);
}

static __always_inline void query_request(const struct sl_pkt *p,
					  const struct sl_cls *c,
					  const struct sl_flow *f,
					  struct sl_flow_dir *mine,
					  __u8 *flags)
{
	__u64 old_ns = mine->stamp_ns;

	if (old_ns && mine->stamp_id == p->seq) {
		if (take_stamp(mine))
			count_miss(c->lane, SL_MISS_AMBIGUOUS);
		*flags |= SL_FD_REPEATED;
		return;
	}
	if (*flags & SL_FD_REPEATED && mine->stamp_id == p->seq)
		return;
	if (old_ns) {
		if (!query_is_old(p, f, old_ns))
			return;
		count_miss(c->lane, SL_MISS_EXPIRED);
	}
	*flags &= ~SL_FD_REPEATED;
	mine->stamp_id = p->seq;
	*(volatile __u64 *)&mine->stamp_ns = clock_ns();
}

static __always_inline void query_reply(const struct sl_pkt *p,
					const struct sl_cls *c, __u32 path,
					struct sl_flow_dir *peer, __u8 *flags)
{
	__u64 stamp_ns;

	if (peer->stamp_id == p->seq)
		*flags &= ~SL_FD_REPEATED;	/* answered: may be used again */
	if (!peer->stamp_ns)
		return;
	if (peer->stamp_id == p->seq) {
		stamp_ns = take_stamp(peer);
		if (stamp_ns)
			sample(p, c, path, p->method, stamp_ns,
			       clock_ns());
	} else if (p->method == SL_M_ICMP &&
		   (__s16)(p->seq - peer->stamp_id) > 0) {
		if (take_stamp(peer))
			count_miss(c->lane, SL_MISS_VOIDED);
	}
}

static __always_inline void match_query(const struct sl_pkt *p,
					const struct sl_cls *c, __u32 path,
					struct sl_flow *f, __u32 me)
{
	if (p->query == SL_QUERY_REQUEST)
		query_request(p, c, f, &f->d[me], &f->dflags[me]);
	else
		query_reply(p, c, path, &f->d[me ^ 1], &f->dflags[me ^ 1]);
}

#endif
