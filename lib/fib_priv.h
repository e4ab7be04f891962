/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of the table compiler share: fib_image.c (the whole), fib4.c,
 * fib_cell.c, fib6.c. Nobody else includes this. */
#ifndef SL_FIB_PRIV_H
#define SL_FIB_PRIV_H

#include <stdbool.h>
#include "fib_image.h"

/* A /24: its ranges, the first at or before its first address. */
struct fib_cell {
	const struct sl_range *r;
	size_t n;
	uint32_t first;
};

/* Word of a /24: an entry, or what leads to it. `live`: packets are looking,
 * so buckets, which are shared, stay as they are. */
uint32_t fib_cell_word(struct sl_fib_image *img, const struct fib_cell *c,
		       bool live);
/* Word of 256 chunks: their one entry, or what leads to a new block. Counted
 * even beyond the room. */
uint32_t fib_block_word(struct sl_fib_image *img, const uint32_t word[256]);
bool fib_overfull(const struct sl_fib_image *img);

/* Ranges over everything (build), or over what `prefix` touches (patch). */
void fib4_build(struct sl_fib_image *img, const struct sl_range *r, size_t n,
		int *progress);
int fib4_patch(struct sl_fib_image *img, struct sl_rib_pair p,
	       const struct sl_prefix *prefix);
void fib6_build(struct sl_fib_image *img, const struct sl_range *r, size_t n);
int fib6_patch(struct sl_fib_image *img, struct sl_rib_pair p,
	       const struct sl_prefix *prefix);

#endif
