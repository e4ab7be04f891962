/* SPDX-License-Identifier: GPL-2.0 */
/* Stage 4, match: which method a packet belongs to, and its flow's line. */
#ifndef SL_MATCH_BPF_H
#define SL_MATCH_BPF_H

#include "account.bpf.h"
#include "flow.bpf.h"
#include "rtt_query.bpf.h"
#include "rtt_quic_hs.bpf.h"
#include "rtt_quic_spin.bpf.h"
#include "rtt_tcp.bpf.h"
#include "work.bpf.h"

static __always_inline int to_itself(const struct sl_pkt *p)
{
	const __u64 *s = (const __u64 *)p->ip.src;
	const __u64 *d = (const __u64 *)p->ip.dst;

	if (p->sport != p->dport)
		return 0;
	if (p->family == 4)	/* the other words are an outer header's */
		return p->ip.src[0] == p->ip.dst[0];
	return s[0] == d[0] && s[1] == d[1];
}

/* The path of a packet: where it arrived from abroad; for one that leaves
 * home, where its flow last arrived from (0 while that is not known). */
static __always_inline __u32 path_of(const struct sl_cls *c, __u32 port_path,
				     struct sl_flow *f)
{
	if (c->dir == SL_DIR_OUT)
		return f ? f->path : 0;
	if (f && f->path != port_path)
		f->path = port_path;
	return port_path;
}

/* May the packet begin a flow? */
static __always_inline int may_create(const struct sl_pkt *p)
{
	if (p->proto == 6)
		return !(p->tcp_flags & SL_TCP_RST);
	return p->role == SL_ROLE_OPEN ||
	       (p->role == SL_ROLE_REQUEST && p->method != SL_M_SRT);
}

/*
 * Does the packet tell that its end really is there and goes on? What a
 * spoofer can get answered does not: SYNs, Initials, handshakes of SRT,
 * echoes. Queries and echoes have a line for one answer and must not hold it.
 */
static __always_inline int may_confirm(const struct sl_pkt *p,
				       const struct sl_flow *f)
{
	if (p->proto == 6)
		return !(p->tcp_flags & (SL_TCP_SYN | SL_TCP_RST)) &&
		       (f->state & SL_FLOW_FINS) != SL_FLOW_FINS;
	return p->method == SL_M_QUIC_SPIN ||
	       (p->method == SL_M_SRT && p->role != SL_ROLE_OPEN);
}

/* A tuple speaks QUIC or SRT from its first packet on. 0: not this packet. */
static __always_inline int speaks(struct sl_flow *f, const struct sl_pkt *p)
{
	__u8 want = p->method == SL_M_SRT ? SL_FLOW_SRT : SL_FLOW_QUIC;

	if (!(f->state & (SL_FLOW_SRT | SL_FLOW_QUIC)))
		f->state |= want;
	return f->state & want;
}

/* What is not TCP: a line for each method. */
static __always_inline void match_other(const struct sl_pkt *p,
					const struct sl_cls *c, __u32 path,
					struct sl_ends *t)
{
	switch (p->method) {
	case SL_M_ICMP: case SL_M_DNS: case SL_M_STUN:
		match_query(p, c, path, t);
		break;
	case SL_M_SRT:
		if (speaks(t->flow, p))
			match_query(p, c, path, t);
		break;
	case SL_M_QUIC_HS:
		if (speaks(t->flow, p))
			match_quic_long(p, c, path, t);
		break;
	case SL_M_QUIC_SPIN:
		if (speaks(t->flow, p))
			match_quic_short(p, c, path, t);
		break;
	}
}

/* A packet that a method may want. A function of its own: the verifier walks
 * it once. Returns the exit's reason. */
__noinline int sl_match(struct sl_work *w, __u32 port_path)
{
	struct sl_ends t;
	struct sl_flow *f;
	struct sl_cls *c;
	struct sl_pkt *p;
	__u32 me, path;
	int tcp;

	if (!w)
		return SL_R_UNTRACKED;
	p = &w->pkt;
	c = &w->cls;
	tcp = p->proto == 6;
	if (tcp && to_itself(p))
		return SL_R_TO_ITSELF;
	w->hit = (struct sl_hit){ .way = SL_FLOW_WAYS };
	flow_find(p, may_create(p), c, &w->hit);
	sl_forget();
	f = flow_of(&w->hit);
	path = path_of(c, port_path, f);
	t.ctr = lane_ctr(path, c->lane);
	count_lane(t.ctr, c->dir == SL_DIR_IN, p->frame_b);
	if (w->hit.miss)
		count_miss(c->lane, w->hit.miss - 1);
	if (tcp)
		health_packet(p, c, !!f);
	if (!f)
		return w->hit.miss == SL_MISS_REFUSED + 1 ?
		       SL_R_TABLE_FULL : SL_R_UNTRACKED;
	me = w->hit.me & 1;
	if (!w->hit.first && may_confirm(p, f))
		flow_saw(f, me);
	t.flow = f;
	t.mine = &f->d[me];
	t.peer = &f->d[me ^ 1];
	t.my_flags = &f->dflags[me];
	t.peer_flags = &f->dflags[me ^ 1];
	if (tcp)
		match_tcp(p, c, path, w->hit.first, &t);
	else
		match_other(p, c, path, &t);
	return p->frag && tcp ? SL_R_FRAGMENT_FIRST : SL_R_TRACKED;
}

/* Match one parsed packet and count its lane. Returns the exit's reason. */
static __always_inline int match(struct sl_work *w, __u32 port_path)
{
	const struct sl_pkt *p = &w->pkt;
	const struct sl_cls *c = &w->cls;

	if (p->proto == 6 || p->role)
		return sl_match(w, port_path);
	count_lane(lane_ctr(path_of(c, port_path, 0), c->lane),
		   c->dir == SL_DIR_IN, p->frame_b);
	return SL_R_UNTRACKED;
}

#endif
