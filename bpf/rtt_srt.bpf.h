/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Method srt: full ACK -> ACKACK with its number, on a flow whose handshake
 * was seen (SRT, and UDT where it comes from: draft-sharabayko-srt). Light
 * ACKs have number 0. Stamped and answered by rtt_query.bpf.h.
 */
#ifndef SL_RTT_SRT_BPF_H
#define SL_RTT_SRT_BPF_H

#include "pkt.bpf.h"

#define SL_SRT_HANDSHAKE	0
#define SL_SRT_ACK		2
#define SL_SRT_ACKACK		6
#define SL_SRT_HANDSHAKE_B	64	/* header and handshake body */

/* A control packet (first bit set) of one of the types we look for; 1: it is
 * one, as far as one can tell without its flow. */
static __always_inline int srt_find(const struct sl_view *v, struct sl_pkt *p)
{
	const __u8 *h = sl_bytes(v, p, p->off, 16);
	__u32 type, number;

	if (!h || sl_be16(h + 2))	/* a subtype: not of these */
		return 0;
	type = sl_be16(h) & 0x7fff;
	number = sl_be32(h + 4);
	if (type == SL_SRT_HANDSHAKE) {
		h = sl_bytes(v, p, p->off + 16, 4);	/* its version */
		if (!h || p->wire_b < p->off + SL_SRT_HANDSHAKE_B ||
		    (sl_be32(h) != 4 && sl_be32(h) != 5))
			return 0;
		p->role = SL_ROLE_OPEN;
	} else if (type == SL_SRT_ACK && number) {
		p->role = SL_ROLE_REQUEST;
	} else if (type == SL_SRT_ACKACK && number) {
		p->role = SL_ROLE_REPLY;
	} else {
		return 0;
	}
	p->method = SL_M_SRT;
	p->seq = number;
	return 1;
}

#endif
