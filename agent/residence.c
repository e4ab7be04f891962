// SPDX-License-Identifier: GPL-2.0
/*
 * Half `self`: how long the gateway keeps packets that leave home. Which
 * interfaces have the programs of traffic control, how many packets they choose,
 * and what `status` says of it.
 */
#include <stdio.h>
#include <string.h>
#include "agent.h"
#include "module.h"

/* Until it is known how many packets come. */
#define START_EVERY 64

/* Which programs an interface wants: those of all its VLANs. */
static unsigned int wanted_at(const struct agent *a, uint32_t ifindex)
{
	unsigned int i, wanted = 0;

	for (i = 0; i < a->n_ports; i++) {
		const struct port *p = &a->ports[i];

		if (p->held_off || p->ifindex != ifindex)
			continue;
		/* a packet that turns back gets rid of its number there */
		if (p->cfg.side == SL_SIDE_INSIDE)
			wanted |= SL_TC_IN | SL_TC_OUT;
		if (p->cfg.side == SL_SIDE_OUTSIDE)
			wanted |= SL_TC_OUT;
	}
	return wanted;
}

static void set_state(struct agent *a, struct port *p, const char *why)
{
	struct json_object *detail;

	if (!strcmp(p->tc, why))
		return;
	snprintf(p->tc, sizeof(p->tc), "%s", why);
	detail = json_object_new_object();
	put_text(detail, "interface", p->cfg.name);
	if (why[0])
		event(a, LOG_WARNING, "interface", detail, "interface %s: half "
		      "self is not measured: %s", p->cfg.name, why);
	else
		event(a, LOG_NOTICE, "interface", detail, "interface %s: half "
		      "self is measured again", p->cfg.name);
}

/* Is it the first port of its interface? */
static bool leads(const struct agent *a, unsigned int i)
{
	unsigned int k;

	for (k = 0; k < i; k++)
		if (a->ports[k].ifindex == a->ports[i].ifindex)
			return false;
	return true;
}

void residence_sync(struct agent *a)
{
	struct sl_dp_iface list[SL_MAX_SLOTS];
	int i, n = sl_dp_ifaces(a->dp, list, SL_MAX_SLOTS);
	unsigned int k;

	for (k = 0; k < a->n_ports; k++) {
		struct port *p = &a->ports[k];

		if (p->mode && !p->held_off && leads(a, k))
			set_state(a, p, sl_dp_set_tc(a->dp, p->ifindex,
				  wanted_at(a, p->ifindex)) ?
				  sl_dp_error(a->dp) : "");
	}
	/* of those that an earlier agent left the programs are ours too */
	for (i = 0; i < n; i++)
		if (list[i].mode && !wanted_at(a, list[i].ifindex))
			sl_dp_set_tc(a->dp, list[i].ifindex,
				     sl_dp_get_tc(list[i].ifindex));
}

/* One of so many, so that about per_s are chosen in all; a lull of a second is
 * no reason to choose many from the next. */
static uint32_t every_of(uint64_t seen, uint64_t before, uint32_t per_s)
{
	uint64_t n = seen > before / 2 ? seen : before / 2;

	n = (n + per_s - 1) / per_s;
	return n < 1 ? 1 : n < SL_SAMPLE_EVERY_MAX ? n : SL_SAMPLE_EVERY_MAX;
}

void residence_second(struct agent *a)
{
	struct residence *r = &a->residence;
	uint32_t per_s = a->cfg->residence.per_s;
	struct sl_chooser now;
	uint64_t seen;

	sl_dp_read_choosers(a->dp, &now);
	seen = now.seen - r->seen;
	r->seen = now.seen;
	if (!per_s)
		sl_dp_set_transits(a->dp, 0);
	else if (!r->known || !sl_dp_transits(a->dp))
		sl_dp_set_transits(a->dp, START_EVERY);
	else
		sl_dp_set_transits(a->dp, every_of(seen, r->per_s, per_s));
	r->per_s = r->known ? seen : 0;
	r->known = true;
}

/* Where a residence is taken now. */
static const char *source(const struct agent *a)
{
	unsigned int i, inside = 0, hardware = 0, software = 0;

	for (i = 0; i < a->n_ports; i++) {
		const struct port *p = &a->ports[i];

		if (!p->mode || p->tc[0])
			continue;
		inside += p->cfg.side == SL_SIDE_INSIDE;
		if (p->cfg.side != SL_SIDE_OUTSIDE)
			continue;
		hardware += clock_is_used(a, p->ifindex);
		software += !clock_is_used(a, p->ifindex);
	}
	if (!a->cfg->residence.per_s || !inside || !(hardware + software))
		return "none";
	if (!module_stamps(a))
		return "tc";
	return !hardware ? "tx-sw" : !software ? "tx-hw" : "mixed";
}

static const char *meaning(const char *source)
{
	static const struct { const char *source, *text; } of[] = {
		{ "tc", "from arrival to the queue of the outside interface: "
		  "without that queue and the NIC" },
		{ "tx-sw", "from arrival to the driver of the outside "
		  "interface: with its queue, without the NIC" },
		{ "tx-hw", "from arrival to the wire, by the NIC's clock" },
		{ "mixed", "from arrival to the wire where the NIC stamps, to "
		  "its driver elsewhere" },
		{ NULL, "not measured" } };
	int i;

	for (i = 0; of[i].source; i++)
		if (!strcmp(source, of[i].source))
			break;
	return of[i].text;
}

static struct json_object *ports_of(const struct agent *a)
{
	struct json_object *list = json_object_new_array(), *o;
	unsigned int i, there;

	for (i = 0; i < a->n_ports; i++) {
		const struct port *p = &a->ports[i];

		if (!p->mode || !leads(a, i) || !wanted_at(a, p->ifindex))
			continue;
		there = sl_dp_get_tc(p->ifindex);
		o = json_object_new_object();
		put_text(o, "name", p->cfg.name);
		put_bool(o, "in", there & SL_TC_IN);
		put_bool(o, "out", there & SL_TC_OUT);
		put_text(o, "why", p->tc[0] ? p->tc : NULL);
		json_object_object_add(o, "clock", clock_doc(a, p->ifindex));
		json_object_array_add(list, o);
	}
	return list;
}

struct json_object *residence_doc(const struct agent *a)
{
	struct json_object *o = json_object_new_object();
	const char *from = source(a);
	struct sl_chooser c;

	sl_dp_read_choosers(a->dp, &c);
	put_text(o, "source", from);
	put_text(o, "means", meaning(from));
	put_int(o, "per_s", a->cfg->residence.per_s);
	put_int(o, "every", sl_dp_transits(a->dp));
	put_int(o, "seen", c.seen);
	put_int(o, "chosen", c.chosen);
	put_int(o, "left", c.left);
	put_int(o, "elsewhere", c.elsewhere);
	put_int(o, "tai_offset_s", clocks_tai_s());
	json_object_object_add(o, "interfaces", ports_of(a));
	return o;
}
