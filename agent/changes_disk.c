// SPDX-License-Identifier: GPL-2.0
/*
 * What the detectors know, over a restart: changes.json in the state directory,
 * written anew once a minute, after each event and when something was learned, and
 * put in place of the former one by rename(2). Without it all is learned again. Names, not numbers: these may
 * come to mean others. What is older than a month is not taken up.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "changes_priv.h"
#include "duration.h"

#define OLD_NS		(30ULL * 86400 * 1000000000)
#define FORMAT		1

/* --- writing --- */
static struct json_object *base_doc(const struct sl_change_base *b)
{
	struct json_object *o = json_object_new_object();

	put_double(o, "p2_ns", b->p2_ns, 0);
	put_double(o, "p5_ns", b->p5_ns, 0);
	put_double(o, "p20_ns", b->p20_ns, 0);
	put_double(o, "spread_ns", b->spread_ns, 0);
	put_double(o, "scatter_ns", b->scatter_ns, 0);
	put_double(o, "loss", b->loss, 6);
	return o;
}

static struct json_object *hops_doc(const struct sl_hops *h)
{
	struct json_object *list = json_object_new_array(), *o;
	char prefix[SL_PREFIX_STR_B];
	unsigned int i;

	for (i = 0; h && i < SL_HOPS_PREFIXES; i++) {
		if (!h->p[i].prefix.family || h->p[i].base < 0)
			continue;
		o = json_object_new_object();
		put_text(o, "prefix", sl_prefix_str(&h->p[i].prefix, prefix));
		put_int(o, "hops", h->p[i].base);
		put_int(o, "limit", h->p[i].limit);
		put_double(o, "weight", h->p[i].weight, 0);
		json_object_array_add(list, o);
	}
	return list;
}

static struct json_object *way_doc(const struct agent *a, const struct way *w)
{
	struct json_object *o = json_object_new_object();

	put_text(o, "lane", changes_lane_name(a, w->lane));
	put_text(o, "path", a->path_name[w->path]);
	put_bool(o, "broken", w->broken);
	put_double(o, "former_ns", w->change.former_ns, 0);
	put_time(o, "changed", changes_wall_ns(w->change.changed_ns));
	json_object_object_add(o, "base", w->change.learned ?
			       base_doc(&w->change.base) : NULL);
	json_object_object_add(o, "hops", hops_doc(w->hops));
	return o;
}

static struct json_object *shares_doc(const struct agent *a,
				      const struct sl_shares *s)
{
	struct json_object *o = json_object_new_object();
	uint32_t path;

	for (path = 0; path < SL_MAX_PATHS; path++)
		if (s->base[path] > 0.001)
			put_double(o, a->path_name[path], s->base[path], 3);
	return o;
}

static struct json_object *moved_doc(const struct agent *a,
				     const struct lane_watch *l)
{
	struct json_object *o = json_object_new_object();

	put_text(o, "left", a->path_name[l->left - 1]);
	put_text(o, "to", a->path_name[l->moved.to]);
	put_time(o, "since", changes_wall_ns(l->moved.since_ns));
	if (l->moved.from_ns > 0)
		put_double(o, "from_ns", l->moved.from_ns, 0);
	return o;
}

static struct json_object *lane_doc(const struct agent *a, uint32_t lane)
{
	const struct lane_watch *l = &a->changes->lane[lane];
	struct json_object *o, *list;
	unsigned int i;

	if (!l->n_budgets && !(l->shares && l->shares->learned))
		return NULL;
	o = json_object_new_object();
	list = json_object_new_array();
	put_text(o, "lane", changes_lane_name(a, lane));
	if (l->shares && l->shares->learned) {
		json_object_object_add(o, "shares", shares_doc(a, l->shares));
		put_double(o, "restless", l->shares->restless, 3);
		if (l->left)
			json_object_object_add(o, "moved", moved_doc(a, l));
	}
	for (i = 0; i < l->n_budgets; i++)
		if (l->budget[i].broken)
			json_object_array_add(list, json_object_new_string(
				l->budget[i].budget.text));
	json_object_object_add(o, "broken", list);
	return o;
}

static struct json_object *whole_doc(const struct agent *a)
{
	struct json_object *o = json_object_new_object(), *one;
	struct json_object *ways = json_object_new_array();
	struct json_object *lanes = json_object_new_array();
	unsigned int i;

	put_int(o, "format", FORMAT);
	put_int(o, "saved_ns", sl_now_ns());
	for (i = 0; i < a->changes->n; i++)
		json_object_array_add(ways, way_doc(a, a->changes->all[i]));
	for (i = 0; i < SL_MAX_LANES; i++) {
		one = lane_doc(a, i);
		if (one)
			json_object_array_add(lanes, one);
	}
	json_object_object_add(o, "ways", ways);
	json_object_object_add(o, "lanes", lanes);
	return o;
}

void changes_save(struct agent *a)
{
	char path[sizeof(a->cfg->state_dir) + 32], next[sizeof(path) + 8];
	struct json_object *doc = whole_doc(a);
	int rc;

	a->changes->saved_ns = sl_mono_ns();
	a->changes->save_now = a->changes->save_soon = false;
	snprintf(path, sizeof(path), "%s/changes.json", a->cfg->state_dir);
	snprintf(next, sizeof(next), "%s.new", path);
	rc = json_object_to_file_ext(next, doc, JSON_C_TO_STRING_PLAIN);
	if (!rc)
		rc = rename(next, path);
	if (rc && !a->changes->save_fails)
		event(a, LOG_ERR, "disk", NULL, "%s cannot be written: %s; after "
		      "a restart usual latencies are learned again", path,
		      strerror(errno));
	if (rc)
		unlink(next);
	a->changes->save_fails = rc;
	json_object_put(doc);
}

/* --- reading: nothing in the file is trusted --- */
/* 0 where it is none, or none of 0..most. */
static double number_upto(struct json_object *o, const char *key, double most)
{
	struct json_object *v;
	double d = json_object_object_get_ex(o, key, &v) ?
		   json_object_get_double(v) : 0;

	return d >= 0 && d <= most ? d : 0;	/* a NaN is neither */
}

static double number(struct json_object *o, const char *key)
{
	return number_upto(o, key, 0x1p62);
}

static struct json_object *member(struct json_object *o, const char *key,
				  enum json_type type)
{
	struct json_object *v;

	return json_object_object_get_ex(o, key, &v) &&
	       json_object_is_type(v, type) ? v : NULL;
}

static const char *word(struct json_object *o, const char *key)
{
	struct json_object *v = member(o, key, json_type_string);

	return v ? json_object_get_string(v) : "";
}

/* -1: there is none of this name. */
static int lane_of(const struct agent *a, const char *name)
{
	int i;

	if (!strcmp(name, "other"))
		return 0;
	for (i = 1; name[0] && i < SL_MAX_LANES; i++)
		if (!strcmp(a->lane_name[i], name))
			return i;
	return -1;
}

static int path_of(const struct agent *a, const char *name)
{
	int i;

	for (i = 0; i < SL_MAX_PATHS; i++)
		if (!strcmp(a->path_name[i], name))
			return i;
	return -1;
}

static void restore_base(struct way *w, struct json_object *o)
{
	const struct sl_change_base b = {
		.p2_ns = number(o, "p2_ns"), .p5_ns = number(o, "p5_ns"),
		.p20_ns = number(o, "p20_ns"),
		.spread_ns = number(o, "spread_ns"),
		.scatter_ns = number(o, "scatter_ns"),
		.loss = number(o, "loss") };

	if (b.p2_ns > 0 && b.p5_ns >= b.p2_ns && b.p20_ns >= b.p5_ns &&
	    b.spread_ns >= 0 && b.scatter_ns >= 0)
		sl_change_restore(&w->change, &b);
}

static void restore_hops(struct way *w, struct json_object *list)
{
	struct sl_hops_prefix *p;
	struct json_object *o;
	size_t i, n = json_object_array_length(list);

	if (!n || !changes_hops(w))
		return;
	for (i = 0; i < n && i < SL_HOPS_PREFIXES; i++) {
		o = json_object_array_get_idx(list, i);
		p = &w->hops->p[i];
		if (sl_prefix_parse(word(o, "prefix"), &p->prefix, NULL)) {
			p->prefix.family = 0;
			continue;
		}
		p->base = number_upto(o, "hops", 255);
		p->limit = p->now_limit = number_upto(o, "limit", 255);
		p->weight = number(o, "weight");
	}
}

/* A wall clock's time; 0: none. Before this boot there is no monotonic time: what
 * happened then is not told. */
static uint64_t mono_of(const char *time)
{
	uint64_t now_ns = sl_now_ns(), mono_ns = sl_mono_ns(), at_ns;

	if (sl_time_parse(time, now_ns, &at_ns) || at_ns >= now_ns ||
	    now_ns - at_ns >= mono_ns)
		return 0;
	return mono_ns - (now_ns - at_ns);
}

static void restore_way(struct agent *a, struct json_object *o)
{
	int lane = lane_of(a, word(o, "lane")), path = path_of(a, word(o, "path"));
	struct json_object *base = member(o, "base", json_type_object);
	struct json_object *hops = member(o, "hops", json_type_array);
	struct way *w;

	w = lane >= 0 && path >= 0 ? changes_way(a->changes, lane, path) : NULL;
	if (!w)
		return;
	if (base)
		restore_base(w, base);
	if (hops)
		restore_hops(w, hops);
	w->broken = member(o, "broken", json_type_boolean) &&
		    json_object_get_boolean(member(o, "broken",
						   json_type_boolean));
	w->change.former_ns = number(o, "former_ns");
	w->change.changed_ns = mono_of(word(o, "changed"));
}

static void restore_shares(struct agent *a, uint32_t lane, struct json_object *o,
			   double restless)
{
	struct sl_shares *s = changes_shares(a->changes, lane);
	double sum = 0;
	int i;

	if (!s)
		return;
	json_object_object_foreach(o, name, v) {
		int path = path_of(a, name);

		if (path >= 0 && json_object_get_double(v) > 0 &&
		    json_object_get_double(v) <= 1)
			s->base[path] = json_object_get_double(v);
	}
	for (i = 0; i < SL_MAX_PATHS; i++)
		sum += s->base[i];
	for (i = 0; sum > 0 && i < SL_MAX_PATHS; i++)
		s->base[i] /= sum;
	s->restless = restless;
	s->learned = sum > 0.5 && sum < 1.5;
}

static void restore_moved(const struct agent *a, struct lane_watch *l,
			  struct json_object *o)
{
	int left = path_of(a, word(o, "left")), to = path_of(a, word(o, "to"));

	if (left < 0 || to < 0)
		return;
	l->left = left + 1;
	l->moved.to = to;
	l->moved.since_ns = mono_of(word(o, "since"));
	l->moved.from_ns = number(o, "from_ns");
}

static void restore_lane(struct agent *a, struct json_object *o)
{
	struct json_object *shares = member(o, "shares", json_type_object);
	struct json_object *broken = member(o, "broken", json_type_array);
	struct json_object *moved = member(o, "moved", json_type_object);
	int lane = lane_of(a, word(o, "lane"));
	struct lane_watch *l;
	const char *text;
	unsigned int k;
	size_t i;

	if (lane < 0)
		return;
	if (shares)
		restore_shares(a, lane, shares, number(o, "restless"));
	l = &a->changes->lane[lane];
	if (moved)
		restore_moved(a, l, moved);
	for (i = 0; broken && i < json_object_array_length(broken); i++) {
		text = json_object_get_string(
			json_object_array_get_idx(broken, i));
		for (k = 0; k < l->n_budgets; k++)
			if (text && !strcmp(l->budget[k].budget.text, text))
				l->budget[k].broken = true;
	}
}

void changes_restore(struct agent *a)
{
	char path[sizeof(a->cfg->state_dir) + 32];
	struct json_object *doc, *ways, *lanes;
	uint64_t saved_ns;
	size_t i;

	snprintf(path, sizeof(path), "%s/changes.json", a->cfg->state_dir);
	if (access(path, F_OK))
		return;
	doc = json_object_from_file(path);
	ways = member(doc, "ways", json_type_array);
	lanes = member(doc, "lanes", json_type_array);
	saved_ns = number(doc, "saved_ns");
	if (!ways || !lanes || number(doc, "format") != FORMAT)
		event(a, LOG_WARNING, "disk", NULL, "%s could not be read: usual "
		      "latencies are learned again", path);
	else if (saved_ns + OLD_NS < sl_now_ns())
		event(a, LOG_NOTICE, "agent", NULL, "%s is older than a month: "
		      "usual latencies are learned again", path);
	else {
		for (i = 0; i < json_object_array_length(ways); i++)
			restore_way(a, json_object_array_get_idx(ways, i));
		for (i = 0; i < json_object_array_length(lanes); i++)
			restore_lane(a, json_object_array_get_idx(lanes, i));
	}
	json_object_put(doc);
}
