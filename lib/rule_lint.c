// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "rule_lint.h"
#include "rule_shape.h"

static bool ends(const struct sl_rule *r)
{
	return r->action == SL_ACT_DROP || r->action == SL_ACT_PASS ||
	       r->action == SL_ACT_LIMIT;
}

/* Is the earlier rule there as long as the later one? */
static bool outlives(const struct sl_rule *earlier, const struct sl_rule *later)
{
	return !earlier->until_ns ||
	       (later->until_ns && later->until_ns <= earlier->until_ns);
}

/* A limit of its own has counts of its own, so another one is never the same. */
static bool same_effect(const struct sl_rule *a, const struct sl_rule *b)
{
	return a->action == b->action && a->action != SL_ACT_LIMIT;
}

/* The finding about one rule; kind NONE: there is none. */
static struct sl_lint look_at(const struct shape *s, unsigned int at,
			      uint64_t *steps)
{
	struct sl_lint found = { .rule = at };
	const struct sl_rule *later = s[at].rule;
	unsigned int i;

	if (!s[at].families)
		return found;
	for (i = 0; i < at && *steps < SL_LINT_STEPS; i++) {
		const struct sl_rule *earlier = s[i].rule;

		++*steps;
		if (!ends(earlier) || shape_apart(&s[at], &s[i]))
			continue;
		if (outlives(earlier, later) &&
		    shape_covered(&s[at], &s[i], steps)) {
			found.kind = same_effect(earlier, later) ?
				     SL_LINT_REDUNDANT : SL_LINT_SHADOWED;
			found.by = i;
			return found;
		}
		if (found.kind || !ends(later) ||
		    earlier->action == later->action ||
		    !shape_overlap(&s[at], &s[i], steps) ||
		    shape_covered(&s[i], &s[at], steps))
			continue;
		found.kind = SL_LINT_CONFLICT;
		found.by = i;
	}
	return found;
}

static int look_at_all(const struct shape *s, unsigned int n,
		       struct sl_lints *out)
{
	uint64_t steps = 0;
	struct sl_lint found;
	unsigned int i;

	out->l = malloc((n + 1) * sizeof(*out->l));
	if (!out->l)
		return -ENOMEM;
	for (i = 0; i < n; i++) {
		found = look_at(s, i, &steps);
		if (found.kind)
			out->l[out->n++] = found;
	}
	out->cut = steps >= SL_LINT_STEPS;
	return 0;
}

int sl_rule_lint(const struct sl_ruleset *set, struct sl_lints *out)
{
	struct shape *s = calloc(set->n + 1, sizeof(*s));
	unsigned int i;
	int rc = s ? 0 : -ENOMEM;

	memset(out, 0, sizeof(*out));
	for (i = 0; !rc && i < set->n; i++)
		rc = shape_make(&s[i], &set->r[i]);
	if (!rc)
		rc = look_at_all(s, set->n, out);
	for (i = 0; s && i < set->n; i++)
		shape_free(&s[i]);
	free(s);
	return rc;
}

void sl_lints_free(struct sl_lints *l)
{
	free(l->l);
	memset(l, 0, sizeof(*l));
}

const char *sl_lint_name(enum sl_lint_kind kind)
{
	static const char *const name[] = { "none", "redundant", "shadowed",
					    "conflict" };

	return name[kind];
}
