/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * The prefix tables' image and its lookup: one source for BPF, the module and
 * user space. Flat and pointer-free; compiled by lib/fib*.c. Only who looks up
 * includes this; the image's structs are in abi.h.
 *
 * IPv4, 16-8-8: a root word for each /16, which is an entry or leads to a group
 * of 256 words, one for each /24, and so on once more. The root stays in the
 * second-level cache, so a random address costs one miss.
 *
 * A /24 that is not uniform takes the smallest of three shapes. Single
 * addresses lie in buckets of one cache line, two candidate buckets for each
 * (cuckoo hashing, Pagh and Rodler 2004), behind a flag in the /24's entry: who
 * has no such neighbour pays nothing. Up to twelve runs fit one line of their
 * own; what is more broken than that is a group.
 *
 * IPv6, poptrie (Asai and Ohara 2015): a root word for each /20, then nodes of
 * six bits with a vector of children and one of leaves.
 *
 * The includer supplies the accessors: where a word, bucket or node of the view's
 * bank lies, or NULL beyond the array.
 */
#ifndef SEALANE_FIB_H
#define SEALANE_FIB_H

#include <sealane/abi.h>

#ifndef SL_INLINE
#define SL_INLINE static inline __attribute__((always_inline))
#endif

struct sl_fib_view;	/* defined by the includer: one bank */
SL_INLINE const __u32 *sl_fib_word4(const struct sl_fib_view *v, __u32 i);
SL_INLINE const struct sl_fib_runs *
sl_fib_runs(const struct sl_fib_view *v, __u32 i);
SL_INLINE const struct sl_fib_bucket *
sl_fib_bucket(const struct sl_fib_view *v, __u32 i);
SL_INLINE const __u32 *sl_fib_root6(const struct sl_fib_view *v, __u32 i);
SL_INLINE const struct sl_fib_node *
sl_fib_node(const struct sl_fib_view *v, __u32 i);
SL_INLINE const __u32 *sl_fib_leaf6(const struct sl_fib_view *v, __u32 i);

/* The two buckets of a host. mask: their number - 1; key: random, so that
 * nobody can choose hosts that crowd one bucket. */
SL_INLINE __u32 sl_fib_hash1(__u32 addr, __u64 key, __u32 mask)
{
	return (__u32)(((addr ^ key) * 0x9e3779b97f4a7c15ULL) >> 32) & mask;
}

SL_INLINE __u32 sl_fib_hash2(__u32 addr, __u64 key, __u32 mask)
{
	__u64 h = (addr ^ (key >> 32) ^ key) * 0xd6e8feb86659fd93ULL;

	return (__u32)((h ^ (h >> 29)) >> 20) & mask;
}

/* What a bucket says of an address; 0 when it is not there. */
SL_INLINE __u32 sl_fib_in_bucket(const struct sl_fib_bucket *b, __u32 addr)
{
	__u64 h;
	int i;

	for (i = 0; b && i < SL_FIB_BUCKET_HOSTS; i++) {
		h = *(const volatile __u64 *)&b->host[i];
		if (h >> 32 == addr && h)
			return (__u32)h;
	}
	return 0;
}

/* Entry of a single address with SL_ENTRY_EXT, or 0. */
SL_INLINE __u32 sl_fib_host(const struct sl_fib_view *v, __u32 addr, __u64 key,
			    __u32 mask)
{
	__u32 e = sl_fib_in_bucket(sl_fib_bucket(v, sl_fib_hash1(addr, key,
								 mask)), addr);

	if (e)
		return e;
	return sl_fib_in_bucket(sl_fib_bucket(v, sl_fib_hash2(addr, key,
							      mask)), addr);
}

/* Entry of byte `at` of a /24: that of the last run that starts at or before
 * it. Counted without a branch: starts lie anywhere. */
SL_INLINE __u32 sl_fib_run(const struct sl_fib_runs *r, __u32 at)
{
	__u64 after = at + 1, k = 0;
	int i;

	for (i = 1; i < SL_FIB_RUNS; i++)
		k += (r->start[i] - after) >> 63;
	return r->entry[k];
}

/* Entry of an IPv4 address (host order). */
SL_INLINE __u32 sl_fib_lookup4(const struct sl_fib_view *v, __u32 addr,
			       __u64 key, __u32 mask)
{
	const __u32 *w = sl_fib_word4(v, addr >> 16);
	const struct sl_fib_runs *r;
	__u32 e = w ? *w : 0, h;

	if (e & SL_ENTRY_EXT) {
		w = sl_fib_word4(v, SL_ENTRY_INDEX(e) * SL_FIB_GROUP +
				    (addr >> 8 & 255));
		e = w ? *w : 0;
	}
	if (!(e & (SL_ENTRY_EXT | SL_ENTRY_HOSTS)))
		return e;
	if (e & SL_ENTRY_HOSTS && !(e & SL_ENTRY_EXT)) {
		h = sl_fib_host(v, addr, key, mask);
		return (h ? h : e) & ~(SL_ENTRY_EXT | SL_ENTRY_HOSTS);
	}
	if (e & SL_ENTRY_RUNS) {
		r = sl_fib_runs(v, SL_ENTRY_INDEX(e));
		return r ? sl_fib_run(r, addr & 255) : 0;
	}
	w = sl_fib_word4(v, SL_ENTRY_INDEX(e) * SL_FIB_GROUP + (addr & 255));
	return w ? *w & ~SL_ENTRY_EXT : 0;
}

/* Bits set: no BPF instruction does it. */
SL_INLINE __u32 sl_popcount(__u64 x)
{
	x -= x >> 1 & 0x5555555555555555ULL;
	x = (x & 0x3333333333333333ULL) + (x >> 2 & 0x3333333333333333ULL);
	x = (x + (x >> 4)) & 0x0f0f0f0f0f0f0f0fULL;
	return (__u32)(x * 0x0101010101010101ULL >> 56);
}

/* Entry of an IPv6 address (two host-order words). */
SL_INLINE __u32 sl_fib_lookup6(const struct sl_fib_view *v, __u64 hi, __u64 lo)
{
	const __u32 *w = sl_fib_root6(v, hi >> (64 - SL_FIB6_ROOT_BITS));
	const struct sl_fib_node *n;
	__u32 e = w ? *w : 0, i;
	__u64 upto;

	if (!(e & SL_ENTRY_EXT))
		return e;
	hi = hi << SL_FIB6_ROOT_BITS | lo >> (64 - SL_FIB6_ROOT_BITS);
	lo <<= SL_FIB6_ROOT_BITS;
	i = e & ~SL_ENTRY_EXT;
	for (e = 0; e < SL_FIB6_LEVELS; e++) {
		n = sl_fib_node(v, i);
		if (!n)
			return 0;
		upto = (2ULL << (hi >> 58)) - 1;
		if (!(n->vector >> (hi >> 58) & 1)) {
			w = sl_fib_leaf6(v, n->leaf_base +
					 sl_popcount(n->leafvec & upto) - 1);
			return w ? *w : 0;
		}
		i = n->node_base + sl_popcount(n->vector & upto) - 1;
		hi = hi << 6 | lo >> 58;
		lo <<= 6;
	}
	return 0;
}

#endif
