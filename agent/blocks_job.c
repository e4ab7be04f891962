// SPDX-License-Identifier: GPL-2.0
/* Several blocks at once, or a very wide one: built beside the live tables and
 * seen together. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include "blocks_priv.h"

/* The set with the job's change, in *next. */
static int changed(struct agent *a, struct job *j, struct blocks *next)
{
	struct sl_prefix *p = NULL;
	struct block *b, *made;
	struct request q;
	unsigned int i, n = 0;
	int rc = 0;

	if (j->request)
		rc = blocks_parse(j->request, &p, &n, &j->r);
	if (!rc && blocks_copy(&a->blocks, n, next))
		rc = block_no_memory(&j->r);
	if (!rc && j->kind == JOB_BLOCK)
		rc = block_request(j->request, &q, &j->r);
	if (!rc && j->kind == JOB_UNBLOCK)
		rc = blocks_are_there(next, p, n, &j->r);
	for (i = 0; !rc && i < n; i++) {
		b = blocks_find(next, &p[i]);
		made = blocks_find(&j->blocks, &p[i]);
		if (j->kind == JOB_UNBLOCK)
			blocks_drop(next, b);
		else if (made && !b)
			next->b[next->n++] = *made;
		else
			rc = blocks_put(a, next, &p[i], &q, j->who.uid, &j->r);
	}
	free(p);
	return rc;
}

int blocks_preview(struct agent *a, struct job *j)
{
	struct blocks next = {};
	int rc;

	if (j->kind == JOB_LIST && lists_class(a, j))
		return -1;
	if (j->kind != JOB_BLOCK && j->kind != JOB_UNBLOCK) {
		free(j->blocks.b);
		return blocks_copy(&a->blocks, 0, &j->blocks) ? block_no_memory(&j->r) : 0;
	}
	rc = changed(a, j, &next);
	if (rc) {
		free(next.b);
		return rc;
	}
	free(j->blocks.b);
	j->blocks = next;
	return 0;
}

static int store_all(struct agent *a, struct job *j, struct blocks *next,
		     const struct sl_prefix *p, unsigned int n)
{
	struct json_object *v, *diff = diff_join(NULL,
		diff_of_blocks(&a->blocks, next), NULL);
	char object[48];
	struct change c = { .who = j->who, .object = object, .why = "",
		.what = j->kind == JOB_BLOCK ? "block" : "unblock",
		.diff = diff };
	unsigned int i;
	int rc;

	if (json_object_object_get_ex(j->request, "why", &v) && v)
		c.why = json_object_get_string(v);
	snprintf(object, sizeof(object), "%u prefixes", n);
	rc = store_begin(a, &c);
	for (i = 0; !rc && i < n; i++)
		rc = j->kind == JOB_BLOCK ?
		     store_put_block(a, blocks_find(next, &p[i])) :
		     store_drop_block(a, &p[i]);
	rc = store_end(a, rc);
	json_object_put(diff);
	if (rc)
		return block_no_disk(&j->r);
	blocks_tell(a, c.what, p, n, &j->who, c.why);
	return 0;
}

int blocks_finish(struct agent *a, struct job *j)
{
	struct sl_prefix *p = NULL;
	struct sl_rib *extra = NULL;
	struct blocks next = {};
	unsigned int i, n = 0;
	int rc = changed(a, j, &next);

	if (!rc && j->request)
		rc = blocks_parse(j->request, &p, &n, &j->r);
	if (!rc) {
		extra = tables_extra(&next);
		rc = extra ? job_replay(a, j, extra) : block_no_memory(&j->r);
		if (rc)
			rc = rc == -1 ? -1 : -EAGAIN;
	}
	if (!rc && n)
		rc = store_all(a, j, &next, p, n);
	if (!rc) {
		for (i = 0; i < next.n; i++)
			tables_set_class(a, next.b[i].class_id,
					 next.b[i].action, next.b[i].id,
					 next.b[i].until_ns);
		tables_live(a, j, 0);
		blocks_take(a, &next, extra);
		j->answer = blocks_commit_doc(a, p, j->kind == JOB_BLOCK ? n : 0,
				       j->kind == JOB_BLOCK ? 0 : n, j->plan);
	} else {
		sl_rib_free(extra);
		free(next.b);
	}
	free(p);
	return rc;
}
