// SPDX-License-Identifier: GPL-2.0
/* Reading the state of a generation. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include "store_priv.h"

/* Every row of a query about a generation, through a function. */
struct reader {
	struct agent *a;
	struct blocks *blocks;
	const struct lists *have;
	struct lists *lists;
	struct rules **rules;
};

static int read_rows(struct reader *r, const char *sql, int64_t generation,
		     int (*one)(struct reader *, sqlite3_stmt *))
{
	sqlite3_stmt *s = store_prepare(r->a, sql);
	int rc;

	if (!s)
		return -1;
	sqlite3_bind_int64(s, 1, generation);
	while ((rc = sqlite3_step(s)) == SQLITE_ROW)
		if (one(r, s))
			break;
	sqlite3_finalize(s);
	return rc == SQLITE_DONE ? 0 : store_fail(r->a, "read");
}

#define STATE " WHERE born <= ?1 AND (died IS NULL OR died > ?1)"

static int read_block(struct reader *r, sqlite3_stmt *s)
{
	struct blocks *all = r->blocks;
	struct block *grown, *b;

	grown = realloc(all->b, (all->n + 1) * sizeof(*grown));
	if (!grown)
		return -1;
	all->b = grown;
	b = &grown[all->n];
	memset(b, 0, sizeof(*b));
	if (sl_prefix_parse((const char *)sqlite3_column_text(s, 1),
			    &b->prefix, NULL))
		return 0;
	b->id = sqlite3_column_int64(s, 0);
	b->action = sqlite3_column_int(s, 2);
	b->until_ns = sqlite3_column_int64(s, 3);
	b->at_ns = sqlite3_column_int64(s, 4);
	store_copy_text(s, 5, b->why, sizeof(b->why));
	b->uid = sqlite3_column_int64(s, 6);
	b->class_id = sqlite3_column_int(s, 7);
	all->n++;
	return 0;
}

int store_load_blocks(struct agent *a, int64_t generation,
		      struct blocks *out)
{
	struct reader r = { .a = a, .blocks = out };

	return read_rows(&r, "SELECT id,prefix,action,until_ns,at_ns,why,uid,"
			 "class_id FROM blocks" STATE " ORDER BY id",
			 generation, read_block);
}

static int unpack(struct sl_pset *set, const uint8_t *at, size_t n4, size_t n6)
{
	size_t i;

	set->v4 = calloc(n4 + 1, sizeof(*set->v4));
	set->v6 = calloc(n6 + 1, sizeof(*set->v6));
	if (!set->v4 || !set->v6)
		return -1;
	for (i = 0; i < n4; i++, at += PACKED4_B)
		memcpy(&set->v4[i], at, PACKED4_B);
	for (i = 0; i < n6; i++, at += PACKED6_B) {
		memcpy(&set->v6[i].hi, at, 8);
		memcpy(&set->v6[i].lo, at + 8, 8);
		set->v6[i].len = at[16];
	}
	set->n4 = n4;
	set->n6 = n6;
	return 0;
}

/* The prefixes of a list; 1: they are damaged. */
static int read_set(struct agent *a, struct list *l, size_t n4, size_t n6)
{
	uint8_t *bytes = NULL;
	size_t len_b;
	int rc = store_get_blob(a, l->blob, &bytes, &len_b);

	if (!rc && (len_b != n4 * PACKED4_B + n6 * PACKED6_B ||
		    crc32_z(0, bytes, len_b) != l->crc))
		rc = 1;
	if (!rc)
		rc = unpack(&l->set, bytes, n4, n6);
	free(bytes);
	return rc;
}

static struct list *make_list(struct reader *r, sqlite3_stmt *s)
{
	struct list *l = calloc(1, sizeof(*l));
	int rc;

	if (!l)
		return NULL;
	store_copy_text(s, 0, l->name, sizeof(l->name));
	l->class_id = sqlite3_column_int64(s, 1);
	l->at_ns = sqlite3_column_int64(s, 2);
	l->generation = sqlite3_column_int64(s, 3);
	l->uid = sqlite3_column_int64(s, 4);
	store_copy_text(s, 5, l->why, sizeof(l->why));
	l->doubles = sqlite3_column_int64(s, 6);
	l->crc = sqlite3_column_int64(s, 9);
	l->blob = sqlite3_column_int64(s, 10);
	rc = read_set(r->a, l, sqlite3_column_int64(s, 7),
		      sqlite3_column_int64(s, 8));
	if (!rc)
		return l;
	if (rc)
		event(r->a, LOG_ERR, "disk", NULL, "store: list %s is damaged "
		      "and left out; push it again", l->name);
	list_free(l);
	return NULL;
}

static int read_list(struct reader *r, sqlite3_stmt *s)
{
	struct list *l = NULL, **grown;
	unsigned int i;

	grown = realloc(r->lists->l, (r->lists->n + 1) * sizeof(*grown));
	if (!grown)
		return -1;
	r->lists->l = grown;
	for (i = 0; r->have && i < r->have->n && !l; i++)
		if (r->have->l[i]->blob == sqlite3_column_int64(s, 10) &&
		    r->have->l[i]->generation == sqlite3_column_int64(s, 3))
			l = r->have->l[i];
	if (!l)
		l = make_list(r, s);
	if (l)
		grown[r->lists->n++] = l;
	return 0;
}

int store_load_lists(struct agent *a, int64_t generation,
		     const struct lists *have, struct lists *out)
{
	struct reader r = { .a = a, .have = have, .lists = out };

	return read_rows(&r, "SELECT name,class_id,at_ns,generation,uid,why,"
			 "doubles,n4,n6,crc,blob FROM lists" STATE
			 " ORDER BY name", generation, read_list);
}

static int read_rules(struct reader *r, sqlite3_stmt *s)
{
	struct rules *set = NULL;
	int64_t blob = sqlite3_column_int64(s, 6);
	uint8_t *bytes = NULL;
	size_t len_b;
	int rc = store_get_blob(r->a, blob, &bytes, &len_b);

	if (rc || crc32_z(0, bytes, len_b) !=
		  (uLong)sqlite3_column_int64(s, 5)) {
		event(r->a, LOG_ERR, "disk", NULL, "store: the rules are "
		      "damaged and left out; apply them again");
		free(bytes);
		return 0;
	}
	rc = rules_of_store((const char *)bytes, len_b, &set);
	free(bytes);
	if (rc)
		return -1;
	store_copy_text(s, 0, set->file, sizeof(set->file));
	set->at_ns = sqlite3_column_int64(s, 1);
	set->generation = sqlite3_column_int64(s, 2);
	set->uid = sqlite3_column_int64(s, 3);
	store_copy_text(s, 4, set->why, sizeof(set->why));
	set->blob = blob;
	set->since = sqlite3_column_int64(s, 7);
	*r->rules = set;
	return 0;
}

int store_load_rules(struct agent *a, int64_t generation, struct rules **out)
{
	struct reader r = { .a = a, .rules = out };

	*out = NULL;
	return read_rows(&r, "SELECT file,at_ns,generation,uid,why,crc,blob,"
			 "born FROM rules" STATE, generation, read_rules);
}

int store_load(struct agent *a)
{
	struct refusal r = {};

	if (store_load_blocks(a, a->generation, &a->blocks) ||
	    store_load_lists(a, a->generation, NULL, &a->lists))
		return -1;
	if (a->pending->over) {		/* the disk does not know it yet */
		a->rules = a->pending->former_rules;
		a->pending->former_rules = NULL;
	} else if (store_load_rules(a, a->generation, &a->rules)) {
		return -1;
	}
	if (!a->rules)
		a->rules = rules_empty();
	return a->rules ? rules_number(a, a->rules, &r) : -1;
}
