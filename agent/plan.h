/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What rules would do to the live traffic: a bounded sample of recent packets
 * (plan_sample.c), judged by the rules that are live and by those that are
 * asked about (plan_judge.c), or by the tables with and without a block or list
 * (wide.c); the report of it (plan.c), and how much a commit may drop
 * (plan_share.c). docs/plan.md has the method.
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
	double passes;		/* packets that pass now */
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

/* The sample, a packet or tick at a time, into the totals of hits. */
void hits_add_packet(struct plan_hits *to, const struct plan_packet *p,
		     double weight);
void hits_add_tick(struct plan_hits *to, const struct plan_tick *t);
void hits_add(struct plan_hits *to, enum plan_effect effect,
	      const struct sl_rule *rule, const struct plan_packet *packet,
	      double weight);

/* --- plan_share.c --- */
#define KNOWN_FROM	200	/* sampled packets: fewer tell nothing */

struct plan {
	struct plan_view view;
	struct plan_hits hits;
	double share;		/* of what passes now; -1: not known */
	struct json_object *told;	/* what would be hit, a line each */
};

extern const char *const plan_effect_name[PLAN_EFFECTS];
/* By the hits, in p->share and p->told; other: who drops where no rule does. 0
 * or -1: no memory. */
int plan_find_share(struct plan *p, const char *other);
/* 0, or -1 and a refusal: more than is allowed. NULL: nothing was judged. */
int plan_refuses(const struct agent *a, const struct plan *p, const char *who,
		 const char *remedy, struct refusal *r);
/* Member "live" of a commit's answer; null where nothing was judged. */
struct json_object *plan_share_doc(const struct plan *p);
void plan_free(struct plan *p);		/* what is in it */

/* --- wide.c --- */
/* The tables of a job of a list or of blocks are built: may they be live? 0, or
 * a refusal. Beside the loop. */
int wide_check(struct agent *a, struct job *j);
/* A block of one prefix, in the loop: bounded work. *out is the caller's. */
int wide_block(struct agent *a, const struct sl_prefix *p, struct plan *out,
	       struct refusal *r);

/* --- plan.c --- */
/* In the loop: the sample for a job that wants it, in j->plan. */
int plan_begin(struct agent *a, struct job *j);
int plan_make(struct agent *a, struct job *j);	/* beside it; the answer */
void plan_drop(struct job *j);			/* in the loop */

#endif
