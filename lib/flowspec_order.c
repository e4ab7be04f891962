// SPDX-License-Identifier: GPL-2.0
/* FlowSpec order: RFC 8955 5.1 and its appendix, RFC 8956 4 for offsets. */
#include <string.h>
#include "flowspec.h"

/* The part that both have decides; one inside the other: the longer. */
static int cmp_prefix(const struct sl_flowspec *a, const struct sl_flowspec *b,
		      int type)
{
	const struct sl_prefix *x = &a->prefix[type], *y = &b->prefix[type];
	unsigned int common = x->len < y->len ? x->len : y->len;
	int rc, i;

	if (a->offset[type] != b->offset[type])
		return a->offset[type] < b->offset[type] ? -1 : 1;
	rc = memcmp(x->addr, y->addr, common / 8);
	if (!rc && common % 8) {
		i = common / 8;
		rc = (x->addr[i] >> (8 - common % 8)) -
		     (y->addr[i] >> (8 - common % 8));
	}
	return rc ? rc : y->len - x->len;
}

static int cmp_bytes(const struct sl_flowspec *a, const struct sl_flowspec *b,
		     int type)
{
	int x = a->len_b[type], y = b->len_b[type];
	int rc = memcmp(a->raw + a->at[type], b->raw + b->at[type],
			x < y ? x : y);

	return rc ? rc : y - x;
}

int sl_flowspec_cmp(const struct sl_flowspec *a, const struct sl_flowspec *b)
{
	int type, rc;

	if (a->family != b->family)	/* they never meet */
		return a->family - b->family;
	for (type = SL_FS_DST; type < SL_FS_TYPES; type++) {
		if (!a->len_b[type] && !b->len_b[type])
			continue;
		/* who lacks the lowest component comes later */
		if (!a->len_b[type] || !b->len_b[type])
			return a->len_b[type] ? -1 : 1;
		rc = type <= SL_FS_SRC ? cmp_prefix(a, b, type) :
		     cmp_bytes(a, b, type);
		if (rc)
			return rc < 0 ? -1 : 1;
	}
	return 0;
}
