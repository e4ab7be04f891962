/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One packet of so many is kept, verdict and all, for people who ask what a rule
 * would have done. The gaps are random, uniform around their mean, so that
 * traffic with a beat of its own is kept like any other.
 */
#ifndef SL_KEEP_BPF_H
#define SL_KEEP_BPF_H

#include "base.bpf.h"
#include "account.bpf.h"
#include "work.bpf.h"

/* What rules see of a packet. */
static __always_inline void glance(const struct sl_work *w,
				   struct sl_glance *g)
{
	const struct sl_pkt *p = &w->pkt;
	__u32 at = p->outer_family ? SL_HEADER_INNER :
		   SL_HEADER_INNER | SL_HEADER_OUTER;

	__builtin_memcpy(g->src, p->ip.src, sizeof(g->src));
	__builtin_memcpy(g->dst, p->ip.dst, sizeof(g->dst));
	__builtin_memcpy(g->outer_src, p->outer.src, sizeof(g->outer_src));
	__builtin_memcpy(g->outer_dst, p->outer.dst, sizeof(g->outer_dst));
	sl_fields_of(p, at, &g->in);
	g->out = p->outer_fields;
	g->family = p->family;
	g->outer_family = p->outer_family;
	g->where = SL_WHERE(w->cls.lane, w->path, w->cls.dir);
	g->frame_b = p->frame_b;
	g->tunnel = p->tunnel;
	g->vlan = p->vlan;
	g->pad = 0;
}

/* A function of its own: the verifier walks it once. */
__noinline int sl_keep(struct sl_work *w, __u32 every, __u32 reason)
{
	__u32 row = cpu_row(), k;
	struct sl_sampled *s;

	if (!w)
		return 0;
	k = row * SL_SAMPLES + (w->kept++ & (SL_SAMPLES - 1));
	/* 1 .. 2 every - 1 from here; in replay always the same */
	w->until_sample = sl_set.replay ? every - 1 :
			  bpf_get_prandom_u32() % (2 * every - 1);
	s = bpf_map_lookup_elem(&sl_samples, &k);
	if (!s)
		return 0;
	s->time_ns = 0;		/* a reader in between sees none */
	glance(w, &s->g);
	s->every = every;
	s->reason = reason;
	*(volatile __u64 *)&s->time_ns = clock_coarse_ns();
	return 0;
}

static __always_inline void maybe_keep(struct sl_work *w, __u32 every,
				       __u32 reason)
{
	every &= SL_SAMPLE_EVERY_MAX;
	/* a longer gap is of the time when there was more traffic */
	if (w->until_sample && w->until_sample < 2 * every)
		w->until_sample--;
	else
		sl_keep(w, every, reason);
}

#endif
