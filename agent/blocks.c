// SPDX-License-Identifier: GPL-2.0
/*
 * Blocks: prefixes that are dropped, or only counted. A change is made on a
 * copy. One prefix is patched into the live tables: a block is enforced, then
 * written to disk and reported; an unblock is written first, so that a crash
 * never leaves a rule loosened. Several prefixes, and very wide ones, are a
 * job: they become seen together.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "blocks_priv.h"
#include "duration.h"


/* Of the classes; some are left for lists. */
#define MAX_BLOCKS 3500
#define TOLD_PREFIXES 20	/* of an event */

int blocks_copy(const struct blocks *from, unsigned int more,
		struct blocks *to)
{
	to->b = calloc(from->n + more + 1, sizeof(*to->b));
	if (!to->b)
		return -1;
	if (from->n)
		memcpy(to->b, from->b, from->n * sizeof(*to->b));
	to->n = from->n;
	return 0;
}

struct block *blocks_find(const struct blocks *set, const struct sl_prefix *p)
{
	unsigned int i;

	for (i = 0; i < set->n; i++)
		if (!sl_prefix_cmp(&set->b[i].prefix, p))
			return &set->b[i];
	return NULL;
}

/* Patch one prefix in the live bank, seen by the next packet. */
static int patch_live(struct agent *a, const struct sl_rib *extra,
		      const struct sl_prefix *p)
{
	int rc = tables_patch(a, extra, p);

	if (!rc)
		jobs_note(a, p);
	return rc;
}

int block_no_disk(struct refusal *r)
{
	return refuse(r, 500, "make room in the state directory; nothing was "
		      "changed", "cannot write the change to disk");
}

int block_no_memory(struct refusal *r)
{
	return refuse(r, 500, "free memory", "out of memory");
}

/* The blocks from now on, and their prefixes. */
void blocks_take(struct agent *a, struct blocks *next, struct sl_rib *extra)
{
	free(a->blocks.b);
	a->blocks = *next;
	next->b = NULL;
	sl_rib_free(a->extra);
	a->extra = extra;
}

/* The prefixes of a request; every bad one is an item of the refusal. */
int blocks_parse(struct json_object *body, struct sl_prefix **out,
		      unsigned int *n_out, struct refusal *r)
{
	struct json_object *list;
	unsigned int i, n;
	const char *text, *why;

	if (!json_object_object_get_ex(body, "prefixes", &list) ||
	    !json_object_is_type(list, json_type_array) ||
	    !json_object_array_length(list))
		return refuse(r, 400, "give \"prefixes\": [...]",
			      "no prefixes");
	n = json_object_array_length(list);
	*out = calloc(n, sizeof(**out));
	if (!*out)
		return refuse(r, 500, "free memory", "out of memory");
	for (i = 0; i < n; i++) {
		text = json_object_get_string(
			json_object_array_get_idx(list, i));
		if (sl_prefix_parse(text ? text : "", &(*out)[i], &why))
			refuse_item(r, "%s %s", text ? text : "null", why);
		else if (!(*out)[i].len)
			refuse_item(r, "%s would be everything", text);
	}
	*n_out = n;
	return r->items ? refuse(r, 400, "nothing was changed",
				 "%zu of %u prefixes cannot be used",
				 json_object_array_length(r->items), n) : 0;
}

/* Protected prefixes are refused at the door, and open in the data plane. */
static int check_protected(const struct agent *a, const struct sl_prefix *p,
			   unsigned int n, struct refusal *r)
{
	char x[SL_PREFIX_STR_B], y[SL_PREFIX_STR_B];
	struct sl_prefix which;
	unsigned int i;

	for (i = 0; i < n; i++)
		if (sl_rib_protects(a->base, &p[i], &which) ||
		    guards_own(a, &p[i], &which))
			refuse_item(r, "%s touches the protected %s",
				    sl_prefix_str(&p[i], x),
				    sl_prefix_str(&which, y));
	return r->items ? refuse(r, 409, "leave protected prefixes out; nothing "
				 "was changed", "protected prefixes are never "
				 "blocked") : 0;
}

int block_request(struct json_object *body, struct request *q,
			 struct refusal *r)
{
	struct json_object *v;
	uint64_t for_ns;

	*q = (struct request){ .action = SL_ACT_DROP, .why = "" };
	if (json_object_object_get_ex(body, "count_only", &v) &&
	    json_object_get_boolean(v))
		q->action = SL_ACT_COUNT;
	q->force = json_object_object_get_ex(body, "force", &v) &&
		   json_object_get_boolean(v);
	if (json_object_object_get_ex(body, "why", &v) && v)
		q->why = json_object_get_string(v);
	if (strlen(q->why) >= TEXT_B)
		return refuse(r, 400, "at most 255 bytes", "why is too long");
	if (!json_object_object_get_ex(body, "for", &v) || !v)
		return 0;
	if (sl_duration_parse(json_object_get_string(v), &for_ns) || !for_ns)
		return refuse(r, 400, "write 90s, 5m, 2h or 7d",
			      "%s is no duration", json_object_get_string(v));
	q->until_ns = sl_now_ns() + for_ns;
	return 0;
}

int blocks_put(struct agent *a, struct blocks *next,
		   const struct sl_prefix *p, const struct request *q,
		   uid_t uid, struct refusal *r)
{
	struct block *b = blocks_find(next, p);
	unsigned int i;
	uint32_t id;

	if (!b) {
		id = tables_new_class(a);
		for (i = 0; id && i < next->n; i++)
			if (next->b[i].class_id == id) {
				id = tables_new_class(a);
				i = 0;
			}
		if (!id || next->n >= MAX_BLOCKS)
			return refuse(r, 409, "remove some, or push a list",
				      "%u blocks are the limit", MAX_BLOCKS);
		b = &next->b[next->n++];
		*b = (struct block){ .prefix = *p, .class_id = id };
	}
	b->action = q->action;
	b->until_ns = q->until_ns;
	b->at_ns = sl_now_ns();
	b->uid = uid;
	snprintf(b->why, sizeof(b->why), "%s", q->why);
	return 0;
}

/* Wide, or several: no single store makes them seen. */
static bool wants_job(const struct sl_prefix *p, unsigned int n)
{
	return n != 1 || p->len < (p->family == 4 ? 16 : SL_FIB6_ROOT_BITS);
}

static int start_job(struct agent *a, enum job_kind kind,
		     struct json_object *body, bool force,
		     const struct caller *who, struct json_object **answer,
		     struct refusal *r)
{
	struct job *j = job_new(a, kind, who);

	if (!j)
		return block_no_memory(r);
	j->request = json_object_get(body);
	j->force = force;
	*answer = json_object_new_object();
	put_int(*answer, "job", j->id);
	job_start(a, j);
	return 0;
}

/* The prefixes of a commit, as far as a line holds them. */
static struct json_object *first_prefixes(const struct sl_prefix *p,
					  unsigned int n)
{
	struct json_object *list = json_object_new_array();
	char text[SL_PREFIX_STR_B];
	unsigned int i;

	for (i = 0; i < n && i < TOLD_PREFIXES; i++)
		json_object_array_add(list, json_object_new_string(
				      sl_prefix_str(&p[i], text)));
	return list;
}

void blocks_tell(struct agent *a, const char *what, const struct sl_prefix *p,
		 unsigned int n, const struct caller *who, const char *why)
{
	struct json_object *detail = event_commit(a, who, why);
	bool expiry = !strcmp(what, "expiry");
	char text[SL_PREFIX_STR_B];

	put_text(detail, "what", what);
	put_int(detail, "n", n);
	json_object_object_add(detail, "prefixes", first_prefixes(p, n));
	event(a, LOG_NOTICE, expiry ? "expiry" : "commit", detail,
	      "generation %lld: %s of %s%s%s%s%s%s", (long long)a->generation,
	      what, sl_prefix_str(p, text), n > 1 ? " and others" : "",
	      expiry ? "" : " by ", expiry ? "" : user_name(who),
	      why[0] ? ": " : "", why);
}

/* The generation of one prefix, on disk. Puts b, or drops p where it is NULL. */
static int write_one(struct agent *a, const struct sl_prefix *p,
		     struct block *b, const struct caller *who,
		     const char *what, const char *why)
{
	struct json_object *diff = diff_join(NULL,
		diff_of_block(blocks_find(&a->blocks, p), b), NULL);
	char object[SL_PREFIX_STR_B];
	const struct change c = { .who = *who, .what = what, .why = why,
		.object = sl_prefix_str(p, object), .diff = diff };
	int rc = store_begin(a, &c);

	if (!rc)
		rc = b ? store_put_block(a, b) : store_drop_block(a, p);
	json_object_put(diff);
	return store_end(a, rc);
}

/* The class is again what it was, where it was one. */
static void restore_class(struct agent *a, const struct sl_prefix *p)
{
	const struct block *b = blocks_find(&a->blocks, p);

	if (b)
		tables_set_class(a, b->class_id, b->action, b->id,
				 b->until_ns);
}

/* One prefix: enforce, write, report; -EAGAIN: it takes a job. */
static int add_live(struct agent *a, struct blocks *next,
		    const struct sl_prefix *p, const struct caller *who,
		    const char *why, struct refusal *r)
{
	struct sl_rib *extra = tables_extra(next);
	struct block *b = blocks_find(next, p);
	int rc;

	if (!extra)
		return block_no_memory(r);
	tables_set_class(a, b->class_id, b->action, b->id, b->until_ns);
	rc = patch_live(a, extra, p);
	if (rc) {
		restore_class(a, p);
		sl_rib_free(extra);
		return -EAGAIN;
	}
	if (write_one(a, p, b, who, "block", why)) {
		restore_class(a, p);
		patch_live(a, a->extra, p);
		sl_rib_free(extra);
		return block_no_disk(r);
	}
	tables_set_class(a, b->class_id, b->action, b->id, b->until_ns);
	blocks_take(a, next, extra);
	blocks_tell(a, "block", p, 1, who, why);
	return 0;
}

/* What only counts drops nothing. */
static bool unjudged(const struct request *q)
{
	return q->force || q->action != SL_ACT_DROP;
}

/* As add_live(); the set is made, and the live traffic asked first. */
static int add_one(struct agent *a, const struct sl_prefix *p,
		   const struct request *q, const struct caller *who,
		   struct json_object **answer, struct refusal *r)
{
	struct blocks next = {};
	struct plan plan = {};
	int rc = unjudged(q) ? 0 : wide_block(a, p, &plan, r);

	if (!rc)
		rc = blocks_copy(&a->blocks, 1, &next) ? block_no_memory(r) :
		     blocks_put(a, &next, p, q, who->uid, r);
	if (!rc)
		rc = add_live(a, &next, p, who, q->why, r);
	if (!rc)
		*answer = blocks_commit_doc(a, p, 1, 0, unjudged(q) ? NULL :
					    &plan);
	plan_free(&plan);
	free(next.b);
	return rc;
}

int blocks_add(struct agent *a, struct json_object *body,
	       const struct caller *who, struct json_object **answer,
	       struct refusal *r)
{
	struct sl_prefix *p = NULL;
	struct request q;
	unsigned int n = 0;
	int rc = block_request(body, &q, r);

	if (!rc)
		rc = blocks_parse(body, &p, &n, r);
	if (!rc)
		rc = check_protected(a, p, n, r);
	if (!rc)
		rc = wants_job(p, n) ? -EAGAIN :
		     add_one(a, p, &q, who, answer, r);
	if (rc == -EAGAIN)
		rc = start_job(a, JOB_BLOCK, body, unjudged(&q), who, answer,
			       r);
	free(p);
	return rc;
}

void blocks_drop(struct blocks *set, struct block *b)
{
	memmove(b, b + 1, (set->b + set->n - (b + 1)) * sizeof(*b));
	set->n--;
}

/* One prefix: write, let pass, report. */
static int remove_live(struct agent *a, const struct sl_prefix *p,
		       const struct caller *who, const char *what,
		       const char *why, struct refusal *r)
{
	struct blocks next = {};
	struct sl_rib *extra;
	int rc;

	if (blocks_copy(&a->blocks, 0, &next))
		return block_no_memory(r);
	blocks_drop(&next, blocks_find(&next, p));
	extra = tables_extra(&next);
	if (!extra) {
		free(next.b);
		return block_no_memory(r);
	}
	if (write_one(a, p, NULL, who, what, why)) {
		sl_rib_free(extra);
		free(next.b);
		return block_no_disk(r);
	}
	blocks_take(a, &next, extra);
	rc = patch_live(a, a->extra, p);
	blocks_tell(a, what, p, 1, who, why);
	return rc ? -EAGAIN : 0;
}

/* Every prefix must be blocked as it was named. */
int blocks_are_there(const struct blocks *set, const struct sl_prefix *p,
			 unsigned int n, struct refusal *r)
{
	char text[SL_PREFIX_STR_B];
	unsigned int i;

	for (i = 0; i < n; i++)
		if (!blocks_find(set, &p[i]))
			refuse_item(r, "%s is not blocked",
				    sl_prefix_str(&p[i], text));
	return r->items ? refuse(r, 409, "name prefixes as they were blocked; "
				 "nothing was changed",
				 "not every prefix is blocked") : 0;
}

int blocks_remove(struct agent *a, struct json_object *body,
		  const struct caller *who, struct json_object **answer,
		  struct refusal *r)
{
	struct sl_prefix *p = NULL;
	struct json_object *v;
	const char *why = json_object_object_get_ex(body, "why", &v) && v ?
			  json_object_get_string(v) : "";
	unsigned int n = 0;
	int rc = blocks_parse(body, &p, &n, r);

	if (!rc && strlen(why) >= TEXT_B)
		rc = refuse(r, 400, "at most 255 bytes", "why is too long");
	if (!rc)
		rc = blocks_are_there(&a->blocks, p, n, r);
	if (!rc && !wants_job(p, n)) {
		rc = remove_live(a, p, who, "unblock", why, r);
		if (!rc)
			*answer = blocks_commit_doc(a, NULL, 0, 1, NULL);
		if (rc == -EAGAIN)	/* on disk; the tables follow */
			rc = start_job(a, JOB_UNBLOCK, NULL, true, who, answer,
				       r);
	} else if (!rc) {
		rc = start_job(a, JOB_UNBLOCK, body, true, who, answer, r);
	}
	free(p);
	return rc;
}

/* The data plane stopped enforcing them already; take them off the list. */
void blocks_expire(struct agent *a)
{
	const struct caller nobody = {};
	uint64_t now_ns = sl_now_ns();
	struct json_object *none = NULL;
	struct refusal r = {};
	struct sl_prefix p;
	unsigned int i;
	int rc = 0;

	for (i = 0; i < a->blocks.n && rc != -1;) {
		if (!a->blocks.b[i].until_ns ||
		    a->blocks.b[i].until_ns > now_ns) {
			i++;
			continue;
		}
		p = a->blocks.b[i].prefix;
		rc = remove_live(a, &p, &nobody, "expiry",
				 "its time was over", &r);
		if (rc == -EAGAIN)
			start_job(a, JOB_UNBLOCK, NULL, true, &nobody, &none,
				  &r);
	}
	json_object_put(none);
}
