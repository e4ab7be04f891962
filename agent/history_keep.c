// SPDX-License-Identifier: GPL-2.0
/*
 * How long history is kept, and how large it may be: blocks leave as wholes, the
 * oldest first. Where the disk is full, it is history that makes room.
 */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>
#include "duration.h"
#include "history_priv.h"

#define EVICT_STEPS	6	/* a full disk costs one block in so many steps or
				 * so long: it may be somebody else who fills it */
#define EVICT_NS	15000000000ULL
#define SPARE_B		2000000	/* as large as the log */
#define PAGE_B		16384
#define SLACK_B		8000000		/* for the work of making room itself,
					 * at most, ... */
#define SLACK_SHARE	8		/* ... of the bound */

static int drop_range(struct history *h, int which, int64_t from, int64_t to)
{
	sqlite3_stmt *s = db_statement(h, which);

	sqlite3_bind_int64(s, 1, from);
	sqlite3_bind_int64(s, 2, to);
	return db_step(s);
}

/* All of a level that ends before a tick, whole blocks; they are in the next
 * level long since. */
static int drop_before(struct history *h, unsigned int level, uint32_t tick)
{
	uint32_t block = tick / block_ticks[level];
	int rc = drop_range(h, ST_SEALED_DROP, SEALED_ID(level, 0, 0),
			    SEALED_ID(level, block, 0) - 1);

	return rc ? rc : drop_range(h, ST_YOUNG_DROP, YOUNG_ID(level, 0, 0),
				    YOUNG_ID(level, block *
					     block_ticks[level], 0) - 1);
}

/* The oldest block of a level: its first tick; UINT32_MAX: none. */
static uint32_t oldest(struct history *h, unsigned int level)
{
	char sql[128];
	int64_t id;

	snprintf(sql, sizeof(sql), "SELECT id FROM sealed WHERE id BETWEEN "
		 "%lld AND %lld ORDER BY id LIMIT 1",
		 (long long)SEALED_ID(level, 0, 0),
		 (long long)SEALED_ID(level + 1, 0, 0) - 1);
	id = db_number(h->db, sql, -1);
	return id < 0 ? UINT32_MAX : SEALED_BLOCK(id) * block_ticks[level];
}

static uint64_t bound_b(struct history *h)
{
	uint64_t max_b;

	pthread_mutex_lock(&h->lock);
	max_b = h->max_b;
	pthread_mutex_unlock(&h->lock);
	return max_b;
}

static uint64_t slack_b(uint64_t max_b)
{
	return max_b / SLACK_SHARE < SLACK_B ? max_b / SLACK_SHARE : SLACK_B;
}

/* Free pages to the file system, as many as the log has room for: each moves
 * another one, and maps of both. */
static int vacuum(struct history *h)
{
	char sql[64];

	snprintf(sql, sizeof(sql), "PRAGMA incremental_vacuum(%u)",
		 (unsigned int)(slack_b(bound_b(h)) / 4 / PAGE_B));
	return db_run(h->db, sql);
}

static int checkpoint(struct history *h)
{
	int rc = sqlite3_wal_checkpoint_v2(h->db, NULL,
					   SQLITE_CHECKPOINT_TRUNCATE, NULL,
					   NULL);

	return rc == SQLITE_BUSY || rc == SQLITE_LOCKED ? 0 : rc;
}

/* The oldest sealed block of all levels. 0, SQLITE_FULL: there is none, or
 * another result code. */
static int drop_oldest(struct history *h)
{
	uint32_t first = UINT32_MAX, at;
	unsigned int level, of = 0;
	int rc;

	for (level = 0; level < LEVELS; level++) {
		at = oldest(h, level);
		if (at < first) {
			first = at;
			of = level;
		}
	}
	if (first == UINT32_MAX)
		return SQLITE_FULL;
	rc = drop_before(h, of, first + block_ticks[of]);
	h->evicted += !rc;
	return rc;
}

/* At the bound a block goes every day: the first time is news, and what a full
 * disk costs. */
static void say_evicted(struct history *h, int severity, const char *why)
{
	if (h->evicted && (severity < LOG_NOTICE || !h->evicted_told))
		history_note(h, severity, "history", "history: the oldest "
			     "went, for %s", why);
	h->evicted_told |= h->evicted && severity >= LOG_NOTICE;
	h->evicted = 0;
}

/* One block less, or what one less has left; false: the file is not smaller,
 * for somebody reads it (the next time, then), or nothing is left to go. */
static bool shrink(struct history *h, int *rc)
{
	uint64_t before_b = db_file_b(h);

	*rc = 0;
	if (!db_number(h->db, "PRAGMA freelist_count", 0))
		*rc = drop_oldest(h);
	if (!*rc)
		*rc = vacuum(h);
	if (!*rc)
		*rc = checkpoint(h);
	return !*rc && db_file_b(h) < before_b;
}

/* So that the file and its log stay within bounds with so much more. */
int keep_room(struct history *h, uint64_t more_b)
{
	uint64_t max_b = bound_b(h);
	int rc;

	max_b -= slack_b(max_b);
	if (db_file_b(h) + more_b <= max_b)
		return 0;
	rc = checkpoint(h);
	while (!rc && db_file_b(h) + more_b > max_b && shrink(h, &rc))
		;
	say_evicted(h, LOG_NOTICE, "the file is as large as it may be");
	return rc == SQLITE_FULL ? 0 : rc;
}

/* What is too old leaves, then what is too much. */
int keep_limits(struct history *h)
{
	uint64_t keep_s[LEVELS], now_s = (uint64_t)h->newest * TICK_S;
	unsigned int level;
	uint32_t end_tick, first;
	int rc = 0;

	pthread_mutex_lock(&h->lock);
	for (level = 0; level < LEVELS; level++)
		keep_s[level] = h->keep_s[level];
	pthread_mutex_unlock(&h->lock);
	for (level = 0; level < LEVELS && !rc && !h->distrust; level++) {
		end_tick = now_s > keep_s[level] ?
			   (now_s - keep_s[level]) / TICK_S : 0;
		first = oldest(h, level);
		if (end_tick < block_ticks[level] ||
		    first > end_tick - block_ticks[level])
			continue;
		rc = drop_before(h, level, end_tick);
		if (!rc && level == LEVELS - 1)
			rc = names_prune(h, end_tick * TICK_S);
	}
	return rc ? rc : keep_room(h, 0);
}

/* --- a full disk --- */
/* What is in the log cannot get into a file that must grow for it, and nothing can
 * be deleted before that: so a little is held back. */
static void spare_path(const struct history *h, char *buf, size_t len)
{
	snprintf(buf, len, "%s-spare", h->path);
}

void keep_spare(struct history *h)
{
	char path[sizeof(h->path) + 8];
	uint64_t len_b = slack_b(bound_b(h)) / 2;
	int fd;

	if (h->spare)
		return;
	spare_path(h, path, sizeof(path));
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	h->spare = fd >= 0 && !posix_fallocate(fd, 0, len_b < SPARE_B ? len_b :
					       SPARE_B);
	if (fd >= 0)
		close(fd);
	if (!h->spare)
		unlink(path);
}

static void use_spare(struct history *h)
{
	char path[sizeof(h->path) + 8];

	spare_path(h, path, sizeof(path));
	unlink(path);
	h->spare = false;
}

/* The disk is full. 0: there is a little room now. */
int keep_evict(struct history *h)
{
	uint64_t now_ns = sl_mono_ns();
	int rc;

	if (h->evicted_ns && h->steps < h->evicted_at + EVICT_STEPS &&
	    now_ns - h->evicted_ns < EVICT_NS)
		return SQLITE_FULL;
	h->evicted_at = h->steps;
	h->evicted_ns = now_ns;
	use_spare(h);
	rc = checkpoint(h);
	if (!rc)
		rc = drop_oldest(h);
	if (!rc)
		rc = checkpoint(h);
	if (!rc)
		rc = vacuum(h);
	if (!rc)
		rc = checkpoint(h);
	keep_spare(h);
	say_evicted(h, LOG_WARNING, "the disk is full");
	return rc;
}
