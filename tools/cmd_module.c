// SPDX-License-Identifier: GPL-2.0
/* module: the kernel module, and what it did. */
#include <stdio.h>
#include <string.h>
#include "cli.h"

static void show_counts(struct json_object *doc)
{
	struct json_object *o;

	printf("tables      %s in the module (%.1f MB); the one in use is read "
	       "%s\n", cli_text(doc, "images"),
	       cli_int(doc, "image_bytes") / 1e6,
	       cli_int(doc, "image_live") ? "there" : "by the programs");
	printf("stamps      %s waited for\n", cli_text(doc, "pending"));
	json_object_object_get_ex(doc, "stats", &o);
	json_object_object_foreach(o, name, n)
		printf("  %-16s %12s\n", name, json_object_get_string(n));
}

static void show(struct json_object *doc)
{
	if (!cli_int(doc, "loaded"))
		printf("module      not loaded (configuration: module: %s)\n",
		       cli_text(doc, "config"));
	else if (!cli_int(doc, "used"))
		printf("module      version %s, loaded and not used: %s\n",
		       cli_text(doc, "version"), cli_text(doc, "why"));
	else
		printf("module      version %s, in use%s\n",
		       cli_text(doc, "version"), cli_int(doc, "debug") ?
		       " (a debug build)" : "");
	if (cli_int(doc, "used"))
		show_counts(doc);
}

int cmd_module(struct cli *cli, int argc, char **argv)
{
	struct json_object *body = NULL, *doc;
	int rc = cli_options(cli, NULL, &argc, argv);
	bool on;

	if (rc)
		return rc;
	on = argc && !strcmp(argv[0], "on");
	if (argc > 1 || (argc && !on && strcmp(argv[0], "off")))
		return cli_usage(cli, "module wants on, off or nothing, not %s",
				 argv[argc - 1]);
	if (argc) {
		body = json_object_new_object();
		json_object_object_add(body, "on",
				       json_object_new_boolean(on));
	}
	rc = cli_call(cli, "module", body, false, &doc);
	json_object_put(body);
	if (rc)
		return rc;
	if (!cli_json(cli, doc))
		show(doc);
	json_object_put(doc);
	return DONE;
}
