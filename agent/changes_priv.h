/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What changes.c (each second), changes_tell.c (events), changes_disk.c (over a
 * restart) and changes_doc.c (GET lanes) share. Times are CLOCK_MONOTONIC, so that
 * whoever sets the clock changes nothing; answers and the file have wall clock.
 */
#ifndef SL_CHANGES_PRIV_H
#define SL_CHANGES_PRIV_H

#include "budget.h"
#include "change.h"
#include "changes.h"
#include "hops.h"
#include "shares.h"

#define WORKING_NS	(300ULL * 1000000000)	/* idle and working latency */

/* A lane by a path. */
struct way {
	uint32_t lane, path;
	struct sl_hist second;		/* of this second, half far */
	uint64_t segments, retrans;	/* likewise */
	struct sl_change change;
	struct sl_hops *hops;		/* NULL: none was ever told */
	struct sl_hold below;		/* nearer than the floor allows ... */
	bool broken;			/* ... and told so; below is then the
					 * contrary */
	uint32_t steps;			/* of change, that were looked at */
};

struct lane_watch {
	struct sl_shares *shares;	/* NULL: no packet came home yet */
	uint64_t packets[SL_MAX_PATHS];	/* that came home in this second */
	uint32_t left;			/* path that was left last, + 1 */
	struct {
		uint32_t to;		/* the one that was taken then */
		uint64_t since_ns;	/* 0: none, or it is back */
		double from_ns;		/* usual p5 by the former; <= 0: unknown */
	} moved;
	struct sl_rolling *idle, *busy;	/* handshakes; under load */
	struct sl_budget_watch *budget;
	unsigned int n_budgets;
};

struct changes {
	struct way **way;		/* path * SL_MAX_LANES + lane */
	struct way **all;		/* the same, those that are */
	unsigned int n, room;
	struct lane_watch *lane;	/* by number */
	uint64_t last_ns;		/* this second, or the last one; 0: none
					 * yet */
	uint64_t saved_ns;
	bool save_now, save_soon, save_fails;
};

/* The one of this lane and path, made if need be; NULL: no memory. */
struct way *changes_way(struct changes *c, uint32_t lane, uint32_t path);
struct sl_hops *changes_hops(struct way *w);
struct sl_shares *changes_shares(struct changes *c, uint32_t lane);
struct sl_change_rules changes_rules(const struct agent *a);
const struct sl_config_lane *changes_lane_cfg(const struct agent *a,
					      uint32_t lane);
const char *changes_lane_name(const struct agent *a, uint32_t lane);
/* Budgets as the configuration has them now. */
void changes_sync_budgets(struct agent *a);
uint64_t changes_wall_ns(uint64_t mono_ns);	/* 0 stays 0 */
/* The usual p5 of a lane by a path; < 0: not known. */
double changes_usual_ns(const struct agent *a, uint32_t lane, uint32_t path);
/* Has the lane moved to this path, so lately that it is a change? */
bool changes_moved_here(const struct agent *a, uint32_t lane, uint32_t path);

/* --- changes_tell.c --- */
void tell_way(struct agent *a, struct way *w, const struct sl_change_news *news,
	      const struct sl_hops_news *hops);
void tell_hops(struct agent *a, const struct way *w,
	       const struct sl_hops_news *news);
/* back: to the path that was left last. */
void tell_moved(struct agent *a, uint32_t lane,
		const struct sl_shares_news *news, bool back);
void tell_queue(struct agent *a, const struct way *w,
		const struct sl_change_news *news);
void tell_floor(struct agent *a, const struct way *w, double p5_ns);
void tell_budget(struct agent *a, uint32_t lane,
		 const struct sl_budget_watch *b);

/* --- changes_disk.c --- */
void changes_restore(struct agent *a);
void changes_save(struct agent *a);

#endif
