/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Questions about latency: what memory has (collect.h) and what disk has
 * (history.h), added up by names. query.c: latency; query_series.c: history;
 * query_words.c: what is asked; query_rows.c: adding up; query_disk.c: reading.
 */
#ifndef SL_QUERY_H
#define SL_QUERY_H

#include "call.h"
#include "collect.h"
#include "history.h"

#define QUERY_LANES	64
/* A question that would need more memory than this (48 MB) is refused; so much may
 * also be held by all that wait for disk. */
#define QUERY_CELLS	16384
/* With heat a cell is some 50 numbers, and the loop writes them all. */
#define QUERY_HEAT_CELLS 2048

/* A row, or in a series one step of it. Fields that are merged are zero. */
struct query_row {
	struct history_key key;
	uint64_t step_ns;	/* its beginning; 0: all of the window */
	struct sl_hist *h;	/* NULL: traffic's */
	struct sl_lane_ctr c;
	int lane_number;	/* once sorted */
};

struct query_rows {
	struct query_row *r;
	uint32_t n, room;
	uint32_t *slot, n_slots;	/* hash of what is in r, + 1 */
	bool full;			/* some are missing: too many, no memory */
};

/* What was found at one place. */
struct query_sums {
	struct query_rows rows;
	struct query_rows selfs;	/* residence, by lane and path */
	struct query_rows traffic;	/* by lane and path */
};

struct query {
	/* what is asked */
	bool by_lane, by_path, by_method, by_half, by_prefix;
	int half, method;		/* only this one; -1: all */
	bool one_path;			/* only `path` */
	bool heat;
	char path[SL_NAME_B];
	char lane[QUERY_LANES][SL_NAME_B];
	unsigned int n_lanes;		/* 0: all */
	uint64_t from_ns, to_ns;	/* wall clock; then what is covered */
	uint64_t step_ns;		/* of a series; 0: one row for all */
	/* when it was asked, as disk is read by it */
	uint64_t now_ns, keep_ns[SL_HISTORY_LEVELS];
	uint64_t seam_ns;		/* from here on memory has it */
	/* what was found; `into` is where more of it goes */
	struct query_sums mem, disk, *into;
	uint64_t bin_ns;		/* of what memory shows */
	const struct agent *a;		/* in the loop only */
	/* of reading disk */
	uint64_t least_ns;		/* no finer level reaches back */
	uint64_t part_ns;		/* steps that are expected */
	bool left;			/* nobody waits any more: atomic */
	int rc;
};

/* --- query_words.c --- */
struct query_words {
	const char *lanes[QUERY_LANES];
	unsigned int n_lanes;
	const char *by, *half, *since, *until;
	/* of a series only */
	const char *path, *method, *step, *heat;
};
/* 0 or a refusal. */
int query_parse(struct query *q, const struct query_words *w,
		struct refusal *r);
/* The lanes that are asked for; refuses those that are none. */
int query_parse_lanes(const struct agent *a, const struct query_words *w,
		      struct refusal *r);
/* Likewise of a series, whose steps are whole. */
int query_parse_series(struct query *q, const struct query_words *w,
		       struct refusal *r);

/* --- query_rows.c --- */
struct query_row *query_find(const struct query_rows *all,
			     const struct history_key *key, uint64_t step_ns);
/* Add what belongs to the question. step_ns: when it was. */
void query_take(struct query *q, uint64_t step_ns, const struct history_key *k,
		const struct sl_hist *h);
void query_take_traffic(struct query *q, const char *lane, const char *path,
			const struct sl_lane_ctr *c);
bool query_wants_lane(const struct query *q, const char *lane);
bool query_wants(const struct query *q, const struct history_key *k);
/* Traffic and residence of a row: its key with the rest merged. */
struct history_key query_place(const struct query *q, const char *lane,
			       const char *path);
void query_merge(struct query_sums *to, struct query_sums *from);
void query_sort(const struct agent *a, struct query_rows *all);
void query_forget(struct query_sums *s);
void query_free(struct query *q);

/* --- query_disk.c --- */
/* Steps of the finest level that still has a time. */
uint64_t query_finest(const struct query *q, uint64_t ns);
/* What memory has of the window: into q->mem. True: some of it is on disk. */
bool query_memory(struct query *q);
/* The rest, on the reader's thread: into q->disk. Result in q->rc: 0, negative
 * errno, or -ERANGE where steps on disk are too coarse to meet memory's. */
void query_disk(struct history_reader *r, struct query *q);
/* Both, for a request that may be put aside; `doc` makes the answer. NULL: a
 * refusal, or aside. */
struct json_object *
query_ask(struct call *k, const struct query_words *w,
	  int (*parse)(struct query *q, const struct query_words *w,
		       struct refusal *r),
	  struct json_object *(*doc)(struct query *q, struct refusal *r));

/* --- the answers --- */
struct json_object *query_latency_doc(struct query *q, struct refusal *r);
struct json_object *query_series_doc(struct query *q, struct refusal *r);
/* The members that tell where a row is from. */
void query_put_key(const struct query *q, const struct history_key *k,
		   struct json_object *o);
/* ... and what was measured there; h has samples. */
void query_put_hist(const struct sl_hist *h, struct json_object *o);
/* Events to be seen beside latency, oldest first: events.c. */
struct json_object *events_marks(const struct agent *a, uint64_t from_ns,
				 uint64_t to_ns);
/* Rows of one lane in the last minutes, of what is in memory. */
struct json_object *query_lane(const struct agent *a, const char *lane);
struct json_object *get_latency(struct call *k);
struct json_object *get_lanes(struct call *k);
struct json_object *get_history(struct call *k);

#endif
