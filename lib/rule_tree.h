/* SPDX-License-Identifier: GPL-2.0 */
/*
 * YAML or JSON as a small tree with lines. Made from libyaml's events and not
 * from its document: depth and number of values are bounded while reading, and
 * aliases are refused before any can multiply. Private to rule_*.c.
 */
#ifndef SL_RULE_TREE_H
#define SL_RULE_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TREE_DEPTH	16
#define TREE_NODES	(1U << 20)	/* 4,096 rules of 250 values each */

enum tree_kind { TREE_SCALAR, TREE_LIST, TREE_MAP };

struct tree_node {
	enum tree_kind kind;
	unsigned int line;	/* 1-based */
	bool plain;		/* a scalar without quotes */
	char *text;		/* of a scalar; NUL-terminated */
	size_t text_b;
	uint32_t n;		/* children; those of a map: keys and values */
	uint32_t first, last, next;	/* nodes by number; 0: none */
};

struct tree {
	struct tree_node *node;	/* node 0 is the root */
	uint32_t n, room;
};

/* Why a text is no tree: there is one reason, since nothing behind it can be
 * read. */
struct tree_fault {
	unsigned long line;
	char message[200];
	const char *remedy;
};

/* 0 with *out to be freed, -EINVAL with *why, or -ENOMEM. */
int tree_read(const char *text, size_t len_b, struct tree *out,
	      struct tree_fault *why);
void tree_free(struct tree *t);

/* Children in turn; NULL behind the last. Those of a map: key, value, ... */
const struct tree_node *tree_first(const struct tree *t,
				   const struct tree_node *n);
const struct tree_node *tree_next(const struct tree *t,
				  const struct tree_node *n);
/* Value of a map's key; NULL: none. */
const struct tree_node *tree_key(const struct tree *t,
				 const struct tree_node *map, const char *key);

#endif
