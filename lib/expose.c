// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "expose_priv.h"

/*
 * Round trips to other countries lie between 16 ms and a second: half octaves
 * there (41 % apart), octaves and double octaves around. Home's round trips and
 * the gateway's own time are below, what is broken is above.
 */
const struct sl_rung sl_ladder[SL_LADDER] = {
	{ -32, "1.52587890625e-05" }, { -28, "6.103515625e-05" },
	{ -24, "0.000244140625" }, { -20, "0.0009765625" },
	{ -18, "0.001953125" }, { -16, "0.00390625" }, { -14, "0.0078125" },
	{ -12, "0.015625" }, { -11, "0.02209708691" }, { -10, "0.03125" },
	{ -9, "0.04419417382" }, { -8, "0.0625" }, { -7, "0.08838834765" },
	{ -6, "0.125" }, { -5, "0.1767766953" }, { -4, "0.25" },
	{ -3, "0.3535533906" }, { -2, "0.5" }, { -1, "0.7071067812" },
	{ 0, "1.0" }, { 2, "2.0" }, { 4, "4.0" }, { 6, "8.0" } };

struct arena_part {
	struct arena_part *next;
	size_t used_b, room_b;
	char mem[] __attribute__((aligned(16)));
};

#define ARENA_PART_B (64U << 10)

void *arena_get(struct sl_expose *x, size_t len_b)
{
	struct arena_part *p = x->arena.part;
	size_t room_b = len_b > ARENA_PART_B ? len_b : ARENA_PART_B;
	void *mem;

	len_b = (len_b + 15) & ~(size_t)15;
	if (!p || p->used_b + len_b > p->room_b) {
		p = malloc(sizeof(*p) + room_b + 15);
		if (!p) {
			x->failed = true;
			return NULL;
		}
		p->next = x->arena.part;
		p->used_b = 0;
		p->room_b = room_b + 15;
		x->arena.part = p;
	}
	mem = p->mem + p->used_b;
	p->used_b += len_b;
	return memset(mem, 0, len_b);
}

void arena_free(struct arena *a)
{
	struct arena_part *p;

	while ((p = a->part)) {
		a->part = p->next;
		free(p);
	}
}

char *expose_room(struct sl_expose *x, size_t n)
{
	size_t room_b = x->room_b ? x->room_b : 65536;
	char *grown;

	if (x->failed)
		return NULL;
	while (room_b < x->len_b + n)
		room_b *= 2;
	if (room_b != x->room_b) {
		grown = realloc(x->bytes, room_b);
		if (!grown) {
			x->failed = true;
			return NULL;
		}
		x->bytes = grown;
		x->room_b = room_b;
	}
	x->len_b += n;
	return x->bytes + x->len_b - n;
}

/* Bytes of a well-formed sequence (RFC 3629), 0: it is none. */
static size_t utf8_length(const unsigned char *s)
{
	static const struct { unsigned char from, to, second, last; } of[] = {
		{ 0xc2, 0xdf, 0x80, 0xbf }, { 0xe0, 0xe0, 0xa0, 0xbf },
		{ 0xe1, 0xec, 0x80, 0xbf }, { 0xed, 0xed, 0x80, 0x9f },
		{ 0xee, 0xef, 0x80, 0xbf }, { 0xf0, 0xf0, 0x90, 0xbf },
		{ 0xf1, 0xf3, 0x80, 0xbf }, { 0xf4, 0xf4, 0x80, 0x8f } };
	size_t i, k, n;

	if (*s < 0x80)
		return 1;
	for (i = 0; i < sizeof(of) / sizeof(of[0]); i++) {
		if (*s < of[i].from || *s > of[i].to)
			continue;
		n = *s < 0xe0 ? 2 : *s < 0xf0 ? 3 : 4;
		if (s[1] < of[i].second || s[1] > of[i].last)
			return 0;
		for (k = 2; k < n; k++)
			if ((s[k] & 0xc0) != 0x80)
				return 0;
		return n;
	}
	return 0;
}

const char *expose_char(const char *s, size_t *len_b)
{
	*len_b = utf8_length((const unsigned char *)s);
	if (*len_b)
		return s;
	*len_b = 1;
	return "\xef\xbf\xbd";
}

uint64_t sl_expose_hist_count(const struct sl_expose_hist *h)
{
	uint64_t sum = h->zero + h->overflow;
	int b;

	for (b = 0; b < SL_HIST_BUCKETS; b++)
		sum += h->bucket[b];
	return sum;
}

struct sl_expose *sl_expose_new(enum sl_expose_format format)
{
	struct sl_expose *x = calloc(1, sizeof(*x));

	if (x)
		x->format = format;
	return x;
}

void sl_expose_family(struct sl_expose *x, const char *name,
		      enum sl_expose_type type, const char *unit,
		      const char *help)
{
	if (x->format == SL_EXPOSE_PROTOBUF)
		proto_family_end(x);
	x->name = name;
	x->type = type;
	x->unit = unit;
	x->help = help;
	x->begun = false;
}

void sl_expose_count(struct sl_expose *x, const struct sl_label *labels,
		     uint64_t value)
{
	if (x->format == SL_EXPOSE_PROTOBUF)
		proto_value(x, labels, value);
	else
		text_count(x, labels, value);
}

void sl_expose_value(struct sl_expose *x, const struct sl_label *labels,
		     double value)
{
	if (x->format == SL_EXPOSE_PROTOBUF)
		proto_value(x, labels, value);
	else
		text_value(x, labels, value);
}

void sl_expose_hist(struct sl_expose *x, const struct sl_label *labels,
		    const struct sl_expose_hist *h)
{
	if (x->format == SL_EXPOSE_PROTOBUF)
		proto_hist(x, labels, h);
	else
		text_hist(x, labels, h);
}

int sl_expose_end(struct sl_expose *x, char **bytes, size_t *len_b)
{
	int rc;

	if (x->format == SL_EXPOSE_PROTOBUF)
		proto_family_end(x);
	else
		text_end(x);
	rc = x->failed ? -ENOMEM : 0;
	if (!rc) {
		*bytes = x->bytes;
		*len_b = x->len_b;
		x->bytes = NULL;
	}
	arena_free(&x->arena);
	free(x->bytes);
	free(x);
	return rc;
}
