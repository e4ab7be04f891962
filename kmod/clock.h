/* SPDX-License-Identifier: GPL-2.0 */
/* The clock of a NIC against CLOCK_MONOTONIC: arithmetic in plain C. */
#ifndef SLK_CLOCK_H
#define SLK_CLOCK_H

#include <sealane/kmod.h>

#define SLK_CLOCK_SPAN_NS 60000000000LL	/* a stamp that is further off is of
					 * another clock */

#define SLK_CLOCK_ERROR_NS 1000000ULL	/* by which a conversion may be off */

/* May it be used, as it was told at now_ns? */
static inline int slk_clock_is_sane(const struct slk_clock *c, __u64 now_ns)
{
	__u64 off_ns = c->mono_ns > now_ns ? c->mono_ns - now_ns :
					     now_ns - c->mono_ns;

	return c->ifindex && c->ppb <= SLK_PPB_MAX && c->ppb >= -SLK_PPB_MAX &&
	       (!c->until_ns || (off_ns <= SLK_CLOCK_MAX_NS &&
				 (c->until_ns <= now_ns ||
				  c->until_ns - now_ns <= SLK_CLOCK_MAX_NS)));
}

/* A NIC's time as CLOCK_MONOTONIC; 0: it cannot be said. */
static inline __u64 slk_clock_mono_ns(const struct slk_clock *c,
				      __u64 stamp_ns)
{
	__s64 d = (__s64)(stamp_ns - c->phc_ns), mono_ns;

	if (d > SLK_CLOCK_SPAN_NS || d < -SLK_CLOCK_SPAN_NS ||
	    c->ppb > SLK_PPB_MAX || c->ppb < -SLK_PPB_MAX ||
	    c->mono_ns > (__u64)1 << 62)
		return 0;
	mono_ns = (__s64)c->mono_ns + d - d * c->ppb / 1000000000;
	return mono_ns > 0 ? mono_ns : 0;
}

#endif
