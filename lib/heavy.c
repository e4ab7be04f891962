// SPDX-License-Identifier: GPL-2.0
/*
 * Space-Saving. The place of a key and the least count are searched for from end to
 * end: so few places lie in some lines of memory, and what is added is a sample.
 */
#include "heavy.h"

_Static_assert(SL_HEAVY_ROOM <= 256, "a place is a byte in sl_heavy_top()");

static uint32_t least(const struct sl_heavy *h)
{
	uint32_t i, at = 0;

	for (i = 1; i < h->n; i++)
		if (h->count[i] < h->count[at])
			at = i;
	return at;
}

int sl_heavy_find(const struct sl_heavy *h, uint64_t key)
{
	uint32_t i;

	for (i = 0; i < h->n; i++)
		if (h->key[i] == key)
			return i;
	return -1;
}

uint32_t sl_heavy_add(struct sl_heavy *h, uint64_t key, double weight, bool *fresh)
{
	int at = sl_heavy_find(h, key);
	uint32_t i;

	h->total += weight;
	*fresh = at < 0;
	if (at >= 0) {
		h->count[at] += weight;
		return at;
	}
	if (h->n < SL_HEAVY_ROOM) {
		i = h->n++;
		h->error[i] = 0;
	} else {
		i = least(h);
		h->error[i] = h->count[i];
	}
	h->key[i] = key;
	h->count[i] = h->error[i] + weight;
	return i;
}

void sl_heavy_fade(struct sl_heavy *h, double factor)
{
	uint32_t i;

	h->total *= factor;
	for (i = 0; i < h->n; i++) {
		h->count[i] *= factor;
		h->error[i] *= factor;
	}
}

uint32_t sl_heavy_top(const struct sl_heavy *h, const bool *among, uint32_t want,
		      uint8_t *out)
{
	double sure[SL_HEAVY_ROOM], s;
	uint32_t i, k, n = 0;

	for (i = 0; i < h->n; i++) {
		s = sure[i] = h->count[i] - h->error[i];
		if (among && !among[i])
			continue;
		if (n == want && (!n || s <= sure[out[n - 1]]))
			continue;
		for (k = n < want ? n++ : n - 1; k && sure[out[k - 1]] < s; k--)
			out[k] = out[k - 1];
		out[k] = i;
	}
	return n;
}
