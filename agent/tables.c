// SPDX-License-Identifier: GPL-2.0
/* World, lists and blocks -> the data plane's tables and rule classes. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "agent.h"
#include "duration.h"

#define SECOND_NS	1000000000
#define CLOCK_SLACK_NS	100000000	/* what slewing does is let be so far */

struct sl_rib *tables_base(const struct world *w, const struct lists *l,
			   struct sl_abv *abv)
{
	struct sl_rib *rib = sl_rib_new();
	unsigned int i;
	int rc = rib ? sl_rib_add_rib(rib, w->rib) : -ENOMEM;

	for (i = 0; !rc && i < l->n; i++)
		rc = sl_rib_add_set(rib, &l->l[i]->set, l->l[i]->class_id,
				    SL_ACT_DROP, 0);
	if (!rc)
		rc = sl_abv_add_groups(abv, rib);
	if (!rc)
		rc = sl_rib_sort(rib);
	if (!rc)
		return rib;
	sl_rib_free(rib);
	return NULL;
}

struct sl_rib *tables_extra(const struct blocks *b)
{
	struct sl_rib *rib = sl_rib_new();
	unsigned int i;
	int rc = rib ? 0 : -ENOMEM;

	for (i = 0; !rc && i < b->n; i++)
		rc = sl_rib_add_class(rib, &b->b[i].prefix, b->b[i].class_id,
				      b->b[i].action, 0);
	if (!rc)
		rc = sl_rib_sort(rib);
	if (!rc)
		return rib;
	sl_rib_free(rib);
	return NULL;
}

static bool class_taken(const struct agent *a, uint32_t id)
{
	unsigned int i;

	for (i = 0; i < a->blocks.n; i++)
		if (a->blocks.b[i].class_id == id)
			return true;
	for (i = 0; i < a->lists.n; i++)
		if (a->lists.l[i]->class_id == id)
			return true;
	return jobs_hold_class(a, id);
}

uint32_t tables_new_class(struct agent *a)
{
	uint32_t i, id = a->last_class;

	for (i = 0; i < SL_MAX_CLASSES; i++) {
		id = id + 1 < SL_MAX_CLASSES ? id + 1 : SL_CLASS_PROTECT + 1;
		if (id <= SL_CLASS_PROTECT || class_taken(a, id))
			continue;
		a->last_class = id;
		sl_dp_clear_class(a->dp, id);
		return id;
	}
	return 0;
}

/* Wall clock -> the data plane's clock, as both stand now. */
static uint64_t to_mono(uint64_t wall_ns)
{
	uint64_t now = sl_now_ns(), mono = sl_mono_ns();

	if (!wall_ns)
		return 0;
	return wall_ns > now ? mono + (wall_ns - now) : 1;
}

void tables_set_class(struct agent *a, uint32_t class_id, enum sl_action action,
		      int64_t rule, uint64_t until_ns)
{
	const struct sl_class cls = { .action = action, .rule = rule,
				      .until_ns = to_mono(until_ns) };

	if (sl_dp_set_class(a->dp, class_id, &cls))
		event(a, LOG_ERR, "tables", NULL, "%s", sl_dp_error(a->dp));
}

/* Ends are told by the wall clock and kept by the data plane's. Where one was set
 * or stood still (NTP, a suspended host) they are reckoned anew. */
void tables_set_clock(struct agent *a)
{
	int64_t clock_ns = (int64_t)(sl_mono_ns() - sl_now_ns());
	int64_t by_ns = clock_ns - a->clock_ns;
	const struct block *b;

	sl_abv_set_clock(a->abv, clock_ns);
	if (a->former.abv)
		sl_abv_set_clock(a->former.abv, clock_ns);
	if (by_ns < CLOCK_SLACK_NS && by_ns > -CLOCK_SLACK_NS)
		return;
	if (a->clock_ns && (by_ns > SECOND_NS || by_ns < -SECOND_NS))
		say(LOG_NOTICE, "the clock was set: ends of blocks and rules "
		    "are reckoned anew");
	a->clock_ns = clock_ns;
	for (b = a->blocks.b; b < a->blocks.b + a->blocks.n; b++)
		if (b->until_ns)
			tables_set_class(a, b->class_id, b->action, b->id,
					 b->until_ns);
}

int tables_build(struct agent *a, struct sl_rib_pair p, int *progress,
		 const char **step, struct refusal *r)
{
	struct sl_fib_image *img = sl_dp_idle(a->dp);
	char text[SL_PREFIX_STR_B];
	struct sl_prefix bad;
	int rc;

	*step = "compiling";
	rc = sl_fib_build(img, p, progress);
	if (rc == -E2BIG && !sl_abv_failed(p.abv))
		return refuse(r, 409, "choose a larger tables: size, and load "
			      "anew; nothing was changed",
			      "the prefix tables would need %u lines, %u "
			      "hosts, %u nodes; there is room for %u, %u, %u",
			      img->lines, img->hosts, img->nodes,
			      img->room.lines, img->room.buckets *
			      SL_FIB_BUCKET_HOSTS, img->room.nodes);
	if (!rc) {
		*step = "verifying";
		rc = sl_fib_verify(img, p, &bad, progress);
	}
	if (rc == -EBADMSG)
		return refuse(r, 500, "report this; nothing was changed",
			      "the new table is wrong at %s",
			      sl_prefix_str(&bad, text));
	if (rc && sl_abv_failed(p.abv))
		return refuse(r, 409, "use fewer rules, lists or blocks; "
			      "nothing was changed", "%s",
			      sl_abv_error(p.abv));
	if (rc)
		return refuse(r, 500, "free memory; nothing was changed",
			      "cannot build the tables: %s", strerror(-rc));
	sl_dp_set_rules(a->dp, sl_abv_head(p.abv));
	return 0;
}

int tables_start(struct agent *a)
{
	struct refusal r = {};
	const char *step;
	unsigned int i;

	a->abv = tables_compile(a, NULL, &a->lists, &r);
	a->base = a->abv ? tables_base(a->world, &a->lists, a->abv) : NULL;
	a->extra = tables_extra(&a->blocks);
	if (a->base && a->extra)
		tables_build(a, (struct sl_rib_pair){ .base = a->base,
			     .extra = a->extra, .abv = a->abv }, NULL, &step,
			     &r);
	if (r.status || !a->base || !a->extra) {
		say(LOG_ERR, "%s; %s", r.status ? r.message : "no tables",
		    r.status ? r.remedy : "free memory");
		return -1;
	}
	tables_set_class(a, SL_CLASS_PROTECT, SL_ACT_PROTECT, 0, 0);
	for (i = 0; i < a->blocks.n; i++)
		tables_set_class(a, a->blocks.b[i].class_id,
				 a->blocks.b[i].action, a->blocks.b[i].id,
				 a->blocks.b[i].until_ns);
	for (i = 0; i < a->lists.n; i++)
		tables_set_class(a, a->lists.l[i]->class_id, SL_ACT_DROP, 0,
				 0);
	sl_dp_flip(a->dp);
	return 0;
}
