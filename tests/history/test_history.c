// SPDX-License-Identifier: GPL-2.0
/*
 * The history as a whole, with a clock of the test's: what was measured comes
 * back, once, at every level; over restarts, with a clock that is set, with limits
 * that change, with bytes that were damaged. Nothing of the agent runs beside it.
 */
#include <fcntl.h>
#include "given.h"
#include "duration.h"
#include "kselftest_harness.h"

#define START_S	1767225600ULL		/* a day begins */
#define SERIES	7

static char dir[64];

/* All that was put, as it must come back. */
struct sums {
	struct sl_hist all[SERIES];
	struct sl_lane_ctr traffic;
	uint64_t steps, last_ns[SERIES], out_of_order, other_len;
	uint64_t want_len_ns;		/* 0: any */
};

static struct sums put_sums, got;

static void fresh_dir(void)
{
	char cmd[256];

	snprintf(cmd, sizeof(cmd), "rm -rf %s && mkdir %s", dir, dir);
	if (system(cmd))
		exit(1);
	memset(&put_sums, 0, sizeof(put_sums));
	given_events = 0;
	give_limits(6 * 3600, 3 * DAY_S, 400 * DAY_S, 500);
}

static void put_step(uint64_t at_s)
{
	struct sl_lane_ctr c = { .packets = { 7, 9 }, .bytes = { 100, 200 } };
	struct history_key key;
	struct sl_hist h;
	unsigned int i, k;

	for (i = 0; i < SERIES; i++) {
		memset(&h, 0, sizeof(h));
		for (k = 0; k <= random() % 5; k++)
			sl_hist_record(&h, (20 + i) * 1000000 +
				       random() % 4000000);
		made_key(&key, i);
		if (i == 6) {
			key.prefix.family = 4;
			key.prefix.len = 24;
			memcpy(key.prefix.addr, "\313\0\161", 3);
		}
		history_add(&given, &key, &h);
		sl_hist_add(&put_sums.all[i], &h);
	}
	history_add_traffic(&given, "lane0", "path0", &c);
	put_sums.traffic.packets[0] += 7;
	put_sums.traffic.bytes[1] += 200;
	put_sums.steps++;
	step_when_room(at_s * S_NS);
}

static void on_series(void *arg, uint64_t from_ns, uint64_t len_ns,
		      const struct history_key *key, const struct sl_hist *h)
{
	struct sums *s = arg;
	struct history_key k;
	unsigned int i;

	for (i = 0; i < SERIES; i++) {
		made_key(&k, i);
		if (!strcmp(k.lane, key->lane) && !strcmp(k.path, key->path) &&
		    k.method == key->method && k.half == key->half &&
		    (i == 6) == (key->prefix.family == 4))
			break;
	}
	if (i == SERIES)
		return;
	sl_hist_add(&s->all[i], h);
	s->out_of_order += from_ns < s->last_ns[i];
	s->last_ns[i] = from_ns + len_ns;
	s->other_len += s->want_len_ns && len_ns != s->want_len_ns;
	s->steps++;
}

static void on_traffic(void *arg, uint64_t from_ns, uint64_t len_ns,
		       const char *lane, const char *path,
		       const struct sl_lane_ctr *c)
{
	struct sums *s = arg;

	(void)from_ns;
	(void)len_ns;
	if (!strcmp(lane, "lane0") && !strcmp(path, "path0")) {
		s->traffic.packets[0] += c->packets[0];
		s->traffic.bytes[1] += c->bytes[1];
	}
}

static int read_back(uint64_t from_s, uint64_t to_s, uint64_t step_s,
		     uint64_t want_len_s)
{
	struct question q = { .ask = { from_s * S_NS, to_s * S_NS,
		step_s * S_NS, NULL, NULL, on_series, on_traffic, &got } };

	memset(&got, 0, sizeof(got));
	got.want_len_ns = want_len_s * S_NS;
	return ask(&q);
}

/* Every sample once, in its bucket; the rest within its bounds. */
static bool all_there(double traffic_ppm)
{
	unsigned int i;
	bool ok = !got.out_of_order && !got.other_len;

	for (i = 0; i < SERIES; i++) {
		const struct sl_hist *a = &put_sums.all[i], *b = &got.all[i];

		ok &= a->count == b->count &&
		      !memcmp(a->bucket, b->bucket, sizeof(a->bucket)) &&
		      llabs((long long)(a->sum_ns - b->sum_ns)) <=
		      a->sum_ns * (SL_CHUNK_SUM_PPM + SL_CHUNK_EXTREME_PPM) /
		      1000000 &&
		      llabs((long long)(a->min_ns - b->min_ns)) <=
		      a->min_ns * SL_CHUNK_EXTREME_PPM / 1000000 &&
		      llabs((long long)(a->max_ns - b->max_ns)) <=
		      a->max_ns * SL_CHUNK_EXTREME_PPM / 1000000;
	}
	return ok && llabs((long long)(put_sums.traffic.packets[0] -
				       got.traffic.packets[0])) <=
		     put_sums.traffic.packets[0] * traffic_ppm / 1e6;
}

TEST(what_was_put_comes_back_once_at_every_level)
{
	static const uint64_t step_s[] = { 10, 60, 900 };
	uint64_t at_s, end_s = START_S + 5 * 3600 + 130;
	unsigned int i;

	fresh_dir();
	srandom(1);
	ASSERT_EQ(0, given_open(dir));
	for (at_s = START_S; at_s < end_s; at_s += 10)
		put_step(at_s);
	settle();
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, read_back(START_S, end_s, step_s[i], i ? 0 : 10));
		ASSERT_TRUE(all_there(SL_COLUMN_PPM)) {
			TH_LOG("steps of %u s", (unsigned int)step_s[i]);
		}
	}
	/* the newest minutes come in steps of minutes and of 10 s */
	ASSERT_EQ(SERIES * (20 + 2 + 1), got.steps);
	ASSERT_EQ(0, given_events);
	history_close(&given);
}

TEST(only_what_is_wanted_is_told_and_only_in_its_window)
{
	struct question q = { .ask = { .from_ns = (START_S + 600) * S_NS,
		.to_ns = (START_S + 1200) * S_NS, .step_ns = 10 * S_NS,
		.series = on_series, .arg = &got } };

	memset(&got, 0, sizeof(got));
	ASSERT_EQ(0, given_open(dir));
	ASSERT_EQ(0, ask(&q));
	ASSERT_EQ(SERIES * 60, got.steps);
	ASSERT_EQ(0, got.traffic.packets[0]);
	q.ask.to_ns = q.ask.from_ns;
	memset(&got, 0, sizeof(got));
	ASSERT_EQ(0, ask(&q));
	ASSERT_EQ(0, got.steps);
	history_close(&given);
}

/* Of the days before only coarse steps are left, and none of the night. */
TEST(an_agent_that_was_away_has_its_finest_steps_at_once)
{
	uint64_t at_s, back_s = START_S + 2 * DAY_S + 12 * 3600;

	fresh_dir();
	give_limits(3600, 7200, 400 * DAY_S, 500);
	ASSERT_EQ(0, given_open(dir));
	for (at_s = START_S; at_s < START_S + DAY_S + 3600; at_s += 60)
		put_step(at_s);
	settle();
	/* until a clock that leapt is believed, and what is old has gone */
	for (at_s = back_s; at_s < back_s + 700; at_s += 10)
		put_step(at_s);
	settle();
	put_step(at_s);
	settle();
	ASSERT_EQ(0, read_back(at_s - 3600, at_s + 10, 10, 10));
	EXPECT_EQ(0, got.other_len);
	EXPECT_LT(SERIES * 60, got.steps);
	history_close(&given);
}

/* A start at any moment goes on with what is half made. */
TEST(restarts_lose_and_double_nothing)
{
	uint64_t at_s, end_s = START_S + 2 * 3600 + 40;

	fresh_dir();
	srandom(2);
	ASSERT_EQ(0, given_open(dir));
	for (at_s = START_S; at_s < end_s; at_s += 10) {
		put_step(at_s);
		if (random() % 7 == 0)
			settle();
	}
	settle();
	ASSERT_EQ(0, read_back(START_S, end_s, 10, 10));
	ASSERT_TRUE(all_there(SL_COLUMN_PPM));
	ASSERT_EQ(0, read_back(START_S, end_s, 60, 0));
	ASSERT_TRUE(all_there(SL_COLUMN_PPM));
	ASSERT_EQ(0, read_back(START_S, end_s, 900, 0));
	ASSERT_TRUE(all_there(SL_COLUMN_PPM));
	history_close(&given);
}

TEST(a_clock_set_back_joins_steps_and_is_told)
{
	uint64_t at_s, half_s = START_S + 3 * 3600;
	unsigned int level;

	fresh_dir();
	srandom(3);
	ASSERT_EQ(0, given_open(dir));
	for (at_s = START_S; at_s < half_s; at_s += 10)
		put_step(at_s);
	/* into sealed hours, and through them once more */
	for (at_s = START_S + 1805; at_s < half_s + 1800; at_s += 10)
		put_step(at_s);
	settle();
	history_second(&given);
	ASSERT_TRUE(told("clock", "behind what is written"));
	for (level = 0; level < LEVELS; level++) {
		ASSERT_EQ(0, read_back(START_S, half_s + 7200,
				       step_ticks[level] * TICK_S, 0));
		ASSERT_TRUE(all_there(SL_COLUMN_PPM)) {
			TH_LOG("level %u", level);
		}
	}
	history_close(&given);
}

TEST(a_clock_set_far_forward_and_back_costs_no_history)
{
	uint64_t at_s, end_s = START_S + 2 * 3600;
	unsigned int i;

	fresh_dir();
	srandom(4);
	ASSERT_EQ(0, given_open(dir));
	for (at_s = START_S; at_s < end_s; at_s += 10)
		put_step(at_s);
	for (i = 0; i < 20; i++)
		put_step(START_S + 900 * DAY_S + i * 10);
	for (; at_s < end_s + 3600; at_s += 10)
		put_step(at_s);
	settle();
	for (i = 0; i < LEVELS; i++) {
		ASSERT_EQ(0, read_back(START_S, START_S + 1000 * DAY_S,
				       step_ticks[i] * TICK_S, 0));
		ASSERT_TRUE(all_there(SL_COLUMN_PPM)) {
			TH_LOG("level %u", i);
		}
	}
	history_close(&given);
}

/* Begin of what is kept of a level, by what comes back. */
static uint64_t count_from(uint64_t from_s, uint64_t to_s, unsigned int level)
{
	if (read_back(from_s, to_s, step_ticks[level] * TICK_S,
		      step_ticks[level] * TICK_S))
		return 0;
	return got.steps / SERIES;
}

TEST(what_is_too_old_leaves_level_by_level)
{
	uint64_t at_s, end_s = START_S + 5 * DAY_S;

	fresh_dir();
	give_limits(7200, DAY_S, 3 * DAY_S, 500);
	srandom(5);
	ASSERT_EQ(0, given_open(dir));
	for (at_s = START_S; at_s < end_s; at_s += 60)
		put_step(at_s);
	settle();
	/* whole blocks go: up to one more of them is still there */
	ASSERT_GE(count_from(end_s - 10800, end_s, 0), 2 * 60);
	ASSERT_LE(count_from(end_s - 7200 - 3600, end_s, 0), 3 * 60 + 1);
	ASSERT_EQ(0, read_back(START_S, end_s, 900, 0));
	ASSERT_GE(got.all[0].count, 3 * DAY_S / 60);
	ASSERT_LE(got.steps / SERIES, 4 * 96 + 15 + 6);
	/* new limits take effect in a running agent */
	give_limits(7200, DAY_S, DAY_S, 500);
	history_second(&given);
	put_step(at_s);
	settle();
	ASSERT_EQ(0, read_back(START_S, end_s, 900, 0));
	ASSERT_LE(got.steps / SERIES, 2 * 96 + 15 + 6);
	ASSERT_GE(got.steps / SERIES, 96);
	history_close(&given);
}

/* What it is right now, in the middle of whatever the writer does. */
static uint64_t largest_b(uint64_t most_b)
{
	uint64_t now_b = file_b("history.db") + file_b("history.db-wal");

	return now_b > most_b ? now_b : most_b;
}

/* Series with what does not compress, so that it grows. */
#define MUCH	40		/* series */
#define EACH	60		/* samples in a step of each */

static void put_much(uint64_t at_s)
{
	struct history_key key;
	struct sl_hist h;
	unsigned int i, k;

	for (i = 0; i < MUCH; i++) {
		memset(&h, 0, sizeof(h));
		for (k = 0; k < EACH; k++)
			sl_hist_record(&h, 10000000 + random() % 200000000);
		made_key(&key, i);
		history_add(&given, &key, &h);
	}
	step_when_room(at_s * S_NS);
}

/* Prefixes of which each step has others, four times as many as may have a name. */
TEST(names_of_prefixes_are_bounded_and_lanes_keep_theirs)
{
	struct history_key lane, prefix;
	struct sl_hist h = {};
	char path[96];
	uint32_t i, k;
	sqlite3 *db;

	fresh_dir();
	ASSERT_EQ(0, given_open(dir));
	made_key(&lane, 0);
	prefix = lane;
	prefix.prefix = (struct sl_prefix){ .family = 4, .len = 24 };
	sl_hist_record(&h, 20000000);
	for (i = 0; i < 128; i++) {
		history_add(&given, &lane, &h);
		for (k = 0; k < 1024; k++) {
			prefix.prefix.addr[0] = i;
			prefix.prefix.addr[1] = k >> 8;
			prefix.prefix.addr[2] = k;
			history_add(&given, &prefix, &h);
		}
		step_when_room(START_S * S_NS + i * HISTORY_STEP_NS);
	}
	history_close(&given);
	snprintf(path, sizeof(path), "%s/history.db", dir);
	ASSERT_EQ(SQLITE_OK, sqlite3_open(path, &db));
	EXPECT_GE(32768 + 1, db_number(db, "SELECT COUNT(*) FROM series", -1));
	EXPECT_LT(16384, db_number(db, "SELECT COUNT(*) FROM series", -1));
	EXPECT_EQ(1, db_number(db, "SELECT COUNT(*) FROM series WHERE family=0",
			       -1));
	sqlite3_close(db);
}

TEST(the_file_stays_below_its_bound_and_the_oldest_goes)
{
	uint64_t at_s = START_S, most_b = 0, end_s = START_S + 20 * DAY_S;

	fresh_dir();
	give_limits(6 * 3600, 3 * DAY_S, 400 * DAY_S, 3);
	srandom(6);
	ASSERT_EQ(0, given_open(dir));
	for (; at_s < end_s; at_s += 900) {
		put_much(at_s);
		most_b = largest_b(most_b);
	}
	settle();
	most_b = largest_b(most_b);
	TH_LOG("at most %.2f of 3 MB", most_b / 1e6);
	EXPECT_LE(most_b, 3000000);
	EXPECT_GT(most_b, 2000000);
	ASSERT_TRUE(told("history", "the oldest went"));
	memset(&got, 0, sizeof(got));
	/* the youngest are there, the first are not */
	ASSERT_EQ(0, read_back(end_s - 2 * DAY_S, end_s, 900, 0));
	ASSERT_EQ(EACH * 96 * 2, got.all[0].count);
	ASSERT_EQ(0, read_back(START_S, START_S + 5 * DAY_S, 900, 0));
	ASSERT_EQ(0, got.all[0].count);
	history_close(&given);
}

/* --- damage --- */
static void fill_days(unsigned int days)
{
	uint64_t at_s;

	fresh_dir();
	srandom(7);
	given_open(dir);
	for (at_s = START_S; at_s < START_S + days * DAY_S; at_s += 900)
		put_much(at_s);
	history_close(&given);
}

static void damage(off_t at, size_t len_b)
{
	char path[600], junk[65536];
	int fd;

	snprintf(path, sizeof(path), "%s/history.db", dir);
	fd = open(path, O_RDWR);
	memset(junk, 0xa5, sizeof(junk));
	if (fd < 0 || pwrite(fd, junk, len_b, at) != (ssize_t)len_b)
		exit(1);
	close(fd);
}

/* As after kill -9, so that the file is checked. */
static void mark_unclean(void)
{
	char path[600];
	sqlite3 *db;

	snprintf(path, sizeof(path), "%s/history.db", dir);
	sqlite3_open(path, &db);
	sqlite3_exec(db, "UPDATE meta SET value=0 WHERE key='clean'", NULL,
		     NULL, NULL);
	sqlite3_close(db);
}

static unsigned int set_aside(void)
{
	char cmd[256];
	FILE *f;
	unsigned int n = 0;

	snprintf(cmd, sizeof(cmd), "ls %s | grep -c corrupt-", dir);
	f = popen(cmd, "r");
	if (!f || fscanf(f, "%u", &n) != 1)
		n = 0;
	pclose(f);
	return n;
}

TEST(a_damaged_page_costs_its_block_and_no_more)
{
	uint64_t all, size_b;
	unsigned int i;

	fill_days(6);
	mark_unclean();
	size_b = file_b("history.db");
	damage(size_b / 2 / 16384 * 16384, 16384);
	ASSERT_EQ(0, given_open(dir));
	/* the writer looks the file through before anything else */
	for (i = 0; i < 300 && !told("history", "made anew"); i++) {
		usleep(100000);
		history_second(&given);
	}
	ASSERT_EQ(0, read_back(START_S, START_S + 7 * DAY_S, 900, 0));
	ASSERT_TRUE(told("history", "is damaged; it is kept as"));
	ASSERT_TRUE(told("history", "made anew"));
	ASSERT_EQ(1, set_aside());
	all = 6 * 96 * EACH;
	TH_LOG("%llu of %llu samples of a series are left",
	       (unsigned long long)got.all[1].count, (unsigned long long)all);
	ASSERT_GE(got.all[1].count, all / 2);
	/* and it goes on */
	put_much(START_S + 6 * DAY_S);
	settle();
	ASSERT_EQ(0, read_back(START_S + 6 * DAY_S, START_S + 7 * DAY_S, 10,
			       0));
	ASSERT_EQ(EACH, got.all[0].count);
	history_close(&given);
}

TEST(damage_found_while_it_runs_is_mended_too)
{
	struct sums before;

	fill_days(4);
	ASSERT_EQ(0, given_open(dir));
	ASSERT_EQ(0, read_back(START_S, START_S + 5 * DAY_S, 900, 0));
	before = got;
	history_close(&given);
	damage(16384 * 3, 16384);
	given_events = 0;
	ASSERT_EQ(0, given_open(dir));
	read_back(START_S, START_S + 5 * DAY_S, 900, 0);
	put_much(START_S + 4 * DAY_S);
	settle();
	ASSERT_EQ(0, read_back(START_S, START_S + 5 * DAY_S, 900, 0));
	history_second(&given);
	ASSERT_TRUE(told("history", "is damaged"));
	ASSERT_GE(got.all[0].count, EACH);
	ASSERT_LE(got.all[0].count, before.all[0].count + EACH);
	history_close(&given);
}

TEST(bytes_that_are_no_database_are_set_aside)
{
	fill_days(1);
	damage(0, 65536);
	given_events = 0;
	ASSERT_EQ(0, given_open(dir));
	put_much(START_S + 4 * DAY_S);
	settle();
	ASSERT_EQ(0, read_back(START_S, START_S + 5 * DAY_S, 10, 10));
	ASSERT_EQ(EACH, got.all[0].count);
	ASSERT_TRUE(told("history", "is damaged"));
	history_close(&given);
}

/* Sealed bytes changed where SQLite does not see it. */
TEST(a_row_whose_sum_is_wrong_is_left_out)
{
	char path[600];
	sqlite3 *db;

	fill_days(3);
	snprintf(path, sizeof(path), "%s/history.db", dir);
	ASSERT_EQ(0, sqlite3_open(path, &db));
	ASSERT_EQ(0, sqlite3_exec(db, "UPDATE sealed SET bytes=(SELECT bytes "
				  "FROM sealed s WHERE s.id=sealed.id+2) WHERE "
				  "id IN (SELECT id FROM sealed WHERE id>2<<60 "
				  "ORDER BY id LIMIT 3)", NULL, NULL, NULL));
	ASSERT_EQ(3, sqlite3_changes(db));
	sqlite3_close(db);
	ASSERT_EQ(0, given_open(dir));
	ASSERT_EQ(0, read_back(START_S, START_S + 4 * DAY_S, 900, 0));
	history_second(&given);
	ASSERT_TRUE(told("history", "damaged and left out"));
	ASSERT_EQ(2 * 96 * EACH, got.all[0].count);
	ASSERT_EQ(3 * 96 * EACH, got.all[4].count);
	history_close(&given);
}

TEST(a_file_of_a_newer_version_is_left_alone)
{
	uint64_t before_b;
	char path[600];
	sqlite3 *db;

	fill_days(1);
	snprintf(path, sizeof(path), "%s/history.db", dir);
	ASSERT_EQ(0, sqlite3_open(path, &db));
	ASSERT_EQ(0, sqlite3_exec(db, "PRAGMA user_version=9", NULL, NULL,
				  NULL));
	sqlite3_close(db);
	before_b = file_b("history.db");
	given_events = 0;
	ASSERT_EQ(0, given_open(dir));
	put_much(START_S + DAY_S);
	history_close(&given);
	ASSERT_TRUE(told("history", "newer version"));
	ASSERT_EQ(before_b, file_b("history.db"));
	ASSERT_EQ(0, set_aside());
}

/* --- too much --- */
TEST(a_disk_that_is_too_slow_costs_the_oldest_steps_and_no_time)
{
	char path[600];
	uint64_t i, began_ns, took_ns;
	sqlite3 *db;

	fill_days(1);
	given_events = 0;
	ASSERT_EQ(0, given_open(dir));
	ASSERT_EQ(0, read_back(START_S, START_S + 60, 10, 0));
	snprintf(path, sizeof(path), "%s/history.db", dir);
	ASSERT_EQ(0, sqlite3_open(path, &db));
	ASSERT_EQ(0, sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL));
	began_ns = sl_mono_ns();
	for (i = 0; i < 3 * QUEUE_MOST; i++) {
		struct history_key key;
		struct sl_hist h = {};

		made_key(&key, 0);
		sl_hist_record(&h, 30000000);
		history_add(&given, &key, &h);
		history_step_done(&given, (START_S + 2 * DAY_S + i * 10) *
				  S_NS);
	}
	took_ns = sl_mono_ns() - began_ns;
	TH_LOG("%.1f us a step", took_ns / 1e3 / i);
	ASSERT_LT(took_ns, S_NS / 4);
	sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
	sqlite3_close(db);
	settle();
	history_second(&given);
	ASSERT_TRUE(told("history", "are lost"));
	ASSERT_EQ(0, read_back(START_S + 2 * DAY_S, START_S + 3 * DAY_S, 10,
			       10));
	ASSERT_GE(got.all[0].count, QUEUE_MOST);
	/* ... and what the writer had in its hand */
	ASSERT_LE(got.all[0].count, QUEUE_MOST + BATCH_MOST);
	history_close(&given);
}

int main(int argc, char **argv)
{
	char cmd[96];
	int rc;

	if (!given_dir(dir, sizeof(dir)))
		return 1;
	rc = test_harness_run(argc, argv);
	snprintf(cmd, sizeof(cmd), "rm -rf %s", dir);
	return system(cmd) ? 1 : rc;
}
