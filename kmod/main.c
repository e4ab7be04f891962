// SPDX-License-Identifier: GPL-2.0
/* A skeleton: one kfunc, so that the way to a loadable module can be tried. */
#include <linux/bpf.h>
#include <linux/btf.h>
#include <linux/btf_ids.h>
#include <linux/init.h>
#include <linux/module.h>

#ifndef __bpf_kfunc
#define __bpf_kfunc noinline __used
#endif
#ifndef BTF_KFUNCS_START
#define BTF_KFUNCS_START(name) BTF_SET8_START(name)
#define BTF_KFUNCS_END(name) BTF_SET8_END(name)
#endif

__bpf_kfunc u64 sealane_twice(u64 value);

__bpf_kfunc u64 sealane_twice(u64 value)
{
	return 2 * value;
}

BTF_KFUNCS_START(kfuncs)
BTF_ID_FLAGS(func, sealane_twice)
BTF_KFUNCS_END(kfuncs)

static const struct btf_kfunc_id_set kfunc_set = {
	.owner = THIS_MODULE,
	.set = &kfuncs,
};

static int __init sealane_init(void)
{
	int err;

	err = register_btf_kfunc_id_set(BPF_PROG_TYPE_XDP, &kfunc_set);
	if (!err)
		err = register_btf_kfunc_id_set(BPF_PROG_TYPE_SCHED_CLS,
						&kfunc_set);
	return err;
}

static void __exit sealane_exit(void)
{
}

module_init(sealane_init);
module_exit(sealane_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Sealane: the gateway's stopwatch");
MODULE_VERSION(SL_VERSION);
