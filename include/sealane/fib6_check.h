/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * Is an IPv6 table fit to be looked up in? One source for user space and the
 * module, which trusts nobody: every index lies in its array, no node is led to
 * twice (hence no cycle), no way is longer than an address.
 */
#ifndef SEALANE_FIB6_CHECK_H
#define SEALANE_FIB6_CHECK_H

#ifdef __KERNEL__
#include <linux/sched.h>
#include <linux/stddef.h>
#else
#include <stddef.h>
#endif
#include <sealane/abi.h>
#include <sealane/bits.h>

/* A large table takes seconds: in the kernel others want the CPU meanwhile. */
static inline void sl_fib6_breathe(void)
{
#ifdef __KERNEL__
	cond_resched();
#endif
}

struct sl_fib6 {
	const __u32 *root;		/* SL_FIB6_ROOT_WORDS */
	const struct sl_fib_node *node;
	const __u32 *leaf;
	__u32 nodes, leaves;		/* how many there are */
	__u8 *seen;			/* a zeroed byte for each node */
};

/* What is wrong with a node's leaves; a null pointer: nothing. */
static inline const char *sl_fib6_leaves_wrong(const struct sl_fib6 *t,
					       const struct sl_fib_node *n)
{
	__u64 leaves = sl_popcount(n->leafvec), i;
	const __u32 *leaf = n->leaf;

	if (n->leaf_base == SL_FIB_NO_LEAVES) {
		if (leaves > SL_FIB_NODE_LEAVES)
			return "a node has too many leaves of its own";
	} else {
		if (leaves + n->leaf_base > t->leaves)
			return "leaves lie outside their array";
		leaf = &t->leaf[n->leaf_base];
	}
	for (i = 0; i < leaves; i++)
		if (leaf[i] & SL_ENTRY_EXT)
			return "a leaf leads on";
	return NULL;
}

/* ... with a node and all below it. bits: how many of an address are left. */
static inline const char *sl_fib6_node_wrong(const struct sl_fib6 *t, __u64 at,
					     int bits)
{
	const struct sl_fib_node *n;
	const char *wrong;
	__u32 skip, kids, k;

	if (at >= t->nodes)
		return "a node lies outside its array";
	if (t->seen[at]++)
		return "a node is led to twice";
	n = &t->node[at];
	skip = n->skip >> 56;
	if (skip > SL_FIB_SKIP_MAX || skip % 6 ||
	    n->skip << 8 >> 8 >> skip || n->miss & SL_ENTRY_EXT)
		return "a node skips what no address has";
	bits -= skip + 6;
	if (bits < 0)
		return "nodes nest deeper than an address has bits";
	if (n->leafvec & n->vector)
		return "a chunk is both child and leaf";
	if (~n->vector && (!n->leafvec || sl_lowest_bit(n->leafvec) >
			   sl_lowest_bit(~n->vector)))
		return "a chunk has no leaf";
	wrong = sl_fib6_leaves_wrong(t, n);
	kids = sl_popcount(n->vector);
	sl_fib6_breathe();
	for (k = 0; k < kids && !wrong; k++)
		wrong = sl_fib6_node_wrong(t, (__u64)n->node_base + k, bits);
	return wrong;
}

/* What is wrong with the table (static text); a null pointer: nothing. */
static inline const char *sl_fib6_wrong(const struct sl_fib6 *t)
{
	const char *wrong = NULL;
	__u32 i;

	for (i = 0; i < SL_FIB6_ROOT_WORDS && !wrong; i++) {
		if (!(i & 0xffff))
			sl_fib6_breathe();
		if (t->root[i] & SL_ENTRY_EXT)
			wrong = sl_fib6_node_wrong(t, SL_ENTRY_INDEX(t->root[i]),
						   128 - SL_FIB6_ROOT_BITS);
	}
	return wrong;
}

#endif
