// SPDX-License-Identifier: GPL-2.0
/*
 * Latency history: the loop's side. A step is gathered as bytes and handed to the
 * writer; where the disk is too slow the oldest step that waits goes, and is
 * counted. Questions run on the reader's thread.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>
#include "duration.h"
#include "history_priv.h"

#define TELL_LOSS_NS	60000000000ULL	/* at most once in */

void history_note(struct history *h, int severity, const char *kind,
		  const char *fmt, ...)
{
	struct note *n;
	va_list ap;

	pthread_mutex_lock(&h->lock);
	if (h->n_notes < NOTES) {
		n = &h->note[h->n_notes++];
		n->severity = severity;
		snprintf(n->kind, sizeof(n->kind), "%s", kind);
		va_start(ap, fmt);
		vsnprintf(n->text, sizeof(n->text), fmt, ap);
		va_end(ap);
	}
	pthread_mutex_unlock(&h->lock);
}

/* Under lock. */
static void set_limits(struct history *h, const struct sl_config *cfg)
{
	unsigned int level;

	for (level = 0; level < LEVELS; level++)
		h->keep_s[level] = cfg->history.keep_ns[level] / 1000000000;
	h->max_b = cfg->history.max_mb * 1000000ULL;
}

static bool limits_differ(const struct history *h, const struct sl_config *cfg)
{
	unsigned int level;

	for (level = 0; level < LEVELS; level++)
		if (h->keep_s[level] !=
		    cfg->history.keep_ns[level] / 1000000000)
			return true;
	return h->max_b != cfg->history.max_mb * 1000000ULL;
}

static int start_threads(struct history *h)
{
	if (pthread_create(&h->writer, NULL, history_writer, h))
		return -1;
	h->writer_runs = true;
	if (pthread_create(&h->reader, NULL, history_reader_thread, h))
		return -1;
	h->reader_runs = true;
	return 0;
}

int history_open(struct agent *a)
{
	struct history *h = calloc(1, sizeof(*h));
	pthread_condattr_t mono;

	if (!h)
		return -1;
	a->history = h;
	h->a = a;
	h->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	pthread_mutex_init(&h->lock, NULL);
	pthread_condattr_init(&mono);
	pthread_condattr_setclock(&mono, CLOCK_MONOTONIC);
	pthread_cond_init(&h->wake_writer, &mono);
	pthread_cond_init(&h->wake_reader, &mono);
	pthread_condattr_destroy(&mono);
	snprintf(h->path, sizeof(h->path), "%s/history.db", a->cfg->state_dir);
	set_limits(h, a->cfg);
	return h->fd < 0 ? -1 : start_threads(h);
}

static void free_jobs(struct read_job *j)
{
	struct read_job *next;

	for (; j; j = next) {
		next = j->next;
		free(j);
	}
}

static void free_step(struct handed *s)
{
	if (s)
		sl_bytes_free(&s->records);
	free(s);
}

/* Answers that nobody waits for any more are not given. */
void history_close(struct agent *a)
{
	struct history *h = a->history;
	struct handed *s;

	if (!h)
		return;
	pthread_mutex_lock(&h->lock);
	h->stop = true;
	pthread_cond_broadcast(&h->wake_writer);
	pthread_cond_broadcast(&h->wake_reader);
	pthread_mutex_unlock(&h->lock);
	if (h->reader_runs)
		pthread_join(h->reader, NULL);
	if (h->writer_runs)
		pthread_join(h->writer, NULL);
	history_second(a);
	while ((s = h->first)) {
		h->first = s->next;
		free_step(s);
	}
	free_step(h->open);
	free_jobs(h->read_first);
	free_jobs(h->done_first);
	if (h->fd >= 0)
		close(h->fd);
	pthread_cond_destroy(&h->wake_writer);
	pthread_cond_destroy(&h->wake_reader);
	pthread_mutex_destroy(&h->lock);
	free(h);
	a->history = NULL;
}

/* Under lock: how many steps are to be told of as lost. */
static uint64_t losses(struct history *h)
{
	uint64_t n = h->lost - h->lost_told, now_ns = sl_mono_ns();

	if (!n || (h->last_told_ns && now_ns - h->last_told_ns < TELL_LOSS_NS &&
		   !h->stop))
		return 0;
	h->last_told_ns = now_ns;
	h->lost_told = h->lost;
	return n;
}

void history_second(struct agent *a)
{
	struct history *h = a->history;
	struct note note[NOTES];
	unsigned int i, n;
	uint64_t lost;

	if (!h)
		return;
	pthread_mutex_lock(&h->lock);
	n = h->n_notes;
	memcpy(note, h->note, n * sizeof(*note));
	h->n_notes = 0;
	lost = losses(h);
	if (limits_differ(h, a->cfg)) {
		set_limits(h, a->cfg);
		h->limits_new = true;
		pthread_cond_signal(&h->wake_writer);
	}
	pthread_mutex_unlock(&h->lock);
	for (i = 0; i < n; i++)
		event(a, note[i].severity, note[i].kind, NULL, "%s",
		      note[i].text);
	if (lost)
		event(a, LOG_ERR, "history", NULL, "history: %llu steps of 10 s "
		      "are lost: the disk did not take them in time",
		      (unsigned long long)lost);
}

/* --- a step --- */
static struct handed *open_step(struct history *h)
{
	if (h && !h->open)
		h->open = calloc(1, sizeof(*h->open));
	return h ? h->open : NULL;
}

/* Head and body, one behind the other; the length is known afterwards. */
static void put_record(struct handed *s, const struct history_key *key,
		       bool traffic, const struct amount *m)
{
	struct handed_head head = { .key = *key, .traffic = traffic };
	size_t at = s->records.n, body;

	sl_put_raw(&s->records, &head, sizeof(head));
	body = s->records.n;
	amount_put(&s->records, traffic, m);
	if (s->records.failed) {
		s->records.n = at;
		s->records.failed = false;
		return;
	}
	head.len_b = s->records.n - body;
	memcpy(s->records.b + at, &head, sizeof(head));
}

void history_add(struct agent *a, const struct history_key *key,
		 const struct sl_hist *h)
{
	struct handed *s = open_step(a->history);

	/* an amount begins with its histogram */
	if (s && h->count)
		put_record(s, key, false, (const struct amount *)h);
}

void history_add_traffic(struct agent *a, const char *lane, const char *path,
			 const struct sl_lane_ctr *c)
{
	struct handed *s = open_step(a->history);
	static struct amount m;
	struct history_key key = {};

	if (!s)
		return;
	snprintf(key.lane, sizeof(key.lane), "%s", lane);
	snprintf(key.path, sizeof(key.path), "%s", path);
	m.ctr = *c;
	put_record(s, &key, true, &m);
}

void history_bound_queue(struct history *h, unsigned int most)
{
	struct handed *s;

	while (h->queued > most) {
		s = h->first;
		h->first = s->next;
		if (!h->first)
			h->last = NULL;
		h->queued--;
		h->lost++;
		free_step(s);
	}
}

void history_step_done(struct agent *a, uint64_t from_ns)
{
	struct history *h = a->history;
	struct handed *s = open_step(h);

	if (!s)
		return;
	h->open = NULL;
	s->tick = from_ns / HISTORY_STEP_NS;
	pthread_mutex_lock(&h->lock);
	history_bound_queue(h, QUEUE_MOST - 1);
	if (h->last)
		h->last->next = s;
	else
		h->first = s;
	h->last = s;
	h->queued++;
	pthread_cond_signal(&h->wake_writer);
	pthread_mutex_unlock(&h->lock);
}

uint64_t history_waiting_ns(struct agent *a)
{
	struct history *h = a->history;
	uint32_t tick = UINT32_MAX;
	const struct handed *s;

	if (!h)
		return 0;
	pthread_mutex_lock(&h->lock);
	if (h->writing)
		tick = h->writing;
	for (s = h->first; s; s = s->next)
		if (s->tick < tick)
			tick = s->tick;
	pthread_mutex_unlock(&h->lock);
	return tick == UINT32_MAX ? 0 : tick * HISTORY_STEP_NS;
}

/* --- questions --- */
int history_run(struct agent *a,
		void (*work)(struct history_reader *r, void *arg),
		void (*done)(struct agent *a, void *arg), void *arg)
{
	struct history *h = a->history;
	struct read_job *j = h ? calloc(1, sizeof(*j)) : NULL;
	int rc = -1;

	if (!j)
		return -1;
	*j = (struct read_job){ .work = work, .done = done, .arg = arg };
	pthread_mutex_lock(&h->lock);
	if (h->reads < READS_MOST) {
		if (h->read_last)
			h->read_last->next = j;
		else
			h->read_first = j;
		h->read_last = j;
		h->reads++;
		pthread_cond_signal(&h->wake_reader);
		rc = 0;
	}
	pthread_mutex_unlock(&h->lock);
	if (rc)
		free(j);
	return rc;
}

int history_fd(const struct agent *a)
{
	return a->history ? a->history->fd : -1;
}

void history_ready(struct agent *a)
{
	struct history *h = a->history;
	struct read_job *j, *next;
	eventfd_t n;

	if (!h)
		return;
	eventfd_read(h->fd, &n);
	pthread_mutex_lock(&h->lock);
	j = h->done_first;
	h->done_first = h->done_last = NULL;
	pthread_mutex_unlock(&h->lock);
	for (; j; j = next) {
		next = j->next;
		pthread_mutex_lock(&h->lock);
		h->reads--;
		pthread_mutex_unlock(&h->lock);
		j->done(a, j->arg);
		free(j);
	}
}
