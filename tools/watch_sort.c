// SPDX-License-Identifier: GPL-2.0
/* Which rows are shown, and in which order. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "watch.h"

static bool same_letter(char a, char b)
{
	if (a >= 'A' && a <= 'Z')
		a += 'a' - 'A';
	if (b >= 'A' && b <= 'Z')
		b += 'a' - 'A';
	return a == b;
}

static bool occurs(const char *text, const char *word, size_t n)
{
	size_t i;

	for (; *text; text++) {
		for (i = 0; i < n && text[i] && same_letter(text[i], word[i]);
		     i++)
			;
		if (i == n)
			return true;
	}
	return !n;
}

bool watch_matches(const char *filter, const char *const *texts)
{
	const char *word = filter;
	const char *const *t;
	size_t n;

	for (;; word += n) {
		word += strspn(word, " ");
		n = strcspn(word, " ");
		if (!n)
			return true;
		for (t = texts; *t && !occurs(*t, word, n); t++)
			;
		if (!*t)
			return false;
	}
}

static int by_number(double a, double b, bool down)
{
	if (isnan(a) || isnan(b))	/* unknown: last either way */
		return !!isnan(a) - !!isnan(b);
	return ((a > b) - (a < b)) * (down ? -1 : 1);
}

/* The newest figure of a trend. */
static double newest(const struct watch_row *r)
{
	return r->trend.last > 0 ? r->trend.cell_ns[r->trend.last %
						    WATCH_CELLS] : NAN;
}

static int by_name(const struct watch_row *a, const struct watch_row *b)
{
	int d = strcmp(a->lane, b->lane);

	return d ? d : strcmp(a->path, b->path);
}

static int compare_rows(const void *x, const void *y, void *arg)
{
	const struct watch_row *a = *(const struct watch_row *const *)x;
	const struct watch_row *b = *(const struct watch_row *const *)y;
	const struct watch_order *o = arg;
	int d = 0;

	switch (o->column) {
	case WATCH_LANE:
		d = by_name(a, b) * (o->down ? -1 : 1);
		break;
	case WATCH_PATH:
		d = strcmp(a->path, b->path) * (o->down ? -1 : 1);
		break;
	case WATCH_STATE:
		d = by_number(a->rank, b->rank, o->down);
		break;
	case WATCH_TREND:
		d = by_number(newest(a), newest(b), o->down);
		break;
	default:
		d = by_number(a->num[o->column], b->num[o->column], o->down);
	}
	return d ? d : by_name(a, b);
}

const struct watch_row **watch_rows_by(const struct watch_model *m,
				       const struct watch_order *o,
				       unsigned int *n)
{
	const struct watch_row **out = calloc(m->n_rows + 1, sizeof(*out));
	unsigned int i;

	*n = 0;
	for (i = 0; out && i < m->n_rows; i++) {
		const struct watch_row *r = &m->rows[i];
		const char *const texts[] = { r->lane, r->path, r->state,
					      NULL };

		if (watch_matches(o->filter, texts))
			out[(*n)++] = r;
	}
	if (out)
		qsort_r(out, *n, sizeof(*out), compare_rows, (void *)o);
	return out;
}

static int compare_drops(const void *x, const void *y)
{
	const struct watch_drop *a = *(const struct watch_drop *const *)x;
	const struct watch_drop *b = *(const struct watch_drop *const *)y;
	int d = by_number(a->packets_per_s, b->packets_per_s, true);

	if (!d)
		d = by_number(a->packets, b->packets, true);
	if (!d)
		d = (int)a->source - (int)b->source;
	return d ? d : strcmp(a->name, b->name);
}

const struct watch_drop **watch_drops_by(const struct watch_model *m,
					 const char *filter, unsigned int *n)
{
	const struct watch_drop **out = calloc(m->n_drops + 1, sizeof(*out));
	unsigned int i;

	*n = 0;
	for (i = 0; out && i < m->n_drops; i++) {
		const struct watch_drop *d = &m->drops[i];
		const char *const texts[] = { d->name, d->action, d->why,
					      NULL };

		if (watch_matches(filter, texts))
			out[(*n)++] = d;
	}
	if (out)
		qsort(out, *n, sizeof(*out), compare_drops);
	return out;
}

const struct watch_event **watch_events_by(const struct watch_model *m,
					   const char *filter,
					   const char *lane, unsigned int *n)
{
	const struct watch_event **out = calloc(m->n_events + 1, sizeof(*out));
	unsigned int i;

	*n = 0;
	for (i = m->n_events; out && i--;) {
		const struct watch_event *e = &m->events[i];
		const char *const texts[] = { e->message, e->kind, e->severity,
					      e->lane, NULL };

		if ((!lane[0] || !strcmp(e->lane, lane)) &&
		    watch_matches(filter, texts))
			out[(*n)++] = e;
	}
	return out;
}
