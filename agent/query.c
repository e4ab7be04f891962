// SPDX-License-Identifier: GPL-2.0
/* `latency`: merge what was collected into rows. */
#include <stdlib.h>
#include <string.h>
#include "agent.h"
#include "duration.h"
#include "hist.h"
#include "names.h"

#define DEFAULT_WINDOW_NS (300ULL * 1000000000)
#define FIBRE_M_PER_S	(299792458.0 * 2 / 3)
#define MERGED 0xffff		/* this field was merged: "all" */

struct row {
	uint32_t lane, path, method, half;
	struct sl_hist h;
};

struct rows {
	struct row *r;
	unsigned int n;
};

/* One question being answered. */
struct query {
	const struct agent *a;
	bool by_lane, by_path, by_method, by_half;
	int half;			/* only this one; -1: all */
	bool lane_wanted[SL_MAX_LANES];
	struct rows rows;
	struct rows selfs;		/* by lane and path: sent packets' */
	struct sl_lane_ctr lanes[SL_MAX_PATHS][SL_MAX_LANES];
};

static struct row *find_row(const struct rows *all, const struct row *want)
{
	unsigned int i;

	for (i = 0; i < all->n; i++)
		if (all->r[i].lane == want->lane &&
		    all->r[i].path == want->path &&
		    all->r[i].method == want->method &&
		    all->r[i].half == want->half)
			return &all->r[i];
	return NULL;
}

static void add_to_row(struct rows *all, const struct row *want,
		       const struct sl_hist *h)
{
	struct row *row = find_row(all, want), *grown;

	if (!row) {
		grown = realloc(all->r, (all->n + 1) * sizeof(*grown));
		if (!grown)
			return;
		all->r = grown;
		row = &all->r[all->n++];
		*row = *want;
	}
	sl_hist_add(&row->h, h);
}

/* Which residence far_net_ns of a row is reckoned with. */
static struct row self_of(const struct query *q, uint32_t lane, uint32_t path)
{
	return (struct row){ .lane = lane, .path = q->by_path ? path : MERGED,
			     .method = MERGED, .half = SL_HALF_SELF };
}

static void take_series(void *arg, uint64_t key, const struct sl_hist *h)
{
	uint32_t method = SL_SERIES_METHOD(key);
	struct query *q = arg;
	struct row want;

	if (SL_SERIES_LANE(key) >= SL_MAX_LANES ||
	    !q->lane_wanted[SL_SERIES_LANE(key)])
		return;
	if (method == SL_M_TX_SW || method == SL_M_TX_HW) {
		want = self_of(q, SL_SERIES_LANE(key), SL_SERIES_PATH(key));
		add_to_row(&q->selfs, &want, h);
	}
	if (q->half >= 0 && (int)SL_SERIES_HALF(key) != q->half)
		return;
	/* no round trip: merged with those it would spoil both */
	if (SL_SERIES_HALF(key) == SL_HALF_SELF && !q->by_half &&
	    q->half != SL_HALF_SELF)
		return;
	want = (struct row){
		.lane = q->by_lane ? SL_SERIES_LANE(key) : MERGED,
		.path = q->by_path ? SL_SERIES_PATH(key) : MERGED,
		.method = q->by_method ? method : MERGED,
		.half = q->by_half ? SL_SERIES_HALF(key) : MERGED };
	add_to_row(&q->rows, &want, h);
}

static void add_ctr(struct sl_lane_ctr *to, const struct sl_lane_ctr *from)
{
	int d;

	for (d = 0; d < 2; d++) {
		to->packets[d] += from->packets[d];
		to->bytes[d] += from->bytes[d];
		to->tcp_data[d] += from->tcp_data[d];
		to->retrans[d] += from->retrans[d];
	}
}

static void take_lane(void *arg, uint32_t path, uint32_t lane,
		      const struct sl_lane_ctr *c)
{
	struct query *q = arg;

	if (path < SL_MAX_PATHS && lane < SL_MAX_LANES)
		add_ctr(&q->lanes[path][lane], c);
}

/* Packets, bytes, retransmissions of a row's lane and path, both directions;
 * they have no method and no half. */
static void add_traffic(const struct query *q, const struct row *row,
			struct json_object *o)
{
	struct sl_lane_ctr sum = {};
	uint64_t data;
	uint32_t p, l;

	for (p = 0; p < SL_MAX_PATHS; p++)
		for (l = 0; l < SL_MAX_LANES; l++)
			if ((row->path == MERGED || row->path == p) &&
			    (row->lane == MERGED ? q->lane_wanted[l] :
						   row->lane == l))
				add_ctr(&sum, &q->lanes[p][l]);
	data = sum.tcp_data[0] + sum.tcp_data[1];
	if (data)
		put_int(o, "retrans_ppm", (sum.retrans[0] + sum.retrans[1]) *
			1000000 / data);
	else
		put_null(o, "retrans_ppm");
	put_int(o, "packets", sum.packets[0] + sum.packets[1]);
	put_int(o, "bytes", sum.bytes[0] + sum.bytes[1]);
}

/* Light in the lane's cable and back, as a row of the far half may expect. */
static void add_floor(const struct query *q, const struct row *row,
		      struct json_object *o)
{
	const struct sl_config *cfg = q->a->cfg;
	unsigned int i;

	for (i = 0; i < cfg->n_lanes; i++)
		if (q->a->lane_id[i] == row->lane && row->half == SL_HALF_FAR &&
		    cfg->lanes[i].cable_km > 0) {
			put_int(o, "floor_ns", 2e12 * cfg->lanes[i].cable_km /
				FIBRE_M_PER_S);
			return;
		}
	put_null(o, "floor_ns");
}

/* Without what the gateway itself added to the median, by its own stopwatch. */
static void add_net(const struct query *q, const struct row *row,
		    struct json_object *o)
{
	const struct row want = self_of(q, row->lane, row->path);
	const struct row *self = find_row(&q->selfs, &want);
	double net_ns = -1;

	if (self && (row->half == SL_HALF_FAR ||
		     (row->half == MERGED && q->half == SL_HALF_FAR)))
		net_ns = sl_hist_quantile_ns(&row->h, 0.5) -
			 sl_hist_quantile_ns(&self->h, 0.5);
	if (net_ns >= 0)
		put_int(o, "far_net_ns", net_ns);
	else
		put_null(o, "far_net_ns");
}

static struct json_object *row_doc(const struct query *q,
				   const struct row *row)
{
	struct json_object *o = json_object_new_object();
	const struct sl_hist *h = &row->h;

	put_text(o, "lane", row->lane == MERGED ? "all" :
		 row->lane ? q->a->lane_name[row->lane] : "other");
	put_text(o, "path", row->path == MERGED ? "all" :
		 q->a->path_name[row->path % SL_MAX_PATHS]);
	put_text(o, "method", row->method == MERGED ? "all" :
		 sl_method_name(row->method));
	put_text(o, "half", row->half == MERGED ? "all" :
		 sl_half_name(row->half));
	put_text(o, "prefix", "all");
	put_int(o, "samples", h->count);
	put_int(o, "min_ns", h->min_ns);
	put_int(o, "p50_ns", sl_hist_quantile_ns(h, 0.50));
	put_int(o, "p90_ns", sl_hist_quantile_ns(h, 0.90));
	put_int(o, "p99_ns", sl_hist_quantile_ns(h, 0.99));
	put_int(o, "max_ns", h->max_ns);
	put_int(o, "mean_ns", h->sum_ns / h->count);
	add_floor(q, row, o);
	add_net(q, row, o);
	add_traffic(q, row, o);
	return o;
}

static int parse_by(struct query *q, const char *by, struct refusal *r)
{
	char copy[128], *word, *rest = copy;

	q->by_lane = q->by_path = q->by_method = q->by_half = !by;
	if (!by)
		return 0;
	if (strlen(by) >= sizeof(copy))
		return refuse(r, 400, "lane, path, method, half",
			      "by is too long");
	strcpy(copy, by);
	while ((word = strsep(&rest, ","))) {
		if (!strcmp(word, "lane"))
			q->by_lane = true;
		else if (!strcmp(word, "path"))
			q->by_path = true;
		else if (!strcmp(word, "method"))
			q->by_method = true;
		else if (!strcmp(word, "half"))
			q->by_half = true;
		else if (!strcmp(word, "prefix"))
			return refuse(r, 400, "lane, path, method, half",
				      "this version keeps no figures by "
				      "prefix");
		else
			return refuse(r, 400, "lane, path, method, half",
				      "cannot group by %s", word);
	}
	return 0;
}

static int parse_lanes(struct query *q, const struct latency_query *l,
		       struct refusal *r)
{
	unsigned int i, k;
	bool found;

	for (k = 0; k < SL_MAX_LANES; k++)
		q->lane_wanted[k] = !l->n_lanes;
	for (i = 0; i < l->n_lanes; i++) {
		found = !strcmp(l->lanes[i], "other");
		q->lane_wanted[0] |= found;
		for (k = 1; k < SL_MAX_LANES; k++)
			if (!strcmp(q->a->lane_name[k], l->lanes[i]))
				found = q->lane_wanted[k] = true;
		if (!found)
			refuse_item(r, "no lane %s", l->lanes[i]);
	}
	return r->items ? refuse(r, 404, "see the configuration's lanes",
				 "unknown lanes") : 0;
}

static int parse_query(struct query *q, const struct latency_query *l,
		       uint64_t *from_ns, uint64_t *to_ns, struct refusal *r)
{
	uint64_t now_ns = sl_now_ns();
	int h;

	*to_ns = now_ns;
	*from_ns = now_ns - DEFAULT_WINDOW_NS;
	if (l->until && sl_time_parse(l->until, now_ns, to_ns))
		return refuse(r, 400, "RFC 3339, or -10m", "until %s is no "
			      "time", l->until);
	if (l->since && sl_time_parse(l->since, now_ns, from_ns))
		return refuse(r, 400, "RFC 3339, or -10m", "since %s is no "
			      "time", l->since);
	q->half = -1;
	for (h = 0; l->half && h < SL_HALF_MAX; h++)
		if (!strcmp(l->half, sl_half_name(h)))
			q->half = h;
	if (l->half && q->half < 0)
		return refuse(r, 400, "far, near, full or self", "no half %s",
			      l->half);
	if (parse_by(q, l->by, r))
		return -1;
	return parse_lanes(q, l, r);
}

static int by_key(const void *x, const void *y)
{
	const struct row *a = x, *b = y;

	if (a->lane != b->lane)
		return a->lane < b->lane ? -1 : 1;
	if (a->path != b->path)
		return a->path < b->path ? -1 : 1;
	if (a->half != b->half)
		return a->half < b->half ? -1 : 1;
	return (int)a->method - (int)b->method;
}

struct json_object *query_latency(const struct agent *a,
				  const struct latency_query *l,
				  struct refusal *r)
{
	struct query *q = calloc(1, sizeof(*q));
	struct json_object *doc = NULL, *rows;
	uint64_t from_ns, to_ns;
	unsigned int i;

	if (!q) {
		refuse(r, 500, "free memory", "out of memory");
		return NULL;
	}
	q->a = a;
	if (!parse_query(q, l, &from_ns, &to_ns, r)) {
		collect_walk(a, from_ns, to_ns, take_series, take_lane, q);
		if (q->rows.n)
			qsort(q->rows.r, q->rows.n, sizeof(*q->rows.r), by_key);
		doc = json_object_new_object();
		rows = json_object_new_array();
		put_time(doc, "from", from_ns);
		put_time(doc, "to", to_ns);
		for (i = 0; i < q->rows.n; i++)
			json_object_array_add(rows, row_doc(q, &q->rows.r[i]));
		json_object_object_add(doc, "rows", rows);
	}
	free(q->rows.r);
	free(q->selfs.r);
	free(q);
	return doc;
}
