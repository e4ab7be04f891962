// SPDX-License-Identifier: GPL-2.0
/* ExaBGP 4.2's JSON lines. Only the hex body of an UPDATE is believed: the
 * parsed form loses rules that ExaBGP does not understand. */
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "bgp.h"

#define DEPTH	32		/* of the JSON */

static struct json_object *member(struct json_object *o, const char *key)
{
	struct json_object *v = NULL;

	if (!json_object_is_type(o, json_type_object))
		return NULL;
	json_object_object_get_ex(o, key, &v);
	return v;
}

static const char *text_of(struct json_object *o, const char *key)
{
	struct json_object *v = member(o, key);

	return json_object_is_type(v, json_type_string) ?
	       json_object_get_string(v) : "";
}

static void tell(struct sl_bgp_event *e, enum sl_bgp_op op, const char *text,
		 sl_bgp_sink sink, void *arg)
{
	e->op = op;
	snprintf(e->text, sizeof(e->text), "%s", text);
	sink(arg, e);
}

static int digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' :
	       c >= 'a' && c <= 'f' ? c - 'a' + 10 :
	       c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* "0xABCD" as bytes, the caller's; NULL: no such text. */
static uint8_t *unhex(const char *hex, size_t *n)
{
	size_t i, len = strlen(hex);
	uint8_t *out;

	if (len < 2 || len % 2 || hex[0] != '0' || hex[1] != 'x')
		return NULL;
	out = malloc(len / 2);
	*n = len / 2 - 1;
	for (i = 0; out && i < *n; i++) {
		int hi = digit(hex[2 + 2 * i]), lo = digit(hex[3 + 2 * i]);

		if (hi < 0 || lo < 0) {
			free(out);
			return NULL;
		}
		out[i] = hi << 4 | lo;
	}
	return out;
}

static void update(struct json_object *o, struct sl_bgp_event *e,
		   sl_bgp_sink sink, void *arg)
{
	const char *hex = text_of(o, "body");
	uint8_t *body;
	size_t n;

	if (!hex[0]) {
		tell(e, SL_BGP_ODD, "an update without its body: ExaBGP must "
		     "have `consolidate;` in `receive`", sink, arg);
		return;
	}
	body = unhex(hex, &n);
	if (body)
		sl_bgp_update(e->peer, body, n, sink, arg);
	else
		tell(e, SL_BGP_ODD, "a body that is not hexadecimal", sink,
		     arg);
	free(body);
}

static void state(struct json_object *neighbour, struct sl_bgp_event *e,
		  sl_bgp_sink sink, void *arg)
{
	const char *word = text_of(neighbour, "state");

	if (!strcmp(word, "up"))
		tell(e, SL_BGP_UP, "", sink, arg);
	else if (!strcmp(word, "down"))
		tell(e, SL_BGP_DOWN, text_of(neighbour, "reason"), sink, arg);
}

static void document(struct json_object *o, sl_bgp_sink sink, void *arg)
{
	struct json_object *neighbour = member(o, "neighbor");
	const char *type = text_of(o, "type");
	struct sl_bgp_event e = {};
	const char *peer;

	if (!strcmp(text_of(o, "notification"), "shutdown")) {
		tell(&e, SL_BGP_END, "", sink, arg);
		return;
	}
	if (strcmp(type, "state") && strcmp(type, "update"))
		return;
	peer = text_of(member(neighbour, "address"), "peer");
	if (!peer[0] || !sl_bgp_peer_name(peer, e.peer)) {
		tell(&e, SL_BGP_ODD, "a line without its neighbour's address",
		     sink, arg);
		return;
	}
	if (!strcmp(type, "update"))
		update(o, &e, sink, arg);
	else
		state(neighbour, &e, sink, arg);
}

void sl_bgp_exabgp_line(const char *line, size_t line_b, sl_bgp_sink sink,
			void *arg)
{
	struct json_tokener *t = json_tokener_new_ex(DEPTH);
	struct json_object *o = t ? json_tokener_parse_ex(t, line, line_b) :
			       NULL;
	struct sl_bgp_event e = {};

	if (json_object_is_type(o, json_type_object))
		document(o, sink, arg);
	else
		tell(&e, SL_BGP_ODD, "a line that is no JSON object", sink,
		     arg);
	json_object_put(o);
	if (t)
		json_tokener_free(t);
}
