// SPDX-License-Identifier: GPL-2.0
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "change.h"
#include "hist.h"

/* A step is believed from nine tenths of it on: no quantile is known better. */
#define COUNTS		0.9
#define FOLLOW_HOLDS	20	/* time constant of the baseline: 1 h for 3 min */
#define LEARN_STEPS	6
#define CLEAR_HOLDS	10	/* what looked like a queue and is level since */
#define SCATTERS	5	/* mean distances: 4 standard deviations */
#define LEVEL_MOST	2	/* times the step that scatter may ask for */
#define FORMER_MOST	0.015	/* of the samples, when a rise is believed */
#define GAP_NS		120000000000ULL

static double smaller(double a, double b)
{
	return a < b ? a : b;
}

static double larger(double a, double b)
{
	return a > b ? a : b;
}

/* A share of the lower level, so that there and back are the same step. */
static double plain_step_ns(const struct sl_change *c,
			    const struct sl_change_rules *r, double p5_ns)
{
	double lower_ns = smaller(c->base.p5_ns, p5_ns);

	return larger(smaller(r->step_ns, lower_ns * r->share_ppm / 1e6),
		      SL_CHANGE_LEAST_NS);
}

double sl_change_threshold_ns(const struct sl_change *c,
			      const struct sl_change_rules *r, double p5_ns)
{
	double step_ns = plain_step_ns(c, r, p5_ns);

	return larger(step_ns, smaller(SCATTERS * c->base.scatter_ns,
				       LEVEL_MOST * step_ns));
}

static const struct sl_change_step *at(const struct sl_change *c,
				       unsigned int i)
{
	return &c->ring[(c->first + i) % SL_CHANGE_RING];
}

/* --- figures of several steps --- */
static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

struct figures {
	unsigned int n;
	double p2_ns, p5_ns, p20_ns;	/* medians of the steps' */
	double spread_ns;		/* mean */
	double wander_ns;		/* from p20 to p80 of p5 */
	double scatter_ns, loss;
	double former;			/* share of samples at the old level */
};

static double pick(double *v, unsigned int n, double q)
{
	qsort(v, n, sizeof(*v), by_value);
	return v[(unsigned int)(n * q)];
}

/* Of the steps that began at from_ns or later, at quantile q of them. */
static struct figures figures_since(const struct sl_change *c, uint64_t from_ns,
				    double q)
{
	double p2[SL_CHANGE_RING], p5[SL_CHANGE_RING], p20[SL_CHANGE_RING];
	struct figures f = {};
	unsigned int i;
	double all = 0;

	for (i = 0; i < c->n; i++) {
		const struct sl_change_step *s = at(c, i);

		if (s->from_ns < from_ns)
			continue;
		p2[f.n] = s->p2_ns;
		p5[f.n] = s->p5_ns;
		p20[f.n++] = s->p20_ns;
		f.spread_ns += s->p50_ns - s->p5_ns;
		f.loss += s->loss;
		f.former += s->former;
		all += s->samples;
	}
	if (!f.n)
		return f;
	f.loss /= f.n;
	f.former /= all;
	f.p2_ns = pick(p2, f.n, q);
	f.p20_ns = pick(p20, f.n, q);
	f.spread_ns /= f.n;
	f.p5_ns = pick(p5, f.n, q);	/* sorted from here on */
	f.wander_ns = p5[f.n * 8 / 10] - p5[f.n * 2 / 10];
	for (i = 0; i < f.n; i++)
		f.scatter_ns += fabs(p5[i] - f.p5_ns) / f.n;
	return f;
}

static void set_base(struct sl_change *c, const struct figures *f)
{
	c->base = (struct sl_change_base){
		.p2_ns = f->p2_ns, .p5_ns = f->p5_ns, .p20_ns = f->p20_ns,
		.spread_ns = f->spread_ns, .scatter_ns = f->scatter_ns,
		.loss = f->loss };
	c->learned = true;
	c->seen = true;
}

void sl_change_restore(struct sl_change *c, const struct sl_change_base *base)
{
	c->base = *base;
	c->learned = true;
}

/* --- the baseline --- */
static void learn(struct sl_change *c, const struct sl_change_rules *r)
{
	struct figures f;

	if (c->n < LEARN_STEPS || at(c, c->n - 1)->to_ns - at(c, 0)->from_ns <
	    r->hold_ns)
		return;
	/* a queue may have come and gone meanwhile, but no shorter way */
	f = figures_since(c, 0, 0.25);
	set_base(c, &f);
	c->learned_ns = at(c, c->n - 1)->to_ns;
}

static void note_scatter(struct sl_change *c, const struct sl_change_step *s,
			 double share)
{
	c->base.scatter_ns += share * (fabs(s->p5_ns - c->base.p5_ns) -
				       c->base.scatter_ns);
}

/* So slowly that a change is over its step long before: what rises by less than a
 * step in an hour is drift. */
static void follow(struct sl_change *c, const struct sl_change_rules *r,
		   const struct sl_change_step *s)
{
	double share = 1 - exp(-(double)(s->to_ns - s->from_ns) /
			       (FOLLOW_HOLDS * (double)r->hold_ns));
	struct sl_change_base *b = &c->base;

	note_scatter(c, s, share);
	b->p2_ns += share * (s->p2_ns - b->p2_ns);
	b->p5_ns += share * (s->p5_ns - b->p5_ns);
	b->p20_ns += share * (s->p20_ns - b->p20_ns);
	b->spread_ns += share * (s->p50_ns - s->p5_ns - b->spread_ns);
	b->loss += share * (s->loss - b->loss);
	c->seen = true;
}

/* --- steps --- */
static int32_t shows(const struct sl_change *c, const struct sl_change_rules *r,
		     const struct sl_change_step *s)
{
	double want_ns = COUNTS * sl_change_threshold_ns(c, r, s->p5_ns);
	double up_ns = s->p5_ns - c->base.p5_ns;

	if (up_ns >= want_ns && s->p2_ns - c->base.p2_ns >= want_ns)
		return 1;
	if (up_ns <= -want_ns && s->p20_ns - c->base.p20_ns <= -want_ns)
		return -1;
	/* in the middle of a change nothing is settled */
	return fabs(up_ns) < want_ns / 2 || c->hold.what == SL_HOLD_FORMER ?
	       SL_HOLD_FORMER : SL_HOLD_NEITHER;
}

/* --- a way or a queue --- */
/* Did it come at once? A step or two may have seen both levels. */
static bool sharp(const struct sl_change *c, double level_ns)
{
	double whole_ns = level_ns - c->base.p5_ns, part;
	unsigned int i, between = 0;

	for (i = c->n; i; i--) {
		const struct sl_change_step *s = at(c, i - 1);

		part = (s->p5_ns - c->base.p5_ns) / whole_ns;
		if (part < 0.25 && s->from_ns < c->hold.since_ns)
			break;
		if (part < 0.75)
			between++;
		else
			between = 0;
	}
	return between <= 2;
}

/* A queue's delay is not the same for each packet, not the same for long, and
 * fuller queues lose packets. */
static bool like_a_queue(const struct sl_change *c, const struct figures *f)
{
	const struct sl_change_base *b = &c->base;
	double rise_ns = f->p5_ns - b->p5_ns;

	return f->spread_ns - b->spread_ns > larger(rise_ns / 2, 1e6) ||
	       f->wander_ns > larger(rise_ns / 2, 6 * b->scatter_ns) ||
	       (f->loss > 3 * b->loss && f->loss - b->loss > 0.005);
}

static void tell(struct sl_change *c, const struct figures *f,
		 struct sl_change_news *news, enum sl_change_what what)
{
	*news = (struct sl_change_news){
		.what = what, .from_ns = c->base.p5_ns, .to_ns = f->p5_ns,
		.since_ns = c->hold.since_ns, .away = !c->seen,
		.spread_from_ns = c->base.spread_ns,
		.spread_to_ns = f->spread_ns,
		.loss_from = c->base.loss, .loss_to = f->loss };
}

static void believe(struct sl_change *c, const struct sl_change_rules *r,
		    const struct figures *f, uint64_t now_ns,
		    struct sl_change_news *news)
{
	double before_ns = c->base.p5_ns;
	double near_ns = sl_change_threshold_ns(c, r, f->p5_ns) / 2;

	tell(c, f, news, SL_CHANGE_WAY);
	news->back = c->former_ns > 0 &&
		     fabs(f->p5_ns - c->former_ns) < near_ns;
	c->changed_ns = news->back ? 0 : c->hold.since_ns;
	c->former_ns = before_ns;
	c->queue = false;
	c->calm_ns = 0;
	set_base(c, f);
	sl_hold_settle(&c->hold, now_ns, true);
}

/* The baseline was a queue's when it was learned, and that has drained. */
static void drained(struct sl_change *c, const struct figures *f,
		    uint64_t now_ns)
{
	set_base(c, f);
	c->queue = false;
	sl_hold_settle(&c->hold, now_ns, false);
}

/* Has it been level for so long that it is no queue after all? Now and then it may
 * look like one. */
static bool calm(struct sl_change *c, const struct sl_change_rules *r,
		 const struct figures *f, uint64_t step_ns, bool level)
{
	double near_ns = larger(sl_change_threshold_ns(c, r, f->p5_ns) / 4,
				2 * c->base.scatter_ns);

	if (fabs(f->p5_ns - c->level_ns) > near_ns) {
		c->level_ns = f->p5_ns;
		c->calm_ns = 0;
	}
	if (level)
		c->calm_ns += step_ns;
	else
		c->calm_ns -= c->calm_ns > step_ns ? step_ns : c->calm_ns;
	return level && c->calm_ns > CLEAR_HOLDS * r->hold_ns;
}

static void judge(struct sl_change *c, const struct sl_change_rules *r,
		  const struct sl_change_step *s, enum sl_change_hops hops,
		  struct sl_change_news *news)
{
	uint64_t now_ns = s->to_ns, recent_ns = now_ns - r->hold_ns;
	bool level, slow, long_calm;
	struct figures f;

	if (!sl_hold_ripe(&c->hold, now_ns, r->hold_ns))
		return;
	f = figures_since(c, recent_ns > c->hold.since_ns ? recent_ns :
			  c->hold.since_ns, 0.5);
	if (!f.n || fabs(f.p5_ns - c->base.p5_ns) <
	    COUNTS * sl_change_threshold_ns(c, r, f.p5_ns) ||
	    (c->hold.what > 0 && f.former > FORMER_MOST))
		return;
	slow = !sharp(c, f.p5_ns);
	level = hops == SL_HOPS_OTHER || c->hold.what < 0 ||
		!like_a_queue(c, &f);
	long_calm = calm(c, r, &f, now_ns - s->from_ns, level);
	if (c->hold.what < 0 && slow && hops != SL_HOPS_OTHER) {
		drained(c, &f, now_ns);
		return;
	}
	/* once it is known as a queue, or came slowly, it must prove itself */
	if (level && (hops == SL_HOPS_OTHER || c->hold.what < 0 ||
		      (!slow && !c->queue) || long_calm)) {
		believe(c, r, &f, now_ns, news);
	} else if (!c->queue && c->hold.what > 0) {
		tell(c, &f, news, SL_CHANGE_QUEUE);
		c->queue = true;
	}
}

static void queue_over(struct sl_change *c, const struct sl_change_step *s,
		       struct sl_change_news *news)
{
	tell(c, &(struct figures){ .p5_ns = s->p5_ns,
				   .spread_ns = s->p50_ns - s->p5_ns,
				   .loss = s->loss },
	     news, SL_CHANGE_QUEUE_OVER);
	c->queue = false;
	c->calm_ns = 0;
}

static void take_step(struct sl_change *c, const struct sl_change_rules *r,
		      const struct sl_change_step *s, enum sl_change_hops hops,
		      struct sl_change_news *news)
{
	bool over;

	if (c->n == SL_CHANGE_RING) {
		c->first = (c->first + 1) % SL_CHANGE_RING;
		c->n--;
	}
	c->ring[(c->first + c->n++) % SL_CHANGE_RING] = *s;
	c->steps++;
	if (!c->learned) {
		learn(c, r);
		return;
	}
	over = sl_hold_step(&c->hold, shows(c, r, s), s->from_ns, s->to_ns,
			    r->hold_ns);
	if (over) {
		if (c->queue)
			queue_over(c, s, news);
		else
			note_scatter(c, s, 1.0 / FOLLOW_HOLDS);
	}
	if (c->hold.what == SL_HOLD_FORMER)
		follow(c, r, s);
	else
		judge(c, r, s, hops, news);
}

/* --- filling a step --- */
static bool full(const struct sl_change *c, const struct sl_change_rules *r)
{
	uint64_t len_ns = c->to_ns - c->from_ns;

	return (len_ns >= sl_hold_step_len_ns(r->hold_ns) &&
		c->now.count >= SL_CHANGE_SAMPLES) ||
	       (len_ns >= r->hold_ns && c->now.count >= SL_CHANGE_FEW);
}

/* Never of the least sample alone, which may be a wrong one. */
static double low_quantile_ns(const struct sl_hist *h, double q)
{
	return sl_hist_quantile_ns(h, larger(q, 1.5 / h->count));
}

/* Samples nearer to the baseline than to a step above it, or below it. */
static uint32_t at_former(const struct sl_change *c,
			  const struct sl_change_rules *r, double p5_ns)
{
	double to_ns = c->base.p5_ns + sl_change_threshold_ns(c, r, p5_ns) / 2;
	int b, last = sl_hist_bucket(to_ns);
	uint32_t n = c->now.zero;

	for (b = 0; b < last && b < SL_HIST_BUCKETS; b++)
		n += c->now.bucket[b];
	return n;
}

static void empty(struct sl_change *c)
{
	memset(&c->now, 0, sizeof(c->now));
	c->segments = c->retrans = 0;
}

void sl_change_take(struct sl_change *c, const struct sl_change_rules *r,
		    uint64_t from_ns, uint64_t to_ns, const struct sl_hist *h,
		    uint64_t segments, uint64_t retrans,
		    enum sl_change_hops hops, struct sl_change_news *news)
{
	struct sl_change_step s;

	news->what = SL_CHANGE_NONE;
	if (!h || !h->count)
		return;
	/* what was measured before a long pause says nothing of now */
	if (c->now.count && from_ns - c->to_ns > larger(r->hold_ns, GAP_NS))
		empty(c);
	if (!c->now.count)
		c->from_ns = from_ns;
	sl_hist_add(&c->now, h);
	c->to_ns = to_ns;
	c->segments += segments;
	c->retrans += retrans;
	if (!full(c, r))
		return;
	s = (struct sl_change_step){
		.from_ns = c->from_ns, .to_ns = c->to_ns,
		.p2_ns = low_quantile_ns(&c->now, 0.02),
		.p5_ns = low_quantile_ns(&c->now, 0.05),
		.p20_ns = low_quantile_ns(&c->now, 0.20),
		.p50_ns = sl_hist_quantile_ns(&c->now, 0.50),
		.loss = c->segments ? (double)c->retrans / c->segments : 0,
		.samples = c->now.count };
	s.former = c->learned ? at_former(c, r, s.p5_ns) : 0;
	empty(c);
	take_step(c, r, &s, hops, news);
}

double sl_change_p5_since_ns(const struct sl_change *c, uint64_t from_ns)
{
	struct figures f = figures_since(c, from_ns, 0.5);

	return f.n ? f.p5_ns : -1;
}

double sl_change_last_p5_ns(const struct sl_change *c, uint64_t *from_ns,
			    uint64_t *to_ns)
{
	if (!c->n)
		return -1;
	*from_ns = at(c, c->n - 1)->from_ns;
	*to_ns = at(c, c->n - 1)->to_ns;
	return at(c, c->n - 1)->p5_ns;
}

enum sl_change_state sl_change_state(const struct sl_change *c,
				     const struct sl_change_rules *r,
				     uint64_t now_ns, uint64_t *since_ns)
{
	*since_ns = 0;
	if (!c->learned)
		return SL_CHANGE_LEARNING;
	if (c->hold.what != SL_HOLD_FORMER) {
		*since_ns = c->hold.since_ns;
		return SL_CHANGE_SUSPECT;
	}
	if (c->changed_ns &&
	    now_ns - c->changed_ns < SL_CHANGE_FRESH_HOLDS * r->hold_ns) {
		*since_ns = c->changed_ns;
		return SL_CHANGE_CHANGED;
	}
	return SL_CHANGE_STEADY;
}
