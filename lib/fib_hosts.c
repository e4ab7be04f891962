// SPDX-License-Identifier: GPL-2.0
/* Single IPv4 addresses -> buckets of one cache line, cuckoo hashed. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "fib_view.h"
#include "fibc_priv.h"

#define MAX_MOVES 500		/* then the buckets are too full */

/* Put a host into one of its two buckets, moving others to theirs. */
static int insert(struct sl_fib_image *img, uint32_t addr, uint32_t entry)
{
	uint32_t mask = img->buckets - 1, at, move, slot, t;
	struct sl_fib_bucket *b;
	int i, k;

	at = sl_fib_hash1(addr, img->key, mask);
	for (move = 0; move < MAX_MOVES; move++) {
		for (k = 0; k < 2; k++) {
			at = k ? sl_fib_hash2(addr, img->key, mask) :
				 sl_fib_hash1(addr, img->key, mask);
			b = &img->bucket[at];
			for (i = 0; i < SL_FIB_BUCKET_HOSTS; i++) {
				if (b->host[i].entry)
					continue;
				b->host[i].addr = addr;
				b->host[i].entry = entry;
				img->hosts++;
				return 0;
			}
		}
		/* both full: take another's place, then find one for it */
		at = move & 1 ? sl_fib_hash1(addr, img->key, mask) :
				sl_fib_hash2(addr, img->key, mask);
		b = &img->bucket[at];
		slot = (addr * 2654435761U + move) >> 29;
		t = b->host[slot].addr;
		b->host[slot].addr = addr;
		addr = t;
		t = b->host[slot].entry;
		b->host[slot].entry = entry;
		entry = t;
	}
	return -E2BIG;
}

/* What holds at an address with this item on top of what holds already. */
static uint32_t apply(const struct sl_fibc *c, uint32_t entry,
		      const struct item *it)
{
	uint32_t class_id = SL_ENTRY_CLASS(entry);

	if (it->lane != NO_LANE)
		return SL_ENTRY(it->lane, class_id);
	if (fibc_weight(it->action) < fibc_weight(c->action[class_id]))
		return entry;
	return SL_ENTRY(SL_ENTRY_LANE(entry), it->class_id);
}

/* One address with its entry: into its own word where its /24 is a group
 * already, else into the buckets, with the /24 flagged. */
static int place(struct sl_fib_image *img, uint32_t addr, uint32_t entry)
{
	uint32_t *w = fib4_word24(img, addr);

	if (!w)
		return -ENOMEM;
	if (*w & SL_ENTRY_EXT) {
		img->word4[(size_t)(*w & ~SL_ENTRY_EXT) * SL_FIB_GROUP +
			   (addr & 255)] = entry;
		return 0;
	}
	*w |= SL_ENTRY_HOSTS;
	return insert(img, addr, entry);
}

int fib_hosts_fill(const struct sl_fibc *c, struct sl_fib_image *img)
{
	struct sl_fib_view v = { .img = img };
	uint32_t addr, entry, base;
	size_t i, k;
	int rc;

	img->bucket = calloc(img->buckets, sizeof(*img->bucket));
	if (!img->bucket)
		return -ENOMEM;
	for (i = 0; i < c->n; i = k) {
		k = i + 1;
		if (!is_host(&c->items[i]))
			continue;
		addr = fibc_first(&c->items[i].prefix);
		base = sl_fib_lookup4(&v, addr, img->key, img->buckets - 1);
		entry = apply(c, base, &c->items[i]);
		while (k < c->n && !sl_prefix_cmp(&c->items[i].prefix,
						  &c->items[k].prefix))
			entry = apply(c, entry, &c->items[k++]);
		if (entry == base)
			continue;
		rc = place(img, addr, entry);
		if (rc)
			return rc;
	}
	return 0;
}
