// SPDX-License-Identifier: GPL-2.0
/* Protobuf, native and classic histograms in one: a server that knows both takes
 * which it is told to. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "expose.pb-c.h"
#include "expose_priv.h"

/* So few empty buckets cost less as zeros than a new span does. */
#define GAP_MOST	2
/*
 * Where more than 16 s went: the first bucket above. They may be much more, but a
 * server wants each sample in a bucket, and one that ends at infinity would make a
 * quantile of 10^308; so it says "16 s, or more".
 */
#define OVERFLOW_INDEX	(SL_HIST_BUCKETS + SL_HIST_LOCAL_FIRST - \
			 SL_HIST_PROM_OFFSET)

/* A family while it is gathered. */
struct proto_family {
	Sl__Metric **metric;
	size_t n, room;
};

static char *copy_text(struct sl_expose *x, const char *s)
{
	char *out = arena_get(x, 3 * strlen(s) + 1), *at = out;
	const char *as;
	size_t n, k;

	for (; out && *s; s += n) {
		as = expose_char(s, &n);
		k = as == s ? n : strlen(as);
		memcpy(at, as, k);
		at += k;
	}
	return out;
}

static void add_labels(struct sl_expose *x, Sl__Metric *m,
		       const struct sl_label *labels)
{
	Sl__LabelPair *pair;
	size_t i, n = 0;

	while (labels && labels[n].name)
		n++;
	m->label = arena_get(x, n * sizeof(*m->label));
	pair = arena_get(x, n * sizeof(*pair));
	for (i = 0; m->label && pair && i < n; i++) {
		sl__label_pair__init(&pair[i]);
		pair[i].name = (char *)labels[i].name;
		pair[i].value = copy_text(x, labels[i].value);
		m->label[i] = &pair[i];
	}
	m->n_label = x->failed ? 0 : n;
}

/* A metric of the family, with its labels; NULL: no memory. */
static Sl__Metric *add_metric(struct sl_expose *x, const struct sl_label *labels)
{
	struct proto_family *f = x->family;
	Sl__Metric *m, **grown;

	if (!f)
		f = x->family = calloc(1, sizeof(*f));
	m = arena_get(x, sizeof(*m));
	if (!f || !m || x->failed)
		goto full;
	if (f->n == f->room) {
		grown = realloc(f->metric, (f->room * 2 + 16) * sizeof(*grown));
		if (!grown)
			goto full;
		f->metric = grown;
		f->room = f->room * 2 + 16;
	}
	sl__metric__init(m);
	add_labels(x, m, labels);
	f->metric[f->n++] = m;
	x->begun = true;
	return m;
full:
	x->failed = true;
	return NULL;
}

void proto_value(struct sl_expose *x, const struct sl_label *labels,
		 double value)
{
	Sl__Metric *m = add_metric(x, labels);

	if (!m)
		return;
	if (x->type == SL_COUNTER) {
		m->counter = arena_get(x, sizeof(*m->counter));
		if (!m->counter)
			return;
		sl__counter__init(m->counter);
		m->counter->value = value;
	} else {
		m->gauge = arena_get(x, sizeof(*m->gauge));
		if (!m->gauge)
			return;
		sl__gauge__init(m->gauge);
		m->gauge->value = value;
	}
}

static void add_classic(struct sl_expose *x, Sl__Histogram *out,
			const struct sl_expose_hist *h)
{
	Sl__Bucket *bucket = arena_get(x, SL_LADDER * sizeof(*bucket));
	uint64_t below = h->zero;
	int i, b = 0;

	out->bucket = arena_get(x, SL_LADDER * sizeof(*out->bucket));
	if (!bucket || !out->bucket)
		return;
	for (i = 0; i < SL_LADDER; i++) {
		for (; b < SL_LADDER_BUCKET(i); b++)
			below += h->bucket[b];
		sl__bucket__init(&bucket[i]);
		bucket[i].cumulative_count = below;
		bucket[i].upper_bound = strtod(sl_ladder[i].le, NULL);
		out->bucket[i] = &bucket[i];
	}
	out->n_bucket = SL_LADDER;
}

/* Native buckets on their way into spans. */
struct spans {
	Sl__BucketSpan *span;
	size_t n_spans, n_deltas;
	int64_t *delta;
	uint64_t last;		/* count of the bucket before */
	int next;		/* index behind the last span */
};

static void add_delta(struct spans *s, uint64_t n)
{
	s->delta[s->n_deltas++] = (int64_t)(n - s->last);
	s->last = n;
	s->span[s->n_spans - 1].length++;
	s->next++;
}

static void add_bucket(struct spans *s, int index, uint64_t n)
{
	if (!n)
		return;
	if (!s->n_spans || index - s->next > GAP_MOST) {
		sl__bucket_span__init(&s->span[s->n_spans]);
		s->span[s->n_spans].offset = s->n_spans ? index - s->next :
							  index;
		s->n_spans++;
		s->next = index;
	}
	while (s->next < index)
		add_delta(s, 0);
	add_delta(s, n);
}

static void add_native(struct sl_expose *x, Sl__Histogram *out,
		       const struct sl_expose_hist *h)
{
	size_t used = 1, i;
	struct spans s = {};
	int b;

	for (b = 0; b < SL_HIST_BUCKETS; b++)
		used += h->bucket[b] != 0;
	s.span = arena_get(x, used * sizeof(*s.span));
	s.delta = arena_get(x, used * (1 + GAP_MOST) * sizeof(*s.delta));
	out->positive_span = arena_get(x, used * sizeof(*out->positive_span));
	if (!s.span || !s.delta || !out->positive_span)
		return;
	for (b = 0; b < SL_HIST_BUCKETS; b++)
		add_bucket(&s, sl_hist_prom_index(b), h->bucket[b]);
	add_bucket(&s, OVERFLOW_INDEX, h->overflow);
	for (i = 0; i < s.n_spans; i++)
		out->positive_span[i] = &s.span[i];
	out->n_positive_span = s.n_spans;
	out->positive_delta = s.delta;
	out->n_positive_delta = s.n_deltas;
	out->schema = SL_HIST_SCHEMA;
	out->zero_threshold = exp2(-18);
	out->zero_count = h->zero;
}

void proto_hist(struct sl_expose *x, const struct sl_label *labels,
		const struct sl_expose_hist *h)
{
	Sl__Metric *m = add_metric(x, labels);

	if (!m)
		return;
	m->histogram = arena_get(x, sizeof(*m->histogram));
	if (!m->histogram)
		return;
	sl__histogram__init(m->histogram);
	m->histogram->sample_count = sl_expose_hist_count(h);
	m->histogram->sample_sum = h->sum_ns / 1e9;
	add_classic(x, m->histogram, h);
	add_native(x, m->histogram, h);
}

static void put_length(struct sl_expose *x, size_t n)
{
	char *at;

	do {
		at = expose_room(x, 1);
		if (at)
			*at = (n & 0x7f) | (n > 0x7f ? 0x80 : 0);
		n >>= 7;
	} while (n);
}

static void pack(struct sl_expose *x)
{
	static const Sl__MetricType type[] = {
		[SL_COUNTER] = SL__METRIC_TYPE__COUNTER,
		[SL_GAUGE] = SL__METRIC_TYPE__GAUGE,
		[SL_HISTOGRAM] = SL__METRIC_TYPE__HISTOGRAM };
	Sl__MetricFamily f = SL__METRIC_FAMILY__INIT;
	size_t n;
	char *at;

	f.name = (char *)x->name;
	f.help = (char *)x->help;
	f.type = type[x->type];
	f.metric = x->family->metric;
	f.n_metric = x->family->n;
	n = sl__metric_family__get_packed_size(&f);
	put_length(x, n);
	at = expose_room(x, n);
	if (at)
		sl__metric_family__pack(&f, (uint8_t *)at);
}

void proto_family_end(struct sl_expose *x)
{
	if (x->family && x->begun && !x->failed)
		pack(x);
	if (x->family)
		free(x->family->metric);
	free(x->family);
	x->family = NULL;
	arena_free(&x->arena);
}
