/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a bounded flow table hides. A stamp that goes with its evicted flow would
 * have been answered later than that, or never: leaving it out makes round trips
 * look shorter than they are, the more so the longer they are (the bias is named
 * in Zheng, Chen, Braverman, Rexford: "Unbiased Delay Measurement in the Data
 * Plane", APOCS 2022). Its age is a right-censored observation, and the
 * product-limit estimate takes those into account (Kaplan, Meier: "Nonparametric
 * Estimation from Incomplete Observations", JASA 53, 1958).
 *
 * It holds while eviction does not depend on how long the answer will take, and
 * counts stamps that nobody would ever have answered (a flood's) as long ones: an
 * upper bound then.
 */
#ifndef SL_SURVIVAL_H
#define SL_SURVIVAL_H

#include <sealane/abi.h>

/*
 * Quantile q in 0..1, in ns, of the answered round trips and the lost stamps
 * together; -1 when it lies beyond all that was answered, so that nothing can be
 * said, or when nothing was.
 */
double sl_survival_quantile_ns(const struct sl_hist *answered,
			       const __u64 lost[SL_LOST_BUCKETS], double q);

#endif
