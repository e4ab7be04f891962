/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * Lookup in the IPv6 half of the prefix tables' image: one source for BPF, the
 * module and user space.
 *
 * Poptrie (Asai and Ohara 2015): a root word for each /20, then nodes of six bits
 * with a vector of children and one of leaves. Chains of only children, which
 * sparse tables are full of, are passed over in one step, and few leaves lie in
 * the node's own line.
 *
 * The includer supplies the accessors: where a word or node of the view's bank
 * lies, or NULL beyond the array.
 */
#ifndef SEALANE_FIB6_H
#define SEALANE_FIB6_H

#include <sealane/abi.h>
#include <sealane/bits.h>

struct sl_fib_view;	/* defined by the includer: one bank */
SL_INLINE const __u32 *sl_fib_root6(const struct sl_fib_view *v, __u32 i);
SL_INLINE const struct sl_fib_node *
sl_fib_node(const struct sl_fib_view *v, __u32 i);
SL_INLINE const __u32 *sl_fib_leaf6(const struct sl_fib_view *v, __u32 i);

/* An accessor's answer is none. Who has checked a whole image knows better. */
#ifndef SL_FIB6_BEYOND
#define SL_FIB6_BEYOND(p) (!(p))
#endif

/* Leaf of chunk b in a node that has no child there. */
SL_INLINE __u32 sl_fib_leaf(const struct sl_fib_view *v,
			    const struct sl_fib_node *n, __u64 upto)
{
	__u64 i = sl_popcount(n->leafvec & upto) - 1;
	const __u32 *w;

	if (n->leaf_base == SL_FIB_NO_LEAVES)
		return i < SL_FIB_NODE_LEAVES ? n->leaf[i] : 0;
	w = sl_fib_leaf6(v, n->leaf_base + i);
	return SL_FIB6_BEYOND(w) ? 0 : *w;
}

/* Entry of an IPv6 address (two host-order words). */
SL_INLINE __u32 sl_fib_lookup6(const struct sl_fib_view *v, __u64 hi, __u64 lo)
{
	const __u32 *w = sl_fib_root6(v, hi >> (64 - SL_FIB6_ROOT_BITS));
	const struct sl_fib_node *n;
	__u32 e = SL_FIB6_BEYOND(w) ? 0 : *w, i, skip;
	__u64 upto;

	if (!(e & SL_ENTRY_EXT))
		return e;
	hi = hi << SL_FIB6_ROOT_BITS | lo >> (64 - SL_FIB6_ROOT_BITS);
	lo <<= SL_FIB6_ROOT_BITS;
	i = e & ~SL_ENTRY_EXT;
	for (e = 0; e < SL_FIB6_LEVELS; e++) {
		n = sl_fib_node(v, i);
		if (SL_FIB6_BEYOND(n))
			return 0;
		skip = n->skip >> 56 & 63;
		if (skip) {
			if (hi >> (64 - skip) != (n->skip << 16 >> 16))
				return n->miss;
			hi = hi << skip | lo >> (64 - skip);
			lo <<= skip;
		}
		upto = (2ULL << (hi >> 58)) - 1;
		if (!(n->vector >> (hi >> 58) & 1))
			return sl_fib_leaf(v, n, upto);
		i = n->node_base + sl_popcount(n->vector & upto) - 1;
		hi = hi << 6 | lo >> 58;
		lo <<= 6;
	}
	return 0;
}

#endif
