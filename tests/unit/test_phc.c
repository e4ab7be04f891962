// SPDX-License-Identifier: GPL-2.0
/* A NIC's clock against the kernel's: which reading is kept, how wrong it may be,
 * and what the module makes of it. */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <unistd.h>
#include "../../kmod/clock.h"
#include "phc.h"
#include "kselftest_harness.h"

#define REAL_MONO_NS	1790000000000000000LL	/* booted so long after 1970 */
#define TAI_NS		37000000000LL

static struct ptp_clock_time time_of(int64_t ns)
{
	return (struct ptp_clock_time){ .sec = ns / 1000000000,
					.nsec = ns % 1000000000 };
}

TEST(the_shortest_window_is_kept_with_half_of_it_as_its_error)
{
	static const int window_ns[] = { 5000, 900, 40000, 1000, 2000 };
	struct ptp_sys_offset_extended e = { .n_samples = 5 };
	struct ptp_sys_offset o = { .n_samples = 5 };
	int64_t real = REAL_MONO_NS + 5000000000, at = real;
	struct sl_phc_pair p;
	int i;

	for (i = 0; i < 5; i++) {
		e.ts[i][0] = time_of(real + i * 100000);
		e.ts[i][1] = time_of(TAI_NS + real + i * 100000);
		e.ts[i][2] = time_of(real + i * 100000 + window_ns[i]);
		o.ts[2 * i] = time_of(at);
		o.ts[2 * i + 1] = time_of(TAI_NS + at);
		at += window_ns[i];
	}
	o.ts[10] = time_of(at);
	ASSERT_EQ(0, sl_phc_extended(&e, REAL_MONO_NS, &p));
	EXPECT_EQ(5000000000 + 100000 + 450, p.mono_ns);
	EXPECT_EQ(TAI_NS + real + 100000, p.phc_ns);
	EXPECT_EQ(451, p.error_ns);
	ASSERT_EQ(0, sl_phc_basic(&o, REAL_MONO_NS, &p));
	EXPECT_EQ(5000000000 + 5000 + 450, p.mono_ns);
	EXPECT_EQ(451, p.error_ns);
}

TEST(a_window_that_ends_before_it_begins_is_none)
{
	struct ptp_sys_offset_extended e = { .n_samples = 1 };
	struct ptp_sys_offset_precise precise = {};
	struct ptp_sys_offset o = {};
	struct sl_phc_pair p = { .mono_ns = 7 };

	e.ts[0][0] = time_of(REAL_MONO_NS + 2000);
	e.ts[0][2] = time_of(REAL_MONO_NS + 1000);
	EXPECT_EQ(-EINVAL, sl_phc_extended(&e, REAL_MONO_NS, &p));
	EXPECT_EQ(-EINVAL, sl_phc_basic(&o, REAL_MONO_NS, &p));
	EXPECT_EQ(-EINVAL, sl_phc_precise(&precise, REAL_MONO_NS, &p));
	EXPECT_EQ(7, p.mono_ns);
	precise.device = time_of(99);
	precise.sys_realtime = time_of(REAL_MONO_NS + 1234);
	EXPECT_EQ(0, sl_phc_precise(&precise, REAL_MONO_NS, &p));
	EXPECT_EQ(1234, p.mono_ns);
	EXPECT_EQ(99, p.phc_ns);
}

/* A clock that runs fast by ppb, read at mono with an error of at most error_ns. */
static struct sl_phc_pair reading(int64_t mono_ns, double ppb, int error_ns)
{
	return (struct sl_phc_pair){
		.mono_ns = mono_ns + random() % (2 * error_ns + 1) - error_ns,
		.phc_ns = TAI_NS + mono_ns + llround(mono_ns * ppb * 1e-9),
		.error_ns = error_ns };
}

TEST(drift_and_conversion_are_as_good_as_the_readings)
{
	static const int rate[] = { 0, 1, -40, 5000, -123456, 900000 };
	struct slk_clock c = { .ifindex = 1 };
	unsigned int r;
	int i, k;

	srandom(3);
	for (r = 0; r < sizeof(rate) / sizeof(rate[0]); r++) {
		struct sl_phc p = {};
		int64_t now_ns = 0, later_ns, want_ns, got_ns;

		for (i = 0; i < 30; i++) {
			struct sl_phc_pair pair;

			now_ns += 1000000000 + random() % 20000000;
			pair = reading(now_ns, rate[r], 800);
			ASSERT_TRUE(sl_phc_add(&p, &pair));
		}
		/* two readings 7 s apart, each wrong by 800 ns at most */
		EXPECT_LE(abs(sl_phc_ppb(&p) - rate[r]), 1600 / 7 + 2);
		c.ppb = sl_phc_ppb(&p);
		c.phc_ns = p.pair[p.n - 1].phc_ns;
		c.mono_ns = p.pair[p.n - 1].mono_ns;
		for (k = 0; k < 5; k++) {
			later_ns = now_ns + k * 250000000LL;
			want_ns = later_ns;
			got_ns = slk_clock_mono_ns(&c, TAI_NS + later_ns +
				 llround(later_ns * rate[r] * 1e-9));
			EXPECT_LE(llabs(got_ns - want_ns), 800 + 250 * k + 2);
		}
	}
}

TEST(a_clock_that_was_set_begins_anew)
{
	struct sl_phc_pair pair = { .mono_ns = 1000000000, .phc_ns = 5 };
	struct sl_phc p = {};

	EXPECT_TRUE(sl_phc_add(&p, &pair));
	EXPECT_EQ(0, sl_phc_ppb(&p));
	pair.mono_ns += 1000000000;
	pair.phc_ns += 1000500000;	/* fast, and no more */
	EXPECT_TRUE(sl_phc_add(&p, &pair));
	EXPECT_EQ(500000, sl_phc_ppb(&p));
	pair.mono_ns += 1000000000;
	pair.phc_ns += 38000000000;	/* UTC became TAI */
	EXPECT_FALSE(sl_phc_add(&p, &pair));
	EXPECT_EQ(1, p.n);
	EXPECT_EQ(0, sl_phc_ppb(&p));
	pair.mono_ns -= 10;	/* no time went by */
	EXPECT_FALSE(sl_phc_add(&p, &pair));
}

TEST(what_is_no_clock_is_not_read)
{
	int fd = open("/dev/null", O_RDONLY);
	struct sl_phc_pair p;

	EXPECT_EQ(-ENOTTY, sl_phc_read(fd, &p));
	close(fd);
	EXPECT_EQ(-EBADF, sl_phc_read(-1, &p));
}

TEST_HARNESS_MAIN
