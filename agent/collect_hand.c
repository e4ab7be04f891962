// SPDX-License-Identifier: GPL-2.0
/*
 * From memory to history: each step that has ended, in their order. What a former
 * agent had handed over when it was killed may or may not be on disk: history is
 * asked once, and until it has answered the steps wait in kept.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "collect_priv.h"
#include "history.h"

struct hand {
	uint32_t n;
	struct {
		uint64_t step_ns;
		bool there;
	} step[KEPT_STEPS];
	bool running, known;		/* known: which are there */
	uint64_t after_ns;		/* those behind it are handed over */
	int rc;
};

/* In a second, so that the writer's queue has room for what comes beside. */
#define HAND_AT_ONCE 10

const char *lane_word(const struct agent *a, uint32_t lane)
{
	/* what is no lane any more has become part of the others */
	return lane && lane < SL_MAX_LANES && a->lane_name[lane][0] ?
	       a->lane_name[lane] : "other";
}

static struct history_key key_of(const struct agent *a, uint32_t lane,
				 uint32_t path)
{
	struct history_key k = {};

	strcpy(k.lane, lane_word(a, lane));
	strcpy(k.path, a->path_name[path % SL_MAX_PATHS]);
	return k;
}

static void hand_series(void *arg, uint64_t key, const struct sl_hist *h)
{
	struct agent *a = arg;
	struct history_key k = key_of(a, SL_SERIES_LANE(key),
				      SL_SERIES_PATH(key));

	k.method = SL_SERIES_METHOD(key);
	k.half = SL_SERIES_HALF(key);
	history_add(a, &k, h);
}

static void hand_lane(void *arg, uint32_t path, uint32_t lane,
		      const struct sl_lane_ctr *c)
{
	struct agent *a = arg;

	history_add_traffic(a, lane_word(a, lane),
			    a->path_name[path % SL_MAX_PATHS], c);
}

static void hand_prefix(void *arg, uint32_t path, uint32_t lane,
			const struct sl_prefix *p, const struct sl_hist *h)
{
	struct agent *a = arg;
	struct history_key k = key_of(a, lane, path);

	k.method = SL_M_MAX;
	k.half = SL_HALF_FAR;
	k.prefix = *p;
	history_add(a, &k, h);
}

void hand_bytes(struct agent *a, uint64_t step_ns, const uint8_t *b, size_t len)
{
	const struct ring_eye eye = { hand_series, hand_lane, hand_prefix, a };

	ring_read(b, len, &eye);
	history_step_done(a, step_ns);
}

static void hand_kept(struct agent *a, const struct kept_step *s)
{
	hand_bytes(a, s->step_ns, kept_bytes(a->collect->kept, s), s->len_b);
}

void hand_step(struct agent *a, const struct kept_step *s)
{
	if (!a->collect->hand)	/* else it waits its turn */
		hand_kept(a, s);
}

/* --- after another agent --- */
static bool want_all(void *arg, const struct history_key *key)
{
	(void)arg;
	(void)key;
	return true;
}

static void found(struct hand *h, uint64_t from_ns, uint64_t len_ns)
{
	uint32_t i;

	for (i = 0; i < h->n; i++)
		if (h->step[i].step_ns >= from_ns &&
		    h->step[i].step_ns < from_ns + len_ns)
			h->step[i].there = true;
}

static void found_series(void *arg, uint64_t from_ns, uint64_t len_ns,
			 const struct history_key *key, const struct sl_hist *s)
{
	(void)key;
	(void)s;
	found(arg, from_ns, len_ns);
}

static void found_traffic(void *arg, uint64_t from_ns, uint64_t len_ns,
			  const char *lane, const char *path,
			  const struct sl_lane_ctr *c)
{
	(void)lane;
	(void)path;
	(void)c;
	found(arg, from_ns, len_ns);
}

/* On the reader's thread. */
static void look(struct history_reader *r, void *arg)
{
	struct hand *h = arg;
	const struct history_ask ask = {
		.from_ns = h->step[0].step_ns, .step_ns = HISTORY_STEP_NS,
		.to_ns = h->step[h->n - 1].step_ns + HISTORY_STEP_NS,
		.wanted = want_all, .series = found_series,
		.traffic = found_traffic, .arg = h };

	h->rc = history_read(r, &ask);
}

/* The last step known to be on disk; they get there in their order. Where nothing
 * is known all are taken to be: better once too little than twice. */
static uint64_t last_there(const struct hand *h)
{
	uint32_t i = h->n;

	while (i && !h->rc && !h->step[i - 1].there)
		i--;
	return i ? h->step[i - 1].step_ns : 0;
}

static void hand_some(struct agent *a)
{
	const struct kept_bank *b = kept_live(a->collect->kept);
	struct hand *h = a->collect->hand;
	uint32_t i, n = 0;

	for (i = 0; i < b->n && n < HAND_AT_ONCE; i++) {
		if (b->step[i].step_ns <= h->after_ns)
			continue;
		hand_kept(a, &b->step[i]);
		h->after_ns = b->step[i].step_ns;
		n++;
	}
	if (n == HAND_AT_ONCE)
		return;
	a->collect->hand = NULL;
	free(h);
}

static void looked(struct agent *a, void *arg)
{
	struct hand *h = arg;

	h->running = false;
	if (h->rc == -EAGAIN)		/* history is not ready */
		return;
	h->known = true;
	h->after_ns = last_there(h);
	if (h->rc)
		event(a, LOG_WARNING, "history", NULL, "cannot tell which steps "
		      "of the former agent are on disk: %s; at most %u s of "
		      "history may be missing", strerror(-h->rc), h->n * 10);
	hand_some(a);
}

void hand_recover(struct agent *a)
{
	const struct kept_bank *b = kept_live(a->collect->kept);
	struct hand *h = b->n ? calloc(1, sizeof(*h)) : NULL;

	a->collect->hand = h;
	if (!h)
		return;
	for (h->n = 0; h->n < b->n; h->n++)
		h->step[h->n].step_ns = b->step[h->n].step_ns;
}

void hand_second(struct agent *a)
{
	struct hand *h = a->collect->hand;

	if (h && h->known)
		hand_some(a);
	else if (h && !h->running)
		h->running = !history_run(a, look, looked, h);
}
