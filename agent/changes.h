/* SPDX-License-Identifier: GPL-2.0 */
/* Path changes, floors and budgets. */
#ifndef SL_CHANGES_H
#define SL_CHANGES_H

#include "agent.h"

int changes_open(struct agent *a);
void changes_close(struct agent *a);
void changes_second(struct agent *a);

/* The least round trip that light in fibre allows to the lane and back: of its
 * cable's length, else of the great circle. 0: neither is known. *source: "cable",
 * "great-circle" or NULL; may be NULL. */
uint64_t floor_ns_of(const struct agent *a, uint32_t lane, const char **source);
/* GET lanes: docs/api.md. */
struct json_object *lanes_now_doc(const struct agent *a);

#endif
