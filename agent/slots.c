// SPDX-License-Identifier: GPL-2.0
/*
 * Slots: where the data plane keeps a rule's counters and its limit. A slot
 * belongs to a rule's id, over commits and restarts, and also for a time after
 * the rule has gone, so that it finds its counters when it comes back: slots
 * never used are given out first, then those that went longest ago.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "rules.h"
#include "store_priv.h"

struct slot {
	char id[SL_RULE_ID_B];		/* "": never given out */
	int64_t gone;			/* generation without it; 0: in use */
	enum slot_owner owner;
};

/* The owner's name before the id, in the store. */
static const char *const owner_word[] = { [SLOT_FILE] = "file",
	[SLOT_FLOWSPEC] = "flowspec", [SLOT_GUARD] = "guard" };

int slots_load(struct agent *a)
{
	sqlite3_stmt *s = store_prepare(a, "SELECT slot,owner,id,gone FROM "
					"slots");
	struct slot *all = calloc(SL_RULE_SLOTS, sizeof(*all));
	unsigned int at, o;

	while (all && s && sqlite3_step(s) == SQLITE_ROW) {
		at = sqlite3_column_int64(s, 0);
		if (at >= SL_RULE_SLOTS)
			continue;
		store_copy_text(s, 2, all[at].id, sizeof(all[at].id));
		for (o = 0; o < SLOT_OWNERS; o++)
			if (!strcmp((const char *)sqlite3_column_text(s, 1),
				    owner_word[o]))
				all[at].owner = o;
		all[at].gone = sqlite3_column_int64(s, 3);
	}
	sqlite3_finalize(s);
	free(a->slots);
	a->slots = all;
	return all && s ? 0 : -1;
}

void slots_free(struct agent *a)
{
	free(a->slots);
	a->slots = NULL;
}

static int by_id(const void *x, const void *y)
{
	const struct slot *const *a = x, *const *b = y;

	return strcmp((*a)->id, (*b)->id);
}

/* Never used ones by number, then the gone ones, oldest first. */
static int by_age(const void *x, const void *y)
{
	const struct slot *const *a = x, *const *b = y;

	if (!(*a)->id[0] != !(*b)->id[0])
		return (*a)->id[0] ? 1 : -1;
	if ((*a)->gone != (*b)->gone)
		return (*a)->gone < (*b)->gone ? -1 : 1;
	return *a < *b ? -1 : 1;
}

struct pool {
	struct slot *own[SL_RULE_SLOTS], *spare[SL_RULE_SLOTS];
	unsigned int n_own, n_spare;
};

static struct slot *find(struct pool *p, const char *id)
{
	struct slot key, *k = &key, **found;

	memcpy(key.id, id, sizeof(key.id));
	found = bsearch(&k, p->own, p->n_own, sizeof(*p->own), by_id);
	return found ? *found : NULL;
}

int slots_assign(const struct agent *a, enum slot_owner owner,
		 const struct sl_ruleset *set, uint16_t *out)
{
	struct pool *p = calloc(1, sizeof(*p));
	bool taken[SL_RULE_SLOTS] = {};
	unsigned int i, next = 0;
	struct slot *s;

	if (!p)
		return -ENOMEM;
	for (i = 0; i < SL_RULE_SLOTS; i++) {
		s = &a->slots[i];
		if (s->id[0] && s->owner == owner)
			p->own[p->n_own++] = s;
		if (!s->id[0] || s->gone)
			p->spare[p->n_spare++] = s;
	}
	qsort(p->own, p->n_own, sizeof(*p->own), by_id);
	qsort(p->spare, p->n_spare, sizeof(*p->spare), by_age);
	for (i = 0; i < set->n; i++) {
		s = find(p, set->r[i].id);
		out[i] = s ? s - a->slots : SL_RULE_SLOTS;
		if (s)
			taken[out[i]] = true;
	}
	for (i = 0; i < set->n; i++) {
		if (out[i] != SL_RULE_SLOTS)
			continue;
		while (next < p->n_spare && taken[p->spare[next] - a->slots])
			next++;
		if (next == p->n_spare)
			break;
		out[i] = p->spare[next++] - a->slots;
	}
	free(p);
	return i < set->n ? -ENOSPC : 0;
}

/* Which rule of the set has a slot; -1: none. The caller's. */
static int *rule_of_slot(const struct sl_ruleset *set, const uint16_t *slot)
{
	int *of = malloc(SL_RULE_SLOTS * sizeof(*of));
	unsigned int i;

	for (i = 0; of && i < SL_RULE_SLOTS; i++)
		of[i] = -1;
	for (i = 0; of && i < set->n; i++)
		of[slot[i]] = i;
	return of;
}

static bool is_of(const struct slot *s, enum slot_owner owner,
		  const char *id)
{
	return s->owner == owner && !strcmp(s->id, id);
}

static int put_slot(struct agent *a, unsigned int slot,
		    enum slot_owner owner, const char *id, int64_t gone)
{
	sqlite3_stmt *s = store_prepare(a, "INSERT OR REPLACE INTO slots "
					"VALUES(?,?,?,?)");

	sqlite3_bind_int64(s, 1, slot);
	store_bind_text(s, 2, owner_word[owner]);
	store_bind_text(s, 3, id);
	store_bind_time(s, 4, gone);
	return store_step(a, s, "slot");
}

int slots_put(struct agent *a, enum slot_owner owner,
	      const struct sl_ruleset *set, const uint16_t *slot)
{
	int *of = rule_of_slot(set, slot), rc = of ? 0 : -1;
	const struct slot *s;
	unsigned int i;

	for (i = 0; !rc && i < SL_RULE_SLOTS; i++) {
		s = &a->slots[i];
		if (of[i] >= 0 && (!is_of(s, owner, set->r[of[i]].id) ||
				   s->gone))
			rc = put_slot(a, i, owner, set->r[of[i]].id, 0);
		else if (of[i] < 0 && s->id[0] && s->owner == owner &&
			 !s->gone)
			rc = put_slot(a, i, owner, s->id, a->generation + 1);
	}
	free(of);
	return rc;
}

void slots_take(struct agent *a, enum slot_owner owner,
		const struct sl_ruleset *set, const uint16_t *slot)
{
	bool *used = calloc(SL_RULE_SLOTS, sizeof(*used));
	struct slot *s;
	unsigned int i;

	for (i = 0; i < set->n; i++) {
		s = &a->slots[slot[i]];
		if (!is_of(s, owner, set->r[i].id))
			rules_clear_counters(a, slot[i]);
		memcpy(s->id, set->r[i].id, sizeof(s->id));
		s->owner = owner;
		s->gone = 0;
		if (used)
			used[slot[i]] = true;
	}
	for (i = 0; used && i < SL_RULE_SLOTS; i++)
		if (!used[i] && a->slots[i].id[0] && !a->slots[i].gone &&
		    a->slots[i].owner == owner)
			a->slots[i].gone = a->generation;
	free(used);
}
