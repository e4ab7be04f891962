// SPDX-License-Identifier: GPL-2.0
/*
 * A damaged database: set aside, and a new one made of what can be read of it.
 * Rows are read from both ends of each table up to the damage; of the audit
 * what follows from its start. What is lost is said aloud: the data plane
 * enforces it until the tables are built anew.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "store_priv.h"

static const char *const tables[] = { "ids", "generations", "blocks", "lists",
	"rules", "slots", "blobs", NULL };

static bool is_damage(sqlite3 *db)
{
	int code = sqlite3_errcode(db) & 0xff;

	return code == SQLITE_CORRUPT || code == SQLITE_NOTADB;
}

static bool is_whole(struct agent *a, const char *table)
{
	sqlite3 *db = a->store->db;
	sqlite3_stmt *s = NULL;
	const char *said;
	bool whole = true;
	char sql[64];

	snprintf(sql, sizeof(sql), "PRAGMA quick_check('%s')", table);
	if (sqlite3_prepare_v2(db, sql, -1, &s, NULL) != SQLITE_OK ||
	    sqlite3_step(s) != SQLITE_ROW) {
		whole = !is_damage(db);
	} else {
		said = (const char *)sqlite3_column_text(s, 0);
		whole = said && !strcmp(said, "ok");
	}
	sqlite3_finalize(s);
	return whole;
}

/* Every table but the blobs, which are large and have sums of their own. A disk
 * that cannot be read is not a damaged database. */
bool store_is_whole(struct agent *a)
{
	sqlite3 *db = a->store->db;
	sqlite3_stmt *s = NULL;
	bool whole = true;

	if (sqlite3_prepare_v2(db, "SELECT name FROM sqlite_master WHERE "
			       "type='table' AND name<>'blobs'", -1, &s,
			       NULL) != SQLITE_OK)
		return !is_damage(db);
	while (whole && sqlite3_step(s) == SQLITE_ROW)
		whole = is_whole(a, (const char *)sqlite3_column_text(s, 0));
	if (whole)
		whole = !is_damage(db);
	sqlite3_finalize(s);
	return whole;
}

/* The row at hand of `from` into a table; what is there already stays. */
static bool copy_row(struct agent *a, sqlite3_stmt *from, const char *table)
{
	int i, n = sqlite3_column_count(from);
	sqlite3_stmt *s = NULL;
	char sql[160];
	size_t at;
	bool done;

	at = snprintf(sql, sizeof(sql), "INSERT OR IGNORE INTO %s VALUES(?",
		      table);
	for (i = 1; i < n; i++)
		at += snprintf(sql + at, sizeof(sql) - at, ",?");
	snprintf(sql + at, sizeof(sql) - at, ")");
	if (sqlite3_prepare_v2(a->store->db, sql, -1, &s, NULL) != SQLITE_OK)
		return false;
	for (i = 0; i < n; i++)
		sqlite3_bind_value(s, i + 1, sqlite3_column_value(from, i));
	done = sqlite3_step(s) == SQLITE_DONE;
	sqlite3_finalize(s);
	return done;
}

/* Rows from one end up to the damage. True: there was none. */
static bool copy_from_end(struct agent *a, sqlite3 *bad, const char *table,
			  const char *order)
{
	sqlite3_stmt *s = NULL;
	char sql[96];
	int rc;

	snprintf(sql, sizeof(sql), "SELECT * FROM %s ORDER BY rowid %s", table,
		 order);
	rc = sqlite3_prepare_v2(bad, sql, -1, &s, NULL);
	while (rc == SQLITE_OK || rc == SQLITE_ROW) {
		rc = sqlite3_step(s);
		if (rc == SQLITE_ROW && !copy_row(a, s, table))
			rc = SQLITE_ERROR;
	}
	sqlite3_finalize(s);
	return rc == SQLITE_DONE;
}

/* The audit as far as its chain holds. */
static int64_t copy_audit(struct agent *a, sqlite3 *bad)
{
	struct sl_audit_head head = {};
	struct sl_audit_entry e;
	sqlite3_stmt *s = NULL;
	const char *why;

	if (sqlite3_prepare_v2(bad, "SELECT * FROM audit ORDER BY n", -1, &s,
			       NULL) != SQLITE_OK)
		return 0;
	while (sqlite3_step(s) == SQLITE_ROW) {
		e = audit_entry(s);
		if (sl_audit_follow(&head, &e, &why) ||
		    !copy_row(a, s, "audit"))
			break;
	}
	sqlite3_finalize(s);
	return head.n;
}

/* The file and its log beside each other; the wal-index is made anew. */
static int set_aside(const char *path, char *aside, size_t len)
{
	static const char *const end[] = { "", "-wal" };
	char from[528], to[528];
	unsigned int i;

	snprintf(aside, len, "%s.damaged", path);
	for (i = 0; i < 2; i++) {
		snprintf(from, sizeof(from), "%s%s", path, end[i]);
		snprintf(to, sizeof(to), "%s%s", aside, end[i]);
		if (rename(from, to) && errno != ENOENT)
			return -errno;
	}
	snprintf(from, sizeof(from), "%s-shm", path);
	unlink(from);
	return 0;
}

static void copy_all(struct agent *a, const char *aside)
{
	const char *const *t;
	sqlite3 *bad = NULL;
	int64_t audited;

	if (sqlite3_open(aside, &bad) == SQLITE_OK) {
		store_run(a, "BEGIN IMMEDIATE; DELETE FROM kept");
		for (t = tables; *t; t++)
			if (!copy_from_end(a, bad, *t, "ASC") &&
			    !copy_from_end(a, bad, *t, "DESC"))
				event(a, LOG_ERR, "disk", NULL, "store: %s: "
				      "not all of it can be read", *t);
		audited = copy_audit(a, bad);
		/* what is only half there cannot be gone back to */
		store_run(a, "INSERT INTO kept SELECT 1, COALESCE(MAX(n),0) "
			  "FROM generations; COMMIT");
		event(a, LOG_ERR, "disk", NULL, "store: made anew of what can "
		      "be read; %lld audit entries follow from each other",
		      (long long)audited);
	}
	sqlite3_close(bad);
}

int store_rescue(struct agent *a, const char *path)
{
	char aside[512];
	int rc;

	sqlite3_close(a->store->db);
	a->store->db = NULL;
	rc = set_aside(path, aside, sizeof(aside));
	if (rc) {
		event(a, LOG_ERR, "disk", NULL, "store: %s is damaged, and "
		      "cannot be set aside: %s", path, strerror(-rc));
		return -1;
	}
	event(a, LOG_CRIT, "disk", NULL, "store: %s is damaged; it is kept as "
	      "%s", path, aside);
	if (store_open_new(a, path))
		return -1;
	copy_all(a, aside);
	return 0;
}
