// SPDX-License-Identifier: GPL-2.0
/* What is said of the module. */
#include <stdio.h>
#include <string.h>
#include "module.h"
#include "names.h"

const char *module_version(void)
{
	static char text[64];
	FILE *f = fopen("/sys/module/" SLK_MODULE "/version", "re");

	text[0] = '\0';
	if (f && fgets(text, sizeof(text), f))
		text[strcspn(text, "\n")] = '\0';
	if (f)
		fclose(f);
	return text;
}

static struct json_object *stats_doc(const struct slk_info *i)
{
#define NAME(id, name) [SLK_S_##id] = name,
	static const char *const name[SLK_S_MAX] = { SLK_STATS(NAME) };
#undef NAME
	struct json_object *o = json_object_new_object();
	int k;

	for (k = 0; k < SLK_S_MAX; k++)
		put_int(o, name[k], i->stat[k]);
	return o;
}

/* Series that miss some: a packet that never left, or one too many in the queue,
 * would have had a long time, so what is seen is too short. */
static struct json_object *missed_doc(const struct agent *a)
{
	const struct module *m = a->module;
	struct json_object *list = json_object_new_array(), *o;
	uint32_t i;

	for (i = 0; i < m->n_series; i++) {
		const struct module_missed *s = &m->missed[i];
		uint32_t lane = SL_SERIES_LANE(s->key) % SL_MAX_LANES;

		if (!s->lost && !s->busy)
			continue;
		o = json_object_new_object();
		put_text(o, "lane", lane ? a->lane_name[lane] : "other");
		put_text(o, "path", a->path_name[SL_SERIES_PATH(s->key) %
						 SL_MAX_PATHS]);
		put_text(o, "method", sl_method_name(SL_SERIES_METHOD(s->key)));
		put_int(o, "lost", s->lost);
		put_int(o, "busy", s->busy);
		json_object_array_add(list, o);
	}
	return list;
}

static void put_info(const struct agent *a, struct json_object *o)
{
	const struct module *m = a->module;
	struct json_object *list = json_object_new_array();

	if (m->functions & SL_KMOD_STAMP)
		json_object_array_add(list, json_object_new_string(
				      SLK_KFUNC_STAMP));
	if (m->functions & SL_KMOD_LOOKUP6)
		json_object_array_add(list, json_object_new_string(
				      SLK_KFUNC_LOOKUP6));
	json_object_object_add(o, "functions", list);
	put_int(o, "abi", m->info.abi);
	put_bool(o, "debug", m->info.debug);
	put_int(o, "pending", m->info.pending);
	put_int(o, "images", m->info.images);
	put_int(o, "image_bytes", m->info.image_b);
	put_bool(o, "image_live", sl_dp_image(a->dp, sl_dp_epoch(a->dp)));
	put_int(o, "image_took_ns", m->image_took_ns);
	json_object_object_add(o, "stats", stats_doc(&m->info));
	json_object_object_add(o, "missed", missed_doc(a));
}

struct json_object *module_doc(const struct agent *a)
{
	static const char *const only[] = { "functions", "abi", "debug",
		"pending", "images", "image_bytes", "image_live",
		"image_took_ns", "stats", "missed" };
	struct json_object *o = json_object_new_object();
	const struct module *m = a->module;
	size_t i;

	put_bool(o, "loaded", m->loaded);
	put_bool(o, "used", module_used(a));
	put_text(o, "config", a->cfg->module ? "auto" : "off");
	put_bool(o, "switched_off", m->off);
	put_text(o, "why", m->why[0] ? m->why : NULL);
	put_text(o, "version", m->loaded ? module_version() : NULL);
	if (module_used(a))
		put_info(a, o);
	else
		for (i = 0; i < sizeof(only) / sizeof(only[0]); i++)
			put_null(o, only[i]);
	return o;
}
