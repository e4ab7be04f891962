/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The flow table: one cache line per flow, sets of four. No insert or delete
 * of a kernel map, no garbage collection: a line is claimed by one
 * compare-and-swap of its fingerprint and forgotten by age.
 */
#ifndef SL_FLOW_BPF_H
#define SL_FLOW_BPF_H

#include "base.bpf.h"
#include "classify.bpf.h"
#include "pkt.bpf.h"

/* Written by packets; read by the agent for its usage figures only; never
 * deleted, lines are reused. Size: `tables: flows` of the configuration. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct sl_flow_set);
} sl_flows SEC(".maps");

/* Stamps that went with their evicted flow, by CPU, lane, half and age.
 * Written by the packet that evicts; read by the agent; never deleted. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct sl_lane_lost);
} sl_lane_losts SEC(".maps");

#define SL_FP_BUSY	(~0ULL)	/* a line being given to a new flow */
#define SL_FP_NOBODY	1ULL	/* a line whose flow expired on touch */

/* A packet's flow: which line, and which end sent the packet. */
struct sl_hit {
	__u32 set;		/* index of the set */
	__u8 way;		/* line in it; SL_FLOW_WAYS: none */
	__u8 me;		/* index of the sender's direction, 0 or 1 */
	__u8 first;		/* 1: claimed by this packet, and nobody had
				 * the line before; 2: somebody had */
	__u8 miss;		/* SL_MISS_* + 1: what the claim cost */
};

#define SL_FIRST_EVER	1
#define SL_FIRST_AGAIN	2

#define mix(h, w) do { \
	(h) ^= (w); \
	(h) *= 0x9e3779b97f4a7c15ULL; \
	(h) ^= (h) >> 32; \
} while (0)

/*
 * Keyed hash of the direction-free tuple; *me tells the direction. Ports are
 * the echo identifier for ICMP.
 */
static __always_inline __u64 tuple_hash(const struct sl_pkt *p, __u8 *me)
{
	const __u64 *s = (const __u64 *)p->ip.src;
	const __u64 *d = (const __u64 *)p->ip.dst;
	__u64 h = sl_set.hash_key[0], sp = p->sport, dp = p->dport;
	int swap;

	if (p->role && p->method == SL_M_ICMP) {
		/* a host pinging itself: the type tells */
		sp = p->ack + (p->role == SL_ROLE_REPLY);
		dp = p->ack + (p->role == SL_ROLE_REQUEST);
	}
	if (p->family == 4) {
		__u32 a = p->ip.src[0], b = p->ip.dst[0];

		swap = a > b || (a == b && sp > dp);
		mix(h, swap ? (__u64)b << 32 | a : (__u64)a << 32 | b);
	} else {
		swap = s[0] > d[0] || (s[0] == d[0] && (s[1] > d[1] ||
					(s[1] == d[1] && sp > dp)));
		mix(h, swap ? d[0] : s[0]);
		mix(h, swap ? d[1] : s[1]);
		mix(h, swap ? s[0] : d[0]);
		mix(h, swap ? s[1] : d[1]);
	}
	mix(h, (swap ? dp << 16 | sp : sp << 16 | dp) |
	       (__u64)p->proto << 32 | (__u64)p->family << 40);
	mix(h, sl_set.hash_key[1] ^ p->line_id);
	*me = swap;
	return h;
}

/*
 * Fingerprint of a flow: 48 bits of the tuple's hash. Its low two bytes hold a
 * tag of the tunnel that each direction runs in (ids differ by direction more
 * often than not), learned from the first packet. The same inner tuple in
 * another tunnel (overlapping addresses, or one packet seen twice on its way)
 * is another flow: the first has the line, the other is left alone.
 */
#define SL_FP_TUPLE	(~0xffffULL)

/* Never 0, SL_FP_NOBODY or SL_FP_BUSY. */
static __always_inline __u64 fingerprint(__u64 hash)
{
	__u64 fp = hash & SL_FP_TUPLE;

	return fp && fp != SL_FP_TUPLE ? fp : 1ULL << 32;
}

/* 1: no tunnel; 2: one without an id to tell flows apart by; 3..255: a hash of
 * its id. */
static __always_inline __u8 tunnel_tag(const struct sl_pkt *p)
{
	__u64 h = sl_set.hash_key[0];

	if (p->n_ip < 2 && !p->tunnel)
		return 1;
	if (!p->tunnel || p->tunnel_moves)
		return 2;
	mix(h, p->tunnel);
	return (h >> 8) % 253 + 3;
}

/* Does a packet belong to the line of its tuple? Learns the tag. */
static __always_inline int tag_fits(struct sl_flow *f, __u8 me, __u8 tag)
{
	__u8 *known = &f->tag[me & 1];

	if (!*known)
		*known = tag;
	return *known == tag;
}

#define SL_SKEW	(1U << 16)	/* units of 2^20 ns, 68 s: CPUs and captures disagree */

/* Units of 2^20 ns from `then` to now, 0 when that is a little ahead. The 32
 * bits wrap after 52 days. */
static __always_inline __u32 coarse_age(__u32 now, __u32 then)
{
	__u32 d = now - then;

	return -d < SL_SKEW ? 0 : d;
}

static __always_inline __u32 age(const struct sl_flow *f, __u32 now)
{
	return coarse_age(now, f->seen);
}

/* How gladly a line is given away: 0 never, 3 free, 2 idle too long,
 * 1 unconfirmed. */
static __always_inline int give_away(const struct sl_flow *f, __u32 now,
				     __u32 idle)
{
	if (!f->fp)
		return 3;
	if (f->fp == SL_FP_BUSY)
		return 0;
	if (f->fp == SL_FP_NOBODY || age(f, now) > idle)
		return 2;
	return (f->state & SL_FLOW_CONFIRMED) == SL_FLOW_CONFIRMED ? 0 : 1;
}

/*
 * The flow's first packet tells the lane and direction of what it may stamp.
 * They are kept where the other direction will have its own state as soon as a
 * packet of it comes.
 */
static __always_inline void set_origin(struct sl_flow *f, __u32 me,
				       const struct sl_cls *c)
{
	f->d[(me ^ 1) & 1].origin = SL_ORIGIN(c->lane, c->dir);
}

/* An unconfirmed flow goes: how long had its first packet's stamp waited by
 * then? (docs/architecture.md, "What a bounded table hides") */
static __always_inline void count_lost(const struct sl_flow *f, __u32 now)
{
	int me = !f->d[0].stamp_ns;
	__u32 origin = f->d[me ^ 1].origin, waited, k;
	struct sl_lane_lost *l;

	if (!f->d[me].stamp_ns || f->state & (me ? SL_FLOW_SAW0 : SL_FLOW_SAW1))
		return;
	k = cpu_row() * sl_set.n_lanes + SL_ORIGIN_LANE(origin);
	l = bpf_map_lookup_elem(&sl_lane_losts, &k);
	if (!l)
		return;
	waited = coarse_age(now, f->d[me].stamp_ns >> 20);
	l->n[SL_ORIGIN_IN(origin)][sl_lost_bucket(waited) &
				   (SL_LOST_BUCKETS - 1)]++;
}

/* Claim the way that is given away most gladly; the oldest of equals.
 * Lost races and full sets leave hit->way as it was. */
static __always_inline void claim(struct sl_flow_set *set, __u64 fp,
				  __u32 now, const struct sl_cls *c,
				  struct sl_hit *hit)
{
	__u32 idle = sl_set.flow_idle_ns >> 20, best_age = 0, best = 0;
	struct sl_flow *f;
	__u64 old;
	int i, k, best_k = 0;

	for (i = 0; i < SL_FLOW_WAYS; i++) {
		k = give_away(&set->way[i], now, idle);
		if (k < best_k || !k)
			continue;
		if (k == best_k && age(&set->way[i], now) <= best_age)
			continue;
		best_k = k;
		best = i;
		best_age = age(&set->way[i], now);
	}
	hit->miss = SL_MISS_REFUSED + 1;
	if (!best_k)
		return;
	best &= SL_FLOW_WAYS - 1;
	f = &set->way[best];
	old = f->fp;
	if (old == SL_FP_BUSY ||
	    __sync_val_compare_and_swap(&f->fp, old, SL_FP_BUSY) != old)
		return;		/* accepted race: this packet goes untracked */
	if (best_k == 1)
		count_lost(f, now);
	hit->first = old || f->state ? SL_FIRST_AGAIN : SL_FIRST_EVER;
	hit->miss = best_k == 1 ? SL_MISS_EVICTED + 1 :
		    best_k == 2 ? SL_MISS_EXPIRED + 1 : 0;
	f->seen = now;
	f->path = 0;
	f->state = SL_FLOW_USED;
	f->dflags[0] = f->dflags[1] = 0;
	f->d[0] = (struct sl_flow_dir){};
	f->d[1] = (struct sl_flow_dir){};
	set_origin(f, hit->me, c);
	*(volatile __u64 *)&f->fp = fp;
	hit->way = best;
}

/* Find the packet's flow, or claim a line for it when `create`: hit->way tells
 * which. */
static __always_inline void flow_find(const struct sl_pkt *p, int create,
				      const struct sl_cls *c,
				      struct sl_hit *hit)
{
	struct sl_flow_set *set;
	__u32 now, idle, k;
	__u64 hash, fp;
	int i, again = 0;

	hash = tuple_hash(p, &hit->me);
	fp = fingerprint(hash);
	k = hash & (sl_set.n_flow_sets - 1);
	hit->set = k;
	set = bpf_map_lookup_elem(&sl_flows, &k);
	if (!set)
		return;
	now = clock_coarse_ns() >> 20;
	idle = sl_set.flow_idle_ns >> 20;
	for (i = 0; i < SL_FLOW_WAYS; i++) {
		struct sl_flow *f = &set->way[i];

		if ((f->fp ^ fp) & SL_FP_TUPLE)
			continue;
		if (!tag_fits(f, hit->me, tunnel_tag(p))) {
			hit->miss = SL_MISS_OTHER_TUNNEL + 1;
			return;
		}
		if (age(f, now) > idle) {	/* expiry on touch */
			f->fp = SL_FP_NOBODY;
			again = 1;
			break;
		}
		if (f->seen != now)
			f->seen = now;
		hit->way = i;
		return;
	}
	if (create)
		claim(set, fp | (__u64)tunnel_tag(p) << (hit->me ? 8 : 0),
		      now, c, hit);
	if (again && hit->first)	/* wherever it was put: known before */
		hit->first = SL_FIRST_AGAIN;
}

/* The line that flow_find() found, or NULL. */
static __always_inline struct sl_flow *flow_of(const struct sl_hit *hit)
{
	__u32 k = hit->set, way = hit->way;
	struct sl_flow_set *set = bpf_map_lookup_elem(&sl_flows, &k);

	if (!set || way >= SL_FLOW_WAYS)
		return 0;
	sl_keep_order(way);	/* no pointer arithmetic before the checks */
	return &set->way[way & (SL_FLOW_WAYS - 1)];
}

/* A packet of direction me was seen; both directions confirm the flow. The one
 * that began it does not count: what a flood of spoofed SYNs or Initials gets
 * answered is not confirmed by that. */
static __always_inline void flow_saw(struct sl_flow *f, __u32 me)
{
	__u8 bit = me ? SL_FLOW_SAW1 : SL_FLOW_SAW0;

	if (!(f->state & bit))
		f->state |= bit;
}

#endif
