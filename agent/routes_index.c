// SPDX-License-Identifier: GPL-2.0
/* GET /api/v1/: who asks, what there is, and which role each thing wants. */
#include <stdio.h>
#include <string.h>
#include "api.h"
#include "call.h"
#include "commits.h"
#include "token.h"

static struct json_object *route_doc(const struct route *rt)
{
	struct json_object *o = json_object_new_object();
	char path[96];

	snprintf(path, sizeof(path), "%s%s", rt->path[0] == '/' ? "" :
		 "/api/v1/", rt->path);
	put_text(o, "method", rt->method);
	put_text(o, "path", path);
	put_text(o, "role", sl_role_name(role_wanted(rt)));
	return o;
}

struct json_object *get_index(struct call *k)
{
	struct json_object *o = json_object_new_object();
	struct json_object *you = json_object_new_object();
	struct json_object *list = json_object_new_array();
	const struct route *rt;

	for (rt = routes_all(); rt->path; rt++)
		json_object_array_add(list, route_doc(rt));
	put_text(you, "name", user_name(&k->who));
	put_text(you, "role", sl_role_name(k->who.role));
	put_text(o, "version", SL_VERSION);
	put_text(o, "gateway", k->a->cfg->gateway.name[0] ?
		 k->a->cfg->gateway.name : NULL);
	json_object_object_add(o, "you", you);
	json_object_object_add(o, "routes", list);
	return o;
}
