/* SPDX-License-Identifier: GPL-2.0 */
/* What events.c (in memory), events_disk.c (over restarts) and drops.c share. */
#ifndef SL_EVENTS_PRIV_H
#define SL_EVENTS_PRIV_H

#include <sqlite3.h>
#include "agent.h"

#define EVENTS_KEPT	1000	/* in memory and on disk */
#define EVENT_KIND_B	24

struct event {
	int64_t n;		/* 1, 2, 3 ...; 0: none */
	uint64_t at_ns;		/* wall clock */
	int severity;		/* syslog's */
	char kind[EVENT_KIND_B];
	char *message;
	struct json_object *detail;
};

struct events {
	struct event ring[EVENTS_KEPT];	/* n at n % EVENTS_KEPT */
	int64_t last, on_disk;
	sqlite3 *db;
	bool disk_fails;		/* said once */
	bool disk_waits;		/* for the next second */
	unsigned int refused, refused_more;	/* in this second */
	uint64_t held_back;		/* refusals that were no event, in all */
	int64_t wall_ahead_ns;		/* of the monotonic clock */
	int64_t boot_ahead_ns;		/* time spent suspended */
};

/* Event n, or NULL when it is not kept. */
const struct event *events_at(const struct events *e, int64_t n);
/* Keep one, at its own number; owns message and detail. */
void events_keep(struct events *e, const struct event *one);

/* The words of a request for events or drops, as numbers. */
struct wanted {
	int64_t after;		/* -1: the last ones */
	uint64_t since_ns;
	uint64_t limit;
	const char *kind;
};
int wanted_parse(const struct event_query *q, uint64_t most, struct wanted *w,
		 struct refusal *r);

int events_disk_open(struct agent *a);	/* and load what it holds */
void events_disk_write(struct agent *a);	/* what is not yet on it */
void events_disk_close(struct agent *a);

#endif
