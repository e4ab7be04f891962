/* SPDX-License-Identifier: GPL-2.0 */
/* What the tests of FlowSpec share: dice, bytes from text, one route. */
#ifndef SL_TEST_FLOWSPEC_H
#define SL_TEST_FLOWSPEC_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "flowspec.h"

static uint64_t seed = 0x9e3779b97f4a7c15ULL;
static inline uint32_t dice(uint32_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (seed >> 20) % n;
}

static inline size_t unhex(const char *hex, uint8_t *out)
{
	size_t n = 0;
	unsigned int v;

	for (; *hex; hex++) {
		if (*hex == ' ')
			continue;
		sscanf(hex, "%2x", &v);
		out[n++] = v;
		hex++;
	}
	return n;
}

static inline int decode(int family, const char *hex, struct sl_flowspec *f, char *why)
{
	static uint8_t b[8][SL_FLOWSPEC_MAX_B];
	static unsigned int turn;

	turn = (turn + 1) % 8;
	return sl_flowspec_decode(family, b[turn], unhex(hex, b[turn]), f, why);
}

static const struct sl_flowspec_actions drop = { .bytes = true };

/* --- values, against a naive reading of RFC 8955 4.2.1 --- */

/* How much a list of operators says of one value. */
static inline bool naive(const uint8_t *ops, size_t n, uint64_t data, bool mask)
{
	bool result = false, group = true, first = true, hit;
	size_t at = 0, len;
	uint64_t v;
	uint8_t op;

	while (at < n) {
		op = ops[at++];
		for (v = 0, len = 1 << (op >> 4 & 3); len; len--)
			v = v * 256 + ops[at++];
		if (mask) {
			hit = op & 1 ? (data & v) == v : (data & v) != 0;
			if (op & 2)
				hit = !hit;
		} else {
			hit = (op & 4 && data < v) || (op & 2 && data > v) ||
			      (op & 1 && data == v);
		}
		if (first || !(op & 0x40)) {
			if (!first)
				result = result || group;
			group = hit;
		} else {
			group = group && hit;
		}
		first = false;
		if (op & 0x80)
			break;
	}
	return result || group;
}

static inline size_t random_ops(uint8_t *b, int type)
{
	bool narrow = type == SL_FS_DSCP || type == SL_FS_FRAGMENT;
	unsigned int n = 1 + dice(dice(8) ? 4 : 40), i, len, k;
	size_t at = 0;

	for (i = 0; i < n; i++) {
		len = narrow ? 0 : type == SL_FS_TCP_FLAGS ? dice(2) : dice(4);
		b[at++] = (i + 1 == n ? 0x80 : 0) | len << 4 |
			  (dice(2) ? 0x40 : 0) | dice(8);
		for (k = 0; k < 1U << len; k++)
			b[at++] = k + 2 < 1U << len && dice(8) ? 0 :
				  dice(256);
	}
	return at;
}

#endif
