// SPDX-License-Identifier: GPL-2.0
/*
 * Each second the round trips that the data plane handed over are taken and weighed,
 * and it is told how many of the next second's it should hand over.
 *
 * Weights: a round trip stands for as many as `every` said when it was kept. Where a
 * CPU's ring was lapped before we came, those that are left also stand for the lost
 * ones of that CPU and second.
 */
#include <stdlib.h>
#include "duration.h"
#include "prefixes_priv.h"

struct prefixes {
	struct top *top;
	struct sl_dp_trip_reader *cpu;
	struct sl_trip *taken;		/* SL_TRIPS of them, to work with */
	uint64_t last_ns;		/* the clock at the last tick */
	unsigned int seconds;
};

int prefixes_open(struct agent *a)
{
	struct prefixes *p = a->prefixes = calloc(1, sizeof(*p));
	uint32_t cpu, n_cpus = sl_dp_settings(a->dp)->n_cpus;
	uint64_t seen;

	if (!p)
		return -1;
	p->top = top_new();
	p->cpu = calloc(n_cpus, sizeof(*p->cpu));
	p->taken = aligned_alloc(64, SL_TRIPS * sizeof(*p->taken));
	if (!p->top || !p->cpu || !p->taken)
		return -1;
	/* what an earlier agent left is of another time */
	for (cpu = 0; cpu < n_cpus; cpu++)
		sl_dp_take_trips(a->dp, cpu, &p->cpu[cpu], p->taken, &seen);
	p->last_ns = sl_mono_ns();
	sl_dp_set_trips(a->dp, 1);
	return 0;
}

void prefixes_close(struct agent *a)
{
	struct prefixes *p = a->prefixes;

	if (!p)
		return;
	/* nobody reads them; the next agent asks for them again */
	sl_dp_set_trips(a->dp, 0);
	top_free(p->top);
	free(p->cpu);
	free(p->taken);
	free(p);
	a->prefixes = NULL;
}

/*
 * n that were taken of `seen`, into the tables. What they stand for is made good
 * where some were lost: sum of `every` to `seen`, in whole numbers whose remainders
 * go to the next.
 */
static void add_all(struct prefixes *p, uint32_t n, uint64_t seen)
{
	uint64_t sum = 0, carry = 0, weight;
	uint32_t i;

	for (i = 0; i < n; i++)
		sum += p->taken[i].every;
	/* a ring that is not half full was not lapped: none was lost */
	if (n < SL_TRIPS / 2 || seen < sum)
		seen = sum;
	for (i = 0; i < n; i++) {
		carry += p->taken[i].every * seen;
		weight = carry / sum;
		carry %= sum;
		if (weight)
			top_add(p->top, &p->taken[i], weight > UINT32_MAX ?
				UINT32_MAX : weight);
	}
}

/* So that about PREFIXES_TAKEN_PER_S are taken, and that no CPU's ring is more than
 * half full: one of so many, at the rates of the second before. */
static uint32_t every_for(uint64_t per_s, uint64_t cpu_per_s)
{
	uint64_t every = per_s / PREFIXES_TAKEN_PER_S + 1;
	uint64_t cpu_every = cpu_per_s / (SL_TRIPS / 2) + 1;

	if (every < cpu_every)
		every = cpu_every;
	return every < SL_TRIP_EVERY_MAX ? every : SL_TRIP_EVERY_MAX;
}

void prefixes_second(struct agent *a)
{
	struct prefixes *p = a->prefixes;
	uint64_t now_ns = sl_mono_ns(), span_ns = now_ns - p->last_ns;
	uint64_t seen, all = 0, most = 0;
	uint32_t cpu, n;

	for (cpu = 0; cpu < sl_dp_settings(a->dp)->n_cpus; cpu++) {
		n = sl_dp_take_trips(a->dp, cpu, &p->cpu[cpu], p->taken, &seen);
		add_all(p, n, seen);
		all += seen;
		most = seen > most ? seen : most;
	}
	p->last_ns = now_ns;
	if (span_ns)
		sl_dp_set_trips(a->dp, every_for(all * 1e9 / span_ns,
						 most * 1e9 / span_ns));
	if (++p->seconds % PREFIXES_FADE_S == 0)
		top_fade(p->top);
	top_rank(p->top);
}

void prefixes_take(struct agent *a, prefix_fn fn, void *arg)
{
	top_take(a->prefixes->top, fn, arg);
}

void prefixes_take_hops(struct agent *a, hops_fn fn, void *arg)
{
	top_take_hops(a->prefixes->top, fn, arg);
}
