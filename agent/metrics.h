/* SPDX-License-Identifier: GPL-2.0 */
/*
 * GET /metrics: docs/metrics.md. metrics.c answers; what is said is in
 * metrics_series.c (histograms), metrics_lanes.c (lanes, paths, budgets),
 * metrics_drops.c (exits, interfaces, rules, lists), metrics_agent.c (tables,
 * commits, disk, process) and metrics_gateway.c (residence, module, clocks, BGP).
 * Each of these walks what it knows once for every family, since a family's
 * metrics lie behind each other.
 */
#ifndef SL_METRICS_H
#define SL_METRICS_H

#include <sealane/kmod.h>
#include "call.h"
#include "hist_long.h"

#define METRICS_RULES	500	/* told one by one; the others are "other" */
#define METRICS_LISTS	500
#define METRICS_KINDS	48	/* of events */
#define METRICS_GRAVE	3	/* error and worse, warning, others */
#define METRICS_PATHS	1024	/* lanes and paths whose changes are counted */

struct metrics {
	struct sl_hist_long **series;		/* of the data plane, by slot */
	uint32_t n_series;
	struct sl_hist_long *module[SLK_SERIES];
	uint64_t module_instance;		/* whose they are */
	struct sl_rule_ctr *rule;		/* as last seen, by slot */
	struct rule_sum {
		uint64_t packets, bytes, over;
	} others[RULE_KINDS];			/* of rules not told one by one */
	struct {
		char kind[24];
		uint64_t n[METRICS_GRAVE];	/* by how grave they are */
	} kind[METRICS_KINDS];
	struct path_changes {
		char lane[SL_NAME_B], path[SL_NAME_B];
		uint64_t latency, hops;
	} *changes;
	unsigned int n_changes;
	struct {
		uint64_t n, took_ns, len_b;	/* answers; the last one's */
	} scrape[SL_EXPOSE_PROTOBUF + 1];
};

int metrics_open(struct agent *a);
void metrics_close(struct agent *a);
/* Something was told: counted by kind, changes of paths by lane and path. */
void metrics_event(struct agent *a, int severity, const char *kind,
		   struct json_object *detail);
struct json_object *get_metrics(struct call *k);

/* --- the parts --- */
void metrics_series(struct agent *a, struct sl_expose *x);
void metrics_series_close(struct metrics *m);
void metrics_lanes(struct agent *a, struct sl_expose *x);
void metrics_drops(struct agent *a, struct sl_expose *x);
void metrics_drops_open(struct agent *a);
void metrics_agent(struct agent *a, struct sl_expose *x);
void metrics_gateway(struct agent *a, struct sl_expose *x);

/* NULL: too many are counted already. */
struct path_changes *metrics_changes_of(struct metrics *m, const char *lane,
					const char *path);
/* A family of one gauge or counter without labels. */
void metrics_gauge(struct sl_expose *x, const char *name, const char *unit,
		   const char *help, double value);
void metrics_counter(struct sl_expose *x, const char *name, const char *unit,
		     const char *help, uint64_t value);
/* What a lane is called; NULL: there is none of this number, or no longer. */
const char *metrics_lane(const struct agent *a, uint32_t lane);
const char *metrics_path(const struct agent *a, uint32_t path);

#endif
