/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Method dns: UDP port 53, query -> response with its id and the beginning of
 * its question (RFC 1035). Stamped and answered by rtt_query.bpf.h.
 */
#ifndef SL_RTT_DNS_BPF_H
#define SL_RTT_DNS_BPF_H

#include "pkt.bpf.h"

static __always_inline void dns_find(const struct sl_view *v, struct sl_pkt *p)
{
	const __u8 *h = sl_bytes(v, p, p->off, 16);
	int reply;

	if (!h)
		return;
	reply = h[2] >> 7;
	if (reply ? p->sport != 53 : p->dport != 53)
		return;
	p->role = reply ? SL_ROLE_REPLY : SL_ROLE_REQUEST;
	p->method = SL_M_DNS;
	p->seq = sl_be16(h) * 0x9e3779b1U ^ sl_be32(h + 12);
	p->line_id = p->seq ?: 1;	/* 0: the line of the tuple itself */
}

#endif
