// SPDX-License-Identifier: GPL-2.0
/*
 * Generations, and the one that waits to be confirmed. Past its deadline every
 * packet uses the former bank by itself; the agent then only follows: it makes
 * its own view the former one, and writes down that it did.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "commits.h"
#include "duration.h"
#include "store_priv.h"

#define LOG_DEFAULT	20
#define LOG_MAX		1000

int pending_refuses(const struct agent *a, struct refusal *r)
{
	if (!a->pending->generation)
		return 0;
	return refuse(r, 409, "sealane rule confirm or sealane rule rollback "
		      "first; nothing was changed",
		      "generation %lld waits to be confirmed",
		      (long long)a->pending->generation);
}

struct json_object *pending_doc(const struct agent *a)
{
	const struct pending *p = a->pending;
	uint64_t now = sl_mono_ns();
	struct json_object *o;

	if (!p->generation)
		return NULL;
	o = json_object_new_object();
	put_int(o, "generation", p->generation);
	put_time(o, "until", p->until_ns);
	put_int(o, "left_ns", p->until_mono_ns > now ? p->until_mono_ns - now :
		0);
	return o;
}

/* --- the end of a pending commit --- */
static void forget_pending(struct agent *a)
{
	rules_free(a->pending->former_rules);
	rules_free(a->pending->undone_rules);
	*a->pending = (struct pending){};
}

static void decided(struct agent *a)
{
	forget_pending(a);
	jobs_resume(a);		/* what had to wait */
}

void pending_begin(struct agent *a, uint64_t until_ns, uint64_t until_mono_ns,
		   struct rules *former)
{
	*a->pending = (struct pending){ .generation = a->generation,
		.until_ns = until_ns, .until_mono_ns = until_mono_ns,
		.former_rules = former };
}

/* The undoing generation: the rules are again what they were before. */
struct undo {
	struct caller who;
	const char *what, *why;
	const char *outcome;		/* what became of the pending one */
	int64_t generation;
	const struct rules *undone;
	struct rules *former;
};

static int put_undo(struct agent *a, const struct undo *u,
		    const struct change *c)
{
	int64_t blob = u->former->blob, made_by = u->former->generation;
	int rc = store_begin(a, c);

	if (!rc)
		rc = store_set_outcome(a, u->generation, u->outcome);
	if (!rc)
		rc = rules_put(a, u->former);
	rc = store_end(a, rc);
	if (rc) {	/* it will be written another time */
		u->former->blob = blob;
		u->former->generation = made_by;
	}
	return rc;
}

static void tell_undo(struct agent *a, const struct undo *u)
{
	struct json_object *detail = event_commit(a, &u->who, u->why);

	put_text(detail, "what", u->what);
	put_int(detail, "undone", u->generation);
	event(a, LOG_WARNING, "commit", detail, "generation %lld: generation "
	      "%lld undone: %s", (long long)a->generation,
	      (long long)u->generation, u->why);
}

static int write_undo(struct agent *a, const struct undo *u)
{
	struct json_object *part = diff_of_rules(u->undone, u->former);
	struct json_object *diff = diff_join(part, NULL, NULL);
	char *tags = diff_tags(part), object[48];
	const struct change c = { .who = u->who, .what = u->what,
		.why = u->why, .object = object, .diff = diff, .tag = tags };
	int rc;

	snprintf(object, sizeof(object), "generation %lld",
		 (long long)u->generation);
	rc = put_undo(a, u, &c);
	json_object_put(diff);
	free(tags);
	if (!rc)
		tell_undo(a, u);
	return rc;
}

/* The agent's view, and the data plane where it is not there yet. */
static void step_back(struct agent *a)
{
	struct pending *p = a->pending;

	tables_undo(a);
	p->undone_rules = rules_take(a, p->former_rules);
	p->former_rules = NULL;
}

int pending_undo(struct agent *a, const struct caller *who, const char *why,
		 struct json_object **answer, struct refusal *r)
{
	struct pending *p = a->pending;
	const struct undo u = { *who, "rule rollback", why, "rolled back",
		p->generation, a->rules, p->former_rules };

	if (!p->generation || p->over)
		return refuse(r, 409, "name a generation of sealane rule log",
			      "no commit waits to be confirmed");
	if (write_undo(a, &u))
		return refuse(r, 500, "make room in the state directory, or "
			      "wait: it ends by itself",
			      "cannot write the change to disk");
	step_back(a);
	*answer = json_object_new_object();
	put_int(*answer, "generation", a->generation);
	put_int(*answer, "undone", p->generation);
	decided(a);
	return 0;
}

/* The deadline has passed, the data plane is back already. Where the disk is
 * full the log follows later. */
static void expire(struct agent *a)
{
	struct pending *p = a->pending;
	struct undo u = { {}, "undo", "not confirmed in time", "expired",
			  p->generation, NULL, NULL };

	if (!p->over)
		step_back(a);
	p->over = true;
	u.undone = p->undone_rules;
	u.former = a->rules;
	if (!write_undo(a, &u))
		decided(a);
}

void pending_tick(struct agent *a)
{
	if (a->pending->generation &&
	    (a->pending->over || sl_mono_ns() >= a->pending->until_mono_ns))
		expire(a);
}

static void tell_confirm(struct agent *a, const struct caller *who,
			 const char *why)
{
	struct json_object *detail = event_commit(a, who, why);

	put_text(detail, "what", "rule confirm");
	put_int(detail, "confirmed", a->pending->generation);
	event(a, LOG_NOTICE, "commit", detail, "generation %lld confirmed by "
	      "%s", (long long)a->pending->generation, user_name(who));
}

int pending_confirm(struct agent *a, const struct caller *who, const char *why,
		    struct json_object **answer, struct refusal *r)
{
	struct pending *p = a->pending;
	struct json_object *detail;
	char object[48];
	struct audit e = { .who = *who, .action = "rule confirm", .why = why,
			   .object = object, .outcome = "done" };
	int rc;

	if (!p->generation || p->over)
		return refuse(r, 409, "see sealane rule log",
			      "no commit waits to be confirmed");
	if (sl_mono_ns() >= p->until_mono_ns) {
		pending_tick(a);
		return refuse(r, 409, "apply it again", "the deadline has "
			      "passed; the commit was undone");
	}
	snprintf(object, sizeof(object), "generation %lld",
		 (long long)p->generation);
	detail = json_object_new_object();
	put_int(detail, "generation", p->generation);
	e.detail = detail;
	rc = store_begin(a, NULL);
	if (!rc)
		rc = store_set_outcome(a, p->generation, "confirmed");
	if (!rc)
		rc = audit_put(a, &e);
	rc = store_end(a, rc);
	json_object_put(detail);
	if (rc)
		return refuse(r, 500, "make room in the state directory",
			      "cannot write the change to disk");
	tables_confirm(a);
	tell_confirm(a, who, why);
	*answer = json_object_new_object();
	put_int(*answer, "generation", a->generation);
	put_int(*answer, "confirmed", p->generation);
	decided(a);
	return 0;
}

/* --- start --- */
/* What waited when the agent ended is undone: nobody can have seen it work
 * since. On disk before anything is built; the tables are then made of it. */
static int undo_stale(struct agent *a, int64_t generation, int64_t parent)
{
	struct undo u = { {}, "undo", "the agent was started anew while it "
			  "waited to be confirmed", "rolled back", generation, NULL,
			  NULL };
	struct rules *undone = NULL, *former = NULL;
	struct refusal r = {};
	int rc = store_load_rules(a, a->generation, &undone);

	if (!rc)
		rc = store_load_rules(a, parent, &former);
	if (!rc && !undone)
		undone = rules_empty();
	if (!rc && !former)
		former = rules_empty();
	if (!rc && (!undone || !former || rules_number(a, former, &r)))
		rc = -1;
	u.undone = undone;
	u.former = former;
	if (!rc)
		rc = write_undo(a, &u);
	if (rc && former && undone) {
		event(a, LOG_ERR, "disk", NULL, "generation %lld is undone, "
		      "but that is not yet on disk", (long long)generation);
		*a->pending = (struct pending){ .generation = generation,
			.over = true, .former_rules = former,
			.undone_rules = undone };
		return 0;
	}
	rules_free(undone);
	rules_free(former);
	return rc;
}

int generations_open(struct agent *a)
{
	sqlite3_stmt *s;
	int64_t generation = 0, parent = 0;

	a->pending = calloc(1, sizeof(*a->pending));
	/* the rows tell too, where the log of generations was damaged */
	a->generation = store_number(a, "SELECT MAX(COALESCE(MAX(n),0),"
		"(SELECT COALESCE(MAX(born),0) FROM blocks),"
		"(SELECT COALESCE(MAX(died),0) FROM blocks),"
		"(SELECT COALESCE(MAX(born),0) FROM lists),"
		"(SELECT COALESCE(MAX(died),0) FROM lists),"
		"(SELECT COALESCE(MAX(born),0) FROM rules),"
		"(SELECT COALESCE(MAX(died),0) FROM rules)) FROM generations",
		-1);
	if (!a->pending || a->generation < 0 || slots_load(a))
		return -1;
	s = store_prepare(a, "SELECT n,parent FROM generations WHERE "
			  "outcome='pending' ORDER BY n DESC LIMIT 1");
	if (s && sqlite3_step(s) == SQLITE_ROW) {
		generation = sqlite3_column_int64(s, 0);
		parent = sqlite3_column_int64(s, 1);
	}
	sqlite3_finalize(s);
	return generation ? undo_stale(a, generation, parent) : 0;
}

void generations_settle(struct agent *a)
{
	int64_t confirmed = store_number(a, "SELECT outcome='confirmed' FROM "
		"generations WHERE until_ns IS NOT NULL ORDER BY n DESC LIMIT "
		"1", 0);
	uint64_t until_ns;

	if (!sl_dp_pending(a->dp, &until_ns))
		return;
	if (confirmed)
		sl_dp_confirm(a->dp);
	else
		sl_dp_flip(a->dp);
}

void generations_free(struct agent *a)
{
	if (a->pending)
		forget_pending(a);
	free(a->pending);
	a->pending = NULL;
}

/* --- for those who ask --- */
static struct json_object *json_of(sqlite3_stmt *s, int column)
{
	const char *text = (const char *)sqlite3_column_text(s, column);
	struct json_object *o = text ? json_tokener_parse(text) : NULL;

	return o ? o : json_object_new_object();
}

static struct json_object *generation_doc(const struct agent *a,
					  sqlite3_stmt *s)
{
	static const char *const text[] = { "who", "what", "why", "outcome" };
	struct json_object *o = json_object_new_object();
	int64_t n = sqlite3_column_int64(s, 0);
	unsigned int i;

	put_int(o, "generation", n);
	put_time(o, "at", sqlite3_column_int64(s, 1));
	put_int(o, "uid", sqlite3_column_int64(s, 2));
	for (i = 0; i < 4; i++)
		put_text(o, text[i],
			 (const char *)sqlite3_column_text(s, 3 + i));
	put_time(o, "until", sqlite3_column_int64(s, 7));
	put_int(o, "parent", sqlite3_column_int64(s, 8));
	put_bool(o, "kept", n >= store_kept_from(a));
	json_object_object_add(o, "diff", json_of(s, 9));
	return o;
}

struct json_object *generations_doc(struct agent *a, const char *limit,
				    struct refusal *r)
{
	struct json_object *o, *list;
	long most = limit ? atol(limit) : LOG_DEFAULT;
	sqlite3_stmt *s;

	if (most < 1 || most > LOG_MAX) {
		refuse(r, 400, "1 to 1000", "limit %s is no number of lines",
		       limit);
		return NULL;
	}
	s = store_prepare(a, "SELECT n,at_ns,uid,who,what,why,outcome,"
			  "until_ns,parent,diff FROM generations ORDER BY n "
			  "DESC LIMIT ?");
	o = json_object_new_object();
	list = json_object_new_array();
	sqlite3_bind_int64(s, 1, most);
	while (s && sqlite3_step(s) == SQLITE_ROW)
		json_object_array_add(list, generation_doc(a, s));
	sqlite3_finalize(s);
	put_int(o, "generation", a->generation);
	put_int(o, "kept_from", store_kept_from(a));
	json_object_object_add(o, "pending", pending_doc(a));
	json_object_object_add(o, "generations", list);
	return o;
}
