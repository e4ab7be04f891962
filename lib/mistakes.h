/* SPDX-License-Identifier: GPL-2.0 */
/* What is wrong with a file: every mistake of it, each with its place and what
 * to do. */
#ifndef SL_MISTAKES_H
#define SL_MISTAKES_H

#include <json-c/json.h>
#include <stdarg.h>
#include <stddef.h>
#include "ruleset.h"

#define SL_MISTAKES_KEPT	10000	/* all are counted */

struct sl_mistake {
	unsigned long line;		/* 1-based; 0: the file as a whole */
	char rule[SL_RULE_ID_B];	/* of a rule file: its id; "": none */
	char message[200];		/* names the bad value */
	char remedy[160];
	size_t order;			/* of discovery */
};

struct sl_mistakes {
	struct sl_mistake *m;
	size_t n, room;
	size_t total;			/* kept or not */
};

/* What is not printable of a hostile file's words becomes '?'. */
void sl_mistake(struct sl_mistakes *all, unsigned long line,
		const char *remedy, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
void sl_rule_mistake(struct sl_mistakes *all, unsigned long line,
		     const char *rule, const char *remedy,
		     const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));
void sl_mistake_args(struct sl_mistakes *all, unsigned long line,
		     const char *rule, const char *remedy, const char *fmt,
		     va_list ap);
void sl_mistakes_free(struct sl_mistakes *all);

/* By line, those of one line as they were found. */
void sl_mistakes_sort(struct sl_mistakes *all);

/* [{"file","line","rule","message","remedy"}]; where not all were kept, the
 * last one says so. */
struct json_object *sl_mistakes_json(const char *file,
				     const struct sl_mistakes *all);

#endif
