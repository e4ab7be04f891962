/* SPDX-License-Identifier: GPL-2.0 */
/* Histograms in user space: add, subtract, quantiles. */
#ifndef SL_LIB_HIST_H
#define SL_LIB_HIST_H

#include <sealane/abi.h>
#include <sealane/hist.h>

/* Bounds of bucket b in seconds: (lower, upper]. */
double sl_hist_lower_s(int b);
double sl_hist_upper_s(int b);

/* dst += src, extremes merged (min_ns 0 means none). */
void sl_hist_add(struct sl_hist *dst, const struct sl_hist *src);
/* dst = now - then for the counters; extremes are those of `now`. */
void sl_hist_diff(struct sl_hist *dst, const struct sl_hist *now,
		  const struct sl_hist *then);
/* What a histogram grew by: only the buckets that did, in order. The first six
 * are struct sl_hist's. */
struct sl_hist_sparse {
	__u64 count, sum_ns, min_ns, max_ns, zero, overflow;
	__u32 n;
	struct {
		__u32 bucket, n;
	} pair[SL_HIST_BUCKETS];
};

/* As sl_hist_diff(). */
void sl_hist_diff_sparse(struct sl_hist_sparse *out, const struct sl_hist *now,
			 const struct sl_hist *then);
/* h += s, extremes merged. */
void sl_hist_add_sparse(struct sl_hist *h, const struct sl_hist_sparse *s);
/* All but the extremes, which only the data plane resets: base += s. */
void sl_hist_advance(struct sl_hist *base, const struct sl_hist_sparse *s);
/* Record one round trip (user-space twin of the data plane's). */
void sl_hist_record(struct sl_hist *h, __u64 rtt_ns);
/* The same n times. */
void sl_hist_record_many(struct sl_hist *h, __u64 rtt_ns, __u32 n);

/*
 * Quantile q in 0..1 in ns, interpolated geometrically inside its bucket and
 * clamped to the extremes where they are known; -1 when there is no sample.
 */
double sl_hist_quantile_ns(const struct sl_hist *h, double q);

#endif
