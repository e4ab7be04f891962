/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The table compiler: prefixes with lanes and classes in, a flat image for
 * include/sealane/fib.h out.
 */
#ifndef SL_FIBC_H
#define SL_FIBC_H

#include <stdint.h>
#include <sealane/abi.h>
#include "config.h"
#include "prefix.h"

struct sl_fibc;

/* Room in one bank; what `tables: size` of the configuration stands for. */
struct sl_fib_size {
	uint32_t groups;	/* IPv4, SL_FIB4_ROOT_GROUPS of them the root */
	uint32_t buckets;	/* a power of two */
	uint32_t nodes, leaves;	/* IPv6; leaves a multiple of SL_FIB_LINE */
};

/* One compiled bank. */
struct sl_fib_image {
	uint32_t *word4;	/* groups * SL_FIB_GROUP words */
	uint32_t groups;
	struct sl_fib_bucket *bucket;	/* size.buckets of them */
	uint32_t buckets, hosts;
	uint64_t key;		/* of the buckets' hash */
	uint32_t *root6;	/* SL_FIB6_ROOT_WORDS */
	struct sl_fib_node *node;
	uint32_t nodes;
	uint32_t *leaf;
	uint32_t leaves;
};

/* The capacity classes "small", "medium", "large"; NULL for another word. */
const struct sl_fib_size *sl_fib_size_of(const char *word);

struct sl_fibc *sl_fibc_new(void);
void sl_fibc_free(struct sl_fibc *c);

/* A lane's prefix (or SL_LANE_HOME); the longest match decides. */
int sl_fibc_add_lane(struct sl_fibc *c, const struct sl_prefix *p,
		     uint32_t lane);
/* A class's prefix. Over one address: protect beats drop beats count, then
 * the longest prefix; a wide block reaches every address below it. */
int sl_fibc_add_class(struct sl_fibc *c, const struct sl_prefix *p,
		      uint32_t class_id, enum sl_action action);

/*
 * Everything a configuration says of addresses: lanes, home, protected
 * prefixes (class SL_CLASS_PROTECT). lane_id[i] is the number of cfg->lanes[i];
 * NULL: i + 1.
 */
#define SL_CLASS_PROTECT 1
int sl_fibc_add_config(struct sl_fibc *c, const struct sl_config *cfg,
		       const uint32_t *lane_id);

/*
 * Compile everything that was added. 0, or -ENOMEM, -E2BIG: it does not fit
 * into size; img->groups, hosts, nodes and leaves then say what it needs. The
 * image is the caller's to free in every case.
 */
int sl_fibc_compile(struct sl_fibc *c, const struct sl_fib_size *size,
		    uint64_t key, struct sl_fib_image *img);
void sl_fib_image_free(struct sl_fib_image *img);
/* addr in network order; the entry (SL_ENTRY) of the longest match. */
uint32_t sl_fib_image_lookup(const struct sl_fib_image *img, int family,
			     const uint8_t *addr);

#endif
