// SPDX-License-Identifier: GPL-2.0
/*
 * The audit log: what was done, refused and failed, on whose order, as a hash
 * chain (docs/audit.md). A commit's entry is written in its transaction. A
 * flood of refusals cannot fill the disk: they have a budget, and what is over
 * it is counted and said in one entry.
 */
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "access.h"
#include "duration.h"
#include "plain.h"
#include "store_priv.h"

#define PAGE_DEFAULT	100
#define PAGE_MAX	1000
/* Refusals that are written: so many at once, and one more in this time. Root
 * has a budget of its own, so that others cannot use it up. */
#define BURST		60
#define REFILL_NS	10000000000ULL

struct budget {
	unsigned int left;
	uint64_t refilled_ns, first_ns, last_ns;
	int64_t left_out;
};
static struct budget budgets[2] = { { .left = BURST }, { .left = BURST } };

const char *user_name(const struct caller *who)
{
	static char name[SL_NAME_B + 8];
	static uid_t of = (uid_t)-1;
	struct passwd pw, *found = NULL;
	char buf[1024];

	if (who->name[0])
		return who->name;
	if (token_name(who->uid)) {
		snprintf(name, sizeof(name), "token %s", token_name(who->uid));
		of = (uid_t)-1;
		return name;
	}
	if (who->uid == (uid_t)-1)
		return "unknown";
	if (!who->pid || who->pid == getpid())
		return "sealaned";
	if (of == who->uid && name[0])
		return name;
	if (getpwuid_r(who->uid, &pw, buf, sizeof(buf), &found) || !found)
		snprintf(name, sizeof(name), "uid %u",
			 (unsigned int)who->uid);
	else
		snprintf(name, sizeof(name), "%s", found->pw_name);
	of = who->uid;
	return name;
}

/* Text as it may stand in the log, the caller's to free. */
static char *plain(const char *text)
{
	char *out = strdup(text ? text : "");

	return out ? sl_plain(out) : NULL;
}

/* --- writing --- */
static int insert(struct agent *a, const struct sl_audit_entry *e)
{
	sqlite3_stmt *s = store_prepare(a, "INSERT INTO audit VALUES("
					"?,?,?,?,?,?,?,?,?,?,?,?,?)");

	sqlite3_bind_int64(s, 1, e->n);
	sqlite3_bind_int64(s, 2, e->at_ns);
	sqlite3_bind_int64(s, 3, e->uid);
	sqlite3_bind_int64(s, 4, e->pid);
	store_bind_text(s, 5, e->who);
	store_bind_text(s, 6, e->action);
	store_bind_text(s, 7, e->object);
	store_bind_text(s, 8, e->outcome);
	store_bind_text(s, 9, e->why);
	store_bind_text(s, 10, e->tag);
	store_bind_text(s, 11, e->detail);
	store_bind_text(s, 12, e->prev);
	store_bind_text(s, 13, e->hash);
	return store_step(a, s, "audit");
}

/* And from where, if it came over TCP; the caller's. */
static struct json_object *detail_of(const struct audit *e)
{
	struct json_object *o;

	if (e->detail && !e->who.from[0])
		return json_object_get(e->detail);
	o = json_object_new_object();
	if (e->who.from[0])
		put_text(o, "from", e->who.from);
	if (!e->detail)
		return o;
	json_object_object_foreach(e->detail, key, member)
		json_object_object_add(o, key, json_object_get(member));
	return o;
}

int audit_put(struct agent *a, const struct audit *e)
{
	struct sl_audit_head *head = &a->store->head;
	char *object = plain(e->object), *why = plain(e->why);
	char *tag = plain(e->tag), hash[SL_AUDIT_HASH_B];
	struct json_object *detail = detail_of(e);
	struct sl_audit_entry entry = {
		.n = head->n + 1, .at_ns = sl_now_ns(), .uid = e->who.uid,
		.pid = e->who.pid, .who = user_name(&e->who),
		.action = e->action, .object = object,
		.outcome = e->outcome, .why = why, .tag = tag,
		.detail = json_object_to_json_string_ext(detail,
			JSON_C_TO_STRING_NOSLASHESCAPE),
		.prev = head->n ? head->hash : SL_AUDIT_START, .hash = hash };
	int rc = object && why && tag ? sl_audit_hash(&entry, hash) : -1;

	if (!rc)
		rc = insert(a, &entry);
	if (!rc) {
		head->n = entry.n;
		strcpy(head->hash, hash);
	}
	json_object_put(detail);
	free(object);
	free(why);
	free(tag);
	return rc;
}

/* How many could not be written, or were over the budget. */
static int say_left_out(struct agent *a, struct budget *b)
{
	struct audit e = { .action = "audit", .outcome = "refused",
			   .object = b == budgets ? "requests by root" :
				     "requests by others",
			   .why = "too many to write each, or no room on disk" };
	struct json_object *detail = json_object_new_object();
	int rc;

	put_int(detail, "left_out", b->left_out);
	put_time(detail, "from", b->first_ns);
	put_time(detail, "to", b->last_ns);
	e.detail = detail;
	rc = audit_put(a, &e);
	json_object_put(detail);
	return rc;
}

static void leave_out(struct budget *b)
{
	b->last_ns = sl_now_ns();
	if (!b->left_out++)
		b->first_ns = b->last_ns;
}

static void refill(struct budget *b)
{
	uint64_t now = sl_mono_ns(), n = (now - b->refilled_ns) / REFILL_NS;

	if (!n)
		return;
	b->refilled_ns = b->refilled_ns ? b->refilled_ns + n * REFILL_NS : now;
	b->left = b->left + n < BURST ? b->left + n : BURST;
}

/* Some entries in a transaction of their own: what was left out, and e. */
static int write_now(struct agent *a, struct budget *b, const struct audit *e)
{
	int rc = store_begin(a, NULL);

	if (!rc && b->left_out)
		rc = say_left_out(a, b);
	if (!rc && e)
		rc = audit_put(a, e);
	rc = store_end(a, rc);
	if (!rc)
		b->left_out = 0;
	return rc;
}

/* Bypass as the log has it last; the data plane may be told by others. */
static bool bypass_known;

static bool is_bypass(const struct audit *e)
{
	return !strcmp(e->action, "bypass") && !strcmp(e->outcome, "done");
}

void audit_found(struct agent *a)
{
	const struct bypass *b = &a->bypass;
	struct json_object *detail;
	struct audit e = { .action = "bypass", .outcome = "done",
			   .object = b->on ? "on" : "off", .why = b->why };

	if (b->on == bypass_known)
		return;
	if (b->by_known)
		e.who = b->who;
	e.detail = detail = json_object_new_object();
	put_text(detail, "how", "found so; it was set without the agent");
	audit_note(a, &e);
	json_object_put(detail);
}

void audit_note(struct agent *a, const struct audit *e)
{
	struct budget *b = &budgets[e->who.uid != 0];
	bool done = !strcmp(e->outcome, "done");

	if (is_bypass(e))
		bypass_known = !strcmp(e->object, "on");
	refill(b);
	if (!done && !b->left) {
		leave_out(b);
		return;
	}
	if (!done)
		b->left--;
	if (write_now(a, b, e)) {
		say(LOG_ERR, "audit: %s %s by %s could not be written",
		    e->action, e->object ? e->object : "",
		    user_name(&e->who));
		leave_out(b);
	}
}

void audit_refused(struct agent *a, const struct caller *who,
		   const char *action, const char *object,
		   const struct refusal *r)
{
	struct json_object *detail = json_object_new_object();
	const struct audit e = { .who = *who, .action = action,
		.object = object, .why = r->message, .detail = detail,
		.outcome = r->status >= 500 ? "failed" : "refused" };

	put_int(detail, "status", r->status);
	if (r->items)
		put_int(detail, "mistakes",
			json_object_array_length(r->items));
	audit_note(a, &e);
	json_object_put(detail);
}

void audit_tick(struct agent *a)
{
	unsigned int i;

	audit_found(a);
	for (i = 0; i < 2; i++) {
		refill(&budgets[i]);
		if (!budgets[i].left_out || !budgets[i].left)
			continue;
		budgets[i].left--;
		write_now(a, &budgets[i], NULL);
	}
}

/* --- reading --- */
static const char *text(sqlite3_stmt *s, int column)
{
	const char *v = (const char *)sqlite3_column_text(s, column);

	return v ? v : "";
}

struct sl_audit_entry audit_entry(sqlite3_stmt *s)
{
	return (struct sl_audit_entry){
		.n = sqlite3_column_int64(s, 0),
		.at_ns = sqlite3_column_int64(s, 1),
		.uid = sqlite3_column_int64(s, 2),
		.pid = sqlite3_column_int64(s, 3), .who = text(s, 4),
		.action = text(s, 5), .object = text(s, 6),
		.outcome = text(s, 7), .why = text(s, 8), .tag = text(s, 9),
		.detail = text(s, 10), .prev = text(s, 11),
		.hash = text(s, 12) };
}

static struct json_object *entry_doc(const struct sl_audit_entry *e)
{
	struct json_object *o = json_object_new_object();

	put_int(o, "n", e->n);
	put_int(o, "at_ns", e->at_ns);
	put_time(o, "at", e->at_ns);
	put_int(o, "uid", e->uid);
	put_int(o, "pid", e->pid);
	put_text(o, "who", e->who);
	put_text(o, "action", e->action);
	put_text(o, "object", e->object);
	put_text(o, "outcome", e->outcome);
	put_text(o, "why", e->why);
	put_text(o, "tag", e->tag);
	put_text(o, "detail", e->detail);
	put_text(o, "prev", e->prev);
	put_text(o, "hash", e->hash);
	return o;
}

/* The last entry must be what its hash says, since all later ones build on it;
 * `audit verify` looks at all of them. */
int audit_open(struct agent *a)
{
	sqlite3_stmt *s = store_prepare(a, "SELECT * FROM audit ORDER BY n "
					"DESC LIMIT 1");
	struct sl_audit_head *head = &a->store->head;
	struct sl_audit_entry e;
	char hash[SL_AUDIT_HASH_B];

	if (!s)
		return -1;
	if (sqlite3_step(s) == SQLITE_ROW) {
		e = audit_entry(s);
		head->n = e.n;
		snprintf(head->hash, sizeof(head->hash), "%s", e.hash);
		if (sl_audit_hash(&e, hash) || strcmp(hash, e.hash))
			say(LOG_ERR, "audit: entry %lld was changed by others; "
			    "see sealane audit verify", (long long)e.n);
	}
	sqlite3_finalize(s);
	bypass_known = store_number(a, "SELECT object='on' FROM audit WHERE "
		"action='bypass' AND outcome='done' ORDER BY n DESC LIMIT 1",
		0);
	return 0;
}

static int whole(const char *word, int64_t fallback, int64_t *out)
{
	char *end;

	*out = fallback;
	if (!word)
		return 0;
	if (word[0] < '0' || word[0] > '9')
		return -1;
	*out = strtoll(word, &end, 10);
	return *end ? -1 : 0;
}

/* The words of a query as numbers. */
struct range {
	int64_t from, limit, last, since_ns;
};

static int range_of(const struct audit_query *q, struct range *r,
		    struct refusal *why)
{
	uint64_t since_ns = 0;

	if (whole(q->from, 1, &r->from) || whole(q->last, 0, &r->last) ||
	    whole(q->limit, PAGE_DEFAULT, &r->limit) || !r->limit ||
	    r->limit > PAGE_MAX || r->last > PAGE_MAX)
		return refuse(why, 400, "whole numbers; at most 1000 a page",
			      "from, limit and last are no page");
	if (q->since && sl_time_parse(q->since, sl_now_ns(), &since_ns))
		return refuse(why, 400, "write RFC 3339 or -1h",
			      "%s is no time", q->since);
	r->since_ns = since_ns;
	return 0;
}

/* A tag is one of those of an entry, which are separated by spaces. */
static const char pages[] =
	"SELECT * FROM audit WHERE n >= ?1 AND at_ns >= ?2 AND "
	"(?3 IS NULL OR instr(' '||tag||' ', ' '||?3||' ')) "
	"ORDER BY n LIMIT ?4";
static const char newest[] =
	"SELECT * FROM (SELECT * FROM audit WHERE n >= ?1 AND at_ns >= ?2 AND "
	"(?3 IS NULL OR instr(' '||tag||' ', ' '||?3||' ')) "
	"ORDER BY n DESC LIMIT ?4) ORDER BY n";

struct json_object *audit_doc(struct agent *a, const struct audit_query *q,
			      struct refusal *r)
{
	struct json_object *o, *list, *head;
	struct sl_audit_entry e;
	struct range range = {};
	sqlite3_stmt *s;
	int64_t last_n = 0;

	if (range_of(q, &range, r))
		return NULL;
	s = store_prepare(a, range.last ? newest : pages);
	sqlite3_bind_int64(s, 1, range.from);
	sqlite3_bind_int64(s, 2, range.since_ns);
	if (q->tag)
		store_bind_text(s, 3, q->tag);
	sqlite3_bind_int64(s, 4, range.last ? range.last : range.limit);
	o = json_object_new_object();
	list = json_object_new_array();
	while (s && sqlite3_step(s) == SQLITE_ROW) {
		e = audit_entry(s);
		last_n = e.n;
		json_object_array_add(list, entry_doc(&e));
	}
	sqlite3_finalize(s);
	json_object_object_add(o, "entries", list);
	if (!range.last && last_n && last_n < a->store->head.n &&
	    (int64_t)json_object_array_length(list) == range.limit)
		put_int(o, "next", last_n + 1);
	else
		put_null(o, "next");
	head = json_object_new_object();
	put_int(head, "n", a->store->head.n);
	put_text(head, "hash", a->store->head.n ? a->store->head.hash :
		 SL_AUDIT_START);
	json_object_object_add(o, "head", head);
	return o;
}
