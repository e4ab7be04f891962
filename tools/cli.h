/* SPDX-License-Identifier: GPL-2.0 */
/* What the commands of `sealane` share: global options, arguments, output,
 * errors, the agent. */
#ifndef SL_CLI_H
#define SL_CLI_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A request's path and query: the longest file name and reason, escaped. */
#define CLI_PATH_B 16384

enum exit_code { DONE = 0, USAGE = 1, REFUSED = 2, UNREACHABLE = 3 };

struct cli {
	bool json, pretty;
	const char *socket, *bpffs;
	const char *url;	/* of an agent elsewhere; NULL: the socket */
	const char *cacert, *token_file;	/* or NULL */
	const char *token;	/* out of the file or the environment; or NULL */
	const struct command *cmd;
	long timeout_ms;	/* of a request; 0: a minute */
};

/* A verb: the table of these is both dispatch and help. */
struct command {
	const char *name, *args, *summary, *help;
	int (*run)(struct cli *cli, int argc, char **argv);
};

/* One option of a verb; exact names only, an enforcement tool must not guess.
 * value set: takes a word; flag set: takes none. */
struct option_spec {
	const char *name;
	const char **value;
	bool *flag;
};

/* Take the options out of argv; what remains are the operands, counted in
 * *argc. 0, or USAGE with the bad word named. */
int cli_options(struct cli *cli, const struct option_spec *spec, int *argc,
		char **argv);

/* One message per failure: subject and value, then the remedy (may be ""). As
 * JSON on stdout under -j. Returns code. */
int cli_error(const struct cli *cli, int code, const char *remedy,
	      const char *fmt, ...) __attribute__((format(printf, 4, 5)));
int cli_usage(const struct cli *cli, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* --- one document, two writers --- */
enum column_kind { COL_TEXT, COL_INT, COL_MS };

struct column {
	const char *key, *title;
	enum column_kind kind;
};

/* Print the document under -j. True when that was all there is to do. */
bool cli_json(const struct cli *cli, struct json_object *doc);
/* The rows of an array as an aligned table; null prints as "-". */
void cli_table(const struct column *cols, struct json_object *rows);
/* What an error says of several mistakes, on stderr: words, or objects of
 * mistakes.h as "FILE:LINE: rule ID: message; remedy". */
void cli_items(struct json_object *items);
/* Member of an object as text, "" when absent or null. */
const char *cli_text(struct json_object *o, const char *key);
int64_t cli_int(struct json_object *o, const char *key);
/* What a commit drops of the live traffic, where that was asked. */
void cli_live(struct json_object *doc);

/* --- the agent --- */
/* GET path (body NULL) or POST body. DONE with *answer owned by the caller;
 * else the error was printed (UNREACHABLE: only when `quiet` is false). */
int cli_call(const struct cli *cli, const char *path, struct json_object *body,
	     bool quiet, struct json_object **answer);
/* Likewise with a body of any kind. An answer that is a job is waited for. */
int cli_send(const struct cli *cli, const char *path, const void *body,
	     size_t body_b, bool quiet, struct json_object **answer);
const char *cli_where(const struct cli *cli);	/* is the agent */
/* Did the agent say that the bypass is on? */
bool cli_bypassed(void);
/* One exchange and nothing printed: HTTP status, or -1 and why; *out NULL where
 * the answer is no JSON. */
long cli_exchange(const struct cli *cli, const char *path, const void *body,
		  size_t body_b, long timeout_ms, struct json_object **out,
		  const char **why);
/* Append key=value to a query, escaped; value NULL: nothing. Where it has no
 * room the request is refused when it is made. */
void cli_query(char *path, size_t len, const char *key, const char *value);
/* Escape a word for a query; the caller frees it. */
char *cli_escape(const char *word);

int cmd_attach(struct cli *cli, int argc, char **argv);
int cmd_audit(struct cli *cli, int argc, char **argv);
int cmd_block(struct cli *cli, int argc, char **argv);
int cmd_bypass(struct cli *cli, int argc, char **argv);
int cmd_detach(struct cli *cli, int argc, char **argv);
int cmd_doctor(struct cli *cli, int argc, char **argv);
int cmd_events(struct cli *cli, int argc, char **argv);
int cmd_flowspec(struct cli *cli, int argc, char **argv);
int cmd_explain(struct cli *cli, int argc, char **argv);
int cmd_history(struct cli *cli, int argc, char **argv);
int cmd_latency(struct cli *cli, int argc, char **argv);
int cmd_lanes(struct cli *cli, int argc, char **argv);
int cmd_list(struct cli *cli, int argc, char **argv);
int cmd_module(struct cli *cli, int argc, char **argv);
int cmd_replay(struct cli *cli, int argc, char **argv);
int cmd_rule(struct cli *cli, int argc, char **argv);
int cmd_status(struct cli *cli, int argc, char **argv);
int cmd_token(struct cli *cli, int argc, char **argv);
int cmd_unblock(struct cli *cli, int argc, char **argv);
int cmd_watch(struct cli *cli, int argc, char **argv);

#endif
