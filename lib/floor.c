// SPDX-License-Identifier: GPL-2.0
#include <math.h>
#include "floor.h"

#define LIGHT_KM_PER_S	299792.458
#define FIBRE_KM_PER_S	(LIGHT_KM_PER_S * 2 / 3)
#define EARTH_KM	6371.0088

double sl_fibre_rtt_ns(double km)
{
	return 2 * km / FIBRE_KM_PER_S * 1e9;
}

/* R. W. Sinnott, Virtues of the Haversine, Sky & Telescope 68 (1984): exact for
 * small distances too. */
double sl_great_circle_km(const struct sl_place *a, const struct sl_place *b)
{
	const double rad = M_PI / 180;
	double north = sin((b->lat_deg - a->lat_deg) * rad / 2);
	double east = sin((b->lon_deg - a->lon_deg) * rad / 2);
	double h = north * north + cos(a->lat_deg * rad) *
		   cos(b->lat_deg * rad) * east * east;

	return 2 * EARTH_KM * asin(sqrt(h < 1 ? h : 1));
}

uint64_t sl_lane_floor_ns(const struct sl_config *cfg,
			  const struct sl_config_lane *lane,
			  enum sl_floor_source *source)
{
	enum sl_floor_source none, *from = source ? source : &none;

	*from = SL_FLOOR_NONE;
	if (lane->cable_km > 0) {
		*from = SL_FLOOR_CABLE;
		return sl_fibre_rtt_ns(lane->cable_km);
	}
	if (!cfg->gateway.at.known || !lane->at.known)
		return 0;
	*from = SL_FLOOR_CIRCLE;
	return sl_fibre_rtt_ns(sl_great_circle_km(&cfg->gateway.at, &lane->at));
}
