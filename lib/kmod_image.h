/* SPDX-License-Identifier: GPL-2.0 */
/* The IPv6 part of a prefix table as the module takes it: include/sealane/kmod.h
 * tells the layout. */
#ifndef SL_KMOD_IMAGE_H
#define SL_KMOD_IMAGE_H

#include <stddef.h>
#include "fib_image.h"

/* 0 with *out, the caller's to free; -ENOMEM, or -EFBIG: more than the module
 * takes. */
int sl_kmod_image(const struct sl_fib_image *img, void **out, size_t *len_b);

#endif
