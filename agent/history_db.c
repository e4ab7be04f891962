// SPDX-License-Identifier: GPL-2.0
/* The history's database: opening, schema, statements. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include "history_priv.h"

#define SCHEMA_VERSION	1

/* NORMAL: a power cut may cost the last steps, never what was before them. Pages
 * are large because sealed rows are: half a row is lost at the end of each. */
static const char settings[] =
	"PRAGMA page_size=16384; PRAGMA auto_vacuum=INCREMENTAL;"
	"PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"
	"PRAGMA wal_autocheckpoint=64; PRAGMA journal_size_limit=2097152;"
	"PRAGMA secure_delete=OFF; PRAGMA temp_store=MEMORY;"
	"PRAGMA cache_size=-4096;";

static const char schema[] =
	"BEGIN IMMEDIATE;"
	"CREATE TABLE IF NOT EXISTS meta(key TEXT PRIMARY KEY, value INTEGER);"
	/* latency: even numbers, traffic: odd ones */
	"CREATE TABLE IF NOT EXISTS series(id INTEGER PRIMARY KEY, lane TEXT,"
	" path TEXT, method INTEGER, half INTEGER, family INTEGER, addr BLOB,"
	" len INTEGER, seen_s INTEGER);"
	"CREATE TABLE IF NOT EXISTS young(id INTEGER PRIMARY KEY,"
	" bytes BLOB);"
	/* those that are not part of the next level yet */
	"CREATE TABLE IF NOT EXISTS fresh(id INTEGER PRIMARY KEY);"
	"CREATE TABLE IF NOT EXISTS sealed(id INTEGER PRIMARY KEY,"
	" bytes BLOB);";

static const char *const statements[STATEMENTS] = {
	[ST_YOUNG_PUT] = "INSERT OR REPLACE INTO young VALUES(?,?)",
	[ST_YOUNG_LAST] = "SELECT id,id IN fresh FROM young WHERE id BETWEEN ?"
			  " AND ? ORDER BY id DESC LIMIT 1",
	[ST_YOUNG_GET] = "SELECT bytes FROM young WHERE id=?",
	[ST_YOUNG_RANGE] = "SELECT id,bytes FROM young WHERE id BETWEEN ?"
			   " AND ? ORDER BY id",
	[ST_YOUNG_DROP] = "DELETE FROM young WHERE id BETWEEN ? AND ?",
	[ST_FRESH_PUT] = "INSERT OR IGNORE INTO fresh VALUES(?)",
	[ST_FRESH_RANGE] = "SELECT id,bytes FROM fresh JOIN young USING(id)"
			   " WHERE id BETWEEN ? AND ? ORDER BY id",
	[ST_FRESH_DROP] = "DELETE FROM fresh WHERE id BETWEEN ? AND ?",
	[ST_SEALED_PUT] = "INSERT OR REPLACE INTO sealed VALUES(?,?)",
	[ST_SEALED_GET] = "SELECT bytes FROM sealed WHERE id=?",
	[ST_SEALED_DROP] = "DELETE FROM sealed WHERE id BETWEEN ? AND ?",
	[ST_SERIES_PUT] = "INSERT INTO series VALUES(?,?,?,?,?,?,?,?,"
			  "4294967295)",
	[ST_SERIES_SEEN] = "UPDATE series SET seen_s=? WHERE id=?",
};

bool db_is_damage(int rc)
{
	return (rc & 0xff) == SQLITE_CORRUPT || (rc & 0xff) == SQLITE_NOTADB;
}

int db_run(sqlite3 *db, const char *sql)
{
	return sqlite3_exec(db, sql, NULL, NULL, NULL);
}

sqlite3_stmt *db_statement(struct history *h, int which)
{
	if (!h->st[which])
		sqlite3_prepare_v3(h->db, statements[which], -1,
				   SQLITE_PREPARE_PERSISTENT, &h->st[which],
				   NULL);
	else
		sqlite3_reset(h->st[which]);
	return h->st[which];
}

int db_step(sqlite3_stmt *s)
{
	int rc = s ? sqlite3_step(s) : SQLITE_ERROR;

	sqlite3_reset(s);
	return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

int64_t db_number(sqlite3 *db, const char *sql, int64_t fallback)
{
	sqlite3_stmt *s = NULL;
	int64_t v = fallback;

	if (sqlite3_prepare_v2(db, sql, -1, &s, NULL) == SQLITE_OK &&
	    sqlite3_step(s) == SQLITE_ROW)
		v = sqlite3_column_int64(s, 0);
	sqlite3_finalize(s);
	return v;
}

uint64_t db_file_b(const struct history *h)
{
	static const char *const end[] = { "", "-wal", "-spare" };
	char name[sizeof(h->path) + 8];
	uint64_t sum_b = 0;
	struct stat st;
	unsigned int i;

	for (i = 0; i < 3; i++) {
		snprintf(name, sizeof(name), "%s%s", h->path, end[i]);
		if (!stat(name, &st))
			sum_b += st.st_size;
	}
	return sum_b;
}

/* Only after an end that was none: it reads the whole file. */
static int check(struct history *h)
{
	const char *said = NULL;
	sqlite3_stmt *s = NULL;
	int rc;

	if (db_number(h->db, "SELECT value FROM meta WHERE key='clean'", 1))
		return 0;
	rc = sqlite3_prepare_v2(h->db, "PRAGMA quick_check(1)", -1, &s, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(s);
	if (rc == SQLITE_ROW) {
		said = (const char *)sqlite3_column_text(s, 0);
		rc = said && !strcmp(said, "ok") ? SQLITE_OK : SQLITE_CORRUPT;
	}
	sqlite3_finalize(s);
	return rc;
}

/* Is it one that we can go on with? */
static int check_version(struct history *h)
{
	int64_t version = db_number(h->db, "PRAGMA user_version", -1);
	char sql[48];

	if (version > SCHEMA_VERSION) {
		history_note(h, LOG_ERR, "history", "%s was written by a newer "
			     "version; nothing is added to it", h->path);
		return SQLITE_READONLY;
	}
	snprintf(sql, sizeof(sql), "PRAGMA user_version=%d; COMMIT",
		 SCHEMA_VERSION);
	return db_run(h->db, sql);
}

int db_open_new(struct history *h)
{
	int rc = sqlite3_open(h->path, &h->db);

	sqlite3_extended_result_codes(h->db, 1);
	sqlite3_busy_timeout(h->db, 2000);
	if (!rc)
		rc = db_run(h->db, settings);
	if (!rc)
		rc = db_run(h->db, schema);
	return rc ? rc : check_version(h);
}

void db_close(struct history *h, bool clean)
{
	unsigned int i;

	if (clean && h->db)
		db_run(h->db, "INSERT OR REPLACE INTO meta VALUES('clean',1)");
	for (i = 0; i < STATEMENTS; i++) {
		sqlite3_finalize(h->st[i]);
		h->st[i] = NULL;
	}
	names_forget(h);
	sqlite3_close(h->db);
	h->db = NULL;
}

/* Open, see whether it is whole, and note that it is in use. */
static int open_checked(struct history *h)
{
	int rc = db_open_new(h);

	if (!rc)
		rc = check(h);
	if (!rc)
		rc = db_run(h->db, "INSERT OR REPLACE INTO meta VALUES("
			    "'clean',0)");
	if (rc)
		db_close(h, false);
	return rc;
}

int db_open(struct history *h)
{
	int rc = open_checked(h);

	if (db_is_damage(rc)) {
		rc = rescue(h);
		if (!rc)
			rc = open_checked(h);
	}
	return rc;
}
