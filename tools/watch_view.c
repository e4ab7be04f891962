// SPDX-License-Identifier: GPL-2.0
/* The screen as lines of text. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "watch.h"

#define HEAD	2
#define FOOT	1
#define LEAST_BODY 14		/* lines, for more than the lanes */
#define LEAST_LANES 4

struct watch_line *watch_add(struct watch_page *p, enum watch_style style,
			     const char *fmt, ...)
{
	struct watch_line *l;
	va_list ap;

	if (p->n >= p->room)
		return NULL;
	l = &p->line[p->n++];
	l->style = style;
	l->mark_n = 0;
	va_start(ap, fmt);
	vsnprintf(l->text, sizeof(l->text), fmt, ap);
	va_end(ap);
	return l;
}

void watch_compose_foot(const struct watch_view *v, struct watch_page *p)
{
	const char *paused = v->paused ? "PAUSED (space goes on)  " : "";

	if (v->editing)
		watch_add(p, WATCH_BOLD, "filter: %s_  (Enter keeps it, Esc "
			  "leaves it)", v->order.filter);
	else if (v->help || v->lane[0])
		watch_add(p, WATCH_FAINT, "%sEsc back  up/down scroll  ? help",
			  paused);
	else if (v->order.filter[0])
		watch_add(p, WATCH_BOLD, "%sfiltered by \"%s\" (Esc shows all)  "
			  "? help", paused, v->order.filter);
	else
		watch_add(p, v->paused ? WATCH_BOLD : WATCH_FAINT, "%sq quit  ? "
			  "help  / filter  Enter look into  left/right sort  "
			  "r turn  Tab parts  space pause", paused);
}

/* --- drops and events --- */

void watch_compose_drops(const struct watch_model *m,
			 const struct watch_view *v, int lines,
			 struct watch_page *p)
{
	int flags = v->ascii ? WATCH_ASCII : 0, skip = v->scroll, i;
	const struct watch_drop **drops;
	char name[512], total[24], rate[24];
	unsigned int n;

	drops = watch_drops_by(m, v->order.filter, &n);
	watch_add(p, WATCH_TITLE, "  drops by        packets/s    packets  "
		  "(%u)", n);
	for (i = skip; drops && i < (int)n && i < skip + lines - 1; i++) {
		watch_fit(name, sizeof(name), drops[i]->name, 20, flags);
		watch_add(p, drops[i]->packets_per_s > 0 ? WATCH_PLAIN :
			  WATCH_FAINT, "  %-8s %16s %10s  %s %s  %s",
			  watch_source_names[drops[i]->source],
			  watch_rate(drops[i]->packets_per_s, rate),
			  watch_count(drops[i]->packets, total), name,
			  drops[i]->action, drops[i]->why);
	}
	if (!n && lines > 1)
		watch_add(p, WATCH_FAINT, "  nothing is dropped by rules, lists "
			  "or blocks%s", v->order.filter[0] ?
			  " that match the filter" : "");
	free(drops);
}

static enum watch_style event_style(const struct watch_event *e)
{
	return !strcmp(e->severity, "error") ? WATCH_BAD :
	       !strcmp(e->severity, "warning") ? WATCH_WARN : WATCH_PLAIN;
}

void watch_compose_events(const struct watch_model *m,
			  const struct watch_view *v, int lines,
			  struct watch_page *p)
{
	/* of a lane's own page all of it scrolls */
	int skip = v->lane[0] || v->part != WATCH_EVENTS_ONLY ? 0 : v->scroll;
	const struct watch_event **events;
	unsigned int n;
	int i;

	events = watch_events_by(m, v->lane[0] ? "" : v->order.filter, v->lane,
				 &n);
	watch_add(p, WATCH_TITLE, "  events, the newest first (%u)", n);
	for (i = skip; events && i < (int)n && i < skip + lines - 1; i++)
		watch_add(p, event_style(events[i]), "  %.8s %-7.7s %-9s %s",
			  strlen(events[i]->time) > 19 ? events[i]->time + 11 :
			  "--------", events[i]->severity, events[i]->kind,
			  events[i]->message);
	if (!n && lines > 1)
		watch_add(p, WATCH_FAINT, "  none%s%s", v->lane[0] ? " of " : "",
			  v->lane);
	free(events);
}

/* --- all of it --- */

/* Lanes, drops and events share the height; what one does not need goes to the
 * next. */
static void compose_all(const struct watch_model *m, struct watch_view *v,
			int body, struct watch_page *p)
{
	int drops, lanes, n_drops = m->n_drops ? (int)m->n_drops : 1;

	if (body < LEAST_BODY) {
		watch_compose_rows(m, v, body, p);
		return;
	}
	drops = n_drops + 1 < body / 4 ? n_drops + 1 : body / 4;
	lanes = (int)m->n_rows + 1 < body - drops - body / 4 ?
		(int)m->n_rows + 1 : body - drops - body / 4;
	if (lanes < LEAST_LANES)
		lanes = LEAST_LANES;
	watch_compose_rows(m, v, lanes, p);
	while (p->n < HEAD + lanes && watch_add(p, WATCH_PLAIN, " "))
		;
	watch_compose_drops(m, v, drops, p);
	while (p->n < HEAD + lanes + drops && watch_add(p, WATCH_PLAIN, " "))
		;
	watch_compose_events(m, v, body - lanes - drops, p);
}

/* A text longer than the place: the part that is scrolled to. */
static void compose_long(const struct watch_model *m, struct watch_view *v,
			 int body, struct watch_page *p)
{
	struct watch_page all = { .room = 4 * WATCH_HEIGHT };
	int i;

	all.line = calloc(all.room, sizeof(*all.line));
	if (!all.line)
		return;
	if (v->help)
		watch_compose_help(&all);
	else
		watch_compose_lane(m, v, &all);
	v->page = body;
	if (v->scroll > all.n - body)
		v->scroll = all.n > body ? all.n - body : 0;
	for (i = v->scroll; i < all.n && i < v->scroll + body &&
	     p->n < p->room; i++)
		p->line[p->n++] = all.line[i];
	free(all.line);
}

/* Lists that are shown alone scroll by themselves. */
static void clamp_scroll(struct watch_view *v, int n, int body)
{
	v->page = body - 1;
	if (v->scroll > n - body + 1)
		v->scroll = n >= body ? n - body + 1 : 0;
}

void watch_compose(const struct watch_model *m, struct watch_view *v,
		   struct watch_page *p)
{
	int body = v->height - HEAD - FOOT;

	p->n = 0;
	if (v->height < HEAD + FOOT + 2 || v->width < 20) {
		watch_add(p, WATCH_BOLD, "too small");
		return;
	}
	watch_compose_head(m, v, p);
	if (v->help || v->lane[0]) {
		compose_long(m, v, body, p);
	} else if (v->part == WATCH_LANES) {
		watch_compose_rows(m, v, body, p);
	} else if (v->part == WATCH_DROPS) {
		clamp_scroll(v, m->n_drops, body);
		watch_compose_drops(m, v, body, p);
	} else if (v->part == WATCH_EVENTS_ONLY) {
		clamp_scroll(v, m->n_events, body);
		watch_compose_events(m, v, body, p);
	} else {
		v->scroll = 0;
		compose_all(m, v, body, p);
	}
	while (p->n < v->height - FOOT && watch_add(p, WATCH_PLAIN, " "))
		;
	watch_compose_foot(v, p);
}
