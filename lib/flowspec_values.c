// SPDX-License-Identifier: GPL-2.0
/* Operator lists as sets of values: exact, and bounded by the operators. */
#include <errno.h>
#include "flowspec.h"

#define OP_AND	0x40
#define OP_LT	0x04		/* numeric */
#define OP_GT	0x02
#define OP_EQ	0x01
#define OP_NOT	0x02		/* bitmask */
#define OP_ALL	0x01		/* all bits of the value, else any */

/* An AND group: each operator adds one span at most. */
struct group {
	struct sl_span s[SL_FLOWSPEC_MAX_OPS + 2];
	unsigned int n;
};

struct op {
	uint8_t op;
	uint64_t value;
};

/* The operator at *at, which moves on; false behind the last one. */
static bool next_op(const struct sl_flowspec *f, int type, unsigned int *at,
		    struct op *out)
{
	const uint8_t *v = f->raw + f->at[type];
	unsigned int n;

	if (*at >= f->len_b[type])
		return false;
	out->op = v[(*at)++];
	out->value = 0;
	for (n = 1U << (out->op >> 4 & 3); n; n--)
		out->value = out->value << 8 | v[(*at)++];
	if (*at == 1U + (1U << (out->op >> 4 & 3)))
		out->op &= ~OP_AND;	/* means nothing on the first */
	return true;
}

/* What one numeric operator lets through: two spans at most. */
static unsigned int op_spans(const struct op *o, uint64_t max,
			     struct sl_span s[2])
{
	uint64_t v = o->value;
	unsigned int n = 0;

	if (o->op & OP_LT && v) {
		s[n++] = (struct sl_span){ 0, v - 1 < max ? v - 1 : max };
		if (o->op & OP_EQ && v <= max)
			s[0].hi = v;
	} else if (o->op & OP_EQ && v <= max) {
		s[n++] = (struct sl_span){ v, v };
	}
	if (!(o->op & OP_GT) || v >= max)
		return n;
	if (o->op & OP_EQ)
		s[n - 1].hi = max;
	else
		s[n++] = (struct sl_span){ v + 1, max };
	return n;
}

static void cut(struct group *g, const struct sl_span *s, unsigned int n)
{
	struct group out = { .n = 0 };
	unsigned int i, k;
	uint32_t lo, hi;

	for (i = 0; i < g->n; i++)
		for (k = 0; k < n; k++) {
			lo = g->s[i].lo > s[k].lo ? g->s[i].lo : s[k].lo;
			hi = g->s[i].hi < s[k].hi ? g->s[i].hi : s[k].hi;
			if (lo <= hi)
				out.s[out.n++] = (struct sl_span){ lo, hi };
		}
	*g = out;
}

static int add_group(struct sl_spans *out, const struct group *g)
{
	unsigned int i;
	int rc = 0;

	for (i = 0; !rc && i < g->n; i++)
		rc = sl_spans_add(out, g->s[i].lo, g->s[i].hi);
	return rc;
}

static int numeric(const struct sl_flowspec *f, int type, uint32_t max,
		   struct sl_spans *out)
{
	struct group g = { .n = 0 };
	struct sl_span s[2];
	unsigned int at = 0;
	struct op o;
	int rc = 0;

	while (!rc && next_op(f, type, &at, &o)) {
		if (type == SL_FS_DSCP)
			o.value &= 0x3f;	/* the others are reserved */
		if (!(o.op & OP_AND)) {
			rc = add_group(out, &g);
			g.n = 1;
			g.s[0] = (struct sl_span){ 0, max };
		}
		cut(&g, s, op_spans(&o, max, s));
	}
	return rc ? rc : add_group(out, &g);
}

/* A bitmask list, read once: it is asked for each of thousands of values. */
struct masks {
	struct op o[SL_FLOWSPEC_MAX_OPS];
	unsigned int n;
};

/* keep: bits of the values that mean something. */
static void read_masks(const struct sl_flowspec *f, int type, uint32_t keep,
		       struct masks *m)
{
	unsigned int at = 0;

	for (m->n = 0; next_op(f, type, &at, &m->o[m->n]); m->n++)
		m->o[m->n].value &= keep;
}

static bool bits_match(const struct masks *m, uint32_t data)
{
	bool group = false, hit;
	const struct op *o;

	for (o = m->o; o < m->o + m->n; o++) {
		hit = o->op & OP_ALL ? (data & o->value) == o->value :
		      data & o->value;
		if (o->op & OP_NOT)
			hit = !hit;
		if (o->op & OP_AND) {
			group &= hit;
			continue;
		}
		if (group)
			return true;
		group = hit;
	}
	return group;
}

/* The header's word with the data offset as zero (RFC 8955 4.2.2.9). */
static int tcp_flags(const struct sl_flowspec *f, uint32_t max,
		     struct sl_spans *out)
{
	uint32_t v, from = 0;
	bool on = false, hit;
	struct masks m;
	int rc = 0;

	read_masks(f, SL_FS_TCP_FLAGS, 0xffff, &m);
	for (v = 0; !rc && v <= max + 1; v++) {
		hit = v <= max && bits_match(&m, v);
		if (hit && !on)
			from = v;
		else if (!hit && on)
			rc = sl_spans_add(out, from, v - 1);
		on = hit;
	}
	return rc;
}

int sl_flowspec_values(const struct sl_flowspec *f, enum sl_flowspec_type type,
		       uint32_t max, struct sl_spans *out)
{
	int rc;

	if (!f->len_b[type])
		return 0;
	rc = type == SL_FS_TCP_FLAGS ? tcp_flags(f, max, out) :
	     numeric(f, type, max, out);
	if (rc)
		return rc;
	if (!out->n)
		return -ENOENT;
	sl_spans_finish(out);
	return out->n > SL_FLOWSPEC_MAX_SPANS ? -E2BIG : 0;
}

/* What a packet can be: whole, first, between, last; with DF in IPv4. */
static bool exists(int family, unsigned int kind)
{
	if (kind & SL_FRAG_DF && family == 6)
		return false;
	kind &= ~SL_FRAG_DF;
	return !kind || kind == SL_FRAG_FIRST || kind == SL_FRAG_LATER ||
	       kind == (SL_FRAG_LATER | SL_FRAG_LAST);
}

uint16_t sl_flowspec_fragments(const struct sl_flowspec *f)
{
	unsigned int kind;
	struct masks m;
	uint16_t out = 0;

	read_masks(f, SL_FS_FRAGMENT, f->family == 4 ? 0xf : 0xe, &m);
	for (kind = 0; kind < 16; kind++)
		if (exists(f->family, kind) &&
		    bits_match(&m, kind))
			out |= 1U << kind;
	return out;
}
