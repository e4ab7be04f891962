/* SPDX-License-Identifier: GPL-2.0 */
/* A set of prefixes, packed: what a list or a file of prefixes becomes. */
#ifndef SL_PSET_H
#define SL_PSET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "prefix.h"

/* Address as two host-order words; bits behind len are zero. */
struct sl_prefix6 {
	uint64_t hi, lo;
	uint32_t len;		/* 0..128 */
	uint32_t pad;
};

struct sl_pset {
	uint64_t *v4;		/* host-order address << 8 | length */
	size_t n4, room4;
	struct sl_prefix6 *v6;
	size_t n6, room6;
};

/* 0 or -ENOMEM. first4: host order. */
int sl_pset_add4(struct sl_pset *s, uint32_t first4, unsigned int len);
int sl_pset_add(struct sl_pset *s, const struct sl_prefix *p);
/* All addresses first..last as the fewest prefixes. */
int sl_pset_add_range4(struct sl_pset *s, uint32_t first, uint32_t last);
int sl_pset_add_range6(struct sl_pset *s, unsigned __int128 first,
		       unsigned __int128 last);
/* Sort by address, then length; what stands twice goes. Returns how many
 * went, or -ENOMEM. */
long sl_pset_finish(struct sl_pset *s);
/* The longest prefix of a finished set that covers an address or prefix; false:
 * none does. */
bool sl_pset_covers(const struct sl_pset *s, const struct sl_prefix *p,
		    struct sl_prefix *which);
/* Prefix i of both families, IPv4 first. */
void sl_pset_get(const struct sl_pset *s, size_t i, struct sl_prefix *out);
void sl_pset_free(struct sl_pset *s);

/* Sort n elements of size_b bytes by the key_b bytes (little endian) that lie
 * at key_at in each; stable (least significant digit first). 0 or -ENOMEM. */
int sl_radix_sort(void *array, size_t n, size_t size_b, size_t key_at,
		  size_t key_b);

#endif
