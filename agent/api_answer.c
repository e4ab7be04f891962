// SPDX-License-Identifier: GPL-2.0
/* A request's answer: the route is run, or why not is told; docs/api.md. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "api.h"
#include "call.h"
#include "commits.h"
#include "duration.h"
#include "plain.h"

/* Requests that wait for something new: some connections are for others, and one
 * who has many must not keep others from asking about history. */
#define MAX_WAITING 32
#define MAX_WAITING_PEER 8
/* A wrong token is told after this, to so many at once. */
#define WRONG_S 1
#define MAX_SLOWED 32

struct json_object *error_doc(struct refusal *r)
{
	struct json_object *o = json_object_new_object();
	struct json_object *e = json_object_new_object();

	put_text(e, "message", r->message);
	put_text(e, "remedy", r->remedy);
	if (r->items)
		json_object_object_add(e, "items", r->items);
	r->items = NULL;
	json_object_object_add(o, "error", e);
	return o;
}

/* The words of a body go into logs and the store: make them plain ones. */
static void make_plain(struct json_object *o)
{
	size_t i, n = json_object_is_type(o, json_type_array) ?
		      json_object_array_length(o) : 0;
	char *word;

	for (i = 0; i < n; i++)
		make_plain(json_object_array_get_idx(o, i));
	if (json_object_is_type(o, json_type_object)) {
		json_object_object_foreach(o, key, member) {
			(void)key;
			make_plain(member);
		}
	} else if (json_object_is_type(o, json_type_string)) {
		word = strdup(json_object_get_string(o));
		if (word)
			json_object_set_string(o, sl_plain(word));
		free(word);
	}
}

/* Run the route; an answer or a refusal comes back. */
static struct json_object *dispatch(struct call *k, const char *method,
				    const char *url, struct request *req)
{
	const struct route *rt = req->route;

	if (req->denied.status) {
		k->r = req->denied;
	} else if (!rt) {
		refuse(&k->r, 404, "see docs/api.md", "no resource %s", url);
	} else if (strcmp(method, rt->method)) {
		refuse(&k->r, 405, "see docs/api.md", "%s wants %s", url,
		       rt->method);
	} else if (req->too_long) {
		refuse(&k->r, 413, "send less", "the body is over %zu bytes",
		       rt->max_body_b);
	} else if (rt->how & ROUTE_RAW) {
		k->raw = req->body;
		k->raw_b = req->len;
		req->body = NULL;
		return rt->run(k);
	} else {
		k->body = json_tokener_parse(req->body ? req->body : "{}");
		make_plain(k->body);
		if (!json_object_is_type(k->body, json_type_object))
			refuse(&k->r, 400, "send one JSON object",
			       "the body is no JSON object");
		else
			return rt->run(k);
	}
	return NULL;
}

/* Whoever tries to change something is written down, also when it is refused.
 * What a job refuses is written when the job ends. */
static void audit_attempt(struct call *k, const char *url,
			  const struct route *rt)
{
	char action[64], object[TEXT_B] = "", *c;

	snprintf(action, sizeof(action), "%s", rt ? rt->path : "request");
	for (c = action; *c; c++)
		if (*c == '_')
			*c = ' ';
	if (rt)
		call_object(k, object, sizeof(object));
	audit_refused(k->a, &k->who, action, rt ? object : url, &k->r);
}

/* ... and told to those who watch. */
static void tell_refusal(struct call *k, const char *url)
{
	struct json_object *detail = event_by(&k->who);

	put_text(detail, "request", url);
	put_int(detail, "status", k->r.status);
	json_object_object_add(detail, "items", json_object_get(k->r.items));
	event(k->a, LOG_WARNING, "refused", detail, "%s by %s refused: %s",
	      url, user_name(&k->who), k->r.message);
}

/* What every answer has. Nothing of the agent is for other pages: no CORS, no
 * frames; a handler may say something else. */
static const struct {
	const char *name, *value;
} usual[] = {
	{ "X-Content-Type-Options", "nosniff" },
	{ "X-Frame-Options", "DENY" },
	{ "Referrer-Policy", "no-referrer" },
	{ "Cross-Origin-Resource-Policy", "same-origin" },
	{ "Content-Security-Policy", "default-src 'none'; "
				     "frame-ancestors 'none'" },
	{ "Cache-Control", "no-store" },
};

static void add_usual(const struct call *k, struct MHD_Response *resp)
{
	unsigned int i, n;

	for (i = 0; i < sizeof(usual) / sizeof(*usual); i++) {
		for (n = 0; n < 8 && k->header[n].name; n++)
			if (!strcmp(k->header[n].name, usual[i].name))
				break;
		if (n == 8 || !k->header[n].name)
			MHD_add_response_header(resp, usual[i].name,
						usual[i].value);
	}
}

/* The methods of a resource. */
static void add_allow(struct MHD_Response *resp, const char *path)
{
	const struct route *rt;
	char text[32] = "";

	for (rt = routes_all(); rt->path; rt++)
		if (!strcmp(rt->path, path) && !strstr(text, rt->method))
			snprintf(text + strlen(text), sizeof(text) -
				 strlen(text), "%s%s", text[0] ? ", " : "",
				 rt->method);
	MHD_add_response_header(resp, "Allow", text);
}

/* What goes with a status. */
static void add_status(struct MHD_Response *resp, unsigned int status,
		       const struct request *req)
{
	if (status == MHD_HTTP_UNAUTHORIZED)
		MHD_add_response_header(resp, "WWW-Authenticate",
			req->wrong_token ? "Bearer realm=\"sealane\", "
			"error=\"invalid_token\"" :
			"Bearer realm=\"sealane\"");
	else if (status == MHD_HTTP_TOO_MANY_REQUESTS)
		MHD_add_response_header(resp, "Retry-After", "1");
	else if (status == MHD_HTTP_METHOD_NOT_ALLOWED && req->route)
		add_allow(resp, req->route->path);
}

static enum MHD_Result respond(const struct call *k, unsigned int status,
			       struct MHD_Response *resp, size_t len_b,
			       const char *type, const struct request *req)
{
	enum MHD_Result rc;
	int i;

	if (!resp)
		return MHD_NO;
	MHD_add_response_header(resp, "Content-Type", type);
	for (i = 0; i < 8 && k->header[i].name; i++)
		MHD_add_response_header(resp, k->header[i].name,
					k->header[i].value);
	add_usual(k, resp);
	add_status(resp, status, req);
	if (sl_dp_bypass(k->a->dp))	/* whoever asks shall know */
		MHD_add_response_header(resp, "Sealane-Bypass", "on");
	conn_send(req->conn, len_b);
	rc = MHD_queue_response(k->c, status, resp);
	MHD_destroy_response(resp);
	return rc;
}

static enum MHD_Result respond_doc(const struct call *k, unsigned int status,
				   struct json_object *doc,
				   const struct request *req)
{
	size_t len_b;
	const char *text = json_object_to_json_string_length(doc,
				JSON_C_TO_STRING_NOSLASHESCAPE, &len_b);

	return respond(k, status, MHD_create_response_from_buffer(len_b,
		       (void *)text, MHD_RESPMEM_MUST_COPY), len_b,
		       "application/json", req);
}

/* What a handler made that is no JSON; it is the response's now. */
static enum MHD_Result respond_text(struct call *k, const struct request *req)
{
	char *text = k->text;

	k->text = NULL;
	return respond(k, k->status ? k->status : MHD_HTTP_OK,
		       MHD_create_response_from_buffer(k->text_b, text,
						       MHD_RESPMEM_MUST_FREE),
		       k->text_b, k->type, req);
}

/* Put a request aside; its handler runs again when there is something new, or
 * when its time is over. */
static void put_aside(struct api *s, struct MHD_Connection *c,
		      struct request *req, unsigned int wait_s)
{
	if (!req->until_ns)
		req->until_ns = sl_mono_ns() + wait_s * 1000000000ULL;
	req->c = c;
	req->next = s->waiting;
	s->waiting = req;
	if (req->wrong_token)
		s->n_slowed++;
	else
		s->n_waiting++;
	if (req->conn->peer && !req->wrong_token)
		req->conn->peer->waiting++;
	conn_rest(req->conn);
	MHD_suspend_connection(c);
}

/* Was it to change something? A plan only asks. */
static bool changes(const struct route *rt, const char *method)
{
	return !strcmp(method, "POST") && !(rt && rt->run == post_rule_plan);
}

/* Refusals of people whom nobody knows are counted by access.c: they must not
 * fill the log. */
static bool is_known(const struct request *req)
{
	return req->conn->l->local || caller_token(&req->who);
}

static void tell(struct call *k, const char *url, const char *method,
		 const struct request *req)
{
	if (!changes(req->route, method) || !is_known(req) ||
	    k->r.status == MHD_HTTP_TOO_MANY_REQUESTS)
		return;
	audit_attempt(k, url, req->route);
	tell_refusal(k, url);
}

/* Guessing is slow; and who guesses from many connections is not answered. */
static bool slow_down(struct api *s, struct MHD_Connection *c,
		      struct request *req)
{
	if (!req->wrong_token || req->over)
		return false;
	if (s->n_slowed < MAX_SLOWED) {
		put_aside(s, c, req, WRONG_S);
		return true;
	}
	refuse(&req->denied, 429, "wait a second", "too many wrong tokens");
	return false;
}

static bool may_wait(const struct api *s, const struct request *req)
{
	const struct peer *p = req->conn->peer;

	return s->n_waiting < MAX_WAITING &&
	       (!p || p->waiting < MAX_WAITING_PEER);
}

/* The server would end a body whose length it does not know, which is not to come
 * after a HEAD. */
static struct MHD_Response *without_body(struct MHD_Response *resp)
{
	MHD_destroy_response(resp);
	return MHD_create_response_from_buffer(0, "", MHD_RESPMEM_PERSISTENT);
}

enum MHD_Result api_answer(struct MHD_Connection *c, struct agent *a,
			   const char *url, const char *method,
			   struct request *req)
{
	struct call k = { .a = a, .c = c, .who = req->who,
			  .kept = &req->kept, .free_kept = &req->free_kept,
			  .may_wait = !req->over && may_wait(a->api, req) };
	struct json_object *doc;
	enum MHD_Result rc = MHD_YES;

	if (slow_down(a->api, c, req))
		return MHD_YES;
	doc = dispatch(&k, method, url, req);
	if (doc) {
		rc = respond_doc(&k, MHD_HTTP_OK, doc, req);
	} else if (k.text) {
		rc = respond_text(&k, req);
	} else if (k.response) {
		if (req->head)
			k.response = without_body(k.response);
		rc = respond(&k, MHD_HTTP_OK, k.response, 0, k.type, req);
	} else if (k.wait_s) {
		put_aside(a->api, c, req, k.wait_s);
	} else {
		if (!k.r.status)
			refuse(&k.r, 500, "see the agent's log", "no answer");
		tell(&k, url, method, req);
		doc = error_doc(&k.r);
		rc = respond_doc(&k, k.r.status, doc, req);
	}
	json_object_put(doc);
	json_object_put(k.body);
	free(k.raw);
	json_object_put(k.r.items);
	return rc;
}
