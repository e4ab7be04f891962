/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * The prefix table's image and its lookup: one source for BPF, the module and
 * user space. The image is a flat array of ranges, sorted by start address;
 * an address belongs to the last range that starts at or below it. Range 0
 * starts at address 0. The includer supplies the two accessors: where range i
 * of a bank lies, or NULL beyond the array. Only who looks up includes this; the ranges themselves are
 * in abi.h.
 */
#ifndef SEALANE_FIB_H
#define SEALANE_FIB_H

#include <sealane/abi.h>

#ifndef SL_INLINE
#define SL_INLINE static inline __attribute__((always_inline))
#endif

#define SL_FIB_STEPS	22	/* binary search: up to 2^22 ranges */

struct sl_fib_view;	/* defined by the includer: one bank */
SL_INLINE const struct sl_fib4_range *
sl_fib4_at(const struct sl_fib_view *v, __u32 i);
SL_INLINE const struct sl_fib6_range *
sl_fib6_at(const struct sl_fib_view *v, __u32 i);

/* Entry of an IPv4 address (host order) among n ranges; 0 when n is 0. */
SL_INLINE __u32 sl_fib4_lookup(const struct sl_fib_view *v, __u32 n,
			       __u32 addr)
{
	__u32 lo = 0, entry = 0;
	int step;

	for (step = 0; step < SL_FIB_STEPS && lo < n; step++) {
		__u32 mid = lo + ((n - lo) >> 1);
		const struct sl_fib4_range *r = sl_fib4_at(v, mid);

		if (!r)
			break;
		if (r->start <= addr) {
			entry = r->entry;
			lo = mid + 1;
		} else {
			n = mid;
		}
	}
	return entry;
}

/* Entry of an IPv6 address (two host-order words) among n ranges. */
SL_INLINE __u32 sl_fib6_lookup(const struct sl_fib_view *v, __u32 n,
			       __u64 hi, __u64 lo_word)
{
	__u32 lo = 0, entry = 0;
	int step;

	for (step = 0; step < SL_FIB_STEPS && lo < n; step++) {
		__u32 mid = lo + ((n - lo) >> 1);
		const struct sl_fib6_range *r = sl_fib6_at(v, mid);

		if (!r)
			break;
		if (r->start_hi < hi ||
		    (r->start_hi == hi && r->start_lo <= lo_word)) {
			entry = r->entry;
			lo = mid + 1;
		} else {
			n = mid;
		}
	}
	return entry;
}

#endif
