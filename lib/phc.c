// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include "phc.h"

#define SAMPLES		5	/* a window without an interrupt is among them */
#define STEP_NS		10000	/* the wall clock was set by more */

static int64_t ns_of(const struct ptp_clock_time *t)
{
	return (int64_t)t->sec * 1000000000 + t->nsec;
}

static int64_t clock_ns(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* The reading between before and after, by the wall clock, if it is better. */
static void better(int64_t before, int64_t phc, int64_t after,
		   int64_t real_mono_ns, struct sl_phc_pair *best)
{
	int64_t half = (after - before) / 2;

	if (half < 0 || half >= INT32_MAX ||
	    (best->error_ns && half + 1 >= best->error_ns))
		return;
	best->phc_ns = phc;
	best->mono_ns = before + half - real_mono_ns;
	best->error_ns = half + 1;
}

int sl_phc_extended(const struct ptp_sys_offset_extended *o,
		    int64_t real_mono_ns, struct sl_phc_pair *out)
{
	struct sl_phc_pair best = {};
	unsigned int i;

	for (i = 0; i < o->n_samples && i < PTP_MAX_SAMPLES; i++)
		better(ns_of(&o->ts[i][0]), ns_of(&o->ts[i][1]),
		       ns_of(&o->ts[i][2]), real_mono_ns, &best);
	if (!best.error_ns)
		return -EINVAL;
	*out = best;
	return 0;
}

int sl_phc_basic(const struct ptp_sys_offset *o, int64_t real_mono_ns,
		 struct sl_phc_pair *out)
{
	struct sl_phc_pair best = {};
	unsigned int i;

	for (i = 0; i < o->n_samples && i < PTP_MAX_SAMPLES; i++)
		better(ns_of(&o->ts[2 * i]), ns_of(&o->ts[2 * i + 1]),
		       ns_of(&o->ts[2 * i + 2]), real_mono_ns, &best);
	if (!best.error_ns)
		return -EINVAL;
	*out = best;
	return 0;
}

int sl_phc_precise(const struct ptp_sys_offset_precise *o,
		   int64_t real_mono_ns, struct sl_phc_pair *out)
{
	if (!o->sys_realtime.sec)
		return -EINVAL;
	out->phc_ns = ns_of(&o->device);
	out->mono_ns = ns_of(&o->sys_realtime) - real_mono_ns;
	out->error_ns = 1;	/* taken by the hardware at once */
	return 0;
}

/* The kernel tells the wall clock, whose distance to the other stays the same
 * unless somebody sets it. */
static int64_t real_mono(uint32_t *error_ns)
{
	int64_t before, real, after, best = 0;
	int i;

	for (*error_ns = UINT32_MAX, i = 0; i < SAMPLES; i++) {
		before = clock_ns(CLOCK_MONOTONIC);
		real = clock_ns(CLOCK_REALTIME);
		after = clock_ns(CLOCK_MONOTONIC);
		if ((after - before) / 2 >= *error_ns)
			continue;
		*error_ns = (after - before) / 2;
		best = real - before - *error_ns;
	}
	return best;
}

static int ask(int fd, int64_t real_mono_ns, struct sl_phc_pair *out)
{
	struct ptp_sys_offset_extended extended = { .n_samples = SAMPLES };
	struct ptp_sys_offset basic = { .n_samples = SAMPLES };
	struct ptp_sys_offset_precise precise = {};

	if (!ioctl(fd, PTP_SYS_OFFSET_PRECISE, &precise))
		return sl_phc_precise(&precise, real_mono_ns, out);
	if (!ioctl(fd, PTP_SYS_OFFSET_EXTENDED, &extended))
		return sl_phc_extended(&extended, real_mono_ns, out);
	if (!ioctl(fd, PTP_SYS_OFFSET, &basic))
		return sl_phc_basic(&basic, real_mono_ns, out);
	return -errno;
}

int sl_phc_read(int fd, struct sl_phc_pair *out)
{
	uint32_t error_ns, error_after_ns;
	int64_t before = real_mono(&error_ns);
	int rc = ask(fd, before, out);

	if (rc)
		return rc;
	out->error_ns += error_ns;
	/* what slews one moves both */
	return llabs(real_mono(&error_after_ns) - before) > STEP_NS ? -EAGAIN :
								     0;
}

/* How far the clock went beside the other, over how long by the other. */
static int64_t drift(const struct sl_phc_pair *from,
		     const struct sl_phc_pair *to, int64_t *mono_ns)
{
	*mono_ns = to->mono_ns - from->mono_ns;
	return to->phc_ns - from->phc_ns - *mono_ns;
}

bool sl_phc_add(struct sl_phc *p, const struct sl_phc_pair *pair)
{
	const struct sl_phc_pair *last = p->n ? &p->pair[p->n - 1] : NULL;
	int64_t mono_ns, by_ns, slack_ns;
	bool fits = true;

	if (last) {
		by_ns = drift(last, pair, &mono_ns);
		slack_ns = mono_ns / 1000000000 * SL_PHC_PPB_MAX +
			   SL_PHC_PPB_MAX + last->error_ns + pair->error_ns;
		fits = mono_ns > 0 && llabs(by_ns) <= slack_ns;
	}
	if (!fits)
		p->n = 0;
	if (p->n == SL_PHC_PAIRS)
		memmove(p->pair, p->pair + 1, --p->n * sizeof(p->pair[0]));
	p->pair[p->n++] = *pair;
	return fits;
}

int32_t sl_phc_ppb(const struct sl_phc *p)
{
	int64_t mono_ns, by_ns;
	double ppb;

	if (p->n < 2)
		return 0;
	by_ns = drift(&p->pair[0], &p->pair[p->n - 1], &mono_ns);
	ppb = 1e9 * by_ns / mono_ns;
	return ppb > SL_PHC_PPB_MAX ? SL_PHC_PPB_MAX :
	       ppb < -SL_PHC_PPB_MAX ? -SL_PHC_PPB_MAX : ppb;
}
