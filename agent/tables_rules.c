// SPDX-License-Identifier: GPL-2.0
/* Rules -> the bit vectors of the idle bank, and which bank is live. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "agent.h"
#include "duration.h"

/* What names in rules mean to a job. */
struct meaning {
	const struct agent *a;
	const struct job *j;
	const struct lists *lists;
};

static int lane_number(void *arg, const char *name)
{
	const struct meaning *m = arg;
	const struct sl_config *cfg = m->j && m->j->cfg ? m->j->cfg : m->a->cfg;
	const uint32_t *id = m->j && m->j->cfg ? m->j->lane_id : m->a->lane_id;
	unsigned int i;

	if (!strcmp(name, "other"))
		return 0;
	for (i = 0; i < cfg->n_lanes; i++)
		if (!strcmp(cfg->lanes[i].name, name))
			return id[i];
	return -1;
}

static int path_number(void *arg, const char *name)
{
	const struct meaning *m = arg;
	int i;

	for (i = 1; i < SL_MAX_PATHS; i++)
		if (name[0] && !strcmp(m->a->path_name[i], name))
			return i;
	return name[0] ? -1 : 0;
}

static const struct sl_pset *list_set(void *arg, const char *name)
{
	const struct meaning *m = arg;
	const struct list *l = lists_find(m->lists, name);

	return l ? &l->set : NULL;
}

/* Rules of one kind behind those of another. */
static void append(struct sl_abv_rule *all, unsigned int *n,
		   const struct rules *more)
{
	unsigned int i;

	for (i = 0; more && i < more->set.n; i++)
		all[(*n)++] = (struct sl_abv_rule){ &more->set.r[i],
			more->slot ? more->slot[i] : 0 };
}

void tables_kinds(const struct agent *a, const struct job *j,
		  struct rules *kind[RULE_KINDS])
{
	kind[0] = j && j->guard ? j->guard : a->guard;
	kind[1] = j && j->rules ? j->rules : a->rules;
	kind[2] = j && j->flow ? j->flow : a->flow;
}

/* The rules as they will be when the job is done, in their order. */
static int compile(struct agent *a, const struct job *j,
		   const struct lists *lists, struct sl_abv *abv)
{
	struct rules *kind[RULE_KINDS];
	struct meaning m = { a, j, lists };
	const struct sl_abv_names names = {
		.lane = lane_number, .path = path_number, .list = list_set,
		.arg = &m, .clock_ns = (int64_t)(sl_mono_ns() - sl_now_ns()) };
	struct sl_abv_rule *all;
	unsigned int i, n = 0;
	int rc;

	tables_kinds(a, j, kind);
	for (i = 0; i < RULE_KINDS; i++)
		n += kind[i] ? kind[i]->set.n : 0;
	all = calloc(n + 1, sizeof(*all));
	for (i = n = 0; all && i < RULE_KINDS; i++)
		append(all, &n, kind[i]);
	rc = all && abv ? sl_abv_compile(abv, all, n, &names) : -ENOMEM;
	free(all);
	return rc;
}

/* A compiler that has done its work, or a refusal. */
static struct sl_abv *compiled(struct sl_abv *abv, int rc, struct refusal *r)
{
	if (rc == -ENOENT || rc == -E2BIG)
		refuse(r, 409, "mend the rules; nothing was changed", "%s",
		       sl_abv_error(abv));
	else if (rc)
		refuse(r, 500, "free memory", "out of memory");
	if (!rc)
		return abv;
	sl_abv_free(abv);
	return NULL;
}

struct sl_abv *tables_compile(struct agent *a, const struct job *j,
			      const struct lists *lists, struct refusal *r)
{
	struct sl_abv *abv;

	sl_dp_idle(a->dp);	/* no packet is in that bank */
	abv = sl_abv_new(sl_dp_idle_rules(a->dp), 0);
	return compiled(abv, compile(a, j, lists, abv), r);
}

struct sl_abv *tables_compile_aside(struct agent *a, const struct job *j,
				    struct refusal *r)
{
	struct sl_abv *abv = sl_abv_new(NULL, sl_dp_settings(a->dp)->rule_rows);

	return compiled(abv, compile(a, j, &a->lists, abv), r);
}

const struct sl_rule *tables_rule(const struct agent *a, uint32_t i,
				  uint32_t *slot)
{
	struct rules *kind[RULE_KINDS];
	int k;

	tables_kinds(a, NULL, kind);
	for (k = 0; k < RULE_KINDS; k++) {
		if (!kind[k])
			continue;
		if (i < kind[k]->set.n) {
			*slot = kind[k]->slot[i];
			return &kind[k]->set.r[i];
		}
		i -= kind[k]->set.n;
	}
	return NULL;
}

/* --- which bank is live --- */
static void drop(struct tables *t)
{
	sl_rib_free(t->base);
	sl_abv_free(t->abv);
	*t = (struct tables){};
}

void tables_live(struct agent *a, struct job *j, uint64_t until_ns)
{
	struct tables was = { a->base, a->abv };

	if (until_ns)
		sl_dp_flip_until(a->dp, until_ns);
	else
		sl_dp_flip(a->dp);
	if (j->base)
		a->base = j->base;
	else
		was.base = NULL;	/* is still in use */
	a->abv = j->abv;
	j->base = NULL;
	j->abv = NULL;
	guards_take(a, j->guard);
	j->guard = NULL;
	drop(&a->former);
	if (until_ns)
		a->former = was;
	else
		drop(&was);
}

void tables_confirm(struct agent *a)
{
	sl_dp_confirm(a->dp);
	drop(&a->former);
}

void tables_undo(struct agent *a)
{
	struct tables was = { a->base, a->abv };

	sl_dp_flip(a->dp);
	a->base = a->former.base;
	a->abv = a->former.abv;
	a->former = (struct tables){};
	drop(&was);
}

int tables_patch(struct agent *a, const struct sl_rib *extra,
		 const struct sl_prefix *p)
{
	struct sl_rib_pair now = { .base = a->base, .extra = extra,
				   .abv = a->abv };
	int rc;

	if (p->family == 6) {
		sl_dp_outdate_image(a->dp, 0);
		sl_dp_outdate_image(a->dp, 1);
	}
	rc = sl_fib_patch(sl_dp_live(a->dp), now, p);
	if (rc || !a->former.base)
		return rc;
	/* the bank that holds again when nobody confirms */
	rc = sl_fib_patch(sl_dp_other(a->dp), (struct sl_rib_pair){
			  .base = a->former.base, .extra = extra,
			  .abv = a->former.abv }, p);
	now.extra = a->extra;
	if (rc)		/* one without the other is neither done nor refused */
		sl_fib_patch(sl_dp_live(a->dp), now, p);
	return rc;
}

void tables_free(struct agent *a)
{
	struct tables now = { a->base, a->abv };

	drop(&now);
	drop(&a->former);
	sl_rib_free(a->extra);
}
