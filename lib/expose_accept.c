// SPDX-License-Identifier: GPL-2.0
/* Which format a scraper wants: RFC 9110, 12.5.1 and 12.5.3. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "expose.h"

#define FORMATS	(SL_EXPOSE_PROTOBUF + 1)

static const char *const content_type[FORMATS] = {
	[SL_EXPOSE_TEXT] = "text/plain; version=0.0.4; charset=utf-8",
	[SL_EXPOSE_OPENMETRICS] = "application/openmetrics-text; "
				  "version=1.0.0; charset=utf-8",
	[SL_EXPOSE_PROTOBUF] = "application/vnd.google.protobuf; "
			       "proto=io.prometheus.client.MetricFamily; "
			       "encoding=delimited" };

/* An element of a list: its name, and those parameters that matter to us. */
struct range {
	char name[64], proto[64], encoding[16], version[16];
	double q;
};

/* The text from s to end without the blanks and quotes around it; what does not
 * fit becomes "?", which nothing is called. */
static void take(char *out, size_t room, const char *s, const char *end)
{
	while (s < end && (isspace((unsigned char)*s) || *s == '"'))
		s++;
	while (end > s && (isspace((unsigned char)end[-1]) || end[-1] == '"'))
		end--;
	if ((size_t)(end - s) >= room)
		snprintf(out, room, "?");
	else
		snprintf(out, room, "%.*s", (int)(end - s), s);
}

static void take_parameter(struct range *r, const char *s, const char *end)
{
	const char *eq = memchr(s, '=', end - s);
	char key[16], q[8];

	if (!eq)
		return;
	take(key, sizeof(key), s, eq);
	if (!strcasecmp(key, "q")) {
		take(q, sizeof(q), eq + 1, end);
		r->q = q[0] >= '0' && q[0] <= '9' ? strtod(q, NULL) : 0;
		if (r->q > 1)
			r->q = 1;
	} else if (!strcasecmp(key, "proto")) {
		take(r->proto, sizeof(r->proto), eq + 1, end);
	} else if (!strcasecmp(key, "encoding")) {
		take(r->encoding, sizeof(r->encoding), eq + 1, end);
	} else if (!strcasecmp(key, "version")) {
		take(r->version, sizeof(r->version), eq + 1, end);
	}
}

/* The next element of a list; NULL behind the last. */
static const char *next_range(const char *s, struct range *r)
{
	const char *end = s + strcspn(s, ","), *part, *next;

	if (!*s)
		return NULL;
	*r = (struct range){ .q = 1 };
	part = memchr(s, ';', end - s);
	take(r->name, sizeof(r->name), s, part ? part : end);
	while (part) {
		next = memchr(part + 1, ';', end - part - 1);
		take_parameter(r, part + 1, next ? next : end);
		part = next;
	}
	return *end ? end + 1 : end;
}

static bool is_version(const struct range *r, const char *version)
{
	return !r->version[0] || !strcmp(r->version, version);
}

/* How closely a range names a format; 0: not at all. */
static int closeness(const struct range *r, enum sl_expose_format f)
{
	static const char *const family[FORMATS] = {
		[SL_EXPOSE_TEXT] = "text/*",
		[SL_EXPOSE_OPENMETRICS] = "application/*",
		[SL_EXPOSE_PROTOBUF] = NULL };	/* only by its full name */

	if (!strcasecmp(r->name, "text/plain"))
		return f == SL_EXPOSE_TEXT && is_version(r, "0.0.4") ? 3 : 0;
	if (!strcasecmp(r->name, "application/openmetrics-text"))
		return f == SL_EXPOSE_OPENMETRICS && is_version(r, "1.0.0") ?
		       3 : 0;
	if (!strcasecmp(r->name, "application/vnd.google.protobuf"))
		return f == SL_EXPOSE_PROTOBUF &&
		       !strcmp(r->proto, "io.prometheus.client.MetricFamily") &&
		       !strcmp(r->encoding, "delimited") ? 3 : 0;
	if (family[f] && !strcasecmp(r->name, family[f]))
		return 2;
	return f == SL_EXPOSE_TEXT && !strcmp(r->name, "*/*");
}

enum sl_expose_format sl_expose_negotiate(const char *accept, const char **type)
{
	struct { double q; int close, order; } of[FORMATS] = {};
	int order = 0, f, c, best = SL_EXPOSE_TEXT;
	struct range r;

	for (; accept && (accept = next_range(accept, &r)); order++)
		for (f = 0; f < FORMATS; f++) {
			c = closeness(&r, f);
			if (c <= of[f].close)
				continue;
			of[f].q = r.q;
			of[f].close = c;
			of[f].order = order;
		}
	for (f = 0; f < FORMATS; f++)
		if (of[f].q > of[best].q || (of[f].q > 0 &&
		    of[f].q == of[best].q && of[f].order < of[best].order))
			best = f;
	*type = content_type[best];
	return best;
}

bool sl_expose_gzip(const char *accept_encoding)
{
	bool any = false;
	struct range r;

	while (accept_encoding &&
	       (accept_encoding = next_range(accept_encoding, &r))) {
		if (!strcasecmp(r.name, "gzip"))
			return r.q > 0;
		if (!strcmp(r.name, "*"))
			any = r.q > 0;
	}
	return any;
}
