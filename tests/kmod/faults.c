// SPDX-License-Identifier: GPL-2.0
/* What sparse and the analyzer must see, or their silence says nothing. */
#include <linux/module.h>
#include <linux/slab.h>

int sparse_sees(const int __user *theirs);
int clang_sees(int words);

int sparse_sees(const int __user *theirs)
{
	return *theirs;
}

int clang_sees(int words)
{
	int *p = kmalloc_array(words, sizeof(*p), GFP_KERNEL);

	kfree(p);
	return *p;
}

MODULE_LICENSE("GPL");
