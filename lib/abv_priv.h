/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of the rule compiler share; nobody else includes this. */
#ifndef SL_ABV_PRIV_H
#define SL_ABV_PRIV_H

#include "abv.h"

/* A set of bits, one for each rule (and one more for its other port). */
struct sl_bits {
	uint64_t word[SL_RULE_WORDS];
};

/* A hash of 64-bit keys to 32-bit values; grows. */
struct sl_memo {
	uint64_t *key;		/* 0: free */
	uint32_t *value;
	uint32_t n, mask;
};

/* Addresses that the same rules name. */
struct sl_abv_group {
	struct sl_bits src, dst;
};

struct sl_abv_prefix {
	struct sl_prefix p;
	uint32_t group;
};

struct sl_abv_list {
	char name[SL_NAME_B];
	const struct sl_pset *set;
	uint32_t group;
};

/* A bit's rule. */
struct sl_abv_bit {
	uint32_t rule;		/* index into the caller's */
	uint64_t until_ns;	/* the rule's: wall clock; 0: never */
	/* ports of this bit, where they are not the rule's: any, or spans */
	bool split;
	struct sl_spans sport, dport;
};

struct sl_abv {
	struct sl_abv_image img;
	void *owned;		/* its memory, or NULL */
	uint32_t head, rows, compounds;
	uint32_t words;		/* used of a row, even */
	struct sl_abv_bit *bit;
	uint32_t n_bits;
	const struct sl_abv_rule *rules;	/* while it is compiled */
	unsigned int n_rules;
	int64_t clock_ns;	/* by which the acts' ends were reckoned */
	struct sl_abv_group *group;
	uint32_t n_groups;
	struct sl_abv_prefix *prefix;
	size_t n_prefixes;
	struct sl_abv_list *list;
	uint32_t n_lists;
	struct sl_memo row_of;	/* hash of bits -> row */
	struct sl_memo group_of;
	struct sl_memo join_of;	/* set, group -> set */
	struct sl_memo class_of;	/* class, set -> compound */
	int failed;
	char error[256];
};

int sl_abv_fail(struct sl_abv *a, int rc, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* false: not there. */
bool sl_memo_get(const struct sl_memo *m, uint64_t key, uint32_t *value);
int sl_memo_put(struct sl_memo *m, uint64_t key, uint32_t value);
void sl_memo_free(struct sl_memo *m);

static inline void sl_bit_set(struct sl_bits *b, uint32_t i)
{
	b->word[i / 64] |= 1ULL << i % 64;
}

/* The row with these bits, made when there is none; 0 on failure. */
uint32_t sl_abv_row(struct sl_abv *a, const struct sl_bits *b);
/* Make `row` the next one, of the bits of row 0. */
int sl_abv_copy_row(struct sl_abv *a, uint32_t row);
uint64_t sl_abv_hash(const struct sl_bits *b, uint32_t words, uint64_t seed);
int sl_abv_dims(struct sl_abv *a, const struct sl_abv_names *names);
int sl_abv_addresses(struct sl_abv *a, const struct sl_abv_names *names);

static inline const struct sl_rule_match *sl_abv_match(const struct sl_abv *a,
						       uint32_t bit)
{
	return &a->rules[a->bit[bit].rule].rule->match;
}

#endif
