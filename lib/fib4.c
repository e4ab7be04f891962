// SPDX-License-Identifier: GPL-2.0
/* IPv4 ranges -> root and blocks, 16-8-8. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "fib_view.h"
#include "fib_priv.h"

/* How many ranges from r[i] on begin at or before `last`. */
static size_t upto(const struct sl_range *r, size_t n, size_t i, uint32_t last)
{
	size_t k = i;

	while (k + 1 < n && r[k + 1].start <= last)
		k++;
	return k - i + 1;
}

/* Words of the cells from `from` to `to` of the /16 at `first`; r[0] holds at the
 * first of them. */
static void fill(struct sl_fib_image *img, uint32_t word[256], uint32_t first,
		 uint32_t from, uint32_t to, const struct sl_range *r,
		 size_t n, bool live)
{
	struct fib_cell c;
	size_t i = 0;
	uint32_t k;

	for (k = from; k <= to; k++) {
		c.first = first + k * 256;
		c.r = &r[i];
		c.n = upto(r, n, i, c.first + 255);
		word[k] = fib_cell_word(img, &c, live);
		i += c.n - 1;
		if (i + 1 < n && r[i + 1].start == (sl_u128)c.first + 256)
			i++;
	}
}

static uint32_t *root_word(struct sl_fib_image *img, uint32_t addr)
{
	return &img->line4[addr >> 20].word[addr >> 16 & 15];
}

void fib4_build(struct sl_fib_image *img, const struct sl_range *r, size_t n,
		int *progress)
{
	size_t i = 0, here;
	uint32_t k, first, word[256];

	img->lines = SL_FIB4_ROOT_LINES;
	img->hosts = 0;
	memset(img->flag4, 0, SL_FIB4_FLAG_WORDS * sizeof(*img->flag4));
	memset(img->bucket, 0, img->room.buckets * sizeof(*img->bucket));
	for (k = 0; k < 65536; k++) {
		first = k << 16;
		here = upto(r, n, i, first + 65535);
		if (here == 1) {
			*root_word(img, first) = r[i].entry;
		} else {
			fill(img, word, first, 0, 255, &r[i], here, false);
			*root_word(img, first) = fib_block_word(img, word);
		}
		i += here - 1;
		if (i + 1 < n && r[i + 1].start == (sl_u128)first + 65536)
			i++;
		if (progress && !(k & 1023))
			*progress = k / 66;
	}
}

/* Make a word seen: what it leads to was written before. */
static void publish(uint32_t *w, uint32_t v)
{
	__atomic_store_n(w, v, __ATOMIC_RELEASE);
}

/* The words of these /24s now speak for their single addresses too: whatever
 * lies in the buckets is not asked any more. */
static void drop_flags(struct sl_fib_image *img, uint32_t first, uint32_t last)
{
	uint32_t i, *w;

	for (i = first >> 8; i <= last >> 8; i++) {
		w = &img->flag4[i / 32];
		if (*w >> i % 32 & 1)
			publish(w, *w & ~(1U << i % 32));
	}
}

/* The ranges of some /24s of a /16: a new block beside the old one. */
static int patch_cells(struct sl_fib_image *img, uint32_t first, uint32_t last,
		       const struct sl_range *r, size_t n)
{
	uint32_t *root = root_word(img, first), word[256], i;
	struct sl_fib_view v = { .img = img };

	for (i = 0; i < 256; i++)
		word[i] = *root & SL_ENTRY_EXT ?
			  sl_fib_chunk(&v, SL_ENTRY_INDEX(*root), i) : *root;
	fill(img, word, first & ~0xffffU, first >> 8 & 255, last >> 8 & 255,
	     r, n, true);
	i = fib_block_word(img, word);
	if (fib_overfull(img))
		return -E2BIG;
	publish(root, i);
	return 0;
}

int fib4_patch(struct sl_fib_image *img, struct sl_rib_pair p,
	       const struct sl_prefix *prefix)
{
	uint32_t first = sl_prefix_first(prefix), last = sl_prefix_last(prefix);
	uint32_t lines = img->lines;
	struct sl_range *r;
	size_t n;
	int rc;

	if (prefix->len < 16)
		return -EAGAIN;
	first &= ~0xffU;
	last |= 0xffU;
	rc = sl_rib_ranges(p, 4, first, last, &r, &n);
	if (rc)
		return rc;
	rc = patch_cells(img, first, last, r, n);
	if (!rc)
		drop_flags(img, first, last);
	if (rc)		/* what was begun lies beyond what is in use */
		img->lines = lines;
	free(r);
	return rc;
}
