/* SPDX-License-Identifier: GPL-2.0 */
/*
 * struct sl_pkt: what the parser found, and the bounded reads it uses. Plain
 * C: with SL_NATIVE it compiles for user space, where it is sanitised.
 */
#ifndef SL_PKT_BPF_H
#define SL_PKT_BPF_H

#include <sealane/abi.h>

#define SL_PARSE_MAX_B	3520	/* deepest byte looked at, as replay presents */

/* What comes next at pkt->off. EtherType and L4 protocol are different types,
 * so each has a field of its own. */
enum sl_layer {
	SL_L_ETH,
	SL_L_ETYPE,		/* pkt->etype says */
	SL_L_LLC,
	SL_L_PPP,
	SL_L_MPLS,
	SL_L_IP4,
	SL_L_IP6,
	SL_L_PROTO,		/* pkt->proto says */
	SL_L_DONE,		/* TCP, UDP or ICMP header parsed */
};

struct sl_ip {
	__u32 src[4];		/* network order; IPv4 in word 0 */
	__u32 dst[4];
};

struct sl_pkt {
	/* cursor */
	__u32 off;		/* of the next layer, from the frame's start */
	__u32 cap_b;		/* readable end of the current layer */
	__u32 wire_b;		/* end the current layer claims on the wire */
	__u32 frame_b;		/* whole frame on the wire */
	__u8 layer;		/* enum sl_layer */
	__u8 proto;		/* IP protocol of the next or last layer */
	__u16 etype;		/* host order */
	/* addresses: innermost, and outermost when there are tunnels */
	__u8 family;		/* 4, 6; 0: no IP header found */
	__u8 outer_family;	/* 4, 6; 0: no tunnel */
	__u8 n_ip;		/* IP headers seen */
	__u8 frag;		/* a fragment, outer or inner */
	struct sl_ip ip;
	struct sl_ip outer;
	/* of the innermost IP header, as it has them */
	__u8 tos;		/* DSCP << 2 | ECN */
	__u8 has;		/* SL_HAS_*: what of L4 is there to be judged */
	__u16 fragw;		/* IPv4's: flags and offset */
	__u16 icmp;		/* type << 8 | code */
	__u8 ah;		/* SL_HAS_AH, or 0 */
	__u8 hop_limit;		/* IPv4: TTL */
	__u32 len_b;		/* of the IP packet */
	struct sl_fields outer_fields;
	__u16 pad2;
	__u32 tunnel;		/* VNI, GRE key or TEID of the innermost tunnel */
	__u16 vlan;		/* outermost VLAN id; 0 untagged */
	/* transport, host order; ports are 0 for ICMP */
	__u16 sport;
	__u16 dport;
	__u16 tcp_flags;	/* 12 bits */
	__u32 seq;		/* TCP; else what request and reply share;
				 * short header of QUIC: the spin bit */
	__u32 ack;		/* TCP; echo: identifier */
	__u32 tsval;
	__u32 tsecr;
	__u32 payload_b;	/* TCP payload by the IP length */
	__u32 line_id;		/* queries side by side have a line each */
	__u16 window;		/* TCP, not scaled */
	__u8 l4;		/* 1: transport fields are valid */
	__u8 role;		/* not TCP: enum sl_role */
	__u8 method;		/* with a role: enum sl_method */
	__u8 tunnel_moves;	/* 1: the id is not one for the flow's key */
	__u8 has_ts;		/* RFC 7323 option present */
	__u8 pad;
};

/* Kind of fragment (SL_FRAG_*) by the flags and offset of an IPv4 header. */
static __always_inline __u32 sl_frag_kind(__u32 fragw)
{
	__u32 later = fragw & 0x1fff, more = fragw & 0x2000;

	return (fragw & 0x4000 ? SL_FRAG_DF : 0) |
	       (later ? SL_FRAG_LATER | (more ? 0 : SL_FRAG_LAST) :
		more ? SL_FRAG_FIRST : 0);
}

/* What rules ask of the innermost header so far. */
static __always_inline void sl_fields_of(const struct sl_pkt *p, __u32 at,
					 struct sl_fields *f)
{
	f->proto = p->proto;
	f->has = p->has | p->ah;
	f->sport = p->sport;
	f->dport = p->dport;
	f->icmp = p->icmp;
	f->tcp_flags = p->tcp_flags;
	f->len_b = p->len_b > 65535 ? 65535 : p->len_b;
	f->header = SL_HEADER(p->tos >> 2, sl_frag_kind(p->fragw),
			      p->family == 6, at);
}

/* What a packet is to its method. */
enum sl_role {
	SL_ROLE_NONE,
	SL_ROLE_REQUEST,	/* starts a clock */
	SL_ROLE_REPLY,		/* may end one */
	SL_ROLE_OPEN,		/* tells that its flow speaks the protocol */
	SL_ROLE_VOID,		/* the request must be made again */
	SL_ROLE_MORE,		/* goes on with what was opened */
};

#define SL_TCP_FIN	0x01
#define SL_TCP_SYN	0x02
#define SL_TCP_RST	0x04
#define SL_TCP_ACK	0x10

/* The captured bytes. */
struct sl_view {
	const __u8 *data;
	const __u8 *end;
};

#ifdef SL_NATIVE
#include <string.h>
static inline __u16 sl_ld16(const __u8 *p)
{
	__u16 v;

	memcpy(&v, p, sizeof(v));
	return v;
}
static inline __u32 sl_ld32(const __u8 *p)
{
	__u32 v;

	memcpy(&v, p, sizeof(v));
	return v;
}
#define sl_forget()	do { } while (0)
#define sl_keep_order(x) do { } while (0)
#else
#define sl_ld16(p)	(*(const __u16 *)(p))
#define sl_ld32(p)	(*(const __u32 *)(p))
/* Make the compiler reload pkt fields: what the verifier knew of them is then
 * forgotten, and its states at a loop head stay comparable. */
#define sl_forget()	asm volatile("" ::: "memory")
/* x is not to be used in anything the compiler would move before this. */
#define sl_keep_order(x) asm volatile("" : "+r"(x))
#endif

#define sl_be16(p)	__builtin_bswap16(sl_ld16(p))
#define sl_be32(p)	__builtin_bswap32(sl_ld32(p))

/* len bytes at offset off of the frame, or NULL when they were not captured
 * or lie beyond the end of the current layer. */
static __always_inline const __u8 *
sl_bytes(const struct sl_view *v, const struct sl_pkt *p, __u32 off, __u32 len)
{
	const __u8 *b;

	if (off > SL_PARSE_MAX_B || off + len > p->cap_b)
		return 0;
#ifndef SL_NATIVE
	/* The verifier wants to see the bound on the very register added. */
	asm volatile("%0 &= 0xfff" : "+r"(off));
#endif
	b = v->data + off;
#ifndef SL_NATIVE
	/* ... and every access to go through the register it checked. */
	sl_keep_order(b);
#endif
	if (b + len > v->end)
		return 0;
	return b;
}

#endif
