// SPDX-License-Identifier: GPL-2.0
/*
 * Lookups through BPF against the same bank read from user space, and a part
 * of them against a stupid twin. The tables are as mean as those of
 * tests/unit/test_tables.c, which holds user space against that twin.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include "datapath.h"
#include "rules.h"
#include "twin.bpf.h"
#include "kselftest_harness.h"

#define ROUNDS		32		/* a full ring each: 1,048,576 */
#define HOSTS		60000		/* 92 % of small's buckets */
#define SAMPLE		7		/* one in so many meets the twin too */

static uint32_t hosts[HOSTS];
static char object[512];
static int compiled = -1;

/* Once, before the harness forks. Flags as in the Makefile. */
static void __attribute__((constructor)) compile(void)
{
	const char *build = getenv("BUILD");
	char dir[400], cmd[1200];

	snprintf(dir, sizeof(dir), "%s/tests", build ? build : "build");
	mkdir(dir, 0755);
	snprintf(object, sizeof(object), "%s/twin.bpf.o", dir);
	snprintf(cmd, sizeof(cmd), "${CLANG:-clang} -x c -target bpf -mcpu=v3 "
		 "-O2 -g -std=gnu11 -Wall -Wextra -Werror -Iinclude -Ibpf "
		 "-I/usr/include/$(${CC:-gcc} -print-multiarch) -c -o %s "
		 "tests/bpf/twin.bpf.h", object);
	compiled = system(cmd);
}

static int by_number(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static uint32_t class_of(uint32_t host)
{
	return 1 + host * 2654435761U % 500000;
}

/* Hosts of a class each, and nothing else. */
static uint32_t by_hosts(const struct sl_prefix *addr)
{
	uint32_t a = sl_prefix_first(addr);

	if (addr->family != 4 ||
	    !bsearch(&a, hosts, HOSTS, sizeof(a), by_number))
		return 0;
	return SL_ENTRY(0, class_of(a));
}

FIXTURE(twin)
{
	struct sl_dp *dp;
	struct sl_config *cfg;
	struct bpf_object *obj;
	struct twin_pair *pair;
	struct twin_answer *answer;
	uint32_t (*expect)(const struct sl_prefix *addr);
	int prog_fd, rc;
	uint32_t at, n;		/* ring: first pair of the next run, pairs */
	struct twin_pair *half[2];	/* by family: its dst is still free */
	uint64_t lookups, met, bad;
};
typedef FIXTURE_DATA(twin) twin;

static void *map_array(struct bpf_object *o, const char *name, size_t len)
{
	int fd = bpf_object__find_map_fd_by_name(o, name);

	return mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
}

/* The twin's object over the data plane's own maps and settings. */
static int open_object(twin *t)
{
	struct bpf_program *p;
	struct bpf_map *map;
	size_t len;
	int fd;

	t->obj = bpf_object__open(object);
	if (!t->obj)
		return -errno;
	bpf_object__for_each_map(map, t->obj) {
		if (strstr(bpf_map__name(map), ".rodata"))
			memcpy((void *)bpf_map__initial_value(map, &len),
			       sl_dp_settings(t->dp),
			       sizeof(struct sl_settings));
		fd = sl_dp_map_fd(t->dp, bpf_map__name(map));
		if (fd >= 0 && bpf_map__reuse_fd(map, fd))
			return -errno;
	}
	p = bpf_object__find_program_by_name(t->obj, "sealane");
	bpf_program__set_autoload(p, false);
	if (bpf_object__load(t->obj))
		return -errno;
	p = bpf_object__find_program_by_name(t->obj, "twin");
	t->prog_fd = bpf_program__fd(p);
	t->pair = map_array(t->obj, "twin_pairs",
			    TWIN_PAIRS * sizeof(*t->pair));
	t->answer = map_array(t->obj, "twin_answers",
			      TWIN_PAIRS * sizeof(*t->answer));
	return t->pair == MAP_FAILED || t->answer == MAP_FAILED ? -errno : 0;
}

/* --- ask: addresses gather until the ring is full or somebody flushes --- */
static void compare(twin *t, int family, const uint32_t *addr, uint32_t got)
{
	struct sl_prefix a = { .family = family,
			       .len = family == 4 ? 32 : 128 };
	char text[SL_PREFIX_STR_B];
	uint32_t want, twins;

	memcpy(a.addr, addr, family == 4 ? 4 : 16);
	want = twins = sl_fib_lookup(sl_dp_live(t->dp), family, a.addr);
	if (t->expect && t->lookups % SAMPLE == 0) {
		twins = t->expect(&a);
		t->met++;
	}
	t->lookups++;
	if (got == want && got == twins)
		return;
	if (!t->bad++)
		fprintf(stderr, "# %s: BPF %#x, user space %#x, twin %#x\n",
			sl_prefix_str(&a, text), got, want, twins);
}

static void flush(twin *t)
{
	LIBBPF_OPTS(bpf_test_run_opts, o, .data_in = rules,
		    .data_size_in = 64,
		    .repeat = (t->n + TWIN_A_RUN - 1) / TWIN_A_RUN);
	uint32_t i, k;

	if (!t->n)
		return;
	/* no entry has all bits: what is not answered is wrong */
	for (i = 0; i < t->n; i++)
		memset(&t->answer[(t->at + i) % TWIN_PAIRS], 0xff,
		       sizeof(*t->answer));
	t->rc = bpf_prog_test_run_opts(t->prog_fd, &o);
	if (o.retval != XDP_PASS)
		t->rc = -EIO;
	for (i = 0; i < t->n; i++) {
		k = (t->at + i) % TWIN_PAIRS;
		compare(t, t->pair[k].family, t->pair[k].src,
			t->answer[k].src);
		compare(t, t->pair[k].family, t->pair[k].dst,
			t->answer[k].dst);
	}
	t->at = (t->at + o.repeat * TWIN_A_RUN) % TWIN_PAIRS;
	t->n = 0;
	t->half[0] = t->half[1] = NULL;
}

static void ask(twin *t, const struct sl_prefix *a)
{
	size_t len = a->family == 4 ? 4 : 16;
	struct twin_pair **half = &t->half[a->family == 6];

	if (*half) {
		memcpy((*half)->dst, a->addr, len);
		*half = NULL;
		return;
	}
	if (t->n == TWIN_PAIRS)
		flush(t);
	*half = &t->pair[(t->at + t->n++) % TWIN_PAIRS];
	memset(*half, 0, sizeof(**half));
	(*half)->family = a->family;
	memcpy((*half)->src, a->addr, len);
}

static void ask_near(twin *t, int lookups)
{
	struct sl_prefix a;

	while (lookups--) {
		near(&a);
		ask(t, &a);
	}
	flush(t);
}

/* An address and both of its neighbours. */
static void ask_around(twin *t, struct sl_prefix a)
{
	ask(t, &a);
	a.addr[a.family == 4 ? 3 : 15]++;
	ask(t, &a);
	a.addr[a.family == 4 ? 3 : 15] -= 2;
	ask(t, &a);
}

#define ALL_AGREE() ASSERT_EQ(0, self->rc | (int)self->bad)

FIXTURE_SETUP(twin)
{
	struct sl_dp_opts o = { .replay = true };	/* always one key */

	ASSERT_EQ(0, compiled);
	o.cfg = self->cfg = sl_config_default();
	self->cfg->tables.flows = 1024;
	self->cfg->tables.series = 64;
	strcpy(self->cfg->tables.size, "small");
	ASSERT_EQ(0, sl_dp_open(&o, &self->dp)) {
		TH_LOG("%s", sl_dp_error(self->dp));
	}
	ASSERT_EQ(0, open_object(self));
	self->expect = by_rules;
}

FIXTURE_TEARDOWN(twin)
{
	TH_LOG("%llu lookups, %llu of them met the twin, %llu differences",
	       (unsigned long long)self->lookups,
	       (unsigned long long)self->met, (unsigned long long)self->bad);
	munmap(self->pair, TWIN_PAIRS * sizeof(*self->pair));
	munmap(self->answer, TWIN_PAIRS * sizeof(*self->answer));
	bpf_object__close(self->obj);
	sl_dp_close(self->dp);
	sl_config_free(self->cfg);
}

TEST_F_TIMEOUT(twin, a_million_lookups_agree_with_user_space, 120)
{
	struct sl_rib *c = sl_rib_new();
	int round;

	srandom(21);
	for (round = 0; round < ROUNDS; round++) {
		n_rules = 1 + random() % N;
		make_rules(0, n_rules);
		ASSERT_EQ(0, fill(c, 0, n_rules));
		ASSERT_EQ(0, sl_dp_commit(self->dp,
					  (struct sl_rib_pair){ .base = c }));
		ask_near(self, 2 * TWIN_PAIRS);
		ALL_AGREE();
	}
	ASSERT_LE(1000000, self->lookups);
	sl_rib_free(c);
}

/* Rules come and go on top of a base; the live bank is patched. */
TEST_F_TIMEOUT(twin, patches_agree_with_user_space, 120)
{
	struct sl_rib *base = sl_rib_new(), *extra = sl_rib_new();
	struct sl_rib_pair p = { .base = base, .extra = extra };
	int round, i, rc, patched = 0;
	struct sl_prefix gone;

	srandom(22);
	for (round = 0; round < 3; round++) {
		n_rules = N;
		make_rules(0, N);
		ASSERT_EQ(0, fill(base, 0, N));
		ASSERT_EQ(0, fill(extra, N, N));
		ASSERT_EQ(0, sl_dp_commit(self->dp, p));
		for (i = 0; i < 200; i++) {
			gone = rules[n_rules - 1].p;
			if (n_rules > N && random() % 3 == 0) {
				n_rules--;
			} else if (n_rules < 2 * N) {
				make_rules(n_rules, n_rules + 1);
				gone = rules[n_rules++].p;
			}
			ASSERT_EQ(0, fill(extra, N, n_rules));
			rc = sl_fib_patch(sl_dp_live(self->dp), p, &gone);
			if (rc == -EAGAIN)
				rc = sl_dp_commit(self->dp, p);
			else
				patched++;
			ASSERT_EQ(0, rc);
			ask_around(self, gone);
			ask_near(self, 253);
			ALL_AGREE();
		}
	}
	ASSERT_LT(300, patched);
	sl_rib_free(base);
	sl_rib_free(extra);
}

/* From one odd address to all 256, strewn and side by side: every shape that a
 * /24 can take, and as many at the lowest level of IPv6. */
TEST_F_TIMEOUT(twin, every_shape_of_a_slash_24, 120)
{
	struct sl_prefix a4 = { .addr = { 10, 1, 2 }, .family = 4, .len = 32 };
	struct sl_prefix a6 = { .addr = { 0x20, 1 }, .family = 6, .len = 128 };
	struct sl_rib *c = sl_rib_new();
	int odd, i, shapes[3] = {};
	struct sl_fib_image *img;

	for (odd = 1; odd <= 256; odd++) {
		a4.addr[2] = 2;
		a4.addr[3] = a6.addr[15] = (odd - 1) * 37;
		rules[n_rules++] = (struct rule){ a4, 1, 1 + odd % 3, 2 };
		a4.addr[2] = 3;
		a4.addr[3] = odd - 1;
		rules[n_rules++] = (struct rule){ a4, 1, 7, 2 };
		rules[n_rules++] = (struct rule){ a6, 1, 4 + odd % 3, 2 };
		ASSERT_EQ(0, fill(c, 0, n_rules));
		ASSERT_EQ(0, sl_dp_commit(self->dp,
					  (struct sl_rib_pair){ .base = c }));
		for (i = 0; i < 256; i++) {
			a4.addr[3] = a6.addr[15] = i;
			ask(self, &a4);
			a4.addr[2] ^= 1;
			ask(self, &a4);
			ask(self, &a6);
		}
		flush(self);
		ALL_AGREE();
		img = sl_dp_live(self->dp);
		shapes[0] += img->hosts != 0;
		shapes[1] += img->lines > SL_FIB4_ROOT_LINES + 1;
		shapes[2] += img->lines > SL_FIB4_ROOT_LINES + 17;
	}
	ASSERT_TRUE(shapes[0] && shapes[1] && shapes[2]);
	sl_rib_free(c);
}

TEST_F_TIMEOUT(twin, buckets_nearly_full_still_find_every_host, 60)
{
	struct sl_prefix a = { .family = 4, .len = 32 };
	struct sl_rib *c = sl_rib_new();
	int i, k;

	srandom(23);
	for (i = 0; i < HOSTS; i++)
		hosts[i] = 10 << 24 | (i & 0xff) << 16 | (i & 0xff00) |
			   (random() & 0xff);
	qsort(hosts, HOSTS, sizeof(hosts[0]), by_number);
	for (i = 0; i < HOSTS; i++) {
		for (k = 0; k < 4; k++)
			a.addr[k] = hosts[i] >> (24 - 8 * k);
		sl_rib_add_class(c, &a, class_of(hosts[i]), SL_ACT_DROP, 0);
	}
	ASSERT_EQ(0, sl_rib_sort(c));
	ASSERT_EQ(0, sl_dp_commit(self->dp, (struct sl_rib_pair){ .base = c })) {
		TH_LOG("%s", sl_dp_error(self->dp));
	}
	ASSERT_EQ(HOSTS, sl_dp_live(self->dp)->hosts);
	self->expect = by_hosts;
	for (i = 0; i < HOSTS; i++) {
		for (k = 0; k < 4; k++)
			a.addr[k] = hosts[i] >> (24 - 8 * k);
		ask_around(self, a);
	}
	flush(self);
	ALL_AGREE();
	sl_rib_free(c);
}

TEST_F(twin, the_ends_of_the_address_space)
{
	static const char *const text[] = { "0.0.0.0", "255.255.255.255",
		"128.0.0.0", "::/0", "::", "8000::/1",
		"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" };
	struct sl_rib *c = sl_rib_new();
	struct sl_prefix p;
	int i, n = sizeof(text) / sizeof(text[0]);

	/* first with an empty table */
	for (n_rules = 0; n_rules <= n; n_rules++) {
		ASSERT_EQ(0, fill(c, 0, n_rules));
		ASSERT_EQ(0, sl_dp_commit(self->dp,
					  (struct sl_rib_pair){ .base = c }));
		for (i = 0; i < n; i++) {
			ASSERT_EQ(0, sl_prefix_parse(text[i], &p, NULL));
			ask_around(self, p);
			rules[i] = (struct rule){ p, 0, i + 1,
						  SL_LAYER_OPERATOR };
		}
		flush(self);
		ALL_AGREE();
	}
	sl_rib_free(c);
}

TEST_HARNESS_MAIN
