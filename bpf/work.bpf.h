/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What is known of the packet at hand. In a map and not on the stack: what is
 * read back from a map the verifier takes as unknown, so that it walks each
 * stage once and not once for each way that led there. (A call would do the
 * same, at 8 ns where returns are protected: SRSO, retbleed.)
 */
#ifndef SL_WORK_BPF_H
#define SL_WORK_BPF_H

#include "classify.bpf.h"
#include "flow.bpf.h"
#include "pkt.bpf.h"

struct sl_work {
	struct sl_pkt pkt;	/* parse */
	struct sl_cls cls;	/* classify */
	struct sl_hit hit;	/* match: the flow's line */
	__u32 reason;		/* of parse: enum sl_reason; 0: L4 reached */
	__u32 path;		/* of the interface */
	__u32 who;		/* verdict: slot of the rule that had the last
				 * word, or the class that dropped */
	__u32 until_sample;	/* packets until one is kept */
	__u32 kept;		/* so many were */
} __attribute__((aligned(64)));

/* Written and read by the packet at hand, a row for each CPU: nothing
 * interrupts a packet with another one on its CPU. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct sl_work);
} sl_works SEC(".maps");

#endif
