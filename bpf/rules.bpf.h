/* SPDX-License-Identifier: GPL-2.0 */
/* Stage 3, verdict: the rules of a rule file and of BGP FlowSpec. */
#ifndef SL_RULES_BPF_H
#define SL_RULES_BPF_H

#include "base.bpf.h"
#include "classify.bpf.h"
#include "limit.bpf.h"
#include "work.bpf.h"

/*
 * The rules: two banks, one behind the other in each array, like the prefix
 * tables and under the same epoch. Written by the agent into the idle bank
 * (compounds also into the live one, before an entry names them), read by
 * packets that a rule may concern, never deleted.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct sl_rule_words);
} sl_rule_words SEC(".maps"), sl_rule_aggs SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 2 * SL_DIM_VALUES / SL_DIM_LINE);
	__type(key, __u32);
	__type(value, struct sl_dim_line);
} sl_rule_dims SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 2 * SL_MAX_RULES);
	__type(key, __u32);
	__type(value, struct sl_act);
} sl_acts SEC(".maps");

/* Hits by rule slot. Written by the packet that hits, on its CPU's row; read by
 * the agent; zeroed by it when a slot is given out anew. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct sl_rule_ctr);
} sl_rule_ctrs SEC(".maps");

struct sl_rules_view {
	__u32 bank;
};

#include <sealane/rules.h>

SL_INLINE __u32 sl_rules_dim(const struct sl_rules_view *v, __u32 i)
{
	__u32 k = v->bank * (SL_DIM_VALUES / SL_DIM_LINE) + i / SL_DIM_LINE;
	struct sl_dim_line *l = bpf_map_lookup_elem(&sl_rule_dims, &k);

	return l ? l->row[i % SL_DIM_LINE] : 0;
}

SL_INLINE __u64 sl_rules_agg(const struct sl_rules_view *v, __u32 row)
{
	__u32 k = (v->bank * sl_set.rule_rows + row) / 8;
	struct sl_rule_words *l = bpf_map_lookup_elem(&sl_rule_aggs, &k);

	return l ? l->word[row % 8] : 0;
}

SL_INLINE const __u64 *sl_rules_pair(const struct sl_rules_view *v, __u32 row,
				     __u32 w)
{
	__u32 k = (v->bank * sl_set.rule_rows + row) * SL_RULE_ROW_LINES +
		  w / 8;
	struct sl_rule_words *l = bpf_map_lookup_elem(&sl_rule_words, &k);

	return l ? &l->word[w & 6] : 0;
}

/* What a packet brings to its rules, and what they say of it. */
struct sl_case {
	struct sl_work *w;
	__u32 reason;		/* SL_R_DROP_*; 0: pass */
	__u32 ended;		/* 1: a rule had the last word */
	__u32 slot;		/* which */
};

static __always_inline struct sl_rule_ctr *rule_ctr(__u32 slot)
{
	__u32 k = cpu_row() * SL_RULE_SLOTS + slot;

	return bpf_map_lookup_elem(&sl_rule_ctrs, &k);
}

static __always_inline void count_rule(struct sl_rule_ctr *ctr,
				       const struct sl_pkt *p, __u32 over)
{
	const struct sl_ctl *ctl = control();

	if (!ctr || !ctl)
		return;
	ctr->packets++;
	ctr->bytes += p->frame_b;
	ctr->last_ns = sl_set.replay ? clock_ns() : ctl->tick_ns;
	ctr->over += over;
}

SL_INLINE int sl_rules_hit(struct sl_walk *k, __u32 rule)
{
	struct sl_case *c = k->arg;
	__u32 i = k->v->bank * SL_MAX_RULES + rule;
	const struct sl_act *a = bpf_map_lookup_elem(&sl_acts, &i);
	const struct sl_pkt *p = &c->w->pkt;
	__u32 over = 0;

	if (!a || (a->until_ns && clock_coarse_ns() >= a->until_ns))
		return 0;
	if (a->flags & SL_ACTF_OWN && p->outer_family &&
	    !sl_rules_outer_too(k, rule))
		return 0;
	if (a->action == SL_ACT_LIMIT)
		over = exceeds(a, p);
	count_rule(rule_ctr(a->slot), p, over);
	if (a->action == SL_ACT_COUNT)
		return 0;
	c->ended = 1;
	c->slot = a->slot;
	c->reason = a->action == SL_ACT_DROP ? SL_R_DROP_RULE :
		    over ? SL_R_DROP_LIMIT : 0;
	return 1;
}

static long rules_step(__u32 i, struct sl_walk *k)
{
	(void)i;
	return sl_rules_step(k);
}

/* Rows of both headers. */
static __always_inline void rules_enter(struct sl_walk *k,
					const struct sl_work *w)
{
	const struct sl_pkt *p = &w->pkt;
	const struct sl_cls *c = &w->cls;
	__u32 at = SL_HEADER_INNER, where;
	struct sl_fields f = {};

	if (!p->outer_family)
		at |= SL_HEADER_OUTER;
	where = SL_WHERE(c->lane, w->path, c->dir);
	sl_fields_of(p, at, &f);
	k->rows[0].row[SL_DIM_MAX] = c->src_row;
	k->rows[0].row[SL_DIM_MAX + 1] = c->dst_row;
	sl_rules_rows(k->v, k->asked, &f, where, &k->rows[0]);
	k->rows[1].row[SL_DIM_MAX] = c->outer_src_row;
	k->rows[1].row[SL_DIM_MAX + 1] = c->outer_dst_row;
	k->outer = p->outer_family && k->asked & SL_RULES_OUTER;
	if (!k->outer)
		return;
	sl_rules_rows(k->v, k->asked, &p->outer_fields, where, &k->rows[1]);
}

/*
 * What the rules say: 0, they have no say; else SL_RULES_SAID with the reason of
 * a drop (none: pass), and the rule's slot in w->who. A function of its own: the
 * verifier walks it once.
 */
#define SL_RULES_SAID	0x80000000

/*
 * Before 6.7 a verifier walks the body of bpf_loop() once, with what it knows when
 * the loop begins, and takes out what it did not reach. So it must not know that
 * nothing has been found yet: what is read back from a map it takes as unknown.
 */
static __always_inline void nothing_yet(struct sl_walk *k, struct sl_case *c)
{
	__u32 none;

	c->w->who = 0;
	none = *(volatile __u32 *)&c->w->who;
	k->bits[0] = k->bits[1] = (__u64)none << 32 | none;
	k->word = none;
	c->reason = c->ended = c->slot = none;
}

__noinline __u32 sl_ask_rules(struct sl_work *w, __u32 asked)
{
	struct sl_rules_view v = {};
	struct sl_case c = {};
	struct sl_walk k = {};

	if (!w)
		return 0;
	v.bank = w->cls.bank & 1;
	c.w = w;
	k.v = &v;
	k.asked = asked;
	k.arg = &c;
	rules_enter(&k, w);
	if (!sl_rules_begin(&k))
		return 0;
	nothing_yet(&k, &c);
	bpf_loop(SL_RULES_STEPS, rules_step, &k, 0);
	w->who = c.slot;
	return c.ended ? SL_RULES_SAID | c.reason : 0;
}

#endif
