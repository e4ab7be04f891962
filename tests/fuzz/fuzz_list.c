// SPDX-License-Identifier: GPL-2.0
/* Any bytes as a list in any format: refused with mistakes, or a set that is
 * sorted and has no doubles. */
#include <stdlib.h>
#include "input.h"

static void check_set(const struct sl_pset *s)
{
	size_t i;

	for (i = 0; i < s->n4; i++)
		if (!(s->v4[i] & 0xff) || (s->v4[i] & 0xff) > 32 ||
		    (i && s->v4[i - 1] >= s->v4[i]))
			abort();
	for (i = 0; i < s->n6; i++)
		if (!s->v6[i].len || s->v6[i].len > 128)
			abort();
	if (!s->n4 && !s->n6)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sl_mistakes all = {};
	struct sl_pset set = {};
	size_t len_b, doubles;
	char *text = NULL;
	int rc, format;

	if (!size)
		return 0;
	format = data[0] % SL_LIST_FORMATS;
	rc = sl_input_unpack(data + 1, size - 1, &text, &len_b, &all);
	if (!rc)
		rc = sl_list_parse(text, len_b, format, &set, &doubles, &all);
	if (!rc)
		check_set(&set);
	else if (!all.total && rc != -12)
		abort();	/* refused without a word */
	sl_pset_free(&set);
	sl_mistakes_free(&all);
	free(text);
	return 0;
}
