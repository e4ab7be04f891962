// SPDX-License-Identifier: GPL-2.0
/* GET /metrics: one answer, in the format that was asked for. */
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include "duration.h"
#include "metrics.h"

#define ZIP_FROM_B	4096		/* a smaller answer is one packet or two */
/* The fastest: the answer goes to a neighbour, and the loop waits for it. */
#define ZIP_LEVEL	1

static const char *const format_name[] = { [SL_EXPOSE_TEXT] = "text",
	[SL_EXPOSE_OPENMETRICS] = "openmetrics",
	[SL_EXPOSE_PROTOBUF] = "protobuf" };
#define FORMATS (SL_EXPOSE_PROTOBUF + 1)

/* Kinds that are there before their first event, so that a server sees it come. */
static const char *const kinds[] = { "access", "agent", "budget", "bypass",
	"clock", "commit", "congestion", "disk", "expiry", "geography", "history",
	"interface", "module", "path-change", "refused", "reload", "tables" };

int metrics_open(struct agent *a)
{
	struct metrics *m = calloc(1, sizeof(*m));
	size_t i;

	a->metrics = m;
	if (!m)
		return -1;
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		strcpy(m->kind[i].kind, kinds[i]);
	m->n_series = sl_dp_settings(a->dp)->n_series;
	m->series = calloc(m->n_series, sizeof(*m->series));
	m->rule = calloc(SL_RULE_SLOTS, sizeof(*m->rule));
	m->changes = calloc(METRICS_PATHS, sizeof(*m->changes));
	if (!m->series || !m->rule || !m->changes)
		return -1;
	metrics_drops_open(a);
	return 0;
}

void metrics_close(struct agent *a)
{
	if (!a->metrics)
		return;
	metrics_series_close(a->metrics);
	free(a->metrics->rule);
	free(a->metrics->changes);
	free(a->metrics);
	a->metrics = NULL;
}

/* --- what the parts share --- */
void metrics_gauge(struct sl_expose *x, const char *name, const char *unit,
		   const char *help, double value)
{
	sl_expose_family(x, name, SL_GAUGE, unit, help);
	sl_expose_value(x, NULL, value);
}

void metrics_counter(struct sl_expose *x, const char *name, const char *unit,
		     const char *help, uint64_t value)
{
	sl_expose_family(x, name, SL_COUNTER, unit, help);
	sl_expose_count(x, NULL, value);
}

const char *metrics_lane(const struct agent *a, uint32_t lane)
{
	if (lane >= SL_MAX_LANES)
		return NULL;
	return !lane ? "other" : a->lane_name[lane][0] ? a->lane_name[lane] :
							 NULL;
}

const char *metrics_path(const struct agent *a, uint32_t path)
{
	if (path >= SL_MAX_PATHS)
		return NULL;
	return !path || a->path_name[path][0] ? a->path_name[path] : NULL;
}

/* --- events --- */
static const char *word(struct json_object *o, const char *key)
{
	struct json_object *v;

	return json_object_object_get_ex(o, key, &v) && v ?
	       json_object_get_string(v) : "";
}

struct path_changes *metrics_changes_of(struct metrics *m, const char *lane,
					const char *path)
{
	struct path_changes *c;
	unsigned int i;

	for (i = 0; i < m->n_changes; i++)
		if (!strcmp(m->changes[i].lane, lane) &&
		    !strcmp(m->changes[i].path, path))
			return &m->changes[i];
	if (m->n_changes == METRICS_PATHS)
		return NULL;
	c = &m->changes[m->n_changes++];
	snprintf(c->lane, sizeof(c->lane), "%s", lane);
	snprintf(c->path, sizeof(c->path), "%s", path);
	return c;
}

void metrics_event(struct agent *a, int severity, const char *kind,
		   struct json_object *detail)
{
	int i, grave = severity <= LOG_ERR ? 0 : severity == LOG_WARNING ? 1 : 2;
	struct metrics *m = a->metrics;
	struct path_changes *c;

	if (!m)
		return;
	for (i = 0; i < METRICS_KINDS; i++) {
		if (!m->kind[i].kind[0])
			snprintf(m->kind[i].kind, sizeof(m->kind[i].kind), "%s",
				 kind);
		if (strcmp(m->kind[i].kind, kind))
			continue;
		m->kind[i].n[grave]++;
		break;
	}
	if (strcmp(kind, "path-change") || !detail)
		return;
	c = metrics_changes_of(m, word(detail, "lane"), word(detail, "path"));
	if (!c)
		return;
	if (!strcmp(word(detail, "what"), "hop-limit"))
		c->hops++;
	else
		c->latency++;
}

/* --- the answer --- */
/* How the last scrapes went; of this one nothing is known yet. */
static void put_self(struct agent *a, struct sl_expose *x)
{
	const struct metrics *m = a->metrics;
	int f;

	sl_expose_family(x, "sealane_scrapes_total", SL_COUNTER, NULL,
			 "Answers to GET /metrics, by format.");
	for (f = 0; f < FORMATS; f++)
		sl_expose_count(x, SL_LABELS({ "format", format_name[f] }),
				m->scrape[f].n);
	sl_expose_family(x, "sealane_scrape_build_seconds", SL_GAUGE, "seconds",
			 "Time that the agent took to make the last answer to "
			 "GET /metrics in this format.");
	for (f = 0; f < FORMATS; f++)
		if (m->scrape[f].n)
			sl_expose_value(x, SL_LABELS({ "format",
					format_name[f] }),
					m->scrape[f].took_ns / 1e9);
	sl_expose_family(x, "sealane_scrape_size_bytes", SL_GAUGE, "bytes",
			 "Length of that answer, before it was compressed.");
	for (f = 0; f < FORMATS; f++)
		if (m->scrape[f].n)
			sl_expose_count(x, SL_LABELS({ "format",
					format_name[f] }), m->scrape[f].len_b);
}

static int build(struct agent *a, enum sl_expose_format format, char **out,
		 size_t *len_b)
{
	struct sl_expose *x = sl_expose_new(format);

	if (!x)
		return -1;
	metrics_agent(a, x);
	metrics_drops(a, x);
	metrics_lanes(a, x);
	metrics_gateway(a, x);
	put_self(a, x);
	metrics_series(a, x);
	return sl_expose_end(x, out, len_b);
}

/* The text compressed (RFC 1952), in place of it. False: as it was. */
static bool zip(char **text, size_t *len_b)
{
	z_stream z = {};
	size_t room_b;
	char *out;
	int rc;

	if (deflateInit2(&z, ZIP_LEVEL, Z_DEFLATED, 15 + 16, 9,
			 Z_DEFAULT_STRATEGY) != Z_OK)
		return false;
	room_b = deflateBound(&z, *len_b);
	out = malloc(room_b);
	z.next_in = (unsigned char *)*text;
	z.avail_in = *len_b;
	z.next_out = (unsigned char *)out;
	z.avail_out = room_b;
	rc = out ? deflate(&z, Z_FINISH) : Z_MEM_ERROR;
	deflateEnd(&z);
	if (rc != Z_STREAM_END) {
		free(out);
		return false;
	}
	free(*text);
	*text = out;
	*len_b = z.total_out;
	return true;
}

static const char *header(struct call *k, const char *name)
{
	return MHD_lookup_connection_value(k->c, MHD_HEADER_KIND, name);
}

struct json_object *get_metrics(struct call *k)
{
	enum sl_expose_format f = sl_expose_negotiate(header(k, "Accept"),
						      &k->type);
	uint64_t start_ns = sl_mono_ns();
	int h = 0;

	if (build(k->a, f, &k->text, &k->text_b)) {
		refuse(&k->r, 500, "free memory", "out of memory");
		return NULL;
	}
	k->a->metrics->scrape[f].len_b = k->text_b;
	if (k->text_b >= ZIP_FROM_B &&
	    sl_expose_gzip(header(k, "Accept-Encoding")) &&
	    zip(&k->text, &k->text_b)) {
		k->header[h].name = "Content-Encoding";
		k->header[h++].value = "gzip";
	}
	k->header[h].name = "Vary";
	k->header[h].value = "Accept, Accept-Encoding";
	k->a->metrics->scrape[f].n++;
	k->a->metrics->scrape[f].took_ns = sl_mono_ns() - start_ns;
	return NULL;
}
