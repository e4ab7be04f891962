// SPDX-License-Identifier: GPL-2.0
/* A configuration's prefixes and those of all the files it names -> one RIB. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "world.h"

#define NO_LANE UINT32_MAX

static const char *const layer_name[SL_LAYERS] = {
	[SL_LAYER_RIR] = "rir", [SL_LAYER_COUNTRY] = "country",
	[SL_LAYER_ASN] = "asn", [SL_LAYER_GEOFEED] = "geofeed",
	[SL_LAYER_OPERATOR] = "operator" };

const char *world_layer_name(enum sl_lane_layer layer)
{
	return layer < SL_LAYERS ? layer_name[layer] : "?";
}

struct asn_lane {
	uint32_t asn, lane;
	bool protect;
};

/* While files are read. */
struct load {
	const struct sl_config *cfg;
	const uint32_t *lane_id;
	struct world *w;
	struct sl_mistakes *all;
	/* by country: its lane, and whether it is protected */
	uint32_t country_lane[65536];
	bool country_safe[65536];
	struct asn_lane *asn;	/* sorted by number */
	unsigned int n_asn;
	enum sl_lane_layer layer;	/* of the file being read */
	uint32_t source;
};

static uint32_t lane_of(const struct load *l, unsigned int i)
{
	return l->lane_id ? l->lane_id[i] : i + 1;
}

/* A number for a file's name. */
static int add_source(struct load *l, const char *name)
{
	struct world *w = l->w;
	void *grown = realloc(w->source, (w->n_sources + 1) *
			      sizeof(*w->source));

	if (!grown)
		return -ENOMEM;
	w->source = grown;
	snprintf(w->source[w->n_sources], sizeof(*w->source), "%s", name);
	l->source = w->n_sources++;
	return 0;
}

/* Put the file's name before the mistakes that it gave. */
static void name_mistakes(struct load *l, size_t from, const char *path)
{
	struct sl_mistake *m;
	char text[sizeof(m->message) + 60];
	size_t i;

	for (i = from; i < l->all->n; i++) {
		m = &l->all->m[i];
		if (m->line)
			snprintf(text, sizeof(text), "%.100s:%lu: %.76s", path,
				 m->line, m->message);
		else
			snprintf(text, sizeof(text), "%.100s: %.96s", path,
				 m->message);
		snprintf(m->message, sizeof(m->message), "%.*s",
			 (int)sizeof(m->message) - 1, text);
	}
}

/* --- what the operator names --- */
static int add_all(struct load *l, const struct sl_prefix *p, unsigned int n,
		   uint32_t lane)
{
	unsigned int i;
	int rc = 0;

	for (i = 0; !rc && i < n; i++)
		rc = lane == NO_LANE ?
		     sl_rib_add_class(l->w->rib, &p[i], SL_CLASS_PROTECT,
				      SL_ACT_PROTECT, l->source) :
		     sl_rib_add_lane(l->w->rib, &p[i], lane, SL_LAYER_OPERATOR,
				     l->source);
	return rc;
}

/* A file of prefixes, in the formats of lists; lane NO_LANE: protected. */
static int add_file(struct load *l, const char *path, uint32_t lane)
{
	struct sl_pset set = {};
	struct sl_prefix p;
	char *text = NULL;
	size_t len_b, doubles, i, before = l->all->n;
	int rc = add_source(l, path);

	if (!rc)
		rc = sl_input_read(path, &text, &len_b, l->all);
	if (!rc)
		rc = sl_list_parse(text, len_b, SL_LIST_AUTO, &set, &doubles,
				   l->all);
	free(text);
	name_mistakes(l, before, path);
	for (i = 0; !rc && i < set.n4 + set.n6; i++) {
		sl_pset_get(&set, i, &p);
		rc = add_all(l, &p, 1, lane);
	}
	sl_pset_free(&set);
	return rc == -EINVAL ? 0 : rc;	/* noted; the other files too */
}

static int add_files(struct load *l, const struct sl_sources *s, uint32_t lane)
{
	unsigned int i;
	int rc = 0;

	for (i = 0; !rc && i < s->n_files; i++)
		rc = add_file(l, s->files[i], lane);
	return rc;
}

static int add_operator(struct load *l)
{
	const struct sl_config *c = l->cfg;
	unsigned int i;
	int rc = add_source(l, "configuration");

	for (i = 0; !rc && i < c->n_lanes; i++)
		rc = add_all(l, c->lanes[i].prefixes, c->lanes[i].n_prefixes,
			     lane_of(l, i));
	if (!rc)
		rc = add_all(l, c->home, c->n_home, SL_LANE_HOME);
	if (!rc)
		rc = add_all(l, c->protect, c->n_protect, NO_LANE);
	for (i = 0; !rc && i < c->n_lanes; i++)
		rc = add_files(l, &c->lanes[i].from, lane_of(l, i));
	if (!rc)
		rc = add_files(l, &c->home_from, SL_LANE_HOME);
	if (!rc)
		rc = add_files(l, &c->protect_from, NO_LANE);
	return rc;
}

/* --- what files tell of the world --- */
static void claim(struct load *l, const struct sl_sources *s, uint32_t lane)
{
	unsigned int i;

	for (i = 0; i < s->n_countries; i++) {
		if (lane == NO_LANE)
			l->country_safe[s->countries[i]] = true;
		else
			l->country_lane[s->countries[i]] = lane;
	}
	for (i = 0; i < s->n_asns; i++)
		l->asn[l->n_asn++] = (struct asn_lane){
			s->asns[i], lane, lane == NO_LANE };
}

static int by_asn(const void *a, const void *b)
{
	const struct asn_lane *x = a, *y = b;

	return x->asn < y->asn ? -1 : x->asn > y->asn;
}

static int claim_all(struct load *l)
{
	const struct sl_config *c = l->cfg;
	unsigned int i, n = c->home_from.n_asns + c->protect_from.n_asns;

	for (i = 0; i < c->n_lanes; i++)
		n += c->lanes[i].from.n_asns;
	l->asn = calloc(n + 1, sizeof(*l->asn));
	if (!l->asn)
		return -ENOMEM;
	for (i = 0; i < c->n_lanes; i++)
		claim(l, &c->lanes[i].from, lane_of(l, i));
	claim(l, &c->home_from, SL_LANE_HOME);
	claim(l, &c->protect_from, NO_LANE);
	if (l->n_asn)
		qsort(l->asn, l->n_asn, sizeof(*l->asn), by_asn);
	return 0;
}

static int tell_asn(struct load *l, const struct sl_prefix *p, uint32_t asn)
{
	unsigned int lo = 0, hi = l->n_asn, mid;
	int rc = 0;

	while (lo < hi) {
		mid = (lo + hi) / 2;
		if (l->asn[mid].asn < asn)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (; !rc && lo < l->n_asn && l->asn[lo].asn == asn; lo++)
		rc = l->asn[lo].protect ?
		     sl_rib_add_class(l->w->rib, p, SL_CLASS_PROTECT,
				      SL_ACT_PROTECT, l->source) :
		     sl_rib_add_lane(l->w->rib, p, l->asn[lo].lane,
				     SL_LAYER_ASN, l->source);
	return rc;
}

/* A country that no lane claims still shields what a lower layer says of the
 * same addresses: lane 0. */
static int tell(void *arg, const struct sl_prefix *p, uint16_t country,
		uint32_t asn)
{
	struct load *l = arg;
	int rc;

	if (l->layer == SL_LAYER_ASN)
		return asn ? tell_asn(l, p, asn) : 0;
	if (!country && l->layer != SL_LAYER_GEOFEED)
		return 0;
	rc = sl_rib_add_lane(l->w->rib, p, l->country_lane[country], l->layer,
			     l->source);
	if (!rc && l->country_safe[country])
		rc = sl_rib_add_class(l->w->rib, p, SL_CLASS_PROTECT,
				      SL_ACT_PROTECT, l->source);
	return rc;
}

static int add_world_file(struct load *l, const char *path,
			  enum sl_lane_layer layer)
{
	size_t len_b, before = l->all->n;
	char *text = NULL;
	int rc = add_source(l, path);

	l->layer = layer;
	if (!rc && (layer == SL_LAYER_COUNTRY || layer == SL_LAYER_ASN)) {
		rc = sl_mmdb_walk(path, tell, l, l->all);
	} else if (!rc) {
		rc = sl_input_read(path, &text, &len_b, l->all);
		if (!rc)
			rc = layer == SL_LAYER_RIR ?
			     sl_rir_parse(text, len_b, tell, l, l->all) :
			     sl_geofeed_parse(text, len_b, tell, l, l->all);
		free(text);
	}
	name_mistakes(l, before, path);
	return rc == -EINVAL ? 0 : rc;
}

static int add_world(struct load *l)
{
	const struct sl_config *c = l->cfg;
	unsigned int i;
	int rc = claim_all(l);

	for (i = 0; !rc && i < c->geo.n_rir; i++)
		rc = add_world_file(l, c->geo.rir[i], SL_LAYER_RIR);
	if (!rc && c->geo.country_mmdb)
		rc = add_world_file(l, c->geo.country_mmdb, SL_LAYER_COUNTRY);
	if (!rc && c->geo.asn_mmdb)
		rc = add_world_file(l, c->geo.asn_mmdb, SL_LAYER_ASN);
	for (i = 0; !rc && i < c->geo.n_geofeeds; i++)
		rc = add_world_file(l, c->geo.geofeeds[i], SL_LAYER_GEOFEED);
	return rc;
}

int world_load(const struct sl_config *cfg, const uint32_t *lane_id,
	       struct world **out, struct sl_mistakes *all)
{
	struct load *l = calloc(1, sizeof(*l));
	size_t before = all->total;
	int rc = -ENOMEM;

	if (l) {
		l->cfg = cfg;
		l->lane_id = lane_id;
		l->all = all;
		l->w = calloc(1, sizeof(*l->w));
	}
	if (l && l->w)
		l->w->rib = sl_rib_new();
	if (l && l->w && l->w->rib)
		rc = add_operator(l);
	if (!rc)
		rc = add_world(l);
	if (!rc && all->total != before)
		rc = -EINVAL;
	if (!rc)
		*out = l->w;
	else if (l)
		world_free(l->w);
	if (l)
		free(l->asn);
	free(l);
	return rc;
}

void world_free(struct world *w)
{
	if (!w)
		return;
	sl_rib_free(w->rib);
	free(w->source);
	free(w);
}
