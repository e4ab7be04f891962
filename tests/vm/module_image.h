/* SPDX-License-Identifier: GPL-2.0 */
/* Tests' own way to give the module an image. */
#ifndef SL_MODULE_IMAGE_H
#define SL_MODULE_IMAGE_H

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <zlib.h>
#include <sealane/kmod.h>
#include "kmod_image.h"

/* The checksum of what is behind the head. */
static inline void module_image_sign(struct slk_image_head *h, size_t len_b)
{
	h->crc = crc32(0, (const uint8_t *)(h + 1), len_b - sizeof(*h));
}

/* NULL: no memory. */
static inline struct slk_image_head *
module_image_make(const struct sl_fib_image *img, size_t *len_b)
{
	void *data = NULL;

	return sl_kmod_image(img, &data, len_b) ? NULL : data;
}

/* 0, or negative errno with l->why. */
static inline int module_image_give(int fd, const void *data, size_t len_b,
				    struct slk_load *l)
{
	*l = (struct slk_load){ .data = (uintptr_t)data, .len_b = len_b };
	return ioctl(fd, SLK_IOC_LOAD, l) ? -errno : 0;
}

static inline int module_image_load(int fd, const struct sl_fib_image *img,
				    struct slk_load *l)
{
	size_t len_b;
	void *data = module_image_make(img, &len_b);
	int rc = data ? module_image_give(fd, data, len_b, l) : -ENOMEM;

	free(data);
	return rc;
}

#endif
