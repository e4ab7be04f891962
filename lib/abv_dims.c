// SPDX-License-Identifier: GPL-2.0
/* The dimensions that are looked up by a value: which row each value has. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "abv_priv.h"

static const uint32_t dim_size[] = {
#define SIZE(id, n) [SL_DIM_##id] = n,
	SL_RULE_DIMS(SIZE)
};
static const uint32_t dim_offset[] = {
#define OFFSET(id, n) [SL_DIM_##id] = SL_OFF_##id,
	SL_RULE_DIMS(OFFSET)
};

/* --- dimensions of spans --- */
static const struct sl_spans *spans_of(const struct sl_abv *a, uint32_t bit,
				       enum sl_rule_dim d)
{
	const struct sl_rule_match *m = sl_abv_match(a, bit);
	const struct sl_abv_bit *b = &a->bit[bit];

	switch (d) {
	case SL_DIM_PROTO: return &m->proto;
	case SL_DIM_SPORT: return b->split ? &b->sport : &m->sport;
	case SL_DIM_DPORT: return b->split ? &b->dport : &m->dport;
	case SL_DIM_ICMP: return &m->icmp;
	case SL_DIM_TCP_FLAGS: return &m->tcp_flags;
	case SL_DIM_LENGTH: return &m->length_b;
	default: return NULL;
	}
}

/* A bit begins to hold at a value, or ends before it. */
struct edge {
	uint32_t value, bit;
};

static int by_value(const void *x, const void *y)
{
	const struct edge *a = x, *b = y;

	return a->value < b->value ? -1 : a->value > b->value;
}

static void fill(struct sl_abv *a, enum sl_rule_dim d, uint32_t from,
		 uint32_t to, const struct sl_bits *bits)
{
	uint16_t *row = a->img.dim + dim_offset[d];
	uint32_t v, r = from < to ? sl_abv_row(a, bits) : 0;

	for (v = from; v < to; v++)
		row[v] = r;
}

/* Is a bit asked for this dimension? A split one with no port left asks too,
 * and holds nowhere. */
static bool asks(const struct sl_abv *a, uint32_t bit, enum sl_rule_dim d)
{
	return spans_of(a, bit, d)->n ||
	       (a->bit[bit].split && (d == SL_DIM_SPORT || d == SL_DIM_DPORT));
}

/* Behind AH (protocol 51) a packet has two protocols. */
static void proto_behind_ah(struct sl_abv *a)
{
	uint16_t *row = a->img.dim + dim_offset[SL_DIM_PROTO];
	uint32_t v;

	for (v = 0; v < SL_PROTO_AH; v++)
		row[SL_PROTO_AH | v] = v && row[v] == row[v - 1] ?
				       row[SL_PROTO_AH | (v - 1)] :
				       sl_abv_either(a, row[v], row[51]);
}

static int span_dim(struct sl_abv *a, enum sl_rule_dim d)
{
	struct sl_bits bits = {};
	const struct sl_spans *s;
	struct edge *e;
	uint32_t b, k, n = 0, at = 0, size = dim_size[d];

	for (b = 0; b < a->n_bits; b++) {
		n += 2 * spans_of(a, b, d)->n;
		if (asks(a, b, d))
			a->head |= 1U << d;
		else
			sl_bit_set(&bits, b);
	}
	if (!(a->head & 1U << d))
		return 0;
	fill(a, d, size, size + 1, &bits);	/* the field is absent */
	e = calloc(n + 1, sizeof(*e));
	if (!e)
		return -ENOMEM;
	for (b = n = 0; b < a->n_bits; b++) {
		s = spans_of(a, b, d);
		for (k = 0; k < s->n; k++) {
			e[n++] = (struct edge){ s->s[k].lo, b };
			e[n++] = (struct edge){ s->s[k].hi + 1, b };
		}
	}
	qsort(e, n, sizeof(*e), by_value);
	for (k = 0; k < n && e[k].value < size; k++) {
		fill(a, d, at, e[k].value, &bits);
		at = e[k].value;
		bits.word[e[k].bit / 64] ^= 1ULL << e[k].bit % 64;
	}
	fill(a, d, at, size, &bits);
	free(e);
	if (d == SL_DIM_PROTO)
		proto_behind_ah(a);
	return 0;
}

/* --- dimensions that are several in one --- */
/* A part of a value, and the bits that hold at each of its settings; equal
 * settings share a number, so that the whole is made once for each mixture. */
struct part {
	struct sl_bits *bits;
	uint16_t *alike;
	uint32_t n, shift;
	bool asked;
};

static int part_new(struct part *p, uint32_t n, uint32_t shift)
{
	*p = (struct part){ .n = n, .shift = shift };
	p->bits = calloc(n, sizeof(*p->bits));
	p->alike = calloc(n, sizeof(*p->alike));
	return p->bits && p->alike ? 0 : -ENOMEM;
}

/* A bit holds at every setting, or at those in `set` (n of 64 bits each). */
static void part_bit(struct part *p, uint32_t bit, const uint64_t *set)
{
	uint32_t i;

	if (set)
		p->asked = true;
	for (i = 0; i < p->n; i++)
		if (!set || set[i / 64] >> i % 64 & 1)
			sl_bit_set(&p->bits[i], bit);
}

static void part_alike(struct part *p)
{
	uint32_t i, k;

	for (i = 0; i < p->n; i++) {
		for (k = 0; k < i; k++)
			if (p->alike[k] == k && !memcmp(&p->bits[k],
			    &p->bits[i], sizeof(p->bits[i])))
				break;
		p->alike[i] = k;
	}
}

/* Every value's row: the AND of its parts. */
static int mix(struct sl_abv *a, enum sl_rule_dim d, struct part *p, int n)
{
	uint16_t *row = a->img.dim + dim_offset[d];
	struct sl_memo done = {};
	struct sl_bits bits;
	uint32_t v, w, r = 0;
	uint64_t key;
	int i, rc = 0;

	for (i = 0; i < n; i++)
		part_alike(&p[i]);
	for (v = 0; v < dim_size[d] && !rc; v++) {
		for (key = 1, i = 0; i < n; i++)
			key = key << 12 |
			      p[i].alike[v >> p[i].shift & (p[i].n - 1)];
		if (!sl_memo_get(&done, key, &r)) {
			memset(&bits, 0xff, sizeof(bits));
			for (i = 0; i < n; i++)
				for (w = 0; w < SL_RULE_WORDS; w++)
					bits.word[w] &= p[i].bits[v >>
						p[i].shift & (p[i].n - 1)].word[w];
			r = sl_abv_row(a, &bits);
			rc = sl_memo_put(&done, key, r);
		}
		row[v] = r;
	}
	sl_memo_free(&done);
	return rc;
}

static void parts_free(struct part *p, int n)
{
	while (n--) {
		free(p[n].bits);
		free(p[n].alike);
	}
}

/* SL_HEADER: whose header, family, kind of fragment, DSCP. */
static int header_dim(struct sl_abv *a)
{
	struct part p[4] = {};
	uint64_t at, family, frags, dscp;
	uint32_t b, v;
	int rc = part_new(&p[0], 4, 0) | part_new(&p[1], 2, 2) |
		 part_new(&p[2], 16, 3) | part_new(&p[3], 64, 7);

	for (b = 0; b < a->n_bits && !rc; b++) {
		const struct sl_rule_match *m = sl_abv_match(a, b);

		at = m->at == SL_HEADER_OUTER ? 0xc : 0xa;
		family = m->family == 6 ? 2 : 1;
		frags = m->frags;
		for (dscp = 0, v = 0; m->dscp.n && v < 64; v++)
			if (sl_spans_has(&m->dscp, v))
				dscp |= 1ULL << v;
		part_bit(&p[0], b, &at);
		part_bit(&p[1], b, m->family ? &family : NULL);
		part_bit(&p[2], b, frags ? &frags : NULL);
		part_bit(&p[3], b, m->dscp.n ? &dscp : NULL);
		if (m->at == SL_HEADER_OUTER)
			a->head |= SL_RULES_OUTER | 1U << SL_DIM_HEADER;
	}
	if (p[1].asked || p[2].asked || p[3].asked)
		a->head |= 1U << SL_DIM_HEADER;
	if (!rc && a->head & 1U << SL_DIM_HEADER)
		rc = mix(a, SL_DIM_HEADER, p, 4);
	parts_free(p, 4);
	return rc;
}

/* The numbers of names, as a set. */
static int numbers(struct sl_abv *a, uint32_t bit, const struct sl_names *n,
		   int (*number)(void *arg, const char *name), void *arg,
		   const char *what, uint64_t *set)
{
	unsigned int i;
	int id;

	for (i = 0; i < n->n; i++) {
		id = number(arg, n->name[i]);
		if (id < 0)
			return sl_abv_fail(a, -ENOENT, "rule %s names the %s "
				"%s, which the configuration does not have",
				a->rules[a->bit[bit].rule].rule->id, what,
				n->name[i]);
		set[id / 64] |= 1ULL << id % 64;
	}
	return 0;
}

/* SL_WHERE: direction, path, lane. */
static int where_dim(struct sl_abv *a, const struct sl_abv_names *names)
{
	uint64_t lanes[SL_MAX_LANES / 64], paths, dirs;
	struct part p[3] = {};
	uint32_t b;
	int rc = part_new(&p[0], 4, 0) | part_new(&p[1], SL_MAX_PATHS, 2) |
		 part_new(&p[2], SL_MAX_LANES, 6);

	for (b = 0; b < a->n_bits && !rc; b++) {
		const struct sl_rule_match *m = sl_abv_match(a, b);

		memset(lanes, 0, sizeof(lanes));
		paths = 0;
		dirs = m->dirs;
		rc = numbers(a, b, &m->lanes, names->lane, names->arg, "lane",
			     lanes);
		if (!rc)
			rc = numbers(a, b, &m->paths, names->path, names->arg,
				     "path", &paths);
		part_bit(&p[0], b, dirs ? &dirs : NULL);
		part_bit(&p[1], b, m->paths.n ? &paths : NULL);
		part_bit(&p[2], b, m->lanes.n ? lanes : NULL);
	}
	if (!rc && (p[0].asked || p[1].asked || p[2].asked)) {
		a->head |= 1U << SL_DIM_WHERE;
		rc = mix(a, SL_DIM_WHERE, p, 3);
	}
	parts_free(p, 3);
	return rc;
}

int sl_abv_dims(struct sl_abv *a, const struct sl_abv_names *names)
{
	int d, rc = 0;

	for (d = 0; d < SL_DIM_HEADER && !rc; d++)
		rc = span_dim(a, d);
	if (!rc)
		rc = header_dim(a);
	return rc ? rc : where_dim(a, names);
}
