// SPDX-License-Identifier: GPL-2.0
/*
 * What must survive: blocks, generations, and the numbers that names have in
 * the data plane's tables. SQLite with a write-ahead log, fully synced before
 * success is reported, so that a crash at any moment leaves the old or the new
 * generation and nothing between.
 */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "agent.h"
#include "duration.h"

struct store {
	sqlite3 *db;
};

static const char schema[] =
	"PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
	"CREATE TABLE IF NOT EXISTS ids(kind TEXT, name TEXT, id INTEGER,"
	" PRIMARY KEY(kind, name));"
	"CREATE TABLE IF NOT EXISTS generations("
	" n INTEGER PRIMARY KEY AUTOINCREMENT, at_ns INTEGER, uid INTEGER,"
	" pid INTEGER, what TEXT, why TEXT);"
	"CREATE TABLE IF NOT EXISTS blocks("
	" id INTEGER PRIMARY KEY AUTOINCREMENT, prefix TEXT UNIQUE,"
	" action INTEGER, until_ns INTEGER, at_ns INTEGER, why TEXT,"
	" uid INTEGER, class_id INTEGER);";

static int fail(struct agent *a, const char *what)
{
	say(LOG_ERR, "store: %s: %s", what, sqlite3_errmsg(a->store->db));
	return -1;
}

int store_open(struct agent *a)
{
	char path[sizeof(a->cfg->state_dir) + 16];

	a->store = calloc(1, sizeof(*a->store));
	if (!a->store)
		return -1;
	snprintf(path, sizeof(path), "%s/sealane.db", a->cfg->state_dir);
	if (sqlite3_open(path, &a->store->db) != SQLITE_OK)
		return fail(a, path);
	sqlite3_busy_timeout(a->store->db, 2000);
	if (sqlite3_exec(a->store->db, schema, NULL, NULL, NULL) != SQLITE_OK)
		return fail(a, path);
	return 0;
}

void store_close(struct agent *a)
{
	if (!a->store)
		return;
	sqlite3_close(a->store->db);
	free(a->store);
	a->store = NULL;
}

static sqlite3_stmt *prepare(struct agent *a, const char *sql)
{
	sqlite3_stmt *s = NULL;

	if (sqlite3_prepare_v2(a->store->db, sql, -1, &s, NULL) != SQLITE_OK)
		fail(a, "prepare");
	return s;
}

static int run(struct agent *a, const char *sql)
{
	return sqlite3_exec(a->store->db, sql, NULL, NULL, NULL) == SQLITE_OK ?
	       0 : fail(a, sql);
}

static int known_id(struct agent *a, const char *kind, const char *name)
{
	sqlite3_stmt *s = prepare(a, "SELECT id FROM ids WHERE kind=? AND "
				  "name=?");
	int id = -1;

	sqlite3_bind_text(s, 1, kind, -1, SQLITE_STATIC);
	sqlite3_bind_text(s, 2, name, -1, SQLITE_STATIC);
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
	sqlite3_stmt *s = prepare(a, "SELECT id FROM ids WHERE kind=?");
	int id, found = -1;

	sqlite3_bind_text(s, 1, kind, -1, SQLITE_STATIC);
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
	int id = known_id(a, kind, name), rc;
	sqlite3_stmt *s;

	if (id > 0 && id < max)
		return id;
	id = free_id(a, kind, max, in_use);
	if (id < 0)
		return -1;
	s = prepare(a, "DELETE FROM ids WHERE kind=? AND id=?");
	sqlite3_bind_text(s, 1, kind, -1, SQLITE_STATIC);
	sqlite3_bind_int(s, 2, id);
	sqlite3_step(s);
	sqlite3_finalize(s);
	s = prepare(a, "INSERT OR REPLACE INTO ids VALUES(?,?,?)");
	sqlite3_bind_text(s, 1, kind, -1, SQLITE_STATIC);
	sqlite3_bind_text(s, 2, name, -1, SQLITE_STATIC);
	sqlite3_bind_int(s, 3, id);
	rc = sqlite3_step(s);
	sqlite3_finalize(s);
	return rc == SQLITE_DONE ? id : fail(a, "ids");
}

static int put_generation(struct agent *a, const struct caller *who,
			  const char *what, const char *why)
{
	sqlite3_stmt *s = prepare(a, "INSERT INTO generations(at_ns,uid,pid,"
				  "what,why) VALUES(?,?,?,?,?)");
	int rc;

	sqlite3_bind_int64(s, 1, sl_now_ns());
	sqlite3_bind_int64(s, 2, who->uid);
	sqlite3_bind_int64(s, 3, who->pid);
	sqlite3_bind_text(s, 4, what, -1, SQLITE_STATIC);
	sqlite3_bind_text(s, 5, why, -1, SQLITE_STATIC);
	rc = sqlite3_step(s);
	sqlite3_finalize(s);
	return rc == SQLITE_DONE ? 0 : fail(a, "generation");
}

static int put_block(struct agent *a, struct block *b)
{
	sqlite3_stmt *s = prepare(a, "INSERT OR REPLACE INTO blocks VALUES("
				  "?,?,?,?,?,?,?,?)");
	char text[SL_PREFIX_STR_B];
	int rc;

	if (b->id)
		sqlite3_bind_int64(s, 1, b->id);
	sqlite3_bind_text(s, 2, sl_prefix_str(&b->prefix, text), -1,
			  SQLITE_STATIC);
	sqlite3_bind_int(s, 3, b->action);
	sqlite3_bind_int64(s, 4, b->until_ns);
	sqlite3_bind_int64(s, 5, b->at_ns);
	sqlite3_bind_text(s, 6, b->why, -1, SQLITE_STATIC);
	sqlite3_bind_int64(s, 7, b->uid);
	sqlite3_bind_int(s, 8, b->class_id);
	rc = sqlite3_step(s);
	sqlite3_finalize(s);
	if (rc != SQLITE_DONE)
		return fail(a, "block");
	b->id = sqlite3_last_insert_rowid(a->store->db);
	return 0;
}

int store_commit(struct agent *a, struct blocks *next,
		 const struct caller *who, const char *what, const char *why)
{
	unsigned int i;
	int rc = run(a, "BEGIN IMMEDIATE");

	if (rc)
		return rc;
	rc = put_generation(a, who, what, why);
	if (!rc)
		rc = run(a, "DELETE FROM blocks");
	for (i = 0; !rc && i < next->n; i++)
		rc = put_block(a, &next->b[i]);
	if (!rc)
		rc = run(a, "COMMIT");
	if (rc) {
		sqlite3_exec(a->store->db, "ROLLBACK", NULL, NULL, NULL);
		return rc;
	}
	a->generation++;
	return 0;
}

static int load_block(struct agent *a, sqlite3_stmt *s)
{
	struct block *grown, *b;

	grown = realloc(a->blocks.b, (a->blocks.n + 1) * sizeof(*grown));
	if (!grown)
		return -1;
	a->blocks.b = grown;
	b = &grown[a->blocks.n];
	memset(b, 0, sizeof(*b));
	if (sl_prefix_parse((const char *)sqlite3_column_text(s, 1),
			    &b->prefix, NULL))
		return 0;
	b->id = sqlite3_column_int64(s, 0);
	b->action = sqlite3_column_int(s, 2);
	b->until_ns = sqlite3_column_int64(s, 3);
	b->at_ns = sqlite3_column_int64(s, 4);
	snprintf(b->why, sizeof(b->why), "%s",
		 (const char *)sqlite3_column_text(s, 5));
	b->uid = sqlite3_column_int64(s, 6);
	b->class_id = sqlite3_column_int(s, 7);
	a->blocks.n++;
	return 0;
}

int store_load(struct agent *a)
{
	sqlite3_stmt *s = prepare(a, "SELECT * FROM blocks ORDER BY id");
	int rc;

	if (!s)
		return -1;
	while ((rc = sqlite3_step(s)) == SQLITE_ROW)
		if (load_block(a, s))
			break;
	sqlite3_finalize(s);
	if (rc != SQLITE_DONE)
		return fail(a, "blocks");
	s = prepare(a, "SELECT COALESCE(MAX(n),0) FROM generations");
	if (s && sqlite3_step(s) == SQLITE_ROW)
		a->generation = sqlite3_column_int64(s, 0);
	sqlite3_finalize(s);
	return 0;
}
