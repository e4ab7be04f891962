// SPDX-License-Identifier: GPL-2.0
/* Light in fibre, great circles, and the detours that a round trip fits. */
#include <math.h>
#include <string.h>
#include "detour.h"
#include "floor.h"
#include "kselftest_harness.h"

static const struct sl_place haikou = { 20.04, 110.35, true };
static const struct sl_place singapore = { 1.35, 103.82, true };
static const struct sl_place hong_kong = { 22.3, 114.17, true };

/* The angle between two vectors: another formula for the same. */
static double naive_km(const struct sl_place *a, const struct sl_place *b)
{
	const double rad = M_PI / 180;
	double dot = sin(a->lat_deg * rad) * sin(b->lat_deg * rad) +
		     cos(a->lat_deg * rad) * cos(b->lat_deg * rad) *
		     cos((a->lon_deg - b->lon_deg) * rad);

	return 6371.0088 * acos(dot > 1 ? 1 : dot < -1 ? -1 : dot);
}

TEST(great_circles_agree_with_their_twin)
{
	struct sl_place a = { .known = true }, b = { .known = true };
	int i;

	srandom(1);
	for (i = 0; i < 100000; i++) {
		a.lat_deg = random() % 180001 / 1000.0 - 90;
		b.lat_deg = random() % 180001 / 1000.0 - 90;
		a.lon_deg = random() % 360001 / 1000.0 - 180;
		b.lon_deg = random() % 360001 / 1000.0 - 180;
		ASSERT_LT(fabs(sl_great_circle_km(&a, &b) - naive_km(&a, &b)),
			  0.2);
	}
	/* where the twin is no good: antipodes, and the same place */
	a = (struct sl_place){ 12.5, 30, true };
	b = (struct sl_place){ -12.5, -150, true };
	EXPECT_LT(fabs(sl_great_circle_km(&a, &b) - M_PI * 6371.0088), 0.01);
	EXPECT_EQ(sl_great_circle_km(&a, &a), 0);
	/* over the date line */
	a = (struct sl_place){ 0, 179.5, true };
	b = (struct sl_place){ 0, -179.5, true };
	EXPECT_LT(fabs(sl_great_circle_km(&a, &b) - 111.195), 0.01);
}

TEST(light_in_fibre)
{
	/* 100 km there and back: 1.0007 ms at 2/3 c */
	EXPECT_LT(fabs(sl_fibre_rtt_ns(100) - 1000692.3), 1);
}

TEST(a_floor_is_by_cable_else_by_great_circle)
{
	struct sl_config cfg = { .gateway.at = haikou };
	struct sl_config_lane lane = { .name = "SG", .at = singapore };
	enum sl_floor_source from;
	double km = naive_km(&haikou, &singapore);

	EXPECT_LT(fabs(sl_lane_floor_ns(&cfg, &lane, &from) -
		       sl_fibre_rtt_ns(km)), 1000);
	EXPECT_EQ(from, SL_FLOOR_CIRCLE);
	lane.cable_km = 2900;
	EXPECT_EQ(sl_lane_floor_ns(&cfg, &lane, &from),
		  (uint64_t)sl_fibre_rtt_ns(2900));
	EXPECT_EQ(from, SL_FLOOR_CABLE);
	lane.cable_km = 0;
	lane.at.known = false;
	EXPECT_EQ(sl_lane_floor_ns(&cfg, &lane, &from), 0);
	EXPECT_EQ(from, SL_FLOOR_NONE);
	EXPECT_EQ(sl_lane_floor_ns(&cfg, &lane, NULL), 0);
}

static char *only_kl[] = { "KL" };

static struct sl_detour detours[] = {
	{ .name = "Hong Kong", .via = { 22.3, 114.17, true } },
	{ .name = "as stated", .rtt_ns = 42000000 },
	{ .name = "by length", .km = 3800 },
	{ .name = "Los Angeles", .rtt_ns = 180000000 },
	{ .name = "not for SG", .rtt_ns = 44000000, .lanes = only_kl,
	  .n_lanes = 1 },
};

TEST(what_a_round_trip_fits_is_in_the_order_of_how_well)
{
	struct sl_config cfg = { .gateway.at = haikou, .detours = detours,
				 .n_detours = 5 };
	struct sl_config_lane lane = { .name = "SG", .at = singapore };
	double via_ns = sl_fibre_rtt_ns(naive_km(&haikou, &hong_kong) +
					naive_km(&hong_kong, &singapore));
	struct sl_fit f[SL_FITS];

	EXPECT_LT(fabs(sl_detour_rtt_ns(&cfg, &detours[0], &lane) - via_ns),
		  1000);
	EXPECT_EQ(sl_detour_fits(&cfg, &lane, 44000000, f), 2);
	EXPECT_STREQ(f[0].name, "as stated");
	EXPECT_EQ(f[0].plus_ns, 2000000);
	EXPECT_STREQ(f[1].name, "by length");
	EXPECT_EQ(f[1].plus_ns, 44000000 - (int64_t)sl_fibre_rtt_ns(3800));
	/* below what is expected by 2 % at most, above it by 25 % or 10 ms */
	EXPECT_EQ(sl_detour_fits(&cfg, &lane, 179000000, f), 1);
	EXPECT_EQ(f[0].plus_ns, -1000000);
	EXPECT_EQ(sl_detour_fits(&cfg, &lane, 176000000, f), 0);
	EXPECT_EQ(sl_detour_fits(&cfg, &lane, 224000000, f), 1);
	EXPECT_EQ(sl_detour_fits(&cfg, &lane, 226000000, f), 0);
	EXPECT_EQ(sl_detour_fits(&cfg, &lane, via_ns + 9e6, f), 2);
	/* no place of the lane: no way over a place */
	lane.at.known = false;
	EXPECT_EQ(sl_detour_rtt_ns(&cfg, &detours[0], &lane), 0);
	lane = (struct sl_config_lane){ .name = "KL" };
	EXPECT_EQ(sl_detour_fits(&cfg, &lane, 44000000, f), 3);
	EXPECT_STREQ(f[0].name, "not for SG");
}

TEST(more_than_can_be_named_leaves_out_the_worst)
{
	static struct sl_detour many[8];
	struct sl_config cfg = { .detours = many, .n_detours = 8 };
	struct sl_config_lane lane = { .name = "SG" };
	struct sl_fit f[SL_FITS];
	unsigned int i;

	for (i = 0; i < 8; i++) {
		snprintf(many[i].name, sizeof(many[i].name), "%u", i);
		many[i].rtt_ns = (50 - (i * 5 % 8)) * 1000000ULL;
	}
	ASSERT_EQ(sl_detour_fits(&cfg, &lane, 50000000, f), SL_FITS);
	for (i = 0; i < SL_FITS; i++)
		EXPECT_EQ(f[i].plus_ns, i * 1000000);
}

TEST_HARNESS_MAIN
