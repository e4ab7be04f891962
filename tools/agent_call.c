// SPDX-License-Identifier: GPL-2.0
/* The agent's API over its Unix socket, or over TCP, by libcurl. */
#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>
#include "remote.h"

#define TIMEOUT_MS 60000L
#define PATIENCE 10		/* seconds, when it asks us to wait */
#define TOO_LONG '!'		/* as the first byte of a path */
#define MAX_ANSWER_B (64 << 20)

struct answer {
	char *text;
	size_t len;
};

static size_t take(char *data, size_t one, size_t n, void *arg)
{
	struct answer *a = arg;
	char *grown;

	if (a->len + one * n > MAX_ANSWER_B)
		return 0;
	grown = realloc(a->text, a->len + one * n + 1);
	if (!grown)
		return 0;
	a->text = grown;
	memcpy(a->text + a->len, data, one * n);
	a->len += one * n;
	a->text[a->len] = '\0';
	return one * n;
}

static bool bypassed;

static size_t take_header(char *line, size_t one, size_t n, void *arg)
{
	static const char name[] = "Sealane-Bypass: on";

	(void)arg;
	if (one * n >= sizeof(name) && !strncasecmp(line, name, strlen(name)))
		bypassed = true;
	return one * n;
}

const char *cli_where(const struct cli *cli)
{
	return cli->url ? cli->url : cli->socket;
}

bool cli_bypassed(void)
{
	return bypassed;
}

char *cli_escape(const char *word)
{
	char *e = curl_easy_escape(NULL, word, 0), *copy;

	copy = e ? strdup(e) : NULL;
	curl_free(e);
	return copy;
}

void cli_query(char *path, size_t len, const char *key, const char *value)
{
	char *e;
	size_t n = strlen(path);

	if (!value || path[0] == TOO_LONG)
		return;
	e = cli_escape(value);
	/* a part of a request is another request: none at all then */
	if (!e || (size_t)snprintf(path + n, len - n, "%c%s=%s",
				   strchr(path, '?') ? '&' : '?', key, e) >=
		  len - n)
		path[0] = TOO_LONG;
	free(e);
}

/* Print the agent's own error; under -j as it came. */
static int agent_error(const struct cli *cli, struct json_object *doc)
{
	struct json_object *e = NULL, *items = NULL;

	if (!doc || !json_object_object_get_ex(doc, "error", &e))
		return cli_error(cli, REFUSED, "look at the agent's log",
				 "the agent gave an answer that is no JSON");
	if (cli_json(cli, doc))
		return REFUSED;
	fprintf(stderr, "sealane: %s%s%s\n", cli_text(e, "message"),
		cli_text(e, "remedy")[0] ? "; " : "", cli_text(e, "remedy"));
	if (json_object_object_get_ex(e, "items", &items))
		cli_items(items);
	return REFUSED;
}

long cli_exchange(const struct cli *cli, const char *path, const void *body,
		  size_t body_b, long timeout_ms, struct json_object **out,
		  const char **why)
{
	struct answer a = {};
	char url[CLI_PATH_B + 512];
	struct curl_slist *headers;
	CURL *curl = curl_easy_init();
	long status = 0;
	CURLcode rc;

	*out = NULL;
	snprintf(url, sizeof(url), "%s/api/v1/%s", cli->url ? cli->url :
		 "http://agent", path);
	curl_easy_setopt(curl, CURLOPT_URL, url);
	headers = remote_set(cli, curl);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, timeout_ms);
	curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, &a);
	if (body) {
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
		curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE,
				 (curl_off_t)body_b);
		/* no waiting for "100 Continue" on a local socket */
		curl_easy_setopt(curl, CURLOPT_EXPECT_100_TIMEOUT_MS, 1L);
		curl_easy_setopt(curl, CURLOPT_UPLOAD_BUFFERSIZE, 1L << 20);
	}
	rc = curl_easy_perform(curl);
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_cleanup(curl);
	curl_slist_free_all(headers);
	*why = rc == CURLE_OK ? "" : curl_easy_strerror(rc);
	if (rc == CURLE_OK)
		*out = json_tokener_parse(a.text ? a.text : "");
	free(a.text);
	return rc == CURLE_OK ? status : -1;
}

/* Nobody there, or nobody who answers. */
static int unreachable(const struct cli *cli, bool asks, const char *why)
{
	if (cli->url)
		return cli_error(cli, UNREACHABLE, asks ? "see its listen:, the "
				 "way there, and --cacert" :
				 "it may still have heard: see rule log when it "
				 "answers", "no agent at %s: %s", cli->url, why);
	if (access(cli->socket, F_OK) == 0 && access(cli->socket, W_OK))
		return cli_error(cli, UNREACHABLE, "be root", "no agent at %s: "
				 "%s", cli->socket, strerror(EACCES));
	if (strcmp(why, curl_easy_strerror(CURLE_OPERATION_TIMEDOUT)))
		return cli_error(cli, UNREACHABLE, "is sealaned running? see "
				 "sealane doctor", "no agent at %s: %s",
				 cli->socket, why);
	return cli_error(cli, UNREACHABLE, asks ?
			 "look at its log; bypass works without it" :
			 "it may still do it: see rule log when it answers "
			 "again; bypass works without it",
			 "no agent at %s: it does not answer", cli->socket);
}

/* One request. body NULL: GET. */
static int request(const struct cli *cli, const char *path, const void *body,
		   size_t body_b, bool quiet, struct json_object **out)
{
	struct json_object *doc = NULL;
	const char *why = "";
	long status = -1;
	int code, tries;

	if (path[0] == TOO_LONG)
		return cli_error(cli, USAGE, "shorten reasons and file names",
				 "the request is too long");
	for (tries = 0; tries < PATIENCE; tries++) {
		status = cli_exchange(cli, path, body, body_b, cli->timeout_ms ?
				      cli->timeout_ms : TIMEOUT_MS, &doc, &why);
		if (status != 429)
			break;
		json_object_put(doc);	/* we are many behind one address */
		doc = NULL;
		sleep(1);
	}
	if (status == 429)
		return cli_error(cli, REFUSED, "ask less often",
				 "the agent has no time for us");
	if (status < 0) {
		if (!quiet)
			unreachable(cli, !body, why);
		return UNREACHABLE;
	}
	if (status != 200 || !doc) {
		code = agent_error(cli, doc);
		json_object_put(doc);
		return code;
	}
	*out = doc;
	return DONE;
}

/* Wait for a job, with its progress on a terminal. */
static int follow(const struct cli *cli, int64_t id, struct json_object **out)
{
	bool shown = isatty(STDERR_FILENO) && !cli->json;
	struct json_object *job = NULL, *o;
	const char *state = "";
	useconds_t wait_us = 2000;
	int asked = 0;
	char path[64];
	int rc;

	snprintf(path, sizeof(path), "job?id=%lld", (long long)id);
	while (strcmp(state, "done") && strcmp(state, "failed")) {
		json_object_put(job);
		usleep(wait_us);
		/* most are done within half a second; over TCP there is a
		 * limit of requests */
		wait_us = ++asked < 100 && !cli->url ? 5000 : 50000;
		rc = request(cli, path, NULL, 0, false, &job);
		if (rc)
			return rc;
		state = cli_text(job, "state");
		if (shown && asked > 40)
			fprintf(stderr, "\r\033[K%s: %s %lld %%",
				cli_text(job, "kind"), cli_text(job, "step"),
				(long long)cli_int(job, "progress_permille") /
				10);
	}
	if (shown)
		fputs("\r\033[K", stderr);
	if (!strcmp(state, "failed")) {
		o = json_object_new_object();
		json_object_object_add(o, "error", json_object_get(
				       json_object_object_get(job, "error")));
		rc = agent_error(cli, o);
		json_object_put(o);
	} else {
		*out = json_object_get(json_object_object_get(job, "answer"));
		rc = DONE;
	}
	json_object_put(job);
	return rc;
}

int cli_send(const struct cli *cli, const char *path, const void *body,
	     size_t body_b, bool quiet, struct json_object **out)
{
	int rc = request(cli, path, body, body_b, quiet, out);
	int64_t id;

	if (rc || !body || !json_object_object_get_ex(*out, "job", NULL))
		return rc;
	id = cli_int(*out, "job");
	json_object_put(*out);
	*out = NULL;
	return follow(cli, id, out);
}

int cli_call(const struct cli *cli, const char *path, struct json_object *body,
	     bool quiet, struct json_object **out)
{
	const char *text = body ? json_object_to_json_string(body) : NULL;

	return cli_send(cli, path, text, text ? strlen(text) : 0, quiet, out);
}
