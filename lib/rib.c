// SPDX-License-Identifier: GPL-2.0
/* Items in; sorted. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "rib.h"

struct sl_rib *sl_rib_new(void)
{
	return calloc(1, sizeof(struct sl_rib));
}

void sl_rib_free(struct sl_rib *r)
{
	if (!r)
		return;
	free(r->v4);
	free(r->v6);
	free(r);
}

sl_u128 sl_prefix_first(const struct sl_prefix *p)
{
	sl_u128 a = 0;
	int i;

	for (i = 0; i < (p->family == 4 ? 4 : 16); i++)
		a = a << 8 | p->addr[i];
	return a;
}

sl_u128 sl_prefix_last(const struct sl_prefix *p)
{
	int bits = (p->family == 4 ? 32 : 128) - p->len;

	return sl_prefix_first(p) | (bits == 128 ? ~(sl_u128)0 :
				     ((sl_u128)1 << bits) - 1);
}

/* Room for `more` elements behind n. */
static int room(void **array, size_t n, size_t more, size_t *room,
		size_t one_b)
{
	size_t want = *room ? *room : 64;
	void *grown;

	if (n + more <= *room)
		return 0;
	while (want < n + more)
		want *= 2;
	grown = realloc(*array, want * one_b);
	if (!grown)
		return -ENOMEM;
	*array = grown;
	*room = want;
	return 0;
}

static int add(struct sl_rib *r, const struct sl_prefix *p, uint32_t say,
	       uint32_t source)
{
	sl_u128 a = sl_prefix_first(p);

	if (p->family == 4) {
		if (room((void **)&r->v4, r->n4, 1, &r->room4, sizeof(*r->v4)))
			return -ENOMEM;
		r->v4[r->n4++] = (struct sl_rib4){
			(uint64_t)a << 8 | p->len, say, source };
		return 0;
	}
	if (room((void **)&r->v6, r->n6, 1, &r->room6, sizeof(*r->v6)))
		return -ENOMEM;
	r->v6[r->n6++] = (struct sl_rib6){ a >> 64, (uint64_t)a, p->len, say,
					   source, 0 };
	return 0;
}

int sl_rib_add_lane(struct sl_rib *r, const struct sl_prefix *p, uint32_t lane,
		    enum sl_lane_layer layer, uint32_t source)
{
	return add(r, p, (uint32_t)layer << 28 | lane, source);
}

/* Protect beats drop beats count. */
static uint32_t class_say(uint32_t class_id, enum sl_action action)
{
	static const uint32_t weight[] = {
		[SL_ACT_NONE] = 0, [SL_ACT_COUNT] = 1, [SL_ACT_DROP] = 2,
		[SL_ACT_PROTECT] = 3 };

	return SL_SAY_CLASS | weight[action] << 28 | class_id;
}

int sl_rib_add_class(struct sl_rib *r, const struct sl_prefix *p,
		     uint32_t class_id, enum sl_action action, uint32_t source)
{
	return add(r, p, class_say(class_id, action), source);
}

static int add_set(struct sl_rib *r, const struct sl_pset *set, uint32_t say,
		   uint32_t source)
{
	size_t i;

	if (room((void **)&r->v4, r->n4, set->n4, &r->room4,
		 sizeof(*r->v4)) ||
	    room((void **)&r->v6, r->n6, set->n6, &r->room6, sizeof(*r->v6)))
		return -ENOMEM;
	for (i = 0; i < set->n4; i++)
		r->v4[r->n4++] = (struct sl_rib4){ set->v4[i], say, source };
	for (i = 0; i < set->n6; i++)
		r->v6[r->n6++] = (struct sl_rib6){ set->v6[i].hi, set->v6[i].lo,
						   set->v6[i].len, say, source,
						   0 };
	return 0;
}

int sl_rib_add_set(struct sl_rib *r, const struct sl_pset *set,
		   uint32_t class_id, enum sl_action action, uint32_t source)
{
	return add_set(r, set, class_say(class_id, action), source);
}

int sl_rib_add_group(struct sl_rib *r, const struct sl_prefix *p,
		     uint32_t group)
{
	return add(r, p, SL_SAY_GROUP | group, 0);
}

int sl_rib_add_group_set(struct sl_rib *r, const struct sl_pset *set,
			 uint32_t group)
{
	return add_set(r, set, SL_SAY_GROUP | group, 0);
}

int sl_rib_add_rib(struct sl_rib *r, const struct sl_rib *more)
{
	if (room((void **)&r->v4, r->n4, more->n4, &r->room4,
		 sizeof(*r->v4)) ||
	    room((void **)&r->v6, r->n6, more->n6, &r->room6, sizeof(*r->v6)))
		return -ENOMEM;
	if (more->n4)
		memcpy(r->v4 + r->n4, more->v4, more->n4 * sizeof(*r->v4));
	if (more->n6)
		memcpy(r->v6 + r->n6, more->v6, more->n6 * sizeof(*r->v6));
	r->n4 += more->n4;
	r->n6 += more->n6;
	return 0;
}

static bool sorted4(const struct sl_rib *r)
{
	size_t i;

	for (i = 1; i < r->n4; i++)
		if (r->v4[i - 1].key > r->v4[i].key)
			return false;
	return true;
}

int sl_rib_sort(struct sl_rib *r)
{
	const size_t b6 = sizeof(struct sl_rib6);

	if (!sorted4(r) && sl_radix_sort(r->v4, r->n4, sizeof(*r->v4),
					 offsetof(struct sl_rib4, key), 5))
		return -ENOMEM;
	if (sl_radix_sort(r->v6, r->n6, b6, offsetof(struct sl_rib6, len), 1) ||
	    sl_radix_sort(r->v6, r->n6, b6, offsetof(struct sl_rib6, lo), 8) ||
	    sl_radix_sort(r->v6, r->n6, b6, offsetof(struct sl_rib6, hi), 8))
		return -ENOMEM;
	return 0;
}
