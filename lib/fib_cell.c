// SPDX-License-Identifier: GPL-2.0
/* Blocks, and the /24 that is not uniform: few odd addresses lie in buckets, any
 * more make a block. */
#include <string.h>
#include "fib_view.h"
#include "fib_priv.h"

#define MAX_MOVES	500	/* then the buckets are too full */
#define FEW_HOSTS	6	/* so few take less room than a line does */
/* In img->hosts while a build goes on: an address found no place. */
#define HOSTS_FULL	(1U << 31)

uint32_t fib_block_word(struct sl_fib_image *img, const uint32_t word[256])
{
	struct sl_fib_block b = {};
	uint32_t entry[256 + SL_FIB_BLOCK_HEAD], n = 0, at, lines;
	int i;

	for (i = 0; i < 256; i++) {
		if (i % 64 == 0)
			b.before[i / 64] = n;
		if (i && word[i] == word[i - 1])
			continue;
		b.vector[i / 64] |= 1ULL << i % 64;
		entry[SL_FIB_BLOCK_HEAD + n++] = word[i];
	}
	if (n == 1)
		return word[0];
	lines = (SL_FIB_BLOCK_HEAD + n + SL_FIB_LINE - 1) / SL_FIB_LINE;
	at = img->lines;
	img->lines += lines;
	if (img->lines > img->room.lines)
		return SL_ENTRY_EXT;
	memcpy(entry, &b, SL_FIB_BLOCK_HEAD * sizeof(entry[0]));
	memcpy(&img->line4[at], entry,
	       (SL_FIB_BLOCK_HEAD + n) * sizeof(entry[0]));
	return SL_ENTRY_EXT | at;
}

/* A free place in a bucket; NULL: none. */
static uint64_t *free_place(struct sl_fib_bucket *b)
{
	int i;

	for (i = 0; i < SL_FIB_BUCKET_HOSTS; i++)
		if (!b->host[i])
			return (uint64_t *)&b->host[i];
	return NULL;
}

/* Put an address into one of its two buckets. Where both are full it takes
 * another's place, which goes to its other bucket, and so on: a random walk. */
static void insert(struct sl_fib_image *img, uint32_t addr, uint32_t entry)
{
	uint64_t host = (uint64_t)addr << 32 | SL_ENTRY_EXT | entry, t, *place;
	uint32_t mask = img->room.buckets - 1, a, b, from = mask + 1, move;
	uint32_t dice = addr | 1;

	img->hosts++;
	for (move = 0; !(img->hosts & HOSTS_FULL) && move < MAX_MOVES; move++) {
		a = sl_fib_hash1(host >> 32, img->key, mask);
		b = sl_fib_hash2(host >> 32, img->key, mask);
		place = free_place(&img->bucket[a]);
		if (!place)
			place = free_place(&img->bucket[b]);
		if (place) {
			*place = host;
			return;
		}
		dice ^= dice << 13;
		dice ^= dice >> 17;
		dice ^= dice << 5;
		from = a == from || (move == 0 && dice & 64) ? b : a;
		place = (uint64_t *)&img->bucket[from].host[dice & 7];
		t = *place;
		*place = host;
		host = t;
	}
	img->hosts |= HOSTS_FULL;
}

bool fib_overfull(const struct sl_fib_image *img)
{
	return img->lines > img->room.lines || img->hosts & HOSTS_FULL ||
	       img->nodes > img->room.nodes ||
	       img->leaves > img->room.leaves;
}

static uint32_t cell_start(const struct fib_cell *c, size_t i)
{
	return c->r[i].start <= c->first ? 0 :
	       (uint32_t)c->r[i].start - c->first;
}

/* Addresses in range i of the cell. */
static uint32_t cell_len(const struct fib_cell *c, size_t i)
{
	return (i + 1 < c->n ? cell_start(c, i + 1) : 256) - cell_start(c, i);
}

static uint32_t own_block(struct sl_fib_image *img, const struct fib_cell *c)
{
	uint32_t word[256], i, k, at;

	for (i = 0; i < c->n; i++) {
		at = cell_start(c, i);
		for (k = 0; k < cell_len(c, i); k++)
			word[at + k] = c->r[i].entry;
	}
	return fib_block_word(img, word);
}

static uint32_t hosts_word(struct sl_fib_image *img, const struct fib_cell *c,
			   uint32_t base)
{
	uint32_t i, k, at = c->first >> 8;

	img->flag4[at / 32] |= 1U << at % 32;
	for (i = 0; i < c->n; i++)
		for (k = 0; c->r[i].entry != base && k < cell_len(c, i); k++)
			insert(img, c->first + cell_start(c, i) + k,
			       c->r[i].entry);
	return base;
}

uint32_t fib_cell_word(struct sl_fib_image *img, const struct fib_cell *c,
		       bool live)
{
	uint32_t i, widest = 0, odd = 0;

	if (c->n == 1)
		return c->r[0].entry;
	for (i = 1; i < c->n; i++)
		if (cell_len(c, i) > cell_len(c, widest))
			widest = i;
	for (i = 0; i < c->n; i++)
		if (c->r[i].entry != c->r[widest].entry)
			odd += cell_len(c, i);
	if (!live && odd <= FEW_HOSTS)
		return hosts_word(img, c, c->r[widest].entry);
	return own_block(img, c);
}
