/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of the table compiler share: fibc.c (ranges), fib4.c, fib6.c,
 * fib_hosts.c, fib_image.c. Nobody else includes this. */
#ifndef SL_FIBC_PRIV_H
#define SL_FIBC_PRIV_H

#include <stdbool.h>
#include <stddef.h>
#include "fibc.h"

typedef unsigned __int128 u128;

#define NO_LANE UINT32_MAX

struct item {
	struct sl_prefix prefix;
	uint32_t lane;			/* NO_LANE: a class item */
	uint32_t class_id;
	enum sl_action action;
};

struct sl_fibc {
	struct item *items;		/* sorted by prefix when compiled */
	size_t n, room;
	uint8_t action[SL_MAX_CLASSES];	/* by class */
};

/* Addresses from start to the next range's start have this entry. */
struct fibc_range {
	u128 start;
	uint32_t entry;
};

static inline bool is_host(const struct item *it)
{
	return it->prefix.family == 4 && it->prefix.len == 32;
}

u128 fibc_first(const struct sl_prefix *p);
u128 fibc_last(const struct sl_prefix *p);
int fibc_weight(enum sl_action a);
/* Disjoint ranges of one family over the sorted items, hosts left out. */
int fibc_ranges(const struct sl_fibc *c, int family, struct fibc_range **out,
		size_t *n_out);

/* Fill the image's parts: 0 or -ENOMEM. */
int fib4_fill(struct sl_fib_image *img, const struct fibc_range *r, size_t n);
int fib6_fill(struct sl_fib_image *img, const struct fibc_range *r, size_t n);
/* -E2BIG: the buckets are too full. */
int fib_hosts_fill(const struct sl_fibc *c, struct sl_fib_image *img);
/* The word that holds a /24's entry, made when its /16 has none; NULL: no
 * memory. */
uint32_t *fib4_word24(struct sl_fib_image *img, uint32_t addr);

#endif
