/* SPDX-License-Identifier: GPL-2.0 */
/* What lookup.bpf.c and its driver share. */
#ifndef SL_BENCH_LOOKUP_H
#define SL_BENCH_LOOKUP_H

#include <linux/types.h>

#define LOOKUP_STEPS	 (1U << 15)
#define LOOKUP_PREFIXES4 100000
#define LOOKUP_PREFIXES6 20000

/* An address, host order. */
struct lookup_step {
	__u64 hi, lo;
};

/* Of the kernel's trie: network order. */
struct lookup_key {
	__u32 len;
	__u64 addr[2];
} __attribute__((packed));

/* What in_swapped finds: entries, and no image any more. */
enum { LOOKUP_WRONG, LOOKUP_ONE, LOOKUP_OTHER, LOOKUP_GONE, LOOKUP_KINDS };

/* The driver reads and writes them between runs. */
struct lookup_vars {
	__u32 pos;
	__u32 handle;		/* of the module's image */
	__u64 sum;		/* of the entries that were found */
	__u64 found[LOOKUP_KINDS];
};

#endif
