// SPDX-License-Identifier: GPL-2.0
/* What must hold after every packet, whatever it was. */
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#define SL_NATIVE
#undef __always_inline
#define __always_inline inline __attribute__((always_inline))
#include "../../bpf/pkt.bpf.h"
#include "shot.h"

#define SEEN_MAX	(1U << 18)	/* more than all captures have */
#define EARLY_NS	1024	/* tcp-seq's second stamp may be this early */
#define FP_BUSY		(~0ULL)	/* as in bpf/flow.bpf.h */
#define FP_TUPLE	(~0xffffULL)

/* A packet that passed, as the parser saw it. */
struct seen {
	uint64_t time_ns;
	struct sl_ip ip;
	uint16_t sport, dport;
	uint8_t family;
};

static struct seen seen[SEEN_MAX];
static uint64_t n_seen;

/* Maps that mean something here. */
static struct {
	const struct native_map *exits, *hists, *misses, *flows;
} maps;
static bool is_table[NATIVE_MAPS_MAX];	/* no packet writes to it */

/* The packet being checked. */
static struct {
	const struct shot *shot;
	uint32_t verdict, reason;
	uint64_t exits, exit_bytes;	/* that it was counted as */
	uint64_t samples;		/* that histograms got */
	uint64_t no_series;		/* that found their own one's pool full */
} now;

static void find_maps(void)
{
	static const char *const table[] = { "sl_fib", "sl_classes", "sl_ctl",
					     "sl_ports", "sl_vlans" };
	unsigned int i, k;

	maps.exits = native_map("sl_port_ctrs");
	maps.hists = native_map("sl_hists");
	maps.misses = native_map("sl_lane_misses");
	maps.flows = native_map("sl_flows");
	for (i = 0; i < native_n_maps; i++)
		for (k = 0; k < sizeof(table) / sizeof(table[0]); k++)
			is_table[i] |= !strncmp(native_maps[i].name, table[k],
						strlen(table[k]));
}

void check_begin(void)
{
	if (!maps.exits)
		find_maps();
	n_seen = 0;
}

static bool changed(const struct native_touch *t)
{
	return memcmp(native_before(t), native_element(t->map, t->i),
		      t->map->value_b) != 0;
}

static void add_exits(const struct native_touch *t)
{
	const struct sl_port_ctr *a = native_before(t);
	const struct sl_port_ctr *b = native_element(t->map, t->i);
	unsigned int i;

	for (i = 0; i < SL_REASON_SLOTS; i++) {
		if (b->packets[i] != a->packets[i])
			now.reason = i;
		now.exits += b->packets[i] - a->packets[i];
		now.exit_bytes += b->bytes[i] - a->bytes[i];
	}
}

static const char *check_set(const struct sl_flow_set *set)
{
	unsigned int i, k;

	for (i = 0; i < SL_FLOW_WAYS; i++) {
		if (set->way[i].fp == FP_BUSY)
			return "a flow line was left busy";
		for (k = 0; k < i; k++)
			if (set->way[i].fp & FP_TUPLE &&
			    !((set->way[i].fp ^ set->way[k].fp) & FP_TUPLE))
				return "a flow has two lines";
	}
	return NULL;
}

static void add_samples(const struct native_touch *t)
{
	const struct sl_hist *a = native_before(t);
	const struct sl_hist *b = native_element(t->map, t->i);

	now.samples += b->count - a->count;
}

static void add_misses(const struct native_touch *t)
{
	const struct sl_lane_miss *a = native_before(t);
	const struct sl_lane_miss *b = native_element(t->map, t->i);

	now.no_series += b->n[SL_MISS_SERIES_FULL] - a->n[SL_MISS_SERIES_FULL];
}

/* One element that the packet looked up. */
static const char *check_touch(const struct native_touch *t)
{
	bool wrote = changed(t), drop = now.verdict == XDP_DROP;

	if (wrote && is_table[t->map - native_maps])
		return "a packet wrote to a table";
	if (t->map == maps.exits)
		add_exits(t);
	if (t->map == maps.hists)
		add_samples(t);
	if (t->map == maps.misses)
		add_misses(t);
	if (t->map != maps.flows)
		return NULL;
	if (wrote && drop)
		return "a dropped packet changed a flow line";
	return check_set(native_element(t->map, t->i));
}

static const char *check_exit(void)
{
	const struct shot *s = now.shot;
	bool live = !sl_set.replay;

	if (now.verdict != XDP_PASS && now.verdict != XDP_DROP)
		return "a verdict that is neither pass nor drop";
	if (now.exits != 1)
		return "not counted by exactly one reason";
	if (now.exit_bytes != s->wire_b &&
	    !(live && now.exit_bytes == s->len_b))
		return "counted with another length";
	if (now.reason >= SL_R_MAX)
		return "an unknown reason";
	if ((now.reason >= SL_R_DROP_FIRST) != (now.verdict == XDP_DROP))
		return "verdict and reason do not fit";
	return NULL;
}

static bool same_end(const struct seen *e, const uint32_t *addr,
		     const uint8_t *end, uint8_t family)
{
	return e->family == family && !memcmp(addr, end, family == 4 ? 4 : 16);
}

/* Did a packet go from the stamped end to the other at the time of the stamp?
 * `full` goes from edge to edge, so either way. */
static bool was_stamped(const struct sl_sample *s)
{
	uint64_t at_ns = s->time_ns - s->rtt_ns, i;

	for (i = n_seen; i-- && n_seen - i <= SEEN_MAX;) {
		const struct seen *e = &seen[i % SEEN_MAX];

		if (e->time_ns - at_ns >= EARLY_NS)
			continue;
		if (e->sport == s->sport && e->dport == s->dport &&
		    same_end(e, e->ip.src, s->src, s->family) &&
		    same_end(e, e->ip.dst, s->dst, s->family))
			return true;
	}
	return false;
}

/* Are the answering packet's addresses, side by side as in a header, those of
 * the sample? Looked for in the frame, not asked of the parser. A full round trip
 * is of two packets of the same end. */
static bool frame_has(const struct shot *shot, const struct sl_sample *s)
{
	unsigned int n = s->family == 4 ? 4 : 16;
	uint8_t ends[32];

	memcpy(ends, s->half == SL_HALF_FULL ? s->src : s->dst, n);
	memcpy(ends + n, s->half == SL_HALF_FULL ? s->dst : s->src, n);
	return memmem(shot->b, shot->len_b, ends, 2 * n) != NULL;
}

static const char *check_sample(const struct sl_sample *s)
{
	if (s->method >= SL_M_MAX || s->half >= SL_HALF_MAX ||
	    (s->family != 4 && s->family != 6) || s->lane >= sl_set.n_lanes ||
	    s->path >= SL_MAX_PATHS)
		return "a sample of nothing known";
	if (s->time_ns != now.shot->time_ns)
		return "a sample of another time";
	if (s->rtt_ns > sl_set.stamp_max_ns || s->rtt_ns > s->time_ns)
		return "an absurd round trip";
	if (!frame_has(now.shot, s))
		return "a sample of other ends than the packet's";
	if (!was_stamped(s))
		return "a sample that nothing was stamped for";
	return NULL;
}

static const char *check_replay(void)
{
	const struct sl_replay *r = native_at("sl_replay", 0);
	const char *wrong = NULL;
	uint32_t i;

	if (r->reason != now.reason)
		return "replay was told another reason";
	if (r->n_samples > SL_REPLAY_SAMPLES)
		return "too many samples";
	if (r->n_samples < now.samples ||
	    r->n_samples > now.samples + now.no_series)
		return "samples and histograms do not agree";
	if (r->n_samples && r->flags & SL_REPLAY_NO_TIME)
		return "a sample without time";
	for (i = 0; i < r->n_samples && !wrong; i++)
		wrong = check_sample(&r->sample[i]);
	return wrong;
}

/* Remember a packet that may have been stamped. Itself it cannot have answered,
 * so this comes last. */
static void remember(void)
{
	uint32_t reason;
	const struct sl_pkt *p = native_parsed(&reason);

	if (now.verdict == XDP_DROP || !p->l4)
		return;
	seen[n_seen++ % SEEN_MAX] = (struct seen){
		.time_ns = now.shot->time_ns, .ip = p->ip,
		.sport = p->sport, .dport = p->dport, .family = p->family };
}

const char *check_packet(const struct shot *s, uint32_t verdict)
{
	const struct native_touch *t;
	const char *wrong = NULL;
	unsigned int i, n;

	memset(&now, 0, sizeof(now));
	now.shot = s;
	now.verdict = verdict;
	t = native_touched(&n);
	for (i = 0; i < n && !wrong; i++)
		wrong = check_touch(&t[i]);
	if (!wrong)
		wrong = check_exit();
	if (!wrong && verdict == XDP_DROP && now.samples)
		wrong = "a dropped packet gave a sample";
	if (!wrong && sl_set.replay)
		wrong = check_replay();
	if (!wrong)
		wrong = native_parse_twice(s->b, s->len_b, s->wire_b);
	remember();
	return wrong;
}
