// SPDX-License-Identifier: GPL-2.0
/* Log lines, refusals, JSON members. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "agent.h"
#include "duration.h"
#include "plain.h"

void say(int priority, const char *fmt, ...)
{
	char line[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	sl_plain(line);		/* nobody's words make a line of their own */
	if (getenv("JOURNAL_STREAM"))
		fprintf(stderr, "<%d>%s\n", priority, line);
	else
		fprintf(stderr, "sealaned: %s\n", line);
}

int refuse(struct refusal *r, int status, const char *remedy,
	   const char *fmt, ...)
{
	va_list ap;

	r->status = status;
	snprintf(r->remedy, sizeof(r->remedy), "%s", remedy);
	va_start(ap, fmt);
	vsnprintf(r->message, sizeof(r->message), fmt, ap);
	va_end(ap);
	sl_plain(r->message);
	return -1;
}

void refuse_item(struct refusal *r, const char *fmt, ...)
{
	char line[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	sl_plain(line);
	if (!r->items)
		r->items = json_object_new_array();
	json_object_array_add(r->items, json_object_new_string(line));
}

int parse_number(const char *text, uint64_t max, uint64_t *out)
{
	unsigned long long v;
	char *end;

	if (text[0] < '0' || text[0] > '9')
		return -1;
	errno = 0;
	v = strtoull(text, &end, 10);
	if (*end || errno || v > max)
		return -1;
	*out = v;
	return 0;
}

void put_int(struct json_object *o, const char *key, int64_t v)
{
	json_object_object_add(o, key, json_object_new_int64(v));
}

void put_text(struct json_object *o, const char *key, const char *v)
{
	json_object_object_add(o, key, v ? json_object_new_string(v) : NULL);
}

void put_bool(struct json_object *o, const char *key, bool v)
{
	json_object_object_add(o, key, json_object_new_boolean(v));
}

void put_null(struct json_object *o, const char *key)
{
	json_object_object_add(o, key, NULL);
}

void put_double(struct json_object *o, const char *key, double v, int digits)
{
	char text[340];		/* of the largest */

	snprintf(text, sizeof(text), "%.*f", digits, v);
	json_object_object_add(o, key, json_object_new_double_s(v, text));
}

void put_time(struct json_object *o, const char *key, uint64_t ns)
{
	char buf[48];

	put_text(o, key, ns ? sl_time_str(ns, buf, sizeof(buf)) : NULL);
}
