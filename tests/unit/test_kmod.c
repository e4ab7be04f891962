// SPDX-License-Identifier: GPL-2.0
/* What the module is made of that is plain C: who waits for a stamp, the clocks
 * of NICs, the image's layout. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "../../kmod/clock.h"
#include "../../kmod/layout.h"
#include "../../kmod/pending.h"
#include "fib_image.h"
#include "kmod_image.h"
#include "kselftest_harness.h"

#define LIMIT_NS	2000000000ULL
/* Few buckets, more keys in each than have room. */
#define BUCKETS		4
#define KEYS_EACH	24
#define KEY(bucket, k)	((uint32_t)((k) * SLK_BUCKETS + (bucket)))

/* The stupid twin: a row for every key there is. */
static uint64_t asked_ns[BUCKETS][KEYS_EACH];	/* 0: nobody waits */
static unsigned int lost;

static void count_lost(const struct slk_wait *w)
{
	lost++;
	asked_ns[w->key % SLK_BUCKETS][w->key / SLK_BUCKETS] = 0;
}

static unsigned int waiting(int bucket)
{
	unsigned int n = 0;
	int k;

	for (k = 0; k < KEYS_EACH; k++)
		n += asked_ns[bucket][k] != 0;
	return n;
}

/* How many of a bucket's are due. */
static unsigned int due(int bucket, uint64_t now_ns)
{
	unsigned int n = 0;
	int k;

	for (k = 0; k < KEYS_EACH; k++)
		n += asked_ns[bucket][k] &&
		     asked_ns[bucket][k] + LIMIT_NS <= now_ns;
	return n;
}

TEST(who_waits_is_found_once_and_given_up_in_time)
{
	unsigned long added = 0, taken = 0, refused = 0;
	static struct slk_pending p;
	struct slk_wait w = {}, got;
	uint64_t now_ns = 1;
	int step, want, b;

	srandom(6);
	for (step = 0; step < 300000; step++) {
		int k = random() % KEYS_EACH;

		b = random() % BUCKETS;
		now_ns += random() % 10000000;
		switch (random() % 4) {
		case 0: case 1:
			want = asked_ns[b][k] ||
			       waiting(b) == SLK_BUCKET_WAITS ? -1 : 0;
			w.key = KEY(b, k);
			w.asked_ns = now_ns;
			ASSERT_EQ(want, slk_pending_add(&p, &w));
			refused += want != 0;
			added += want == 0;
			if (!want)
				asked_ns[b][k] = now_ns;
			break;
		case 2:
			want = asked_ns[b][k] ? 0 : -1;
			ASSERT_EQ(want, slk_pending_take(&p, KEY(b, k), &got));
			if (want)
				break;
			ASSERT_EQ(asked_ns[b][k], got.asked_ns);
			taken++;
			asked_ns[b][k] = 0;
			break;
		default:
			if (random() % 20)
				break;
			want = lost + due(b, now_ns);
			slk_pending_expire(&p, b, now_ns, LIMIT_NS, count_lost);
			ASSERT_EQ((unsigned int)want, lost);
		}
		ASSERT_EQ(waiting(0) + waiting(1) + waiting(2) + waiting(3),
			  slk_pending_count(&p));
	}
	EXPECT_EQ(added, taken + lost + slk_pending_count(&p));
	EXPECT_GT(taken, 1000);
	EXPECT_GT(lost, 1000);
	EXPECT_GT(refused, 1000);
}

TEST(a_bad_path_leaves_room_for_others)
{
	static struct slk_pending p;
	struct slk_wait w = { .path = 3 }, got;

	for (w.key = 0; w.key < SLK_PENDING_PATH; w.key++)
		ASSERT_EQ(0, slk_pending_add(&p, &w));
	ASSERT_EQ(-1, slk_pending_add(&p, &w));
	w.path = 4;
	ASSERT_EQ(0, slk_pending_add(&p, &w));
	ASSERT_EQ(0, slk_pending_take(&p, 5, &got));
	EXPECT_EQ(3, got.path);
	w.path = 3;
	w.key++;
	EXPECT_EQ(0, slk_pending_add(&p, &w));
}

TEST(a_clock_that_stepped_back_gives_up_nobody)
{
	struct slk_wait w = { .asked_ns = 5 * LIMIT_NS };
	static struct slk_pending p;

	lost = 0;
	ASSERT_EQ(0, slk_pending_add(&p, &w));
	slk_pending_expire(&p, 0, 1, LIMIT_NS, count_lost);
	EXPECT_EQ(0, lost);
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

TEST(a_clock_out_of_its_range_is_refused)
{
	struct slk_clock c = { .ifindex = 1, .mono_ns = 50000000000,
			       .until_ns = 55000000000 };
	const struct slk_clock good = c;

	EXPECT_TRUE(slk_clock_is_sane(&c, 50000000000));
	EXPECT_FALSE(slk_clock_is_sane(&c, 10000000000));
	EXPECT_FALSE(slk_clock_is_sane(&c, 90000000000));
	c.until_ns = ~0ULL;
	EXPECT_FALSE(slk_clock_is_sane(&c, 50000000000));
	c = good;
	c.ppb = -SLK_PPB_MAX - 1;
	EXPECT_FALSE(slk_clock_is_sane(&c, 50000000000));
	c = good;
	c.mono_ns = 1000;
	EXPECT_EQ(0, slk_clock_mono_ns(&c, c.phc_ns - 10000000000));
	c.mono_ns = ~0ULL;
	EXPECT_EQ(0, slk_clock_mono_ns(&c, c.phc_ns));
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

/* Does the copy pass the module's check, and answer like the tables? How many of
 * the answers name a lane; -1: no. */
static long same_answers(const struct sl_fib_image *img, uint64_t *len_b,
			 struct slk_image_head **head)
{
	struct sl_fib_view v;
	uint8_t addr[16], *seen;
	uint64_t w[2];
	long hits = 0;
	uint32_t e;
	int i, b;

	if (sl_kmod_image(img, (void **)head, len_b))
		return -1;
	seen = calloc(img->nodes + 1, 1);
	if (slk_head_wrong(*head, *len_b) || slk_table_wrong(*head, seen))
		hits = -1;
	free(seen);
	slk_lay_out(*head, &v);
	for (i = 0; i < 300000 && hits >= 0; i++) {
		addr[0] = 0x20;
		for (b = 1; b < 16; b++)
			addr[b] = b < 4 ? random() % 3 : random();
		memcpy(w, addr, 16);
		e = sl_fib_lookup6(&v, __builtin_bswap64(w[0]),
				   __builtin_bswap64(w[1]));
		hits = e == sl_fib_lookup(img, 6, addr) ? hits + (e != 0) : -1;
	}
	return hits;
}

/* The table that the tests below copy; patched: with 200 prefixes pushed since. */
static void some_tables(struct sl_fib_image *img, struct sl_rib **rib,
			struct sl_rib **extra, bool patched)
{
	const struct sl_fib_size size = { SL_FIB4_ROOT_LINES, 16, 1 << 15,
					  1 << 15 };
	struct sl_prefix p = { .family = 6, .len = 128 };
	int i, b;

	*rib = some_rib();
	*extra = sl_rib_new();
	sl_fib_image_new(&size, 5, img);
	sl_fib_build(img, (struct sl_rib_pair){ .base = *rib }, NULL);
	for (i = 0; patched && i < 200; i++) {
		p.addr[0] = 0x20;
		for (b = 1; b < 16; b++)
			p.addr[b] = b < 4 ? random() % 3 : random();
		sl_rib_add_class(*extra, &p, 2 + i, SL_ACT_DROP, 0);
		sl_rib_sort(*extra);
		sl_fib_patch(img, (struct sl_rib_pair){ .base = *rib,
			     .extra = *extra }, &p);
	}
}

FIXTURE(tables) {
	struct sl_fib_image img;
	struct sl_rib *rib, *extra;
	struct slk_image_head *head;
	uint64_t len_b;
};

FIXTURE_VARIANT(tables) {
	bool patched;
};

FIXTURE_VARIANT_ADD(tables, built) { .patched = false };
FIXTURE_VARIANT_ADD(tables, patched) { .patched = true };

FIXTURE_SETUP(tables)
{
	srandom(8);
	some_tables(&self->img, &self->rib, &self->extra, variant->patched);
	ASSERT_LT(10000, same_answers(&self->img, &self->len_b, &self->head));
}

FIXTURE_TEARDOWN(tables)
{
	free(self->head);
	sl_fib_image_free(&self->img);
	sl_rib_free(self->rib);
	sl_rib_free(self->extra);
}

TEST_F(tables, the_copy_is_of_this_version_and_length)
{
	struct sl_fib_image huge = self->img;
	uint64_t len_b;
	void *none;

	EXPECT_EQ(SLK_IMAGE_B(self->img.nodes, self->img.leaves), self->len_b);
	EXPECT_EQ(SL_ABI_VERSION, self->head->abi);
	EXPECT_NE(NULL, slk_head_wrong(self->head, self->len_b - 4));
	huge.nodes = SLK_NODES_MAX + 1;
	EXPECT_EQ(-EFBIG, sl_kmod_image(&huge, &none, &len_b));
}

TEST_F(tables, a_copy_with_one_bit_wrong_is_refused)
{
	uint8_t *bytes = (uint8_t *)self->head;
	int i;

	for (i = 0; i < 100; i++) {
		uint64_t at = random() % self->len_b;

		bytes[at] ^= 1 << random() % 8;
		ASSERT_NE(NULL, slk_head_wrong(self->head, self->len_b));
		free(self->head);
		sl_kmod_image(&self->img, (void **)&self->head, &self->len_b);
		bytes = (uint8_t *)self->head;
	}
}

TEST_HARNESS_MAIN
