/* SPDX-License-Identifier: GPL-2.0 */
/* The accessors of include/sealane/fib.h over an image. */
#ifndef SL_FIB_VIEW_H
#define SL_FIB_VIEW_H

#include <stddef.h>
#include <sealane/fib.h>
#include "fib_image.h"

struct sl_fib_view {
	const struct sl_fib_image *img;
};

SL_INLINE const struct sl_fib_line *
sl_fib_line4(const struct sl_fib_view *v, __u32 i)
{
	return i < v->img->room.lines ? &v->img->line4[i] : NULL;
}

SL_INLINE const __u32 *sl_fib_flags(const struct sl_fib_view *v, __u32 i)
{
	return i < SL_FIB4_FLAG_WORDS ? &v->img->flag4[i] : NULL;
}

SL_INLINE const struct sl_fib_bucket *
sl_fib_bucket(const struct sl_fib_view *v, __u32 i)
{
	return i < v->img->room.buckets ? &v->img->bucket[i] : NULL;
}

SL_INLINE const __u32 *sl_fib_root6(const struct sl_fib_view *v, __u32 i)
{
	return i < SL_FIB6_ROOT_WORDS ? &v->img->root6[i] : NULL;
}

SL_INLINE const struct sl_fib_node *
sl_fib_node(const struct sl_fib_view *v, __u32 i)
{
	return i < v->img->room.nodes ? &v->img->node[i] : NULL;
}

SL_INLINE const __u32 *sl_fib_leaf6(const struct sl_fib_view *v, __u32 i)
{
	return i < v->img->room.leaves ? &v->img->leaf[i] : NULL;
}

#endif
