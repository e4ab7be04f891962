// SPDX-License-Identifier: GPL-2.0
/* The image as a whole: sizes, build, patch, verify. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include "fib_view.h"
#include "fib_priv.h"

static const struct {
	const char *word;
	struct sl_fib_size size;
} sizes[] = {
	{ "small", { SL_FIB4_ROOT_LINES + 28672, 8192, 16384, 16384 } },
	{ "medium", { SL_FIB4_ROOT_LINES + 258048, 65536, 131072, 131072 } },
	{ "large", { SL_FIB4_ROOT_LINES + 2355200, 262144, 1048576,
		     1048576 } },
};

const struct sl_fib_size *sl_fib_size_of(const char *word)
{
	size_t i;

	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		if (!strcmp(sizes[i].word, word))
			return &sizes[i].size;
	return NULL;
}

uint64_t sl_fib_size_bytes(const struct sl_fib_size *s)
{
	return ((uint64_t)SL_FIB6_ROOT_WORDS + SL_FIB4_FLAG_WORDS +
		s->leaves) * sizeof(uint32_t) +
	       (uint64_t)s->lines * sizeof(struct sl_fib_line) +
	       (uint64_t)s->buckets * sizeof(struct sl_fib_bucket) +
	       (uint64_t)s->nodes * sizeof(struct sl_fib_node);
}

/* Cut the next n elements off a piece of memory. */
static void *cut(uint8_t **at, uint64_t n, size_t one_b)
{
	void *p = *at;

	*at += n * one_b;
	return p;
}

int sl_fib_image_new(const struct sl_fib_size *size, uint64_t key,
		     struct sl_fib_image *img)
{
	uint8_t *at;

	memset(img, 0, sizeof(*img));
	img->room = *size;
	img->key = key;
	img->owned_b = sl_fib_size_bytes(size);
	img->owned = mmap(NULL, img->owned_b, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (img->owned == MAP_FAILED) {
		img->owned = NULL;
		return -ENOMEM;
	}
	at = img->owned;
	img->line4 = cut(&at, size->lines, sizeof(*img->line4));
	img->bucket = cut(&at, size->buckets, sizeof(*img->bucket));
	img->node = cut(&at, size->nodes, sizeof(*img->node));
	img->flag4 = cut(&at, SL_FIB4_FLAG_WORDS, sizeof(*img->flag4));
	img->root6 = cut(&at, SL_FIB6_ROOT_WORDS, sizeof(*img->root6));
	img->leaf = cut(&at, size->leaves, sizeof(*img->leaf));
	return 0;
}

void sl_fib_image_free(struct sl_fib_image *img)
{
	if (img->owned)
		munmap(img->owned, img->owned_b);
	memset(img, 0, sizeof(*img));
}

int sl_fib_build(struct sl_fib_image *img, struct sl_rib_pair p, int *progress)
{
	struct sl_range *r = NULL;
	size_t n;
	int rc = sl_rib_ranges(p, 4, 0, UINT32_MAX, &r, &n);

	if (rc)
		return rc;
	fib4_build(img, r, n, progress);
	free(r);
	rc = sl_rib_ranges(p, 6, 0, ~(sl_u128)0, &r, &n);
	if (rc)
		return rc;
	fib6_build(img, r, n);
	free(r);
	if (fib_overfull(img))
		rc = -E2BIG;
	img->hosts &= ~(1U << 31);
	return rc;
}

int sl_fib_patch(struct sl_fib_image *img, struct sl_rib_pair p,
		 const struct sl_prefix *prefix)
{
	return prefix->family == 4 ? fib4_patch(img, p, prefix) :
	       fib6_patch(img, p, prefix);
}

static uint32_t lookup(const struct sl_fib_image *img, int family, sl_u128 a)
{
	struct sl_fib_view v = { .img = img };

	if (family == 4)
		return sl_fib_lookup4(&v, a, img->key, img->room.buckets - 1);
	return sl_fib_lookup6(&v, a >> 64, a);
}

static uint64_t word(const uint8_t *b)
{
	uint64_t w;

	memcpy(&w, b, sizeof(w));
	return __builtin_bswap64(w);
}

uint32_t sl_fib_lookup(const struct sl_fib_image *img, int family,
		       const uint8_t *addr)
{
	return lookup(img, family, family == 4 ? word(addr) >> 32 :
		      (sl_u128)word(addr) << 64 | word(addr + 8));
}

static int wrong(int family, sl_u128 a, struct sl_prefix *bad)
{
	int i;

	*bad = (struct sl_prefix){ .family = family,
				   .len = family == 4 ? 32 : 128 };
	for (i = family == 4 ? 3 : 15; i >= 0; i--, a >>= 8)
		bad->addr[i] = a;
	return -EBADMSG;
}

static int verify(const struct sl_fib_image *img, struct sl_rib_pair p,
		  int family, struct sl_prefix *bad, int *progress)
{
	sl_u128 end = family == 4 ? UINT32_MAX : ~(sl_u128)0, last;
	struct sl_range *r;
	size_t i, n;
	int rc = sl_rib_ranges(p, family, 0, end, &r, &n);

	for (i = 0; !rc && i < n; i++) {
		last = i + 1 < n ? r[i + 1].start - 1 : end;
		if (lookup(img, family, r[i].start) != r[i].entry)
			rc = wrong(family, r[i].start, bad);
		else if (last != r[i].start &&
			 lookup(img, family, last) != r[i].entry)
			rc = wrong(family, last, bad);
		if (progress && !(i & 4095))
			*progress = 500 * (family == 6) + i * 500 / n;
	}
	if (rc != -ENOMEM)
		free(r);
	return rc;
}

int sl_fib_verify(const struct sl_fib_image *img, struct sl_rib_pair p,
		  struct sl_prefix *bad, int *progress)
{
	int rc = verify(img, p, 4, bad, progress);

	return rc ? rc : verify(img, p, 6, bad, progress);
}
