// SPDX-License-Identifier: GPL-2.0
/* Sets of prefixes, packed, and the radix sort under them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "pset.h"

typedef unsigned __int128 u128;

/* Room for one more of n elements. */
static int grow(void **array, size_t n, size_t *room, size_t one_b)
{
	size_t want = *room ? *room * 2 : 256;
	void *grown;

	if (n < *room)
		return 0;
	grown = realloc(*array, want * one_b);
	if (!grown)
		return -ENOMEM;
	*array = grown;
	*room = want;
	return 0;
}

int sl_pset_add4(struct sl_pset *s, uint32_t first4, unsigned int len)
{
	if (grow((void **)&s->v4, s->n4, &s->room4, sizeof(*s->v4)))
		return -ENOMEM;
	s->v4[s->n4++] = (uint64_t)first4 << 8 | len;
	return 0;
}

static uint64_t word(const uint8_t *b)
{
	uint64_t w;

	memcpy(&w, b, sizeof(w));
	return __builtin_bswap64(w);
}

static int add6(struct sl_pset *s, u128 first, unsigned int len)
{
	if (grow((void **)&s->v6, s->n6, &s->room6, sizeof(*s->v6)))
		return -ENOMEM;
	s->v6[s->n6++] = (struct sl_prefix6){ first >> 64, (uint64_t)first,
					      len, 0 };
	return 0;
}

int sl_pset_add(struct sl_pset *s, const struct sl_prefix *p)
{
	if (p->family == 4)
		return sl_pset_add4(s, word(p->addr) >> 32, p->len);
	return add6(s, (u128)word(p->addr) << 64 | word(p->addr + 8), p->len);
}

/* The largest block that starts at `first` and ends no later than `last`:
 * aligned by first's trailing zeros, and no longer than what is left. */
int sl_pset_add_range4(struct sl_pset *s, uint32_t first, uint32_t last)
{
	uint64_t at = first, left;
	unsigned int bits;

	while (at <= last) {
		left = (uint64_t)last - at + 1;
		bits = at ? __builtin_ctzll(at) : 32;
		while (bits > 32 || (1ULL << bits) > left)
			bits--;
		if (sl_pset_add4(s, at, 32 - bits))
			return -ENOMEM;
		at += 1ULL << bits;
	}
	return 0;
}

static unsigned int zeros(u128 a)
{
	if ((uint64_t)a)
		return __builtin_ctzll((uint64_t)a);
	return a >> 64 ? 64 + __builtin_ctzll(a >> 64) : 127;
}

int sl_pset_add_range6(struct sl_pset *s, u128 first, u128 last)
{
	unsigned int bits;

	if (!first && last == ~(u128)0)
		return add6(s, 0, 0);
	while (first <= last) {
		bits = zeros(first);
		while (((u128)1 << bits) - 1 > last - first)
			bits--;
		if (add6(s, first, 128 - bits))
			return -ENOMEM;
		first += (u128)1 << bits;
		if (!first)		/* past the end of the space */
			break;
	}
	return 0;
}

static int same6(const struct sl_prefix6 *a, const struct sl_prefix6 *b)
{
	return a->hi == b->hi && a->lo == b->lo && a->len == b->len;
}

long sl_pset_finish(struct sl_pset *s)
{
	size_t i, n = 0, gone;

	if (sl_radix_sort(s->v4, s->n4, sizeof(*s->v4), 0, 5) ||
	    sl_radix_sort(s->v6, s->n6, sizeof(*s->v6),
			  offsetof(struct sl_prefix6, len), 1) ||
	    sl_radix_sort(s->v6, s->n6, sizeof(*s->v6),
			  offsetof(struct sl_prefix6, lo), 8) ||
	    sl_radix_sort(s->v6, s->n6, sizeof(*s->v6),
			  offsetof(struct sl_prefix6, hi), 8))
		return -ENOMEM;
	for (i = 0; i < s->n4; i++)
		if (!n || s->v4[n - 1] != s->v4[i])
			s->v4[n++] = s->v4[i];
	gone = s->n4 - n;
	s->n4 = n;
	for (i = n = 0; i < s->n6; i++)
		if (!n || !same6(&s->v6[n - 1], &s->v6[i]))
			s->v6[n++] = s->v6[i];
	gone += s->n6 - n;
	s->n6 = n;
	return gone;
}

static void put_word(uint8_t *b, uint64_t w)
{
	w = __builtin_bswap64(w);
	memcpy(b, &w, sizeof(w));
}

void sl_pset_get(const struct sl_pset *s, size_t i, struct sl_prefix *out)
{
	memset(out, 0, sizeof(*out));
	if (i < s->n4) {
		out->family = 4;
		out->len = s->v4[i] & 0xff;
		put_word(out->addr, s->v4[i] >> 8 << 32);
		return;
	}
	i -= s->n4;
	out->family = 6;
	out->len = s->v6[i].len;
	put_word(out->addr, s->v6[i].hi);
	put_word(out->addr + 8, s->v6[i].lo);
}

static int order(const struct sl_prefix6 *a, uint64_t hi, uint64_t lo,
		 uint32_t len)
{
	if (a->hi != hi)
		return a->hi < hi ? -1 : 1;
	if (a->lo != lo)
		return a->lo < lo ? -1 : 1;
	return a->len == len ? 0 : a->len < len ? -1 : 1;
}

/* Index of an exact prefix; n of its family: it is not there. */
static size_t find4(const struct sl_pset *s, uint64_t key)
{
	size_t lo = 0, hi = s->n4, mid;

	while (lo < hi) {
		mid = (lo + hi) / 2;
		if (s->v4[mid] == key)
			return mid;
		if (s->v4[mid] < key)
			lo = mid + 1;
		else
			hi = mid;
	}
	return s->n4;
}

static size_t find6(const struct sl_pset *s, u128 first, uint32_t len)
{
	size_t lo = 0, hi = s->n6, mid;
	int rc;

	while (lo < hi) {
		mid = (lo + hi) / 2;
		rc = order(&s->v6[mid], first >> 64, first, len);
		if (!rc)
			return mid;
		if (rc < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return s->n6;
}

bool sl_pset_covers(const struct sl_pset *s, const struct sl_prefix *p,
		    struct sl_prefix *which)
{
	u128 a = (u128)word(p->addr) << 64 | word(p->addr + 8);
	size_t at;
	int len;

	for (len = p->len; len >= 0; len--) {
		if (!len)
			a = 0;
		else
			a &= ~(u128)0 << (128 - len);
		if (p->family == 4) {
			at = find4(s, (uint64_t)(a >> 96) << 8 | len);
			if (at == s->n4)
				continue;
		} else {
			at = find6(s, a, len);
			if (at == s->n6)
				continue;
			at += s->n4;
		}
		sl_pset_get(s, at, which);
		return true;
	}
	return false;
}

void sl_pset_free(struct sl_pset *s)
{
	free(s->v4);
	free(s->v6);
	memset(s, 0, sizeof(*s));
}

/* --- radix sort --- */
/* One pass: elements of `from` into `to` by the byte at `at`. False: all have
 * the same byte, and nothing was moved. */
static inline int pass(const uint8_t *from, uint8_t *to, size_t n,
		       size_t size_b, size_t at)
{
	size_t start[256] = {}, sum = 0, i, c;

	for (i = 0; i < n; i++)
		start[from[i * size_b + at]]++;
	if (start[from[at]] == n)
		return 0;
	for (i = 0; i < 256; i++) {
		c = start[i];
		start[i] = sum;
		sum += c;
	}
	for (i = 0; i < n; i++)
		memcpy(to + start[from[i * size_b + at]]++ * size_b,
		       from + i * size_b, size_b);
	return 1;
}

/* The sizes in use are known to the compiler, so that memcpy is a move. */
static int pass_of(const uint8_t *from, uint8_t *to, size_t n, size_t size_b,
		   size_t at)
{
	switch (size_b) {
	case 8: return pass(from, to, n, 8, at);
	case 16: return pass(from, to, n, 16, at);
	case 24: return pass(from, to, n, 24, at);
	case 32: return pass(from, to, n, 32, at);
	default: return pass(from, to, n, size_b, at);
	}
}

int sl_radix_sort(void *array, size_t n, size_t size_b, size_t key_at,
		  size_t key_b)
{
	uint8_t *from = array, *to, *t, *spare;
	size_t i;

	if (n < 2)
		return 0;
	spare = to = malloc(n * size_b);
	if (!to)
		return -ENOMEM;
	for (i = 0; i < key_b; i++) {
		if (!pass_of(from, to, n, size_b, key_at + i))
			continue;
		t = from;
		from = to;
		to = t;
	}
	if (from != array)
		memcpy(array, from, n * size_b);
	free(spare);
	return 0;
}
