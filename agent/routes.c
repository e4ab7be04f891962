// SPDX-License-Identifier: GPL-2.0
/* What can be asked of the agent: docs/api.md. */
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "commits.h"
#include "duration.h"
#include "metrics.h"
#include "names.h"
#include "page.h"
#include "plain.h"
#include "query.h"
#include "residence.h"

const char *call_query(struct call *k, const char *key)
{
	/* the connection's own memory, decoded */
	char *word = (char *)MHD_lookup_connection_value(
		k->c, MHD_GET_ARGUMENT_KIND, key);

	return word ? sl_plain(word) : NULL;
}

const char *call_word(struct call *k, const char *key)
{
	struct json_object *v;

	return json_object_object_get_ex(k->body, key, &v) && v ?
	       json_object_get_string(v) : NULL;
}

static bool flag(struct call *k, const char *key)
{
	struct json_object *v;

	return json_object_object_get_ex(k->body, key, &v) &&
	       json_object_get_boolean(v);
}

static struct json_object *get_status(struct call *k)
{
	return status_doc(k->a);
}

static struct json_object *get_blocks(struct call *k)
{
	return blocks_doc(k->a);
}

static struct json_object *get_explain(struct call *k)
{
	const char *addr = call_query(k, "addr");

	return explain_doc(k->a, addr ? addr : "", &k->r);
}

#define WAIT_MAX_S 25		/* tools and proxies give up after 30 */

/* How long the caller will wait for something new, in *s; 0: not at all. */
static int wait_of(struct call *k, uint64_t *s)
{
	const char *wait = call_query(k, "wait");

	*s = 0;
	if (wait && parse_number(wait, WAIT_MAX_S, s))
		return refuse(&k->r, 400, "0 to 25 seconds", "wait=%s", wait);
	return 0;
}

/* Something that has news now and then; without any the caller may wait. */
static struct json_object *
news(struct call *k, struct json_object *(*doc)(const struct agent *a,
						const struct event_query *q,
						bool *none, struct refusal *r))
{
	struct event_query q = {
		.after = call_query(k, "after"), .since = call_query(k, "since"),
		.kind = call_query(k, "kind"), .limit = call_query(k, "limit") };
	struct json_object *o;
	bool none = false;
	uint64_t wait_s;

	if (wait_of(k, &wait_s))
		return NULL;
	o = doc(k->a, &q, &none, &k->r);
	if (!o || !none || !wait_s || !k->may_wait)
		return o;
	json_object_put(o);
	k->wait_s = wait_s;
	return NULL;
}

static struct json_object *get_events(struct call *k)
{
	return news(k, events_doc);
}

static struct json_object *get_drops(struct call *k)
{
	return news(k, drops_doc);
}

static struct json_object *post_block(struct call *k)
{
	struct json_object *answer = NULL;

	blocks_add(k->a, k->body, &k->who, &answer, &k->r);
	return answer;
}

static struct json_object *post_unblock(struct call *k)
{
	struct json_object *answer = NULL;

	blocks_remove(k->a, k->body, &k->who, &answer, &k->r);
	return answer;
}

static void note_done(struct call *k, const char *action, const char *object,
		      const char *why)
{
	const struct audit e = { .who = k->who, .action = action,
				 .object = object, .why = why,
				 .outcome = "done" };

	audit_note(k->a, &e);
}

static struct json_object *attach_doc(struct call *k, const char *name)
{
	struct json_object *o = json_object_new_object();
	unsigned int i;

	put_text(o, "interface", name);
	for (i = 0; i < k->a->n_ports; i++) {
		const struct port *p = &k->a->ports[i];

		if (strcmp(p->cfg.name, name))
			continue;
		put_int(o, "ifindex", p->ifindex);
		put_text(o, "mode", p->mode == SL_XDP_NATIVE ? "native" :
			 p->mode == SL_XDP_GENERIC ? "generic" : "none");
		put_text(o, "side", sl_side_name(p->cfg.side));
		put_text(o, "path", p->cfg.path);
		put_text(o, "state", p->state);
		return o;
	}
	put_int(o, "ifindex", 0);
	put_text(o, "mode", "none");
	put_null(o, "side");
	put_null(o, "path");
	put_text(o, "state", "detached");
	return o;
}

static struct json_object *post_attach(struct call *k)
{
	const char *name = call_word(k, "interface"), *side = call_word(k, "side");
	const char *path = call_word(k, "path");
	int s;

	for (s = SL_SIDE_INSIDE; side && s < SL_SIDE_MAX; s++)
		if (!strcmp(side, sl_side_name(s)))
			break;
	if (!name || !side || s == SL_SIDE_MAX) {
		refuse(&k->r, 400, "side is inside, outside or tap",
		       "attach wants an interface and a side");
		return NULL;
	}
	if (ports_attach(k->a, name, s, path ? path : "", flag(k, "generic"),
			 &k->r))
		return NULL;
	note_done(k, "attach", name, "");
	return attach_doc(k, name);
}

static struct json_object *post_detach(struct call *k)
{
	const char *name = call_word(k, "interface");
	struct json_object *detail;

	if (!name || !name[0]) {
		refuse(&k->r, 400, "name it", "detach wants an interface");
		return NULL;
	}
	if (ports_detach(k->a, name, &k->r))
		return NULL;
	detail = event_by(&k->who);
	put_text(detail, "interface", name);
	event(k->a, LOG_WARNING, "interface", detail, "interface %s: detached "
	      "by %s", name, user_name(&k->who));
	note_done(k, "detach", name, "");
	return attach_doc(k, name);
}

static struct json_object *post_bypass(struct call *k)
{
	const char *why = call_word(k, "why");
	struct json_object *o;
	bool on = flag(k, "on");

	if (!json_object_is_type(json_object_object_get(k->body, "on"),
				 json_type_boolean)) {
		refuse(&k->r, 400, "\"on\" is true or false",
		       "bypass wants to know whether it is on");
		return NULL;
	}
	if (bypass_set(k->a, on, why, &k->who, &k->r))
		return NULL;
	note_done(k, "bypass", on ? "on" : "off", why);
	o = json_object_new_object();
	put_bool(o, "bypass", on);
	return o;
}

static struct json_object *get_module(struct call *k)
{
	return module_doc(k->a);
}

static struct json_object *post_module(struct call *k)
{
	struct json_object *v;

	if (!json_object_object_get_ex(k->body, "on", &v) ||
	    !json_object_is_type(v, json_type_boolean)) {
		refuse(&k->r, 400, "\"on\" is true or false",
		       "module wants to know whether it is on");
		return NULL;
	}
	if (module_set(k->a, flag(k, "on"), &k->who, &k->r))
		return NULL;
	note_done(k, "module", flag(k, "on") ? "on" : "off", "");
	return module_doc(k->a);
}

static struct json_object *post_reload(struct call *k)
{
	struct json_object *o;
	struct job *j = job_new(k->a, JOB_RELOAD, &k->who);

	if (!j) {
		refuse(&k->r, 500, "free memory", "out of memory");
		return NULL;
	}
	o = json_object_new_object();
	put_int(o, "job", j->id);
	job_start(k->a, j);
	return o;
}

static bool is_list_name(const char *s)
{
	size_t n = s ? strlen(s) : 0;

	return n && n < SL_NAME_B && s[0] != '-' &&
	       strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
			 "0123456789._-") == n;
}

static struct job *list_job(struct call *k, enum job_kind kind)
{
	const char *name = call_query(k, "name"), *why = call_query(k, "why");
	const char *file = call_query(k, "file");
	struct job *j;

	if (!is_list_name(name) || (why && strlen(why) >= TEXT_B)) {
		refuse(&k->r, 400, "a name of 1 to 31 letters, digits, dots, "
		       "dashes; why has at most 255 bytes", "no list %s",
		       name ? name : "(nameless)");
		return NULL;
	}
	j = job_new(k->a, kind, &k->who);
	if (!j) {
		refuse(&k->r, 500, "free memory", "out of memory");
		return NULL;
	}
	strcpy(j->name, name);
	snprintf(j->why, sizeof(j->why), "%s", why ? why : "");
	snprintf(j->file, sizeof(j->file), "%s", file ? file : name);
	return j;
}

struct json_object *call_started(struct call *k, struct job *j)
{
	struct json_object *o = json_object_new_object();

	put_int(o, "job", j->id);
	job_start(k->a, j);
	return o;
}

static struct json_object *post_list(struct call *k)
{
	const char *word = call_query(k, "format");
	const char *force = call_query(k, "force");
	int format = sl_list_format_of(word ? word : "auto");
	struct job *j;

	if (format < 0) {
		refuse(&k->r, 400, "auto, cidr, netset or spamhaus",
		       "no format %s", word);
		return NULL;
	}
	if (!k->raw_b) {
		refuse(&k->r, 400, "to empty a list, remove it",
		       "the list is empty");
		return NULL;
	}
	j = list_job(k, JOB_LIST);
	if (!j)
		return NULL;
	j->list = calloc(1, sizeof(*j->list));
	if (!j->list) {
		free(j);
		refuse(&k->r, 500, "free memory", "out of memory");
		return NULL;
	}
	strcpy(j->list->name, j->name);
	strcpy(j->list->why, j->why);
	j->list->uid = k->who.uid;
	j->list->at_ns = sl_now_ns();
	j->format = format;
	j->force = force && !strcmp(force, "1");
	j->body = k->raw;
	j->body_b = k->raw_b;
	k->raw = NULL;
	return call_started(k, j);
}

static struct json_object *post_list_remove(struct call *k)
{
	const char *name = call_query(k, "name");
	struct job *j;

	if (name && !lists_find(&k->a->lists, name)) {
		refuse(&k->r, 404, "see sealane list ls", "no list %s", name);
		return NULL;
	}
	j = list_job(k, JOB_LIST_REMOVE);
	return j ? call_started(k, j) : NULL;
}

static struct json_object *get_lists(struct call *k)
{
	return lists_doc(k->a);
}

static struct json_object *get_list(struct call *k)
{
	const char *name = call_query(k, "name");

	return list_page(k->a, name ? name : "", call_query(k, "from"),
			 call_query(k, "limit"), &k->r);
}

static struct json_object *get_job(struct call *k)
{
	const char *id = call_query(k, "id");

	return job_doc(k->a, id ? strtoll(id, NULL, 10) : 0, &k->r);
}

static struct json_object *get_flowspec(struct call *k)
{
	return flowspec_doc(k->a);
}

static struct json_object *post_flowspec(struct call *k)
{
	return flowspec_take(k->a, k->body, &k->who, &k->r);
}

static struct json_object *post_flowspec_purge(struct call *k)
{
	const char *name = call_word(k, "neighbour");
	struct json_object *answer = NULL;

	flowspec_purge(k->a, name ? name : "", &k->who, &answer, &k->r);
	return answer;
}

#define JSON_B	65536
#define EVENTS_B (1U << 20)	/* a source sends what it has in parts */
#define LIST_B	(256U << 20)
#define RULES_B	(64U << 20)

static const struct route routes[] = {
	{ "GET", "status", get_status, JSON_B, 0 },
	{ "GET", "latency", get_latency, JSON_B, 0 },
	{ "GET", "history", get_history, JSON_B, 0 },
	{ "GET", "lanes", get_lanes, JSON_B, 0 },
	{ "GET", "explain", get_explain, JSON_B, 0 },
	{ "GET", "events", get_events, JSON_B, 0 },
	{ "GET", "drops", get_drops, JSON_B, 0 },
	{ "GET", "blocks", get_blocks, JSON_B, 0 },
	{ "GET", "lists", get_lists, JSON_B, 0 },
	{ "GET", "list", get_list, JSON_B, 0 },
	{ "GET", "job", get_job, JSON_B, 0 },
	{ "GET", "rules", get_rules, JSON_B, 0 },
	{ "GET", "generations", get_generations, JSON_B, 0 },
	{ "GET", "audit", get_audit, JSON_B, 0 },
	{ "POST", "block", post_block, JSON_B, 0 },
	{ "POST", "unblock", post_unblock, JSON_B, 0 },
	{ "POST", "list_replace", post_list, LIST_B, ROUTE_RAW },
	{ "POST", "list_remove", post_list_remove, JSON_B, 0 },
	{ "POST", "rule_apply", post_rule_apply, RULES_B, ROUTE_RAW },
	{ "POST", "rule_plan", post_rule_plan, RULES_B, ROUTE_RAW },
	{ "POST", "rule_confirm", post_rule_confirm, JSON_B, 0 },
	{ "POST", "rule_rollback", post_rule_rollback, JSON_B, 0 },
	{ "POST", "attach", post_attach, JSON_B, ROUTE_OPERATE },
	{ "POST", "detach", post_detach, JSON_B, ROUTE_OPERATE },
	{ "POST", "bypass", post_bypass, JSON_B, ROUTE_OPERATE },
	{ "GET", "module", get_module, JSON_B, 0 },
	{ "POST", "module", post_module, JSON_B, ROUTE_OPERATE },
	{ "POST", "reload", post_reload, JSON_B, ROUTE_OPERATE },
	{ "GET", "stream", get_stream, JSON_B, 0 },
	{ "GET", "", get_index, JSON_B, 0 },
	{ "GET", "flowspec", get_flowspec, JSON_B, 0 },
	{ "POST", "flowspec", post_flowspec, EVENTS_B, 0 },
	{ "POST", "flowspec_purge", post_flowspec_purge, JSON_B, 0 },
	{ "GET", "/", get_page, JSON_B, ROUTE_OPEN },
	{ "GET", "/page/app.js", get_page_app, JSON_B, ROUTE_OPEN },
	{ "GET", "/page/app.css", get_page_style, JSON_B, ROUTE_OPEN },
	{ "GET", "/page/icon.svg", get_page_icon, JSON_B, ROUTE_OPEN },
	{ "GET", "/page/world.json", get_page_world, JSON_B, ROUTE_OPEN },
	{ "GET", "/page/near.json", get_page_near, JSON_B, ROUTE_OPEN },
	{ "GET", "/page/licences.txt", get_page_licences, JSON_B, ROUTE_OPEN },
	{ "GET", "/metrics", get_metrics, JSON_B, 0 },
	{}
};

const struct route *routes_all(void)
{
	return routes;
}

const struct route *route_of(const char *path, const char *method)
{
	const struct route *rt, *other = NULL;

	for (rt = routes; rt->path; rt++) {
		if (strcmp(path, rt->path))
			continue;
		if (!strcmp(method, rt->method))
			return rt;
		other = rt;
	}
	return other;
}
