// SPDX-License-Identifier: GPL-2.0
/* An image for the module with words overwritten by the input, in memory of
 * exactly its size: it is refused, or every lookup stays inside (the sanitizers
 * watch: the module's lookup looks at no bounds) and gives a plain entry. */
#include <stdlib.h>
#include <string.h>
#include "fib_image.h"
#include "../../kmod/layout.h"

#define NODES	64
#define LEAVES	64

static struct slk_image_head *head;
static uint64_t len_b = SLK_IMAGE_B(NODES, LEAVES);

static void make_good(void)
{
	const struct sl_fib_size size = { SL_FIB4_ROOT_LINES + 128, 16, NODES,
					  LEAVES };
	static const char *const words[] = {
		"2001:db8::/32", "2001:db8:1::/48", "2001:db8:1:2::/64",
		"2001:db8::1", "2001:db9::/33", "::/0", "2001:db8:1:2:8000::/65",
		"2001:db8:1:2:3:4:5:6", "2001:db8:2::/47", "2001:db8:4::/46" };
	struct sl_rib *rib = sl_rib_new();
	struct sl_fib_image img;
	struct sl_fib_view v;
	struct sl_prefix p;
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		sl_prefix_parse(words[i], &p, NULL);
		sl_rib_add_class(rib, &p, i + 2, SL_ACT_DROP, 0);
		sl_rib_add_lane(rib, &p, i, SL_LAYER_RIR, 0);
	}
	sl_rib_sort(rib);
	head = calloc(1, len_b);
	if (!head || sl_fib_image_new(&size, 5, &img) ||
	    sl_fib_build(&img, (struct sl_rib_pair){ .base = rib }, NULL))
		abort();
	*head = (struct slk_image_head){ .magic = SLK_IMAGE_MAGIC,
		.abi = SL_ABI_VERSION, .nodes = NODES, .leaves = LEAVES };
	slk_lay_out(head, &v);
	memcpy((void *)v.root, img.root6, 4 * SL_FIB6_ROOT_WORDS);
	memcpy((void *)v.node, img.node, NODES * sizeof(*v.node));
	memcpy((void *)v.leaf, img.leaf, LEAVES * sizeof(*v.leaf));
	sl_fib_image_free(&img);
	sl_rib_free(rib);
}

/* Addresses near those of the table, and near the fuzzer's. */
static void look(const uint8_t *data, size_t size)
{
	static const uint64_t seed[][2] = {
		{ 0x20010db800000000, 1 }, { 0x20010db800010002, 0 },
		{ 0x20010db800010002, 0x0003000400050006 },
		{ 0x20010db980000000, 0 }, { 0, 0 }, { ~0ULL, ~0ULL } };
	struct sl_fib_view v;
	uint64_t hi, lo;
	size_t i, bit;

	slk_lay_out(head, &v);
	for (i = 0; i < sizeof(seed) / sizeof(seed[0]); i++)
		for (bit = 0; bit < 128; bit += 5) {
			hi = seed[i][0] ^ (bit < 64 ? 1ULL << bit : 0);
			lo = seed[i][1] ^ (bit < 64 ? 0 : 1ULL << (bit - 64));
			if (size)
				lo ^= (uint64_t)data[size - 1] << bit % 57;
			if (sl_fib_lookup6(&v, hi, lo) & SL_ENTRY_EXT)
				abort();
		}
}

/* Six bytes: which word behind the root's used ones, and its value; a first
 * byte of 255 overwrites a root word. */
static uint32_t *place_of(const uint8_t *d)
{
	uint32_t *root = (uint32_t *)(head + 1), off = d[0] << 8 | d[1];
	uint32_t rest = NODES * sizeof(struct sl_fib_node) / 4 + LEAVES;

	return d[0] == 255 ? &root[0x20010 + (d[1] & 3)] :
			     root + SL_FIB6_ROOT_WORDS + off % rest;
}

/* The module's check, but of the root only the words that lead on or may have
 * been overwritten: a million of them make a slow fuzzer. */
static const char *table_wrong(void)
{
	static uint8_t seen[NODES];
	struct sl_fib6 t = { .nodes = NODES, .leaves = LEAVES, .seen = seen };
	const char *wrong = NULL;
	struct sl_fib_view v;
	uint32_t i;

	memset(seen, 0, sizeof(seen));
	slk_lay_out(head, &v);
	t.root = v.root;
	t.node = v.node;
	t.leaf = v.leaf;
	for (i = 0x20000; i < 0x20020 && !wrong; i++)
		if (t.root[i] & SL_ENTRY_EXT)
			wrong = sl_fib6_node_wrong(&t, SL_ENTRY_INDEX(t.root[i]),
						   128 - SL_FIB6_ROOT_BITS);
	return wrong;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint32_t *where[64], was[64], n = 0;
	const char *wrong;
	size_t i;

	if (!head) {
		static uint8_t seen[NODES];

		make_good();
		if (slk_table_wrong(head, seen))
			abort();
	}
	for (i = 0; i + 6 <= size && n < 64; i += 6, n++) {
		where[n] = place_of(data + i);
		was[n] = *where[n];
		memcpy(where[n], data + i + 2, 4);
	}
	/* (the checksum would refuse nearly all of them) */
	wrong = table_wrong();
	if (!wrong)
		look(data, size);
	while (n--)
		*where[n] = was[n];
	return 0;
}
