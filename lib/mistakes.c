// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "mistakes.h"

static void make_printable(char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < 0x20 || (unsigned char)*s > 0x7e)
			*s = '?';
}

void sl_mistake_args(struct sl_mistakes *all, unsigned long line,
		     const char *rule, const char *remedy, const char *fmt,
		     va_list ap)
{
	struct sl_mistake *m;
	size_t room;

	all->total++;
	if (all->n == SL_MISTAKES_KEPT)
		return;
	if (all->n == all->room) {
		room = all->room ? all->room * 2 : 16;
		m = realloc(all->m, room * sizeof(*m));
		if (!m)
			return;
		all->m = m;
		all->room = room;
	}
	m = &all->m[all->n];
	m->order = all->n++;
	m->line = line;
	snprintf(m->rule, sizeof(m->rule), "%s", rule);
	snprintf(m->remedy, sizeof(m->remedy), "%s", remedy);
	vsnprintf(m->message, sizeof(m->message), fmt, ap);
	make_printable(m->message);
	make_printable(m->remedy);
	make_printable(m->rule);
}

void sl_mistake(struct sl_mistakes *all, unsigned long line,
		const char *remedy, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	sl_mistake_args(all, line, "", remedy, fmt, ap);
	va_end(ap);
}

void sl_rule_mistake(struct sl_mistakes *all, unsigned long line,
		     const char *rule, const char *remedy,
		     const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	sl_mistake_args(all, line, rule, remedy, fmt, ap);
	va_end(ap);
}

void sl_mistakes_free(struct sl_mistakes *all)
{
	free(all->m);
	memset(all, 0, sizeof(*all));
}

static int by_line(const void *x, const void *y)
{
	const struct sl_mistake *a = x, *b = y;

	if (a->line != b->line)
		return a->line < b->line ? -1 : 1;
	return a->order < b->order ? -1 : a->order > b->order;
}

void sl_mistakes_sort(struct sl_mistakes *all)
{
	if (all->n)
		qsort(all->m, all->n, sizeof(*all->m), by_line);
}

static struct json_object *one_json(const char *file,
				    const struct sl_mistake *m)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "file", json_object_new_string(file));
	json_object_object_add(o, "line", json_object_new_int64(m->line));
	json_object_object_add(o, "rule", json_object_new_string(m->rule));
	json_object_object_add(o, "message",
			       json_object_new_string(m->message));
	json_object_object_add(o, "remedy", json_object_new_string(m->remedy));
	return o;
}

struct json_object *sl_mistakes_json(const char *file,
				     const struct sl_mistakes *all)
{
	struct json_object *items = json_object_new_array();
	struct sl_mistake more = { .remedy = "mend those first" };
	size_t i;

	for (i = 0; i < all->n; i++)
		json_object_array_add(items, one_json(file, &all->m[i]));
	if (all->total > all->n) {
		snprintf(more.message, sizeof(more.message),
			 "and %zu more mistakes", all->total - all->n);
		json_object_array_add(items, one_json(file, &more));
	}
	return items;
}
