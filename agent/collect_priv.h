/* SPDX-License-Identifier: GPL-2.0 */
/* What collect.c (reading the data plane), collect_show.c (for those who ask) and
 * collect_hand.c (to history) share. */
#ifndef SL_COLLECT_PRIV_H
#define SL_COLLECT_PRIV_H

#include <sealane/kmod.h>
#include "collect.h"
#include "kept.h"

#define FINE_MAX 256		/* seconds, and some more */

/* What was measured between two readings. */
struct fine {
	uint64_t step_ns;		/* the step it belongs to */
	uint64_t from_ns, to_ns;	/* wall clock */
	uint8_t *b;			/* records */
	size_t len;
};

struct extreme {
	uint64_t min_ns, max_ns;
};

/* A series of the module's. */
struct module_series {
	uint64_t key;
	struct sl_hist base;		/* as last read */
	struct sl_hist step;		/* of this step so far */
};

#define MARK_NOW	1		/* grew in this step */
#define MARK_BEFORE	2		/* grew in the one before */

struct collect {
	struct fine fine[FINE_MAX];	/* a ring */
	unsigned int first, n_fine;
	struct ring_pen pen;
	uint64_t last_ns, last_mono_ns;	/* of the last reading */
	uint64_t step_ns, step_from_ns;	/* that is being filled; 0: none */
	bool unmarked;			/* dirty marks tell nothing yet */
	bool stale;			/* kept counters are older than marks */
	uint32_t n_series;
	struct sl_hist *base;		/* as last read, by slot */
	struct sl_lane_ctr *lane_base;	/* by path and lane */
	uint8_t *mark;			/* by slot: MARK_* */
	struct extreme *extreme;	/* of this step, by slot */
	struct module_series *module[SLK_SERIES];	/* NULL: not seen yet */
	uint64_t module_instance;	/* whose they are */
	struct kept *kept;
	struct hand *hand;		/* NULL: nothing is asked */
};

void drop_fine(struct collect *c);

#endif
