/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Copies of the data plane's IPv6 tables, for the kfunc. Each is checked whole
 * when it comes, and from then on nobody writes to it; it goes by RCU.
 */
#ifndef SLK_IMAGE_H
#define SLK_IMAGE_H

#include <sealane/kmod.h>

/* Take what user space has: 0 with load->handle, or a negative errno and,
 * with -EINVAL, load->why. */
int slk_image_load(struct slk_load *load);
/* 0 or -ENOENT; waits until nobody looks up in it. */
int slk_image_unload(u32 handle);
void slk_image_unload_all(void);
/* images, image_b, handle */
void slk_image_usage(struct slk_info *info);

/* The check alone: a static text, or NULL when nothing is wrong. */
const char *slk_image_wrong(const void *data, u64 len_b);

#endif
