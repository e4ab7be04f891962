/* SPDX-License-Identifier: GPL-2.0 */
/* The routes of one neighbour, found by kind, family and the bytes that a peer
 * names them by; and events as JSON, between a reader and the agent. */
#ifndef SL_BGP_ROUTES_H
#define SL_BGP_ROUTES_H

#include <json-c/json.h>
#include "bgp.h"

struct sl_route {
	enum sl_bgp_kind kind;
	uint8_t family;
	bool stale;		/* of a former session, not announced since */
	uint64_t at_ns;		/* when it was announced; the caller's */
	void *more;		/* the caller's */
	uint16_t key_b, ext_b, ext6_b;
	uint8_t bytes[];	/* key, ext, ext6 */
};

struct sl_routes {
	struct sl_route **r;	/* sorted */
	unsigned int n, room;
	void (*forget)(struct sl_route *r);	/* frees `more`; or NULL */
};

struct sl_route *sl_routes_find(const struct sl_routes *t,
				const struct sl_bgp_event *e);
/* Put what was announced; a former one is forgotten, its time and `more` with
 * it. NULL: no memory, nothing changed. */
struct sl_route *sl_routes_put(struct sl_routes *t,
			       const struct sl_bgp_event *e);
bool sl_routes_drop(struct sl_routes *t, const struct sl_bgp_event *e);
/* All of them may be gone; those that stay stale are swept. Their number. */
unsigned int sl_routes_age(struct sl_routes *t);
/* of: kind and family, or NULL for all. */
unsigned int sl_routes_sweep(struct sl_routes *t,
			     const struct sl_bgp_event *of);
void sl_routes_clear(struct sl_routes *t);
/* The announcement that made it; points into the route. */
void sl_route_event(const struct sl_route *r, const char *peer,
		    struct sl_bgp_event *out);
/* The same in what matters to a packet. */
bool sl_route_is(const struct sl_route *r, const struct sl_bgp_event *e);

/* Bytes that a parsed event points to. */
struct sl_bgp_bytes {
	uint8_t key[SL_FLOWSPEC_MAX_B], ext[SL_BGP_EXT_B], ext6[SL_BGP_EXT6_B];
};
struct json_object *sl_bgp_event_doc(const struct sl_bgp_event *e);
/* 0, or -EBADMSG with a reason (SL_FLOWSPEC_WHY_B). */
int sl_bgp_event_parse(struct json_object *o, struct sl_bgp_event *out,
		       struct sl_bgp_bytes *bytes, char *why);
/* buf: twice the bytes and one. */
const char *sl_hex(const uint8_t *b, size_t n, char *buf);

#endif
