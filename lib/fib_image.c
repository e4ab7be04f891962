// SPDX-License-Identifier: GPL-2.0
/* The table compiler as a whole: ranges, then the image's parts. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "fib_view.h"
#include "fibc_priv.h"

static const struct {
	const char *word;
	struct sl_fib_size size;
} sizes[] = {
	{ "small", { SL_FIB4_ROOT_GROUPS + 4096, 8192, 16384, 65536 } },
	{ "medium", { SL_FIB4_ROOT_GROUPS + 24576, 65536, 131072, 524288 } },
	{ "large", { SL_FIB4_ROOT_GROUPS + 98304, 262144, 1048576, 4194304 } },
};

const struct sl_fib_size *sl_fib_size_of(const char *word)
{
	size_t i;

	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		if (!strcmp(sizes[i].word, word))
			return &sizes[i].size;
	return NULL;
}

static int by_prefix(const void *a, const void *b)
{
	return sl_prefix_cmp(&((const struct item *)a)->prefix,
			     &((const struct item *)b)->prefix);
}

int sl_fibc_compile(struct sl_fibc *c, const struct sl_fib_size *size,
		    uint64_t key, struct sl_fib_image *img)
{
	struct fibc_range *r4 = NULL, *r6 = NULL;
	size_t n4 = 0, n6 = 0;
	int rc;

	memset(img, 0, sizeof(*img));
	img->buckets = size->buckets;
	img->key = key;
	if (c->n)
		qsort(c->items, c->n, sizeof(c->items[0]), by_prefix);
	rc = fibc_ranges(c, 4, &r4, &n4);
	if (!rc)
		rc = fibc_ranges(c, 6, &r6, &n6);
	if (!rc)
		rc = fib4_fill(img, r4, n4);
	if (!rc)
		rc = fib6_fill(img, r6, n6);
	if (!rc)
		rc = fib_hosts_fill(c, img);
	if (!rc && (img->groups > size->groups || img->nodes > size->nodes ||
		    img->leaves > size->leaves))
		rc = -E2BIG;
	free(r4);
	free(r6);
	return rc;
}

void sl_fib_image_free(struct sl_fib_image *img)
{
	free(img->word4);
	free(img->bucket);
	free(img->root6);
	free(img->node);
	free(img->leaf);
	memset(img, 0, sizeof(*img));
}

static uint64_t word(const uint8_t *b)
{
	uint64_t w;

	memcpy(&w, b, sizeof(w));
	return __builtin_bswap64(w);
}

uint32_t sl_fib_image_lookup(const struct sl_fib_image *img, int family,
			     const uint8_t *addr)
{
	struct sl_fib_view v = { .img = img };

	if (family == 4)
		return sl_fib_lookup4(&v, word(addr) >> 32, img->key,
				      img->buckets - 1);
	return sl_fib_lookup6(&v, word(addr), word(addr + 8));
}
