// SPDX-License-Identifier: GPL-2.0
/*
 * What was collected, for those who ask. Steps that lie wholly in a window are
 * shown as such, of others their seconds. A second belongs to one step and ends at
 * one moment: windows that follow each other show everything once.
 */
#include "collect_priv.h"
#include "history.h"

uint64_t collect_oldest(const struct agent *a)
{
	const struct collect *c = a->collect;
	const struct kept_bank *b = kept_live(c->kept);
	uint32_t i;

	/* after a sleep the steps before it are old, though few */
	for (i = 0; i < b->n; i++)
		if (b->step[i].step_ns + KEPT_NS > c->last_ns)
			return b->step[i].step_ns;
	return c->step_ns ? c->step_ns :
			    c->last_ns - c->last_ns % HISTORY_STEP_NS;
}

static bool has_seconds(const struct collect *c, uint64_t step_ns)
{
	unsigned int i;

	for (i = 0; i < c->n_fine; i++)
		if (c->fine[(c->first + i) % FINE_MAX].step_ns == step_ns)
			return true;
	return false;
}

static void show_seconds(const struct collect *c, uint64_t step_ns,
			 uint64_t from_ns, uint64_t to_ns,
			 const struct ring_eye *eye)
{
	unsigned int i;

	for (i = 0; i < c->n_fine; i++) {
		const struct fine *f = &c->fine[(c->first + i) % FINE_MAX];

		if (f->step_ns == step_ns && f->to_ns > from_ns &&
		    f->to_ns <= to_ns)
			ring_read(f->b, f->len, eye);
	}
}

static void show_step(const struct collect *c, const struct kept_step *s,
		      const struct ring_eye *eye)
{
	ring_read(kept_bytes(c->kept, s), s->len_b, eye);
}

/* The step that has not ended has seconds only. */
static void show_open(const struct collect *c, const struct collect_window *w,
		      uint64_t from_ns, uint64_t to_ns,
		      const struct ring_eye *eye)
{
	if (!c->step_ns || w->steps || c->step_ns >= to_ns)
		return;
	if (c->step_ns >= from_ns)
		from_ns = 0;
	show_seconds(c, c->step_ns, from_ns, to_ns, eye);
}

/* The window ends where the last reading does, or the last step. */
static void cut_end(const struct collect *c, struct collect_window *w)
{
	uint64_t end_ns = w->steps && c->step_ns ? c->step_ns : c->last_ns;

	if (w->to_ns > end_ns && end_ns > w->from_ns)
		w->to_ns = end_ns;
}

void collect_show(const struct agent *a, struct collect_window *w,
		  const struct ring_eye *eye)
{
	const struct collect *c = a->collect;
	const struct kept_bank *b = kept_live(c->kept);
	const uint64_t from_ns = w->from_ns, to_ns = w->to_ns;
	uint32_t i;

	for (i = 0; i < b->n; i++) {
		const struct kept_step *s = &b->step[i];
		uint64_t end_ns = s->step_ns + HISTORY_STEP_NS;

		if (end_ns <= from_ns || s->step_ns >= to_ns)
			continue;
		if (s->step_ns >= from_ns && end_ns <= to_ns) {
			show_step(c, s, eye);
		} else if (!w->steps && has_seconds(c, s->step_ns)) {
			show_seconds(c, s->step_ns,
				     s->step_ns >= from_ns ? 0 : from_ns,
				     to_ns, eye);
		} else if (w->round) {
			show_step(c, s, eye);
			if (s->step_ns < w->from_ns)
				w->from_ns = s->step_ns;
			if (end_ns > w->to_ns)
				w->to_ns = end_ns;
		} else if (s->to_ns > from_ns && s->to_ns <= to_ns) {
			show_step(c, s, eye);
		}
	}
	show_open(c, w, from_ns, to_ns, eye);
	if (w->round)
		cut_end(c, w);
}

void collect_walk(const struct agent *a, uint64_t from_ns, uint64_t to_ns,
		  collect_series_fn series, collect_lane_fn lane, void *arg)
{
	const struct ring_eye eye = { .series = series, .lane = lane,
				      .arg = arg };
	struct collect_window w = { .from_ns = from_ns, .to_ns = to_ns };

	collect_show(a, &w, &eye);
}

void collect_last(const struct agent *a, collect_series_fn series,
		  collect_lane_fn lane, void *arg)
{
	const struct ring_eye eye = { .series = series, .lane = lane,
				      .arg = arg };
	const struct collect *c = a->collect;
	const struct fine *f;

	if (!c->n_fine)
		return;
	f = &c->fine[(c->first + c->n_fine - 1) % FINE_MAX];
	ring_read(f->b, f->len, &eye);
}
