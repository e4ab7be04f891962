// SPDX-License-Identifier: GPL-2.0
/*
 * Configuration, first half: file -> strings. libyaml's document is walked
 * once against the table of fields, since libcyaml stops at its first mistake
 * and we owe the user all of them; then libcyaml loads what is known good.
 */
#include <cyaml/cyaml.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "config_text.h"

#define MAX_FILE_B	(16 << 20)

/* --- libcyaml: where each string goes --- */
#define STR(key, type, member) CYAML_FIELD_STRING_PTR(key, \
	CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, type, member, 0, 4096)
#define LIST(key, type, member, schema) CYAML_FIELD_SEQUENCE(key, \
	CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, type, member, schema, \
	0, CYAML_UNLIMITED)
#define MAP(key, type, member, fields) CYAML_FIELD_MAPPING_PTR(key, \
	CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, type, member, fields)

static const cyaml_schema_value_t word_schema = {
	CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 0, 4096)
};

static const cyaml_schema_field_t iface_fields[] = {
	STR("name", struct text_iface, name),
	STR("vlan", struct text_iface, vlan),
	STR("side", struct text_iface, side),
	STR("path", struct text_iface, path),
	CYAML_FIELD_END
};

static const cyaml_schema_value_t iface_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct text_iface,
			    iface_fields)
};

static const cyaml_schema_field_t lane_fields[] = {
	STR("name", struct text_lane, name),
	LIST("prefixes", struct text_lane, prefixes, &word_schema),
	LIST("files", struct text_lane, files, &word_schema),
	LIST("countries", struct text_lane, countries, &word_schema),
	LIST("asns", struct text_lane, asns, &word_schema),
	STR("cable_km", struct text_lane, cable_km),
	LIST("at", struct text_lane, at, &word_schema),
	LIST("budgets", struct text_lane, budgets, &word_schema),
	CYAML_FIELD_END
};

static const cyaml_schema_value_t lane_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct text_lane, lane_fields)
};

static const cyaml_schema_field_t tables_fields[] = {
	STR("flows", struct text_tables, flows),
	STR("series", struct text_tables, series),
	STR("size", struct text_tables, size),
	CYAML_FIELD_END
};

static const cyaml_schema_field_t timing_fields[] = {
	STR("flow_idle", struct text_timing, flow_idle),
	STR("stamp_max", struct text_timing, stamp_max),
	CYAML_FIELD_END
};

static const cyaml_schema_field_t guards_fields[] = {
	LIST("ports", struct text_guards, ports, &word_schema),
	LIST("own", struct text_guards, own, &word_schema),
	STR("max_share", struct text_guards, max_share),
	CYAML_FIELD_END
};

static const cyaml_schema_field_t geo_fields[] = {
	STR("country_mmdb", struct text_geo, country_mmdb),
	STR("asn_mmdb", struct text_geo, asn_mmdb),
	LIST("rir", struct text_geo, rir, &word_schema),
	LIST("geofeeds", struct text_geo, geofeeds, &word_schema),
	CYAML_FIELD_END
};

static const cyaml_schema_field_t residence_fields[] = {
	STR("per_s", struct text_residence, per_s),
	STR("hardware", struct text_residence, hardware),
	CYAML_FIELD_END
};

static const cyaml_schema_field_t gateway_fields[] = {
	STR("name", struct text_gateway, name),
	LIST("at", struct text_gateway, at, &word_schema),
	CYAML_FIELD_END
};

static const cyaml_schema_field_t detour_fields[] = {
	STR("name", struct text_detour, name),
	STR("rtt", struct text_detour, rtt),
	STR("km", struct text_detour, km),
	STR("via", struct text_detour, via),
	LIST("lanes", struct text_detour, lanes, &word_schema),
	CYAML_FIELD_END
};

static const cyaml_schema_value_t detour_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct text_detour,
			    detour_fields)
};

static const cyaml_schema_field_t detection_fields[] = {
	STR("step", struct text_detection, step),
	STR("share", struct text_detection, share),
	STR("hold", struct text_detection, hold),
	CYAML_FIELD_END
};

static const cyaml_schema_field_t history_fields[] = {
	STR("keep_10s", struct text_history, keep_10s),
	STR("keep_1m", struct text_history, keep_1m),
	STR("keep_15m", struct text_history, keep_15m),
	STR("max_mb", struct text_history, max_mb),
	CYAML_FIELD_END
};

static const cyaml_schema_field_t listener_fields[] = {
	STR("address", struct text_listener, address),
	STR("cert", struct text_listener, cert),
	STR("key", struct text_listener, key),
	STR("role", struct text_listener, role),
	CYAML_FIELD_END
};

static const cyaml_schema_value_t listener_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct text_listener,
			    listener_fields)
};

static const cyaml_schema_field_t roles_fields[] = {
	LIST("view", struct text_roles, view, &word_schema),
	LIST("operate", struct text_roles, operate, &word_schema),
	LIST("enforce", struct text_roles, enforce, &word_schema),
	CYAML_FIELD_END
};

static const cyaml_schema_field_t config_fields[] = {
	MAP("gateway", struct text_config, gateway, gateway_fields),
	LIST("detours", struct text_config, detours, &detour_schema),
	MAP("detection", struct text_config, detection, detection_fields),
	MAP("history", struct text_config, history, history_fields),
	LIST("listen", struct text_config, listen, &listener_schema),
	MAP("roles", struct text_config, roles, roles_fields),
	STR("tokens", struct text_config, tokens),
	LIST("interfaces", struct text_config, interfaces, &iface_schema),
	LIST("lanes", struct text_config, lanes, &lane_schema),
	LIST("home", struct text_config, home, &word_schema),
	MAP("geo", struct text_config, geo, geo_fields),
	LIST("protect", struct text_config, protect, &word_schema),
	MAP("tables", struct text_config, tables, tables_fields),
	MAP("timing", struct text_config, timing, timing_fields),
	MAP("guards", struct text_config, guards, guards_fields),
	MAP("residence", struct text_config, residence, residence_fields),
	STR("module", struct text_config, module),
	STR("socket", struct text_config, socket),
	STR("state_dir", struct text_config, state_dir),
	STR("bpffs", struct text_config, bpffs),
	CYAML_FIELD_END
};

static const cyaml_schema_value_t config_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct text_config,
			    config_fields)
};

static const cyaml_config_t cyaml_cfg = {
	.mem_fn = cyaml_mem,
	.log_level = CYAML_LOG_ERROR,
	.flags = CYAML_CFG_NO_ALIAS | CYAML_CFG_IGNORE_UNKNOWN_KEYS,
};

/* --- mistakes and nodes --- */
void config_mistake(struct reading *r, const yaml_node_t *at,
		    const char *remedy, const char *fmt, ...)
{
	struct sl_config_error *grown, *e;
	va_list ap;

	grown = realloc(r->errs->e, (r->errs->n + 1) * sizeof(*grown));
	if (!grown)
		return;
	r->errs->e = grown;
	e = &grown[r->errs->n++];
	memset(e, 0, sizeof(*e));
	if (at) {
		e->line = at->start_mark.line + 1;
		e->column = at->start_mark.column + 1;
	}
	va_start(ap, fmt);
	vsnprintf(e->message, sizeof(e->message), fmt, ap);
	va_end(ap);
	snprintf(e->remedy, sizeof(e->remedy), "%s", remedy);
}

static const yaml_node_t *node(const struct reading *r, int id)
{
	return yaml_document_get_node((yaml_document_t *)&r->doc, id);
}

const yaml_node_t *config_root(const struct reading *r)
{
	return yaml_document_get_root_node((yaml_document_t *)&r->doc);
}

const yaml_node_t *config_key(const struct reading *r,
			      const yaml_node_t *map, const char *key)
{
	yaml_node_pair_t *p;

	if (!map || map->type != YAML_MAPPING_NODE)
		return NULL;
	for (p = map->data.mapping.pairs.start;
	     p < map->data.mapping.pairs.top; p++)
		if (!strcmp((char *)node(r, p->key)->data.scalar.value, key))
			return node(r, p->value);
	return NULL;
}

const yaml_node_t *config_item(const struct reading *r,
			       const yaml_node_t *seq, unsigned int i)
{
	if (!seq || seq->type != YAML_SEQUENCE_NODE ||
	    seq->data.sequence.items.start + i >= seq->data.sequence.items.top)
		return NULL;
	return node(r, seq->data.sequence.items.start[i]);
}

/* --- shape: known keys, each with the right kind of value --- */
static void check_value(struct reading *r, const char *key,
			const cyaml_schema_value_t *want,
			const yaml_node_t *n);

static const cyaml_schema_field_t *field_of(const cyaml_schema_field_t *f,
					    const char *key)
{
	for (; f->key; f++)
		if (!strcmp(f->key, key))
			return f;
	return NULL;
}

static void known_keys(const cyaml_schema_field_t *f, char *buf, size_t len)
{
	size_t n = snprintf(buf, len, "known keys here:");

	for (; f->key && n < len; f++)
		n += snprintf(buf + n, len - n, " %s", f->key);
}

static void check_mapping(struct reading *r, const char *what,
			  const cyaml_schema_field_t *fields,
			  const yaml_node_t *n)
{
	const cyaml_schema_field_t *f;
	yaml_node_pair_t *p, *q;
	char remedy[200];

	if (n->type != YAML_MAPPING_NODE) {
		known_keys(fields, remedy, sizeof(remedy));
		config_mistake(r, n, remedy, "%s must be a mapping", what);
		return;
	}
	for (p = n->data.mapping.pairs.start; p < n->data.mapping.pairs.top;
	     p++) {
		const yaml_node_t *k = node(r, p->key);
		const char *key = (const char *)k->data.scalar.value;

		if (k->type != YAML_SCALAR_NODE) {
			config_mistake(r, k, "use a plain word",
				       "a key of %s is no word", what);
			continue;
		}
		for (q = n->data.mapping.pairs.start; q < p; q++)
			if (!strcmp((char *)node(r, q->key)->data.scalar.value,
				    key))
				config_mistake(r, k, "keep one of them",
					       "key %s stands twice", key);
		f = field_of(fields, key);
		if (f) {
			check_value(r, key, &f->value, node(r, p->value));
			continue;
		}
		known_keys(fields, remedy, sizeof(remedy));
		config_mistake(r, k, remedy, "unknown key %s in %s", key,
			       what);
	}
}

static void check_value(struct reading *r, const char *key,
			const cyaml_schema_value_t *want,
			const yaml_node_t *n)
{
	yaml_node_item_t *i;

	switch (want->type) {
	case CYAML_STRING:
		if (n->type != YAML_SCALAR_NODE)
			config_mistake(r, n, "write one word or number",
				       "%s must be a single value", key);
		else if (!n->data.scalar.length)
			config_mistake(r, n, "give it a value or remove it",
				       "%s is empty", key);
		break;
	case CYAML_SEQUENCE:
		if (n->type != YAML_SEQUENCE_NODE) {
			config_mistake(r, n, "write a list: [a, b]",
				       "%s must be a list", key);
			break;
		}
		for (i = n->data.sequence.items.start;
		     i < n->data.sequence.items.top; i++)
			check_value(r, key, want->sequence.entry, node(r, *i));
		break;
	default:
		check_mapping(r, key, want->mapping.fields, n);
	}
}

/* --- file --- */
static int read_file(struct reading *r)
{
	struct stat st;
	ssize_t n = 0;
	int fd = open(r->path, O_RDONLY | O_CLOEXEC), rc = 0;

	if (fd < 0 || fstat(fd, &st))
		rc = -errno;
	else if (S_ISDIR(st.st_mode))
		rc = -EISDIR;
	else if (st.st_size > MAX_FILE_B)
		rc = -EFBIG;
	r->bytes = rc ? NULL : malloc(MAX_FILE_B);
	while (r->bytes && r->len < MAX_FILE_B &&
	       (n = read(fd, r->bytes + r->len, MAX_FILE_B - r->len)) > 0)
		r->len += n;
	if (!rc && (!r->bytes || n < 0))
		rc = r->bytes ? -errno : -ENOMEM;
	if (fd >= 0)
		close(fd);
	if (rc)
		config_mistake(r, NULL, "name a readable YAML file",
			       "cannot read the file: %s", strerror(-rc));
	return rc;
}

static int parse(struct reading *r)
{
	yaml_parser_t p;

	if (!yaml_parser_initialize(&p))
		return -ENOMEM;
	yaml_parser_set_input_string(&p, r->bytes, r->len);
	r->has_doc = yaml_parser_load(&p, &r->doc);
	if (!r->has_doc) {
		config_mistake(r, NULL, "mend the YAML at this place", "%s%s%s",
			       p.problem ? p.problem : "not YAML",
			       p.context ? ", " : "",
			       p.context ? p.context : "");
		r->errs->e[r->errs->n - 1].line =
			(p.problem_mark.line ? p.problem_mark.line :
			 p.context_mark.line) + 1;
		r->errs->e[r->errs->n - 1].column = p.problem_mark.column + 1;
	} else if (!config_root(r)) {
		config_mistake(r, NULL, "see the example configuration",
			       "the file is empty");
	}
	yaml_parser_delete(&p);
	return r->errs->n ? -EINVAL : 0;
}

int config_read(struct reading *r)
{
	cyaml_err_t err;
	int rc = read_file(r);

	if (!rc)
		rc = parse(r);
	if (rc)
		return rc;
	check_mapping(r, "the configuration", config_fields, config_root(r));
	/* with unknown keys passed over, the rest can still be checked */
	err = cyaml_load_data(r->bytes, r->len, &cyaml_cfg, &config_schema,
			      (cyaml_data_t **)&r->text, NULL);
	if (err != CYAML_OK && !r->errs->n)
		config_mistake(r, NULL, "write plain YAML without aliases",
			       "%s", cyaml_strerror(err));
	return err == CYAML_OK ? 0 : -EINVAL;
}

void config_read_done(struct reading *r)
{
	if (r->text)
		cyaml_free(&cyaml_cfg, &config_schema, r->text, 0);
	if (r->has_doc)
		yaml_document_delete(&r->doc);
	free(r->bytes);
}
