// SPDX-License-Identifier: GPL-2.0
/* Any text as Accept and Accept-Encoding, and as the labels of a metric: some
 * format is chosen, and what is written in it can be read. */
#include <stdlib.h>
#include <string.h>
#include "expose.h"

static void write_with(enum sl_expose_format f, const char *word)
{
	struct sl_expose *x = sl_expose_new(f);
	size_t len_b;
	char *out;

	sl_expose_family(x, "g", SL_GAUGE, NULL, word);
	sl_expose_count(x, SL_LABELS({ "a", word }, { "b", "x" }), 1);
	if (sl_expose_end(x, &out, &len_b))
		abort();
	/* an escape or a line that ends in a label would break it */
	if (f == SL_EXPOSE_TEXT && (!len_b || out[len_b - 1] != '\n' ||
	    memcmp(out, "# HELP g ", 9)))
		abort();
	if (f == SL_EXPOSE_TEXT) {
		size_t i, lines = 0;

		for (i = 0; i < len_b; i++)
			lines += out[i] == '\n';
		if (lines != 3)
			abort();
	}
	free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *word = strndup((const char *)data, size);
	enum sl_expose_format f;
	const char *type;

	f = sl_expose_negotiate(word, &type);
	if (!type || f > SL_EXPOSE_PROTOBUF)
		abort();
	sl_expose_gzip(word);
	for (f = SL_EXPOSE_TEXT; f <= SL_EXPOSE_PROTOBUF; f++)
		write_with(f, word);
	free(word);
	return 0;
}
