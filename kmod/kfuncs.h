/* SPDX-License-Identifier: GPL-2.0 */
/* What BPF programs may call. A program that does holds the module. */
#ifndef SLK_KFUNCS_H
#define SLK_KFUNCS_H

#include <linux/bpf.h>
#include <linux/btf.h>

#ifndef __bpf_kfunc
#define __bpf_kfunc __used noinline
#endif

/* Nobody calls them by name: BPF programs do, by BTF id. */
__bpf_kfunc int sealane_tx_stamp(struct __sk_buff *ctx, u64 arrived_ns,
				 u32 lane, u32 path);
__bpf_kfunc u32 sealane_lookup6(u32 handle, u64 hi, u64 lo);

int slk_kfuncs_init(void);

#endif
