/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The clocks of NICs, as the agent measured them against CLOCK_MONOTONIC. Its
 * arithmetic is plain C; the table is the module's.
 */
#ifndef SLK_CLOCK_H
#define SLK_CLOCK_H

#include <sealane/kmod.h>

#define SLK_PPB_MAX	1000000		/* a clock that is further off is none */
#define SLK_CLOCK_SPAN_NS 60000000000LL	/* a stamp that is further off is of
					 * another clock */

/* A NIC's time as CLOCK_MONOTONIC; 0: it cannot be said. */
static inline __u64 slk_clock_mono_ns(const struct slk_clock *c,
				      __u64 stamp_ns)
{
	__s64 d = (__s64)(stamp_ns - c->phc_ns);

	if (d > SLK_CLOCK_SPAN_NS || d < -SLK_CLOCK_SPAN_NS ||
	    c->ppb > SLK_PPB_MAX || c->ppb < -SLK_PPB_MAX)
		return 0;
	return c->mono_ns + d - d * c->ppb / 1000000000;
}

#ifdef __KERNEL__
#include <linux/types.h>

/* 0 or -ENOSPC. net: cookie of the NIC's namespace. */
int slk_clock_set(u64 net, const struct slk_clock *c);
/* Is there one that may be used now? */
bool slk_clock_is_known(u64 net, u32 ifindex);
/* A stamp of a NIC as CLOCK_MONOTONIC; 0: its clock is not known (any more). */
u64 slk_clock_convert(u64 net, u32 ifindex, u64 stamp_ns);
#endif

#endif
