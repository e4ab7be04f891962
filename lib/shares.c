// SPDX-License-Identifier: GPL-2.0
#include <math.h>
#include <string.h>
#include "shares.h"

#define FOLLOW_HOLDS	20	/* as the baseline of latency */
#define RESTLESS	3	/* times the usual difference is none */

/* Total variation: 0 the same, 1 nothing in common. */
static double difference(const double x[SL_MAX_PATHS],
			 const double y[SL_MAX_PATHS])
{
	double sum = 0;
	int i;

	for (i = 0; i < SL_MAX_PATHS; i++)
		sum += fabs(x[i] - y[i]);
	return sum / 2;
}

/* The path that gains most from x to y; swapped: that loses most. */
static uint32_t winner(const double x[SL_MAX_PATHS],
		       const double y[SL_MAX_PATHS])
{
	uint32_t i, best = 0;

	for (i = 1; i < SL_MAX_PATHS; i++)
		if (y[i] - x[i] > y[best] - x[best])
			best = i;
	return best;
}

static void add(struct sl_shares *s, const double share[SL_MAX_PATHS])
{
	int i;

	for (i = 0; i < SL_MAX_PATHS; i++)
		s->sum[i] += share[i];
	s->steps++;
}

static void take_base(struct sl_shares *s)
{
	int i;

	for (i = 0; i < SL_MAX_PATHS; i++)
		s->base[i] = s->sum[i] / s->steps;
}

static void begin_sum(struct sl_shares *s)
{
	memset(s->sum, 0, sizeof(s->sum));
	s->steps = 0;
}

/* How much a step of this length counts. */
static double part_of(const struct sl_shares *s, uint64_t hold_ns)
{
	return 1 - exp(-(double)(s->to_ns - s->from_ns) /
		       (FOLLOW_HOLDS * (double)hold_ns));
}

static void follow(struct sl_shares *s, uint64_t hold_ns,
		   const double share[SL_MAX_PATHS])
{
	double part = part_of(s, hold_ns);
	int i;

	for (i = 0; i < SL_MAX_PATHS; i++)
		s->base[i] += part * (share[i] - s->base[i]);
}

static void learn(struct sl_shares *s, uint64_t hold_ns,
		  const double share[SL_MAX_PATHS])
{
	add(s, share);
	s->learn_ns += s->to_ns - s->from_ns;
	if (s->learn_ns < hold_ns)
		return;
	take_base(s);
	begin_sum(s);
	s->learned = true;
}

static void judge(struct sl_shares *s, uint64_t hold_ns,
		  struct sl_shares_news *news)
{
	double before[SL_MAX_PATHS];

	if (!sl_hold_ripe(&s->hold, s->to_ns, hold_ns))
		return;
	memcpy(before, s->base, sizeof(before));
	take_base(s);
	*news = (struct sl_shares_news){
		.moved = true, .path_from = winner(s->base, before),
		.path_to = winner(before, s->base),
		.share = difference(before, s->base),
		.since_ns = s->hold.since_ns };
	sl_hold_settle(&s->hold, s->to_ns, true);
	begin_sum(s);
}

static void take_step(struct sl_shares *s, uint64_t hold_ns,
		      const double share[SL_MAX_PATHS],
		      struct sl_shares_news *news)
{
	double off = difference(share, s->base);
	bool other = off >= SL_SHARES_MOVED && off >= RESTLESS * s->restless;
	int32_t shows = other ? (int32_t)winner(s->base, share) + 1 :
			SL_HOLD_FORMER;
	int32_t was = s->hold.what;

	sl_hold_step(&s->hold, shows, s->from_ns, s->to_ns, hold_ns);
	/* whatever comes of it: a real move is over before this has grown */
	s->restless += part_of(s, hold_ns) * (off - s->restless);
	if (s->hold.what != was)
		begin_sum(s);
	if (s->hold.what == SL_HOLD_FORMER) {
		follow(s, hold_ns, share);
	} else if (shows == s->hold.what) {
		if (s->hold.with > 1)	/* the first may have seen both */
			add(s, share);
		judge(s, hold_ns, news);
	}
}

void sl_shares_take(struct sl_shares *s, uint64_t hold_ns, uint64_t from_ns,
		    uint64_t to_ns, const uint64_t packets[SL_MAX_PATHS],
		    struct sl_shares_news *news)
{
	double share[SL_MAX_PATHS];
	uint64_t n = 0;
	int i;

	news->moved = false;
	for (i = 0; i < SL_MAX_PATHS; i++)
		n += packets[i];
	if (!n)
		return;
	if (!s->packets)
		s->from_ns = from_ns;
	for (i = 0; i < SL_MAX_PATHS; i++)
		s->now[i] += packets[i];
	s->packets += n;
	s->to_ns = to_ns;
	if (s->packets < SL_SHARES_PACKETS ||
	    to_ns - s->from_ns < sl_hold_step_len_ns(hold_ns))
		return;
	for (i = 0; i < SL_MAX_PATHS; i++)
		share[i] = (double)s->now[i] / s->packets;
	if (s->learned)
		take_step(s, hold_ns, share, news);
	else
		learn(s, hold_ns, share);
	memset(s->now, 0, sizeof(s->now));
	s->packets = 0;
}
