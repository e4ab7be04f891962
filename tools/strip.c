// SPDX-License-Identifier: GPL-2.0
/* A heat strip on a terminal: see strip.h. */
#include <langinfo.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>
#include <sealane/hist.h>
#include "cli.h"
#include "duration.h"
#include "hist.h"
#include "strip.h"

#define LINES		12
#define LABEL		10		/* "  36.2 ms " */
#define MARKS		12		/* told in words */
#define MAX_STEPS	1024

/* Figures of a strip: counts by pixel, from the bottom. */
struct grid {
	unsigned int height, width;
	double lo_ns, hi_ns;		/* of the whole height */
	uint64_t n[2 * LINES][MAX_STEPS], most;
};

void strip_look(struct strip *s)
{
	const char *term = getenv("TERM"), *no = getenv("NO_COLOR");
	const char *columns = getenv("COLUMNS");
	struct winsize w;

	setlocale(LC_CTYPE, "");
	if (strcmp(nl_langinfo(CODESET), "UTF-8"))
		s->kind = STRIP_ASCII;
	else if ((no && no[0]) || !term || !strcmp(term, "dumb"))
		s->kind = STRIP_SHADES;
	else
		s->kind = STRIP_COLOUR;
	s->columns = 80;
	if (!ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) && w.ws_col)
		s->columns = w.ws_col;
	else if (columns && atoi(columns) > 0)
		s->columns = atoi(columns);
}

unsigned int strip_room(const struct strip *s)
{
	unsigned int room = s->columns > LABEL + 20 ? s->columns - LABEL : 20;

	return room < MAX_STEPS ? room : MAX_STEPS;
}

double strip_time_s(const char *text)
{
	uint64_t ns;

	return sl_time_parse(text, 0, &ns) ? 0 : ns / 1e9;
}

/* --- counting --- */
/* The column of a time; -1: none of the strip's. */
static int column_of(const struct strip *s, double time_s)
{
	double c = floor((time_s - s->from_s) / s->step_s + 1e-6);

	return c < 0 || c >= s->n_steps || c >= strip_room(s) ? -1 : (int)c;
}

/* The limits by what most round trips are: a single one of 3 s would press all
 * others into one line. */
static void find_limits(struct grid *g, struct json_object *steps)
{
	size_t i, n = json_object_array_length(steps);
	double lo, hi;

	g->lo_ns = 1e18;
	for (i = 0; i < n; i++) {
		struct json_object *o = json_object_array_get_idx(steps, i);

		lo = cli_int(o, "min_ns");
		hi = cli_int(o, "p99_ns");
		if (lo > 0 && lo < g->lo_ns)
			g->lo_ns = lo;
		if (hi > g->hi_ns)
			g->hi_ns = hi;
	}
	if (g->hi_ns < g->lo_ns * 1.1)		/* a line needs some air */
		g->hi_ns = g->lo_ns * 1.1;
}

static unsigned int pixel_of(const struct grid *g, double ns)
{
	double at = log(ns / g->lo_ns) / log(g->hi_ns / g->lo_ns) * g->height;

	if (at < 0)
		return 0;
	return at >= g->height ? g->height - 1 : (unsigned int)at;
}

/* A bucket's count, spread over the pixels that it covers. */
static void add_bucket(struct grid *g, unsigned int column, int index,
		       uint64_t n)
{
	int b = index - sl_hist_prom_index(0);
	unsigned int y, top, k;

	if (b < 0 || b >= SL_HIST_BUCKETS)	/* no agent of ours says so */
		return;
	y = pixel_of(g, sl_hist_lower_s(b) * 1e9);
	top = pixel_of(g, sl_hist_upper_s(b) * 1e9 * 0.9999);
	for (k = y; k <= top; k++) {
		g->n[k][column] += n / (top - y + 1) + 1;
		if (g->n[k][column] > g->most)
			g->most = g->n[k][column];
	}
}

static void count(struct grid *g, const struct strip *s,
		  struct json_object *steps)
{
	struct json_object *heat, *pair;
	size_t i, k;
	int column;

	for (i = 0; i < json_object_array_length(steps); i++) {
		struct json_object *o = json_object_array_get_idx(steps, i);

		column = column_of(s, strip_time_s(cli_text(o, "time")));
		if (column < 0 || !json_object_object_get_ex(o, "heat", &heat))
			continue;
		for (k = 0; k < json_object_array_length(heat); k++) {
			pair = json_object_array_get_idx(heat, k);
			add_bucket(g, column, json_object_get_int(
				   json_object_array_get_idx(pair, 0)),
				   json_object_get_int64(
				   json_object_array_get_idx(pair, 1)));
		}
	}
}

/* --- drawing --- */
/* 0: nothing; 1..levels by the logarithm of the count. */
static unsigned int level(const struct grid *g, unsigned int y, unsigned int x,
			  unsigned int levels)
{
	uint64_t n = g->n[y][x];

	if (!n)
		return 0;
	return 1 + (unsigned int)(log(n) / log(g->most + 1.0) * levels) %
	       levels;
}

/* Dark blue to yellow, in the 256 colours that terminals have. */
static const int colour[] = { 0, 18, 25, 31, 37, 36, 71, 107, 143, 185, 227 };
#define COLOURS 10

/* Two pixels in one character: its upper half and what is behind it. */
static void draw_colour(FILE *f, const struct grid *g, unsigned int line)
{
	unsigned int x, up, low;
	bool plain = true;

	for (x = 0; x < g->width; x++) {
		up = level(g, 2 * line + 1, x, COLOURS);
		low = level(g, 2 * line, x, COLOURS);
		if (!up && !low)
			fputs(plain ? " " : "\033[0m ", f);
		else if (!up)
			fprintf(f, "\033[0;38;5;%dm\xe2\x96\x84", colour[low]);
		else if (!low)
			fprintf(f, "\033[0;38;5;%dm\xe2\x96\x80", colour[up]);
		else
			fprintf(f, "\033[38;5;%d;48;5;%dm\xe2\x96\x80",
				colour[up], colour[low]);
		plain = !up && !low;
	}
	fputs(plain ? "" : "\033[0m", f);
}

static void draw_shades(FILE *f, const struct grid *g, unsigned int line,
			bool ascii)
{
	static const char *const shade[] = { " ", "\xe2\x96\x91",
		"\xe2\x96\x92", "\xe2\x96\x93", "\xe2\x96\x88" };
	static const char letter[] = " .:-=+*#%@";
	unsigned int x;

	for (x = 0; x < g->width; x++) {
		if (ascii)
			fputc(letter[level(g, line, x, 9)], f);
		else
			fputs(shade[level(g, line, x, 4)], f);
	}
}

static void draw(FILE *f, const struct strip *s, const struct grid *g)
{
	unsigned int line = LINES;
	double ns;

	while (line--) {
		ns = g->lo_ns * pow(g->hi_ns / g->lo_ns, (line + 0.5) / LINES);
		if (line % 3 == 2 || !line)
			fprintf(f, "%*.*f ms ", LABEL - 4, ns < 1e5 ? 4 :
				ns < 1e8 ? 2 : 0, ns / 1e6);
		else
			fprintf(f, "%*s", LABEL, "");
		if (s->kind == STRIP_COLOUR)
			draw_colour(f, g, line);
		else
			draw_shades(f, g, line, s->kind == STRIP_ASCII);
		fputc('\n', f);
	}
}

/* --- below --- */
/* A path change is what one looks for; where several share a column it wins. */
static char letter_of(const char *kind)
{
	static const struct {
		const char *kind;
		char letter;
	} known[] = { { "path-change", 'P' }, { "budget", 'B' },
		      { "geography", 'G' }, { "commit", 'C' } };
	unsigned int i;

	for (i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (!strcmp(kind, known[i].kind))
			return known[i].letter;
	return '^';
}

static void draw_marks(FILE *f, const struct strip *s,
		       struct json_object *marks)
{
	size_t i, n = json_object_array_length(marks);
	unsigned int width = s->n_steps < strip_room(s) ? s->n_steps :
			     strip_room(s);
	char line[MAX_STEPS + 1], c;
	int column;

	if (!n)
		return;
	memset(line, ' ', width);
	line[width] = '\0';
	for (i = 0; i < n; i++) {
		struct json_object *m = json_object_array_get_idx(marks, i);

		c = letter_of(cli_text(m, "kind"));
		column = column_of(s, strip_time_s(cli_text(m, "time")));
		if (column >= 0 && line[column] != 'P' &&
		    (c != '^' || line[column] == ' '))
			line[column] = c;
	}
	fprintf(f, "%*s%s\n", LABEL, "", line);
	if (n > MARKS)
		fprintf(f, "  ... and %zu before\n", n - MARKS);
	for (i = n > MARKS ? n - MARKS : 0; i < n; i++) {
		struct json_object *m = json_object_array_get_idx(marks, i);

		fprintf(f, "%c %s  %s\n", letter_of(cli_text(m, "kind")),
			cli_text(m, "time"), cli_text(m, "message"));
	}
}

static void draw_axis(FILE *f, const struct strip *s, unsigned int width)
{
	time_t from = s->from_s, to = s->from_s + s->step_s * width;
	const char *form = to - from >= 86400 ? "%m-%d %H:%M" : "%H:%M:%S";
	char left[32], right[32];
	struct tm tm;
	int gap;

	strftime(left, sizeof(left), form, gmtime_r(&from, &tm));
	strftime(right, sizeof(right), form, gmtime_r(&to, &tm));
	gap = (int)width - (int)strlen(left) - (int)strlen(right);
	fprintf(f, "%*s%s%*s%s UTC\n", LABEL, "", left, gap > 1 ? gap : 1, "",
		right);
}

void strip_show(FILE *f, const struct strip *s, struct json_object *row,
		struct json_object *marks)
{
	struct grid *g = calloc(1, sizeof(*g));
	struct json_object *steps;

	if (!g || !json_object_object_get_ex(row, "steps", &steps)) {
		free(g);
		return;
	}
	g->width = s->n_steps < strip_room(s) ? s->n_steps : strip_room(s);
	g->height = s->kind == STRIP_COLOUR ? 2 * LINES : LINES;
	find_limits(g, steps);
	count(g, s, steps);
	draw(f, s, g);
	draw_axis(f, s, g->width);
	draw_marks(f, s, marks);
	free(g);
}
