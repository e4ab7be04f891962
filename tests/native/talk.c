// SPDX-License-Identifier: GPL-2.0
/* Two ends in conversation: each frame follows from the ones before it, so that
 * few bytes of a fuzzer make handshakes, round trips and answers. */
#include "shot.h"

#define SYN 0x02
#define FIN 0x01

static const char *const home4[TALK_FLOWS] = {
	"198.18.0.2", "198.18.0.2", "198.18.0.3", "198.18.0.4" };
static const char *const far4[TALK_FLOWS] = {
	"203.0.113.5", "203.0.113.77", "203.0.113.66", "203.0.113.88" };
static const char *const home6[TALK_FLOWS] = {
	"2001:db8::2", "2001:db8::2", "2001:db8::3", "2001:db8::4" };
static const char *const far6[TALK_FLOWS] = {
	"2001:db8:1::5", "2001:db8:1::77", "2001:db8:1::66",
	"2001:db8:1::88" };

/* Layers before the IP header that counts. */
static void tunnel_ip(struct frame *f, unsigned int proto)
{
	eth(f, 0x0800);
	ip4(f, "192.0.2.1", "192.0.2.2", proto, 0);
}

static void tunnel_udp(struct frame *f, unsigned int dport)
{
	tunnel_ip(f, 17);
	udp(f, dport == 2152 ? 2152 : 40000, dport);
}

/* Tags, labels and sessions. */
static void tagged(struct frame *f, unsigned int which, unsigned int etype)
{
	switch (which) {
	case 0: eth(f, 0x8100); tag(f, 10, etype); break;
	case 1: eth(f, 0x88a8); tag(f, 5, 0x8100); tag(f, 6, etype); break;
	case 2: eth(f, 0x8847); put32(f, 0x00064140); break;
	case 3:		/* pseudowire */
		eth(f, 0x8847);
		put32(f, 0x00064140);
		eth(f, etype);
		break;
	case 4:		/* with its control word */
		eth(f, 0x8847);
		put32(f, 0x00064140);
		put32(f, 0);
		eth(f, etype);
		break;
	case 5:
		eth(f, 0x8864);
		put32(f, 0x11000001);
		put16(f, 0);
		put16(f, etype == 0x86dd ? 0x57 : 0x21);
	}
}

static void in_gre(struct frame *f, unsigned int which, unsigned int etype,
		   const struct talk_packet *p)
{
	tunnel_ip(f, 47);
	switch (which) {
	case 6: put16(f, 0); put16(f, etype); break;
	case 7: put16(f, 0x2000); put16(f, etype); put32(f, 70 + p->dir); break;
	case 8:		/* ERSPAN III */
		put32(f, 0x100022eb);
		put32(f, 1);
		put32(f, 0x20000000);
		put32(f, 0);
		put32(f, 0);
		eth(f, etype);
	}
}

static void in_udp(struct frame *f, unsigned int which, unsigned int etype,
		   const struct talk_packet *p)
{
	static const uint16_t port[] = { 4789, 4790, 6081, 2152, 2152, 6635 };

	tunnel_udp(f, port[which - 9]);
	switch (which) {
	case 9:
		put32(f, 0x08000000);
		put32(f, 0x100 << p->flow);
		eth(f, etype);
		break;
	case 10: put32(f, p->ip6 ? 0x0c000002 : 0x0c000001); put32(f, 1); break;
	case 11: put32(f, etype); put32(f, 0x500); break;
	case 12: put32(f, 0x30ff0000); put32(f, 1000 + p->dir); break;
	case 13:	/* with an extension header, a PDU session container */
		put32(f, 0x34ff0000);
		put32(f, 1000 + p->dir);
		put32(f, 0x00000085);
		put32(f, 0x01000100);
		break;
	default: put32(f, 0x00064140);
	}
}

static void before_ip(struct frame *f, const struct talk_packet *p)
{
	unsigned int etype = p->ip6 ? 0x86dd : 0x0800;
	unsigned int which = p->wrap % TALK_WRAPS;

	if (!p->wrapped)
		eth(f, etype);
	else if (which < 6)
		tagged(f, which, etype);
	else if (which < 9)
		in_gre(f, which, etype, p);
	else if (which < 15)
		in_udp(f, which, etype, p);
	else if (which == 15)
		tunnel_ip(f, p->ip6 ? 41 : 4);
	else {
		eth(f, 0x86dd);
		ip6(f, "2001:db8:5::1", "2001:db8:5::2", p->ip6 ? 41 : 4);
	}
}

static void ip(struct frame *f, const struct talk_packet *p,
	       unsigned int proto, unsigned int frag)
{
	const char *const *home = p->ip6 ? home6 : home4;
	const char *const *far = p->ip6 ? far6 : far4;
	const char *src = (p->dir ? far : home)[p->flow];
	const char *dst = (p->dir ? home : far)[p->flow];

	if (!p->ip6) {
		ip4(f, src, dst, proto, frag);
		return;
	}
	ip6(f, src, dst, frag ? 44 : proto);
	if (frag) {
		put16(f, proto << 8);
		put16(f, (frag & 0x1fff) << 3 | frag >> 13);
		put32(f, 1);
	}
}

static void ports(struct frame *f, const struct talk_packet *p,
		  unsigned int client, unsigned int server)
{
	client += p->flow;
	udp(f, p->dir ? server : client, p->dir ? client : server);
}

/* The option where RFC 7323 does not recommend it. */
static void odd_options(struct frame *f, uint32_t tsval, uint32_t tsecr)
{
	unsigned int doff_at = f->len - 20 + 12;

	put32(f, 0x020405b4);
	put16(f, 0x080a);
	put32(f, tsval);
	put32(f, tsecr);
	put16(f, 0x0100);
	f->b[doff_at] = 0x90;
}

/* kind 0: with time stamps; 1: without; 2: with odd options. arg: flags; its
 * highest bit sends again what was sent before. */
static void talk_tcp(struct talk_flow *w, const struct talk_packet *p,
		     struct frame *f)
{
	unsigned int flags = p->arg & 0x3f, me = p->dir;
	uint32_t seq = w->seq[me] - (p->arg & 0x80 ? p->len_b : 0);

	w->tsval[me] = p->now_ms + 1;
	tcp(f, me ? 443 : 40000 + p->flow, me ? 40000 + p->flow : 443, seq,
	    flags & 0x10 ? w->seq[!me] : 0, flags,
	    p->kind == 0 ? w->tsval[me] : 0, w->tsval[!me]);
	if (p->kind == 2)
		odd_options(f, w->tsval[me], w->tsval[!me]);
	payload(f, p->len_b);
	seq += p->len_b + !!(flags & SYN) + !!(flags & FIN);
	if ((int32_t)(seq - w->seq[me]) > 0)
		w->seq[me] = seq;
}

static void talk_dns(const struct talk_packet *p, struct frame *f)
{
	ports(f, p, 5300, 53);
	put16(f, p->arg);
	put16(f, p->dir ? 0x8180 : 0x0100);
	put32(f, 0x00010000);
	put32(f, 0);
	put(f, "\3www\7example\0\0\1\0\1", 17);
}

/* kind 5: with the cookie; 6: classic. arg: the transaction; its two highest
 * bits make an indication, or an error. */
static void talk_stun(const struct talk_packet *p, struct frame *f)
{
	ports(f, p, 5400, p->kind == 6 ? 3478 : 19302);
	put16(f, p->arg & 0x80 ? 0x0011 : !p->dir ? 0x0001 :
		 p->arg & 0x40 ? 0x0111 : 0x0101);
	put16(f, 0);
	put32(f, p->kind == 6 ? 0x01020304 : 0x2112a442);
	put32(f, p->arg & 0x3f);
	put32(f, 5);
	put32(f, 6);
}

static void talk_echo(const struct talk_packet *p, struct frame *f)
{
	unsigned int type = p->ip6 ? (p->dir ? 129 : 128) : (p->dir ? 0 : 8);

	echo(f, type, 7 + (p->arg >> 6), p->arg & 0x3f);
	payload(f, p->len_b);
}

/* Long headers (arg: type and version; an Initial or 0-RTT is as long as a client's
 * unless bit 6 says else), then short ones (arg: spin bit). */
static void talk_quic(struct talk_flow *w, const struct talk_packet *p,
		      struct frame *f)
{
	ports(f, p, 44300, 443);
	if (p->kind == 8) {
		put8(f, 0xc0 | (p->arg & 3) << 4);
		put32(f, p->arg & 0x10 ? 0 : p->arg & 0x20 ? 0x6b3343cf : 1);
		put8(f, 8);
		put(f, p->dir ? "clientid" : "serverid", 8);
		put8(f, 8);
		put(f, p->dir ? "serverid" : "clientid", 8);
		if (!(p->arg & 0x42))
			payload(f, 1200);
	} else {
		if (p->arg & 1)
			w->spin ^= 1 << p->dir;
		put8(f, 0x40 | (w->spin >> p->dir & 1) << 5 | (p->arg & 0x1e));
		put(f, p->dir ? "clientid" : "serverid", 8);
	}
	payload(f, 20 + p->len_b);
}

/* Full and light ACKs, ACKACKs, handshakes and data. */
static void talk_srt(const struct talk_packet *p, struct frame *f)
{
	static const uint16_t type[] = { 0x8002, 0x8006, 0x8002, 0x8000,
					 0x8001, 0x8003, 0x8005, 0x0001 };
	unsigned int which = p->kind == 10 ? p->dir : p->arg >> 5;

	ports(f, p, 9000, 9710);
	put16(f, type[which]);
	put16(f, 0);
	put32(f, p->arg & 0x1f);
	put32(f, p->now_ms * 1000);
	put32(f, 77);
	if (type[which] == 0x8002 && which == 0) {
		payload(f, 28);
	} else if (type[which] == 0x8000) {
		put32(f, 5);
		payload(f, 44);
	} else if (type[which] != 0x8006) {
		payload(f, 4 + p->len_b);
	}
}

/* A first fragment of TCP, or one behind it. */
static void talk_fragment(struct talk_flow *w, const struct talk_packet *p,
			  struct frame *f)
{
	ip(f, p, 6, p->arg & 0x40 ? 0x0010 : 0x2000);
	talk_tcp(w, p, f);
}

void talk(struct talk *t, const struct talk_packet *p, struct frame *f)
{
	struct talk_flow *w = &t->flow[p->ip6][p->flow];

	f->len = f->n_len = 0;
	before_ip(f, p);
	switch (p->kind) {
	case 0: case 1: case 2:
		ip(f, p, 6, 0);
		talk_tcp(w, p, f);
		break;
	case 4: ip(f, p, 17, 0); talk_dns(p, f); break;
	case 5: case 6: ip(f, p, 17, 0); talk_stun(p, f); break;
	case 7: ip(f, p, p->ip6 ? 58 : 1, 0); talk_echo(p, f); break;
	case 8: case 9: ip(f, p, 17, 0); talk_quic(w, p, f); break;
	case 10: case 11: ip(f, p, 17, 0); talk_srt(p, f); break;
	case 12: talk_fragment(w, p, f); break;
	case 13:	/* TWAMP light and STAMP */
		ip(f, p, 17, 0);
		ports(f, p, 8620, 862);
		put32(f, p->arg);
		payload(f, 40);
		break;
	case 14:	/* any protocol */
		ip(f, p, p->arg, 0);
		payload(f, p->len_b);
		break;
	default:
		ip(f, p, 17, 0);
		ports(f, p, 30000, p->arg << 8 | p->arg);
		payload(f, p->len_b);
	}
	done(f);
}
