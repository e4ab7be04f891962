// SPDX-License-Identifier: GPL-2.0
/* POST flowspec: a source's events, taken at once. */
#include <string.h>
#include "duration.h"
#include "flowspec_priv.h"

static const char *word(struct json_object *o, const char *key)
{
	struct json_object *v = NULL;

	json_object_object_get_ex(o, key, &v);
	return json_object_is_type(v, json_type_string) ?
	       json_object_get_string(v) : "";
}

static bool truth(struct json_object *o, const char *key)
{
	struct json_object *v = NULL;

	json_object_object_get_ex(o, key, &v);
	return json_object_get_boolean(v);
}

/* What the source wants of its neighbours' routes. */
static int read_terms(struct json_object *body, unsigned int *limit,
		      uint64_t *grace_ns, struct refusal *r)
{
	struct json_object *v = NULL;
	const char *text = word(body, "grace");

	*limit = DEFAULT_LIMIT;
	if (json_object_object_get_ex(body, "limit", &v)) {
		if (!json_object_is_type(v, json_type_int) ||
		    json_object_get_int64(v) < 1 ||
		    json_object_get_int64(v) > MAX_ROUTES)
			return refuse(r, 400, "a whole number of at most 8192",
				      "no limit of %s routes",
				      json_object_get_string(v));
		*limit = json_object_get_int64(v);
	}
	*grace_ns = DEFAULT_GRACE_NS;
	if (text[0] && (sl_duration_parse(text, grace_ns) ||
			*grace_ns > MAX_GRACE_NS))
		return refuse(r, 400, "write 90s, 5m, 2h; at most 7d",
			      "no grace time of %s", text);
	return 0;
}

static void apply_all(struct agent *a, const struct source *s,
		      struct json_object *events, unsigned int limit,
		      uint64_t grace_ns, struct json_object *items)
{
	size_t i, n = json_object_array_length(events);
	char why[SL_FLOWSPEC_WHY_B];
	struct sl_bgp_bytes bytes;
	struct sl_bgp_event e;
	struct neighbour *who;
	int rc;

	for (i = 0; i < n; i++) {
		rc = sl_bgp_event_parse(json_object_array_get_idx(events, i),
					&e, &bytes, why);
		if (!rc) {
			who = neighbour_find(a->flowspec, e.peer);
			if (who && !strcmp(who->source, s->name)) {
				who->limit = limit;
				who->grace_ns = grace_ns;
			}
			rc = flowspec_event(a, s, &e, why);
		}
		/* every refusal is counted, the first few are told */
		if (rc && json_object_array_length(items) < 16)
			json_object_array_add(items,
					      json_object_new_string(why));
	}
}

static bool is_source_name(const char *s)
{
	size_t n = strlen(s);

	return n && n < SL_NAME_B &&
	       strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
		      "0123456789._-") == n;
}

struct json_object *flowspec_take(struct agent *a, struct json_object *body,
				  const struct caller *who, struct refusal *r)
{
	struct flowspec *fs = a->flowspec;
	struct json_object *events = NULL, *o, *items;
	const char *expect = word(body, "instance");
	bool again = false;
	struct source *s;
	unsigned int limit;
	uint64_t grace_ns;

	json_object_object_get_ex(body, "events", &events);
	if (!is_source_name(word(body, "source")) ||
	    !json_object_is_type(events, json_type_array)) {
		refuse(r, 400, "see docs/api.md",
		       "a batch has a source's name and a list of events");
		return NULL;
	}
	if (read_terms(body, &limit, &grace_ns, r))
		return NULL;
	s = flowspec_source(fs, word(body, "source"));
	if (!s) {
		refuse(r, 409, "end some", "%d sources are the limit",
		       MAX_SOURCES);
		return NULL;
	}
	if (truth(body, "hello")) {
		/* it tells all that it knows; what it does not is gone */
		flowspec_source_ends(a, s, "its source began anew");
		s->since_ns = sl_now_ns();
	} else {	/* what it told before is not known here? */
		again = !s->live || strcmp(expect, fs->instance);
	}
	items = json_object_new_array();
	if (!again) {
		s->live = true;
		s->pid = who->pid;
		s->heard_ns = sl_mono_ns();
		apply_all(a, s, events, limit, grace_ns, items);
	}
	if (truth(body, "end"))
		flowspec_source_ends(a, s, "its source ended");
	o = json_object_new_object();
	put_bool(o, "again", again);
	put_text(o, "instance", fs->instance);
	put_int(o, "generation", a->generation);
	json_object_object_add(o, "refused", items);
	return o;
}
