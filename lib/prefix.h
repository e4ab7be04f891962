/* SPDX-License-Identifier: GPL-2.0 */
/* IP prefixes: text and bytes. */
#ifndef SL_PREFIX_H
#define SL_PREFIX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SL_PREFIX_STR_B 64	/* longest text of a prefix, with the NUL */

/* addr in network order; IPv4 uses the first four bytes, the rest are 0. */
struct sl_prefix {
	uint8_t addr[16];
	uint8_t family;		/* 4 or 6 */
	uint8_t len;		/* 0..32 or 0..128 */
};

/*
 * Parse "a.b.c.d", "a.b.c.d/len" or the IPv6 forms. Host bits must be zero.
 * 0, or -EINVAL with a reason in *why (static text; may be NULL).
 */
int sl_prefix_parse(const char *text, struct sl_prefix *out, const char **why);

/* buf must hold SL_PREFIX_STR_B bytes; a full-length prefix prints bare. */
const char *sl_prefix_str(const struct sl_prefix *p, char *buf);

/* True if a covers b (same family, a no longer than b, bits equal). */
bool sl_prefix_covers(const struct sl_prefix *a, const struct sl_prefix *b);

/* Order: family, address, length; for qsort and for laminar sweeps. */
int sl_prefix_cmp(const struct sl_prefix *a, const struct sl_prefix *b);

#endif
