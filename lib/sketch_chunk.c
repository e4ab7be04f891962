// SPDX-License-Identifier: GPL-2.0
/*
 * Many steps of one series. Five streams, one behind the other:
 *
 *   steps     distance to the step before, less one
 *   used      how many buckets have a count (* 2, + 1: there is something odd),
 *             then the distances between them, the first from the lowest bucket
 *             of all
 *   counts    of each used bucket, less one
 *   extremes  a byte: in which eighth of their buckets min and max lie; then how
 *             far the sum is from what buckets and extremes imply, in 1/1024
 *   odd       zero, overflow, count where it is not their sum, and extremes that
 *             are not in the outermost buckets
 *
 * Bounds of buckets are whole nanoseconds by integer arithmetic: what one machine
 * writes, another one reads the same.
 */
#include <errno.h>
#include <string.h>
#include "sketch.h"

#define PARTS		8	/* of a bucket, in which an extreme lies */
#define EXACTLY		64	/* instead: both are among the odd */
#define SUM_PARTS	1024
#define LOWEST		SL_HIST_LOCAL_FIRST

/* The lower bound of bucket b, in ns: see include/sealane/hist.h. */
static uint64_t lower_ns(unsigned int b)
{
	unsigned int i = b + LOWEST - 1;

	return (unsigned __int128)sl_hist_thr[i % 32] * 1000000000ULL >>
	       (93 - i / 32);
}

static uint64_t part_ns(unsigned int b, unsigned int part)
{
	uint64_t from_ns = lower_ns(b), len_ns = lower_ns(b + 1) - from_ns;

	return from_ns + len_ns * (2 * part + 1) / (2 * PARTS);
}

static unsigned int part_of(unsigned int b, uint64_t ns)
{
	uint64_t from_ns = lower_ns(b), len_ns = lower_ns(b + 1) - from_ns;
	uint64_t part = (ns - from_ns) * PARTS / len_ns;

	return part < PARTS ? part : PARTS - 1;
}

/* What a histogram is, beside its counts. */
struct shape {
	unsigned int used, low, high;	/* buckets with a count */
	uint64_t inside;		/* all that is counted in buckets */
	unsigned __int128 middle_ns;	/* of all those, in the middle of their
					 * buckets */
};

static void see(struct shape *s, unsigned int b, uint32_t n)
{
	if (!s->used++)
		s->low = b;
	s->high = b;
	s->inside += n;
	s->middle_ns += (unsigned __int128)n *
			((lower_ns(b) + lower_ns(b + 1)) / 2);
}

static void look(const struct sl_hist *h, struct shape *s)
{
	unsigned int b;

	memset(s, 0, sizeof(*s));
	for (b = 0; b < SL_HIST_BUCKETS; b++)
		if (h->bucket[b])
			see(s, b, h->bucket[b]);
}

/* The sum, as far as the rest of the histogram tells. */
static uint64_t implied_ns(const struct sl_hist *h, const struct shape *s,
			   unsigned int code)
{
	unsigned __int128 sum = s->middle_ns;

	if (code < EXACTLY && s->inside == 1) {
		sum = h->min_ns;
	} else if (code < EXACTLY) {
		sum -= (lower_ns(s->low) + lower_ns(s->low + 1)) / 2 +
		       (lower_ns(s->high) + lower_ns(s->high + 1)) / 2;
		sum += (unsigned __int128)h->min_ns + h->max_ns;
	}
	sum += (unsigned __int128)h->overflow * lower_ns(SL_HIST_BUCKETS);
	return sum > UINT64_MAX / 2 ? UINT64_MAX / 2 : sum;
}

/* Whole parts of the sum. */
static uint64_t grain_ns(uint64_t implied)
{
	return implied / SUM_PARTS ? implied / SUM_PARTS : 1;
}

/* Are the extremes where the buckets say? With one sample they are its value. */
static bool extremes_inside(const struct sl_hist *h, const struct shape *s)
{
	return s->inside && !h->zero && !h->overflow &&
	       h->min_ns >= lower_ns(s->low) &&
	       h->min_ns <= lower_ns(s->low + 1) &&
	       h->max_ns >= lower_ns(s->high) &&
	       h->max_ns <= lower_ns(s->high + 1) &&
	       h->min_ns <= h->max_ns &&
	       (s->inside > 1 || h->min_ns == h->max_ns);
}

/* As the reader will find them. */
static void from_parts(struct sl_hist *h, const struct shape *s,
		       unsigned int code)
{
	h->min_ns = part_ns(s->low, code / PARTS);
	h->max_ns = part_ns(s->high, code % PARTS);
}

static void put_extremes(struct sl_chunk *k, const struct sl_hist *h,
			 const struct shape *s)
{
	struct sl_hist seen = { .overflow = h->overflow, .min_ns = h->min_ns,
				.max_ns = h->max_ns };
	unsigned int code = EXACTLY;
	uint64_t implied, grain;
	uint8_t byte;
	__int128 off;

	if (extremes_inside(h, s)) {
		code = part_of(s->low, h->min_ns) * PARTS +
		       part_of(s->high, h->max_ns);
		from_parts(&seen, s, code);
	} else {
		sl_put_u64(&k->odd, h->min_ns);
		sl_put_u64(&k->odd, h->max_ns);
	}
	byte = code;
	sl_put_raw(&k->extremes, &byte, 1);
	implied = implied_ns(&seen, s, code);
	grain = grain_ns(implied);
	off = (int64_t)(h->sum_ns - implied);
	off = (off + (off < 0 ? -1 : 1) * (__int128)(grain / 2)) /
	      (__int128)grain;
	sl_put_s64(&k->extremes, off);
}

void sl_chunk_put(struct sl_chunk *k, uint32_t step, const struct sl_hist *h)
{
	unsigned int b, last = 0;
	struct shape s;
	uint64_t n;
	bool odd;

	look(h, &s);
	n = s.inside + h->zero + h->overflow;
	odd = h->zero || h->overflow || h->count != n;
	sl_put_u64(&k->steps, k->n ? step - k->last - 1 : step);
	k->last = step;
	k->n++;
	sl_put_u64(&k->used, s.used << 1 | odd);
	for (b = s.low; s.used && b <= s.high; b++) {
		if (!h->bucket[b])
			continue;
		sl_put_u64(&k->used, b - last);
		sl_put_u64(&k->counts, h->bucket[b] - 1);
		last = b;
	}
	if (odd) {
		sl_put_u64(&k->odd, h->zero);
		sl_put_u64(&k->odd, h->overflow);
		sl_put_s64(&k->odd, h->count - n);
	}
	put_extremes(k, h, &s);
}

void sl_chunk_free(struct sl_chunk *k)
{
	sl_bytes_free(&k->steps);
	sl_bytes_free(&k->used);
	sl_bytes_free(&k->counts);
	sl_bytes_free(&k->extremes);
	sl_bytes_free(&k->odd);
	memset(k, 0, sizeof(*k));
}

int sl_chunk_end(struct sl_chunk *k, struct sl_bytes *s)
{
	sl_put_u64(s, k->n);
	sl_put_part(&k->steps, s);
	sl_put_part(&k->used, s);
	sl_put_part(&k->counts, s);
	sl_put_part(&k->extremes, s);
	sl_put_part(&k->odd, s);
	k->n = k->last = 0;
	return s->failed ? -ENOMEM : 0;
}

/* --- reading --- */
int sl_chunk_open(struct sl_chunk_reader *r, const uint8_t *b, size_t len_b)
{
	struct sl_cut all = { b, b + len_b, false };
	uint64_t n = sl_get_u64(&all);

	memset(r, 0, sizeof(*r));
	sl_get_part(&all, &r->steps);
	sl_get_part(&all, &r->used);
	sl_get_part(&all, &r->counts);
	sl_get_part(&all, &r->extremes);
	sl_get_part(&all, &r->odd);
	if (all.bad || all.at != all.end || n > SL_CHUNK_STEPS)
		return -EBADMSG;
	r->left = n;
	return 0;
}

static int next_step(struct sl_chunk_reader *r, uint32_t *step)
{
	uint64_t v = sl_get_u64(&r->steps);

	if (r->begun)
		v += (uint64_t)r->last + 1;
	if (r->steps.bad || v > UINT32_MAX)
		return -EBADMSG;
	r->begun = true;
	r->last = *step = v;
	return 0;
}

static int next_buckets(struct sl_chunk_reader *r, unsigned int n,
			struct sl_hist *h, struct shape *s)
{
	uint64_t b = 0, gap, c;
	unsigned int i;

	for (i = 0; i < n; i++) {
		gap = sl_get_u64(&r->used);
		c = sl_get_u64(&r->counts);
		if (gap >= SL_HIST_BUCKETS || (i && !gap) ||
		    b + gap >= SL_HIST_BUCKETS || c >= UINT32_MAX)
			return -EBADMSG;
		b += gap;
		h->bucket[b] = c + 1;
		see(s, b, c + 1);
	}
	return r->used.bad || r->counts.bad ? -EBADMSG : 0;
}

static int next_extremes(struct sl_chunk_reader *r, const struct shape *s,
			 struct sl_hist *h)
{
	uint64_t code = sl_get_u64(&r->extremes), implied;
	int64_t off;

	if (code > EXACTLY || (code < EXACTLY && !s->inside))
		return -EBADMSG;
	if (code == EXACTLY) {
		h->min_ns = sl_get_u64(&r->odd);
		h->max_ns = sl_get_u64(&r->odd);
	} else {
		from_parts(h, s, code);
	}
	implied = implied_ns(h, s, code);
	off = sl_get_s64(&r->extremes);
	h->sum_ns = implied + (uint64_t)off * grain_ns(implied);
	return r->extremes.bad || r->odd.bad ? -EBADMSG : 0;
}

int sl_chunk_next(struct sl_chunk_reader *r, uint32_t *step, struct sl_hist *h)
{
	struct shape s = {};
	uint64_t head;

	if (!r->left)
		return 0;
	r->left--;
	memset(h, 0, sizeof(*h));
	head = sl_get_u64(&r->used);
	if (next_step(r, step) || head >> 1 > SL_HIST_BUCKETS ||
	    next_buckets(r, head >> 1, h, &s))
		return -EBADMSG;
	h->count = s.inside;
	if (head & 1) {
		h->zero = sl_get_u64(&r->odd);
		h->overflow = sl_get_u64(&r->odd);
		h->count += h->zero + h->overflow + sl_get_s64(&r->odd);
	}
	return next_extremes(r, &s, h) ? -EBADMSG : 1;
}
