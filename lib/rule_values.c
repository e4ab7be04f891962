// SPDX-License-Identifier: GPL-2.0
/* Rule files: values of every kind. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "rule_priv.h"

void rule_wrong(struct rule_reading *r, unsigned long line, const char *remedy,
		const char *fmt, ...)
{
	va_list ap;

	r->bad |= F_BIT(r->at);
	va_start(ap, fmt);
	sl_mistake_args(r->all, line, r->id, remedy, fmt, ap);
	va_end(ap);
}

static void known_keys(const struct rule_key *k, char *buf, size_t len_b)
{
	size_t n = snprintf(buf, len_b, "known keys here:");

	for (; k->key && n < len_b; k++)
		n += snprintf(buf + n, len_b - n, " %s", k->key);
}

static const struct rule_key *key_of(const struct rule_key *k,
				     const char *text)
{
	for (; k->key; k++)
		if (!strcmp(k->key, text))
			return k;
	return NULL;
}

/* Read a key's value; `seen` has a bit for each key of the table. */
static void read_key(struct rule_reading *r, const struct tree_node *k,
		     const char *what, const struct rule_key *keys,
		     uint64_t *seen)
{
	const struct rule_key *known = k->kind == TREE_SCALAR ?
				       key_of(keys, k->text) : NULL;
	enum rule_field before = r->at;
	char remedy[160];

	if (!known) {
		known_keys(keys, remedy, sizeof(remedy));
		rule_wrong(r, k->line, remedy, "unknown key %.60s in %s",
			   k->kind == TREE_SCALAR ? k->text : "(no word)",
			   what);
		return;
	}
	if (known->field != F_RULE) {
		r->at = known->field;
		if (!r->line[r->at])
			r->line[r->at] = k->line;
	}
	r->key = known->key;
	if (*seen >> (known - keys) & 1)
		rule_wrong(r, k->line, "keep one of them",
			   "key %s stands twice", known->key);
	else
		known->read(r, tree_next(r->tree, k));
	*seen |= 1ULL << (known - keys);
	r->at = before;
}

void rule_map(struct rule_reading *r, const struct tree_node *n,
	      const char *what, const struct rule_key *keys)
{
	const struct tree_node *k;
	uint64_t seen = 0;
	char remedy[160];

	if (n->kind != TREE_MAP) {
		known_keys(keys, remedy, sizeof(remedy));
		rule_wrong(r, n->line, remedy, "%s must be a mapping", what);
		return;
	}
	for (k = tree_first(r->tree, n); k;
	     k = tree_next(r->tree, tree_next(r->tree, k)))
		read_key(r, k, what, keys, &seen);
}

const char *rule_word(struct rule_reading *r, const struct tree_node *n)
{
	if (n->kind != TREE_SCALAR) {
		rule_wrong(r, n->line, "write one word or number",
			   "%s must be a single value", r->key);
		return NULL;
	}
	if (!n->text_b || (n->plain && (!strcmp(n->text, "null") ||
					!strcmp(n->text, "~")))) {
		rule_wrong(r, n->line, "give it a value or remove it",
			   "%s is empty", r->key);
		return NULL;
	}
	return n->text;
}

void rule_values(struct rule_reading *r, const struct tree_node *n,
		 rule_value_fn fn, void *arg)
{
	const struct tree_node *v;

	if (n->kind != TREE_LIST) {
		fn(r, n, arg);
		return;
	}
	if (!n->n)
		rule_wrong(r, n->line, "name a value, or leave the key out for "
			   "any", "%s is an empty list", r->key);
	for (v = tree_first(r->tree, n); v; v = tree_next(r->tree, v))
		fn(r, v, arg);
}

bool rule_number(const char *text, uint64_t *out)
{
	uint64_t v = 0;
	const char *c;

	/* 010 is ten to some and eight to others */
	if (!text[0] || (text[0] == '0' && text[1]))
		return false;
	for (c = text; *c >= '0' && *c <= '9'; c++)
		v = v > UINT64_MAX / 10 - 1 ? v : v * 10 + (*c - '0');
	*out = v;
	return !*c;
}

static bool split(const char *text, uint64_t *lo, uint64_t *hi)
{
	const char *dash = strchr(text, '-');
	char first[24];

	if (!dash) {
		if (!rule_number(text, lo))
			return false;
		*hi = *lo;
		return true;
	}
	if ((size_t)(dash - text) >= sizeof(first))
		return false;
	memcpy(first, text, dash - text);
	first[dash - text] = '\0';
	return rule_number(first, lo) && rule_number(dash + 1, hi);
}

bool rule_range(struct rule_reading *r, const struct tree_node *n,
		const char *text, uint32_t max, struct sl_span *out)
{
	uint64_t lo, hi;
	char remedy[100];

	if (!split(text, &lo, &hi)) {
		rule_wrong(r, n->line, "write a number or a range such as 10-20",
			   "%s: %.60s is no number", r->key, text);
	} else if (lo > max || hi > max) {
		snprintf(remedy, sizeof(remedy), "write 0 to %u", max);
		rule_wrong(r, n->line, remedy, "%s: %.60s is over %u", r->key,
			   text, max);
	} else if (lo > hi) {
		snprintf(remedy, sizeof(remedy), "write %u-%u",
			 (unsigned int)hi, (unsigned int)lo);
		rule_wrong(r, n->line, remedy, "%s: %.60s ends before it begins",
			   r->key, text);
	} else {
		*out = (struct sl_span){ lo, hi };
		return true;
	}
	return false;
}

void rule_add_span(struct rule_reading *r, struct sl_spans *s, uint32_t lo,
		   uint32_t hi)
{
	if (sl_spans_add(s, lo, hi))
		r->no_memory = true;
}
