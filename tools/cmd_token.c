// SPDX-License-Identifier: GPL-2.0
/* token: the file of those who may ask the agent over TCP. No agent is needed; one
 * that runs sees the change within a second. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>
#include "cli.h"
#include "config.h"
#include "duration.h"
#include "token.h"

#define WHY_B 512

struct words {
	const char *role, *until, *file, *conf;
};

static void put_text(struct json_object *o, const char *key, const char *v)
{
	json_object_object_add(o, key, v ? json_object_new_string(v) : NULL);
}

static void put_until(struct json_object *o, uint64_t until_ns)
{
	char buf[48];

	put_text(o, "until", until_ns ?
		 sl_time_str(until_ns, buf, sizeof(buf)) : NULL);
}

/* The file that the configuration names, the caller's. */
static char *file_of(struct cli *cli, const struct words *w)
{
	struct sl_config_errors errs = {};
	struct sl_config *cfg = NULL;
	char *path = NULL;

	if (w->file && w->conf) {
		cli_usage(cli, "name --file or -c");
		return NULL;
	}
	if (w->file)
		return strdup(w->file);
	if (sl_config_load(w->conf ? w->conf : SL_CONFIG_PATH, &cfg, &errs))
		cli_error(cli, USAGE, "name the file with --file",
			  "%s: %s", w->conf ? w->conf : SL_CONFIG_PATH,
			  errs.n ? errs.e[0].message : "cannot be read");
	else if (!cfg->tokens)
		cli_error(cli, USAGE, "write tokens: FILE in it, or name the "
			  "file with --file", "%s names no file of tokens",
			  w->conf ? w->conf : SL_CONFIG_PATH);
	else
		path = strdup(cfg->tokens);
	sl_config_errors_free(&errs);
	sl_config_free(cfg);
	return path;
}

/* Two that change it at once must not lose each other's. */
static int lock_beside(const char *path)
{
	char *dir = strdup(path), *slash = dir ? strrchr(dir, '/') : NULL;
	int fd;

	if (slash)
		slash[slash == dir] = '\0';
	fd = open(slash ? dir : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0)
		flock(fd, LOCK_EX);
	free(dir);
	return fd;
}

static int load(struct cli *cli, const char *path, struct sl_tokens *all)
{
	char why[WHY_B] = "out of memory";
	int rc = sl_tokens_load(path, all, why, sizeof(why));

	if (rc == -ENOENT)
		return 0;
	return rc ? cli_error(cli, REFUSED, "mend the file", "%s", why) : 0;
}

static int save(struct cli *cli, const char *path, const struct sl_tokens *all)
{
	char why[WHY_B] = "";

	return sl_tokens_save(path, all, why, sizeof(why)) ?
	       cli_error(cli, REFUSED, "be root", "%s", why) : 0;
}

static struct sl_token *find(const struct sl_tokens *all, const char *name)
{
	unsigned int i;

	for (i = 0; i < all->n; i++)
		if (!strcmp(all->t[i].name, name))
			return &all->t[i];
	return NULL;
}

/* "90d", or a time to come. */
static int until_of(struct cli *cli, const char *text, uint64_t *ns)
{
	uint64_t now_ns = sl_now_ns(), d_ns;

	*ns = 0;
	if (!text)
		return 0;
	if (!sl_duration_parse(text, &d_ns))
		*ns = now_ns + d_ns;
	else if (sl_time_parse(text, now_ns, ns))
		*ns = 0;
	return *ns > now_ns ? 0 : cli_usage(cli, "--until takes a duration such "
					    "as 90d, or a time to come, not %s",
					    text);
}

static int add(struct cli *cli, const struct words *w, const char *path,
	       struct sl_tokens *all, const char *name)
{
	struct sl_token t = {}, *grown;
	char secret[SL_TOKEN_B];
	struct json_object *o;
	int rc, role = w->role ? sl_role_of(w->role) : -1;

	if (role < 0 || !sl_token_name_ok(name))
		return cli_usage(cli, role < 0 ? "--role is view, operate or "
				 "enforce" : "a name has 1 to 31 letters, "
				 "digits, dots, dashes");
	if (until_of(cli, w->until, &t.until_ns))
		return USAGE;
	if (find(all, name) || all->n == SL_TOKENS_MOST)
		return cli_error(cli, REFUSED, "remove one first",
				 find(all, name) ? "there is a token %s" :
				 "no room for %s", name);
	strcpy(t.name, name);
	t.role = role;
	if (sl_token_make(&t, secret))
		return cli_error(cli, REFUSED, "", "no random bits");
	grown = realloc(all->t, (all->n + 1) * sizeof(*grown));
	if (!grown)
		return cli_error(cli, REFUSED, "free memory", "out of memory");
	all->t = grown;
	all->t[all->n++] = t;
	rc = save(cli, path, all);
	if (rc)
		return rc;
	o = json_object_new_object();
	put_text(o, "name", name);
	put_text(o, "role", sl_role_name(role));
	put_until(o, t.until_ns);
	put_text(o, "file", path);
	put_text(o, "token", secret);
	if (!cli_json(cli, o)) {
		fprintf(stderr, "sealane: token %s, role %s; it is shown now and "
			"never again:\n", name, sl_role_name(role));
		puts(secret);
	}
	json_object_put(o);
	return DONE;
}

static int drop(struct cli *cli, const char *path, struct sl_tokens *all,
		const char *name)
{
	struct sl_token *t = find(all, name);
	struct json_object *o;
	int rc;

	if (!t)
		return cli_error(cli, REFUSED, "see sealane token ls",
				 "no token %s in %s", name, path);
	*t = all->t[--all->n];
	rc = save(cli, path, all);
	if (rc)
		return rc;
	o = json_object_new_object();
	put_text(o, "removed", name);
	put_text(o, "file", path);
	if (!cli_json(cli, o))
		printf("token %s is removed\n", name);
	json_object_put(o);
	return DONE;
}

static int show(struct cli *cli, const char *path, const struct sl_tokens *all)
{
	static const struct column columns[] = {
		{ "name", "name", COL_TEXT }, { "role", "role", COL_TEXT },
		{ "until", "until", COL_TEXT }, { "ended", "ended", COL_TEXT },
		{} };
	struct json_object *doc = json_object_new_object(), *rows, *o;
	unsigned int i;

	rows = json_object_new_array();
	for (i = 0; i < all->n; i++) {
		o = json_object_new_object();
		put_text(o, "name", all->t[i].name);
		put_text(o, "role", sl_role_name(all->t[i].role));
		put_until(o, all->t[i].until_ns);
		json_object_object_add(o, "ended", json_object_new_boolean(
				       all->t[i].until_ns && all->t[i].until_ns <=
				       sl_now_ns()));
		json_object_array_add(rows, o);
	}
	put_text(doc, "file", path);
	json_object_object_add(doc, "tokens", rows);
	if (!cli_json(cli, doc))
		cli_table(columns, rows);
	json_object_put(doc);
	return DONE;
}

int cmd_token(struct cli *cli, int argc, char **argv)
{
	struct words w = {};
	const struct option_spec spec[] = {
		{ "--role", &w.role, NULL }, { "--until", &w.until, NULL },
		{ "--file", &w.file, NULL }, { "-c", &w.conf, NULL }, {} };
	struct sl_tokens all = {};
	const char *verb;
	int rc = cli_options(cli, spec, &argc, argv), lock;
	char *path;

	if (rc)
		return rc;
	verb = argc ? argv[0] : "";
	if (strcmp(verb, "ls") && strcmp(verb, "add") && strcmp(verb, "remove"))
		return cli_usage(cli, "token wants add, ls or remove");
	if (argc != (strcmp(verb, "ls") ? 2 : 1))
		return cli_usage(cli, "token %s wants %s", verb,
				 strcmp(verb, "ls") ? "one name" : "no name");
	path = file_of(cli, &w);
	if (!path)
		return USAGE;
	lock = lock_beside(path);
	rc = load(cli, path, &all);
	if (!rc)
		rc = !strcmp(verb, "add") ? add(cli, &w, path, &all, argv[1]) :
		     !strcmp(verb, "ls") ? show(cli, path, &all) :
		     drop(cli, path, &all, argv[1]);
	if (lock >= 0)
		close(lock);
	free(all.t);
	free(path);
	return rc;
}
