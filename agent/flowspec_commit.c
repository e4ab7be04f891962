// SPDX-License-Identifier: GPL-2.0
/* Changes of routes, gathered for a moment, become one job and one generation. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
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

int flowspec_timeout_ms(const struct agent *a)
{
	const struct flowspec *fs = a->flowspec;
	uint64_t now_ns = sl_mono_ns();

	if (!fs->start_ns || fs->building)
		return -1;
	return fs->start_ns <= now_ns ? 0 :
	       (fs->start_ns - now_ns) / 1000000 + 1;
}

void flowspec_run(struct agent *a)
{
	const struct caller self = { getuid(), getpid() };
	struct flowspec *fs = a->flowspec;
	struct job *j;

	if (!fs->start_ns || fs->building || fs->start_ns > sl_mono_ns())
		return;
	j = job_new(a, JOB_FLOWSPEC, &self);
	if (!j) {
		fs->start_ns = sl_mono_ns() + RETRY_NS;
		return;
	}
	fs->building = true;
	job_start(a, j);
}

int flowspec_begin(struct agent *a, struct job *j)
{
	struct flowspec *fs = a->flowspec;
	struct sl_ruleset *set = flowspec_rules(a);

	if (!set)
		return refuse(&j->r, 500, "free memory", "out of memory");
	sl_ruleset_free(&fs->set);
	fs->set = *set;
	free(set);
	fs->start_ns = 0;	/* what comes from here on is the next one's */
	return 0;
}

static int save(struct agent *a, const struct job *j, const char *why)
{
	struct flowspec *fs = a->flowspec;
	unsigned int i;
	int rc = store_begin(a, &j->who, "flowspec", why);

	for (i = 0; !rc && i < fs->count; i++)
		if (fs->n[i]->unsaved)
			rc = store_flowspec_put(a, fs->n[i]);
	rc = store_end(a, rc);
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
		 fs->announced, fs->withdrawn, fs->purged, fs->set.n);
	if (save(a, j, why))
		return refuse(&j->r, 500, "make room in the state directory; "
			      "nothing was changed",
			      "cannot write FlowSpec rules to disk");
	sl_dp_flip(a->dp);
	if (j->base) {
		sl_rib_free(a->base);
		a->base = j->base;
		j->base = NULL;
	}
	say(LOG_NOTICE, "generation %lld: flowspec: %s",
	    (long long)a->generation, why);
	fs->announced = fs->withdrawn = fs->purged = 0;
	fs->author[0] = fs->failed[0] = '\0';
	j->answer = json_object_new_object();
	put_int(j->answer, "generation", a->generation);
	put_int(j->answer, "rules", fs->set.n);
	return 0;
}

void flowspec_ended(struct agent *a, const struct job *j, bool failed)
{
	struct flowspec *fs = a->flowspec;

	fs->building = false;
	if (!failed)
		return;
	snprintf(fs->failed, sizeof(fs->failed), "%s", j->r.message);
	fs->start_ns = sl_mono_ns() + RETRY_NS;
}
