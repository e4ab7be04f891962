// SPDX-License-Identifier: GPL-2.0
/* watch: what happens now, on a screen or as rows. */
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "duration.h"
#include "watch_data.h"

#define EVERY_NS	2000000000ULL
#define LEAST_NS	1000000000ULL
#define MOST_NS		(3600 * 1000000000ULL)

static bool has_screen(void)
{
	const char *term = getenv("TERM");

	return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) && term &&
	       term[0] && strcmp(term, "dumb");
}

int cmd_watch(struct cli *cli, int argc, char **argv)
{
	const char *rounds_word = NULL, *every_word = NULL;
	const struct option_spec spec[] = {
		{ "-n", &rounds_word, NULL }, { "--every", &every_word, NULL },
		{} };
	uint64_t every_ns = EVERY_NS;
	struct watch_feed feed;
	unsigned long rounds = 0;
	char *end = "";
	int rc = cli_options(cli, spec, &argc, argv);

	if (rc)
		return rc;
	if (argc)
		return cli_usage(cli, "unexpected word %s", argv[0]);
	if (rounds_word) {
		rounds = strtoul(rounds_word, &end, 10);
		if (!rounds_word[0] || *end || rounds_word[0] == '-' ||
		    !rounds || rounds > 1000000000)
			return cli_usage(cli, "-n %s is no number of rounds",
					 rounds_word);
	}
	if (every_word && (sl_duration_parse(every_word, &every_ns) ||
			   every_ns < LEAST_NS || every_ns > MOST_NS))
		return cli_usage(cli, "--every %s is no duration from 1s to 1h",
				 every_word);
	/* names of others, as wide as they are; figures stay as in C */
	setlocale(LC_CTYPE, "");
	watch_feed_open(&feed, cli);
	if (rounds_word || cli->json || !has_screen()) {
		rc = watch_rows(&feed, every_ns, rounds);
		watch_feed_close(&feed);
		return rc;
	}
	/* which may leave a thread behind, and the feed with it */
	return watch_screen(&feed, every_ns);
}
