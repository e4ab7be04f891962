// SPDX-License-Identifier: GPL-2.0
/* The table compiler. Prefixes nest, so one sorted sweep with a stack of the
 * open ones yields disjoint ranges; equal neighbours are merged. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sealane/fib.h>
#include "fibc.h"

typedef unsigned __int128 u128;

struct sl_fib_view {
	const struct sl_fib_image *img;
};

SL_INLINE const struct sl_fib4_range *
sl_fib4_at(const struct sl_fib_view *v, __u32 i)
{
	return i < v->img->n4 ? &v->img->r4[i] : NULL;
}

SL_INLINE const struct sl_fib6_range *
sl_fib6_at(const struct sl_fib_view *v, __u32 i)
{
	return i < v->img->n6 ? &v->img->r6[i] : NULL;
}

#define NO_LANE UINT32_MAX

struct item {
	struct sl_prefix prefix;
	uint32_t lane;			/* NO_LANE: a class item */
	uint32_t class_id;
	enum sl_action action;
};

struct sl_fibc {
	struct item *items;
	size_t n, room;
};

/* What holds below a prefix: the state of the sweep. */
struct frame {
	u128 end;			/* last address covered */
	uint32_t lane, class_id;
	enum sl_action action;
};

struct range {
	u128 start;
	uint32_t entry;
};

struct sweep {
	struct range *out;
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

static int by_prefix(const void *a, const void *b)
{
	return sl_prefix_cmp(&((const struct item *)a)->prefix,
			     &((const struct item *)b)->prefix);
}

static u128 first_address(const struct sl_prefix *p)
{
	u128 a = 0;
	int i;

	for (i = 0; i < (p->family == 4 ? 4 : 16); i++)
		a = a << 8 | p->addr[i];
	return a;
}

static u128 last_address(const struct sl_prefix *p)
{
	int bits = (p->family == 4 ? 32 : 128) - p->len;
	u128 host = bits == 128 ? ~(u128)0 : ((u128)1 << bits) - 1;

	return first_address(p) | host;
}

/* Protect beats drop beats count. */
static int weight(enum sl_action a)
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
	s->out[s->n++] = (struct range){ start, entry };
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
	} else if (weight(it->action) >= weight(f->action)) {
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
		s->stack[s->depth].end = last_address(&it->prefix);
	}
	apply(&s->stack[s->depth], it);
	emit(s, first_address(&it->prefix));
}

/* Ranges of one family; *n_out of them in *out (owned by the caller). */
static int sweep_family(const struct sl_fibc *c, int family,
			struct range **out, size_t *n_out)
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
		if (it->prefix.family != family)
			continue;
		close_before(&s, first_address(&it->prefix), 0);
		enter(&s, it, last &&
			      !sl_prefix_cmp(&last->prefix, &it->prefix));
		last = it;
	}
	close_before(&s, 0, 1);
	*out = s.out;
	*n_out = s.n;
	return 0;
}

static int fill4(struct sl_fib_image *img, const struct range *r, size_t n)
{
	size_t i;

	img->r4 = malloc(n * sizeof(*img->r4));
	if (!img->r4)
		return -ENOMEM;
	for (i = 0; i < n; i++)
		img->r4[i] = (struct sl_fib4_range){
			.start = (uint32_t)r[i].start, .entry = r[i].entry };
	return 0;
}

static int fill6(struct sl_fib_image *img, const struct range *r, size_t n)
{
	size_t i;

	img->r6 = malloc(n * sizeof(*img->r6));
	if (!img->r6)
		return -ENOMEM;
	for (i = 0; i < n; i++)
		img->r6[i] = (struct sl_fib6_range){
			.start_hi = (uint64_t)(r[i].start >> 64),
			.start_lo = (uint64_t)r[i].start,
			.entry = r[i].entry };
	return 0;
}

int sl_fibc_compile(struct sl_fibc *c, uint32_t max_ranges,
		    struct sl_fib_image *img)
{
	struct range *r4 = NULL, *r6 = NULL;
	size_t n4 = 0, n6 = 0;
	int rc;

	memset(img, 0, sizeof(*img));
	if (c->n)
		qsort(c->items, c->n, sizeof(c->items[0]), by_prefix);
	rc = sweep_family(c, 4, &r4, &n4);
	if (!rc)
		rc = sweep_family(c, 6, &r6, &n6);
	if (rc)
		goto out;
	img->n4 = n4;
	img->n6 = n6;
	rc = n4 > max_ranges || n6 > max_ranges ? -E2BIG : 0;
	if (!rc)
		rc = fill4(img, r4, n4);
	if (!rc)
		rc = fill6(img, r6, n6);
	if (rc && rc != -E2BIG)
		sl_fib_image_free(img);
out:
	free(r4);
	free(r6);
	return rc;
}

void sl_fib_image_free(struct sl_fib_image *img)
{
	free(img->r4);
	free(img->r6);
	memset(img, 0, sizeof(*img));
}

static uint64_t word(const uint8_t *b)
{
	uint64_t w;

	memcpy(&w, b, sizeof(w));
	return __builtin_bswap64(w);
}

uint32_t sl_fib_image_lookup(const struct sl_fib_image *img, int family,
			     const uint8_t *addr)
{
	struct sl_fib_view v = { .img = img };

	if (family == 4)
		return sl_fib4_lookup(&v, img->n4, (uint32_t)addr[0] << 24 |
				      addr[1] << 16 | addr[2] << 8 | addr[3]);
	return sl_fib6_lookup(&v, img->n6, word(addr), word(addr + 8));
}
