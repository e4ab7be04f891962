// SPDX-License-Identifier: GPL-2.0
/* The HTTP API on the Unix socket: docs/api.md. libmicrohttpd runs inside our
 * loop, so that a request never meets another thread. */
#include <errno.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include "agent.h"
#include "names.h"

#define MAX_BODY_B 65536
#define TIMEOUT_S 10
#define MAX_CONNECTIONS 64

struct api {
	struct MHD_Daemon *mhd;
	int fd, epoll_fd;
	char path[108];
};

/* A request while its body arrives. */
struct request {
	char *body;
	size_t len;
	bool too_long;
};

struct call {
	struct agent *a;
	struct MHD_Connection *c;
	struct json_object *body;
	struct caller who;
	struct refusal r;
};

typedef struct json_object *(*handler)(struct call *k);

static const char *query(struct call *k, const char *key)
{
	return MHD_lookup_connection_value(k->c, MHD_GET_ARGUMENT_KIND, key);
}

static const char *word(struct call *k, const char *key)
{
	struct json_object *v;

	return json_object_object_get_ex(k->body, key, &v) && v ?
	       json_object_get_string(v) : NULL;
}

static bool flag(struct call *k, const char *key)
{
	struct json_object *v;

	return json_object_object_get_ex(k->body, key, &v) &&
	       json_object_get_boolean(v);
}

static struct json_object *get_status(struct call *k)
{
	return status_doc(k->a);
}

static struct json_object *get_blocks(struct call *k)
{
	return blocks_doc(k->a);
}

static enum MHD_Result take_lane(void *arg, enum MHD_ValueKind kind,
				 const char *key, const char *value)
{
	struct latency_query *q = arg;

	(void)kind;
	if (!strcmp(key, "lane") && value && q->n_lanes < 64)
		q->lanes[q->n_lanes++] = value;
	return MHD_YES;
}

static struct json_object *get_latency(struct call *k)
{
	struct latency_query q = {
		.by = query(k, "by"), .half = query(k, "half"),
		.since = query(k, "since"), .until = query(k, "until") };

	MHD_get_connection_values(k->c, MHD_GET_ARGUMENT_KIND, take_lane, &q);
	return query_latency(k->a, &q, &k->r);
}

static struct json_object *get_explain(struct call *k)
{
	const char *addr = query(k, "addr");

	return explain_doc(k->a, addr ? addr : "", &k->r);
}

static struct json_object *post_block(struct call *k)
{
	struct json_object *answer = NULL;

	blocks_add(k->a, k->body, &k->who, &answer, &k->r);
	return answer;
}

static struct json_object *post_unblock(struct call *k)
{
	struct json_object *answer = NULL;

	blocks_remove(k->a, k->body, &k->who, &answer, &k->r);
	return answer;
}

static struct json_object *attach_doc(struct call *k, const char *name)
{
	struct json_object *o = json_object_new_object();
	unsigned int i;

	put_text(o, "interface", name);
	for (i = 0; i < k->a->n_ports; i++) {
		const struct port *p = &k->a->ports[i];

		if (strcmp(p->cfg.name, name))
			continue;
		put_int(o, "ifindex", p->ifindex);
		put_text(o, "mode", p->mode == SL_XDP_NATIVE ? "native" :
			 p->mode == SL_XDP_GENERIC ? "generic" : "none");
		put_text(o, "side", sl_side_name(p->cfg.side));
		put_text(o, "path", p->cfg.path);
		put_text(o, "state", p->state);
		return o;
	}
	put_int(o, "ifindex", 0);
	put_text(o, "mode", "none");
	put_null(o, "side");
	put_null(o, "path");
	put_text(o, "state", "detached");
	return o;
}

static struct json_object *post_attach(struct call *k)
{
	const char *name = word(k, "interface"), *side = word(k, "side");
	const char *path = word(k, "path");
	int s;

	for (s = SL_SIDE_INSIDE; side && s < SL_SIDE_MAX; s++)
		if (!strcmp(side, sl_side_name(s)))
			break;
	if (!name || !side || s == SL_SIDE_MAX) {
		refuse(&k->r, 400, "side is inside, outside or tap",
		       "attach wants an interface and a side");
		return NULL;
	}
	if (ports_attach(k->a, name, s, path ? path : "", flag(k, "generic"),
			 &k->r))
		return NULL;
	return attach_doc(k, name);
}

static struct json_object *post_detach(struct call *k)
{
	const char *name = word(k, "interface");

	if (!name || !name[0]) {
		refuse(&k->r, 400, "name it", "detach wants an interface");
		return NULL;
	}
	if (ports_detach(k->a, name, &k->r))
		return NULL;
	say(LOG_WARNING, "interface %s: detached by uid %u", name,
	    (unsigned int)k->who.uid);
	return attach_doc(k, name);
}

static struct json_object *post_bypass(struct call *k)
{
	const char *why = word(k, "why");
	struct json_object *o;
	bool on = flag(k, "on");

	sl_dp_set_bypass(k->a->dp, on);
	say(LOG_WARNING, "bypass %s by uid %u%s%s", on ?
	    "ON: nothing is measured or blocked" : "off",
	    (unsigned int)k->who.uid, why ? ": " : "", why ? why : "");
	o = json_object_new_object();
	put_bool(o, "bypass", on);
	return o;
}

static struct json_object *post_reload(struct call *k)
{
	struct json_object *o;

	if (agent_reload(k->a, &k->who, &k->r))
		return NULL;
	o = json_object_new_object();
	put_int(o, "generation", k->a->generation);
	put_int(o, "lanes", k->a->cfg->n_lanes);
	put_int(o, "interfaces", k->a->n_ports);
	return o;
}

static const struct route {
	const char *method, *path;
	handler run;
} routes[] = {
	{ "GET", "status", get_status }, { "GET", "latency", get_latency },
	{ "GET", "explain", get_explain }, { "GET", "blocks", get_blocks },
	{ "POST", "block", post_block }, { "POST", "unblock", post_unblock },
	{ "POST", "attach", post_attach }, { "POST", "detach", post_detach },
	{ "POST", "bypass", post_bypass }, { "POST", "reload", post_reload },
	{}
};

/* --- HTTP --- */
static struct caller caller_of(struct MHD_Connection *c)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(
		c, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct ucred cred = { .uid = (uid_t)-1 };
	socklen_t len = sizeof(cred);

	if (info)
		getsockopt(info->connect_fd, SOL_SOCKET, SO_PEERCRED, &cred,
			   &len);
	return (struct caller){ cred.uid, cred.pid };
}

static struct json_object *error_doc(struct refusal *r)
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

/* Find the route and run it; an answer or a refusal comes back. */
static struct json_object *dispatch(struct call *k, const char *method,
				    const char *url, struct request *req)
{
	const struct route *rt;
	const char *name = url + strlen("/api/v1/");

	for (rt = routes; rt->path; rt++)
		if (!strncmp(url, "/api/v1/", 8) && !strcmp(name, rt->path))
			break;
	if (!rt->path) {
		refuse(&k->r, 404, "see docs/api.md", "no resource %s", url);
	} else if (strcmp(method, rt->method)) {
		refuse(&k->r, 405, "see docs/api.md", "%s wants %s", url,
		       rt->method);
	} else if (req->too_long) {
		refuse(&k->r, 413, "send less", "the body is over %d bytes",
		       MAX_BODY_B);
	} else if (!strcmp(method, "POST") && k->who.uid != 0) {
		refuse(&k->r, 403, "be root", "uid %u may only read",
		       (unsigned int)k->who.uid);
	} else {
		k->body = json_tokener_parse(req->body ? req->body : "{}");
		if (!json_object_is_type(k->body, json_type_object))
			refuse(&k->r, 400, "send one JSON object",
			       "the body is no JSON object");
		else
			return rt->run(k);
	}
	return NULL;
}

static enum MHD_Result answer(struct MHD_Connection *c, struct agent *a,
			      const char *url, const char *method,
			      struct request *req)
{
	struct call k = { .a = a, .c = c, .who = caller_of(c) };
	struct json_object *doc = dispatch(&k, method, url, req);
	unsigned int status = MHD_HTTP_OK;
	struct MHD_Response *resp;
	enum MHD_Result rc;
	const char *text;

	if (!doc) {
		if (!k.r.status)
			refuse(&k.r, 500, "see the agent's log", "no answer");
		doc = error_doc(&k.r);
		status = k.r.status;
	}
	text = json_object_to_json_string_ext(doc,
					      JSON_C_TO_STRING_NOSLASHESCAPE);
	resp = MHD_create_response_from_buffer(strlen(text), (void *)text,
					       MHD_RESPMEM_MUST_COPY);
	MHD_add_response_header(resp, "Content-Type", "application/json");
	rc = MHD_queue_response(c, status, resp);
	MHD_destroy_response(resp);
	json_object_put(doc);
	json_object_put(k.body);
	json_object_put(k.r.items);
	return rc;
}

static enum MHD_Result on_request(void *arg, struct MHD_Connection *c,
				  const char *url, const char *method,
				  const char *version, const char *data,
				  size_t *len, void **state)
{
	struct request *req = *state;
	char *grown;

	(void)version;
	if (!req) {
		*state = calloc(1, sizeof(*req));
		return *state ? MHD_YES : MHD_NO;
	}
	if (!*len)
		return answer(c, arg, url, method, req);
	if (req->len + *len > MAX_BODY_B) {
		req->too_long = true;
	} else {
		grown = realloc(req->body, req->len + *len + 1);
		if (!grown)
			return MHD_NO;
		req->body = grown;
		memcpy(req->body + req->len, data, *len);
		req->len += *len;
		req->body[req->len] = '\0';
	}
	*len = 0;
	return MHD_YES;
}

static void on_done(void *arg, struct MHD_Connection *c, void **state,
		    enum MHD_RequestTerminationCode why)
{
	struct request *req = *state;

	(void)arg;
	(void)c;
	(void)why;
	if (req)
		free(req->body);
	free(req);
}

/* A socket that nobody listens on is a leftover; a live one is another's. */
static int listen_unix(const char *path)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", path);
	if (!connect(fd, (struct sockaddr *)&sun, sizeof(sun))) {
		close(fd);
		return -EADDRINUSE;
	}
	close(fd);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	unlink(path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&sun, sizeof(sun)) ||
	    chmod(path, 0660) || listen(fd, 64)) {
		int rc = -errno;

		if (fd >= 0)
			close(fd);
		return rc;
	}
	return fd;
}

int api_open(struct agent *a)
{
	struct api *s = calloc(1, sizeof(*s));
	char dir[108], *slash;
	const union MHD_DaemonInfo *info;

	if (!s)
		return -1;
	strcpy(s->path, a->cfg->socket);
	strcpy(dir, s->path);
	slash = strrchr(dir, '/');
	*slash = '\0';
	if (dir[0])
		mkdir(dir, 0755);
	s->fd = listen_unix(s->path);
	if (s->fd < 0) {
		say(LOG_ERR, "socket %s: %s", s->path, strerror(-s->fd));
		free(s);
		return -1;
	}
	s->mhd = MHD_start_daemon(MHD_USE_EPOLL, 0, NULL, NULL, on_request, a,
		MHD_OPTION_LISTEN_SOCKET, s->fd,
		MHD_OPTION_NOTIFY_COMPLETED, on_done, NULL,
		MHD_OPTION_CONNECTION_TIMEOUT, (unsigned int)TIMEOUT_S,
		MHD_OPTION_CONNECTION_LIMIT, (unsigned int)MAX_CONNECTIONS,
		MHD_OPTION_END);
	info = s->mhd ? MHD_get_daemon_info(s->mhd, MHD_DAEMON_INFO_EPOLL_FD) :
			NULL;
	if (!info) {
		say(LOG_ERR, "cannot start the HTTP server");
		return -1;
	}
	s->epoll_fd = info->epoll_fd;
	a->api = s;
	return 0;
}

void api_close(struct agent *a)
{
	if (!a->api)
		return;
	MHD_stop_daemon(a->api->mhd);
	unlink(a->api->path);
	free(a->api);
}

int api_fd(const struct agent *a)
{
	return a->api->epoll_fd;
}

void api_run(struct agent *a)
{
	MHD_run(a->api->mhd);
}

int api_timeout_ms(const struct agent *a)
{
	MHD_UNSIGNED_LONG_LONG ms;

	return MHD_get_timeout(a->api->mhd, &ms) == MHD_YES ? (int)ms : -1;
}
