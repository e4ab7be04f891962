/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/* Bits of a word, in plain C: no BPF instruction does it. The kernel knows
 * which machine it is on. */
#ifndef SEALANE_BITS_H
#define SEALANE_BITS_H

#include <linux/types.h>
#ifdef __KERNEL__
#include <linux/bitops.h>
#endif

#ifndef SL_INLINE
#define SL_INLINE static inline __attribute__((always_inline))
#endif

/* How many are set. */
SL_INLINE __u32 sl_popcount(__u64 x)
{
#ifdef __KERNEL__
	return hweight64(x);
#else
	x -= x >> 1 & 0x5555555555555555ULL;
	x = (x & 0x3333333333333333ULL) + (x >> 2 & 0x3333333333333333ULL);
	x = (x + (x >> 4)) & 0x0f0f0f0f0f0f0f0fULL;
	return (__u32)(x * 0x0101010101010101ULL >> 56);
#endif
}

/* Index of the lowest one that is set; 64: none is. */
SL_INLINE __u32 sl_lowest_bit(__u64 x)
{
	return sl_popcount((x & -x) - 1);
}

#endif
