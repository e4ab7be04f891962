// SPDX-License-Identifier: GPL-2.0
/* `explain`: what holds at an address, and who said so. */
#include <string.h>
#include "agent.h"
#include "duration.h"
#include "rule_file.h"
#include "names.h"
#include "query.h"

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

/* Lists that cover the address, each with the prefix that does. */
static struct json_object *matching_lists(const struct agent *a,
					  const struct sl_prefix *addr,
					  bool *drops)
{
	struct json_object *list = json_object_new_array(), *o;
	char text[SL_PREFIX_STR_B];
	struct sl_prefix which;
	unsigned int i;

	for (i = 0; i < a->lists.n; i++) {
		const struct list *l = a->lists.l[i];

		if (!sl_pset_covers(&l->set, addr, &which))
			continue;
		*drops = true;
		o = json_object_new_object();
		put_text(o, "name", l->name);
		put_text(o, "prefix", sl_prefix_str(&which, text));
		put_int(o, "generation", l->generation);
		put_text(o, "why", l->why);
		json_object_array_add(list, o);
	}
	return list;
}

/* The last samples of the address: a table that forgets, so there may be none. */
static struct json_object *recent_doc(const struct agent *a,
				      const struct sl_prefix *addr)
{
	struct json_object *list = json_object_new_array(), *o;
	struct sl_recent r;
	uint64_t w, ago_ns;
	int i;

	if (!sl_dp_read_recent(a->dp, addr->family, addr->addr, &r))
		return list;
	for (i = 0; i < 2; i++) {
		w = r.s[i].what;
		if (!r.s[i].time_ns)
			continue;
		ago_ns = sl_mono_ns() - r.s[i].time_ns;
		o = json_object_new_object();
		put_time(o, "time", sl_now_ns() - ago_ns);
		put_text(o, "method", sl_method_name(SL_RECENT_METHOD(w)));
		put_text(o, "half", sl_half_name(SL_RECENT_HALF(w)));
		put_int(o, "rtt_ns", SL_RECENT_RTT_NS(w));
		put_text(o, "path", a->path_name[SL_RECENT_PATH(w) %
						 SL_MAX_PATHS]);
		if (r.s[i].tunnel)
			put_int(o, "tunnel", r.s[i].tunnel);
		else
			put_null(o, "tunnel");
		if (r.s[i].vlan)
			put_int(o, "vlan", r.s[i].vlan);
		else
			put_null(o, "vlan");
		json_object_array_add(list, o);
	}
	return list;
}

#define RULES_SHOWN 100

/* The rules that name an address, as source or as destination. */
static void add_naming(const struct agent *a, struct json_object *list,
		       sl_abv_set set, bool src)
{
	uint32_t named[RULES_SHOWN], slot, i, n;
	const struct sl_rule *r;
	struct sl_rule_ctr ctr;
	struct json_object *o;
	char text[256];

	n = sl_abv_naming(a->abv, set, src, named, RULES_SHOWN);
	for (i = 0; i < n; i++) {
		r = tables_rule(a, named[i], &slot);
		if (!r)
			continue;
		sl_dp_read_rule(a->dp, slot, &ctr);
		o = json_object_new_object();
		put_text(o, "id", r->id);
		put_text(o, "as", src ? "src" : "dst");
		put_text(o, "action", sl_rule_action_text(r, text,
							  sizeof(text)));
		put_text(o, "match", sl_rule_match_text(&r->match, text,
							sizeof(text)));
		put_text(o, "tag", r->tag);
		put_int(o, "packets", ctr.packets);
		json_object_array_add(list, o);
	}
}

static struct json_object *naming_rules(const struct agent *a, sl_abv_set set)
{
	struct json_object *list = json_object_new_array();

	add_naming(a, list, set, true);
	add_naming(a, list, set, false);
	return list;
}

/* The lane, and which layer and file decided it. */
static void put_lane(const struct agent *a, struct json_object *o,
		     const struct sl_heard *h, const char *name)
{
	char text[SL_PREFIX_STR_B];
	bool decided = h->lane_prefix.family;

	put_bool(o, "home", h->lane == SL_LANE_HOME);
	put_text(o, "lane", name);
	put_text(o, "lane_prefix", decided ?
		 sl_prefix_str(&h->lane_prefix, text) : NULL);
	put_text(o, "lane_layer", decided ? world_layer_name(h->layer) : NULL);
	put_text(o, "lane_source", decided ?
		 a->world->source[h->lane_source] : NULL);
}

struct json_object *explain_doc(struct agent *a, const char *addr,
				struct refusal *r)
{
	struct json_object *o, *blocks, *lists;
	struct sl_prefix p, which;
	char text[SL_PREFIX_STR_B];
	struct sl_heard heard;
	const char *why, *name;
	bool drops = false, safe;
	uint32_t lane;

	if (sl_prefix_parse(addr, &p, &why) || strchr(addr, '/')) {
		refuse(r, 400, "give one IPv4 or IPv6 address", "%s is no "
		       "address", addr);
		return NULL;
	}
	lane = SL_ENTRY_LANE(sl_dp_lookup(a->dp, p.family, p.addr));
	sl_rib_hear((struct sl_rib_pair){ .base = a->base,
		    .extra = a->extra, .abv = a->abv }, &p, &heard);
	safe = sl_rib_protects(a->base, &p, &which);
	blocks = matching_blocks(a, &p, &drops);
	lists = matching_lists(a, &p, &drops);
	name = lane == SL_LANE_HOME ? "home" : lane && lane < SL_MAX_LANES ?
	       a->lane_name[lane] : "other";
	o = json_object_new_object();
	put_text(o, "addr", sl_prefix_str(&p, text));
	put_lane(a, o, &heard, name);
	put_bool(o, "protected", safe);
	put_text(o, "verdict", drops && !safe && !sl_dp_bypass(a->dp) ?
		 "drop" : "pass");
	json_object_object_add(o, "rules", naming_rules(a, heard.set));
	json_object_object_add(o, "blocks", blocks);
	json_object_object_add(o, "lists", lists);
	json_object_object_add(o, "recent", recent_doc(a, &p));
	json_object_object_add(o, "latency", lane == SL_LANE_HOME ?
			       json_object_new_array() : query_lane(a, name));
	return o;
}
