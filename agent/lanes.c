// SPDX-License-Identifier: GPL-2.0
/* `status`, lane by lane: how TCP fares, what was not measured and why, what
 * evictions hide, and the round trip under load beside the idle one. */
#include <stdlib.h>
#include <string.h>
#include "changes.h"
#include "hist.h"
#include "names.h"
#include "survival.h"

static bool known(const struct agent *a, uint32_t lane)
{
	return !lane || a->lane_name[lane][0];
}

static void put_estimate(struct json_object *o, const char *key, double ns)
{
	if (ns < 0)
		put_null(o, key);
	else
		put_int(o, key, ns);
}

/* --- TCP, by direction --- */
static void sum_paths(const struct agent *a, uint32_t lane,
		      struct sl_lane_ctr *sum)
{
	struct sl_lane_ctr c;
	uint32_t path;
	int d;

	memset(sum, 0, sizeof(*sum));
	for (path = 0; path < SL_MAX_PATHS; path++) {
		sl_dp_read_lane(a->dp, path, lane, &c);
		for (d = 0; d < 2; d++) {
			sum->packets[d] += c.packets[d];
			sum->tcp_data[d] += c.tcp_data[d];
			sum->retrans[d] += c.retrans[d];
		}
	}
}

static struct json_object *tcp_doc(const struct sl_lane_ctr *c,
				   const struct sl_lane_tcp *t, int d)
{
	struct json_object *o = json_object_new_object();

	put_int(o, "data_segments", c->tcp_data[d]);
	put_int(o, "retrans", c->retrans[d]);
	put_int(o, "reordered", t->reordered[d]);
	put_int(o, "zero_windows", t->zero_window[d]);
	put_int(o, "resets", t->reset[d]);
	put_int(o, "syn", t->syn[d]);
	/* those on their way are among them */
	put_int(o, "syn_unanswered", t->syn[d] > t->syn_answered[d] ?
		t->syn[d] - t->syn_answered[d] : 0);
	return o;
}

/* --- what evictions hide --- */
/* Is it the method of a flow's first packet, whose stamp an eviction takes? */
static bool first_packets(uint32_t method)
{
	return method == SL_M_TCP_HS || method == SL_M_QUIC_HS ||
	       method == SL_M_DNS || method == SL_M_STUN || method == SL_M_ICMP;
}

/* All that a lane's half was answered since the data plane was loaded. */
static void answered(const struct agent *a, uint32_t lane, uint32_t half,
		     struct sl_hist *sum)
{
	uint32_t slot, n = sl_dp_settings(a->dp)->n_series;
	struct sl_hist h;
	uint64_t key;

	memset(sum, 0, sizeof(*sum));
	for (slot = 0; slot < n; slot++) {
		key = sl_dp_series_key(a->dp, slot);
		if (!key || SL_SERIES_LANE(key) != lane ||
		    SL_SERIES_HALF(key) != half ||
		    !first_packets(SL_SERIES_METHOD(key)))
			continue;
		sl_dp_peek_series(a->dp, slot, &h);
		sl_hist_add(sum, &h);
	}
	sum->min_ns = sum->max_ns = 0;	/* only of the last second */
}

static struct json_object *evicted_doc(const struct agent *a, uint32_t lane)
{
	static const double q[] = { 0.5, 0.9, 0.99 };
	static const char *const name[] = { "p50_ns", "p90_ns", "p99_ns" };
	struct json_object *list = json_object_new_array(), *o, *seen, *est;
	struct sl_lane_lost l;
	struct sl_hist h;
	uint64_t lost;
	int side, i;

	sl_dp_read_lost(a->dp, lane, &l);
	for (side = 0; side < 2; side++) {
		for (lost = 0, i = 0; i < SL_LOST_BUCKETS; i++)
			lost += l.n[side][i];
		if (!lost)
			continue;
		answered(a, lane, side ? SL_HALF_NEAR : SL_HALF_FAR, &h);
		o = json_object_new_object();
		put_text(o, "half", side ? "near" : "far");
		put_int(o, "answered", h.count);
		put_int(o, "lost", lost);
		seen = json_object_new_object();
		est = json_object_new_object();
		for (i = 0; i < 3; i++) {
			put_estimate(seen, name[i],
				     sl_hist_quantile_ns(&h, q[i]));
			put_estimate(est, name[i],
				     sl_survival_quantile_ns(&h, l.n[side],
							     q[i]));
		}
		json_object_object_add(o, "seen", seen);
		json_object_object_add(o, "estimate", est);
		json_object_array_add(list, o);
	}
	return list;
}

static struct json_object *missed_of(const struct sl_lane_miss *m)
{
	struct json_object *o = json_object_new_object();
	int i;

	for (i = 0; i < SL_MISS_MAX; i++)
		put_int(o, sl_miss_name(i), m->n[i]);
	return o;
}

static bool anything(const struct sl_lane_ctr *c, const struct sl_lane_miss *m)
{
	static const struct sl_lane_miss none;

	return c->packets[0] || c->packets[1] || memcmp(m, &none, sizeof(*m));
}

static struct json_object *lane_doc(const struct agent *a, uint32_t lane,
				    const struct sl_lane_ctr *c,
				    const struct sl_lane_miss *m)
{
	struct json_object *o = json_object_new_object();
	struct json_object *tcp = json_object_new_object();
	struct sl_lane_tcp t;

	sl_dp_read_tcp(a->dp, lane, &t);
	put_text(o, "lane", lane ? a->lane_name[lane] : "other");
	json_object_object_add(tcp, "out", tcp_doc(c, &t, SL_DIR_OUT));
	json_object_object_add(tcp, "in", tcp_doc(c, &t, SL_DIR_IN));
	json_object_object_add(o, "tcp", tcp);
	put_working(a, lane, o);
	json_object_object_add(o, "missed", missed_of(m));
	json_object_object_add(o, "evicted", evicted_doc(a, lane));
	return o;
}

struct json_object *lanes_doc(const struct agent *a)
{
	struct json_object *list = json_object_new_array();
	struct sl_lane_miss m;
	struct sl_lane_ctr c;
	uint32_t lane;

	for (lane = 0; lane < SL_MAX_LANES; lane++) {
		if (!known(a, lane))
			continue;
		sum_paths(a, lane, &c);
		sl_dp_read_miss(a->dp, lane, &m);
		if (anything(&c, &m))
			json_object_array_add(list, lane_doc(a, lane, &c, &m));
	}
	return list;
}
