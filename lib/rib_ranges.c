// SPDX-License-Identifier: GPL-2.0
/* What holds where: prefixes nest, so one sweep over the sorted items with a
 * stack of the open ones yields disjoint ranges. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "abv.h"
#include "rib.h"

typedef sl_u128 u128;

/* An item as the sweep sees it. */
struct said {
	u128 first;
	uint32_t len, say, source;
};

/* What holds below a prefix. */
struct frame {
	u128 first, end;		/* what it covers */
	uint16_t lane;
	uint8_t layer, weight;
	uint32_t class_id, set;
};

struct sweep {
	int bits;			/* of an address */
	struct sl_abv *abv;
	struct sl_range *out;
	size_t n;
	struct frame stack[131];	/* one per prefix length, and the root */
	int depth;
	u128 last;
};

static u128 host_bits(int bits, uint32_t len)
{
	return bits - (int)len == 128 ? ~(u128)0 :
	       ((u128)1 << (bits - len)) - 1;
}

static size_t count(const struct sl_rib *r, int bits)
{
	return bits == 32 ? r->n4 : r->n6;
}

static struct said item(const struct sl_rib *r, int bits, size_t i)
{
	if (bits == 32)
		return (struct said){ r->v4[i].key >> 8, r->v4[i].key & 0xff,
				      r->v4[i].say, r->v4[i].source };
	return (struct said){ (u128)r->v6[i].hi << 64 | r->v6[i].lo,
			      r->v6[i].len, r->v6[i].say, r->v6[i].source };
}

static int before(const struct said *a, u128 first, uint32_t len)
{
	return a->first < first || (a->first == first && a->len < len);
}

/* Index of the first item at or behind first/len. */
static size_t lower(const struct sl_rib *r, int bits, u128 first, uint32_t len)
{
	size_t lo = 0, hi = r ? count(r, bits) : 0, mid;
	struct said s;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		s = item(r, bits, mid);
		if (before(&s, first, len))
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static void emit(struct sweep *s, u128 start)
{
	const struct frame *top = &s->stack[s->depth];
	uint32_t class_id = s->abv ? sl_abv_class(s->abv, top->class_id,
						  top->set) : top->class_id;
	uint32_t entry = SL_ENTRY(top->lane, class_id);

	if (s->n && s->out[s->n - 1].start == start)
		s->n--;
	if (s->n && s->out[s->n - 1].entry == entry)
		return;
	s->out[s->n++] = (struct sl_range){ start, entry };
}

/* Leave the prefixes that end before `start` (or all of them at the end). */
static void close_before(struct sweep *s, u128 start, int all)
{
	u128 end;

	while (s->depth > 0) {
		end = s->stack[s->depth].end;
		if (!all && end >= start)
			return;
		s->depth--;
		if (end < s->last)
			emit(s, end + 1);
	}
}

/* What an item says, on top of what holds already; 1 when it has a say. */
static int apply(struct frame *f, uint32_t say, struct sl_abv *abv)
{
	uint8_t *rank = say & SL_SAY_CLASS ? &f->weight : &f->layer;

	if (say & SL_SAY_GROUP) {
		if (abv)
			f->set = sl_abv_join(abv, f->set, SL_SAY_VALUE(say));
		return 1;
	}
	if (SL_SAY_RANK(say) < *rank)
		return 0;
	*rank = SL_SAY_RANK(say);
	if (say & SL_SAY_CLASS)
		f->class_id = SL_SAY_VALUE(say);
	else
		f->lane = SL_SAY_VALUE(say);
	return 1;
}

/* Enter a prefix: below it holds what held above, unless it says otherwise. */
static void enter(struct sweep *s, const struct said *it)
{
	u128 end = it->first | host_bits(s->bits, it->len);

	if (!s->depth || s->stack[s->depth].end != end ||
	    s->stack[s->depth].first != it->first) {
		s->stack[s->depth + 1] = s->stack[s->depth];
		s->depth++;
		s->stack[s->depth].first = it->first;
		s->stack[s->depth].end = end;
	}
	if (apply(&s->stack[s->depth], it->say, s->abv))
		emit(s, it->first);
}

/* Hear the items that cover the whole of first..last, shortest first. */
static void hear_above(struct sweep *s, struct sl_rib_pair p, u128 first,
		       uint32_t len)
{
	const struct sl_rib *rib[2] = { p.base, p.extra };
	struct said it;
	uint32_t l;
	size_t i;
	u128 at;
	int k;

	for (l = 0; l < len; l++) {
		at = first & ~host_bits(s->bits, l);
		for (k = 0; k < 2; k++) {
			i = lower(rib[k], s->bits, at, l);
			for (; rib[k] && i < count(rib[k], s->bits); i++) {
				it = item(rib[k], s->bits, i);
				if (it.first != at || it.len != l)
					break;
				apply(&s->stack[0], it.say, s->abv);
			}
		}
	}
}

/* Two sorted ribs as one, the base first where both name a prefix. */
static void sweep_both(struct sweep *s, struct sl_rib_pair p, size_t i,
		       size_t i_end, size_t j, size_t j_end)
{
	struct said a = {}, b = {};
	int take_b;

	if (i < i_end)
		a = item(p.base, s->bits, i);
	if (j < j_end)
		b = item(p.extra, s->bits, j);
	while (i < i_end || j < j_end) {
		take_b = i == i_end || (j < j_end && before(&b, a.first,
							    a.len));
		close_before(s, take_b ? b.first : a.first, 0);
		enter(s, take_b ? &b : &a);
		if (take_b && ++j < j_end)
			b = item(p.extra, s->bits, j);
		else if (!take_b && ++i < i_end)
			a = item(p.base, s->bits, i);
	}
	close_before(s, 0, 1);
}

int sl_rib_ranges(struct sl_rib_pair p, int family, u128 first, u128 last,
		  struct sl_range **out, size_t *n_out)
{
	struct sweep s = { .bits = family == 4 ? 32 : 128, .abv = p.abv,
			   .last = last };
	size_t i, i_end, j, j_end;
	uint32_t len = 0;
	u128 above;

	while (len < (uint32_t)s.bits && host_bits(s.bits, len) != last - first)
		len++;
	above = last == host_bits(s.bits, 0) ? 0 : last + 1;
	i = lower(p.base, s.bits, first, len);
	i_end = !p.base ? 0 : above ? lower(p.base, s.bits, above, 0) :
		count(p.base, s.bits);
	j = lower(p.extra, s.bits, first, len);
	j_end = !p.extra ? 0 : above ? lower(p.extra, s.bits, above, 0) :
		count(p.extra, s.bits);
	s.out = malloc((2 * (i_end - i + j_end - j) + 2) * sizeof(*s.out));
	if (!s.out)
		return -ENOMEM;
	s.stack[0].end = last;
	s.stack[0].set = SL_ABV_NO_GROUP;
	hear_above(&s, p, first, len);
	emit(&s, first);
	sweep_both(&s, p, i, i_end, j, j_end);
	*out = s.out;
	*n_out = s.n;
	if (!p.abv || !sl_abv_failed(p.abv))
		return 0;
	free(s.out);
	return sl_abv_failed(p.abv);
}

static struct sl_prefix prefix_of(const struct said *it, int bits)
{
	struct sl_prefix p = { .family = bits == 32 ? 4 : 6, .len = it->len };
	u128 a = it->first;
	int i;

	for (i = bits / 8 - 1; i >= 0; i--, a >>= 8)
		p.addr[i] = a;
	return p;
}

/* Remember an item that has a say at an address. */
static void note(struct sl_heard *h, const struct said *it, int bits)
{
	if (it->say & SL_SAY_CLASS) {
		h->class_prefix = prefix_of(it, bits);
		h->class_source = it->source;
	} else {
		h->lane_prefix = prefix_of(it, bits);
		h->lane_source = it->source;
	}
}

#define PROTECT_RANK 3

bool sl_rib_protects(const struct sl_rib *r, const struct sl_prefix *p,
		     struct sl_prefix *which)
{
	int bits = p->family == 4 ? 32 : 128;
	u128 first = sl_prefix_first(p), last = sl_prefix_last(p);
	struct said it;
	uint32_t l;
	size_t i;

	for (l = 0; l <= p->len; l++) {
		u128 at = first & ~host_bits(bits, l);

		/* above p: those of this very prefix; below: all up to last */
		for (i = lower(r, bits, at, l); i < count(r, bits); i++) {
			it = item(r, bits, i);
			if (l < p->len ? it.first != at || it.len != l :
			    it.first > last)
				break;
			if (!(it.say & SL_SAY_CLASS) ||
			    SL_SAY_RANK(it.say) != PROTECT_RANK)
				continue;
			*which = prefix_of(&it, bits);
			return true;
		}
	}
	return false;
}

void sl_rib_hear(struct sl_rib_pair p, const struct sl_prefix *addr,
		 struct sl_heard *out)
{
	const struct sl_rib *rib[2] = { p.base, p.extra };
	int bits = addr->family == 4 ? 32 : 128, l, k;
	u128 first = sl_prefix_first(addr), at;
	struct frame f = { .set = p.abv ? SL_ABV_NO_GROUP : 0 };
	struct said it;
	size_t i;

	memset(out, 0, sizeof(*out));
	for (l = 0; l <= addr->len; l++) {
		at = first & ~host_bits(bits, l);
		for (k = 0; k < 2; k++) {
			i = lower(rib[k], bits, at, l);
			for (; rib[k] && i < count(rib[k], bits); i++) {
				it = item(rib[k], bits, i);
				if (it.first != at || (int)it.len != l)
					break;
				if (apply(&f, it.say, p.abv) &&
				    !(it.say & SL_SAY_GROUP))
					note(out, &it, bits);
			}
		}
	}
	out->lane = f.lane;
	out->class_id = f.class_id;
	out->set = f.set;
	out->layer = f.layer;
}
