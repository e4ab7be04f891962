// SPDX-License-Identifier: GPL-2.0
/* What a commit changes, by name: for the log of generations and the audit. */
#include <stdlib.h>
#include <string.h>
#include "commits.h"
#include "rule_diff.h"

#define NAMES_MOST	1000	/* prefixes said one by one */

static struct json_object *part_of(struct json_object *o, const char *key)
{
	struct json_object *list;

	if (json_object_object_get_ex(o, key, &list))
		return list;
	list = json_object_new_array();
	json_object_object_add(o, key, list);
	return list;
}

static struct json_object *three_parts(void)
{
	struct json_object *o = json_object_new_object();

	part_of(o, "added");
	part_of(o, "removed");
	part_of(o, "changed");
	return o;
}

struct json_object *diff_join(struct json_object *rules,
			      struct json_object *blocks,
			      struct json_object *lists)
{
	struct json_object *o = json_object_new_object();

	if (rules)
		json_object_object_add(o, "rules", rules);
	if (blocks)
		json_object_object_add(o, "blocks", blocks);
	if (lists)
		json_object_object_add(o, "lists", lists);
	return o;
}

/* --- blocks --- */
static int by_prefix(const void *x, const void *y)
{
	const struct block *const *a = x, *const *b = y;

	return sl_prefix_cmp(&(*a)->prefix, &(*b)->prefix);
}

static const struct block **sorted(const struct blocks *b)
{
	const struct block **s = calloc(b->n + 1, sizeof(*s));
	unsigned int i;

	for (i = 0; s && i < b->n; i++)
		s[i] = &b->b[i];
	if (s)
		qsort(s, b->n, sizeof(*s), by_prefix);
	return s;
}

static void add_prefix(struct json_object *o, const char *key,
		       const struct block *b)
{
	struct json_object *list = part_of(o, key);
	char text[SL_PREFIX_STR_B];
	struct json_object *more;

	if (json_object_array_length(list) < NAMES_MOST) {
		json_object_array_add(list, json_object_new_string(
				      sl_prefix_str(&b->prefix, text)));
		return;
	}
	if (json_object_object_get_ex(o, "more", &more))
		json_object_int_inc(more, 1);
	else
		put_int(o, "more", 1);
}

static bool same_block(const struct block *x, const struct block *y)
{
	return x->action == y->action && x->until_ns == y->until_ns &&
	       !strcmp(x->why, y->why);
}

struct json_object *diff_of_block(const struct block *old,
				  const struct block *next)
{
	struct json_object *o = three_parts();

	if (!old || !next)
		add_prefix(o, next ? "added" : "removed", next ? next : old);
	else if (!same_block(old, next))
		add_prefix(o, "changed", next);
	return o;
}

struct json_object *diff_of_blocks(const struct blocks *old,
				   const struct blocks *next)
{
	const struct block **x = sorted(old), **y = sorted(next);
	struct json_object *o = three_parts();
	unsigned int i = 0, k = 0;
	int order;

	while (x && y && (i < old->n || k < next->n)) {
		order = i == old->n ? 1 : k == next->n ? -1 :
			by_prefix(&x[i], &y[k]);
		if (order < 0)
			add_prefix(o, "removed", x[i]);
		else if (order > 0)
			add_prefix(o, "added", y[k]);
		else if (!same_block(x[i], y[k]))
			add_prefix(o, "changed", y[k]);
		i += order <= 0;
		k += order >= 0;
	}
	free(x);
	free(y);
	return o;
}

/* --- lists --- */
static int cmp6(const struct sl_prefix6 *a, const struct sl_prefix6 *b)
{
	if (a->hi != b->hi)
		return a->hi < b->hi ? -1 : 1;
	if (a->lo != b->lo)
		return a->lo < b->lo ? -1 : 1;
	return a->len < b->len ? -1 : a->len > b->len;
}

/* Prefixes in both sets. */
static size_t in_common(const struct sl_pset *x, const struct sl_pset *y)
{
	size_t i, k, n = 0;
	int order;

	for (i = k = 0; i < x->n4 && k < y->n4;) {
		n += x->v4[i] == y->v4[k];
		order = x->v4[i] < y->v4[k] ? -1 : x->v4[i] > y->v4[k];
		i += order <= 0;
		k += order >= 0;
	}
	for (i = k = 0; i < x->n6 && k < y->n6;) {
		order = cmp6(&x->v6[i], &y->v6[k]);
		n += !order;
		i += order <= 0;
		k += order >= 0;
	}
	return n;
}

static size_t size_of(const struct list *l)
{
	return l ? l->set.n4 + l->set.n6 : 0;
}

static void add_list(struct json_object *o, const struct list *old,
		     const struct list *next)
{
	struct json_object *one = json_object_new_object();
	size_t both = old && next ? in_common(&old->set, &next->set) : 0;

	put_text(one, "name", next ? next->name : old->name);
	put_int(one, "prefixes", size_of(next));
	put_int(one, "prefixes_added", size_of(next) - both);
	put_int(one, "prefixes_removed", size_of(old) - both);
	json_object_array_add(part_of(o, !old ? "added" : !next ? "removed" :
				      "changed"), one);
}

struct json_object *diff_of_lists(const struct lists *old,
				  const struct lists *next)
{
	struct json_object *o = three_parts();
	unsigned int i = 0, k = 0;
	int order;

	while (i < old->n || k < next->n) {
		order = i == old->n ? 1 : k == next->n ? -1 :
			strcmp(old->l[i]->name, next->l[k]->name);
		if (order < 0)
			add_list(o, old->l[i], NULL);
		else if (order > 0)
			add_list(o, NULL, next->l[k]);
		else if (old->l[i] != next->l[k])
			add_list(o, old->l[i], next->l[k]);
		i += order <= 0;
		k += order >= 0;
	}
	return o;
}

/* --- rules --- */
static void add_rule(struct json_object *o, const char *key,
		     const struct sl_rule *r)
{
	struct json_object *one = json_object_new_object();

	put_text(one, "id", r->id);
	put_text(one, "tag", r->tag);
	json_object_array_add(part_of(o, key), one);
}

struct json_object *diff_of_rules(const struct rules *old,
				  const struct rules *next)
{
	struct json_object *o = three_parts();
	struct sl_rule_change *c = NULL;
	unsigned int i, n = 0;

	part_of(o, "moved");
	if (sl_rule_diff(&old->set, &next->set, &c, &n))
		say(LOG_ERR, "out of memory; a difference of rules is not "
		    "written down");
	for (i = 0; i < n; i++) {
		if (c[i].what & SL_RULE_REMOVED)
			add_rule(o, "removed", &old->set.r[c[i].before]);
		if (c[i].what & SL_RULE_ADDED)
			add_rule(o, "added", &next->set.r[c[i].after]);
		if (c[i].what & SL_RULE_CHANGED)
			add_rule(o, "changed", &next->set.r[c[i].after]);
		if (c[i].what & SL_RULE_MOVED)
			add_rule(o, "moved", &next->set.r[c[i].after]);
	}
	free(c);
	return o;
}

static int by_text(const void *x, const void *y)
{
	return strcmp(*(const char *const *)x, *(const char *const *)y);
}

/* All tags of a difference, sorted, each once, with spaces between. */
static char *join(const char **tag, size_t n)
{
	size_t i, room_b = 1;
	char *out, *at;

	qsort(tag, n, sizeof(*tag), by_text);
	for (i = 0; i < n; i++)
		room_b += strlen(tag[i]) + 1;
	at = out = malloc(room_b);
	if (!out)
		return NULL;
	*at = '\0';
	for (i = 0; i < n; i++) {
		if (!tag[i][0] || (i && !strcmp(tag[i], tag[i - 1])))
			continue;
		if (at != out)
			*at++ = ' ';
		at = stpcpy(at, tag[i]);
	}
	return out;
}

char *diff_tags(struct json_object *rules)
{
	static const char *const key[] = { "added", "removed", "changed",
					   "moved" };
	struct json_object *list, *tag;
	size_t i, n = 0, room = 0;
	const char **all;
	unsigned int k;
	char *out;

	for (k = 0; k < 4; k++)
		room += json_object_array_length(part_of(rules, key[k]));
	all = calloc(room + 1, sizeof(*all));
	for (k = 0; all && k < 4; k++) {
		list = part_of(rules, key[k]);
		for (i = 0; i < json_object_array_length(list); i++)
			if (json_object_object_get_ex(
				json_object_array_get_idx(list, i), "tag",
				&tag))
				all[n++] = json_object_get_string(tag);
	}
	out = all ? join(all, n) : NULL;
	free(all);
	return out;
}
