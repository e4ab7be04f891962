// SPDX-License-Identifier: GPL-2.0
/*
 * Fill a history as it is after 400 days, through the writer itself, and say what
 * it takes: fill DIR [DAYS [SAMPLES_PER_S [ZIPF [SERIES]]]]. The 15 min steps are
 * fed one step of 10 s each, the last three days one a minute, the last six hours
 * every 10 s, which leaves on disk what is there when all come every 10 s.
 */
#include <time.h>
#include "given.h"
#include "load.h"

#define START_S	1767225600ULL		/* 2026-01-01 */
#define PAIRS	128			/* of lane and path, with traffic */

static struct load *loads;
static unsigned int n_series = 1024;

static double writer_cpu_s(void)
{
	struct timespec t;
	clockid_t clock;

	if (pthread_getcpuclockid(given.history->writer, &clock) ||
	    clock_gettime(clock, &t))
		return 0;
	return t.tv_sec + t.tv_nsec / 1e9;
}

static void traffic(uint64_t at_s, double step_s)
{
	double day = 0.65 + 0.35 * sin(at_s / 86400.0 * 2 * M_PI), n;
	struct sl_lane_ctr c;
	char lane[16], path[16];
	unsigned int i, d;

	for (i = 0; i < PAIRS; i++) {
		for (d = 0; d < 2; d++) {
			n = 20000 * day * step_s / (i + 1) *
			    (0.9 + 0.2 * load_uniform());
			c.packets[d] = n;
			c.bytes[d] = n * (300 + 500 * load_uniform());
			c.tcp_data[d] = n * 0.7 * load_uniform();
			c.retrans[d] = n * 0.01 * load_uniform();
		}
		snprintf(lane, sizeof(lane), "lane%u", i / 2);
		snprintf(path, sizeof(path), "path%u", i % 2);
		history_add_traffic(&given, lane, path, &c);
	}
}

/* Two days of each series, drawn once: what is drawn costs more than what is
 * stored. A block is a day, so none repeats within one. */
#define POOL	192

static struct sl_bytes *pool;

static void fill_pool(void)
{
	struct sl_hist h;
	unsigned int i, k;

	pool = calloc(n_series * POOL, sizeof(*pool));
	for (i = 0; pool && i < n_series; i++)
		for (k = 0; k < POOL; k++) {
			load_draw(&loads[i], k * 900, 900, &h);
			sl_sketch_put(&pool[i * POOL + k], &h);
		}
}

static void draw(unsigned int i, uint64_t at_s, double step_s,
		 struct sl_hist *h)
{
	struct sl_bytes *b = &pool[i * POOL + at_s / 900 % POOL];
	struct sl_cut c = { b->b, b->b + b->n, false };

	if (step_s < 900) {
		load_draw(&loads[i], at_s, step_s, h);
		return;
	}
	memset(h, 0, sizeof(*h));
	sl_sketch_add(&c, h);
}

static uint64_t fed;

static void feed(uint64_t at_s, double step_s)
{
	struct history_key key;
	struct sl_hist h;
	unsigned int i;

	for (i = 0; i < n_series; i++) {
		draw(i, at_s, step_s, &h);
		if (!h.count)
			continue;
		made_key(&key, i);
		history_add(&given, &key, &h);
		fed++;
	}
	traffic(at_s, step_s);
	step_when_room(at_s * S_NS);
}

static uint64_t seen, samples;

static void count(void *arg, uint64_t from_ns, uint64_t len_ns,
		  const struct history_key *key, const struct sl_hist *h)
{
	(void)arg;
	(void)from_ns;
	(void)len_ns;
	(void)key;
	seen++;
	samples += h->count;
}

static bool one_lane(void *arg, const struct history_key *key)
{
	return !strcmp(key->lane, arg);
}

static void query(const char *what, const char *lane, uint64_t from_s,
		  uint64_t to_s, uint64_t step_s)
{
	struct question q = { .ask = { .from_ns = from_s * S_NS,
		.to_ns = to_s * S_NS, .step_ns = step_s * S_NS,
		.wanted = lane ? one_lane : NULL, .series = count,
		.arg = (void *)lane } };
	int i;

	for (i = 0; i < 3; i++) {
		seen = samples = 0;
		ask(&q);
		printf("%-32s %8.1f ms  %8llu steps %10llu samples\n", what,
		       q.took_ns / 1e6, (unsigned long long)seen,
		       (unsigned long long)samples);
	}
}

static void level_sizes(void)
{
	static const char *const name[] = { "10 s", "1 min", "15 min" };
	char sql[256];
	unsigned int i;
	sqlite3 *db;

	if (sqlite3_open(given.history->path, &db) != SQLITE_OK)
		return;
	for (i = 0; i < LEVELS; i++) {
		snprintf(sql, sizeof(sql), "SELECT SUM(LENGTH(bytes)) FROM "
			 "sealed WHERE id BETWEEN %lld AND %lld AND id%%2=0",
			 (long long)SEALED_ID(i, 0, 0),
			 (long long)SEALED_ID(i + 1, 0, 0) - 1);
		printf("%-6s sealed latency %.1f MB", name[i],
		       db_number(db, sql, 0) / 1e6);
		strcpy(strstr(sql, "%2=0"), "%2=1");
		printf(", traffic %.1f MB", db_number(db, sql, 0) / 1e6);
		snprintf(sql, sizeof(sql), "SELECT SUM(LENGTH(bytes)) FROM "
			 "young WHERE id BETWEEN %lld AND %lld",
			 (long long)YOUNG_ID(i, 0, 0),
			 (long long)YOUNG_ID(i + 1, 0, 0) - 1);
		printf(", young %.1f MB\n", db_number(db, sql, 0) / 1e6);
	}
	sqlite3_close(db);
}

int main(int argc, char **argv)
{
	double days = argc > 2 ? atof(argv[2]) : 400;
	double total = argc > 3 ? atof(argv[3]) : 40;
	double zipf = argc > 4 ? atof(argv[4]) : 1.0;
	uint64_t at_s = START_S, end_s = START_S + (uint64_t)(days * DAY_S);
	uint64_t fine_s = end_s - 6 * 3600, mid_s = end_s - 3 * DAY_S;
	double began = 0;
	unsigned int i;

	if (argc > 5)
		n_series = atoi(argv[5]);
	loads = calloc(n_series, sizeof(*loads));
	for (i = 0; i < n_series; i++)
		load_make(&loads[i], i, n_series, total, zipf);
	fill_pool();
	if (getenv("MAX_MB"))
		give_limits(6 * 3600, 3 * DAY_S, 400 * DAY_S,
			    atoi(getenv("MAX_MB")));
	if (argc < 2 || given_open(argv[1]))
		return 1;
	while (at_s < end_s) {
		uint64_t step_s = at_s >= fine_s ? 10 : at_s >= mid_s ? 60 :
				  900;

		feed(at_s, step_s);
		if ((at_s - START_S) % (10 * DAY_S) == 0)
			fprintf(stderr, "day %llu\n", (unsigned long long)
				((at_s - START_S) / DAY_S));
		if (at_s == fine_s)
			began = writer_cpu_s();
		at_s += step_s;
	}
	began = writer_cpu_s() - began;
	history_close(&given);
	history_open(&given);
	printf("%llu sketches fed, file %.1f MB, log %.1f MB, %u events\n",
	       (unsigned long long)fed, file_b("history.db") / 1e6,
	       file_b("history.db-wal") / 1e6, given_events);
	for (i = 0; i < given_events && i < 5; i++)
		printf("event: %s\n", given_event[i].text);
	printf("writer: %.1f s of CPU in the last 6 h (all three levels)\n",
	       began);
	level_sizes();
	query("24 h, 1 lane, as one", "lane0", end_s - DAY_S, end_s, DAY_S);
	query("24 h, 1 lane, by 15 min", "lane0", end_s - DAY_S, end_s, 900);
	query("24 h, 1 lane, by minute", "lane0", end_s - DAY_S, end_s, 60);
	query("24 h, all lanes, as one", NULL, end_s - DAY_S, end_s, DAY_S);
	query("6 h, 1 lane, by 10 s", "lane0", end_s - DAY_S / 4, end_s, 10);
	query("400 d, 1 lane", "lane0", START_S, end_s, DAY_S);
	history_close(&given);
	return 0;
}
