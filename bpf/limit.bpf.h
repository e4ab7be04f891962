/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Limits: GCRA (ITU-T I.371), which needs one word and no timer. The word is
 * the theoretical arrival time of the next packet of a source that keeps to
 * its rate; who is more than the burst ahead of it is too fast.
 */
#ifndef SL_LIMIT_BPF_H
#define SL_LIMIT_BPF_H

#include "base.bpf.h"
#include "pkt.bpf.h"

/* The state of rules' limits, by slot. Written by the packets they are charged
 * with; cleared by the agent when a slot is given out anew. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, SL_RULE_SLOTS);
	__type(key, __u32);
	__type(value, struct sl_limit);
} sl_limits SEC(".maps");

/* The state of limits by source. Written by packets; what has expired is
 * overwritten, never deleted. Its size is all that spoofing can fill. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, SL_SOURCE_SETS);
	__type(key, __u32);
	__type(value, struct sl_limit_set);
} sl_limit_sets SEC(".maps");

#define SL_LIMIT_TRIES	4	/* CPUs that meet at one word */

/* What a packet is charged. */
struct sl_price {
	__u64 now;		/* all in SL_LIMIT_UNIT */
	__u64 cost, burst;
	__u64 most;		/* nobody is ahead of the burst by more */
};

/* Charge a packet: 1 when it is too much. An exceeding packet costs nothing,
 * so that a flood does not lock out who comes after it. Who is further ahead
 * than can be is so because the clock went back (a capture's may). */
static __always_inline int charge(__u64 *tat, const struct sl_price *c)
{
	__u64 was, from;
	int i;

	for (i = 0; i < SL_LIMIT_TRIES; i++) {
		was = *(volatile __u64 *)tat;
		from = was > c->now && was - c->now <= c->burst + c->most ?
		       was : c->now;
		if (from - c->now > c->burst)
			return 1;
		if (__sync_val_compare_and_swap(tat, was, from + c->cost) ==
		    was)
			return 0;
	}
	__sync_fetch_and_add(tat, c->cost);	/* crowded: charged all the same */
	return 0;
}

/* Keyed, never 0: nobody can choose sources that crowd one set. An IPv6 source
 * is its /64, which one host has all of. */
static __always_inline __u64 source_fp(const struct sl_pkt *p, __u32 outer,
				       __u32 slot)
{
	const struct sl_ip *ip = outer && p->outer_family ? &p->outer : &p->ip;
	__u8 family = outer && p->outer_family ? p->outer_family : p->family;
	__u64 a = ip->src[0], h;

	if (family == 6)
		a |= (__u64)ip->src[1] << 32;
	h = (a ^ sl_set.hash_key[0]) * 0x9e3779b97f4a7c15ULL;
	h = ((h ^ h >> 32) ^ ((__u64)slot << 8 | family) ^
	     sl_set.hash_key[1]) * 0xd6e8feb86659fd93ULL;
	h ^= h >> 32;
	return h ? h : 1;
}

/*
 * The place of a source in its set: its own, else the one whose state expired
 * or will first. A flood of new sources takes places of each other; a source
 * that is ahead of its rate has the latest time and is the last to go. Who
 * loses his place may send a burst more, never less. Accepted race: two
 * sources that take one place at once share it.
 */
static __always_inline int charge_source(__u64 fp, const struct sl_price *c)
{
	__u32 k = fp >> 40 & (SL_SOURCE_SETS - 1), i, best = 0;
	struct sl_limit_set *set = bpf_map_lookup_elem(&sl_limit_sets, &k);
	__u64 least = ~0ULL;

	if (!set)
		return 0;
	for (i = 0; i < SL_SOURCE_WAYS; i++) {
		if (set->way[i].fp == fp)
			return charge(&set->way[i].tat, c);
		if (set->way[i].tat < least) {
			least = set->way[i].tat;
			best = i;
		}
	}
	best &= SL_SOURCE_WAYS - 1;
	set->way[best].fp = fp;
	*(volatile __u64 *)&set->way[best].tat = c->now + c->cost;
	return 0;
}

/* By bytes, cost << 16 each: at a bit a second their product needs 75 bits. */
static __always_inline __u64 cost_of(__u64 cost, __u32 bytes)
{
	return (cost >> 16) * bytes + ((cost & 0xffff) * bytes >> 16);
}

/* Does the packet exceed the limit of a rule? A crowd of CPUs charges without
 * asking, so nobody is ahead of the burst by more than a packet of each. */
static __always_inline int exceeds(const struct sl_act *a,
				   const struct sl_pkt *p)
{
	__u64 now_ns = a->flags & SL_ACTF_COARSE ? clock_coarse_ns() :
		       clock_ns();
	struct sl_price c = { .now = now_ns * SL_LIMIT_UNIT,
			      .cost = a->cost, .burst = a->burst,
			      .most = a->cost * (sl_set.n_cpus + 1) };
	__u32 outer = a->flags & SL_ACTF_OUTER, len_b, slot = a->slot;
	struct sl_limit *l;

	if (a->flags & SL_ACTF_BYTES) {
		len_b = outer && p->outer_family ? p->outer_fields.len_b :
			p->len_b;
		c.cost = cost_of(a->cost, len_b > 65535 ? 65535 : len_b);
	}
	if (a->flags & SL_ACTF_PER_SOURCE)
		return charge_source(source_fp(p, outer, slot), &c);
	l = bpf_map_lookup_elem(&sl_limits, &slot);
	return l ? charge(&l->tat, &c) : 0;
}

#endif
