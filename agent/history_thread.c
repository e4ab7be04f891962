// SPDX-License-Identifier: GPL-2.0
/*
 * The writer's thread: steps as they come, and what to do when the disk won't.
 * What cannot be written waits (history.c bounds how much) and is tried again.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "history_priv.h"

#define RETRY_S		2
#define DAY_TICKS	(86400 / TICK_S)
#define TIDY_TICKS	30	/* between looks for what to seal or drop */
#define DISTRUST_STEPS	60

/* A clock that was set: say so, and don't take a leap for the passing of time
 * before it has held. */
static void watch_clock(struct history *h, uint32_t tick)
{
	bool back = tick < h->newest;

	if (h->newest && tick > h->newest + DAY_TICKS)
		h->distrust = DISTRUST_STEPS;
	if (back && !h->clock_back)
		history_note(h, LOG_WARNING, "clock", "history: the clock is "
			     "%u s behind what is written; what is measured "
			     "joins the steps that are there",
			     (h->newest - tick) * TICK_S);
	h->clock_back = back;
	if (h->distrust)
		h->distrust--;
	if (!back || h->newest - tick > DAY_TICKS)
		h->newest = tick;
}

/* --- trouble --- */
static void say_trouble(struct history *h, int rc)
{
	char now[TEXT_B];

	snprintf(now, sizeof(now), "%s", sqlite3_errstr(rc));
	if (!h->trouble[0])
		history_note(h, LOG_ERR, "history", "history pauses: %s: %s; "
			     "measuring and rules go on", h->path, now);
	memcpy(h->trouble, now, sizeof(now));
}

static void say_better(struct history *h)
{
	if (h->trouble[0])
		history_note(h, LOG_NOTICE, "history", "history goes on after: "
			     "%s", h->trouble);
	h->trouble[0] = '\0';
	if (h->bad_rows)
		history_note(h, LOG_ERR, "history", "history: %u rows are "
			     "damaged and left out", h->bad_rows);
	h->bad_rows = 0;
}

static uint32_t newest_tick(struct history *h)
{
	int64_t young = db_number(h->db, "SELECT MAX(id) FROM young WHERE "
				  "id<1<<60", 0);
	int64_t sealed = db_number(h->db, "SELECT MAX(id) FROM sealed WHERE "
				   "id<1<<60", 0);
	uint32_t end = sealed ? (SEALED_BLOCK(sealed) + 1) * block_ticks[0] - 1
		     : 0;

	return YOUNG_TICK(young) > end ? YOUNG_TICK(young) : end;
}

static int be_open(struct history *h)
{
	int rc = h->db ? 0 : db_open(h);

	if (rc || h->ready)
		return rc;
	h->newest = newest_tick(h);
	keep_spare(h);
	pthread_mutex_lock(&h->lock);
	h->ready = true;
	h->opened++;
	pthread_cond_broadcast(&h->wake_reader);
	pthread_mutex_unlock(&h->lock);
	return 0;
}

static void set_unready(struct history *h)
{
	pthread_mutex_lock(&h->lock);
	h->ready = false;
	h->damaged = false;
	pthread_mutex_unlock(&h->lock);
}

/* What the failing statement calls for; true: try again at once. */
static bool mend(struct history *h, int rc)
{
	if (db_is_damage(rc)) {
		set_unready(h);
		db_close(h, false);
		rc = rescue(h);
		return !rc;
	}
	if ((rc & 0xff) == SQLITE_FULL)
		return !keep_evict(h);
	/* perhaps another file is there by now, or this one can be written */
	set_unready(h);
	db_close(h, false);
	return false;
}

/* In the log a page is as large as in the file, however little of it is new. */
#define MORE_B	262144

static uint64_t chain_b(const struct handed *s)
{
	uint64_t sum_b = 0;

	for (; s; s = s->next)
		sum_b += s->records.n;
	return sum_b;
}

static int try_steps(struct history *h, const struct handed *first)
{
	const struct handed *s;
	int rc = be_open(h), tries;

	if (!rc)
		rc = keep_room(h, chain_b(first) + MORE_B);
	for (tries = 0; tries < 4; tries++) {
		if (!rc)
			rc = write_steps(h, first);
		if (!rc)
			break;
		if (!mend(h, rc)) {
			say_trouble(h, rc);
			return rc;
		}
		rc = be_open(h);
	}
	for (s = first; s && !rc; s = s->next)
		watch_clock(h, s->tick);
	return rc;
}

/* The rest of the work: it can wait, where it fails. */
static void tidy(struct history *h, bool now)
{
	int rc;

	if (!now && !h->trouble[0] && h->newest / TIDY_TICKS == h->tidied)
		return;
	h->tidied = h->newest / TIDY_TICKS;
	keep_spare(h);
	rc = seal_due(h);
	if (!rc)
		rc = keep_limits(h);
	if (!rc)
		say_better(h);
	else if (!mend(h, rc))
		say_trouble(h, rc);
}

static unsigned int free_chain(struct handed *s)
{
	struct handed *next;
	unsigned int n = 0;

	for (; s; s = next, n++) {
		next = s->next;
		sl_bytes_free(&s->records);
		free(s);
	}
	return n;
}

/* The first steps that wait, as a chain: more than one only after a delay. */
static struct handed *cut_chain(struct history *h)
{
	struct handed *first = h->first, *last = first;
	unsigned int n = 1;

	if (!first)
		return NULL;
	for (; last->next && n < BATCH_MOST; n++)
		last = last->next;
	h->first = last->next;
	if (!h->first)
		h->last = NULL;
	h->queued -= n;
	last->next = NULL;
	return first;
}

/* The first tick of a chain, whatever the clock did; 0: an empty one. */
static uint32_t lowest(const struct handed *s)
{
	uint32_t tick = s ? s->tick : 0;

	for (; s; s = s->next)
		if (s->tick < tick)
			tick = s->tick;
	return tick;
}

/* The next steps; NULL: none, and there is something else to do. */
static struct handed *take(struct history *h, bool wait)
{
	struct timespec until;
	struct handed *s;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += wait ? RETRY_S : 3600;
	pthread_mutex_lock(&h->lock);
	h->writing = 0;
	while (!h->stop && !h->limits_new && !h->damaged &&
	       (wait || !h->first)) {
		if (pthread_cond_timedwait(&h->wake_writer, &h->lock, &until))
			break;
	}
	s = cut_chain(h);
	h->writing = lowest(s);
	h->limits_new = false;
	pthread_mutex_unlock(&h->lock);
	return s;
}

static void put_back(struct history *h, struct handed *first)
{
	struct handed *last = first;
	unsigned int n = 1;

	for (; last->next; n++)
		last = last->next;
	pthread_mutex_lock(&h->lock);
	last->next = h->first;
	h->first = first;
	if (!h->last)
		h->last = last;
	h->queued += n;
	history_bound_queue(h, QUEUE_MOST);
	pthread_mutex_unlock(&h->lock);
}

static bool stopping(struct history *h)
{
	bool stop;

	pthread_mutex_lock(&h->lock);
	stop = h->stop;
	pthread_mutex_unlock(&h->lock);
	return stop;
}

static void check_damage(struct history *h)
{
	bool damaged;

	pthread_mutex_lock(&h->lock);
	damaged = h->damaged;
	pthread_mutex_unlock(&h->lock);
	if (damaged && !mend(h, SQLITE_CORRUPT))
		say_trouble(h, SQLITE_CORRUPT);
}

void *history_writer(void *arg)
{
	struct history *h = arg;
	struct handed *s;
	bool wait = be_open(h);

	if (wait)
		say_trouble(h, SQLITE_CANTOPEN);
	for (;;) {
		s = take(h, wait);
		check_damage(h);
		if (s) {
			wait = try_steps(h, s);
			if (wait && !stopping(h)) {
				put_back(h, s);
				continue;
			}
			h->steps += free_chain(s);
		} else if (stopping(h)) {
			break;
		} else {
			wait = be_open(h);
		}
		if (!wait)
			tidy(h, !s);
	}
	db_close(h, !h->trouble[0]);
	return NULL;
}
