// SPDX-License-Identifier: GPL-2.0
#include <linux/err.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>
#include "image.h"
#include "kfuncs.h"
#include "layout.h"
#include "stats.h"

struct image {
	u32 handle;		/* turn << 3 | place */
	u64 len_b;
	struct sl_fib_view view;
	void *data;		/* in huge pages where the kernel has them */
};

static struct image __rcu *images[SLK_IMAGES];
static DEFINE_MUTEX(lock);	/* of those who write */
static DEFINE_MUTEX(loading);	/* outside of it */
static u32 turn;

const char *slk_image_wrong(const void *data, u64 len_b)
{
	const struct slk_image_head *head = data;
	const char *wrong = slk_head_wrong(head, len_b);
	u8 *seen;

	if (wrong)
		return wrong;
	seen = kvzalloc(head->nodes + 1, GFP_KERNEL);
	if (!seen)
		return "there is no memory to check it";
	wrong = slk_table_wrong(head, seen);
	kvfree(seen);
	return wrong;
}

static void free_image(struct image *img)
{
	if (!img)
		return;
	vfree(img->data);
	kfree(img);
}

#define COPY_B (1U << 20)

/* A private copy first: what is checked is what will be used. */
static struct image *copy_in(const struct slk_load *load)
{
	struct image *img = kzalloc(sizeof(*img), GFP_KERNEL);
	u64 at, n;

	if (!img)
		return ERR_PTR(-ENOMEM);
	img->len_b = load->len_b;
	img->data = vmalloc_huge(load->len_b, GFP_KERNEL_ACCOUNT);
	if (!img->data) {
		free_image(img);
		return ERR_PTR(-ENOMEM);
	}
	for (at = 0; at < load->len_b; at += n) {
		n = min_t(u64, load->len_b - at, COPY_B);
		if (copy_from_user(img->data + at,
				   u64_to_user_ptr(load->data + at), n)) {
			free_image(img);
			return ERR_PTR(-EFAULT);
		}
		cond_resched();
	}
	return img;
}

static int publish(struct image *img)
{
	u32 i;

	lockdep_assert_held(&lock);
	for (i = 0; i < SLK_IMAGES; i++) {
		if (rcu_access_pointer(images[i]))
			continue;
		/* from 1 on: 0 is no handle */
		turn = turn % (U32_MAX / SLK_IMAGES) + 1;
		img->handle = turn * SLK_IMAGES + i;
		rcu_assign_pointer(images[i], img);
		return 0;
	}
	return -ENOSPC;
}

static int load_one(struct slk_load *load)
{
	struct image *img = copy_in(load);
	const char *wrong;
	int rc;

	if (IS_ERR(img))
		return PTR_ERR(img);
	wrong = slk_image_wrong(img->data, img->len_b);
	if (wrong) {
		strscpy(load->why, wrong, sizeof(load->why));
		slk_stats_count(SLK_S_IMAGES_REFUSED);
		free_image(img);
		return -EINVAL;
	}
	slk_lay_out(img->data, &img->view);
	mutex_lock(&lock);
	rc = publish(img);
	load->handle = img->handle;
	mutex_unlock(&lock);
	if (rc)
		free_image(img);
	else
		slk_stats_count(SLK_S_IMAGES_LOADED);
	return rc;
}

int slk_image_load(struct slk_load *load)
{
	int rc;

	if (load->len_b > SLK_IMAGE_B(SLK_NODES_MAX, SLK_LEAVES_MAX))
		return -EFBIG;
	if (load->len_b < sizeof(struct slk_image_head)) {
		strscpy(load->why, "it is no image", sizeof(load->why));
		slk_stats_count(SLK_S_IMAGES_REFUSED);
		return -EINVAL;
	}
	/* one at a time: each takes memory before it is known to be right */
	if (mutex_lock_interruptible(&loading))
		return -EINTR;
	rc = load_one(load);
	mutex_unlock(&loading);
	return rc;
}

int slk_image_unload(u32 handle)
{
	struct image __rcu **place = &images[handle % SLK_IMAGES];
	struct image *img;

	mutex_lock(&lock);
	img = rcu_dereference_protected(*place, lockdep_is_held(&lock));
	if (img && img->handle == handle)
		RCU_INIT_POINTER(*place, NULL);
	else
		img = NULL;
	mutex_unlock(&lock);
	if (!img)
		return -ENOENT;
	synchronize_rcu();
	free_image(img);
	return 0;
}

void slk_image_unload_all(void)
{
	struct image *img;
	int i;

	for (i = 0; i < SLK_IMAGES; i++) {
		mutex_lock(&lock);
		img = rcu_dereference_protected(images[i],
						lockdep_is_held(&lock));
		RCU_INIT_POINTER(images[i], NULL);
		mutex_unlock(&lock);
		if (!img)
			continue;
		synchronize_rcu();
		free_image(img);
	}
}

void slk_image_usage(struct slk_info *info)
{
	struct image *img;
	int i;

	mutex_lock(&lock);
	for (i = 0; i < SLK_IMAGES; i++) {
		img = rcu_dereference_protected(images[i],
						lockdep_is_held(&lock));
		if (!img)
			continue;
		info->images++;
		info->image_b += img->len_b;
		info->handle[i] = img->handle;
	}
	mutex_unlock(&lock);
}

/**
 * sealane_lookup6() - entry of an IPv6 address
 * @handle: of the image, as SLK_IOC_LOAD gave it
 * @hi: the address, host order
 * @lo: likewise
 *
 * Here and not in kfuncs.c: a call less is a twentieth of it.
 *
 * Return: SL_ENTRY, or SL_ENTRY_EXT when there is no such image.
 */
__bpf_kfunc u32 sealane_lookup6(u32 handle, u64 hi, u64 lo)
{
	const struct image *img;

	/* XDP may run under bh alone, which RCU waits for too */
	img = rcu_dereference_check(images[handle % SLK_IMAGES],
				    rcu_read_lock_bh_held());
	if (unlikely(!img || img->handle != handle))
		return SL_ENTRY_EXT;
	return sl_fib_lookup6(&img->view, hi, lo);
}
