/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Simulated lanes for the tests of change detection: what a lane does at a time, and
 * series of it played to the detector with an injected clock. What is told is held
 * against the changes that were planned.
 */
#ifndef SL_CHANGE_SCENES_H
#define SL_CHANGE_SCENES_H

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "change.h"
#include "hist.h"

#define S	1000000000ULL
#define MIN	(60 * S)
#define HOUR	(60 * MIN)
#define DAY	(24 * HOUR)
#define MS	1e6

static const struct sl_change_rules rules = { 3000000, 100000, 3 * MIN };

/* --- randomness that is the same in every run --- */
static uint64_t seed;

static double uniform(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return ((seed >> 11) + 0.5) / (1ULL << 53);
}

static double exponential(double mean)
{
	return -log(uniform()) * mean;
}

/* --- what a lane does at a time --- */
struct air {
	double level_ns;	/* the way's own round trip */
	double jitter_ns;	/* mean of what each packet waits, exponential */
	double queue_ns;	/* mean of a queue that moves from step to step */
	double other_ns;	/* a second way's round trip ... */
	double other_share;	/* ... for this share of the packets */
	double wrong_share;	/* samples far too small */
	double loss;
	unsigned int samples;	/* in 10 s, on the average */
};

struct truth {
	uint64_t at_ns;
	double to_ns;
};

struct scene;
typedef void (*air_fn)(const struct scene *s, uint64_t t_ns, struct air *a);

/* Changes that must be seen are in at[]; air() may look at them. */
struct scene {
	const char *name;
	double base_ns, step_ns;
	unsigned int samples;
	uint64_t length_ns;
	air_fn air;
	unsigned int changes;	/* up and down in turn, over the length */
	bool restarts;		/* the agent, 30 s after each change */
	enum sl_change_hops hops;
	/* what may come beside the changes */
	unsigned int false_most, queues_least, queues_most, missed_most;
	/* filled in */
	struct truth at[64];
	unsigned int n;
};

static double level_of(const struct scene *s, uint64_t t_ns)
{
	double level_ns = s->base_ns;
	unsigned int i;

	for (i = 0; i < s->n && s->at[i].at_ns <= t_ns; i++)
		level_ns = s->at[i].to_ns;
	return level_ns;
}

/* A week's traffic: fewer packets and shorter queues at night. */
static void plain(const struct scene *s, uint64_t t_ns, struct air *a)
{
	double day = sin(2 * M_PI * (t_ns % DAY) / DAY);

	*a = (struct air){ .level_ns = level_of(s, t_ns),
			   .jitter_ns = 0.4 * MS * (1 + 0.8 * day),
			   .samples = s->samples * (1 + 0.8 * day),
			   .loss = 0.001 };
}

/* --- a run --- */
struct tally {
	unsigned int detected, missed, made_up, queues, overs, backs;
	double off_most;		/* of a detected level, relative */
	uint64_t delay_ns[256];
	unsigned int n_delays;
};

static double one_sample(const struct air *a, double queue_ns)
{
	double v = a->level_ns;

	if (a->wrong_share > 0 && uniform() < a->wrong_share)
		return v / 3;
	if (a->other_share > 0 && uniform() < a->other_share)
		v = a->other_ns;
	v += exponential(a->jitter_ns);
	if (queue_ns > 0)
		v += queue_ns * (0.4 + 0.6 * uniform());
	return v;
}

static void measure(const struct air *a, struct sl_hist *h)
{
	double queue_ns = a->queue_ns > 0 ?
		a->queue_ns * (0.6 + 0.8 * uniform()) : 0;
	unsigned int n = a->samples * (0.7 + 0.6 * uniform()) + 0.5, i;

	memset(h, 0, sizeof(*h));
	for (i = 0; i < n; i++)
		sl_hist_record(h, one_sample(a, queue_ns));
}

static void plan_changes(struct scene *s)
{
	uint64_t part_ns = s->length_ns / (s->changes + 1);
	unsigned int i;

	s->n = s->changes;
	for (i = 0; i < s->n; i++)
		s->at[i] = (struct truth){
			.at_ns = part_ns * (i + 1) +
				 (uint64_t)((uniform() - 0.5) * part_ns / 2),
			.to_ns = s->base_ns + (i % 2 ? 0 : s->step_ns) };
}

/* A way that is told must be the next one of the truth, soon after it. */
static void judge(const struct scene *s, struct tally *t, unsigned int *next,
		  uint64_t now_ns, const struct air *a,
		  const struct sl_change_news *news)
{
	const struct truth *w = &s->at[*next];
	double off;

	if (news->what == SL_CHANGE_QUEUE)
		t->queues++;
	if (news->what == SL_CHANGE_QUEUE_OVER)
		t->overs++;
	if (news->what != SL_CHANGE_WAY)
		return;
	/* what was not told before the next one came is missed */
	while (*next + 1 < s->n && s->at[*next + 1].at_ns <= now_ns)
		w = &s->at[++*next];
	if (*next == s->n || now_ns < w->at_ns ||
	    fabs(news->to_ns - a->level_ns) > fabs(s->step_ns) / 3 + 0.5 * MS) {
			t->made_up++;
		return;
	}
	t->detected++;
	t->backs += news->back;
	off = fabs(news->to_ns - a->level_ns) / a->level_ns;
	t->off_most = off > t->off_most ? off : t->off_most;
	if (t->n_delays < 256)
		t->delay_ns[t->n_delays++] = now_ns - w->at_ns;
	(*next)++;
}

static inline void restart(struct sl_change *c)
{
	const struct sl_change_base base = c->base;

	memset(c, 0, sizeof(*c));
	sl_change_restore(c, &base);
}

static inline void play(struct scene *s, uint64_t first_seed, struct tally *t)
{
	struct sl_change *c = calloc(1, sizeof(*c));
	unsigned int next = 0, restarted = 0, before = t->detected;
	struct sl_change_news news;
	struct sl_hist h;
	struct air a;
	uint64_t at;

	seed = first_seed * 0x9e3779b97f4a7c15ULL;
	plan_changes(s);
	for (at = 0; at < s->length_ns; at += 10 * S) {
		s->air(s, at, &a);
		measure(&a, &h);
		if (s->restarts && restarted < s->n &&
		    at > s->at[restarted].at_ns + 30 * S) {
			restart(c);
			restarted++;
		}
		sl_change_take(c, &rules, at, at + 10 * S, &h, 10000,
			       10000 * a.loss, s->hops, &news);
		judge(s, t, &next, at + 10 * S, &a, &news);
	}
	t->missed += s->n - (t->detected - before);
	free(c);
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

#define LANE .base_ns = 36 * MS, .samples = 40, .length_ns = 5 * DAY

#endif
