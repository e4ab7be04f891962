/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The round trips of the last so many minutes or hours: a ring of up to PARTS packed
 * sketches and their sum, so that what is new is added, what is too old taken off, and
 * a look costs nothing. It reaches back by its length and at most a part more. Of 60
 * buckets in use a part takes half a kilobyte.
 */
#ifndef SL_ROLLING_H
#define SL_ROLLING_H

#include <sealane/abi.h>
#include <stdbool.h>
#include <stdint.h>

#define SL_ROLLING_PARTS	60
#define SL_ROLLING_PART_NS	2000000000ULL	/* none is shorter */

struct sl_rolling_part;		/* a sketch, packed */

struct sl_rolling {
	uint64_t over_ns;
	struct sl_rolling_part *part[SL_ROLLING_PARTS];
	unsigned int first, n;
	struct sl_hist sum;		/* of the parts */
	struct sl_hist now;		/* the part that fills */
	uint64_t now_from_ns;		/* 0: nothing yet */
	uint64_t seen_ns;		/* since when there was always something */
};

void sl_rolling_init(struct sl_rolling *r, uint64_t over_ns);
void sl_rolling_free(struct sl_rolling *r);
uint64_t sl_rolling_part_len_ns(const struct sl_rolling *r);
/* What was measured just now, and what is too old by now; h may be NULL. now_ns: of a
 * clock that only goes forward, never 0. */
void sl_rolling_add(struct sl_rolling *r, uint64_t now_ns,
		    const struct sl_hist *h);
/* All of it, with its extremes. */
void sl_rolling_sum(const struct sl_rolling *r, struct sl_hist *out);

#endif
