/* SPDX-License-Identifier: GPL-2.0 */
/* Stands before the kernel's header of the same name, for engine.c: a context
 * whose addresses have all their bits. */
#ifndef SL_NATIVE_LINUX_BPF_H
#define SL_NATIVE_LINUX_BPF_H

#define xdp_md xdp_md_of_bpf
#include_next <linux/bpf.h>
#undef xdp_md

struct xdp_md {
	unsigned long data;
	unsigned long data_end;
	__u32 ingress_ifindex;
};

#endif
