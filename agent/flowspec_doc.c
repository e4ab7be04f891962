// SPDX-License-Identifier: GPL-2.0
/* GET flowspec: sources, neighbours, and every route with what became of it. */
#include <stdio.h>
#include <string.h>
#include "duration.h"
#include "flowspec_priv.h"
#include "rules.h"

static struct json_object *source_doc(const struct source *s)
{
	struct json_object *o = json_object_new_object();

	put_text(o, "source", s->name);
	put_bool(o, "live", s->live);
	put_int(o, "pid", s->pid);
	put_time(o, "since", s->since_ns);
	return o;
}

static const char *reason(const struct flow_route *fr)
{
	return !fr->usable ? fr->why : fr->now[0] ? fr->now : NULL;
}

static struct json_object *neighbour_doc(const struct neighbour *n)
{
	struct json_object *o = json_object_new_object();
	unsigned int i, refused = 0;

	for (i = 0; i < n->routes.n; i++)
		refused += reason(n->routes.r[i]->more) != NULL;
	put_text(o, "neighbour", n->name);
	put_text(o, "source", n->source);
	put_text(o, "state", neighbour_state(n));
	put_int(o, "routes", n->routes.n);
	put_int(o, "enforced", neighbour_enforced(n));
	put_int(o, "refused", refused);
	put_int(o, "over_limit", n->over);
	put_int(o, "limit", n->limit);
	put_int(o, "grace_s", n->grace_ns / 1000000000);
	put_time(o, "until", n->up ? n->stale_until_ns : n->routes.n ?
		 n->deadline_ns : 0);
	put_bool(o, "held", n->up && n->held && n->held == n->session);
	put_time(o, "changed", n->changed_ns);
	return o;
}

/* What it matches, as far as it can be read. */
static void put_match(struct json_object *o, const struct sl_route *r,
		      const struct flow_route *fr)
{
	char text[SL_FLOWSPEC_TEXT_B], addr[SL_PREFIX_STR_B];
	struct sl_prefix p;

	if (r->kind == SL_BGP_FLOWSPEC && fr->f.raw_b)
		put_text(o, "match", sl_flowspec_text(&fr->f, text));
	else if (r->kind == SL_BGP_RTBH &&
		 !sl_bgp_prefix(r->family, r->bytes, r->key_b, &p))
		put_text(o, "match", sl_prefix_str(&p, addr));
	else
		put_null(o, "match");
}

static struct json_object *route_doc(const struct agent *a,
				     const struct neighbour *n,
				     const struct sl_route *r)
{
	const struct flow_route *fr = r->more;
	struct json_object *o = json_object_new_object();
	char hex[2 * SL_FLOWSPEC_MAX_B + 1], text[SL_FLOWSPEC_TEXT_B];

	put_text(o, "id", fr->usable ? fr->rule.id : NULL);
	put_text(o, "neighbour", n->name);
	put_text(o, "kind", r->kind == SL_BGP_FLOWSPEC ? "flowspec" : "rtbh");
	put_int(o, "family", r->family);
	put_text(o, "nlri", sl_hex(r->bytes, r->key_b, hex));
	put_match(o, r, fr);
	put_text(o, "action", r->kind == SL_BGP_RTBH ? "blackhole" :
		 fr->f.raw_b ? sl_flowspec_action_text(&fr->actions, text) :
		 NULL);
	put_text(o, "rule", !fr->usable ? NULL :
		 fr->rule.action == SL_ACT_DROP ? "drop" :
		 fr->rule.action == SL_ACT_LIMIT ? "limit" : "count");
	put_bool(o, "enforced", fr->slot >= 0);
	put_text(o, "reason", reason(fr));
	put_bool(o, "stale", r->stale || !n->up);
	put_time(o, "at", r->at_ns);
	if (fr->slot >= 0) {
		rules_put_counters(a, fr->slot, o);
		return o;
	}
	put_int(o, "packets", 0);
	put_int(o, "bytes", 0);
	put_int(o, "over_packets", 0);
	put_null(o, "last_hit");
	return o;
}

struct json_object *flowspec_doc(struct agent *a)
{
	const struct flowspec *fs = a->flowspec;
	struct json_object *o = json_object_new_object();
	struct json_object *sources = json_object_new_array();
	struct json_object *neighbours = json_object_new_array();
	struct json_object *rules = json_object_new_array();
	unsigned int i, k;

	for (i = 0; i < fs->n_sources; i++)
		json_object_array_add(sources, source_doc(&fs->s[i]));
	for (i = 0; i < fs->count; i++) {
		json_object_array_add(neighbours, neighbour_doc(fs->n[i]));
		for (k = 0; k < fs->n[i]->routes.n; k++)
			json_object_array_add(rules, route_doc(a, fs->n[i],
					      fs->n[i]->routes.r[k]));
	}
	put_int(o, "generation", a->generation);
	put_bool(o, "pending", fs->start_ns || fs->building);
	put_text(o, "failed", fs->failed[0] ? fs->failed : NULL);
	json_object_object_add(o, "sources", sources);
	json_object_object_add(o, "neighbours", neighbours);
	json_object_object_add(o, "rules", rules);
	return o;
}
