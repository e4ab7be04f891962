/* SPDX-License-Identifier: GPL-2.0 */
/* What the store's files share: the database, and statements in few words. */
#ifndef SL_STORE_PRIV_H
#define SL_STORE_PRIV_H

#include <sqlite3.h>
#include "agent.h"

struct store {
	sqlite3 *db;
};

int store_fail(struct agent *a, const char *what);	/* says it; -1 */
sqlite3_stmt *store_prepare(struct agent *a, const char *sql);
/* Run a statement that gives no rows, and forget it. */
int store_step(struct agent *a, sqlite3_stmt *s, const char *what);
int store_run(struct agent *a, const char *sql);

#endif
