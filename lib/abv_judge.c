// SPDX-License-Identifier: GPL-2.0
/* What the data plane would say of a packet: the same lookup, in user space. */
#include <string.h>
#include "abv_priv.h"
#include "rib.h"

struct sl_rules_view {
	const struct sl_abv *a;
};

#include <sealane/rules.h>

SL_INLINE __u32 sl_rules_dim(const struct sl_rules_view *v, __u32 i)
{
	return v->a->img.dim[i];
}

SL_INLINE __u64 sl_rules_agg(const struct sl_rules_view *v, __u32 row)
{
	return v->a->img.agg[row];
}

SL_INLINE const __u64 *sl_rules_pair(const struct sl_rules_view *v, __u32 row,
				     __u32 w)
{
	return &v->a->img.words[(size_t)row * SL_RULE_ROW_LINES + w / 8]
		.word[w % 8];
}

struct judged {
	struct sl_abv_hits *out;
	uint64_t now_ns;
	bool tunnel;
};

SL_INLINE int sl_rules_hit(struct sl_walk *k, __u32 bit)
{
	const struct sl_act *act = &k->v->a->img.act[bit];
	struct judged *j = k->arg;

	if (act->until_ns && j->now_ns >= act->until_ns)
		return 0;
	if (act->flags & SL_ACTF_OWN && j->tunnel &&
	    !sl_rules_outer_too(k, bit))
		return 0;
	if (j->out->n < sizeof(j->out->rule) / sizeof(j->out->rule[0]))
		j->out->rule[j->out->n] = k->v->a->bit[bit].rule;
	j->out->n++;
	j->out->action = act->action;
	j->out->ended = act->action != SL_ACT_COUNT;
	return j->out->ended;
}

static struct sl_compound heard(struct sl_rib_pair pair, int family,
				const uint8_t *addr)
{
	struct sl_prefix p = { .family = family, .len = family == 4 ? 32 : 128 };
	struct sl_heard h;

	memcpy(p.addr, addr, family == 4 ? 4 : 16);
	sl_rib_hear(pair, &p, &h);
	return (struct sl_compound){ h.class_id, h.set >> 16, h.set & 0xffff };
}

static void addresses(const struct sl_compound *at, struct sl_rows *r)
{
	r->row[SL_DIM_MAX] = at[0].src_row;
	r->row[SL_DIM_MAX + 1] = at[1].dst_row;
}

struct sl_compound sl_abv_class_of(const struct sl_abv *a, uint32_t entry)
{
	uint32_t id = SL_ENTRY_CLASS(entry);

	if (id < SL_MAX_CLASSES)
		return (struct sl_compound){ id, SL_ROW_SRC, SL_ROW_DST };
	return a->img.compound[id - SL_MAX_CLASSES];
}

void sl_abv_judge(struct sl_abv *a, struct sl_rib_pair pair,
		  const struct sl_glance *g, uint64_t now_ns,
		  struct sl_abv_hits *out)
{
	struct sl_compound at[4] = {};

	if (a->n_bits && g->family) {
		at[0] = heard(pair, g->family, g->src);
		at[1] = heard(pair, g->family, g->dst);
	}
	if (a->n_bits && g->outer_family) {
		at[2] = heard(pair, g->outer_family, g->outer_src);
		at[3] = heard(pair, g->outer_family, g->outer_dst);
	}
	sl_abv_judge_at(a, at, g, now_ns, out);
}

void sl_abv_judge_at(const struct sl_abv *a, const struct sl_compound at[4],
		     const struct sl_glance *g, uint64_t now_ns,
		     struct sl_abv_hits *out)
{
	const struct sl_rules_view v = { a };
	struct judged j = { out, now_ns, g->outer_family != 0 };
	struct sl_walk k = { .v = &v, .asked = a->head, .arg = &j };
	int i;

	memset(out, 0, sizeof(*out));
	if (!a->n_bits || !g->family)
		return;
	addresses(&at[0], &k.rows[0]);
	sl_rules_rows(&v, k.asked, &g->in, g->where, &k.rows[0]);
	k.outer = g->outer_family && k.asked & SL_RULES_OUTER;
	if (j.tunnel)
		addresses(&at[2], &k.rows[1]);
	if (k.outer)
		sl_rules_rows(&v, k.asked, &g->out, g->where, &k.rows[1]);
	if (!sl_rules_begin(&k))
		return;
	for (i = 0; i < SL_RULES_STEPS; i++)
		if (sl_rules_step(&k))
			break;
}

unsigned int sl_abv_naming(struct sl_abv *a, sl_abv_set set, bool src,
			   uint32_t *rule, unsigned int max)
{
	uint32_t row = src ? set >> 16 : set & 0xffff, bit, n = 0;
	uint32_t usual = src ? SL_ROW_SRC : SL_ROW_DST, w;
	const struct sl_rules_view v = { a };
	uint64_t here;

	for (bit = 0; bit < a->n_bits && n < max; bit++) {
		w = bit / 64;
		here = sl_rules_pair(&v, row, w & ~1U)[w & 1];
		here &= ~sl_rules_pair(&v, usual, w & ~1U)[w & 1];
		if (!(here >> bit % 64 & 1))
			continue;
		if (!n || rule[n - 1] != a->bit[bit].rule)
			rule[n++] = a->bit[bit].rule;
	}
	return n;
}
