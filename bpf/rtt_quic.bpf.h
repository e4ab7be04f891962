/* SPDX-License-Identifier: GPL-2.0 */
/*
 * QUIC as methods quic-hs and quic-spin need it: what is readable without keys
 * (RFC 8999, RFC 9000 section 17, RFC 9369). Only the first packet of a
 * datagram is looked at, and of that only the first six bytes: neither
 * coalesced packets nor the connection ids matter.
 */
#ifndef SL_RTT_QUIC_BPF_H
#define SL_RTT_QUIC_BPF_H

#include "pkt.bpf.h"

#define SL_QUIC_CLIENT_B	1200	/* a client's first datagram, at least */

/* Versions whose short header has the spin bit where version 1 has it. */
static __always_inline int quic_version(__u32 v)
{
	switch (v) {
	case 0x00000001: case 0x6b3343cf: case 0x709a50c4:	/* v1, v2 */
		return 1;
	}
	switch (v >> 8) {
	case 0xff0000:				/* IETF drafts */
		return (v & 0xff) >= 17;
	case 0x504351: case 0x504352:		/* picoquic, quicly */
	case 0x454747:				/* quant */
	case 0xabcd00:				/* msquic */
	case 0x91c170:				/* quicly */
	case 0x513035: case 0x543035:		/* Google Q05x, T05x */
		return 1;
	}
	return v >> 4 == 0xfaceb00 ||		/* mvfst */
	       v >> 9 == 0xf0f0f000 >> 9;	/* measurement experiments */
}

/* A version that nobody speaks, sent to force negotiation (RFC 9000, 15). */
static __always_inline int quic_greased_version(__u32 v)
{
	return (v & 0x0f0f0f0f) == 0x0a0a0a0a;
}

/* Type of a long header as version 1 numbers it: Initial, 0-RTT, Handshake,
 * Retry. */
static __always_inline __u32 quic_type(__u8 first, __u32 version)
{
	__u32 type = first >> 4 & 3;

	if (version == 0x6b3343cf || version == 0x709a50c4)
		type = (type - 1) & 3;		/* RFC 9369, 3.2 */
	return type;
}

/*
 * Long header. REQUEST: may be a client's first packet (which has a
 * destination id, where a server's may have none); MORE: any other; VOID:
 * Version Negotiation or Retry, after which the client begins again.
 */
static __always_inline void quic_find_long(const struct sl_view *v,
					   struct sl_pkt *p)
{
	const __u8 *h = sl_bytes(v, p, p->off, 7);
	__u32 version, type;
	int big;

	if (!h)
		return;
	version = sl_be32(h + 1);
	type = quic_type(h[0], version);
	big = p->wire_b >= p->off + SL_QUIC_CLIENT_B;
	if (!version || (quic_version(version) && type == 3))
		p->role = SL_ROLE_VOID;
	else if (quic_version(version))
		p->role = big && type < 2 && h[5] ? SL_ROLE_REQUEST : SL_ROLE_MORE;
	else if (quic_greased_version(version) && big)
		p->role = SL_ROLE_REQUEST;
	else
		return;
	p->method = SL_M_QUIC_HS;
}

/* Short header: its spin bit. What has no flow is no QUIC. */
static __always_inline void quic_find_short(struct sl_pkt *p, __u8 first)
{
	p->role = SL_ROLE_MORE;
	p->method = SL_M_QUIC_SPIN;
	p->seq = first >> 5 & 1;
}

#endif
