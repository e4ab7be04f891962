// SPDX-License-Identifier: GPL-2.0
#ifdef SLK_DEBUG
#include <linux/module.h>
#include <linux/random.h>
#include <linux/vmalloc.h>
#include <sealane/hist.h>
#include "clock.h"
#include "image.h"
#include "layout.h"
#include "pending.h"
#include "selftest.h"

#define CHECK(x) do {							\
	if (!(x)) {							\
		pr_err("sealane: self-test failed: %s: %s\n", __func__, #x); \
		return false;						\
	}								\
} while (0)

static u32 __initdata given_up;

static void __init give_up(const struct slk_wait *w)
{
	given_up++;
}

static void __init expire_all(struct slk_pending *p, u64 now_ns)
{
	u32 b;

	for (b = 0; b < SLK_BUCKETS; b++)
		slk_pending_expire(p, b, now_ns, 1000, give_up);
}

static bool __init pending_is_bounded(struct slk_pending *p)
{
	struct slk_wait w = { .asked_ns = 5, .path = 1 }, got;
	u32 i;

	for (i = 0; i < SLK_PENDING_PATH; i++) {
		w.key = i;
		CHECK(!slk_pending_add(p, &w));
	}
	w.key = i;
	CHECK(slk_pending_add(p, &w));		/* its path is full */
	w.path = 2;
	CHECK(!slk_pending_add(p, &w));
	CHECK(slk_pending_add(p, &w));		/* its key is taken */
	CHECK(slk_pending_count(p) == SLK_PENDING_PATH + 1);
	CHECK(!slk_pending_take(p, 14, &got) && got.key == 14);
	CHECK(slk_pending_take(p, 14, &got));
	expire_all(p, 1004);
	CHECK(!given_up);
	expire_all(p, 1005);
	CHECK(given_up == SLK_PENDING_PATH);
	CHECK(!slk_pending_count(p));
	for (i = 0; i < SLK_BUCKET_WAITS; i++) {
		w.key = i * SLK_BUCKETS;
		CHECK(!slk_pending_add(p, &w));
	}
	w.key = i * SLK_BUCKETS;
	CHECK(slk_pending_add(p, &w));		/* its bucket is full */
	return true;
}

static bool __init clocks_convert(void)
{
	/* 100 ppm fast: in 10 s of its time 1 ms is too much */
	struct slk_clock c = { .ppb = 100000, .phc_ns = 1000000000000,
			       .mono_ns = 50000000000 };

	CHECK(slk_clock_mono_ns(&c, c.phc_ns) == c.mono_ns);
	CHECK(slk_clock_mono_ns(&c, c.phc_ns + 10000000000) ==
	      c.mono_ns + 10000000000 - 1000000);
	CHECK(slk_clock_mono_ns(&c, c.phc_ns - 10000000000) ==
	      c.mono_ns - 10000000000 + 1000000);
	CHECK(!slk_clock_mono_ns(&c, c.phc_ns + 61000000000));
	CHECK(!slk_clock_mono_ns(&c, 0));
	c.mono_ns = 1000;
	CHECK(!slk_clock_mono_ns(&c, c.phc_ns - 10000000000));
	CHECK(!slk_clock_is_sane(&c, c.mono_ns));	/* no interface */
	c.ifindex = 1;
	CHECK(slk_clock_is_sane(&c, c.mono_ns));
	c.until_ns = 2 * SLK_CLOCK_MAX_NS;
	CHECK(!slk_clock_is_sane(&c, c.mono_ns));
	c.until_ns = SLK_CLOCK_MAX_NS;
	CHECK(slk_clock_is_sane(&c, c.mono_ns));
	c.mono_ns = 2 * SLK_CLOCK_MAX_NS;
	CHECK(!slk_clock_is_sane(&c, 1000));
	return true;
}

/* Octaves of 32 buckets: half the time is 32 buckets lower. */
static bool __init buckets_are_logarithmic(void)
{
	u64 ns = 999990000;	/* just below 2^0 s */
	int b = sl_hist_bucket(ns);

	CHECK(b == 18 * 32 - 1);	/* 2^-18 s is the lower end */
	for (ns >>= 1; ns > 4000; ns >>= 1) {
		int lower = sl_hist_bucket(ns);

		CHECK(lower == b - 32 || lower == b - 33);
		b = lower;
	}
	CHECK(sl_hist_bucket(3000) == SL_HIST_ZERO);
	CHECK(sl_hist_bucket(17000000000) == SL_HIST_OVERFLOW);
	return true;
}

static void __init sign(struct slk_image_head *head, u64 len_b)
{
	head->crc = slk_crc(head + 1, len_b - sizeof(*head));
}

/* A right image of two nodes, then one fault after another in it. */
static bool __init faults_are_found(struct slk_image_head *head, u64 len_b)
{
	u32 *root = (u32 *)(head + 1);
	struct sl_fib_node *node = (struct sl_fib_node *)
		(root + SL_FIB6_ROOT_WORDS);
	u32 *leaf = (u32 *)(node + 2);
#define FAULT(place, wrong) do {					\
	typeof(place) right_ = (place);					\
									\
	(place) = (wrong);						\
	sign(head, len_b);						\
	CHECK(slk_image_wrong(head, len_b));				\
	(place) = right_;						\
} while (0)

	*head = (struct slk_image_head){ .magic = SLK_IMAGE_MAGIC,
		.abi = SL_ABI_VERSION, .nodes = 2, .leaves = 2 };
	root[7] = SL_ENTRY_EXT;			/* node 0 */
	node[0] = (struct sl_fib_node){ .vector = 1, .leafvec = 2,
		.node_base = 1, .leaf_base = SL_FIB_NO_LEAVES };
	node[1] = (struct sl_fib_node){ .leafvec = 3, .leaf_base = 0 };
	sign(head, len_b);
	CHECK(!slk_image_wrong(head, len_b));
	head->crc++;
	CHECK(slk_image_wrong(head, len_b));
	CHECK(slk_image_wrong(head, len_b - 4));
	FAULT(head->magic, 1);
	FAULT(head->abi, SL_ABI_VERSION + 1);
	FAULT(head->nodes, 3);
	FAULT(head->leaves, 0xffffffff);
	FAULT(head->pad[10], 1);
	FAULT(root[7], SL_ENTRY_EXT | 2);
	FAULT(root[8], SL_ENTRY_EXT | 1);	/* led to twice */
	FAULT(node[0].node_base, 0);		/* a cycle */
	FAULT(node[0].node_base, 0xffffffff);
	FAULT(node[0].vector, 3);
	FAULT(node[0].leafvec, 0);
	FAULT(node[0].skip, 7ULL << 56);
	FAULT(node[0].miss, SL_ENTRY_EXT);
	FAULT(node[1].leaf_base, 1);
	FAULT(node[1].leaf_base, 0xfffffffe);
	FAULT(leaf[1], SL_ENTRY_EXT);
	sign(head, len_b);
	CHECK(!slk_image_wrong(head, len_b));
	return true;
#undef FAULT
}

/* What is not an image at all must not be followed. */
static bool __init noise_is_refused(struct slk_image_head *head, u64 len_b)
{
	u32 *word = (u32 *)(head + 1);
	u64 i, n = (len_b - sizeof(*head)) / 4;
	int round;

	for (round = 0; round < 8; round++) {
		for (i = 0; i < n; i += 1 + get_random_u32() % 4096)
			word[i] = get_random_u32();
		sign(head, len_b);
		CHECK(slk_image_wrong(head, len_b));
	}
	return true;
}

int __init slk_selftest(void)
{
	u64 len_b = SLK_IMAGE_B(2, 2);
	struct slk_pending *p = vzalloc(sizeof(*p));
	void *image = vzalloc(len_b);
	bool good = p && image && pending_is_bounded(p) && clocks_convert() &&
		    buckets_are_logarithmic() &&
		    faults_are_found(image, len_b) &&
		    noise_is_refused(image, len_b);

	vfree(image);
	vfree(p);
	pr_info("sealane: self-tests: %s\n", good ? "pass" : "FAIL");
	return good ? 0 : -EINVAL;
}
#endif
