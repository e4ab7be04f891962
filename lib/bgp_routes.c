// SPDX-License-Identifier: GPL-2.0
/* A sorted table: a feed of a million unicast routes looks each of them up. */
#include <stdlib.h>
#include <string.h>
#include "bgp_routes.h"

static int cmp(const struct sl_route *r, const struct sl_bgp_event *e)
{
	size_t common = r->key_b < e->key_b ? r->key_b : e->key_b;
	int rc;

	if (r->kind != e->kind)
		return (int)r->kind - (int)e->kind;
	if (r->family != e->family)
		return r->family - e->family;
	rc = memcmp(r->bytes, e->key, common);
	return rc ? rc : (int)r->key_b - (int)e->key_b;
}

/* Where it is, or would be. */
static unsigned int place(const struct sl_routes *t,
			  const struct sl_bgp_event *e, bool *there)
{
	unsigned int lo = 0, hi = t->n, mid;
	int rc;

	*there = false;
	while (lo < hi) {
		mid = (lo + hi) / 2;
		rc = cmp(t->r[mid], e);
		if (!rc) {
			*there = true;
			return mid;
		}
		if (rc < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

struct sl_route *sl_routes_find(const struct sl_routes *t,
				const struct sl_bgp_event *e)
{
	bool there;
	unsigned int i = place(t, e, &there);

	return there ? t->r[i] : NULL;
}

static void forget(struct sl_routes *t, struct sl_route *r)
{
	if (t->forget)
		t->forget(r);
	free(r);
}

static struct sl_route *make(const struct sl_bgp_event *e)
{
	struct sl_route *r = calloc(1, sizeof(*r) + e->key_b + e->ext_b +
				    e->ext6_b);

	if (!r)
		return NULL;
	r->kind = e->kind;
	r->family = e->family;
	r->key_b = e->key_b;
	r->ext_b = e->ext_b;
	r->ext6_b = e->ext6_b;
	memcpy(r->bytes, e->key, e->key_b);
	if (e->ext_b)
		memcpy(r->bytes + e->key_b, e->ext, e->ext_b);
	if (e->ext6_b)
		memcpy(r->bytes + e->key_b + e->ext_b, e->ext6, e->ext6_b);
	return r;
}

struct sl_route *sl_routes_put(struct sl_routes *t,
			       const struct sl_bgp_event *e)
{
	unsigned int i, room = t->room ? 2 * t->room : 16;
	struct sl_route *r = make(e), **grown;
	bool there;

	if (!r)
		return NULL;
	i = place(t, e, &there);
	if (there) {
		forget(t, t->r[i]);
		t->r[i] = r;
		return r;
	}
	if (t->n == t->room) {
		grown = realloc(t->r, room * sizeof(*grown));
		if (!grown) {
			free(r);
			return NULL;
		}
		t->r = grown;
		t->room = room;
	}
	memmove(&t->r[i + 1], &t->r[i], (t->n - i) * sizeof(*t->r));
	t->r[i] = r;
	t->n++;
	return r;
}

bool sl_routes_drop(struct sl_routes *t, const struct sl_bgp_event *e)
{
	bool there;
	unsigned int i = place(t, e, &there);

	if (!there)
		return false;
	forget(t, t->r[i]);
	t->n--;
	memmove(&t->r[i], &t->r[i + 1], (t->n - i) * sizeof(*t->r));
	return true;
}

unsigned int sl_routes_age(struct sl_routes *t)
{
	unsigned int i;

	for (i = 0; i < t->n; i++)
		t->r[i]->stale = true;
	return t->n;
}

unsigned int sl_routes_sweep(struct sl_routes *t,
			     const struct sl_bgp_event *of)
{
	unsigned int i, kept = 0, before = t->n;

	for (i = 0; i < t->n; i++) {
		if (t->r[i]->stale && (!of || (t->r[i]->kind == of->kind &&
		    t->r[i]->family == of->family)))
			forget(t, t->r[i]);
		else
			t->r[kept++] = t->r[i];
	}
	t->n = kept;
	return before - kept;
}

void sl_routes_clear(struct sl_routes *t)
{
	unsigned int i;

	for (i = 0; i < t->n; i++)
		forget(t, t->r[i]);
	free(t->r);
	t->r = NULL;
	t->n = t->room = 0;
}

void sl_route_event(const struct sl_route *r, const char *peer,
		    struct sl_bgp_event *out)
{
	*out = (struct sl_bgp_event){ .op = SL_BGP_ANNOUNCE, .kind = r->kind,
		.family = r->family, .key = r->bytes, .key_b = r->key_b,
		.ext = r->bytes + r->key_b, .ext_b = r->ext_b,
		.ext6 = r->bytes + r->key_b + r->ext_b, .ext6_b = r->ext6_b };
	strncpy(out->peer, peer, sizeof(out->peer) - 1);
}

bool sl_route_is(const struct sl_route *r, const struct sl_bgp_event *e)
{
	return !cmp(r, e) && r->ext_b == e->ext_b && r->ext6_b == e->ext6_b &&
	       (!e->ext_b || !memcmp(r->bytes + r->key_b, e->ext, e->ext_b)) &&
	       (!e->ext6_b || !memcmp(r->bytes + r->key_b + r->ext_b, e->ext6,
				      e->ext6_b));
}
