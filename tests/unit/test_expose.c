// SPDX-License-Identifier: GPL-2.0
/* What is exposed, read back: protobuf by its own parser, text by a small one of
 * the tests'; histograms against the samples that they were made of. */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "expose.h"
#include "expose.pb-c.h"
#include "kselftest_harness.h"

#define SAMPLES 20000

static uint64_t ns_of[SAMPLES];

/* Samples over the whole range and beyond it, thick around 50 ms. */
static void make_samples(struct sl_expose_hist *h)
{
	int i, b;

	memset(h, 0, sizeof(*h));
	srandom(7);
	for (i = 0; i < SAMPLES; i++) {
		double octave = i % 3 ? -4.4 + (random() % 1000) / 900.0 :
				-20 + (random() % 10000) * 26 / 10000.0;

		/* 1e-7 of the bounds are not the data plane's: none there */
		ns_of[i] = exp2(octave + 0.00037) * 1e9;
		b = sl_hist_bucket(ns_of[i]);
		if (b < 0)
			h->zero++;
		else if (b >= SL_HIST_BUCKETS)
			h->overflow++;
		else
			h->bucket[b]++;
		h->sum_ns += ns_of[i];
	}
}

static void expose_one(enum sl_expose_format f, const struct sl_expose_hist *h,
		       char **out, size_t *len_b)
{
	struct sl_expose *x = sl_expose_new(f);

	sl_expose_family(x, "rtt_seconds", SL_HISTOGRAM, "seconds", "It.");
	sl_expose_hist(x, SL_LABELS({ "lane", "SG" }), h);
	if (sl_expose_end(x, out, len_b))
		abort();
}

/* The text with its NUL; the caller's. */
static char *text_of(struct sl_expose *x)
{
	size_t len_b;
	char *s;

	if (sl_expose_end(x, &s, &len_b))
		abort();
	s = realloc(s, len_b + 1);
	s[len_b] = '\0';
	return s;
}

/* The first family of an answer, and how many bytes it took. */
static Sl__MetricFamily *unpack(const char *s, size_t len_b, size_t *took)
{
	size_t n = 0, at = 0;
	int shift = 0;

	do
		n |= (size_t)(s[at] & 0x7f) << shift;
	while (shift += 7, s[at++] & 0x80);
	if (n > len_b - at)
		return NULL;
	*took = at + n;
	return sl__metric_family__unpack(NULL, n, (const uint8_t *)s + at);
}

static uint64_t naive_below(double bound_s)
{
	uint64_t n = 0;
	int i;

	for (i = 0; i < SAMPLES; i++)
		n += ns_of[i] <= bound_s * 1e9;
	return n;
}

TEST(rungs_of_the_ladder_are_bounds_of_schema_5)
{
	int i, d;

	for (i = 0; i < SL_LADDER; i++) {
		double le = strtod(sl_ladder[i].le, NULL);
		uint64_t ns = le * 1e9;

		EXPECT_LT(fabs(le / exp2(sl_ladder[i].half_octaves / 2.0) - 1),
			  1e-9);
		EXPECT_EQ(sl_ladder[i].half_octaves * 16,
			  sl_hist_prom_index(SL_LADDER_BUCKET(i) - 1));
		/* the data plane's unit: a nanosecond, 1e-7 of it too long */
		for (d = 2; d < 5; d++) {
			EXPECT_LT(sl_hist_bucket(ns - d - ns / 10000000),
				  SL_LADDER_BUCKET(i));
			EXPECT_GE(sl_hist_bucket(ns + d), SL_LADDER_BUCKET(i));
		}
	}
}

TEST(classic_buckets_in_text_count_the_samples_below)
{
	enum sl_expose_format f;
	struct sl_expose_hist h;
	double le, last, value;
	char *s, *at, word[64];
	int rungs, used;
	size_t len_b;

	make_samples(&h);
	for (f = SL_EXPOSE_TEXT; f <= SL_EXPOSE_OPENMETRICS; f++) {
		expose_one(f, &h, &s, &len_b);
		s = realloc(s, len_b + 1);
		s[len_b] = '\0';
		last = -1;
		rungs = 0;
		for (at = s; (at = strstr(at, "rtt_seconds_bucket{")); at++) {
			ASSERT_EQ(2, sscanf(at, "rtt_seconds_bucket{lane=\"SG\","
				"le=\"%63[^\"]\"} %lf\n%n", word, &value, &used));
			le = strtod(word, NULL);
			EXPECT_GT(le, last);
			EXPECT_EQ((uint64_t)value, naive_below(le));
			last = le;
			rungs++;
		}
		EXPECT_EQ(rungs, SL_LADDER + 1);
		EXPECT_TRUE(isinf(last));
		snprintf(word, sizeof(word), "_sum{lane=\"SG\"} %llu.%09llu\n",
			 (unsigned long long)h.sum_ns / 1000000000,
			 (unsigned long long)h.sum_ns % 1000000000);
		EXPECT_NE(NULL, strstr(s, word));
		EXPECT_NE(NULL, strstr(s, "_count{lane=\"SG\"} 20000\n"));
		free(s);
	}
}

/* Native buckets as a server reads them. */
static void read_native(const Sl__Histogram *n, struct sl_expose_hist *out)
{
	size_t s, k, d = 0;
	int64_t count = 0;
	int index = 0;

	memset(out, 0, sizeof(*out));
	out->zero = n->zero_count;
	for (s = 0; s < n->n_positive_span; s++) {
		index += n->positive_span[s]->offset;
		for (k = 0; k < n->positive_span[s]->length; k++, index++) {
			int b = index - sl_hist_prom_index(0);

			count += n->positive_delta[d++];
			if (b == SL_HIST_BUCKETS)
				out->overflow = count;
			else
				out->bucket[b] = count;
		}
	}
	if (d != n->n_positive_delta)
		abort();
}

TEST(native_buckets_come_back_as_they_were)
{
	struct sl_expose_hist h, back;
	Sl__MetricFamily *f;
	Sl__Histogram *n;
	size_t len_b, took, i;
	char *s;

	make_samples(&h);
	expose_one(SL_EXPOSE_PROTOBUF, &h, &s, &len_b);
	f = unpack(s, len_b, &took);
	ASSERT_NE(NULL, f);
	EXPECT_EQ(took, len_b);
	EXPECT_STREQ(f->name, "rtt_seconds");
	EXPECT_STREQ(f->help, "It.");
	EXPECT_EQ(f->type, SL__METRIC_TYPE__HISTOGRAM);
	ASSERT_EQ(f->n_metric, 1);
	EXPECT_STREQ(f->metric[0]->label[0]->name, "lane");
	EXPECT_STREQ(f->metric[0]->label[0]->value, "SG");
	n = f->metric[0]->histogram;
	EXPECT_EQ(n->schema, 5);
	EXPECT_EQ(n->zero_threshold, exp2(-18));
	EXPECT_EQ(n->sample_count, SAMPLES);
	EXPECT_LT(fabs(n->sample_sum - h.sum_ns / 1e9), 1e-6);
	read_native(n, &back);
	back.sum_ns = h.sum_ns;
	EXPECT_GT(h.overflow, 0);
	EXPECT_GT(h.zero, 0);
	EXPECT_EQ(0, memcmp(&back, &h, sizeof(h)));
	ASSERT_EQ(n->n_bucket, SL_LADDER);
	for (i = 0; i < n->n_bucket; i++)
		EXPECT_EQ(n->bucket[i]->cumulative_count,
			  naive_below(n->bucket[i]->upper_bound));
	sl__metric_family__free_unpacked(f, NULL);
	free(s);
}

TEST(buckets_at_both_ends_with_counts_beyond_32_bits)
{
	struct sl_expose_hist h = { .sum_ns = UINT64_MAX }, back;
	Sl__MetricFamily *f;
	size_t len_b, took;
	char *s;

	h.bucket[0] = 1ULL << 40;
	h.bucket[1] = 1;
	h.bucket[SL_HIST_BUCKETS - 1] = 1ULL << 50;
	h.overflow = 3;
	expose_one(SL_EXPOSE_PROTOBUF, &h, &s, &len_b);
	f = unpack(s, len_b, &took);
	ASSERT_NE(NULL, f);
	read_native(f->metric[0]->histogram, &back);
	back.sum_ns = h.sum_ns;
	EXPECT_EQ(0, memcmp(&back, &h, sizeof(h)));
	EXPECT_EQ(f->metric[0]->histogram->n_positive_span, 2);
	sl__metric_family__free_unpacked(f, NULL);
	free(s);
	expose_one(SL_EXPOSE_TEXT, &h, &s, &len_b);
	s = realloc(s, len_b + 1);
	s[len_b] = '\0';
	EXPECT_NE(NULL, strstr(s, "_sum{lane=\"SG\"} 18446744073.709551615\n"));
	EXPECT_NE(NULL, strstr(s, "le=\"+Inf\"} 1126999418470404\n"));
	free(s);
}

TEST(labels_are_escaped_and_plain_utf_8)
{
	const struct sl_label odd[] = {
		{ "a", "q\"b\\n\nx" }, { "b", "\xff\xc3\xa4\xed\xa0\x80\xc3" }, {} };
	struct sl_expose *x = sl_expose_new(SL_EXPOSE_TEXT);
	Sl__MetricFamily *f;
	size_t len_b, took;
	char *s;

	sl_expose_family(x, "g", SL_GAUGE, NULL, "back\\slash\nand \"quote\"");
	sl_expose_count(x, odd, 1);
	s = text_of(x);
	EXPECT_STREQ(s, "# HELP g back\\\\slash\\nand \"quote\"\n"
		     "# TYPE g gauge\n"
		     "g{a=\"q\\\"b\\\\n\\nx\",b=\"\xef\xbf\xbd\xc3\xa4\xef\xbf\xbd"
		     "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"} 1\n");
	free(s);
	x = sl_expose_new(SL_EXPOSE_PROTOBUF);
	sl_expose_family(x, "g", SL_GAUGE, NULL, "h");
	sl_expose_count(x, odd, 1);
	ASSERT_EQ(0, sl_expose_end(x, &s, &len_b));
	f = unpack(s, len_b, &took);
	ASSERT_NE(NULL, f);
	EXPECT_STREQ(f->metric[0]->label[0]->value, "q\"b\\n\nx");
	EXPECT_STREQ(f->metric[0]->label[1]->value, "\xef\xbf\xbd\xc3\xa4"
		     "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
	EXPECT_EQ(f->metric[0]->gauge->value, 1);
	sl__metric_family__free_unpacked(f, NULL);
	free(s);
}

TEST(a_label_beyond_all_measure_leaves_the_line_whole)
{
	struct sl_expose *x = sl_expose_new(SL_EXPOSE_TEXT);
	char *value = malloc(5001), *s;

	memset(value, '"', 5000);
	value[5000] = '\0';
	sl_expose_family(x, "g", SL_GAUGE, NULL, "h");
	sl_expose_count(x, SL_LABELS({ "a", value }, { "b", "c" }), 1);
	s = text_of(x);
	EXPECT_NE(NULL, strstr(s, "\\\"\"} 1\n"));
	EXPECT_LT(strlen(s), 1200);
	free(s);
	free(value);
}

TEST(numbers_read_back_as_the_same)
{
	static const double v[] = { 0, 0.1, 1.0 / 3, -2.5, 1e300, DBL_MIN,
		DBL_TRUE_MIN, DBL_MAX, INFINITY, -INFINITY, 1e15, 123456.789 };
	struct sl_expose *x;
	char *s, *at;
	size_t i;

	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		x = sl_expose_new(SL_EXPOSE_TEXT);
		sl_expose_family(x, "g", SL_GAUGE, NULL, "h");
		sl_expose_value(x, NULL, v[i]);
		s = text_of(x);
		at = strstr(s, "\ng ");
		ASSERT_NE(NULL, at);
		EXPECT_EQ(v[i], strtod(at + 3, NULL));
		free(s);
	}
	x = sl_expose_new(SL_EXPOSE_TEXT);
	sl_expose_family(x, "g", SL_GAUGE, NULL, "h");
	sl_expose_value(x, NULL, NAN);
	sl_expose_value(x, NULL, 0.1);
	sl_expose_count(x, NULL, UINT64_MAX);
	s = text_of(x);
	EXPECT_NE(NULL, strstr(s, "\ng NaN\ng 0.1\ng 18446744073709551615\n"));
	free(s);
}

TEST(openmetrics_names_families_by_their_stem_and_ends)
{
	struct sl_expose *x = sl_expose_new(SL_EXPOSE_OPENMETRICS);
	char *s;

	sl_expose_family(x, "empty_total", SL_COUNTER, NULL, "Nothing of it.");
	sl_expose_family(x, "sent_bytes_total", SL_COUNTER, "bytes",
			 "say \"it\"");
	sl_expose_count(x, NULL, 5);
	s = text_of(x);
	EXPECT_STREQ(s, "# HELP sent_bytes say \\\"it\\\"\n"
		     "# TYPE sent_bytes counter\n# UNIT sent_bytes bytes\n"
		     "sent_bytes_total 5\n# EOF\n");
	free(s);
}

TEST(families_stand_one_after_the_other_in_protobuf)
{
	struct sl_expose *x = sl_expose_new(SL_EXPOSE_PROTOBUF);
	Sl__MetricFamily *f;
	size_t len_b, took, at = 0;
	char *s, lane[12];
	int i;

	sl_expose_family(x, "empty_total", SL_COUNTER, NULL, "Nothing of it.");
	sl_expose_family(x, "a_total", SL_COUNTER, NULL, "h");
	for (i = 0; i < 1000; i++) {
		snprintf(lane, sizeof(lane), "%d", i);
		sl_expose_count(x, SL_LABELS({ "lane", lane }), i);
	}
	sl_expose_family(x, "b", SL_GAUGE, NULL, "h");
	sl_expose_value(x, NULL, -0.5);
	ASSERT_EQ(0, sl_expose_end(x, &s, &len_b));
	f = unpack(s, len_b, &took);
	ASSERT_NE(NULL, f);
	EXPECT_STREQ(f->name, "a_total");
	ASSERT_EQ(f->n_metric, 1000);
	EXPECT_STREQ(f->metric[999]->label[0]->value, "999");
	EXPECT_EQ(f->metric[999]->counter->value, 999);
	sl__metric_family__free_unpacked(f, NULL);
	at += took;
	f = unpack(s + at, len_b - at, &took);
	ASSERT_NE(NULL, f);
	EXPECT_STREQ(f->name, "b");
	EXPECT_EQ(f->metric[0]->gauge->value, -0.5);
	EXPECT_EQ(at + took, len_b);
	sl__metric_family__free_unpacked(f, NULL);
	free(s);
}

TEST(accept_is_read_as_rfc_9110_has_it)
{
#define PROTO "application/vnd.google.protobuf"
#define FULL PROTO ";proto=io.prometheus.client.MetricFamily;encoding=delimited"
#define OM "application/openmetrics-text"
	static const struct { const char *accept; enum sl_expose_format f; } of[] = {
		{ NULL, SL_EXPOSE_TEXT }, { "", SL_EXPOSE_TEXT },
		{ "*/*", SL_EXPOSE_TEXT }, { "text/html", SL_EXPOSE_TEXT },
		/* Prometheus with and without native histograms */
		{ FULL "," OM ";version=1.0.0;q=0.8," OM ";version=0.0.1;q=0.75,"
		  "text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
		  SL_EXPOSE_PROTOBUF },
		{ OM ";version=1.0.0," OM ";version=0.0.1;q=0.75,text/plain;"
		  "version=0.0.4;q=0.5,*/*;q=0.1", SL_EXPOSE_OPENMETRICS },
		{ FULL ";q=0.3, text/plain;q=0.4", SL_EXPOSE_TEXT },
		{ FULL " ; Q=0.5 , text/plain;q=0.4", SL_EXPOSE_PROTOBUF },
		{ "text/plain;q=0.5," FULL ";q=0.5", SL_EXPOSE_TEXT },
		{ FULL ";q=0.5,text/plain;q=0.5", SL_EXPOSE_PROTOBUF },
		{ FULL ";q=0", SL_EXPOSE_TEXT },
		{ PROTO, SL_EXPOSE_TEXT },
		{ PROTO ";proto=io.prometheus.client.MetricFamily;encoding=text",
		  SL_EXPOSE_TEXT },
		{ PROTO ";proto=\"io.prometheus.client.MetricFamily\";"
		  "encoding=\"delimited\"", SL_EXPOSE_PROTOBUF },
		{ "APPLICATION/OpenMetrics-Text", SL_EXPOSE_OPENMETRICS },
		{ OM ";version=2.0.0,text/plain;q=0.1", SL_EXPOSE_TEXT },
		{ "text/plain;version=1.0.0," OM ";q=0.1",
		  SL_EXPOSE_OPENMETRICS },
		{ "text/plain;q=0,*/*;q=0.9," OM ";q=0.1",
		  SL_EXPOSE_OPENMETRICS },
		{ "text/*;q=0.9," OM ";q=0.8", SL_EXPOSE_TEXT },
		{ ";;;,,,q=1;=;;,", SL_EXPOSE_TEXT },
		{ FULL ";q=nan," OM ";q=-1,text/plain;q=1e9", SL_EXPOSE_TEXT } };
	const char *type;
	size_t i;

	for (i = 0; i < sizeof(of) / sizeof(of[0]); i++)
		EXPECT_EQ(of[i].f, sl_expose_negotiate(of[i].accept, &type));
	EXPECT_STREQ(type, "text/plain; version=0.0.4; charset=utf-8");
}

TEST(gzip_is_read_likewise)
{
	EXPECT_FALSE(sl_expose_gzip(NULL));
	EXPECT_FALSE(sl_expose_gzip(""));
	EXPECT_FALSE(sl_expose_gzip("identity"));
	EXPECT_FALSE(sl_expose_gzip("gzip;q=0, *"));
	EXPECT_FALSE(sl_expose_gzip("*;q=0"));
	EXPECT_TRUE(sl_expose_gzip("gzip"));
	EXPECT_TRUE(sl_expose_gzip("deflate, GZIP ;q=0.5"));
	EXPECT_TRUE(sl_expose_gzip("*"));
}

TEST_HARNESS_MAIN
