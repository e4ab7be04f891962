/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Stage 3, verdict: protected beats everything; then rules, in their order;
 * then blocks and lists, by the classes of the addresses. Telemetry has no say
 * here.
 */
#ifndef SL_VERDICT_BPF_H
#define SL_VERDICT_BPF_H

#include "base.bpf.h"
#include "classify.bpf.h"
#include "rules.bpf.h"
#include "work.bpf.h"

/* Rule classes. Written by the agent before an image names them, read on a
 * hit, cleared when no image names them any more. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, SL_MAX_CLASSES);
	__type(key, __u32);
	__type(value, struct sl_class);
} sl_classes SEC(".maps");

/* Hits by class. Written by the packet that hits, on its CPU's row; read by
 * the agent; zeroed by it when a class is given out anew. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, SL_MAX_CLASSES);
	__type(key, __u32);
	__type(value, struct sl_class_ctr);
} sl_class_ctrs SEC(".maps");

static __always_inline void count_hit(__u32 id, const struct sl_pkt *p,
				      const struct sl_ctl *ctl)
{
	__u32 k = cpu_row() * SL_MAX_CLASSES + id;
	struct sl_class_ctr *ctr = bpf_map_lookup_elem(&sl_class_ctrs, &k);

	if (!ctr)
		return;
	ctr->packets++;
	ctr->bytes += p->frame_b;
	ctr->last_ns = sl_set.replay ? clock_ns() : ctl->tick_ns;
}

/* Action of an entry's class; expired classes have none (enforced here, so
 * that an expiry needs no agent). */
static __always_inline __u32 action_of(__u32 entry)
{
	__u32 id = SL_ENTRY_CLASS(entry);
	const struct sl_class *cls;

	if (!id)
		return SL_ACT_NONE;
	cls = bpf_map_lookup_elem(&sl_classes, &id);
	if (!cls)
		return SL_ACT_NONE;
	if (cls->until_ns && clock_ns() >= cls->until_ns)
		return SL_ACT_NONE;
	return cls->action;
}

/* One address's entry: 1 when it protects. Remembers the class that drops. */
static __always_inline int judge(__u32 entry, __u32 *drop, __u32 *count)
{
	__u32 action = action_of(entry);

	if (action == SL_ACT_DROP && !*drop)
		*drop = SL_ENTRY_CLASS(entry);
	else if (action == SL_ACT_COUNT && !*count)
		*count = SL_ENTRY_CLASS(entry);
	return action == SL_ACT_PROTECT;
}

/* Classes that stand for more: of an address that rules name too. Written by the
 * agent before an entry names them; two banks. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 2 * SL_MAX_COMPOUNDS);
	__type(key, __u32);
	__type(value, struct sl_compound);
} sl_compounds SEC(".maps");

/* One address: its entry with the plain class in it, its rows beside. */
static __always_inline void resolve(__u32 bank, __u32 *entry, __u16 *src_row,
				    __u16 *dst_row)
{
	__u32 id = SL_ENTRY_CLASS(*entry);
	const struct sl_compound *c;

	*src_row = SL_ROW_SRC;
	*dst_row = SL_ROW_DST;
	if (id < SL_MAX_CLASSES)
		return;
	id = bank * SL_MAX_COMPOUNDS + id - SL_MAX_CLASSES;
	c = bpf_map_lookup_elem(&sl_compounds, &id);
	if (!c)
		return;
	*entry = SL_ENTRY(SL_ENTRY_LANE(*entry), c->class_id);
	*src_row = c->src_row;
	*dst_row = c->dst_row;
}

static __always_inline void resolve_all(struct sl_cls *c)
{
	__u32 bank = c->bank & 1;
	__u16 unused;

	resolve(bank, &c->src, &c->src_row, &unused);
	resolve(bank, &c->dst, &unused, &c->dst_row);
	resolve(bank, &c->outer_src, &c->outer_src_row, &unused);
	resolve(bank, &c->outer_dst, &unused, &c->outer_dst_row);
}

/* 0, or SL_R_DROP_*. Most packets name no class and leave at once. */
static __always_inline int verdict(const struct sl_ctl *ctl,
				   struct sl_work *w)
{
	struct sl_cls *c = &w->cls;
	__u32 asked = ctl->rules[c->bank & 1], drop = 0, count = 0, said = 0;
	__u32 named = SL_ENTRY_CLASS(c->src | c->dst | c->outer_src |
				     c->outer_dst);

	if (!named && !(asked & SL_RULES_ANY))
		return 0;
	if (asked)
		resolve_all(c);
	if (judge(c->src, &drop, &count) || judge(c->dst, &drop, &count) ||
	    judge(c->outer_src, &drop, &count) ||
	    judge(c->outer_dst, &drop, &count))
		return 0;
	if (asked && w->pkt.family)
		said = sl_ask_rules(w, asked);
	if (said)
		return said & ~SL_RULES_SAID;
	if (count)
		count_hit(count, &w->pkt, ctl);
	if (!drop)
		return 0;
	count_hit(drop, &w->pkt, ctl);
	w->who = drop;
	return SL_R_DROP_BLOCK;
}

#endif
