// SPDX-License-Identifier: GPL-2.0
/* The agent's API over its Unix socket, by libcurl. */
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cli.h"

#define TIMEOUT_MS 10000L
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

char *cli_escape(const char *word)
{
	char *e = curl_easy_escape(NULL, word, 0), *copy;

	copy = e ? strdup(e) : NULL;
	curl_free(e);
	return copy;
}

/* Print the agent's own error; under -j as it came. */
static int agent_error(const struct cli *cli, struct json_object *doc)
{
	struct json_object *e = NULL, *items = NULL;
	size_t i;

	if (!doc || !json_object_object_get_ex(doc, "error", &e))
		return cli_error(cli, REFUSED, "look at the agent's log",
				 "the agent gave an answer that is no JSON");
	if (cli_json(cli, doc))
		return REFUSED;
	fprintf(stderr, "sealane: %s%s%s\n", cli_text(e, "message"),
		cli_text(e, "remedy")[0] ? "; " : "", cli_text(e, "remedy"));
	if (json_object_object_get_ex(e, "items", &items))
		for (i = 0; i < json_object_array_length(items); i++)
			fprintf(stderr, "  %s\n", json_object_get_string(
				json_object_array_get_idx(items, i)));
	return REFUSED;
}

int cli_call(const struct cli *cli, const char *path, struct json_object *body,
	     bool quiet, struct json_object **out)
{
	struct answer a = {};
	struct json_object *doc;
	char url[2048];
	CURL *curl = curl_easy_init();
	long status = 0;
	CURLcode rc;

	snprintf(url, sizeof(url), "http://agent/api/v1/%s", path);
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, cli->socket);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, TIMEOUT_MS);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, &a);
	if (body)
		curl_easy_setopt(curl, CURLOPT_COPYPOSTFIELDS,
				 json_object_to_json_string(body));
	rc = curl_easy_perform(curl);
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_cleanup(curl);
	if (rc != CURLE_OK) {
		free(a.text);
		if (!quiet)
			cli_error(cli, UNREACHABLE, "is sealaned running? see "
				  "sealane doctor", "no agent at %s: %s",
				  cli->socket, curl_easy_strerror(rc));
		return UNREACHABLE;
	}
	doc = json_tokener_parse(a.text ? a.text : "");
	free(a.text);
	if (status != 200 || !doc) {
		int code = agent_error(cli, doc);

		json_object_put(doc);
		return code;
	}
	*out = doc;
	return DONE;
}
