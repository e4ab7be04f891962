/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The configuration as text: libcyaml fills these strings, config.c checks
 * what they mean. Numbers stay text until then, so that every mistake of a
 * file is found in one pass. Private to config*.c.
 */
#ifndef SL_CONFIG_TEXT_H
#define SL_CONFIG_TEXT_H

#include <yaml.h>
#include "config.h"

struct text_iface {
	char *name, *vlan, *side, *path;
};

struct text_lane {
	char *name, *cable_km;
	char **at;
	unsigned int at_count;
	char **budgets;
	unsigned int budgets_count;
	char **prefixes;
	unsigned int prefixes_count;
	char **files;
	unsigned int files_count;
	char **countries;
	unsigned int countries_count;
	char **asns;
	unsigned int asns_count;
};

struct text_geo {
	char *country_mmdb, *asn_mmdb;
	char **rir;
	unsigned int rir_count;
	char **geofeeds;
	unsigned int geofeeds_count;
};

struct text_tables {
	char *flows, *series, *size;
};

struct text_timing {
	char *flow_idle, *stamp_max;
};

struct text_guards {
	char **ports;
	unsigned int ports_count;
	char **own;
	unsigned int own_count;
	char *max_share;
};

struct text_residence {
	char *per_s, *hardware;
};

struct text_gateway {
	char *name;
	char **at;
	unsigned int at_count;
};

struct text_detour {
	char *name, *rtt, *km, *via;
	char **lanes;
	unsigned int lanes_count;
};

struct text_detection {
	char *step, *share, *hold;
};

struct text_history {
	char *keep_10s, *keep_1m, *keep_15m, *max_mb;
};

struct text_listener {
	char *address, *cert, *key, *role;
};

struct text_roles {
	char **view;
	unsigned int view_count;
	char **operate;
	unsigned int operate_count;
	char **enforce;
	unsigned int enforce_count;
};

struct text_config {
	struct text_gateway *gateway;
	struct text_detour *detours;
	unsigned int detours_count;
	struct text_detection *detection;
	struct text_history *history;
	struct text_listener *listen;
	unsigned int listen_count;
	struct text_roles *roles;
	char *tokens;
	struct text_iface *interfaces;
	unsigned int interfaces_count;
	struct text_lane *lanes;
	unsigned int lanes_count;
	char **home;
	unsigned int home_count;
	char **protect;
	unsigned int protect_count;
	struct text_tables *tables;
	struct text_timing *timing;
	struct text_guards *guards;
	struct text_residence *residence;
	struct text_geo *geo;
	char *module;
	char *socket, *state_dir, *bpffs;
};

/* A file being read: its bytes, libyaml's document for the marks, what
 * libcyaml made of it, and the mistakes so far. */
struct reading {
	const char *path;
	unsigned char *bytes;
	size_t len;
	yaml_document_t doc;
	bool has_doc;
	struct text_config *text;
	struct sl_config_errors *errs;
};

/* Note a mistake at a node (NULL: the file as a whole). */
void config_mistake(struct reading *r, const yaml_node_t *at,
		    const char *remedy, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* Read, parse and check the shape: 0, or a negative errno with mistakes. */
int config_read(struct reading *r);
void config_read_done(struct reading *r);

/* Node of a key below a mapping, or of item i of a sequence; NULL if none. */
const yaml_node_t *config_key(const struct reading *r,
			      const yaml_node_t *map, const char *key);
const yaml_node_t *config_item(const struct reading *r,
			       const yaml_node_t *seq, unsigned int i);
const yaml_node_t *config_root(const struct reading *r);

/* --- values, of config.c --- */
void config_number(struct reading *r, const yaml_node_t *map, const char *key,
		   const char *text, uint32_t lo, uint32_t hi, bool pow2,
		   uint32_t *out);
void config_duration(struct reading *r, const yaml_node_t *map,
		     const char *key, const char *text, uint64_t *out_ns);
void config_share(struct reading *r, const yaml_node_t *map, const char *key,
		  const char *text, uint32_t *out_ppm);

/* --- config_see.c: what people see, and who may --- */
void config_see_defaults(struct sl_config *c);
void config_see(struct reading *r, struct sl_config *c);
void config_see_free(struct sl_config *c);

/* --- config_geo.c --- */
/* A path as written, or below the configuration's own directory. */
char *config_resolve(const struct reading *r, const char *path);
struct sl_sources;

/* Prefixes of a list; "file:", "country:" and "asn:" words go into *from. */
struct sl_prefix *config_prefixes(struct reading *r, const yaml_node_t *seq,
				  char **text, unsigned int n,
				  unsigned int *n_out,
				  struct sl_sources *from);
/* A lane's files, countries and asns. */
void config_sources(struct reading *r, const yaml_node_t *lane,
		    const struct text_lane *t, struct sl_sources *from);
void config_geo(struct reading *r, struct sl_config *c);

#endif
