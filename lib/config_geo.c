// SPDX-License-Identifier: GPL-2.0
/* Configuration: whose addresses a lane, home and protected prefixes have. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "config_text.h"

/* One more element behind n; false: no memory. */
static bool more(void *array, unsigned int n, size_t one_b)
{
	void **at = array, *grown = realloc(*at, (n + 1) * one_b);

	if (grown)
		*at = grown;
	return grown;
}

char *config_resolve(const struct reading *r, const char *path)
{
	const char *slash = strrchr(r->path, '/');
	char *out;

	if (path[0] == '/' || !slash)
		return strdup(path);
	return asprintf(&out, "%.*s/%s", (int)(slash - r->path), r->path,
			path) < 0 ? NULL : out;
}

static void add_file(struct reading *r, const yaml_node_t *at,
		     const char *word, struct sl_sources *s)
{
	if (!word[0])
		config_mistake(r, at, "name a file", "an empty file name");
	else if (more(&s->files, s->n_files, sizeof(*s->files)))
		s->files[s->n_files++] = config_resolve(r, word);
}

static void add_country(struct reading *r, const yaml_node_t *at,
			const char *word, struct sl_sources *s)
{
	if (!isalpha((unsigned char)word[0]) ||
	    !isalpha((unsigned char)word[1]) || word[2]) {
		config_mistake(r, at, "two letters of ISO 3166 such as SG",
			       "country %s is no country", word);
		return;
	}
	if (more(&s->countries, s->n_countries, sizeof(*s->countries)))
		s->countries[s->n_countries++] =
			toupper((unsigned char)word[0]) << 8 |
			toupper((unsigned char)word[1]);
}

static void add_asn(struct reading *r, const yaml_node_t *at, const char *word,
		    struct sl_sources *s)
{
	const char *digits = !strncasecmp(word, "AS", 2) ? word + 2 : word;
	char *end;
	unsigned long v = strtoul(digits, &end, 10);

	if (!isdigit((unsigned char)digits[0]) || *end || !v ||
	    v > UINT32_MAX) {
		config_mistake(r, at, "a number from 1 to 4294967295",
			       "asn %s is no AS number", word);
		return;
	}
	if (more(&s->asns, s->n_asns, sizeof(*s->asns)))
		s->asns[s->n_asns++] = v;
}

struct sl_prefix *config_prefixes(struct reading *r, const yaml_node_t *seq,
				  char **text, unsigned int n,
				  unsigned int *n_out, struct sl_sources *from)
{
	struct sl_prefix *out = calloc(n ? n : 1, sizeof(*out));
	const yaml_node_t *at;
	unsigned int i;
	const char *why;

	*n_out = 0;
	for (i = 0; out && i < n; i++) {
		at = config_item(r, seq, i);
		if (!strncmp(text[i], "file:", 5))
			add_file(r, at, text[i] + 5, from);
		else if (!strncmp(text[i], "country:", 8))
			add_country(r, at, text[i] + 8, from);
		else if (!strncmp(text[i], "asn:", 4))
			add_asn(r, at, text[i] + 4, from);
		else if (!sl_prefix_parse(text[i], &out[*n_out], &why))
			++*n_out;
		else
			config_mistake(r, at, "write an address or a prefix "
				       "such as 192.0.2.0/24 or "
				       "\"2001:db8::/32\"", "%s %s", text[i],
				       why);
	}
	return out;
}

void config_sources(struct reading *r, const yaml_node_t *lane,
		    const struct text_lane *t, struct sl_sources *from)
{
	const yaml_node_t *seq = config_key(r, lane, "files");
	unsigned int i;

	for (i = 0; i < t->files_count; i++)
		add_file(r, config_item(r, seq, i), t->files[i], from);
	seq = config_key(r, lane, "countries");
	for (i = 0; i < t->countries_count; i++)
		add_country(r, config_item(r, seq, i), t->countries[i], from);
	seq = config_key(r, lane, "asns");
	for (i = 0; i < t->asns_count; i++)
		add_asn(r, config_item(r, seq, i), t->asns[i], from);
}

static char **get_files(struct reading *r, char **text, unsigned int n,
			unsigned int *n_out)
{
	char **out = calloc(n ? n : 1, sizeof(*out));
	unsigned int i;

	for (i = 0; out && i < n; i++)
		out[i] = config_resolve(r, text[i]);
	*n_out = out ? n : 0;
	return out;
}

/* A country or AS number in two lanes has no answer; and it needs a file that
 * knows of it. */
static void check_lane(struct reading *r, const struct sl_config *c,
		       const yaml_node_t *at, unsigned int lane)
{
	const struct sl_sources *s = &c->lanes[lane].from, *o;
	unsigned int i, j, k;

	for (k = 0; k < lane; k++) {
		o = &c->lanes[k].from;
		for (i = 0; i < s->n_countries; i++)
			for (j = 0; j < o->n_countries; j++)
				if (s->countries[i] == o->countries[j])
					config_mistake(r, at, "leave it in one "
						"lane", "country %c%c is in "
						"lane %s too",
						s->countries[i] >> 8,
						s->countries[i] & 0xff,
						c->lanes[k].name);
		for (i = 0; i < s->n_asns; i++)
			for (j = 0; j < o->n_asns; j++)
				if (s->asns[i] == o->asns[j])
					config_mistake(r, at, "leave it in one "
						"lane", "asn %u is in lane %s "
						"too", s->asns[i],
						c->lanes[k].name);
	}
}

static void check_sources(struct reading *r, const struct sl_config *c,
			  const yaml_node_t *at, const struct sl_sources *s)
{
	if (s->n_countries && !c->geo.country_mmdb && !c->geo.n_rir &&
	    !c->geo.n_geofeeds)
		config_mistake(r, at, "add geo: {country_mmdb: FILE}, rir: or "
			       "geofeeds: [FILE]",
			       "countries are named, but no file knows them");
	if (s->n_asns && !c->geo.asn_mmdb)
		config_mistake(r, at, "add geo: {asn_mmdb: FILE}",
			       "asns are named, but no file knows them");
}

void config_geo(struct reading *r, struct sl_config *c)
{
	const yaml_node_t *root = config_root(r);
	const yaml_node_t *seq = config_key(r, root, "lanes");
	const struct text_geo *g = r->text->geo;
	unsigned int i;

	if (g && g->country_mmdb)
		c->geo.country_mmdb = config_resolve(r, g->country_mmdb);
	if (g && g->asn_mmdb)
		c->geo.asn_mmdb = config_resolve(r, g->asn_mmdb);
	if (g) {
		c->geo.rir = get_files(r, g->rir, g->rir_count, &c->geo.n_rir);
		c->geo.geofeeds = get_files(r, g->geofeeds, g->geofeeds_count,
					    &c->geo.n_geofeeds);
	}
	for (i = 0; i < c->n_lanes; i++) {
		check_lane(r, c, config_item(r, seq, i), i);
		check_sources(r, c, config_item(r, seq, i), &c->lanes[i].from);
	}
	check_sources(r, c, config_key(r, root, "home"), &c->home_from);
	check_sources(r, c, config_key(r, root, "protect"), &c->protect_from);
}
