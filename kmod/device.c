// SPDX-License-Identifier: GPL-2.0
#include <linux/capability.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/nsproxy.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <net/net_namespace.h>
#include "device.h"
#include "image.h"
#include "nic.h"
#include "series.h"
#include "stats.h"

static unsigned long opened;

static int device_open(struct inode *inode, struct file *file)
{
	if (!capable(CAP_NET_ADMIN))
		return -EPERM;
	if (test_and_set_bit(0, &opened))
		return -EBUSY;
	return nonseekable_open(inode, file);
}

static int device_release(struct inode *inode, struct file *file)
{
	clear_bit(0, &opened);
	return 0;
}

static long info(void __user *arg)
{
	struct slk_info i;

	slk_stats_read(&i);
	return copy_to_user(arg, &i, sizeof(i)) ? -EFAULT : 0;
}

static long load(void __user *arg)
{
	struct slk_load l;
	int rc;

	if (copy_from_user(&l, arg, sizeof(l)))
		return -EFAULT;
	memset(l.why, 0, sizeof(l.why));
	rc = slk_image_load(&l);
	if (!copy_to_user(arg, &l, sizeof(l)))
		return rc;
	/* nobody could ever name it */
	if (!rc)
		slk_image_unload(l.handle);
	return -EFAULT;
}

static long unload(void __user *arg)
{
	u32 handle;

	if (copy_from_user(&handle, arg, sizeof(handle)))
		return -EFAULT;
	return slk_image_unload(handle);
}

static long set_clock(void __user *arg)
{
	struct slk_clock c;

	if (copy_from_user(&c, arg, sizeof(c)))
		return -EFAULT;
	return slk_nic_set_clock(current->nsproxy->net_ns->net_cookie, &c);
}

static long read_series(void __user *arg)
{
	struct sl_hist *h;
	struct slk_read r;
	long rc;

	if (copy_from_user(&r, arg, sizeof(r)))
		return -EFAULT;
	h = kmalloc(sizeof(*h), GFP_KERNEL);
	if (!h)
		return -ENOMEM;
	rc = slk_series_read(&r, h);
	if (!rc && (copy_to_user(u64_to_user_ptr(r.hist), h, sizeof(*h)) ||
		    copy_to_user(arg, &r, sizeof(r))))
		rc = -EFAULT;
	kfree(h);
	return rc;
}

static long device_ioctl(struct file *file, unsigned int cmd,
			 unsigned long arg)
{
	void __user *p = (void __user *)arg;

	switch (cmd) {
	case SLK_IOC_INFO: return info(p);
	case SLK_IOC_LOAD: return load(p);
	case SLK_IOC_UNLOAD: return unload(p);
	case SLK_IOC_CLOCK: return set_clock(p);
	case SLK_IOC_READ: return read_series(p);
	}
	return -ENOTTY;
}

static const struct file_operations fops = {
	.owner = THIS_MODULE,
	.open = device_open,
	.release = device_release,
	.unlocked_ioctl = device_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
};

static struct miscdevice device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = SLK_MODULE,
	.fops = &fops,
	.mode = 0600,
};

int slk_device_init(void)
{
	return misc_register(&device);
}

void slk_device_exit(void)
{
	misc_deregister(&device);
}
