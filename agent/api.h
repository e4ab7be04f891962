/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the API's files share: api (a request and its answer), listen (sockets,
 * and what a reload does to them), tls (certificates), conn (connections: how long
 * they may take, how many of them one peer has), access (who asks, and what he
 * may), tokens, stream (server-sent events). All of it runs inside the agent's
 * loop.
 */
#ifndef SL_API_H
#define SL_API_H

#include <microhttpd.h>
#include <netinet/in.h>
#include "access.h"

#define PEERS	1024	/* known at once; more than there are connections */

struct listener;
struct stream;
struct tokens;

/* Who asks again and again: an address (of IPv6 its /64), or a user. */
struct peer {
	uint8_t key[16];
	char name[INET6_ADDRSTRLEN];	/* one of its addresses, or "uid N" */
	unsigned int conns, streams, waiting;
	uint64_t left_m;	/* thousandths of requests that he may make */
	uint64_t filled_ns, used_ns;	/* monotonic clock; used 0: nobody */
	unsigned int wrong;	/* tokens, since it was last told */
	uint64_t told_ns;
};

struct conn {
	struct conn *next, **at;
	struct listener *l;
	struct peer *peer;	/* NULL: root, who has no limits */
	int fd;
	uint64_t until_ns;	/* monotonic clock: it is cut off; 0: never */
	uint64_t body_ns;	/* when its body began */
	uid_t uid;		/* of the Unix socket */
	pid_t pid;
	char from[INET6_ADDRSTRLEN];	/* over TCP */
};

/* A request while its body arrives, and while it waits. */
struct request {
	const struct route *route;	/* NULL: none */
	struct conn *conn;
	struct caller who;
	struct refusal denied;		/* status 0: he may */
	bool wrong_token;		/* is told late */
	bool head;			/* a GET whose body is left out */
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

/* Users and groups of the configuration, as numbers. */
struct role_ids {
	uid_t *uid;
	gid_t *gid;
	unsigned int n_uids, n_gids;
	bool named;		/* somebody is, if unknown here */
};
struct roles {
	struct role_ids of[SL_ROLE_MAX];
};

struct listener {
	struct listener *next;
	struct agent *a;
	struct MHD_Daemon *mhd;
	int fd;				/* that listens; mhd's to close */
	char host[108];			/* as the configuration says it, or the
					 * path of a Unix socket */
	uint16_t port;
	char *cert, *key;		/* PEM; NULL: no TLS */
	enum sl_role role;		/* of who comes without a token */
	bool local;			/* the Unix socket */
	bool inherited;			/* and in no configuration */
	uint64_t drain_ns;		/* monotonic clock: until then only what
					 * is connected is served; 0: it listens */
};

/* What a configuration asks for, made beside what is live. */
struct api_plan {
	struct listener **want;		/* of each listen: of the configuration */
	bool *made;			/* it is new */
	enum sl_role *role;
	unsigned int n;
	struct roles roles;
	struct tokens *tokens;
};

/* A socket of systemd that waits for its listener's certificate. */
struct held {
	int fd;
	char host[108];			/* address, or path */
	uint16_t port;
	bool local, safe;		/* Unix; Unix or loopback */
};
#define HELD_MOST 16

struct api {
	struct listener *listeners;
	int epoll_fd;			/* of the servers' */
	struct held held[HELD_MOST];
	unsigned int n_held;
	bool have_local;		/* by systemd */
	char path[108];			/* of the Unix socket; "": inherited */
	struct conn *conns;
	unsigned int n_users;		/* conns of users but root */
	struct peer peer[PEERS];
	uint64_t tell_ns;		/* this minute of telling of wrong tokens: */
	unsigned int told, wrong_more;	/* peers told of; tokens of the rest */
	struct request *waiting;
	unsigned int n_waiting, n_slowed;
	struct stream *streams;
	unsigned int n_streams;
	struct roles roles;
	struct tokens *tokens;
	bool wake;		/* something new for those who wait */
	bool lacking;		/* a listener could not be had yet */
	uint64_t try_ns;	/* when it is tried again */
};

/* --- api --- */
enum MHD_Result api_request(void *listener, struct MHD_Connection *c,
			    const char *url, const char *method,
			    const char *version, const char *data, size_t *len,
			    void **state);
void api_done(void *arg, struct MHD_Connection *c, void **state,
	      enum MHD_RequestTerminationCode why);
enum MHD_Result api_answer(struct MHD_Connection *c, struct agent *a,
			   const char *url, const char *method,
			   struct request *req);
/* End the waiting of all requests of a listener (NULL: of all). */
void api_release(struct api *s, const struct listener *l);

/* --- listen --- */
int listen_start(struct agent *a);	/* the Unix socket, and inherited ones */
void listen_stop(struct agent *a);
void listen_second(struct agent *a);

/* A server for a socket, which is its own in every case, and so are cert and
 * key. NULL: it cannot be. */
struct listener *listener_new(struct agent *a, int fd, bool local, char *cert,
			      char *key);
int listener_link(struct api *s, struct listener *l);	/* it serves; or -1 */
void listener_free(struct listener *l);
void listener_stop(struct listener *l);	/* ends what it serves, and itself */
/* Another has its socket: what is connected may end in peace. */
void listener_drain(struct listener *l);
bool listener_is(const struct sl_listener *c, const char *host, uint16_t port);
int listen_tcp(const char *host, uint16_t port, struct refusal *r);
/* Is it the socket of a listener of the configuration? */
bool held_wanted(const struct sl_config *cfg, const struct held *h);

/* --- tls --- */
/* Read and check a certificate and its key. 0, or a refusal. */
int tls_load(const struct sl_listener *l, char **cert, char **key,
	     struct refusal *r);
extern const char tls_priorities[];

/* --- conn --- */
void conn_notify(void *listener, struct MHD_Connection *c, void **state,
		 enum MHD_ConnectionNotificationCode code);
/* May this address have one more connection? */
enum MHD_Result conn_policy(void *listener, const struct sockaddr *addr,
			    socklen_t len);
struct conn *conn_of(struct MHD_Connection *c);		/* NULL: no memory */
/* How long it may take from now on. */
void conn_await_head(struct conn *c);
void conn_await_body(struct conn *c);
void conn_has_body(struct conn *c, size_t body_b);	/* so much of it */
void conn_send(struct conn *c, size_t answer_b);
void conn_rest(struct conn *c);		/* as long as it likes */
void conns_second(struct agent *a);	/* cut off whose time is over */
/* One more request: false: too many. */
bool peer_allows(struct peer *p);

/* --- access --- */
/* Numbers of the users that a configuration names; unknown ones are said in the
 * log, and have no role. */
int roles_make(const struct sl_config *cfg, struct roles *out);
void roles_free(struct roles *r);
/* Who asks, into req->who; whether he may, into req->denied. */
void access_check(struct agent *a, struct MHD_Connection *c,
		  struct request *req, const char *method);
void access_second(struct agent *a);
/* May he still do it, some time later? */
bool access_still(struct agent *a, const struct conn *c,
		  const struct caller *who, enum sl_role role);
enum sl_role role_wanted(const struct route *rt);

/* --- tokens --- */
/* The file that a configuration names, read and checked; *out NULL: none. */
int tokens_load(const struct sl_config *cfg, struct tokens **out,
		struct refusal *r);
void tokens_free(struct tokens *t);
void tokens_number(struct agent *a, struct tokens *t);	/* by the store */
void tokens_second(struct agent *a);	/* has the file changed? */
/* The role of a secret: NONE: there is no such token, or its time is over. */
enum sl_role token_role(const struct tokens *t, const char *secret,
			struct caller *who);
/* Of the token with this name, as of now. */
enum sl_role token_still(const struct tokens *t, const char *name);

/* --- stream --- */
void streams_wake(struct agent *a);	/* there are events */
void streams_second(struct agent *a);
void streams_end(struct agent *a, const struct listener *l);	/* NULL: all */

#endif
