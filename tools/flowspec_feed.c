// SPDX-License-Identifier: GPL-2.0
/*
 * Lines become events, events a table for each neighbour and a batch for the
 * agent. The tables are there so that an agent that began anew, or was away,
 * can be told everything again. Nothing here ends but with stdin: bad lines
 * and a dead agent are said on stderr (stdout is the speaker's ear).
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "bgp_routes.h"
#include "duration.h"
#include "flowspec_feed.h"

#define MS		1000000ULL
#define GATHER_NS	(100 * MS)	/* peers send in bursts */
#define ALIVE_NS	(5000 * MS)	/* a third of what the agent waits */
#define LEAST_WAIT_NS	(200 * MS)
#define MOST_WAIT_NS	(10000 * MS)
#define TIMEOUT_MS	2000L		/* the speaker waits for us meanwhile */
#define BATCH_EVENTS	500
#define BATCH_B		(512U << 10)	/* half of what the agent takes */
#define LINE_B		(8U << 20)	/* the longest update with its parsed form */
#define MAX_PEERS	256
#define SAID_MAX	20		/* complaints of a kind in a minute */

struct peer {
	char name[SL_FLOWSPEC_PEER_B];
	bool up;
	int64_t session;
	bool ended[2][2];	/* End-of-RIB: kind, family 6 */
	struct sl_routes routes;
};

struct feed {
	struct cli *cli;
	const struct feed_options *o;
	struct peer *p[MAX_PEERS];
	unsigned int n;
	struct json_object *batch;	/* events that the agent has not got */
	size_t batch_b;
	char instance[64];
	bool synced;			/* the agent knows all but the batch */
	uint64_t due_ns, wait_ns;	/* next talk; wait after a failure */
	char *line;
	size_t line_n, line_room;
	bool too_long, ends;
	unsigned int said;
	uint64_t said_since_ns;
};

static volatile sig_atomic_t stop;

static void on_signal(int sig)
{
	stop = sig;
}

static void say(struct feed *f, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
static void say(struct feed *f, const char *fmt, ...)
{
	uint64_t now_ns = sl_mono_ns();
	va_list ap;

	if (now_ns - f->said_since_ns > 60000 * MS) {
		f->said_since_ns = now_ns;
		f->said = 0;
	}
	if (++f->said > SAID_MAX)
		return;
	fprintf(stderr, "sealane flowspec %s: ", f->o->source);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputs(f->said == SAID_MAX ? " (and more, for a minute)\n" : "\n",
	      stderr);
}

static void due_in(struct feed *f, uint64_t ns)
{
	uint64_t at = sl_mono_ns() + ns;

	if (!f->due_ns || at < f->due_ns)
		f->due_ns = at;
}

/* --- the batch --- */

static void talk(struct feed *f);

static void add_event(struct feed *f, const struct sl_bgp_event *e)
{
	if (!f->synced)
		return;		/* it will be told everything */
	json_object_array_add(f->batch, sl_bgp_event_doc(e));
	f->batch_b += 200 + 2 * (e->key_b + e->ext_b + e->ext6_b);
	if (f->batch_b > BATCH_B ||
	    json_object_array_length(f->batch) >= BATCH_EVENTS)
		talk(f);
	else
		due_in(f, GATHER_NS);
}

static void clear_batch(struct feed *f)
{
	json_object_put(f->batch);
	f->batch = json_object_new_array();
	f->batch_b = 0;
}

static struct json_object *request(struct feed *f, struct json_object *events,
				   bool hello)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "source",
			       json_object_new_string(f->o->source));
	json_object_object_add(o, "instance",
			       json_object_new_string(f->instance));
	json_object_object_add(o, "hello", json_object_new_boolean(hello));
	json_object_object_add(o, "end", json_object_new_boolean(f->ends));
	json_object_object_add(o, "limit", json_object_new_int(f->o->limit));
	if (f->o->grace)
		json_object_object_add(o, "grace",
				       json_object_new_string(f->o->grace));
	json_object_object_add(o, "events", json_object_get(events));
	return o;
}

static const char *error_of(struct json_object *doc)
{
	struct json_object *e = NULL;

	json_object_object_get_ex(doc, "error", &e);
	return e ? cli_text(e, "message") : "an answer that is no JSON";
}

/* 0 when the agent took it. */
static int post(struct feed *f, struct json_object *events, bool hello)
{
	struct json_object *o = request(f, events, hello), *doc, *refused;
	const char *why, *body = json_object_to_json_string(o);
	long status = cli_exchange(f->cli, "flowspec", body, strlen(body),
				   TIMEOUT_MS, &doc, &why);
	bool again = false;
	size_t i;

	json_object_put(o);
	if (status == 200) {
		again = !strcmp(cli_text(doc, "again"), "true");
		snprintf(f->instance, sizeof(f->instance), "%s",
			 cli_text(doc, "instance"));
		if (json_object_object_get_ex(doc, "refused", &refused))
			for (i = 0; i < json_object_array_length(refused); i++)
				say(f, "refused: %s", json_object_get_string(
				    json_object_array_get_idx(refused, i)));
	} else if (status < 0) {
		say(f, "no agent at %s: %s", cli_where(f->cli), why);
	} else {
		say(f, "the agent refuses: %s", error_of(doc));
	}
	json_object_put(doc);
	return status == 200 && !again ? 0 : -1;
}

/* --- everything --- */

struct telling {
	struct json_object *events;
	size_t bytes;
	bool hello;
	int rc;
};

static void tell(struct feed *f, struct telling *t,
		 const struct sl_bgp_event *e)
{
	if (e) {
		json_object_array_add(t->events, sl_bgp_event_doc(e));
		t->bytes += 200 + 2 * (e->key_b + e->ext_b + e->ext6_b);
	}
	if (t->rc || (e && t->bytes < BATCH_B))
		return;
	t->rc = post(f, t->events, t->hello);
	t->hello = false;
	json_object_put(t->events);
	t->events = json_object_new_array();
	t->bytes = 0;
}

static void tell_peer(struct feed *f, struct telling *t, const struct peer *p)
{
	struct sl_bgp_event e = { .op = SL_BGP_UP, .session = p->session };
	unsigned int i;

	memcpy(e.peer, p->name, sizeof(e.peer));
	tell(f, t, &e);
	for (i = 0; i < p->routes.n; i++) {
		sl_route_event(p->routes.r[i], p->name, &e);
		tell(f, t, &e);
	}
	for (i = 0; i < 4; i++) {
		if (!p->ended[i >> 1][i & 1])
			continue;
		e = (struct sl_bgp_event){ .op = SL_BGP_EOR, .kind = i >> 1,
					   .family = i & 1 ? 6 : 4 };
		memcpy(e.peer, p->name, sizeof(e.peer));
		tell(f, t, &e);
	}
}

static int tell_all(struct feed *f)
{
	struct telling t = { json_object_new_array(), 0, true, 0 };
	unsigned int i;

	for (i = 0; i < f->n; i++)
		if (f->p[i]->up)
			tell_peer(f, &t, f->p[i]);
	tell(f, &t, NULL);
	json_object_put(t.events);
	return t.rc;
}

/* The next talk with the agent: what is new, everything, or just a sign. */
static void talk(struct feed *f)
{
	int rc = -1;

	if (f->synced)
		rc = post(f, f->batch, false);
	clear_batch(f);
	if (rc) {		/* it began anew, or was away */
		f->synced = false;
		rc = tell_all(f);
	}
	f->due_ns = 0;
	if (!rc && !f->synced && f->wait_ns)
		say(f, "the agent is there again and knows everything");
	f->synced = !rc;
	f->wait_ns = !rc ? 0 : !f->wait_ns ? LEAST_WAIT_NS :
		     f->wait_ns * 2 < MOST_WAIT_NS ? f->wait_ns * 2 :
		     MOST_WAIT_NS;
	due_in(f, rc ? f->wait_ns : ALIVE_NS);
}

/* --- events --- */

static struct peer *peer_of(struct feed *f, const char *name)
{
	unsigned int i;

	for (i = 0; i < f->n; i++)
		if (!strcmp(f->p[i]->name, name))
			return f->p[i];
	if (f->n == MAX_PEERS || !(f->p[f->n] = calloc(1, sizeof(**f->p)))) {
		say(f, "over %d neighbours: %s is not heard", MAX_PEERS, name);
		return NULL;
	}
	snprintf(f->p[f->n]->name, sizeof(f->p[0]->name), "%s", name);
	return f->p[f->n++];
}

static void peer_up(struct feed *f, struct peer *p)
{
	struct sl_bgp_event e = { .op = SL_BGP_UP };

	p->up = true;
	p->session = sl_now_ns();
	memset(p->ended, 0, sizeof(p->ended));
	sl_routes_clear(&p->routes);
	memcpy(e.peer, p->name, sizeof(e.peer));
	e.session = p->session;
	add_event(f, &e);
}

static void peer_down(struct feed *f, struct peer *p,
		      const struct sl_bgp_event *e)
{
	if (!p->up)
		return;		/* ExaBGP says so at every try to connect */
	say(f, "%s is down: %s", p->name, e->text);
	p->up = false;
	sl_routes_clear(&p->routes);
	add_event(f, e);
}

/* GoBGP's best path moves from one neighbour to another without a withdraw. */
static void drop_elsewhere(struct feed *f, const struct peer *but,
			   const struct sl_bgp_event *e)
{
	struct sl_bgp_event gone = *e;
	unsigned int i;

	gone.op = SL_BGP_WITHDRAW;
	gone.ext_b = gone.ext6_b = 0;
	for (i = 0; i < f->n; i++) {
		if (f->p[i] == but || !sl_routes_drop(&f->p[i]->routes, e))
			continue;
		memcpy(gone.peer, f->p[i]->name, sizeof(gone.peer));
		add_event(f, &gone);
	}
}

static void announce(struct feed *f, struct peer *p,
		     const struct sl_bgp_event *e)
{
	struct sl_route *r = sl_routes_find(&p->routes, e);

	if (f->o->one_path)
		drop_elsewhere(f, p, e);
	if (r && sl_route_is(r, e))
		return;
	/* the agent is told of those, too: it refuses and counts them */
	if (!r && p->routes.n >= f->o->limit)
		say(f, "%s has over %u routes, its limit; more are refused",
		    p->name, f->o->limit);
	else if (!sl_routes_put(&p->routes, e))
		say(f, "out of memory: a route of %s is lost", p->name);
	add_event(f, e);
}

static void on_event(void *arg, const struct sl_bgp_event *e)
{
	struct feed *f = arg;
	struct peer *p;

	if (e->op == SL_BGP_ODD) {
		say(f, "%s%s%s", e->peer, e->peer[0] ? ": " : "", e->text);
		return;
	}
	if (e->op == SL_BGP_END || !(p = peer_of(f, e->peer)))
		return;
	if (e->op == SL_BGP_UP || (!p->up && e->op != SL_BGP_DOWN)) {
		/* GoBGP tells no sessions; ExaBGP's came up before we ran */
		if (e->op != SL_BGP_UP && !f->o->no_sessions)
			say(f, "%s was up before: what it announced then is "
			    "not known here", p->name);
		peer_up(f, p);
	}
	switch (e->op) {
	case SL_BGP_DOWN:
		peer_down(f, p, e);
		return;
	case SL_BGP_ANNOUNCE:
		announce(f, p, e);
		return;
	case SL_BGP_WITHDRAW:
		if (f->o->one_path)
			drop_elsewhere(f, p, e);
		if (sl_routes_drop(&p->routes, e))
			add_event(f, e);
		return;
	case SL_BGP_EOR:
		p->ended[e->kind][e->family == 6] = true;
		add_event(f, e);
		return;
	default:
		return;
	}
}

/* --- lines --- */

/* What stands in the buffer, line by line; the rest moves to its head. */
static void cut_lines(struct feed *f)
{
	char *at = f->line, *end = f->line + f->line_n, *nl;

	while ((nl = memchr(at, '\n', end - at))) {
		if (f->too_long)
			say(f, "a line of over %u bytes is lost", LINE_B);
		else if (nl > at)
			f->o->read(at, nl - at, on_event, f);
		f->too_long = false;
		at = nl + 1;
	}
	f->line_n = end - at;
	memmove(f->line, at, f->line_n);
	if (f->line_n >= LINE_B) {
		f->too_long = true;
		f->line_n = 0;
	}
}

/* False at the end of stdin. */
static bool read_some(struct feed *f)
{
	char *grown;
	ssize_t n;

	if (f->line_room - f->line_n < 65536) {
		grown = realloc(f->line, f->line_room + (1 << 20));
		if (!grown) {
			say(f, "out of memory: a line is lost");
			f->line_n = 0;
		} else {
			f->line = grown;
			f->line_room += 1 << 20;
		}
	}
	n = read(STDIN_FILENO, f->line + f->line_n, f->line_room - f->line_n);
	if (n < 0)
		return errno == EINTR || errno == EAGAIN;
	f->line_n += n;
	cut_lines(f);
	return n > 0;
}

static int wait_ms(const struct feed *f)
{
	uint64_t now_ns = sl_mono_ns();

	return f->due_ns <= now_ns ? 0 : (f->due_ns - now_ns) / MS + 1;
}

static void free_feed(struct feed *f)
{
	unsigned int i;

	for (i = 0; i < f->n; i++) {
		sl_routes_clear(&f->p[i]->routes);
		free(f->p[i]);
	}
	json_object_put(f->batch);
	free(f->line);
}

int flowspec_feed(struct cli *cli, const struct feed_options *o)
{
	struct feed f = { .cli = cli, .o = o, .line_room = 1 << 20,
			  .line = malloc(1 << 20),
			  .batch = json_object_new_array() };
	struct pollfd in = { STDIN_FILENO, POLLIN, 0 };
	struct sigaction act = { .sa_handler = on_signal };

	sigaction(SIGTERM, &act, NULL);
	sigaction(SIGINT, &act, NULL);
	signal(SIGPIPE, SIG_IGN);
	if (!f.line)
		return cli_error(cli, REFUSED, "free memory", "out of memory");
	talk(&f);
	while (!stop) {
		/* due talk comes first: a flood of lines must not delay it */
		if (f.due_ns <= sl_mono_ns())
			talk(&f);
		if (poll(&in, 1, wait_ms(&f)) > 0 && !read_some(&f))
			break;
	}
	if (f.line_n && !f.too_long)
		f.o->read(f.line, f.line_n, on_event, &f);
	f.ends = true;
	if (f.synced)	/* else the agent hears nothing, which is as good */
		post(&f, f.batch, false);
	free_feed(&f);
	return DONE;
}
