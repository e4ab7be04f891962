// SPDX-License-Identifier: GPL-2.0
/* An agent elsewhere: its URL, our token, whom we trust. */
#include <arpa/inet.h>
#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>
#include "remote.h"
#include "token.h"

static bool is_loopback(const char *host)
{
	struct in_addr a4;

	return !strcasecmp(host, "localhost") || !strcmp(host, "[::1]") ||
	       (inet_pton(AF_INET, host, &a4) == 1 &&
		ntohl(a4.s_addr) >> 24 == 127);
}

/* A token in clear text over a network would be anybody's. */
static int check_url(const struct cli *cli, bool has_token)
{
	char *scheme = NULL, *host = NULL, *query = NULL;
	CURLU *u = curl_url();
	int rc = 0;

	if (curl_url_set(u, CURLUPART_URL, cli->url, 0) ||
	    curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) ||
	    curl_url_get(u, CURLUPART_HOST, &host, 0) ||
	    !curl_url_get(u, CURLUPART_QUERY, &query, 0) ||
	    (strcmp(scheme, "https") && strcmp(scheme, "http")))
		rc = cli_error(cli, USAGE, "write https://HOST:PORT",
			       "%s is no URL of an agent", cli->url);
	else if (has_token && !strcmp(scheme, "http") && !is_loopback(host))
		rc = cli_error(cli, USAGE, "use https",
			       "a token is not sent in clear to %s", host);
	curl_free(scheme);
	curl_free(host);
	curl_free(query);
	curl_url_cleanup(u);
	return rc;
}

/* The first word of the file. */
static int read_token(const struct cli *cli, char *out, size_t len)
{
	int fd = open(cli->token_file, O_RDONLY | O_CLOEXEC);
	struct stat st;
	ssize_t n = -1;

	if (fd < 0 || fstat(fd, &st) || (n = read(fd, out, len - 1)) < 0) {
		cli_error(cli, USAGE, "name a file with a token in it", "%s: %s",
			  cli->token_file, strerror(errno));
	} else if (S_ISREG(st.st_mode) && (st.st_mode & 077)) {
		cli_error(cli, USAGE, "chmod 600 it, and make a new token",
			  "others may read %s", cli->token_file);
		n = -1;
	}
	if (fd >= 0)
		close(fd);
	if (n < 0)
		return USAGE;
	out[n] = '\0';
	out[strcspn(out, " \t\r\n")] = '\0';
	return 0;
}

int remote_open(struct cli *cli)
{
	static char token[256];
	const char *env = getenv("SEALANE_TOKEN");
	int rc = 0;

	if (cli->token_file)
		rc = read_token(cli, token, sizeof(token));
	else if (cli->url && env)
		snprintf(token, sizeof(token), "%s", env);
	if (!rc && (cli->token_file || token[0]) &&
	    strspn(token, "abcdefghijklmnopqrstuvwxyz0123456789_") !=
	    SL_TOKEN_B - 1)
		rc = cli_error(cli, USAGE, "sealane token add shows one",
			       "this is no token");
	if (!rc && cli->url)
		rc = check_url(cli, token[0]);
	cli->token = token[0] ? token : NULL;
	return rc;
}

struct curl_slist *remote_set(const struct cli *cli, CURL *curl)
{
	struct curl_slist *list = NULL;
	char line[300];

	if (cli->url) {
		curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
		curl_easy_setopt(curl, CURLOPT_SSLVERSION,
				 CURL_SSLVERSION_TLSv1_2);
		if (cli->cacert)
			curl_easy_setopt(curl, CURLOPT_CAINFO, cli->cacert);
		/* http_proxy of the environment would see the token */
		if (!strncasecmp(cli->url, "http:", 5))
			curl_easy_setopt(curl, CURLOPT_PROXY, "");
	} else {
		curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, cli->socket);
	}
	if (cli->token) {
		snprintf(line, sizeof(line), "Authorization: Bearer %s",
			 cli->token);
		list = curl_slist_append(NULL, line);
		curl_easy_setopt(curl, CURLOPT_HTTPHEADER, list);
	}
	return list;
}
