/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * The prefix tables' image and its lookup: one source for BPF, the module and
 * user space. Flat and pointer-free; compiled by lib/fib*.c. Only who looks up
 * includes this; the image's structs are in abi.h.
 *
 * IPv4, 16-8-8: a root word for each /16, which is an entry or leads to a block
 * for its 256 /24s, and so on once more for the addresses of a /24. A block has a
 * bit for each chunk that begins a new entry, and the entries (the idea of
 * poptrie, by which a million prefixes take 10 MB): one popcount finds the one.
 *
 * Few odd addresses of a /24 lie in buckets of one cache line instead, two
 * candidate buckets for each (cuckoo hashing, Pagh and Rodler 2004), found by a
 * flag for each /24, 2 MB in all: who has no such neighbour pays nothing, and who
 * is one himself never touches the blocks.
 *
 * IPv6: fib6.h.
 *
 * The includer supplies the accessors: where a word, bucket or node of the view's
 * bank lies, or NULL beyond the array.
 */
#ifndef SEALANE_FIB_H
#define SEALANE_FIB_H

#include <sealane/abi.h>
#include <sealane/bits.h>
#include <sealane/fib6.h>

/* What is off the usual way. BPF makes these functions of their own, which the
 * verifier walks once; hence the checks of v. */
#ifndef SL_FIB_FAR
#define SL_FIB_FAR SL_INLINE
#endif

struct sl_fib_view;	/* defined by the includer: one bank */
SL_INLINE const struct sl_fib_line *
sl_fib_line4(const struct sl_fib_view *v, __u32 i);
SL_INLINE const __u32 *sl_fib_flags(const struct sl_fib_view *v, __u32 i);
SL_INLINE const struct sl_fib_bucket *
sl_fib_bucket(const struct sl_fib_view *v, __u32 i);

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

/* What a bucket says of an address; 0 when it is not there. All places are
 * looked at: where it lies cannot be predicted, and a wrong guess costs more. */
SL_INLINE __u32 sl_fib_in_bucket(const struct sl_fib_bucket *b, __u32 addr)
{
	__u64 h, found = 0;
	int i;

	if (!b)
		return 0;
	for (i = 0; i < SL_FIB_BUCKET_HOSTS; i++) {
		h = *(const volatile __u64 *)&b->host[i];
		/* all ones when the address is this one's, else nothing */
		found |= h & -(((h >> 32 ^ addr) - 1) >> 63);
	}
	return (__u32)found;
}

/* Entry of a single address with SL_ENTRY_EXT, or 0. */
SL_INLINE __u32 sl_fib_host(const struct sl_fib_view *v, __u32 addr, __u64 key,
			     __u32 mask)
{
	__u32 e;

	if (!v)
		return 0;
	e = sl_fib_in_bucket(sl_fib_bucket(v, sl_fib_hash1(addr, key, mask)),
			     addr);
	if (e)
		return e;
	return sl_fib_in_bucket(sl_fib_bucket(v, sl_fib_hash2(addr, key,
							      mask)), addr);
}

/* Entry of a chunk (0..255) of the block at a line. */
SL_INLINE __u32 sl_fib_chunk(const struct sl_fib_view *v, __u32 at, __u32 chunk)
{
	const struct sl_fib_line *l = sl_fib_line4(v, at);
	const struct sl_fib_block *b = (const struct sl_fib_block *)l;
	__u32 q = chunk >> 6 & 3, k;

	if (!b)
		return 0;
	k = b->before[q] + sl_popcount(b->vector[q] &
				       ((2ULL << (chunk & 63)) - 1));
	k = (k + SL_FIB_BLOCK_HEAD - 1) & 0x1ff;
	if (k >= SL_FIB_LINE)
		l = sl_fib_line4(v, at + k / SL_FIB_LINE);
	return l ? l->word[k % SL_FIB_LINE] : 0;
}

/* From the word of a /24 that leads on to the entry. */
SL_FIB_FAR __u32 sl_fib_rest4(const struct sl_fib_view *v, __u32 e, __u32 addr)
{
	return v ? sl_fib_chunk(v, SL_ENTRY_INDEX(e), addr & 255) : 0;
}

/* Entry of an IPv4 address (host order). */
SL_INLINE __u32 sl_fib_lookup4(const struct sl_fib_view *v, __u32 addr,
			       __u64 key, __u32 mask)
{
	const __u32 *flags = sl_fib_flags(v, addr >> 13);
	const struct sl_fib_line *root;
	__u32 e;

	if (flags && *flags >> (addr >> 8 & 31) & 1) {
		e = sl_fib_host(v, addr, key, mask);
		if (e)
			return e & ~SL_ENTRY_EXT;
	}
	root = sl_fib_line4(v, addr >> 20);
	e = root ? root->word[addr >> 16 & 15] : 0;
	if (e & SL_ENTRY_EXT)
		e = sl_fib_chunk(v, SL_ENTRY_INDEX(e), addr >> 8 & 255);
	return e & SL_ENTRY_EXT ? sl_fib_rest4(v, e, addr) : e;
}

#endif
