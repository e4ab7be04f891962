/* SPDX-License-Identifier: GPL-2.0 */
/* A heat strip on a terminal: round-trip times upwards (logarithmic), time to the
 * right, a column for each step, brightness by how many round trips. */
#ifndef SL_STRIP_H
#define SL_STRIP_H

#include <json-c/json.h>
#include <stdio.h>

/* How much a terminal can show. */
enum strip_kind { STRIP_COLOUR, STRIP_SHADES, STRIP_ASCII };

struct strip {
	enum strip_kind kind;
	unsigned int columns;		/* of the terminal */
	double from_s, step_s;		/* of the first column; of each */
	unsigned int n_steps;
};

/* By environment (NO_COLOR, TERM, locale) and the terminal at stdout. */
void strip_look(struct strip *s);
/* Columns that are left for steps. */
unsigned int strip_room(const struct strip *s);
/* A row of GET history?heat=1; its time axis and the marks below. */
void strip_show(FILE *f, const struct strip *s, struct json_object *row,
		struct json_object *marks);
/* RFC 3339 (UTC) -> seconds since the epoch; 0: it is none. */
double strip_time_s(const char *text);

#endif
