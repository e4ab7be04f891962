// SPDX-License-Identifier: GPL-2.0
/*
 * What BGP neighbours announce, as their sources (sealane flowspec exabgp,
 * gobgp) tell it. A neighbour whose session or source is gone keeps its routes
 * for a grace time; what a new session does not announce again goes with its
 * End-of-RIB, or with the grace time where none comes.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "commits.h"
#include "duration.h"
#include "flowspec_priv.h"

struct neighbour *neighbour_find(const struct flowspec *fs, const char *name)
{
	unsigned int i;

	for (i = 0; i < fs->count; i++)
		if (!strcmp(fs->n[i]->name, name))
			return fs->n[i];
	return NULL;
}

static void neighbour_free(struct neighbour *n)
{
	sl_routes_clear(&n->routes);
	free(n);
}

/* One that is down and has nothing makes room for another. */
static bool forget_one(struct flowspec *fs)
{
	unsigned int i;

	for (i = 0; i < fs->count; i++) {
		if (fs->n[i]->up || fs->n[i]->routes.n || fs->n[i]->stored)
			continue;
		neighbour_free(fs->n[i]);
		fs->count--;
		memmove(&fs->n[i], &fs->n[i + 1],
			(fs->count - i) * sizeof(*fs->n));
		return true;
	}
	return false;
}

struct neighbour *neighbour_add(struct flowspec *fs, const char *name)
{
	struct neighbour *n, **grown;
	unsigned int at;

	if (fs->count >= MAX_NEIGHBOURS && !forget_one(fs))
		return NULL;
	grown = realloc(fs->n, (fs->count + 1) * sizeof(*grown));
	if (!grown)
		return NULL;
	fs->n = grown;
	n = calloc(1, sizeof(*n));
	if (!n)
		return NULL;
	snprintf(n->name, sizeof(n->name), "%s", name);
	n->limit = DEFAULT_LIMIT;
	n->grace_ns = DEFAULT_GRACE_NS;
	n->routes.forget = flow_route_forget;
	for (at = fs->count; at && strcmp(fs->n[at - 1]->name, name) > 0; at--)
		fs->n[at] = fs->n[at - 1];
	fs->n[at] = n;
	fs->count++;
	return n;
}

const char *neighbour_state(const struct neighbour *n)
{
	return n->up ? "up" : n->routes.n ? "grace" : "down";
}

unsigned int neighbour_enforced(const struct neighbour *n)
{
	unsigned int i, sum = 0;

	for (i = 0; i < n->routes.n; i++)
		sum += ((const struct flow_route *)
			n->routes.r[i]->more)->slot >= 0;
	return sum;
}

unsigned int flowspec_total(const struct flowspec *fs)
{
	unsigned int i, sum = 0;

	for (i = 0; i < fs->count; i++)
		sum += fs->n[i]->routes.n;
	return sum;
}

int flowspec_open(struct agent *a)
{
	a->flowspec = calloc(1, sizeof(*a->flowspec));
	if (!a->flowspec)
		return -1;
	snprintf(a->flowspec->instance, sizeof(a->flowspec->instance),
		 "%d-%llu", (int)getpid(), (unsigned long long)sl_now_ns());
	return store_flowspec_open(a);
}

void flowspec_close(struct agent *a)
{
	struct flowspec *fs = a->flowspec;
	unsigned int i;

	if (!fs)
		return;
	for (i = 0; i < fs->count; i++)
		neighbour_free(fs->n[i]);
	free(fs->n);
	free(fs);
	a->flowspec = NULL;
}

/* --- sources --- */

static void begin_grace(struct agent *a, struct neighbour *n, const char *why)
{
	if (!n->up)
		return;
	n->up = false;
	n->deadline_ns = sl_now_ns() + n->grace_ns;
	n->stale_until_ns = 0;
	say(LOG_WARNING, "flowspec: %s is gone (%s): its %u routes hold for "
	    "another %llu s", n->name, why, n->routes.n,
	    (unsigned long long)(n->grace_ns / 1000000000));
	flowspec_touch(a, n);
}

void flowspec_source_ends(struct agent *a, struct source *s, const char *why)
{
	struct flowspec *fs = a->flowspec;
	unsigned int i;

	s->live = false;
	for (i = 0; i < fs->count; i++)
		if (!strcmp(fs->n[i]->source, s->name))
			begin_grace(a, fs->n[i], why);
}

struct source *flowspec_source(struct flowspec *fs, const char *name)
{
	struct source *s;
	unsigned int i;

	for (i = 0; i < fs->n_sources; i++)
		if (!strcmp(fs->s[i].name, name))
			return &fs->s[i];
	for (i = 0; i < fs->n_sources && fs->s[i].live; i++)
		;
	if (i == MAX_SOURCES)
		return NULL;
	fs->n_sources += i == fs->n_sources;
	s = &fs->s[i];
	*s = (struct source){};
	snprintf(s->name, sizeof(s->name), "%s", name);
	return s;
}

/* --- events --- */

/* The neighbour of an event, made on its first; a living source's own. */
static struct neighbour *whose(struct agent *a, const struct source *s,
			       const struct sl_bgp_event *e, char *why)
{
	struct flowspec *fs = a->flowspec;
	struct neighbour *n = neighbour_find(fs, e->peer);
	unsigned int i;

	if (n && strcmp(n->source, s->name))
		for (i = 0; i < fs->n_sources; i++)
			if (fs->s[i].live && !strcmp(fs->s[i].name, n->source)) {
				snprintf(why, SL_FLOWSPEC_WHY_B, "%s is told "
					 "by source %s already", n->name,
					 n->source);
				return NULL;
			}
	if (!n)
		n = neighbour_add(fs, e->peer);
	if (n)
		snprintf(n->source, sizeof(n->source), "%s", s->name);
	else
		snprintf(why, SL_FLOWSPEC_WHY_B, "over %d neighbours",
			 MAX_NEIGHBOURS);
	return n;
}

static void session_up(struct agent *a, struct neighbour *n, int64_t session)
{
	bool news = !n->up || n->session != session;

	n->up = true;
	n->session = session;
	n->deadline_ns = 0;
	n->over = 0;
	n->stale_until_ns = sl_routes_age(&n->routes) ?
			    sl_now_ns() + n->grace_ns : 0;
	if (news)
		say(LOG_NOTICE, "flowspec: %s is up", n->name);
	flowspec_touch(a, n);
}

static unsigned int fresh_routes(const struct neighbour *n)
{
	unsigned int i, sum = 0;

	for (i = 0; i < n->routes.n; i++)
		sum += !n->routes.r[i]->stale;
	return sum;
}

/* Every one is in the list; the log takes some a second. */
static void say_refused(struct flowspec *fs, const struct neighbour *n,
			const struct sl_route *r)
{
	const struct flow_route *fr = r->more;
	char text[SL_FLOWSPEC_TEXT_B];

	if (fr->usable || ++fs->said > SAID_MAX)
		return;
	say(LOG_WARNING, "flowspec: %s: refused: %s (%s)", n->name, fr->why,
	    fr->f.raw_b ? sl_flowspec_text(&fr->f, text) :
	    r->kind == SL_BGP_RTBH ? "blackhole" : "malformed");
}

static int announce(struct agent *a, struct neighbour *n,
		    const struct sl_bgp_event *e, char *why)
{
	struct flowspec *fs = a->flowspec;
	struct sl_route *r = sl_routes_find(&n->routes, e);
	uint64_t at_ns;

	if (r && sl_route_is(r, e)) {
		if (r->stale)
			flowspec_touch(a, n);
		r->stale = false;
		return 0;
	}
	if ((!r || r->stale) && fresh_routes(n) >= n->limit) {
		n->over++;
		snprintf(why, SL_FLOWSPEC_WHY_B, "%s has %u routes, its limit; "
			 "%llu more are refused", n->name, n->limit,
			 (unsigned long long)n->over);
		return -E2BIG;
	}
	if (!r && flowspec_total(fs) >= MAX_ROUTES) {
		n->over++;
		snprintf(why, SL_FLOWSPEC_WHY_B, "%d routes of all neighbours "
			 "are the limit", MAX_ROUTES);
		return -E2BIG;
	}
	at_ns = r ? r->at_ns : sl_now_ns();
	r = sl_routes_put(&n->routes, e);
	if (!r || flow_route_read(fs, r, n->name)) {
		if (r)
			sl_routes_drop(&n->routes, e);
		snprintf(why, SL_FLOWSPEC_WHY_B, "out of memory");
		return -ENOMEM;
	}
	r->at_ns = at_ns;
	say_refused(fs, n, r);
	fs->announced++;
	flowspec_touch(a, n);
	return 0;
}

static void end_of_rib(struct agent *a, struct neighbour *n,
		       const struct sl_bgp_event *e)
{
	unsigned int i, gone = sl_routes_sweep(&n->routes, e);

	for (i = 0; i < n->routes.n && !n->routes.r[i]->stale; i++)
		;
	if (i == n->routes.n)
		n->stale_until_ns = 0;
	if (!gone)
		return;
	say(LOG_NOTICE, "flowspec: %s: %u routes were not announced again",
	    n->name, gone);
	a->flowspec->withdrawn += gone;
	flowspec_touch(a, n);
}

int flowspec_event(struct agent *a, const struct source *s,
		   const struct sl_bgp_event *e, char *why)
{
	struct neighbour *n = whose(a, s, e, why);

	if (!n)
		return -EEXIST;
	switch (e->op) {
	case SL_BGP_UP:
		session_up(a, n, e->session);
		return 0;
	case SL_BGP_DOWN:
		begin_grace(a, n, "its session ended");
		return 0;
	case SL_BGP_ANNOUNCE:
		return announce(a, n, e, why);
	case SL_BGP_WITHDRAW:
		if (sl_routes_drop(&n->routes, e)) {
			a->flowspec->withdrawn++;
			flowspec_touch(a, n);
		}
		return 0;
	case SL_BGP_EOR:
		end_of_rib(a, n, e);
		return 0;
	default:
		return 0;
	}
}

int flowspec_purge(struct agent *a, const char *name, const struct caller *who,
		   struct json_object **answer, struct refusal *r)
{
	struct neighbour *n = neighbour_find(a->flowspec, name);
	unsigned int gone;

	if (!n)
		return refuse(r, 404, "see sealane flowspec ls",
			      "no neighbour %s", name);
	gone = n->routes.n;
	if (n->up)
		n->held = n->session;	/* listed, not enforced */
	else
		sl_routes_clear(&n->routes);
	a->flowspec->purged += gone;
	flowspec_touch(a, n);
	say(LOG_NOTICE, "flowspec: %s purged by %s: %u routes%s", name,
	    user_name(who), gone, n->up ? "; what it announces is "
	    "refused until its session comes up anew" : "");
	*answer = json_object_new_object();
	put_text(*answer, "neighbour", name);
	put_int(*answer, "purged", gone);
	put_bool(*answer, "held", n->up);
	return 0;
}

/* --- time --- */

/* Once a second: who has gone silent, whose grace is over. */
void flowspec_tick(struct agent *a)
{
	struct flowspec *fs = a->flowspec;
	uint64_t now_ns = sl_now_ns();
	struct neighbour *n;
	unsigned int i, gone;

	if (fs->said > SAID_MAX)
		say(LOG_WARNING, "flowspec: %u more refusals: see sealane "
		    "flowspec ls", fs->said - SAID_MAX);
	fs->said = 0;
	for (i = 0; i < fs->n_sources; i++)
		if (fs->s[i].live &&
		    sl_mono_ns() - fs->s[i].heard_ns > SILENT_NS)
			flowspec_source_ends(a, &fs->s[i], "its source is silent");
	for (i = 0; i < fs->count; i++) {
		n = fs->n[i];
		if (!n->up && n->deadline_ns && n->deadline_ns <= now_ns &&
		    n->routes.n) {
			gone = n->routes.n;
			sl_routes_clear(&n->routes);
			say(LOG_NOTICE, "flowspec: %s has not come back: %u "
			    "routes purged", n->name, gone);
		} else if (n->stale_until_ns && n->stale_until_ns <= now_ns) {
			gone = sl_routes_sweep(&n->routes, NULL);
			n->stale_until_ns = 0;
			if (gone)
				say(LOG_NOTICE, "flowspec: %s: %u routes were "
				    "not announced again", n->name, gone);
		} else {
			continue;
		}
		fs->purged += gone;
		flowspec_touch(a, n);
	}
}
