// SPDX-License-Identifier: GPL-2.0
/* `status` and `explain`. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "agent.h"
#include "duration.h"
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
	uint32_t groups, hosts, nodes, used, confirmed, slot, series = 0;

	sl_dp_fib_usage(a->dp, &groups, &hosts, &nodes);
	sl_dp_flow_usage(a->dp, &used, &confirmed);
	for (slot = 0; slot < s->n_series; slot++)
		series += sl_dp_series_key(a->dp, slot) != 0;
	put_int(o, "groups4", groups);
	put_int(o, "groups4_max", s->fib_groups);
	put_int(o, "hosts4", hosts);
	put_int(o, "hosts4_max", (int64_t)s->fib_buckets *
		SL_FIB_BUCKET_HOSTS);
	put_int(o, "nodes6", nodes);
	put_int(o, "nodes6_max", s->fib_nodes);
	put_int(o, "flows_used", used);
	put_int(o, "flows_confirmed", confirmed);
	put_int(o, "flows_max", (int64_t)s->n_flow_sets * SL_FLOW_WAYS);
	put_int(o, "series_used", series);
	put_int(o, "series_max", s->n_series);
	put_int(o, "map_bytes", sl_dp_map_bytes(a->dp));
	put_int(o, "blocks", a->blocks.n);
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
	put_null(o, "module");
	for (i = 0; i < a->n_ports; i++)
		json_object_array_add(list, port_doc(a, &a->ports[i]));
	json_object_object_add(o, "interfaces", list);
	json_object_object_add(o, "reasons", reasons_doc(a));
	json_object_object_add(o, "missed", missed_doc(a));
	json_object_object_add(o, "tables", tables_doc(a));
	return o;
}

/* The configured prefix that decides an address's lane: the longest. */
static const struct sl_prefix *deciding(const struct agent *a, uint32_t lane,
					const struct sl_prefix *addr)
{
	const struct sl_prefix *best = NULL, *list = NULL;
	unsigned int i, k, n = 0;

	if (lane == SL_LANE_HOME) {
		list = a->cfg->home;
		n = a->cfg->n_home;
	}
	for (i = 0; i < a->cfg->n_lanes; i++)
		if (a->lane_id[i] == lane) {
			list = a->cfg->lanes[i].prefixes;
			n = a->cfg->lanes[i].n_prefixes;
		}
	for (k = 0; k < n; k++)
		if (sl_prefix_covers(&list[k], addr) &&
		    (!best || list[k].len > best->len))
			best = &list[k];
	return best;
}

static bool is_protected(const struct agent *a, const struct sl_prefix *addr)
{
	unsigned int i;

	for (i = 0; i < a->cfg->n_protect; i++)
		if (sl_prefix_covers(&a->cfg->protect[i], addr))
			return true;
	return false;
}

/* Blocks that cover the address; true in *drops when one drops. */
static struct json_object *matching_blocks(const struct agent *a,
					   const struct sl_prefix *addr,
					   bool *drops)
{
	struct json_object *list = json_object_new_array();
	unsigned int i;

	for (i = 0; i < a->blocks.n; i++) {
		const struct block *b = &a->blocks.b[i];

		if (!sl_prefix_covers(&b->prefix, addr))
			continue;
		*drops |= b->action == SL_ACT_DROP &&
			  (!b->until_ns || b->until_ns > sl_now_ns());
		json_object_array_add(list, block_doc(a, b));
	}
	return list;
}

static struct json_object *lane_rows(const struct agent *a, const char *name)
{
	struct latency_query q = { .lanes = { name }, .n_lanes = 1 };
	struct json_object *doc, *rows = NULL;
	struct refusal r = {};

	doc = query_latency(a, &q, &r);
	if (doc && json_object_object_get_ex(doc, "rows", &rows))
		json_object_get(rows);
	json_object_put(doc);
	json_object_put(r.items);
	return rows ? rows : json_object_new_array();
}

struct json_object *explain_doc(struct agent *a, const char *addr,
				struct refusal *r)
{
	struct json_object *o, *blocks;
	const struct sl_prefix *by;
	char text[SL_PREFIX_STR_B];
	struct sl_prefix p;
	const char *why, *name;
	bool drops = false, safe;
	uint32_t lane;

	if (sl_prefix_parse(addr, &p, &why) || strchr(addr, '/')) {
		refuse(r, 400, "give one IPv4 or IPv6 address", "%s is no "
		       "address", addr);
		return NULL;
	}
	lane = SL_ENTRY_LANE(sl_dp_lookup(a->dp, p.family, p.addr));
	by = deciding(a, lane, &p);
	safe = is_protected(a, &p);
	blocks = matching_blocks(a, &p, &drops);
	name = lane == SL_LANE_HOME ? "home" : lane && lane < SL_MAX_LANES ?
	       a->lane_name[lane] : "other";
	o = json_object_new_object();
	put_text(o, "addr", sl_prefix_str(&p, text));
	put_bool(o, "home", lane == SL_LANE_HOME);
	put_text(o, "lane", name);
	put_text(o, "lane_prefix", by ? sl_prefix_str(by, text) : NULL);
	put_text(o, "lane_source", by ? "configuration" : NULL);
	put_bool(o, "protected", safe);
	put_text(o, "verdict", drops && !safe && !sl_dp_bypass(a->dp) ?
		 "drop" : "pass");
	json_object_object_add(o, "blocks", blocks);
	json_object_object_add(o, "latency", lane == SL_LANE_HOME ?
			       json_object_new_array() : lane_rows(a, name));
	return o;
}
