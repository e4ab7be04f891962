// SPDX-License-Identifier: GPL-2.0
/* The lanes as a table that fits its place. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "watch.h"

#define TREND_LEAST 8

/* A title has room for the arrow of the sorted one. Text columns are as wide as
 * their texts, up to `width`. */
const struct watch_column_spec watch_columns[WATCH_COLUMNS] = {
	[WATCH_LANE] = { "lane", "lane", 20, 100, true },
	[WATCH_PATH] = { "path", "path", 20, 6, true },
	[WATCH_STATE] = { "state", "state", 24, 9, true },
	[WATCH_P50] = { "p50 ms", "p50_ns", 8, 10, false },
	[WATCH_P95] = { "p95 ms", "p95_ns", 8, 8, false },
	[WATCH_P99] = { "p99 ms", "p99_ns", 8, 5, false },
	[WATCH_FLOOR] = { "floor ms", "floor_ns", 9, 1, false },
	[WATCH_STRETCH] = { "stretch", "stretch", 8, 3, false },
	[WATCH_LOSS] = { "loss ppm", "retrans_ppm", 9, 7, false },
	[WATCH_PACKETS] = { "packets/s", "packets_per_s", 10, 2, false },
	[WATCH_BITS] = { "bit/s", "bits_per_s", 7, 0, false },
	[WATCH_TREND] = { "p50 of the last minutes", "trend", WATCH_CELLS, 4,
			  true },
};

static int text_width(const struct watch_model *m, enum watch_column c,
		      int most)
{
	int w = strlen(watch_columns[c].title) + 1, n;
	char buf[WATCH_TEXT_B];
	unsigned int i;

	for (i = 0; i < m->n_rows; i++) {
		n = watch_columns_of(watch_cell(&m->rows[i], c, buf));
		w = n > w ? n : w;
	}
	return w < most ? w : most;
}

static int width_of(const struct watch_layout *l)
{
	int i, w = 0;

	for (i = 0; i < l->n; i++)
		w += l->width[i] + 1;
	return w - 1;
}

static void leave_out(struct watch_layout *l, int at)
{
	l->n--;
	memmove(l->column + at, l->column + at + 1,
		(l->n - at) * sizeof(l->column[0]));
	memmove(l->width + at, l->width + at + 1,
		(l->n - at) * sizeof(l->width[0]));
}

/* The one to leave out; -1: none may be. */
static int least(const struct watch_layout *l, enum watch_column sorted)
{
	int i, at = -1;

	for (i = 0; i < l->n; i++)
		if (l->column[i] != sorted && l->column[i] != WATCH_LANE &&
		    (at < 0 || watch_columns[l->column[i]].keep <
			       watch_columns[l->column[at]].keep))
			at = i;
	return at;
}

void watch_lay_out(const struct watch_model *m, int width,
		   enum watch_column sorted, struct watch_layout *l)
{
	int c, spare, at;

	l->n = WATCH_COLUMNS;
	for (c = 0; c < WATCH_COLUMNS; c++) {
		const struct watch_column_spec *s = &watch_columns[c];
		int most = width < 60 && s->width > 10 ? 10 : s->width;

		l->column[c] = c;
		l->width[c] = c == WATCH_TREND ? TREND_LEAST : s->text ?
			      text_width(m, c, most) : s->width;
	}
	while (width_of(l) > width) {
		at = least(l, sorted);
		if (at < 0)
			break;
		leave_out(l, at);
	}
	/* the trend, always the last one, takes what is left */
	spare = width - width_of(l);
	if (l->column[l->n - 1] == WATCH_TREND && spare > 0)
		l->width[l->n - 1] += spare < WATCH_CELLS - TREND_LEAST ?
				      spare : WATCH_CELLS - TREND_LEAST;
}

void watch_titles(const struct watch_layout *l, const struct watch_order *o,
		  bool ascii, char *out, size_t len)
{
	const char *arrow = ascii ? o->down ? "v" : "^" : o->down ? "▼" : "▲";
	char title[WATCH_TEXT_B];
	size_t at = 0;
	int i;

	for (i = 0; i < l->n; i++) {
		const struct watch_column_spec *s = &watch_columns[l->column[i]];
		bool sorted = l->column[i] == o->column;

		snprintf(title, sizeof(title), "%s%s", s->title,
			 sorted ? arrow : "");
		/* where it is cut the arrow must not be */
		if (sorted && watch_columns_of(title) > l->width[i])
			snprintf(title, sizeof(title), "%s%.*s", arrow,
				 l->width[i] - 1, s->title);
		at += watch_fit(out + at, len - at, title, l->width[i],
				(s->text ? 0 : WATCH_RIGHT) |
				(ascii ? WATCH_ASCII : 0));
		if (i + 1 < l->n && at + 1 < len)
			out[at++] = ' ';
	}
	out[at] = '\0';
}

void watch_row_text(const struct watch_layout *l, const struct watch_row *r,
		    uint64_t now_ns, bool ascii, char *out, size_t len,
		    int *mark_at, int *mark_n)
{
	int i, column = 0, flags = ascii ? WATCH_ASCII : 0;
	char cell[WATCH_CELLS * 4 + 1];
	size_t at = 0;

	*mark_n = 0;
	for (i = 0; i < l->n; i++) {
		enum watch_column c = l->column[i];

		if (c == WATCH_TREND)
			watch_trend_text(&r->trend, now_ns, l->width[i], ascii,
					 cell, sizeof(cell));
		else
			watch_cell(r, c, cell);
		if (c == WATCH_STATE) {
			*mark_at = column;
			*mark_n = l->width[i];
		}
		at += watch_fit(out + at, len - at, cell, l->width[i], flags |
				(watch_columns[c].text ? 0 : WATCH_RIGHT));
		column += l->width[i] + 1;
		if (i + 1 < l->n && at + 1 < len)
			out[at++] = ' ';
	}
	out[at] = '\0';
}

/* By watch_model's ranks: changed and broken budgets, then what is suspect. */
enum watch_style watch_row_style(const struct watch_row *r)
{
	return r->rank >= 5 ? WATCH_BAD : r->rank >= 2 ? WATCH_WARN :
	       WATCH_PLAIN;
}

/* Where the selected row stands now. Who has not gone down from the first row stays
 * on the first row, whichever that is. */
static void select_row(struct watch_view *v, const struct watch_row **rows,
		       int n, int room)
{
	int i;

	for (i = 0; v->at && v->at_lane[0] && i < n; i++)
		if (!strcmp(rows[i]->lane, v->at_lane) &&
		    !strcmp(rows[i]->path, v->at_path)) {
			v->at = i;
			break;
		}
	v->at = v->at >= n ? n - 1 : v->at;
	v->at = v->at < 0 ? 0 : v->at;
	if (n) {
		strcpy(v->at_lane, rows[v->at]->lane);
		strcpy(v->at_path, rows[v->at]->path);
	}
	if (v->top > v->at)
		v->top = v->at;
	if (v->top < v->at - room + 1)
		v->top = v->at - room + 1;
	if (v->top > n - room)
		v->top = n > room ? n - room : 0;
	v->top = v->top < 0 ? 0 : v->top;
}

void watch_compose_rows(const struct watch_model *m, struct watch_view *v,
			int lines, struct watch_page *p)
{
	int i, n, room = lines - 1, mark_at, mark_n;
	const struct watch_row **rows;
	char text[WATCH_LINE_B - 8];
	struct watch_line *line;
	struct watch_layout l;
	unsigned int count;

	rows = watch_rows_by(m, &v->order, &count);
	n = count;
	watch_lay_out(m, v->width - 2, v->order.column, &l);
	watch_titles(&l, &v->order, v->ascii, text, sizeof(text));
	watch_add(p, WATCH_TITLE, "  %s", text);
	select_row(v, rows, rows ? n : 0, room);
	v->page = room;
	for (i = v->top; rows && i < n && i < v->top + room; i++) {
		watch_row_text(&l, rows[i], m->now_ns, v->ascii, text,
			       sizeof(text), &mark_at, &mark_n);
		line = watch_add(p, i == v->at ? WATCH_SELECTED : WATCH_PLAIN,
				 "%c %s", i == v->at ? '>' : ' ', text);
		if (!line)
			break;
		line->mark_at = mark_at + 2;
		line->mark_n = mark_n;
		line->mark = watch_row_style(rows[i]);
	}
	if (!n && room > 0)
		watch_add(p, WATCH_FAINT, "  %s", m->n_rows ?
			  "no lane matches the filter" : m->ever ?
			  "no lane has been measured yet" : "");
	free(rows);
}
