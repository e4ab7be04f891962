// SPDX-License-Identifier: GPL-2.0
/* Outside of replay: a flow's last packet is dated by the kernel's tick counter,
 * held here against the clock that it stands for; and sides have their say. Each
 * test loads the program: seconds in a guest, hence the time they have. */
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

FIXTURE(live)
{
	struct sl_dp *dp;
	struct sl_config *cfg;
	struct frame f;
};

static int home_is(struct sl_dp *dp, const char *text)
{
	struct sl_rib *rib = sl_rib_new();
	struct sl_prefix p;
	int rc;

	sl_prefix_parse(text, &p, NULL);
	sl_rib_add_lane(rib, &p, SL_LANE_HOME, SL_LAYER_OPERATOR, 0);
	rc = sl_rib_sort(rib);
	if (!rc)
		rc = sl_dp_commit(dp, (struct sl_rib_pair){ .base = rib });
	sl_rib_free(rib);
	return rc;
}

static int side_is(struct sl_dp *dp, enum sl_side side)
{
	struct sl_port port = { .side = side, .slot = 1 };

	return sl_dp_set_port(dp, LOOPBACK, 0, &port);
}

FIXTURE_SETUP(live)
{
	struct sl_dp_opts o = {};

	o.cfg = self->cfg = sl_config_default();
	self->cfg->tables.flows = 1024;
	self->cfg->tables.series = 64;
	strcpy(self->cfg->tables.size, "small");
	ASSERT_EQ(0, sl_dp_open(&o, &self->dp)) {
		TH_LOG("%s", sl_dp_error(self->dp));
	}
	ASSERT_EQ(0, home_is(self->dp, "198.18.0.0/24"));
}

FIXTURE_TEARDOWN(live)
{
	sl_dp_close(self->dp);
	sl_config_free(self->cfg);
}

static int send_syn(FIXTURE_DATA(live) *self, const char *src,
		    const char *dst, unsigned int port)
{
	uint32_t verdict;

	self->f.len = 0;
	eth(&self->f, 0x0800);
	ip4(&self->f, src, dst, 6, 0);
	tcp(&self->f, port, 80, 1, 0, 2, 0, 0);
	done(&self->f);
	return sl_dp_run(self->dp, self->f.b, self->f.len, &verdict);
}

TEST_F_TIMEOUT(live, a_flow_is_dated_by_the_tick_as_by_the_clock, 120)
{
	uint64_t before, after, tick_ns = sl_dp_settings(self->dp)->tick_ns;
	uint32_t seen;
	int i;

	/* what a load of the counter needs; without it the helper is asked */
	EXPECT_LT(0, tick_ns);
	ASSERT_EQ(0, side_is(self->dp, SL_SIDE_INSIDE));
	for (i = 0; i < 12; i++) {
		before = coarse_ns();
		ASSERT_EQ(0, send_syn(self, "198.18.0.2", "203.0.113.5",
				      1000 + i));
		after = coarse_ns();
		seen = last_seen(self->dp);
		/* a tick earlier, where the counter moves after the clock */
		ASSERT_LE((before - tick_ns) >> 20, seen);
		ASSERT_GE((after + tick_ns) >> 20, seen);
		usleep(30000 * i);
	}
}

/* Else one spoofer could answer himself, and make round trips of any lane. */
TEST_F_TIMEOUT(live, a_source_that_cannot_be_there_is_not_measured, 120)
{
	struct sl_port_ctr c;

	ASSERT_EQ(0, side_is(self->dp, SL_SIDE_OUTSIDE));
	ASSERT_EQ(0, send_syn(self, "198.18.0.2", "203.0.113.5", 1000));
	ASSERT_EQ(0, side_is(self->dp, SL_SIDE_INSIDE));
	ASSERT_EQ(0, send_syn(self, "203.0.113.5", "198.18.0.2", 1000));
	sl_dp_read_port(self->dp, 1, &c);
	EXPECT_EQ(2, c.packets[SL_R_MARTIAN]);
	EXPECT_EQ(0, c.packets[SL_R_TRACKED]);
	ASSERT_EQ(0, send_syn(self, "198.18.0.2", "203.0.113.5", 1000));
	ASSERT_EQ(0, side_is(self->dp, SL_SIDE_OUTSIDE));
	ASSERT_EQ(0, send_syn(self, "203.0.113.5", "198.18.0.2", 1001));
	sl_dp_read_port(self->dp, 1, &c);
	EXPECT_EQ(2, c.packets[SL_R_MARTIAN]);
	EXPECT_EQ(2, c.packets[SL_R_TRACKED]);
}

TEST_HARNESS_MAIN
