// SPDX-License-Identifier: GPL-2.0
/* IPv4 ranges -> root and groups, 16-8-8. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "fib_priv.h"

/* How many ranges from r[i] on begin at or before `last`. */
static size_t upto(const struct sl_range *r, size_t n, size_t i, uint32_t last)
{
	size_t k = i;

	while (k + 1 < n && r[k + 1].start <= last)
		k++;
	return k - i + 1;
}

/* The cells of one group, /24 `from` to `to` of the /16 at `first`; r[0] holds
 * at the first of them. */
static void fill_group(struct sl_fib_image *img, uint32_t g, uint32_t first,
		       uint32_t from, uint32_t to, const struct sl_range *r,
		       size_t n, bool live)
{
	struct fib_cell c;
	size_t i = 0;
	uint32_t k, w;

	for (k = from; k <= to; k++) {
		c.first = first + k * 256;
		c.r = &r[i];
		c.n = upto(r, n, i, c.first + 255);
		w = fib_cell_word(img, &c, live);
		if (g)
			img->word4[(size_t)g * SL_FIB_GROUP + k] = w;
		i += c.n - 1;
		if (i + 1 < n && r[i + 1].start == (sl_u128)c.first + 256)
			i++;
	}
}

void fib4_build(struct sl_fib_image *img, const struct sl_range *r, size_t n,
		int *progress)
{
	size_t i = 0, here;
	uint32_t k, first, g;

	img->groups = SL_FIB4_ROOT_GROUPS;
	img->runs = img->hosts = 0;
	memset(img->flag4, 0, SL_FIB4_FLAG_WORDS * sizeof(*img->flag4));
	memset(img->bucket, 0, img->room.buckets * sizeof(*img->bucket));
	for (k = 0; k < 65536; k++) {
		first = k << 16;
		here = upto(r, n, i, first + 65535);
		if (here == 1) {
			img->word4[k] = r[i].entry;
		} else {
			g = fib_new_group(img, 0);
			fill_group(img, g, first, 0, 255, &r[i], here, false);
			img->word4[k] = SL_ENTRY_EXT | g;
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

/* The ranges of a /24 or wider, into a group of its own or, for a single /24,
 * into its word of the group that is there. */
static int patch_cells(struct sl_fib_image *img, uint32_t first, uint32_t last,
		       const struct sl_range *r, size_t n)
{
	uint32_t *root = &img->word4[first >> 16], *old, g, i;
	struct fib_cell c = { r, n, first };
	uint32_t from = first >> 8 & 255, to = last >> 8 & 255, w;

	if (from == to && *root & SL_ENTRY_EXT) {
		w = fib_cell_word(img, &c, true);
		if (fib_overfull(img))
			return -E2BIG;
		publish(&img->word4[(size_t)SL_ENTRY_INDEX(*root) *
				    SL_FIB_GROUP + from], w);
		return 0;
	}
	if (from == 0 && to == 255 && n == 1) {
		publish(root, r[0].entry);
		return 0;
	}
	g = fib_new_group(img, *root & SL_ENTRY_EXT ? 0 : *root);
	if (g && *root & SL_ENTRY_EXT) {
		old = &img->word4[(size_t)SL_ENTRY_INDEX(*root) * SL_FIB_GROUP];
		for (i = 0; i < SL_FIB_GROUP; i++)
			img->word4[(size_t)g * SL_FIB_GROUP + i] = old[i];
	}
	fill_group(img, g, first & ~0xffffU, from, to, r, n, true);
	if (fib_overfull(img))
		return -E2BIG;
	publish(root, SL_ENTRY_EXT | g);
	return 0;
}

int fib4_patch(struct sl_fib_image *img, struct sl_rib_pair p,
	       const struct sl_prefix *prefix)
{
	uint32_t first = sl_prefix_first(prefix), last = sl_prefix_last(prefix);
	uint32_t groups = img->groups, runs = img->runs;
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
	if (rc) {	/* what was begun lies beyond what is in use */
		img->groups = groups;
		img->runs = runs;
	}
	free(r);
	return rc;
}
