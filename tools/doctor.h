/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of `doctor` share. */
#ifndef SL_DOCTOR_H
#define SL_DOCTOR_H

#include "cli.h"

enum state { OK, WARN, FAIL };

struct report {
	struct json_object *list;
	bool failed;
};

void note(struct report *r, enum state s, const char *what,
	  const char *remedy, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));
/* First line of a small file, "" when it cannot be read. */
const char *line_of(const char *path, char *buf, size_t len);
int ethtool(const char *name, void *cmd);

/* --- doctor_module.c; status: of the agent, or NULL --- */
void doctor_module(struct report *r, struct json_object *status);
void doctor_stamps(struct report *r, struct json_object *status,
		   const char *name);

#endif
