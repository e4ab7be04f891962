// SPDX-License-Identifier: GPL-2.0
/* What became of packets: exits of the data plane, interfaces, rules, lists. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "metrics.h"
#include "names.h"

/* --- exits --- */
static const char *verdict(int reason)
{
	return reason >= SL_R_DROP_FIRST ? "drop" : "pass";
}

/* Of all slots, those of interfaces that are gone too: it only grows. */
static void put_exits(struct agent *a, struct sl_expose *x)
{
	struct sl_port_ctr sum = {}, one;
	int slot, i, bytes;

	for (slot = 0; slot < SL_MAX_SLOTS; slot++) {
		sl_dp_read_port(a->dp, slot, &one);
		for (i = 0; i < SL_R_MAX; i++) {
			sum.packets[i] += one.packets[i];
			sum.bytes[i] += one.bytes[i];
		}
	}
	for (bytes = 0; bytes < 2; bytes++) {
		sl_expose_family(x, bytes ? "sealane_bytes_total" :
				 "sealane_packets_total", SL_COUNTER,
				 bytes ? "bytes" : NULL, bytes ?
				 "Bytes on the wire of these packets." :
				 "Packets seen, each by the one reason of its "
				 "exit; rule, limit and block drop.");
		for (i = 0; i < SL_R_MAX; i++)
			sl_expose_count(x, SL_LABELS({ "verdict", verdict(i) },
				{ "reason", sl_reason_name(i) }), bytes ?
				sum.bytes[i] : sum.packets[i]);
	}
}

/* --- interfaces --- */
/* An interface's counters; a port's labels are its name and VLAN. */
static void put_port(struct agent *a, struct sl_expose *x,
		     const struct port *p, bool bytes)
{
	uint64_t sum[2] = {};
	struct sl_port_ctr c;
	char vlan[8];
	int i;

	sl_dp_read_port(a->dp, p->slot, &c);
	for (i = 0; i < SL_R_MAX; i++)
		sum[i >= SL_R_DROP_FIRST] += bytes ? c.bytes[i] : c.packets[i];
	snprintf(vlan, sizeof(vlan), "%u", p->cfg.vlan);
	for (i = 0; i < 2; i++)
		sl_expose_count(x, SL_LABELS({ "interface", p->cfg.name },
			{ "vlan", vlan }, { "verdict", i ? "drop" : "pass" }),
			sum[i]);
}

static void put_state(struct sl_expose *x, const struct port *p, double value,
		      bool info)
{
	char vlan[8];

	snprintf(vlan, sizeof(vlan), "%u", p->cfg.vlan);
	if (info)
		sl_expose_value(x, SL_LABELS({ "interface", p->cfg.name },
			{ "vlan", vlan }, { "side", sl_side_name(p->cfg.side) },
			{ "path", p->cfg.path }, { "mode", p->mode ==
			SL_XDP_NATIVE ? "native" : p->mode == SL_XDP_GENERIC ?
			"generic" : "none" }), value);
	else
		sl_expose_value(x, SL_LABELS({ "interface", p->cfg.name },
			{ "vlan", vlan }), value);
}

static void put_ports(struct agent *a, struct sl_expose *x)
{
	unsigned int i;

	sl_expose_family(x, "sealane_interface_info", SL_GAUGE, NULL,
			 "1, with what an interface (or VLAN of it) is.");
	for (i = 0; i < a->n_ports; i++)
		put_state(x, &a->ports[i], 1, true);
	sl_expose_family(x, "sealane_interface_attached", SL_GAUGE, NULL,
			 "1 where the program runs at the interface.");
	for (i = 0; i < a->n_ports; i++)
		put_state(x, &a->ports[i], a->ports[i].mode != 0, false);
	sl_expose_family(x, "sealane_interface_detached_by_hand", SL_GAUGE,
			 NULL, "1 where somebody detached it.");
	for (i = 0; i < a->n_ports; i++)
		put_state(x, &a->ports[i], a->ports[i].held_off, false);
	sl_expose_family(x, "sealane_interface_packets_total", SL_COUNTER, NULL,
			 "Packets that arrived at an interface.");
	for (i = 0; i < a->n_ports; i++)
		put_port(a, x, &a->ports[i], false);
	sl_expose_family(x, "sealane_interface_bytes_total", SL_COUNTER,
			 "bytes", "Bytes on the wire of these packets.");
	for (i = 0; i < a->n_ports; i++)
		put_port(a, x, &a->ports[i], true);
}

/* --- rules --- */
static const char *const owner[RULE_KINDS] = { "guard", "file", "flowspec" };
/* Those of people come first: FlowSpec may be thousands. */
static const int order[RULE_KINDS] = { 1, 0, 2 };

/* A rule that is told, with its counters. */
struct told {
	const struct sl_rule *rule;
	int kind;
	struct sl_rule_ctr c;
};

struct all_told {
	struct told t[METRICS_RULES];
	unsigned int n;
	uint64_t left_out;
};

void metrics_drops_open(struct agent *a)
{
	uint32_t i;

	for (i = 0; i < SL_RULE_SLOTS; i++)
		sl_dp_read_rule(a->dp, i, &a->metrics->rule[i]);
}

/* What a slot counted since the last time; less than then: it began anew. */
static uint64_t since(uint64_t now, uint64_t then)
{
	return now >= then ? now - then : now;
}

static void take_rule(struct agent *a, struct all_told *all, int kind,
		      const struct sl_rule *rule, uint32_t slot)
{
	struct rule_sum *sum = &a->metrics->others[kind];
	struct sl_rule_ctr *last = &a->metrics->rule[slot], now;

	sl_dp_read_rule(a->dp, slot, &now);
	if (all->n < METRICS_RULES) {
		all->t[all->n++] = (struct told){ rule, kind, now };
	} else {
		all->left_out++;
		sum->packets += since(now.packets, last->packets);
		sum->bytes += since(now.bytes, last->bytes);
		sum->over += since(now.over, last->over);
	}
	*last = now;
}

static const char *action_word(const struct sl_rule *r)
{
	return r->action == SL_ACT_DROP ? "drop" :
	       r->action == SL_ACT_COUNT ? "count" :
	       r->action == SL_ACT_LIMIT ? "limit" : "pass";
}

enum rule_field { RULE_PACKETS, RULE_BYTES, RULE_OVER };

static uint64_t field_of(const struct sl_rule_ctr *c, enum rule_field f)
{
	return f == RULE_PACKETS ? c->packets : f == RULE_BYTES ? c->bytes :
								  c->over;
}

static void put_rule_field(struct agent *a, struct sl_expose *x,
			   const struct all_told *all, enum rule_field f)
{
	unsigned int i;

	for (i = 0; i < all->n; i++) {
		const struct told *t = &all->t[i];

		if (f == RULE_OVER && t->rule->action != SL_ACT_LIMIT)
			continue;
		sl_expose_count(x, SL_LABELS({ "owner", owner[t->kind] },
			{ "rule", t->rule->id },
			{ "action", action_word(t->rule) },
			{ "tag", t->rule->tag }), field_of(&t->c, f));
	}
	for (i = 0; all->left_out && i < RULE_KINDS; i++) {
		const struct rule_sum *s = &a->metrics->others[i];

		sl_expose_count(x, SL_LABELS({ "owner", owner[i] },
			{ "rule", "other" }, { "action", "" },
			{ "tag", "" }),
			f == RULE_PACKETS ? s->packets :
			f == RULE_BYTES ? s->bytes : s->over);
	}
}

static void put_rules(struct agent *a, struct sl_expose *x)
{
	struct rules *kind[RULE_KINDS];
	struct all_told *all = calloc(1, sizeof(*all));
	unsigned int k, i;

	if (!all)
		return;
	tables_kinds(a, NULL, kind);
	for (k = 0; k < RULE_KINDS; k++)
		for (i = 0; kind[order[k]] && i < kind[order[k]]->set.n; i++)
			take_rule(a, all, order[k], &kind[order[k]]->set.r[i],
				  kind[order[k]]->slot[i]);
	sl_expose_family(x, "sealane_rule_packets_total", SL_COUNTER, NULL,
			 "Packets that matched a rule; other without an "
			 "action: all rules that are not told one by one.");
	put_rule_field(a, x, all, RULE_PACKETS);
	sl_expose_family(x, "sealane_rule_bytes_total", SL_COUNTER, "bytes",
			 "Bytes on the wire of these packets.");
	put_rule_field(a, x, all, RULE_BYTES);
	sl_expose_family(x, "sealane_rule_over_limit_packets_total",
			 SL_COUNTER, NULL,
			 "Packets that a rule's limit dropped.");
	put_rule_field(a, x, all, RULE_OVER);
	sl_expose_family(x, "sealane_rules", SL_GAUGE, NULL,
			 "Rules in force.");
	for (k = 0; k < RULE_KINDS; k++)
		sl_expose_count(x, SL_LABELS({ "owner", owner[k] }),
				kind[k] ? kind[k]->set.n : 0);
	metrics_gauge(x, "sealane_rules_untold", NULL, "Rules that have no "
		      "metrics of their own here.", all->left_out);
	free(all);
}

/* --- lists and blocks --- */
static void put_lists(struct agent *a, struct sl_expose *x)
{
	unsigned int i, n = a->lists.n < METRICS_LISTS ? a->lists.n :
							 METRICS_LISTS;
	struct sl_class_ctr c;
	int bytes;

	sl_expose_family(x, "sealane_list_prefixes", SL_GAUGE, NULL,
			 "Prefixes on a list.");
	for (i = 0; i < n; i++)
		sl_expose_count(x, SL_LABELS({ "list", a->lists.l[i]->name }),
				a->lists.l[i]->set.n4 + a->lists.l[i]->set.n6);
	for (bytes = 0; bytes < 2; bytes++) {
		sl_expose_family(x, bytes ? "sealane_list_bytes_total" :
				 "sealane_list_packets_total", SL_COUNTER,
				 bytes ? "bytes" : NULL, bytes ?
				 "Bytes on the wire of these packets." :
				 "Packets that a list dropped.");
		for (i = 0; i < n; i++) {
			sl_dp_read_class(a->dp, a->lists.l[i]->class_id, &c);
			sl_expose_count(x, SL_LABELS({ "list",
					a->lists.l[i]->name }), bytes ?
					c.bytes : c.packets);
		}
	}
	metrics_gauge(x, "sealane_lists", NULL, "Lists in force.", a->lists.n);
	metrics_gauge(x, "sealane_blocks", NULL, "Blocks in force.",
		      a->blocks.n);
}

void metrics_drops(struct agent *a, struct sl_expose *x)
{
	put_exits(a, x);
	put_ports(a, x);
	put_rules(a, x);
	put_lists(a, x);
}
