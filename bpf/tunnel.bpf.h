/* SPDX-License-Identifier: GPL-2.0 */
/* Stage 1, parse: what carries IP inside something else. */
#ifndef SL_TUNNEL_BPF_H
#define SL_TUNNEL_BPF_H

#include "pkt.bpf.h"

/* Is there a credible IP header at off? Used only where the encapsulation
 * does not say. 0, SL_L_IP4 or SL_L_IP6. */
static __always_inline __u8 looks_ip(const struct sl_view *v,
				     const struct sl_pkt *p, __u32 off)
{
	const __u8 *h = sl_bytes(v, p, off, 20);

	if (!h)
		return 0;
	if (h[0] >> 4 == 4 && (h[0] & 15) >= 5 && sl_be16(h + 2) >= 20)
		return SL_L_IP4;
	if (h[0] >> 4 == 6 && sl_bytes(v, p, off, 40))
		return SL_L_IP6;
	return 0;
}

/* EtherTypes that a pseudowire's inner frame may credibly have. */
static __always_inline int plausible_etype(__u32 etype)
{
	switch (etype) {
	case 0x0800: case 0x86dd: case 0x0806: case 0x8847: case 0x8848:
	case 0x8863: case 0x8864: case 0x8100: case 0x88a8: case 0x9100:
	case 0x9200: case 0x9300:
		return 1;
	}
	return 0;
}

/* PPPoE session (RFC 2516). */
static __always_inline int parse_pppoe(const struct sl_view *v,
				       struct sl_pkt *p)
{
	const __u8 *h = sl_bytes(v, p, p->off, 6);

	if (!h)
		return SL_R_TRUNCATED;
	if (h[0] != 0x11 || h[1])
		return SL_R_MALFORMED_TUNNEL;
	p->off += 6;
	p->layer = SL_L_PPP;
	return 0;
}

/* PPP with or without its address bytes and protocol field compression. */
static __always_inline int parse_ppp(const struct sl_view *v, struct sl_pkt *p)
{
	const __u8 *h = sl_bytes(v, p, p->off, 2);
	__u32 proto;

	if (!h)
		return SL_R_TRUNCATED;
	if (h[0] == 0xff && h[1] == 0x03) {
		p->off += 2;
		h = sl_bytes(v, p, p->off, 2);
		if (!h)
			return SL_R_TRUNCATED;
	}
	proto = h[0];
	if (!(proto & 1)) {
		proto = proto << 8 | h[1];
		p->off++;
	}
	p->off++;
	if (proto == 0x21)
		p->layer = SL_L_IP4;
	else if (proto == 0x57)
		p->layer = SL_L_IP6;
	else if (proto == 0x0281 || proto == 0x0283)
		p->layer = SL_L_MPLS;
	else
		return SL_R_NOT_IP;
	return 0;
}

/* A label (RFC 3032); behind the last one IP, or an Ethernet pseudowire with
 * or without its control word. */
static __always_inline int parse_mpls(const struct sl_view *v, struct sl_pkt *p)
{
	const __u8 *h = sl_bytes(v, p, p->off, 4);
	__u8 layer;

	if (!h)
		return SL_R_TRUNCATED;
	p->off += 4;
	if (!(h[2] & 1))
		return 0;
	layer = looks_ip(v, p, p->off);
	if (layer) {
		p->layer = layer;
		return 0;
	}
	h = sl_bytes(v, p, p->off, 18);
	if (h && h[0] >> 4 == 0 && plausible_etype(sl_be16(h + 16))) {
		p->off += 4;
		p->layer = SL_L_ETH;
		return 0;
	}
	h = sl_bytes(v, p, p->off, 14);
	if (!h || !plausible_etype(sl_be16(h + 12)))
		return SL_R_NOT_IP;
	p->layer = SL_L_ETH;
	return 0;
}

/* Where a GRE payload of this protocol type starts, and what it is. */
static __always_inline int gre_payload(const struct sl_view *v,
				       struct sl_pkt *p, __u32 flags)
{
	const __u8 *h;

	p->layer = SL_L_ETYPE;
	if (p->etype == 0x88be) {	/* ERSPAN I has no header, II has 8 */
		if (flags & 0x1000)
			p->off += 8;
		p->layer = SL_L_ETH;
	} else if (p->etype == 0x22eb) {	/* ERSPAN III */
		h = sl_bytes(v, p, p->off, 12);
		if (!h)
			return SL_R_TRUNCATED;
		p->off += 12 + (h[11] & 1 ? 8 : 0);
		p->layer = SL_L_ETH;
	} else if (p->etype == 0x883e) {	/* WCCP redirect header */
		if (!looks_ip(v, p, p->off))
			p->off += 4;
		p->layer = SL_L_IP4;
	}
	return 0;
}

/* GRE (RFC 2784, 2890) and its PPTP form (RFC 2637). */
static __always_inline int parse_gre(const struct sl_view *v, struct sl_pkt *p)
{
	const __u8 *h = sl_bytes(v, p, p->off, 4);
	__u32 flags, len = 4, key_off = 0;

	if (!h)
		return SL_R_TRUNCATED;
	flags = sl_be16(h);
	p->etype = sl_be16(h + 2);
	if ((flags & 7) == 0) {
		if (flags & 0x4000)	/* source routes: RFC 2784 dropped them */
			return SL_R_MALFORMED_TUNNEL;
		if (flags & 0x8000)
			len += 4;
		if (flags & 0x2000) {
			key_off = len;
			len += 4;
		}
		if (flags & 0x1000)
			len += 4;
	} else if ((flags & 7) == 1) {
		len += 4;
		if (flags & 0x1000)
			len += 4;
		if (flags & 0x0080)
			len += 4;
	} else {
		return SL_R_MALFORMED_TUNNEL;
	}
	if (key_off) {
		h = sl_bytes(v, p, p->off + key_off, 4);
		if (!h)
			return SL_R_TRUNCATED;
		p->tunnel = sl_be32(h);
		p->tunnel_moves = 0;
	}
	p->off += len;
	if (p->off > p->cap_b)
		return SL_R_TRUNCATED;
	return gre_payload(v, p, flags);
}

/* VXLAN (RFC 7348) and VXLAN-GPE. 0: entered; 1: not one. */
static __always_inline int enter_vxlan(const struct sl_view *v,
				       struct sl_pkt *p, __u32 off, int gpe)
{
	const __u8 *h = sl_bytes(v, p, off, 8);
	__u8 layer = SL_L_ETH;

	if (!h)
		return 1;
	if (gpe) {
		if (!(h[0] & 0x04))
			return 1;
		switch (h[3]) {
		case 1: layer = SL_L_IP4; break;
		case 2: layer = SL_L_IP6; break;
		case 3: break;
		case 5: layer = SL_L_MPLS; break;
		default: return 1;
		}
	} else if (!(h[0] & 0x08) || !sl_bytes(v, p, off, 8 + 14)) {
		return 1;
	}
	p->tunnel = sl_be32(h + 4) >> 8;
	p->tunnel_moves = 0;
	p->off = off + 8;
	p->layer = layer;
	return 0;
}

/* Geneve (RFC 8926). */
static __always_inline int enter_geneve(const struct sl_view *v,
					struct sl_pkt *p, __u32 off)
{
	const __u8 *h = sl_bytes(v, p, off, 8);
	__u32 next;

	if (!h || h[0] >> 6)
		return 1;
	next = off + 8 + (h[0] & 0x3f) * 4;
	if (next >= p->cap_b)
		return 1;
	p->tunnel = sl_be32(h + 4) >> 8;
	p->tunnel_moves = 0;
	p->etype = sl_be16(h + 2);
	p->off = next;
	p->layer = SL_L_ETYPE;
	return 0;
}

#define SL_GTPU_EXTS	4

/* GTPv1-U G-PDU (3GPP TS 29.281). Its tunnel ids differ by direction and
 * change with every handover, so they stay out of the flow's key. */
static __always_inline int enter_gtpu(const struct sl_view *v,
				      struct sl_pkt *p, __u32 off)
{
	const __u8 *h = sl_bytes(v, p, off, 8);
	__u8 layer, next = 0;
	__u32 teid;
	int i;

	if (!h || (h[0] & 0xf0) != 0x30 || h[1] != 0xff)
		return 1;
	teid = sl_be32(h + 4);
	p->off = off + 8;
	if (h[0] & 0x07) {
		__u8 has_ext = h[0] & 0x04;

		h = sl_bytes(v, p, p->off, 4);
		if (!h)
			return 1;
		if (has_ext)
			next = h[3];
		p->off += 4;
	}
	for (i = 0; i < SL_GTPU_EXTS && next; i++) {
		__u32 len;

		sl_forget();
		h = sl_bytes(v, p, p->off, 4);
		if (!h || !h[0])
			return 1;
		len = h[0] * 4;
		h = sl_bytes(v, p, p->off + len - 1, 1);
		if (!h)
			return 1;
		next = h[0];
		p->off += len;
	}
	layer = looks_ip(v, p, p->off);
	if (!layer || next)
		return 1;
	p->tunnel = teid;
	p->tunnel_moves = 1;
	p->layer = layer;
	return 0;
}

/* By its ports; enter_udp_tunnel() has the last word. */
static __always_inline int maybe_udp_tunnel(const struct sl_pkt *p)
{
	switch (p->dport) {
	case 4789: case 8472: case 4790: case 6081: case 6635:
		return 1;
	}
	return p->dport == 2152 || p->sport == 2152;
}

/* Is this UDP payload a tunnel? 0: entered, cursor and layer are set. */
static __always_inline int enter_udp_tunnel(const struct sl_view *v,
					    struct sl_pkt *p, __u32 off)
{
	switch (p->dport) {
	case 4789: case 8472:
		return enter_vxlan(v, p, off, 0);
	case 4790:
		return enter_vxlan(v, p, off, 1);
	case 6081:
		return enter_geneve(v, p, off);
	case 6635:		/* MPLS in UDP, RFC 7510 */
		p->off = off;
		p->layer = SL_L_MPLS;
		return off + 4 <= p->cap_b ? 0 : 1;
	}
	if (p->dport == 2152 || p->sport == 2152)
		return enter_gtpu(v, p, off);
	return 1;
}

#endif
