// SPDX-License-Identifier: GPL-2.0
/* Histograms in few bytes: numbers, one sketch, packing. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include "sketch.h"

/* Members of a sketch that most do not have. */
#define HAS_ZERO	1
#define HAS_OVERFLOW	2
#define HAS_OTHER_COUNT	4	/* CPUs were read while they counted */
#define FLAGS		3	/* bits */

void sl_bytes_free(struct sl_bytes *s)
{
	free(s->b);
	memset(s, 0, sizeof(*s));
}

static bool make_room(struct sl_bytes *s, size_t len_b)
{
	size_t room = s->room ? s->room : 256;
	uint8_t *b;

	if (s->n + len_b <= s->room)
		return true;
	while (room < s->n + len_b)
		room *= 2;
	b = realloc(s->b, room);
	if (!b) {
		s->failed = true;
		return false;
	}
	s->b = b;
	s->room = room;
	return true;
}

void sl_put_raw(struct sl_bytes *s, const void *b, size_t len_b)
{
	if (!len_b || !make_room(s, len_b))
		return;
	memcpy(s->b + s->n, b, len_b);
	s->n += len_b;
}

void sl_put_u64(struct sl_bytes *s, uint64_t v)
{
	if (!make_room(s, 10))
		return;
	for (; v >= 0x80; v >>= 7)
		s->b[s->n++] = v | 0x80;
	s->b[s->n++] = v;
}

void sl_put_s64(struct sl_bytes *s, int64_t v)
{
	sl_put_u64(s, (uint64_t)v << 1 ^ (uint64_t)(v >> 63));
}

uint64_t sl_get_u64(struct sl_cut *c)
{
	unsigned int shift;
	uint64_t v = 0;
	uint8_t b;

	for (shift = 0; shift < 70 && c->at < c->end && !c->bad; shift += 7) {
		b = *c->at++;
		if (shift == 63 && b > 1)
			break;
		v |= (uint64_t)(b & 0x7f) << shift;
		if (!(b & 0x80))
			return v;
	}
	c->bad = true;
	return 0;
}

int64_t sl_get_s64(struct sl_cut *c)
{
	uint64_t v = sl_get_u64(c);

	return (int64_t)(v >> 1 ^ -(v & 1));
}

void sl_put_part(struct sl_bytes *part, struct sl_bytes *s)
{
	s->failed |= part->failed;
	sl_put_u64(s, part->n);
	sl_put_raw(s, part->b, part->n);
	part->n = 0;
	part->failed = false;
}

void sl_get_part(struct sl_cut *all, struct sl_cut *part)
{
	uint64_t len_b = sl_get_u64(all);

	if (len_b > (size_t)(all->end - all->at))
		all->bad = true;
	if (all->bad)
		len_b = 0;
	*part = (struct sl_cut){ all->at, all->at + len_b, false };
	all->at += len_b;
}

/* --- one sketch --- */
void sl_sketch_put(struct sl_bytes *s, const struct sl_hist *h)
{
	uint64_t implied = h->zero + h->overflow;
	unsigned int b, n = 0, flags, next = 0;

	for (b = 0; b < SL_HIST_BUCKETS; b++) {
		n += h->bucket[b] != 0;
		implied += h->bucket[b];
	}
	flags = (h->zero ? HAS_ZERO : 0) | (h->overflow ? HAS_OVERFLOW : 0) |
		(h->count != implied ? HAS_OTHER_COUNT : 0);
	sl_put_u64(s, n << FLAGS | flags);
	if (h->zero)
		sl_put_u64(s, h->zero);
	if (h->overflow)
		sl_put_u64(s, h->overflow);
	if (h->count != implied)
		sl_put_s64(s, h->count - implied);
	for (b = 0; n; b++) {
		if (!h->bucket[b])
			continue;
		sl_put_u64(s, b - next);
		sl_put_u64(s, h->bucket[b] - 1);
		next = b + 1;
		n--;
	}
	sl_put_u64(s, h->sum_ns);
	sl_put_u64(s, h->min_ns);
	sl_put_s64(s, h->max_ns - h->min_ns);
}

static void add_extremes(struct sl_hist *h, uint64_t min_ns, uint64_t max_ns)
{
	if (min_ns && (!h->min_ns || min_ns < h->min_ns))
		h->min_ns = min_ns;
	if (max_ns > h->max_ns)
		h->max_ns = max_ns;
}

int sl_sketch_add(struct sl_cut *c, struct sl_hist *h)
{
	uint64_t head = sl_get_u64(c), n = head >> FLAGS, count = 0, v, min_ns;
	uint64_t b = 0, zero, overflow;

	if (n > SL_HIST_BUCKETS)
		return -EBADMSG;
	zero = head & HAS_ZERO ? sl_get_u64(c) : 0;
	overflow = head & HAS_OVERFLOW ? sl_get_u64(c) : 0;
	if (head & HAS_OTHER_COUNT)
		count = sl_get_s64(c);
	count += zero + overflow;
	for (; n; n--, b++) {
		v = sl_get_u64(c);
		if (v >= SL_HIST_BUCKETS || b + v >= SL_HIST_BUCKETS)
			return -EBADMSG;
		b += v;
		v = sl_get_u64(c);
		if (v >= UINT32_MAX || c->bad)
			return -EBADMSG;
		h->bucket[b] += v + 1;
		count += v + 1;
	}
	h->zero += zero;
	h->overflow += overflow;
	h->count += count;
	h->sum_ns += sl_get_u64(c);
	min_ns = sl_get_u64(c);
	add_extremes(h, min_ns, min_ns + sl_get_s64(c));
	return c->bad ? -EBADMSG : 0;
}

/* --- packing: form, length, deflated bytes, CRC-32 of salt and all before --- */
#define FORM	1
#define CRC_B	4

static uint32_t check_sum(const uint8_t *b, size_t len_b, uint64_t salt)
{
	uint8_t s[8];
	unsigned int i;

	for (i = 0; i < 8; i++)
		s[i] = salt >> 8 * i;
	return crc32(crc32(0, s, sizeof(s)), b, len_b);
}

/* As much window and room for symbols as there are bytes: tables for 32 KB would
 * cost more to clear than a chunk to compress. */
static int window_bits(size_t len_b)
{
	int bits = 9;

	while (bits < 15 && len_b > 1U << bits)
		bits++;
	return bits;
}

/* A negative window: deflate without a header, whose check is ours. Filtered:
 * small numbers share few strings, and codes by frequency serve them best. */
static int deflate_into(const uint8_t *b, size_t len_b, int level,
			struct sl_bytes *out)
{
	int rc, bits = window_bits(len_b);
	z_stream z = {};

	if (deflateInit2(&z, level, Z_DEFLATED, -bits, bits - 6, Z_FILTERED) !=
	    Z_OK)
		return -ENOMEM;
	if (!make_room(out, deflateBound(&z, len_b) + CRC_B)) {
		deflateEnd(&z);
		return -ENOMEM;
	}
	z.next_in = (uint8_t *)b;
	z.avail_in = len_b;
	z.next_out = out->b + out->n;
	z.avail_out = out->room - out->n;
	rc = deflate(&z, Z_FINISH);
	out->n += z.total_out;
	deflateEnd(&z);
	return rc == Z_STREAM_END ? 0 : -ENOMEM;
}

int sl_pack(const uint8_t *b, size_t len_b, int level, uint64_t salt,
	    struct sl_bytes *out)
{
	size_t from = out->n;
	uint32_t crc, i;
	uint8_t c[CRC_B], form = FORM;

	sl_put_raw(out, &form, 1);
	sl_put_u64(out, len_b);
	if (out->failed || deflate_into(b, len_b, level, out))
		return -ENOMEM;
	crc = check_sum(out->b + from, out->n - from, salt);
	for (i = 0; i < CRC_B; i++)
		c[i] = crc >> 8 * i;
	sl_put_raw(out, c, CRC_B);
	return out->failed ? -ENOMEM : 0;
}

static int inflate_into(const struct sl_cut *c, size_t len_b,
			struct sl_bytes *out)
{
	z_stream z = { .next_in = (uint8_t *)c->at,
		       .avail_in = c->end - c->at,
		       .next_out = out->b, .avail_out = len_b };
	bool whole;

	if (inflateInit2(&z, -15) != Z_OK)
		return -ENOMEM;
	whole = inflate(&z, Z_FINISH) == Z_STREAM_END &&
		z.total_out == len_b && !z.avail_in;
	inflateEnd(&z);
	out->n = whole ? len_b : 0;
	return whole ? 0 : -EBADMSG;
}

int sl_unpack(const uint8_t *b, size_t len_b, uint64_t salt,
	      struct sl_bytes *out)
{
	struct sl_cut c = { b, b + len_b, false };
	uint32_t crc = 0, i;
	uint64_t plain_b;

	out->n = 0;
	out->failed = false;
	if (len_b < 2 + CRC_B || b[0] != FORM)
		return -EBADMSG;
	for (i = 0; i < CRC_B; i++)
		crc |= (uint32_t)b[len_b - CRC_B + i] << 8 * i;
	if (crc != check_sum(b, len_b - CRC_B, salt))
		return -EBADMSG;
	c.at++;
	c.end -= CRC_B;
	plain_b = sl_get_u64(&c);
	if (c.bad || plain_b > SL_PACKED_MOST_B)
		return -EBADMSG;
	/* one byte more, so that an empty one has an address */
	return make_room(out, plain_b + 1) ? inflate_into(&c, plain_b, out) :
	       -ENOMEM;
}
