// SPDX-License-Identifier: GPL-2.0
/* IPv4 ranges -> root and groups, 16-8-8. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "fibc_priv.h"

/* A new group, all of its words `fill`; 0 when there is no memory (the root
 * is group 0, so that no other group is). */
static uint32_t new_group(struct sl_fib_image *img, uint32_t fill)
{
	uint32_t g = img->groups, i;
	uint32_t *grown;

	/* doubled whenever the number of groups is a power of two */
	if (!(g & (g - 1))) {
		grown = realloc(img->word4, (size_t)g * 2 * SL_FIB_GROUP *
				sizeof(*grown));
		if (!grown)
			return 0;
		img->word4 = grown;
	}
	for (i = 0; i < SL_FIB_GROUP; i++)
		img->word4[(size_t)g * SL_FIB_GROUP + i] = fill;
	img->groups++;
	return g;
}

/* Index of the first word of the group behind word i, made when it has none;
 * 0: no memory. */
static size_t group_behind(struct sl_fib_image *img, size_t i)
{
	uint32_t e = img->word4[i], g;

	if (!(e & SL_ENTRY_EXT)) {
		g = new_group(img, e);
		if (!g)
			return 0;
		img->word4[i] = SL_ENTRY_EXT | g;
		e = img->word4[i];
	}
	return (size_t)(e & ~SL_ENTRY_EXT) * SL_FIB_GROUP;
}

uint32_t *fib4_word24(struct sl_fib_image *img, uint32_t addr)
{
	size_t at = group_behind(img, addr >> 16);

	return at ? &img->word4[at + (addr >> 8 & 255)] : NULL;
}

/* Addresses first..last get the entry; the widest steps that fit. */
static int fill(struct sl_fib_image *img, uint64_t first, uint64_t last,
		uint32_t entry)
{
	uint32_t *w;
	size_t at;

	while (first <= last) {
		if (!(first & 0xffff) && last - first >= 0xffff) {
			img->word4[first >> 16] = entry;
			first += 0x10000;
			continue;
		}
		w = fib4_word24(img, first);
		if (!w)
			return -ENOMEM;
		if (!(first & 0xff) && last - first >= 0xff) {
			*w = entry;
			first += 0x100;
			continue;
		}
		at = group_behind(img, w - img->word4);
		if (!at)
			return -ENOMEM;
		do {
			img->word4[at + (first & 255)] = entry;
		} while (first++ < last && first & 255);
	}
	return 0;
}

int fib4_fill(struct sl_fib_image *img, const struct fibc_range *r, size_t n)
{
	size_t i;
	int rc = 0;

	img->groups = SL_FIB4_ROOT_GROUPS;
	img->word4 = calloc((size_t)img->groups * SL_FIB_GROUP,
			    sizeof(*img->word4));
	if (!img->word4)
		return -ENOMEM;
	for (i = 0; i < n && !rc; i++)
		rc = fill(img, r[i].start, i + 1 < n ? r[i + 1].start - 1 :
			  UINT32_MAX, r[i].entry);
	return rc;
}
