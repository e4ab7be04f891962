// SPDX-License-Identifier: GPL-2.0
/*
 * Where an answer comes from. Memory has whole steps from the seam on; what is
 * older is read from disk, in parts: the ends by the finest level that reaches
 * back so far, the long middle by a coarser one, whose steps the ends complete.
 * Every part is a whole number of its steps, so that nothing is counted twice.
 */
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "query.h"

#define S		1000000000ULL
/* A level may lose its oldest steps while we look. */
#define MARGIN_NS	(60 * S)

static const uint64_t level_ns[SL_HISTORY_LEVELS] = { 10 * S, 60 * S, 900 * S };

static uint64_t down(uint64_t v, uint64_t unit)
{
	return v - v % unit;
}

static uint64_t up(uint64_t v, uint64_t unit)
{
	return down(v + unit - 1, unit);
}

/* --- memory --- */
static void show_series(void *arg, uint64_t key, const struct sl_hist *h)
{
	struct query *q = arg;
	struct history_key k = { .method = SL_SERIES_METHOD(key),
				 .half = SL_SERIES_HALF(key) };

	strcpy(k.lane, lane_word(q->a, SL_SERIES_LANE(key)));
	strcpy(k.path, q->a->path_name[SL_SERIES_PATH(key) % SL_MAX_PATHS]);
	query_take(q, q->bin_ns, &k, h);
}

static void show_lane(void *arg, uint32_t path, uint32_t lane,
		      const struct sl_lane_ctr *c)
{
	struct query *q = arg;

	query_take_traffic(q, lane_word(q->a, lane),
			   q->a->path_name[path % SL_MAX_PATHS], c);
}

static void show_prefix(void *arg, uint32_t path, uint32_t lane,
			const struct sl_prefix *p, const struct sl_hist *h)
{
	struct query *q = arg;
	struct history_key k = { .method = SL_M_MAX, .half = SL_HALF_FAR,
				 .prefix = *p };

	strcpy(k.lane, lane_word(q->a, lane));
	strcpy(k.path, q->a->path_name[path % SL_MAX_PATHS]);
	query_take(q, q->bin_ns, &k, h);
}

bool query_memory(struct query *q)
{
	const struct ring_eye eye = { show_series, show_lane, show_prefix, q };
	uint64_t from = q->from_ns < q->seam_ns ? q->seam_ns : q->from_ns;
	struct collect_window w = { .steps = q->by_prefix, .round = true };
	bool older = q->from_ns < q->seam_ns;

	q->into = &q->mem;
	if (!q->step_ns) {
		w.from_ns = from;
		w.to_ns = q->to_ns;
		if (w.from_ns >= w.to_ns)
			return older;
		collect_show(q->a, &w, &eye);
		q->to_ns = w.to_ns;
		if (!older)
			q->from_ns = w.from_ns;
		return older;
	}
	/* the seam may lie within a step of the series */
	for (q->bin_ns = down(from, q->step_ns); q->bin_ns < q->to_ns;
	     q->bin_ns += q->step_ns) {
		w.from_ns = q->bin_ns < from ? from : q->bin_ns;
		w.to_ns = q->bin_ns + q->step_ns;
		collect_show(q->a, &w, &eye);
	}
	return older;
}

/* --- disk --- */
static bool wanted(void *arg, const struct history_key *k)
{
	return query_wants(arg, k);
}

static bool wanted_traffic(void *arg, const char *lane, const char *path)
{
	(void)path;
	return query_wants_lane(arg, lane);
}

static bool is_left(void *arg)
{
	return __atomic_load_n(&((struct query *)arg)->left, __ATOMIC_RELAXED);
}

static void took(struct query *q, uint64_t len_ns)
{
	if (len_ns > q->part_ns && len_ns > q->least_ns)
		q->least_ns = len_ns;
}

static void take_series(void *arg, uint64_t from_ns, uint64_t len_ns,
			const struct history_key *k, const struct sl_hist *h)
{
	took(arg, len_ns);
	query_take(arg, from_ns, k, h);
}

static void take_traffic(void *arg, uint64_t from_ns, uint64_t len_ns,
			 const char *lane, const char *path,
			 const struct sl_lane_ctr *c)
{
	(void)from_ns;
	took(arg, len_ns);
	query_take_traffic(arg, lane, path, c);
}

uint64_t query_finest(const struct query *q, uint64_t ns)
{
	uint64_t age_ns = q->now_ns - ns;
	unsigned int i;

	for (i = 0; i < SL_HISTORY_LEVELS - 1; i++)
		if (level_ns[i] >= q->least_ns &&
		    age_ns + MARGIN_NS <= q->keep_ns[i])
			break;
	return level_ns[i];
}

/* The coarsest level for the middle: steps that a series is made of; of a window
 * any, as long as its ends are not most of it. */
static unsigned int middle(const struct query *q, uint64_t from_ns,
			   uint64_t to_ns)
{
	unsigned int i = SL_HISTORY_LEVELS - 1;

	while (i && (q->step_ns ? q->step_ns % level_ns[i] != 0 :
				  (to_ns - from_ns) / level_ns[i] < 4))
		i--;
	return i;
}

static int read_part(struct history_reader *r, struct query *q, uint64_t from_ns,
		     uint64_t to_ns, uint64_t step_ns)
{
	const struct history_ask ask = {
		.from_ns = from_ns, .to_ns = to_ns, .step_ns = step_ns,
		.wanted = wanted, .wanted_traffic = wanted_traffic,
		.series = take_series, .stop = is_left, .arg = q,
		.traffic = q->step_ns ? NULL : take_traffic };

	if (from_ns >= to_ns)
		return 0;
	q->part_ns = step_ns;
	return history_read(r, &ask);
}

/* A window by a level and what that leaves on either side by finer ones, down to
 * the finest that its two ends may have. */
static int cover(struct history_reader *r, struct query *q, uint64_t from_ns,
		 uint64_t to_ns, unsigned int level, uint64_t first,
		 uint64_t last)
{
	uint64_t unit = level_ns[level], m0 = up(from_ns, unit);
	uint64_t m1 = down(to_ns, unit);
	int rc;

	if (from_ns >= to_ns)
		return 0;
	if (unit <= first && unit <= last)
		return read_part(r, q, from_ns, to_ns, unit);
	if (m0 >= m1)
		return cover(r, q, from_ns, to_ns, level - 1, first, last);
	rc = unit <= first ? 0 : cover(r, q, from_ns, m0, level - 1, first,
				       first);
	if (!rc)
		rc = read_part(r, q, m0, m1, unit);
	if (!rc)
		rc = unit <= last ? 0 : cover(r, q, m1, to_ns, level - 1, last,
					      last);
	return rc;
}

static unsigned int level_of(uint64_t unit)
{
	unsigned int i = 0;

	while (level_ns[i] < unit)
		i++;
	return i;
}

static int read_parts(struct history_reader *r, struct query *q)
{
	uint64_t end = q->to_ns < q->seam_ns ? q->to_ns : q->seam_ns;
	uint64_t first = query_finest(q, q->from_ns);
	uint64_t last = query_finest(q, end);
	uint64_t from = down(q->from_ns, first), to = up(end, last);
	unsigned int level = middle(q, from, to);

	if (level_ns[level] < first)
		level = level_of(first);
	if (up(from, level_ns[level]) >= down(to, level_ns[level])) {
		to = up(end, first);	/* short: by the level of its begin */
		last = first;
	}
	if (to > q->seam_ns)	/* too coarse to end where memory begins */
		return -ERANGE;
	q->from_ns = from;
	if (to > q->to_ns)
		q->to_ns = to;
	return cover(r, q, from, to, level, first, last);
}

void query_disk(struct history_reader *r, struct query *q)
{
	uint64_t from_ns = q->from_ns, to_ns = q->to_ns, least;
	int tries;

	q->into = &q->disk;
	for (tries = 0; tries <= SL_HISTORY_LEVELS; tries++) {
		least = q->least_ns;
		q->rc = read_parts(r, q);
		if (q->rc || q->least_ns == least)
			return;
		/* a level has been cut short, for want of room on the disk */
		query_forget(&q->disk);
		q->from_ns = from_ns;
		q->to_ns = to_ns;
		if (q->step_ns % q->least_ns)
			break;
	}
	q->rc = -ERANGE;
}

/* --- requests --- */
#define LARGE_CELLS 1024		/* 3 MB: given back to the system */

struct asked {
	struct query q;
	bool running, ready;
	uint32_t held;			/* cells, while it waits */
};

/* By all that wait: who asks and leaves must not fill the memory. */
static uint32_t cells_held;

static void end_asked(void *arg)
{
	struct asked *s = arg;
	bool large;

	if (!s)
		return;
	if (s->running) {
		__atomic_store_n(&s->q.left, true, __ATOMIC_RELAXED);
		return;
	}
	cells_held -= s->held;
	large = s->q.mem.rows.n + s->q.disk.rows.n > LARGE_CELLS;
	query_free(&s->q);
	free(s);
	if (large)
		malloc_trim(0);
}

static void work(struct history_reader *r, void *arg)
{
	struct asked *s = arg;
	int tries;

	/* an agent that just started makes sure of the file first */
	for (tries = 0; tries < 5 && !is_left(&s->q); tries++) {
		query_disk(r, &s->q);
		if (s->q.rc != -EAGAIN)
			break;
		usleep(200000);
	}
}

static void done(struct agent *a, void *arg)
{
	struct asked *s = arg;

	s->running = false;
	s->ready = true;
	if (s->q.left)
		end_asked(s);
	else
		api_wake(a);
}

static struct json_object *
finish(struct asked *s, struct refusal *r,
       struct json_object *(*doc)(struct query *q, struct refusal *r))
{
	struct query *q = &s->q;

	if (q->rc == -ERANGE)
		refuse(r, 503, "ask for a later since or a longer step; see "
		       "history: in the configuration", "the steps that are "
		       "left on disk are too coarse for this");
	else if (q->rc == -EAGAIN)
		refuse(r, 503, "ask again in a moment, or see sealane events "
		       "--kind history", "history on disk is being checked or "
		       "cannot be opened");
	else if (q->rc)
		refuse(r, 503, "see sealane events --kind history", "history "
		       "cannot be read: %s", strerror(-q->rc));
	if (q->rc)
		return NULL;
	query_merge(&q->mem, &q->disk);
	if (q->mem.rows.full || q->mem.traffic.full ||
	    (q->heat && q->mem.rows.n > QUERY_HEAT_CELLS)) {
		refuse(r, 400, "ask for fewer lanes or keys, longer steps or a "
		       "shorter window", "that is too much for one answer");
		return NULL;
	}
	return doc(q, r);
}

/* Which wait for disk, and how long they do. */
#define WAIT_S 25

static bool start(struct call *k, struct asked *s)
{
	uint32_t n = s->q.mem.rows.n;

	if (!k->may_wait || (cells_held && cells_held + n > QUERY_CELLS) ||
	    history_run(k->a, work, done, s))
		return false;
	s->running = true;
	s->held = n;
	cells_held += n;
	return true;
}

static struct json_object *
wait_more(struct call *k)
{
	if (k->may_wait)
		k->wait_s = WAIT_S;
	else
		refuse(&k->r, 503, "ask again; see sealane events --kind "
		       "history", "history on disk does not answer");
	return NULL;
}

/* Does disk lack what memory has no more? Then no figure would be right. */
static bool behind(struct agent *a, const struct query *q, struct refusal *r)
{
	uint64_t step_ns = history_waiting_ns(a);

	if (!step_ns || step_ns >= q->seam_ns || step_ns >= q->to_ns)
		return false;
	refuse(r, 503, "ask again in a moment; see sealane events --kind "
	       "history", "history on disk is %llu s behind",
	       (unsigned long long)((q->now_ns - step_ns) / S));
	return true;
}

struct json_object *
query_ask(struct call *k, const struct query_words *w,
	  int (*parse)(struct query *q, const struct query_words *w,
		       struct refusal *r),
	  struct json_object *(*doc)(struct query *q, struct refusal *r))
{
	struct asked *s = *k->kept;
	struct json_object *o = NULL;

	if (s)
		return s->ready ? finish(s, &k->r, doc) : wait_more(k);
	s = calloc(1, sizeof(*s));
	if (!s) {
		refuse(&k->r, 500, "free memory", "out of memory");
		return NULL;
	}
	s->q.a = k->a;
	if (parse(&s->q, w, &k->r)) {
		end_asked(s);
		return NULL;
	}
	if (!query_memory(&s->q) || s->q.mem.rows.full) {
		o = finish(s, &k->r, doc);
		end_asked(s);
		return o;
	}
	*k->kept = s;
	*k->free_kept = end_asked;
	if (behind(k->a, &s->q, &k->r))
		return NULL;
	if (start(k, s))
		return wait_more(k);
	refuse(&k->r, 503, "ask again in a moment", "too many wait for history "
	       "on disk");
	return NULL;
}
