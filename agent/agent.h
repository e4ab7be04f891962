/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The agent: what its files share. One thread, one epoll loop; nothing here
 * needs a lock. Long work (a list of a million prefixes, a reload) is a job: a
 * second thread makes what is new beside what is live, and the loop takes it
 * over when it is done. Files: main (init and its mirror), loop, ports
 * (interfaces), residence.h (half self; clocks.c: of NICs), module.h, tables
 * (prefixes -> data plane), jobs, blocks, lists, commits.h
 * and its files (store, generations, rules, audit), events, collect.h (the
 * last minutes), history.h, query.h (latency), status, explain, api (HTTP), routes (what can be
 * asked).
 */
#ifndef SL_AGENT_H
#define SL_AGENT_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <syslog.h>
#include "config.h"
#include "datapath.h"
#include "input.h"
#include "ruleset.h"
#include "world.h"

#define TEXT_B 256

/* Who asks, by the socket's peer credentials or by a token. */
#define TOKEN_UID 0xf0000000U	/* and its number: stands for a token's holder */
struct caller {
	uid_t uid;			/* -1: not known */
	pid_t pid;
	enum sl_role role;
	char name[SL_NAME_B + 8];	/* "token noc"; "": by uid */
	char from[46];			/* address; "": the Unix socket */
};

/* A failure on its way to the one who asked; items: one line each. */
struct refusal {
	int status;			/* HTTP */
	char message[TEXT_B], remedy[TEXT_B];
	struct json_object *items;	/* array of strings, or NULL */
};

struct block {
	int64_t id;
	struct sl_prefix prefix;
	enum sl_action action;		/* SL_ACT_DROP or SL_ACT_COUNT */
	uint64_t until_ns, at_ns;	/* wall clock; until 0: never */
	char why[TEXT_B];
	uid_t uid;
	uint32_t class_id;
};

struct blocks {
	struct block *b;
	unsigned int n;
};

/* A named set of prefixes, pushed and replaced as one. Once made it is never
 * changed, so that a job may read it while the loop goes on. */
struct list {
	char name[SL_NAME_B];
	struct sl_pset set;
	size_t doubles;			/* stood twice in the file */
	uint32_t class_id;
	uint64_t at_ns;			/* wall clock */
	int64_t generation;		/* that made it */
	uid_t uid;
	char why[TEXT_B];
	int64_t blob;			/* in the store; 0: not there yet */
	unsigned long crc;		/* of its bytes there */
};

/* Rules, and the slots of their counters and limits. Once made only the slots
 * are filled in, before they are live, so that a job may read them while the
 * loop goes on. */
struct rules {
	struct sl_ruleset set;
	uint16_t *slot;			/* of each; NULL: none yet */
	/* of a rule file's: */
	char *json;			/* the whole set, as the store has it */
	size_t json_b;
	char file[TEXT_B], why[TEXT_B];
	uint64_t at_ns;			/* wall clock */
	int64_t generation;		/* that made it; 0: there never was one */
	int64_t since;			/* generation since which it is live */
	uid_t uid;
	int64_t blob;			/* in the store; 0: not there yet */
};

/* What a bank was made of, beside the blocks. */
struct tables {
	struct sl_rib *base;		/* the world, the lists, rules' addresses */
	struct sl_abv *abv;		/* the rules */
};

struct lists {
	struct list **l;		/* by name */
	unsigned int n;
};

/* An interface, or a VLAN on it, that the agent looks after. */
struct port {
	struct sl_config_iface cfg;
	bool generic;			/* asked for by name */
	bool held_off;			/* detached by hand */
	uint32_t ifindex;		/* 0: missing */
	int mode;			/* SL_XDP_*; 0: not attached */
	uint8_t slot, path;
	char state[TEXT_B];		/* "attached", or why not */
	char tc[TEXT_B];		/* why half self is not measured; "" */
	uint64_t last_packets, pps;
};

/* As we last knew it. */
struct bypass {
	bool on, by_known;
	struct caller who;
	uint64_t since_ns;		/* wall clock */
	unsigned int seconds;		/* that it lasts, as we saw it */
	char why[TEXT_B];
};

/* How packets are chosen for half self. */
struct residence {
	uint64_t seen;			/* as last read */
	uint64_t per_s;			/* seen in the second before */
	bool known;			/* both */
};

struct api_plan;
struct changes;
struct drops;
struct events;
struct history;
struct metrics;
struct prefixes;
struct job;
struct jobs;
struct module;
struct flowspec;
struct pending;
struct plan;
struct sample;
struct slot;

struct agent {
	const char *config_path;
	char pin_dir[256];
	struct sl_config *cfg;
	struct sl_dp *dp;
	struct store *store;
	struct events *events;
	struct drops *drops;
	struct collect *collect;
	struct sample *sample;		/* of the live traffic */
	struct history *history;	/* of latency, on disk */
	struct changes *changes;	/* of paths; budgets */
	struct prefixes *prefixes;	/* the most measured ones of each lane */
	struct metrics *metrics;	/* for GET /metrics */
	struct api *api;
	struct module *module;		/* never NULL once started */
	struct bypass bypass;
	struct blocks blocks;
	struct lists lists;
	struct pending *pending;	/* never NULL once started */
	struct slot *slots;		/* of rules' counters */
	struct world *world;		/* what cfg says of addresses */
	struct rules *guard, *rules, *flow;	/* in this order; NULL: none;
						 * rules never once started */
	struct sl_rib *base;		/* the world, lists, rules' addresses ... */
	struct sl_rib *extra;		/* ... and the blocks on top */
	struct sl_abv *abv;		/* the rules, in the live bank */
	struct tables former;		/* of the other bank, while it may hold
					 * again: nobody has confirmed yet */
	int64_t clock_ns;		/* the data plane's at wall clock 0, by
					 * which blocks end */
	struct jobs *jobs;
	struct flowspec *flowspec;	/* BGP neighbours and their routes */
	uint32_t last_class;		/* given out */
	struct port *ports;
	unsigned int n_ports;
	struct residence residence;
	uint32_t *lane_id;		/* of cfg->lanes[i] */
	char lane_name[SL_MAX_LANES][SL_NAME_B];	/* by number */
	char path_name[SL_MAX_PATHS][SL_NAME_B];
	int64_t generation;
	uint64_t started_ns;		/* wall clock */
	int lock_fd;
	bool stop;
};

/* One line in the log; priority as syslog's. */
void say(int priority, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* Fill a refusal; returns -1. */
int refuse(struct refusal *r, int status, const char *remedy,
	   const char *fmt, ...) __attribute__((format(printf, 4, 5)));
void say_refusal(struct refusal *r);	/* into the log, items freed */
void refuse_item(struct refusal *r, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* --- main, loop --- */
int agent_loop(struct agent *a);
/* Before any thread begins, which inherits it: a signal is the loop's, and kills
 * nobody. */
void agent_signals(void);
/* Read the configuration anew, as a job: the file and all it names beside the
 * loop, then taken over; a bad one changes nothing. */
int reload_begin(struct agent *a, struct job *j);
int reload_make(struct agent *a, struct job *j);
int reload_finish(struct agent *a, struct job *j);
uint32_t *number_lanes(struct agent *a, const struct sl_config *cfg);

/* --- guards --- */
/* The guards by a configuration and the host's addresses, numbered; *out NULL:
 * they are as they were. 0 or -1, said in the log. */
int guards_make(struct agent *a, const struct sl_config *cfg,
		struct rules **out);
void guards_take(struct agent *a, struct rules *r);	/* NULL: none */
void guards_sync(struct agent *a);	/* have the host's addresses changed? */
int guards_finish(struct agent *a, struct job *j);
/* Would a rule hit a protected port of an own address? Is p one? */
bool guards_forbid(const struct agent *a, const struct sl_rule *r,
		   struct sl_prefix *which);
bool guards_own(const struct agent *a, const struct sl_prefix *p,
		struct sl_prefix *which);

/* --- events --- */
int events_open(struct agent *a);
void events_close(struct agent *a);
/* Something notable: kept, and said in the log. Severity as syslog's; kind is
 * one word; detail (owned, may be NULL) what a program would ask for. */
void event(struct agent *a, int severity, const char *kind,
	   struct json_object *detail, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));
/* One event as GET events has it; NULL: it is not kept. The numbers that are. */
struct json_object *event_doc(const struct agent *a, int64_t n);
void events_span(const struct agent *a, int64_t *oldest, int64_t *last);
/* Details to add to: who; who, what became of it, and why. */
struct json_object *event_by(const struct caller *who);
struct json_object *event_commit(const struct agent *a,
				 const struct caller *who, const char *why);
void events_second(struct agent *a);
void events_save(struct agent *a);	/* write what is new to disk */

/* --- drops --- */
int drops_open(struct agent *a);
void drops_close(struct agent *a);
int drops_fd(const struct agent *a);	/* readable: packets were dropped */
void drops_ready(struct agent *a);
uint64_t drops_shown(const struct agent *a);	/* since the start */

/* --- bypass --- */
void bypass_start(struct agent *a);	/* was it changed without us? */
void bypass_second(struct agent *a);
int bypass_set(struct agent *a, bool on, const char *why,
	       const struct caller *who, struct refusal *r);
struct json_object *bypass_doc(const struct agent *a);	/* NULL: it is off */

/* --- ports --- */
int ports_configure(struct agent *a);	/* from a->cfg */
void ports_sync(struct agent *a);	/* attach what is not yet attached */
void ports_free(struct agent *a);
int ports_attach(struct agent *a, const char *name, enum sl_side side,
		 const char *path, bool generic, struct refusal *r);
int ports_detach(struct agent *a, const char *name, struct refusal *r);
struct json_object *port_doc(const struct agent *a, const struct port *p);

/* --- tables --- */
/* Everything that lies under the blocks: the world, the lists, and where the
 * compiled rules look. NULL: no memory. */
struct sl_rib *tables_base(const struct world *w, const struct lists *l,
			   struct sl_abv *abv);
struct sl_rib *tables_extra(const struct blocks *b);
/* A class that nobody has, 0 when none is left; never the one given back last,
 * for a packet on its way may still hold that one. */
uint32_t tables_new_class(struct agent *a);
void tables_set_class(struct agent *a, uint32_t class_id, enum sl_action action,
		      int64_t rule, uint64_t until_ns);
/* Build base and extra into the idle bank and verify; a refusal on failure. */
int tables_build(struct agent *a, struct sl_rib_pair p, int *progress,
		 const char **step, struct refusal *r);
int tables_start(struct agent *a);	/* all of it, once, before the loop */
void tables_free(struct agent *a);
/* Compile the rules as they will be when the job is done (NULL: as they are)
 * into the idle bank. NULL: refused. */
struct sl_abv *tables_compile(struct agent *a, const struct job *j,
			      const struct lists *lists, struct refusal *r);
/* The same in memory of its own, with the lists as they are. */
struct sl_abv *tables_compile_aside(struct agent *a, const struct job *j,
				    struct refusal *r);
/* Rules in the order in which they are compiled: guards, the rule file's,
 * FlowSpec's; NULL: none of that kind. */
#define RULE_KINDS 3
void tables_kinds(const struct agent *a, const struct job *j,
		  struct rules *kind[RULE_KINDS]);
/* The idle bank is live now, and what it was made of is the agent's; until_ns
 * (the data plane's clock) not 0: until then, unless confirmed. Meanwhile no
 * other job may build. */
void tables_live(struct agent *a, struct job *j, uint64_t until_ns);
void tables_confirm(struct agent *a);
/* The former bank holds again, at once. */
void tables_undo(struct agent *a);
/* Rule i of those that are compiled, and its slot; NULL: there is none. */
const struct sl_rule *tables_rule(const struct agent *a, uint32_t i,
				  uint32_t *slot);
/* The wall clock may have been set; once a second. */
void tables_set_clock(struct agent *a);
/* One prefix anew, seen by the next packet; as sl_fib_patch(). Where it fails
 * a->extra holds at the prefix, in both banks. */
int tables_patch(struct agent *a, const struct sl_rib *extra,
		 const struct sl_prefix *p);

/* --- jobs --- */
enum job_kind { JOB_LIST, JOB_LIST_REMOVE, JOB_BLOCK, JOB_UNBLOCK, JOB_RELOAD,
		JOB_RULES, JOB_ROLLBACK, JOB_GUARDS, JOB_FLOWSPEC, JOB_PLAN };

struct job {
	struct job *next;
	int64_t id;
	enum job_kind kind;
	struct caller who;
	char name[SL_NAME_B], why[TEXT_B];
	char file[TEXT_B];		/* of a list, for messages */
	char *body;			/* of a list, as it came */
	size_t body_b;
	enum sl_list_format format;
	struct json_object *request;	/* of a block */
	int64_t target;			/* of a rollback: generation */
	int64_t seen;			/* of rules: that the author knew; or 0 */
	uint64_t confirm_ns;		/* of rules: 0: at once for good */
	uint64_t since_ns;		/* of a plan: wall clock; 0: all */
	bool force;
	/* made beside what is live */
	struct sl_config *cfg;
	uint32_t *lane_id;
	struct world *world;
	struct list *list;
	struct lists lists;		/* of a rollback: all of them */
	struct json_object *diff;	/* of the lists */
	struct blocks blocks;		/* as they were when it began */
	struct rules *guard, *rules, *flow;	/* NULL: as they are */
	struct plan *plan;		/* what the rules do to live traffic */
	struct sl_rib *base;
	struct sl_abv *abv;
	struct api_plan *api;		/* of a reload: listeners and so on */
	/* prefixes pushed meanwhile: patched into the new image too */
	struct sl_prefix *journal;
	unsigned int n_journal;
	/* for those who ask */
	enum { JOB_QUEUED, JOB_RUNNING, JOB_DONE, JOB_FAILED } state;
	const char *step;
	int progress;			/* of the step, 0..1000 */
	uint64_t began_ns, took_ns;
	struct refusal r;
	struct json_object *answer;
};

int jobs_open(struct agent *a);
void jobs_close(struct agent *a);
int jobs_fd(const struct agent *a);	/* readable: a job is ready */
void jobs_ready(struct agent *a);
struct job *job_new(struct agent *a, enum job_kind kind,
		    const struct caller *who);
/* Queue it; jobs run one after the other. It stays the agent's. */
void job_start(struct agent *a, struct job *j);
struct json_object *job_doc(struct agent *a, int64_t id, struct refusal *r);
struct json_object *jobs_doc(const struct agent *a);
/* A prefix was patched into the live bank while a job builds. */
void jobs_note(struct agent *a, const struct sl_prefix *p);
/* Patch what was noted into the job's image; extra: the blocks as they are. */
int job_replay(struct agent *a, struct job *j, const struct sl_rib *extra);
void jobs_resume(struct agent *a);	/* those that waited for a decision */
bool jobs_busy(const struct agent *a);	/* one runs or waits */
bool jobs_hold_class(const struct agent *a, uint32_t id);

/* --- blocks --- */
/* 0 with an answer, or with a job when the tables must be built anew. */
int blocks_add(struct agent *a, struct json_object *body,
	       const struct caller *who, struct json_object **answer,
	       struct refusal *r);
int blocks_remove(struct agent *a, struct json_object *body,
		  const struct caller *who, struct json_object **answer,
		  struct refusal *r);
/* What a job of blocks looks like when it is done: the set, and its parts. */
int blocks_preview(struct agent *a, struct job *j);
int blocks_finish(struct agent *a, struct job *j);
void blocks_expire(struct agent *a);
struct json_object *block_doc(const struct agent *a, const struct block *b);
struct json_object *blocks_doc(const struct agent *a);

/* --- lists --- */
void list_free(struct list *l);
struct list *lists_find(const struct lists *set, const char *name);
/* Give up a set: its array, and the lists that are not in `kept`. */
void lists_leave(struct lists *set, const struct lists *kept);
/* Parse a job's body: 0, or a refusal. Runs beside the loop. */
int list_make(struct job *j);
/* The class of a list that a job makes: its former one, or a new one. */
int lists_class(struct agent *a, struct job *j);
/* The lists as they will be when the job is done: *out is the caller's. */
int lists_with(const struct lists *now, const struct job *j, struct lists *out);
int lists_finish(struct agent *a, struct job *j);
struct json_object *list_doc(const struct agent *a, const struct list *l);
struct json_object *lists_doc(const struct agent *a);
/* A page of a list's prefixes. */
struct json_object *list_page(const struct agent *a, const char *name,
			      const char *from, const char *limit,
			      struct refusal *r);

/* --- flowspec: flowspec_priv.h tells the files --- */
int flowspec_open(struct agent *a);	/* with the store open */
int flowspec_start(struct agent *a);	/* a->flow, before the tables */
void flowspec_close(struct agent *a);
void flowspec_tick(struct agent *a);	/* once a second */
/* A batch of a source's events, and what was refused of it; NULL: refused. */
struct json_object *flowspec_take(struct agent *a, struct json_object *body,
				  const struct caller *who, struct refusal *r);
int flowspec_purge(struct agent *a, const char *name, const struct caller *who,
		   struct json_object **answer, struct refusal *r);
struct json_object *flowspec_doc(struct agent *a);
/* The rules that stand now, in order: a new set, the caller's, which is also
 * when routes learn whether they are in it. NULL: no memory. */
struct sl_ruleset *flowspec_rules(struct agent *a);
/* A job is due soon; it begins when the loop gets there in flowspec_run(). */
void flowspec_changed(struct agent *a);
int flowspec_timeout_ms(const struct agent *a);	/* -1: none is due */
void flowspec_run(struct agent *a);
int flowspec_begin(struct agent *a, struct job *j);
int flowspec_finish(struct agent *a, struct job *j);
void flowspec_ended(struct agent *a, const struct job *j, bool failed);

/* --- collect --- */
int collect_open(struct agent *a);
void collect_close(struct agent *a);
void collect_second(struct agent *a);
/* Walk what was collected in a window (wall clock, ns). */
typedef void (*collect_series_fn)(void *arg, uint64_t key,
				  const struct sl_hist *h);
typedef void (*collect_lane_fn)(void *arg, uint32_t path, uint32_t lane,
				const struct sl_lane_ctr *c);
void collect_walk(const struct agent *a, uint64_t from_ns, uint64_t to_ns,
		  collect_series_fn series, collect_lane_fn lane, void *arg);
/* What the last second brought. */
void collect_last(const struct agent *a, collect_series_fn series,
		  collect_lane_fn lane, void *arg);

/* --- answers --- */
struct event_query {
	const char *after, *since, *kind, *limit;
};
/* none: nothing fits so far. */
struct json_object *events_doc(const struct agent *a,
			       const struct event_query *q, bool *none,
			       struct refusal *r);
struct json_object *drops_doc(const struct agent *a,
			      const struct event_query *q, bool *none,
			      struct refusal *r);
/* The members that a packet has in answers: drops.schema.json. */
void put_glance(struct json_object *o, const struct sl_glance *g);
struct json_object *status_doc(struct agent *a);
/* The lanes that saw a packet: TCP health, misses, evictions; changes.h has how they
 * are now. */
struct json_object *lanes_doc(const struct agent *a);
struct json_object *explain_doc(struct agent *a, const char *addr,
				struct refusal *r);

/* --- api, routes --- */
int api_open(struct agent *a);
void api_close(struct agent *a);
int api_fd(const struct agent *a);	/* for epoll */
void api_run(struct agent *a);
int api_timeout_ms(const struct agent *a);	/* -1: none */
void api_second(struct agent *a);
void api_wake(struct agent *a);	/* there is news for requests that wait */

struct json_object *error_doc(struct refusal *r);

/* A whole number of 0..max. 0 or -1. */
int parse_number(const char *text, uint64_t max, uint64_t *out);

/* json-c in few words; null for a NULL text. */
void put_int(struct json_object *o, const char *key, int64_t v);
void put_text(struct json_object *o, const char *key, const char *v);
void put_bool(struct json_object *o, const char *key, bool v);
/* Rounded to so many digits behind the point. */
void put_double(struct json_object *o, const char *key, double v, int digits);
void put_time(struct json_object *o, const char *key, uint64_t ns);
void put_null(struct json_object *o, const char *key);

#endif
