// SPDX-License-Identifier: GPL-2.0
/* Rule sets: made of a file beside the loop, applied as one commit. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "commits.h"
#include "duration.h"
#include "plan.h"
#include "rule_file.h"

void rules_free(struct rules *r)
{
	if (!r)
		return;
	free(r->json);
	free(r->slot);
	sl_ruleset_free(&r->set);
	free(r);
}

/* The form that is compared and kept. 0 or -1. */
static int put_in_words(struct rules *r)
{
	struct json_object *o = sl_ruleset_json(&r->set);

	if (!o)
		return -1;
	r->json = strdup(json_object_to_json_string_ext(o,
			 JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(o);
	if (!r->json)
		return -1;
	r->json_b = strlen(r->json);
	return 0;
}

struct rules *rules_empty(void)
{
	struct rules *r = calloc(1, sizeof(*r));

	if (r && !put_in_words(r)) {
		r->slot = calloc(1, sizeof(*r->slot));
		if (r->slot)
			return r;
	}
	rules_free(r);
	return NULL;
}

int rules_of_store(const char *json, size_t len_b, struct rules **out)
{
	const struct sl_rule_context ctx = { .stored = true };
	struct rules *r = calloc(1, sizeof(*r));
	struct sl_mistakes all = {};
	int rc = r ? sl_rule_file_parse(json, len_b, &ctx, &r->set, &all) :
		 -ENOMEM;

	if (!rc && put_in_words(r))
		rc = -ENOMEM;
	if (rc)
		say(LOG_ERR, "store: the rules cannot be read: %s", all.n ?
		    all.m[0].message : strerror(-rc));
	sl_mistakes_free(&all);
	if (rc) {
		rules_free(r);
		return -1;
	}
	*out = r;
	return 0;
}

/* --- admission --- */
/* What names of a file may mean here. */
struct known {
	struct sl_names lists, lanes, paths;
};

static int know(const struct agent *a, const struct lists *lists,
		struct known *k)
{
	unsigned int i;
	int rc = sl_names_add(&k->lanes, "other");

	for (i = 0; !rc && i < lists->n; i++)
		rc = sl_names_add(&k->lists, lists->l[i]->name);
	for (i = 0; !rc && i < a->cfg->n_lanes; i++)
		rc = sl_names_add(&k->lanes, a->cfg->lanes[i].name);
	for (i = 0; !rc && i < SL_MAX_PATHS; i++)
		if (a->path_name[i][0])
			rc = sl_names_add(&k->paths, a->path_name[i]);
	return rc;
}

static void forget(struct known *k)
{
	free(k->lists.name);
	free(k->lanes.name);
	free(k->paths.name);
}

static int refuse_rules(struct job *j, const struct sl_mistakes *all)
{
	j->r.items = sl_mistakes_json(j->file, all);
	return refuse(&j->r, 400, "mend the file; nothing was changed",
		      "%s has %zu mistake%s", j->file, all->total,
		      all->total == 1 ? "" : "s");
}

/* Rules that would hit a protected port of the gateway itself; how many. */
static size_t check_guards(const struct agent *a, const struct sl_ruleset *set,
			   struct sl_mistakes *all)
{
	char text[SL_PREFIX_STR_B];
	struct sl_prefix own;
	unsigned int i;

	for (i = 0; i < set->n; i++)
		if (guards_forbid(a, &set->r[i], &own))
			sl_rule_mistake(all, set->r[i].line, set->r[i].id,
				"leave that address or port out",
				"it would hit a protected port of the "
				"gateway's own %s", sl_prefix_str(&own, text));
	return all->total;
}

static int parse(struct agent *a, struct job *j, struct rules *r)
{
	struct known k = {};
	const struct sl_rule_context ctx = {
		.lists = &k.lists, .lanes = &k.lanes, .paths = &k.paths,
		.protect = a->base, .now_ns = sl_now_ns(), .force = j->force };
	struct sl_mistakes all = {};
	int rc = know(a, &a->lists, &k);

	if (!rc)
		rc = sl_rule_file_parse(j->body, j->body_b, &ctx, &r->set,
					&all);
	if (!rc && check_guards(a, &r->set, &all))
		rc = -EINVAL;
	if (rc == -EINVAL)
		rc = refuse_rules(j, &all);
	else if (rc || put_in_words(r))
		rc = refuse(&j->r, 500, "free memory; nothing was changed",
			    "out of memory");
	sl_mistakes_free(&all);
	forget(&k);
	return rc;
}

int rules_make(struct agent *a, struct job *j)
{
	struct rules *r = calloc(1, sizeof(*r));

	j->step = "reading";
	if (!r)
		return refuse(&j->r, 500, "free memory", "out of memory");
	if (parse(a, j, r)) {
		rules_free(r);
		return -1;
	}
	snprintf(r->file, sizeof(r->file), "%s", j->file);
	strcpy(r->why, j->why);
	r->at_ns = sl_now_ns();
	r->uid = j->who.uid;
	j->rules = r;
	return 0;
}

int rules_number(struct agent *a, struct rules *r, struct refusal *why)
{
	int rc;

	free(r->slot);
	r->slot = calloc(r->set.n + 1, sizeof(*r->slot));
	rc = r->slot ? slots_assign(a, SLOT_FILE, &r->set, r->slot) : -ENOMEM;
	if (!rc)
		return 0;
	free(r->slot);
	r->slot = NULL;
	return rc == -ENOSPC ?
	       refuse(why, 409, "use fewer rules", "no counters are left; "
		      "%u are the limit", SL_RULE_SLOTS) :
	       refuse(why, 500, "free memory", "out of memory");
}

int rules_put(struct agent *a, struct rules *r)
{
	int64_t made_by = r->generation;
	int rc;

	if (!made_by)
		r->generation = a->generation + 1;
	r->since = a->generation + 1;
	rc = store_put_rules(a, r);
	if (!rc)
		rc = slots_put(a, SLOT_FILE, &r->set, r->slot);
	if (rc)
		r->generation = made_by;
	return rc;
}

struct rules *rules_take(struct agent *a, struct rules *r)
{
	struct rules *former = a->rules;

	slots_take(a, SLOT_FILE, &r->set, r->slot);
	a->rules = r;
	return former;
}

/* --- applying --- */
/* The rules are read: may they be, and where are their counters? */
static int admit(struct agent *a, struct job *j)
{
	if (j->seen > a->generation)
		return refuse(&j->r, 409, "the last one that rule log shows; "
			      "nothing was changed", "generation %lld is not "
			      "there yet", (long long)j->seen);
	if (j->seen && a->rules->since > j->seen)
		return refuse(&j->r, 409, "look at sealane rule log, and apply "
			      "again; nothing was changed",
			      "generation %lld changed the rules after "
			      "generation %lld", (long long)
			      a->rules->since, (long long)j->seen);
	if (rules_number(a, j->rules, &j->r))
		return -1;
	return -EAGAIN;		/* now the tables */
}

static int write_rules(struct agent *a, struct job *j, uint64_t until_ns,
		       struct json_object *diff, const char *tags)
{
	const struct change c = { .who = j->who, .what = "rule apply",
		.why = j->why, .object = j->file, .diff = diff, .tag = tags,
		.outcome = until_ns ? "pending" : NULL, .until_ns = until_ns };
	int rc = store_begin(a, &c);

	if (!rc)
		rc = rules_put(a, j->rules);
	rc = store_end(a, rc);
	return rc ? refuse(&j->r, 500, "make room in the state directory; "
			   "nothing was changed",
			   "cannot write the rules to disk") : 0;
}

/* Live at once: for good, or until it is confirmed. */
static void go_live(struct agent *a, struct job *j, uint64_t until_ns)
{
	uint64_t now_ns = sl_now_ns(), until_mono_ns = 0;
	struct rules *former = rules_take(a, j->rules);

	j->rules = NULL;
	if (until_ns)
		until_mono_ns = sl_mono_ns() +
				(until_ns > now_ns ? until_ns - now_ns : 1);
	tables_live(a, j, until_mono_ns);
	if (until_ns)
		pending_begin(a, until_ns, until_mono_ns, former);
	else
		rules_free(former);
}

static void tell(struct agent *a, const struct job *j, uint64_t until_ns)
{
	struct json_object *detail = event_commit(a, &j->who, j->why);

	put_text(detail, "what", "rule apply");
	put_text(detail, "file", j->file);
	put_int(detail, "rules", a->rules->set.n);
	put_time(detail, "confirm_until", until_ns);
	event(a, LOG_NOTICE, "commit", detail, "generation %lld: %u rules of "
	      "%s%s by %s%s%s", (long long)a->generation, a->rules->set.n,
	      j->file, until_ns ? ", waiting to be confirmed," : "",
	      user_name(&j->who), j->why[0] ? ": " : "", j->why);
}

int rules_finish(struct agent *a, struct job *j)
{
	struct json_object *diff, *part;
	uint64_t until_ns = 0;
	char *tags;
	int rc;

	if (!j->rules->slot)
		/* more than is allowed must be asked for by name */
		return plan_refuses(a, j->plan, "", "see rule plan, or say "
				    "--force; nothing was changed", &j->r) ?
		       -1 : admit(a, j);
	if (job_replay(a, j, a->extra))
		return -EAGAIN;
	if (j->confirm_ns)
		until_ns = sl_now_ns() + j->confirm_ns;
	part = diff_of_rules(a->rules, j->rules);
	tags = diff_tags(part);
	diff = diff_join(part, NULL, NULL);
	rc = write_rules(a, j, until_ns, diff, tags);
	free(tags);
	if (rc) {
		json_object_put(diff);
		return rc;
	}
	go_live(a, j, until_ns);
	tell(a, j, until_ns);
	j->answer = json_object_new_object();
	put_int(j->answer, "generation", a->generation);
	put_int(j->answer, "rules", a->rules->set.n);
	put_time(j->answer, "confirm_until", until_ns);
	json_object_object_add(j->answer, "diff", diff);
	json_object_object_add(j->answer, "live", plan_share_doc(j->plan));
	return 0;
}
