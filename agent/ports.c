// SPDX-License-Identifier: GPL-2.0
/*
 * Interfaces: find them, tell the data plane their side and path, attach. One
 * idempotent pass does it all, run at start, on every link event and every few
 * seconds; what cannot be done now is said once and tried again.
 */
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "commits.h"
#include "names.h"
#include "residence.h"

#define PATHS(a) ((a)->path_name)

static int path_number(struct agent *a, const char *name)
{
	bool in_use[SL_MAX_PATHS] = {};
	int i, id;

	if (!name[0])
		return 0;
	for (i = 1; i < SL_MAX_PATHS; i++)
		in_use[i] = PATHS(a)[i][0];
	id = store_id(a, "path", name, SL_MAX_PATHS, in_use);
	if (id > 0)
		snprintf(PATHS(a)[id], SL_NAME_B, "%s", name);
	return id;
}

static int slot_number(struct agent *a, const struct sl_config_iface *c)
{
	bool in_use[SL_MAX_SLOTS] = {};
	char name[SL_NAME_B + 8];
	unsigned int i;

	for (i = 0; i < a->n_ports; i++)
		in_use[a->ports[i].slot] = true;
	snprintf(name, sizeof(name), "%s.%u", c->name, c->vlan);
	return store_id(a, "slot", name, SL_MAX_SLOTS, in_use);
}

static struct port *find(struct agent *a, const char *name, uint16_t vlan)
{
	unsigned int i;

	for (i = 0; i < a->n_ports; i++)
		if (!strcmp(a->ports[i].cfg.name, name) &&
		    a->ports[i].cfg.vlan == vlan)
			return &a->ports[i];
	return NULL;
}

/* Add or change a port; 0 or -1. */
static int set_port(struct agent *a, const struct sl_config_iface *c,
		    bool generic)
{
	struct port *p = find(a, c->name, c->vlan), *grown;
	int path = path_number(a, c->path), slot;

	if (!p) {
		grown = realloc(a->ports, (a->n_ports + 1) * sizeof(*grown));
		if (!grown)
			return -1;
		a->ports = grown;
		p = &grown[a->n_ports];
		memset(p, 0, sizeof(*p));
		slot = slot_number(a, c);
		if (slot < 0)
			return -1;
		p->slot = slot;
		a->n_ports++;
	}
	if (path < 0)
		return -1;
	p->cfg = *c;
	p->path = path;
	p->generic = generic;
	p->held_off = false;
	p->ifindex = 0;		/* write its entry anew */
	return 0;
}

int ports_configure(struct agent *a)
{
	unsigned int i;
	int rc = 0;

	for (i = 0; !rc && i < a->cfg->n_ifaces; i++)
		rc = set_port(a, &a->cfg->ifaces[i], false);
	if (rc)
		say(LOG_ERR, "interface %s: no number left for it or its path",
		    a->cfg->ifaces[i - 1].name);
	return rc;
}

void ports_free(struct agent *a)
{
	free(a->ports);
}

/* Note a state; a change is an event. */
static void set_state(struct agent *a, struct port *p, const char *state)
{
	struct json_object *detail;

	if (!strcmp(p->state, state))
		return;
	snprintf(p->state, sizeof(p->state), "%s", state);
	detail = json_object_new_object();
	put_text(detail, "interface", p->cfg.name);
	put_int(detail, "vlan", p->cfg.vlan);
	put_text(detail, "side", sl_side_name(p->cfg.side));
	put_text(detail, "path", p->cfg.path);
	event(a, strcmp(state, "attached") ? LOG_WARNING : LOG_NOTICE,
	      "interface", detail, "interface %s: %s", p->cfg.name, p->state);
}

/* Has this interface VLAN entries of its own? */
static bool has_vlans(const struct agent *a, const char *name)
{
	unsigned int i;

	for (i = 0; i < a->n_ports; i++)
		if (a->ports[i].cfg.vlan && !a->ports[i].held_off &&
		    !strcmp(a->ports[i].cfg.name, name))
			return true;
	return false;
}

/* Tell the data plane side, path and slot. An interface that is named only by
 * VLANs has an entry without a side, which sends packets to sl_vlans. */
static int write_entry(struct agent *a, struct port *p, uint32_t ifindex)
{
	struct sl_port e = { .side = p->cfg.side, .path = p->path,
			     .slot = p->slot };
	struct sl_port trunk = { .vlans = 1 };
	int rc;

	if (!p->cfg.vlan) {
		e.vlans = has_vlans(a, p->cfg.name);
		return sl_dp_set_port(a->dp, ifindex, 0, &e);
	}
	rc = sl_dp_set_port(a->dp, ifindex, p->cfg.vlan, &e);
	if (!rc && !find(a, p->cfg.name, 0))
		rc = sl_dp_set_port(a->dp, ifindex, 0, &trunk);
	return rc;
}

static int mode_of(struct agent *a, uint32_t ifindex)
{
	struct sl_dp_iface list[SL_MAX_SLOTS];
	int i, n = sl_dp_ifaces(a->dp, list, SL_MAX_SLOTS);

	for (i = 0; i < n; i++)
		if (list[i].ifindex == ifindex)
			return list[i].mode;
	return 0;
}

static void sync_port(struct agent *a, struct port *p)
{
	uint32_t ifindex = if_nametoindex(p->cfg.name);
	int rc;

	if (!ifindex) {
		p->ifindex = p->mode = 0;
		set_state(a, p, "missing");
		return;
	}
	if (ifindex == p->ifindex && mode_of(a, ifindex)) {
		p->mode = mode_of(a, ifindex);
		set_state(a, p, "attached");
		return;
	}
	rc = write_entry(a, p, ifindex);
	if (!rc)
		rc = sl_dp_attach(a->dp, ifindex, p->generic ?
				  SL_XDP_GENERIC : SL_XDP_NATIVE);
	p->ifindex = rc ? 0 : ifindex;
	p->mode = rc ? 0 : mode_of(a, ifindex);
	set_state(a, p, rc ? sl_dp_error(a->dp) : "attached");
}

/* Links that an earlier agent left and nobody names now: their program is
 * brought up to ours, and they stay until somebody detaches them. */
static void sync_strangers(struct agent *a)
{
	struct sl_dp_iface list[SL_MAX_SLOTS];
	int i, n = sl_dp_ifaces(a->dp, list, SL_MAX_SLOTS);

	for (i = 0; i < n; i++) {
		bool ours = !list[i].mode;
		unsigned int k;

		for (k = 0; k < a->n_ports; k++)
			ours |= a->ports[k].ifindex == list[i].ifindex;
		if (ours)
			continue;
		if (sl_dp_attach(a->dp, list[i].ifindex, list[i].mode))
			event(a, LOG_WARNING, "interface", NULL, "%s",
			      sl_dp_error(a->dp));
	}
}

void ports_sync(struct agent *a)
{
	unsigned int i;

	for (i = 0; i < a->n_ports; i++)
		if (!a->ports[i].held_off)
			sync_port(a, &a->ports[i]);
	sync_strangers(a);
	residence_sync(a);
}

int ports_attach(struct agent *a, const char *name, enum sl_side side,
		 const char *path, bool generic, struct refusal *r)
{
	struct sl_config_iface c = { .side = side };
	struct port *p;

	if (strlen(name) > 15 || !if_nametoindex(name))
		return refuse(r, 404, "see ip link", "no interface %s", name);
	if (strlen(path) >= SL_NAME_B)
		return refuse(r, 400, "at most 31 letters",
			      "path %s is too long", path);
	if (path[0] && side == SL_SIDE_INSIDE)
		return refuse(r, 400, "leave --path out",
			      "an inside interface has no path");
	strcpy(c.name, name);
	strcpy(c.path, path);
	if (set_port(a, &c, generic))
		return refuse(r, 409, "detach another one", "no number left "
			      "for interface %s or path %s", name, path);
	p = find(a, name, 0);
	sync_port(a, p);
	if (!p->mode)
		return refuse(r, 409, generic ? "see sealane doctor" :
			      "see sealane doctor; --generic accepts slow "
			      "generic XDP", "%s", p->state);
	residence_sync(a);
	return 0;
}

int ports_detach(struct agent *a, const char *name, struct refusal *r)
{
	uint32_t ifindex = if_nametoindex(name);
	bool known = false;
	unsigned int i;

	for (i = 0; i < a->n_ports; i++) {
		struct port *p = &a->ports[i];

		if (strcmp(p->cfg.name, name))
			continue;
		known = true;
		p->held_off = true;
		p->mode = 0;
		p->ifindex = 0;
		p->tc[0] = '\0';
		snprintf(p->state, sizeof(p->state), "detached");
		if (ifindex && p->cfg.vlan)
			sl_dp_set_port(a->dp, ifindex, p->cfg.vlan, NULL);
	}
	if (!ifindex)
		return known ? 0 : refuse(r, 404, "see ip link",
					  "no interface %s", name);
	if (sl_dp_detach(a->dp, ifindex))
		return refuse(r, 409, "see sealane status", "%s",
			      sl_dp_error(a->dp));
	sl_dp_set_port(a->dp, ifindex, 0, NULL);
	return 0;
}

static void add_counters(const struct agent *a, const struct port *p,
			 struct json_object *o)
{
	struct json_object *reasons = json_object_new_object();
	uint64_t packets = 0, bytes = 0, drops = 0;
	struct sl_port_ctr ctr;
	int i;

	sl_dp_read_port(a->dp, p->slot, &ctr);
	for (i = 0; i < SL_R_MAX; i++) {
		packets += ctr.packets[i];
		bytes += ctr.bytes[i];
		if (i >= SL_R_DROP_FIRST)
			drops += ctr.packets[i];
		if (ctr.packets[i])
			put_int(reasons, sl_reason_name(i), ctr.packets[i]);
	}
	put_int(o, "packets", packets);
	put_int(o, "bytes", bytes);
	put_int(o, "pps", p->pps);
	put_int(o, "drops", drops);
	json_object_object_add(o, "reasons", reasons);
}

struct json_object *port_doc(const struct agent *a, const struct port *p)
{
	struct json_object *o = json_object_new_object();

	put_text(o, "name", p->cfg.name);
	put_int(o, "ifindex", p->ifindex);
	put_int(o, "vlan", p->cfg.vlan);
	put_text(o, "side", sl_side_name(p->cfg.side));
	put_text(o, "path", p->cfg.path);
	put_text(o, "mode", p->mode == SL_XDP_NATIVE ? "native" :
		 p->mode == SL_XDP_GENERIC ? "generic" : "none");
	put_text(o, "state", p->state);
	add_counters(a, p, o);
	return o;
}
