/* SPDX-License-Identifier: GPL-2.0 */
/* Rule sets in the agent: made, numbered (slots), applied, shown. */
#ifndef SL_AGENT_RULES_H
#define SL_AGENT_RULES_H

#include "agent.h"

/* --- rules --- */
struct rules *rules_empty(void);	/* NULL: no memory */
void rules_free(struct rules *r);
/* Our own writing, admitted before. 0 or -1, said in the log. */
int rules_of_store(const char *json, size_t len_b, struct rules **out);
int rules_make(struct agent *a, struct job *j);	/* beside the loop */
int rules_finish(struct agent *a, struct job *j);
/* Slots for a set that is to become live; 0 or a refusal. */
int rules_number(struct agent *a, struct rules *r, struct refusal *why);
/* The set in the transaction that is open, and then in the agent (*r is the
 * agent's from there on; the former one is the caller's). */
int rules_put(struct agent *a, struct rules *r);
struct rules *rules_take(struct agent *a, struct rules *r);
struct json_object *rules_doc(const struct agent *a);
void rules_clear_counters(struct agent *a, unsigned int slot);
void rules_put_counters(const struct agent *a, unsigned int slot,
			struct json_object *o);

/* --- slots --- */
/* Each owner has ids of its own. */
enum slot_owner { SLOT_FILE, SLOT_FLOWSPEC, SLOT_GUARD, SLOT_OWNERS };

int slots_load(struct agent *a);
void slots_free(struct agent *a);
/* A slot for each rule; changes nothing yet. 0, -ENOMEM or -ENOSPC. */
int slots_assign(const struct agent *a, enum slot_owner owner,
		 const struct sl_ruleset *set, uint16_t *out);
/* This is the owner's set from the next generation on: in the store, where a
 * transaction is open; and, once that is on disk, in the agent, with the
 * counters of slots that changed hands cleared. */
int slots_put(struct agent *a, enum slot_owner owner,
	      const struct sl_ruleset *set, const uint16_t *slot);
void slots_take(struct agent *a, enum slot_owner owner,
		const struct sl_ruleset *set, const uint16_t *slot);

#endif
