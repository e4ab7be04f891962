/* SPDX-License-Identifier: GPL-2.0 */
/* What the history's files expect of an agent: a configuration, a place for
 * events, and a clock that is the test's. */
#ifndef GIVEN_H
#define GIVEN_H

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "history_priv.h"

#define S_NS	1000000000ULL
#define EVENTS	64

static struct sl_config given_cfg;
static struct agent given = { .cfg = &given_cfg };
static struct {
	char kind[16], text[300];
} given_event[EVENTS];
static unsigned int given_events;

void say(int priority, const char *fmt, ...)
{
	(void)priority;
	(void)fmt;
}

void event(struct agent *a, int severity, const char *kind,
	   struct json_object *detail, const char *fmt, ...)
{
	unsigned int i = given_events++ % EVENTS;
	va_list ap;

	(void)a;
	(void)severity;
	(void)detail;
	snprintf(given_event[i].kind, sizeof(given_event[i].kind), "%s", kind);
	va_start(ap, fmt);
	vsnprintf(given_event[i].text, sizeof(given_event[i].text), fmt, ap);
	va_end(ap);
	if (getenv("GIVEN_SAY"))
		fprintf(stderr, "# event %s: %s\n", kind, given_event[i].text);
}

/* Was there such an event, with this in its text? */
static inline bool told(const char *kind, const char *text)
{
	unsigned int i;

	for (i = 0; i < EVENTS && i < given_events; i++)
		if (!strcmp(given_event[i].kind, kind) &&
		    strstr(given_event[i].text, text))
			return true;
	return false;
}

static inline void give_limits(uint64_t s10, uint64_t s60, uint64_t s900,
			       uint32_t max_mb)
{
	given_cfg.history.keep_ns[0] = s10 * S_NS;
	given_cfg.history.keep_ns[1] = s60 * S_NS;
	given_cfg.history.keep_ns[2] = s900 * S_NS;
	given_cfg.history.max_mb = max_mb;
}

#define DAY_S 86400ULL

static inline int given_open(const char *dir)
{
	snprintf(given_cfg.state_dir, sizeof(given_cfg.state_dir), "%s", dir);
	if (!given_cfg.history.max_mb)
		give_limits(6 * 3600, 3 * DAY_S, 400 * DAY_S, 500);
	return history_open(&given);
}

/* Not more steps than the writer keeps up with, so that none is lost: a test's
 * clock is faster than a disk. */
static inline void step_when_room(uint64_t from_ns)
{
	struct history *h = given.history;
	unsigned int queued;

	do {
		pthread_mutex_lock(&h->lock);
		queued = h->queued;
		pthread_mutex_unlock(&h->lock);
		if (queued >= QUEUE_MOST - 1) {
			usleep(200);
			history_second(&given);
		}
	} while (queued >= QUEUE_MOST - 1);
	history_step_done(&given, from_ns);
}

/* Until all that was handed over is written: the thread that has the last step
 * tidies up before it takes the next. */
static inline void settle(void)
{
	history_close(&given);
	history_open(&given);
}

/* A directory in memory where there is one: the clock of a test passes too fast
 * for the syncs of a disk. */
static inline char *given_dir(char *buf, size_t len)
{
	snprintf(buf, len, "%s/sealane-history-XXXXXX",
		 access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
	return mkdtemp(buf);
}

/* --- questions --- */
struct question {
	struct history_ask ask;
	int rc;
	uint64_t took_ns;
	bool done;
};

static inline void run_question(struct history_reader *r, void *arg)
{
	struct question *q = arg;
	struct timespec a, b;

	do {
		clock_gettime(CLOCK_MONOTONIC, &a);
		q->rc = history_read(r, &q->ask);
		clock_gettime(CLOCK_MONOTONIC, &b);
		if (q->rc == -EAGAIN)
			usleep(1000);
	} while (q->rc == -EAGAIN);
	q->took_ns = (b.tv_sec - a.tv_sec) * S_NS + b.tv_nsec - a.tv_nsec;
}

static inline void end_question(struct agent *a, void *arg)
{
	(void)a;
	((struct question *)arg)->done = true;
}

/* As the loop does it. */
static inline int ask(struct question *q)
{
	struct pollfd p = { .fd = history_fd(&given), .events = POLLIN };

	q->done = false;
	if (history_run(&given, run_question, end_question, q))
		return -1;
	while (!q->done && poll(&p, 1, 60000) > 0)
		history_ready(&given);
	return q->done ? q->rc : -ETIMEDOUT;
}

static inline void made_key(struct history_key *k, unsigned int i)
{
	memset(k, 0, sizeof(*k));
	snprintf(k->lane, sizeof(k->lane), "lane%u", i / 32);
	snprintf(k->path, sizeof(k->path), "path%u", i / 16 % 2);
	k->method = i / 2 % 8;
	k->half = i % 2;
}

static inline uint64_t file_b(const char *name)
{
	char path[600];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s", given_cfg.state_dir, name);
	return stat(path, &st) ? 0 : st.st_size;
}

#endif
