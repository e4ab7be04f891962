// SPDX-License-Identifier: GPL-2.0
/* Keys: what they change in how it is looked at. */
#include <string.h>
#include "watch.h"

#define ESC 27
#define CTRL(c) ((c) & 0x1f)

static void sort_by(struct watch_view *v, enum watch_column c)
{
	v->at = 0;
	if (v->order.column == c) {
		v->order.down = !v->order.down;
		return;
	}
	v->order.column = c;
	/* names from A, figures and states from the worst */
	v->order.down = c != WATCH_LANE && c != WATCH_PATH;
}

static void sort_beside(struct watch_view *v, int step)
{
	sort_by(v, (v->order.column + WATCH_COLUMNS + step) % WATCH_COLUMNS);
}

/* Appended as UTF-8, when there is room. */
static void append(char *text, size_t len, uint32_t c)
{
	size_t n = strlen(text);
	unsigned int more = c < 0x80 ? 0 : c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
	static const unsigned char lead[] = { 0, 0xc0, 0xe0, 0xf0 };

	if (n + more + 1 >= len)
		return;
	text[n++] = lead[more] | c >> (6 * more);
	while (more--)
		text[n++] = 0x80 | ((c >> (6 * more)) & 0x3f);
	text[n] = '\0';
}

static void shorten(char *text)
{
	size_t n = strlen(text);

	while (n && (text[--n] & 0xc0) == 0x80)
		;
	text[n] = '\0';
}

static void edit(struct watch_view *v, int32_t key)
{
	char *text = v->order.filter;

	v->at = 0;
	if (key == '\n' || key == '\r') {
		v->editing = false;
	} else if (key == ESC) {
		text[0] = '\0';
		v->editing = false;
	} else if (key == WATCH_KEY_BACKSPACE || key == 127 || key == '\b') {
		shorten(text);
	} else if (key == CTRL('u')) {
		text[0] = '\0';
	} else if (key >= ' ' && key < WATCH_KEY_UP &&
		   !(key >= 0x7f && key < 0xa0)) {
		append(text, sizeof(v->order.filter), key);
	}
}

static bool scrolls(const struct watch_view *v)
{
	return v->help || v->lane[0] || v->part == WATCH_DROPS ||
	       v->part == WATCH_EVENTS_ONLY;
}

static bool move(struct watch_view *v, int32_t key)
{
	int page = v->page > 1 ? v->page - 1 : 1, step;
	int *at = scrolls(v) ? &v->scroll : &v->at;

	switch (key) {
	case WATCH_KEY_UP: case 'k': step = -1; break;
	case WATCH_KEY_DOWN: case 'j': step = 1; break;
	case WATCH_KEY_PAGE_UP: step = -page; break;
	case WATCH_KEY_PAGE_DOWN: step = page; break;
	case WATCH_KEY_HOME: case 'g': step = -*at; break;
	case WATCH_KEY_END: case 'G': step = 1 << 20; break;
	default: return false;
	}
	*at = *at + step < 0 ? 0 : *at + step > 1 << 24 ? 1 << 24 : *at + step;
	if (at == &v->at)
		v->at_lane[0] = '\0';	/* the one by that number now */
	return true;
}

/* false: there is nothing to go back from. */
static bool back(struct watch_view *v)
{
	if (v->help)
		v->help = false;
	else if (v->lane[0])
		v->lane[0] = '\0';
	else
		return false;
	v->scroll = 0;
	return true;
}

static bool sort_key(struct watch_view *v, int32_t key)
{
	static const struct {
		int32_t key;
		enum watch_column column;
	} keys[] = {
		{ '1', WATCH_LANE }, { '2', WATCH_PATH }, { '3', WATCH_STATE },
		{ '4', WATCH_P50 }, { '5', WATCH_P95 }, { '6', WATCH_P99 },
		{ '7', WATCH_FLOOR }, { '8', WATCH_STRETCH },
		{ '9', WATCH_LOSS }, { '0', WATCH_PACKETS },
		{ 'b', WATCH_BITS }, { 't', WATCH_TREND },
	};
	size_t i;

	if (key == WATCH_KEY_LEFT || key == '<')
		sort_beside(v, -1);
	else if (key == WATCH_KEY_RIGHT || key == '>')
		sort_beside(v, 1);
	else if (key == 'r')
		v->order.down = !v->order.down;
	else {
		for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
			if (keys[i].key == key)
				break;
		if (i == sizeof(keys) / sizeof(keys[0]))
			return false;
		sort_by(v, keys[i].column);
	}
	return true;
}

bool watch_key(struct watch_view *v, int32_t key)
{
	if (v->editing) {
		edit(v, key);
		return false;
	}
	if (key == 'q')
		return !back(v);
	if (key == ESC) {
		if (back(v))
			return false;
		v->order.filter[0] = '\0';
		v->part = WATCH_ALL;
	} else if (key == '?') {
		v->help = !v->help;
		v->scroll = 0;
	} else if (key == ' ') {
		v->paused = !v->paused;
	} else if (move(v, key) || v->help) {
		return false;
	} else if (key == '/' && !v->lane[0]) {
		v->editing = true;
	} else if (key == '\t' && !v->lane[0]) {
		v->part = (v->part + 1) % WATCH_PARTS;
		v->scroll = 0;
	} else if ((key == '\n' || key == '\r') && !scrolls(v)) {
		strcpy(v->lane, v->at_lane);
		v->scroll = 0;
	} else if (!v->lane[0]) {
		sort_key(v, key);
	}
	return false;
}
