// SPDX-License-Identifier: GPL-2.0
/* A step becomes a row, and what is done becomes part of the next level. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "history_priv.h"

#define PACK_LEVEL	1	/* of rows that live for an hour or a day */

const uint32_t step_ticks[LEVELS] = { 1, 6, 90 };
const uint32_t block_ticks[LEVELS] = { 360, 2160, 8640 };

/* --- rows --- */
static int put_row(struct history *h, int64_t id, const struct sl_bytes *raw)
{
	sqlite3_stmt *s = db_statement(h, ST_YOUNG_PUT);
	struct sl_bytes packed = {};
	int rc = SQLITE_NOMEM;

	if (!sl_pack(raw->b, raw->n, PACK_LEVEL, id, &packed)) {
		sqlite3_bind_int64(s, 1, id);
		sqlite3_bind_blob64(s, 2, packed.b, packed.n, SQLITE_STATIC);
		rc = db_step(s);
	}
	sl_bytes_free(&packed);
	return rc;
}

/* What is in the row at id, and raw: together. */
static int join_row(struct history *h, int64_t id, const struct sl_bytes *raw)
{
	sqlite3_stmt *s = db_statement(h, ST_YOUNG_GET);
	struct rows both = {};
	struct sl_bytes sum = {};
	struct row *old = rows_new(&both), *new = rows_new(&both);
	int rc = SQLITE_NOMEM;

	if (!old || !new)
		goto out;
	old = &both.r[0];
	sqlite3_bind_int64(s, 1, id);
	rc = sqlite3_step(s);
	if (rc != SQLITE_ROW)
		goto out;
	if (row_open(old, sqlite3_column_blob(s, 0), sqlite3_column_bytes(s, 0),
		     id)) {
		h->bad_rows++;
		old->more = false;
	}
	sqlite3_reset(s);
	sl_put_raw(&new->raw, raw->b, raw->n);
	new->cut = (struct sl_cut){ new->raw.b, new->raw.b + new->raw.n,
				    false };
	if (row_next(new))
		h->bad_rows++;
	rc = rows_merge(&both, &sum) == -ENOMEM ? SQLITE_NOMEM :
	     put_row(h, id, &sum);
out:
	sqlite3_reset(s);
	rows_free(&both);
	sl_bytes_free(&sum);
	return rc;
}

/* What is fresh is joined; beside what is in the next level already there is
 * another part, which will get there too. The last level has one part. */
int young_put(struct history *h, unsigned int level, uint32_t tick,
	      const struct sl_bytes *raw)
{
	sqlite3_stmt *s = db_statement(h, ST_YOUNG_LAST);
	int64_t id = YOUNG_ID(level, tick, 0);
	bool there, fresh;
	int rc;

	sqlite3_bind_int64(s, 1, id);
	sqlite3_bind_int64(s, 2, id | YOUNG_PARTS);
	rc = sqlite3_step(s);
	there = rc == SQLITE_ROW;
	if (there) {
		id = sqlite3_column_int64(s, 0);
		fresh = sqlite3_column_int(s, 1);
	}
	sqlite3_reset(s);
	if (rc != SQLITE_ROW && rc != SQLITE_DONE)
		return rc;
	if (there && (fresh || level == LEVELS - 1))
		return join_row(h, id, raw);
	rc = put_row(h, there ? id + 1 : id, raw);
	if (rc || level == LEVELS - 1)
		return rc;
	s = db_statement(h, ST_FRESH_PUT);
	sqlite3_bind_int64(s, 1, there ? id + 1 : id);
	return db_step(s);
}

/* --- levels --- */
static int merge_up(struct history *h, unsigned int level, uint32_t tick,
		    struct rows *rows)
{
	struct sl_bytes raw = {};
	int rc = rows_merge(rows, &raw);

	h->bad_rows += rc == -EBADMSG;
	rc = rc == -ENOMEM ? SQLITE_NOMEM : young_put(h, level, tick, &raw);
	sl_bytes_free(&raw);
	rows_free(rows);
	return rc;
}

/* Read the fresh rows of one step of the next level, the first that is done;
 * *tick is that. 0, or a result code; no rows: there are none. */
static int read_done(struct history *h, unsigned int level, uint32_t end,
		     struct rows *rows, uint32_t *tick)
{
	uint32_t len = step_ticks[level + 1], at;
	sqlite3_stmt *s = db_statement(h, ST_FRESH_RANGE);
	struct row *r;
	int64_t id;
	int rc;

	sqlite3_bind_int64(s, 1, YOUNG_ID(level, 0, 0));
	sqlite3_bind_int64(s, 2, YOUNG_ID(level, end, 0) - 1);
	while ((rc = sqlite3_step(s)) == SQLITE_ROW) {
		id = sqlite3_column_int64(s, 0);
		at = YOUNG_TICK(id) - YOUNG_TICK(id) % len;
		if (rows->n && at != *tick)
			break;
		*tick = at;
		r = rows_new(rows);
		if (!r) {
			rc = SQLITE_NOMEM;
			break;
		}
		if (row_open(r, sqlite3_column_blob(s, 1),
			     sqlite3_column_bytes(s, 1), id))
			h->bad_rows++;
	}
	sqlite3_reset(s);
	return rc == SQLITE_ROW || rc == SQLITE_DONE ? 0 : rc;
}

/* What is done at a level by `now` becomes part of the next one. */
static int roll(struct history *h, unsigned int level, uint32_t now)
{
	uint32_t len = step_ticks[level + 1], tick = 0;
	struct rows rows = {};
	sqlite3_stmt *s;
	int rc;

	for (;;) {
		rc = read_done(h, level, now - now % len, &rows, &tick);
		if (rc || !rows.n)
			break;
		rc = merge_up(h, level + 1, tick, &rows);
		if (rc)
			break;
		s = db_statement(h, ST_FRESH_DROP);
		sqlite3_bind_int64(s, 1, YOUNG_ID(level, tick, 0));
		sqlite3_bind_int64(s, 2, YOUNG_ID(level, tick + len, 0) - 1);
		rc = db_step(s);
		if (rc)
			break;
	}
	rows_free(&rows);
	return rc;
}

/* --- a step --- */
struct part {
	uint32_t sid, len_b;
	const uint8_t *body;
};

static int by_sid(const void *a, const void *b)
{
	const struct part *x = a, *y = b;

	return (x->sid > y->sid) - (x->sid < y->sid);
}

/* The records of a step with their numbers. 0 or a result code. */
static int number(struct history *h, const struct handed *step,
		  struct part **out, unsigned int *n)
{
	const uint8_t *at = step->records.b, *end = at + step->records.n;
	struct handed_head head;
	struct part *p;
	int rc = 0;

	*n = 0;
	*out = p = calloc(step->records.n / sizeof(head) + 1, sizeof(*p));
	while (p && at < end && !rc) {
		memcpy(&head, at, sizeof(head));
		at += sizeof(head);
		p[*n].body = at;
		p[*n].len_b = head.len_b;
		rc = names_sid(h, &head.key, head.traffic, &p[*n].sid);
		at += head.len_b;
		++*n;
	}
	if (p)
		qsort(p, *n, sizeof(*p), by_sid);
	return p ? rc : SQLITE_NOMEM;
}

/* Parts of the same series, together. */
static void join_parts(const struct part *p, unsigned int n, uint32_t *last,
		       struct sl_bytes *raw)
{
	struct amount *m = calloc(1, sizeof(*m));
	struct sl_bytes body = {};
	unsigned int i;

	for (i = 0; m && i < n; i++)
		amount_add(m, p[i].sid, (struct sl_cut){ p[i].body,
			   p[i].body + p[i].len_b, false });
	if (m)
		amount_put(&body, p->sid, m);
	record_put(raw, last, p->sid, body.b, body.n);
	raw->failed |= !m || body.failed;
	sl_bytes_free(&body);
	free(m);
}

static int to_raw(struct history *h, const struct handed *step,
		  struct sl_bytes *raw)
{
	unsigned int i, k, n;
	struct part *p;
	uint32_t last = 0;
	int rc = number(h, step, &p, &n);

	for (i = 0; !rc && i < n; i = k) {
		for (k = i + 1; k < n && p[k].sid == p[i].sid; k++)
			;
		if (k == i + 1)
			record_put(raw, &last, p[i].sid, p[i].body, p[i].len_b);
		else
			join_parts(p + i, k - i, &last, raw);
	}
	free(p);
	return raw->failed ? SQLITE_NOMEM : rc;
}

static int write_one(struct history *h, const struct handed *step)
{
	struct sl_bytes raw = {};
	unsigned int level;
	int rc = to_raw(h, step, &raw);

	if (!rc && raw.n)
		rc = young_put(h, 0, step->tick, &raw);
	for (level = 0; !rc && level + 1 < LEVELS; level++)
		rc = roll(h, level, step->tick);
	sl_bytes_free(&raw);
	return rc;
}

int write_steps(struct history *h, const struct handed *first)
{
	int rc = db_run(h->db, "BEGIN IMMEDIATE");
	const struct handed *s;

	for (s = first; s && !rc; s = s->next)
		rc = write_one(h, s);
	if (!rc)
		rc = db_run(h->db, "COMMIT");
	if (rc) {
		sqlite3_exec(h->db, "ROLLBACK", NULL, NULL, NULL);
		names_forget(h);	/* some may be new */
	}
	return rc;
}
