// SPDX-License-Identifier: GPL-2.0
/* Who asks, and what he may: docs/access.md. */
#include <arpa/inet.h>
#include <ctype.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include "api.h"
#include "call.h"
#include "commits.h"
#include "duration.h"
#include "token.h"

#define GROUPS_MOST	256
#define TELL_NS		60000000000ULL	/* wrong tokens of one peer, at once */
#define TELL_MOST	10		/* peers in that time; a network of IPv6
					 * has as many as one likes */

/* --- users of the Unix socket --- */
static bool is_number(const char *word, unsigned int *id)
{
	uint64_t v;

	if (parse_number(word, TOKEN_UID - 1, &v))
		return false;
	*id = v;
	return true;
}

static bool find_user(const char *name, uid_t *uid)
{
	struct passwd pw, *found = NULL;
	char buf[4096];

	if (is_number(name, uid))
		return true;
	if (getpwnam_r(name, &pw, buf, sizeof(buf), &found) || !found)
		return false;
	*uid = found->pw_uid;
	return true;
}

static bool find_group(const char *name, gid_t *gid)
{
	struct group gr, *found = NULL;
	char buf[16384];

	if (is_number(name, gid))
		return true;
	if (getgrnam_r(name, &gr, buf, sizeof(buf), &found) || !found)
		return false;
	*gid = found->gr_gid;
	return true;
}

int roles_make(const struct sl_config *cfg, struct roles *out)
{
	unsigned int i, role;

	*out = (struct roles){};
	for (role = SL_ROLE_VIEW; role < SL_ROLE_MAX; role++) {
		struct role_ids *ids = &out->of[role];
		char **name = cfg->roles[role].users;
		unsigned int n = cfg->roles[role].n;

		ids->uid = calloc(n + 1, sizeof(*ids->uid));
		ids->gid = calloc(n + 1, sizeof(*ids->gid));
		if (!ids->uid || !ids->gid) {
			roles_free(out);
			return -1;
		}
		ids->named = n;
		for (i = 0; i < n; i++) {
			bool group = name[i][0] == '@';

			if (group && find_group(name[i] + 1,
						&ids->gid[ids->n_gids]))
				ids->n_gids++;
			else if (!group && find_user(name[i],
						     &ids->uid[ids->n_uids]))
				ids->n_uids++;
			else
				say(LOG_WARNING, "roles: %s: no such %s %s",
				    sl_role_name(role), group ? "group" : "user",
				    name[i]);
		}
	}
	return 0;
}

void roles_free(struct roles *r)
{
	unsigned int role;

	for (role = 0; role < SL_ROLE_MAX; role++) {
		free(r->of[role].uid);
		free(r->of[role].gid);
	}
	*r = (struct roles){};
}

/* The groups of the process at the other end, as they were when it connected. */
static unsigned int groups_of(int fd, gid_t *gid)
{
	struct ucred cred;
	socklen_t len = sizeof(cred), all_b = (GROUPS_MOST - 1) * sizeof(*gid);
	unsigned int n = 0;

	if (!getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len))
		gid[n++] = cred.gid;
	if (!getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, gid + n, &all_b))
		n += all_b / sizeof(*gid);
	return n;
}

static bool is_one(const struct role_ids *ids, uid_t uid, const gid_t *gid,
		   unsigned int n_gids)
{
	unsigned int i, k;

	for (i = 0; i < ids->n_uids; i++)
		if (ids->uid[i] == uid)
			return true;
	for (i = 0; i < ids->n_gids; i++)
		for (k = 0; k < n_gids; k++)
			if (ids->gid[i] == gid[k])
				return true;
	return false;
}

/* Root may everything; nobody is view where nobody is named for it. */
static enum sl_role role_of_user(const struct roles *r, const struct conn *c)
{
	gid_t gid[GROUPS_MOST];
	unsigned int n;
	int role;

	if (c->uid == 0)
		return SL_ROLE_ENFORCE;
	n = groups_of(c->fd, gid);
	for (role = SL_ROLE_ENFORCE; role > SL_ROLE_NONE; role--)
		if (is_one(&r->of[role], c->uid, gid, n))
			return role;
	return r->of[SL_ROLE_VIEW].named ? SL_ROLE_NONE : SL_ROLE_VIEW;
}

/* --- requests --- */
static const char *header(struct MHD_Connection *c, const char *name)
{
	return MHD_lookup_connection_value(c, MHD_HEADER_KIND, name);
}

/* "[::1]:9478" -> "::1"; false: no room. */
static bool host_of(const char *text, char *out, size_t len)
{
	const char *end;

	if (text[0] == '[') {
		end = strchr(++text, ']');
		if (!end)
			return false;
	} else {
		end = strrchr(text, ':');
		if (!end)
			end = text + strlen(text);
	}
	return (size_t)snprintf(out, len, "%.*s", (int)(end - text), text) <
	       len;
}

/* A page of somebody else's may give its own name our loopback address (DNS
 * rebinding), and then read us as its own. Without TLS nothing but the name tells
 * the two apart. */
static bool is_our_name(const struct agent *a, const char *text)
{
	struct in6_addr a6;
	struct in_addr a4;
	char host[256];

	if (!text || !host_of(text, host, sizeof(host)))
		return false;
	if (inet_pton(AF_INET, host, &a4) == 1)
		return ntohl(a4.s_addr) >> 24 == 127;
	if (inet_pton(AF_INET6, host, &a6) == 1)
		return IN6_IS_ADDR_LOOPBACK(&a6);
	return !strcasecmp(host, "localhost") || (a->cfg->gateway.name[0] &&
	       !strcasecmp(host, a->cfg->gateway.name));
}

/* Does a page of another origin send this? Browsers say so. */
static bool is_foreign(struct MHD_Connection *c, const struct request *req,
		       const char *method)
{
	const char *origin = header(c, "Origin"), *host = header(c, "Host");
	const char *site = header(c, "Sec-Fetch-Site"), *at;

	if (site && !strcmp(site, "cross-site") && req->route &&
	    req->route->path[0] != '/')
		return true;
	if (!origin || strcmp(method, "POST"))
		return false;
	at = strstr(origin, "://");
	return !at || !host || strcasecmp(at + 3, host);
}

static void next_minute(struct agent *a, uint64_t now)
{
	struct api *s = a->api;
	struct json_object *detail;

	if (s->tell_ns && now - s->tell_ns <= TELL_NS)
		return;
	s->tell_ns = now;
	s->told = 0;
	if (!s->wrong_more)
		return;
	detail = json_object_new_object();
	put_text(detail, "from", "others");
	put_int(detail, "wrong_tokens", s->wrong_more);
	event(a, LOG_WARNING, "access", detail, "%u wrong tokens from other "
	      "addresses", s->wrong_more);
	s->wrong_more = 0;
}

/* Somebody tries tokens: said now and then, for a log that he fills hides what
 * matters. */
static void tell_wrong(struct agent *a, struct peer *p, uint64_t now)
{
	struct json_object *detail;

	next_minute(a, now);
	if (a->api->told++ >= TELL_MOST) {
		a->api->wrong_more += p->wrong;
		p->wrong = 0;
		p->told_ns = now;
		return;
	}
	detail = json_object_new_object();
	put_text(detail, "from", p->name);
	put_int(detail, "wrong_tokens", p->wrong);
	event(a, LOG_WARNING, "access", detail, "%u wrong token%s from %s",
	      p->wrong, p->wrong == 1 ? "" : "s", p->name);
	p->wrong = 0;
	p->told_ns = now;
}

static void note_wrong(struct agent *a, struct peer *p)
{
	uint64_t now = sl_mono_ns();

	if (!p)
		return;
	p->wrong++;
	if (!p->told_ns || now - p->told_ns > TELL_NS)
		tell_wrong(a, p, now);
}

void access_second(struct agent *a)
{
	uint64_t now = sl_mono_ns();
	struct peer *p;

	next_minute(a, now);
	for (p = a->api->peer; p < a->api->peer + PEERS; p++)
		if (p->wrong && now - p->told_ns > TELL_NS)
			tell_wrong(a, p, now);
}

/* The role by what comes with the request. A token that is wrong is not
 * forgiven: who sends one means it. */
static int identify(struct agent *a, struct MHD_Connection *mc,
		    struct request *req)
{
	const char *auth = header(mc, "Authorization");
	struct conn *c = req->conn;
	struct caller *who = &req->who;

	if (!auth) {
		who->role = c->l->local ? role_of_user(&a->api->roles, c) :
			    c->l->role;
		if (c->from[0])
			strcpy(who->name, c->from);
		return 0;
	}
	if (!strncasecmp(auth, "Bearer ", 7)) {
		auth += 7 + strspn(auth + 7, " ");
		who->role = token_role(a->api->tokens, auth, who);
	}
	if (who->role != SL_ROLE_NONE)
		return 0;
	req->wrong_token = true;
	note_wrong(a, c->peer);
	return refuse(&req->denied, 401, "send Authorization: Bearer TOKEN, one "
		      "that sealane token add has shown and whose time is "
		      "not over", "this is no valid token");
}

enum sl_role role_wanted(const struct route *rt)
{
	if (!rt)
		return SL_ROLE_VIEW;	/* who may nothing learns nothing */
	if (rt->how & ROUTE_OPEN)
		return SL_ROLE_NONE;
	if (rt->how & ROUTE_OPERATE)
		return SL_ROLE_OPERATE;
	return strcmp(rt->method, "GET") ? SL_ROLE_ENFORCE : SL_ROLE_VIEW;
}

/* What is said of the limits does not depend on who is asked about. */
static int may(struct request *req, const char *method)
{
	/* who asks in a wrong way is told so, if he may look */
	const struct route *rt = req->route &&
		!strcmp(req->route->method, method) ? req->route : NULL;
	enum sl_role wanted = role_wanted(rt);
	struct caller *who = &req->who;

	if (who->role >= wanted)
		return 0;
	if (!req->conn->l->local && !caller_token(who))
		return refuse(&req->denied, 401, "send Authorization: Bearer "
			      "TOKEN; sealane token add makes one",
			      "this wants a token with role %s",
			      sl_role_name(wanted));
	return refuse(&req->denied, 403, caller_token(who) ?
		      "ask for a token with that role" :
		      "be root, or one of those that roles: of the "
		      "configuration names",
		      "%s has role %s, and this wants %s", user_name(who),
		      sl_role_name(who->role), sl_role_name(wanted));
}

void access_check(struct agent *a, struct MHD_Connection *mc,
		  struct request *req, const char *method)
{
	struct conn *c = req->conn;
	struct refusal *r = &req->denied;

	req->who = (struct caller){ .uid = c->uid, .pid = c->pid };
	strcpy(req->who.from, c->from);
	if (!c->l->local && !c->l->cert && !is_our_name(a, header(mc, "Host")))
		refuse(r, 421, "ask for localhost, a loopback address, or the "
		       "gateway's name", "not known by this name");
	else if (!c->l->local && is_foreign(mc, req, method))
		refuse(r, 403, "ask from the agent's own page, or from no page",
		       "a page from elsewhere asks");
	else if (!identify(a, mc, req))
		may(req, method);
	if (!(c->l->local && req->who.role >= SL_ROLE_OPERATE) &&
	    !peer_allows(c->peer))
		refuse(r, 429, "wait a second", "too many requests");
}

bool access_still(struct agent *a, const struct conn *c,
		  const struct caller *who, enum sl_role role)
{
	const char *token = caller_token(who);

	if (token)
		return token_still(a->api->tokens, token) >= role;
	return (c->l->local ? role_of_user(&a->api->roles, c) : c->l->role) >=
	       role;
}
