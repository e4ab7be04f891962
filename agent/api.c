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
#include "commits.h"
#include "duration.h"
#include "plain.h"

#define TIMEOUT_S 10
#define MAX_CONNECTIONS 64
/* Requests that wait for something new: some connections are for others. */
#define MAX_WAITING 16

struct api {
	struct MHD_Daemon *mhd;
	int fd, epoll_fd;
	char path[108];
	struct request *waiting;
	unsigned int n_waiting;
	bool wake;		/* something new for those who wait */
};

/* A request while its body arrives. */
struct request {
	const struct route *route;	/* NULL: none */
	struct caller who;
	char *body;
	size_t len, room;
	bool too_long;
	struct MHD_Connection *c;	/* while it waits: */
	struct request *next;
	uint64_t until_ns;	/* monotonic clock; 0: has not waited */
	bool over;		/* has waited long enough */
	void *kept;		/* the handler's */
	void (*free_kept)(void *kept);
};

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

	if (!rt) {
		refuse(&k->r, 404, "see docs/api.md", "no resource %s", url);
	} else if (strcmp(method, rt->method)) {
		refuse(&k->r, 405, "see docs/api.md", "%s wants %s", url,
		       rt->method);
	} else if (!strcmp(method, "POST") && k->who.uid != 0) {
		refuse(&k->r, 403, "be root", "uid %u may only read",
		       (unsigned int)k->who.uid);
	} else if (req->too_long) {
		refuse(&k->r, 413, "send less", "the body is over %zu bytes",
		       rt->max_body_b);
	} else if (rt->raw) {
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

static enum MHD_Result respond(const struct call *k, unsigned int status,
			       struct MHD_Response *resp, const char *type)
{
	enum MHD_Result rc;
	int i;

	MHD_add_response_header(resp, "Content-Type", type);
	for (i = 0; i < 8 && k->header[i].name; i++)
		MHD_add_response_header(resp, k->header[i].name,
					k->header[i].value);
	if (sl_dp_bypass(k->a->dp))	/* whoever asks shall know */
		MHD_add_response_header(resp, "Sealane-Bypass", "on");
	rc = MHD_queue_response(k->c, status, resp);
	MHD_destroy_response(resp);
	return rc;
}

static struct MHD_Response *doc_response(struct json_object *doc)
{
	const char *text = json_object_to_json_string_ext(doc,
					JSON_C_TO_STRING_NOSLASHESCAPE);

	return MHD_create_response_from_buffer(strlen(text), (void *)text,
					       MHD_RESPMEM_MUST_COPY);
}

/* What a handler made that is no JSON; it is the response's now. */
static struct MHD_Response *text_response(struct call *k)
{
	char *text = k->text;

	k->text = NULL;
	return MHD_create_response_from_buffer(k->text_b, text,
					       MHD_RESPMEM_MUST_FREE);
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
	s->n_waiting++;
	MHD_suspend_connection(c);
}

/* Was it to change something? A plan only asks. */
static bool changes(const struct route *rt, const char *method)
{
	return !strcmp(method, "POST") && !(rt && rt->run == post_rule_plan);
}

static enum MHD_Result answer(struct MHD_Connection *c, struct agent *a,
			      const char *url, const char *method,
			      struct request *req)
{
	struct call k = { .a = a, .c = c, .who = req->who,
			  .kept = &req->kept, .free_kept = &req->free_kept,
			  .may_wait = !req->over &&
				      a->api->n_waiting < MAX_WAITING };
	struct json_object *doc = dispatch(&k, method, url, req);
	unsigned int status = MHD_HTTP_OK;
	enum MHD_Result rc = MHD_YES;

	if (!doc && !k.text && !k.wait_s) {
		if (!k.r.status)
			refuse(&k.r, 500, "see the agent's log", "no answer");
		if (changes(req->route, method)) {
			audit_attempt(&k, url, req->route);
			tell_refusal(&k, url);
		}
		doc = error_doc(&k.r);
		status = k.r.status;
	}
	if (doc)
		rc = respond(&k, status, doc_response(doc),
			     "application/json");
	else if (k.text)
		rc = respond(&k, k.status ? k.status : status,
			     text_response(&k), k.type);
	else
		put_aside(a->api, c, req, k.wait_s);
	json_object_put(doc);
	json_object_put(k.body);
	free(k.raw);
	json_object_put(k.r.items);
	return rc;
}

/* More of the body; whoever may not post is not listened to. */
static int take_body(struct request *req, const char *data, size_t len)
{
	size_t most = req->route && req->who.uid == 0 ?
		      req->route->max_body_b : 0;
	size_t room = req->room ? req->room : 4096;
	char *grown;

	if (req->len + len > most) {
		req->too_long = true;
		return 0;
	}
	while (room < req->len + len + 1)
		room *= 2;
	if (room != req->room) {
		grown = realloc(req->body, room);
		if (!grown)
			return -1;
		req->body = grown;
		req->room = room;
	}
	memcpy(req->body + req->len, data, len);
	req->len += len;
	req->body[req->len] = '\0';
	return 0;
}

static enum MHD_Result on_request(void *arg, struct MHD_Connection *c,
				  const char *url, const char *method,
				  const char *version, const char *data,
				  size_t *len, void **state)
{
	struct request *req = *state;

	(void)version;
	if (!req) {
		req = *state = calloc(1, sizeof(*req));
		if (!req)
			return MHD_NO;
		req->who = caller_of(c);
		req->route = route_of(strncmp(url, "/api/v1/", 8) ? url :
				      url + 8, method);
		return MHD_YES;
	}
	if (!*len)
		return answer(c, arg, url, method, req);
	if (take_body(req, data, *len))
		return MHD_NO;
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
	if (req && req->free_kept)
		req->free_kept(req->kept);
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
	s->mhd = MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0,
		NULL, NULL, on_request, a,
		MHD_OPTION_LISTEN_SOCKET, s->fd,
		MHD_OPTION_NOTIFY_COMPLETED, on_done, NULL,
		MHD_OPTION_CONNECTION_TIMEOUT, (unsigned int)TIMEOUT_S,
		MHD_OPTION_CONNECTION_LIMIT, (unsigned int)MAX_CONNECTIONS,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)(256 << 10),
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

/* Go on with those who wait: all of them, or whose time is over. */
static void resume(struct api *s, bool all)
{
	struct request **at = &s->waiting, *req;
	uint64_t now_ns = sl_mono_ns();

	while ((req = *at)) {
		req->over = now_ns >= req->until_ns;
		if (!all && !req->over) {
			at = &req->next;
			continue;
		}
		*at = req->next;
		s->n_waiting--;
		MHD_resume_connection(req->c);
	}
}

void api_wake(struct agent *a)
{
	if (a->api)
		a->api->wake = true;
}

void api_second(struct agent *a)
{
	resume(a->api, false);
}

void api_close(struct agent *a)
{
	if (!a->api)
		return;
	resume(a->api, true);
	MHD_stop_daemon(a->api->mhd);
	unlink(a->api->path);
	free(a->api);
	a->api = NULL;
}

int api_fd(const struct agent *a)
{
	return a->api->epoll_fd;
}

void api_run(struct agent *a)
{
	struct api *s = a->api;

	do {	/* what a request changes is news for others */
		if (s->wake)
			resume(s, true);
		s->wake = false;
		MHD_run(s->mhd);
	} while (s->wake);
}

int api_timeout_ms(const struct agent *a)
{
	MHD_UNSIGNED_LONG_LONG ms;

	return MHD_get_timeout(a->api->mhd, &ms) == MHD_YES ? (int)ms : -1;
}
