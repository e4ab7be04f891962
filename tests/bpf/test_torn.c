// SPDX-License-Identifier: GPL-2.0
/*
 * No packet sees a mixture of generations: live frames run through the attached
 * program while another thread swaps the tables beneath them.
 *
 * Every packet goes between an X and a Y. Generation A drops X and protects Y,
 * generation B the other way round: each alone passes every packet, since
 * protect wins; X from the one and Y from the other is drop and drop. That is
 * half of the mixtures; the streams back, from Y to X, show the other half.
 */
#include <linux/bpf.h>
#include <net/if.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <bpf/bpf.h>
#include "build.h"
#include "datapath.h"
#include "kselftest_harness.h"

#define PACKETS		10000000ULL	/* by default; at least */
#define FLIPS		100		/* of banks just built; at least */
#define LIMIT_S		60		/* ... but no longer than this */
#define A_RUN		4096		/* packets of one system call */
#define CONTROL_MAX	4000000ULL
#define PROTECT		1
#define DROP		2
#define SLOT		1

/* One pair for each shape that an address can have in the tables. */
static const struct ends {
	int family;
	const char *x, *y;			/* prefixes ... */
	const char *from, *to;			/* ... and an address in each */
} ends[] = {
	/* IPv4: root word, /24, bucket, runs */
	{ 4, "10.1.0.0/16", "198.18.0.0/16", "10.1.2.3", "198.18.4.5" },
	{ 4, "10.2.3.0/24", "198.19.4.0/24", "10.2.3.4", "198.19.4.5" },
	{ 4, "10.3.3.7", "203.0.113.7", "10.3.3.7", "203.0.113.7" },
	{ 4, "10.4.4.32/28", "192.0.2.64/28", "10.4.4.33", "192.0.2.79" },
	/* IPv6: root word, a few nodes, as deep as it goes */
	{ 6, "2001::/20", "3fff::/20", "2001:d00::1", "3fff::2" },
	{ 6, "2400:cb00::/32", "2a00:1450::/48", "2400:cb00::1",
	  "2a00:1450::2" },
	{ 6, "2600::77", "fd00::77", "2600::77", "fd00::77" },
};
#define STREAMS		(2 * sizeof(ends) / sizeof(ends[0]))

FIXTURE(torn)
{
	struct sl_dp *dp;
	struct sl_config *cfg;
	struct sl_rib *gen[2];
	struct frame f[STREAMS];
	uint32_t ifindex;
	uint64_t sent, flips;
	bool stop, too_old;	/* a kernel without live frames */
	int rc;			/* of the thread that swaps */
	pthread_t swapper;
};
typedef FIXTURE_DATA(torn) torn;

static struct sl_rib *generation(int drop_y)
{
	struct sl_rib *c = sl_rib_new();
	struct sl_prefix p;
	size_t i;
	int y;

	for (i = 0; i < STREAMS; i++) {
		y = i % 2;
		sl_prefix_parse(y ? ends[i / 2].y : ends[i / 2].x, &p, NULL);
		sl_rib_add_class(c, &p, y == drop_y ? DROP : PROTECT,
				 y == drop_y ? SL_ACT_DROP : SL_ACT_PROTECT, 0);
	}
	return sl_rib_sort(c) ? NULL : c;
}

/* The destination MAC is nobody's, so that the stack drops what passed at
 * once. */
static void make_frame(struct frame *f, const struct ends *e, int back)
{
	const char *src = back ? e->to : e->from, *dst = back ? e->from : e->to;

	eth(f, e->family == 4 ? 0x0800 : 0x86dd);
	if (e->family == 4)
		ip4(f, src, dst, 17, 0);
	else
		ip6(f, src, dst, 17);
	udp(f, 5000, 5001);
	payload(f, 8);
	done(f);
}

/* A run of one stream; live: the passed ones go up the stack. */
static int send_packets(torn *t, size_t stream, bool live)
{
	struct xdp_md md = { .ingress_ifindex = t->ifindex,
			     .data_end = t->f[stream].len };
	LIBBPF_OPTS(bpf_test_run_opts, o, .data_in = t->f[stream].b,
		    .data_size_in = t->f[stream].len, .ctx_in = &md,
		    .ctx_size_in = sizeof(md), .repeat = live ? A_RUN : 1,
		    .flags = live ? BPF_F_TEST_XDP_LIVE_FRAMES : 0,
		    .batch_size = live ? 64 : 0);
	int rc = bpf_prog_test_run_opts(sl_dp_prog_fd(t->dp), &o);

	if (!rc)
		t->sent += live ? A_RUN : 1;
	return rc;
}

static double now_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

/* n packets more, and until there were so many flips. The pause is for the
 * grace period: without it each takes 0.2 s here, and few flips are seen. */
static int send_many(torn *t, uint64_t n, uint64_t flips)
{
	uint64_t end = t->sent + n;
	double limit_s = now_s() + LIMIT_S;
	size_t i = 0;
	int rc = 0;

	while (!rc && now_s() < limit_s && (t->sent < end ||
	       __atomic_load_n(&t->flips, __ATOMIC_RELAXED) < flips)) {
		rc = send_packets(t, i++ % STREAMS, true);
		usleep(100);
	}
	return rc;
}

/* Until a packet was dropped, or CONTROL_MAX were sent. */
static int send_until_drop(torn *t)
{
	struct sl_port_ctr c = {};
	int rc = 0;

	while (!rc && t->sent < CONTROL_MAX &&
	       !c.packets[SL_R_DROP_BLOCK]) {
		rc = send_many(t, A_RUN * STREAMS, 0);
		sl_dp_read_port(t->dp, SLOT, &c);
	}
	return rc;
}

static struct sl_rib_pair next_pair(torn *t)
{
	return (struct sl_rib_pair){ .base = t->gen[t->flips % 2] };
}

/* As a commit does: build beside, flip. */
static void *swap_beside(void *arg)
{
	torn *t = arg;

	while (!t->rc && !__atomic_load_n(&t->stop, __ATOMIC_RELAXED)) {
		t->rc = sl_fib_build(sl_dp_idle(t->dp), next_pair(t), NULL);
		if (t->rc)
			break;
		sl_dp_flip(t->dp);
		__atomic_fetch_add(&t->flips, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

/* Both banks are built; only the epoch moves, many times a packet. */
static void *swap_bare(void *arg)
{
	torn *t = arg;

	while (!__atomic_load_n(&t->stop, __ATOMIC_RELAXED)) {
		sl_dp_flip(t->dp);
		__atomic_fetch_add(&t->flips, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

/* Wrongly: where packets look. */
static void *swap_in_place(void *arg)
{
	torn *t = arg;

	while (!t->rc && !__atomic_load_n(&t->stop, __ATOMIC_RELAXED)) {
		t->rc = sl_fib_build(sl_dp_live(t->dp), next_pair(t), NULL);
		__atomic_fetch_add(&t->flips, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

static int start(torn *t, void *(*swap)(void *))
{
	t->stop = false;
	return pthread_create(&t->swapper, NULL, swap, t);
}

static int stop(torn *t)
{
	__atomic_store_n(&t->stop, true, __ATOMIC_RELAXED);
	pthread_join(t->swapper, NULL);
	return t->rc;
}

static int write_figures(uint64_t packets, uint64_t built, uint64_t bare,
			 uint64_t mixtures)
{
	const char *build = getenv("BUILD");
	char path[512];
	FILE *f;

	snprintf(path, sizeof(path), "%s/tests", build ? build : "build");
	mkdir(path, 0755);
	snprintf(path, sizeof(path), "%s/tests/torn.json",
		 build ? build : "build");
	f = fopen(path, "w");
	if (!f)
		return -1;
	fprintf(f, "{\"packets\":%llu,\"flips\":%llu,\"bare_flips\":%llu,"
		"\"mixtures\":%llu}\n", (unsigned long long)packets,
		(unsigned long long)built, (unsigned long long)bare,
		(unsigned long long)mixtures);
	return fclose(f);
}

FIXTURE_SETUP(torn)
{
	struct sl_class protect = { .action = SL_ACT_PROTECT };
	struct sl_class drop = { .action = SL_ACT_DROP };
	struct sl_port port = { .side = SL_SIDE_INSIDE, .slot = SLOT };
	struct sl_dp_opts o = {};
	size_t i;
	int rc;

	ASSERT_EQ(0, unshare(CLONE_NEWNET));
	/* without IPv6 there the kernel sends no packets of its own */
	ASSERT_EQ(0, system("f=/proc/sys/net/ipv6/conf/default/disable_ipv6; "
			    "test ! -e $f || echo 1 >$f"));
	ASSERT_EQ(0, system("ip link add torn0 type veth peer name torn1 && "
			    "ip link set torn0 up && ip link set torn1 up"));
	self->ifindex = if_nametoindex("torn0");
	o.cfg = self->cfg = sl_config_default();
	self->cfg->tables.flows = 1024;
	self->cfg->tables.series = 64;
	strcpy(self->cfg->tables.size, "small");
	ASSERT_EQ(0, sl_dp_open(&o, &self->dp)) {
		TH_LOG("%s", sl_dp_error(self->dp));
	}
	ASSERT_EQ(0, sl_dp_attach(self->dp, self->ifindex, SL_XDP_NATIVE)) {
		TH_LOG("%s", sl_dp_error(self->dp));
	}
	ASSERT_EQ(0, sl_dp_set_port(self->dp, self->ifindex, 0, &port));
	ASSERT_EQ(0, sl_dp_set_class(self->dp, PROTECT, &protect));
	ASSERT_EQ(0, sl_dp_set_class(self->dp, DROP, &drop));
	for (i = 0; i < 2; i++) {
		self->gen[i] = generation(i);
		ASSERT_NE(NULL, self->gen[i]);
		ASSERT_EQ(0, sl_dp_commit(self->dp, (struct sl_rib_pair){
						.base = self->gen[i], .extra = NULL }));
	}
	for (i = 0; i < STREAMS; i++)
		make_frame(&self->f[i], &ends[i / 2], i % 2);
	/* the very same run without the flag tells a kernel that is too old
	 * from a mistake of ours */
	ASSERT_EQ(0, send_packets(self, 0, false));
	rc = send_packets(self, 0, true);
	self->too_old = rc == -EINVAL;
	ASSERT_TRUE(!rc || self->too_old);
}

FIXTURE_TEARDOWN(torn)
{
	sl_dp_close(self->dp);
	sl_config_free(self->cfg);
	sl_rib_free(self->gen[0]);
	sl_rib_free(self->gen[1]);
}

TEST_F_TIMEOUT(torn, no_packet_sees_a_mixture_of_generations, 200)
{
	const char *env = getenv("SEALANE_TORN_PACKETS");
	uint64_t wanted = env ? strtoull(env, NULL, 10) : PACKETS, seen = 0;
	uint64_t built, bare;
	struct sl_class_ctr hits;
	struct sl_port_ctr c;
	double from = now_s();
	int i;

	if (self->too_old)
		SKIP(return, "this kernel has no live frames (5.18 has)");
	ASSERT_EQ(0, start(self, swap_beside));
	EXPECT_EQ(0, send_many(self, wanted, FLIPS));
	ASSERT_EQ(0, stop(self));
	built = self->flips;
	ASSERT_EQ(0, start(self, swap_bare));
	EXPECT_EQ(0, send_many(self, wanted / 5, 0));
	ASSERT_EQ(0, stop(self));
	bare = self->flips - built;
	sl_dp_read_port(self->dp, SLOT, &c);
	sl_dp_read_class(self->dp, DROP, &hits);
	for (i = 0; i < SL_R_MAX; i++)
		seen += c.packets[i];
	TH_LOG("%llu packets, %llu builds flipped to, %llu bare flips, %llu "
	       "mixtures, %.1f s", (unsigned long long)seen,
	       (unsigned long long)built, (unsigned long long)bare,
	       (unsigned long long)c.packets[SL_R_DROP_BLOCK], now_s() - from);
	EXPECT_EQ(0, write_figures(seen, built, bare,
				   c.packets[SL_R_DROP_BLOCK]));
	EXPECT_EQ(0, c.packets[SL_R_DROP_BLOCK]);
	EXPECT_EQ(0, hits.packets);
	EXPECT_EQ(self->sent, seen);
	EXPECT_EQ(self->sent, c.packets[SL_R_UNTRACKED]);
	EXPECT_LE(wanted, seen);
	EXPECT_LE(FLIPS, built);
	EXPECT_LE(FLIPS, bare);
}

/* The control: the same packets do show a mixture where there is one. */
TEST_F_TIMEOUT(torn, a_table_written_in_place_is_seen_half_done, 60)
{
	struct sl_port_ctr c;

	if (self->too_old)
		SKIP(return, "this kernel has no live frames (5.18 has)");
	ASSERT_EQ(0, start(self, swap_in_place));
	EXPECT_EQ(0, send_until_drop(self));
	ASSERT_EQ(0, stop(self));
	sl_dp_read_port(self->dp, SLOT, &c);
	TH_LOG("%llu of %llu packets saw a mixture, %llu builds in place",
	       (unsigned long long)c.packets[SL_R_DROP_BLOCK],
	       (unsigned long long)self->sent,
	       (unsigned long long)self->flips);
	EXPECT_LT(0, c.packets[SL_R_DROP_BLOCK]);
}

TEST_HARNESS_MAIN
