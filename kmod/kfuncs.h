/* SPDX-License-Identifier: GPL-2.0 */
/* What BPF programs may call. A program that does holds the module. */
#ifndef SLK_KFUNCS_H
#define SLK_KFUNCS_H

int slk_kfuncs_init(void);

#endif
