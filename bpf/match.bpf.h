/* SPDX-License-Identifier: GPL-2.0 */
/* Stage 4, match: which method a packet belongs to, and its flow's line. */
#ifndef SL_MATCH_BPF_H
#define SL_MATCH_BPF_H

#include "account.bpf.h"
#include "flow.bpf.h"
#include "rtt_query.bpf.h"
#include "rtt_seq.bpf.h"
#include "rtt_tcp.bpf.h"

/* me: index of the sender's direction; first: SL_FIRST_* of the flow's line. */
static __always_inline void match_tcp(struct sl_pkt *p, struct sl_cls *c,
				      struct sl_flow *f,
				      struct sl_lane_ctr *ctr,
				      __u32 me_first_path)
{
	__u32 me = me_first_path & 1, first = me_first_path >> 8 & 0xff;
	struct sl_tcp t = {
		.flow = f, .mine = &f->d[me], .peer = &f->d[me ^ 1],
		.my_flags = &f->dflags[me], .peer_flags = &f->dflags[me ^ 1],
	};
	if (p->tcp_flags & SL_TCP_SYN && !(p->tcp_flags & SL_TCP_RST))
		tcp_open(p, &t);
	if (p->frag) {
		tcp_fragment(p, c, first, &t);
		return;
	}
	if (!(*t.peer_flags & SL_FD_TS))
		seq_answer(p, c, me_first_path >> 16, &t);
	tcp_answer(p, c, me_first_path >> 16, &t);
	seq_acked(p, c, &t);
	tcp_stamp(p, c, first, &t);
	seq_stamp(p, c, first, &t);
	tcp_sequence(p, &t, ctr, c->dir == SL_DIR_IN);
	if (!p->has_ts && p->payload_b && !(f->state & SL_FLOW_NO_TS)) {
		f->state |= SL_FLOW_NO_TS;
		count_miss(c->lane, SL_MISS_NO_TIMESTAMP);
	}
}

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

static __always_inline void count_lane(struct sl_lane_ctr *ctr, __u32 way,
				       __u32 frame_b)
{
	if (!ctr)
		return;
	ctr->packets[way]++;
	ctr->bytes[way] += frame_b;
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

/* A packet that a method may want. A function of its own: the verifier walks
 * it once. Returns the exit's reason. */
__noinline int sl_match(struct sl_pkt *p, struct sl_cls *c, __u32 port_path)
{
	struct sl_hit hit = { .way = SL_FLOW_WAYS };
	__u32 way, path;
	struct sl_lane_ctr *ctr;
	struct sl_flow *f;
	int tcp, create;

	if (!p || !c)
		return SL_R_UNTRACKED;
	tcp = p->proto == 6;
	create = tcp ? !(p->tcp_flags & SL_TCP_RST) :
		 p->query == SL_QUERY_REQUEST;
	way = c->dir == SL_DIR_IN;
	if (tcp && to_itself(p))
		return SL_R_TO_ITSELF;
	flow_find(p, create, &hit);
	f = flow_of(&hit);
	path = path_of(c, port_path, f);
	ctr = lane_ctr(path, c->lane);
	count_lane(ctr, way, p->frame_b);
	if (hit.miss)
		count_miss(c->lane, hit.miss - 1);
	if (!f)
		return hit.miss == SL_MISS_REFUSED + 1 ? SL_R_TABLE_FULL :
							 SL_R_UNTRACKED;
	if (tcp || p->method == SL_M_ICMP)	/* others must not hold a line */
		flow_saw(f, hit.me);
	if (tcp)
		match_tcp(p, c, f, ctr,
			  path << 16 | hit.first << 8 | (hit.me & 1));
	else
		match_query(p, c, path, f, hit.me & 1);
	return p->frag && tcp ? SL_R_FRAGMENT_FIRST : SL_R_TRACKED;
}

/* Match one parsed packet and count its lane. Returns the exit's reason. */
static __always_inline int match(struct sl_pkt *p, struct sl_cls *c,
				 __u32 port_path)
{
	if (p->proto == 6 || p->query)
		return sl_match(p, c, port_path);
	count_lane(lane_ctr(path_of(c, port_path, 0), c->lane),
		   c->dir == SL_DIR_IN, p->frame_b);
	return SL_R_UNTRACKED;
}

#endif
