// SPDX-License-Identifier: GPL-2.0
/* The tables that the packets of these tests meet. */
#include <errno.h>
#include <stdio.h>
#include "fib_image.h"
#include "prefix.h"
#include "rib.h"
#include "naive.h"
#include "shot.h"

#define KNOWN_RULES 200

enum { PROTECT = SL_CLASS_PROTECT, DROP, COUNT, EXPIRED, CLASSES };

static const struct sl_class classes[CLASSES] = {
	[PROTECT] = { .action = SL_ACT_PROTECT },
	[DROP] = { .action = SL_ACT_DROP },
	[COUNT] = { .action = SL_ACT_COUNT },
	[EXPIRED] = { .action = SL_ACT_DROP, .until_ns = 1000 },
};

/* value: a lane, or with is_class a class. */
static void add(struct sl_rib *r, const char *text, int is_class,
		uint32_t value)
{
	struct sl_prefix p;

	if (sl_prefix_parse(text, &p, NULL))
		fprintf(stderr, "tables: %s is no prefix\n", text);
	else if (is_class)
		sl_rib_add_class(r, &p, value, classes[value].action, 0);
	else
		sl_rib_add_lane(r, &p, value, SL_LAYER_OPERATOR, 0);
}

static void add_known(struct sl_rib *r)
{
	static const char *const home[] = { "198.18.0.0/24", "2001:db8::/64",
		"10.0.0.0/25", "172.16.0.0/12", "192.168.0.0/23", "fc00::/7" };
	size_t i;

	for (i = 0; i < sizeof(home) / sizeof(home[0]); i++)
		add(r, home[i], 0, SL_LANE_HOME);
	add(r, "203.0.113.0/24", 0, 1);
	add(r, "2001:db8:1::/48", 0, 1);
	add(r, "198.18.0.1", 1, PROTECT);
	add(r, "203.0.113.66", 1, DROP);
	add(r, "2001:db8:1::66", 1, DROP);
	add(r, "203.0.113.77", 1, COUNT);
	add(r, "2001:db8:1::77", 1, COUNT);
	add(r, "203.0.113.88", 1, EXPIRED);
	add(r, "2001:db8:1::88", 1, EXPIRED);
}

/* The rest of the world, so that captures meet lanes and classes too. Not
 * where the known prefixes are. */
static void add_world(struct sl_rib *r)
{
	char text[64];
	int i, k;

	for (i = 0; i < 8; i++) {
		snprintf(text, sizeof(text), "%d.0.0.0/3", i * 32);
		add(r, text, 0, 2 + i);
		snprintf(text, sizeof(text), "%x000::/4", i * 2);
		add(r, text, 0, 10 + i);
	}
	for (i = 16; i < 256 * 256; i += 16)
		for (k = PROTECT; k < CLASSES; k++) {
			snprintf(text, sizeof(text), "%d.%d.0.0/16", i >> 8,
				 (i & 0xff) + 4 + k);
			add(r, text, 1, k);
			if (i >> 12 != 2)
				continue;
			snprintf(text, sizeof(text), "%x::/16",
				 i + 4 + k);
			add(r, text, 1, k);
		}
}

/* One that is felt, by one address. */
static void narrow(struct sl_rule *r, enum sl_action action)
{
	struct sl_rule_addr *src = &r->match.src;

	r->action = action;
	r->limit.pps = 2;
	r->limit.burst = 3;
	if (!src->p)
		src->p = calloc(1, sizeof(*src->p));
	sl_prefix_parse("203.0.113.77", src->p, NULL);
	src->n = 1;
	src->n_lists = 0;
}

/* Rules of every kind, of which few end a packet's way: the rest of the engine
 * is to be met too. */
static void add_rules(struct sl_ruleset *set)
{
	unsigned int i;

	srandom(4);
	random_rules(set, KNOWN_RULES);
	for (i = 0; i < set->n; i++) {
		struct sl_rule *r = &set->r[i];

		r->action = SL_ACT_COUNT;
		if (i % 32 == 7)
			narrow(r, i & 32 ? SL_ACT_DROP : SL_ACT_LIMIT);
		r->limit.per_source = i & 1;
		r->until_ns = i % 5 ? 0 : 1000000000ULL * i;
	}
}

int known_tables(void)
{
	struct sl_ctl *ctl = native_at("sl_ctl", 0);
	struct sl_rib *r = sl_rib_new();
	struct sl_ruleset set = {};
	struct sl_abv_rule *rules;
	struct sl_abv_image room;
	struct sl_fib_image img;
	struct sl_abv *abv;
	int i, rc;

	if (!r)
		return -ENOMEM;
	add_known(r);
	add_world(r);
	for (i = 1; i < CLASSES; i++)
		*(struct sl_class *)native_at("sl_classes", i) = classes[i];
	native_bank((ctl->epoch + 1) & 1, &img);
	native_rules((ctl->epoch + 1) & 1, &room);
	add_rules(&set);
	rules = as_rules(&set);
	abv = sl_abv_new(&room, 0);
	rc = rules && abv ? sl_abv_compile(abv, rules, set.n, &naive_names) :
	     -ENOMEM;
	if (!rc)
		rc = sl_abv_add_groups(abv, r);
	if (!rc)
		rc = sl_rib_sort(r);
	if (!rc)
		rc = sl_fib_build(&img, (struct sl_rib_pair){ .base = r,
				  .abv = abv }, NULL);
	if (!rc) {
		ctl->rules[(ctl->epoch + 1) & 1] = sl_abv_head(abv);
		ctl->epoch++;
		ctl->sample_every = sl_set.replay ? 100 : 0; /* random else */
		ctl->trip_every = sl_set.replay ? 3 : 0;
	}
	sl_abv_free(abv);
	free(rules);
	sl_ruleset_free(&set);
	sl_rib_free(r);
	return rc;
}

static void port(uint32_t ifindex, enum sl_side side, int vlans)
{
	struct sl_port *p = native_at("sl_ports", ifindex);

	*p = (struct sl_port){ .side = side, .path = ifindex, .slot = ifindex,
			       .vlans = vlans };
}

void known_ports(void)
{
	const struct sl_vlan_key key[] = { { KNOWN_IF_VLANS, 10 },
					   { KNOWN_IF_VLANS, 5 } };
	const struct sl_port tagged[] = {
		{ .side = SL_SIDE_INSIDE, .slot = 10 },
		{ .side = SL_SIDE_OUTSIDE, .slot = 11, .path = 9 } };
	int i;

	port(KNOWN_IF_INSIDE, SL_SIDE_INSIDE, 0);
	port(KNOWN_IF_OUTSIDE, SL_SIDE_OUTSIDE, 0);
	port(KNOWN_IF_TAP, SL_SIDE_TAP, 0);
	port(KNOWN_IF_VLANS, SL_SIDE_NONE, 1);
	for (i = 0; i < 2; i++)
		native_put("sl_vlans", &key[i], &tagged[i]);
}
