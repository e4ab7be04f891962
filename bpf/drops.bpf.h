/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What was dropped, for people who ask why: the headers of some dropped
 * packets. Called on the drop's exit alone, and bounded so that a flood costs
 * what a counter costs: each CPU shows SL_DROPS_A_TICK packets of a tick of the
 * agent, and with the agent dead nobody looks, so that no budget is renewed.
 */
#ifndef SL_DROPS_BPF_H
#define SL_DROPS_BPF_H

#include "base.bpf.h"
#include "keep.bpf.h"
#include "work.bpf.h"

/* struct sl_drop each. Written by the packet that drops, read and freed by the
 * agent; full: the packet is not shown. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, SL_DROPS_B);
} sl_drops SEC(".maps");

/* A row for each CPU. Written and read by the packet that drops. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct sl_drop_budget);
} sl_drop_budgets SEC(".maps");

/* A function of its own: rare, and the verifier walks it once. */
__noinline int sl_show_drop(struct sl_work *w, __u32 reason, __u32 slot)
{
	struct sl_drop *d;

	if (!w)
		return 0;
	d = bpf_ringbuf_reserve(&sl_drops, sizeof(*d), 0);
	if (!d)
		return 0;
	d->time_ns = clock_ns();
	d->reason = reason;
	d->who = w->who;
	d->port = slot;
	d->pad = 0;
	glance(w, &d->g);
	bpf_ringbuf_submit(d, 0);
	return 0;
}

static __always_inline void show_drop(const struct sl_ctl *ctl,
				      struct sl_work *w, __u32 reason,
				      __u32 slot)
{
	__u32 row = cpu_row();
	struct sl_drop_budget *b;

	if (sl_set.replay)
		return;
	b = bpf_map_lookup_elem(&sl_drop_budgets, &row);
	if (!b)
		return;
	if (b->tick_ns != ctl->tick_ns) {
		b->tick_ns = ctl->tick_ns;
		b->shown = 0;
	}
	if (b->shown >= SL_DROPS_A_TICK)
		return;
	b->shown++;
	sl_show_drop(w, reason, slot);
}

#endif
