/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Stage 4, match: ICMP echo. A flow is (both addresses, identifier); the
 * stamp is a request's sequence number, answered by the first reply with it.
 * A request repeated while it waits is void. A reply to a later request says
 * that the stamped one was lost. An echo too long for one packet is measured
 * from first fragment to first fragment: those carry the whole header.
 */
#ifndef SL_RTT_ECHO_BPF_H
#define SL_RTT_ECHO_BPF_H

#include "account.bpf.h"
#include "flow.bpf.h"
#include "rtt_tcp.bpf.h"

static __always_inline void echo_request(const struct sl_pkt *p,
					 const struct sl_cls *c,
					 const struct sl_flow *f,
					 struct sl_flow_dir *mine, __u8 *flags)
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
		if (!stamp_is_old(f, old_ns))
			return;
		count_miss(c->lane, SL_MISS_EXPIRED);
	}
	*flags &= ~SL_FD_REPEATED;
	mine->stamp_id = p->seq;
	*(volatile __u64 *)&mine->stamp_ns = clock_ns();
}

static __always_inline void echo_reply(const struct sl_pkt *p,
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
			sample(p, c, path, SL_M_ICMP, stamp_ns, clock_ns());
	} else if ((__s16)(p->seq - peer->stamp_id) > 0) {
		if (take_stamp(peer))
			count_miss(c->lane, SL_MISS_VOIDED);
	}
}

static __always_inline void match_echo(const struct sl_pkt *p,
				       const struct sl_cls *c, __u32 path,
				       struct sl_flow *f, __u32 me)
{
	if (p->echo == SL_ECHO_REQUEST)
		echo_request(p, c, f, &f->d[me], &f->dflags[me]);
	else
		echo_reply(p, c, path, &f->d[me ^ 1], &f->dflags[me ^ 1]);
}

#endif
