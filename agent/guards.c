// SPDX-License-Identifier: GPL-2.0
/*
 * Guards: the gateway's own BGP and management ports stay open whatever is
 * pushed. They are rules before all others, which let pass what goes to or comes
 * from a protected port of an own address; and nothing that would hit one is
 * admitted. Own addresses are those of the host's interfaces, or as configured.
 */
#include <errno.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "commits.h"

/* --- own addresses --- */
struct own {
	struct sl_prefix *p;
	unsigned int n;
};

static int add_own(struct own *o, const struct sl_prefix *p)
{
	struct sl_prefix *grown;
	unsigned int i;

	for (i = 0; i < o->n; i++)
		if (!sl_prefix_cmp(&o->p[i], p))
			return 0;
	grown = realloc(o->p, (o->n + 1) * sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	o->p = grown;
	grown[o->n++] = *p;
	return 0;
}

/* Of this host alone. Others on its loopback interface are where routers have
 * the addresses that their sessions run between. */
static bool is_loopback(const struct sl_prefix *p)
{
	static const uint8_t one[16] = { [15] = 1 };

	return p->family == 4 ? p->addr[0] == 127 :
	       !memcmp(p->addr, one, sizeof(one));
}

static int add_ifaddr(struct own *o, const struct ifaddrs *i)
{
	struct sl_prefix p = {};

	if (!i->ifa_addr)
		return 0;
	if (i->ifa_addr->sa_family == AF_INET) {
		p.family = 4;
		p.len = 32;
		memcpy(p.addr, &((struct sockaddr_in *)i->ifa_addr)->sin_addr,
		       4);
	} else if (i->ifa_addr->sa_family == AF_INET6) {
		p.family = 6;
		p.len = 128;
		memcpy(p.addr,
		       &((struct sockaddr_in6 *)i->ifa_addr)->sin6_addr, 16);
	} else {
		return 0;
	}
	return is_loopback(&p) ? 0 : add_own(o, &p);
}

static int by_prefix(const void *x, const void *y)
{
	return sl_prefix_cmp(x, y);
}

static int find_own(const struct sl_config *cfg, struct own *o)
{
	struct ifaddrs *all = NULL, *i;
	unsigned int k;
	int rc = 0;

	for (k = 0; k < cfg->n_own && !rc; k++)
		rc = add_own(o, &cfg->own[k]);
	/* a failure is not "no addresses": the guards there are must stay */
	if (!cfg->n_own && getifaddrs(&all))
		return -errno;
	for (i = all; i && !rc; i = i->ifa_next)
		rc = add_ifaddr(o, i);
	freeifaddrs(all);
	if (o->n)
		qsort(o->p, o->n, sizeof(*o->p), by_prefix);
	return rc;
}

/* --- the rules --- */
/* One of the four: the own end is source or destination, and so is the port. */
static int add_guard(struct sl_ruleset *set, const struct own *o,
		     const struct sl_config *cfg, bool src, bool sport)
{
	struct sl_rule *r = sl_ruleset_add(set);
	struct sl_rule_addr *a;
	struct sl_spans *s;
	unsigned int i;
	int rc;

	if (!r)
		return -ENOMEM;
	snprintf(r->id, sizeof(r->id), "guard:%s-own-%sport",
		 src ? "from" : "to", sport ? "s" : "d");
	r->action = SL_ACT_PASS;
	r->own = true;
	a = src ? &r->match.src : &r->match.dst;
	s = sport ? &r->match.sport : &r->match.dport;
	a->p = malloc(o->n * sizeof(*a->p));
	if (!a->p)
		return -ENOMEM;
	memcpy(a->p, o->p, o->n * sizeof(*a->p));
	a->n = o->n;
	rc = sl_spans_add(&r->match.proto, IPPROTO_TCP, IPPROTO_TCP);
	for (i = 0; i < cfg->n_ports && !rc; i++)
		rc = sl_spans_add(s, cfg->ports[i], cfg->ports[i]);
	return rc ? rc : sl_spans_finish(s);
}

static struct rules *make_guards(const struct sl_config *cfg)
{
	struct rules *r = calloc(1, sizeof(*r));
	struct own o = {};
	int i, rc = r ? find_own(cfg, &o) : -ENOMEM;

	for (i = 0; i < 4 && !rc && o.n && cfg->n_ports; i++)
		rc = add_guard(&r->set, &o, cfg, i & 1, i & 2);
	free(o.p);
	if (!rc)
		return r;
	rules_free(r);
	return NULL;
}

static bool same_spans(const struct sl_spans *x, const struct sl_spans *y)
{
	return x->n == y->n && (!x->n ||
	       !memcmp(x->s, y->s, x->n * sizeof(*x->s)));
}

static bool same_guards(const struct rules *x, const struct rules *y)
{
	const struct sl_rule_match *a, *b;

	if (!x || x->set.n != y->set.n)
		return false;
	if (!x->set.n)
		return true;
	a = &x->set.r[0].match;
	b = &y->set.r[0].match;
	return a->dst.n == b->dst.n &&
	       !memcmp(a->dst.p, b->dst.p, a->dst.n * sizeof(*a->dst.p)) &&
	       same_spans(&a->dport, &b->dport);
}

int guards_make(struct agent *a, const struct sl_config *cfg,
		struct rules **out)
{
	struct rules *r = make_guards(cfg);
	int rc = r ? 0 : -1;

	*out = NULL;
	if (!rc && same_guards(a->guard, r)) {
		rules_free(r);
		return 0;
	}
	if (!rc) {
		r->slot = calloc(r->set.n + 1, sizeof(*r->slot));
		rc = r->slot && !slots_assign(a, SLOT_GUARD, &r->set, r->slot) ?
		     store_begin(a, NULL) : -1;
		if (!rc)
			rc = store_end(a, slots_put(a, SLOT_GUARD, &r->set,
						    r->slot));
	}
	if (rc) {
		rules_free(r);
		return -1;
	}
	*out = r;
	return 0;
}

void guards_take(struct agent *a, struct rules *r)
{
	if (!r)
		return;
	slots_take(a, SLOT_GUARD, &r->set, r->slot);
	rules_free(a->guard);
	a->guard = r;
}

void guards_sync(struct agent *a)
{
	const struct caller self = { .uid = getuid(), .pid = getpid() };
	struct rules *r;
	struct job *j;
	bool same;

	if (a->cfg->n_own || jobs_busy(a) || a->former.base)
		return;
	r = make_guards(a->cfg);
	same = !r || same_guards(a->guard, r);
	rules_free(r);
	if (same)
		return;
	say(LOG_NOTICE, "the gateway's own addresses changed");
	j = job_new(a, JOB_GUARDS, &self);
	if (j)
		job_start(a, j);
}

int guards_finish(struct agent *a, struct job *j)
{
	if (job_replay(a, j, a->extra))
		return -EAGAIN;
	tables_live(a, j, 0);
	j->answer = json_object_new_object();
	put_int(j->answer, "generation", a->generation);
	return 0;
}

/* --- admission --- */
static bool meets(const struct sl_rule_addr *a, const struct sl_rule_addr *own,
		  struct sl_prefix *which)
{
	unsigned int i, k;

	for (i = 0; i < a->n; i++)
		for (k = 0; k < own->n; k++)
			if (sl_prefix_covers(&a->p[i], &own->p[k]) ||
			    sl_prefix_covers(&own->p[k], &a->p[i])) {
				*which = own->p[k];
				return true;
			}
	return false;
}

/* Any port, or one of the protected ones. */
static bool hits(const struct sl_spans *s, const struct sl_spans *ports)
{
	unsigned int i, v;

	for (i = 0; i < ports->n; i++)
		for (v = ports->s[i].lo; v <= ports->s[i].hi; v++)
			if (sl_spans_has(s, v))
				return true;
	return false;
}

bool guards_forbid(const struct agent *a, const struct sl_rule *r,
		   struct sl_prefix *which)
{
	const struct sl_rule_match *m = &r->match, *g;

	if (!a->guard || !a->guard->set.n ||
	    (r->action != SL_ACT_DROP && r->action != SL_ACT_LIMIT))
		return false;
	g = &a->guard->set.r[0].match;
	if (!sl_spans_has(&m->proto, IPPROTO_TCP) || !hits(&m->port, &g->dport))
		return false;
	return (meets(&m->dst, &g->dst, which) && hits(&m->dport, &g->dport)) ||
	       (meets(&m->src, &g->dst, which) && hits(&m->sport, &g->dport));
}

bool guards_own(const struct agent *a, const struct sl_prefix *p,
		struct sl_prefix *which)
{
	const struct sl_rule_addr one = { .p = (struct sl_prefix *)p, .n = 1 };

	return a->guard && a->guard->set.n &&
	       meets(&one, &a->guard->set.r[0].match.dst, which);
}
