// SPDX-License-Identifier: GPL-2.0
/* The HTTP API: docs/api.md. libmicrohttpd runs inside our loop, so that a request
 * never meets another thread. Here: bodies as they arrive, requests that wait. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>
#include "api.h"
#include "call.h"
#include "duration.h"

/* More of the body; whoever may not post is not listened to. */
static int take_body(struct request *req, const char *data, size_t len)
{
	size_t most = req->route && !req->denied.status ?
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
	conn_has_body(req->conn, req->len);
	return 0;
}

static struct request *request_new(struct agent *a, struct MHD_Connection *c,
				   const char *url, const char *method)
{
	struct request *req = calloc(1, sizeof(*req));

	if (!req)
		return NULL;
	req->conn = conn_of(c);
	if (!req->conn) {
		free(req);
		return NULL;
	}
	if (!strncmp(url, "/api/v1/", 8) && url[8] != '/')
		req->route = route_of(url + 8, method);
	else if (url[0] == '/')
		req->route = route_of(url, method);
	access_check(a, c, req, method);
	conn_await_body(req->conn);
	return req;
}

/* A big body is not sent by who waits to be told to (Expect: 100-continue). */
static bool waits_for_leave(struct MHD_Connection *c)
{
	return MHD_lookup_connection_value(c, MHD_HEADER_KIND, "Expect");
}

enum MHD_Result api_request(void *arg, struct MHD_Connection *c,
			    const char *url, const char *method,
			    const char *version, const char *data, size_t *len,
			    void **state)
{
	struct agent *a = ((struct listener *)arg)->a;
	struct request *req = *state;
	bool head;

	(void)version;
	head = !strcmp(method, "HEAD");
	if (head)	/* the server leaves the body out */
		method = "GET";
	if (!req) {
		req = *state = request_new(a, c, url, method);
		if (!req)
			return MHD_NO;
		req->head = head;
		if (req->denied.status && !req->wrong_token &&
		    waits_for_leave(c))
			return api_answer(c, a, url, method, req);
		return MHD_YES;
	}
	if (!*len)
		return api_answer(c, a, url, method, req);
	if (take_body(req, data, *len))
		return MHD_NO;
	*len = 0;
	return MHD_YES;
}

void api_done(void *arg, struct MHD_Connection *c, void **state,
	      enum MHD_RequestTerminationCode why)
{
	struct request *req = *state;

	(void)arg;
	(void)c;
	(void)why;
	if (!req)
		return;
	conn_await_head(req->conn);
	if (req->free_kept)
		req->free_kept(req->kept);
	free(req->body);
	free(req);
	*state = NULL;
}

int api_open(struct agent *a)
{
	struct api *s = calloc(1, sizeof(*s));

	if (!s)
		return -1;
	a->api = s;
	s->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (s->epoll_fd < 0) {
		say(LOG_ERR, "HTTP server: %s", strerror(errno));
		return -1;
	}
	return listen_start(a);
}

/* Go on with those who wait: all of them, or whose time is over. Who is slowed
 * down has no news to wait for. */
static void resume(struct api *s, bool all)
{
	struct request **at = &s->waiting, *req;
	uint64_t now_ns = sl_mono_ns();

	while ((req = *at)) {
		req->over = now_ns >= req->until_ns;
		if (!req->over && (!all || req->wrong_token)) {
			at = &req->next;
			continue;
		}
		*at = req->next;
		if (req->wrong_token)
			s->n_slowed--;
		else
			s->n_waiting--;
		if (req->conn->peer && !req->wrong_token)
			req->conn->peer->waiting--;
		conn_await_body(req->conn);
		MHD_resume_connection(req->c);
	}
}

void api_release(struct api *s, const struct listener *l)
{
	struct request *req;

	for (req = s->waiting; req; req = req->next)
		if (!l || req->conn->l == l)
			req->until_ns = 0;
	resume(s, false);
}

void api_wake(struct agent *a)
{
	if (a->api)
		a->api->wake = true;
}

void api_second(struct agent *a)
{
	resume(a->api, false);
	tokens_second(a);
	access_second(a);
	streams_second(a);
	conns_second(a);
	listen_second(a);
}

void api_close(struct agent *a)
{
	if (!a->api)
		return;
	listen_stop(a);
	if (a->api->epoll_fd >= 0)
		close(a->api->epoll_fd);
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
	struct listener *l;

	do {	/* what a request changes is news for others */
		if (s->wake) {
			resume(s, true);
			streams_wake(a);
		}
		s->wake = false;
		for (l = s->listeners; l; l = l->next)
			MHD_run(l->mhd);
	} while (s->wake);
}

int api_timeout_ms(const struct agent *a)
{
	MHD_UNSIGNED_LONG_LONG ms;
	struct listener *l;
	int least = -1;

	for (l = a->api->listeners; l; l = l->next)
		if (MHD_get_timeout(l->mhd, &ms) == MHD_YES &&
		    (least < 0 || (int)ms < least))
			least = ms;
	return least;
}
