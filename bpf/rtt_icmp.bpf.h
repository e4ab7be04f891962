/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Method icmp: echo request -> first reply with its identifier and sequence
 * number (RFC 792, RFC 4443). A flow is (both addresses, identifier). An echo
 * too long for one packet is measured from first fragment to first fragment:
 * those carry the whole header. Stamped and answered by rtt_query.bpf.h.
 */
#ifndef SL_RTT_ICMP_BPF_H
#define SL_RTT_ICMP_BPF_H

#include "pkt.bpf.h"

/* Echo requests and replies are named; any other ICMP is only counted. */
static __always_inline int parse_icmp(const struct sl_view *v, struct sl_pkt *p,
				      __u8 request, __u8 reply)
{
	const __u8 *h = sl_bytes(v, p, p->off, 8);

	if (!h) {		/* type and code may be there, to be judged */
		h = sl_bytes(v, p, p->off, 2);
		if (h) {
			p->icmp = sl_be16(h);
			p->has = SL_HAS_ICMP;
		}
		return SL_R_TRUNCATED;
	}
	p->icmp = sl_be16(h);
	p->has = SL_HAS_ICMP;
	if (h[1] == 0 && h[0] == request)
		p->role = SL_ROLE_REQUEST;
	else if (h[1] == 0 && h[0] == reply)
		p->role = SL_ROLE_REPLY;
	p->method = SL_M_ICMP;
	p->sport = 0;		/* an outer UDP header may have left its ports */
	p->dport = 0;
	p->ack = sl_be16(h + 4);
	p->seq = (__u32)sl_be16(h + 6) << 16;	/* compares as 16 bits, wrap and all */
	p->l4 = 1;
	p->layer = SL_L_DONE;
	return 0;
}

#endif
