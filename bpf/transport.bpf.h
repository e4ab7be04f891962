/* SPDX-License-Identifier: GPL-2.0 */
/* Stage 1, parse: TCP with its time stamps, UDP. */
#ifndef SL_TRANSPORT_BPF_H
#define SL_TRANSPORT_BPF_H

#include "pkt.bpf.h"
#include "rtt_dns.bpf.h"
#include "rtt_icmp.bpf.h"
#include "rtt_quic.bpf.h"
#include "rtt_srt.bpf.h"
#include "rtt_stun.bpf.h"
#include "tunnel.bpf.h"

#define SL_TCP_OPTS	32	/* options before the time stamp, NOPs too */

/*
 * Find the first well-formed time stamp option (RFC 7323) between p->off and
 * end. The cursor walks in p->off, which the caller does not need any more.
 */
static __always_inline void tcp_timestamps(const struct sl_view *v,
					   struct sl_pkt *p, __u32 end)
{
	const __u8 *h;
	__u32 size;
	int i;

	if (p->cap_b > end)
		p->cap_b = end;
	for (i = 0; i < SL_TCP_OPTS; i++) {
		sl_forget();
		h = sl_bytes(v, p, p->off, 1);
		if (!h || h[0] == 0)
			return;
		if (h[0] == 1) {
			p->off++;
			continue;
		}
		h = sl_bytes(v, p, p->off, 2);
		if (!h)
			return;
		size = h[1];
		if (size < 2 || p->off + size > p->cap_b)
			return;
		if (h[0] == 8 && size == 10) {
			h = sl_bytes(v, p, p->off, 10);
			if (!h)
				return;
			p->tsval = sl_be32(h + 2);
			p->tsecr = sl_be32(h + 6);
			p->has_ts = 1;
			return;
		}
		p->off += size;
	}
}

/* The layout that RFC 7323 appendix A recommends and nearly all senders use:
 * two NOPs, then the option. */
#define SL_TCP_USUAL_TS	0x0101080a

/* The fixed part; *end: behind the options. */
static __always_inline int tcp_header(const struct sl_view *v,
				      struct sl_pkt *p, __u32 *end_out)
{
	const __u8 *h = sl_bytes(v, p, p->off, 20);
	__u32 doff_b, end;

	if (!h)
		return SL_R_TRUNCATED;
	/* to be judged, even where the rest of it is wrong */
	p->sport = sl_be16(h);
	p->dport = sl_be16(h + 2);
	p->tcp_flags = sl_be16(h + 12) & 0xfff;
	p->has = SL_HAS_PORTS | SL_HAS_FLAGS;
	doff_b = (h[12] >> 4) * 4;
	*end_out = end = p->off + doff_b;
	if (doff_b < 20 || end > p->wire_b)
		return SL_R_MALFORMED_L4;
	p->seq = sl_be32(h + 4);
	p->ack = sl_be32(h + 8);
	p->window = sl_be16(h + 14);
	p->payload_b = p->wire_b - end;
	p->off += 20;
	p->l4 = 1;
	p->layer = SL_L_DONE;
	return 0;
}

/* Ports of a header that was cut, by fragments of a few bytes for example
 * (RFC 1858), which are not to slip through a rule. */
static __always_inline void cut_ports(const struct sl_view *v,
					 struct sl_pkt *p)
{
	const __u8 *h = sl_bytes(v, p, p->off, 4);

	if (!h)
		return;
	p->sport = sl_be16(h);
	p->dport = sl_be16(h + 2);
	p->has = SL_HAS_PORTS;
}

/* What a cut TCP header still tells. */
static __always_inline void cut_tcp(const struct sl_view *v, struct sl_pkt *p)
{
	const __u8 *h = sl_bytes(v, p, p->off, 14);

	cut_ports(v, p);
	if (!h)
		return;
	p->tcp_flags = sl_be16(h + 12) & 0xfff;
	p->has = SL_HAS_PORTS | SL_HAS_FLAGS;
}

static __always_inline int parse_tcp(const struct sl_view *v, struct sl_pkt *p)
{
	__u32 start = p->off, end;
	int reason = tcp_header(v, p, &end);

	if (reason == SL_R_TRUNCATED)
		cut_tcp(v, p);
	if (!reason && end > start + 20)
		tcp_timestamps(v, p, end);
	return reason;
}

/* TCP without options, or with the usual ones; any other is left alone. */
static __always_inline int usual_tcp(const struct sl_view *v, struct sl_pkt *p)
{
	const __u8 *h = sl_bytes(v, p, p->off, 20);
	__u32 end;
	int reason;

	if (!h)
		return 0;
	if (h[12] >> 4 == 5)
		return tcp_header(v, p, &end);
	h = sl_bytes(v, p, p->off, 32);
	if (!h || h[12] >> 4 < 8 || sl_be32(h + 20) != SL_TCP_USUAL_TS)
		return 0;
	reason = tcp_header(v, p, &end);
	p->tsval = sl_be32(h + 24);
	p->tsecr = sl_be32(h + 28);
	p->has_ts = !reason;
	return reason;
}

/* UDP header: ports and where its payload ends. */
static __always_inline int udp_header(const struct sl_view *v,
				      struct sl_pkt *p)
{
	const __u8 *h = sl_bytes(v, p, p->off, 8);
	__u32 len_b, udp_off = p->off;

	if (!h) {
		cut_ports(v, p);
		return SL_R_TRUNCATED;
	}
	p->sport = sl_be16(h);
	p->dport = sl_be16(h + 2);
	p->has = SL_HAS_PORTS;
	len_b = sl_be16(h + 4);
	if (len_b && len_b < 8)
		return SL_R_MALFORMED_L4;
	if (len_b && p->wire_b > udp_off + len_b)
		p->wire_b = udp_off + len_b;
	if (p->cap_b > p->wire_b)
		p->cap_b = p->wire_b;
	return 0;
}

/* Which method may want the datagram; what its first two bits say comes first,
 * since they tell STUN, QUIC's two headers and SRT's control packets apart. */
static __always_inline void udp_find(const struct sl_view *v, struct sl_pkt *p)
{
	const __u8 *h;

	if (p->sport == 53 || p->dport == 53) {
		dns_find(v, p);
		return;
	}
	h = sl_bytes(v, p, p->off, 1);
	if (!h)
		return;
	if (h[0] & 0x80) {
		if (!srt_find(v, p))
			quic_find_long(v, p);
	} else if (h[0] & 0x40) {
		quic_find_short(p, h[0]);
	} else {
		stun_find(v, p);
	}
}

static __always_inline int udp_done(const struct sl_view *v, struct sl_pkt *p,
				    __u32 udp_off)
{
	p->off = udp_off + 8;
	p->l4 = 1;
	p->layer = SL_L_DONE;
	if (!p->frag)
		udp_find(v, p);
	return 0;
}

static __always_inline int parse_udp(const struct sl_view *v, struct sl_pkt *p)
{
	__u32 udp_off = p->off;
	int reason = udp_header(v, p);

	if (reason || !enter_udp_tunnel(v, p, udp_off + 8))
		return reason;
	return udp_done(v, p, udp_off);
}

/* UDP of no tunnel; any other is left alone, its header to be read again. */
static __always_inline int usual_udp(const struct sl_view *v, struct sl_pkt *p)
{
	__u32 udp_off = p->off;
	int reason = udp_header(v, p);

	if (reason || maybe_udp_tunnel(p))
		return reason;
	return udp_done(v, p, udp_off);
}

#endif
