// SPDX-License-Identifier: GPL-2.0
/* The table compiler against a stupid twin: a list searched from end to end. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "fib_image.h"
#include "rules.h"
#include "kselftest_harness.h"

/* Under the sanitizers, on a busy machine. */
#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT 150

#define KEY 99

static const struct sl_fib_size room = { SL_FIB4_ROOT_LINES + 262144, 1024,
					 65536, 262144 };

/* Lookups that differ from the twin's; 0 is right. */
static int differences(const struct sl_fib_image *img, int n, int lookups)
{
	struct sl_prefix a;
	int i, bad = 0;

	n_rules = n;
	for (i = 0; i < lookups; i++) {
		near(&a);
		bad += by_rules(&a) != sl_fib_lookup(img, a.family, a.addr);
	}
	return bad;
}

TEST(lookups_agree_with_the_twin)
{
	struct sl_fib_image img;
	struct sl_rib *c = sl_rib_new();
	struct sl_prefix bad;
	const char *why = "";
	int round, n;

	srandom(11);
	ASSERT_EQ(0, sl_fib_image_new(&room, KEY, &img));
	for (round = 0; round < 60; round++) {
		n = 1 + random() % N;
		make_rules(0, n);
		fill(c, 0, n);
		ASSERT_EQ(0, sl_fib_build(&img, (struct sl_rib_pair){ .base = c },
					  NULL));
		ASSERT_EQ(0, differences(&img, n, 20000));
		ASSERT_EQ(0, sl_fib_verify(&img,
				(struct sl_rib_pair){ .base = c }, &bad, NULL));
		ASSERT_EQ(0, sl_fib_check(&img, &why)) {
			TH_LOG("%s", why);
		}
	}
	sl_fib_image_free(&img);
	sl_rib_free(c);
}

/* Rules come and go on top of a base; the image is patched, never built. */
TEST(patches_agree_with_the_twin)
{
	struct sl_rib *base = sl_rib_new(), *extra = sl_rib_new();
	struct sl_rib_pair p = { .base = base, .extra = extra };
	struct sl_fib_image img;
	struct sl_prefix gone;
	int round, i, n, rc, wide = 0;
	const char *why = "";

	srandom(12);
	ASSERT_EQ(0, sl_fib_image_new(&room, KEY, &img));
	for (round = 0; round < 20; round++) {
		make_rules(0, N);
		fill(base, 0, N);
		fill(extra, N, N);
		ASSERT_EQ(0, sl_fib_build(&img, p, NULL));
		for (i = 0, n = N; i < 200; i++) {
			gone = rules[n - 1].p;
			if (n > N && random() % 3 == 0) {
				n--;
			} else if (n < 2 * N) {
				make_rules(n, n + 1);
				gone = rules[n++].p;
			}
			fill(extra, N, n);
			rc = sl_fib_patch(&img, p, &gone);
			if (rc == -EAGAIN) {
				ASSERT_GT(gone.family == 4 ? 16 : 20, gone.len);
				rc = sl_fib_build(&img, p, NULL);
				wide++;
			}
			ASSERT_EQ(0, rc);
			ASSERT_EQ(0, differences(&img, n, 200));
		}
		ASSERT_EQ(0, sl_fib_check(&img, &why)) {
			TH_LOG("%s", why);
		}
	}
	ASSERT_LT(100, wide);
	sl_fib_image_free(&img);
	sl_rib_free(base);
	sl_rib_free(extra);
}

/* From one odd address to all 256: every shape that a /24 can take. */
TEST(every_shape_of_a_slash_24)
{
	struct sl_rib *c = sl_rib_new();
	struct sl_rib_pair p = { .base = c };
	struct sl_prefix a = { .addr = { 10, 1, 2 }, .family = 4, .len = 32 };
	struct sl_fib_image img;
	int odd, i, shapes[3] = {};

	ASSERT_EQ(0, sl_fib_image_new(&room, KEY, &img));
	for (odd = 1; odd <= 256; odd++) {
		c->n4 = 0;
		for (i = 0; i < odd; i++) {
			a.addr[3] = i * 37;
			sl_rib_add_class(c, &a, 1 + i % 3, SL_ACT_DROP, 0);
		}
		ASSERT_EQ(0, sl_rib_sort(c));
		ASSERT_EQ(0, sl_fib_build(&img, p, NULL));
		for (i = 0; i < 256; i++) {
			a.addr[3] = i * 37;
			ASSERT_EQ(i < odd ? 1U + i % 3 : 0,
				  sl_fib_lookup(&img, 4, a.addr));
		}
		shapes[0] += img.hosts != 0;
		shapes[1] += img.lines == SL_FIB4_ROOT_LINES + 3;
		shapes[2] += img.lines > SL_FIB4_ROOT_LINES + 17;
	}
	ASSERT_TRUE(shapes[0] && shapes[1] && shapes[2]);
	sl_fib_image_free(&img);
	sl_rib_free(c);
}

/* Wrong words anywhere: the checker says so, or no lookup leaves an array. */
TEST(a_damaged_image_is_refused_or_harmless)
{
	struct sl_rib *c = sl_rib_new();
	struct sl_rib_pair p = { .base = c };
	const struct sl_fib_size tight = { SL_FIB4_ROOT_LINES + 16384, 256,
					   4096, 16384 };
	struct sl_fib_image img;
	const char *why = NULL;
	int i, refused = 0;
	uint32_t *at, was;

	srandom(13);
	make_rules(0, N);
	fill(c, 0, N);
	ASSERT_EQ(0, sl_fib_image_new(&tight, KEY, &img));
	ASSERT_EQ(0, sl_fib_build(&img, p, NULL));
	for (i = 0; i < 3000; i++) {
		switch (random() % 5) {
		case 0: at = &img.line4[0].word[random() % 65536]; break;
		case 1:
		case 2: at = &img.line4[random() % img.lines]
			      .word[random() % 16];
			break;
		case 3: at = (uint32_t *)&img.node[random() % img.nodes] +
			     random() % 6;
			break;
		default: at = &img.root6[0x20000 + random() % 65536];
		}
		was = *at;
		*at = random() % 2 ? (uint32_t)random() << 1 :
		      SL_ENTRY_EXT | (random() % 8000);
		why = NULL;
		if (sl_fib_check(&img, &why)) {
			ASSERT_NE(NULL, why);
			refused++;
		}
		differences(&img, N, 20);
		*at = was;
	}
	ASSERT_LT(300, refused);
	ASSERT_EQ(0, sl_fib_check(&img, &why));
	sl_fib_image_free(&img);
	sl_rib_free(c);
}

TEST(an_empty_table_answers_nothing)
{
	struct sl_rib *c = sl_rib_new();
	struct sl_fib_image img;
	uint8_t addr[16] = { 10 };

	ASSERT_EQ(0, sl_rib_sort(c));
	ASSERT_EQ(0, sl_fib_image_new(&room, KEY, &img));
	ASSERT_EQ(0, sl_fib_build(&img, (struct sl_rib_pair){ .base = c },
				  NULL));
	ASSERT_EQ(0, sl_fib_lookup(&img, 4, addr));
	ASSERT_EQ(0, sl_fib_lookup(&img, 6, addr));
	sl_fib_image_free(&img);
	sl_rib_free(c);
}

TEST(the_ends_of_the_address_space)
{
	struct sl_rib *c = sl_rib_new();
	struct sl_fib_image img;
	struct sl_prefix p;
	uint8_t top[16], zero[16] = {};

	memset(top, 0xff, sizeof(top));
	ASSERT_EQ(0, sl_prefix_parse("255.255.255.255", &p, NULL));
	sl_rib_add_lane(c, &p, 7, SL_LAYER_OPERATOR, 0);
	ASSERT_EQ(0, sl_prefix_parse("::/0", &p, NULL));
	sl_rib_add_lane(c, &p, 8, SL_LAYER_OPERATOR, 0);
	ASSERT_EQ(0, sl_rib_sort(c));
	ASSERT_EQ(0, sl_fib_image_new(&room, KEY, &img));
	ASSERT_EQ(0, sl_fib_build(&img, (struct sl_rib_pair){ .base = c },
				  NULL));
	ASSERT_EQ(SL_ENTRY(7, 0), sl_fib_lookup(&img, 4, top));
	ASSERT_EQ(0, sl_fib_lookup(&img, 4, zero));
	ASSERT_EQ(SL_ENTRY(8, 0), sl_fib_lookup(&img, 6, top));
	ASSERT_EQ(SL_ENTRY(8, 0), sl_fib_lookup(&img, 6, zero));
	sl_fib_image_free(&img);
	sl_rib_free(c);
}

TEST(a_table_that_does_not_fit_says_how_much_it_needs)
{
	const struct sl_fib_size tiny = { SL_FIB4_ROOT_LINES + 16, 8, 4,
					  16 };
	struct sl_rib *c = sl_rib_new();
	struct sl_fib_image img;
	struct sl_prefix p;
	char text[32];
	int i;

	for (i = 0; i < 40; i++) {
		snprintf(text, sizeof(text), "10.%d.0.0/24", i);
		ASSERT_EQ(0, sl_prefix_parse(text, &p, NULL));
		sl_rib_add_lane(c, &p, 1, SL_LAYER_OPERATOR, 0);
	}
	ASSERT_EQ(0, sl_fib_image_new(&tiny, KEY, &img));
	ASSERT_EQ(-E2BIG, sl_fib_build(&img, (struct sl_rib_pair){ .base = c },
				       NULL));
	ASSERT_EQ(SL_FIB4_ROOT_LINES + 40, img.lines);
	sl_fib_image_free(&img);
	sl_rib_free(c);
}

/* A million of random lengths: in at most the room of `large`. */
TEST(a_million_prefixes_fit_and_are_found)
{
	const struct sl_fib_size *size = sl_fib_size_of("large");
	struct sl_rib *c = sl_rib_new();
	struct sl_rib_pair p = { .base = c };
	struct sl_pset set = {};
	struct sl_fib_image img;
	struct sl_prefix bad;
	uint32_t i, a, len;

	srandom(14);
	for (i = 0; i < 1000000; i++) {
		len = random() % 4 ? 24 + random() % 9 : 12 + random() % 12;
		a = (uint32_t)random() << 1 & ~(len == 32 ? 0 : ~0U >> len);
		ASSERT_EQ(0, sl_pset_add4(&set, a, len));
	}
	ASSERT_LT(0, sl_pset_finish(&set));
	ASSERT_LT(900000, set.n4);
	ASSERT_EQ(0, sl_rib_add_set(c, &set, 5, SL_ACT_DROP, 0));
	ASSERT_EQ(0, sl_fib_image_new(size, KEY, &img));
	ASSERT_EQ(0, sl_rib_sort(c));
	ASSERT_EQ(0, sl_fib_build(&img, p, NULL)) {
		TH_LOG("lines %u hosts %u", img.lines, img.hosts);
	}
	ASSERT_EQ(0, sl_fib_verify(&img, p, &bad, NULL));
	for (i = 0; i < set.n4; i++) {
		sl_pset_get(&set, i, &bad);
		ASSERT_EQ(5, sl_fib_lookup(&img, 4, bad.addr));
	}
	/* one wrong word is found */
	img.root6[0] ^= 1;
	ASSERT_EQ(-EBADMSG, sl_fib_verify(&img, p, &bad, NULL));
	sl_fib_image_free(&img);
	sl_pset_free(&set);
	sl_rib_free(c);
}

TEST(ranges_become_the_fewest_prefixes)
{
	struct sl_pset set = {};

	ASSERT_EQ(0, sl_pset_add_range4(&set, 0, UINT32_MAX));
	ASSERT_EQ(1, set.n4);
	ASSERT_EQ(0, set.v4[0]);
	set.n4 = 0;
	ASSERT_EQ(0, sl_pset_add_range4(&set, 1, UINT32_MAX - 1));
	ASSERT_EQ(62, set.n4);
	set.n4 = 0;
	ASSERT_EQ(0, sl_pset_add_range4(&set, 0x0a000100, 0x0a0003ff));
	ASSERT_EQ(2, set.n4);
	ASSERT_EQ(0x0a00010018, set.v4[0]);
	ASSERT_EQ(0x0a00020017, set.v4[1]);
	ASSERT_EQ(0, sl_pset_add_range6(&set, 0, ~(sl_u128)0));
	ASSERT_EQ(1, set.n6);
	set.n6 = 0;
	ASSERT_EQ(0, sl_pset_add_range6(&set, 1, ~(sl_u128)0 - 1));
	ASSERT_EQ(254, set.n6);
	sl_pset_free(&set);
}

TEST(prefix_text)
{
	static const char *const bad[] = { "", "1.2.3", "1.2.3.4/33", "::/129",
		"1.2.3.4/", "1.2.3.4/a", "1.2.3.4/-1", "1.2.3.4/8",
		"2001:db8::1/32", "x", "1.2.3.4/ 8", "1.2.3.4/+8",
		"111111111111111111111111111111111111111111111111111111" };
	static const char *const good[] = { "1.2.3.4", "0.0.0.0/0", "10.0.0.0/8",
		"::1", "2001:db8::/32", "::/0" };
	char text[SL_PREFIX_STR_B];
	struct sl_prefix p;
	const char *why;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		why = NULL;
		ASSERT_EQ(-EINVAL, sl_prefix_parse(bad[i], &p, &why)) {
			TH_LOG("%s", bad[i]);
		}
		ASSERT_NE(NULL, why);
	}
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		ASSERT_EQ(0, sl_prefix_parse(good[i], &p, NULL));
		ASSERT_STREQ(good[i], sl_prefix_str(&p, text));
	}
}

TEST_HARNESS_MAIN
