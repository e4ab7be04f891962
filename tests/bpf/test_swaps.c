// SPDX-License-Identifier: GPL-2.0
/* Tables come and go: memory stays what it was, and what is found stays right.
 * Freed memory must go back at once for that, so ASan keeps none of it. */
#include <dirent.h>
#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "datapath.h"
#include "rules.h"
#include "kselftest_harness.h"

#define SWAPS		1000
#define WARM		100	/* swaps before the first look at memory */
#define PATCHES		60000	/* more than the room beside takes */
#define PREFIXES4	3000
#define PREFIXES6	800
#define PROBES		64
#define RSS_MORE_KB	1024

const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "quarantine_size_mb=0:thread_local_quarantine_size_kb=0";
}

#ifdef __SANITIZE_ADDRESS__
/* of the sanitizer's own heap; the C library's is empty then */
size_t __sanitizer_get_current_allocated_bytes(void);
#define heap_now()	__sanitizer_get_current_allocated_bytes()
#else
#define heap_now()	(mallinfo2().uordblks)
#endif

/* What this process holds now. */
struct held {
	long rss_kb, fds;
	size_t heap_b;
};

static struct held held(void)
{
	struct held h = {};
	char line[200];
	FILE *f = fopen("/proc/self/status", "r");
	DIR *d;

	while (f && fgets(line, sizeof(line), f))
		sscanf(line, "VmRSS: %ld kB", &h.rss_kb);
	if (f)
		fclose(f);
	d = opendir("/proc/self/fd");
	while (d && readdir(d))
		h.fds++;
	if (d)
		closedir(d);
	h.heap_b = heap_now();
	return h;
}

static double now_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

FIXTURE(swaps)
{
	struct sl_dp *dp;
	struct sl_config *cfg;
};

FIXTURE_SETUP(swaps)
{
	struct sl_dp_opts o = {};

	o.cfg = self->cfg = sl_config_default();
	self->cfg->tables.flows = 1024;
	self->cfg->tables.series = 64;
	strcpy(self->cfg->tables.size, "small");
	ASSERT_EQ(0, sl_dp_open(&o, &self->dp)) {
		TH_LOG("%s", sl_dp_error(self->dp));
	}
}

FIXTURE_TEARDOWN(swaps)
{
	sl_dp_close(self->dp);
	sl_config_free(self->cfg);
}

/* A table of its own, and what it says at the probes. */
struct generation {
	struct sl_rib *rib;
	uint32_t want[PROBES];
};

static int make_generation(struct generation *g, const struct sl_prefix *probe)
{
	struct sl_rib_pair p;
	struct sl_fib_image img;
	struct sl_prefix x;
	int i, rc;

	g->rib = sl_rib_new();
	for (i = 0; i < PREFIXES4 + PREFIXES6; i++) {
		random_prefix(&x, i < PREFIXES4 ? 4 : 6);
		if (random() % 2)
			sl_rib_add_class(g->rib, &x, 1 + random() % 1000,
					 SL_ACT_DROP, 0);
		else
			sl_rib_add_lane(g->rib, &x, random() % 1000,
					random() % SL_LAYERS, 0);
	}
	rc = sl_rib_sort(g->rib);
	p = (struct sl_rib_pair){ .base = g->rib };
	if (!rc)
		rc = sl_fib_image_new(sl_fib_size_of("small"), 1, &img);
	if (!rc)
		rc = sl_fib_build(&img, p, NULL);
	for (i = 0; !rc && i < PROBES; i++)
		g->want[i] = sl_fib_lookup(&img, probe[i].family,
					   probe[i].addr);
	sl_fib_image_free(&img);
	return rc;
}

static int wrong_probes(struct sl_dp *dp, const struct generation *g,
			const struct sl_prefix *probe)
{
	int i, bad = 0;

	for (i = 0; i < PROBES; i++)
		bad += sl_dp_lookup(dp, probe[i].family, probe[i].addr) !=
		       g->want[i];
	return bad;
}

TEST_F_TIMEOUT(swaps, memory_is_flat_after_a_thousand_swaps, 200)
{
	struct sl_prefix probe[PROBES];
	struct generation gen[2];
	struct held warm = {}, end;
	double from;
	int i;

	srandom(31);
	for (i = 0; i < PROBES; i++)
		random_prefix(&probe[i], i % 3 ? 4 : 6);
	ASSERT_EQ(0, make_generation(&gen[0], probe));
	ASSERT_EQ(0, make_generation(&gen[1], probe));
	ASSERT_NE(0, memcmp(gen[0].want, gen[1].want, sizeof(gen[0].want)));
	from = now_s();
	for (i = 0; i < SWAPS; i++) {
		struct generation *g = &gen[i % 2];

		ASSERT_EQ(0, sl_dp_commit(self->dp, (struct sl_rib_pair){
						.base = g->rib, .extra = NULL })) {
			TH_LOG("%s", sl_dp_error(self->dp));
		}
		ASSERT_EQ(0, wrong_probes(self->dp, g, probe));
		if (i == WARM - 1)
			warm = held();
	}
	end = held();
	TH_LOG("%d swaps, %.1f ms each; RSS %ld kB after %d, %ld kB after "
	       "all; heap %zu and %zu bytes; %ld and %ld descriptors", SWAPS,
	       (now_s() - from) * 1e3 / SWAPS, warm.rss_kb, WARM, end.rss_kb,
	       warm.heap_b, end.heap_b, warm.fds, end.fds);
	EXPECT_LT(0, warm.heap_b);
	EXPECT_EQ(warm.heap_b, end.heap_b);
	EXPECT_EQ(warm.fds, end.fds);
	EXPECT_GT(RSS_MORE_KB, end.rss_kb - warm.rss_kb);
	EXPECT_EQ(SWAPS, sl_dp_epoch(self->dp));
	sl_rib_free(gen[0].rib);
	sl_rib_free(gen[1].rib);
}

/* A rule that can be patched in: no wider than a root cell. */
static void make_narrow_rule(int i)
{
	do {
		make_rules(i, i + 1);
	} while (rules[i].p.len < (rules[i].p.family == 4 ? 16 : 20));
}

/* Answers that differ from the stupid twin's, at the ends of a prefix and near
 * other rules. */
static int wrong_near(struct sl_dp *dp, const struct sl_prefix *p)
{
	struct sl_prefix a = *p;
	int i, k, bits = p->family == 4 ? 32 : 128, bad = 0;

	for (i = 0; i < 6; i++) {
		if (i > 1)
			near(&a);
		a.len = a.family == 4 ? 32 : 128;
		for (k = p->len; i == 1 && k < bits; k++)
			a.addr[k / 8] |= 0x80 >> k % 8;
		bad += sl_dp_lookup(dp, a.family, a.addr) != by_rules(&a);
	}
	return bad;
}

/* Change a rule on top of the base: one more, or one less. */
static struct sl_prefix change(struct sl_rib *extra)
{
	struct sl_prefix p = rules[n_rules - 1].p;

	if (n_rules == 2 * N || (n_rules > N && random() % 2)) {
		n_rules--;
	} else {
		make_narrow_rule(n_rules);
		p = rules[n_rules++].p;
	}
	fill(extra, N, n_rules);
	return p;
}

/* Each patch leaves what it replaced behind; when the room is used up a build
 * starts anew. */
TEST_F_TIMEOUT(swaps, patches_stay_right_and_a_full_table_is_built_anew, 200)
{
	struct sl_rib *base = sl_rib_new(), *extra = sl_rib_new();
	struct sl_rib_pair p = { .base = base, .extra = extra };
	struct held warm = {}, end;
	int i, rc, built = 0;
	const char *why = "";
	struct sl_prefix at;
	double from = now_s();

	srandom(32);
	n_rules = N;
	make_rules(0, N);
	ASSERT_EQ(0, fill(base, 0, N));
	ASSERT_EQ(0, fill(extra, N, N));
	/* all the room that the list on top will need */
	ASSERT_EQ(0, sl_rib_add_rib(extra, base));
	ASSERT_EQ(0, fill(extra, N, N));
	ASSERT_EQ(0, sl_dp_commit(self->dp, p));
	for (i = 0; i < PATCHES; i++) {
		at = change(extra);
		rc = sl_fib_patch(sl_dp_live(self->dp), p, &at);
		if (rc == -E2BIG) {
			rc = sl_dp_commit(self->dp, p);
			built++;
		}
		ASSERT_EQ(0, rc);
		ASSERT_EQ(0, wrong_near(self->dp, &at));
		if (i % 500 == 0) {
			ASSERT_EQ(0, sl_fib_verify(sl_dp_live(self->dp), p,
						   &at, NULL));
			ASSERT_EQ(0, sl_fib_check(sl_dp_live(self->dp),
						  &why)) {
				TH_LOG("%s", why);
			}
		}
		if (i == PATCHES / 10)
			warm = held();
	}
	end = held();
	TH_LOG("%d patches and %d builds in between, %.1f s; RSS %ld kB after "
	       "a tenth, %ld kB after all", PATCHES, built, now_s() - from,
	       warm.rss_kb, end.rss_kb);
	EXPECT_LT(0, built);
	EXPECT_GT(RSS_MORE_KB, end.rss_kb - warm.rss_kb);
	EXPECT_EQ(warm.fds, end.fds);
	sl_rib_free(base);
	sl_rib_free(extra);
}

TEST_HARNESS_MAIN
