/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The least round trip that light in fibre allows. Light in silica goes at c / n with
 * a group index of about 1.468 (ITU-T G.652 fibre), some 2/3 of c: 200 km/ms.
 */
#ifndef SL_FLOOR_H
#define SL_FLOOR_H

#include "config.h"

/* There and back over so many km of fibre, in ns. */
double sl_fibre_rtt_ns(double km);
/* Between two places along the surface of a sphere of the Earth's mean radius
 * (6371.0088 km, IUGG), by the haversine formula: at most 0.56 % off on the
 * ellipsoid. */
double sl_great_circle_km(const struct sl_place *a, const struct sl_place *b);

enum sl_floor_source { SL_FLOOR_NONE, SL_FLOOR_CABLE, SL_FLOOR_CIRCLE };

/* Of a lane: by its cable's length where that is stated, else by the great circle
 * from the gateway. 0 and SL_FLOOR_NONE: neither is known. */
uint64_t sl_lane_floor_ns(const struct sl_config *cfg,
			  const struct sl_config_lane *lane,
			  enum sl_floor_source *source);

#endif
