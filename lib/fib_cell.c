// SPDX-License-Identifier: GPL-2.0
/* One /24 that is not uniform: single addresses in buckets, a line of runs, or
 * a group, whichever is smallest. */
#include <string.h>
#include "fib_view.h"
#include "fib_priv.h"

#define MAX_MOVES	500	/* then the buckets are too full */
/* So few odd addresses cost less in buckets than a line of runs does ... */
#define FEW_HOSTS	6
/* ... and so many still cost less than a group. */
#define MANY_HOSTS	96
/* In img->hosts while a build goes on: an address found no place. */
#define HOSTS_FULL	(1U << 31)

uint32_t fib_new_group(struct sl_fib_image *img, uint32_t fill)
{
	uint32_t g = img->groups++, i;

	if (g >= img->room.groups)
		return 0;
	for (i = 0; i < SL_FIB_GROUP; i++)
		img->word4[(size_t)g * SL_FIB_GROUP + i] = fill;
	return g;
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
	return img->groups > img->room.groups || img->runs > img->room.runs ||
	       img->hosts & HOSTS_FULL || img->nodes > img->room.nodes ||
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

static uint32_t runs_word(struct sl_fib_image *img, const struct fib_cell *c)
{
	uint32_t at = img->runs++, i, k;
	struct sl_fib_runs *r = &img->run[at];

	if (at >= img->room.runs)
		return 0;
	for (i = 0; i < SL_FIB_RUNS; i++) {
		k = i < c->n ? i : c->n - 1;
		r->entry[i] = c->r[k].entry;
		r->start[i] = i < c->n ? cell_start(c, i) : 255;
	}
	return SL_ENTRY_EXT | SL_ENTRY_RUNS | at;
}

static uint32_t group_word(struct sl_fib_image *img, const struct fib_cell *c)
{
	uint32_t g = fib_new_group(img, 0), i, k, at;

	if (!g)
		return 0;
	for (i = 0; i < c->n; i++) {
		at = cell_start(c, i);
		for (k = 0; k < cell_len(c, i); k++)
			img->word4[(size_t)g * SL_FIB_GROUP + at + k] =
				c->r[i].entry;
	}
	return SL_ENTRY_EXT | g;
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
	if (!live && (odd <= FEW_HOSTS ||
		      (odd <= MANY_HOSTS && c->n > SL_FIB_RUNS)))
		return hosts_word(img, c, c->r[widest].entry);
	return c->n <= SL_FIB_RUNS ? runs_word(img, c) : group_word(img, c);
}
