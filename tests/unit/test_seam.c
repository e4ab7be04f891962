// SPDX-License-Identifier: GPL-2.0
/*
 * Where memory ends and disk begins: the agent's collecting and its questions,
 * over a made-up data plane, a made-up history.db and made-up clocks, held against
 * the list of all samples. The agent is killed now and then, the disk lags, and
 * clocks are set. Whatever window is asked for, each sample is in the answer once
 * or not at all, by what the answer says it covers.
 */
#include <sys/mman.h>
#include <unistd.h>
#include <bpf/bpf.h>

static int fake_bpf_get(const char *path);
static int fake_bpf_info(int fd, struct bpf_map_info *info, __u32 *len);
static int fake_bpf_create(enum bpf_map_type type, const char *name, __u32 key_b,
			   __u32 value_b, __u32 n,
			   const struct bpf_map_create_opts *o);

#define bpf_obj_get		fake_bpf_get
#define bpf_obj_get_info_by_fd	fake_bpf_info
#define bpf_map_create		fake_bpf_create
#define bpf_obj_pin(fd, path)	((void)(fd), (void)(path), 0)
#define sl_dp_settings		fake_settings
#define sl_dp_origin		fake_origin
#define sl_dp_series_key	fake_series_key
#define sl_dp_grown_series	fake_grown_series
#define sl_dp_read_lane		fake_read_lane
#define sl_now_ns		fake_now_ns
#define sl_mono_ns		fake_mono_ns
#include "../../agent/kept.c"
#include "../../agent/ring.c"
#define drop_first drop_first_second
#include "../../agent/collect.c"
#include "../../agent/collect_show.c"
#include "../../agent/collect_hand.c"
#define grow grow_rows
#define wanted wanted_words
#include "../../agent/query_rows.c"
#define up up_words
#include "../../agent/query_words.c"
#undef up
#undef wanted
#include "../../agent/query_disk.c"
#include "kselftest_harness.h"

#define SERIES	16
#define LANES	2
#define START_NS (1780000000ULL * S + 123456789)

/* --- what really happened --- */
struct one {
	uint64_t rtt_ns, read_ns, step_ns;	/* 0: not read yet */
	uint8_t lane, method;
};

static struct {
	uint64_t now_ns, mono_ns;
	struct one *all;
	size_t n, room, unread;
	struct sl_hist dp[SERIES];
	struct sl_lane_ctr lanes[SL_MAX_LANES];
	uint64_t key[SERIES];
	enum sl_dp_origin origin;
	int kept_fd;
} w;

static uint64_t state = 88172645463325252ULL;

static uint64_t any(uint64_t n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (state >> 11) % n;
}

uint64_t fake_now_ns(void) { return w.now_ns; }
uint64_t fake_mono_ns(void) { return w.mono_ns; }

/* --- a data plane --- */
const struct sl_settings *fake_settings(const struct sl_dp *dp)
{
	static const struct sl_settings s = { .n_series = SERIES,
					      .hash_key = { 3, 5 } };
	(void)dp;
	return &s;
}

enum sl_dp_origin fake_origin(const struct sl_dp *dp)
{
	(void)dp;
	return w.origin;
}

uint64_t fake_series_key(const struct sl_dp *dp, uint32_t slot)
{
	(void)dp;
	return w.key[slot];
}

bool fake_grown_series(struct sl_dp *dp, uint32_t slot, bool unmarked,
		       struct sl_hist *base, struct sl_hist_sparse *out)
{
	struct sl_hist *h = &w.dp[slot];

	(void)dp;
	if (!h->dirty && !unmarked)
		return false;
	sl_hist_diff_sparse(out, h, base);
	sl_hist_advance(base, out);
	h->dirty = h->min_ns = h->max_ns = 0;
	return true;
}

void fake_read_lane(const struct sl_dp *dp, uint32_t path, uint32_t lane,
		    struct sl_lane_ctr *out)
{
	(void)dp;
	*out = path ? (struct sl_lane_ctr){} : w.lanes[lane];
}

static int fake_bpf_get(const char *path)
{
	(void)path;
	return w.kept_fd < 0 ? -1 : dup(w.kept_fd);
}

static int fake_bpf_info(int fd, struct bpf_map_info *info, __u32 *len)
{
	(void)len;
	info->type = BPF_MAP_TYPE_ARRAY;
	info->value_size = PAGE_B;
	info->max_entries = lseek(fd, 0, SEEK_END) / PAGE_B;
	return 0;
}

static int fake_bpf_create(enum bpf_map_type type, const char *name, __u32 key_b,
			   __u32 value_b, __u32 n,
			   const struct bpf_map_create_opts *o)
{
	(void)type;
	(void)key_b;
	(void)o;
	w.kept_fd = memfd_create(name, 0);
	if (ftruncate(w.kept_fd, (off_t)value_b * n))
		return -1;
	return dup(w.kept_fd);
}

/* --- what the agent's other files do --- */
static bool noise;

void say(int priority, const char *fmt, ...) { (void)priority; (void)fmt; }
void event(struct agent *a, int severity, const char *kind,
	   struct json_object *detail, const char *fmt, ...)
{
	(void)a;
	(void)severity;
	(void)kind;
	(void)detail;
	(void)fmt;
	noise = true;
}
int refuse(struct refusal *r, int status, const char *remedy, const char *fmt,
	   ...)
{
	(void)remedy;
	r->status = status;
	snprintf(r->message, sizeof(r->message), "%s", fmt);
	return -1;
}
void refuse_item(struct refusal *r, const char *fmt, ...)
{
	(void)fmt;
	r->items = json_object_new_array();
}
void api_wake(struct agent *a) { (void)a; }
void module_walk(struct agent *a, module_series_fn take_one, void *arg)
{
	(void)a;
	(void)take_one;
	(void)arg;
}
void prefixes_take(struct agent *a, prefix_fn fn, void *arg)
{
	(void)a;
	(void)fn;
	(void)arg;
}

/* --- a history.db: steps by key, committed with a lag --- */
struct stored {
	uint64_t step_ns;
	struct history_key key;
	struct sl_hist h;
	struct sl_lane_ctr c;
	bool traffic;
};

static struct {
	struct stored *s;
	size_t n, committed, room;
	uint64_t keep_ns[SL_HISTORY_LEVELS];
	size_t open;			/* where the step that is added begins */
	unsigned int lag;		/* steps that are not committed at once */
	unsigned int steps;
} db;

static struct stored *store(const struct history_key *key)
{
	if (db.n == db.room) {
		db.room = db.room ? db.room * 2 : 1024;
		db.s = realloc(db.s, db.room * sizeof(*db.s));
	}
	memset(&db.s[db.n], 0, sizeof(*db.s));
	db.s[db.n].key = *key;
	return &db.s[db.n++];
}

void history_add(struct agent *a, const struct history_key *key,
		 const struct sl_hist *h)
{
	(void)a;
	store(key)->h = *h;
}

void history_add_traffic(struct agent *a, const char *lane, const char *path,
			 const struct sl_lane_ctr *c)
{
	struct history_key key = {};
	struct stored *s;

	(void)a;
	strcpy(key.lane, lane);
	strcpy(key.path, path);
	s = store(&key);
	s->c = *c;
	s->traffic = true;
}

void history_step_done(struct agent *a, uint64_t from_ns)
{
	(void)a;
	for (; db.open < db.n; db.open++)
		db.s[db.open].step_ns = from_ns;
	db.steps++;
	if (db.steps % (db.lag + 1) == 0)
		db.committed = db.n;
}

/* It answers after some seconds, or never where the agent is killed before. */
static struct {
	void (*end)(struct agent *a, void *arg);
	void *arg;
	unsigned int in;
} slow;

int history_run(struct agent *a,
		void (*run)(struct history_reader *r, void *arg),
		void (*end)(struct agent *a, void *arg), void *arg)
{
	(void)a;
	run(NULL, arg);
	slow.end = end;
	slow.arg = arg;
	slow.in = 1 + any(25);
	return 0;
}

uint64_t history_waiting_ns(struct agent *a)
{
	(void)a;
	return 0;
}

static int in_order(const void *x, const void *y)
{
	const struct stored *a = x, *b = y;

	return a->step_ns < b->step_ns ? -1 : a->step_ns > b->step_ns;
}

/* As history.h says: the coarsest level that is fine enough, a coarser one where
 * that does not reach back; what is not in it yet in finer steps. */
int history_read(struct history_reader *r, const struct history_ask *ask)
{
	unsigned int level = SL_HISTORY_LEVELS - 1;
	uint64_t newest = 0, len, at;
	size_t i;

	(void)r;
	while (level && level_ns[level] > ask->step_ns)
		level--;
	while (level < SL_HISTORY_LEVELS - 1 &&
	       w.now_ns - ask->from_ns > db.keep_ns[level])
		level++;
	qsort(db.s, db.committed, sizeof(*db.s), in_order);
	for (i = 0; i < db.committed; i++)
		if (db.s[i].step_ns > newest)
			newest = db.s[i].step_ns;
	for (i = 0; i < db.committed; i++) {
		const struct stored *s = &db.s[i];

		len = level_ns[level];
		if (down(s->step_ns, len) + len > newest)
			len = level_ns[0];
		at = down(s->step_ns, len);
		if (at < ask->from_ns || at >= ask->to_ns)
			continue;
		if (s->traffic && ask->traffic)
			ask->traffic(ask->arg, at, len, s->key.lane,
				     s->key.path, &s->c);
		else if (!s->traffic && ask->wanted(ask->arg, &s->key))
			ask->series(ask->arg, at, len, &s->key, &s->h);
	}
	return 0;
}

/* --- the world goes on --- */
static void sample(void)
{
	struct one *o;
	uint32_t slot;

	if (w.n == w.room) {
		w.room = w.room ? w.room * 2 : 4096;
		w.all = realloc(w.all, w.room * sizeof(*w.all));
	}
	o = &w.all[w.n++];
	*o = (struct one){ .lane = any(LANES), .method = any(3),
			   .rtt_ns = 20000000 + any(30000000) };
	slot = o->lane * 4 + o->method;
	w.key[slot] = SL_SERIES_KEY(o->lane, 0, o->method, SL_HALF_FAR);
	sl_hist_record(&w.dp[slot], o->rtt_ns);
	w.dp[slot].dirty = 1;
	w.lanes[o->lane].packets[0]++;
}

/* The step of what is read now: that of the middle of the time it covers. */
static void second(struct agent *a)
{
	struct collect *c = a->collect;

	if (slow.in && !--slow.in)
		slow.end(a, slow.arg);
	collect_second(a);
	for (; w.unread < w.n; w.unread++) {
		w.all[w.unread].read_ns = c->last_ns;
		w.all[w.unread].step_ns = c->step_ns;
	}
}

static void pass(struct agent *a, unsigned int seconds)
{
	uint64_t ns;
	unsigned int k;

	while (seconds--) {
		for (k = any(6); k; k--)
			sample();
		ns = S - 40000000 + any(80000000);
		w.now_ns += ns;
		w.mono_ns += ns;
		second(a);
	}
}

static struct module no_module;
static struct sl_config config;

static void begin(struct agent *a, enum sl_dp_origin origin)
{
	memset(a, 0, sizeof(*a));
	w.origin = origin;
	a->module = &no_module;
	a->cfg = &config;
	memcpy(config.history.keep_ns, db.keep_ns, sizeof(db.keep_ns));
	strcpy(a->lane_name[1], "SG");
	if (collect_open(a))
		abort();
}

/* Killed: what history has not committed is gone. */
static void killed(struct agent *a)
{
	db.n = db.open = db.committed;
	slow.in = 0;
	/* what is in no step that has ended is read once more */
	while (w.unread && w.all[w.unread - 1].step_ns == a->collect->step_ns)
		w.unread--;
	collect_close(a);
	begin(a, SL_DP_ADOPTED);
}

static void begin_all(struct agent *a)
{
	free(w.all);
	free(db.s);
	if (w.now_ns && w.kept_fd >= 0)
		close(w.kept_fd);
	memset(&w, 0, sizeof(w));
	memset(&db, 0, sizeof(db));
	w.kept_fd = -1;
	w.now_ns = START_NS;
	w.mono_ns = 1000 * S;
	db.keep_ns[0] = 2400 * S;
	db.keep_ns[1] = 5000 * S;
	db.keep_ns[2] = 400 * 86400 * S;
	begin(a, SL_DP_FRESH);
}

/* --- questions --- */
static void ask(struct query *q, const struct agent *a,
		const struct query_words *words,
		int (*parse)(struct query *, const struct query_words *,
			     struct refusal *))
{
	struct refusal r = {};

	memset(q, 0, sizeof(*q));
	q->a = a;
	if (parse(q, words, &r)) {
		fprintf(stderr, "refused: %s\n", r.message);
		abort();
	}
	if (query_memory(q))
		query_disk(NULL, q);
	query_merge(&q->mem, &q->disk);
}

/* Is a sample in the window that an answer says it covers? Steps count whole
 * where the window has them whole, else by when they were read. */
static bool covered(const struct one *o, uint64_t from_ns, uint64_t to_ns)
{
	uint64_t end = o->step_ns + 10 * S;

	return o->read_ns && (o->step_ns >= from_ns ||
			      (end > from_ns && o->read_ns > from_ns)) &&
	       (end <= to_ns || (o->step_ns < to_ns && o->read_ns <= to_ns));
}

/* Rows of the answer against the samples. The empty ones are few. */
static bool right(const struct query *q, int lane)
{
	struct history_key k = {};
	const struct query_row *row;
	struct sl_hist truth = {}, *h;
	size_t i;

	strcpy(k.lane, lane ? "SG" : "other");
	for (i = 0; i < w.n; i++)
		if (w.all[i].lane == lane &&
		    covered(&w.all[i], q->from_ns, q->to_ns))
			sl_hist_record(&truth, w.all[i].rtt_ns);
	row = query_find(&q->mem.rows, &k, 0);
	if (!row)
		return !truth.count;
	h = row->h;
	if (h->count == truth.count && h->sum_ns == truth.sum_ns &&
	    !memcmp(h->bucket, truth.bucket, sizeof(truth.bucket)))
		return true;
	printf("# lane %d, %llu s to %llu s before: %llu samples, truth %llu\n",
	       lane, (unsigned long long)((w.now_ns - q->from_ns) / S),
	       (unsigned long long)((w.now_ns - q->to_ns) / S),
	       (unsigned long long)h->count, (unsigned long long)truth.count);
	return false;
}

static uint64_t packets(const struct query *q)
{
	const struct query_row *row;
	uint64_t sum = 0;
	int lane;

	for (lane = 0; lane < LANES; lane++) {
		struct history_key k = {};

		strcpy(k.lane, lane ? "SG" : "other");
		row = query_find(&q->mem.traffic, &k, 0);
		sum += row ? row->c.packets[0] : 0;
	}
	return sum;
}

static uint64_t all_covered(const struct query *q)
{
	uint64_t n = 0;
	size_t i;

	for (i = 0; i < w.n; i++)
		n += covered(&w.all[i], q->from_ns, q->to_ns);
	return n;
}

static const char *stamp(uint64_t ns, char *buf)
{
	return sl_time_str(ns, buf, 40);
}

/* A random window of the last `most` seconds. */
static unsigned int wrong_windows(struct agent *a, unsigned int n, uint64_t most,
				  uint64_t round_ns)
{
	struct query_words words = { .by = "lane" };
	unsigned int wrong = 0;
	char since[40], until[40];
	uint64_t x, y;
	struct query q;

	while (n--) {
		x = any(most * 1000) * (S / 1000);
		y = any(4) ? any(x + 1) : 0;
		if (x - y < 2 * S)
			continue;
		words.since = stamp(w.now_ns - x, since);
		words.until = stamp(w.now_ns - y, until);
		ask(&q, a, &words, query_parse);

		wrong += q.rc || !right(&q, 0) || !right(&q, 1) ||
			 packets(&q) != all_covered(&q) ||
			 q.from_ns > w.now_ns - x + S ||
			 w.now_ns - x > q.from_ns + round_ns ||
			 q.to_ns + 2 * S < w.now_ns - y ||
			 q.to_ns > w.now_ns - y + round_ns;
		query_free(&q);
	}
	return wrong;
}

static unsigned int wrong_steps(struct agent *a, const char *since,
				const char *step)
{
	const struct query_words words = { .by = "lane", .since = since,
		.step = step, .lanes = { "SG" }, .n_lanes = 1 };
	struct history_key k = { .lane = "SG" };
	unsigned int wrong = 0;
	uint64_t at, n, i;
	struct query q;

	ask(&q, a, &words, query_parse_series);
	wrong += q.rc != 0;
	for (at = q.from_ns; at < q.to_ns; at += q.step_ns) {
		const struct query_row *row = query_find(&q.mem.rows, &k, at);

		for (n = i = 0; i < w.n; i++)
			n += w.all[i].lane == 1 && w.all[i].step_ns >= at &&
			     w.all[i].step_ns < at + q.step_ns;
		wrong += n != (row ? row->h->count : 0);
	}
	query_free(&q);
	return wrong;
}

TEST(every_window_counts_every_sample_once)
{
	struct agent a;

	begin_all(&a);
	pass(&a, 700);
	EXPECT_EQ(0, wrong_windows(&a, 200, 700, 10 * S));
	pass(&a, 1500);
	EXPECT_EQ(0, wrong_windows(&a, 200, 2200, 10 * S));
	EXPECT_EQ(0, wrong_windows(&a, 100, 150, 10 * S));
	pass(&a, 6000);
	EXPECT_EQ(0, wrong_windows(&a, 100, 2000, 10 * S));
	EXPECT_EQ(0, wrong_windows(&a, 100, 4900, 60 * S));
	EXPECT_EQ(0, wrong_windows(&a, 100, 8000, 900 * S));
	EXPECT_EQ(0, wrong_steps(&a, "-1000s", "10s"));
	EXPECT_EQ(0, wrong_steps(&a, "-2000s", "30s"));
	EXPECT_EQ(0, wrong_steps(&a, "-4000s", "10s"));
	EXPECT_EQ(0, wrong_steps(&a, "-8000s", "7m"));
	EXPECT_EQ(0, wrong_steps(&a, "-8000s", NULL));
	collect_close(&a);
}

TEST(a_killed_agent_is_followed_by_one_that_counts_on)
{
	struct agent a;
	int i;

	begin_all(&a);
	for (i = 0; i < 60; i++) {
		db.lag = any(4);
		pass(&a, any(90));
		killed(&a);
		/* nobody measures for a moment, and traffic goes on */
		w.now_ns += any(20) * S;
		w.mono_ns += any(20) * S;
		sample();
		pass(&a, 1 + any(20));
	}
	EXPECT_EQ(0, wrong_windows(&a, 200, 1500, 10 * S));
	EXPECT_EQ(0, wrong_windows(&a, 100, 200, 10 * S));
	EXPECT_FALSE(noise);
	collect_close(&a);
}

TEST(a_clock_that_is_set_makes_no_absurd_window)
{
	struct agent a;
	size_t before;
	struct query q;
	const struct query_words all = { .by = "lane",
					 .since = "2020-01-01T00:00:00Z" };

	begin_all(&a);
	pass(&a, 300);
	w.now_ns += 7200 * S;		/* set forward */
	pass(&a, 300);
	EXPECT_EQ(0, wrong_windows(&a, 100, 250, 10 * S));
	EXPECT_EQ(0, wrong_windows(&a, 100, 8000, 900 * S));
	before = w.n;
	w.now_ns -= 7300 * S;		/* and back */
	pass(&a, 200);
	/* what lies in the future now is found when it has come */
	EXPECT_LT(before, w.n);
	w.now_ns += 8000 * S;
	pass(&a, 30);
	ask(&q, &a, &all, query_parse);
	EXPECT_EQ(0, q.rc);
	EXPECT_EQ(w.n, packets(&q));
	query_free(&q);
	w.now_ns -= 2 * S;		/* a little: time stands still */
	pass(&a, 30);
	ask(&q, &a, &all, query_parse);
	EXPECT_EQ(w.n, packets(&q));
	query_free(&q);
	collect_close(&a);
}

TEST(records_come_back_as_they_were_and_garbage_does_not)
{
	struct ring_pen p = {};
	const struct ring_eye none = {};
	struct sl_hist_sparse s = { .count = UINT64_MAX, .sum_ns = 7,
		.min_ns = 1, .max_ns = UINT64_MAX, .n = 2 };
	uint8_t junk[64];
	int i, k, refused = 0;

	s.pair[0].bucket = 0;
	s.pair[0].n = UINT32_MAX;
	s.pair[1].bucket = SL_HIST_BUCKETS - 1;
	s.pair[1].n = 1;
	ring_put_series(&p, SL_SERIES_KEY(1023, 15, 9, 3), &s);
	EXPECT_EQ(0, ring_read(p.b, p.len, &none));
	for (i = 1; i < (int)p.len; i++)	/* cut anywhere */
		EXPECT_EQ(-EINVAL, ring_read(p.b, i, &none));
	for (i = 0; i < 20000; i++) {
		for (k = 0; k < 64; k++)
			junk[k] = any(256);
		refused += ring_read(junk, 1 + any(64), &none) != 0;
	}
	EXPECT_LT(19000, refused);
	free(p.b);
}

TEST_HARNESS_MAIN
