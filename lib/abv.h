/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Rules compiled for the data plane: aggregated bit vectors
 * (include/sealane/abi_rules.h), in its idle bank or in memory of our own. The
 * prefix tables lead to them: rib.h hears which groups of rules an address
 * belongs to, and asks here for the class that says so.
 */
#ifndef SL_ABV_H
#define SL_ABV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sealane/abi.h>
#include "pset.h"
#include "ruleset.h"

struct sl_rib;
struct sl_rib_pair;

/* Rows in one bank: what `tables: size` of the configuration stands for; a
 * multiple of 8, at most 65536. 0: no such word. */
uint32_t sl_abv_rows_of(const char *word);

/* The arrays of one bank. */
struct sl_abv_image {
	uint32_t room;		/* rows */
	struct sl_rule_words *words;	/* SL_RULE_ROW_LINES a row */
	uint64_t *agg;		/* one a row */
	uint16_t *dim;		/* SL_DIM_VALUES */
	struct sl_act *act;	/* SL_MAX_RULES */
	struct sl_compound *compound;	/* SL_MAX_COMPOUNDS */
};

/* A rule, and the slot of its counters and limit. */
struct sl_abv_rule {
	const struct sl_rule *rule;
	uint32_t slot;
};

/* What names in rules mean, and when it is. Numbers are -1: no such name. */
struct sl_abv_names {
	int (*lane)(void *arg, const char *name);
	int (*path)(void *arg, const char *name);
	/* of a list's prefixes; NULL: no such list */
	const struct sl_pset *(*list)(void *arg, const char *name);
	void *arg;
	int64_t clock_ns;	/* the data plane's clock at wall clock 0 */
};

/* A set of rule groups at an address: its two rows. */
typedef uint32_t sl_abv_set;
#define SL_ABV_SET(src_row, dst_row)	((uint32_t)(src_row) << 16 | (dst_row))
#define SL_ABV_NO_GROUP	SL_ABV_SET(SL_ROW_SRC, SL_ROW_DST)

struct sl_abv;

/* An empty compiler over an image; image NULL: over memory of its own, `rows`
 * of them. NULL: no memory. */
struct sl_abv *sl_abv_new(const struct sl_abv_image *image, uint32_t rows);
void sl_abv_free(struct sl_abv *a);

/*
 * Compile rules, in their order. 0, -ENOMEM, -E2BIG, or -ENOENT: a name that
 * nobody knows; then sl_abv_error() says more. Rules and names are not looked at
 * any more afterwards.
 */
int sl_abv_compile(struct sl_abv *a, const struct sl_abv_rule *rules,
		   unsigned int n, const struct sl_abv_names *names);
/* Of a former call or of a table built since: what went wrong. */
int sl_abv_failed(const struct sl_abv *a);	/* 0, -ENOMEM or -E2BIG */
const char *sl_abv_error(const struct sl_abv *a);

/* The wall clock was set: rules end by it as it is now. Also of a live bank. */
void sl_abv_set_clock(struct sl_abv *a, int64_t clock_ns);

/* sl_ctl.rules of the bank. */
uint32_t sl_abv_head(const struct sl_abv *a);
/* In use: rows, classes that stand for more, bytes. */
void sl_abv_usage(const struct sl_abv *a, uint32_t *rows, uint32_t *compounds,
		  uint64_t *bytes);

/* The prefixes of all rules and of the lists they name, as groups. */
int sl_abv_add_groups(struct sl_abv *a, struct sl_rib *rib);

/* What holds where a group's prefix lies inside what holds already. */
sl_abv_set sl_abv_join(struct sl_abv *a, sl_abv_set set, uint32_t group);
/* A table entry's class: plain where no rule names the address. */
uint32_t sl_abv_class(struct sl_abv *a, uint32_t class_id, sl_abv_set set);

/* --- the same answer as the data plane's, in user space --- */
/* Rules that match, in order, up to the one that has the last word (limits
 * conform); indices into sl_abv_compile()'s rules. */
struct sl_abv_hits {
	uint32_t rule[64];
	unsigned int n;		/* beyond 64 only counted */
	bool ended;		/* the last one is not a count */
	enum sl_action action;	/* of it */
};
/* pair: what the addresses belong to, with its abv set to this one. now_ns: the
 * data plane's clock. */
void sl_abv_judge(struct sl_abv *a, struct sl_rib_pair pair,
		  const struct sl_glance *g, uint64_t now_ns,
		  struct sl_abv_hits *out);
/* The same, with what a table says of the addresses: source and destination,
 * then those of the outer header. */
void sl_abv_judge_at(const struct sl_abv *a, const struct sl_compound at[4],
		     const struct sl_glance *g, uint64_t now_ns,
		     struct sl_abv_hits *out);
/* What an entry of the table built with these rules stands for. */
struct sl_compound sl_abv_class_of(const struct sl_abv *a, uint32_t entry);
/* Rules that an address can be the source or destination of. */
unsigned int sl_abv_naming(struct sl_abv *a, sl_abv_set set, bool src,
			   uint32_t *rule, unsigned int max);

#endif
