// SPDX-License-Identifier: GPL-2.0
/*
 * Blocks: prefixes that are dropped, or only counted. A change is made on a
 * copy, compiled, written to disk, and only then applied; each step can fail
 * without a trace of the change.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "agent.h"
#include "duration.h"

#define CLASS_FIRST (SL_CLASS_PROTECT + 1)

struct json_object *block_doc(const struct agent *a, const struct block *b)
{
	struct json_object *o = json_object_new_object();
	char text[SL_PREFIX_STR_B];
	struct sl_class_ctr ctr;
	uint64_t ago_ns;

	sl_dp_read_class(a->dp, b->class_id, &ctr);
	put_int(o, "id", b->id);
	put_text(o, "prefix", sl_prefix_str(&b->prefix, text));
	put_text(o, "action", b->action == SL_ACT_DROP ? "drop" : "count");
	put_time(o, "until", b->until_ns);
	put_text(o, "why", b->why);
	snprintf(text, sizeof(text), "uid %u", (unsigned int)b->uid);
	put_text(o, "by", text);
	put_time(o, "at", b->at_ns);
	put_int(o, "packets", ctr.packets);
	put_int(o, "bytes", ctr.bytes);
	ago_ns = sl_mono_ns() - ctr.last_ns;
	put_time(o, "last_hit", ctr.last_ns ? sl_now_ns() - ago_ns : 0);
	return o;
}

struct json_object *blocks_doc(const struct agent *a)
{
	struct json_object *o = json_object_new_object();
	struct json_object *list = json_object_new_array();
	unsigned int i;

	for (i = 0; i < a->blocks.n; i++)
		json_object_array_add(list, block_doc(a, &a->blocks.b[i]));
	json_object_object_add(o, "blocks", list);
	return o;
}

static int copy(const struct blocks *from, unsigned int more,
		struct blocks *to)
{
	to->b = calloc(from->n + more + 1, sizeof(*to->b));
	if (!to->b)
		return -1;
	memcpy(to->b, from->b, from->n * sizeof(*to->b));
	to->n = from->n;
	return 0;
}

static struct block *find(const struct blocks *set, const struct sl_prefix *p)
{
	unsigned int i;

	for (i = 0; i < set->n; i++)
		if (!sl_prefix_cmp(&set->b[i].prefix, p))
			return &set->b[i];
	return NULL;
}

static uint32_t free_class(const struct blocks *set)
{
	bool taken[SL_MAX_CLASSES] = {};
	uint32_t id;
	unsigned int i;

	for (i = 0; i < set->n; i++)
		if (set->b[i].class_id < SL_MAX_CLASSES)
			taken[set->b[i].class_id] = true;
	for (id = CLASS_FIRST; id < SL_MAX_CLASSES; id++)
		if (!taken[id])
			return id;
	return 0;
}

/* Compile, store, apply: the one way to a new generation. */
static int commit(struct agent *a, struct blocks *next,
		  const struct caller *who, const char *what, const char *why,
		  struct refusal *r)
{
	struct sl_fib_image img = {};
	int rc = tables_compile(a, a->cfg, a->lane_id, next, &img, r);

	if (!rc && store_commit(a, next, who, what, why))
		rc = refuse(r, 500, "make room in the state directory; nothing "
			    "was changed", "cannot write the change to disk");
	if (!rc) {
		free(a->blocks.b);
		a->blocks = *next;
		next->b = NULL;
		if (tables_apply(a, &a->blocks, &img))
			rc = refuse(r, 500, "restart the agent",
				    "the data plane refused the change: %s",
				    sl_dp_error(a->dp));
	}
	sl_fib_image_free(&img);
	return rc;
}

/* The prefixes of a request; every bad one is an item of the refusal. */
static int parse_list(struct json_object *body, struct sl_prefix **out,
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
	unsigned int i, j;

	for (i = 0; i < n; i++)
		for (j = 0; j < a->cfg->n_protect; j++)
			if (sl_prefix_covers(&a->cfg->protect[j], &p[i]) ||
			    sl_prefix_covers(&p[i], &a->cfg->protect[j]))
				refuse_item(r, "%s touches the protected %s",
					    sl_prefix_str(&p[i], x),
					    sl_prefix_str(&a->cfg->protect[j],
							  y));
	return r->items ? refuse(r, 409, "leave protected prefixes out; nothing "
				 "was changed", "protected prefixes are never "
				 "blocked") : 0;
}

struct request {
	enum sl_action action;
	uint64_t until_ns;
	const char *why;
};

static int parse_request(struct json_object *body, struct request *q,
			 struct refusal *r)
{
	struct json_object *v;
	uint64_t for_ns;

	*q = (struct request){ .action = SL_ACT_DROP, .why = "" };
	if (json_object_object_get_ex(body, "count_only", &v) &&
	    json_object_get_boolean(v))
		q->action = SL_ACT_COUNT;
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

static int add_one(struct agent *a, struct blocks *next,
		   const struct sl_prefix *p, const struct request *q,
		   uid_t uid, struct refusal *r)
{
	struct block *b = find(next, p);
	uint32_t id;

	if (!b) {
		id = free_class(next);
		if (!id)
			return refuse(r, 409, "remove some, or push a list",
				      "%u blocks are the limit",
				      SL_MAX_CLASSES - CLASS_FIRST);
		b = &next->b[next->n++];
		*b = (struct block){ .prefix = *p, .class_id = id };
		sl_dp_clear_class(a->dp, id);
	}
	b->action = q->action;
	b->until_ns = q->until_ns;
	b->at_ns = sl_now_ns();
	b->uid = uid;
	snprintf(b->why, sizeof(b->why), "%s", q->why);
	return 0;
}

static struct json_object *commit_doc(const struct agent *a,
				      const struct sl_prefix *p,
				      unsigned int n, int removed)
{
	struct json_object *o = json_object_new_object();
	struct json_object *list = json_object_new_array();
	const struct block *b;
	unsigned int i;

	for (i = 0; i < n; i++) {
		b = find(&a->blocks, &p[i]);
		if (b)
			json_object_array_add(list, block_doc(a, b));
	}
	put_int(o, "generation", a->generation);
	json_object_object_add(o, "blocks", list);
	put_int(o, "removed", removed);
	return o;
}

int blocks_add(struct agent *a, struct json_object *body,
	       const struct caller *who, struct json_object **answer,
	       struct refusal *r)
{
	struct sl_prefix *p = NULL;
	struct blocks next = {};
	struct request q;
	unsigned int i, n = 0;
	int rc = parse_request(body, &q, r);

	if (!rc)
		rc = parse_list(body, &p, &n, r);
	if (!rc)
		rc = check_protected(a, p, n, r);
	if (!rc && copy(&a->blocks, n, &next))
		rc = refuse(r, 500, "free memory", "out of memory");
	for (i = 0; !rc && i < n; i++)
		rc = add_one(a, &next, &p[i], &q, who->uid, r);
	if (!rc)
		rc = commit(a, &next, who, "block", q.why, r);
	if (!rc) {
		*answer = commit_doc(a, p, n, 0);
		say(LOG_NOTICE, "generation %lld: %u prefixes blocked by uid "
		    "%u: %s", (long long)a->generation, n,
		    (unsigned int)who->uid, q.why);
	}
	free(next.b);
	free(p);
	return rc;
}

static void drop_one(struct blocks *set, struct block *b)
{
	memmove(b, b + 1, (set->b + set->n - (b + 1)) * sizeof(*b));
	set->n--;
}

int blocks_remove(struct agent *a, struct json_object *body,
		  const struct caller *who, struct json_object **answer,
		  struct refusal *r)
{
	char text[SL_PREFIX_STR_B];
	struct sl_prefix *p = NULL;
	struct blocks next = {};
	unsigned int i, n = 0;
	struct block *b;
	int rc = parse_list(body, &p, &n, r);

	if (!rc && copy(&a->blocks, 0, &next))
		rc = refuse(r, 500, "free memory", "out of memory");
	for (i = 0; !rc && i < n; i++) {
		b = find(&next, &p[i]);
		if (b)
			drop_one(&next, b);
		else
			refuse_item(r, "%s is not blocked",
				    sl_prefix_str(&p[i], text));
	}
	if (!rc && r->items)
		rc = refuse(r, 409, "name prefixes as they were blocked; "
			    "nothing was changed", "not every prefix is blocked");
	if (!rc)
		rc = commit(a, &next, who, "unblock", "", r);
	if (!rc) {
		*answer = commit_doc(a, NULL, 0, n);
		say(LOG_NOTICE, "generation %lld: %u prefixes unblocked by "
		    "uid %u", (long long)a->generation, n,
		    (unsigned int)who->uid);
	}
	free(next.b);
	free(p);
	return rc;
}

/* The data plane stopped enforcing them already; take them off the list. */
void blocks_expire(struct agent *a)
{
	const struct caller nobody = {};
	uint64_t now_ns = sl_now_ns();
	struct blocks next = {};
	struct refusal r = {};
	unsigned int i, n = 0;

	for (i = 0; i < a->blocks.n; i++)
		n += a->blocks.b[i].until_ns &&
		     a->blocks.b[i].until_ns <= now_ns;
	if (!n || copy(&a->blocks, 0, &next))
		return;
	for (i = next.n; i-- > 0;)
		if (next.b[i].until_ns && next.b[i].until_ns <= now_ns)
			drop_one(&next, &next.b[i]);
	if (!commit(a, &next, &nobody, "expiry", "", &r))
		say(LOG_NOTICE, "generation %lld: %u blocks expired",
		    (long long)a->generation, n);
	free(next.b);
}
