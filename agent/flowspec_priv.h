/* SPDX-License-Identifier: GPL-2.0 */
/*
 * FlowSpec and blackholes in the agent. flowspec.c: sources, neighbours and
 * what they say; flowspec_batch.c: how that comes in; flowspec_rules.c: routes
 * to one ordered rule set; flowspec_commit.c: the job that enforces them;
 * flowspec_doc.c: answers; store_flowspec.c: what survives.
 */
#ifndef SL_AGENT_FLOWSPEC_PRIV_H
#define SL_AGENT_FLOWSPEC_PRIV_H

#include "agent.h"
#include "bgp_routes.h"
#include "flowspec.h"
#include "ruleset.h"

#define MAX_NEIGHBOURS	256
#define MAX_SOURCES	16
#define MAX_ROUTES	8192		/* of all neighbours, refused ones too */
#define DEFAULT_LIMIT	1000		/* routes of a neighbour */
#define DEFAULT_GRACE_NS (120 * 1000000000ULL)
#define MAX_GRACE_NS	(7 * 86400 * 1000000000ULL)
#define SILENT_NS	(15 * 1000000000ULL)	/* a source says something every
						 * 5 s; three times nothing */

#define MAX_SPANS	(1U << 19)	/* ranges of values of all rules: 4 MB */
#define LEAST_SPANS	4		/* of a rule that is never too various */
#define SAID_MAX	20		/* refusals in the log, a second */

/* What a route means, as long as it stays. */
struct flow_route {
	struct sl_flowspec f;		/* of FlowSpec; points into the route */
	struct sl_rule rule;
	bool usable;			/* there is a rule */
	bool accepts;			/* ends the evaluation, drops nothing */
	bool chosen;			/* for the last rule set made */
	int slot;			/* in the data plane's; -1: not there */
	char why[SL_FLOWSPEC_WHY_B];	/* of a refusal that stays */
	char now[SL_FLOWSPEC_WHY_B];	/* ... and of one as things stand */
	struct sl_flowspec_actions actions;
};

struct neighbour {
	char name[SL_FLOWSPEC_PEER_B];
	char source[SL_NAME_B];
	bool up;			/* else in grace until deadline_ns */
	int64_t session, held;		/* of the session purged by hand */
	unsigned int limit;
	uint64_t grace_ns;
	uint64_t deadline_ns;		/* wall clock */
	uint64_t stale_until_ns;	/* 0: nothing is stale */
	uint64_t changed_ns;
	uint64_t over;			/* announcements beyond the limit */
	bool unsaved, stored;		/* stored: with routes, on disk */
	struct sl_routes routes;
};

struct source {
	char name[SL_NAME_B];
	pid_t pid;
	bool live;
	uint64_t heard_ns;		/* CLOCK_MONOTONIC */
	uint64_t since_ns;		/* wall clock */
};

struct flowspec {
	char instance[40];		/* this agent, this run */
	struct neighbour **n;		/* by name */
	unsigned int count;
	struct source s[MAX_SOURCES];
	unsigned int n_sources;
	uint64_t start_ns;		/* CLOCK_MONOTONIC: when a job is due */
	bool building;
	bool squeezing;			/* spans_max is being found */
	unsigned int announced, withdrawn, purged;	/* since the last one */
	unsigned int said;		/* refusals, in this second's log */
	unsigned int spans_max;		/* of a rule, as the data plane has
					 * room; 0: any */
	char author[SL_FLOWSPEC_PEER_B];	/* "": none, "several" */
	char failed[TEXT_B];		/* why the last job did */
};

struct neighbour *neighbour_find(const struct flowspec *fs, const char *name);
struct neighbour *neighbour_add(struct flowspec *fs, const char *name);
const char *neighbour_state(const struct neighbour *n);
unsigned int neighbour_enforced(const struct neighbour *n);
unsigned int flowspec_total(const struct flowspec *fs);
struct source *flowspec_source(struct flowspec *fs, const char *name);
void flowspec_source_ends(struct agent *a, struct source *s, const char *why);
/* 0, or a refusal of this event in why (SL_FLOWSPEC_WHY_B). */
int flowspec_event(struct agent *a, const struct source *s,
		   const struct sl_bgp_event *e, char *why);
/* Something of n is not as the data plane has it. */
void flowspec_touch(struct agent *a, struct neighbour *n);
/* Read what a route's bytes mean, into r->more. 0 or -ENOMEM. */
int flow_route_read(const struct flowspec *fs, struct sl_route *r,
		    const char *peer);
void flow_route_forget(struct sl_route *r);
/* a->flow is another one: which routes are in it? */
void flowspec_settle(struct agent *a);

/* --- store_flowspec.c: 0 or -1, said in the log --- */
int store_flowspec_open(struct agent *a);	/* and fill a->flowspec */
/* What n has now, in the transaction that is open. */
int store_flowspec_put(struct agent *a, const struct neighbour *n);

#endif
