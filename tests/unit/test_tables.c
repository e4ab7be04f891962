// SPDX-License-Identifier: GPL-2.0
/* The table compiler against a stupid twin: a list searched from end to end. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "fibc.h"
#include "kselftest_harness.h"

#define N 400

struct rule {
	struct sl_prefix p;
	int is_class;
	uint32_t value;
	enum sl_action action;
};

static struct rule rules[N];
static const struct sl_fib_size room = { SL_FIB4_ROOT_GROUPS + 65536, 1024,
					 65536, 262144 };

static int weight(enum sl_action a)
{
	return a == SL_ACT_PROTECT ? 3 : a == SL_ACT_DROP ? 2 :
	       a == SL_ACT_COUNT ? 1 : 0;
}

/* Longest lane; protect beats drop beats count, then the longest class. */
static uint32_t twin(int n, const struct sl_prefix *addr)
{
	int i, lane_len = -1, class_len = -1, w = 0;
	uint32_t lane = 0, class_id = 0;

	for (i = 0; i < n; i++) {
		const struct rule *r = &rules[i];

		if (!sl_prefix_covers(&r->p, addr))
			continue;
		if (!r->is_class && r->p.len > lane_len) {
			lane_len = r->p.len;
			lane = r->value;
		}
		if (r->is_class && (weight(r->action) > w ||
		    (weight(r->action) == w && r->p.len > class_len))) {
			w = weight(r->action);
			class_len = r->p.len;
			class_id = r->value;
		}
	}
	return SL_ENTRY(lane, class_id);
}

static void random_prefix(struct sl_prefix *p, int family)
{
	int i, max = family == 4 ? 32 : 128;

	memset(p, 0, sizeof(*p));
	p->family = family;
	p->len = random() % 4 ? random() % 24 : random() % (max + 1);
	for (i = 0; i < max / 8; i++)	/* few values: prefixes nest */
		p->addr[i] = random() % 3 ? random() & 0x11 : random();
	for (i = p->len; i < max; i++)
		p->addr[i / 8] &= ~(0x80 >> i % 8);
}

/* Same prefix, same kind: no answer is right, so leave it out. */
static int clashes(int n, const struct rule *r)
{
	int i;

	for (i = 0; i < n; i++)
		if (rules[i].is_class == r->is_class &&
		    !sl_prefix_cmp(&rules[i].p, &r->p))
			return 1;
	return 0;
}

static int make_rules(int n)
{
	struct rule r;
	int i;

	for (i = 0; i < n;) {
		random_prefix(&r.p, random() % 2 ? 4 : 6);
		r.is_class = random() % 2;
		r.value = 1 + random() % 1000;
		r.action = SL_ACT_PROTECT + r.value % 3;
		if (!clashes(i, &r))
			rules[i++] = r;
		else
			n--;
	}
	return i;
}

static void near(struct sl_prefix *a, int n)
{
	const struct sl_prefix *p = &rules[random() % n].p;
	int bits = p->family == 4 ? 32 : 128, i;

	*a = *p;
	a->len = bits;
	if (random() % 2)
		for (i = p->len; i < bits; i++)
			a->addr[i / 8] |= 0x80 >> i % 8;
	if (random() % 2)	/* one beside the end or the start */
		a->addr[bits / 8 - 1] += random() % 3 - 1;
}

TEST(lookups_agree_with_the_twin)
{
	struct sl_fib_image img;
	struct sl_prefix a;
	int round, i, n;

	srandom(11);
	for (round = 0; round < 30; round++) {
		struct sl_fibc *c = sl_fibc_new();

		n = make_rules(1 + random() % N);
		for (i = 0; i < n; i++)
			ASSERT_EQ(0, rules[i].is_class ?
				  sl_fibc_add_class(c, &rules[i].p,
						    rules[i].value,
						    rules[i].action) :
				  sl_fibc_add_lane(c, &rules[i].p,
						   rules[i].value));
		ASSERT_EQ(0, sl_fibc_compile(c, &room, 99, &img));
		for (i = 0; i < 20000; i++) {
			near(&a, n);
			ASSERT_EQ(twin(n, &a), sl_fib_image_lookup(&img,
				  a.family, a.addr));
		}
		sl_fib_image_free(&img);
		sl_fibc_free(c);
	}
}

TEST(an_empty_table_answers_nothing)
{
	struct sl_fibc *c = sl_fibc_new();
	struct sl_fib_image img;
	uint8_t addr[16] = { 10 };

	ASSERT_EQ(0, sl_fibc_compile(c, &room, 99, &img));
	ASSERT_EQ(0, sl_fib_image_lookup(&img, 4, addr));
	ASSERT_EQ(0, sl_fib_image_lookup(&img, 6, addr));
	sl_fib_image_free(&img);
	sl_fibc_free(c);
}

TEST(the_ends_of_the_address_space)
{
	struct sl_fibc *c = sl_fibc_new();
	struct sl_fib_image img;
	struct sl_prefix p;
	uint8_t top[16], zero[16] = {};

	memset(top, 0xff, sizeof(top));
	ASSERT_EQ(0, sl_prefix_parse("255.255.255.255", &p, NULL));
	sl_fibc_add_lane(c, &p, 7);
	ASSERT_EQ(0, sl_prefix_parse("::/0", &p, NULL));
	sl_fibc_add_lane(c, &p, 8);
	ASSERT_EQ(0, sl_fibc_compile(c, &room, 99, &img));
	ASSERT_EQ(SL_ENTRY(7, 0), sl_fib_image_lookup(&img, 4, top));
	ASSERT_EQ(0, sl_fib_image_lookup(&img, 4, zero));
	ASSERT_EQ(SL_ENTRY(8, 0), sl_fib_image_lookup(&img, 6, top));
	ASSERT_EQ(SL_ENTRY(8, 0), sl_fib_image_lookup(&img, 6, zero));
	sl_fib_image_free(&img);
	sl_fibc_free(c);
}

TEST(a_table_that_does_not_fit_says_how_much_it_needs)
{
	const struct sl_fib_size tiny = { SL_FIB4_ROOT_GROUPS + 16, 8, 4, 16 };
	struct sl_fibc *c = sl_fibc_new();
	struct sl_fib_image img;
	struct sl_prefix p;
	char text[32];
	int i;

	for (i = 0; i < 40; i++) {
		snprintf(text, sizeof(text), "10.%d.0.0/24", i);
		ASSERT_EQ(0, sl_prefix_parse(text, &p, NULL));
		sl_fibc_add_lane(c, &p, 1);
	}
	ASSERT_EQ(-E2BIG, sl_fibc_compile(c, &tiny, 1, &img));
	ASSERT_EQ(SL_FIB4_ROOT_GROUPS + 40, img.groups);
	sl_fib_image_free(&img);
	sl_fibc_free(c);
}

TEST(a_hundred_thousand_hosts_are_all_found_and_their_neighbours_are_not)
{
	const struct sl_fib_size *size = sl_fib_size_of("medium");
	struct sl_fibc *c = sl_fibc_new();
	struct sl_fib_image img;
	struct sl_prefix p = { .family = 4, .len = 32 };
	uint32_t i, a;

	for (i = 0; i < 100000; i++) {
		a = i * 2654435761U & ~1U;
		memcpy(p.addr, (uint8_t[]){ a >> 24, a >> 16, a >> 8, a }, 4);
		ASSERT_EQ(0, sl_fibc_add_class(c, &p, 1 + i % 1000,
					       SL_ACT_DROP));
	}
	i = sl_fibc_compile(c, size, 12345, &img);
	ASSERT_TRUE(!i || img.groups > size->groups);
	for (i = 0; i < 100000; i++) {
		a = i * 2654435761U & ~1U;
		memcpy(p.addr, (uint8_t[]){ a >> 24, a >> 16, a >> 8, a }, 4);
		ASSERT_NE(0, sl_fib_image_lookup(&img, 4, p.addr));
		p.addr[3] ^= 1;
		ASSERT_EQ(0, sl_fib_image_lookup(&img, 4, p.addr));
	}
	sl_fib_image_free(&img);
	sl_fibc_free(c);
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
