/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What rules would do to the live traffic: a bounded sample of recent packets
 * (plan_sample.c), judged by the rules that are live and by those that are
 * asked about (plan_judge.c), and the report of it (plan.c). docs/plan.md has
 * the method.
 */
#ifndef SL_PLAN_H
#define SL_PLAN_H

#include "agent.h"

/* --- plan_sample.c: the loop's --- */
#define PLAN_SLICES	60
#define PLAN_TICKS	10	/* of a slice; a tick is a second */
#define PLAN_PACKETS	1666	/* of a slice; all in all 12 MB */
#define PLAN_TAKEN_PPS	1000	/* by the data plane, about */

struct plan_packet {
	struct sl_glance g;
	float weight;		/* it stands for so many, before `keeps` */
	uint8_t reason;		/* enum sl_reason */
	uint8_t tick;		/* of the slice */
};

/* All packets of a second, counted. */
struct plan_tick {
	uint64_t from_ns;	/* wall clock */
	uint64_t span_ns;
	uint64_t packets, bytes;
};

struct plan_slice {
	unsigned int refs;	/* the loop's and those of views */
	struct plan_tick tick[PLAN_TICKS];
	unsigned int n_ticks;
	uint64_t taken;		/* from the data plane */
	unsigned int n, room;	/* kept of them */
	struct plan_packet *packet;
};

/* The sample as it was at one moment. Slices in it do not change. */
struct plan_view {
	struct plan_slice *slice[PLAN_SLICES];
	unsigned int n;
	uint64_t since_ns;	/* ticks that end before are left out */
};

int sample_open(struct agent *a);
void sample_close(struct agent *a);
void sample_second(struct agent *a);
int sample_view(struct agent *a, uint64_t since_ns, struct plan_view *out);
void sample_leave(struct plan_view *v);

/* Each tick and each packet of a view; weight: the packets it stands for. */
struct plan_walk {
	void (*tick)(void *arg, const struct plan_tick *t);	/* or NULL */
	void (*packet)(void *arg, const struct plan_packet *p, double weight);
	void *arg;
};
void sample_walk(const struct plan_view *v, const struct plan_walk *w);

/* --- plan_judge.c: beside the loop --- */
enum plan_effect {
	PLAN_SAME, PLAN_DROPPED, PLAN_LIMITED, PLAN_PASSED, PLAN_COUNTED,
	PLAN_EFFECTS,
};

/* One packet to which something else would happen. */
struct plan_hit {
	enum plan_effect effect;
	const struct sl_rule *rule;	/* NULL: a block or list */
	const struct plan_packet *packet;
	double weight;
};

struct plan_hits {
	struct plan_hit *h;
	size_t n, room;
	bool no_memory;
	/* of the whole sample */
	uint64_t sampled;
	double weight_max, frame_b_max;
	uint64_t packets, bytes;	/* counted */
	uint64_t from_ns, to_ns, span_ns;
};

struct plan_judge;
/* 0, or a refusal; j->rules are those asked about. */
int judge_new(struct agent *a, struct job *j, struct plan_judge **out);
void judge_free(struct plan_judge *p);
void judge_view(struct plan_judge *p, const struct plan_view *v,
		struct plan_hits *out);
void judge_usage(const struct plan_judge *p, uint32_t *rows,
		 uint64_t *bytes);

/* --- plan.c --- */
struct plan;
int plan_begin(struct agent *a, struct job *j);	/* in the loop */
int plan_make(struct agent *a, struct job *j);	/* beside it; the answer */
void plan_drop(struct job *j);			/* in the loop */

#endif
