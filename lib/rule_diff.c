// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "rule_diff.h"

/* --- equality --- */
static bool same_spans(const struct sl_spans *a, const struct sl_spans *b)
{
	return a->n == b->n &&
	       (!a->n || !memcmp(a->s, b->s, a->n * sizeof(*a->s)));
}

static bool same_names(char (*a)[SL_NAME_B], unsigned int n_a,
		       char (*b)[SL_NAME_B], unsigned int n_b)
{
	unsigned int i;

	for (i = 0; n_a == n_b && i < n_a; i++)
		if (strcmp(a[i], b[i]))
			return false;
	return n_a == n_b;
}

static bool same_addr(const struct sl_rule_addr *a,
		      const struct sl_rule_addr *b)
{
	unsigned int i;

	for (i = 0; a->n == b->n && i < a->n; i++)
		if (sl_prefix_cmp(&a->p[i], &b->p[i]))
			return false;
	return a->n == b->n &&
	       same_names(a->list, a->n_lists, b->list, b->n_lists);
}

bool sl_rule_match_equal(const struct sl_rule_match *a,
			 const struct sl_rule_match *b)
{
	return a->family == b->family && a->at == b->at &&
	       a->dirs == b->dirs && a->frags == b->frags &&
	       same_addr(&a->src, &b->src) && same_addr(&a->dst, &b->dst) &&
	       same_spans(&a->proto, &b->proto) &&
	       same_spans(&a->sport, &b->sport) &&
	       same_spans(&a->dport, &b->dport) &&
	       same_spans(&a->port, &b->port) &&
	       same_spans(&a->icmp, &b->icmp) &&
	       same_spans(&a->tcp_flags, &b->tcp_flags) &&
	       same_spans(&a->length_b, &b->length_b) &&
	       same_spans(&a->dscp, &b->dscp) &&
	       same_names(a->lanes.name, a->lanes.n, b->lanes.name,
			  b->lanes.n) &&
	       same_names(a->paths.name, a->paths.n, b->paths.name,
			  b->paths.n);
}

bool sl_rule_equal(const struct sl_rule *a, const struct sl_rule *b)
{
	return !strcmp(a->id, b->id) && !strcmp(a->tag, b->tag) &&
	       !strcmp(a->by, b->by) && !strcmp(a->why, b->why) &&
	       a->until_ns == b->until_ns && a->action == b->action &&
	       a->limit.pps == b->limit.pps && a->limit.bps == b->limit.bps &&
	       a->limit.burst == b->limit.burst &&
	       a->limit.per_source == b->limit.per_source &&
	       sl_rule_match_equal(&a->match, &b->match);
}

/* --- what differs --- */
struct by_id {
	const char *id;
	int at;
};

static int cmp_id(const void *a, const void *b)
{
	return strcmp(((const struct by_id *)a)->id,
		      ((const struct by_id *)b)->id);
}

static struct by_id *index_of(const struct sl_ruleset *set)
{
	struct by_id *x = malloc((set->n + 1) * sizeof(*x));
	unsigned int i;

	for (i = 0; x && i < set->n; i++)
		x[i] = (struct by_id){ set->r[i].id, i };
	if (x)
		qsort(x, set->n, sizeof(*x), cmp_id);
	return x;
}

static int place_of(const struct by_id *x, unsigned int n, const char *id)
{
	const struct by_id key = { id, 0 };
	const struct by_id *found = bsearch(&key, x, n, sizeof(*x), cmp_id);

	return found ? found->at : -1;
}

/*
 * The rules that kept their order: a longest rising sequence of former places
 * (patience sorting). c[0..n-1] are the newer set's; all others that were there
 * before have moved.
 */
static int mark_moved(struct sl_rule_change *c, unsigned int n)
{
	int *top = malloc((n + 1) * sizeof(*top));	/* last of each pile */
	int *below = malloc((n + 1) * sizeof(*below));
	unsigned int piles = 0, i, lo, hi, mid;
	int at;

	if (!top || !below) {
		free(top);
		free(below);
		return -ENOMEM;
	}
	for (i = 0; i < n; i++) {
		if (c[i].before < 0)
			continue;
		for (lo = 0, hi = piles; lo < hi;) {
			mid = (lo + hi) / 2;
			if (c[top[mid]].before < c[i].before)
				lo = mid + 1;
			else
				hi = mid;
		}
		below[i] = lo ? top[lo - 1] : -1;
		top[lo] = i;
		piles += lo == piles;
		c[i].what |= SL_RULE_MOVED;
	}
	for (at = piles ? top[piles - 1] : -1; at >= 0; at = below[at])
		c[at].what &= ~SL_RULE_MOVED;
	free(top);
	free(below);
	return 0;
}

int sl_rule_diff(const struct sl_ruleset *before, const struct sl_ruleset *after,
		 struct sl_rule_change **out, unsigned int *n_out)
{
	struct by_id *old = index_of(before), *new = index_of(after);
	struct sl_rule_change *c;
	unsigned int i, n = 0, kept = 0;
	int rc = -ENOMEM, at;

	c = calloc(before->n + after->n + 1, sizeof(*c));
	if (!old || !new || !c)
		goto out;
	for (i = 0; i < after->n; i++) {
		at = place_of(old, before->n, after->r[i].id);
		c[n].before = at;
		c[n].after = i;
		if (at < 0)
			c[n].what = SL_RULE_ADDED;
		else if (!sl_rule_equal(&before->r[at], &after->r[i]))
			c[n].what = SL_RULE_CHANGED;
		n++;
	}
	rc = mark_moved(c, n);
	for (i = 0; i < n; i++)
		if (c[i].what)
			c[kept++] = c[i];
	for (i = 0; i < before->n; i++)
		if (place_of(new, after->n, before->r[i].id) < 0)
			c[kept++] = (struct sl_rule_change){ SL_RULE_REMOVED,
							     i, -1 };
out:
	free(old);
	free(new);
	if (rc) {
		free(c);
		return rc;
	}
	*out = c;
	*n_out = kept;
	return 0;
}
