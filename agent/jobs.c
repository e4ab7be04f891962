// SPDX-License-Identifier: GPL-2.0
/*
 * Long work beside the loop, one job at a time: a thread makes the new tables
 * in the idle bank, the loop takes them over. Whatever is pushed meanwhile is
 * patched into the live bank at once and noted here, and is patched into the
 * new image before that becomes live.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>
#include "access.h"
#include "commits.h"
#include "duration.h"
#include "plan.h"

#define KEPT 32			/* finished jobs that can still be asked for */

struct jobs {
	int event_fd;
	pthread_t thread;
	struct job *all;	/* newest first; the oldest unfinished runs */
	struct job *running;
	int64_t last_id;
};

/* What the thread needs. */
struct work {
	struct agent *a;
	struct job *j;
};

static const char *const state_name[] = {
	[JOB_QUEUED] = "queued", [JOB_RUNNING] = "running",
	[JOB_DONE] = "done", [JOB_FAILED] = "failed" };
static const char *const kind_name[] = {
	[JOB_LIST] = "list replace", [JOB_LIST_REMOVE] = "list remove",
	[JOB_BLOCK] = "block", [JOB_UNBLOCK] = "unblock",
	[JOB_RELOAD] = "reload", [JOB_GUARDS] = "guards",
	[JOB_RULES] = "rule apply", [JOB_ROLLBACK] = "rollback",
	[JOB_FLOWSPEC] = "flowspec", [JOB_PLAN] = "rule plan" };

int jobs_open(struct agent *a)
{
	a->jobs = calloc(1, sizeof(*a->jobs));
	if (!a->jobs)
		return -1;
	a->jobs->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return a->jobs->event_fd < 0 ? -1 : 0;
}

int jobs_fd(const struct agent *a)
{
	return a->jobs->event_fd;
}

/* What a finished job still holds. */
static void drop_work(struct agent *a, struct job *j)
{
	lists_leave(&j->lists, &a->lists);
	free(j->body);
	j->body = NULL;
	json_object_put(j->request);
	j->request = NULL;
	sl_config_free(j->cfg);
	j->cfg = NULL;
	free(j->lane_id);
	j->lane_id = NULL;
	world_free(j->world);
	j->world = NULL;
	api_plan_free(j->api);
	j->api = NULL;
	list_free(j->list);
	j->list = NULL;
	rules_free(j->rules);
	j->rules = NULL;
	plan_drop(j);
	rules_free(j->guard);
	j->guard = NULL;
	rules_free(j->flow);
	j->flow = NULL;
	json_object_put(j->diff);
	j->diff = NULL;
	free(j->blocks.b);
	j->blocks = (struct blocks){};
	sl_rib_free(j->base);
	j->base = NULL;
	sl_abv_free(j->abv);
	j->abv = NULL;
	free(j->journal);
	j->journal = NULL;
	j->n_journal = 0;
}

static void free_job(struct agent *a, struct job *j)
{
	drop_work(a, j);
	json_object_put(j->answer);
	json_object_put(j->r.items);
	free(j);
}

void jobs_close(struct agent *a)
{
	struct job *j, *next;

	if (!a->jobs)
		return;
	if (a->jobs->running)
		pthread_join(a->jobs->thread, NULL);
	for (j = a->jobs->all; j; j = next) {
		next = j->next;
		free_job(a, j);
	}
	close(a->jobs->event_fd);
	free(a->jobs);
}

struct job *job_new(struct agent *a, enum job_kind kind,
		    const struct caller *who)
{
	struct job *j = calloc(1, sizeof(*j));

	if (!j)
		return NULL;
	j->id = ++a->jobs->last_id;
	j->kind = kind;
	j->who = *who;
	j->step = "waiting";
	return j;
}

/* Rules and base of the tables as this job wants them; j->base stays NULL where
 * it is the one that is live: compiling the same rules gives the same groups. */
static int make_base(struct agent *a, struct job *j)
{
	const struct world *w = j->world ? j->world : a->world;
	struct lists next = {};
	int rc = 0;

	if (lists_with(&a->lists, j, &next))
		return refuse(&j->r, 500, "free memory", "out of memory");
	json_object_put(j->diff);
	j->diff = diff_of_lists(&a->lists, &next);
	sl_rib_free(j->base);	/* of a former attempt */
	j->base = NULL;
	sl_abv_free(j->abv);
	j->abv = tables_compile(a, j, &next, &j->r);
	if (!j->abv)
		rc = -1;
	else if (j->kind != JOB_BLOCK && j->kind != JOB_UNBLOCK)
		j->base = tables_base(w, &next, j->abv);
	if (!rc && !j->base && j->kind != JOB_BLOCK && j->kind != JOB_UNBLOCK)
		rc = refuse(&j->r, 500, "free memory", "out of memory");
	free(next.l);
	return rc;
}

/* All of the job's tables, in the idle bank; what went wrong is in j->r. */
static void build(struct agent *a, struct job *j)
{
	struct sl_rib *extra;
	int rc = 0;

	if (j->kind == JOB_LIST)
		rc = list_make(j);
	else if (j->kind == JOB_RELOAD)
		rc = reload_make(a, j);
	j->step = "sorting";
	if (!rc)
		rc = make_base(a, j);
	extra = rc ? NULL : tables_extra(&j->blocks);
	if (!rc && !extra)
		rc = refuse(&j->r, 500, "free memory", "out of memory");
	if (!rc)
		rc = tables_build(a, (struct sl_rib_pair){
				  .base = j->base ? j->base : a->base,
				  .extra = extra, .abv = j->abv },
				  &j->progress, &j->step, &j->r);
	if (!rc && j->plan)
		wide_check(a, j);
	sl_rib_free(extra);
}

static bool reads_rules(const struct job *j)
{
	return j->kind == JOB_PLAN || (j->kind == JOB_RULES && !j->rules);
}

static void *work(void *arg)
{
	struct work *w = arg;
	struct job *j = w->j;
	struct agent *a = w->a;
	uint64_t one = 1;

	/* rules are read first; the loop then says where their counters are */
	if (reads_rules(j)) {
		if (!rules_make(a, j) && j->plan)
			plan_make(a, j);
	} else {
		build(a, j);
	}
	if (write(a->jobs->event_fd, &one, sizeof(one)) < 0)
		say(LOG_ERR, "jobs: %s", strerror(errno));
	free(w);
	return NULL;
}

/* Nobody ordered these, so that nobody can be told no: tables of blocks that
 * are on disk already, and guards. */
static bool can_wait(const struct job *j)
{
	return j->kind == JOB_GUARDS ||
	       (j->kind == JOB_UNBLOCK && !j->request);
}

static struct job *next_queued(const struct agent *a)
{
	struct job *j, *oldest = NULL;

	for (j = a->jobs->all; j; j = j->next)
		if (j->state == JOB_QUEUED &&
		    !(a->pending->generation && can_wait(j)))
			oldest = j;
	return oldest;
}

static void tell_refusal(struct agent *a, const struct job *j)
{
	struct json_object *detail = event_by(&j->who);

	put_int(detail, "job", j->id);
	put_text(detail, "request", kind_name[j->kind]);
	put_int(detail, "status", j->r.status);
	json_object_object_add(detail, "items", json_object_get(j->r.items));
	event(a, LOG_WARNING, "refused", detail, "job %lld (%s) refused, nothing "
	      "was changed: %s", (long long)j->id, kind_name[j->kind],
	      j->r.message);
}

/* What a job is about, for the audit. */
static void audit_failed(struct agent *a, const struct job *j)
{
	char object[48];

	snprintf(object, sizeof(object), "generation %lld",
		 (long long)j->target);
	audit_refused(a, &j->who, kind_name[j->kind],
		      j->target ? object : j->name[0] ? j->name : j->file,
		      &j->r);
}

static void end(struct agent *a, struct job *j, int state)
{
	struct job **at;
	int n = 0;

	j->state = state;
	j->step = state == JOB_DONE ? "done" : "failed";
	j->took_ns = sl_mono_ns() - j->began_ns;
	drop_work(a, j);
	if (state == JOB_FAILED && j->kind == JOB_RELOAD)
		sd_notify(0, "READY=1");
	if (j->kind == JOB_FLOWSPEC)
		flowspec_ended(a, j, state == JOB_FAILED);
	/* FlowSpec is tried again: once; a plan changes nothing */
	if (state == JOB_FAILED && j->kind != JOB_FLOWSPEC &&
	    j->kind != JOB_PLAN)
		audit_failed(a, j);
	if (state == JOB_FAILED && j->kind != JOB_PLAN)
		tell_refusal(a, j);
	for (at = &a->jobs->all; *at && n < KEPT; at = &(*at)->next)
		n++;
	while (*at) {
		j = *at;
		*at = j->next;
		free_job(a, j);
	}
}

/* What must be done in the loop before the thread works. */
static int prepare(struct agent *a, struct job *j)
{
	int rc = pending_refuses(a, &j->r);

	rules_free(j->guard);	/* of a former attempt */
	j->guard = NULL;
	if (!rc && j->kind == JOB_RELOAD)
		rc = reload_begin(a, j);
	if (!rc && j->kind == JOB_GUARDS &&
	    guards_make(a, a->cfg, &j->guard))
		rc = refuse(&j->r, 500, "see the agent's log",
			    "cannot make the guards");
	if (!rc && j->kind == JOB_FLOWSPEC)
		rc = flowspec_begin(a, j);
	if (!rc && j->kind == JOB_ROLLBACK)
		return rollback_begin(a, j);
	if (!rc)
		rc = plan_begin(a, j);
	return rc ? rc : blocks_preview(a, j);
}

/* Start the oldest job that waits, if none runs. */
static void launch(struct agent *a)
{
	struct work *w;
	struct job *j;
	int rc;

	while (!a->jobs->running && (j = next_queued(a))) {
		w = calloc(1, sizeof(*w));
		free(j->journal);
		j->journal = NULL;
		j->n_journal = 0;
		rc = w ? 0 : refuse(&j->r, 500, "free memory",
				    "out of memory");
		a->jobs->running = j;	/* holds the classes it asks for */
		if (!rc)
			rc = prepare(a, j);
		if (!rc) {
			*w = (struct work){ a, j };
			rc = pthread_create(&a->jobs->thread, NULL, work, w);
			if (rc)
				refuse(&j->r, 500, "free memory",
				       "no thread: %s", strerror(rc));
		}
		if (rc) {
			free(w);
			a->jobs->running = NULL;
			end(a, j, JOB_FAILED);
			continue;
		}
		j->state = JOB_RUNNING;
	}
}

void job_start(struct agent *a, struct job *j)
{
	j->began_ns = sl_mono_ns();
	j->next = a->jobs->all;
	a->jobs->all = j;
	launch(a);
}

void jobs_resume(struct agent *a)
{
	launch(a);
}

void jobs_note(struct agent *a, const struct sl_prefix *p)
{
	struct job *j = a->jobs->running;
	struct sl_prefix *grown;

	if (!j)
		return;
	grown = realloc(j->journal, (j->n_journal + 1) * sizeof(*grown));
	if (!grown) {
		/* a job that does not know of a push must not go live */
		refuse(&j->r, 500, "free memory", "out of memory");
		return;
	}
	j->journal = grown;
	grown[j->n_journal++] = *p;
}

bool jobs_busy(const struct agent *a)
{
	return a->jobs->running || next_queued(a);
}

bool jobs_hold_class(const struct agent *a, uint32_t id)
{
	const struct job *j = a->jobs ? a->jobs->running : NULL;
	unsigned int i;

	if (!j)
		return false;
	for (i = 0; i < j->blocks.n; i++)
		if (j->blocks.b[i].class_id == id)
			return true;
	for (i = 0; i < j->lists.n; i++)
		if (j->lists.l[i]->class_id == id)
			return true;
	return j->list && j->list->class_id == id;
}

static int finish(struct agent *a, struct job *j)
{
	switch (j->kind) {
	case JOB_LIST:
	case JOB_LIST_REMOVE: return lists_finish(a, j);
	case JOB_BLOCK:
	case JOB_UNBLOCK: return blocks_finish(a, j);
	case JOB_RELOAD: return reload_finish(a, j);
	case JOB_GUARDS: return guards_finish(a, j);
	case JOB_FLOWSPEC: return flowspec_finish(a, j);
	case JOB_RULES: return rules_finish(a, j);
	case JOB_ROLLBACK: return rollback_finish(a, j);
	case JOB_PLAN: return 0;	/* its answer is there */
	}
	return -1;
}

int job_replay(struct agent *a, struct job *j, const struct sl_rib *extra)
{
	const struct sl_rib_pair p = { .base = j->base ? j->base : a->base,
				       .extra = extra, .abv = j->abv };
	struct sl_fib_image *img = sl_dp_idle(a->dp);
	unsigned int i;
	int rc = 0;

	for (i = 0; i < j->n_journal && !rc; i++)
		rc = sl_fib_patch(img, p, &j->journal[i]);
	return rc;
}

void jobs_ready(struct agent *a)
{
	struct job *j = a->jobs->running;
	uint64_t n;
	int rc;

	if (read(a->jobs->event_fd, &n, sizeof(n)) != sizeof(n) || !j)
		return;
	pthread_join(a->jobs->thread, NULL);
	a->jobs->running = NULL;
	if (j->r.status) {
		end(a, j, JOB_FAILED);
	} else {
		rc = finish(a, j);
		if (rc == -EAGAIN)	/* the journal did not fit: once more */
			j->state = JOB_QUEUED;
		else
			end(a, j, rc ? JOB_FAILED : JOB_DONE);
	}
	launch(a);
}

/* --- for those who ask --- */
static struct json_object *one_doc(const struct job *j)
{
	struct json_object *o = json_object_new_object();

	put_int(o, "job", j->id);
	put_text(o, "kind", kind_name[j->kind]);
	put_text(o, "state", state_name[j->state]);
	put_text(o, "step", j->step);
	put_int(o, "progress_permille", j->progress);
	put_int(o, "took_ns", j->state >= JOB_DONE ? j->took_ns :
		sl_mono_ns() - j->began_ns);
	return o;
}

struct json_object *job_doc(struct agent *a, int64_t id, struct refusal *r)
{
	struct json_object *o, *e, *items;
	struct job *j;

	for (j = a->jobs->all; j && j->id != id; j = j->next)
		;
	if (!j) {
		refuse(r, 404, "ask for one of the last jobs", "no job %lld",
		       (long long)id);
		return NULL;
	}
	o = one_doc(j);
	json_object_object_add(o, "answer", j->state == JOB_DONE ?
			       json_object_get(j->answer) : NULL);
	if (j->state != JOB_FAILED) {
		put_null(o, "error");
		return o;
	}
	items = json_object_get(j->r.items);
	e = error_doc(&j->r);
	j->r.items = items;
	json_object_object_add(o, "error", json_object_get(
			       json_object_object_get(e, "error")));
	json_object_put(e);
	return o;
}

struct json_object *jobs_doc(const struct agent *a)
{
	struct json_object *list = json_object_new_array();
	const struct job *j;

	for (j = a->jobs->all; j; j = j->next)
		if (j->state < JOB_DONE)
			json_object_array_add(list, one_doc(j));
	return list;
}
