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
/* A residence of a series. Any context; what finds no series left is counted for
 * lane 0. */
void slk_series_add(u64 key, u64 ns);
/* A packet that was asked about and not heard of, or not asked about since too
 * many were waited for. */
void slk_series_lost(u64 key);
void slk_series_busy(u64 key);
/* The first series in use at or behind r->from, its extremes since the last call:
 * 0 with all but r->hist, or -ENOENT. */
int slk_series_read(struct slk_read *r, struct sl_hist *out);

#endif
