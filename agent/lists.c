// SPDX-License-Identifier: GPL-2.0
/* Named lists of prefixes: made beside the loop by a job, taken over whole. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "commits.h"
#include "duration.h"
#include "plan.h"

#define PAGE_DEFAULT	100
#define PAGE_MAX	10000

void list_free(struct list *l)
{
	if (!l)
		return;
	sl_pset_free(&l->set);
	free(l);
}

struct list *lists_find(const struct lists *set, const char *name)
{
	unsigned int i;

	for (i = 0; i < set->n; i++)
		if (!strcmp(set->l[i]->name, name))
			return set->l[i];
	return NULL;
}

void lists_leave(struct lists *set, const struct lists *kept)
{
	unsigned int i, k;

	for (i = 0; i < set->n; i++) {
		for (k = 0; k < kept->n && kept->l[k] != set->l[i]; k++)
			;
		if (k == kept->n)
			list_free(set->l[i]);
	}
	free(set->l);
	*set = (struct lists){};
}

/* Every mistake of the file as an item of the refusal. */
static int refuse_file(struct job *j, const struct sl_mistakes *all)
{
	size_t i;

	for (i = 0; i < all->n; i++)
		refuse_item(&j->r, "%s:%lu: %s; %s", j->file, all->m[i].line,
			    all->m[i].message, all->m[i].remedy);
	if (all->total > all->n)
		refuse_item(&j->r, "... and %zu more", all->total - all->n);
	return refuse(&j->r, 400, "mend the file; nothing was changed",
		      "%s has %zu mistakes", j->file, all->total);
}

int list_make(struct job *j)
{
	struct sl_mistakes all = {};
	char *text = NULL;
	size_t len_b;
	int rc;

	j->step = "reading";
	rc = sl_input_unpack(j->body, j->body_b, &text, &len_b, &all);
	if (!rc)
		rc = sl_list_parse(text, len_b, j->format, &j->list->set,
				   &j->list->doubles, &all);
	free(text);
	if (rc == -EINVAL)
		rc = refuse_file(j, &all);
	else if (rc)
		rc = refuse(&j->r, 500, "free memory; nothing was changed",
			    "cannot read list %s: %s", j->name, strerror(-rc));
	sl_mistakes_free(&all);
	return rc;
}

int lists_class(struct agent *a, struct job *j)
{
	const struct list *old = lists_find(&a->lists, j->name);

	j->list->class_id = old ? old->class_id : tables_new_class(a);
	if (j->list->class_id)
		return 0;
	return refuse(&j->r, 409, "remove blocks or lists; nothing was changed",
		      "no rule class is left for list %s", j->name);
}

int lists_with(const struct lists *now, const struct job *j, struct lists *out)
{
	bool one = j->kind == JOB_LIST || j->kind == JOB_LIST_REMOVE;
	bool put = j->kind == JOB_LIST;
	unsigned int i;

	if (j->kind == JOB_ROLLBACK)
		now = &j->lists;
	out->n = 0;
	out->l = calloc(now->n + 1, sizeof(*out->l));
	if (!out->l)
		return -1;
	for (i = 0; i < now->n; i++) {
		int order = one ? strcmp(now->l[i]->name, j->name) : -1;

		if (order > 0 && put) {
			out->l[out->n++] = j->list;
			put = false;
		}
		if (order)
			out->l[out->n++] = now->l[i];
	}
	if (put)
		out->l[out->n++] = j->list;
	return 0;
}

static int store(struct agent *a, struct job *j)
{
	struct json_object *diff = diff_join(NULL, NULL,
					     json_object_get(j->diff));
	const struct change c = { .who = j->who, .why = j->why,
		.object = j->name, .diff = diff,
		.what = j->kind == JOB_LIST ? "list replace" : "list remove" };
	int rc = store_begin(a, &c);

	if (!rc && j->kind == JOB_LIST) {
		j->list->generation = a->generation + 1;
		rc = store_put_list(a, j->list);
	} else if (!rc) {
		rc = store_drop_list(a, j->name);
	}
	json_object_put(diff);
	return store_end(a, rc);
}

static void tell(struct agent *a, const struct job *j)
{
	size_t n = j->list ? j->list->set.n4 + j->list->set.n6 : 0;
	struct json_object *detail = event_commit(a, &j->who, j->why);

	put_text(detail, "list", j->name);
	put_int(detail, "prefixes", n);
	event(a, LOG_NOTICE, "commit", detail, "generation %lld: list %s %s, "
	      "%zu prefixes, by %s: %s", (long long)a->generation, j->name,
	      j->list ? "replaced" : "removed", n, user_name(&j->who),
	      j->why);
}

int lists_finish(struct agent *a, struct job *j)
{
	struct list *old = lists_find(&a->lists, j->name);
	struct lists next = {};

	if (job_replay(a, j, a->extra))
		return -EAGAIN;
	if (lists_with(&a->lists, j, &next))
		return refuse(&j->r, 500, "free memory", "out of memory");
	if (j->kind == JOB_LIST)
		tables_set_class(a, j->list->class_id, SL_ACT_DROP, 0, 0);
	if (store(a, j)) {
		free(next.l);
		return refuse(&j->r, 500, "make room in the state directory; "
			      "nothing was changed",
			      "cannot write list %s to disk", j->name);
	}
	tables_live(a, j, 0);
	free(a->lists.l);
	a->lists = next;
	tell(a, j);
	j->answer = json_object_new_object();
	put_int(j->answer, "generation", a->generation);
	json_object_object_add(j->answer, "list", j->list ?
			       list_doc(a, j->list) : NULL);
	put_int(j->answer, "removed", old ? old->set.n4 + old->set.n6 : 0);
	json_object_object_add(j->answer, "live", plan_share_doc(j->plan));
	j->list = NULL;
	list_free(old);
	return 0;
}

struct json_object *list_doc(const struct agent *a, const struct list *l)
{
	struct json_object *o = json_object_new_object();
	struct sl_class_ctr ctr;
	const struct caller by = { .uid = l->uid, .pid = -1 };

	sl_dp_read_class(a->dp, l->class_id, &ctr);
	put_text(o, "name", l->name);
	put_int(o, "prefixes", l->set.n4 + l->set.n6);
	put_int(o, "prefixes4", l->set.n4);
	put_int(o, "prefixes6", l->set.n6);
	put_int(o, "doubles", l->doubles);
	put_int(o, "generation", l->generation);
	put_time(o, "at", l->at_ns);
	put_text(o, "by", user_name(&by));
	put_text(o, "why", l->why);
	put_int(o, "packets", ctr.packets);
	put_int(o, "bytes", ctr.bytes);
	put_time(o, "last_hit", ctr.last_ns ? sl_now_ns() -
		 (sl_mono_ns() - ctr.last_ns) : 0);
	return o;
}

struct json_object *lists_doc(const struct agent *a)
{
	struct json_object *o = json_object_new_object();
	struct json_object *list = json_object_new_array();
	unsigned int i;

	for (i = 0; i < a->lists.n; i++)
		json_object_array_add(list, list_doc(a, a->lists.l[i]));
	json_object_object_add(o, "lists", list);
	return o;
}

/* A whole number from 0 on; the default where there is none. */
static int number(const char *text, uint64_t fallback, uint64_t *out)
{
	*out = fallback;
	return text ? parse_number(text, INT64_MAX, out) : 0;
}

struct json_object *list_page(const struct agent *a, const char *name,
			      const char *from, const char *limit,
			      struct refusal *r)
{
	const struct list *l = lists_find(&a->lists, name);
	struct json_object *o, *page;
	char text[SL_PREFIX_STR_B];
	uint64_t i, at, n, all;
	struct sl_prefix p;

	if (!l) {
		refuse(r, 404, "see sealane list ls", "no list %s", name);
		return NULL;
	}
	if (number(from, 0, &at) || number(limit, PAGE_DEFAULT, &n) || !n ||
	    n > PAGE_MAX) {
		refuse(r, 400, "whole numbers; at most 10000 a page",
		       "from %s, limit %s", from ? from : "0",
		       limit ? limit : "100");
		return NULL;
	}
	all = l->set.n4 + l->set.n6;
	o = list_doc(a, l);
	page = json_object_new_array();
	for (i = at; i < all && i < at + n; i++) {
		sl_pset_get(&l->set, i, &p);
		json_object_array_add(page, json_object_new_string(
				      sl_prefix_str(&p, text)));
	}
	json_object_object_add(o, "page", page);
	put_int(o, "from", at);
	if (i < all)
		put_int(o, "next", i);
	else
		put_null(o, "next");
	return o;
}
