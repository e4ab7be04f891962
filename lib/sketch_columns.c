// SPDX-License-Identifier: GPL-2.0
/*
 * Counters of many steps, a stream for each and one for their scales. A counter v
 * is m << e: m of 8 bits behind a leading one, so that what is stored of it is a
 * byte, and the scale e, which hardly changes from step to step. Up to 511 v is
 * what is stored.
 */
#include <errno.h>
#include <string.h>
#include "sketch.h"

#define LEAD	256		/* 2^8 */

static void put_scaled(struct sl_columns *k, unsigned int i, uint64_t v)
{
	unsigned int e = 0;
	uint64_t m;
	uint8_t byte;

	if (v >= 2 * LEAD) {
		e = sl_fls64(v) - 8;
		/* to the nearest; which may be one bit longer */
		m = (v >> e) + (v >> (e - 1) & 1);
		if (m == 2 * LEAD && e < 55) {
			m /= 2;
			e++;
		} else if (m == 2 * LEAD) {
			m--;
		}
		v = m;
	}
	/* scale 0 is for less than LEAD, 1 for up to 2 * LEAD */
	sl_put_u64(&k->scale, v < LEAD ? 0 : e + 1);
	byte = v;		/* without the leading one */
	sl_put_raw(&k->column[i], &byte, 1);
}

void sl_columns_put(struct sl_columns *k, uint32_t step, const uint64_t *v)
{
	unsigned int i;

	sl_put_u64(&k->steps, k->n ? step - k->last - 1 : step);
	for (i = 0; i < SL_COLUMNS; i++)
		put_scaled(k, i, v[i]);
	k->last = step;
	k->n++;
}

void sl_columns_free(struct sl_columns *k)
{
	unsigned int i;

	sl_bytes_free(&k->steps);
	sl_bytes_free(&k->scale);
	for (i = 0; i < SL_COLUMNS; i++)
		sl_bytes_free(&k->column[i]);
	memset(k, 0, sizeof(*k));
}

int sl_columns_end(struct sl_columns *k, struct sl_bytes *s)
{
	unsigned int i;

	sl_put_u64(s, k->n);
	sl_put_part(&k->steps, s);
	sl_put_part(&k->scale, s);
	for (i = 0; i < SL_COLUMNS; i++)
		sl_put_part(&k->column[i], s);
	k->n = k->last = 0;
	return s->failed ? -ENOMEM : 0;
}

int sl_columns_open(struct sl_columns_reader *r, const uint8_t *b, size_t len_b)
{
	struct sl_cut all = { b, b + len_b, false };
	uint64_t n = sl_get_u64(&all);
	unsigned int i;

	memset(r, 0, sizeof(*r));
	sl_get_part(&all, &r->steps);
	sl_get_part(&all, &r->scale);
	for (i = 0; i < SL_COLUMNS; i++)
		sl_get_part(&all, &r->column[i]);
	if (all.bad || all.at != all.end || n > SL_CHUNK_STEPS)
		return -EBADMSG;
	r->left = n;
	return 0;
}

static bool get_scaled(struct sl_columns_reader *r, unsigned int i,
		       uint64_t *v)
{
	uint64_t scale = sl_get_u64(&r->scale);
	struct sl_cut *c = &r->column[i];

	if (r->scale.bad || scale > 64 - 8 || c->at == c->end)
		return false;
	*v = *c->at++;
	if (scale)
		*v = (*v + LEAD) << (scale - 1);
	return true;
}

int sl_columns_next(struct sl_columns_reader *r, uint32_t *step, uint64_t *v)
{
	uint64_t at;
	unsigned int i;

	if (!r->left)
		return 0;
	r->left--;
	at = sl_get_u64(&r->steps) + (r->begun ? (uint64_t)r->last + 1 : 0);
	if (r->steps.bad || at > UINT32_MAX)
		return -EBADMSG;
	for (i = 0; i < SL_COLUMNS; i++)
		if (!get_scaled(r, i, &v[i]))
			return -EBADMSG;
	r->begun = true;
	r->last = *step = at;
	return 1;
}
