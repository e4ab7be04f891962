/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How an image lies in memory, whether it is right, and the lookup in it: all
 * that is done to bytes that came from somewhere else. Plain C: user space
 * compiles it too, where it is sanitised and fuzzed.
 */
#ifndef SLK_LAYOUT_H
#define SLK_LAYOUT_H

#include <sealane/kmod.h>
#include <sealane/fib6_check.h>
#ifdef __KERNEL__
#include <linux/crc32.h>
#include <linux/sched.h>
#else
#include <zlib.h>
#endif

struct sl_fib_view {
	const __u32 *root;
	const struct sl_fib_node *node;
	const __u32 *leaf;
};

/* The whole table was checked when it came: no bounds to look at. */
#define SL_FIB6_BEYOND(p) 0
#include <sealane/fib6.h>

SL_INLINE const __u32 *sl_fib_root6(const struct sl_fib_view *v, __u32 i)
{
	return &v->root[i];
}

SL_INLINE const struct sl_fib_node *
sl_fib_node(const struct sl_fib_view *v, __u32 i)
{
	return &v->node[i];
}

SL_INLINE const __u32 *sl_fib_leaf6(const struct sl_fib_view *v, __u32 i)
{
	return &v->leaf[i];
}

/* Where the parts of an image are. */
static inline void slk_lay_out(const struct slk_image_head *head,
			       struct sl_fib_view *v)
{
	v->root = (const __u32 *)(head + 1);
	v->node = (const struct sl_fib_node *)(v->root + SL_FIB6_ROOT_WORDS);
	v->leaf = (const __u32 *)(v->node + head->nodes);
}

#define SLK_CRC_B (1U << 20)	/* then others may have the CPU */

static inline __u32 slk_crc(const void *data, __u64 len_b)
{
#ifdef __KERNEL__
	__u32 crc = ~0U, n;

	for (; len_b; data += n, len_b -= n) {
		n = len_b < SLK_CRC_B ? len_b : SLK_CRC_B;
		crc = crc32_le(crc, data, n);
		cond_resched();
	}
	return crc ^ ~0U;
#else
	return crc32_z(0, data, len_b);
#endif
}

/* What is wrong with a head, its length or the checksum (static text); a null
 * pointer: nothing. */
static inline const char *slk_head_wrong(const struct slk_image_head *head,
					 __u64 len_b)
{
	unsigned int i;

	if (len_b < sizeof(*head) || head->magic != SLK_IMAGE_MAGIC)
		return "it is no image";
	if (head->abi != SL_ABI_VERSION)
		return "it is of another version";
	if (head->nodes > SLK_NODES_MAX || head->leaves > SLK_LEAVES_MAX ||
	    SLK_IMAGE_B(head->nodes, head->leaves) != len_b)
		return "its length is wrong";
	for (i = 0; i < sizeof(head->pad) / sizeof(head->pad[0]); i++)
		if (head->pad[i])
			return "its head is not clean";
	if (slk_crc(head + 1, len_b - sizeof(*head)) != head->crc)
		return "its checksum is wrong";
	return NULL;
}

/* ... and with the table behind a right head; seen: a zeroed byte for each
 * node. */
static inline const char *slk_table_wrong(const struct slk_image_head *head,
					  __u8 *seen)
{
	struct sl_fib6 t = { .nodes = head->nodes, .leaves = head->leaves,
			     .seen = seen };
	struct sl_fib_view v;

	slk_lay_out(head, &v);
	t.root = v.root;
	t.node = v.node;
	t.leaf = v.leaf;
	return sl_fib6_wrong(&t);
}

#endif
