// SPDX-License-Identifier: GPL-2.0
/*
 * Rollback: rules, blocks and lists as they were in a kept generation, as a
 * generation of its own. Blocks that have ended since are left out; prefixes
 * pushed while the tables are built are kept as pushed.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "blocks_priv.h"
#include "commits.h"
#include "duration.h"

/* A class for what comes back: the one that it has now, or a new one. */
static uint32_t class_of_block(struct agent *a, const struct block *b)
{
	struct block *now = blocks_find(&a->blocks, &b->prefix);

	return now ? now->class_id : tables_new_class(a);
}

static int wanted_blocks(struct agent *a, struct job *j)
{
	struct blocks then = {};
	uint64_t now_ns = sl_now_ns();
	unsigned int i;
	uint32_t id;

	free(j->blocks.b);
	j->blocks = (struct blocks){};
	if (store_load_blocks(a, j->target, &then) ||
	    blocks_copy(&then, 0, &j->blocks)) {
		free(then.b);
		return block_no_memory(&j->r);
	}
	j->blocks.n = 0;
	for (i = 0; i < then.n; i++) {
		if (then.b[i].until_ns && then.b[i].until_ns <= now_ns)
			continue;
		/* held by the job from here on: no other gets it */
		id = class_of_block(a, &then.b[i]);
		if (!id)
			break;
		then.b[i].class_id = id;
		j->blocks.b[j->blocks.n++] = then.b[i];
	}
	free(then.b);
	return i < then.n ? refuse(&j->r, 409, "remove blocks or lists; "
				   "nothing was changed",
				   "no rule class is left") : 0;
}

static int wanted_lists(struct agent *a, struct job *j)
{
	const struct list *now;
	struct list *l;
	unsigned int i;

	if (store_load_lists(a, j->target, &a->lists, &j->lists))
		return block_no_memory(&j->r);
	for (i = 0; i < j->lists.n; i++) {
		l = j->lists.l[i];
		now = lists_find(&a->lists, l->name);
		if (now == l)
			continue;
		l->class_id = 0;
		l->class_id = now ? now->class_id : tables_new_class(a);
		if (!l->class_id)
			return refuse(&j->r, 409, "remove blocks or lists; "
				      "nothing was changed",
				      "no rule class is left for list %s",
				      l->name);
	}
	return 0;
}

static int wanted_rules(struct agent *a, struct job *j)
{
	struct rules *then = NULL;

	if (store_load_rules(a, j->target, &then))
		return block_no_memory(&j->r);
	if (!then)
		then = rules_empty();
	if (!then)
		return block_no_memory(&j->r);
	if (then->set.n == a->rules->set.n &&
	    !strcmp(then->json, a->rules->json)) {
		rules_free(then);
		return 0;
	}
	j->rules = then;
	return rules_number(a, then, &j->r);
}

/* What another attempt of the same job had loaded. */
static void start_over(struct agent *a, struct job *j)
{
	lists_leave(&j->lists, &a->lists);
	rules_free(j->rules);
	j->rules = NULL;
}

int rollback_begin(struct agent *a, struct job *j)
{
	start_over(a, j);
	j->step = "reading";
	if (j->target < store_kept_from(a) || j->target > a->generation)
		return refuse(&j->r, 409, "see sealane rule log",
			      "generation %lld is not kept; %lld to %lld are",
			      (long long)j->target,
			      (long long)store_kept_from(a),
			      (long long)a->generation);
	return wanted_blocks(a, j) || wanted_lists(a, j) ||
	       wanted_rules(a, j) ? -1 : 0;
}

/* The blocks to be: as then, and what was pushed since the job began. */
static int with_pushes(struct agent *a, struct job *j, struct blocks *next)
{
	const struct block *now;
	struct block *b;
	unsigned int i;

	if (blocks_copy(&j->blocks, j->n_journal, next))
		return block_no_memory(&j->r);
	for (i = 0; i < j->n_journal; i++) {
		now = blocks_find(&a->blocks, &j->journal[i]);
		b = blocks_find(next, &j->journal[i]);
		if (now && !b)
			next->b[next->n++] = *now;
		else if (now)
			*b = *now;
		else if (b)
			blocks_drop(next, b);
	}
	return 0;
}

static bool same(const struct block *x, const struct block *y)
{
	return x && x->id == y->id && x->action == y->action &&
	       x->until_ns == y->until_ns && x->at_ns == y->at_ns;
}

static int write_blocks(struct agent *a, struct blocks *next)
{
	unsigned int i;
	int rc = 0;

	for (i = 0; !rc && i < a->blocks.n; i++)
		if (!blocks_find(next, &a->blocks.b[i].prefix))
			rc = store_drop_block(a, &a->blocks.b[i].prefix);
	for (i = 0; !rc && i < next->n; i++)
		if (!same(blocks_find(&a->blocks, &next->b[i].prefix),
			  &next->b[i]))
			rc = store_put_block(a, &next->b[i]);
	return rc;
}

static int write_lists(struct agent *a, const struct lists *next)
{
	unsigned int i;
	int rc = 0;

	for (i = 0; !rc && i < a->lists.n; i++)
		if (!lists_find(next, a->lists.l[i]->name))
			rc = store_drop_list(a, a->lists.l[i]->name);
	for (i = 0; !rc && i < next->n; i++)
		if (lists_find(&a->lists, next->l[i]->name) != next->l[i])
			rc = store_put_list(a, next->l[i]);
	return rc;
}

static int write_all(struct agent *a, struct job *j, struct blocks *next,
		     struct json_object *diff, const char *tags)
{
	char object[48];
	const struct change c = { .who = j->who, .what = "rule rollback",
		.why = j->why, .object = object, .diff = diff, .tag = tags };
	int rc;

	snprintf(object, sizeof(object), "generation %lld",
		 (long long)j->target);
	rc = store_begin(a, &c);
	if (!rc)
		rc = write_blocks(a, next);
	if (!rc)
		rc = write_lists(a, &j->lists);
	if (!rc && j->rules)
		rc = rules_put(a, j->rules);
	return store_end(a, rc) ? block_no_disk(&j->r) : 0;
}

static void go_live(struct agent *a, struct job *j, struct blocks *next,
		    struct sl_rib *extra)
{
	struct lists old = a->lists;
	unsigned int i;

	for (i = 0; i < next->n; i++)
		tables_set_class(a, next->b[i].class_id, next->b[i].action,
				 next->b[i].id, next->b[i].until_ns);
	for (i = 0; i < j->lists.n; i++)
		tables_set_class(a, j->lists.l[i]->class_id, SL_ACT_DROP, 0,
				 0);
	tables_live(a, j, 0);
	blocks_take(a, next, extra);
	a->lists = j->lists;
	j->lists = (struct lists){};
	lists_leave(&old, &a->lists);
	if (j->rules)
		rules_free(rules_take(a, j->rules));
	j->rules = NULL;
}

int rollback_finish(struct agent *a, struct job *j)
{
	struct json_object *diff, *detail, *rules = NULL;
	struct blocks next = {};
	struct sl_rib *extra;
	char *tags = NULL;
	int rc = with_pushes(a, j, &next);

	if (rc)
		return rc;
	extra = tables_extra(&next);
	if (!extra || job_replay(a, j, extra)) {
		free(next.b);
		rc = extra ? -EAGAIN : block_no_memory(&j->r);
		sl_rib_free(extra);
		return rc;
	}
	if (j->rules) {
		rules = diff_of_rules(a->rules, j->rules);
		tags = diff_tags(rules);
	}
	diff = diff_join(rules, diff_of_blocks(&a->blocks, &next),
			 json_object_get(j->diff));
	rc = write_all(a, j, &next, diff, tags);
	free(tags);
	if (rc) {
		json_object_put(diff);
		sl_rib_free(extra);
		free(next.b);
		return rc;
	}
	go_live(a, j, &next, extra);
	detail = event_commit(a, &j->who, j->why);
	put_text(detail, "what", "rollback");
	put_int(detail, "as_of", j->target);
	event(a, LOG_NOTICE, "commit", detail, "generation %lld: back to "
	      "generation %lld by %s: %s", (long long)a->generation,
	      (long long)j->target, user_name(&j->who), j->why);
	j->answer = json_object_new_object();
	put_int(j->answer, "generation", a->generation);
	put_int(j->answer, "as_of", j->target);
	json_object_object_add(j->answer, "diff", diff);
	return 0;
}
