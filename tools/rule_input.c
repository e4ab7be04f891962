// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "rule_input.h"
#include "world.h"

static struct json_object *item_doc(const char *file,
				    const struct sl_rule_mistake *m)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "file", json_object_new_string(file));
	json_object_object_add(o, "line", json_object_new_int64(m->line));
	json_object_object_add(o, "rule", json_object_new_string(m->rule));
	json_object_object_add(o, "message",
			       json_object_new_string(m->message));
	json_object_object_add(o, "remedy", json_object_new_string(m->remedy));
	return o;
}

static void refuse_json(struct cli *cli, const char *message,
			const char *file, const struct sl_rule_mistakes *all)
{
	struct json_object *doc = json_object_new_object();
	struct json_object *e = json_object_new_object();
	struct json_object *items = json_object_new_array();
	size_t i;

	for (i = 0; i < all->n; i++)
		json_object_array_add(items, item_doc(file, &all->m[i]));
	json_object_object_add(e, "message", json_object_new_string(message));
	json_object_object_add(e, "remedy", json_object_new_string(
			       "mend each place that is named"));
	json_object_object_add(e, "items", items);
	json_object_object_add(doc, "error", e);
	cli_json(cli, doc);
	json_object_put(doc);
}

int rule_input_refuse(struct cli *cli, const char *file,
		      const struct sl_rule_mistakes *all)
{
	char message[300], line[24];
	size_t i;

	snprintf(message, sizeof(message), "%s: %zu mistake%s", file,
		 all->total, all->total == 1 ? "" : "s");
	if (cli->json) {
		refuse_json(cli, message, file, all);
		return REFUSED;
	}
	for (i = 0; i < all->n; i++) {
		const struct sl_rule_mistake *m = &all->m[i];

		line[0] = '\0';
		if (m->line)
			snprintf(line, sizeof(line), ":%lu", m->line);
		fprintf(stderr, "%s%s: %s%s%s%s; %s\n", file, line,
			m->rule[0] ? "rule " : "", m->rule,
			m->rule[0] ? ": " : "", m->message, m->remedy);
	}
	if (all->total > all->n)
		fprintf(stderr, "%s: and %zu more\n", file,
			all->total - all->n);
	return REFUSED;
}

int rule_input_config(struct cli *cli, const char *conf,
		      struct sl_config **out)
{
	struct sl_rule_mistakes all = {};
	struct sl_config_errors errs = {};
	unsigned int i;
	int rc = DONE;

	if (sl_config_load(conf, out, &errs)) {
		for (i = 0; i < errs.n; i++)
			sl_rule_mistake(&all, errs.e[i].line, "",
					errs.e[i].remedy, "%s",
					errs.e[i].message);
		rc = rule_input_refuse(cli, conf, &all);
	}
	sl_rule_mistakes_free(&all);
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

/* Protected prefixes may come from files, which may have mistakes too. */
static int know_world(struct known *k, const struct sl_config *cfg,
		      struct sl_rule_mistakes *all)
{
	struct sl_mistakes world = {};
	int rc = world_load(cfg, NULL, &k->world, &world);
	size_t i;

	for (i = 0; i < world.n; i++)
		sl_rule_mistake(all, world.m[i].line, "", world.m[i].remedy,
				"%s", world.m[i].message);
	sl_mistakes_free(&world);
	return rc ? rc : sl_rib_sort(k->world->rib);
}

static int read_with(const char *file, const struct sl_config *cfg,
		     struct sl_rule_context ctx, struct sl_ruleset *out,
		     struct sl_rule_mistakes *all)
{
	struct known k = {};
	int rc = 0;

	if (cfg) {
		rc = know_names(&k, cfg);
		ctx.lanes = &k.lanes;
		ctx.paths = &k.paths;
	}
	if (cfg && !rc && !ctx.protect) {
		rc = know_world(&k, cfg, all);
		ctx.protect = k.world ? k.world->rib : NULL;
	}
	if (!rc)
		rc = sl_rule_file_load(file, &ctx, out, all);
	free(k.lanes.name);
	free(k.paths.name);
	world_free(k.world);
	return rc;
}

int rule_input(struct cli *cli, const char *file, const struct sl_config *cfg,
	       const struct sl_rule_context *ctx, struct sl_ruleset *out)
{
	struct sl_rule_mistakes all = {};
	int rc = read_with(file, cfg, *ctx, out, &all);

	if (rc && all.total)
		rc = rule_input_refuse(cli, file, &all);
	else if (rc)
		rc = cli_error(cli, REFUSED, "free memory", "%s: %s", file,
			       strerror(-rc));
	sl_rule_mistakes_free(&all);
	return rc;
}
