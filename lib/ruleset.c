// SPDX-License-Identifier: GPL-2.0
/* The model of rules: sets of values, copies, and what they own. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "ruleset.h"

int sl_spans_add(struct sl_spans *s, uint32_t lo, uint32_t hi)
{
	struct sl_span *grown = realloc(s->s, (s->n + 1) * sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	s->s = grown;
	grown[s->n++] = (struct sl_span){ lo, hi };
	return 0;
}

static int by_start(const void *x, const void *y)
{
	const struct sl_span *a = x, *b = y;

	return a->lo < b->lo ? -1 : a->lo > b->lo;
}

int sl_spans_finish(struct sl_spans *s)
{
	unsigned int i, n = 0;

	if (!s->n)
		return 0;
	qsort(s->s, s->n, sizeof(*s->s), by_start);
	for (i = 1; i < s->n; i++) {
		if (s->s[i].lo > (uint64_t)s->s[n].hi + 1)
			s->s[++n] = s->s[i];
		else if (s->s[i].hi > s->s[n].hi)
			s->s[n].hi = s->s[i].hi;
	}
	s->n = n + 1;
	return 0;
}

bool sl_spans_has(const struct sl_spans *s, uint32_t value)
{
	unsigned int i;

	for (i = 0; i < s->n; i++)
		if (value >= s->s[i].lo && value <= s->s[i].hi)
			return true;
	return !s->n;
}

int sl_names_add(struct sl_names *n, const char *name)
{
	char (*grown)[SL_NAME_B];

	if (strlen(name) >= SL_NAME_B)
		return -E2BIG;
	grown = realloc(n->name, (n->n + 1) * sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	n->name = grown;
	strcpy(grown[n->n++], name);
	return 0;
}

bool sl_names_has(const struct sl_names *n, const char *name)
{
	unsigned int i;

	for (i = 0; i < n->n; i++)
		if (!strcmp(n->name[i], name))
			return true;
	return !n->n;
}

struct sl_rule *sl_ruleset_add(struct sl_ruleset *set)
{
	struct sl_rule *grown = set->r;

	if (!(set->n & (set->n - 1)))	/* room doubles */
		grown = realloc(set->r, (set->n ? 2 * set->n : 1) *
				sizeof(*grown));
	if (!grown)
		return NULL;
	set->r = grown;
	memset(&grown[set->n], 0, sizeof(*grown));
	grown[set->n].match.at = SL_HEADER_INNER;
	return &grown[set->n++];
}

/* An array of its own, in place of the one that it shares; 0 or -ENOMEM. */
static int own(void *at, unsigned int n, size_t size_b)
{
	void *shared, *copy = NULL;

	memcpy(&shared, at, sizeof(shared));
	if (n) {
		copy = malloc(n * size_b);
		if (copy)
			memcpy(copy, shared, n * size_b);
	}
	memcpy(at, &copy, sizeof(copy));
	return n && !copy ? -ENOMEM : 0;
}

static int own_addr(struct sl_rule_addr *a)
{
	return own(&a->p, a->n, sizeof(*a->p)) |
	       own(&a->list, a->n_lists, sizeof(*a->list));
}

int sl_rule_copy(struct sl_rule *to, const struct sl_rule *from)
{
	struct sl_rule_match *m = &to->match;
	struct sl_spans *spans[] = { &m->proto, &m->sport, &m->dport, &m->port,
		&m->icmp, &m->tcp_flags, &m->length_b, &m->dscp };
	unsigned int i;
	int rc = 0;

	*to = *from;
	for (i = 0; i < sizeof(spans) / sizeof(*spans); i++)
		rc |= own(&spans[i]->s, spans[i]->n, sizeof(struct sl_span));
	rc |= own_addr(&m->src) | own_addr(&m->dst);
	rc |= own(&m->lanes.name, m->lanes.n, sizeof(*m->lanes.name));
	rc |= own(&m->paths.name, m->paths.n, sizeof(*m->paths.name));
	if (rc)
		sl_rule_clear(to);
	return rc ? -ENOMEM : 0;
}

void sl_rule_clear(struct sl_rule *r)
{
	struct sl_rule_match *m = &r->match;

	free(m->src.p);
	free(m->src.list);
	free(m->dst.p);
	free(m->dst.list);
	free(m->proto.s);
	free(m->sport.s);
	free(m->dport.s);
	free(m->port.s);
	free(m->icmp.s);
	free(m->tcp_flags.s);
	free(m->length_b.s);
	free(m->dscp.s);
	free(m->lanes.name);
	free(m->paths.name);
	memset(r, 0, sizeof(*r));
}

void sl_ruleset_free(struct sl_ruleset *set)
{
	unsigned int i;

	for (i = 0; i < set->n; i++)
		sl_rule_clear(&set->r[i]);
	free(set->r);
	memset(set, 0, sizeof(*set));
}
