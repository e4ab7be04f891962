// SPDX-License-Identifier: GPL-2.0
/*
 * The store: SQLite with a write-ahead log, fully synced before success is
 * reported, so that a crash at any moment leaves the old or the new
 * generation and nothing between. Here: opening, the schema and its former
 * form, statements in few words, the numbers that names have in the data
 * plane's tables.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "duration.h"
#include "store_priv.h"

#define SCHEMA_VERSION	2
#define WAL_MOST_B	(64 << 20)	/* kept on disk when it is empty */
#define SAME_TROUBLE_NS 60000000000ULL	/* until it is told again */

/* FULL syncs the write-ahead log at every commit. Checkpoints are ours, in
 * store_tidy(): a push does not wait for them. */
static const char pragmas[] =
	"PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
	"PRAGMA wal_autocheckpoint=0; PRAGMA secure_delete=OFF;";

static const char schema[] =
	"CREATE TABLE IF NOT EXISTS ids(kind TEXT, name TEXT, id INTEGER,"
	" PRIMARY KEY(kind, name));"
	"CREATE TABLE generations("
	" n INTEGER PRIMARY KEY, at_ns INTEGER, uid INTEGER, pid INTEGER,"
	" who TEXT, what TEXT, why TEXT, diff TEXT, outcome TEXT,"
	" until_ns INTEGER, parent INTEGER);"
	/* state: of generation g is what has born <= g and died null or > g */
	"CREATE TABLE blocks("
	" row INTEGER PRIMARY KEY AUTOINCREMENT, id INTEGER, prefix TEXT,"
	" action INTEGER, until_ns INTEGER, at_ns INTEGER, why TEXT,"
	" uid INTEGER, class_id INTEGER, born INTEGER, died INTEGER);"
	"CREATE UNIQUE INDEX blocks_live ON blocks(prefix)"
	" WHERE died IS NULL;"
	"CREATE INDEX blocks_dead ON blocks(died) WHERE died IS NOT NULL;"
	"CREATE TABLE lists("
	" row INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT,"
	" class_id INTEGER, at_ns INTEGER, generation INTEGER, uid INTEGER,"
	" why TEXT, doubles INTEGER, n4 INTEGER, n6 INTEGER, crc INTEGER,"
	" blob INTEGER, born INTEGER, died INTEGER);"
	"CREATE UNIQUE INDEX lists_live ON lists(name) WHERE died IS NULL;"
	"CREATE TABLE rules("
	" row INTEGER PRIMARY KEY AUTOINCREMENT, file TEXT, at_ns INTEGER,"
	" generation INTEGER, uid INTEGER, why TEXT, n INTEGER, crc INTEGER,"
	" blob INTEGER, born INTEGER, died INTEGER);"
	"CREATE TABLE blobs(id INTEGER, part INTEGER, bytes BLOB,"
	" PRIMARY KEY(id, part));"
	"CREATE TABLE slots(slot INTEGER PRIMARY KEY, owner TEXT, id TEXT,"
	" gone INTEGER);"	/* gone: generation without it, or null */
	"CREATE TABLE audit(n INTEGER PRIMARY KEY, at_ns INTEGER,"
	" uid INTEGER, pid INTEGER, who TEXT, action TEXT, object TEXT,"
	" outcome TEXT, why TEXT, tag TEXT, detail TEXT, prev TEXT,"
	" hash TEXT);"
	"CREATE TABLE kept(only INTEGER PRIMARY KEY CHECK(only = 1),"
	" from_n INTEGER);"
	"INSERT INTO kept VALUES(1, 0);";

/* Version 1 knew only the live state: blocks and lists without a past. */
static const char step_aside[] =
	"ALTER TABLE generations RENAME TO generations_1;"
	"ALTER TABLE blocks RENAME TO blocks_1;"
	"ALTER TABLE lists RENAME TO lists_1;";
static const char take_over[] =
	"INSERT INTO generations SELECT n,at_ns,uid,pid,'uid '||uid,what,why,"
	" '{}','committed',NULL,n-1 FROM generations_1;"
	"INSERT INTO blocks SELECT id,id,prefix,action,until_ns,at_ns,why,uid,"
	" class_id,(SELECT MAX(n) FROM generations),NULL FROM blocks_1;"
	"INSERT INTO lists SELECT rowid,name,class_id,at_ns,generation,uid,"
	" why,doubles,n4,n6,crc,rowid,(SELECT MAX(n) FROM generations),NULL"
	" FROM lists_1;"
	"UPDATE kept SET from_n=(SELECT COALESCE(MAX(n),0) FROM generations);"
	"DROP TABLE generations_1; DROP TABLE blocks_1;";

/* What is tried again each second must not push all other events out. */
int store_fail(struct agent *a, const char *what)
{
	static uint64_t told_ns;
	static char told[256];
	char now[sizeof(told)];

	snprintf(now, sizeof(now), "store: %s: %s", what,
		 sqlite3_errmsg(a->store->db));
	if (!strcmp(now, told) && sl_mono_ns() - told_ns < SAME_TROUBLE_NS)
		return -1;
	told_ns = sl_mono_ns();
	strcpy(told, now);
	event(a, LOG_ERR, "disk", NULL, "%s", now);
	return -1;
}

sqlite3_stmt *store_prepare(struct agent *a, const char *sql)
{
	sqlite3_stmt *s = NULL;

	if (sqlite3_prepare_v2(a->store->db, sql, -1, &s, NULL) != SQLITE_OK)
		store_fail(a, "prepare");
	return s;
}

int store_step(struct agent *a, sqlite3_stmt *s, const char *what)
{
	int rc = s ? sqlite3_step(s) : SQLITE_ERROR;

	if (rc != SQLITE_DONE)
		store_fail(a, what);
	sqlite3_finalize(s);
	return rc == SQLITE_DONE ? 0 : -1;
}

int store_run(struct agent *a, const char *sql)
{
	return sqlite3_exec(a->store->db, sql, NULL, NULL, NULL) == SQLITE_OK ?
	       0 : store_fail(a, "write");
}

void store_bind_text(sqlite3_stmt *s, int at, const char *text)
{
	sqlite3_bind_text(s, at, text ? text : "", -1, SQLITE_STATIC);
}

void store_bind_time(sqlite3_stmt *s, int at, uint64_t ns)
{
	if (ns)
		sqlite3_bind_int64(s, at, ns);
	else
		sqlite3_bind_null(s, at);
}

void store_copy_text(sqlite3_stmt *s, int column, char *out, size_t len)
{
	const char *text = (const char *)sqlite3_column_text(s, column);

	snprintf(out, len, "%s", text ? text : "");
}

int64_t store_number(struct agent *a, const char *sql, int64_t fallback)
{
	sqlite3_stmt *s = store_prepare(a, sql);
	int64_t v = fallback;

	if (s && sqlite3_step(s) == SQLITE_ROW)
		v = sqlite3_column_int64(s, 0);
	sqlite3_finalize(s);
	return v;
}

int store_put_blob(struct agent *a, const void *bytes, size_t len_b,
		   int64_t *id)
{
	int64_t next = store_number(a, "SELECT COALESCE(MAX(id),0)+1 FROM "
				    "blobs", -1);
	const uint8_t *at = bytes;
	size_t done = 0, part_b;
	sqlite3_stmt *s;
	int part = 0;

	if (next < 0)
		return -1;
	do {
		part_b = len_b - done < BLOB_PART_B ? len_b - done :
			 BLOB_PART_B;
		s = store_prepare(a, "INSERT INTO blobs VALUES(?,?,?)");
		sqlite3_bind_int64(s, 1, next);
		sqlite3_bind_int(s, 2, part++);
		sqlite3_bind_blob64(s, 3, at + done, part_b, SQLITE_STATIC);
		if (store_step(a, s, "blob"))
			return -1;
		done += part_b;
	} while (done < len_b);
	*id = next;
	return 0;
}

int store_get_blob(struct agent *a, int64_t id, uint8_t **out, size_t *len_b)
{
	sqlite3_stmt *s = store_prepare(a, "SELECT bytes FROM blobs WHERE "
					"id=? ORDER BY part");
	uint8_t *all = malloc(1), *grown;
	size_t n = 0, part_b;
	int rc = SQLITE_ERROR;

	sqlite3_bind_int64(s, 1, id);
	while (s && all && (rc = sqlite3_step(s)) == SQLITE_ROW) {
		part_b = sqlite3_column_bytes(s, 0);
		grown = realloc(all, n + part_b + 1);
		if (!grown)
			break;
		all = grown;
		memcpy(all + n, sqlite3_column_blob(s, 0), part_b);
		n += part_b;
	}
	if (rc != SQLITE_DONE && rc != SQLITE_ROW)
		store_fail(a, "blob");
	sqlite3_finalize(s);
	if (rc != SQLITE_DONE) {
		free(all);
		return -1;
	}
	all[n] = '\0';
	*out = all;
	*len_b = n;
	return 0;
}

/* The prefixes of the former lists, into parts. */
static int move_blobs(struct agent *a)
{
	sqlite3_stmt *s = store_prepare(a, "SELECT row, prefixes FROM lists "
					"JOIN lists_1 USING(name)");
	int64_t row, id;
	char sql[96];
	int rc = 0;

	while (!rc && sqlite3_step(s) == SQLITE_ROW) {
		row = sqlite3_column_int64(s, 0);
		rc = store_put_blob(a, sqlite3_column_blob(s, 1),
				    sqlite3_column_bytes(s, 1), &id);
		snprintf(sql, sizeof(sql), "UPDATE lists SET blob=%lld WHERE "
			 "row=%lld", (long long)id, (long long)row);
		if (!rc)
			rc = store_run(a, sql);
	}
	sqlite3_finalize(s);
	return rc ? rc : store_run(a, "DROP TABLE lists_1");
}

static int make_schema(struct agent *a)
{
	bool former = store_number(a, "SELECT COUNT(*) FROM sqlite_master "
				   "WHERE name='lists'", 0);
	char sql[48];
	int rc = store_run(a, "BEGIN IMMEDIATE");

	if (!rc && former)
		rc = store_run(a, step_aside);
	if (!rc)
		rc = store_run(a, schema);
	if (!rc && former)
		rc = store_run(a, take_over) ? -1 : move_blobs(a);
	snprintf(sql, sizeof(sql), "PRAGMA user_version=%d", SCHEMA_VERSION);
	if (!rc)
		rc = store_run(a, sql);
	if (!rc)
		rc = store_run(a, "COMMIT");
	if (rc)
		sqlite3_exec(a->store->db, "ROLLBACK", NULL, NULL, NULL);
	else if (former)
		say(LOG_NOTICE, "store: taken over from the former version");
	return rc;
}

static int on_commit(void *arg, sqlite3 *db, const char *name, int pages)
{
	struct store *s = arg;

	(void)db;
	(void)name;
	s->wal_pages = pages;
	return SQLITE_OK;
}

static int open_database(struct agent *a, const char *path)
{
	char sql[48];

	if (sqlite3_open(path, &a->store->db) != SQLITE_OK)
		return store_fail(a, path);
	sqlite3_busy_timeout(a->store->db, 2000);
	snprintf(sql, sizeof(sql), "PRAGMA journal_size_limit=%d",
		 WAL_MOST_B);
	if (store_run(a, pragmas) || store_run(a, sql))
		return -1;
	sqlite3_wal_hook(a->store->db, on_commit, a->store);
	return 0;
}

int store_open_new(struct agent *a, const char *path)
{
	return open_database(a, path) ? -1 : make_schema(a);
}

int store_open(struct agent *a)
{
	char path[sizeof(a->cfg->state_dir) + 16];
	int64_t version;
	int rc;

	a->store = calloc(1, sizeof(*a->store));
	if (!a->store)
		return -1;
	snprintf(path, sizeof(path), "%s/sealane.db", a->cfg->state_dir);
	rc = open_database(a, path);
	if (!store_is_whole(a))
		rc = store_rescue(a, path);
	if (rc)
		return -1;
	version = store_number(a, "PRAGMA user_version", -1);
	if (version > SCHEMA_VERSION) {
		say(LOG_ERR, "store: %s was written by a newer version; "
		    "use that one", path);
		return -1;
	}
	if (version < SCHEMA_VERSION && make_schema(a))
		return -1;
	a->store->kept_from = store_number(a, "SELECT from_n FROM kept", 0);
	return audit_open(a);
}

void store_close(struct agent *a)
{
	if (!a->store)
		return;
	sqlite3_close(a->store->db);
	free(a->store);
	a->store = NULL;
}

int64_t store_kept_from(const struct agent *a)
{
	return a->store->kept_from;
}

/* --- numbers of names --- */
static int known_id(struct agent *a, const char *kind, const char *name)
{
	sqlite3_stmt *s = store_prepare(a, "SELECT id FROM ids WHERE kind=? "
					"AND name=?");
	int id = -1;

	store_bind_text(s, 1, kind);
	store_bind_text(s, 2, name);
	if (sqlite3_step(s) == SQLITE_ROW)
		id = sqlite3_column_int(s, 0);
	sqlite3_finalize(s);
	return id;
}

/* The lowest number without a name; else one whose name is not in use. */
static int free_id(struct agent *a, const char *kind, int max,
		   const bool *in_use)
{
	bool *named = calloc(max, sizeof(*named));
	sqlite3_stmt *s = store_prepare(a, "SELECT id FROM ids WHERE kind=?");
	int id, found = -1;

	store_bind_text(s, 1, kind);
	while (named && sqlite3_step(s) == SQLITE_ROW) {
		id = sqlite3_column_int(s, 0);
		if (id >= 0 && id < max)
			named[id] = true;
	}
	sqlite3_finalize(s);
	for (id = 1; named && id < max && found < 0; id++)
		if (!named[id])
			found = id;
	for (id = 1; id < max && found < 0; id++)
		if (!in_use[id])
			found = id;
	free(named);
	return found;
}

int store_id(struct agent *a, const char *kind, const char *name, int max,
	     const bool *in_use)
{
	int id = known_id(a, kind, name);
	sqlite3_stmt *s;

	if (id > 0 && id < max)
		return id;
	id = free_id(a, kind, max, in_use);
	if (id < 0)
		return -1;
	s = store_prepare(a, "DELETE FROM ids WHERE kind=? AND id=?");
	store_bind_text(s, 1, kind);
	sqlite3_bind_int(s, 2, id);
	if (store_step(a, s, "ids"))
		return -1;
	s = store_prepare(a, "INSERT OR REPLACE INTO ids VALUES(?,?,?)");
	store_bind_text(s, 1, kind);
	store_bind_text(s, 2, name);
	sqlite3_bind_int(s, 3, id);
	return store_step(a, s, "ids") ? -1 : id;
}
