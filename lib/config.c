// SPDX-License-Identifier: GPL-2.0
/* Configuration, second half: strings -> checked values. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "config_text.h"
#include "duration.h"
#include "fib_image.h"

static void set_defaults(struct sl_config *c)
{
	c->tables.flows = 131072;
	c->tables.series = 1024;
	strcpy(c->tables.size, "large");
	c->flow_idle_ns = 300ULL * 1000000000;
	c->stamp_max_ns = 60ULL * 1000000000;
	c->max_share_ppm = 50000;
	c->residence.per_s = 500;
	c->residence.hardware = true;
	c->module = true;
	c->ports[0] = 22;
	c->ports[1] = 179;
	c->n_ports = 2;
	strcpy(c->socket, SL_SOCKET_PATH);
	strcpy(c->state_dir, SL_STATE_DIR);
	config_see_defaults(c);
}

struct sl_config *sl_config_default(void)
{
	struct sl_config *c = calloc(1, sizeof(*c));

	if (c) {
		set_defaults(c);
		strcpy(c->tables.size, "small");
	}
	return c;
}

static void free_words(char **words, unsigned int n)
{
	while (n)
		free(words[--n]);
	free(words);
}

static void free_sources(struct sl_sources *s)
{
	free_words(s->files, s->n_files);
	free(s->countries);
	free(s->asns);
}

void sl_config_free(struct sl_config *c)
{
	unsigned int i;

	if (!c)
		return;
	config_see_free(c);
	for (i = 0; i < c->n_lanes; i++) {
		free(c->lanes[i].prefixes);
		free_sources(&c->lanes[i].from);
	}
	free_sources(&c->home_from);
	free_sources(&c->protect_from);
	free(c->geo.country_mmdb);
	free(c->geo.asn_mmdb);
	free_words(c->geo.rir, c->geo.n_rir);
	free_words(c->geo.geofeeds, c->geo.n_geofeeds);
	free(c->lanes);
	free(c->ifaces);
	free(c->home);
	free(c->protect);
	free(c->own);
	free(c);
}

void sl_config_errors_free(struct sl_config_errors *errs)
{
	free(errs->e);
	errs->e = NULL;
	errs->n = 0;
}

/* --- values --- */
static bool is_name(const char *s)
{
	size_t n = strlen(s);

	return n && n < SL_NAME_B &&
	       strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
			 "0123456789._-") == n;
}

/* A whole number in lo..hi; a power of two when `pow2`. */
void config_number(struct reading *r, const yaml_node_t *map,
		       const char *key, const char *text, uint32_t lo,
		       uint32_t hi, bool pow2, uint32_t *out)
{
	char remedy[120], *end;
	unsigned long long v;
	uint32_t near = lo;

	if (!text)
		return;
	v = strtoull(text, &end, 10);
	while (pow2 && near < v && near < hi)
		near *= 2;
	snprintf(remedy, sizeof(remedy), pow2 ? "a power of two from %u to %u, "
		 "such as %u" : "a whole number from %u to %u", lo, hi, near);
	if (!isdigit((unsigned char)text[0]) || *end || v < lo || v > hi ||
	    (pow2 && v & (v - 1)))
		config_mistake(r, config_key(r, map, key), remedy,
			       "%s: %s is out of range", key, text);
	else
		*out = v;
}

void config_duration(struct reading *r, const yaml_node_t *map,
			 const char *key, const char *text, uint64_t *out)
{
	if (text && (sl_duration_parse(text, out) || !*out))
		config_mistake(r, config_key(r, map, key),
			       "write a duration such as 90s, 5m, 2h or 7d",
			       "%s: %s is no duration", key, text);
}

/* Used where it is there, or not at all. */
static void get_auto(struct reading *r, const yaml_node_t *map,
		     const char *key, const char *text, bool *out)
{
	if (text && strcmp(text, "auto") && strcmp(text, "off"))
		config_mistake(r, config_key(r, map, key), "write auto or off",
			       "%s: %s is neither auto nor off", key, text);
	else if (text)
		*out = !strcmp(text, "auto");
}

/* "5%" or 0.05. */
void config_share(struct reading *r, const yaml_node_t *map,
		      const char *key, const char *text, uint32_t *out_ppm)
{
	double v;
	char *end;

	if (!text)
		return;
	v = strtod(text, &end);
	if (!strcmp(end, "%"))
		v /= 100;
	if (!isdigit((unsigned char)text[0]) || (*end && strcmp(end, "%")) ||
	    !(v >= 0 && v <= 1))
		config_mistake(r, config_key(r, map, key),
			       "write 5%, or 0.05; 100% to let all through",
			       "%s: %s is no share", key, text);
	else
		*out_ppm = v * 1e6 + 0.5;
}

static void get_path(struct reading *r, const char *key, const char *text,
		     char *out, size_t len)
{
	if (!text)
		return;
	if (text[0] != '/' || strlen(text) >= len)
		config_mistake(r, config_key(r, config_root(r), key),
			       "an absolute path of moderate length",
			       "%s: %s is not usable", key, text);
	else
		strcpy(out, text);
}

/* --- interfaces --- */
static enum sl_side get_side(const char *text)
{
	static const char *const word[SL_SIDE_MAX] = {
		[SL_SIDE_NONE] = "", [SL_SIDE_INSIDE] = "inside",
		[SL_SIDE_OUTSIDE] = "outside", [SL_SIDE_TAP] = "tap" };
	int i;

	for (i = SL_SIDE_INSIDE; text && i < SL_SIDE_MAX; i++)
		if (!strcmp(text, word[i]))
			return i;
	return SL_SIDE_NONE;
}

static void get_iface_path(struct reading *r, const yaml_node_t *n,
			   const struct text_iface *t,
			   struct sl_config_iface *out)
{
	const yaml_node_t *at = config_key(r, n, "path");

	if (!t->path)
		return;
	if (!is_name(t->path))
		config_mistake(r, at, "1 to 31 letters, digits, dots, dashes",
			       "path %s is no valid name", t->path);
	else if (out->side == SL_SIDE_INSIDE)
		config_mistake(r, at, "remove it, or set side: outside",
			       "path %s on an inside interface", t->path);
	else
		strcpy(out->path, t->path);
}

static void get_iface(struct reading *r, const yaml_node_t *n,
		      const struct text_iface *t, struct sl_config_iface *out)
{
	uint32_t vlan = 0;

	out->line = n->start_mark.line + 1;
	if (!t->name || !t->name[0] || strlen(t->name) > 15)
		config_mistake(r, n, "add name: with an interface's name",
			       "interface %s has no valid name",
			       t->name ? t->name : "entry");
	else
		strcpy(out->name, t->name);
	config_number(r, n, "vlan", t->vlan, 1, 4094, false, &vlan);
	out->vlan = vlan;
	out->side = get_side(t->side);
	if (!out->side)
		config_mistake(r, config_key(r, n, "side") ?
			       config_key(r, n, "side") : n,
			       "write side: inside, outside or tap",
			       "interface %s: %s is no side",
			       t->name ? t->name : "?",
			       t->side ? t->side : "(nothing)");
	get_iface_path(r, n, t, out);
}

static void check_twins(struct reading *r, const struct sl_config *c,
			const yaml_node_t *seq)
{
	unsigned int i, j, paths = 0;

	for (i = 0; i < c->n_ifaces; i++) {
		bool known = !c->ifaces[i].path[0];

		for (j = 0; j < i; j++) {
			known |= !strcmp(c->ifaces[i].path, c->ifaces[j].path);
			if (!strcmp(c->ifaces[i].name, c->ifaces[j].name) &&
			    c->ifaces[i].vlan == c->ifaces[j].vlan)
				config_mistake(r, config_item(r, seq, i),
					       "keep one of them",
					       "interface %s stands on line %u "
					       "already", c->ifaces[i].name,
					       c->ifaces[j].line);
		}
		paths += !known;
	}
	if (paths >= SL_MAX_PATHS)
		config_mistake(r, seq, "use at most 15 path names",
			       "%u paths are too many", paths);
	if (c->n_ifaces >= SL_MAX_SLOTS)
		config_mistake(r, seq, "use at most 63 entries",
			       "%u interfaces are too many", c->n_ifaces);
}

static void get_ifaces(struct reading *r, struct sl_config *c)
{
	const yaml_node_t *seq = config_key(r, config_root(r), "interfaces");
	unsigned int i, n = r->text->interfaces_count;

	c->ifaces = calloc(n ? n : 1, sizeof(*c->ifaces));
	if (!c->ifaces)
		return;
	c->n_ifaces = n;
	for (i = 0; i < n; i++)
		get_iface(r, config_item(r, seq, i), &r->text->interfaces[i],
			  &c->ifaces[i]);
	check_twins(r, c, seq);
}

/* --- lanes --- */
static void get_lane(struct reading *r, const yaml_node_t *n,
		     const struct text_lane *t, struct sl_config_lane *out)
{
	const yaml_node_t *at = config_key(r, n, "name");
	char *end = NULL;

	out->line = n->start_mark.line + 1;
	if (!t->name || !is_name(t->name) || !strcmp(t->name, "other") ||
	    !strcmp(t->name, "home") || !strcmp(t->name, "all"))
		config_mistake(r, at ? at : n, "1 to 31 letters, digits, dots, "
			       "dashes; not other, home or all",
			       "lane %s has no valid name",
			       t->name ? t->name : "(nameless)");
	else
		strcpy(out->name, t->name);
	out->prefixes = config_prefixes(r, config_key(r, n, "prefixes"),
					t->prefixes, t->prefixes_count,
					&out->n_prefixes, &out->from);
	config_sources(r, n, t, &out->from);
	if (!t->prefixes_count && !t->files_count && !t->countries_count &&
	    !t->asns_count)
		config_mistake(r, n, "add prefixes:, files:, countries: or "
			       "asns: [...]", "lane %s has no prefixes",
			       t->name ? t->name : "(nameless)");
	if (!t->cable_km)
		return;
	out->cable_km = strtod(t->cable_km, &end);
	if (*end || !(out->cable_km >= 1 && out->cable_km <= 50000))
		config_mistake(r, config_key(r, n, "cable_km"),
			       "a length from 1 to 50000",
			       "cable_km: %s is out of range", t->cable_km);
}

struct owned {
	const struct sl_prefix *prefix;
	unsigned int lane;
};

static int by_prefix(const void *a, const void *b)
{
	const struct owned *x = a, *y = b;
	int rc = sl_prefix_cmp(x->prefix, y->prefix);

	return rc ? rc : (int)x->lane - (int)y->lane;
}

/* The same prefix in two lanes has no answer: refuse it. */
static void check_overlap(struct reading *r, const struct sl_config *c,
			  const yaml_node_t *seq)
{
	unsigned int i, j, n = 0, all = 0;
	char text[SL_PREFIX_STR_B];
	struct owned *o;

	for (i = 0; i < c->n_lanes; i++)
		all += c->lanes[i].n_prefixes;
	o = calloc(all ? all : 1, sizeof(*o));
	for (i = 0; o && i < c->n_lanes; i++)
		for (j = 0; j < c->lanes[i].n_prefixes; j++)
			o[n++] = (struct owned){ &c->lanes[i].prefixes[j], i };
	if (n)
		qsort(o, n, sizeof(*o), by_prefix);
	for (i = 1; i < n; i++) {
		if (o[i].lane == o[i - 1].lane || !o[i].prefix->family ||
		    sl_prefix_cmp(o[i].prefix, o[i - 1].prefix))
			continue;
		config_mistake(r, config_item(r, seq, o[i].lane),
			       "leave it in one lane", "prefix %s is in lane "
			       "%s (line %u) and in lane %s",
			       sl_prefix_str(o[i].prefix, text),
			       c->lanes[o[i - 1].lane].name,
			       c->lanes[o[i - 1].lane].line,
			       c->lanes[o[i].lane].name);
	}
	free(o);
}

static void get_lanes(struct reading *r, struct sl_config *c)
{
	const yaml_node_t *seq = config_key(r, config_root(r), "lanes");
	unsigned int i, j, n = r->text->lanes_count;

	if (n >= SL_MAX_LANES) {
		config_mistake(r, seq, "use at most 1023 lanes",
			       "%u lanes are too many", n);
		return;
	}
	c->lanes = calloc(n ? n : 1, sizeof(*c->lanes));
	if (!c->lanes)
		return;
	c->n_lanes = n;
	for (i = 0; i < n; i++) {
		get_lane(r, config_item(r, seq, i), &r->text->lanes[i],
			 &c->lanes[i]);
		for (j = 0; j < i; j++)
			if (c->lanes[i].name[0] &&
			    !strcmp(c->lanes[i].name, c->lanes[j].name))
				config_mistake(r, config_item(r, seq, i),
					       "give it another name",
					       "lane %s stands on line %u "
					       "already", c->lanes[i].name,
					       c->lanes[j].line);
	}
	check_overlap(r, c, seq);
}

/* TCP ports that stay open, of the gateway's own addresses; how much one commit
 * may drop. */
static void get_guards(struct reading *r, struct sl_config *c)
{
	const struct text_guards *t = r->text->guards;
	const yaml_node_t *m = config_key(r, config_root(r), "guards"), *seq;
	struct sl_sources none = {};
	unsigned int i;
	char *end;
	long v;

	if (!t)
		return;
	seq = config_key(r, m, "ports");
	if (seq)
		c->n_ports = 0;
	for (i = 0; i < t->ports_count; i++) {
		v = strtol(t->ports[i], &end, 10);
		if (!isdigit((unsigned char)t->ports[i][0]) || *end || v < 1 ||
		    v > 65535 || c->n_ports == 64)
			config_mistake(r, config_item(r, seq, i), "write up to "
				       "64 TCP ports, such as 179", "ports: "
				       "%s is no port", t->ports[i]);
		else
			c->ports[c->n_ports++] = v;
	}
	seq = config_key(r, m, "own");
	c->own = config_prefixes(r, seq, t->own, t->own_count, &c->n_own,
				 &none);
	if (none.n_files || none.n_countries || none.n_asns)
		config_mistake(r, seq, "name prefixes only", "own: no files, "
			       "countries or AS numbers");
	free_sources(&none);
	config_share(r, m, "max_share", t->max_share, &c->max_share_ppm);
}

static void get_rest(struct reading *r, struct sl_config *c)
{
	const yaml_node_t *root = config_root(r), *m;
	const struct text_config *t = r->text;

	c->home = config_prefixes(r, config_key(r, root, "home"), t->home,
				  t->home_count, &c->n_home, &c->home_from);
	c->protect = config_prefixes(r, config_key(r, root, "protect"),
				     t->protect, t->protect_count,
				     &c->n_protect, &c->protect_from);
	config_geo(r, c);
	get_guards(r, c);
	if (t->tables) {
		m = config_key(r, root, "tables");
		config_number(r, m, "flows", t->tables->flows, 1024, 1 << 24,
			   true, &c->tables.flows);
		config_number(r, m, "series", t->tables->series, 64, 1 << 14,
			   true, &c->tables.series);
		if (t->tables->size && !sl_fib_size_of(t->tables->size))
			config_mistake(r, config_key(r, m, "size"),
				       "write small, medium or large",
				       "size: %s is no size", t->tables->size);
		else if (t->tables->size)
			strcpy(c->tables.size, t->tables->size);
	}
	if (t->timing) {
		m = config_key(r, root, "timing");
		config_duration(r, m, "flow_idle", t->timing->flow_idle,
			     &c->flow_idle_ns);
		config_duration(r, m, "stamp_max", t->timing->stamp_max,
			     &c->stamp_max_ns);
	}
	if (t->residence) {
		m = config_key(r, root, "residence");
		config_number(r, m, "per_s", t->residence->per_s, 0, 10000,
			   false, &c->residence.per_s);
		c->residence.shared = t->residence->hardware &&
				      !strcmp(t->residence->hardware, "shared");
		if (!c->residence.shared)
			get_auto(r, m, "hardware", t->residence->hardware,
				 &c->residence.hardware);
	}
	get_auto(r, root, "module", t->module, &c->module);
	config_see(r, c);
	get_path(r, "socket", t->socket, c->socket, sizeof(c->socket));
	get_path(r, "state_dir", t->state_dir, c->state_dir,
		 sizeof(c->state_dir));
	get_path(r, "bpffs", t->bpffs, c->bpffs, sizeof(c->bpffs));
}

int sl_config_load(const char *path, struct sl_config **out,
		   struct sl_config_errors *errs)
{
	struct reading r = { .path = path, .errs = errs };
	struct sl_config *c = calloc(1, sizeof(*c));
	int rc;

	if (c)
		set_defaults(c);
	*errs = (struct sl_config_errors){};
	rc = c ? config_read(&r) : -ENOMEM;
	if (!rc) {
		get_ifaces(&r, c);
		get_lanes(&r, c);
		get_rest(&r, c);
		rc = errs->n ? -EINVAL : 0;
	}
	config_read_done(&r);
	if (rc)
		sl_config_free(c);
	else
		*out = c;
	return rc;
}
