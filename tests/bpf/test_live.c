// SPDX-License-Identifier: GPL-2.0
/* Outside of replay: a flow's last packet is dated by the kernel's tick counter,
 * held here against the clock that it stands for; and sides have their say. Each
 * test loads the program: seconds in a guest, hence the time they have. */
#include <linux/bpf.h>
#include <sched.h>
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

/* --- dropped packets that are shown --- */
struct shown {
	unsigned int n;
	struct sl_drop last;
};

static void take_drop(void *arg, const struct sl_drop *d)
{
	struct shown *s = arg;

	s->n++;
	s->last = *d;
}

static int block(struct sl_dp *dp, const char *text)
{
	const struct sl_class cls = { .action = SL_ACT_DROP };
	struct sl_rib *rib = sl_rib_new();
	struct sl_prefix p;
	int rc;

	sl_dp_set_class(dp, 7, &cls);
	sl_prefix_parse(text, &p, NULL);
	sl_rib_add_class(rib, &p, 7, SL_ACT_DROP, 0);
	sl_prefix_parse("203.0.113.0/24", &p, NULL);
	sl_rib_add_lane(rib, &p, 3, SL_LAYER_OPERATOR, 0);
	rc = sl_rib_sort(rib);
	if (!rc)
		rc = sl_dp_commit(dp, (struct sl_rib_pair){ .base = rib });
	sl_rib_free(rib);
	return rc;
}

/* n SYNs that are dropped; on one CPU, since each has a budget. */
static unsigned int shown_of(FIXTURE_DATA(live) *self, struct shown *s, int n)
{
	unsigned int before = s->n;

	while (n--)
		send_syn(self, "203.0.113.5", "198.18.0.2", 1000);
	sl_dp_drops_read(self->dp);
	return s->n - before;
}

TEST_F_TIMEOUT(live, some_drops_of_each_tick_are_shown, 120)
{
	struct sl_port port = { .side = SL_SIDE_OUTSIDE, .slot = 1, .path = 2 };
	struct shown s = {};
	struct sl_glance *g = &s.last.g;
	uint64_t before;
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(0, &one);
	ASSERT_EQ(0, sched_setaffinity(0, sizeof(one), &one));
	ASSERT_EQ(0, sl_dp_set_port(self->dp, LOOPBACK, 0, &port));
	ASSERT_EQ(0, block(self->dp, "203.0.113.5"));
	ASSERT_EQ(0, sl_dp_drops_open(self->dp, take_drop, &s));
	sl_dp_tick(self->dp);
	before = coarse_ns();
	EXPECT_EQ(3, shown_of(self, &s, 3));
	EXPECT_EQ(SL_DROPS_A_TICK - 3, shown_of(self, &s, 100));
	EXPECT_EQ(0, shown_of(self, &s, 100));
	sl_dp_tick(self->dp);
	EXPECT_EQ(SL_DROPS_A_TICK, shown_of(self, &s, 100));
	EXPECT_LE(before, s.last.time_ns);
	EXPECT_GE(before + 60000000000ULL, s.last.time_ns);
	EXPECT_EQ(SL_R_DROP_BLOCK, s.last.reason);
	EXPECT_EQ(7, s.last.who);
	EXPECT_EQ(1, s.last.port);
	EXPECT_EQ(4, g->family);
	EXPECT_EQ(0, g->outer_family);
	EXPECT_EQ(0, memcmp(g->src, "\xcb\0\x71\5", 4));
	EXPECT_EQ(0, memcmp(g->dst, "\xc6\x12\0\2", 4));
	EXPECT_EQ(6, g->in.proto);
	EXPECT_EQ(1000, g->in.sport);
	EXPECT_EQ(80, g->in.dport);
	EXPECT_EQ(2, g->in.tcp_flags);
	EXPECT_EQ(SL_HAS_PORTS | SL_HAS_FLAGS, g->in.has);
	EXPECT_EQ(self->f.len, g->frame_b);
	EXPECT_EQ(SL_WHERE(3, 2, SL_DIR_IN), g->where);
}

/* The packet is dropped whether anybody looks or not. */
TEST_F_TIMEOUT(live, a_full_ring_shows_none_and_drops_all, 120)
{
	struct shown s = {};
	struct sl_port_ctr c;
	unsigned int i, most = SL_DROPS_B / (sizeof(struct sl_drop) + 8);

	ASSERT_EQ(0, side_is(self->dp, SL_SIDE_OUTSIDE));
	ASSERT_EQ(0, block(self->dp, "203.0.113.5"));
	ASSERT_EQ(0, sl_dp_drops_open(self->dp, take_drop, &s));
	for (i = 0; i < most + 100; i++) {
		sl_dp_tick(self->dp);
		ASSERT_EQ(0, send_syn(self, "203.0.113.5", "198.18.0.2", 1000));
	}
	sl_dp_drops_read(self->dp);
	EXPECT_LE(most - 1, s.n);
	EXPECT_GE(most, s.n);
	sl_dp_read_port(self->dp, 1, &c);
	EXPECT_EQ(most + 100, c.packets[SL_R_DROP_BLOCK]);
	sl_dp_tick(self->dp);
	EXPECT_EQ(1, shown_of(self, &s, 1));
}

TEST_HARNESS_MAIN
