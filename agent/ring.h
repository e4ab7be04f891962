/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What was measured in one second or one step, as bytes: records one behind the
 * other, numbers as LEB128, of a histogram only the buckets that grew. A series
 * that saw 20 round trips takes some 50 bytes instead of 2,880.
 */
#ifndef SL_RING_H
#define SL_RING_H

#include "agent.h"
#include "hist.h"

/* Records being written; zeroed at first, kept from use to use. */
struct ring_pen {
	uint8_t *b;
	size_t len, room;
	bool failed;			/* no memory: what was written is a part */
};

void ring_put_series(struct ring_pen *p, uint64_t key,
		     const struct sl_hist_sparse *h);
void ring_put_lane(struct ring_pen *p, uint32_t path, uint32_t lane,
		   const struct sl_lane_ctr *c);
void ring_put_prefix(struct ring_pen *p, uint32_t path, uint32_t lane,
		     const struct sl_prefix *prefix,
		     const struct sl_hist_sparse *h);

/* Who reads them; a NULL skips its kind. A histogram is the callee's only until
 * it returns. */
struct ring_eye {
	collect_series_fn series;
	collect_lane_fn lane;
	void (*prefix)(void *arg, uint32_t path, uint32_t lane,
		       const struct sl_prefix *prefix, const struct sl_hist *h);
	void *arg;
};

/* 0, or -EINVAL: these bytes are no records (the whole ones were shown). */
int ring_read(const uint8_t *b, size_t len, const struct ring_eye *eye);

#endif
