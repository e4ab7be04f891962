/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * Which rules match a packet: one source for BPF and user space. The rows are
 * made by lib/abv.c; abi_rules.h says what they are. First the aggregates of
 * all dimensions are ANDed, one word each, which for most packets is 0 and the
 * end of it; then the words behind each bit that is left.
 *
 * The includer supplies the accessors, NULL beyond the array, and what a hit
 * does.
 */
#ifndef SEALANE_RULES_H
#define SEALANE_RULES_H

#include <sealane/abi.h>
#include <sealane/bits.h>

struct sl_rules_view;	/* defined by the includer: one bank */
struct sl_walk;

SL_INLINE __u32 sl_rules_dim(const struct sl_rules_view *v, __u32 i);
SL_INLINE __u64 sl_rules_agg(const struct sl_rules_view *v, __u32 row);
/* Words w (even) and w + 1 of a row. */
SL_INLINE const __u64 *sl_rules_pair(const struct sl_rules_view *v, __u32 row,
				     __u32 w);
/* A rule matches: 1 when no later one counts. */
SL_INLINE int sl_rules_hit(struct sl_walk *k, __u32 rule);

#define SL_DIM_ALL	(SL_DIM_MAX + 2)	/* and the two addresses */

/* The rows of one header. */
struct sl_rows {
	__u16 row[SL_DIM_ALL];
};

/* A packet on its way through the rules. */
struct sl_walk {
	const struct sl_rules_view *v;
	struct sl_rows rows[2];	/* innermost, outermost header; of a tunnel
				 * the outer addresses' hold in any case */
	__u32 asked;		/* dimensions that any rule asks for */
	__u32 outer;		/* 1: rows[1] holds too */
	__u64 pairs;		/* of words, still to be looked at */
	__u64 bits[2];		/* of the pair at hand */
	__u32 word;		/* where that begins */
	void *arg;		/* the includer's */
};

SL_INLINE __u32 sl_rules_value(__u32 have, __u32 value, __u32 absent)
{
	return have ? value : absent;
}

/* The rows of a header's fields and of where it was seen. */
SL_INLINE void sl_rules_rows(const struct sl_rules_view *v, __u32 asked,
			     const struct sl_fields *f, __u32 where,
			     struct sl_rows *out)
{
#define SL_ROW(id, have, value)						\
	if (asked & 1U << SL_DIM_##id)					\
		out->row[SL_DIM_##id] = sl_rules_dim(v, SL_OFF_##id +	\
			sl_rules_value(have, value, SL_DIM_##id##_N))
	SL_ROW(PROTO, 1, f->proto | (f->has & SL_HAS_AH ? SL_PROTO_AH : 0));
	SL_ROW(SPORT, f->has & SL_HAS_PORTS, f->sport);
	SL_ROW(DPORT, f->has & SL_HAS_PORTS, f->dport);
	SL_ROW(ICMP, f->has & SL_HAS_ICMP, f->icmp);
	SL_ROW(TCP_FLAGS, f->has & SL_HAS_FLAGS, f->tcp_flags & 0xfff);
	SL_ROW(LENGTH, 1, f->len_b);
	SL_ROW(HEADER, 1, f->header & (SL_DIM_HEADER_N - 1));
	SL_ROW(WHERE, 1, where & (SL_DIM_WHERE_N - 1));
#undef SL_ROW
}

/*
 * Dimensions, those that rules differ in most first: where nothing is left, the
 * rest need not be looked at. (A loop over a table of them costs more than what
 * it walks.)
 */
#define SL_DIM_ORDER(X) X(SL_DIM_DPORT) X(SL_DIM_SPORT) X(SL_DIM_PROTO) \
	X(SL_DIM_MAX) X(SL_DIM_MAX + 1) X(SL_DIM_ICMP) X(SL_DIM_TCP_FLAGS) \
	X(SL_DIM_LENGTH) X(SL_DIM_HEADER) X(SL_DIM_WHERE)

/* Which pairs of words have rules that may match. */
SL_INLINE __u64 sl_rules_agg_all(const struct sl_walk *k,
				 const struct sl_rows *r)
{
	__u64 all = ~0ULL;

#define SL_AND(d)							\
	if (k->asked & 1U << (d))					\
		all &= sl_rules_agg(k->v, r->row[d]);			\
	if (!all)							\
		return 0;
	SL_DIM_ORDER(SL_AND)
#undef SL_AND
	return all;
}

/* The rules of one pair that match, ORed to those in bits. */
SL_INLINE void sl_rules_and(const struct sl_walk *k, const struct sl_rows *r,
			    __u64 *bits)
{
	__u64 a = ~0ULL, b = ~0ULL;
	const __u64 *p;

#define SL_AND(d)							\
	if (k->asked & 1U << (d)) {					\
		p = sl_rules_pair(k->v, r->row[d], k->word);		\
		if (!p)							\
			return;						\
		a &= p[0];						\
		b &= p[1];						\
		if (!(a | b))						\
			return;						\
	}
	SL_DIM_ORDER(SL_AND)
#undef SL_AND
	bits[0] |= a;
	bits[1] |= b;
}

/* Of a tunnel: would its outer addresses do for a rule? */
SL_INLINE int sl_rules_outer_too(const struct sl_walk *k, __u32 rule)
{
	__u32 w = rule / 64;
	const __u64 *s = sl_rules_pair(k->v, k->rows[1].row[SL_DIM_MAX],
				       w & ~1U);
	const __u64 *d = sl_rules_pair(k->v, k->rows[1].row[SL_DIM_MAX + 1],
				       w & ~1U);

	return s && d && (s[w & 1] & d[w & 1]) >> rule % 64 & 1;
}

/* 0: no rule matches. */
SL_INLINE __u64 sl_rules_begin(struct sl_walk *k)
{
	k->pairs = sl_rules_agg_all(k, &k->rows[0]);
	if (k->outer)
		k->pairs |= sl_rules_agg_all(k, &k->rows[1]);
	return k->pairs;
}

#define SL_RULES_STEPS	(SL_RULE_WORDS / 2 + SL_MAX_RULES + 1)

/* One pair of words or one rule further; 1: that was the end. */
SL_INLINE long sl_rules_step(struct sl_walk *k)
{
	__u32 w, i;

	if (k->bits[0] | k->bits[1]) {
		i = !k->bits[0];
		w = sl_lowest_bit(i ? k->bits[1] : k->bits[0]);
		if (i)
			k->bits[1] &= k->bits[1] - 1;
		else
			k->bits[0] &= k->bits[0] - 1;
		return sl_rules_hit(k, (k->word + i) * 64 + w);
	}
	if (!k->pairs)
		return 1;
	k->word = 2 * sl_lowest_bit(k->pairs);
	k->pairs &= k->pairs - 1;
	sl_rules_and(k, &k->rows[0], k->bits);
	if (k->outer)
		sl_rules_and(k, &k->rows[1], k->bits);
	return 0;
}

#endif
