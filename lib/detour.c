// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <string.h>
#include "detour.h"
#include "floor.h"

static bool may_take(const struct sl_detour *d, const struct sl_config_lane *l)
{
	unsigned int i;

	for (i = 0; i < d->n_lanes; i++)
		if (!strcmp(d->lanes[i], l->name))
			return true;
	return !d->n_lanes;
}

uint64_t sl_detour_rtt_ns(const struct sl_config *cfg, const struct sl_detour *d,
			  const struct sl_config_lane *lane)
{
	if (!may_take(d, lane))
		return 0;
	if (d->rtt_ns)
		return d->rtt_ns;
	if (d->km > 0)
		return sl_fibre_rtt_ns(d->km);
	if (!d->via.known || !cfg->gateway.at.known || !lane->at.known)
		return 0;
	return sl_fibre_rtt_ns(sl_great_circle_km(&cfg->gateway.at, &d->via) +
			       sl_great_circle_km(&d->via, &lane->at));
}

static bool fits(uint64_t rtt_ns, uint64_t least_ns)
{
	double plus_ns = (double)rtt_ns - least_ns;
	double over_ns = least_ns * (SL_FIT_OVER_PPM / 1e6);

	return plus_ns >= -(least_ns * (SL_FIT_UNDER_PPM / 1e6)) &&
	       plus_ns <= (over_ns > SL_FIT_OVER_NS ? over_ns : SL_FIT_OVER_NS);
}

/* Into the order of how well; what is beyond SL_FITS is the worst. */
static unsigned int put(struct sl_fit all[SL_FITS], unsigned int n,
			struct sl_fit one)
{
	unsigned int i;

	if (n == SL_FITS) {
		if (llabs(one.plus_ns) >= llabs(all[n - 1].plus_ns))
			return n;
		n--;
	}
	for (i = n; i && llabs(one.plus_ns) < llabs(all[i - 1].plus_ns); i--)
		all[i] = all[i - 1];
	all[i] = one;
	return n + 1;
}

unsigned int sl_detour_fits(const struct sl_config *cfg,
			    const struct sl_config_lane *lane, uint64_t rtt_ns,
			    struct sl_fit out[SL_FITS])
{
	unsigned int i, n = 0;
	uint64_t least_ns;

	for (i = 0; i < cfg->n_detours; i++) {
		least_ns = sl_detour_rtt_ns(cfg, &cfg->detours[i], lane);
		if (least_ns && fits(rtt_ns, least_ns))
			n = put(out, n, (struct sl_fit){
				.name = cfg->detours[i].name,
				.plus_ns = (int64_t)(rtt_ns - least_ns) });
	}
	return n;
}
