// SPDX-License-Identifier: GPL-2.0
/* Any bytes as an UPDATE, as ExaBGP's lines, GoBGP's, or the agent's events:
 * what comes out can be kept, and told to the agent. */
#include <stdlib.h>
#include <string.h>
#include "bgp_routes.h"

static void check(void *arg, const struct sl_bgp_event *e)
{
	struct sl_routes *t = arg;
	char why[SL_FLOWSPEC_WHY_B], name[SL_FLOWSPEC_PEER_B];
	static struct sl_bgp_bytes bytes;
	struct sl_bgp_event back;
	struct json_object *o;

	if (e->op == SL_BGP_ODD) {
		if (!e->text[0])
			abort();
		return;
	}
	if (e->op == SL_BGP_END)
		return;
	if (!sl_bgp_peer_name(e->peer, name))
		abort();
	if (e->op == SL_BGP_ANNOUNCE || e->op == SL_BGP_WITHDRAW) {
		/* an NLRI without a byte is refused where it is read */
		if (e->key_b > SL_FLOWSPEC_MAX_B || e->ext_b % 8 ||
		    e->ext_b > SL_BGP_EXT_B || e->ext6_b > SL_BGP_EXT6_B)
			abort();
	}
	if (e->op == SL_BGP_ANNOUNCE &&
	    (!sl_routes_put(t, e) || !sl_route_is(sl_routes_find(t, e), e)))
		abort();
	if (e->op == SL_BGP_WITHDRAW)
		sl_routes_drop(t, e);
	o = sl_bgp_event_doc(e);
	if (sl_bgp_event_parse(o, &back, &bytes, why) && e->key_b)
		abort();
	json_object_put(o);
}

static void events(const char *text, struct sl_routes *t)
{
	struct json_object *o = json_tokener_parse(text);
	static struct sl_bgp_bytes bytes;
	char why[SL_FLOWSPEC_WHY_B];
	struct sl_bgp_event e;

	if (o && !sl_bgp_event_parse(o, &e, &bytes, why))
		check(t, &e);
	json_object_put(o);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sl_routes t = {};
	char *text;

	if (!size)
		return 0;
	if (data[0] % 4 == 0)
		sl_bgp_update("192.0.2.1", data + 1, size - 1, check, &t);
	else if (data[0] % 4 == 1)
		sl_bgp_exabgp_line((const char *)data + 1, size - 1, check, &t);
	else if (data[0] % 4 == 2)
		sl_bgp_gobgp_line((const char *)data + 1, size - 1, check, &t);
	text = malloc(size);
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';
	if (data[0] % 4 == 3)
		events(text, &t);
	free(text);
	sl_routes_clear(&t);
	return 0;
}
