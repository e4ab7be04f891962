// SPDX-License-Identifier: GPL-2.0
/*
 * Connections: how long each step of one may take, so that nobody holds memory by
 * being slow, and how many connections and requests one peer has. A peer is an
 * address (of IPv6 its /64, which is one customer's) or a user of the Unix
 * socket; root is none and has no limits.
 */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include "api.h"
#include "duration.h"

#define SECOND_NS	1000000000ULL
/* The TLS handshake, the head of a request, and idling between two. */
#define HEAD_NS		(10 * SECOND_NS)
/* A body or an answer: so long, and longer by what it has to carry. */
#define CARRY_NS	(10 * SECOND_NS)
#define SLOWEST_B_PER_S	(16 << 10)
#define SEND_B		(128 << 10)	/* that the kernel keeps for one */
#define UNACKED_MS	30000	/* then a TCP peer is gone */
#define PEER_CONNS	24	/* a browser has 6; some tabs and scrapers */
#define USERS_CONNS	48	/* of all users but root on the Unix socket,
				 * where listen.c lets 64 in */
#define REQUESTS_PER_S	50
#define REQUESTS_BURST	200

/* The one whose key this is; else the one not used for longest, which is then
 * his. Those with connections are fewer than there are places. */
static struct peer *peer_of(struct api *s, const uint8_t key[16])
{
	struct peer *p, *oldest = NULL;

	for (p = s->peer; p < s->peer + PEERS; p++) {
		if (p->used_ns && !memcmp(p->key, key, 16))
			return p;
		if (!p->conns && (!oldest || p->used_ns < oldest->used_ns))
			oldest = p;
	}
	if (!oldest)
		return NULL;
	*oldest = (struct peer){ .left_m = REQUESTS_BURST * 1000,
				 .filled_ns = sl_mono_ns() };
	memcpy(oldest->key, key, 16);
	return oldest;
}

static bool key_of(const struct sockaddr *addr, uint8_t key[16])
{
	const struct sockaddr_in6 *a6 = (const void *)addr;
	const struct sockaddr_in *a4 = (const void *)addr;
	const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	memset(key, 0, 16);
	if (addr->sa_family == AF_INET) {
		memcpy(key, mapped, 12);
		memcpy(key + 12, &a4->sin_addr, 4);
	} else if (addr->sa_family == AF_INET6) {
		bool v4 = IN6_IS_ADDR_V4MAPPED(&a6->sin6_addr);

		memcpy(key, &a6->sin6_addr, v4 ? 16 : 8);
	} else {
		return false;
	}
	return true;
}

/* No address begins like this. */
static void key_of_user(uid_t uid, uint8_t key[16])
{
	memset(key, 0xff, 16);
	memcpy(key + 12, &uid, 4);
}

bool peer_allows(struct peer *p)
{
	uint64_t now = sl_mono_ns(), more_m;

	if (!p)
		return true;
	more_m = (now - p->filled_ns) / (1000000 / REQUESTS_PER_S);
	p->left_m += more_m;
	p->filled_ns += more_m * (1000000 / REQUESTS_PER_S);
	if (p->left_m > REQUESTS_BURST * 1000) {
		p->left_m = REQUESTS_BURST * 1000;
		p->filled_ns = now;
	}
	if (p->left_m < 1000)
		return false;
	p->left_m -= 1000;
	return true;
}

enum MHD_Result conn_policy(void *arg, const struct sockaddr *addr,
			    socklen_t len)
{
	const struct listener *l = arg;
	uint8_t key[16];
	struct peer *p;

	(void)len;
	if (!key_of(addr, key))
		return MHD_YES;	/* a user: his name is known only later */
	p = peer_of(l->a->api, key);
	/* a handshake costs us what some requests do */
	return p && p->conns < PEER_CONNS && (!l->cert || peer_allows(p)) ?
	       MHD_YES : MHD_NO;
}

/* Who is at the other end. */
static void learn_user(struct conn *c)
{
	struct ucred cred = { .uid = (uid_t)-1 };
	socklen_t len = sizeof(cred);

	getsockopt(c->fd, SOL_SOCKET, SO_PEERCRED, &cred, &len);
	/* what stands for tokens is nobody's number */
	c->uid = cred.uid >= TOKEN_UID ? (uid_t)-1 : cred.uid;
	c->pid = cred.pid;
}

static struct peer *learn(struct conn *c)
{
	struct sockaddr_storage ss = {};
	socklen_t len = sizeof(ss);
	unsigned int ms = UNACKED_MS;
	int buf_b = SEND_B;
	uint8_t key[16];

	c->uid = (uid_t)-1;
	getpeername(c->fd, (struct sockaddr *)&ss, &len);
	if (ss.ss_family == AF_INET)
		inet_ntop(AF_INET, &((struct sockaddr_in *)&ss)->sin_addr,
			  c->from, sizeof(c->from));
	else if (ss.ss_family == AF_INET6)
		inet_ntop(AF_INET6, &((struct sockaddr_in6 *)&ss)->sin6_addr,
			  c->from, sizeof(c->from));
	if (key_of((struct sockaddr *)&ss, key)) {
		setsockopt(c->fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms,
			   sizeof(ms));
		setsockopt(c->fd, SOL_SOCKET, SO_SNDBUF, &buf_b,
			   sizeof(buf_b));
		return peer_of(c->l->a->api, key);
	}
	learn_user(c);
	key_of_user(c->uid, key);
	return c->uid ? peer_of(c->l->a->api, key) : NULL;
}

/* Root finds room on the Unix socket however many others are there. */
static bool is_user(const struct conn *c)
{
	return c->l->local && c->uid;
}

static struct conn *conn_new(struct listener *l, struct MHD_Connection *mc)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(
		mc, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct api *s = l->a->api;
	struct conn *c = calloc(1, sizeof(*c));

	if (!c || !info) {
		free(c);
		return NULL;
	}
	c->l = l;
	c->fd = info->connect_fd;
	c->peer = learn(c);
	if (c->peer) {
		if (c->from[0])
			strcpy(c->peer->name, c->from);
		else
			snprintf(c->peer->name, sizeof(c->peer->name), "uid %u",
				 (unsigned int)c->uid);
		c->peer->conns++;
		c->peer->used_ns = sl_mono_ns();
	}
	c->next = s->conns;
	c->at = &s->conns;
	if (c->next)
		c->next->at = &c->next;
	s->conns = c;
	conn_await_head(c);
	s->n_users += is_user(c);
	if (c->peer && (c->peer->conns > PEER_CONNS ||
			(is_user(c) && s->n_users > USERS_CONNS)))
		shutdown(c->fd, SHUT_RDWR);
	return c;
}

static void conn_free(struct conn *c)
{
	if (!c)
		return;
	if (c->peer)
		c->peer->conns--;
	c->l->a->api->n_users -= is_user(c);
	*c->at = c->next;
	if (c->next)
		c->next->at = c->at;
	free(c);
}

void conn_notify(void *arg, struct MHD_Connection *mc, void **state,
		 enum MHD_ConnectionNotificationCode code)
{
	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		*state = conn_new(arg, mc);
	} else {
		conn_free(*state);
		*state = NULL;
	}
}

struct conn *conn_of(struct MHD_Connection *mc)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(
		mc, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info ? info->socket_context : NULL;
}

void conn_await_head(struct conn *c)
{
	c->until_ns = sl_mono_ns() + HEAD_NS;
}

static uint64_t carried_by(uint64_t since_ns, size_t len_b)
{
	return since_ns + CARRY_NS + len_b * SECOND_NS / SLOWEST_B_PER_S;
}

void conn_await_body(struct conn *c)
{
	c->body_ns = sl_mono_ns();
	c->until_ns = carried_by(c->body_ns, 0);
}

void conn_has_body(struct conn *c, size_t body_b)
{
	c->until_ns = carried_by(c->body_ns, body_b);
}

void conn_send(struct conn *c, size_t answer_b)
{
	c->until_ns = carried_by(sl_mono_ns(), answer_b);
}

void conn_rest(struct conn *c)
{
	c->until_ns = 0;
}

void conns_second(struct agent *a)
{
	uint64_t now = sl_mono_ns();
	struct conn *c;

	for (c = a->api->conns; c; c = c->next)
		if (c->until_ns && now > c->until_ns) {
			/* the server sees the end, and closes it */
			shutdown(c->fd, SHUT_RDWR);
			c->until_ns = 0;
		}
}
