/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Stage 1, parse: frame -> struct sl_pkt. Touches no map.
 *
 * A frame is a chain of layers. One step parses one layer, moves the cursor
 * behind it and says what comes next; a bounded loop does the rest, so that
 * VLANs, tunnels and extension headers in any order cost nothing extra to
 * read. The usual frame goes through the very same steps in a straight line,
 * see parse_usual(). Each step returns 0 or the reason (enum sl_reason) why it
 * ends here; addresses found before that stay valid, so that a verdict is
 * possible.
 */
#ifndef SL_PARSE_BPF_H
#define SL_PARSE_BPF_H

#include "pkt.bpf.h"
#include "tunnel.bpf.h"
#include "transport.bpf.h"

#define SL_PARSE_STEPS	28	/* layers, tags, labels */
#define SL_PARSE_EXTS	16	/* extension headers in one step: in all, as many
				 * of 8 bytes as lie before SL_PARSE_MAX_B */
#define SL_PARSE_IPS	4	/* nested IP headers */

#define SL_ETYPE_MIN	0x0600	/* below: an 802.3 length */

static __always_inline int parse_eth(const struct sl_view *v, struct sl_pkt *p)
{
	const __u8 *h = sl_bytes(v, p, p->off, 14);
	__u32 off = p->off + 14, len;

	if (!h)
		return SL_R_TRUNCATED;
	len = sl_be16(h + 12);
	p->off = off;
	p->etype = len;
	p->layer = SL_L_ETYPE;
	if (len < SL_ETYPE_MIN) {
		p->layer = SL_L_LLC;
		if (p->wire_b > off + len)
			p->wire_b = off + len;
		if (p->cap_b > off + len)
			p->cap_b = off + len;
	}
	return 0;
}

/* IEEE 802.2: SNAP, or IP by its own SAP. */
static __always_inline int parse_llc(const struct sl_view *v, struct sl_pkt *p)
{
	const __u8 *h = sl_bytes(v, p, p->off, 8);

	if (!h)
		return SL_R_NOT_IP;
	if (h[0] == 0xaa && h[1] == 0xaa && h[2] == 0x03) {
		p->etype = sl_be16(h + 6);
		p->off += 8;
		p->layer = SL_L_ETYPE;
		return 0;
	}
	if (h[0] == 0x06 && h[1] == 0x06 && h[2] == 0x03) {
		p->off += 3;
		p->layer = SL_L_IP4;
		return 0;
	}
	return SL_R_NOT_IP;
}

/* 802.1Q, 802.1ad and the pre-standard QinQ types. A cut tag is an error. */
static __always_inline int parse_vlan(const struct sl_view *v, struct sl_pkt *p)
{
	const __u8 *h = sl_bytes(v, p, p->off, 4);

	if (!h)
		return SL_R_TRUNCATED;
	if (!p->vlan && !p->n_ip)
		p->vlan = sl_be16(h) & 0xfff;
	p->etype = sl_be16(h + 2);
	p->off += 4;
	p->layer = p->etype < SL_ETYPE_MIN ? SL_L_LLC : SL_L_ETYPE;
	return 0;
}

static __always_inline int parse_etype(const struct sl_view *v,
				       struct sl_pkt *p)
{
	switch (p->etype) {
	case 0x0800:
		p->layer = SL_L_IP4;
		return 0;
	case 0x86dd:
		p->layer = SL_L_IP6;
		return 0;
	case 0x8100: case 0x88a8: case 0x9100: case 0x9200: case 0x9300:
		return parse_vlan(v, p);
	case 0x8847: case 0x8848:
		p->layer = SL_L_MPLS;
		return 0;
	case 0x8864:
		return parse_pppoe(v, p);
	case 0x880b:
		p->layer = SL_L_PPP;
		return 0;
	case 0x6558:
		p->layer = SL_L_ETH;
		return 0;
	case 0x88e7:		/* 802.1ah: an I-tag, then a whole frame */
		p->off += 4;
		p->layer = SL_L_ETH;
		return 0;
	}
	return SL_R_NOT_IP;
}

/* A second IP header: the first one's addresses become the outer ones, and
 * nothing of what lay behind it is this one's. */
static __always_inline int enter_ip(struct sl_pkt *p, __u8 family)
{
	if (p->n_ip >= SL_PARSE_IPS)
		return SL_R_TOO_DEEP;
	if (p->n_ip == 1) {
		p->outer_family = p->family;
		p->outer = p->ip;
		sl_fields_of(p, SL_HEADER_OUTER, &p->outer_fields);
	}
	if (p->n_ip) {
		p->has = 0;
		p->ah = 0;
		p->fragw = 0;
	}
	p->n_ip++;
	p->family = family;
	return 0;
}

static __always_inline int parse_ip4(const struct sl_view *v, struct sl_pkt *p)
{
	const __u8 *h = sl_bytes(v, p, p->off, 20);
	__u32 ihl_b, total_b, frag;
	int rc;

	if (!h)
		return SL_R_TRUNCATED;
	ihl_b = (h[0] & 15) * 4;
	if (h[0] >> 4 != 4 || ihl_b < 20)
		return SL_R_MALFORMED_IP;
	total_b = sl_be16(h + 2);
	if (!total_b)		/* segmentation offload: to the frame's end */
		total_b = p->wire_b > p->off ? p->wire_b - p->off : 0;
	if (total_b < ihl_b)
		return SL_R_MALFORMED_IP;
	rc = enter_ip(p, 4);
	if (rc)
		return rc;
	frag = sl_be16(h + 6);
	p->tos = h[1];
	p->fragw = frag;
	p->len_b = total_b;
	p->hop_limit = h[8];
	p->proto = h[9];
	p->ip.src[0] = sl_ld32(h + 12);
	p->ip.dst[0] = sl_ld32(h + 16);
	p->wire_b = p->off + total_b;
	if (p->cap_b > p->wire_b)
		p->cap_b = p->wire_b;
	if (frag & 0x1fff)
		return SL_R_FRAGMENT_LATER;
	if (frag & 0x2000)
		p->frag = 1;
	p->off += ihl_b;
	if (p->off > p->cap_b)
		return SL_R_TRUNCATED;
	p->layer = SL_L_PROTO;
	return 0;
}

static __always_inline int parse_ip6(const struct sl_view *v, struct sl_pkt *p)
{
	const __u8 *h = sl_bytes(v, p, p->off, 40);
	__u32 len_b, i;
	int rc;

	if (!h)
		return SL_R_TRUNCATED;
	if (h[0] >> 4 != 6)
		return SL_R_MALFORMED_IP;
	rc = enter_ip(p, 6);
	if (rc)
		return rc;
	for (i = 0; i < 4; i++) {
		p->ip.src[i] = sl_ld32(h + 8 + 4 * i);
		p->ip.dst[i] = sl_ld32(h + 24 + 4 * i);
	}
	len_b = sl_be16(h + 4);
	p->tos = sl_be16(h) >> 4;
	p->proto = h[6];
	p->hop_limit = h[7];
	p->off += 40;
	p->len_b = len_b ? len_b + 40 : p->wire_b - p->off + 40;
	if (len_b) {		/* 0: jumbogram or offload, to the end */
		p->wire_b = p->off + len_b;
		if (p->cap_b > p->wire_b)
			p->cap_b = p->wire_b;
	}
	p->layer = SL_L_PROTO;
	return 0;
}

/* Extension header of n 8-byte units (RFC 8200); the fragment header too. */
static __always_inline int parse_one_ext6(const struct sl_view *v, struct sl_pkt *p)
{
	const __u8 *h = sl_bytes(v, p, p->off, 8);

	if (!h)
		return SL_R_TRUNCATED;
	if (p->proto == 44) {
		__u32 frag = sl_be16(h + 2);

		p->fragw = frag >> 3 | (frag & 1 ? 0x2000 : 0);
		if (frag & 0xfff8) {
			p->proto = h[0];
			return SL_R_FRAGMENT_LATER;
		}
		if (frag & 1)
			p->frag = 1;
		p->off += 8;
	} else {
		p->off += (h[1] + 1) * 8;
	}
	p->proto = h[0];
	return p->off > p->cap_b ? SL_R_TRUNCATED : 0;
}

static __always_inline int is_ext6(__u32 proto)
{
	switch (proto) {
	case 0: case 43: case 44: case 60: case 135: case 139: case 140:
	case 253: case 254:
		return 1;
	}
	return 0;
}

/* All those that stand one behind the other: hosts take any number of them, so
 * that many small ones must not hide what is behind from rules. */
static __always_inline int parse_ext6(const struct sl_view *v, struct sl_pkt *p)
{
	int i, reason = 0;

	for (i = 0; i < SL_PARSE_EXTS && !reason && is_ext6(p->proto); i++) {
		sl_forget();
		reason = parse_one_ext6(v, p);
	}
	return reason;
}

/* Authentication header (RFC 4302): in clear, so it is only skipped. Rules see
 * its number and that of what it is before. */
static __always_inline int parse_ah(const struct sl_view *v, struct sl_pkt *p)
{
	const __u8 *h = sl_bytes(v, p, p->off, 8);

	if (!h)
		return SL_R_TRUNCATED;
	p->proto = h[0];
	p->ah = SL_HAS_AH;
	p->off += (h[1] + 2) * 4;
	return p->off > p->cap_b ? SL_R_TRUNCATED : 0;
}

static __always_inline int parse_proto(const struct sl_view *v,
				       struct sl_pkt *p)
{
	switch (p->proto) {
	case 6:
		return parse_tcp(v, p);
	case 17:
		return parse_udp(v, p);
	case 1:
		return p->family == 4 ? parse_icmp(v, p, 8, 0) :
					SL_R_OTHER_PROTO;
	case 58:
		return p->family == 6 ? parse_icmp(v, p, 128, 129) :
					SL_R_OTHER_PROTO;
	case 4:
		p->layer = SL_L_IP4;
		return 0;
	case 41:
		p->layer = SL_L_IP6;
		return 0;
	case 47:
		return parse_gre(v, p);
	case 51:
		return parse_ah(v, p);
	case 97:		/* EtherIP, RFC 3378 */
		p->off += 2;
		p->layer = SL_L_ETH;
		return 0;
	case 137:
		p->layer = SL_L_MPLS;
		return 0;
	}
	return p->family == 6 && is_ext6(p->proto) ? parse_ext6(v, p) :
						     SL_R_OTHER_PROTO;
}

static __always_inline int parse_layer(const struct sl_view *v,
				       struct sl_pkt *p)
{
	switch (p->layer) {
	case SL_L_ETH:
		return parse_eth(v, p);
	case SL_L_ETYPE:
		return parse_etype(v, p);
	case SL_L_LLC:
		return parse_llc(v, p);
	case SL_L_PPP:
		return parse_ppp(v, p);
	case SL_L_MPLS:
		return parse_mpls(v, p);
	case SL_L_IP4:
		return parse_ip4(v, p);
	case SL_L_IP6:
		return parse_ip6(v, p);
	}
	return parse_proto(v, p);
}

/*
 * Ethernet, IP, transport, one behind the other: what nearly every frame is.
 * The loop would do the same, with a call and a dispatch for each layer: 50 ns
 * instead of 15 (docs/performance.md). What is something else stops where it
 * begins to be, and the loop takes over there.
 */
static __always_inline int parse_usual(const struct sl_view *v,
				       struct sl_pkt *p)
{
	int reason = parse_eth(v, p);

	if (reason || p->layer != SL_L_ETYPE)
		return reason;
	if (p->etype == 0x0800)
		reason = parse_ip4(v, p);
	else if (p->etype == 0x86dd)
		reason = parse_ip6(v, p);
	else
		return 0;
	if (reason)
		return reason;
	if (p->proto == 6)
		return usual_tcp(v, p);
	if (p->proto == 17)
		return usual_udp(v, p);
	return 0;
}

#endif
