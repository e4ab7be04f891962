// SPDX-License-Identifier: GPL-2.0
/* Outside of replay a flow's last packet is dated by the kernel's tick counter:
 * held against the clock that it stands for. */
#include <linux/bpf.h>
#include <stdio.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include "build.h"
#include "datapath.h"
#include "kselftest_harness.h"

#define LOOPBACK 1	/* where the kernel's test run says that frames arrive */

static uint64_t coarse_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
	return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

/* The newest line of the flow table. */
static uint32_t last_seen(struct sl_dp *dp)
{
	size_t n = sl_dp_settings(dp)->n_flow_sets, i, way;
	const struct sl_flow_set *sets = mmap(NULL, n * sizeof(*sets),
		PROT_READ, MAP_SHARED, sl_dp_map_fd(dp, "sl_flows"), 0);
	uint32_t seen = 0;

	if (sets == MAP_FAILED)
		return 0;
	for (i = 0; i < n; i++)
		for (way = 0; way < SL_FLOW_WAYS; way++)
			if (sets[i].way[way].fp && sets[i].way[way].seen > seen)
				seen = sets[i].way[way].seen;
	munmap((void *)sets, n * sizeof(*sets));
	return seen;
}

TEST(a_flow_is_dated_by_the_tick_as_by_the_clock)
{
	struct sl_port port = { .side = SL_SIDE_INSIDE, .slot = 1 };
	struct sl_config *cfg = sl_config_default();
	struct sl_dp_opts o = { .cfg = cfg };
	struct frame f = {};
	uint64_t before, after;
	struct sl_dp *dp;
	uint32_t verdict, seen;
	int i;

	cfg->tables.flows = 1024;
	cfg->tables.series = 64;
	strcpy(cfg->tables.size, "small");
	ASSERT_EQ(0, sl_dp_open(&o, &dp)) {
		TH_LOG("%s", sl_dp_error(dp));
	}
	/* what a load of the counter needs; without it the helper is asked */
	EXPECT_LT(0, sl_dp_settings(dp)->tick_ns);
	ASSERT_EQ(0, sl_dp_set_port(dp, LOOPBACK, 0, &port));
	for (i = 0; i < 12; i++) {
		f.len = 0;
		eth(&f, 0x0800);
		ip4(&f, "198.18.0.2", "203.0.113.5", 6, 0);
		tcp(&f, 1000 + i, 80, 1, 0, 2, 0, 0);
		done(&f);
		before = coarse_ns();
		ASSERT_EQ(0, sl_dp_run(dp, f.b, f.len, &verdict));
		after = coarse_ns();
		seen = last_seen(dp);
		/* a tick earlier, where the counter moves after the clock */
		ASSERT_LE((before - sl_dp_settings(dp)->tick_ns) >> 20, seen);
		ASSERT_GE((after + sl_dp_settings(dp)->tick_ns) >> 20, seen);
		usleep(30000 * i);
	}
	sl_dp_close(dp);
	sl_config_free(cfg);
}

TEST_HARNESS_MAIN
