/* SPDX-License-Identifier: GPL-2.0 */
/* A rule on its way in. Private to rule_*.c. */
#ifndef SL_RULE_PRIV_H
#define SL_RULE_PRIV_H

#include "rule_file.h"
#include "rule_tree.h"
#include "rule_words.h"

/* Fields that other fields are judged with. */
enum rule_field {
	F_RULE, F_MATCH, F_SRC, F_DST, F_PROTO, F_SPORT, F_DPORT, F_PORT,
	F_ICMP, F_TCP_FLAGS, F_LENGTH, F_DSCP, F_FRAGMENT, F_LANE, F_PATH,
	F_DIRECTION, F_FAMILY, F_HEADER, F_ACTION, F_MAX,
};
#define F_BIT(f)	(1U << (f))

#define RULE_MIN4_B	20	/* the shortest IPv4 packet */
#define RULE_MIN6_B	40

struct rule_reading {
	const struct tree *tree;
	const struct sl_rule_context *ctx;
	struct sl_mistakes *all;
	struct sl_rule *rule;
	const char *id;			/* for mistakes; "": none known */
	unsigned long line[F_MAX];	/* of a field; 0: it is not there */
	uint32_t bad;			/* F_BIT of what has a mistake */
	enum rule_field at;		/* what is being read */
	const char *key;		/* its name in the file */
	const struct tree_node *icmp;	/* until the rest is read */
	const struct tree_node *src, *dst;	/* for their lines */
	struct rule_item {		/* of tcp_flags or icmp, at hand */
		uint32_t value, mask;
		bool has_value, has_mask, has_type, has_code;
		struct sl_spans type, code;
	} item;
	bool no_memory;
};

/* A mistake of the field at hand. */
void rule_wrong(struct rule_reading *r, unsigned long line, const char *remedy,
		const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* A map's keys: what reads the value of each. */
struct rule_key {
	const char *key;	/* NULL: behind the last */
	enum rule_field field;
	void (*read)(struct rule_reading *r, const struct tree_node *n);
};

/* Each known key once; others, doubles and what is no map are mistakes. */
void rule_map(struct rule_reading *r, const struct tree_node *n,
	      const char *what, const struct rule_key *keys);
/* A scalar with text in it, or NULL and a mistake. */
const char *rule_word(struct rule_reading *r, const struct tree_node *n);

/* A value, or each of a list: none, or what is no value, is a mistake. */
typedef void (*rule_value_fn)(struct rule_reading *r,
			      const struct tree_node *n, void *arg);
void rule_values(struct rule_reading *r, const struct tree_node *n,
		 rule_value_fn fn, void *arg);

/* Digits only; saturates. False: it is none. */
bool rule_number(const char *text, uint64_t *out);
/* "80" or "1000-2000", at most max; else a mistake and false. */
bool rule_range(struct rule_reading *r, const struct tree_node *n,
		const char *text, uint32_t max, struct sl_span *out);
void rule_add_span(struct rule_reading *r, struct sl_spans *s, uint32_t lo,
		   uint32_t hi);

/* --- the parts of a rule --- */
void rule_read_match(struct rule_reading *r, const struct tree_node *n);
void rule_read_action(struct rule_reading *r, const struct tree_node *n);
void rule_read_flags(struct rule_reading *r, const struct tree_node *n);
void rule_read_icmp(struct rule_reading *r, const struct tree_node *n);
/* Order by value, each once. */
void rule_addr_finish(struct sl_rule_addr *a);
void rule_names_finish(struct sl_names *n);

/* All packets together: what no packet can be, what is protected, what would
 * match everything. */
void rule_judge(struct rule_reading *r);

#endif
