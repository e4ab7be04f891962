// SPDX-License-Identifier: GPL-2.0
/* Kept packets are read once each, whatever writer and reader do between. */
#include <stdlib.h>
#include <string.h>
#include "datapath_priv.h"
#include "kselftest_harness.h"

#define CPU 1

struct fixture {
	struct sl_dp dp;
	struct sl_sampled *ring;	/* of two CPUs */
	uint32_t kept;			/* by the writer */
	uint64_t number;		/* of the last one written */
	struct sl_dp_reader reader;
	struct sl_sampled out[SL_SAMPLES];
};

static struct fixture *start(uint32_t kept)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->ring = calloc(2 * SL_SAMPLES, sizeof(*f->ring));
	f->dp.set.n_cpus = 2;
	f->dp.map[SL_MAP_SAMPLES].mem = (uint8_t *)f->ring;
	f->dp.map[SL_MAP_SAMPLES].stride = sizeof(*f->ring);
	f->kept = kept;
	return f;
}

static void stop(struct fixture *f)
{
	free(f->ring);
	free(f);
}

/* As bpf/keep.bpf.h does. */
static void write_some(struct fixture *f, unsigned int n)
{
	struct sl_sampled *s;

	while (n--) {
		s = &f->ring[CPU * SL_SAMPLES + f->kept++ % SL_SAMPLES];
		s->time_ns = 1000;
		s->g.frame_b = ++f->number;
	}
}

static uint32_t read_all(struct fixture *f)
{
	return sl_dp_take_samples(&f->dp, CPU, &f->reader, f->out);
}

/* Are exactly the last n in out, each once? */
static bool has_last(const struct fixture *f, uint32_t n)
{
	bool *seen = calloc(n + 1, 1);
	uint32_t i, at;
	bool good = true;

	for (i = 0; i < n && good; i++) {
		at = f->number - f->out[i].g.frame_b;
		good = at < n && !seen[at];
		if (good)
			seen[at] = true;
	}
	free(seen);
	return good;
}

TEST(a_reader_that_keeps_up_sees_each_once)
{
	struct fixture *f = start(4000);
	unsigned int round, n;

	srandom(3);
	for (round = 0; round < 500; round++) {
		n = random() % 900;
		write_some(f, n);
		ASSERT_EQ(n, read_all(f));
		ASSERT_TRUE(has_last(f, n));
	}
	/* it knows where to go on: nothing else is looked at */
	EXPECT_TRUE(f->reader.placed);
	EXPECT_EQ(f->kept % SL_SAMPLES, f->reader.next);
	stop(f);
}

TEST(a_reader_that_was_lapped_has_the_newest_and_finds_its_place)
{
	static const unsigned int lap[] = { SL_SAMPLES, SL_SAMPLES + 1, 5000,
					    3 * SL_SAMPLES + 77 };
	struct fixture *f = start(0);
	unsigned int i;

	for (i = 0; i < sizeof(lap) / sizeof(*lap); i++) {
		write_some(f, 100);
		ASSERT_EQ(100, read_all(f));
		write_some(f, lap[i]);
		ASSERT_EQ(SL_SAMPLES, read_all(f));
		ASSERT_TRUE(has_last(f, SL_SAMPLES));
		ASSERT_EQ(0, read_all(f));
		write_some(f, 7);
		ASSERT_EQ(7, read_all(f));
		ASSERT_TRUE(has_last(f, 7));
		ASSERT_TRUE(f->reader.placed);
	}
	stop(f);
}

TEST(a_run_over_the_end_of_the_ring_is_found)
{
	struct fixture *f = start(SL_SAMPLES - 3);

	write_some(f, 10);
	EXPECT_EQ(10, read_all(f));
	EXPECT_EQ(7, f->reader.next);
	write_some(f, 3);
	EXPECT_EQ(3, read_all(f));
	EXPECT_TRUE(has_last(f, 3));
	stop(f);
}

TEST(a_sample_that_is_being_written_waits)
{
	struct fixture *f = start(0);

	write_some(f, 5);
	EXPECT_EQ(5, read_all(f));
	write_some(f, 3);
	f->ring[CPU * SL_SAMPLES + 6].time_ns = 0;
	EXPECT_EQ(1, read_all(f));
	f->ring[CPU * SL_SAMPLES + 6].time_ns = 1000;
	EXPECT_EQ(2, read_all(f));
	stop(f);
}

TEST(only_packets_that_could_be_kept_are_counted)
{
	struct sl_port_ctr *ctr = calloc(2 * SL_MAX_SLOTS, sizeof(*ctr));
	struct sl_dp dp = {};
	uint64_t packets, bytes;

	dp.map[SL_MAP_PORT_CTRS].mem = (uint8_t *)ctr;
	dp.map[SL_MAP_PORT_CTRS].stride = sizeof(*ctr);
	ctr[SL_MAX_SLOTS].packets[SL_R_TRACKED] = 3;
	ctr[SL_MAX_SLOTS].bytes[SL_R_TRACKED] = 300;
	ctr[SL_MAX_SLOTS + 63].packets[SL_R_DROP_LIMIT] = 4;
	ctr[SL_MAX_SLOTS].packets[SL_R_BYPASS] = 50;
	ctr[SL_MAX_SLOTS].packets[SL_R_NO_PORT] = 60;
	ctr[0].packets[SL_R_TRACKED] = 70;	/* another CPU's */
	sl_dp_read_sampled_of(&dp, CPU, &packets, &bytes);
	EXPECT_EQ(7, packets);
	EXPECT_EQ(300, bytes);
	free(ctr);
}

TEST_HARNESS_MAIN
