// SPDX-License-Identifier: GPL-2.0
/* `latency`: one row for all of a window. Who asks for it, history and lanes. */
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include "changes.h"
#include "names.h"
#include "query.h"

/* --- a row's members --- */
void query_put_key(const struct query *q, const struct history_key *k,
		   struct json_object *o)
{
	char buf[SL_PREFIX_STR_B];

	put_text(o, "lane", q->by_lane ? k->lane : "all");
	put_text(o, "path", q->by_path ? k->path :
		 q->one_path ? q->path : "all");
	put_text(o, "method", q->by_method && !q->by_prefix ?
		 sl_method_name(k->method) :
		 q->method >= 0 ? sl_method_name(q->method) : "all");
	put_text(o, "half", q->by_prefix ? "far" :
		 q->by_half ? sl_half_name(k->half) :
		 q->half >= 0 ? sl_half_name(q->half) : "all");
	put_text(o, "prefix", q->by_prefix ? sl_prefix_str(&k->prefix, buf) :
		 "all");
}

static const struct sl_lane_ctr *traffic_of(const struct query *q,
					    const struct history_key *k)
{
	const struct history_key place = query_place(q, k->lane, k->path);
	const struct query_row *row = query_find(&q->mem.traffic, &place, 0);

	return row ? &row->c : NULL;
}

/* Packets, bytes, retransmissions of a row's lane and path, both directions;
 * they have no method and no half. Of a prefix nobody counts them. */
static void add_traffic(const struct query *q, const struct history_key *k,
			struct json_object *o)
{
	const struct sl_lane_ctr none = {}, *c = traffic_of(q, k);
	uint64_t data;

	if (q->by_prefix) {
		put_null(o, "retrans_ppm");
		put_null(o, "packets");
		put_null(o, "bytes");
		return;
	}
	if (!c)
		c = &none;
	data = c->tcp_data[0] + c->tcp_data[1];
	if (data)
		put_int(o, "retrans_ppm", (c->retrans[0] + c->retrans[1]) *
			1000000 / data);
	else
		put_null(o, "retrans_ppm");
	put_int(o, "packets", c->packets[0] + c->packets[1]);
	put_int(o, "bytes", c->bytes[0] + c->bytes[1]);
}

static bool is_far(const struct query *q, const struct history_key *k)
{
	return q->by_half ? k->half == SL_HALF_FAR :
	       q->half == SL_HALF_FAR || q->by_prefix;
}

/* What light in fibre needs to the lane and back, and how much longer the way
 * is that packets take. */
static void add_floor(const struct query *q, const struct query_row *row,
		      struct json_object *o)
{
	uint64_t floor_ns = 0;

	if (q->by_lane && is_far(q, &row->key) &&
	    row->lane_number < SL_MAX_LANES)
		floor_ns = floor_ns_of(q->a, row->lane_number, NULL);
	if (!floor_ns) {
		put_null(o, "floor_ns");
		put_null(o, "stretch");
		return;
	}
	put_int(o, "floor_ns", floor_ns);
	put_double(o, "stretch", sl_hist_quantile_ns(row->h, 0.05) / floor_ns,
		   3);
}

/* Without what the gateway itself added to the median, by its own stopwatch. */
static void add_net(const struct query *q, const struct query_row *row,
		    struct json_object *o)
{
	const struct history_key place = query_place(q, row->key.lane,
						     row->key.path);
	const struct query_row *self = query_find(&q->mem.selfs, &place, 0);
	double net_ns = -1;

	if (self && is_far(q, &row->key))
		net_ns = sl_hist_quantile_ns(row->h, 0.5) -
			 sl_hist_quantile_ns(self->h, 0.5);
	if (net_ns >= 0)
		put_int(o, "far_net_ns", net_ns);
	else
		put_null(o, "far_net_ns");
}

void query_put_hist(const struct sl_hist *h, struct json_object *o)
{
	put_int(o, "samples", h->count);
	put_int(o, "min_ns", h->min_ns);
	put_int(o, "p5_ns", sl_hist_quantile_ns(h, 0.05));
	put_int(o, "p50_ns", sl_hist_quantile_ns(h, 0.50));
	put_int(o, "p90_ns", sl_hist_quantile_ns(h, 0.90));
	put_int(o, "p95_ns", sl_hist_quantile_ns(h, 0.95));
	put_int(o, "p99_ns", sl_hist_quantile_ns(h, 0.99));
	put_int(o, "max_ns", h->max_ns);
	put_int(o, "mean_ns", h->sum_ns / h->count);
}

static struct json_object *row_doc(const struct query *q,
				   const struct query_row *row)
{
	struct json_object *o = json_object_new_object();

	query_put_key(q, &row->key, o);
	query_put_hist(row->h, o);
	add_floor(q, row, o);
	add_net(q, row, o);
	add_traffic(q, &row->key, o);
	return o;
}

struct json_object *query_latency_doc(struct query *q, struct refusal *r)
{
	struct json_object *doc = json_object_new_object();
	struct json_object *rows = json_object_new_array();
	uint32_t i;

	(void)r;
	query_sort(q->a, &q->mem.rows);
	put_time(doc, "from", q->from_ns);
	put_time(doc, "to", q->to_ns);
	for (i = 0; i < q->mem.rows.n; i++)
		if (q->mem.rows.r[i].h->count)
			json_object_array_add(rows,
					      row_doc(q, &q->mem.rows.r[i]));
	json_object_object_add(doc, "rows", rows);
	return doc;
}

/* --- who asks --- */
struct json_object *query_lane(const struct agent *a, const char *lane)
{
	const struct query_words w = { .lanes = { lane }, .n_lanes = 1 };
	struct query *q = calloc(1, sizeof(*q));
	struct json_object *doc = NULL, *rows = NULL;
	struct refusal r = {};

	if (q) {
		q->a = a;
		if (!query_parse(q, &w, &r) && !query_memory(q))
			doc = query_latency_doc(q, &r);
		query_free(q);
		free(q);
	}
	json_object_put(r.items);
	if (doc && json_object_object_get_ex(doc, "rows", &rows))
		json_object_get(rows);
	json_object_put(doc);
	return rows ? rows : json_object_new_array();
}

static enum MHD_Result take_lane(void *arg, enum MHD_ValueKind kind,
				 const char *key, const char *value)
{
	struct query_words *w = arg;

	(void)kind;
	if (!strcmp(key, "lane") && value && w->n_lanes < QUERY_LANES)
		w->lanes[w->n_lanes++] = value;
	return MHD_YES;
}

static void words(struct call *k, struct query_words *w)
{
	*w = (struct query_words){
		.by = call_query(k, "by"), .half = call_query(k, "half"),
		.since = call_query(k, "since"),
		.until = call_query(k, "until") };
	MHD_get_connection_values(k->c, MHD_GET_ARGUMENT_KIND, take_lane, w);
}

struct json_object *get_latency(struct call *k)
{
	struct query_words w;

	words(k, &w);
	return query_ask(k, &w, query_parse, query_latency_doc);
}

struct json_object *get_history(struct call *k)
{
	struct query_words w;

	words(k, &w);
	w.path = call_query(k, "path");
	w.method = call_query(k, "method");
	w.step = call_query(k, "step");
	w.heat = call_query(k, "heat");
	return query_ask(k, &w, query_parse_series, query_series_doc);
}

struct json_object *get_lanes(struct call *k)
{
	struct query_words w;

	words(k, &w);
	return query_parse_lanes(k->a, &w, &k->r) ? NULL :
	       lanes_now_doc(k->a, w.lanes, w.n_lanes);
}
