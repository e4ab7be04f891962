// SPDX-License-Identifier: GPL-2.0
/* The table compiler's first half: what was added -> disjoint ranges. Prefixes
 * nest, so one sorted sweep with a stack of the open ones yields them; equal
 * neighbours are merged. Single IPv4 addresses are left to fib_hosts.c. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "fibc_priv.h"

/* What holds below a prefix: the state of the sweep. */
struct frame {
	u128 end;			/* last address covered */
	uint32_t lane, class_id;
	enum sl_action action;
};

struct sweep {
	struct fibc_range *out;
	size_t n;
	struct frame stack[130];	/* one per prefix length, and the root */
	int depth;
	u128 max;
};

struct sl_fibc *sl_fibc_new(void)
{
	return calloc(1, sizeof(struct sl_fibc));
}

void sl_fibc_free(struct sl_fibc *c)
{
	if (!c)
		return;
	free(c->items);
	free(c);
}

static int add(struct sl_fibc *c, const struct item *it)
{
	struct item *grown;

	if (c->n == c->room) {
		size_t room = c->room ? c->room * 2 : 64;

		grown = realloc(c->items, room * sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		c->items = grown;
		c->room = room;
	}
	c->items[c->n++] = *it;
	return 0;
}

int sl_fibc_add_lane(struct sl_fibc *c, const struct sl_prefix *p,
		     uint32_t lane)
{
	struct item it = { .prefix = *p, .lane = lane };

	return add(c, &it);
}

int sl_fibc_add_class(struct sl_fibc *c, const struct sl_prefix *p,
		      uint32_t class_id, enum sl_action action)
{
	struct item it = { .prefix = *p, .lane = NO_LANE,
			   .class_id = class_id, .action = action };

	if (class_id < SL_MAX_CLASSES)
		c->action[class_id] = action;
	return add(c, &it);
}

int sl_fibc_add_config(struct sl_fibc *c, const struct sl_config *cfg,
		       const uint32_t *lane_id)
{
	unsigned int i, j;
	int rc = 0;

	for (i = 0; !rc && i < cfg->n_lanes; i++)
		for (j = 0; !rc && j < cfg->lanes[i].n_prefixes; j++)
			rc = sl_fibc_add_lane(c, &cfg->lanes[i].prefixes[j],
					      lane_id ? lane_id[i] : i + 1);
	for (i = 0; !rc && i < cfg->n_home; i++)
		rc = sl_fibc_add_lane(c, &cfg->home[i], SL_LANE_HOME);
	for (i = 0; !rc && i < cfg->n_protect; i++)
		rc = sl_fibc_add_class(c, &cfg->protect[i], SL_CLASS_PROTECT,
				       SL_ACT_PROTECT);
	return rc;
}

u128 fibc_first(const struct sl_prefix *p)
{
	u128 a = 0;
	int i;

	for (i = 0; i < (p->family == 4 ? 4 : 16); i++)
		a = a << 8 | p->addr[i];
	return a;
}

u128 fibc_last(const struct sl_prefix *p)
{
	int bits = (p->family == 4 ? 32 : 128) - p->len;
	u128 host = bits == 128 ? ~(u128)0 : ((u128)1 << bits) - 1;

	return fibc_first(p) | host;
}

/* Protect beats drop beats count. */
int fibc_weight(enum sl_action a)
{
	switch (a) {
	case SL_ACT_PROTECT: return 3;
	case SL_ACT_DROP: return 2;
	case SL_ACT_COUNT: return 1;
	case SL_ACT_NONE: break;
	}
	return 0;
}

static void emit(struct sweep *s, u128 start)
{
	const struct frame *top = &s->stack[s->depth];
	uint32_t entry = SL_ENTRY(top->lane, top->class_id);

	if (s->n && s->out[s->n - 1].start == start)
		s->n--;
	if (s->n && s->out[s->n - 1].entry == entry)
		return;
	s->out[s->n++] = (struct fibc_range){ start, entry };
}

/* Leave the prefixes that end before `start` (or all of them at the end). */
static void close_before(struct sweep *s, u128 start, int all)
{
	while (s->depth > 0) {
		u128 end = s->stack[s->depth].end;

		if (!all && end >= start)
			return;
		s->depth--;
		if (end != s->max)
			emit(s, end + 1);
	}
}

/* What an item says, on top of what holds already. */
static void apply(struct frame *f, const struct item *it)
{
	if (it->lane != NO_LANE) {
		f->lane = it->lane;
	} else if (fibc_weight(it->action) >= fibc_weight(f->action)) {
		f->class_id = it->class_id;
		f->action = it->action;
	}
}

/* Enter a prefix: below it holds what held above, unless it says otherwise.
 * `again`: the prefix on top of the stack, named once more. */
static void enter(struct sweep *s, const struct item *it, int again)
{
	if (!again) {
		s->stack[s->depth + 1] = s->stack[s->depth];
		s->depth++;
		s->stack[s->depth].end = fibc_last(&it->prefix);
	}
	apply(&s->stack[s->depth], it);
	emit(s, fibc_first(&it->prefix));
}

/* Ranges of one family; *n_out of them in *out (owned by the caller). */
int fibc_ranges(const struct sl_fibc *c, int family,
			struct fibc_range **out, size_t *n_out)
{
	struct sweep s = { .max = family == 4 ? UINT32_MAX : ~(u128)0 };
	const struct item *it, *last = NULL;
	size_t i;

	s.out = malloc((2 * c->n + 1) * sizeof(*s.out));
	if (!s.out)
		return -ENOMEM;
	s.stack[0].end = s.max;
	emit(&s, 0);
	for (i = 0; i < c->n; i++) {
		it = &c->items[i];
		if (it->prefix.family != family || is_host(it))
			continue;
		close_before(&s, fibc_first(&it->prefix), 0);
		enter(&s, it, last &&
			      !sl_prefix_cmp(&last->prefix, &it->prefix));
		last = it;
	}
	close_before(&s, 0, 1);
	*out = s.out;
	*n_out = s.n;
	return 0;
}
