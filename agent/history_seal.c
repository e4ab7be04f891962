// SPDX-License-Identifier: GPL-2.0
/*
 * A block of young steps that is whole becomes one row per series, its steps side
 * by side. Steps that came later (a clock that was set back) join what is sealed.
 */
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include "history_priv.h"

#define PACK_LEVEL	6

/* One series' steps on their way from rows to a chunk. */
struct sealing {
	struct history *h;
	unsigned int level;
	uint32_t block;
	struct rows rows;		/* in order of time */
	struct amount now, next;	/* joined so far; of a sealed chunk */
	bool have;			/* `now` holds the step `at` */
	uint32_t at;			/* within the block */
	struct sl_chunk chunk;
	struct sl_columns columns;
	struct sl_bytes raw, packed, former;
};

static int read_rows(struct sealing *g)
{
	uint32_t from = g->block * block_ticks[g->level];
	sqlite3_stmt *s = db_statement(g->h, ST_YOUNG_RANGE);
	struct row *r;
	int rc;

	sqlite3_bind_int64(s, 1, YOUNG_ID(g->level, from, 0));
	sqlite3_bind_int64(s, 2, YOUNG_ID(g->level, from +
					  block_ticks[g->level], 0) - 1);
	while ((rc = sqlite3_step(s)) == SQLITE_ROW) {
		r = rows_new(&g->rows);
		if (!r) {
			rc = SQLITE_NOMEM;
			break;
		}
		if (row_open(r, sqlite3_column_blob(s, 0 + 1),
			     sqlite3_column_bytes(s, 1),
			     sqlite3_column_int64(s, 0)))
			g->h->bad_rows++;
	}
	sqlite3_reset(s);
	return rc == SQLITE_DONE ? 0 : rc;
}

static void flush(struct sealing *g, uint32_t sid)
{
	if (!g->have)
		return;
	if (is_traffic(sid))
		sl_columns_put(&g->columns, g->at, (uint64_t *)&g->now.ctr);
	else
		sl_chunk_put(&g->chunk, g->at, &g->now.hist);
	g->have = false;
}

/* Make `now` the step `at`: what is another one is put. */
static void turn_to(struct sealing *g, uint32_t sid, uint32_t at)
{
	if (g->have && g->at == at)
		return;
	flush(g, sid);
	amount_clear(&g->now, sid);
	g->have = true;
	g->at = at;
}

static void take_former(struct sealing *g, uint32_t sid, uint32_t at)
{
	const uint64_t *v = (const uint64_t *)&g->next.ctr;
	uint64_t *sum = (uint64_t *)&g->now.ctr;
	unsigned int i;

	turn_to(g, sid, at);
	if (!is_traffic(sid)) {
		sl_hist_add(&g->now.hist, &g->next.hist);
		return;
	}
	for (i = 0; i < SL_COLUMNS; i++)
		sum[i] += v[i];
}

/* The next young step of the series; rows are in order of time. */
static struct row *next_young(struct sealing *g, uint32_t sid, unsigned int *i)
{
	for (; *i < g->rows.n; ++*i)
		if (g->rows.r[*i].more && g->rows.r[*i].sid == sid)
			return &g->rows.r[*i];
	return NULL;
}

static void take_young(struct sealing *g, struct row *r)
{
	uint32_t sid = r->sid, at = (r->tick -
		g->block * block_ticks[g->level]) / step_ticks[g->level];

	turn_to(g, sid, at);
	r->more = false;
	if (amount_add(&g->now, sid, r->body) || row_next(r))
		g->h->bad_rows++;
}

/* Is there a row of this series and block already? Unpacked into `former`. */
static int read_former(struct sealing *g, int64_t id, bool *there)
{
	sqlite3_stmt *s = db_statement(g->h, ST_SEALED_GET);
	int rc;

	sqlite3_bind_int64(s, 1, id);
	rc = sqlite3_step(s);
	*there = rc == SQLITE_ROW;
	if (*there && sl_unpack(sqlite3_column_blob(s, 0),
				sqlite3_column_bytes(s, 0),
				(uint64_t)id | SEALED_SALT, &g->former)) {
		g->h->bad_rows++;
		*there = false;
	}
	sqlite3_reset(s);
	return rc == SQLITE_ROW || rc == SQLITE_DONE ? 0 : rc;
}

struct former {
	struct sl_chunk_reader chunk;
	struct sl_columns_reader columns;
	uint32_t at;
	bool more;
};

static void former_next(struct sealing *g, uint32_t sid, struct former *f)
{
	f->more = (is_traffic(sid) ?
		   sl_columns_next(&f->columns, &f->at,
				   (uint64_t *)&g->next.ctr) :
		   sl_chunk_next(&f->chunk, &f->at, &g->next.hist)) > 0;
}

static void join(struct sealing *g, uint32_t sid, bool there)
{
	struct former f = {};
	struct row *r;
	unsigned int i = 0;
	uint32_t from = g->block * block_ticks[g->level];

	if (there && !(is_traffic(sid) ?
		       sl_columns_open(&f.columns, g->former.b, g->former.n) :
		       sl_chunk_open(&f.chunk, g->former.b, g->former.n)))
		former_next(g, sid, &f);
	while ((r = next_young(g, sid, &i)) || f.more) {
		if (r && (!f.more || (r->tick - from) / step_ticks[g->level] <=
			  f.at)) {
			take_young(g, r);
			continue;
		}
		take_former(g, sid, f.at);
		former_next(g, sid, &f);
	}
	flush(g, sid);
}

static int put(struct sealing *g, uint32_t sid, int64_t id)
{
	sqlite3_stmt *s = db_statement(g->h, ST_SEALED_PUT);

	g->raw.n = g->packed.n = 0;
	if ((is_traffic(sid) ? sl_columns_end(&g->columns, &g->raw) :
	     sl_chunk_end(&g->chunk, &g->raw)) ||
	    sl_pack(g->raw.b, g->raw.n, PACK_LEVEL,
		    (uint64_t)id | SEALED_SALT, &g->packed))
		return SQLITE_NOMEM;
	sqlite3_bind_int64(s, 1, id);
	sqlite3_bind_blob64(s, 2, g->packed.b, g->packed.n, SQLITE_STATIC);
	return db_step(s);
}

static int seal_series(struct sealing *g, uint32_t sid)
{
	int64_t id = SEALED_ID(g->level, g->block, sid);
	sqlite3_stmt *s;
	bool there;
	int rc = read_former(g, id, &there);

	if (rc)
		return rc;
	join(g, sid, there);
	rc = put(g, sid, id);
	if (rc || g->level != LEVELS - 1)
		return rc;
	s = db_statement(g->h, ST_SERIES_SEEN);
	sqlite3_bind_int64(s, 1, (int64_t)(g->block + 1) *
			   block_ticks[g->level] * TICK_S);
	sqlite3_bind_int64(s, 2, sid);
	return db_step(s);
}

static int drop_young(struct sealing *g)
{
	uint32_t from = g->block * block_ticks[g->level];
	sqlite3_stmt *s = db_statement(g->h, ST_YOUNG_DROP);

	sqlite3_bind_int64(s, 1, YOUNG_ID(g->level, from, 0));
	sqlite3_bind_int64(s, 2, YOUNG_ID(g->level, from +
					  block_ticks[g->level], 0) - 1);
	return db_step(s);
}

static int seal_block(struct history *h, unsigned int level, uint32_t block)
{
	struct sealing *g = calloc(1, sizeof(*g));
	uint32_t sid;
	int rc;

	if (!g)
		return SQLITE_NOMEM;
	g->h = h;
	g->level = level;
	g->block = block;
	rc = db_run(h->db, "BEGIN IMMEDIATE");
	if (!rc)
		rc = read_rows(g);
	while (!rc && (sid = rows_lowest(&g->rows)) != UINT32_MAX)
		rc = seal_series(g, sid);
	if (!rc)
		rc = drop_young(g);
	if (!rc)
		rc = db_run(h->db, "COMMIT");
	if (rc)
		sqlite3_exec(h->db, "ROLLBACK", NULL, NULL, NULL);
	rows_free(&g->rows);
	sl_chunk_free(&g->chunk);
	sl_columns_free(&g->columns);
	sl_bytes_free(&g->raw);
	sl_bytes_free(&g->packed);
	sl_bytes_free(&g->former);
	free(g);
	malloc_trim(0);		/* an hour of rows was in memory */
	return rc;
}

/* The first block with young steps that is whole: *block, or false. Blocks whose
 * steps are not all in the next level wait. */
static bool next_block(struct history *h, unsigned int level, uint32_t *block)
{
	char sql[160];
	int64_t id, fresh;

	snprintf(sql, sizeof(sql), "SELECT id FROM young WHERE id BETWEEN "
		 "%lld AND %lld ORDER BY id LIMIT 1",
		 (long long)YOUNG_ID(level, 0, 0),
		 (long long)YOUNG_ID(level + 1, 0, 0) - 1);
	id = db_number(h->db, sql, -1);
	if (id < 0)
		return false;
	*block = YOUNG_TICK(id) / block_ticks[level];
	if (*block >= h->newest / block_ticks[level])
		return false;
	snprintf(sql, sizeof(sql), "SELECT COUNT(*) FROM fresh WHERE id "
		 "BETWEEN %lld AND %lld", (long long)id,
		 (long long)YOUNG_ID(level, (*block + 1) * block_ticks[level],
				     0) - 1);
	fresh = db_number(h->db, sql, 1);
	return !fresh;
}

/* The bytes of a block's rows: about what sealing it writes. */
static uint64_t young_b(struct history *h, unsigned int level, uint32_t block)
{
	char sql[160];

	snprintf(sql, sizeof(sql), "SELECT SUM(LENGTH(bytes)) FROM young WHERE "
		 "id BETWEEN %lld AND %lld",
		 (long long)YOUNG_ID(level, block * block_ticks[level], 0),
		 (long long)YOUNG_ID(level, (block + 1) * block_ticks[level],
				     0) - 1);
	return db_number(h->db, sql, 0);
}

int seal_due(struct history *h)
{
	unsigned int level;
	uint32_t block;
	int rc = 0;

	for (level = 0; level < LEVELS && !rc; level++)
		while (!rc && next_block(h, level, &block)) {
			rc = keep_room(h, young_b(h, level, block));
			if (!rc)
				rc = seal_block(h, level, block);
		}
	return rc;
}
