// SPDX-License-Identifier: GPL-2.0
/*
 * Text 0.0.4 and OpenMetrics 1.0.0, which differ in little: counters' families are
 * named without _total, units have a line, and the end is marked. Half of the bytes
 * are labels, so those of a metric are written once and copied.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "expose_priv.h"

#define LABELS_B	1024	/* of a metric's, escaped; longer ones are cut */

/* A line's beginning: labels without the brackets. */
struct labels {
	char text[LABELS_B];
	size_t len_b;
};

static void put(struct sl_expose *x, const char *s, size_t n)
{
	char *at = expose_room(x, n);

	if (at)
		memcpy(at, s, n);
}

static void put_word(struct sl_expose *x, const char *s)
{
	put(x, s, strlen(s));
}

static const char *escape_of(char c, bool quote)
{
	return c == '\\' ? "\\\\" : c == '\n' ? "\\n" :
	       c == '"' && quote ? "\\\"" : NULL;
}

static void put_help(struct sl_expose *x, const char *s)
{
	const char *as;
	size_t n, k;

	for (; *s; s += n) {
		as = expose_char(s, &n);
		k = as == s ? n : strlen(as);
		if (escape_of(*s, x->format == SL_EXPOSE_OPENMETRICS)) {
			as = escape_of(*s, true);
			k = 2;
		}
		put(x, as, k);
	}
}

static void add(struct labels *l, const char *s, size_t n)
{
	if (l->len_b + n > sizeof(l->text))
		return;
	memcpy(l->text + l->len_b, s, n);
	l->len_b += n;
}

/* name="value"; room is kept for the closing quote. */
static void add_label(struct labels *l, const struct sl_label *one)
{
	const char *s, *as;
	size_t n, k;

	if (l->len_b + strlen(one->name) + 4 > sizeof(l->text))
		return;
	if (l->len_b)
		add(l, ",", 1);
	add(l, one->name, strlen(one->name));
	add(l, "=\"", 2);
	for (s = one->value; *s; s += n) {
		as = expose_char(s, &n);
		k = as == s ? n : strlen(as);
		if (escape_of(*s, true)) {
			as = escape_of(*s, true);
			k = 2;
		}
		if (l->len_b + k + 1 > sizeof(l->text))
			break;
		add(l, as, k);
	}
	add(l, "\"", 1);
}

static void add_labels(struct labels *l, const struct sl_label *all)
{
	l->len_b = 0;
	for (; all && all->name; all++)
		add_label(l, all);
}

/* Length of the family's name where the sample's has a suffix of its own. */
static size_t stem_b(const struct sl_expose *x)
{
	size_t n = strlen(x->name);

	return x->format == SL_EXPOSE_OPENMETRICS && x->type == SL_COUNTER &&
	       n > 6 && !strcmp(x->name + n - 6, "_total") ? n - 6 : n;
}

static void head(struct sl_expose *x, const char *what)
{
	put_word(x, what);
	put(x, x->name, stem_b(x));
	put(x, " ", 1);
}

/* The family's own lines, before its first metric. */
static void begin(struct sl_expose *x)
{
	static const char *const type[] = { [SL_COUNTER] = "counter\n",
		[SL_GAUGE] = "gauge\n", [SL_HISTOGRAM] = "histogram\n" };

	if (x->begun)
		return;
	x->begun = true;
	head(x, "# HELP ");
	put_help(x, x->help);
	put(x, "\n", 1);
	head(x, "# TYPE ");
	put_word(x, type[x->type]);
	if (x->format == SL_EXPOSE_OPENMETRICS && x->unit) {
		head(x, "# UNIT ");
		put_word(x, x->unit);
		put(x, "\n", 1);
	}
}

/* A line: name and suffix, labels and `le`, value. */
static void line(struct sl_expose *x, const char *suffix,
		 const struct labels *l, const char *le, const char *value)
{
	put_word(x, x->name);
	put_word(x, suffix);
	if (l->len_b || le) {
		put(x, "{", 1);
		put(x, l->text, l->len_b);
		if (le) {
			put_word(x, l->len_b ? ",le=\"" : "le=\"");
			put_word(x, le);
			put(x, "\"", 1);
		}
		put(x, "}", 1);
	}
	put(x, " ", 1);
	put_word(x, value);
	put(x, "\n", 1);
}

static const char *decimal(char buf[24], uint64_t v)
{
	char *at = buf + 23;

	*at = '\0';
	do {
		*--at = '0' + v % 10;
		v /= 10;
	} while (v);
	return at;
}

/* The shortest one that reads back as the same. */
static const char *number(char buf[32], double v)
{
	if (isnan(v))
		return "NaN";
	if (isinf(v))
		return v > 0 ? "+Inf" : "-Inf";
	snprintf(buf, 32, "%.15g", v);
	if (strtod(buf, NULL) != v)
		snprintf(buf, 32, "%.17g", v);
	return buf;
}

void text_count(struct sl_expose *x, const struct sl_label *labels,
		uint64_t value)
{
	struct labels l;
	char buf[24];

	begin(x);
	add_labels(&l, labels);
	line(x, "", &l, NULL, decimal(buf, value));
}

void text_value(struct sl_expose *x, const struct sl_label *labels,
		double value)
{
	struct labels l;
	char buf[32];

	begin(x);
	add_labels(&l, labels);
	line(x, "", &l, NULL, number(buf, value));
}

void text_hist(struct sl_expose *x, const struct sl_label *labels,
	       const struct sl_expose_hist *h)
{
	uint64_t count = sl_expose_hist_count(h), below = h->zero;
	struct labels l;
	char buf[32];
	int i, b = 0;

	begin(x);
	add_labels(&l, labels);
	for (i = 0; i < SL_LADDER; i++) {
		for (; b < SL_LADDER_BUCKET(i); b++)
			below += h->bucket[b];
		line(x, "_bucket", &l, sl_ladder[i].le, decimal(buf, below));
	}
	line(x, "_bucket", &l, "+Inf", decimal(buf, count));
	snprintf(buf, sizeof(buf), "%llu.%09llu",
		 (unsigned long long)(h->sum_ns / 1000000000),
		 (unsigned long long)(h->sum_ns % 1000000000));
	line(x, "_sum", &l, NULL, buf);
	line(x, "_count", &l, NULL, decimal(buf, count));
}

void text_end(struct sl_expose *x)
{
	if (x->format == SL_EXPOSE_OPENMETRICS)
		put_word(x, "# EOF\n");
	else
		put(x, "", 0);
}
