// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "rule_input.h"
#include "world.h"

int rule_input_refuse(struct cli *cli, const char *file,
		      const struct sl_mistakes *all)
{
	struct json_object *doc = json_object_new_object();
	struct json_object *e = json_object_new_object();
	struct json_object *items = sl_mistakes_json(file, all);
	char message[300];

	snprintf(message, sizeof(message), "%s: %zu mistake%s", file,
		 all->total, all->total == 1 ? "" : "s");
	json_object_object_add(e, "message", json_object_new_string(message));
	json_object_object_add(e, "remedy", json_object_new_string(
			       "mend each place that is named"));
	json_object_object_add(e, "items", items);
	json_object_object_add(doc, "error", e);
	if (!cli_json(cli, doc))
		cli_items(items);
	json_object_put(doc);
	return REFUSED;
}

int rule_input_config(struct cli *cli, const char *conf,
		      struct sl_config **out)
{
	struct sl_mistakes all = {};
	struct sl_config_errors errs = {};
	unsigned int i;
	int rc = DONE;

	if (sl_config_load(conf, out, &errs)) {
		for (i = 0; i < errs.n; i++)
			sl_mistake(&all, errs.e[i].line, errs.e[i].remedy,
				   "%s", errs.e[i].message);
		rc = rule_input_refuse(cli, conf, &all);
	}
	sl_mistakes_free(&all);
	sl_config_errors_free(&errs);
	return rc;
}

/* --- what a configuration knows --- */
struct known {
	struct sl_names lanes, paths;
	struct world *world;
};

static int add_once(struct sl_names *n, const char *name)
{
	return n->n && sl_names_has(n, name) ? 0 : sl_names_add(n, name);
}

static int know_names(struct known *k, const struct sl_config *cfg)
{
	unsigned int i;
	int rc = sl_names_add(&k->lanes, "other");

	for (i = 0; !rc && i < cfg->n_lanes; i++)
		rc = sl_names_add(&k->lanes, cfg->lanes[i].name);
	for (i = 0; !rc && i < cfg->n_ifaces; i++)
		if (cfg->ifaces[i].path[0])
			rc = add_once(&k->paths, cfg->ifaces[i].path);
	return rc;
}

static int read_with(const char *file, const struct sl_config *cfg,
		     struct sl_rule_context ctx, struct sl_ruleset *out,
		     struct sl_mistakes *all)
{
	struct known k = {};
	int rc = 0;

	if (cfg) {
		rc = know_names(&k, cfg);
		ctx.lanes = &k.lanes;
		ctx.paths = &k.paths;
	}
	if (cfg && !rc && !ctx.protect) {
		rc = world_load(cfg, NULL, &k.world, all);
		if (!rc)
			rc = sl_rib_sort(k.world->rib);
		ctx.protect = k.world ? k.world->rib : NULL;
	}
	if (!rc)
		rc = sl_rule_file_load(file, &ctx, out, all);
	free(k.lanes.name);
	free(k.paths.name);
	world_free(k.world);
	return rc;
}

/* How reading ended: an exit code, with what was wrong shown. */
static int ended(struct cli *cli, const char *file, int rc,
		 struct sl_mistakes *all)
{
	if (rc && all->total)
		rc = rule_input_refuse(cli, file, all);
	else if (rc)
		rc = cli_error(cli, REFUSED, "free memory", "%s: %s", file,
			       strerror(-rc));
	sl_mistakes_free(all);
	return rc;
}

int rule_input(struct cli *cli, const char *file, const struct sl_config *cfg,
	       const struct sl_rule_context *ctx, struct sl_ruleset *out)
{
	struct sl_mistakes all = {};

	return ended(cli, file, read_with(file, cfg, *ctx, out, &all), &all);
}

int rule_input_text(struct cli *cli, const char *file,
		    const struct sl_rule_context *ctx, char **text,
		    size_t *len_b)
{
	struct sl_mistakes all = {};
	struct sl_ruleset set = {};
	int rc = sl_rule_file_read(file, text, len_b, &all);

	if (!rc)
		rc = sl_rule_file_parse(*text, *len_b, ctx, &set, &all);
	sl_ruleset_free(&set);
	if (rc) {
		free(*text);
		*text = NULL;
	}
	return ended(cli, file, rc, &all);
}
