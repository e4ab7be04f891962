// SPDX-License-Identifier: GPL-2.0
/* The live screen: keys in, lines out. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "duration.h"
#include "watch_data.h"
#include "watch_term.h"

#define TICK_MS 200	/* how soon an answer is seen */

/* What the keys want, told to the thread. The feed is locked. */
static void pass_on(struct watch_thread *t, const struct watch_view *v)
{
	if (t->paused == v->paused && !strcmp(t->feed->look, v->lane))
		return;
	t->paused = v->paused;
	t->hurry = true;
	strcpy(t->feed->look, v->lane);
	watch_thread_wake(t);
}

static void compose(struct watch_thread *t, struct watch_view *v,
		    struct watch_page *p)
{
	watch_term_size(&v->width, &v->height);
	pthread_mutex_lock(&t->feed->lock);
	pass_on(t, v);
	if (!v->paused)
		t->feed->m.now_ns = sl_now_ns();
	watch_compose(&t->feed->m, v, p);
	pthread_mutex_unlock(&t->feed->lock);
}

/* true: leave. */
static bool take_keys(struct watch_thread *t, struct watch_view *v,
		      struct watch_page *p, bool *any, bool *anew)
{
	int32_t key;

	while ((key = watch_term_key()) >= 0) {
		*any = true;
		if (key == WATCH_TERM_REPAINT)
			*anew = true;
		else if (watch_key(v, key))
			return true;
		/* the next key means what is selected by then */
		compose(t, v, p);
	}
	return false;
}

static uint64_t version_of(struct watch_thread *t)
{
	uint64_t version;

	pthread_mutex_lock(&t->feed->lock);
	version = t->version;
	pthread_mutex_unlock(&t->feed->lock);
	return version;
}

/* Painted when something came, a key was hit, or the clock went on. */
static void live(struct watch_thread *t, struct watch_page *p)
{
	struct watch_view v = { .ascii = watch_ascii(),
		.order = { .column = WATCH_STATE, .down = true } };
	uint64_t version = 0, second = 0, now, now_s;
	bool any = true, anew = false;

	while (!watch_term_signal()) {
		now = version_of(t);
		now_s = sl_now_ns() / 1000000000;
		if (any || now != version || now_s != second) {
			compose(t, &v, p);
			watch_term_paint(p, v.width, anew, v.ascii);
		}
		version = now;
		second = now_s;
		any = anew = false;
		if (!watch_term_wait(TICK_MS) ||
		    take_keys(t, &v, p, &any, &anew))
			break;
	}
}

int watch_screen(struct watch_feed *f, uint64_t every_ns)
{
	struct watch_thread t = { .feed = f, .every_ns = every_ns };
	struct watch_page p = { .room = WATCH_HEIGHT };
	int signo, rc;

	p.line = calloc(p.room, sizeof(*p.line));
	if (!p.line)
		return cli_error(f->cli, REFUSED, "free memory",
				 "out of memory");
	if (!watch_term_open()) {
		free(p.line);
		fprintf(stderr, "sealane: this terminal shows no screen; rows "
			"instead\n");
		return watch_rows(f, every_ns, 0);
	}
	rc = watch_thread_start(&t);
	if (!rc)
		live(&t, &p);
	watch_term_close();
	free(p.line);
	signo = watch_term_signal();
	if (signo) {	/* die by it, as who started us expects */
		signal(signo, SIG_DFL);
		raise(signo);
	}
	if (rc)
		return cli_error(f->cli, REFUSED, "free memory", "no thread: "
				 "%s", strerror(-rc));
	/* a request that hangs is left behind, and its thread with it */
	if (!watch_thread_stop(&t))
		_exit(DONE);
	watch_feed_close(f);
	return DONE;
}
