// SPDX-License-Identifier: GPL-2.0
/* GoBGP's monitor lines: components and actions as numbers, which become the
 * bytes again that they came from. */
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>
#include "bgp.h"

#define DEPTH		32
#define ATTR_EXT	16
#define ATTR_EXT6	25

struct buffer {
	uint8_t b[SL_FLOWSPEC_MAX_B];
	size_t n;
};

struct path {
	struct sl_bgp_event e;
	struct buffer nlri;
	uint8_t ext[SL_BGP_EXT_B], ext6[SL_BGP_EXT6_B];
};

static struct json_object *member(struct json_object *o, const char *key)
{
	struct json_object *v = NULL;

	if (!json_object_is_type(o, json_type_object))
		return NULL;
	json_object_object_get_ex(o, key, &v);
	return v;
}

static size_t length(struct json_object *list)
{
	return json_object_is_type(list, json_type_array) ?
	       json_object_array_length(list) : 0;
}

/* A whole number 0..max; -1: none such. */
static int64_t number(struct json_object *o, const char *key, int64_t max)
{
	struct json_object *v = member(o, key);
	int64_t n = json_object_is_type(v, json_type_int) ?
		    json_object_get_int64(v) : -1;

	return n > max ? -1 : n;
}

static bool put(struct buffer *b, const void *bytes, size_t n)
{
	if (sizeof(b->b) - b->n < n)
		return false;
	memcpy(b->b + b->n, bytes, n);
	b->n += n;
	return true;
}

/* Its family, or 0. Host bits may be set: peers say them. */
static int put_prefix(struct buffer *b, struct json_object *comp)
{
	struct json_object *v = member(member(comp, "value"), "prefix");
	int64_t offset = number(comp, "offset", 127);
	uint8_t head[2], bits[16] = {};
	struct sl_prefix p;
	unsigned int i;

	if (!json_object_is_type(v, json_type_string) ||
	    sl_prefix_parse(json_object_get_string(v), &p, NULL))
		return 0;
	if (offset < 0 || p.family == 4)
		offset = 0;
	if (offset && offset >= p.len)
		return 0;
	for (i = offset; i < p.len; i++)
		if (p.addr[i / 8] & 0x80 >> i % 8)
			bits[(i - offset) / 8] |= 0x80 >> (i - offset) % 8;
	head[0] = p.len;
	head[1] = offset;
	return put(b, head, p.family == 4 ? 1 : 2) &&
	       put(b, bits, (p.len - offset + 7) / 8) ? p.family : 0;
}

/* The end bit is set by place: it says where the list ends. */
static bool put_ops(struct buffer *b, struct json_object *list)
{
	size_t i, n = length(list);
	struct json_object *v;
	uint8_t bytes[9];
	uint64_t value;
	int64_t op;
	int k, len;

	for (i = 0; i < n; i++) {
		op = number(json_object_array_get_idx(list, i), "op", 255);
		v = member(json_object_array_get_idx(list, i), "value");
		if (op < 0 || !json_object_is_type(v, json_type_int))
			return false;
		value = json_object_get_uint64(v);
		len = 1 << (op >> 4 & 3);
		if (len < 8 && value >> 8 * len)
			return false;
		bytes[0] = (op & 0x7f) | (i + 1 == n ? 0x80 : 0);
		for (k = 0; k < len; k++)
			bytes[1 + k] = value >> 8 * (len - 1 - k);
		if (!put(b, bytes, 1 + len))
			return false;
	}
	return n;
}

/* The family of its prefixes, 0 where it has none; -1: cannot be read. */
static int put_nlri(struct buffer *b, struct json_object *nlri)
{
	struct json_object *list = member(nlri, "value"), *comp;
	int family = 0, one;
	int64_t type;
	uint8_t byte;
	size_t i;

	for (i = 0; i < length(list); i++) {
		comp = json_object_array_get_idx(list, i);
		type = number(comp, "type", 255);
		byte = type;
		if (type < 0 || !put(b, &byte, 1))
			return -1;
		if (type > SL_FS_SRC) {
			if (!put_ops(b, member(comp, "value")))
				return -1;
			continue;
		}
		one = put_prefix(b, comp);
		if (!one || (family && one != family))
			return -1;
		family = one;
	}
	return b->n ? family : -1;
}

static bool add_ext(struct path *p, const uint8_t ext[8])
{
	if (p->e.ext_b + 8 > sizeof(p->ext))
		return false;
	memcpy(p->ext + p->e.ext_b, ext, 8);
	p->e.ext_b += 8;
	return true;
}

static bool truth(struct json_object *o, const char *key)
{
	return json_object_get_boolean(member(o, key));
}

/* An action as its community; false: it is one, and cannot be read. */
static bool put_action(struct path *p, struct json_object *c)
{
	int64_t type = number(c, "type", 255), sub = number(c, "subtype", 255);
	uint8_t ext[8] = { type, sub };
	struct json_object *v;
	uint32_t word;
	float rate;

	if (type < 0 || sub < 0)	/* what GoBGP does not know has none */
		return type != 0x80 && type != 0x81 && type != 0x82;
	if (!sl_flowspec_is_action(ext))
		return true;
	if (sub == 0x06 || sub == 0x0c) {
		v = member(c, "rate");
		if (!json_object_is_type(v, json_type_int) &&
		    !json_object_is_type(v, json_type_double))
			return false;
		rate = json_object_get_double(v);
		memcpy(&word, &rate, sizeof(word));
		ext[4] = word >> 24;
		ext[5] = word >> 16;
		ext[6] = word >> 8;
		ext[7] = word;
	} else if (sub == 0x07) {
		ext[7] = truth(c, "terminal") | truth(c, "sample") << 1;
	} else if (sub == 0x09) {
		if (number(c, "value", 63) < 0)
			return false;
		ext[7] = number(c, "value", 63);
	}
	return add_ext(p, ext);
}

/* nlri: FlowSpec's MP_REACH says the family where no prefix does. */
static bool put_attrs(struct path *p, struct json_object *attrs, int *family)
{
	static const uint8_t redirect6[20] = { 0x00, 0x0d };
	struct json_object *a, *list;
	int64_t type, afi;
	size_t i, k;

	for (i = 0; i < length(attrs); i++) {
		a = json_object_array_get_idx(attrs, i);
		type = number(a, "type", 255);
		afi = type == 14 ? number(a, "afi", 2) : 0;
		if (afi > 0 && !*family)
			*family = afi == 1 ? 4 : 6;
		list = member(a, "value");
		for (k = 0; type == ATTR_EXT && k < length(list); k++)
			if (!put_action(p, json_object_array_get_idx(list, k)))
				return false;
		/* of IPv6 there are redirects only */
		if (type == ATTR_EXT6 && length(list)) {
			memcpy(p->ext6, redirect6, sizeof(redirect6));
			p->e.ext6_b = sizeof(redirect6);
		}
	}
	return true;
}

static void odd(struct path *p, const char *text, sl_bgp_sink sink, void *arg)
{
	p->e.op = SL_BGP_ODD;
	snprintf(p->e.text, sizeof(p->e.text), "%s", text);
	sink(arg, &p->e);
}

static void one_path(struct json_object *o, sl_bgp_sink sink, void *arg)
{
	struct json_object *ip = member(o, "neighbor-ip");
	struct path p = { .e.kind = SL_BGP_FLOWSPEC };
	int family;

	if (!sl_bgp_peer_name(json_object_get_string(ip), p.e.peer)) {
		odd(&p, "a path without its neighbour's address", sink, arg);
		return;
	}
	family = put_nlri(&p.nlri, member(o, "nlri"));
	p.e.op = truth(o, "withdrawal") ? SL_BGP_WITHDRAW : SL_BGP_ANNOUNCE;
	if (family < 0) {
		odd(&p, "components that cannot be read", sink, arg);
		return;
	}
	if (!put_attrs(&p, member(o, "attrs"), &family)) {
		/* the route is known, what to do is not: RFC 7606 */
		p.e.op = SL_BGP_WITHDRAW;
		p.e.ext_b = p.e.ext6_b = 0;
		snprintf(p.e.text, sizeof(p.e.text), "actions that cannot be "
			 "read");
	}
	if (!family) {
		odd(&p, "a path of no family", sink, arg);
		return;
	}
	p.e.family = family;
	p.e.key = p.nlri.b;
	p.e.key_b = p.nlri.n;
	p.e.ext = p.ext;
	p.e.ext6 = p.ext6;
	sink(arg, &p.e);
	if (p.e.text[0])
		odd(&p, "actions that cannot be read: the route counts as "
		    "withdrawn", sink, arg);
}

void sl_bgp_gobgp_line(const char *line, size_t line_b, sl_bgp_sink sink,
		       void *arg)
{
	struct json_tokener *t = json_tokener_new_ex(DEPTH);
	struct json_object *o = t ? json_tokener_parse_ex(t, line, line_b) :
			       NULL;
	struct path p = {};
	size_t i;

	if (json_object_is_type(o, json_type_object))
		one_path(o, sink, arg);
	else if (json_object_is_type(o, json_type_array))
		for (i = 0; i < length(o); i++)
			one_path(json_object_array_get_idx(o, i), sink, arg);
	else
		odd(&p, "a line that is no JSON", sink, arg);
	json_object_put(o);
	if (t)
		json_tokener_free(t);
}
