// SPDX-License-Identifier: GPL-2.0
/* Writing a generation: rows that it begins (born) and ends (died). */
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include "duration.h"
#include "store_priv.h"

static int put_generation(struct agent *a, const struct change *c)
{
	sqlite3_stmt *s = store_prepare(a, "INSERT INTO generations VALUES("
					"?,?,?,?,?,?,?,?,?,?,?)");

	sqlite3_bind_int64(s, 1, a->generation + 1);
	sqlite3_bind_int64(s, 2, sl_now_ns());
	sqlite3_bind_int64(s, 3, c->who.uid);
	sqlite3_bind_int64(s, 4, c->who.pid);
	store_bind_text(s, 5, user_name(&c->who));
	store_bind_text(s, 6, c->what);
	store_bind_text(s, 7, c->why);
	store_bind_text(s, 8, c->diff ? json_object_to_json_string_ext(
			c->diff, JSON_C_TO_STRING_NOSLASHESCAPE) : "{}");
	store_bind_text(s, 9, c->outcome ? c->outcome : "committed");
	store_bind_time(s, 10, c->until_ns);
	sqlite3_bind_int64(s, 11, a->generation);
	return store_step(a, s, "generation");
}

static int put_audit(struct agent *a, const struct change *c)
{
	struct json_object *detail = json_object_new_object();
	struct audit e = { .who = c->who, .action = c->what, .why = c->why,
			   .object = c->object, .tag = c->tag,
			   .outcome = "done", .detail = detail };
	int rc;

	put_int(detail, "generation", a->generation + 1);
	if (c->outcome)
		put_text(detail, "state", c->outcome);
	if (c->until_ns)
		put_time(detail, "until", c->until_ns);
	if (c->diff)
		json_object_object_add(detail, "diff",
				       json_object_get(c->diff));
	rc = audit_put(a, &e);
	json_object_put(detail);
	return rc;
}

int store_begin(struct agent *a, const struct change *c)
{
	struct store *s = a->store;
	int rc;

	s->head_before = s->head;
	s->counts = c != NULL;
	rc = store_run(a, "BEGIN IMMEDIATE");
	s->open = !rc;
	if (!rc && c)
		rc = put_generation(a, c) ? -1 : put_audit(a, c);
	return rc;
}

int store_end(struct agent *a, int rc)
{
	struct store *s = a->store;

	if (!rc)
		rc = store_run(a, "COMMIT");
	if (!rc) {
		a->generation += s->counts;
	} else if (s->open) {
		sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
		s->head = s->head_before;
	}
	s->open = false;
	return rc;
}

int store_set_outcome(struct agent *a, int64_t generation,
		      const char *outcome)
{
	sqlite3_stmt *s = store_prepare(a, "UPDATE generations SET outcome=? "
					"WHERE n=?");

	store_bind_text(s, 1, outcome);
	sqlite3_bind_int64(s, 2, generation);
	return store_step(a, s, "outcome");
}

/* End the live row of a key, if there is one. */
static int end_row(struct agent *a, const char *sql, const char *key)
{
	sqlite3_stmt *s = store_prepare(a, sql);

	sqlite3_bind_int64(s, 1, a->generation + 1);
	if (key)
		store_bind_text(s, 2, key);
	return store_step(a, s, "end of a row");
}

/* --- blocks --- */
int store_drop_block(struct agent *a, const struct sl_prefix *p)
{
	char text[SL_PREFIX_STR_B];

	return end_row(a, "UPDATE blocks SET died=? WHERE prefix=? AND died "
		       "IS NULL", sl_prefix_str(p, text));
}

int store_put_block(struct agent *a, struct block *b)
{
	char text[SL_PREFIX_STR_B];
	sqlite3_stmt *s;
	int64_t row;

	if (store_drop_block(a, &b->prefix))
		return -1;
	row = store_number(a, "SELECT COALESCE(MAX(seq),0)+1 FROM "
			   "sqlite_sequence WHERE name='blocks'", -1);
	if (row < 0)
		return -1;
	s = store_prepare(a, "INSERT INTO blocks VALUES("
			  "?,?,?,?,?,?,?,?,?,?,NULL)");
	sqlite3_bind_int64(s, 1, row);
	sqlite3_bind_int64(s, 2, b->id ? b->id : row);
	store_bind_text(s, 3, sl_prefix_str(&b->prefix, text));
	sqlite3_bind_int(s, 4, b->action);
	sqlite3_bind_int64(s, 5, b->until_ns);
	sqlite3_bind_int64(s, 6, b->at_ns);
	store_bind_text(s, 7, b->why);
	sqlite3_bind_int64(s, 8, b->uid);
	sqlite3_bind_int(s, 9, b->class_id);
	sqlite3_bind_int64(s, 10, a->generation + 1);
	if (store_step(a, s, "block"))
		return -1;
	if (!b->id)
		b->id = row;
	return 0;
}

/* --- lists --- */
/* A set as bytes; NULL: no memory. */
static uint8_t *pack(const struct sl_pset *set, size_t *len_b)
{
	size_t i;
	uint8_t *out, *at;

	*len_b = set->n4 * PACKED4_B + set->n6 * PACKED6_B;
	at = out = malloc(*len_b + 1);
	for (i = 0; out && i < set->n4; i++, at += PACKED4_B)
		memcpy(at, &set->v4[i], PACKED4_B);
	for (i = 0; out && i < set->n6; i++, at += PACKED6_B) {
		memcpy(at, &set->v6[i].hi, 8);
		memcpy(at + 8, &set->v6[i].lo, 8);
		at[16] = set->v6[i].len;
	}
	return out;
}

static int put_set(struct agent *a, struct list *l)
{
	size_t len_b;
	uint8_t *bytes = pack(&l->set, &len_b);
	int rc = bytes ? store_put_blob(a, bytes, len_b, &l->blob) : -1;

	if (!rc)
		l->crc = crc32_z(0, bytes, len_b);
	free(bytes);
	return rc;
}

int store_drop_list(struct agent *a, const char *name)
{
	return end_row(a, "UPDATE lists SET died=? WHERE name=? AND died IS "
		       "NULL", name);
}

/* A list that comes back by a rollback shares the bytes of its former row. */
int store_put_list(struct agent *a, struct list *l)
{
	sqlite3_stmt *s;

	if (store_drop_list(a, l->name) || (!l->blob && put_set(a, l)))
		return -1;
	s = store_prepare(a, "INSERT INTO lists VALUES("
			  "NULL,?,?,?,?,?,?,?,?,?,?,?,?,NULL)");
	store_bind_text(s, 1, l->name);
	sqlite3_bind_int64(s, 2, l->class_id);
	sqlite3_bind_int64(s, 3, l->at_ns);
	sqlite3_bind_int64(s, 4, l->generation);
	sqlite3_bind_int64(s, 5, l->uid);
	store_bind_text(s, 6, l->why);
	sqlite3_bind_int64(s, 7, l->doubles);
	sqlite3_bind_int64(s, 8, l->set.n4);
	sqlite3_bind_int64(s, 9, l->set.n6);
	sqlite3_bind_int64(s, 10, l->crc);
	sqlite3_bind_int64(s, 11, l->blob);
	sqlite3_bind_int64(s, 12, a->generation + 1);
	return store_step(a, s, "list");
}

/* --- rules --- */
int store_drop_rules(struct agent *a)
{
	return end_row(a, "UPDATE rules SET died=? WHERE died IS NULL", NULL);
}

int store_put_rules(struct agent *a, struct rules *r)
{
	sqlite3_stmt *s;

	if (store_drop_rules(a) ||
	    (!r->blob && store_put_blob(a, r->json, r->json_b, &r->blob)))
		return -1;
	s = store_prepare(a, "INSERT INTO rules VALUES("
			  "NULL,?,?,?,?,?,?,?,?,?,NULL)");
	store_bind_text(s, 1, r->file);
	sqlite3_bind_int64(s, 2, r->at_ns);
	sqlite3_bind_int64(s, 3, r->generation);
	sqlite3_bind_int64(s, 4, r->uid);
	store_bind_text(s, 5, r->why);
	sqlite3_bind_int64(s, 6, r->set.n);
	sqlite3_bind_int64(s, 7, crc32_z(0, (const Bytef *)r->json,
					 r->json_b));
	sqlite3_bind_int64(s, 8, r->blob);
	sqlite3_bind_int64(s, 9, a->generation + 1);
	return store_step(a, s, "rules");
}
