// SPDX-License-Identifier: GPL-2.0
/* IPv6 ranges -> poptrie. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "fib_priv.h"

typedef sl_u128 u128;

#define CELL_BITS (128 - SL_FIB6_ROOT_BITS)	/* below one root word */

/* The build: ranges of what lies between r[0].start and `last`. */
struct build {
	struct sl_fib_image *img;
	const struct sl_range *r;
	size_t n;
	u128 last;
};

static u128 end_of(const struct build *b, size_t i)
{
	return i + 1 < b->n ? b->r[i + 1].start - 1 : b->last;
}

/* n more elements: the first one's index. Counted even beyond the room, which
 * *fits then says. */
static uint32_t more(uint32_t *used, uint32_t room, uint32_t n, bool *fits)
{
	uint32_t at = *used;

	*used += n;
	*fits = *used <= room;
	return at;
}

/* Node `at` covers 2^bits addresses from start on, the first in range i. */
static void build_node(struct build *b, uint32_t at, u128 start, int bits,
		       size_t i)
{
	struct sl_fib_image *img = b->img;
	struct sl_fib_node n = {};
	uint32_t leaf[64], leaves = 0, children = 0, child = 0;
	size_t in_range[64];
	u128 step = (u128)1 << (bits - 6), first;
	bool fits;
	int k;

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
	n.leaf_base = more(&img->leaves, img->room.leaves, leaves, &fits);
	if (fits)
		memcpy(img->leaf + n.leaf_base, leaf, leaves * sizeof(leaf[0]));
	n.node_base = more(&img->nodes, img->room.nodes, children, &fits);
	if (at < img->room.nodes)
		img->node[at] = n;
	for (k = 0; k < 64; k++)
		if (n.vector >> k & 1)
			build_node(b, n.node_base + child++, start + step * k,
				   bits - 6, in_range[k]);
}

/* Word of root cell k, which begins in range i. */
static uint32_t cell_word(struct build *b, uint32_t k, size_t i)
{
	u128 first = (u128)k << CELL_BITS;
	uint32_t at;
	bool fits;

	if (end_of(b, i) >= first + (((u128)1 << CELL_BITS) - 1))
		return b->r[i].entry;
	at = more(&b->img->nodes, b->img->room.nodes, 1, &fits);
	build_node(b, at, first, CELL_BITS, i);
	return SL_ENTRY_EXT | at;
}

void fib6_build(struct sl_fib_image *img, const struct sl_range *r, size_t n)
{
	struct build b = { .img = img, .r = r, .n = n, .last = ~(u128)0 };
	uint32_t k;
	size_t i = 0;

	img->nodes = img->leaves = 0;
	for (k = 0; k < SL_FIB6_ROOT_WORDS; k++) {
		while (end_of(&b, i) < (u128)k << CELL_BITS)
			i++;
		img->root6[k] = cell_word(&b, k, i);
	}
}

int fib6_patch(struct sl_fib_image *img, struct sl_rib_pair p,
	       const struct sl_prefix *prefix)
{
	uint32_t k = sl_prefix_first(prefix) >> CELL_BITS, w;
	uint32_t nodes = img->nodes, leaves = img->leaves;
	struct build b = { .img = img };
	struct sl_range *r;
	u128 first;
	int rc;

	if (prefix->len < SL_FIB6_ROOT_BITS)
		return -EAGAIN;
	first = (u128)k << CELL_BITS;
	b.last = first + (((u128)1 << CELL_BITS) - 1);
	rc = sl_rib_ranges(p, 6, first, b.last, &r, &b.n);
	if (rc)
		return rc;
	b.r = r;
	w = cell_word(&b, k, 0);
	if (fib_overfull(img)) {
		img->nodes = nodes;
		img->leaves = leaves;
		rc = -E2BIG;
	} else {
		__atomic_store_n(&img->root6[k], w, __ATOMIC_RELEASE);
	}
	free(r);
	return rc;
}
