/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The prefix tables' image: built from a RIB, read by include/sealane/fib.h.
 * Flat arrays of fixed room; they lie in the data plane's idle bank or, for
 * tests and replay, in memory of our own.
 */
#ifndef SL_FIB_IMAGE_H
#define SL_FIB_IMAGE_H

#include <stdint.h>
#include <sealane/abi.h>
#include "rib.h"

/* Room in one bank; what `tables: size` of the configuration stands for. */
struct sl_fib_size {
	uint32_t lines;		/* IPv4, SL_FIB4_ROOT_LINES of them the root */
	uint32_t buckets;	/* a power of two */
	uint32_t nodes, leaves;	/* IPv6; leaves a multiple of SL_FIB_LINE */
};

struct sl_fib_image {
	struct sl_fib_size room;
	uint64_t key;		/* of the buckets' hash */
	struct sl_fib_line *line4;	/* root, then blocks */
	uint32_t *flag4;	/* SL_FIB4_FLAG_WORDS */
	struct sl_fib_bucket *bucket;
	uint32_t *root6;	/* SL_FIB6_ROOT_WORDS */
	struct sl_fib_node *node;
	uint32_t *leaf;
	/* in use; beyond its room when the last build did not fit */
	uint32_t lines, hosts, nodes, leaves;
	void *owned;		/* memory of our own, or NULL */
	size_t owned_b;
};

/* The capacity classes "small", "medium", "large"; NULL for another word. */
const struct sl_fib_size *sl_fib_size_of(const char *word);
/* Bytes of one bank. */
uint64_t sl_fib_size_bytes(const struct sl_fib_size *size);

/* An image in memory of our own: 0 or -ENOMEM. */
int sl_fib_image_new(const struct sl_fib_size *size, uint64_t key,
		     struct sl_fib_image *img);
void sl_fib_image_free(struct sl_fib_image *img);

/*
 * Build the whole image; both ribs are sorted. 0, -ENOMEM, or -E2BIG: it does
 * not fit, and lines, hosts, nodes, leaves say what it needs (hosts:
 * SL_FIB_BUCKET_HOSTS per bucket is the least). progress (or NULL) goes from 0
 * to 1000.
 */
int sl_fib_build(struct sl_fib_image *img, struct sl_rib_pair p,
		 int *progress);

/*
 * Make the image say of one prefix what the ribs say now, while packets look
 * up: new cells are built beside the old ones and one store makes them seen.
 * 0, -EAGAIN: too wide for that (IPv4 under /16, IPv6 under /20), -E2BIG: no
 * room beside; -ENOMEM. Then nothing was changed, and a build is due.
 */
int sl_fib_patch(struct sl_fib_image *img, struct sl_rib_pair p,
		 const struct sl_prefix *prefix);

/* Look up both ends of every range that the ribs give, which are every prefix
 * and its neighbours. 0, -ENOMEM, or -EBADMSG with the address that is wrong
 * in *bad. progress as above. */
int sl_fib_verify(const struct sl_fib_image *img, struct sl_rib_pair p,
		  struct sl_prefix *bad, int *progress);

/* Check an image that nobody here built: every index in its array, no line
 * led to twice, no cycle. 0 or -EBADMSG with a reason (static). */
int sl_fib_check(const struct sl_fib_image *img, const char **why);

/* addr in network order; the entry (SL_ENTRY) that holds there. */
uint32_t sl_fib_lookup(const struct sl_fib_image *img, int family,
		       const uint8_t *addr);

#endif
