// SPDX-License-Identifier: GPL-2.0
/* `history`: a lane's rows step by step, and what happened meanwhile. */
#include <string.h>
#include <sealane/hist.h>
#include "query.h"

/* Counts by bucket of Prometheus' schema 5. What lies below the first bucket or
 * above the last one is in one more on either side. */
static struct json_object *heat_of(const struct sl_hist *h)
{
	struct json_object *list = json_object_new_array(), *pair;
	int b;

	for (b = -1; b <= SL_HIST_BUCKETS; b++) {
		uint64_t n = b < 0 ? h->zero : b == SL_HIST_BUCKETS ?
			     h->overflow : h->bucket[b];

		if (!n)
			continue;
		pair = json_object_new_array_ext(2);
		json_object_array_add(pair, json_object_new_int(
				      sl_hist_prom_index(b)));
		json_object_array_add(pair, json_object_new_int64(n));
		json_object_array_add(list, pair);
	}
	return list;
}

static struct json_object *step_doc(const struct query *q,
				    const struct query_row *row)
{
	struct json_object *o = json_object_new_object();

	put_time(o, "time", row->step_ns);
	query_put_hist(row->h, o);
	if (q->heat)
		json_object_object_add(o, "heat", heat_of(row->h));
	return o;
}

static bool same_row(const struct query_row *x, const struct query_row *y)
{
	return !memcmp(&x->key, &y->key, sizeof(x->key));
}

/* Sorted, the steps of a row stand behind each other. */
static struct json_object *rows_doc(const struct query *q)
{
	struct json_object *rows = json_object_new_array(), *o, *steps = NULL;
	const struct query_row *r = q->mem.rows.r, *last = NULL;
	uint32_t i;

	for (i = 0; i < q->mem.rows.n; i++) {
		if (!r[i].h->count)
			continue;
		if (!last || !same_row(&r[i], last)) {
			o = json_object_new_object();
			query_put_key(q, &r[i].key, o);
			steps = json_object_new_array();
			json_object_object_add(o, "steps", steps);
			json_object_array_add(rows, o);
		}
		json_object_array_add(steps, step_doc(q, &r[i]));
		last = &r[i];
	}
	return rows;
}

/* Some former path may be asked for, of which memory or disk still has something. */
static bool is_no_path(const struct query *q)
{
	uint32_t i;

	for (i = 0; i < SL_MAX_PATHS; i++)
		if (!strcmp(q->a->path_name[i], q->path))
			return false;
	for (i = 0; i < q->mem.rows.n; i++)
		if (q->mem.rows.r[i].h->count)
			return false;
	return true;
}

struct json_object *query_series_doc(struct query *q, struct refusal *r)
{
	struct json_object *doc;

	if (q->one_path && is_no_path(q)) {
		refuse(r, 404, "see the configuration's interfaces; a former "
		       "path is found where the window has something of it",
		       "no path %s", q->path);
		return NULL;
	}
	doc = json_object_new_object();
	query_sort(q->a, &q->mem.rows);
	put_time(doc, "from", q->from_ns);
	put_time(doc, "to", q->to_ns);
	put_double(doc, "step_s", q->step_ns / 1e9, 0);
	json_object_object_add(doc, "rows", rows_doc(q));
	json_object_object_add(doc, "marks",
			       events_marks(q->a, q->from_ns, q->to_ns));
	return doc;
}
