/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the prefixes say (the routing world's RIB beside its FIB): items that
 * give a prefix a lane or a rule class, and what holds at an address when all
 * of them are heard.
 *
 * Lanes: the higher layer decides, within a layer the longest prefix. Classes:
 * protect beats drop beats count, then the longest prefix; a wide block reaches
 * every address below it. Of equals the one added later.
 */
#ifndef SL_RIB_H
#define SL_RIB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sealane/abi.h>
#include "config.h"
#include "prefix.h"
#include "pset.h"

typedef unsigned __int128 sl_u128;

/* Who says of a prefix that it belongs to a lane; the last one wins. */
enum sl_lane_layer {
	SL_LAYER_RIR, SL_LAYER_COUNTRY, SL_LAYER_ASN, SL_LAYER_GEOFEED,
	SL_LAYER_OPERATOR, SL_LAYERS,
};

/* An item's say, packed: [31] class, [30:28] layer or weight, [27] group of
 * rules (abv.h), [19:0] value. */
#define SL_SAY_CLASS		(1U << 31)
#define SL_SAY_GROUP		(1U << 27)
#define SL_SAY_RANK(w)		((w) >> 28 & 7)
#define SL_SAY_VALUE(w)		((w) & 0xfffff)

struct sl_rib4 {
	uint64_t key;		/* address << 8 | length */
	uint32_t say;
	uint32_t source;	/* the caller's: which file or list */
};

struct sl_rib6 {
	uint64_t hi, lo;
	uint32_t len, say, source, pad;
};

/* Sorted by address, then length, once sl_rib_sort() returned 0. */
struct sl_rib {
	struct sl_rib4 *v4;
	size_t n4, room4;
	struct sl_rib6 *v6;
	size_t n6, room6;
};

struct sl_rib *sl_rib_new(void);
void sl_rib_free(struct sl_rib *r);

/* 0 or -ENOMEM. lane: a number, 0 (`other`: shields what lower layers say) or
 * SL_LANE_HOME. */
int sl_rib_add_lane(struct sl_rib *r, const struct sl_prefix *p, uint32_t lane,
		    enum sl_lane_layer layer, uint32_t source);
int sl_rib_add_class(struct sl_rib *r, const struct sl_prefix *p,
		     uint32_t class_id, enum sl_action action,
		     uint32_t source);
/* A whole set of one class. */
int sl_rib_add_set(struct sl_rib *r, const struct sl_pset *set,
		   uint32_t class_id, enum sl_action action, uint32_t source);
/* A group of rules that name the prefix, or every prefix of a set. */
int sl_rib_add_group(struct sl_rib *r, const struct sl_prefix *p,
		     uint32_t group);
int sl_rib_add_group_set(struct sl_rib *r, const struct sl_pset *set,
			 uint32_t group);
/* All items of another. */
int sl_rib_add_rib(struct sl_rib *r, const struct sl_rib *more);
int sl_rib_sort(struct sl_rib *r);

#define SL_CLASS_PROTECT 1	/* the class of protected prefixes */

/* --- what holds where --- */
/* One base and a few items on top of it (NULL: none), both sorted; and what
 * their groups of rules stand for (NULL: they have none). */
struct sl_rib_pair {
	const struct sl_rib *base, *extra;
	struct sl_abv *abv;
};

/* Addresses from start to the next range's start have this entry. */
struct sl_range {
	sl_u128 start;
	uint32_t entry;
};

/*
 * Disjoint ranges over first..last of a family (IPv4 counted in 32 bits), the
 * first of them at `first`; equal neighbours are one. *out is the caller's.
 * Cost: the items inside, and one search for each length above. 0, -ENOMEM, or
 * what pair.abv failed with.
 */
int sl_rib_ranges(struct sl_rib_pair p, int family, sl_u128 first, sl_u128 last,
		  struct sl_range **out, size_t *n_out);

/* What was heard at one address, and which items decided. */
struct sl_heard {
	uint32_t lane, class_id;
	uint32_t set;			/* sl_abv_set; without abv 0 */
	struct sl_prefix lane_prefix, class_prefix;	/* family 0: none */
	uint32_t lane_source, class_source;
	enum sl_lane_layer layer;
};
void sl_rib_hear(struct sl_rib_pair p, const struct sl_prefix *addr,
		 struct sl_heard *out);

/* Is any of p protected by the items of r? The first such prefix in *which. */
bool sl_rib_protects(const struct sl_rib *r, const struct sl_prefix *p,
		     struct sl_prefix *which);

sl_u128 sl_prefix_first(const struct sl_prefix *p);
sl_u128 sl_prefix_last(const struct sl_prefix *p);

#endif
