/* SPDX-License-Identifier: GPL-2.0 */
/* An agent elsewhere: its URL, our token, whom we trust. */
#ifndef SL_REMOTE_H
#define SL_REMOTE_H

#include <curl/curl.h>
#include "cli.h"

/* Read the token and check what was said of the agent. 0, or USAGE and said. */
int remote_open(struct cli *cli);
/* Tell curl where the agent is. What is returned is freed after the request. */
struct curl_slist *remote_set(const struct cli *cli, CURL *curl);

#endif
