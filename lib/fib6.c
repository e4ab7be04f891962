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

/* What lies below a node: 64 chunks of 2^(bits - 6) addresses. */
struct chunks {
	uint32_t leaf[64], leaves, children;
	size_t in_range[64];		/* of a chunk's first address */
	uint64_t vector, leafvec;
};

static void divide(const struct build *b, u128 start, int bits, size_t i,
		   struct chunks *c)
{
	u128 step = (u128)1 << (bits - 6), first;
	int k;

	c->vector = c->leafvec = 0;
	c->leaves = c->children = 0;
	for (k = 0; k < 64; k++) {
		first = start + step * k;
		while (end_of(b, i) < first)
			i++;
		c->in_range[k] = i;
		if (end_of(b, i) < first + (step - 1)) {
			c->vector |= 1ULL << k;
			c->children++;
		} else if (!c->leaves ||
			   c->leaf[c->leaves - 1] != b->r[i].entry) {
			c->leafvec |= 1ULL << k;
			c->leaf[c->leaves++] = b->r[i].entry;
		}
	}
}

/* An only child amid one entry: the chain down to where that ends is one node.
 * start, bits, *i: of the node; moved to those of the chain's end. */
static void pass_over(const struct build *b, struct sl_fib_node *n,
		      u128 *start, int *bits, size_t *i, struct chunks *c)
{
	uint64_t skip = 0, chunk;
	uint32_t passed = 0;

	while (c->children == 1 && c->leaves <= 1 && *bits > 6 &&
	       passed < SL_FIB_SKIP_MAX &&
	       (!passed || !c->leaves || c->leaf[0] == n->miss)) {
		chunk = __builtin_ctzll(c->vector);
		n->miss = c->leaf[0];
		skip = skip << 6 | chunk;
		passed += 6;
		*bits -= 6;
		*start += ((u128)1 << *bits) * chunk;
		*i = c->in_range[chunk];
		divide(b, *start, *bits, *i, c);
	}
	n->skip = (uint64_t)passed << 56 | skip;
}

/* Node `at` covers 2^bits addresses from start on, the first in range i. */
static void build_node(struct build *b, uint32_t at, u128 start, int bits,
		       size_t i)
{
	struct sl_fib_image *img = b->img;
	struct sl_fib_node n = { .leaf_base = SL_FIB_NO_LEAVES };
	uint32_t child = 0;
	struct chunks c;
	bool fits;
	int k;

	divide(b, start, bits, i, &c);
	pass_over(b, &n, &start, &bits, &i, &c);
	n.vector = c.vector;
	n.leafvec = c.leafvec;
	if (c.leaves <= SL_FIB_NODE_LEAVES) {
		memcpy(n.leaf, c.leaf, c.leaves * sizeof(c.leaf[0]));
	} else {
		n.leaf_base = more(&img->leaves, img->room.leaves, c.leaves,
				   &fits);
		if (fits)
			memcpy(img->leaf + n.leaf_base, c.leaf,
			       c.leaves * sizeof(c.leaf[0]));
	}
	n.node_base = more(&img->nodes, img->room.nodes, c.children, &fits);
	if (at < img->room.nodes)
		img->node[at] = n;
	for (k = 0; k < 64; k++)
		if (c.vector >> k & 1)
			build_node(b, n.node_base + child++, start +
				   ((u128)1 << (bits - 6)) * k, bits - 6,
				   c.in_range[k]);
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
