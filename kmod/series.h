/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Residences by lane, path and source, as schema-5 histograms. Some hundred
 * samples a second: one pool and one lock, not a row for each CPU.
 */
#ifndef SLK_SERIES_H
#define SLK_SERIES_H

#include <sealane/kmod.h>

int slk_series_init(void);
void slk_series_exit(void);
/* Any context. -ENOSPC: no series is left for this key. */
int slk_series_add(u64 key, u64 ns);
/* The first series in use at or behind `from`, its extremes since the last
 * call: its slot, or -ENOENT. */
int slk_series_read(u32 from, u64 *key, struct sl_hist *out);

#endif
