// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "replay_tables.h"
#include "rule_input.h"
#include "world.h"

/* --- what names in rules mean; rule_input() knows that they are there --- */
static int lane_number(void *arg, const char *name)
{
	const struct sl_config *cfg = arg;
	unsigned int i;

	for (i = 0; i < cfg->n_lanes; i++)
		if (!strcmp(cfg->lanes[i].name, name))
			return i + 1;
	return 0;
}

/* A capture does not say which interface a packet came in at: all are of path
 * 0, and no path of a rule is. */
static int path_number(void *arg, const char *name)
{
	(void)arg;
	(void)name;
	return 1;
}

static const struct sl_pset *no_list(void *arg, const char *name)
{
	(void)arg;
	(void)name;
	return NULL;
}

/* The rules into the idle bank, their prefixes into the rib. 0 or negative
 * errno. */
static int compile(struct sl_dp *dp, const struct sl_config *cfg,
		   struct replay_rules *out, struct sl_rib *rib)
{
	const struct sl_abv_names names = { .lane = lane_number,
		.path = path_number, .list = no_list, .arg = (void *)cfg };
	struct sl_abv_rule *all = calloc(out->set.n + 1, sizeof(*all));
	unsigned int i;
	int rc;

	for (i = 0; all && i < out->set.n; i++)
		all[i] = (struct sl_abv_rule){ &out->set.r[i], i };
	sl_dp_idle(dp);
	out->abv = sl_abv_new(sl_dp_idle_rules(dp), 0);
	rc = all && out->abv ? sl_abv_compile(out->abv, all, out->set.n,
					      &names) : -ENOMEM;
	if (!rc)
		rc = sl_abv_add_groups(out->abv, rib);
	free(all);
	return rc ? rc : sl_rib_sort(rib);
}

static int failed(struct cli *cli, const struct sl_dp *dp,
		  const struct replay_rules *rules, int rc)
{
	if (rules->abv && sl_abv_error(rules->abv)[0])
		return cli_error(cli, REFUSED, "use fewer rules, or a larger "
				 "tables: size", "the rules have no room: %s",
				 sl_abv_error(rules->abv));
	return cli_error(cli, REFUSED, "be root; see sealane doctor",
			 "cannot load the data plane: %s", sl_dp_error(dp)[0] ?
			 sl_dp_error(dp) : strerror(-rc));
}

/* A capture is of a time of its own, and nobody is cut off by a replay. */
static int read_rules(struct cli *cli, const char *file,
		      const struct sl_config *cfg, const struct world *w,
		      struct sl_ruleset *out)
{
	const struct sl_names none = {};
	const struct sl_rule_context ctx = { .lists = &none, .force = true,
					     .protect = w->rib };

	return rule_input(cli, file, cfg, &ctx, out);
}

static int load_world(struct cli *cli, const struct sl_config *cfg,
		      struct world **out)
{
	struct sl_mistakes all = {};
	int rc = world_load(cfg, NULL, out, &all);
	size_t i;

	for (i = 0; i < all.n; i++)
		cli_error(cli, REFUSED, all.m[i].remedy, "%s",
			  all.m[i].message);
	if (!rc)
		rc = sl_rib_sort((*out)->rib);
	if (rc && !all.n)
		cli_error(cli, REFUSED, "free memory", "%s", strerror(-rc));
	sl_mistakes_free(&all);
	return rc ? REFUSED : DONE;
}

int replay_tables(struct cli *cli, struct sl_dp *dp,
		  const struct sl_config *cfg, const char *file,
		  struct replay_rules *out)
{
	const struct sl_class protect = { .action = SL_ACT_PROTECT };
	struct world *w = NULL;
	int rc = load_world(cli, cfg, &w), err;

	if (!rc && file)
		rc = read_rules(cli, file, cfg, w, &out->set);
	if (!rc) {
		err = file ? compile(dp, cfg, out, w->rib) : 0;
		if (!err)
			err = sl_dp_set_class(dp, SL_CLASS_PROTECT, &protect);
		if (!err)
			err = sl_dp_commit(dp, (struct sl_rib_pair){
					   .base = w->rib, .abv = out->abv });
		if (err)
			rc = failed(cli, dp, out, err);
	}
	world_free(w);
	return rc;
}

void replay_rules_free(struct replay_rules *rules)
{
	sl_abv_free(rules->abv);
	sl_ruleset_free(&rules->set);
}

struct json_object *replay_rules_doc(const struct sl_dp *dp,
				     const struct replay_rules *rules)
{
	struct json_object *all = json_object_new_array(), *o;
	struct sl_rule_ctr ctr;
	unsigned int i;

	for (i = 0; i < rules->set.n; i++) {
		sl_dp_read_rule(dp, i, &ctr);
		o = json_object_new_object();
		json_object_object_add(o, "id", json_object_new_string(
				       rules->set.r[i].id));
		json_object_object_add(o, "packets",
				       json_object_new_int64(ctr.packets));
		json_object_object_add(o, "bytes",
				       json_object_new_int64(ctr.bytes));
		json_object_array_add(all, o);
	}
	return all;
}

void replay_rules_show(struct json_object *doc)
{
	static const struct column columns[] = {
		{ "id", "rule", COL_TEXT }, { "packets", "packets", COL_INT },
		{ "bytes", "bytes", COL_INT }, {}
	};

	cli_table(columns, doc);
}
