// SPDX-License-Identifier: GPL-2.0
/* The image of compiled rules: rows, each kept once, and the sets of rule
 * groups that addresses lead to. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "abv_priv.h"
#include "rib.h"

uint32_t sl_abv_rows_of(const char *word)
{
	if (!strcmp(word, "small"))
		return 8192;
	return !strcmp(word, "medium") || !strcmp(word, "large") ? 32768 : 0;
}

int sl_abv_fail(struct sl_abv *a, int rc, const char *fmt, ...)
{
	va_list ap;

	if (a->failed)
		return a->failed;
	a->failed = rc;
	va_start(ap, fmt);
	vsnprintf(a->error, sizeof(a->error), fmt, ap);
	va_end(ap);
	return rc;
}

int sl_abv_failed(const struct sl_abv *a)
{
	return a->failed;
}

const char *sl_abv_error(const struct sl_abv *a)
{
	return a->error;
}

/* --- memos --- */
static uint32_t place(const struct sl_memo *m, uint64_t key)
{
	uint32_t i = key * 0x9e3779b97f4a7c15ULL >> 32 & m->mask;

	while (m->key[i] && m->key[i] != key)
		i = (i + 1) & m->mask;
	return i;
}

bool sl_memo_get(const struct sl_memo *m, uint64_t key, uint32_t *value)
{
	uint32_t i;

	if (!m->key)
		return false;
	i = place(m, key);
	*value = m->value[i];
	return m->key[i];
}

static int grow(struct sl_memo *m)
{
	struct sl_memo bigger = { .mask = m->key ? m->mask * 2 + 1 : 255 };
	uint32_t i, k;

	bigger.key = calloc(bigger.mask + 1, sizeof(*bigger.key));
	bigger.value = calloc(bigger.mask + 1, sizeof(*bigger.value));
	if (!bigger.key || !bigger.value) {
		sl_memo_free(&bigger);
		return -ENOMEM;
	}
	for (i = 0; m->key && i <= m->mask; i++) {
		if (!m->key[i])
			continue;
		k = place(&bigger, m->key[i]);
		bigger.key[k] = m->key[i];
		bigger.value[k] = m->value[i];
	}
	bigger.n = m->n;
	sl_memo_free(m);
	*m = bigger;
	return 0;
}

int sl_memo_put(struct sl_memo *m, uint64_t key, uint32_t value)
{
	uint32_t i;

	if ((!m->key || m->n * 2 > m->mask) && grow(m))
		return -ENOMEM;
	i = place(m, key);
	m->n += !m->key[i];
	m->key[i] = key;
	m->value[i] = value;
	return 0;
}

void sl_memo_free(struct sl_memo *m)
{
	free(m->key);
	free(m->value);
	*m = (struct sl_memo){};
}

/* --- rows --- */
uint64_t sl_abv_hash(const struct sl_bits *b, uint32_t words, uint64_t seed)
{
	uint64_t h = 0x9ae16a3b2f90404fULL + seed;
	uint32_t i;

	for (i = 0; i < words; i++) {
		h = (h ^ b->word[i]) * 0x9e3779b97f4a7c15ULL;
		h ^= h >> 29;
	}
	return h;
}

static __u64 *row_words(const struct sl_abv *a, uint32_t row)
{
	return a->img.words[(size_t)row * SL_RULE_ROW_LINES].word;
}

static void write_row(struct sl_abv *a, uint32_t row, const struct sl_bits *b)
{
	uint64_t agg = 0;
	uint32_t w;

	memcpy(row_words(a, row), b->word, a->words * sizeof(b->word[0]));
	for (w = 0; w < a->words; w += 2)
		if (b->word[w] | b->word[w + 1])
			agg |= 1ULL << w / 2;
	a->img.agg[row] = agg;
}

uint32_t sl_abv_row(struct sl_abv *a, const struct sl_bits *b)
{
	uint64_t key = sl_abv_hash(b, a->words, 0);
	uint32_t row;

	/* other bits of the same hash: the next key */
	for (; sl_memo_get(&a->row_of, key | 1, &row); key += 2)
		if (!memcmp(row_words(a, row), b->word,
			    a->words * sizeof(b->word[0])))
			return row;
	if (a->rows >= a->img.room) {
		sl_abv_fail(a, -E2BIG, "the rules are too many and too "
			    "various: they need over %u rows", a->img.room);
		return 0;
	}
	row = a->rows++;
	write_row(a, row, b);
	if (sl_memo_put(&a->row_of, key | 1, row))
		sl_abv_fail(a, -ENOMEM, "out of memory");
	return row;
}

int sl_abv_copy_row(struct sl_abv *a, uint32_t row)
{
	struct sl_bits b = {};

	memcpy(b.word, row_words(a, 0), a->words * sizeof(b.word[0]));
	write_row(a, row, &b);
	a->rows = row + 1;
	return 0;
}

/* --- sets of groups --- */
static uint32_t joined_row(struct sl_abv *a, uint32_t row,
			   const struct sl_bits *more)
{
	struct sl_bits b = {};
	uint32_t w;

	memcpy(b.word, row_words(a, row), a->words * sizeof(b.word[0]));
	for (w = 0; w < a->words; w++)
		b.word[w] |= more->word[w];
	return sl_abv_row(a, &b);
}

uint32_t sl_abv_either(struct sl_abv *a, uint32_t row, uint32_t other)
{
	struct sl_bits b = {};

	memcpy(b.word, row_words(a, other), a->words * sizeof(b.word[0]));
	return joined_row(a, row, &b);
}

sl_abv_set sl_abv_join(struct sl_abv *a, sl_abv_set set, uint32_t group)
{
	uint64_t key = (uint64_t)(group + 1) << 32 | set;
	uint32_t joined;

	if (sl_memo_get(&a->join_of, key, &joined))
		return joined;
	joined = SL_ABV_SET(joined_row(a, set >> 16, &a->group[group].src),
			    joined_row(a, set & 0xffff, &a->group[group].dst));
	if (sl_memo_put(&a->join_of, key, joined))
		sl_abv_fail(a, -ENOMEM, "out of memory");
	return joined;
}

uint32_t sl_abv_class(struct sl_abv *a, uint32_t class_id, sl_abv_set set)
{
	uint64_t key = (uint64_t)(class_id + 1) << 32 | set;
	uint32_t id;

	if (set == SL_ABV_NO_GROUP)
		return class_id;
	if (sl_memo_get(&a->class_of, key, &id))
		return id + SL_MAX_CLASSES;
	if (a->compounds >= SL_MAX_COMPOUNDS) {
		sl_abv_fail(a, -E2BIG, "rules, lists and blocks meet in over "
			    "%u ways", SL_MAX_COMPOUNDS);
		return class_id;
	}
	id = a->compounds++;
	a->img.compound[id] = (struct sl_compound){ class_id, set >> 16,
						    set & 0xffff };
	__atomic_thread_fence(__ATOMIC_RELEASE);
	if (sl_memo_put(&a->class_of, key, id))
		sl_abv_fail(a, -ENOMEM, "out of memory");
	return id + SL_MAX_CLASSES;
}

int sl_abv_add_groups(struct sl_abv *a, struct sl_rib *rib)
{
	uint32_t i;
	size_t k;
	int rc = 0;

	for (k = 0; k < a->n_prefixes && !rc; k++)
		rc = sl_rib_add_group(rib, &a->prefix[k].p,
				      a->prefix[k].group);
	for (i = 0; i < a->n_lists && !rc; i++)
		rc = sl_rib_add_group_set(rib, a->list[i].set,
					  a->list[i].group);
	return rc;
}

/* --- the whole --- */
/* The arrays, one behind the other. */
static int own_image(struct sl_abv *a, uint32_t rows)
{
	size_t words_b = (size_t)rows * SL_RULE_ROW_LINES * 64;
	size_t agg_b = (size_t)rows * 8, dim_b = SL_DIM_VALUES * 2;
	size_t act_b = SL_MAX_RULES * sizeof(struct sl_act);
	size_t comp_b = SL_MAX_COMPOUNDS * sizeof(struct sl_compound);
	uint8_t *m = calloc(1, words_b + agg_b + dim_b + act_b + comp_b);

	if (!m)
		return -ENOMEM;
	a->owned = m;
	a->img = (struct sl_abv_image){ .room = rows,
		.words = (void *)m, .agg = (void *)(m + words_b),
		.dim = (void *)(m + words_b + agg_b),
		.act = (void *)(m + words_b + agg_b + dim_b),
		.compound = (void *)(m + words_b + agg_b + dim_b + act_b) };
	return 0;
}

struct sl_abv *sl_abv_new(const struct sl_abv_image *image, uint32_t rows)
{
	struct sl_abv *a = calloc(1, sizeof(*a));

	if (!a)
		return NULL;
	if (image) {
		a->img = *image;
	} else if (own_image(a, rows)) {
		free(a);
		return NULL;
	}
	return a;
}

void sl_abv_free(struct sl_abv *a)
{
	uint32_t i;

	if (!a)
		return;
	for (i = 0; i < a->n_bits; i++) {
		free(a->bit[i].sport.s);
		free(a->bit[i].dport.s);
	}
	free(a->bit);
	free(a->group);
	free(a->prefix);
	free(a->list);
	sl_memo_free(&a->row_of);
	sl_memo_free(&a->group_of);
	sl_memo_free(&a->join_of);
	sl_memo_free(&a->class_of);
	free(a->owned);
	free(a);
}

uint32_t sl_abv_head(const struct sl_abv *a)
{
	return a->head;
}

void sl_abv_usage(const struct sl_abv *a, uint32_t *rows, uint32_t *compounds,
		  uint64_t *bytes)
{
	*rows = a->rows;
	*compounds = a->compounds;
	*bytes = (uint64_t)a->rows * (SL_RULE_ROW_LINES * 64 + 8) +
		 SL_DIM_VALUES * 2 + a->n_bits * sizeof(struct sl_act) +
		 a->compounds * sizeof(struct sl_compound);
}
