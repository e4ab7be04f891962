/* SPDX-License-Identifier: GPL-2.0 */
/* What blocks.c (one prefix, live) and blocks_job.c (several, as a job) share. */
#ifndef SL_BLOCKS_PRIV_H
#define SL_BLOCKS_PRIV_H

#include "commits.h"
#include "plan.h"

/* What a block asks for, beside its prefixes. */
struct request {
	enum sl_action action;
	uint64_t until_ns;
	const char *why;
	bool force;			/* much of the live traffic is meant */
};

int blocks_copy(const struct blocks *from, unsigned int more,
		struct blocks *to);
struct block *blocks_find(const struct blocks *set, const struct sl_prefix *p);
int block_no_disk(struct refusal *r);
int block_no_memory(struct refusal *r);
void blocks_take(struct agent *a, struct blocks *next, struct sl_rib *extra);
int blocks_parse(struct json_object *body, struct sl_prefix **out,
		      unsigned int *n_out, struct refusal *r);
int block_request(struct json_object *body, struct request *q,
			 struct refusal *r);
int blocks_put(struct agent *a, struct blocks *next,
		   const struct sl_prefix *p, const struct request *q,
		   uid_t uid, struct refusal *r);
struct json_object *blocks_commit_doc(const struct agent *a,
				      const struct sl_prefix *p,
				      unsigned int n, int removed,
				      const struct plan *plan);
/* The event of a commit: block, unblock or expiry of n > 0 prefixes. */
void blocks_tell(struct agent *a, const char *what, const struct sl_prefix *p,
		 unsigned int n, const struct caller *who, const char *why);
void blocks_drop(struct blocks *set, struct block *b);
int blocks_are_there(const struct blocks *set, const struct sl_prefix *p,
			 unsigned int n, struct refusal *r);

#endif
