// SPDX-License-Identifier: GPL-2.0
/* Members of a document that need not be what it should be. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "plain.h"
#include "watch.h"

struct json_object *watch_member(struct json_object *o, const char *key)
{
	struct json_object *v = NULL;

	if (!json_object_is_type(o, json_type_object))
		return NULL;
	json_object_object_get_ex(o, key, &v);
	return v;
}

double watch_num(struct json_object *o, const char *key)
{
	struct json_object *v = watch_member(o, key);
	double n;

	if (!json_object_is_type(v, json_type_int) &&
	    !json_object_is_type(v, json_type_double))
		return NAN;
	n = json_object_get_double(v);
	/* nothing that is asked for can be negative */
	return isfinite(n) && n >= 0 ? n : NAN;
}

char *watch_word(struct json_object *o, const char *key, char *buf, size_t len)
{
	struct json_object *v = watch_member(o, key);
	const char *text = "";
	size_t n;

	if (json_object_is_type(v, json_type_string) ||
	    json_object_is_type(v, json_type_int))
		text = json_object_get_string(v);
	n = strlen(text);
	if (n >= len)	/* back to where a character begins */
		for (n = len - 1; n && (text[n] & 0xc0) == 0x80; n--)
			;
	memcpy(buf, text, n);
	buf[n] = '\0';
	return sl_plain(buf);
}

size_t watch_length(struct json_object *array)
{
	return json_object_is_type(array, json_type_array) ?
	       json_object_array_length(array) : 0;
}

struct json_object *watch_at(struct json_object *array, size_t i)
{
	return json_object_array_get_idx(array, i);
}
