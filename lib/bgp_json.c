// SPDX-License-Identifier: GPL-2.0
/* Events as JSON: docs/api.md, POST flowspec. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "bgp_routes.h"

static const char *const op_name[] = {
	[SL_BGP_UP] = "up", [SL_BGP_DOWN] = "down",
	[SL_BGP_ANNOUNCE] = "announce", [SL_BGP_WITHDRAW] = "withdraw",
	[SL_BGP_EOR] = "end-of-rib" };
static const char *const kind_name[] = {
	[SL_BGP_FLOWSPEC] = "flowspec", [SL_BGP_RTBH] = "rtbh" };

#define NAMES(a) (sizeof(a) / sizeof((a)[0]))

const char *sl_hex(const uint8_t *b, size_t n, char *buf)
{
	size_t i;

	buf[0] = '\0';
	for (i = 0; i < n; i++)
		sprintf(buf + 2 * i, "%02x", b[i]);
	return buf;
}

static void put_hex(struct json_object *o, const char *key, const uint8_t *b,
		    size_t n)
{
	char buf[2 * SL_FLOWSPEC_MAX_B + 1];

	if (n)
		json_object_object_add(o, key, json_object_new_string(
				       sl_hex(b, n, buf)));
}

static void put_word(struct json_object *o, const char *key, const char *v)
{
	json_object_object_add(o, key, json_object_new_string(v));
}

struct json_object *sl_bgp_event_doc(const struct sl_bgp_event *e)
{
	struct json_object *o = json_object_new_object();

	put_word(o, "op", op_name[e->op]);
	put_word(o, "neighbour", e->peer);
	if (e->op == SL_BGP_UP)
		json_object_object_add(o, "session",
				       json_object_new_int64(e->session));
	if (e->op == SL_BGP_UP || e->op == SL_BGP_DOWN)
		return o;
	put_word(o, "kind", kind_name[e->kind]);
	json_object_object_add(o, "family", json_object_new_int(e->family));
	if (e->op == SL_BGP_EOR)
		return o;
	put_hex(o, "nlri", e->key, e->key_b);
	if (e->op == SL_BGP_ANNOUNCE) {
		put_hex(o, "communities", e->ext, e->ext_b);
		put_hex(o, "communities6", e->ext6, e->ext6_b);
	}
	return o;
}

static int bad(char *why, const char *what)
{
	snprintf(why, SL_FLOWSPEC_WHY_B, "%s", what);
	return -EBADMSG;
}

static const char *word(struct json_object *o, const char *key)
{
	struct json_object *v = NULL;

	json_object_object_get_ex(o, key, &v);
	return json_object_is_type(v, json_type_string) ?
	       json_object_get_string(v) : "";
}

static int one_of(const char *const *names, int n, const char *name)
{
	int i;

	for (i = 0; i < n; i++)
		if (!strcmp(names[i], name))
			return i;
	return -1;
}

static int nibble(char c)
{
	const char *digits = "0123456789abcdef", *at = c ? strchr(digits, c) :
			     NULL;

	return at ? at - digits : -1;
}

/* Bytes, or -1. */
static int take_hex(const char *hex, uint8_t *out, size_t room)
{
	size_t i, n = strlen(hex);

	if (n % 2 || n / 2 > room)
		return -1;
	for (i = 0; i < n / 2; i++) {
		int hi = nibble(hex[2 * i]), lo = nibble(hex[2 * i + 1]);

		if (hi < 0 || lo < 0)
			return -1;
		out[i] = hi << 4 | lo;
	}
	return n / 2;
}

static int take_route(struct json_object *o, struct sl_bgp_event *e,
		      struct sl_bgp_bytes *b, char *why)
{
	int n = take_hex(word(o, "nlri"), b->key, sizeof(b->key));
	int ext = take_hex(word(o, "communities"), b->ext, sizeof(b->ext));
	int ext6 = take_hex(word(o, "communities6"), b->ext6,
			    sizeof(b->ext6));

	if (n <= 0)
		return bad(why, "nlri must be hexadecimal, 1 to 4095 bytes");
	if (ext < 0 || ext % 8 || ext6 < 0 || ext6 % 20)
		return bad(why, "communities must be hexadecimal, whole ones, "
			   "at most 32 (IPv6: 10)");
	e->key = b->key;
	e->key_b = n;
	e->ext = b->ext;
	e->ext_b = ext;
	e->ext6 = b->ext6;
	e->ext6_b = ext6;
	return 0;
}

int sl_bgp_event_parse(struct json_object *o, struct sl_bgp_event *out,
		       struct sl_bgp_bytes *bytes, char *why)
{
	struct sl_bgp_event e = {};
	struct json_object *v = NULL;
	int op, kind;

	if (!json_object_is_type(o, json_type_object))
		return bad(why, "an event is an object");
	op = one_of(op_name, NAMES(op_name), word(o, "op"));
	if (op < 0)
		return bad(why, "op: up, down, announce, withdraw or "
			   "end-of-rib");
	if (!word(o, "neighbour")[0] ||
	    !sl_bgp_peer_name(word(o, "neighbour"), e.peer))
		return bad(why, "neighbour: an address, or local");
	e.op = op;
	if (op == SL_BGP_UP || op == SL_BGP_DOWN) {
		json_object_object_get_ex(o, "session", &v);
		e.session = json_object_get_int64(v);
		*out = e;
		return 0;
	}
	kind = one_of(kind_name, NAMES(kind_name), word(o, "kind"));
	json_object_object_get_ex(o, "family", &v);
	e.family = json_object_get_int(v);
	if (kind < 0 || (e.family != 4 && e.family != 6))
		return bad(why, "kind: flowspec or rtbh; family: 4 or 6");
	e.kind = kind;
	if (op != SL_BGP_EOR && take_route(o, &e, bytes, why))
		return -EBADMSG;
	*out = e;
	return 0;
}
