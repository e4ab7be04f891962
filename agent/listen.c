// SPDX-License-Identifier: GPL-2.0
/*
 * Where the API listens: the Unix socket, what the configuration names, and what
 * systemd hands over. Each has a server of its own (libmicrohttpd), whose epoll
 * descriptor lies in one of ours, so that the loop has one to watch.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>
#include "api.h"
#include "duration.h"

#define SECOND_NS	1000000000ULL
#define TIMEOUT_S	10U
#define CONNS_LOCAL	64U
#define CONNS_TCP	256U		/* of each listener: ten addresses that
					 * take all they can get */
#define HEAD_LOCAL_B	(256U << 10)	/* why and file names are in queries */
#define HEAD_B		(64U << 10)
#define BACKLOG		64
#define DRAIN_NS	(10 * SECOND_NS)
#define TRY_NS		(5 * SECOND_NS)

/* An address of the configuration. Returns its length; 0: none. */
static socklen_t address(const char *host, uint16_t port,
			 struct sockaddr_storage *ss)
{
	struct sockaddr_in *a4 = (struct sockaddr_in *)ss;
	struct sockaddr_in6 *a6 = (struct sockaddr_in6 *)ss;

	memset(ss, 0, sizeof(*ss));
	if (inet_pton(AF_INET, host, &a4->sin_addr) == 1) {
		a4->sin_family = AF_INET;
		a4->sin_port = htons(port);
		return sizeof(*a4);
	}
	if (inet_pton(AF_INET6, host, &a6->sin6_addr) == 1) {
		a6->sin6_family = AF_INET6;
		a6->sin6_port = htons(port);
		return sizeof(*a6);
	}
	return 0;
}

bool listener_is(const struct sl_listener *c, const char *host,
			 uint16_t port)
{
	struct sockaddr_storage x, y;
	socklen_t len = address(c->host, c->port, &x);

	return len && len == address(host, port, &y) && !memcmp(&x, &y, len);
}

int listen_tcp(const char *host, uint16_t port, struct refusal *r)
{
	struct sockaddr_storage ss;
	socklen_t len = address(host, port, &ss);
	int fd = socket(ss.ss_family, SOCK_STREAM | SOCK_CLOEXEC |
			SOCK_NONBLOCK, 0), one = 1;

	if (fd >= 0) {
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
		if (ss.ss_family == AF_INET6)
			setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one,
				   sizeof(one));
		if (!bind(fd, (struct sockaddr *)&ss, len) &&
		    !listen(fd, BACKLOG))
			return fd;
	}
	refuse(r, 409, errno == EADDRINUSE ? "another program listens there: "
	       "see ss -ltnp" : "see ip addr", "cannot listen on %s port %u: "
	       "%s", host, port, strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

/* A socket that nobody listens on is a leftover; a live one is another's.
 * Everybody may connect: what he may is decided by who he is. */
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
	    chmod(path, 0666) || listen(fd, BACKLOG)) {
		int rc = -errno;

		if (fd >= 0)
			close(fd);
		return rc;
	}
	return fd;
}

void listener_free(struct listener *l)
{
	if (!l)
		return;
	if (l->mhd)
		MHD_stop_daemon(l->mhd);
	else if (l->fd >= 0)
		close(l->fd);
	free(l->cert);
	free(l->key);
	free(l);
}

/* Ends what it serves. */
void listener_stop(struct listener *l)
{
	api_release(l->a->api, l);
	streams_end(l->a, l);
	listener_free(l);
}

/* %00 would end a word early. */
static size_t unescape(void *arg, struct MHD_Connection *c, char *word)
{
	char *at = word;

	(void)arg;
	(void)c;
	while ((at = strstr(at, "%00")))
		memcpy(at, "%3F", 3);
	return MHD_http_unescape(word);
}

static int start_server(struct listener *l)
{
	struct MHD_OptionItem more[4] = {};
	unsigned int n = 0;

	if (l->cert) {
		more[n++] = (struct MHD_OptionItem){
			MHD_OPTION_HTTPS_MEM_CERT, 0, l->cert };
		more[n++] = (struct MHD_OptionItem){
			MHD_OPTION_HTTPS_MEM_KEY, 0, l->key };
		more[n++] = (struct MHD_OptionItem){
			MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)tls_priorities };
	}
	more[n] = (struct MHD_OptionItem){ MHD_OPTION_END, 0, NULL };
	l->mhd = MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME |
		(l->cert ? MHD_USE_TLS : 0), 0, conn_policy, l, api_request, l,
		MHD_OPTION_LISTEN_SOCKET, l->fd,
		MHD_OPTION_NOTIFY_COMPLETED, api_done, NULL,
		MHD_OPTION_NOTIFY_CONNECTION, conn_notify, l,
		MHD_OPTION_CONNECTION_TIMEOUT, TIMEOUT_S,
		MHD_OPTION_CONNECTION_LIMIT, l->local ? CONNS_LOCAL : CONNS_TCP,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT,
		(size_t)(l->local ? HEAD_LOCAL_B : HEAD_B),
		MHD_OPTION_UNESCAPE_CALLBACK, unescape, NULL,
		MHD_OPTION_STRICT_FOR_CLIENT, l->local ? 0 : 1,
		MHD_OPTION_ARRAY, more, MHD_OPTION_END);
	return l->mhd ? 0 : -1;
}

/* A server for a socket, which is its own in every case. */
struct listener *listener_new(struct agent *a, int fd, bool local,
				     char *cert, char *key)
{
	struct listener *l = calloc(1, sizeof(*l));

	if (!l) {
		close(fd);
		free(cert);
		free(key);
		return NULL;
	}
	l->a = a;
	l->fd = fd;
	l->local = local;
	l->cert = cert;
	l->key = key;
	if (!start_server(l))
		return l;
	listener_free(l);
	return NULL;
}

int listener_link(struct api *s, struct listener *l)
{
	struct epoll_event ev = { .events = EPOLLIN };
	const union MHD_DaemonInfo *info = MHD_get_daemon_info(l->mhd,
						MHD_DAEMON_INFO_EPOLL_FD);

	if (!info || epoll_ctl(s->epoll_fd, EPOLL_CTL_ADD, info->epoll_fd, &ev))
		return -1;
	l->next = s->listeners;
	s->listeners = l;
	return 0;
}

/* --- systemd --- */
/* What a socket listens on; false: it does not. */
static bool learn_held(int fd, struct held *h)
{
	struct sockaddr_storage ss = {};
	struct sockaddr_in *a4 = (struct sockaddr_in *)&ss;
	struct sockaddr_in6 *a6 = (struct sockaddr_in6 *)&ss;
	socklen_t len = sizeof(ss);

	*h = (struct held){ .fd = fd };
	if (sd_is_socket(fd, AF_UNSPEC, SOCK_STREAM, 1) <= 0 ||
	    getsockname(fd, (struct sockaddr *)&ss, &len))
		return false;
	if (ss.ss_family == AF_INET) {
		inet_ntop(AF_INET, &a4->sin_addr, h->host, sizeof(h->host));
		h->port = ntohs(a4->sin_port);
		h->safe = ntohl(a4->sin_addr.s_addr) >> 24 == 127;
	} else if (ss.ss_family == AF_INET6) {
		inet_ntop(AF_INET6, &a6->sin6_addr, h->host, sizeof(h->host));
		h->port = ntohs(a6->sin6_port);
		h->safe = IN6_IS_ADDR_LOOPBACK(&a6->sin6_addr);
	} else if (ss.ss_family == AF_UNIX) {
		snprintf(h->host, sizeof(h->host), "%.107s",
			 ((struct sockaddr_un *)&ss)->sun_path);
		h->local = h->safe = true;
	}
	return h->host[0];
}

bool held_wanted(const struct sl_config *cfg, const struct held *h)
{
	unsigned int i;

	for (i = 0; i < cfg->n_listen; i++)
		if (listener_is(&cfg->listen[i], h->host, h->port))
			return true;
	return false;
}

/* One socket that systemd listens on for us: of a listener of the configuration,
 * or for all who may connect to look. */
static void inherit(struct agent *a, int fd, const char *name)
{
	struct api *s = a->api;
	struct listener *l;
	struct held h;

	if (!learn_held(fd, &h) || s->n_held == HELD_MOST) {
		say(LOG_ERR, "socket %s of systemd: no stream socket that "
		    "listens", name);
		close(fd);
	} else if (held_wanted(a->cfg, &h)) {
		s->held[s->n_held++] = h;
	} else if (!h.safe) {
		say(LOG_ERR, "socket %s of systemd: %s port %u is not loopback "
		    "and has no TLS: refused; name it in listen: with cert and "
		    "key", name, h.host, h.port);
		close(fd);
	} else {
		l = listener_new(a, fd, h.local, NULL, NULL);
		if (!l || listener_link(s, l)) {
			say(LOG_ERR, "socket %s of systemd: no server", name);
			listener_free(l);
			return;
		}
		strcpy(l->host, h.host);
		l->port = h.port;
		l->inherited = true;
		l->role = SL_ROLE_VIEW;
		s->have_local |= h.local && !strcmp(h.host, a->cfg->socket);
		say(LOG_INFO, "listening on socket %s of systemd", name);
	}
}

static void inherit_all(struct agent *a)
{
	char **name = NULL;
	int i, n = sd_listen_fds_with_names(1, &name);

	for (i = 0; i < n; i++)
		inherit(a, SD_LISTEN_FDS_START + i, name[i]);
	for (i = 0; name && name[i]; i++)
		free(name[i]);
	free(name);
}

static int open_local(struct agent *a)
{
	char dir[sizeof(a->cfg->socket)], *slash;
	struct listener *l;
	int fd;

	strcpy(dir, a->cfg->socket);
	slash = strrchr(dir, '/');
	*slash = '\0';
	if (dir[0])
		mkdir(dir, 0755);
	fd = listen_unix(a->cfg->socket);
	if (fd < 0) {
		say(LOG_ERR, "socket %s: %s", a->cfg->socket, strerror(-fd));
		return -1;
	}
	l = listener_new(a, fd, true, NULL, NULL);
	if (!l || listener_link(a->api, l)) {
		say(LOG_ERR, "cannot start the HTTP server");
		listener_free(l);
		return -1;
	}
	strcpy(a->api->path, a->cfg->socket);
	return 0;
}

void listener_drain(struct listener *l)
{
	int fd = MHD_quiesce_daemon(l->mhd);

	if (fd >= 0)
		close(fd);
	l->drain_ns = sl_mono_ns() + DRAIN_NS;
}

/* At start nothing may keep the agent from its work: what cannot be had yet (an
 * address, a certificate) is said, and tried again. */
static void take_or_try_again(struct agent *a, bool first)
{
	struct api_plan *p = NULL;
	struct refusal r = {};

	a->api->try_ns = sl_mono_ns() + TRY_NS;
	a->api->lacking = true;
	if (!api_prepare(a, a->cfg, &p, &r))
		api_take(a, p);
	else if (first)
		event(a, LOG_ERR, "access", NULL, "listeners, tokens and roles "
		      "of the configuration cannot be had, and are tried again: "
		      "%s; %s", r.message, r.remedy);
	if (!first && !a->api->lacking)
		event(a, LOG_NOTICE, "access", NULL, "listeners, tokens and "
		      "roles of the configuration are in force");
}

int listen_start(struct agent *a)
{
	inherit_all(a);
	if (!a->api->have_local && open_local(a))
		return -1;
	take_or_try_again(a, true);
	return 0;
}

void listen_second(struct agent *a)
{
	struct api *s = a->api;
	struct listener **at = &s->listeners, *l;
	const union MHD_DaemonInfo *info;
	uint64_t now = sl_mono_ns();

	while ((l = *at)) {
		info = MHD_get_daemon_info(l->mhd,
				MHD_DAEMON_INFO_CURRENT_CONNECTIONS);
		if (l->drain_ns && (now > l->drain_ns || !info ||
				    !info->num_connections)) {
			*at = l->next;
			listener_stop(l);
		} else {
			at = &l->next;
		}
	}
	/* a reload holds listeners that it found */
	if (s->lacking && now > s->try_ns && !jobs_busy(a))
		take_or_try_again(a, false);
}

void listen_stop(struct agent *a)
{
	struct api *s = a->api;
	struct listener *l;

	while ((l = s->listeners)) {
		s->listeners = l->next;
		listener_stop(l);
	}
	while (s->n_held)
		close(s->held[--s->n_held].fd);
	if (s->path[0])
		unlink(s->path);
	roles_free(&s->roles);
	tokens_free(s->tokens);
}
