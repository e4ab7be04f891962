// SPDX-License-Identifier: GPL-2.0
/* Changes of routes, gathered for a moment, become one job and one generation. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "commits.h"
#include "duration.h"
#include "flowspec_priv.h"

/* Peers send their rules in bursts of several updates. */
#define GATHER_NS	(150 * 1000000ULL)
#define RETRY_NS	(5 * 1000000000ULL)

void flowspec_touch(struct agent *a, struct neighbour *n)
{
	struct flowspec *fs = a->flowspec;

	n->changed_ns = sl_now_ns();
	if (!n->routes.n && !n->stored)
		return;		/* nothing on disk or in the tables */
	n->unsaved = true;
	if (!fs->author[0])
		strcpy(fs->author, n->name);
	else if (strcmp(fs->author, n->name))
		strcpy(fs->author, "several");
	flowspec_changed(a);
}

void flowspec_changed(struct agent *a)
{
	struct flowspec *fs = a->flowspec;

	if (!fs->start_ns)
		fs->start_ns = sl_mono_ns() + GATHER_NS;
}

/* Beside a commit that nobody has confirmed there is no bank to build in. */
static bool waits(struct agent *a)
{
	struct flowspec *fs = a->flowspec;

	if (!a->pending->generation)
		return false;
	if (!fs->failed[0])
		say(LOG_WARNING, "flowspec: changes wait until generation %lld "
		    "is confirmed or undone", (long long)a->pending->generation);
	snprintf(fs->failed, sizeof(fs->failed), "generation %lld waits for its "
		 "confirmation", (long long)a->pending->generation);
	return true;
}

int flowspec_timeout_ms(const struct agent *a)
{
	const struct flowspec *fs = a->flowspec;
	uint64_t now_ns = sl_mono_ns();

	if (!fs->start_ns || fs->building || a->pending->generation)
		return -1;
	return fs->start_ns <= now_ns ? 0 :
	       (fs->start_ns - now_ns) / 1000000 + 1;
}

void flowspec_run(struct agent *a)
{
	const struct caller self = { .uid = getuid(), .pid = getpid() };
	struct flowspec *fs = a->flowspec;
	struct job *j;

	if (!fs->start_ns || fs->building || fs->start_ns > sl_mono_ns() ||
	    waits(a))
		return;
	j = job_new(a, JOB_FLOWSPEC, &self);
	if (!j) {
		fs->start_ns = sl_mono_ns() + RETRY_NS;
		return;
	}
	fs->building = true;
	job_start(a, j);
}

/* The rules that stand now, each with its counters; NULL: refused. */
static struct rules *number(struct agent *a, struct refusal *r)
{
	struct sl_ruleset *set = flowspec_rules(a);
	struct rules *new = calloc(1, sizeof(*new));
	int rc = -ENOMEM;

	if (set && new) {
		new->set = *set;
		new->slot = calloc(set->n + 1, sizeof(*new->slot));
	}
	if (new && new->slot)
		rc = slots_assign(a, SLOT_FLOWSPEC, &new->set, new->slot);
	free(set);
	if (!rc)
		return new;
	rules_free(new);
	if (rc == -ENOSPC)
		refuse(r, 409, "use fewer rules", "no counters are left; %u "
		       "are the limit", SL_RULE_SLOTS);
	else
		refuse(r, 500, "free memory", "out of memory");
	return NULL;
}

int flowspec_start(struct agent *a)
{
	struct refusal r = {};

	a->flow = number(a, &r);
	if (a->flow)
		flowspec_settle(a);
	else
		say_refusal(&r);
	return a->flow ? 0 : -1;
}

int flowspec_begin(struct agent *a, struct job *j)
{
	struct flowspec *fs = a->flowspec;

	/* with routes gone there may be room for others again */
	if ((fs->withdrawn || fs->purged) && !fs->squeezing)
		fs->spans_max = 0;
	rules_free(j->flow);	/* of a former attempt */
	j->flow = number(a, &j->r);
	if (!j->flow)
		return -1;
	fs->start_ns = 0;	/* what comes now is the next one's */
	return 0;
}

static unsigned int neighbour_chosen(const struct neighbour *n)
{
	unsigned int i, sum = 0;

	for (i = 0; i < n->routes.n; i++)
		sum += ((const struct flow_route *)
			n->routes.r[i]->more)->chosen;
	return sum;
}

/* By neighbour, what it has now. */
static struct json_object *diff_of(const struct flowspec *fs)
{
	struct json_object *o = json_object_new_object();
	struct json_object *all = json_object_new_object();
	struct json_object *one;
	unsigned int i;

	for (i = 0; i < fs->count; i++) {
		if (!fs->n[i]->unsaved)
			continue;
		one = json_object_new_object();
		put_text(one, "state", neighbour_state(fs->n[i]));
		put_int(one, "routes", fs->n[i]->routes.n);
		put_int(one, "rules", neighbour_chosen(fs->n[i]));
		json_object_object_add(all, fs->n[i]->name, one);
	}
	json_object_object_add(o, "flowspec", all);
	return o;
}

static int save(struct agent *a, const struct job *j, const char *why)
{
	struct flowspec *fs = a->flowspec;
	struct json_object *diff = diff_of(fs);
	const struct change c = { .who = j->who, .what = "flowspec",
		.why = why, .object = fs->author, .diff = diff };
	unsigned int i;
	int rc = store_begin(a, &c);

	for (i = 0; !rc && i < fs->count; i++)
		if (fs->n[i]->unsaved)
			rc = store_flowspec_put(a, fs->n[i]);
	if (!rc)
		rc = slots_put(a, SLOT_FLOWSPEC, &j->flow->set, j->flow->slot);
	rc = store_end(a, rc);
	json_object_put(diff);
	for (i = 0; !rc && i < fs->count; i++) {
		if (fs->n[i]->unsaved)
			fs->n[i]->stored = fs->n[i]->routes.n;
		fs->n[i]->unsaved = false;
	}
	return rc;
}

int flowspec_finish(struct agent *a, struct job *j)
{
	struct flowspec *fs = a->flowspec;
	char why[TEXT_B];

	if (job_replay(a, j, a->extra))
		return -EAGAIN;
	snprintf(why, sizeof(why), "%s: %u announced, %u withdrawn, %u purged; "
		 "%u rules", fs->author[0] ? fs->author : "start",
		 fs->announced, fs->withdrawn, fs->purged, j->flow->set.n);
	if (save(a, j, why))
		return refuse(&j->r, 500, "make room in the state directory; "
			      "nothing was changed",
			      "cannot write FlowSpec rules to disk");
	slots_take(a, SLOT_FLOWSPEC, &j->flow->set, j->flow->slot);
	tables_live(a, j, 0);
	rules_free(a->flow);
	a->flow = j->flow;
	j->flow = NULL;
	flowspec_settle(a);
	say(LOG_NOTICE, "generation %lld: flowspec: %s",
	    (long long)a->generation, why);
	fs->announced = fs->withdrawn = fs->purged = 0;
	fs->author[0] = fs->failed[0] = '\0';
	fs->squeezing = false;
	j->answer = json_object_new_object();
	put_int(j->answer, "generation", a->generation);
	put_int(j->answer, "rules", a->flow->set.n);
	return 0;
}

/* Too various for the data plane: what asks for the most values stays out, so
 * that one peer's rules do not keep out all others. */
static bool squeeze(struct flowspec *fs, const struct job *j)
{
	if (j->r.status != 409 || fs->spans_max == LEAST_SPANS)
		return false;
	fs->squeezing = true;
	fs->spans_max = !fs->spans_max ? 256 : fs->spans_max / 8;
	if (fs->spans_max < LEAST_SPANS)
		fs->spans_max = LEAST_SPANS;
	return true;
}

void flowspec_ended(struct agent *a, const struct job *j, bool failed)
{
	struct flowspec *fs = a->flowspec;

	fs->building = false;
	if (!failed)
		return;
	if (strcmp(fs->failed, j->r.message))
		audit_refused(a, &j->who, "flowspec", fs->author, &j->r);
	snprintf(fs->failed, sizeof(fs->failed), "%s", j->r.message);
	fs->start_ns = sl_mono_ns() + (squeeze(fs, j) ? 0 : RETRY_NS);
}
