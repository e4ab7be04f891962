// SPDX-License-Identifier: GPL-2.0
/* Which round trips are handed over is left to chance: as a gateway's program
 * does it, with its own clock, eight addresses in turn and one of eight kept. */
#include <math.h>
#include <stdio.h>
#include "build.h"
#include "datapath.h"
#include "kselftest_harness.h"

#define EVERY	8
#define ENDS	8		/* that answer in turn: the beat of the traffic */
#define ROUNDS	40000
#define SIGMAS	5		/* off by chance in one of a million runs */

static struct sl_trip got[SL_TRIPS];

static void ping(struct sl_dp *dp, unsigned int end, unsigned int seq, int reply)
{
	static struct frame f;
	char far[32];
	uint32_t verdict;

	snprintf(far, sizeof(far), "203.0.113.%u", end);
	f.len = 0;
	eth(&f, 0x0800);
	ip4(&f, reply ? far : "198.18.0.2", reply ? "198.18.0.2" : far, 1, 0);
	echo(&f, reply ? 0 : 8, 7, seq);
	done(&f);
	sl_dp_run(dp, f.b, f.len, &verdict);
}

static int home(struct sl_dp *dp)
{
	const struct sl_port tap = { .side = SL_SIDE_TAP };
	struct sl_rib *r = sl_rib_new();
	struct sl_prefix p;
	int rc;

	sl_prefix_parse("198.18.0.0/24", &p, NULL);
	sl_rib_add_lane(r, &p, SL_LANE_HOME, SL_LAYER_OPERATOR, 0);
	rc = sl_rib_sort(r);
	if (!rc)
		rc = sl_dp_commit(dp, (struct sl_rib_pair){ .base = r });
	sl_rib_free(r);
	return rc ? rc : sl_dp_set_port(dp, 1, 0, &tap);	/* a test run's */
}

TEST(chance_favours_no_end)
{
	struct sl_config *cfg = sl_config_default();
	struct sl_dp_opts o = { .cfg = cfg };
	struct sl_dp_trip_reader *r;
	unsigned int i, k, cpu, kept = 0, of[ENDS] = {};
	double want = ROUNDS / EVERY, sd;
	uint64_t n, seen = 0;
	struct sl_dp *dp;

	cfg->tables.flows = 1024;
	cfg->tables.series = 64;
	ASSERT_EQ(0, sl_dp_open(&o, &dp)) {
		TH_LOG("%s", sl_dp_error(dp));
	}
	r = calloc(sl_dp_settings(dp)->n_cpus, sizeof(*r));
	ASSERT_EQ(0, home(dp));
	for (cpu = 0; cpu < sl_dp_settings(dp)->n_cpus; cpu++)
		sl_dp_take_trips(dp, cpu, &r[cpu], got, &n);
	sl_dp_set_trips(dp, EVERY);
	for (i = 0; i < ROUNDS; i++) {
		ping(dp, i % ENDS, i, 0);
		ping(dp, i % ENDS, i, 1);
		if (i % 8000 && i != ROUNDS - 1)
			continue;
		for (cpu = 0; cpu < sl_dp_settings(dp)->n_cpus; cpu++) {
			k = sl_dp_take_trips(dp, cpu, &r[cpu], got, &n);
			seen += n;
			for (kept += k; k--;) {
				ASSERT_EQ(EVERY, got[k].every);
				of[got[k].addr[15] % ENDS]++;
			}
		}
	}
	EXPECT_EQ(ROUNDS, seen);
	/* renewals: gaps uniform in 1 .. 2 EVERY - 1 */
	sd = sqrt(want * ((2 * EVERY - 1) * (2 * EVERY - 1) - 1) / 12) / EVERY;
	EXPECT_GT(SIGMAS * sd, fabs(kept - want)) {
		TH_LOG("%u kept, %.0f wanted", kept, want);
	}
	want /= ENDS;
	for (i = 0; i < ENDS; i++)
		EXPECT_GT(SIGMAS * sqrt(want), fabs(of[i] - want)) {
			TH_LOG("%u kept of end %u, %.0f wanted", of[i], i, want);
		}
	sl_dp_close(dp);
	sl_config_free(cfg);
	free(r);
}

TEST_HARNESS_MAIN
