/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Metrics in the formats of Prometheus: one way to say them, three to write them.
 * Text 0.0.4, OpenMetrics 1.0.0, and protobuf with native histograms, in the order
 * families and then their metrics. Silent; what does not fit in memory is known at
 * the end.
 */
#ifndef SL_EXPOSE_H
#define SL_EXPOSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sealane/hist.h>

enum sl_expose_format { SL_EXPOSE_TEXT, SL_EXPOSE_OPENMETRICS,
			SL_EXPOSE_PROTOBUF };

/*
 * What a request's Accept asks for (RFC 9110 12.5.1; NULL: anything). *type is the
 * answer's Content-Type. Between equals the first one stands; who takes none of
 * them gets text.
 */
enum sl_expose_format sl_expose_negotiate(const char *accept,
					  const char **type);
/* Does an Accept-Encoding (NULL: none) allow gzip? */
bool sl_expose_gzip(const char *accept_encoding);

enum sl_expose_type { SL_COUNTER, SL_GAUGE, SL_HISTOGRAM };

/* A name and its value, any bytes; a NULL name ends a list of them. */
struct sl_label {
	const char *name, *value;
};

/* Round trips since ever: like struct sl_hist, but its buckets never wrap. */
struct sl_expose_hist {
	uint64_t sum_ns, zero, overflow;
	uint64_t bucket[SL_HIST_BUCKETS];
};

/* Samples in it. */
uint64_t sl_expose_hist_count(const struct sl_expose_hist *h);

/*
 * The classic bounds. Each is one of schema 5, as exactly as the data plane has it
 * (1e-7 of it), so that counts are what they say; buckets before
 * SL_LADDER_BUCKET(i) are below it.
 */
#define SL_LADDER	23
extern const struct sl_rung {
	int half_octaves;	/* 2^(n/2) s */
	const char *le;		/* as OpenMetrics and Go write the number */
} sl_ladder[SL_LADDER];
/* First local bucket above the bound. */
#define SL_LADDER_BUCKET(i) (sl_ladder[i].half_octaves * 16 + \
	SL_HIST_PROM_OFFSET - SL_HIST_LOCAL_FIRST + 1)

struct sl_expose;

struct sl_expose *sl_expose_new(enum sl_expose_format format);
/*
 * A family: all that follows until the next one. Counters' names end in _total;
 * unit is the word in the name ("seconds"), or NULL. Nothing is written of a family
 * without metrics. The texts must last until the next family.
 */
void sl_expose_family(struct sl_expose *x, const char *name,
		      enum sl_expose_type type, const char *unit,
		      const char *help);
void sl_expose_count(struct sl_expose *x, const struct sl_label *labels,
		     uint64_t value);
void sl_expose_value(struct sl_expose *x, const struct sl_label *labels,
		     double value);
void sl_expose_hist(struct sl_expose *x, const struct sl_label *labels,
		    const struct sl_expose_hist *h);
/* All of it is the caller's. 0 or -ENOMEM; x is gone in any case. */
int sl_expose_end(struct sl_expose *x, char **bytes, size_t *len_b);

/* Labels of a metric (NULL: none), in place: SL_LABELS({ "lane", a }, { "path", b }). */
#define SL_LABELS(...) ((const struct sl_label[]){ __VA_ARGS__, { NULL, NULL } })

#endif
