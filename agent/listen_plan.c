// SPDX-License-Identifier: GPL-2.0
/* Listeners, tokens and roles as a configuration wants them: made beside what is
 * live, then taken over; what stays as it was is not touched. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "api.h"

static bool same_text(const char *x, const char *y)
{
	return x && y ? !strcmp(x, y) : x == y;
}

/* The socket that listens there already: one more descriptor of it. */
static int socket_of(struct agent *a, const struct sl_listener *c,
		     const struct listener *now, struct refusal *r)
{
	const struct api *s = a->api;
	unsigned int i;
	int fd = -1;

	if (now)
		fd = fcntl(now->fd, F_DUPFD_CLOEXEC, 0);
	for (i = 0; !now && i < s->n_held; i++)
		if (listener_is(c, s->held[i].host, s->held[i].port))
			fd = fcntl(s->held[i].fd, F_DUPFD_CLOEXEC, 0);
	return fd >= 0 ? fd : listen_tcp(c->host, c->port, r);
}

static struct listener *listening(const struct api *s,
				  const struct sl_listener *c)
{
	struct listener *l;

	for (l = s->listeners; l; l = l->next)
		if (!l->local && !l->drain_ns &&
		    listener_is(c, l->host, l->port))
			return l;
	return NULL;
}

/* One listener: the one that is there, where it stays as it is, or a new one. */
static int prepare_one(struct agent *a, const struct sl_listener *c,
		       struct api_plan *p, struct refusal *r)
{
	struct listener *now = listening(a->api, c), *l;
	char *cert = NULL, *key = NULL;
	unsigned int i;
	int fd;

	for (i = 0; i < p->n; i++)
		if (listener_is(c, p->want[i]->host, p->want[i]->port))
			return refuse(r, 400, "name each once",
				      "listen: %s port %u stands twice",
				      c->host, c->port);
	if (c->cert && tls_load(c, &cert, &key, r))
		return -1;
	p->role[p->n] = c->role;
	if (now && same_text(now->cert, cert) && same_text(now->key, key)) {
		free(cert);
		free(key);
		p->want[p->n++] = now;
		return 0;
	}
	fd = socket_of(a, c, now, r);
	l = fd < 0 ? NULL : listener_new(a, fd, false, cert, key);
	if (fd < 0) {
		free(cert);
		free(key);
		return -1;
	}
	if (!l)
		return refuse(r, 500, "see the agent's log", "no server for %s "
			      "port %u", c->host, c->port);
	strcpy(l->host, c->host);
	l->port = c->port;
	p->made[p->n] = true;
	p->want[p->n++] = l;
	return 0;
}

void api_plan_free(struct api_plan *p)
{
	unsigned int i;

	for (i = 0; p && i < p->n; i++)
		if (p->made[i])
			listener_free(p->want[i]);
	if (!p)
		return;
	free(p->want);
	free(p->made);
	free(p->role);
	roles_free(&p->roles);
	tokens_free(p->tokens);
	free(p);
}

int api_prepare(struct agent *a, const struct sl_config *cfg,
		struct api_plan **out, struct refusal *r)
{
	struct api_plan *p = calloc(1, sizeof(*p));
	unsigned int i, n = cfg->n_listen + 1;
	int rc = 0;

	if (p) {
		p->want = calloc(n, sizeof(*p->want));
		p->made = calloc(n, sizeof(*p->made));
		p->role = calloc(n, sizeof(*p->role));
	}
	if (!p || !p->want || !p->made || !p->role ||
	    roles_make(cfg, &p->roles)) {
		api_plan_free(p);
		return refuse(r, 500, "free memory", "out of memory");
	}
	rc = tokens_load(cfg, &p->tokens, r);
	for (i = 0; !rc && i < cfg->n_listen; i++)
		rc = prepare_one(a, &cfg->listen[i], p, r);
	if (rc) {
		api_plan_free(p);
		return -1;
	}
	*out = p;
	return 0;
}

static bool is_wanted(const struct api_plan *p, const struct listener *l)
{
	unsigned int i;

	for (i = 0; i < p->n; i++)
		if (p->want[i] == l)
			return true;
	return false;
}

/* Another server has its socket: what is connected may end in peace. */
static bool is_followed(const struct api_plan *p, const struct listener *l)
{
	unsigned int i;

	for (i = 0; i < p->n; i++)
		if (p->made[i] && l->port == p->want[i]->port &&
		    !strcmp(l->host, p->want[i]->host))
			return true;
	return false;
}

static void leave(struct api *s, const struct api_plan *p)
{
	struct listener **at = &s->listeners, *l;

	while ((l = *at)) {
		if (l->local || l->drain_ns || is_wanted(p, l) ||
		    (l->inherited && !is_followed(p, l))) {
			at = &l->next;
		} else if (is_followed(p, l)) {
			listener_drain(l);
		} else {
			*at = l->next;
			listener_stop(l);
		}
	}
}

/* Those of systemd that have found their listener. */
static void leave_held(struct api *s, const struct sl_config *cfg)
{
	unsigned int i, n = 0;

	for (i = 0; i < s->n_held; i++)
		if (held_wanted(cfg, &s->held[i]))
			close(s->held[i].fd);
		else
			s->held[n++] = s->held[i];
	s->n_held = n;
}

void api_take(struct agent *a, struct api_plan *p)
{
	struct api *s = a->api;
	unsigned int i;

	leave(s, p);
	leave_held(s, a->cfg);
	for (i = 0; i < p->n; i++) {
		p->want[i]->role = p->role[i];
		p->want[i]->inherited = false;
		if (!p->made[i])
			continue;
		if (listener_link(s, p->want[i]))
			event(a, LOG_ERR, "access", NULL, "cannot watch %s port "
			      "%u", p->want[i]->host, p->want[i]->port);
		p->made[i] = false;
	}
	roles_free(&s->roles);
	s->roles = p->roles;
	p->roles = (struct roles){};
	tokens_free(s->tokens);
	s->tokens = p->tokens;
	p->tokens = NULL;
	tokens_number(a, s->tokens);
	s->lacking = false;
	api_plan_free(p);
}


int api_check(const struct sl_config *cfg, struct refusal *r)
{
	struct tokens *t = NULL;
	struct roles roles;
	char *cert, *key;
	unsigned int i;

	for (i = 0; i < cfg->n_listen; i++) {
		if (!cfg->listen[i].cert)
			continue;
		if (tls_load(&cfg->listen[i], &cert, &key, r))
			return -1;
		free(cert);
		free(key);
	}
	if (tokens_load(cfg, &t, r))
		return -1;
	tokens_free(t);
	if (!roles_make(cfg, &roles))	/* names whom nobody knows */
		roles_free(&roles);
	return 0;
}
