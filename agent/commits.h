/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Commits: the store, generations, rule sets and the audit log. A commit is
 * one transaction: the rows that changed, the generation and its audit entry
 * are on disk together or not at all. Rows are never changed but closed (born,
 * died), so that every kept generation can be read as it was. Files: store
 * (opening, numbers of names), store_commit, store_load, store_prune, audit,
 * generations (log, pending, rollback), rules, slots.
 */
#ifndef SL_COMMITS_H
#define SL_COMMITS_H

#include "agent.h"
#include "rules.h"

/* What a commit is called, in the log of generations and in the audit. */
struct change {
	struct caller who;
	const char *what;		/* "block", "list replace" ... */
	const char *why, *object, *tag;	/* NULL: "" */
	struct json_object *diff;	/* the caller's; NULL: none */
	const char *outcome;		/* NULL: "committed" */
	uint64_t until_ns;		/* of a pending one, wall clock */
};

/* --- store: everything that must survive. 0 or -1, said in the log. --- */
int store_open(struct agent *a);
void store_close(struct agent *a);
/* Number of a name of a kind ("lane", "path", "slot"), 1..max-1; the same for
 * ever. in_use[id]: not to be taken from its name. -1: none is left. */
int store_id(struct agent *a, const char *kind, const char *name, int max,
	     const bool *in_use);
/* A generation is one transaction: begin, puts and drops, end. On disk when
 * store_end() returns 0; else nothing of it is. c NULL: no generation. */
int store_begin(struct agent *a, const struct change *c);
int store_put_block(struct agent *a, struct block *b);	/* sets b->id */
int store_drop_block(struct agent *a, const struct sl_prefix *p);
int store_put_list(struct agent *a, struct list *l);	/* sets l->blob */
int store_drop_list(struct agent *a, const char *name);
int store_put_rules(struct agent *a, struct rules *r);	/* sets r->blob */
int store_drop_rules(struct agent *a);
int store_set_outcome(struct agent *a, int64_t generation,
		      const char *outcome);
int store_end(struct agent *a, int rc);	/* rc not 0: undo; returns rc */

/* The state of a generation. Lists in `have` that are the same are taken from
 * there, not made anew. */
int store_load_blocks(struct agent *a, int64_t generation,
		      struct blocks *out);
int store_load_lists(struct agent *a, int64_t generation,
		     const struct lists *have, struct lists *out);
/* *out NULL: there was no rule set. */
int store_load_rules(struct agent *a, int64_t generation, struct rules **out);
int store_load(struct agent *a);	/* all that is live */
/* The oldest generation whose state is kept. */
int64_t store_kept_from(const struct agent *a);
/* A small step of forgetting what no kept generation needs, and of moving the
 * write-ahead log into the database; once a second. */
void store_tidy(struct agent *a);

/* --- audit: a hash chain of every attempt, refused ones too --- */
struct audit {
	struct caller who;
	const char *action, *object, *outcome, *why, *tag;	/* NULL: "" */
	struct json_object *detail;	/* the caller's; NULL: none */
};

int audit_open(struct agent *a);
int audit_put(struct agent *a, const struct audit *e);	/* in a transaction */
/* An entry of its own. What was done is written always; of what was refused or
 * failed only so much that nobody can fill the disk, the rest is counted. */
void audit_note(struct agent *a, const struct audit *e);
void audit_refused(struct agent *a, const struct caller *who,
		   const char *action, const char *object,
		   const struct refusal *r);
/* What others did to the data plane without the agent. */
void audit_found(struct agent *a);
void audit_tick(struct agent *a);
struct audit_query {
	const char *from, *limit, *last, *since, *tag;
};
struct json_object *audit_doc(struct agent *a, const struct audit_query *q,
			      struct refusal *r);
const char *user_name(const struct caller *who);

/* --- generations --- */
/* A commit that undoes itself unless it is confirmed. */
struct pending {
	int64_t generation;		/* 0: none */
	uint64_t until_ns;		/* wall clock, for people */
	uint64_t until_mono_ns;		/* what the data plane goes by */
	struct rules *former_rules;
	bool over;			/* undone, but not yet on disk */
	struct rules *undone_rules;	/* then: what was pending */
};

/* At start, before the state is read: a pending commit is undone. */
int generations_open(struct agent *a);
/* Once the data plane is there: where it waits for a confirmation, it hears
 * what the store says became of that commit. */
void generations_settle(struct agent *a);
void generations_free(struct agent *a);
/* While a commit waits for its confirmation, others are refused. */
int pending_refuses(const struct agent *a, struct refusal *r);
struct json_object *pending_doc(const struct agent *a);	/* null: none */
/* The tables are live until then; what was in force is kept beside them. */
void pending_begin(struct agent *a, uint64_t until_ns, uint64_t until_mono_ns,
		   struct rules *former);
int pending_confirm(struct agent *a, const struct caller *who, const char *why,
		    struct json_object **answer, struct refusal *r);
int pending_undo(struct agent *a, const struct caller *who, const char *why,
		 struct json_object **answer, struct refusal *r);
void pending_tick(struct agent *a);
/* Rollback to a kept generation, as a job: the state as it was then. */
int rollback_begin(struct agent *a, struct job *j);
int rollback_finish(struct agent *a, struct job *j);
struct json_object *generations_doc(struct agent *a, const char *limit,
				    struct refusal *r);

/* --- differences, for generations and audit; the caller's --- */
struct json_object *diff_of_block(const struct block *old,	/* NULL: none */
				  const struct block *next);
struct json_object *diff_of_blocks(const struct blocks *old,
				   const struct blocks *next);
struct json_object *diff_of_lists(const struct lists *old,
				  const struct lists *next);
struct json_object *diff_of_rules(const struct rules *old,
				  const struct rules *next);
/* The tags in a difference of rules, with spaces between; the caller's. */
char *diff_tags(struct json_object *rules);
/* {"key": part}; a part that is NULL is left out. Takes the parts. */
struct json_object *diff_join(struct json_object *rules,
			      struct json_object *blocks,
			      struct json_object *lists);

#endif
