// SPDX-License-Identifier: GPL-2.0
/*
 * Forgetting: the state of the last operators' generations is kept, and of
 * former lists only so many bytes. In small steps, once a second, so that no
 * push waits for long.
 */
#include <stdio.h>
#include "store_priv.h"

#define KEPT_GENERATIONS	100	/* of operators: an expiry is none */
#define KEPT_LOG		10000	/* lines of the log of generations */
#define KEPT_DEAD_B		(256LL << 20)	/* of former lists */
#define STEP_PARTS		4	/* of blobs in one step */
#define STEP_ROWS		256
#define CHECKPOINT_PAGES	1000

/* The generation that the n-th newest operator's commit made. */
static int64_t nth_newest(struct agent *a, int n)
{
	char sql[160];

	snprintf(sql, sizeof(sql), "SELECT n FROM generations WHERE "
		 "what<>'expiry' ORDER BY n DESC LIMIT 1 OFFSET %d", n - 1);
	return store_number(a, sql, 0);
}

/* From which generation on the dead lists are small enough. */
static int64_t small_enough(struct agent *a)
{
	char sql[240];

	snprintf(sql, sizeof(sql), "SELECT MAX(died) FROM (SELECT died, "
		 "SUM(%d * n4 + %d * n6) OVER (ORDER BY died DESC, row DESC) "
		 "AS bytes FROM lists WHERE died IS NOT NULL) WHERE bytes > "
		 "%lld", PACKED4_B, PACKED6_B, KEPT_DEAD_B);
	return store_number(a, sql, 0);
}

static int set_kept_from(struct agent *a, int64_t from)
{
	char sql[256];

	snprintf(sql, sizeof(sql), "UPDATE kept SET from_n=%lld;"
		 "DELETE FROM generations WHERE n IN (SELECT n FROM "
		 "generations WHERE n < %lld ORDER BY n DESC LIMIT -1 OFFSET "
		 "%d)", (long long)from, (long long)from, KEPT_LOG);
	if (store_run(a, sql))
		return -1;
	a->store->kept_from = from;
	return 0;
}

/* What ended before the oldest kept generation; and parts of blobs that
 * nothing refers to any more. */
static int forget(struct agent *a, int64_t from)
{
	char sql[640];

	snprintf(sql, sizeof(sql),
		 "DELETE FROM blocks WHERE row IN (SELECT row FROM blocks "
		 "WHERE died IS NOT NULL AND died <= %lld LIMIT %d);"
		 "DELETE FROM lists WHERE died <= %lld;"
		 "DELETE FROM rules WHERE died <= %lld;"
		 "DELETE FROM blobs WHERE rowid IN (SELECT rowid FROM blobs "
		 "WHERE id NOT IN (SELECT blob FROM lists) AND "
		 "id NOT IN (SELECT blob FROM rules) LIMIT %d)",
		 (long long)from, STEP_ROWS, (long long)from, (long long)from,
		 STEP_PARTS);
	return store_run(a, sql);
}

static bool has_garbage(struct agent *a, int64_t from)
{
	char sql[400];

	snprintf(sql, sizeof(sql), "SELECT EXISTS(SELECT 1 FROM blocks WHERE "
		 "died IS NOT NULL AND died <= %lld) OR EXISTS(SELECT 1 FROM "
		 "lists WHERE died <= %lld) OR EXISTS(SELECT 1 FROM rules "
		 "WHERE died <= %lld) OR EXISTS(SELECT 1 FROM blobs WHERE id "
		 "NOT IN (SELECT blob FROM lists) AND id NOT IN (SELECT blob "
		 "FROM rules))", (long long)from, (long long)from,
		 (long long)from);
	return store_number(a, sql, 0);
}

static void prune(struct agent *a)
{
	static int64_t tidied = -1;
	int64_t by_count, from;
	int rc = 0;

	/* a pending commit may need what its parent had, a rollback what it
	 * has found */
	if (a->pending->generation || jobs_busy(a) ||
	    tidied == a->generation)
		return;
	by_count = nth_newest(a, KEPT_GENERATIONS);
	from = small_enough(a);
	if (from < by_count)
		from = by_count;
	if (from < a->store->kept_from)
		from = a->store->kept_from;
	if (from > a->store->kept_from || has_garbage(a, from)) {
		rc = store_begin(a, NULL);
		if (!rc && from > a->store->kept_from)
			rc = set_kept_from(a, from);
		if (!rc)
			rc = forget(a, from);
		store_end(a, rc);
	} else {
		tidied = a->generation;
	}
}

static void checkpoint(struct agent *a)
{
	if (a->store->wal_pages >= CHECKPOINT_PAGES) {
		sqlite3_wal_checkpoint_v2(a->store->db, NULL,
					  SQLITE_CHECKPOINT_PASSIVE, NULL,
					  NULL);
		a->store->wal_pages = 0;
	}
}

void store_tidy(struct agent *a)
{
	prune(a);
	checkpoint(a);
}
