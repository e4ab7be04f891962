/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The agent: what its files share. One thread, one epoll loop; nothing here
 * needs a lock. Files: main (init and its mirror), loop, ports (interfaces),
 * tables (prefixes -> data plane), blocks, store (SQLite), collect (the last
 * hour), query (latency), status (status, explain), api (HTTP).
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

#define TEXT_B 256

/* Who asks, by the socket's peer credentials. */
struct caller {
	uid_t uid;
	pid_t pid;
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

/* An interface, or a VLAN on it, that the agent looks after. */
struct port {
	struct sl_config_iface cfg;
	bool generic;			/* asked for by name */
	bool held_off;			/* detached by hand */
	uint32_t ifindex;		/* 0: missing */
	int mode;			/* SL_XDP_*; 0: not attached */
	uint8_t slot, path;
	char state[TEXT_B];		/* "attached", or why not */
	uint64_t last_packets, pps;
};

struct agent {
	const char *config_path;
	struct sl_config *cfg;
	struct sl_dp *dp;
	struct store *store;
	struct collect *collect;
	struct api *api;
	struct blocks blocks;
	struct port *ports;
	unsigned int n_ports;
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
void refuse_item(struct refusal *r, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* --- main, loop --- */
int agent_loop(struct agent *a);
/* Read the configuration anew; a bad file changes nothing. */
int agent_reload(struct agent *a, const struct caller *who,
		 struct refusal *r);

/* --- store: everything that must survive. 0 or -1, said in the log. --- */
int store_open(struct agent *a);
void store_close(struct agent *a);
/* Number of a name of a kind ("lane", "path", "slot"), 1..max-1; the same for
 * ever. in_use[id]: not to be taken from its name. -1: none is left. */
int store_id(struct agent *a, const char *kind, const char *name, int max,
	     const bool *in_use);
/* One generation: the blocks as they shall be. On disk when it returns 0. */
int store_commit(struct agent *a, struct blocks *next,
		 const struct caller *who, const char *what, const char *why);
int store_load(struct agent *a);	/* fills blocks and generation */

/* --- ports --- */
int ports_configure(struct agent *a);	/* from a->cfg */
void ports_sync(struct agent *a);	/* attach what is not yet attached */
void ports_free(struct agent *a);
int ports_attach(struct agent *a, const char *name, enum sl_side side,
		 const char *path, bool generic, struct refusal *r);
int ports_detach(struct agent *a, const char *name, struct refusal *r);
struct json_object *port_doc(const struct agent *a, const struct port *p);

/* --- tables --- */
/* Compile lanes, home, protected prefixes and these blocks. */
int tables_compile(struct agent *a, const struct sl_config *cfg,
		   const uint32_t *lane_id, const struct blocks *b,
		   struct sl_fib_image *img, struct refusal *r);
/* Write the blocks' classes, then flip to the image. */
int tables_apply(struct agent *a, const struct blocks *b,
		 const struct sl_fib_image *img);
int tables_refresh(struct agent *a);	/* compile and apply what is */

/* --- blocks --- */
int blocks_add(struct agent *a, struct json_object *body,
	       const struct caller *who, struct json_object **answer,
	       struct refusal *r);
int blocks_remove(struct agent *a, struct json_object *body,
		  const struct caller *who, struct json_object **answer,
		  struct refusal *r);
void blocks_expire(struct agent *a);
struct json_object *block_doc(const struct agent *a, const struct block *b);
struct json_object *blocks_doc(const struct agent *a);

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

/* --- answers --- */
/* A query's words, NULL-terminated lists. */
struct latency_query {
	const char *lanes[64];
	unsigned int n_lanes;
	const char *by, *half, *since, *until;
};
struct json_object *query_latency(const struct agent *a,
				  const struct latency_query *q,
				  struct refusal *r);
struct json_object *status_doc(struct agent *a);
struct json_object *explain_doc(struct agent *a, const char *addr,
				struct refusal *r);

/* --- api --- */
int api_open(struct agent *a);
void api_close(struct agent *a);
int api_fd(const struct agent *a);	/* for epoll */
void api_run(struct agent *a);
int api_timeout_ms(const struct agent *a);	/* -1: none */

/* json-c in few words; null for a NULL text. */
void put_int(struct json_object *o, const char *key, int64_t v);
void put_text(struct json_object *o, const char *key, const char *v);
void put_bool(struct json_object *o, const char *key, bool v);
void put_time(struct json_object *o, const char *key, uint64_t ns);
void put_null(struct json_object *o, const char *key);

#endif
