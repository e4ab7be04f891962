// SPDX-License-Identifier: GPL-2.0
/* Lanes, home, protected prefixes and blocks -> the data plane's tables. */
#include <errno.h>
#include <string.h>
#include "agent.h"
#include "duration.h"

int tables_compile(struct agent *a, const struct sl_config *cfg,
		   const uint32_t *lane_id, const struct blocks *b,
		   struct sl_fib_image *img, struct refusal *r)
{
	const struct sl_settings *s = sl_dp_settings(a->dp);
	struct sl_fibc *c = sl_fibc_new();
	unsigned int i;
	int rc = c ? sl_fibc_add_config(c, cfg, lane_id) : -ENOMEM;

	for (i = 0; !rc && i < b->n; i++)
		rc = sl_fibc_add_class(c, &b->b[i].prefix, b->b[i].class_id,
				       b->b[i].action);
	if (!rc)
		rc = sl_dp_compile(a->dp, c, img);
	sl_fibc_free(c);
	if (rc == -E2BIG)
		return refuse(r, 409, "choose a larger tables: size, and load "
			      "anew", "the prefix tables would need %u groups, "
			      "%u hosts, %u nodes; there is room for %u, %u, "
			      "%u", img->groups, img->hosts, img->nodes,
			      s->fib_groups, s->fib_buckets *
			      SL_FIB_BUCKET_HOSTS, s->fib_nodes);
	if (rc)
		return refuse(r, 500, "free memory", "cannot compile the "
			      "prefix table: %s", strerror(-rc));
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

int tables_apply(struct agent *a, const struct blocks *b,
		 const struct sl_fib_image *img)
{
	struct sl_class cls = { .action = SL_ACT_PROTECT };
	unsigned int i;
	int rc = sl_dp_set_class(a->dp, SL_CLASS_PROTECT, &cls);

	for (i = 0; !rc && i < b->n; i++) {
		cls = (struct sl_class){
			.action = b->b[i].action, .rule = b->b[i].id,
			.until_ns = to_mono(b->b[i].until_ns) };
		rc = sl_dp_set_class(a->dp, b->b[i].class_id, &cls);
	}
	if (!rc)
		rc = sl_dp_commit(a->dp, img);
	if (rc)
		say(LOG_ERR, "tables: %s", sl_dp_error(a->dp));
	return rc;
}

int tables_refresh(struct agent *a)
{
	struct sl_fib_image img = {};
	struct refusal r = {};
	int rc = tables_compile(a, a->cfg, a->lane_id, &a->blocks, &img, &r);

	if (rc)
		say(LOG_ERR, "%s; %s", r.message, r.remedy);
	else
		rc = tables_apply(a, &a->blocks, &img);
	sl_fib_image_free(&img);
	return rc;
}
