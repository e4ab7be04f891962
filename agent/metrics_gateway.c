// SPDX-License-Identifier: GPL-2.0
/* The gateway itself: how its own time is taken, the module, clocks of NICs; and
 * who announces FlowSpec rules to it. */
#include <string.h>
#include "flowspec_priv.h"
#include "metrics.h"
#include "module.h"
#include "names.h"

static void put_residence(struct agent *a, struct sl_expose *x)
{
	struct sl_chooser c;
	uint64_t n[4];
	int i;

	sl_dp_read_choosers(a->dp, &c);
	n[0] = c.seen;
	n[1] = c.chosen;
	n[2] = c.left;
	n[3] = c.elsewhere;
	sl_expose_family(x, "sealane_residence_packets_total", SL_COUNTER, NULL,
			 "Packets from home that could be timed on their way "
			 "through the gateway; that were; that left outside; or "
			 "elsewhere.");
	for (i = 0; i < 4; i++) {
		static const char *const stage[] = { "seen", "chosen", "left",
						     "elsewhere" };

		sl_expose_count(x, SL_LABELS({ "stage", stage[i] }), n[i]);
	}
	metrics_gauge(x, "sealane_residence_sample_every", NULL, "One packet of "
		      "so many is timed; 0: none.", sl_dp_transits(a->dp));
}

/* --- the module --- */
static void put_stamps(struct agent *a, struct sl_expose *x)
{
#define NAME(id, name) [SLK_S_##id] = name,
	static const char *const name[SLK_S_MAX] = { SLK_STATS(NAME) };
#undef NAME
	const struct slk_info *i = &a->module->info;
	int k;

	sl_expose_family(x, "sealane_module_stamps_total", SL_COUNTER, NULL,
			 "What became of transmit stamps: asked, given by "
			 "hardware or software, lost with a packet in a queue; "
			 "the others were not asked for.");
	for (k = 0; k <= SLK_S_SERIES_FULL; k++)
		sl_expose_count(x, SL_LABELS({ "result", name[k] }),
				i->stat[k]);
	metrics_counter(x, "sealane_module_images_loaded_total", NULL,
			"Copies of the IPv6 table that the module took.",
			i->stat[SLK_S_IMAGES_LOADED]);
	metrics_counter(x, "sealane_module_images_refused_total", NULL,
			"Copies that it refused.",
			i->stat[SLK_S_IMAGES_REFUSED]);
	metrics_gauge(x, "sealane_module_pending_stamps", NULL,
		      "Stamps that are waited for.", i->pending);
	metrics_gauge(x, "sealane_module_image_bytes", "bytes",
		      "Memory of the module's copies of the IPv6 table.",
		      i->image_b);
	metrics_gauge(x, "sealane_module_image_live", NULL, "1 where the live "
		      "IPv6 table is asked in the module.",
		      sl_dp_image(a->dp, sl_dp_epoch(a->dp)) != 0);
}

/* What its series miss: packets that never left had waited long. */
static void put_series_missed(struct agent *a, struct sl_expose *x)
{
	const struct module *m = a->module;
	uint32_t i;
	int busy;

	for (busy = 0; busy < 2; busy++) {
		sl_expose_family(x, busy ? "sealane_residence_unasked_total" :
				 "sealane_residence_lost_total", SL_COUNTER,
				 NULL, busy ? "Chosen packets whose stamp was "
				 "not asked for: too many were waiting." :
				 "Chosen packets that were never sent: dropped "
				 "in the gateway's own queue.");
		for (i = 0; i < m->n_series; i++) {
			const struct module_missed *s = &m->missed[i];
			const char *lane = metrics_lane(a,
						SL_SERIES_LANE(s->key));
			const char *path = metrics_path(a,
						SL_SERIES_PATH(s->key));

			if (!s->key || !lane || !path)
				continue;
			sl_expose_count(x, SL_LABELS({ "lane", lane },
				{ "path", path }, { "method",
				sl_method_name(SL_SERIES_METHOD(s->key)) }),
				busy ? s->busy : s->lost);
		}
	}
}

static void put_module(struct agent *a, struct sl_expose *x)
{
	metrics_gauge(x, "sealane_module_loaded", NULL, "1 where the kernel "
		      "module is loaded.", a->module->loaded != 0);
	metrics_gauge(x, "sealane_module_used", NULL, "1 where it is used.",
		      module_used(a));
	if (!module_used(a))
		return;
	put_stamps(a, x);
	put_series_missed(a, x);
}

/* --- clocks of NICs that stamp --- */
static void put_clock(struct agent *a, struct sl_expose *x, const char *key,
		      double scale)
{
	struct json_object *doc, *v;
	unsigned int i, k;

	for (i = 0; i < a->n_ports; i++) {
		const struct port *p = &a->ports[i];

		for (k = 0; k < i && a->ports[k].ifindex != p->ifindex; k++)
			;
		doc = k == i ? clock_doc(a, p->ifindex) : NULL;
		if (doc && json_object_object_get_ex(doc, key, &v) && v)
			sl_expose_value(x, SL_LABELS({ "interface",
				p->cfg.name }), json_object_get_double(v) *
				scale);
		json_object_put(doc);
	}
}

static void put_clocks(struct agent *a, struct sl_expose *x)
{
	sl_expose_family(x, "sealane_nic_clock_error_seconds", SL_GAUGE,
			 "seconds", "How well the clock of a NIC that stamps is "
			 "known.");
	put_clock(a, x, "error_ns", 1e-9);
	sl_expose_family(x, "sealane_nic_clock_rate_error_ratio", SL_GAUGE,
			 "ratio", "By how much it runs fast.");
	put_clock(a, x, "ppb", 1e-9);
}

/* --- BGP neighbours --- */
static void put_neighbours(struct agent *a, struct sl_expose *x)
{
	const struct flowspec *fs = a->flowspec;
	unsigned int i;

	sl_expose_family(x, "sealane_flowspec_neighbour_up", SL_GAUGE, NULL,
			 "1 where a neighbour that announces rules is there; its "
			 "rules stay for a while after it.");
	for (i = 0; i < fs->count; i++)
		sl_expose_value(x, SL_LABELS({ "neighbour", fs->n[i]->name }),
				fs->n[i]->up);
	sl_expose_family(x, "sealane_flowspec_routes", SL_GAUGE, NULL,
			 "Routes that it announces.");
	for (i = 0; i < fs->count; i++)
		sl_expose_count(x, SL_LABELS({ "neighbour", fs->n[i]->name }),
				fs->n[i]->routes.n);
	sl_expose_family(x, "sealane_flowspec_enforced_routes", SL_GAUGE, NULL,
			 "Of these: in force.");
	for (i = 0; i < fs->count; i++)
		sl_expose_count(x, SL_LABELS({ "neighbour", fs->n[i]->name }),
				neighbour_enforced(fs->n[i]));
	sl_expose_family(x, "sealane_flowspec_over_limit_total", SL_COUNTER,
			 NULL, "Announcements beyond a neighbour's limit.");
	for (i = 0; i < fs->count; i++)
		sl_expose_count(x, SL_LABELS({ "neighbour", fs->n[i]->name }),
				fs->n[i]->over);
}

void metrics_gateway(struct agent *a, struct sl_expose *x)
{
	put_residence(a, x);
	put_module(a, x);
	put_clocks(a, x);
	put_neighbours(a, x);
}
