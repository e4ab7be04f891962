/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The clock of a NIC against CLOCK_MONOTONIC: read both at once as well as the
 * kernel can, and tell from the last seconds how fast it runs.
 */
#ifndef SL_PHC_H
#define SL_PHC_H

#include <linux/ptp_clock.h>
#include <stdbool.h>
#include <stdint.h>

/* Both clocks at one moment. */
struct sl_phc_pair {
	int64_t phc_ns, mono_ns;
	uint32_t error_ns;	/* at most so far apart from the truth */
};

#define SL_PHC_PAIRS		8
#define SL_PHC_PPB_MAX		1000000	/* no clock of a NIC is so far off */

struct sl_phc {
	struct sl_phc_pair pair[SL_PHC_PAIRS];	/* oldest first */
	unsigned int n;
};

/* Read the clock behind a descriptor of /dev/ptpN. 0 or negative errno; -EAGAIN:
 * the wall clock was set meanwhile. */
int sl_phc_read(int fd, struct sl_phc_pair *out);

/* Of what the kernel gave, the reading between the two that are closest; real -
 * mono is the same for all of them. -EINVAL: there is none. */
int sl_phc_extended(const struct ptp_sys_offset_extended *o,
		    int64_t real_mono_ns, struct sl_phc_pair *out);
int sl_phc_basic(const struct ptp_sys_offset *o, int64_t real_mono_ns,
		 struct sl_phc_pair *out);
int sl_phc_precise(const struct ptp_sys_offset_precise *o,
		   int64_t real_mono_ns, struct sl_phc_pair *out);

/* One more, a second later or so. What does not fit the others (the clock was
 * set) begins anew: false. */
bool sl_phc_add(struct sl_phc *p, const struct sl_phc_pair *pair);
/* By how much it runs fast, over all that is kept; 0 of a single pair. */
int32_t sl_phc_ppb(const struct sl_phc *p);

#endif
