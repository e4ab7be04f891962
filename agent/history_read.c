// SPDX-License-Identifier: GPL-2.0
/*
 * What history is asked. A question is answered from one snapshot: the sealed blocks and young steps of a level, and behind them what is
 * not in that level yet, from finer ones.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "history_priv.h"

struct series {
	struct history_key key;
	uint32_t sid;
};

/* One question. */
struct reading {
	struct history_reader *r;
	const struct history_ask *ask;
	struct series *series;		/* wanted, by number */
	unsigned int n, room;
	struct rows rows;		/* young, in order of time; of these */
	unsigned int level;
	uint32_t from, to;		/* ticks */
	/* the step that is being joined */
	struct amount now, next;
	bool have;
	uint32_t at, at_level;
	bool failed;			/* no memory */
	unsigned int bad_rows;
};

/* --- which level --- */
static int64_t first_id(sqlite3 *db, const char *table, int64_t from,
			int64_t to)
{
	char sql[128];

	snprintf(sql, sizeof(sql), "SELECT id FROM %s WHERE id BETWEEN %lld "
		 "AND %lld ORDER BY id LIMIT 1", table, (long long)from,
		 (long long)to);
	return db_number(db, sql, -1);
}

/* The first that a level has, from the step or block on in which `from` lies;
 * UINT32_MAX: nothing. */
static uint32_t begin_of(sqlite3 *db, unsigned int level, uint32_t from)
{
	uint32_t step = from - from % step_ticks[level];
	uint32_t block = from / block_ticks[level];
	int64_t y = first_id(db, "young", YOUNG_ID(level, step, 0),
			     YOUNG_ID(level + 1, 0, 0) - 1);
	int64_t s = first_id(db, "sealed", SEALED_ID(level, block, 0),
			     SEALED_ID(level + 1, 0, 0) - 1);
	uint32_t young = y < 0 ? UINT32_MAX : YOUNG_TICK(y);
	uint32_t sealed = s < 0 ? UINT32_MAX :
			  SEALED_BLOCK(s) * block_ticks[level];

	return young < sealed ? young : sealed;
}

/* The coarsest that is not coarser than what is wanted; coarser still where only
 * that reaches back to the beginning, or further. What ends before the beginning
 * (the agent was away since) does not count. */
static unsigned int choose_level(sqlite3 *db, uint64_t step_ns, uint32_t from)
{
	uint64_t step = step_ns / HISTORY_STEP_NS;
	uint32_t begin[LEVELS], after[LEVELS];
	unsigned int level, other, best;

	for (level = 0; level < LEVELS; level++) {
		begin[level] = begin_of(db, level, 0);
		after[level] = begin_of(db, level, from);
	}
	for (best = LEVELS - 1; best && step_ticks[best] > step; best--)
		;
	for (level = best; level < LEVELS; level++) {
		bool reaches = begin[level] <= from;

		for (other = level + 1; other < LEVELS && !reaches; other++)
			if ((uint64_t)after[other] + step_ticks[other] <
			    begin[level])
				break;
		if (reaches || other >= LEVELS)
			return level;
	}
	return LEVELS - 1;
}

/* --- which series --- */
static void want(void *arg, uint32_t sid, const struct history_key *key)
{
	struct reading *g = arg;
	const struct history_ask *ask = g->ask;
	struct series *s;
	bool wanted = is_traffic(sid) ?
		ask->traffic && (!ask->wanted_traffic ||
				 ask->wanted_traffic(ask->arg, key->lane,
						     key->path)) :
		ask->series && (!ask->wanted || ask->wanted(ask->arg, key));

	if (!wanted || g->failed)
		return;
	if (g->n == g->room) {
		g->room = g->room ? g->room * 2 : 256;
		s = realloc(g->series, g->room * sizeof(*s));
		if (!s) {
			g->failed = true;
			return;
		}
		g->series = s;
	}
	g->series[g->n++] = (struct series){ *key, sid };
}

/* --- young steps --- */
/* Only the wanted series of a row are kept. */
static void thin(struct reading *g, struct row *r)
{
	struct sl_bytes kept = {};
	uint32_t last = 0;
	unsigned int i = 0;

	while (r->more) {
		while (i < g->n && g->series[i].sid < r->sid)
			i++;
		if (i == g->n)
			break;
		if (g->series[i].sid == r->sid)
			record_put(&kept, &last, r->sid, r->body.at,
				   r->body.end - r->body.at);
		if (row_next(r))
			g->bad_rows++;
	}
	g->failed |= kept.failed;
	sl_bytes_free(&r->raw);
	r->raw = kept;
	r->cut = (struct sl_cut){ kept.b, kept.b + kept.n, false };
	r->sid = 0;
	r->more = false;
	if (kept.n && row_next(r))
		g->bad_rows++;
}

static int read_young(struct reading *g, const char *sql)
{
	sqlite3_stmt *s = NULL;
	struct row *r;
	int rc = sqlite3_prepare_v2(g->r->db, sql, -1, &s, NULL);

	while (rc == SQLITE_OK && (rc = sqlite3_step(s)) == SQLITE_ROW) {
		rc = SQLITE_OK;
		r = rows_new(&g->rows);
		if (!r) {
			rc = SQLITE_NOMEM;
			break;
		}
		if (row_open(r, sqlite3_column_blob(s, 1),
			     sqlite3_column_bytes(s, 1),
			     sqlite3_column_int64(s, 0)))
			g->bad_rows++;
		thin(g, r);
	}
	sqlite3_finalize(s);
	return rc == SQLITE_DONE ? 0 : rc;
}

static int by_time(const void *a, const void *b)
{
	const struct row *x = a, *y = b;

	if (x->tick != y->tick)
		return (x->tick > y->tick) - (x->tick < y->tick);
	if (x->level != y->level)	/* the longer one first */
		return (x->level < y->level) - (x->level > y->level);
	return (x->id > y->id) - (x->id < y->id);
}

static int read_rows(struct reading *g)
{
	unsigned int level;
	char sql[192];
	int rc;

	snprintf(sql, sizeof(sql), "SELECT id,bytes FROM young WHERE id "
		 "BETWEEN %lld AND %lld ORDER BY id",
		 (long long)YOUNG_ID(g->level, g->from, 0),
		 (long long)YOUNG_ID(g->level, g->to, 0) - 1);
	rc = read_young(g, sql);
	for (level = 0; level < g->level && !rc; level++) {
		snprintf(sql, sizeof(sql), "SELECT id,bytes FROM fresh JOIN "
			 "young USING(id) WHERE id BETWEEN %lld AND %lld ORDER "
			 "BY id", (long long)YOUNG_ID(level, g->from, 0),
			 (long long)YOUNG_ID(level, g->to, 0) - 1);
		rc = read_young(g, sql);
	}
	if (g->rows.n)
		qsort(g->rows.r, g->rows.n, sizeof(*g->rows.r), by_time);
	return rc;
}

/* --- one series --- */
static void hand_over(struct reading *g, const struct series *s)
{
	const struct history_ask *ask = g->ask;
	uint64_t from_ns = g->at * HISTORY_STEP_NS;
	uint64_t len_ns = step_ticks[g->at_level] * HISTORY_STEP_NS;

	if (!g->have)
		return;
	g->have = false;
	if (is_traffic(s->sid))
		ask->traffic(ask->arg, from_ns, len_ns, s->key.lane,
			     s->key.path, &g->now.ctr);
	else
		ask->series(ask->arg, from_ns, len_ns, &s->key, &g->now.hist);
}

static void turn_to(struct reading *g, const struct series *s, uint32_t tick,
		    uint32_t level)
{
	if (g->have && g->at == tick && g->at_level == level)
		return;
	hand_over(g, s);
	amount_clear(&g->now, s->sid);
	g->have = true;
	g->at = tick;
	g->at_level = level;
}

/* Young steps of the series before a tick. */
static void take_young(struct reading *g, const struct series *s,
		       unsigned int *i, uint64_t before)
{
	struct row *r;

	for (; *i < g->rows.n; ++*i) {
		r = &g->rows.r[*i];
		if (r->tick >= before)
			return;
		if (!r->more || r->sid != s->sid)
			continue;
		turn_to(g, s, r->tick, r->level);
		r->more = false;
		if (amount_add(&g->now, s->sid, r->body) || row_next(r))
			g->bad_rows++;
	}
}

static void take_sealed(struct reading *g, const struct series *s,
			unsigned int *i, uint32_t tick)
{
	const uint64_t *v = (const uint64_t *)&g->next.ctr;
	uint64_t *sum = (uint64_t *)&g->now.ctr;
	unsigned int k;

	if (tick < g->from || tick >= g->to)
		return;
	take_young(g, s, i, tick);
	turn_to(g, s, tick, g->level);
	if (!is_traffic(s->sid))
		sl_hist_add(&g->now.hist, &g->next.hist);
	else
		for (k = 0; k < SL_COLUMNS; k++)
			sum[k] += v[k];
}

static int walk_traffic(struct reading *g, const struct series *s,
			unsigned int *i, uint32_t first, struct sl_bytes *b)
{
	struct sl_columns_reader k;
	uint32_t at;
	int rc = sl_columns_open(&k, b->b, b->n);

	while (!rc && (rc = sl_columns_next(&k, &at,
					    (uint64_t *)&g->next.ctr)) > 0) {
		take_sealed(g, s, i, first + at * step_ticks[g->level]);
		rc = 0;
	}
	return rc;
}

static int walk_series(struct reading *g, const struct series *s,
		       unsigned int *i, uint32_t first, struct sl_bytes *b)
{
	struct sl_chunk_reader k;
	uint32_t at;
	int rc = sl_chunk_open(&k, b->b, b->n);

	while (!rc && (rc = sl_chunk_next(&k, &at, &g->next.hist)) > 0) {
		take_sealed(g, s, i, first + at * step_ticks[g->level]);
		rc = 0;
	}
	return rc;
}

/* A block of the series, where there is one. */
static int read_block(struct reading *g, const struct series *s,
		      unsigned int *i, uint32_t block, struct sl_bytes *plain)
{
	int64_t id = SEALED_ID(g->level, block, s->sid);
	sqlite3_stmt *st = g->r->sealed;
	uint32_t first = block * block_ticks[g->level];
	int rc;

	sqlite3_reset(st);
	sqlite3_bind_int64(st, 1, id);
	rc = sqlite3_step(st);
	if (rc == SQLITE_ROW) {
		rc = sl_unpack(sqlite3_column_blob(st, 0),
			       sqlite3_column_bytes(st, 0),
			       (uint64_t)id | SEALED_SALT, plain);
		if (!rc)
			rc = is_traffic(s->sid) ?
			     walk_traffic(g, s, i, first, plain) :
			     walk_series(g, s, i, first, plain);
		g->bad_rows += rc != 0;
		rc = SQLITE_DONE;
	}
	sqlite3_reset(st);
	return rc == SQLITE_DONE ? 0 : rc;
}

/* First and last block of the level that there are. */
static void clamp_blocks(struct reading *g, uint32_t *first, uint32_t *last)
{
	int64_t low = first_id(g->r->db, "sealed", SEALED_ID(g->level, 0, 0),
			       SEALED_ID(g->level + 1, 0, 0) - 1);
	char sql[128];
	int64_t high;

	snprintf(sql, sizeof(sql), "SELECT MAX(id) FROM sealed WHERE id "
		 "BETWEEN %lld AND %lld", (long long)SEALED_ID(g->level, 0, 0),
		 (long long)SEALED_ID(g->level + 1, 0, 0) - 1);
	high = db_number(g->r->db, sql, -1);
	*first = g->from / block_ticks[g->level];
	*last = (g->to - 1) / block_ticks[g->level];
	if (low < 0 || SEALED_BLOCK(low) > *last)
		*last = 0, *first = 1;	/* none */
	else if (SEALED_BLOCK(low) > *first)
		*first = SEALED_BLOCK(low);
	if (high > 0 && SEALED_BLOCK(high) < *last)
		*last = SEALED_BLOCK(high);
}

static int read_all(struct reading *g)
{
	struct sl_bytes plain = {};
	uint32_t first, last, block;
	unsigned int k, i;
	int rc = 0;

	clamp_blocks(g, &first, &last);
	for (k = 0; k < g->n && !rc; k++) {
		const struct series *s = &g->series[k];

		for (i = 0, block = first; block <= last && !rc; block++)
			rc = read_block(g, s, &i, block, &plain);
		take_young(g, s, &i, UINT64_MAX);
		hand_over(g, s);
		if (!(k % 16) && reader_stops(g->r))
			rc = -EINTR;
		else if (!(k % 16) && g->ask->stop && g->ask->stop(g->ask->arg))
			rc = -ECANCELED;
	}
	sl_bytes_free(&plain);
	return rc;
}

static int answer(struct reading *g)
{
	int rc = sqlite3_exec(g->r->db, "BEGIN", NULL, NULL, NULL);

	if (!rc)
		rc = names_walk(g->r->db, want, g);
	if (!rc && g->n) {
		g->level = choose_level(g->r->db, g->ask->step_ns, g->from);
		rc = read_rows(g);
	}
	if (!rc && g->failed)
		rc = SQLITE_NOMEM;
	if (!rc && g->n)
		rc = read_all(g);
	sqlite3_exec(g->r->db, "COMMIT", NULL, NULL, NULL);
	return rc;
}

int history_read(struct history_reader *r, const struct history_ask *ask)
{
	struct reading *g;
	int rc = reader_open(r);

	if (rc)
		return reader_fail(r, rc);
	g = calloc(1, sizeof(*g));
	if (!g)
		return -ENOMEM;
	g->r = r;
	g->ask = ask;
	g->from = (ask->from_ns + HISTORY_STEP_NS - 1) / HISTORY_STEP_NS;
	g->to = (ask->to_ns + HISTORY_STEP_NS - 1) / HISTORY_STEP_NS;
	if (g->from < g->to)
		rc = answer(g);
	if (g->bad_rows)
		history_note(r->h, LOG_ERR, "history", "history: %u rows are "
			     "damaged and left out of an answer", g->bad_rows);
	rows_free(&g->rows);
	free(g->series);
	free(g);
	return rc ? reader_fail(r, rc) : 0;
}
