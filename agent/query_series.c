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
	const struct sl_hist *h = row->h;

	put_time(o, "time", row->step_ns);
	put_int(o, "samples", h->count);
	put_int(o, "min_ns", h->min_ns);
	put_int(o, "p5_ns", sl_hist_quantile_ns(h, 0.05));
	put_int(o, "p50_ns", sl_hist_quantile_ns(h, 0.50));
	put_int(o, "p90_ns", sl_hist_quantile_ns(h, 0.90));
	put_int(o, "p95_ns", sl_hist_quantile_ns(h, 0.95));
	put_int(o, "p99_ns", sl_hist_quantile_ns(h, 0.99));
	put_int(o, "max_ns", h->max_ns);
	put_int(o, "mean_ns", h->sum_ns / h->count);
	if (q->heat)
		json_object_object_add(o, "heat", heat_of(h));
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

struct json_object *query_series_doc(struct query *q, struct refusal *r)
{
	struct json_object *doc = json_object_new_object();

	(void)r;
	query_sort(q->a, &q->mem.rows);
	put_time(doc, "from", q->from_ns);
	put_time(doc, "to", q->to_ns);
	put_double(doc, "step_s", q->step_ns / 1e9, 0);
	json_object_object_add(doc, "rows", rows_doc(q));
	json_object_object_add(doc, "marks",
			       events_marks(q->a, q->from_ns, q->to_ns));
	return doc;
}
