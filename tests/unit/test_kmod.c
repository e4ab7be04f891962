// SPDX-License-Identifier: GPL-2.0
/* What the module is made of that is plain C: who waits for a stamp, the clocks
 * of NICs, the image's layout. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "../../kmod/clock.h"
#include "../../kmod/layout.h"
#include "../../kmod/pending.h"
#include "fib_image.h"
#include "kselftest_harness.h"

#define KEYS	200

/* The stupid twin: a row for every key there is. */
struct twin {
	uint64_t asked_ns[KEYS];	/* 0: nobody waits */
	unsigned int n;
};

static unsigned int expire(struct twin *t, uint64_t now_ns)
{
	unsigned int k, n = 0;

	for (k = 0; k < KEYS; k++)
		if (t->asked_ns[k] && t->asked_ns[k] + SLK_PENDING_NS <= now_ns) {
			t->asked_ns[k] = 0;
			n++;
		}
	t->n -= n;
	return n;
}

TEST(who_waits_is_found_once_and_given_up_in_time)
{
	unsigned long added = 0, taken = 0, lost = 0, refused = 0;
	struct slk_pending p = {};
	struct slk_wait w = {}, got;
	struct twin t = {};
	uint64_t now_ns = 1;
	int step, want;

	srandom(6);
	for (step = 0; step < 300000; step++) {
		unsigned int k = random() % KEYS;

		now_ns += random() % 40000000;
		switch (random() % 3) {
		case 0:
			want = t.asked_ns[k] || t.n == SLK_PENDING ? -1 : 0;
			w.key = k;
			w.asked_ns = now_ns;
			w.lane = step;
			ASSERT_EQ(want, slk_pending_add(&p, &w));
			refused += want != 0;
			if (want)
				break;
			added++;
			t.asked_ns[k] = now_ns;
			t.n++;
			break;
		case 1:
			want = t.asked_ns[k] ? 0 : -1;
			ASSERT_EQ(want, slk_pending_take(&p, k, &got));
			if (want)
				break;
			ASSERT_EQ(t.asked_ns[k], got.asked_ns);
			taken++;
			t.asked_ns[k] = 0;
			t.n--;
			break;
		default:
			if (random() % 20)
				break;
			want = expire(&t, now_ns);
			ASSERT_EQ((unsigned int)want,
				  slk_pending_expire(&p, now_ns));
			lost += want;
		}
		ASSERT_EQ(t.n, slk_pending_count(&p));
	}
	EXPECT_EQ(added, taken + lost + t.n);
	EXPECT_GT(taken, 1000);
	EXPECT_GT(lost, 1000);
	EXPECT_GT(refused, 1000);
}

TEST(a_clock_that_stepped_back_gives_up_nobody)
{
	struct slk_wait w = { .asked_ns = 5 * SLK_PENDING_NS };
	struct slk_pending p = {};

	ASSERT_EQ(0, slk_pending_add(&p, &w));
	EXPECT_EQ(0, slk_pending_expire(&p, 1));
	EXPECT_EQ(1, slk_pending_count(&p));
}

TEST(a_nic_s_time_is_converted_within_a_nanosecond)
{
	struct slk_clock c;
	int i;

	srandom(7);
	for (i = 0; i < 100000; i++) {
		int64_t d = (int64_t)(random() % 20000) * 1000000 - 10000000000;
		long double want;

		c.ppb = random() % (2 * SLK_PPB_MAX) - SLK_PPB_MAX;
		c.phc_ns = 1790000000000000000ULL + random();
		c.mono_ns = 20000000000ULL + random();
		want = (long double)c.mono_ns + d - d * (c.ppb * 1e-9L);
		ASSERT_LE(fabsl(slk_clock_mono_ns(&c, c.phc_ns + d) - want), 1);
	}
}

TEST(another_clock_s_time_is_not_converted)
{
	struct slk_clock c = { .phc_ns = 1790000000000000000ULL,
			       .mono_ns = 5000000000 };

	EXPECT_EQ(0, slk_clock_mono_ns(&c, 5000000000));
	EXPECT_EQ(0, slk_clock_mono_ns(&c, ~0ULL));
	EXPECT_EQ(0, slk_clock_mono_ns(&c, c.phc_ns + 61000000000ULL));
	c.ppb = SLK_PPB_MAX + 1;
	EXPECT_EQ(0, slk_clock_mono_ns(&c, c.phc_ns));
}

/* 3,000 prefixes, nested and apart. */
static struct sl_rib *some_rib(void)
{
	struct sl_rib *rib = sl_rib_new();
	struct sl_prefix p = { .family = 6 };
	int i, b;

	for (i = 0; i < 3000; i++) {
		memset(p.addr, 0, sizeof(p.addr));
		p.addr[0] = 0x20;
		for (b = 1; b < 16; b++)
			p.addr[b] = b < 4 ? random() % 3 : random();
		p.len = 12 + random() % 117;
		for (b = p.len; b < 128; b++)
			p.addr[b / 8] &= ~(0x80 >> b % 8);
		sl_rib_add_lane(rib, &p, 1 + random() % 1000, SL_LAYER_RIR, 0);
	}
	sl_rib_sort(rib);
	return rib;
}

static struct slk_image_head *image_of(const struct sl_fib_image *img)
{
	struct slk_image_head *head = calloc(1, SLK_IMAGE_B(img->nodes,
							    img->leaves));
	struct sl_fib_view v;

	head->magic = SLK_IMAGE_MAGIC;
	head->abi = SL_ABI_VERSION;
	head->nodes = img->nodes;
	head->leaves = img->leaves;
	slk_lay_out(head, &v);
	memcpy((void *)v.root, img->root6, 4 * SL_FIB6_ROOT_WORDS);
	memcpy((void *)v.node, img->node, img->nodes * sizeof(*v.node));
	memcpy((void *)v.leaf, img->leaf, 4 * img->leaves);
	head->crc = slk_crc(head + 1, SLK_IMAGE_B(img->nodes, img->leaves) -
			    sizeof(*head));
	return head;
}

TEST(the_copy_answers_like_the_tables)
{
	const struct sl_fib_size size = { SL_FIB4_ROOT_LINES, 16, 1 << 15,
					  1 << 15 };
	struct slk_image_head *head;
	struct sl_fib_image img;
	unsigned long hits = 0;
	struct sl_fib_view v;
	struct sl_rib *rib;
	uint8_t addr[16], *seen;
	uint64_t len_b, w[2];
	int i, b;

	srandom(8);
	rib = some_rib();
	ASSERT_EQ(0, sl_fib_image_new(&size, 5, &img));
	ASSERT_EQ(0, sl_fib_build(&img, (struct sl_rib_pair){ .base = rib },
				  NULL));
	head = image_of(&img);
	len_b = SLK_IMAGE_B(img.nodes, img.leaves);
	seen = calloc(img.nodes, 1);
	ASSERT_EQ(NULL, slk_head_wrong(head, len_b));
	ASSERT_EQ(NULL, slk_table_wrong(head, seen));
	EXPECT_NE(NULL, slk_head_wrong(head, len_b - 4));
	slk_lay_out(head, &v);
	for (i = 0; i < 300000; i++) {
		addr[0] = 0x20;
		for (b = 1; b < 16; b++)
			addr[b] = b < 4 ? random() % 3 : random();
		memcpy(w, addr, 16);
		b = sl_fib_lookup6(&v, __builtin_bswap64(w[0]),
				   __builtin_bswap64(w[1]));
		ASSERT_EQ((int)sl_fib_lookup(&img, 6, addr), b);
		hits += b != 0;
	}
	EXPECT_GT(hits, 10000);
	free(seen);
	free(head);
	sl_fib_image_free(&img);
	sl_rib_free(rib);
}

TEST_HARNESS_MAIN
