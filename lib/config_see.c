// SPDX-License-Identifier: GPL-2.0
/* Configuration: what people see (geography, budgets, path changes, history),
 * where, and who may do what. */
#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "config_text.h"
#include "duration.h"

#define SECOND_NS 1000000000ULL

void config_see_defaults(struct sl_config *c)
{
	c->detection.step_ns = 3000000;
	c->detection.share_ppm = 100000;
	c->detection.hold_ns = 180 * SECOND_NS;
	c->history.keep_ns[0] = 6 * 3600 * SECOND_NS;
	c->history.keep_ns[1] = 3 * 86400 * SECOND_NS;
	c->history.keep_ns[2] = 400 * 86400 * SECOND_NS;
	c->history.max_mb = 500;
}

static void free_words(char **words, unsigned int n)
{
	while (n)
		free(words[--n]);
	free(words);
}

void config_see_free(struct sl_config *c)
{
	unsigned int i;

	for (i = 0; i < c->n_lanes; i++)
		free(c->lanes[i].budgets);
	for (i = 0; i < c->n_detours; i++)
		free_words(c->detours[i].lanes, c->detours[i].n_lanes);
	free(c->detours);
	for (i = 0; i < c->n_listen; i++) {
		free(c->listen[i].cert);
		free(c->listen[i].key);
	}
	free(c->listen);
	free(c->tokens);
	for (i = 0; i < SL_ROLE_MAX; i++)
		free_words(c->roles[i].users, c->roles[i].n);
}

static char **copy_words(char **text, unsigned int n, unsigned int *n_out)
{
	char **out = calloc(n ? n : 1, sizeof(*out));
	unsigned int i;

	for (i = 0; out && i < n; i++)
		out[i] = strdup(text[i]);
	*n_out = out ? n : 0;
	return out;
}

static bool is_degrees(const char *text, double most, double *out)
{
	char *end;

	*out = strtod(text, &end);
	return end != text && !*end && *out >= -most && *out <= most;
}

/* at: [20.04, 110.35] */
static void get_place(struct reading *r, const yaml_node_t *map,
		      const char *key, char **text, unsigned int n,
		      struct sl_place *out)
{
	const yaml_node_t *seq = config_key(r, map, key);

	if (!seq)
		return;
	if (n != 2 || !is_degrees(text[0], 90, &out->lat_deg) ||
	    !is_degrees(text[1], 180, &out->lon_deg))
		config_mistake(r, seq, "write [latitude, longitude] in degrees "
			       "north and east, such as [1.35, 103.82]",
			       "%s: no place on Earth", key);
	else
		out->known = true;
}

/* "p99 <= 60ms over 5m" */
static bool parse_budget(const char *text, struct sl_budget *b)
{
	char most[16], over[16], *end;
	int n = 0;

	if (text[0] != 'p' || strlen(text) >= sizeof(b->text))
		return false;
	b->quantile = strtod(text + 1, &end) / 100;
	if (!isdigit((unsigned char)text[1]) || !(b->quantile > 0 &&
	    b->quantile < 1))
		return false;
	if (sscanf(end, " <= %15s over %15s %n", most, over, &n) != 2 ||
	    end[n] || sl_duration_parse(most, &b->most_ns) ||
	    sl_duration_parse(over, &b->over_ns))
		return false;
	strcpy(b->text, text);
	return b->most_ns && b->over_ns >= 10 * SECOND_NS &&
	       b->over_ns <= 86400 * SECOND_NS;
}

static void get_lane(struct reading *r, const yaml_node_t *map,
		     const struct text_lane *t, struct sl_config_lane *out)
{
	const yaml_node_t *seq = config_key(r, map, "budgets");
	unsigned int i;

	get_place(r, map, "at", t->at, t->at_count, &out->at);
	out->budgets = calloc(t->budgets_count + 1, sizeof(*out->budgets));
	for (i = 0; out->budgets && i < t->budgets_count; i++) {
		if (parse_budget(t->budgets[i],
				 &out->budgets[out->n_budgets]))
			out->n_budgets++;
		else
			config_mistake(r, config_item(r, seq, i), "write p99 "
				       "<= 60ms over 5m; over from 10s to 24h",
				       "%s is no budget", t->budgets[i]);
	}
}

static bool is_lane(const struct sl_config *c, const char *name)
{
	unsigned int i;

	for (i = 0; i < c->n_lanes; i++)
		if (!strcmp(c->lanes[i].name, name))
			return true;
	return false;
}

/* via: the place of a lane of this name */
static void get_via(struct reading *r, const yaml_node_t *map,
		    const struct sl_config *c, const char *name,
		    struct sl_detour *out)
{
	unsigned int i;

	for (i = 0; name && i < c->n_lanes; i++)
		if (!strcmp(c->lanes[i].name, name))
			out->via = c->lanes[i].at;
	if (name && (!out->via.known || !c->gateway.at.known))
		config_mistake(r, config_key(r, map, "via"), "name a lane that "
			       "has at:, and say gateway: {at: [...]}",
			       "via: %s has no known place", name);
}

static void get_detour(struct reading *r, const yaml_node_t *map,
		       const struct sl_config *c, const struct text_detour *t,
		       struct sl_detour *out)
{
	const yaml_node_t *seq = config_key(r, map, "lanes");
	unsigned int i;
	uint32_t km = 0;

	out->line = map->start_mark.line + 1;
	if (!t->name || !t->name[0] || strlen(t->name) >= sizeof(out->name))
		config_mistake(r, map, "add name: with 1 to 31 bytes",
			       "a detour has no name");
	else
		strcpy(out->name, t->name);
	if (!t->rtt + !t->km + !t->via != 2)
		config_mistake(r, map, "write one of rtt:, km:, via:",
			       "detour %s: how long is it?", out->name);
	config_duration(r, map, "rtt", t->rtt, &out->rtt_ns);
	config_number(r, map, "km", t->km, 1, 100000, false, &km);
	out->km = km;
	get_via(r, map, c, t->via, out);
	out->lanes = copy_words(t->lanes, t->lanes_count, &out->n_lanes);
	for (i = 0; i < out->n_lanes; i++)
		if (!is_lane(c, out->lanes[i]))
			config_mistake(r, config_item(r, seq, i),
				       "see lanes:", "no lane %s",
				       out->lanes[i]);
}

static void get_detours(struct reading *r, struct sl_config *c)
{
	const yaml_node_t *seq = config_key(r, config_root(r), "detours");
	unsigned int i, n = r->text->detours_count;

	c->detours = calloc(n + 1, sizeof(*c->detours));
	c->n_detours = c->detours ? n : 0;
	for (i = 0; i < c->n_detours; i++)
		get_detour(r, config_item(r, seq, i), c, &r->text->detours[i],
			   &c->detours[i]);
}

static void get_history(struct reading *r, struct sl_config *c)
{
	const yaml_node_t *m = config_key(r, config_root(r), "history");
	const struct text_history *t = r->text->history;

	if (!t)
		return;
	config_duration(r, m, "keep_10s", t->keep_10s, &c->history.keep_ns[0]);
	config_duration(r, m, "keep_1m", t->keep_1m, &c->history.keep_ns[1]);
	config_duration(r, m, "keep_15m", t->keep_15m, &c->history.keep_ns[2]);
	config_number(r, m, "max_mb", t->max_mb, 10, 1000000, false,
		      &c->history.max_mb);
}

/* "127.0.0.1:9478", "[::1]:9478" */
static bool parse_listener(const char *text, struct sl_listener *out)
{
	const char *colon = text ? strrchr(text, ':') : NULL;
	uint8_t addr[16];
	size_t len_b;
	char *end;
	long port;

	if (!colon || !isdigit((unsigned char)colon[1]))
		return false;
	port = strtol(colon + 1, &end, 10);
	len_b = colon - text;
	if (text[0] == '[' && len_b > 2 && text[len_b - 1] == ']') {
		text++;
		len_b -= 2;
	}
	if (*end || port > 65535 || len_b >= sizeof(out->host))
		return false;
	memcpy(out->host, text, len_b);
	out->port = port;
	return inet_pton(AF_INET, out->host, addr) == 1 ||
	       inet_pton(AF_INET6, out->host, addr) == 1;
}

static bool is_loopback(const char *host)
{
	return !strncmp(host, "127.", 4) || !strcmp(host, "::1");
}

static void get_listener(struct reading *r, const yaml_node_t *map,
			 const struct text_listener *t, struct sl_listener *out)
{
	const yaml_node_t *at = config_key(r, map, "address");

	out->line = map->start_mark.line + 1;
	if (!parse_listener(t->address, out)) {
		config_mistake(r, at ? at : map, "write address: "
			       "127.0.0.1:9478, or \"[::1]:9478\"",
			       "address: %s is none", t->address ?
			       t->address : "(nothing)");
		return;
	}
	if (!t->cert != !t->key)
		config_mistake(r, map, "write cert: and key:, PEM files",
			       "one of cert and key is missing");
	if (!t->cert && !is_loopback(out->host))
		config_mistake(r, at, "add cert: and key:, or listen on "
			       "127.0.0.1", "%s without TLS", out->host);
	out->cert = t->cert ? config_resolve(r, t->cert) : NULL;
	out->key = t->key ? config_resolve(r, t->key) : NULL;
	out->role = t->cert ? SL_ROLE_NONE : SL_ROLE_VIEW;
	if (t->role && strcmp(t->role, "none") && strcmp(t->role, "view"))
		config_mistake(r, config_key(r, map, "role"), "write view or "
			       "none; more needs a token", "role: %s for "
			       "everybody", t->role);
	else if (t->role)
		out->role = !strcmp(t->role, "view") ? SL_ROLE_VIEW :
			    SL_ROLE_NONE;
}

static void get_access(struct reading *r, struct sl_config *c)
{
	const yaml_node_t *seq = config_key(r, config_root(r), "listen");
	const struct text_roles *t = r->text->roles;
	unsigned int i, n = r->text->listen_count;

	c->listen = calloc(n + 1, sizeof(*c->listen));
	c->n_listen = c->listen ? n : 0;
	for (i = 0; i < c->n_listen; i++)
		get_listener(r, config_item(r, seq, i), &r->text->listen[i],
			     &c->listen[i]);
	if (r->text->tokens)
		c->tokens = config_resolve(r, r->text->tokens);
	if (!t)
		return;
	c->roles[SL_ROLE_VIEW].users = copy_words(t->view, t->view_count,
						&c->roles[SL_ROLE_VIEW].n);
	c->roles[SL_ROLE_OPERATE].users = copy_words(t->operate,
			t->operate_count, &c->roles[SL_ROLE_OPERATE].n);
	c->roles[SL_ROLE_ENFORCE].users = copy_words(t->enforce,
			t->enforce_count, &c->roles[SL_ROLE_ENFORCE].n);
}

void config_see(struct reading *r, struct sl_config *c)
{
	const yaml_node_t *root = config_root(r);
	const yaml_node_t *lanes = config_key(r, root, "lanes"), *m;
	const struct text_config *t = r->text;
	unsigned int i;

	if (t->gateway) {
		m = config_key(r, root, "gateway");
		get_place(r, m, "at", t->gateway->at, t->gateway->at_count,
			  &c->gateway.at);
		snprintf(c->gateway.name, sizeof(c->gateway.name), "%s",
			 t->gateway->name ? t->gateway->name : "");
	}
	for (i = 0; i < c->n_lanes; i++)
		get_lane(r, config_item(r, lanes, i), &t->lanes[i],
			 &c->lanes[i]);
	get_detours(r, c);
	if (t->detection) {
		m = config_key(r, root, "detection");
		config_duration(r, m, "step", t->detection->step,
				&c->detection.step_ns);
		config_share(r, m, "share", t->detection->share,
			     &c->detection.share_ppm);
		config_duration(r, m, "hold", t->detection->hold,
				&c->detection.hold_ns);
	}
	get_history(r, c);
	get_access(r, c);
}
