/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Method stun: request -> success or error response with its transaction id.
 * STUN (RFC 8489) by its cookie on any port, classic STUN (RFC 3489) on port
 * 3478. Indications neither ask nor answer. Stamped and answered by
 * rtt_query.bpf.h.
 */
#ifndef SL_RTT_STUN_BPF_H
#define SL_RTT_STUN_BPF_H

#include "pkt.bpf.h"

#define SL_STUN_COOKIE	0x2112a442

/* Spread a word of the transaction id before the next one is added. */
static __always_inline __u32 stun_fold(__u32 x)
{
	x *= 0x9e3779b1;
	return x ^ x >> 15;
}

static __always_inline void stun_find(const struct sl_view *v, struct sl_pkt *p)
{
	const __u8 *h = sl_bytes(v, p, p->off, 20);
	__u32 type, len_b, kind, id;

	if (!h)
		return;
	type = sl_be16(h);
	len_b = sl_be16(h + 2);
	if (p->off + 20 + len_b > p->wire_b)
		return;
	id = stun_fold(stun_fold(sl_be32(h + 8)) ^ sl_be32(h + 12)) ^
	     sl_be32(h + 16);
	if (sl_be32(h + 4) != SL_STUN_COOKIE) {
		if ((p->sport != 3478 && p->dport != 3478) || len_b & 3 ||
		    (type & 0xfeec) || !(type & 3))
			return;
		id ^= stun_fold(sl_be32(h + 4));
	}
	kind = (type >> 4 & 1) | (type >> 7 & 2);
	if (kind == 1)
		return;
	p->role = kind ? SL_ROLE_REPLY : SL_ROLE_REQUEST;
	p->method = SL_M_STUN;
	p->seq = id;
	p->line_id = id ?: 1;	/* 0: the line of the tuple itself */
}

#endif
