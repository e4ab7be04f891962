// SPDX-License-Identifier: GPL-2.0
/* audit: show, verify, export. What is proved is proved here, entry by entry;
 * the agent's word is not taken for it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "audit_chain.h"
#include "cli.h"
#include "duration.h"

#define PAGE "1000"
/* Of a line of an export: no entry is near it. */
#define LINE_MOST_B (64 << 20)

static const struct column audit_columns[] = {
	{ "n", "entry", COL_INT }, { "at", "at", COL_TEXT },
	{ "who", "by", COL_TEXT }, { "action", "action", COL_TEXT },
	{ "object", "object", COL_TEXT }, { "outcome", "outcome", COL_TEXT },
	{ "tag", "tag", COL_TEXT }, { "why", "why", COL_TEXT }, {}
};

static int show(struct cli *cli, const char *since, const char *tag,
		const char *limit)
{
	struct json_object *doc, *list;
	char path[600] = "audit";
	int rc;

	cli_query(path, sizeof(path), "last", limit ? limit : "50");
	cli_query(path, sizeof(path), "since", since);
	cli_query(path, sizeof(path), "tag", tag);
	rc = cli_call(cli, path, NULL, false, &doc);
	if (rc)
		return rc;
	if (!cli_json(cli, doc) &&
	    json_object_object_get_ex(doc, "entries", &list))
		cli_table(audit_columns, list);
	json_object_put(doc);
	return DONE;
}

/* --- one entry after the other --- */
struct walk {
	struct cli *cli;
	FILE *out;		/* export: here; NULL: none */
	struct sl_audit_head at;
	char broken[160];	/* which entry, and why; "": none yet */
};

static struct sl_audit_entry entry_of(struct json_object *o)
{
	return (struct sl_audit_entry){
		.n = cli_int(o, "n"), .at_ns = cli_int(o, "at_ns"),
		.uid = cli_int(o, "uid"), .pid = cli_int(o, "pid"),
		.who = cli_text(o, "who"), .action = cli_text(o, "action"),
		.object = cli_text(o, "object"),
		.outcome = cli_text(o, "outcome"), .why = cli_text(o, "why"),
		.tag = cli_text(o, "tag"), .detail = cli_text(o, "detail"),
		.prev = cli_text(o, "prev"), .hash = cli_text(o, "hash") };
}

static void put(struct json_object *o, const char *key, const char *text)
{
	json_object_object_add(o, key, json_object_new_string(text));
}

static void put_number(struct json_object *o, const char *key, int64_t v)
{
	json_object_object_add(o, key, json_object_new_int64(v));
}

static const char *line_of(struct json_object *o)
{
	return json_object_to_json_string_ext(o,
					      JSON_C_TO_STRING_NOSLASHESCAPE);
}

/* Is the line what an export has for the entry? Then it has nothing that the
 * hash does not cover: no other time of day, nothing twice, nothing besides. */
static bool as_exported(const struct sl_audit_entry *e, const char *line)
{
	struct json_object *o = json_object_new_object();
	char at[48];
	bool same;

	put_number(o, "n", e->n);
	put_number(o, "at_ns", e->at_ns);
	put(o, "at", sl_time_str(e->at_ns, at, sizeof(at)));
	put_number(o, "uid", e->uid);
	put_number(o, "pid", e->pid);
	put(o, "who", e->who);
	put(o, "action", e->action);
	put(o, "object", e->object);
	put(o, "outcome", e->outcome);
	put(o, "why", e->why);
	put(o, "tag", e->tag);
	put(o, "detail", e->detail);
	put(o, "prev", e->prev);
	put(o, "hash", e->hash);
	same = !strcmp(line_of(o), line);
	json_object_put(o);
	return same;
}

/* 0, or -EBADMSG with the entry named. line: what o was read from. */
static int follow(struct walk *w, struct json_object *o, const char *line)
{
	const struct sl_audit_entry e = entry_of(o);
	const char *why;

	if (!sl_audit_follow(&w->at, &e, &why)) {
		if (as_exported(&e, line))
			return 0;
		why = "its line has more, or other, than what its hash covers";
	}
	snprintf(w->broken, sizeof(w->broken), "entry %lld is broken: %s",
		 (long long)e.n, why);
	return -EBADMSG;
}

/* The head that somebody claims must be where the walk ended. */
static int check_head(struct walk *w, struct json_object *head)
{
	if (cli_int(head, "n") == w->at.n && (!w->at.n ||
	    !strcmp(cli_text(head, "hash"), w->at.hash)))
		return 0;
	snprintf(w->broken, sizeof(w->broken), "entry %lld is broken: the log "
		 "ends at entry %lld, and %lld is said to be the last",
		 (long long)w->at.n + 1, (long long)w->at.n,
		 (long long)cli_int(head, "n"));
	return -EBADMSG;
}

static int print(FILE *f, struct json_object *o)
{
	return fprintf(f, "%s\n", line_of(o)) < 0;
}

/* All of the agent's log, page by page. Entries that are added meanwhile
 * belong to it: the last page names the head. */
static int walk_agent(struct walk *w, struct json_object **head)
{
	struct json_object *doc, *list, *next = NULL;
	char path[64], from[24] = "1";
	size_t i;
	int rc, bad = 0;

	for (*head = NULL; !*head; json_object_put(doc)) {
		strcpy(path, "audit");
		cli_query(path, sizeof(path), "from", from);
		cli_query(path, sizeof(path), "limit", PAGE);
		rc = cli_call(w->cli, path, NULL, false, &doc);
		if (rc)
			return rc;
		json_object_object_get_ex(doc, "entries", &list);
		for (i = 0; !bad && i < json_object_array_length(list); i++) {
			struct json_object *e =
				json_object_array_get_idx(list, i);

			bad = follow(w, e, line_of(e));
			if (w->out && print(w->out, e))
				bad = -EIO;
		}
		next = NULL;
		json_object_object_get_ex(doc, "next", &next);
		snprintf(from, sizeof(from), "%s", cli_text(doc, "next"));
		if (!next || bad) {
			json_object_object_get_ex(doc, "head", head);
			*head = json_object_get(*head);
		}
	}
	if (!bad)
		check_head(w, *head);
	return DONE;
}

/* --- verify --- */
static int verdict(struct walk *w, const char *what)
{
	struct json_object *doc;

	if (w->broken[0])
		return cli_error(w->cli, REFUSED, "compare it with an export "
				 "kept elsewhere", "%s: %s", what, w->broken);
	doc = json_object_new_object();
	json_object_object_add(doc, "entries",
			       json_object_new_int64(w->at.n));
	json_object_object_add(doc, "hash", json_object_new_string(w->at.n ?
			       w->at.hash : SL_AUDIT_START));
	if (!cli_json(w->cli, doc))
		printf("%s: %lld entries follow from each other, head %s\n",
		       what, (long long)w->at.n, cli_text(doc, "hash"));
	json_object_put(doc);
	return DONE;
}

/* The last line of an export. */
static struct json_object *head_line(int64_t n, const char *hash)
{
	struct json_object *o = json_object_new_object();
	struct json_object *head = json_object_new_object();

	put_number(head, "n", n);
	put(head, "hash", hash);
	put(head, "format", SL_AUDIT_FORMAT);
	json_object_object_add(o, "head", head);
	return o;
}

/* A line without its end; NULL at the end of the file, and with *why where it
 * cannot be read. */
static char *read_line(FILE *f, const char **why)
{
	size_t n = 0, room = 0;
	char *line = NULL, *grown;
	int c;

	while ((c = getc(f)) != EOF && c && c != '\n' && n < LINE_MOST_B) {
		if (n + 2 > room) {
			room = room ? room * 2 : 4096;
			grown = realloc(line, room);
			if (!grown)
				break;
			line = grown;
		}
		line[n++] = c;
	}
	*why = ferror(f) ? strerror(errno) : !c || (c != EOF && c != '\n') ?
	       "this is no export" : NULL;
	if (*why || (c == EOF && !n)) {
		free(line);
		return NULL;
	}
	if (!line)
		return strdup("");
	line[n] = '\0';
	return line;
}

/* One line of an export; its last is the head. */
static int follow_line(struct walk *w, const char *line, bool *ended)
{
	struct json_object *o = json_tokener_parse(line), *head;
	struct json_object *end = NULL;
	int rc = 0;

	if (!json_object_is_type(o, json_type_object) || *ended) {
		snprintf(w->broken, sizeof(w->broken), "entry %lld is broken: "
			 "%s", (long long)w->at.n + 1, *ended ?
			 "there is more behind the head" :
			 "its line is no entry");
		rc = -EBADMSG;
	} else if (json_object_object_get_ex(o, "head", &head)) {
		*ended = true;
		rc = check_head(w, head);
		end = head_line(cli_int(head, "n"), cli_text(head, "hash"));
		if (!rc && strcmp(line_of(end), line)) {
			snprintf(w->broken, sizeof(w->broken), "entry %lld is "
				 "broken: the head behind it is not as exported",
				 (long long)w->at.n);
			rc = -EBADMSG;
		}
	} else {
		rc = follow(w, o, line);
	}
	json_object_put(end);
	json_object_put(o);
	return rc;
}

static int verify_file(struct cli *cli, const char *path)
{
	FILE *f = strcmp(path, "-") ? fopen(path, "re") : stdin;
	struct walk w = { .cli = cli };
	const char *why;
	char *line;
	bool ended = false;
	int bad = 0;

	if (!f)
		return cli_error(cli, REFUSED, "name a file that can be read",
				 "%s: %s", path, strerror(errno));
	while (!bad && (line = read_line(f, &why))) {
		bad = follow_line(&w, line, &ended);
		free(line);
	}
	if (f != stdin)
		fclose(f);
	if (!bad && why)
		return cli_error(cli, REFUSED, "name a file of audit export",
				 "%s: behind entry %lld: %s", path,
				 (long long)w.at.n, why);
	if (!bad && !ended)
		snprintf(w.broken, sizeof(w.broken), "entry %lld is missing: "
			 "the file has no head, it was cut off",
			 (long long)w.at.n + 1);
	return verdict(&w, path);
}

static int verify(struct cli *cli, const char *path)
{
	struct walk w = { .cli = cli };
	struct json_object *head;
	int rc;

	if (path)
		return verify_file(cli, path);
	rc = walk_agent(&w, &head);
	if (rc)
		return rc;
	json_object_put(head);
	return verdict(&w, "the agent's log");
}

/* --- export --- */
/* A broken log is exported as it is, and said to be broken. */
static int export(struct cli *cli, const char *path)
{
	FILE *f = path && strcmp(path, "-") ? fopen(path, "wxe") : stdout;
	struct walk w = { .cli = cli, .out = f };
	struct json_object *head, *o;
	int rc;

	if (!f)
		return cli_error(cli, REFUSED, "name a new file",
				 "%s: %s", path, strerror(errno));
	rc = walk_agent(&w, &head);
	if (!rc) {
		o = head_line(cli_int(head, "n"), cli_text(head, "hash"));
		rc = print(f, o) ? -1 : 0;
		json_object_put(o);
		json_object_put(head);
	}
	rc |= ferror(f) ? -1 : 0;
	if (f != stdout && (fclose(f) || rc))
		rc = rc ? rc : -1;
	if (rc && f != stdout)	/* half of it is no export */
		unlink(path);
	if (rc > 0)
		return rc;
	if (rc)
		return cli_error(cli, REFUSED, "make room",
				 "cannot write the export");
	if (w.broken[0] || (f != stdout && cli->json))
		return verdict(&w, "the agent's log");
	if (f != stdout)
		printf("%s: %lld entries\n", path, (long long)w.at.n);
	return DONE;
}

int cmd_audit(struct cli *cli, int argc, char **argv)
{
	const char *since = NULL, *tag = NULL, *limit = NULL;
	const struct option_spec spec[] = { { "--since", &since, NULL },
		{ "--tag", &tag, NULL }, { "--limit", &limit, NULL }, {} };
	int rc = cli_options(cli, spec, &argc, argv);

	if (rc)
		return rc;
	if (argc == 1 && !strcmp(argv[0], "show"))
		return show(cli, since, tag, limit);
	if ((argc == 1 || argc == 2) && !strcmp(argv[0], "verify"))
		return verify(cli, argc == 2 ? argv[1] : NULL);
	if ((argc == 1 || argc == 2) && !strcmp(argv[0], "export"))
		return export(cli, argc == 2 ? argv[1] : NULL);
	return cli_usage(cli, "audit wants show, verify or export%s%s",
			 argc ? ", not " : "", argc ? argv[0] : "");
}
