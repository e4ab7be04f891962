/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * The prefix tables' image, as user space writes it and include/sealane/fib.h
 * looks up in it. Part of abi.h: a change here bumps SL_ABI_VERSION.
 */
#ifndef SEALANE_ABI_FIB_H
#define SEALANE_ABI_FIB_H

#include <linux/types.h>

#define SL_FIB4_ROOT_LINES	4096	/* the root: a word for each /16 */
#define SL_FIB4_FLAG_WORDS	(1U << 19) /* a bit for each /24 */
#define SL_FIB6_ROOT_BITS	20	/* 20 + 18 * 6 = 128 */
#define SL_FIB6_LEVELS		18
#define SL_FIB6_ROOT_WORDS	(1U << SL_FIB6_ROOT_BITS)
#define SL_FIB_LINE		16	/* words of one array element */

/* Words are packed by the cache line: an array would pad each to 8 bytes. */
struct sl_fib_line {
	__u32 word[SL_FIB_LINE];
};

#define SL_FIB_BUCKET_HOSTS	8

/*
 * Single IPv4 addresses: address (host order) << 32 | SL_ENTRY_EXT | entry; 0
 * is free. One word, so that a reader never pairs an address with another's
 * entry.
 */
struct sl_fib_bucket {
	__u64 host[SL_FIB_BUCKET_HOSTS];
};

#define SL_FIB_BLOCK_HEAD	9	/* words before the entries */
#define SL_FIB_BLOCK_ENTRIES	7	/* in its first line */

/*
 * IPv4: 256 chunks (the /24s of a /16, or the addresses of a /24), packed. Bit
 * b of `vector` means that chunk b begins a new entry; before[q]: how many
 * began in the words before word q. The entries go on in the lines behind this
 * one.
 */
struct sl_fib_block {
	__u64 vector[4];
	__u8 before[4];
	__u32 entry[SL_FIB_BLOCK_ENTRIES];
};

#define SL_FIB_NODE_LEAVES	6	/* in the node's own line */
#define SL_FIB_SKIP_MAX		48	/* bits, a multiple of 6 */
#define SL_FIB_NO_LEAVES	0xffffffffU

/*
 * IPv6: bit b of `vector` means that chunk b leads to a child node; else its
 * leaf is the last one started at or below b in `leafvec`. Leaves lie in the
 * node while they fit (leaf_base is SL_FIB_NO_LEAVES), else in an array. A
 * node at the end of a chain of only children stands for all of it: [63:56] of
 * `skip` bits are passed over when they are [47:0] of it; else the address has
 * `miss`.
 */
struct sl_fib_node {
	__u64 vector;
	__u64 leafvec;
	__u64 skip;
	__u32 node_base;
	__u32 leaf_base;
	__u32 miss;
	__u32 leaf[SL_FIB_NODE_LEAVES];
	__u32 pad;
};

_Static_assert(sizeof(struct sl_fib_line) == 64, "sl_fib_line");
_Static_assert(sizeof(struct sl_fib_bucket) == 64, "sl_fib_bucket");
_Static_assert(sizeof(struct sl_fib_block) == 64, "sl_fib_block");
_Static_assert(sizeof(struct sl_fib_node) == 64, "sl_fib_node");

#endif
