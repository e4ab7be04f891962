// SPDX-License-Identifier: GPL-2.0
/*
 * The last events over a restart: a small database of their own, so that they
 * never keep a commit waiting and a flood of them cannot fill the store of the
 * rules. Written once the answer is on its way, and not synced: a crash of the
 * agent loses none that was told to anybody, a power cut some, and what they
 * tell of is in the store and in the log.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "events_priv.h"

static const char schema[] =
	"PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"
	"CREATE TABLE IF NOT EXISTS events(n INTEGER PRIMARY KEY, at_ns "
	"INTEGER, severity INTEGER, kind TEXT, message TEXT, detail TEXT);";

/* Said once, until it works again: each failing write would be an event. */
static int fail(struct agent *a, const char *what)
{
	struct events *e = a->events;

	e->disk_waits = true;
	if (e->disk_fails)
		return -1;
	e->disk_fails = true;
	event(a, LOG_ERR, "disk", NULL, "events are kept in memory only: %s: "
	      "%s", what, e->db ? sqlite3_errmsg(e->db) : "out of memory");
	return -1;
}

static const char *column(sqlite3_stmt *s, int i)
{
	const unsigned char *text = sqlite3_column_text(s, i);

	return text ? (const char *)text : "";
}

static int load(struct agent *a)
{
	struct event one;
	sqlite3_stmt *s;
	int rc;

	rc = sqlite3_prepare_v2(a->events->db, "SELECT * FROM events ORDER BY "
				"n DESC LIMIT ?", -1, &s, NULL);
	if (rc != SQLITE_OK)
		return -1;
	sqlite3_bind_int(s, 1, EVENTS_KEPT);
	while ((rc = sqlite3_step(s)) == SQLITE_ROW) {
		one = (struct event){ .n = sqlite3_column_int64(s, 0),
				      .at_ns = sqlite3_column_int64(s, 1),
				      .severity = sqlite3_column_int(s, 2),
				      .message = strdup(column(s, 4)),
				      .detail = json_tokener_parse(
						column(s, 5)) };
		snprintf(one.kind, sizeof(one.kind), "%s", column(s, 3));
		if (one.n > 0 && one.n > a->events->last - EVENTS_KEPT &&
		    one.message) {
			events_keep(a->events, &one);
		} else {
			free(one.message);
			json_object_put(one.detail);
		}
	}
	sqlite3_finalize(s);
	a->events->on_disk = a->events->last;
	return rc == SQLITE_DONE ? 0 : -1;
}

static int open_and_load(struct agent *a, const char *path)
{
	sqlite3 *db = NULL;

	if (sqlite3_open(path, &db) == SQLITE_OK) {
		a->events->db = db;
		if (sqlite3_exec(db, schema, NULL, NULL, NULL) == SQLITE_OK &&
		    !load(a))
			return 0;
	}
	a->events->db = NULL;
	sqlite3_close(db);
	return -1;
}

/* What cannot be read is of no use to anybody. */
static void remove_db(const char *path)
{
	static const char *const end[] = { "", "-wal", "-shm" };
	char name[320];
	unsigned int i;

	for (i = 0; i < 3; i++) {
		snprintf(name, sizeof(name), "%s%s", path, end[i]);
		unlink(name);
	}
}

int events_disk_open(struct agent *a)
{
	char path[sizeof(a->cfg->state_dir) + 16];

	snprintf(path, sizeof(path), "%s/events.db", a->cfg->state_dir);
	if (!open_and_load(a, path))
		return 0;
	remove_db(path);
	if (open_and_load(a, path))
		fail(a, path);
	else
		event(a, LOG_ERR, "disk", NULL, "%s could not be read: the "
		      "events before this start are lost", path);
	return 0;		/* the agent does its work without them */
}

void events_disk_close(struct agent *a)
{
	sqlite3_close(a->events->db);
	a->events->db = NULL;
}

static int put(struct agent *a, sqlite3_stmt *s, const struct event *e)
{
	const char *detail = e->detail ?
		json_object_to_json_string(e->detail) : "null";

	sqlite3_bind_int64(s, 1, e->n);
	sqlite3_bind_int64(s, 2, e->at_ns);
	sqlite3_bind_int(s, 3, e->severity);
	sqlite3_bind_text(s, 4, e->kind, -1, SQLITE_STATIC);
	sqlite3_bind_text(s, 5, e->message, -1, SQLITE_STATIC);
	sqlite3_bind_text(s, 6, detail, -1, SQLITE_STATIC);
	if (sqlite3_step(s) != SQLITE_DONE)
		return fail(a, "events.db");
	sqlite3_reset(s);
	return 0;
}

static int put_new(struct agent *a, int64_t upto)
{
	struct events *e = a->events;
	int64_t n = upto - EVENTS_KEPT + 1;
	sqlite3_stmt *s;
	int rc = 0;

	if (sqlite3_prepare_v2(e->db, "INSERT OR REPLACE INTO events VALUES("
			       "?,?,?,?,?,?)", -1, &s, NULL) != SQLITE_OK)
		return fail(a, "events.db");
	for (n = n > e->on_disk ? n : e->on_disk + 1; n <= upto && !rc; n++)
		if (events_at(e, n))
			rc = put(a, s, events_at(e, n));
	sqlite3_finalize(s);
	return rc;
}

void events_disk_write(struct agent *a)
{
	struct events *e = a->events;
	int64_t upto = e->last;
	char drop[96];
	int rc;

	if (!e->db || upto == e->on_disk)
		return;
	snprintf(drop, sizeof(drop), "DELETE FROM events WHERE n<=%lld;COMMIT",
		 (long long)upto - EVENTS_KEPT);
	if (sqlite3_exec(e->db, "BEGIN", NULL, NULL, NULL) != SQLITE_OK) {
		fail(a, "events.db");
		return;
	}
	rc = put_new(a, upto);
	if (!rc && sqlite3_exec(e->db, drop, NULL, NULL, NULL) != SQLITE_OK)
		rc = fail(a, "events.db");
	if (rc) {
		sqlite3_exec(e->db, "ROLLBACK", NULL, NULL, NULL);
		return;
	}
	e->on_disk = upto;
	e->disk_fails = false;
}
