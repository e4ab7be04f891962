// SPDX-License-Identifier: GPL-2.0
/* Spamhaus DROP as NDJSON: a record a line, and a last line of metadata that
 * tells how many there are. */
#include <json-c/json.h>
#include <string.h>
#include "list_priv.h"

static void metadata(struct listing *l, struct json_object *o)
{
	struct json_object *n;

	l->has_meta = true;
	if (!json_object_object_get_ex(o, "records", &n) ||
	    !json_object_is_type(n, json_type_int))
		sl_mistake(l->all, l->line, "fetch the file anew",
			   "the metadata has no count of records");
	else if (json_object_get_int64(n) != (int64_t)l->found)
		sl_mistake(l->all, l->line, "fetch the file anew",
			   "the metadata states %lld records, %zu are there",
			   (long long)json_object_get_int64(n), l->found);
}

int list_json_line(struct listing *l, const char *s, const char *end)
{
	struct json_object *o, *v;
	struct json_tokener *tok;
	const char *text;
	int rc = 0;

	while (s < end && strchr(" \t\r", *s) && *s)
		s++;
	if (s == end)
		return 0;
	if (end - s > 65536) {
		sl_mistake(l->all, l->line, "one record a line",
			   "a line is longer than 65536 bytes");
		return 0;
	}
	tok = json_tokener_new();
	o = tok ? json_tokener_parse_ex(tok, s, end - s) : NULL;
	if (!json_object_is_type(o, json_type_object)) {
		sl_mistake(l->all, l->line, "one JSON object a line",
			   "%.40s is no JSON object", s);
	} else if (l->has_meta) {
		sl_mistake(l->all, l->line, "fetch the file anew",
			   "a line stands behind the metadata");
	} else if (json_object_object_get_ex(o, "type", &v) &&
		   json_object_is_type(v, json_type_string) &&
		   !strcmp(json_object_get_string(v), "metadata")) {
		metadata(l, o);
	} else if (json_object_object_get_ex(o, "cidr", &v) &&
		   json_object_is_type(v, json_type_string)) {
		text = json_object_get_string(v);
		rc = list_word(l, text, text + json_object_get_string_len(v));
	} else {
		sl_mistake(l->all, l->line, "a record has \"cidr\": \"...\"",
			   "the record has no cidr");
	}
	json_object_put(o);
	json_tokener_free(tok);
	return rc;
}

void list_json_end(struct listing *l)
{
	if (!l->has_meta)
		sl_mistake(l->all, l->line, "fetch the file anew: it is cut "
			   "short", "the last line, the metadata, is missing");
}
