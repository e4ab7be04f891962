// SPDX-License-Identifier: GPL-2.0
/* What drops, limits or counts: rules, FlowSpec, lists, blocks. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "watch.h"

/* Of each source: the answer's array, the member that names one. */
static const struct {
	const char *array, *name;
} sources[WATCH_SOURCES] = {
	[WATCH_RULE] = { "rules", "id" },
	[WATCH_FLOWSPEC] = { "rules", "id" },
	[WATCH_LIST] = { "lists", "name" },
	[WATCH_BLOCK] = { "blocks", "prefix" },
};

/* false: it drops nothing. */
static bool take_action(struct watch_drop *d, struct json_object *o)
{
	struct json_object *enforced = watch_member(o, "enforced");
	bool limit = json_object_is_type(watch_member(o, "action"),
					 json_type_object);

	switch (d->source) {
	case WATCH_LIST:
		strcpy(d->action, "drop");
		break;
	case WATCH_FLOWSPEC:
		watch_word(o, "rule", d->action, sizeof(d->action));
		limit = !strcmp(d->action, "limit");
		if (!json_object_get_boolean(enforced))
			return false;
		break;
	case WATCH_RULE:
		watch_word(o, "action_text", d->action, sizeof(d->action));
		break;
	default:
		watch_word(o, "action", d->action, sizeof(d->action));
	}
	d->packets = watch_num(o, limit ? "over_packets" : "packets");
	return strcmp(d->action, "pass") != 0;
}

static bool take_drop(struct watch_drop *d, enum watch_source source,
		      struct json_object *o, uint64_t mono_ns)
{
	memset(d, 0, sizeof(*d));
	d->source = source;
	d->at_ns = mono_ns;
	d->packets_per_s = NAN;
	watch_word(o, sources[source].name, d->name, sizeof(d->name));
	watch_word(o, "last_hit", d->last_hit, sizeof(d->last_hit));
	watch_word(o, source == WATCH_FLOWSPEC ? "match" : "why", d->why,
		   sizeof(d->why));
	return d->name[0] && take_action(d, o);
}

static int compare(const void *x, const void *y)
{
	const struct watch_drop *a = x, *b = y;

	return a->source != b->source ? (int)a->source - (int)b->source :
	       strcmp(a->name, b->name);
}

/* Counters that went back are another's. */
static void rate(struct watch_drop *now, const struct watch_drop *before)
{
	double s = before ? (now->at_ns - before->at_ns) / 1e9 : 0;

	if (s > 0 && now->packets >= before->packets)
		now->packets_per_s = (now->packets - before->packets) / s;
}

void watch_take_drops(struct watch_model *m, enum watch_source source,
		      struct json_object *doc, uint64_t mono_ns)
{
	struct json_object *list = watch_member(doc, sources[source].array);
	size_t i, n = 0, k = watch_length(list);
	struct watch_drop *all;

	all = calloc(m->n_drops + k + 1, sizeof(*all));
	if (!all)
		return;
	for (i = 0; i < k; i++) {
		if (!take_drop(&all[n], source, watch_at(list, i), mono_ns))
			continue;
		rate(&all[n], m->n_drops ? bsearch(&all[n], m->drops,
			m->n_drops, sizeof(*all), compare) : NULL);
		n++;
	}
	for (i = 0; i < m->n_drops; i++)
		if (m->drops[i].source != source)
			all[n++] = m->drops[i];
	qsort(all, n, sizeof(*all), compare);
	free(m->drops);
	m->drops = all;
	m->n_drops = n;
}
