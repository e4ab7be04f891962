// SPDX-License-Identifier: GPL-2.0
/*
 * A damaged history: set aside under a name with its time, and made anew of what
 * can be read and verifies. Rows are asked for block by block, so that a bad page
 * costs its block and not what lies behind it. On the writer's thread: nobody
 * waits.
 */
#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "history_priv.h"

struct rescue {
	struct history *h;
	sqlite3 *bad;
	unsigned int got, lost;		/* rows; blocks or rows */
};

/* One that is set aside is enough: they are large. */
static void remove_former(const struct history *h)
{
	char pattern[sizeof(h->path) + 16];
	glob_t found;
	size_t i;

	snprintf(pattern, sizeof(pattern), "%s.corrupt-*", h->path);
	if (glob(pattern, 0, NULL, &found))
		return;
	for (i = 0; i < found.gl_pathc; i++)
		unlink(found.gl_pathv[i]);
	globfree(&found);
}

static int set_aside(const struct history *h, char *aside, size_t len)
{
	static const char *const end[] = { "", "-wal" };
	char from[sizeof(h->path) + 8], to[600], at[32];
	time_t now = time(NULL);
	struct tm tm;
	unsigned int i;

	strftime(at, sizeof(at), "%Y%m%dT%H%M%SZ", gmtime_r(&now, &tm));
	snprintf(aside, len, "%s.corrupt-%s", h->path, at);
	for (i = 0; i < 2; i++) {
		snprintf(from, sizeof(from), "%s%s", h->path, end[i]);
		snprintf(to, sizeof(to), "%s%s", aside, end[i]);
		if (rename(from, to) && errno != ENOENT)
			return -errno;
	}
	snprintf(from, sizeof(from), "%s-shm", h->path);
	unlink(from);
	return 0;
}

static bool whole(int64_t id, sqlite3_stmt *s, bool sealed)
{
	struct sl_bytes plain = {};
	bool ok = !sl_unpack(sqlite3_column_blob(s, 1),
			     sqlite3_column_bytes(s, 1),
			     (uint64_t)id | (sealed ? SEALED_SALT : 0),
			     &plain);

	sl_bytes_free(&plain);
	return ok;
}

static int put(struct rescue *r, int64_t id, sqlite3_stmt *from, bool sealed)
{
	sqlite3_stmt *s = db_statement(r->h, sealed ? ST_SEALED_PUT :
				       ST_YOUNG_PUT);

	sqlite3_bind_int64(s, 1, id);
	sqlite3_bind_value(s, 2, sqlite3_column_value(from, 1));
	return db_step(s);
}

/* Rows of one table in a range; what is not whole is left behind. */
static int copy_range(struct rescue *r, bool sealed, int64_t from, int64_t to)
{
	sqlite3_stmt *s = NULL;
	char sql[128];
	int64_t id;
	int rc, put_rc = 0;

	snprintf(sql, sizeof(sql), "SELECT id,bytes FROM %s WHERE id BETWEEN "
		 "%lld AND %lld", sealed ? "sealed" : "young",
		 (long long)from, (long long)to);
	rc = sqlite3_prepare_v2(r->bad, sql, -1, &s, NULL);
	if (rc == SQLITE_OK)
		rc = SQLITE_ROW;
	while (!put_rc && rc == SQLITE_ROW &&
	       (rc = sqlite3_step(s)) == SQLITE_ROW) {
		id = sqlite3_column_int64(s, 0);
		if (!whole(id, s, sealed)) {
			r->lost++;
			continue;
		}
		put_rc = put(r, id, s, sealed);
		r->got++;
	}
	r->lost += rc != SQLITE_DONE && rc != SQLITE_ROW;
	sqlite3_finalize(s);
	return put_rc;
}

/* The first id of a table that is at least `from`: -1 at the end; where a page
 * on the way there is bad, `from` itself. */
static int64_t next_id(struct rescue *r, bool sealed, int64_t from)
{
	sqlite3_stmt *s = NULL;
	char sql[96];
	int64_t id = -1;
	int rc;

	snprintf(sql, sizeof(sql), "SELECT id FROM %s WHERE id>=%lld ORDER BY "
		 "id LIMIT 1", sealed ? "sealed" : "young", (long long)from);
	rc = sqlite3_prepare_v2(r->bad, sql, -1, &s, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(s);
	if (rc == SQLITE_ROW)
		id = sqlite3_column_int64(s, 0);
	else if (rc != SQLITE_DONE)
		id = from;
	sqlite3_finalize(s);
	return id;
}

/* Where the next try begins: an hour of one level on. */
static int64_t range_end(bool sealed, int64_t id)
{
	unsigned int level = id >> LEVEL_SHIFT;
	uint32_t tick = YOUNG_TICK(id);

	return sealed ? SEALED_ID(level, SEALED_BLOCK(id) + 1, 0) - 1 :
	       YOUNG_ID(level, tick - tick % 360 + 360, 0) - 1;
}

/* Unreadable ranges in a row before a table is given up: a year of days. */
#define BLIND_MOST	400

static int copy_table(struct rescue *r, bool sealed)
{
	int64_t id = next_id(r, sealed, 0), end;
	unsigned int blind = 0, got;
	int rc = 0;

	while (!rc && id >= 0 && id < YOUNG_ID(LEVELS, 0, 0) &&
	       blind < BLIND_MOST) {
		end = range_end(sealed, id);
		got = r->got;
		rc = copy_range(r, sealed, id, end);
		blind = r->got == got ? blind + 1 : 0;
		id = next_id(r, sealed, end + 1);
	}
	return rc;
}

static void copy_name(void *arg, uint32_t sid, const struct history_key *key)
{
	struct rescue *r = arg;

	names_put(r->h, sid, key);
}

/* Numbers that were given out stay so, even if their names are lost. What was
 * not in the next level yet is so still, where that is known; else what is newer
 * than anything there. */
static int copy_rest(struct rescue *r)
{
	sqlite3_stmt *s = NULL;
	char sql[128];
	int rc = 0;

	snprintf(sql, sizeof(sql), "INSERT OR REPLACE INTO meta VALUES("
		 "'last_series',MAX(%lld,COALESCE((SELECT MAX(id)/2 FROM "
		 "series),0)))", (long long)db_number(r->bad, "SELECT value "
		 "FROM meta WHERE key='last_series'", 0));
	rc = db_run(r->h->db, sql);
	if (sqlite3_prepare_v2(r->bad, "SELECT id FROM fresh", -1, &s, NULL) ==
	    SQLITE_OK)
		while (!rc && sqlite3_step(s) == SQLITE_ROW) {
			sqlite3_stmt *to = db_statement(r->h, ST_FRESH_PUT);

			sqlite3_bind_int64(to, 1, sqlite3_column_int64(s, 0));
			rc = db_step(to);
		}
	sqlite3_finalize(s);
	return rc;
}

static int copy_all(struct rescue *r)
{
	int rc = db_run(r->h->db, "BEGIN IMMEDIATE");

	if (rc)
		return rc;
	names_walk(r->bad, copy_name, r);
	rc = copy_table(r, true);
	if (!rc)
		rc = copy_table(r, false);
	if (!rc)
		rc = copy_rest(r);
	return rc ? rc : db_run(r->h->db, "COMMIT");
}

int rescue(struct history *h)
{
	struct rescue r = { .h = h };
	char aside[560];
	int rc;

	remove_former(h);
	rc = set_aside(h, aside, sizeof(aside));
	if (rc) {
		history_note(h, LOG_ERR, "history", "history: %s is damaged, "
			     "and cannot be set aside: %s", h->path,
			     strerror(-rc));
		return SQLITE_CANTOPEN;
	}
	history_note(h, LOG_CRIT, "history", "history: %s is damaged; it is "
		     "kept as %s", h->path, aside);
	rc = db_open_new(h);
	if (!rc && sqlite3_open(aside, &r.bad) == SQLITE_OK)
		rc = copy_all(&r);
	sqlite3_close(r.bad);
	db_close(h, false);
	history_note(h, LOG_ERR, "history", "history: made anew: %u rows were "
		     "whole, %u places were not%s", r.got, r.lost,
		     rc ? "; not all could be written" : "");
	return rc;
}
