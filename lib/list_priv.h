/* SPDX-License-Identifier: GPL-2.0 */
/* What list.c and list_json.c share. */
#ifndef SL_LIST_PRIV_H
#define SL_LIST_PRIV_H

#include <stdbool.h>
#include "input.h"

/* A list on its way in. */
struct listing {
	struct sl_pset *set;
	struct sl_mistakes *all;
	unsigned long line;
	size_t found;			/* prefixes and ranges */
	uint64_t want_subnets, want_ips;/* by a netset's header; 0: not said */
	bool has_meta;			/* NDJSON: the last line was seen */
};

/* One prefix, address or range: 0 (a mistake is noted) or -ENOMEM. */
int list_word(struct listing *l, const char *s, const char *end);
int list_json_line(struct listing *l, const char *s, const char *end);
void list_json_end(struct listing *l);

#endif
