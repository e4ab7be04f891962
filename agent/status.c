// SPDX-License-Identifier: GPL-2.0
/* `status`. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "agent.h"
#include "duration.h"
#include "module.h"
#include "names.h"

static struct json_object *agent_doc(const struct agent *a)
{
	struct json_object *o = json_object_new_object();

	put_text(o, "version", SL_VERSION);
	put_int(o, "pid", getpid());
	put_time(o, "started", a->started_ns);
	put_int(o, "uptime_s", (sl_now_ns() - a->started_ns) / 1000000000);
	put_text(o, "config", a->config_path);
	put_text(o, "origin", sl_dp_origin(a->dp) == SL_DP_ADOPTED ?
		 "adopted" : "fresh");
	return o;
}

/* All slots together, slot 0 (packets of no port) too. */
static struct json_object *reasons_doc(const struct agent *a)
{
	struct json_object *o = json_object_new_object(), *one;
	uint64_t packets[SL_R_MAX] = {}, bytes[SL_R_MAX] = {};
	struct sl_port_ctr ctr;
	int slot, i;

	for (slot = 0; slot < SL_MAX_SLOTS; slot++) {
		sl_dp_read_port(a->dp, slot, &ctr);
		for (i = 0; i < SL_R_MAX; i++) {
			packets[i] += ctr.packets[i];
			bytes[i] += ctr.bytes[i];
		}
	}
	for (i = 0; i < SL_R_MAX; i++) {
		one = json_object_new_object();
		put_int(one, "packets", packets[i]);
		put_int(one, "bytes", bytes[i]);
		json_object_object_add(o, sl_reason_name(i), one);
	}
	return o;
}

static struct json_object *missed_doc(const struct agent *a)
{
	struct json_object *o = json_object_new_object();
	uint64_t sum[SL_MISS_MAX] = {};
	struct sl_lane_miss m;
	int lane, i;

	for (lane = 0; lane < SL_MAX_LANES; lane++) {
		sl_dp_read_miss(a->dp, lane, &m);
		for (i = 0; i < SL_MISS_MAX; i++)
			sum[i] += m.n[i];
	}
	for (i = 0; i < SL_MISS_MAX; i++)
		put_int(o, sl_miss_name(i), sum[i]);
	return o;
}

static struct json_object *tables_doc(const struct agent *a)
{
	struct json_object *o = json_object_new_object();
	const struct sl_settings *s = sl_dp_settings(a->dp);
	const struct sl_fib_image *img = sl_dp_live(a->dp);
	uint32_t used, confirmed, slot, series = 0;
	uint64_t prefixes = a->base->n4 + a->base->n6;

	sl_dp_flow_usage(a->dp, &used, &confirmed);
	for (slot = 0; slot < s->n_series; slot++)
		series += sl_dp_series_key(a->dp, slot) != 0;
	put_text(o, "size", a->cfg->tables.size);
	put_int(o, "prefixes", prefixes + a->blocks.n);
	put_int(o, "lines4", img->lines);
	put_int(o, "lines4_max", s->fib_lines);
	put_int(o, "hosts4", img->hosts);
	put_int(o, "hosts4_max", (int64_t)s->fib_buckets *
		SL_FIB_BUCKET_HOSTS);
	put_int(o, "nodes6", img->nodes);
	put_int(o, "nodes6_max", s->fib_nodes);
	put_int(o, "leaves6", img->leaves);
	put_int(o, "leaves6_max", s->fib_leaves);
	put_int(o, "fib_bytes", 2 * sl_fib_size_bytes(&img->room));
	put_int(o, "flows_used", used);
	put_int(o, "flows_confirmed", confirmed);
	put_int(o, "flows_max", (int64_t)s->n_flow_sets * SL_FLOW_WAYS);
	put_int(o, "series_used", series);
	put_int(o, "series_max", s->n_series);
	put_int(o, "map_bytes", sl_dp_map_bytes(a->dp));
	put_int(o, "blocks", a->blocks.n);
	put_int(o, "lists", a->lists.n);
	return o;
}

struct json_object *status_doc(struct agent *a)
{
	struct json_object *o = json_object_new_object();
	struct json_object *list = json_object_new_array();
	unsigned int i;

	json_object_object_add(o, "agent", agent_doc(a));
	put_int(o, "generation", a->generation);
	put_int(o, "epoch", sl_dp_epoch(a->dp));
	put_bool(o, "bypass", sl_dp_bypass(a->dp));
	json_object_object_add(o, "bypassed", bypass_doc(a));
	json_object_object_add(o, "module", a->module->loaded ?
			       module_doc(a) : NULL);
	json_object_object_add(o, "residence", residence_doc(a));
	for (i = 0; i < a->n_ports; i++)
		json_object_array_add(list, port_doc(a, &a->ports[i]));
	json_object_object_add(o, "interfaces", list);
	json_object_object_add(o, "reasons", reasons_doc(a));
	json_object_object_add(o, "missed", missed_doc(a));
	json_object_object_add(o, "lanes", lanes_doc(a));
	json_object_object_add(o, "tables", tables_doc(a));
	json_object_object_add(o, "jobs", jobs_doc(a));
	return o;
}
