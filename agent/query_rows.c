// SPDX-License-Identifier: GPL-2.0
/* Adding up what was measured: a sketch for each row, never a quantile. */
#include <stdlib.h>
#include <string.h>
#include "query.h"

/* --- a table of rows --- */
static uint32_t hash(const struct history_key *k, uint64_t step_ns)
{
	const uint8_t *b = (const uint8_t *)k;
	uint64_t h = step_ns * 0x9e3779b97f4a7c15ULL;
	size_t i;

	for (i = 0; i < sizeof(*k); i++)
		h = (h ^ b[i]) * 0x100000001b3ULL;
	return h ^ h >> 32;
}

static uint32_t slot_of(const struct query_rows *all,
			const struct history_key *k, uint64_t step_ns)
{
	uint32_t at = hash(k, step_ns) & (all->n_slots - 1), i;

	for (; (i = all->slot[at]); at = (at + 1) & (all->n_slots - 1))
		if (all->r[i - 1].step_ns == step_ns &&
		    !memcmp(&all->r[i - 1].key, k, sizeof(*k)))
			break;
	return at;
}

struct query_row *query_find(const struct query_rows *all,
			     const struct history_key *k, uint64_t step_ns)
{
	uint32_t i = all->n_slots ? all->slot[slot_of(all, k, step_ns)] : 0;

	return i ? &all->r[i - 1] : NULL;
}

static bool grow(struct query_rows *all)
{
	uint32_t room = all->room ? all->room * 2 : 64, i;
	struct query_row *r = realloc(all->r, room * sizeof(*r));
	uint32_t *slot = calloc(room * 2, sizeof(*slot));

	if (r)
		all->r = r;
	if (!r || !slot) {
		free(slot);
		return false;
	}
	free(all->slot);
	all->room = room;
	all->slot = slot;
	all->n_slots = room * 2;
	for (i = 0; i < all->n; i++)
		slot[slot_of(all, &r[i].key, r[i].step_ns)] = i + 1;
	return true;
}

/* The row, made when there is none; NULL: no room. */
static struct query_row *row_of(struct query_rows *all,
				const struct history_key *k, uint64_t step_ns,
				bool with_hist)
{
	struct query_row *row = query_find(all, k, step_ns);

	if (row)
		return row;
	all->full |= all->n >= QUERY_CELLS ||
		     (all->n == all->room && !grow(all));
	if (all->full)
		return NULL;
	row = &all->r[all->n];
	*row = (struct query_row){ .step_ns = step_ns };
	memcpy(&row->key, k, sizeof(*k));
	if (with_hist) {
		row->h = calloc(1, sizeof(*row->h));
		all->full = !row->h;
		if (all->full)
			return NULL;
	}
	all->slot[slot_of(all, k, step_ns)] = ++all->n;
	return row;
}

static void add(struct query_rows *all, const struct history_key *k,
		uint64_t step_ns, const struct sl_hist *h)
{
	struct query_row *row = row_of(all, k, step_ns, true);

	if (row)
		sl_hist_add(row->h, h);
}

static void add_traffic(struct query_rows *all, const struct history_key *k,
			const struct sl_lane_ctr *c)
{
	struct query_row *row = row_of(all, k, 0, false);
	int d;

	for (d = 0; row && d < 2; d++) {
		row->c.packets[d] += c->packets[d];
		row->c.bytes[d] += c->bytes[d];
		row->c.tcp_data[d] += c->tcp_data[d];
		row->c.retrans[d] += c->retrans[d];
	}
}

/* --- what belongs where --- */
bool query_wants_lane(const struct query *q, const char *lane)
{
	unsigned int i;

	for (i = 0; i < q->n_lanes; i++)
		if (!strcmp(q->lane[i], lane))
			return true;
	return !q->n_lanes;
}

static bool sent(const struct history_key *k)
{
	return !k->prefix.family &&
	       (k->method == SL_M_TX_SW || k->method == SL_M_TX_HW);
}

/* Is it to be in a row? */
static bool in_rows(const struct query *q, const struct history_key *k)
{
	if (q->by_prefix != (k->prefix.family != 0) ||
	    (q->half >= 0 && k->half != q->half) ||
	    (q->method >= 0 && k->method != q->method) ||
	    (q->one_path && strcmp(k->path, q->path)))
		return false;
	/* no round trip: merged with those it would spoil both */
	return k->half != SL_HALF_SELF || q->by_half ||
	       q->half == SL_HALF_SELF;
}

bool query_wants(const struct query *q, const struct history_key *k)
{
	return query_wants_lane(q, k->lane) && (in_rows(q, k) || sent(k));
}

struct history_key query_place(const struct query *q, const char *lane,
			       const char *path)
{
	struct history_key k;

	memset(&k, 0, sizeof(k));	/* padding too: rows are compared whole */
	if (q->by_lane)
		strncpy(k.lane, lane, sizeof(k.lane) - 1);
	if (q->by_path)
		strncpy(k.path, path, sizeof(k.path) - 1);
	return k;
}

void query_take(struct query *q, uint64_t step_ns, const struct history_key *k,
		const struct sl_hist *h)
{
	struct history_key row;

	if (!query_wants_lane(q, k->lane))
		return;
	row = query_place(q, k->lane, k->path);
	if (sent(k) && !q->step_ns)
		add(&q->into->selfs, &row, 0, h);
	if (!in_rows(q, k))
		return;
	if (q->by_method)
		row.method = k->method;
	if (q->by_half)
		row.half = k->half;
	if (q->by_prefix)
		row.prefix = k->prefix;
	add(&q->into->rows, &row, q->step_ns ? step_ns - step_ns % q->step_ns :
	    0, h);
}

void query_take_traffic(struct query *q, const char *lane, const char *path,
			const struct sl_lane_ctr *c)
{
	struct history_key row = query_place(q, lane, path);

	if (query_wants_lane(q, lane) && !q->step_ns)
		add_traffic(&q->into->traffic, &row, c);
}

static void merge_rows(struct query_rows *to, struct query_rows *from)
{
	struct query_rows none = *to;
	uint32_t i;

	if (!to->n && !to->full) {	/* nothing to add to: as they are */
		*to = *from;
		*from = none;
		return;
	}
	for (i = 0; i < from->n; i++)
		if (from->r[i].h)
			add(to, &from->r[i].key, from->r[i].step_ns,
			    from->r[i].h);
		else
			add_traffic(to, &from->r[i].key, &from->r[i].c);
	to->full |= from->full;
}

void query_merge(struct query_sums *to, struct query_sums *from)
{
	merge_rows(&to->rows, &from->rows);
	merge_rows(&to->selfs, &from->selfs);
	merge_rows(&to->traffic, &from->traffic);
}

/* --- order, end --- */
/* Lanes in the order of their numbers, as people have them in mind. */
static int number_of(const struct agent *a, const char *lane)
{
	int i;

	for (i = 1; i < SL_MAX_LANES; i++)
		if (!strcmp(a->lane_name[i], lane))
			return i;
	return strcmp(lane, "other") ? SL_MAX_LANES : 0;
}

static int order(const void *x, const void *y)
{
	const struct query_row *p = x, *q = y;
	int c = p->lane_number - q->lane_number;

	if (!c)
		c = strcmp(p->key.lane, q->key.lane);
	if (!c)
		c = strcmp(p->key.path, q->key.path);
	if (!c)
		c = p->key.half - q->key.half;
	if (!c)
		c = p->key.method - q->key.method;
	if (!c)
		c = sl_prefix_cmp(&p->key.prefix, &q->key.prefix);
	if (!c)
		c = p->step_ns < q->step_ns ? -1 : p->step_ns > q->step_ns;
	return c;
}

/* Afterwards nothing is found any more. */
void query_sort(const struct agent *a, struct query_rows *all)
{
	uint32_t i;

	for (i = 0; i < all->n; i++)
		all->r[i].lane_number = number_of(a, all->r[i].key.lane);
	free(all->slot);
	all->slot = NULL;
	all->n_slots = 0;
	all->room = 0;
	if (all->n)
		qsort(all->r, all->n, sizeof(*all->r), order);
}

static void free_rows(struct query_rows *all)
{
	uint32_t i;

	for (i = 0; i < all->n; i++)
		free(all->r[i].h);
	free(all->r);
	free(all->slot);
	*all = (struct query_rows){};
}

void query_forget(struct query_sums *s)
{
	free_rows(&s->rows);
	free_rows(&s->selfs);
	free_rows(&s->traffic);
}

void query_free(struct query *q)
{
	query_forget(&q->mem);
	query_forget(&q->disk);
}
