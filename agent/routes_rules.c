// SPDX-License-Identifier: GPL-2.0
/* Rules, generations and the audit, as they can be asked for: docs/api.md. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "call.h"
#include "commits.h"
#include "duration.h"

#define CONFIRM_LEAST_NS	5000000000ULL
#define CONFIRM_MOST_NS		(24 * 3600 * 1000000000ULL)

struct json_object *get_rules(struct call *k)
{
	return rules_doc(k->a);
}

struct json_object *get_generations(struct call *k)
{
	return generations_doc(k->a, call_query(k, "limit"), &k->r);
}

struct json_object *get_audit(struct call *k)
{
	const struct audit_query q = { .from = call_query(k, "from"),
		.limit = call_query(k, "limit"), .last = call_query(k, "last"),
		.since = call_query(k, "since"), .tag = call_query(k, "tag") };

	return audit_doc(k->a, &q, &k->r);
}

/* A reason, "" where none is given; or NULL and a refusal. */
static const char *why_of(struct call *k, const char *why)
{
	if (why && strlen(why) >= TEXT_B) {
		refuse(&k->r, 400, "at most 255 bytes", "why is too long");
		return NULL;
	}
	return why ? why : "";
}

/* The words of an apply into the job. */
static int apply_words(struct call *k, struct job *j)
{
	const char *why = why_of(k, call_query(k, "why"));
	const char *file = call_query(k, "file");
	const char *confirm = call_query(k, "confirm");
	const char *base = call_query(k, "base");
	const char *force = call_query(k, "force");
	char *end = "";

	if (!why)
		return -1;
	if (confirm && (sl_duration_parse(confirm, &j->confirm_ns) ||
			j->confirm_ns < CONFIRM_LEAST_NS ||
			j->confirm_ns > CONFIRM_MOST_NS))
		return refuse(&k->r, 400, "write 90s, 5m or 2h; at least 5s, "
			      "at most 24h", "confirm %s", confirm);
	if (base)
		j->seen = strtoll(base, &end, 10);
	if (*end || j->seen < 0)
		return refuse(&k->r, 400, "the generation that rule log shows",
			      "%s is no generation", base);
	strcpy(j->why, why);
	snprintf(j->file, sizeof(j->file), "%s", file ? file : "rules");
	j->force = force && !strcmp(force, "1");
	return 0;
}

/* A job that reads the rules of the body; words puts the query into it. */
static struct json_object *post_rules(struct call *k, enum job_kind kind,
				      int (*words)(struct call *k,
						   struct job *j))
{
	struct job *j;

	if (!k->raw_b) {
		refuse(&k->r, 400, "write {\"rules\":[]} to have none",
		       "the file is empty");
		return NULL;
	}
	if (pending_refuses(k->a, &k->r))
		return NULL;
	j = job_new(k->a, kind, &k->who);
	if (!j) {
		refuse(&k->r, 500, "free memory", "out of memory");
		return NULL;
	}
	if (words(k, j)) {
		free(j);
		return NULL;
	}
	j->body = k->raw;
	j->body_b = k->raw_b;
	k->raw = NULL;
	return call_started(k, j);
}

struct json_object *post_rule_apply(struct call *k)
{
	return post_rules(k, JOB_RULES, apply_words);
}

static int plan_words(struct call *k, struct job *j)
{
	const char *since = call_query(k, "since"), *file;
	const char *force = call_query(k, "force");
	uint64_t now_ns = sl_now_ns(), d_ns;

	if (since && !sl_duration_parse(since, &d_ns))
		j->since_ns = d_ns < now_ns ? now_ns - d_ns : 0;
	else if (since && sl_time_parse(since, now_ns, &j->since_ns))
		return refuse(&k->r, 400, "write 90s or 5m, or a time",
			      "since %s", since);
	file = call_query(k, "file");
	snprintf(j->file, sizeof(j->file), "%s", file ? file : "rules");
	j->force = force && !strcmp(force, "1");
	return 0;
}

struct json_object *post_rule_plan(struct call *k)
{
	return post_rules(k, JOB_PLAN, plan_words);
}

struct json_object *post_rule_confirm(struct call *k)
{
	struct json_object *answer = NULL;
	const char *why = why_of(k, call_word(k, "why"));

	if (why)
		pending_confirm(k->a, &k->who, why, &answer, &k->r);
	return answer;
}

struct json_object *post_rule_rollback(struct call *k)
{
	struct json_object *answer = NULL, *v;
	const char *why = why_of(k, call_word(k, "why"));
	struct job *j;

	if (!why)
		return NULL;
	if (!json_object_object_get_ex(k->body, "generation", &v) || !v) {
		pending_undo(k->a, &k->who, why, &answer, &k->r);
		return answer;
	}
	if (!json_object_is_type(v, json_type_int) ||
	    json_object_get_int64(v) < 0) {
		refuse(&k->r, 400, "see sealane rule log",
		       "%s is no generation", json_object_get_string(v));
		return NULL;
	}
	if (pending_refuses(k->a, &k->r))
		return NULL;
	j = job_new(k->a, JOB_ROLLBACK, &k->who);
	if (!j) {
		refuse(&k->r, 500, "free memory", "out of memory");
		return NULL;
	}
	j->target = json_object_get_int64(v);
	strcpy(j->why, why);
	return call_started(k, j);
}

/* The prefixes of a body, as many as there is room for. */
static void join_prefixes(struct json_object *list, char *buf, size_t len)
{
	const char *text;
	size_t i, at = 0;

	for (i = 0; i < json_object_array_length(list) && at < len; i++) {
		text = json_object_get_string(
			json_object_array_get_idx(list, i));
		at += snprintf(buf + at, len - at, "%s%s", i ? " " : "",
			       text ? text : "null");
	}
}

void call_object(struct call *k, char *buf, size_t len)
{
	static const char *const in_query[] = { "name", "file" };
	static const char *const in_body[] = { "interface", "generation",
					       "on" };
	const char *word = NULL;
	struct json_object *v;
	unsigned int i;

	buf[0] = '\0';
	for (i = 0; i < 2 && !word; i++)
		word = call_query(k, in_query[i]);
	if (!word && json_object_is_type(k->body, json_type_object)) {
		if (json_object_object_get_ex(k->body, "prefixes", &v) &&
		    json_object_is_type(v, json_type_array)) {
			join_prefixes(v, buf, len);
			return;
		}
		for (i = 0; i < 3 && !word; i++)
			word = call_word(k, in_body[i]);
	}
	if (word)
		snprintf(buf, len, "%s", word);
}
