// SPDX-License-Identifier: GPL-2.0
/* Text and figures in columns. */
#include <langinfo.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>
#include "plain.h"
#include "watch.h"

#define MARKS_MAX 4	/* above one letter: more are somebody's joke */
#define LEAST_SPAN 0.1	/* of a trend's height, as a part of its least value: */
#define LEAST_SPAN_NS 1e6	/* jitter is no mountain */

bool watch_ascii(void)
{
	return strcmp(nl_langinfo(CODESET), "UTF-8") != 0;
}

/* One character at s: its columns; *bytes of it, *shown as it is printed. */
static int letter(const char *s, bool ascii, size_t *bytes, const char **shown)
{
	mbstate_t state = {};
	wchar_t c;
	size_t n;
	int w;

	*shown = s;
	*bytes = 1;
	if ((unsigned char)*s < 0x80)
		return 1;
	*shown = "?";
	if (ascii) {
		while ((s[*bytes] & 0xc0) == 0x80)
			++*bytes;
		return 1;
	}
	n = mbrtowc(&c, s, strlen(s), &state);
	if (n == (size_t)-1 || n == (size_t)-2)
		return 1;
	*bytes = n;
	w = wcwidth(c);
	if (w < 0)
		return 1;
	*shown = s;
	return w;
}

int watch_columns_of(const char *text)
{
	bool ascii = watch_ascii();
	const char *shown;
	size_t bytes;
	int w = 0;

	for (; *text; text += bytes)
		w += letter(text, ascii, &bytes, &shown);
	return w;
}

struct pen {
	char *out;
	size_t at, len;
};

static void put(struct pen *p, const char *bytes, size_t n)
{
	if (p->at + n >= p->len)
		return;
	memcpy(p->out + p->at, bytes, n);
	p->at += n;
}

static void pad(struct pen *p, int n)
{
	while (n-- > 0)
		put(p, " ", 1);
}

/* As much as fits into `width` columns; the columns it took. */
static int put_text(struct pen *p, const char *text, int width, bool ascii)
{
	int w, used = 0, marks = 0;
	const char *shown;
	size_t bytes;

	for (; *text; text += bytes) {
		w = letter(text, ascii, &bytes, &shown);
		if (used + w > width)
			break;
		marks = w ? 0 : marks + 1;
		if (marks > MARKS_MAX || (!w && !used))
			continue;
		put(p, shown, *shown == '?' ? 1 : bytes);
		used += w;
	}
	return used;
}

size_t watch_fit(char *out, size_t len, const char *text, int width, int flags)
{
	bool ascii = flags & WATCH_ASCII;
	struct pen p = { out, 0, len };
	int w = watch_columns_of(text);

	if (width < 1) {
		out[0] = '\0';
		return 0;
	}
	if (w > width) {
		w = put_text(&p, text, width - 1, ascii);
		put(&p, ascii ? "~" : "…", ascii ? 1 : strlen("…"));
		pad(&p, width - 1 - w);
	} else {
		if (flags & WATCH_RIGHT)
			pad(&p, width - w);
		put_text(&p, text, width, ascii);
		if (!(flags & WATCH_RIGHT))
			pad(&p, width - w);
	}
	out[p.at] = '\0';
	return p.at;
}

#define FIGURE_B 24

static char *figure(char *buf, double n, const char *fmt)
{
	if (isnan(n))
		return strcpy(buf, "-");
	snprintf(buf, FIGURE_B, fmt, n);
	return buf;
}

char *watch_ms(double ns, char *buf)
{
	double ms = ns / 1e6;

	return figure(buf, ms, ms < 0.1 ? "%.4f" : ms < 1000 ? "%.2f" :
		      ms < 1e7 ? "%.0f" : "%.1e");
}

char *watch_rate(double per_s, char *buf)
{
	static const char prefix[] = " kMGTPE";
	double n = per_s;
	int i = 0;

	if (isnan(n))
		return strcpy(buf, "-");
	/* 999.5 would be rounded to a thousand */
	for (; n >= 999.5 && prefix[i + 1]; i++)
		n /= 1000;
	snprintf(buf, FIGURE_B, n >= 99.95 || (n == floor(n) && !i) ? "%.0f%.*s"
		 : n >= 9.995 ? "%.1f%.*s" : "%.2f%.*s", n, i ? 1 : 0,
		 prefix + i);
	return buf;
}

char *watch_count(double n, char *buf)
{
	return figure(buf, n, n < 1e15 ? "%.0f" : "%.3g");
}

char *watch_ratio(double n, char *buf)
{
	return figure(buf, n, n < 1000 ? "%.2f" : "%.3g");
}

char *watch_ago(double s, char *buf)
{
	if (isnan(s) || s < 0)
		s = 0;
	if (s < 100)
		snprintf(buf, FIGURE_B, "%.0f s", floor(s));
	else if (s < 100 * 60)
		snprintf(buf, FIGURE_B, "%.0f min", floor(s / 60));
	else if (s < 48 * 3600)
		snprintf(buf, FIGURE_B, "%.0f h", floor(s / 3600));
	else
		snprintf(buf, FIGURE_B, "%.0f d", floor(s / 86400));
	return buf;
}

char *watch_cell(const struct watch_row *r, enum watch_column c, char *buf)
{
	switch (c) {
	case WATCH_LANE:
		return strcpy(buf, r->lane);
	case WATCH_PATH:
		return strcpy(buf, r->path[0] ? r->path : "-");
	case WATCH_STATE:
		return strcpy(buf, r->state);
	case WATCH_P50: case WATCH_P95: case WATCH_P99: case WATCH_FLOOR:
		return watch_ms(r->num[c], buf);
	case WATCH_STRETCH:
		return watch_ratio(r->num[c], buf);
	case WATCH_LOSS:
		return watch_count(r->num[c], buf);
	case WATCH_PACKETS: case WATCH_BITS:
		return watch_rate(r->num[c], buf);
	default:
		buf[0] = '\0';
		return buf;
	}
}

void watch_strip(const double *values, int n, double low, double high,
		 bool ascii, char *out, size_t len)
{
	static const char *const block[] = { "▁", "▂", "▃", "▄", "▅", "▆", "▇",
					     "█" };
	static const char *const sign[] = { "_", ".", ",", "-", "~", "+", "*",
					    "#" };
	struct pen p = { out, 0, len };
	const char *s;
	int i, level;

	for (i = 0; i < n; i++) {
		if (isnan(values[i])) {
			put(&p, " ", 1);
			continue;
		}
		level = high > low ? (values[i] - low) / (high - low) * 8 : 0;
		level = level < 0 ? 0 : level > 7 ? 7 : level;
		s = ascii ? sign[level] : block[level];
		put(&p, s, strlen(s));
	}
	out[p.at] = '\0';
}

void watch_trend_text(const struct watch_trend *t, uint64_t now_ns, int width,
		      bool ascii, char *out, size_t len)
{
	int64_t now = now_ns / 1000000000 / WATCH_CELL_S, at;
	double v[WATCH_CELLS], low = INFINITY, high = 0;
	int i, n = width < WATCH_CELLS ? width : WATCH_CELLS;

	for (i = 0; i < n; i++) {
		at = now - n + 1 + i;
		v[i] = at > t->last || at <= t->last - WATCH_CELLS || at < 0 ?
		       NAN : t->cell_ns[at % WATCH_CELLS];
		if (!isnan(v[i])) {
			low = fmin(low, v[i]);
			high = fmax(high, v[i]);
		}
	}
	high = fmax(high, fmax(low * (1 + LEAST_SPAN), low + LEAST_SPAN_NS));
	watch_strip(v, n, low, high, ascii, out, len);
}
