// SPDX-License-Identifier: GPL-2.0
/* The image checker: for images that came from somewhere else. What passes it
 * is looked up in without leaving an array and without a cycle. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sealane/fib6_check.h>
#include "fib_view.h"

struct check {
	const struct sl_fib_image *img;
	uint8_t *line_seen, *node_seen;
	const char *why;
};

static int bad(struct check *c, const char *why)
{
	c->why = why;
	return -EBADMSG;
}

/* A block and what its entries lead to; level 1 is the last. */
static int check_block(struct check *c, uint32_t at, int level)
{
	const struct sl_fib_image *img = c->img;
	const struct sl_fib_block *b;
	uint32_t n = 0, i, e, lines;
	int rc = 0, q;

	if (at < SL_FIB4_ROOT_LINES || at >= img->room.lines)
		return bad(c, "a block lies outside its array");
	b = (const struct sl_fib_block *)&img->line4[at];
	for (q = 0; q < 4; q++) {
		if (b->before[q] != n)
			return bad(c, "a block's counts are wrong");
		n += __builtin_popcountll(b->vector[q]);
	}
	if (!(b->vector[0] & 1))
		return bad(c, "a chunk has no entry");
	lines = (SL_FIB_BLOCK_HEAD + n + SL_FIB_LINE - 1) / SL_FIB_LINE;
	if (lines > img->room.lines - at)
		return bad(c, "a block lies outside its array");
	for (i = 0; i < lines; i++)
		if (c->line_seen[at + i]++)
			return bad(c, "a line is led to twice");
	for (i = 0; i < n && !rc; i++) {
		e = img->line4[at + (SL_FIB_BLOCK_HEAD + i) / SL_FIB_LINE]
			.word[(SL_FIB_BLOCK_HEAD + i) % SL_FIB_LINE];
		if (e & SL_ENTRY_EXT)
			rc = level ? bad(c, "a word of a last block leads on") :
			     check_block(c, SL_ENTRY_INDEX(e), 1);
	}
	return rc;
}

static int check4(struct check *c)
{
	uint32_t i, e;
	int rc = 0;

	for (i = 0; !rc && i < 65536; i++) {
		e = c->img->line4[i / SL_FIB_LINE].word[i % SL_FIB_LINE];
		if (e & SL_ENTRY_EXT)
			rc = check_block(c, SL_ENTRY_INDEX(e), 0);
	}
	return rc;
}

/* A host is found only in one of its two buckets. */
static int check_buckets(struct check *c)
{
	uint32_t b, addr, mask = c->img->room.buckets - 1;
	uint64_t h;
	int i;

	if (c->img->room.buckets & mask || !c->img->room.buckets)
		return bad(c, "the buckets are no power of two");
	for (b = 0; b <= mask; b++)
		for (i = 0; i < SL_FIB_BUCKET_HOSTS; i++) {
			h = c->img->bucket[b].host[i];
			addr = h >> 32;
			if (!h)
				continue;
			if (!(h & SL_ENTRY_EXT))
				return bad(c, "a host's entry has no mark");
			if (sl_fib_hash1(addr, c->img->key, mask) != b &&
			    sl_fib_hash2(addr, c->img->key, mask) != b)
				return bad(c, "a host lies in a wrong bucket");
		}
	return 0;
}

static int check6(struct check *c)
{
	const struct sl_fib_image *img = c->img;
	const struct sl_fib6 t = {
		.root = img->root6, .node = img->node, .leaf = img->leaf,
		.nodes = img->room.nodes, .leaves = img->room.leaves,
		.seen = c->node_seen };
	const char *wrong = sl_fib6_wrong(&t);

	return wrong ? bad(c, wrong) : 0;
}

int sl_fib_check(const struct sl_fib_image *img, const char **why)
{
	struct check c = { .img = img };
	int rc = -ENOMEM;

	c.line_seen = calloc(img->room.lines, 1);
	c.node_seen = calloc(img->room.nodes, 1);
	c.why = "out of memory";
	if (c.line_seen && c.node_seen) {
		rc = check4(&c);
		if (!rc)
			rc = check_buckets(&c);
		if (!rc)
			rc = check6(&c);
	}
	free(c.line_seen);
	free(c.node_seen);
	if (rc)
		*why = c.why;
	return rc;
}
