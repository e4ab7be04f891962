/* SPDX-License-Identifier: GPL-2.0 */
/* Half self: how the gateway's own time is taken, and the kernel module, without
 * which it is taken less far. */
#ifndef SL_RESIDENCE_H
#define SL_RESIDENCE_H

#include "agent.h"

/* --- module: module.h tells the rest --- */
struct module *module_new(void);
void module_start(struct agent *a);	/* before tables and ports */
void module_second(struct agent *a);
void module_stop(struct agent *a);	/* it stays in use by the programs */
bool module_used(const struct agent *a);
/* Use it when it is there, or do not until the agent starts anew. */
int module_set(struct agent *a, bool on, const struct caller *who,
	       struct refusal *r);
struct json_object *module_doc(const struct agent *a);

/* --- residence --- */
void residence_sync(struct agent *a);	/* behind ports_sync() */
void residence_second(struct agent *a);
struct json_object *residence_doc(const struct agent *a);

#endif
