/* SPDX-License-Identifier: GPL-2.0 */
/* What was asked for and what became of it; shown in debugfs. */
#ifndef SLK_STATS_H
#define SLK_STATS_H

#include <sealane/kmod.h>

int slk_stats_init(void);
void slk_stats_exit(void);
void slk_stats_add(enum slk_stat which, u64 n);
static inline void slk_stats_count(enum slk_stat which)
{
	slk_stats_add(which, 1);
}

/* All that the device tells. */
void slk_stats_read(struct slk_info *info);

#endif
