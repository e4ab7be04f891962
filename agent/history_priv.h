/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the files of the history share. Three threads touch it: the loop hands
 * steps over and takes notes (history.c), the writer (history_write.c, _seal.c,
 * _keep.c, _rescue.c, _db.c) owns the database, the reader (history_read.c) has a
 * connection of its own. What is common is under `lock`.
 *
 * On disk a step is one row of all its series while it is young: that is one
 * small write. A step is done when a later one comes that lies in another step of
 * the next level; then it is merged into that and no longer `fresh`, in the same
 * transaction, so that no crash counts it twice. A block of steps that is whole
 * is sealed: one row per series, its steps side by side.
 */
#ifndef SL_HISTORY_PRIV_H
#define SL_HISTORY_PRIV_H

#include <pthread.h>
#include <sqlite3.h>
#include "history.h"
#include "sketch.h"

#define LEVELS		SL_HISTORY_LEVELS
#define TICK_S		10		/* times on disk are counted in these */
#define NOTES		16
#define QUEUE_MOST	30		/* steps that wait: five minutes */
#define BATCH_MOST	16		/* steps in one transaction */
#define READS_MOST	64

/* Lengths of a step and of a block, in ticks, by level. */
extern const uint32_t step_ticks[LEVELS], block_ticks[LEVELS];

/* Rows: level, time, and which of them. A young step may be in parts: what came
 * after it was merged into the next level. */
#define LEVEL_SHIFT	60
#define YOUNG_ID(level, tick, part) ((int64_t)(level) << LEVEL_SHIFT | \
	(int64_t)(tick) << 16 | (part))
#define YOUNG_TICK(id)	((uint32_t)((id) >> 16))
#define YOUNG_PARTS	0xffff
#define SEALED_ID(level, block, sid) ((int64_t)(level) << LEVEL_SHIFT | \
	(int64_t)(block) << 28 | (sid))
#define SEALED_BLOCK(id) ((uint32_t)((id) >> 28))
#define SEALED_SALT	(1ULL << 63)	/* beside the id */
#define SIDS_MOST	(1U << 28)

/* Numbers of series; those of traffic are odd. */
static inline bool is_traffic(uint32_t sid)
{
	return sid & 1;
}

/* --- rows of young steps: history_rows.c --- */
struct row {
	struct sl_bytes raw;		/* unpacked: sid, length, body ... */
	struct sl_cut cut;
	uint32_t tick, level, sid;
	struct sl_cut body;		/* of sid */
	bool more;			/* sid and body hold */
	int64_t id;
};

struct rows {
	struct row *r;
	unsigned int n, room;
};

/* What is measured of one series in one step. */
struct amount {
	struct sl_hist hist;
	struct sl_lane_ctr ctr;
};

struct row *rows_new(struct rows *rows);	/* NULL: no memory */
void rows_free(struct rows *rows);
/* Unpack into a row and stand at its first series. 0 or -EBADMSG, -ENOMEM. */
int row_open(struct row *r, const void *bytes, size_t len_b, int64_t id);
int row_next(struct row *r);		/* 0 or -EBADMSG */
/* Add what the row has of the series it stands at. */
int amount_add(struct amount *m, uint32_t sid, struct sl_cut body);
void amount_clear(struct amount *m, uint32_t sid);
void amount_put(struct sl_bytes *s, uint32_t sid, const struct amount *m);
/* Append a record behind `last`, the sid before (0: none). */
void record_put(struct sl_bytes *raw, uint32_t *last, uint32_t sid,
		const uint8_t *body, size_t len_b);
/* All rows as one. Their cursors are at their ends then. */
int rows_merge(struct rows *rows, struct sl_bytes *raw);
uint32_t rows_lowest(const struct rows *rows);	/* sid; UINT32_MAX: no more */

/* --- shared --- */
struct handed {				/* a step on its way to the writer */
	struct handed *next;
	uint32_t tick;
	struct sl_bytes records;	/* struct handed_head and body, each */
};

struct handed_head {
	struct history_key key;
	uint32_t traffic, len_b;
};

struct read_job {
	struct read_job *next;
	void (*work)(struct history_reader *r, void *arg);
	void (*done)(struct agent *a, void *arg);
	void *arg;
};

struct note {
	int severity;
	char kind[16], text[TEXT_B];
};

struct names;				/* history_names.c */

/* Statements that are kept. */
enum { ST_YOUNG_PUT, ST_YOUNG_LAST, ST_YOUNG_GET, ST_YOUNG_RANGE, ST_YOUNG_DROP,
       ST_FRESH_PUT, ST_FRESH_RANGE, ST_FRESH_DROP, ST_SEALED_PUT,
       ST_SEALED_GET, ST_SEALED_DROP, ST_SERIES_PUT, ST_SERIES_SEEN,
       STATEMENTS };

struct history {
	struct agent *a;
	char path[512];
	pthread_t writer, reader;
	bool writer_runs, reader_runs;
	int fd;				/* eventfd: answers are ready */
	/* the loop's */
	struct handed *open;
	uint64_t last_told_ns;		/* mono: losses */
	/* common */
	pthread_mutex_t lock;
	pthread_cond_t wake_writer, wake_reader;
	struct handed *first, *last;
	unsigned int queued;
	uint64_t lost, lost_told;	/* steps */
	uint64_t keep_s[LEVELS], max_b;
	uint32_t writing;		/* tick that is with the writer; or 0 */
	bool stop, limits_new, damaged, ready;
	unsigned int opened;		/* times: the reader's is old then */
	struct read_job *read_first, *read_last, *done_first, *done_last;
	unsigned int reads;
	struct note note[NOTES];
	unsigned int n_notes;
	/* the writer's */
	sqlite3 *db;
	sqlite3_stmt *st[STATEMENTS];
	struct names *names;
	bool spare;			/* is there */
	char trouble[TEXT_B];		/* why nothing is written; "" */
	uint32_t newest;		/* tick */
	uint32_t tidied;		/* when it was last */
	uint64_t steps;			/* written or tried */
	uint64_t evicted_at, evicted_ns;	/* steps, then; mono */
	unsigned int evicted;		/* blocks, not told of */
	bool evicted_told;		/* that the bound is reached */
	unsigned int distrust;		/* steps until a clock that jumped is
					 * believed */
	bool clock_back;		/* told */
	unsigned int bad_rows;		/* since it was told */
};

/* Becomes an event in the loop. */
void history_note(struct history *h, int severity, const char *kind,
		  const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* Under lock: the oldest steps beyond so many are lost, and counted. */
void history_bound_queue(struct history *h, unsigned int most);

/* --- history_db.c: SQLite's result codes, 0 is well --- */
int db_open(struct history *h);		/* and rescue, where needed */
int db_open_new(struct history *h);	/* what is not there is made */
void db_close(struct history *h, bool clean);
int db_run(sqlite3 *db, const char *sql);
sqlite3_stmt *db_statement(struct history *h, int which);
int db_step(sqlite3_stmt *s);		/* of one that gives no rows */
int64_t db_number(sqlite3 *db, const char *sql, int64_t fallback);
bool db_is_damage(int rc);
uint64_t db_file_b(const struct history *h);	/* with its log */

/* --- history_names.c --- */
/* The number of a series, given out where it is new. 0 or a result code. */
int names_sid(struct history *h, const struct history_key *key, bool traffic,
	      uint32_t *sid);
/* The row that says what a number stands for. 0, or an error of SQLite's. */
int names_put(struct history *h, uint32_t sid, const struct history_key *key);
void names_forget(struct history *h);	/* read anew when next asked */
/* Walk the series in a database, by number. */
int names_walk(sqlite3 *db, void (*fn)(void *arg, uint32_t sid,
				       const struct history_key *key),
	       void *arg);
int names_prune(struct history *h, uint32_t before_s);

/* --- history_thread.c --- */
void *history_writer(void *arg);

/* --- history_write.c --- */
/* A step and those behind it, with what they complete in the next levels: all or
 * nothing. */
int write_steps(struct history *h, const struct handed *first);
/* A row of the level at a tick, joined with what is there. */
int young_put(struct history *h, unsigned int level, uint32_t tick,
	      const struct sl_bytes *raw);

/* --- history_seal.c --- */
int seal_due(struct history *h);	/* every block that is whole */

/* --- history_keep.c --- */
int keep_limits(struct history *h);
int keep_room(struct history *h, uint64_t more_b);
int keep_evict(struct history *h);	/* the oldest block of all */
void keep_spare(struct history *h);	/* room for that, held back */

/* --- history_rescue.c --- */
int rescue(struct history *h);		/* db is closed before and after */

/* --- history_reader.c --- */
struct history_reader {
	struct history *h;
	sqlite3 *db;
	sqlite3_stmt *sealed;
	unsigned int opened;		/* which file it is */
};

void *history_reader_thread(void *arg);
/* Wait until the writer has made sure of the file; it may be another one now.
 * 0, -EAGAIN or a result code. */
int reader_open(struct history_reader *r);
/* Negative errno of a result code; damage is told to the writer. */
int reader_fail(struct history_reader *r, int rc);
bool reader_stops(struct history_reader *r);	/* the agent does */

#endif
