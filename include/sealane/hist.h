/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * Nanoseconds to histogram bucket and back: one source for the data plane,
 * the module and user space.
 *
 * Buckets are those of Prometheus native histograms, schema 5: bucket index i
 * is (2^((i-1)/32), 2^(i/32)] seconds. The data plane keeps 704 of them for
 * 2^-18 s (3.8 us) .. 2^4 s (16 s). Everything is exact integer arithmetic:
 * the unit is 2^-30 s, in which Prometheus index p is local index p + 960.
 */
#ifndef SEALANE_HIST_H
#define SEALANE_HIST_H

#include <sealane/abi.h>
#include <sealane/hist_tables.h>

#ifndef SL_INLINE
#define SL_INLINE static inline __attribute__((always_inline))
#endif

#define SL_HIST_SCHEMA		5
#define SL_HIST_LOCAL_FIRST	(12 * 32 + 1)	/* first bucket above 2^-18 s */
#define SL_HIST_ZERO		(-1)		/* at or below 2^-18 s */
#define SL_HIST_OVERFLOW	SL_HIST_BUCKETS	/* above 16 s */
#define SL_HIST_PROM_OFFSET	960		/* local index - Prometheus index */

/* Position of the highest set bit, 0..63. v must not be 0. */
SL_INLINE __u32 sl_fls64(__u64 v)
{
	__u32 e = 0;

	if (v >> 32) { e += 32; v >>= 32; }
	if (v >> 16) { e += 16; v >>= 16; }
	if (v >> 8)  { e += 8;  v >>= 8; }
	if (v >> 4)  { e += 4;  v >>= 4; }
	if (v >> 2)  { e += 2;  v >>= 2; }
	return e + (__u32)(v >> 1);
}

/*
 * Bucket of a round trip: 0..SL_HIST_BUCKETS-1, SL_HIST_ZERO or
 * SL_HIST_OVERFLOW. rtt_ns may be anything up to 2^43 (2.4 hours); more
 * overflows by the range check.
 */
SL_INLINE int sl_hist_bucket(__u64 rtt_ns)
{
	__u64 v, m;
	__u32 e, j;
	int i;

	if (rtt_ns > 17000000000ULL)
		return SL_HIST_OVERFLOW;
	v = (rtt_ns * 1125900ULL) >> 20;	/* 2^30 / 10^9 in 2^-20 steps */
	if (v == 0)
		return SL_HIST_ZERO;
	e = sl_fls64(v);
	m = v << (63 - e);			/* Q63 mantissa in [1, 2) */
	if (m == 1ULL << 63) {
		i = 32 * e;
	} else {
		j = sl_hist_guess[(m >> 57) & 63];
		if (j < 31 && m > sl_hist_thr[(j + 1) & 31])
			j++;
		i = 32 * e + j + 1;
	}
	i -= SL_HIST_LOCAL_FIRST;
	if (i < 0)
		return SL_HIST_ZERO;
	if (i >= SL_HIST_BUCKETS)
		return SL_HIST_OVERFLOW;
	return i;
}

/* Prometheus native-histogram index (schema 5) of bucket b. */
SL_INLINE int sl_hist_prom_index(int b)
{
	return b + SL_HIST_LOCAL_FIRST - SL_HIST_PROM_OFFSET;
}

#endif
