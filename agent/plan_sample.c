// SPDX-License-Identifier: GPL-2.0
/*
 * The last ten minutes in 100,000 packets: what the data plane keeps is taken
 * each second, weighed, and put into the slice of ten seconds that is open. A
 * slice is a reservoir (Vitter 1985, algorithm R): full, each packet taken has
 * the same chance to stay. Closed slices do not change any more, so that a job
 * may read them.
 *
 * Weights: on each CPU and in each second, packets counted over packets taken.
 * Whatever was lost between the two, the rest stands for it.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include "duration.h"
#include "plan.h"

struct cpu_sample {
	struct sl_dp_reader reader;
	uint64_t packets, bytes;	/* as last read */
	double owed;		/* packets that no sample stands for yet */
};

struct sample {
	struct plan_slice *slice[PLAN_SLICES];	/* oldest first */
	unsigned int n;		/* the last one is open */
	struct cpu_sample *cpu;
	uint64_t last_ns;	/* the clock at the last tick; 0: none yet */
	uint32_t every;		/* one of so many is taken; 0: none yet */
	uint64_t state[2];	/* of the random numbers */
	struct sl_sampled *taken;	/* SL_SAMPLES of them, to work with */
};

/* xorshift128+ */
static uint64_t next_random(struct sample *s)
{
	uint64_t x = s->state[0], y = s->state[1];

	s->state[0] = y;
	x ^= x << 23;
	s->state[1] = x ^ y ^ x >> 17 ^ y >> 26;
	return s->state[1] + y;
}

int sample_open(struct agent *a)
{
	struct sample *s = a->sample = calloc(1, sizeof(*s));

	if (!s)
		return -1;
	s->cpu = calloc(sl_dp_settings(a->dp)->n_cpus, sizeof(*s->cpu));
	s->taken = malloc(SL_SAMPLES * sizeof(*s->taken));
	if (!s->cpu || !s->taken)
		return -1;
	if (getrandom(s->state, sizeof(s->state), 0) != sizeof(s->state))
		s->state[0] = sl_now_ns();
	s->state[1] |= 1;	/* both 0 would stay so */
	sl_dp_set_sampling(a->dp, 0);
	return 0;
}

static void leave(struct plan_slice *s)
{
	if (--s->refs)
		return;
	free(s->packet);
	free(s);
}

void sample_close(struct agent *a)
{
	struct sample *s = a->sample;
	unsigned int i;

	if (!s)
		return;
	/* nobody reads them; the next agent asks for them again */
	sl_dp_set_sampling(a->dp, 0);
	for (i = 0; i < s->n; i++)
		leave(s->slice[i]);
	free(s->cpu);
	free(s->taken);
	free(s);
	a->sample = NULL;
}

/* The slice of this tick, with the tick begun; NULL: no memory. */
static struct plan_slice *open_slice(struct sample *s)
{
	struct plan_slice *open = s->n ? s->slice[s->n - 1] : NULL;

	if (open && open->n_ticks < PLAN_TICKS)
		return open;
	open = calloc(1, sizeof(*open));
	if (!open)
		return NULL;
	open->refs = 1;
	if (s->n == PLAN_SLICES) {
		leave(s->slice[0]);
		memmove(s->slice, s->slice + 1,
			--s->n * sizeof(s->slice[0]));
	}
	s->slice[s->n++] = open;
	return open;
}

/* A place for one more that was taken; NULL: it does not stay. */
static struct plan_packet *place(struct sample *s, struct plan_slice *to)
{
	struct plan_packet *grown;
	unsigned int room;
	uint64_t k;

	if (to->n == PLAN_PACKETS) {
		k = next_random(s) % (to->taken + 1);
		return k < PLAN_PACKETS ? &to->packet[k] : NULL;
	}
	if (to->n == to->room) {
		room = to->room ? 2 * to->room : 64;
		if (room > PLAN_PACKETS)
			room = PLAN_PACKETS;
		grown = realloc(to->packet, room * sizeof(*grown));
		if (!grown)
			return NULL;
		to->packet = grown;
		to->room = room;
	}
	return &to->packet[to->n++];
}

static void keep(struct sample *s, struct plan_slice *to,
		 const struct sl_sampled *from, double weight)
{
	struct plan_packet *p = place(s, to);

	to->taken++;
	if (!p)
		return;
	p->g = from->g;
	p->weight = weight;
	p->reason = from->reason;
	p->tick = to->n_ticks;
}

/* One CPU's packets of the second that ends now, and how many there were. to
 * NULL: they are skipped. */
static uint64_t read_cpu(struct agent *a, uint32_t cpu, struct plan_slice *to)
{
	struct sample *s = a->sample;
	struct cpu_sample *c = &s->cpu[cpu];
	struct plan_tick *t = to ? &to->tick[to->n_ticks] : NULL;
	uint64_t packets, bytes, news = 0;
	double weight;
	uint32_t i, n = 0;

	sl_dp_read_sampled_of(a->dp, cpu, &packets, &bytes);
	if (packets >= c->packets && bytes >= c->bytes)
		news = packets - c->packets;
	/* where nothing came there is nothing; to look would cost a lap */
	if (!t || news || c->reader.placed)
		n = sl_dp_take_samples(a->dp, cpu, &c->reader, s->taken);
	if (t && news) {
		t->packets += news;
		t->bytes += bytes - c->bytes;
		c->owed += news;
	}
	c->packets = packets;
	c->bytes = bytes;
	if (!t || !n)
		return news;
	/* a sample that was taken before its packet was counted owes one */
	weight = c->owed > n ? c->owed / n : 1;
	c->owed -= weight * n;
	for (i = 0; i < n; i++)
		keep(s, to, &s->taken[i], weight);
	return news;
}

void sample_second(struct agent *a)
{
	struct sample *s = a->sample;
	uint64_t now_ns = sl_mono_ns(), span_ns = now_ns - s->last_ns;
	uint64_t news = 0, pps;
	struct plan_slice *to = s->every ? open_slice(s) : NULL;
	uint32_t cpu;

	if (to)
		to->tick[to->n_ticks] = (struct plan_tick){
			.span_ns = span_ns,
			.from_ns = sl_now_ns() - span_ns };
	for (cpu = 0; cpu < sl_dp_settings(a->dp)->n_cpus; cpu++)
		news += read_cpu(a, cpu, to);
	if (to)
		to->n_ticks++;
	/* about so many are taken next, whatever the traffic is; none before
	 * there is a rate */
	pps = s->last_ns && span_ns ? news * 1e9 / span_ns : 0;
	if (s->last_ns)
		s->every = pps > PLAN_TAKEN_PPS ? pps / PLAN_TAKEN_PPS : 1;
	s->last_ns = now_ns;
	sl_dp_set_sampling(a->dp, s->every);
}

/* --- views --- */
/* The open slice goes on: a copy of it. */
static struct plan_slice *copy(const struct plan_slice *from)
{
	struct plan_slice *to = malloc(sizeof(*to));

	if (!to)
		return NULL;
	*to = *from;
	to->refs = 1;
	to->room = from->n;
	to->packet = malloc((from->n + 1) * sizeof(*to->packet));
	if (!to->packet) {
		free(to);
		return NULL;
	}
	memcpy(to->packet, from->packet, from->n * sizeof(*to->packet));
	return to;
}

int sample_view(struct agent *a, uint64_t since_ns, struct plan_view *out)
{
	struct sample *s = a->sample;
	struct plan_slice *one;
	unsigned int i;

	*out = (struct plan_view){ .since_ns = since_ns };
	for (i = 0; i < s->n; i++) {
		one = s->slice[i];
		if (i == s->n - 1)
			one = one->n_ticks < PLAN_TICKS ? copy(one) : one;
		if (!one) {
			sample_leave(out);
			return -1;
		}
		one->refs += one == s->slice[i];
		out->slice[out->n++] = one;
	}
	return 0;
}

void sample_leave(struct plan_view *v)
{
	while (v->n)
		leave(v->slice[--v->n]);
}

static bool is_in(const struct plan_view *v, const struct plan_tick *t)
{
	return t->from_ns + t->span_ns > v->since_ns;
}

void sample_walk(const struct plan_view *v, const struct plan_walk *w)
{
	const struct plan_slice *s;
	unsigned int i, k;
	double keeps;

	for (i = 0; i < v->n; i++) {
		s = v->slice[i];
		keeps = s->n ? (double)s->taken / s->n : 1;
		for (k = 0; w->tick && k < s->n_ticks; k++)
			if (is_in(v, &s->tick[k]))
				w->tick(w->arg, &s->tick[k]);
		for (k = 0; k < s->n; k++)
			if (is_in(v, &s->tick[s->packet[k].tick]))
				w->packet(w->arg, &s->packet[k],
					  s->packet[k].weight * keeps);
	}
}
