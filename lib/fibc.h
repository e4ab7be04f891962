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

struct sl_fib_image {
	struct sl_fib4_range *r4;
	struct sl_fib6_range *r6;
	uint32_t n4, n6;
};

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

/* 0, or -ENOMEM, -E2BIG (more than max_ranges of one family; *img then holds
 * the counts needed). The image is owned by the caller. */
int sl_fibc_compile(struct sl_fibc *c, uint32_t max_ranges,
		    struct sl_fib_image *img);
void sl_fib_image_free(struct sl_fib_image *img);
/* addr in network order; the entry (SL_ENTRY) of the longest match. */
uint32_t sl_fib_image_lookup(const struct sl_fib_image *img, int family,
			     const uint8_t *addr);

#endif
