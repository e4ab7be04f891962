// SPDX-License-Identifier: GPL-2.0
/* Rows of young steps: all series of a step, by number, packed. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "history_priv.h"

struct row *rows_new(struct rows *rows)
{
	unsigned int room = rows->room ? rows->room * 2 : 16;
	struct row *r;

	if (rows->n == rows->room) {
		r = realloc(rows->r, room * sizeof(*r));
		if (!r)
			return NULL;
		rows->r = r;
		rows->room = room;
	}
	r = &rows->r[rows->n++];
	memset(r, 0, sizeof(*r));
	return r;
}

void rows_free(struct rows *rows)
{
	unsigned int i;

	for (i = 0; i < rows->n; i++)
		sl_bytes_free(&rows->r[i].raw);
	free(rows->r);
	memset(rows, 0, sizeof(*rows));
}

int row_next(struct row *r)
{
	uint64_t gap, len_b;

	r->more = false;
	if (r->cut.at == r->cut.end)
		return 0;
	gap = sl_get_u64(&r->cut);
	len_b = sl_get_u64(&r->cut);
	if (r->cut.bad || !gap || gap >= SIDS_MOST ||
	    r->sid + gap >= SIDS_MOST ||
	    len_b > (size_t)(r->cut.end - r->cut.at))
		return -EBADMSG;
	r->sid += gap;
	r->body = (struct sl_cut){ r->cut.at, r->cut.at + len_b, false };
	r->cut.at += len_b;
	r->more = true;
	return 0;
}

int row_open(struct row *r, const void *bytes, size_t len_b, int64_t id)
{
	int rc = sl_unpack(bytes, len_b, id, &r->raw);

	r->id = id;
	r->level = id >> LEVEL_SHIFT;
	r->tick = YOUNG_TICK(id);
	r->sid = 0;
	r->more = false;
	if (rc)
		return rc;
	r->cut = (struct sl_cut){ r->raw.b, r->raw.b + r->raw.n, false };
	return row_next(r);
}

static int add_counters(struct sl_lane_ctr *c, struct sl_cut *body)
{
	uint64_t *v = (uint64_t *)c;
	unsigned int i;

	for (i = 0; i < SL_COLUMNS; i++)
		v[i] += sl_get_u64(body);
	return body->bad ? -EBADMSG : 0;
}

_Static_assert(sizeof(struct sl_lane_ctr) == SL_COLUMNS * 8,
	       "all of a lane's counters are kept");

int amount_add(struct amount *m, uint32_t sid, struct sl_cut body)
{
	return is_traffic(sid) ? add_counters(&m->ctr, &body) :
	       sl_sketch_add(&body, &m->hist);
}

void amount_clear(struct amount *m, uint32_t sid)
{
	if (is_traffic(sid))
		memset(&m->ctr, 0, sizeof(m->ctr));
	else
		memset(&m->hist, 0, sizeof(m->hist));
}

void amount_put(struct sl_bytes *s, uint32_t sid, const struct amount *m)
{
	const uint64_t *v = (const uint64_t *)&m->ctr;
	unsigned int i;

	if (!is_traffic(sid))
		sl_sketch_put(s, &m->hist);
	else
		for (i = 0; i < SL_COLUMNS; i++)
			sl_put_u64(s, v[i]);
}

void record_put(struct sl_bytes *raw, uint32_t *last, uint32_t sid,
		const uint8_t *body, size_t len_b)
{
	sl_put_u64(raw, sid - *last);
	sl_put_u64(raw, len_b);
	sl_put_raw(raw, body, len_b);
	*last = sid;
}

uint32_t rows_lowest(const struct rows *rows)
{
	uint32_t low = UINT32_MAX;
	unsigned int i;

	for (i = 0; i < rows->n; i++)
		if (rows->r[i].more && rows->r[i].sid < low)
			low = rows->r[i].sid;
	return low;
}

/* A row that is damaged gives what came before. */
int rows_merge(struct rows *rows, struct sl_bytes *raw)
{
	struct amount *m = malloc(sizeof(*m));
	struct sl_bytes body = {};
	uint32_t sid, last = 0;
	unsigned int i;
	int rc = 0;

	while (m && (sid = rows_lowest(rows)) != UINT32_MAX) {
		amount_clear(m, sid);
		for (i = 0; i < rows->n; i++) {
			struct row *r = &rows->r[i];

			if (!r->more || r->sid != sid)
				continue;
			r->more = false;
			if (amount_add(m, sid, r->body) || row_next(r))
				rc = -EBADMSG;
		}
		body.n = 0;
		amount_put(&body, sid, m);
		record_put(raw, &last, sid, body.b, body.n);
	}
	if (!m || body.failed || raw->failed)
		rc = -ENOMEM;
	free(m);
	sl_bytes_free(&body);
	return rc;
}
