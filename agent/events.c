// SPDX-License-Identifier: GPL-2.0
/*
 * Events: what a person on call wants to have been told. The last ones are kept
 * in memory, with numbers that only grow, so that who asks again misses none;
 * events_disk.c keeps them over a restart.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "commits.h"
#include "duration.h"
#include "plain.h"
#include "query.h"
#include "events_priv.h"
#include "metrics.h"

/* Everybody who may open the socket can be refused, as often as he likes; what
 * is beyond this in one second is one event. */
#define REFUSALS_A_SECOND 10
#define STEP_NS 500000000LL	/* of the clock; NTP slews 0.5 ms in a second */
#define LIMIT_DEFAULT 100

const struct event *events_at(const struct events *e, int64_t n)
{
	const struct event *one;

	if (n <= 0)
		return NULL;
	one = &e->ring[n % EVENTS_KEPT];
	return one->n == n ? one : NULL;
}

void events_keep(struct events *e, const struct event *one)
{
	struct event *at = &e->ring[one->n % EVENTS_KEPT];

	free(at->message);
	json_object_put(at->detail);
	*at = *one;
	if (one->n > e->last)
		e->last = one->n;
}

static int64_t since_boot_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

int events_open(struct agent *a)
{
	struct events *e = calloc(1, sizeof(*e));

	if (!e)
		return -1;
	a->events = e;
	e->wall_ahead_ns = sl_now_ns() - sl_mono_ns();
	e->boot_ahead_ns = since_boot_ns(CLOCK_BOOTTIME) -
			   since_boot_ns(CLOCK_MONOTONIC);
	return events_disk_open(a);
}

void events_close(struct agent *a)
{
	unsigned int i;

	if (!a->events)
		return;
	events_disk_write(a);
	events_disk_close(a);
	for (i = 0; i < EVENTS_KEPT; i++) {
		free(a->events->ring[i].message);
		json_object_put(a->events->ring[i].detail);
	}
	free(a->events);
	a->events = NULL;
}

/* Too many refusals in this second? */
static bool held_back(struct events *e, const char *kind)
{
	if (strcmp(kind, "refused") || e->refused++ < REFUSALS_A_SECOND)
		return false;
	e->refused_more++;
	e->held_back++;
	return true;
}

void event(struct agent *a, int severity, const char *kind,
	   struct json_object *detail, const char *fmt, ...)
{
	struct event one = { .at_ns = sl_now_ns(), .severity = severity,
			     .detail = detail };
	va_list ap;

	if (a->events && held_back(a->events, kind)) {
		json_object_put(detail);
		return;
	}
	va_start(ap, fmt);
	if (vasprintf(&one.message, fmt, ap) < 0)
		one.message = NULL;
	va_end(ap);
	if (one.message)
		sl_plain(one.message);
	say(severity, "%s", one.message ? one.message : fmt);
	if (!a->events || !one.message) {
		json_object_put(detail);
		free(one.message);
		return;
	}
	one.n = a->events->last + 1;
	snprintf(one.kind, sizeof(one.kind), "%s", kind);
	events_keep(a->events, &one);
	metrics_event(a, severity, kind, detail);
	api_wake(a);
}

struct json_object *event_by(const struct caller *who)
{
	struct json_object *o = json_object_new_object();

	put_int(o, "uid", who->uid);
	put_int(o, "pid", who->pid);
	put_text(o, "who", user_name(who));
	if (who->from[0])
		put_text(o, "from", who->from);
	return o;
}

struct json_object *event_commit(const struct agent *a,
				 const struct caller *who, const char *why)
{
	struct json_object *o = event_by(who);

	put_int(o, "generation", a->generation);
	put_text(o, "why", why);
	return o;
}

/* Did somebody set the clock, or the machine sleep? Histories have a gap or an
 * overlap there, and whoever reads times should know. */
static void watch_clock(struct agent *a)
{
	struct events *e = a->events;
	int64_t mono = since_boot_ns(CLOCK_MONOTONIC);
	int64_t boot_ahead = since_boot_ns(CLOCK_BOOTTIME) - mono;
	int64_t wall_ahead = (int64_t)sl_now_ns() - mono;
	int64_t slept = boot_ahead - e->boot_ahead_ns;
	int64_t step = wall_ahead - e->wall_ahead_ns - slept;

	e->boot_ahead_ns = boot_ahead;
	e->wall_ahead_ns = wall_ahead;
	if (slept > STEP_NS)
		event(a, LOG_WARNING, "clock", NULL, "the machine was "
		      "suspended for %.1f s", slept / 1e9);
	if (step > STEP_NS || step < -STEP_NS)
		event(a, LOG_WARNING, "clock", NULL, "the clock was set %s by "
		      "%.1f s", step > 0 ? "forward" : "back",
		      (step > 0 ? step : -step) / 1e9);
}

void events_second(struct agent *a)
{
	unsigned int more = a->events->refused_more;

	watch_clock(a);
	a->events->refused = a->events->refused_more = 0;
	if (more)
		event(a, LOG_WARNING, "refused", NULL, "%u more refusals within "
		      "a second", more);
	a->events->disk_waits = false;	/* once more */
}

void events_save(struct agent *a)
{
	if (!a->events->disk_waits)
		events_disk_write(a);
}

/* --- for those who ask --- */
static const char *severity_name(int severity)
{
	return severity <= LOG_ERR ? "error" :
	       severity == LOG_WARNING ? "warning" :
	       severity == LOG_NOTICE ? "notice" : "info";
}

static struct json_object *one_doc(const struct event *e)
{
	struct json_object *o = json_object_new_object();

	put_int(o, "n", e->n);
	put_time(o, "time", e->at_ns);
	put_text(o, "kind", e->kind);
	put_text(o, "severity", severity_name(e->severity));
	put_text(o, "message", e->message);
	json_object_object_add(o, "detail", json_object_get(e->detail));
	return o;
}

struct json_object *event_doc(const struct agent *a, int64_t n)
{
	const struct event *e = events_at(a->events, n);

	return e ? one_doc(e) : NULL;
}

void events_span(const struct agent *a, int64_t *oldest, int64_t *last)
{
	const struct events *e = a->events;
	int64_t n = e->last - EVENTS_KEPT + 1;

	for (n = n < 1 ? 1 : n; n < e->last && !events_at(e, n); n++)
		;
	*oldest = n;
	*last = e->last;
}

int wanted_parse(const struct event_query *q, uint64_t most, struct wanted *w,
		 struct refusal *r)
{
	*w = (struct wanted){ .after = -1, .limit = LIMIT_DEFAULT,
			      .kind = q->kind };
	if (q->after && parse_number(q->after, INT64_MAX,
				     (uint64_t *)&w->after))
		return refuse(r, 400, "a number of an event",
			      "after=%s", q->after);
	if (q->limit && (parse_number(q->limit, most, &w->limit) || !w->limit))
		return refuse(r, 400, "a number, not above what is kept",
			      "limit=%s", q->limit);
	if (q->since && sl_time_parse(q->since, sl_now_ns(), &w->since_ns))
		return refuse(r, 400, "RFC 3339, or -1h", "%s is no time",
			      q->since);
	return 0;
}

/* A kind that never comes would look like peace. */
static int kind_check(const char *kind, struct refusal *r)
{
	static const char *const kinds[] = { "access", "agent", "budget",
		"bypass", "clock", "commit", "congestion", "disk", "expiry",
		"geography", "history", "interface", "module", "path-change",
		"refused", "reload", "tables" };
	unsigned int i, n = sizeof(kinds) / sizeof(*kinds);
	char all[TEXT_B];
	size_t len = 0;

	for (i = 0; kind && i < n; i++)
		if (!strcmp(kind, kinds[i]))
			return 0;
	for (i = 0; i < n && len < sizeof(all); i++)
		len += snprintf(all + len, sizeof(all) - len, "%s%s", !i ? "" :
				i + 1 < n ? ", " : " or ", kinds[i]);
	return kind ? refuse(r, 400, all, "%s is no kind of event", kind) : 0;
}

static bool fits(const struct event *e, const struct wanted *w)
{
	return e && e->n > w->after && e->at_ns >= w->since_ns &&
	       (!w->kind || !strcmp(e->kind, w->kind));
}

/* Where to begin: behind `after`, or so that the last ones fill the limit. */
static int64_t first_of(const struct events *e, const struct wanted *w)
{
	int64_t oldest = e->last - EVENTS_KEPT + 1, n = e->last + 1;
	uint64_t found = 0;

	if (w->after >= 0)
		return w->after + 1 > oldest ? w->after + 1 : oldest;
	while (n > oldest && n > 1 && found < w->limit)
		found += fits(events_at(e, --n), w);
	return n;
}

struct json_object *events_doc(const struct agent *a,
			       const struct event_query *q, bool *none,
			       struct refusal *r)
{
	const struct events *e = a->events;
	struct json_object *o, *list;
	const struct event *one;
	struct wanted w;
	uint64_t found = 0;
	int64_t n, last;

	if (kind_check(q->kind, r) || wanted_parse(q, EVENTS_KEPT, &w, r))
		return NULL;
	list = json_object_new_array();
	for (n = first_of(e, &w); n <= e->last && found < w.limit; n++) {
		one = events_at(e, n);
		if (!fits(one, &w))
			continue;
		json_object_array_add(list, one_doc(one));
		found++;
	}
	/* a number that is not given out yet is from before a loss: no news,
	 * but the caller must learn of it */
	*none = !found && w.after <= e->last;
	o = json_object_new_object();
	json_object_object_add(o, "events", list);
	put_int(o, "last", n - 1 < e->last ? n - 1 : e->last);
	events_span(a, &n, &last);
	put_int(o, "oldest", last ? n : 0);
	return o;
}

/* --- beside latency --- */
static bool is_mark(const struct event *e)
{
	static const char *const kinds[] = { "agent", "budget", "bypass",
		"clock", "commit", "expiry", "geography", "history",
		"path-change" };
	unsigned int i;

	if (!strcmp(e->kind, "interface"))	/* one that fails */
		return e->severity <= LOG_WARNING;
	for (i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (!strcmp(e->kind, kinds[i]))
			return true;
	return false;
}

struct json_object *events_marks(const struct agent *a, uint64_t from_ns,
				 uint64_t to_ns)
{
	struct json_object *list = json_object_new_array(), *o;
	const struct event *e;
	int64_t n = a->events->last - EVENTS_KEPT + 1;

	for (; n <= a->events->last; n++) {
		e = events_at(a->events, n);
		if (!e || e->at_ns < from_ns || e->at_ns >= to_ns ||
		    !is_mark(e))
			continue;
		o = json_object_new_object();
		put_time(o, "time", e->at_ns);
		put_text(o, "kind", e->kind);
		put_text(o, "message", e->message);
		json_object_array_add(list, o);
	}
	return list;
}
