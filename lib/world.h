/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a configuration says of addresses, with all the files it names: lanes
 * and home in their layers (operator > geofeed > MMDB > RIR), protected
 * prefixes.
 */
#ifndef SL_WORLD_H
#define SL_WORLD_H

#include "config.h"
#include "input.h"
#include "rib.h"

struct world {
	struct sl_rib *rib;		/* not sorted */
	char (*source)[256];		/* names, by an item's source number */
	unsigned int n_sources;		/* number 0: the configuration itself */
};

/*
 * Read everything. lane_id[i] is the number of cfg->lanes[i]; NULL: i + 1. 0,
 * or -EINVAL with the mistakes of every file (named in their messages), -ENOMEM.
 */
int world_load(const struct sl_config *cfg, const uint32_t *lane_id,
	       struct world **out, struct sl_mistakes *all);
void world_free(struct world *w);
/* "operator", "geofeed", "asn", "country", "rir". */
const char *world_layer_name(enum sl_lane_layer layer);

#endif
