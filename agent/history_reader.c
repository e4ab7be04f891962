// SPDX-License-Identifier: GPL-2.0
/* The reader's thread: questions one after the other, on a connection of its
 * own. */
#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include "history_priv.h"

/* --- opening --- */
static void close_db(struct history_reader *r)
{
	sqlite3_finalize(r->sealed);
	sqlite3_close(r->db);
	r->sealed = NULL;
	r->db = NULL;
}

int reader_open(struct history_reader *r)
{
	struct history *h = r->h;
	unsigned int opened;
	int rc;

	pthread_mutex_lock(&h->lock);
	opened = h->opened;
	rc = h->ready ? 0 : -EAGAIN;
	pthread_mutex_unlock(&h->lock);
	if (rc)
		return rc;
	if (r->db && r->opened == opened)
		return 0;
	close_db(r);
	rc = sqlite3_open_v2(h->path, &r->db, SQLITE_OPEN_READWRITE, NULL);
	sqlite3_busy_timeout(r->db, 2000);
	if (!rc)
		rc = sqlite3_exec(r->db, "PRAGMA query_only=1; PRAGMA "
				  "cache_size=-4096", NULL, NULL, NULL);
	if (!rc)
		rc = sqlite3_prepare_v2(r->db, "SELECT bytes FROM sealed WHERE "
					"id=?", -1, &r->sealed, NULL);
	r->opened = opened;
	if (rc)
		close_db(r);
	return rc;
}

int reader_fail(struct history_reader *r, int rc)
{
	struct history *h = r->h;

	close_db(r);
	if (rc < 0)
		return rc;
	if (db_is_damage(rc)) {
		pthread_mutex_lock(&h->lock);
		h->damaged = true;
		pthread_cond_signal(&h->wake_writer);
		pthread_mutex_unlock(&h->lock);
	}
	return rc == SQLITE_NOMEM ? -ENOMEM : -EIO;
}

bool reader_stops(struct history_reader *r)
{
	bool stop;

	pthread_mutex_lock(&r->h->lock);
	stop = r->h->stop;
	pthread_mutex_unlock(&r->h->lock);
	return stop;
}

/* --- the thread --- */
static struct read_job *take(struct history *h)
{
	struct read_job *j;

	pthread_mutex_lock(&h->lock);
	while (!h->stop && !h->read_first)
		pthread_cond_wait(&h->wake_reader, &h->lock);
	j = h->stop ? NULL : h->read_first;
	if (j) {
		h->read_first = j->next;
		if (!h->read_first)
			h->read_last = NULL;
		j->next = NULL;
	}
	pthread_mutex_unlock(&h->lock);
	return j;
}

static void give(struct history *h, struct read_job *j)
{
	pthread_mutex_lock(&h->lock);
	if (h->done_last)
		h->done_last->next = j;
	else
		h->done_first = j;
	h->done_last = j;
	pthread_mutex_unlock(&h->lock);
	eventfd_write(h->fd, 1);
}

void *history_reader_thread(void *arg)
{
	struct history_reader r = { .h = arg };
	struct read_job *j;

	while ((j = take(r.h))) {
		j->work(&r, j->arg);
		give(r.h, j);
	}
	close_db(&r);
	return NULL;
}
