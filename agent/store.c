// SPDX-License-Identifier: GPL-2.0
/*
 * What must survive: blocks, lists, generations, and the numbers that names have in
 * the data plane's tables. SQLite with a write-ahead log, fully synced before
 * success is reported, so that a crash at any moment leaves the old or the new
 * generation and nothing between.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>
#include "duration.h"
#include "store_priv.h"

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
	" uid INTEGER, class_id INTEGER);"
	"CREATE TABLE IF NOT EXISTS lists(name TEXT PRIMARY KEY,"
	" class_id INTEGER, at_ns INTEGER, generation INTEGER, uid INTEGER,"
	" why TEXT, doubles INTEGER, n4 INTEGER, n6 INTEGER, crc INTEGER,"
	" prefixes BLOB);";

int store_fail(struct agent *a, const char *what)
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
		return store_fail(a, path);
	sqlite3_busy_timeout(a->store->db, 2000);
	if (sqlite3_exec(a->store->db, schema, NULL, NULL, NULL) != SQLITE_OK)
		return store_fail(a, path);
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

sqlite3_stmt *store_prepare(struct agent *a, const char *sql)
{
	sqlite3_stmt *s = NULL;

	if (sqlite3_prepare_v2(a->store->db, sql, -1, &s, NULL) != SQLITE_OK)
		store_fail(a, "prepare");
	return s;
}

int store_run(struct agent *a, const char *sql)
{
	return sqlite3_exec(a->store->db, sql, NULL, NULL, NULL) == SQLITE_OK ?
	       0 : store_fail(a, sql);
}

static int known_id(struct agent *a, const char *kind, const char *name)
{
	sqlite3_stmt *s = store_prepare(a, "SELECT id FROM ids WHERE kind=? AND "
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
	sqlite3_stmt *s = store_prepare(a, "SELECT id FROM ids WHERE kind=?");
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
	s = store_prepare(a, "DELETE FROM ids WHERE kind=? AND id=?");
	sqlite3_bind_text(s, 1, kind, -1, SQLITE_STATIC);
	sqlite3_bind_int(s, 2, id);
	sqlite3_step(s);
	sqlite3_finalize(s);
	s = store_prepare(a, "INSERT OR REPLACE INTO ids VALUES(?,?,?)");
	sqlite3_bind_text(s, 1, kind, -1, SQLITE_STATIC);
	sqlite3_bind_text(s, 2, name, -1, SQLITE_STATIC);
	sqlite3_bind_int(s, 3, id);
	rc = sqlite3_step(s);
	sqlite3_finalize(s);
	return rc == SQLITE_DONE ? id : store_fail(a, "ids");
}

static int put_generation(struct agent *a, const struct caller *who,
			  const char *what, const char *why)
{
	sqlite3_stmt *s = store_prepare(a, "INSERT INTO generations(at_ns,uid,pid,"
				  "what,why) VALUES(?,?,?,?,?)");
	int rc;

	sqlite3_bind_int64(s, 1, sl_now_ns());
	sqlite3_bind_int64(s, 2, who->uid);
	sqlite3_bind_int64(s, 3, who->pid);
	sqlite3_bind_text(s, 4, what, -1, SQLITE_STATIC);
	sqlite3_bind_text(s, 5, why, -1, SQLITE_STATIC);
	rc = sqlite3_step(s);
	sqlite3_finalize(s);
	return rc == SQLITE_DONE ? 0 : store_fail(a, "generation");
}

int store_begin(struct agent *a, const struct caller *who, const char *what,
		const char *why)
{
	int rc = store_run(a, "BEGIN IMMEDIATE");

	return rc ? rc : put_generation(a, who, what, why);
}

int store_end(struct agent *a, int rc)
{
	if (!rc)
		rc = store_run(a, "COMMIT");
	if (rc)
		sqlite3_exec(a->store->db, "ROLLBACK", NULL, NULL, NULL);
	else
		a->generation++;
	return rc;
}

/* Run a statement that gives no rows, and forget it. */
int store_step(struct agent *a, sqlite3_stmt *s, const char *what)
{
	int rc = s ? sqlite3_step(s) : SQLITE_ERROR;

	sqlite3_finalize(s);
	return rc == SQLITE_DONE ? 0 : store_fail(a, what);
}

int store_put_block(struct agent *a, struct block *b)
{
	sqlite3_stmt *s = store_prepare(a, "INSERT OR REPLACE INTO blocks VALUES("
				  "?,?,?,?,?,?,?,?)");
	char text[SL_PREFIX_STR_B];

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
	if (store_step(a, s, "block"))
		return -1;
	b->id = sqlite3_last_insert_rowid(a->store->db);
	return 0;
}

int store_drop_block(struct agent *a, const struct sl_prefix *p)
{
	sqlite3_stmt *s = store_prepare(a, "DELETE FROM blocks WHERE prefix=?");
	char text[SL_PREFIX_STR_B];

	sqlite3_bind_text(s, 1, sl_prefix_str(p, text), -1, SQLITE_STATIC);
	return store_step(a, s, "block");
}

#define PACKED4_B 5		/* a prefix as stored: address, length */
#define PACKED6_B 17

/* A set as bytes; NULL: no memory. */
static uint8_t *pack(const struct sl_pset *set, size_t *len_b)
{
	size_t i;
	uint8_t *out, *at;

	*len_b = set->n4 * PACKED4_B + set->n6 * PACKED6_B;
	at = out = malloc(*len_b + 1);
	for (i = 0; out && i < set->n4; i++, at += PACKED4_B)
		memcpy(at, &set->v4[i], PACKED4_B);
	for (i = 0; out && i < set->n6; i++, at += PACKED6_B) {
		memcpy(at, &set->v6[i].hi, 8);
		memcpy(at + 8, &set->v6[i].lo, 8);
		at[16] = set->v6[i].len;
	}
	return out;
}

static int unpack(struct sl_pset *set, const uint8_t *at, size_t n4, size_t n6)
{
	size_t i;

	set->v4 = calloc(n4 + 1, sizeof(*set->v4));
	set->v6 = calloc(n6 + 1, sizeof(*set->v6));
	if (!set->v4 || !set->v6)
		return -1;
	for (i = 0; i < n4; i++, at += PACKED4_B)
		memcpy(&set->v4[i], at, PACKED4_B);
	for (i = 0; i < n6; i++, at += PACKED6_B) {
		memcpy(&set->v6[i].hi, at, 8);
		memcpy(&set->v6[i].lo, at + 8, 8);
		set->v6[i].len = at[16];
	}
	set->n4 = n4;
	set->n6 = n6;
	return 0;
}

int store_put_list(struct agent *a, const struct list *l)
{
	sqlite3_stmt *s = store_prepare(a, "INSERT OR REPLACE INTO lists VALUES("
				  "?,?,?,?,?,?,?,?,?,?,?)");
	size_t len_b;
	uint8_t *bytes = pack(&l->set, &len_b);
	int rc;

	if (!bytes) {
		sqlite3_finalize(s);
		return -1;
	}
	sqlite3_bind_text(s, 1, l->name, -1, SQLITE_STATIC);
	sqlite3_bind_int64(s, 2, l->class_id);
	sqlite3_bind_int64(s, 3, l->at_ns);
	sqlite3_bind_int64(s, 4, l->generation);
	sqlite3_bind_int64(s, 5, l->uid);
	sqlite3_bind_text(s, 6, l->why, -1, SQLITE_STATIC);
	sqlite3_bind_int64(s, 7, l->doubles);
	sqlite3_bind_int64(s, 8, l->set.n4);
	sqlite3_bind_int64(s, 9, l->set.n6);
	sqlite3_bind_int64(s, 10, crc32_z(0, bytes, len_b));
	sqlite3_bind_blob64(s, 11, bytes, len_b, SQLITE_STATIC);
	rc = store_step(a, s, "list");
	free(bytes);
	return rc;
}

int store_drop_list(struct agent *a, const char *name)
{
	sqlite3_stmt *s = store_prepare(a, "DELETE FROM lists WHERE name=?");

	sqlite3_bind_text(s, 1, name, -1, SQLITE_STATIC);
	return store_step(a, s, "list");
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

static int load_list(struct agent *a, sqlite3_stmt *s)
{
	size_t n4 = sqlite3_column_int64(s, 7), n6 = sqlite3_column_int64(s, 8);
	const uint8_t *bytes = sqlite3_column_blob(s, 10);
	size_t len_b = sqlite3_column_bytes(s, 10);
	struct list *l = calloc(1, sizeof(*l)), **grown;

	grown = realloc(a->lists.l, (a->lists.n + 1) * sizeof(*grown));
	if (!l || !grown)
		return -1;
	a->lists.l = grown;
	snprintf(l->name, sizeof(l->name), "%s",
		 (const char *)sqlite3_column_text(s, 0));
	if (len_b != n4 * PACKED4_B + n6 * PACKED6_B ||
	    crc32_z(0, bytes, len_b) != (uLong)sqlite3_column_int64(s, 9)) {
		say(LOG_ERR, "store: list %s is damaged and left out; push it "
		    "again", l->name);
		free(l);
		return 0;
	}
	l->class_id = sqlite3_column_int64(s, 1);
	l->at_ns = sqlite3_column_int64(s, 2);
	l->generation = sqlite3_column_int64(s, 3);
	l->uid = sqlite3_column_int64(s, 4);
	snprintf(l->why, sizeof(l->why), "%s",
		 (const char *)sqlite3_column_text(s, 5));
	l->doubles = sqlite3_column_int64(s, 6);
	grown[a->lists.n++] = l;
	return unpack(&l->set, bytes, n4, n6);
}

/* Every row of a query through a function. */
static int load_all(struct agent *a, const char *sql,
		    int (*one)(struct agent *, sqlite3_stmt *))
{
	sqlite3_stmt *s = store_prepare(a, sql);
	int rc;

	if (!s)
		return -1;
	while ((rc = sqlite3_step(s)) == SQLITE_ROW)
		if (one(a, s))
			break;
	sqlite3_finalize(s);
	return rc == SQLITE_DONE ? 0 : store_fail(a, sql);
}

static int load_generation(struct agent *a, sqlite3_stmt *s)
{
	a->generation = sqlite3_column_int64(s, 0);
	return 0;
}

int store_load(struct agent *a)
{
	if (load_all(a, "SELECT * FROM blocks ORDER BY id", load_block) ||
	    load_all(a, "SELECT * FROM lists ORDER BY name", load_list))
		return -1;
	return load_all(a, "SELECT COALESCE(MAX(n),0) FROM generations",
			load_generation);
}
