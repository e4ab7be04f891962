/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Path changes, floors and budgets (docs/changes.md): each second what was measured
 * goes to the detectors in lib (change.h, hops.h, shares.h, budget.h), and what they
 * find becomes events.
 */
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
/* idle_ns, working_p50_ns and working_p90_ns of a lane: the shortest handshake of the
 * last five minutes, and round trips under load, half far; null where there is none. */
void put_working(const struct agent *a, uint32_t lane, struct json_object *o);
/* GET lanes: docs/api.md. Of these lanes, in the configuration's order; n 0: of all,
 * and of `other` when it sees traffic. */
struct json_object *lanes_now_doc(const struct agent *a,
				  const char *const *names, unsigned int n);

#endif
