/* SPDX-License-Identifier: GPL-2.0 */
/* What the store's files share: the database, and statements in few words. */
#ifndef SL_STORE_PRIV_H
#define SL_STORE_PRIV_H

#include <sqlite3.h>
#include "audit_chain.h"
#include "commits.h"

/* A blob is stored in parts, so that it can be forgotten in small steps. */
#define BLOB_PART_B	(256U << 10)

struct store {
	sqlite3 *db;
	/* the last audit entry; as it was before the open transaction */
	struct sl_audit_head head, head_before;
	bool open;			/* a transaction */
	bool counts;			/* ... that makes a generation */
	int64_t kept_from;
	int wal_pages;
};

int store_fail(struct agent *a, const char *what);	/* says it; -1 */
sqlite3_stmt *store_prepare(struct agent *a, const char *sql);
/* Run a statement that gives no rows, and forget it. */
int store_step(struct agent *a, sqlite3_stmt *s, const char *what);
int store_run(struct agent *a, const char *sql);
void store_bind_text(sqlite3_stmt *s, int at, const char *text);	/* NULL: "" */
void store_bind_time(sqlite3_stmt *s, int at, uint64_t ns);	/* 0: null */
void store_copy_text(sqlite3_stmt *s, int column, char *out, size_t len);
/* The first number of the first row; fallback when there is none. */
int64_t store_number(struct agent *a, const char *sql, int64_t fallback);

/* Bytes under a number of their own, and back; *out is the caller's. */
int store_put_blob(struct agent *a, const void *bytes, size_t len_b,
		   int64_t *id);
int store_get_blob(struct agent *a, int64_t id, uint8_t **out, size_t *len_b);

/* One entry of the audit, from a row of all its columns. */
struct sl_audit_entry audit_entry(sqlite3_stmt *s);

/* --- store_rescue.c --- */
bool store_is_whole(struct agent *a);
/* Set the database aside and make a new one of what can be read of it. */
int store_rescue(struct agent *a, const char *path);
int store_open_new(struct agent *a, const char *path);

#define PACKED4_B 5		/* a prefix as stored: address, length */
#define PACKED6_B 17

#endif
