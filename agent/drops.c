// SPDX-License-Identifier: GPL-2.0
/*
 * Dropped packets, for people who ask why: the headers of those that the data
 * plane shows (bpf/drops.bpf.h), and who dropped them as things stood then.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "duration.h"
#include "events_priv.h"
#include "names.h"

#define DROPS_KEPT 10000	/* 3 MB */

/* What dropped it. */
enum culprit { BY_NOBODY, BY_BLOCK, BY_LIST, BY_RULE };

struct drop {
	int64_t n;		/* 0: none */
	uint64_t at_ns;		/* wall clock */
	enum culprit by;
	char name[SL_RULE_ID_B], tag[SL_RULE_ID_B];	/* prefix, list or rule; the rule's tag */
	struct sl_drop d;
};

struct drops {
	struct drop ring[DROPS_KEPT];	/* n at n % DROPS_KEPT */
	int64_t last;
	uint64_t before;	/* that were dropped before we looked */
};

static uint64_t dropped(const struct agent *a)
{
	struct sl_port_ctr ctr;
	uint64_t sum = 0;
	int slot, i;

	for (slot = 0; slot < SL_MAX_SLOTS; slot++) {
		sl_dp_read_port(a->dp, slot, &ctr);
		for (i = SL_R_DROP_FIRST; i < SL_R_MAX; i++)
			sum += ctr.packets[i];
	}
	return sum;
}

static void name_class(const struct agent *a, uint32_t id, struct drop *d)
{
	char text[SL_PREFIX_STR_B];
	unsigned int i;

	for (i = 0; i < a->blocks.n; i++)
		if (a->blocks.b[i].class_id == id) {
			d->by = BY_BLOCK;
			snprintf(d->name, sizeof(d->name), "%s", sl_prefix_str(
				 &a->blocks.b[i].prefix, text));
			return;
		}
	for (i = 0; i < a->lists.n; i++)
		if (a->lists.l[i]->class_id == id) {
			d->by = BY_LIST;
			snprintf(d->name, sizeof(d->name), "%s",
				 a->lists.l[i]->name);
			return;
		}
}

static void name_rule(const struct agent *a, uint32_t slot, struct drop *d)
{
	const struct rules *kind[] = { a->guard, a->rules, a->flow };
	unsigned int i, k;

	for (k = 0; k < 3; k++)
		for (i = 0; kind[k] && i < kind[k]->set.n; i++)
			if (kind[k]->slot[i] == slot) {
				d->by = BY_RULE;
				strcpy(d->name, kind[k]->set.r[i].id);
				strcpy(d->tag, kind[k]->set.r[i].tag);
				return;
			}
}

static void take(void *arg, const struct sl_drop *from)
{
	struct agent *a = arg;
	int64_t n = ++a->drops->last;
	struct drop *d = &a->drops->ring[n % DROPS_KEPT];

	*d = (struct drop){ .n = n, .d = *from };
	d->at_ns = sl_now_ns() - (sl_mono_ns() - from->time_ns);
	if (from->reason == SL_R_DROP_BLOCK)
		name_class(a, from->who, d);
	else
		name_rule(a, from->who, d);
	api_wake(a);
}

int drops_open(struct agent *a)
{
	a->drops = calloc(1, sizeof(*a->drops));
	if (!a->drops)
		return -1;
	if (sl_dp_drops_open(a->dp, take, a)) {
		say(LOG_ERR, "%s", sl_dp_error(a->dp));
		return -1;
	}
	/* what an agent before us left unread tells nobody anything now */
	drops_ready(a);
	memset(a->drops, 0, sizeof(*a->drops));
	a->drops->before = dropped(a);
	return 0;
}

void drops_close(struct agent *a)
{
	free(a->drops);
	a->drops = NULL;
}

int drops_fd(const struct agent *a)
{
	return sl_dp_drops_fd(a->dp);
}

void drops_ready(struct agent *a)
{
	sl_dp_drops_read(a->dp);
}

uint64_t drops_shown(const struct agent *a)
{
	return a->drops->last;
}

/* --- for those who ask --- */
static void put_addr(struct json_object *o, const char *key, int family,
		     const uint8_t *addr)
{
	char text[INET6_ADDRSTRLEN] = "";

	if (family)
		inet_ntop(family == 4 ? AF_INET : AF_INET6, addr, text,
			  sizeof(text));
	put_text(o, key, family ? text : NULL);
}

/* A figure that not every packet has. */
static void put_some(struct json_object *o, const char *key, bool has,
		     int64_t v)
{
	if (has)
		put_int(o, key, v);
	else
		put_null(o, key);
}

static struct json_object *words_of(unsigned int bits,
				    const char *const *name, int n)
{
	struct json_object *list = json_object_new_array();
	int i;

	for (i = 0; i < n; i++)
		if (bits >> i & 1)
			json_object_array_add(list,
					      json_object_new_string(name[i]));
	return list;
}

static void put_fields(struct json_object *o, const struct sl_fields *f)
{
	static const char *const flag[] = { "fin", "syn", "rst", "psh", "ack",
					    "urg", "ece", "cwr" };

	put_some(o, "sport", f->has & SL_HAS_PORTS, f->sport);
	put_some(o, "dport", f->has & SL_HAS_PORTS, f->dport);
	put_some(o, "icmp_type", f->has & SL_HAS_ICMP, f->icmp >> 8);
	put_some(o, "icmp_code", f->has & SL_HAS_ICMP, f->icmp & 0xff);
	json_object_object_add(o, "tcp_flags", f->has & SL_HAS_FLAGS ?
			       words_of(f->tcp_flags, flag, 8) : NULL);
}

/* A packet as rules see it. */
void put_glance(struct json_object *o, const struct sl_glance *g)
{
	static const char *const frag[] = { "dont", "later", "first", "last" };

	put_some(o, "family", g->family, g->family);
	put_addr(o, "src", g->family, g->src);
	put_addr(o, "dst", g->family, g->dst);
	put_some(o, "proto", g->family, g->in.proto);
	put_fields(o, &g->in);
	put_some(o, "length_b", g->family, g->in.len_b);
	put_int(o, "frame_b", g->frame_b);
	put_some(o, "dscp", g->family, g->in.header >> 7);
	json_object_object_add(o, "fragment",
			       words_of(g->in.header >> 3 & 0xf, frag, 4));
	put_int(o, "vlan", g->vlan);
	put_int(o, "tunnel", g->tunnel);
	put_addr(o, "outer_src", g->outer_family, g->outer_src);
	put_addr(o, "outer_dst", g->outer_family, g->outer_dst);
}

static const char *port_name(const struct agent *a, uint32_t slot)
{
	unsigned int i;

	for (i = 0; i < a->n_ports; i++)
		if (a->ports[i].slot == slot)
			return a->ports[i].cfg.name;
	return NULL;
}

static void put_where(struct json_object *o, const struct agent *a,
		      const struct sl_drop *d)
{
	static const char *const dir[] = { "out", "in", "unknown", "unknown" };
	uint32_t where = d->g.where;
	uint32_t lane = where >> 6, path = where >> 2 & (SL_MAX_PATHS - 1);

	put_text(o, "interface", port_name(a, d->port));
	put_text(o, "path", a->path_name[path]);
	put_text(o, "lane", lane && lane < SL_MAX_LANES &&
		 a->lane_name[lane][0] ? a->lane_name[lane] : "other");
	put_text(o, "direction", dir[where & 3]);
}

static struct json_object *one_doc(const struct agent *a, const struct drop *d)
{
	struct json_object *o = json_object_new_object();

	put_int(o, "n", d->n);
	put_time(o, "time", d->at_ns);
	put_text(o, "reason", sl_reason_name(d->d.reason));
	put_text(o, "block", d->by == BY_BLOCK ? d->name : NULL);
	put_text(o, "list", d->by == BY_LIST ? d->name : NULL);
	put_text(o, "rule", d->by == BY_RULE ? d->name : NULL);
	put_text(o, "tag", d->tag[0] ? d->tag : NULL);
	put_where(o, a, &d->d);
	put_glance(o, &d->d.g);
	return o;
}

static bool fits(const struct drop *d, const struct wanted *w)
{
	return d->at_ns >= w->since_ns;
}

/* The oldest that is kept; 0: none. */
static int64_t oldest(const struct drops *d)
{
	return d->last > DROPS_KEPT ? d->last - DROPS_KEPT + 1 : d->last > 0;
}

static int64_t first_of(const struct drops *d, const struct wanted *w)
{
	int64_t n = d->last + 1, least = oldest(d);
	uint64_t found = 0;

	if (w->after >= 0)
		return w->after + 1 > least ? w->after + 1 : least;
	while (n > least && n > 1 && found < w->limit)
		found += fits(&d->ring[--n % DROPS_KEPT], w);
	return n;
}

struct json_object *drops_doc(const struct agent *a,
			      const struct event_query *q, bool *none,
			      struct refusal *r)
{
	const struct drops *d = a->drops;
	struct json_object *o, *list;
	uint64_t found = 0, all;
	struct wanted w;
	int64_t n;

	if (wanted_parse(q, DROPS_KEPT, &w, r))
		return NULL;
	list = json_object_new_array();
	for (n = first_of(d, &w); n && n <= d->last && found < w.limit; n++) {
		if (!fits(&d->ring[n % DROPS_KEPT], &w))
			continue;
		json_object_array_add(list, one_doc(a, &d->ring[n %
						       DROPS_KEPT]));
		found++;
	}
	*none = !found && w.after <= d->last;
	all = dropped(a) - d->before;
	o = json_object_new_object();
	json_object_object_add(o, "drops", list);
	put_int(o, "last", n && n - 1 < d->last ? n - 1 : d->last);
	put_int(o, "oldest", oldest(d));
	put_int(o, "dropped", all);
	put_int(o, "unsampled", all > (uint64_t)d->last ? all - d->last : 0);
	return o;
}
