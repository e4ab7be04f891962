// SPDX-License-Identifier: GPL-2.0
/* A good image with words overwritten by the input: the checker refuses it, or
 * every lookup stays inside (the sanitizers watch) and gives a plain entry. */
#include <stdlib.h>
#include <string.h>
#include "fib_image.h"

static struct sl_fib_image good, img;

static void make_good(void)
{
	const struct sl_fib_size size = { SL_FIB4_ROOT_LINES + 128, 16, 256,
					  256 };
	static const char *const words[] = {
		"10.0.0.0/8", "10.1.2.0/24", "10.1.2.3", "10.1.3.0/26",
		"10.1.3.64/27", "10.1.4.0/30", "192.0.2.1", "192.0.2.2",
		"2001:db8::/32", "2001:db8:1::/48", "2001:db8:1:2::/64",
		"2001:db8::1", "2001:db9::/33" };
	struct sl_rib *rib = sl_rib_new();
	struct sl_prefix p;
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		sl_prefix_parse(words[i], &p, NULL);
		sl_rib_add_class(rib, &p, i + 2, SL_ACT_DROP, 0);
		sl_rib_add_lane(rib, &p, i, SL_LAYER_RIR, 0);
	}
	sl_rib_sort(rib);
	if (sl_fib_image_new(&size, 5, &good) ||
	    sl_fib_image_new(&size, 5, &img) ||
	    sl_fib_build(&good, (struct sl_rib_pair){ .base = rib }, NULL))
		abort();
	memcpy(img.owned, good.owned, good.owned_b);
	sl_rib_free(rib);
}

static void look(const uint8_t *data, size_t size)
{
	static const uint8_t seed[][16] = {
		{ 10, 1, 2, 3 }, { 10, 1, 3, 70 }, { 192, 0, 2, 2 },
		{ 0x20, 1, 0xd, 0xb8, 0, 1, 0, 2 }, { 0x20, 1, 0xd, 0xb9 } };
	uint8_t addr[16];
	size_t i;

	for (i = 0; i < 5; i++) {
		memcpy(addr, seed[i], 16);
		if (size)
			addr[data[0] % 16] ^= data[size - 1];
		if (sl_fib_lookup(&img, 4, addr) & SL_ENTRY_EXT ||
		    sl_fib_lookup(&img, 6, addr) & SL_ENTRY_EXT)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint32_t *at = NULL, was[64], *where[64];
	const char *why = NULL;
	uint32_t off, n = 0;
	size_t i;

	if (!good.owned)
		make_good();
	for (i = 0; i + 8 <= size && n < 64; i += 8) {
		memcpy(&off, data + i, 4);
		at = (uint32_t *)img.owned + off % (img.owned_b / 4);
		where[n] = at;
		was[n++] = *at;
		memcpy(at, data + i + 4, 4);
	}
	if (!sl_fib_check(&img, &why))
		look(data, size);
	else if (!why)
		abort();
	while (n--)
		*where[n] = was[n];
	return 0;
}
