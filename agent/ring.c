// SPDX-License-Identifier: GPL-2.0
/* Records of what was measured: see ring.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "ring.h"

enum kind { SERIES = 1, LANE, PREFIX };

#define NUMBER_B	10	/* of a 64-bit number at most */
#define HEAD_B		(8 * NUMBER_B + 32)

/* --- writing --- */
static uint8_t *room(struct ring_pen *p, size_t n)
{
	size_t want = (p->len + n) * 3 / 2;
	uint8_t *b;

	if (p->len + n > p->room) {
		b = realloc(p->b, want);
		if (!b) {
			p->failed = true;
			return NULL;
		}
		p->b = b;
		p->room = want;
	}
	return p->b + p->len;
}

static uint8_t *put(uint8_t *b, uint64_t v)
{
	for (; v > 0x7f; v >>= 7)
		*b++ = v | 0x80;
	*b++ = v;
	return b;
}

static uint8_t *put_hist(uint8_t *b, const struct sl_hist_sparse *h)
{
	uint32_t k, before = 0;

	b = put(b, h->count);
	b = put(b, h->sum_ns);
	b = put(b, h->min_ns);
	b = put(b, h->max_ns);
	b = put(b, h->zero);
	b = put(b, h->overflow);
	b = put(b, h->n);
	for (k = 0; k < h->n; k++) {
		b = put(b, h->pair[k].bucket - before);
		b = put(b, h->pair[k].n);
		before = h->pair[k].bucket;
	}
	return b;
}

static size_t hist_room(const struct sl_hist_sparse *h)
{
	return HEAD_B + h->n * 7;	/* 2 + 5 */
}

void ring_put_series(struct ring_pen *p, uint64_t key,
		     const struct sl_hist_sparse *h)
{
	uint8_t *b = room(p, hist_room(h));

	if (!b)
		return;
	*b++ = SERIES;
	b = put(b, key & ~SL_SERIES_USED);
	p->len = put_hist(b, h) - p->b;
}

void ring_put_lane(struct ring_pen *p, uint32_t path, uint32_t lane,
		   const struct sl_lane_ctr *c)
{
	uint8_t *b = room(p, HEAD_B);
	int d;

	if (!b)
		return;
	*b++ = LANE;
	b = put(b, path << 16 | lane);
	for (d = 0; d < 2; d++) {
		b = put(b, c->packets[d]);
		b = put(b, c->bytes[d]);
		b = put(b, c->tcp_data[d]);
		b = put(b, c->retrans[d]);
	}
	p->len = b - p->b;
}

void ring_put_prefix(struct ring_pen *p, uint32_t path, uint32_t lane,
		     const struct sl_prefix *prefix,
		     const struct sl_hist_sparse *h)
{
	uint8_t *b = room(p, hist_room(h));

	if (!b)
		return;
	*b++ = PREFIX;
	b = put(b, path << 16 | lane);
	*b++ = prefix->family;
	*b++ = prefix->len;
	memcpy(b, prefix->addr, sizeof(prefix->addr));
	p->len = put_hist(b + sizeof(prefix->addr), h) - p->b;
}

/* --- reading --- */
struct cursor {
	const uint8_t *b, *end;
	bool bad;
};

static uint64_t get(struct cursor *c)
{
	unsigned int shift;
	uint64_t v = 0;

	for (shift = 0; shift < 64 && c->b < c->end; shift += 7) {
		v |= (uint64_t)(*c->b & 0x7f) << shift;
		if (!(*c->b++ & 0x80))
			return v;
	}
	c->bad = true;
	return 0;
}

static uint8_t get_byte(struct cursor *c)
{
	if (c->b < c->end)
		return *c->b++;
	c->bad = true;
	return 0;
}

/* h is zeroed; *used: which of its buckets are to be zeroed again. */
static void get_hist(struct cursor *c, struct sl_hist *h, uint16_t *used,
		     uint32_t *n_used)
{
	uint64_t n, bucket = 0;

	h->count = get(c);
	h->sum_ns = get(c);
	h->min_ns = get(c);
	h->max_ns = get(c);
	h->zero = get(c);
	h->overflow = get(c);
	n = get(c);
	for (*n_used = 0; *n_used < n && !c->bad;) {
		bucket += get(c);
		if (bucket >= SL_HIST_BUCKETS || *n_used >= SL_HIST_BUCKETS) {
			c->bad = true;
			return;
		}
		h->bucket[bucket] = get(c);
		used[(*n_used)++] = bucket;
	}
}

static void forget(struct sl_hist *h, const uint16_t *used, uint32_t n_used)
{
	memset(h, 0, offsetof(struct sl_hist, bucket));
	while (n_used)
		h->bucket[used[--n_used]] = 0;
}

static void get_lane(struct cursor *c, const struct ring_eye *eye)
{
	struct sl_lane_ctr ctr;
	uint32_t k = get(c);
	int d;

	for (d = 0; d < 2; d++) {
		ctr.packets[d] = get(c);
		ctr.bytes[d] = get(c);
		ctr.tcp_data[d] = get(c);
		ctr.retrans[d] = get(c);
	}
	if (!c->bad && eye->lane)
		eye->lane(eye->arg, k >> 16, k & 0xffff, &ctr);
}

static void get_prefix(struct cursor *c, struct sl_prefix *p)
{
	p->family = get_byte(c);
	p->len = get_byte(c);
	if (c->end - c->b < (ptrdiff_t)sizeof(p->addr)) {
		c->bad = true;
		return;
	}
	memcpy(p->addr, c->b, sizeof(p->addr));
	c->b += sizeof(p->addr);
}

int ring_read(const uint8_t *bytes, size_t len, const struct ring_eye *eye)
{
	struct cursor c = { bytes, bytes + len, false };
	uint16_t used[SL_HIST_BUCKETS];
	struct sl_prefix prefix = {};
	struct sl_hist h = {};
	uint32_t n_used;
	uint64_t key;
	uint8_t kind;

	while (!c.bad && c.b < c.end) {
		kind = *c.b++;
		if (kind == LANE) {
			get_lane(&c, eye);
			continue;
		}
		if (kind != SERIES && kind != PREFIX)
			return -EINVAL;
		key = get(&c);
		if (kind == PREFIX)
			get_prefix(&c, &prefix);
		get_hist(&c, &h, used, &n_used);
		if (!c.bad && kind == SERIES && eye->series)
			eye->series(eye->arg, key | SL_SERIES_USED, &h);
		if (!c.bad && kind == PREFIX && eye->prefix)
			eye->prefix(eye->arg, key >> 16, key & 0xffff, &prefix,
				    &h);
		forget(&h, used, n_used);
	}
	return c.bad ? -EINVAL : 0;
}
