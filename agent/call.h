/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What handlers of the API see: a request whose body is whole, and the table of
 * what can be asked (routes.c).
 */
#ifndef SL_CALL_H
#define SL_CALL_H

#include "agent.h"

struct MHD_Connection;
struct MHD_Response;

/* One request, its body whole. */
struct call {
	struct agent *a;
	struct MHD_Connection *c;
	char *raw;			/* the body; a handler may take it */
	size_t raw_b;
	struct json_object *body;	/* where the route wants JSON */
	struct caller who;
	struct refusal r;
	char *text;			/* an answer that is no JSON, owned ... */
	size_t text_b;
	struct MHD_Response *response;	/* or one that is made already, owned */
	const char *type;		/* ... and its Content-Type */
	unsigned int status;		/* of it; 0: 200 */
	struct {
		const char *name, *value;	/* more headers; NULL ends */
	} header[8];
	void **kept;			/* a handler's own, between the times
					 * that it runs for this request ... */
	void (**free_kept)(void *kept);	/* ... and what ends it */
	bool may_wait;			/* ... and be asked again: */
	unsigned int wait_s;		/* with no answer, for so long */
};

struct route {
	const char *method, *path;	/* below /api/v1/, or "/..." */
	struct json_object *(*run)(struct call *k);
	size_t max_body_b;
	unsigned int how;		/* ROUTE_*; a GET wants role view, and
					 * all else enforce, unless it says so */
};
#define ROUTE_RAW	1U		/* the body is no JSON */
#define ROUTE_OPERATE	2U		/* role operate is enough */
#define ROUTE_OPEN	4U		/* no role: there is no data in it */

/* Where a resource has no such method, what it has. */
const struct route *route_of(const char *path, const char *method);
const struct route *routes_all(void);	/* path NULL ends */
const char *call_query(struct call *k, const char *key);	/* NULL: none */
const char *call_word(struct call *k, const char *key);	/* of the body */
/* What a request is about, for the audit. */
void call_object(struct call *k, char *buf, size_t len);
struct json_object *call_started(struct call *k, struct job *j);
/* Routes of routes_rules.c. */
struct json_object *get_rules(struct call *k);
struct json_object *get_generations(struct call *k);
struct json_object *get_audit(struct call *k);
struct json_object *post_rule_apply(struct call *k);
struct json_object *post_rule_plan(struct call *k);
struct json_object *post_rule_confirm(struct call *k);
struct json_object *post_rule_rollback(struct call *k);
struct json_object *get_stream(struct call *k);	/* stream.c */
struct json_object *get_index(struct call *k);	/* routes_index.c */

#endif
