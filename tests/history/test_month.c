// SPDX-License-Identifier: GPL-2.0
/*
 * A month of 10^8 samples through the aggregation path, with a clock of its own:
 * each is recorded into its step's histogram, handed to the writer, merged to
 * minutes and quarters, sealed, and read back. The truth beside it: every sample
 * is also counted on a grid 64 times finer than the buckets, so that exact
 * quantiles are known to 0.03 %.
 *
 * Four series: a log-normal one, one with two modes, one whose median moves by a
 * third over the month, one with a heavy tail; all breathe with the day.
 */
#include <math.h>
#include <time.h>
#include "duration.h"
#include "given.h"
#include "kselftest_harness.h"

#define START_S		1767225600ULL	/* 2026-01-01 */
#define MONTH_S		(30 * DAY_S)
#define SAMPLES		100000000ULL
#define SERIES		4
#define FINE		64		/* of the grid in one bucket */
#define FIRST		(128 * FINE)	/* of the grid; about 60 us */
#define GRID		(560 * FINE)	/* up to about 10 s */
#define DRAWS		65536		/* quantiles of a distribution */

enum { MONTH, LAST_DAY, LAST_HOURS, WINDOWS };

static const uint64_t window_s[WINDOWS] = { MONTH_S, 2 * DAY_S, 5 * 3600 };
static uint64_t grid_ns[GRID];
static uint16_t draw[SERIES][DRAWS];		/* grid index, sorted */
static uint32_t truth[WINDOWS][SERIES][GRID];
static struct sl_hist got[SERIES];
static char dir[64];
static uint64_t state = 0x9e3779b97f4a7c15ULL;

static inline uint64_t next_random(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

static uint16_t grid_of(double s)
{
	double g = log2(s) * 32 * FINE + (SL_HIST_PROM_OFFSET -
		   SL_HIST_LOCAL_FIRST) * FINE - FIRST;

	return g < 0 ? 0 : g >= GRID ? GRID - 1 : g;
}

/* The inverse of the normal distribution by bisection: it is made once. */
static double normal_quantile(double p)
{
	double lo = -9, hi = 9, mid;
	int i;

	for (i = 0; i < 50; i++) {
		mid = (lo + hi) / 2;
		if (0.5 * erfc(-mid * M_SQRT1_2) < p)
			lo = mid;
		else
			hi = mid;
	}
	return lo;
}

static void make_tables(void)
{
	unsigned int i;
	double p, z;

	for (i = 0; i < GRID; i++)
		grid_ns[i] = exp2(((i + 0.5 + FIRST) / FINE +
				   SL_HIST_LOCAL_FIRST - SL_HIST_PROM_OFFSET) /
				  32) * 1e9;
	for (i = 0; i < DRAWS; i++) {
		p = (i + 0.5) / DRAWS;
		z = normal_quantile(p);
		draw[0][i] = grid_of(0.035 * exp(0.12 * z));
		draw[1][i] = grid_of((i % 10 < 7 ? 0.060 : 0.095) *
				     exp(0.05 * z));
		draw[2][i] = grid_of(0.180 * exp(0.08 * z));
		draw[3][i] = grid_of(0.012 * exp(0.1 * z) -
				     0.03 * log(1 - p) * (i % 8 == 0));
	}
}

/* How far a series is shifted on the grid. */
static int shift(unsigned int series, uint64_t at_s)
{
	double day = sin((at_s - START_S) / (double)DAY_S * 2 * M_PI);
	double moved = series == 2 ? (at_s - START_S) / (double)MONTH_S : 0;

	return (0.04 * day + 0.29 * moved) / M_LN2 * 32 * FINE;
}

static void one_step(uint64_t at_s, unsigned int n)
{
	struct history_key key;
	struct sl_hist h;
	unsigned int s, i, w, by, g;
	uint64_t r;

	for (s = 0; s < SERIES; s++) {
		memset(&h, 0, sizeof(h));
		by = shift(s, at_s);
		for (w = 0; w < WINDOWS; w++)
			if (at_s < START_S + MONTH_S - window_s[w])
				break;
		for (i = 0; i < n; i++) {
			r = next_random();
			g = draw[s][r >> 48] + by;
			g = g < GRID ? g : GRID - 1;
			truth[w - 1][s][g]++;
			sl_hist_record(&h, grid_ns[g]);
		}
		made_key(&key, s);
		history_add(&given, &key, &h);
	}
	step_when_room(at_s * S_NS);
}

/* A window contains those within it. */
static void sum_truth(void)
{
	unsigned int w, s, g;

	for (w = WINDOWS - 1; w; w--)
		for (s = 0; s < SERIES; s++)
			for (g = 0; g < GRID; g++)
				truth[w - 1][s][g] += truth[w][s][g];
}

static double exact_ns(unsigned int w, unsigned int s, double q)
{
	uint64_t all = 0, below = 0;
	unsigned int g;

	for (g = 0; g < GRID; g++)
		all += truth[w][s][g];
	for (g = 0; g < GRID; g++) {
		below += truth[w][s][g];
		if (below >= q * all)
			break;
	}
	return grid_ns[g];
}

static uint64_t seen_len_ns;

static void on_series(void *arg, uint64_t from_ns, uint64_t len_ns,
		      const struct history_key *key, const struct sl_hist *h)
{
	struct history_key k;
	unsigned int s;

	(void)arg;
	(void)from_ns;
	for (s = 0; s < SERIES; s++) {
		made_key(&k, s);
		if (k.method == key->method && k.half == key->half)
			sl_hist_add(&got[s], h);
	}
	if (len_ns > seen_len_ns)
		seen_len_ns = len_ns;
}

/* The worst quantile of all series against the exact one, as a share. */
static double worst(unsigned int w, uint64_t *samples)
{
	static const double q[] = { 0.01, 0.05, 0.25, 0.5, 0.75, 0.9, 0.95,
				    0.99, 0.999 };
	double exact, off, most = 0;
	unsigned int s, i;

	*samples = 0;
	for (s = 0; s < SERIES; s++) {
		*samples += got[s].count;
		for (i = 0; i < sizeof(q) / sizeof(*q); i++) {
			exact = exact_ns(w, s, q[i]);
			off = fabs(sl_hist_quantile_ns(&got[s], q[i]) / exact -
				   1);
			if (off > most)
				most = off;
		}
	}
	return most;
}

static uint64_t samples_of(unsigned int w)
{
	uint64_t all = 0;
	unsigned int s, g;

	for (s = 0; s < SERIES; s++)
		for (g = 0; g < GRID; g++)
			all += truth[w][s][g];
	return all;
}

FIXTURE(month) {
};

FIXTURE_SETUP(month)
{
	make_tables();
}

FIXTURE_TEARDOWN(month)
{
}

TEST_F_TIMEOUT(month, has_quantiles_within_the_error_of_the_sketch, 280)
{
	static const uint64_t step_s[WINDOWS] = { 900, 60, 10 };
	uint64_t at_s, steps = MONTH_S / 10, samples, from_s, put = 0, i, n;
	uint64_t began_ns = sl_mono_ns();
	unsigned int w;
	double off;

	ASSERT_EQ(0, given_open(dir));
	for (i = 0; i < steps; i++) {
		at_s = START_S + i * 10;
		n = (i + 1) * (SAMPLES / SERIES) / steps -
		    i * (SAMPLES / SERIES) / steps;
		one_step(at_s, n);
		put += n * SERIES;
	}
	ASSERT_EQ(SAMPLES, put);
	settle();
	sum_truth();
	TH_LOG("%.1f s for %llu samples in %llu steps; %.1f MB",
	       (sl_mono_ns() - began_ns) / 1e9, (unsigned long long)put,
	       (unsigned long long)steps, file_b("history.db") / 1e6);
	for (w = 0; w < WINDOWS; w++) {
		struct question q = { .ask = { .step_ns = step_s[w] * S_NS,
			.series = on_series } };

		from_s = START_S + MONTH_S - window_s[w];
		q.ask.from_ns = from_s * S_NS;
		q.ask.to_ns = (START_S + MONTH_S) * S_NS;
		memset(got, 0, sizeof(got));
		seen_len_ns = 0;
		ASSERT_EQ(0, ask(&q));
		ASSERT_EQ(step_s[w] * S_NS, seen_len_ns);
		off = worst(w, &samples);
		TH_LOG("steps of %u s: %llu samples, at worst %.3f %% off",
		       (unsigned int)step_s[w], (unsigned long long)samples,
		       off * 100);
		ASSERT_EQ(samples_of(w), samples);
		ASSERT_LT(off, 0.0109);
	}
	ASSERT_EQ(0, given_events);
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
