// SPDX-License-Identifier: GPL-2.0
/* list: ls, show, replace, remove. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "cli.h"

#define MAX_FILE_B (256UL << 20)	/* what the agent takes */

static const struct column list_columns[] = {
	{ "name", "list", COL_TEXT }, { "prefixes", "prefixes", COL_INT },
	{ "generation", "generation", COL_INT }, { "at", "at", COL_TEXT },
	{ "by", "by", COL_TEXT }, { "packets", "packets", COL_INT },
	{ "last_hit", "last hit", COL_TEXT }, { "why", "why", COL_TEXT }, {}
};

struct words {
	const char *format, *why, *from, *limit;
	bool force;
};

static int ls(struct cli *cli)
{
	struct json_object *doc, *lists;
	int rc = cli_call(cli, "lists", NULL, false, &doc);

	if (rc)
		return rc;
	if (!cli_json(cli, doc) &&
	    json_object_object_get_ex(doc, "lists", &lists))
		cli_table(list_columns, lists);
	json_object_put(doc);
	return DONE;
}

static int show(struct cli *cli, const char *name, const struct words *w)
{
	struct json_object *doc, *page;
	char path[600] = "list";
	size_t i;
	int rc;

	cli_query(path, sizeof(path), "name", name);
	cli_query(path, sizeof(path), "from", w->from);
	cli_query(path, sizeof(path), "limit", w->limit);
	rc = cli_call(cli, path, NULL, false, &doc);
	if (rc)
		return rc;
	if (!cli_json(cli, doc)) {
		json_object_object_get_ex(doc, "page", &page);
		for (i = 0; i < json_object_array_length(page); i++)
			puts(json_object_get_string(
				json_object_array_get_idx(page, i)));
		if (cli_text(doc, "next")[0])
			fprintf(stderr, "%s of %s shown; more: --from %s\n",
				cli_text(doc, "next"),
				cli_text(doc, "prefixes"),
				cli_text(doc, "next"));
	}
	json_object_put(doc);
	return DONE;
}

/* The whole file, or stdin; it may be a pipe. */
static int read_file(struct cli *cli, const char *path, char **out,
		     size_t *len_b)
{
	int fd = strcmp(path, "-") ? open(path, O_RDONLY | O_CLOEXEC) : 0;
	size_t room = 1 << 20;
	ssize_t n = 0;
	char *grown;

	*len_b = 0;
	*out = fd < 0 ? NULL : malloc(room);
	while (*out && *len_b <= MAX_FILE_B &&
	       (n = read(fd, *out + *len_b, room - *len_b)) > 0) {
		*len_b += n;
		if (*len_b < room)
			continue;
		grown = realloc(*out, room *= 2);
		if (!grown)
			break;
		*out = grown;
	}
	if (fd > 0)
		close(fd);
	if (*out && !n && *len_b)
		return DONE;
	if (fd < 0 || n < 0)
		return cli_error(cli, REFUSED, "name a file that can be read",
				 "%s: %s", path, strerror(errno));
	if (*len_b > MAX_FILE_B)
		return cli_error(cli, REFUSED, "split it", "%s is over 256 MB",
				 path);
	return cli_error(cli, REFUSED, "to empty a list, remove it",
			 "%s is empty", path);
}

static int replace(struct cli *cli, const char *name, const char *file,
		   const struct words *w)
{
	struct json_object *doc, *list;
	char path[CLI_PATH_B] = "list_replace", *body = NULL;
	size_t body_b;
	int rc = read_file(cli, file, &body, &body_b);

	if (!rc) {
		cli_query(path, sizeof(path), "name", name);
		cli_query(path, sizeof(path), "file", file);
		cli_query(path, sizeof(path), "format", w->format);
		cli_query(path, sizeof(path), "why", w->why);
		cli_query(path, sizeof(path), "force", w->force ? "1" : NULL);
		rc = cli_send(cli, path, body, body_b, false, &doc);
	}
	free(body);
	if (rc)
		return rc;
	if (!cli_json(cli, doc)) {
		json_object_object_get_ex(doc, "list", &list);
		printf("generation %s, list %s: %s prefixes enforced (%s "
		       "before), %s stood twice\n",
		       cli_text(doc, "generation"), name,
		       cli_text(list, "prefixes"), cli_text(doc, "removed"),
		       cli_text(list, "doubles"));
		cli_live(doc);
	}
	json_object_put(doc);
	return DONE;
}

static int drop(struct cli *cli, const char *name, const struct words *w)
{
	struct json_object *doc;
	char path[900] = "list_remove";
	int rc;

	cli_query(path, sizeof(path), "name", name);
	cli_query(path, sizeof(path), "why", w->why);
	rc = cli_send(cli, path, "{}", 2, false, &doc);
	if (rc)
		return rc;
	if (!cli_json(cli, doc))
		printf("generation %s, list %s removed: %s prefixes\n",
		       cli_text(doc, "generation"), name,
		       cli_text(doc, "removed"));
	json_object_put(doc);
	return DONE;
}

int cmd_list(struct cli *cli, int argc, char **argv)
{
	struct words w = {};
	const struct option_spec spec[] = {
		{ "--format", &w.format, NULL }, { "--why", &w.why, NULL },
		{ "--from", &w.from, NULL }, { "--limit", &w.limit, NULL },
		{ "--force", NULL, &w.force }, {} };
	int rc = cli_options(cli, spec, &argc, argv);

	if (rc)
		return rc;
	if (argc == 1 && !strcmp(argv[0], "ls"))
		return ls(cli);
	if (argc == 2 && !strcmp(argv[0], "show"))
		return show(cli, argv[1], &w);
	if (argc == 3 && !strcmp(argv[0], "replace"))
		return replace(cli, argv[1], argv[2], &w);
	if (argc == 2 && !strcmp(argv[0], "remove"))
		return drop(cli, argv[1], &w);
	return cli_usage(cli, "list wants ls, show, replace or remove%s%s",
			 argc ? ", not " : "", argc ? argv[0] : "");
}
