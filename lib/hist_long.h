/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Histograms as counters that never wrap. The data plane counts a bucket in 32 bits,
 * of which a busy lane uses up all in days; a server would take that for a restart
 * and add everything once more. So a series that has seen half as many samples gets
 * buckets of 64 bits, which take over what was added since the last time.
 */
#ifndef SL_HIST_LONG_H
#define SL_HIST_LONG_H

#include "expose.h"

struct sl_hist_long;

/*
 * What a cumulative histogram has become; *state (NULL at first, free() at last) is
 * this series'. A bucket that went round between two calls, or before the first one,
 * is lost: the series then begins anew from there, as a counter may, and never counts
 * anything twice.
 */
void sl_hist_lengthen(struct sl_hist_long **state, const struct sl_hist *now,
		      struct sl_expose_hist *out);

#endif
