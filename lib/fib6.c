// SPDX-License-Identifier: GPL-2.0
/* IPv6 ranges -> poptrie. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "fibc_priv.h"

/* The build: ranges, and the one that holds where we are. */
struct build {
	struct sl_fib_image *img;
	const struct fibc_range *r;
	size_t n;
	size_t node_room, leaf_room;
};

static u128 end_of(const struct build *b, size_t i)
{
	return i + 1 < b->n ? b->r[i + 1].start - 1 : ~(u128)0;
}

/* n more elements behind `used`; the first one's index, or -1. */
static long more(void **array, size_t one_b, uint32_t *used, size_t *room,
		 uint32_t n)
{
	size_t at = *used, want = *room ? *room : 1024;
	void *grown;

	while (at + n > want)
		want *= 2;
	if (want != *room) {
		grown = realloc(*array, want * one_b);
		if (!grown)
			return -1;
		*array = grown;
		*room = want;
	}
	memset((char *)*array + at * one_b, 0, n * one_b);
	*used += n;
	return at;
}

static long more_nodes(struct build *b, uint32_t n)
{
	return more((void **)&b->img->node, sizeof(*b->img->node),
		    &b->img->nodes, &b->node_room, n);
}

static long more_leaves(struct build *b, uint32_t n)
{
	return more((void **)&b->img->leaf, sizeof(*b->img->leaf),
		    &b->img->leaves, &b->leaf_room, n);
}

/* Node `at` covers 2^bits addresses from start on, the first in range i. */
static int build_node(struct build *b, uint32_t at, u128 start, int bits,
		      size_t i)
{
	struct sl_fib_node n = {};
	uint32_t leaf[64], leaves = 0, children = 0, child = 0;
	size_t in_range[64];
	u128 step = (u128)1 << (bits - 6), first;
	long base;
	int k, rc;

	for (k = 0; k < 64; k++) {
		first = start + step * k;
		while (end_of(b, i) < first)
			i++;
		in_range[k] = i;
		if (end_of(b, i) < first + (step - 1)) {
			n.vector |= 1ULL << k;
			children++;
		} else if (!leaves || leaf[leaves - 1] != b->r[i].entry) {
			n.leafvec |= 1ULL << k;
			leaf[leaves++] = b->r[i].entry;
		}
	}
	base = more_leaves(b, leaves);
	if (base < 0)
		return -ENOMEM;
	n.leaf_base = base;
	memcpy(b->img->leaf + base, leaf, leaves * sizeof(leaf[0]));
	base = more_nodes(b, children);
	if (base < 0)
		return -ENOMEM;
	n.node_base = base;
	b->img->node[at] = n;
	for (k = 0; k < 64; k++) {
		if (!(n.vector >> k & 1))
			continue;
		rc = build_node(b, base + child++, start + step * k, bits - 6,
				in_range[k]);
		if (rc)
			return rc;
	}
	return 0;
}

int fib6_fill(struct sl_fib_image *img, const struct fibc_range *r, size_t n)
{
	struct build b = { .img = img, .r = r, .n = n };
	const int bits = 128 - SL_FIB6_ROOT_BITS;
	u128 first;
	uint32_t k;
	size_t i = 0;
	long at;
	int rc;

	img->root6 = calloc(SL_FIB6_ROOT_WORDS, sizeof(*img->root6));
	if (!img->root6)
		return -ENOMEM;
	for (k = 0; k < SL_FIB6_ROOT_WORDS; k++) {
		first = (u128)k << bits;
		while (end_of(&b, i) < first)
			i++;
		if (end_of(&b, i) >= first + (((u128)1 << bits) - 1)) {
			img->root6[k] = r[i].entry;
			continue;
		}
		at = more_nodes(&b, 1);
		if (at < 0)
			return -ENOMEM;
		img->root6[k] = SL_ENTRY_EXT | (uint32_t)at;
		rc = build_node(&b, at, first, bits, i);
		if (rc)
			return rc;
	}
	return 0;
}
