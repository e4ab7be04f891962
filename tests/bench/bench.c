// SPDX-License-Identifier: GPL-2.0
/*
 * ns a packet: each row's program and its empty twin in turn, RUNS times over
 * the whole stream; the median of the differences. Rows go to stdout as JSON,
 * one a line; what they mean is in docs/performance.md.
 */
#include <errno.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include "bench.h"
#include "names.h"

#define RUNS 9

void die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fputs("bench: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	exit(2);
}

double bench_now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

/* A row: a program, its twin, its packets. */
struct row {
	const char *id, *subject, *prog, *twin;
	struct stream *s;
	bool peer;
	uint32_t verdict;		/* that every packet must get */
	int scale;			/* packets of one figure */
	uint32_t trips;			/* one round trip of so many goes to the
					 * agent; 0: none */
	double d[RUNS], empty[RUNS];
};

static struct bpf_object *object_of(const struct bench *b, const struct row *r)
{
	return r->peer ? b->peers : b->obj;
}

void bench_load(struct bpf_object *o, const struct stream *s)
{
	int fd = bpf_object__find_map_fd_by_name(o, "bench_steps"), bss;
	size_t len = (size_t)BENCH_ROOM * sizeof(struct bench_step);
	void *m = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	struct bpf_map *map;

	if (m == MAP_FAILED)
		die("cannot map the steps: %s", strerror(errno));
	memcpy(m, s->steps, s->n * sizeof(*s->steps));
	munmap(m, len);
	bpf_object__for_each_map(map, o) {
		if (!strstr(bpf_map__name(map), ".data"))
			continue;
		/* bench_len is the one variable with a start value */
		bss = bpf_map__fd(map);
		m = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, bss,
			 0);
		if (m != MAP_FAILED) {
			*(uint32_t *)m = s->n;
			munmap(m, 4096);
		}
	}
}

/* ns a packet over one pass of the stream. */
double bench_run(struct bpf_object *o, const char *name,
		  const struct stream *s, int want)
{
	struct bpf_program *p = bpf_object__find_program_by_name(o, name);
	LIBBPF_OPTS(bpf_test_run_opts, t, .data_in = s->frame,
		    .data_size_in = s->len, .repeat = s->n);

	if (!p || bpf_prog_test_run_opts(bpf_program__fd(p), &t))
		die("%s does not run: %s", name, strerror(errno));
	if (want >= 0 && t.retval != (uint32_t)want)
		die("%s answered %u, not %d", name, t.retval, want);
	return t.duration;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

void bench_print(const char *id, const char *subject, double *d,
		 double *empty, int n)
{
	qsort(d, n, sizeof(double), by_value);
	qsort(empty, n, sizeof(double), by_value);
	printf("{\"id\":\"%s\",\"subject\":\"%s\",\"unit\":\"ns\","
	       "\"value\":%.1f,\"min\":%.1f,\"max\":%.1f,\"runs\":%d,"
	       "\"empty_ns\":%.1f}\n", id, subject, d[n / 2], d[0], d[n - 1],
	       n, empty[n / 2]);
	fflush(stdout);
}

/* All rows over one stream, in turn. */
static void measure(struct bench *b, struct row *rows, int n)
{
	double with, without;
	int i, k;

	for (i = 0; i < n; i++) {
		bench_load(object_of(b, &rows[i]), rows[i].s);
		bench_run(object_of(b, &rows[i]), rows[i].prog, rows[i].s, -1);
	}
	for (k = 0; k < RUNS; k++)
		for (i = 0; i < n; i++) {
			struct row *r = &rows[i];
			struct bpf_object *o = object_of(b, r);

			sl_dp_set_trips(b->dp, r->trips);
			without = bench_run(o, r->twin, r->s, -1);
			with = bench_run(o, r->prog, r->s, r->verdict);
			r->d[k] = (with - without) * r->scale;
			r->empty[k] = without;
		}
	for (i = 0; i < n; i++)
		bench_print(rows[i].id, rows[i].subject, rows[i].d,
			    rows[i].empty, RUNS);
}

/* The bench object over the data plane's own maps and settings. */
static void open_object(struct bench *b)
{
	struct bpf_map *map;
	size_t len;
	int fd;

	b->obj = bpf_object__open("build/bench/bench.bpf.o");
	if (!b->obj)
		die("build/bench/bench.bpf.o does not open");
	bpf_object__for_each_map(map, b->obj) {
		if (strstr(bpf_map__name(map), ".rodata"))
			memcpy((void *)bpf_map__initial_value(map, &len),
			       sl_dp_settings(b->dp),
			       sizeof(struct sl_settings));
		fd = sl_dp_map_fd(b->dp, bpf_map__name(map));
		if (fd >= 0 && bpf_map__reuse_fd(map, fd))
			die("map %s: %s", bpf_map__name(map), strerror(errno));
	}
	if (bpf_object__load(b->obj))
		die("bench.bpf.o does not load");
}

/* How often a reason was given on our port. */
static uint64_t reason(struct bench *b, enum sl_reason r)
{
	struct sl_port_ctr c;

	sl_dp_read_port(b->dp, 1, &c);
	return c.packets[r];
}

static uint64_t samples(struct bench *b)
{
	const struct sl_settings *set = sl_dp_settings(b->dp);
	struct sl_hist h;
	uint64_t sum = 0;
	uint32_t i;

	for (i = 0; i < set->n_series; i++)
		if (sl_dp_series_key(b->dp, i)) {
			sl_dp_peek_series(b->dp, i, &h);
			sum += h.count;
		}
	return sum;
}

static void check(const char *what, uint64_t got, uint64_t want)
{
	if (got < want)
		die("%s: %llu packets, wanted %llu: the row does not measure "
		    "what it says", what, (unsigned long long)got,
		    (unsigned long long)want);
}

static void measure_drop_other(struct bench *b, size_t hosts)
{
	struct stream s;
	struct row rows[] = {
		{ .id = "drop_10k", .subject = "sealane", .prog = "ignored",
		  .twin = "empty4", .s = &s, .verdict = 1, .scale = 1 },
		{ .id = "drop_10k", .subject = "xdp-filter", .peer = true,
		  .prog = "into_other", .twin = "empty4", .s = &s,
		  .verdict = 1, .scale = 1 } };

	stream_drop(b, &s, hosts);
	measure(b, rows, 2);
	free((void *)s.steps);
}

static void measure_v4(struct bench *b)
{
	struct stream ign, drop;
	struct row rows[] = {
		{ .id = "ignored", .subject = "sealane", .prog = "ignored",
		  .twin = "empty4", .s = &ign, .verdict = 2, .scale = 1 },
		{ .id = "ignored", .subject = "LPM_TRIE+HASH", .peer = true,
		  .prog = "lpm_ignored", .twin = "empty4", .s = &ign,
		  .verdict = 2, .scale = 1 } };
	struct row drops[] = {
		{ .id = "drop", .subject = "sealane", .prog = "ignored",
		  .twin = "empty4", .s = &drop, .verdict = 1, .scale = 1 },
		{ .id = "drop", .subject = "HASH", .peer = true,
		  .prog = "hash_drop", .twin = "empty4", .s = &drop,
		  .verdict = 1, .scale = 1 },
		{ .id = "drop", .subject = "LPM_TRIE", .peer = true,
		  .prog = "lpm_drop", .twin = "empty4", .s = &drop,
		  .verdict = 1, .scale = 1 } };
	uint64_t before = reason(b, SL_R_UNTRACKED);

	stream_ignored(b, &ign);
	stream_drop(b, &drop, HOSTS4);
	measure(b, rows, 2);
	check("ignored", reason(b, SL_R_UNTRACKED) - before,
	      (uint64_t)RUNS * BENCH_STEPS);
	before = reason(b, SL_R_DROP_BLOCK);
	measure(b, drops, 3);
	check("drop", reason(b, SL_R_DROP_BLOCK) - before,
	      (uint64_t)RUNS * BENCH_STEPS);
	free((void *)ign.steps);
	free((void *)drop.steps);
}

static void measure_v6(struct bench *b)
{
	struct stream s;
	struct row rows[] = {
		{ .id = "v6_200k", .subject = "sealane", .prog = "only_lookup6",
		  .twin = "empty_lookup", .s = &s, .verdict = 2, .scale = 1 },
		{ .id = "v6_200k", .subject = "LPM_TRIE", .peer = true,
		  .prog = "lpm_lookup6", .twin = "empty_lookup", .s = &s,
		  .verdict = 2, .scale = 1 },
		{ .id = "ignored6", .subject = "sealane", .prog = "ignored6",
		  .twin = "empty6", .s = &s, .verdict = 2, .scale = 1 } };
	uint64_t before = reason(b, SL_R_UNTRACKED);

	stream_ignored6(b, &s);
	measure(b, rows, 3);
	check("ignored6", reason(b, SL_R_UNTRACKED) - before,
	      (uint64_t)RUNS * BENCH_STEPS);
	free((void *)s.steps);
}

/* Short headers of known QUIC flows: found, and nothing to stamp. */
static void measure_quic(struct bench *b)
{
	uint64_t before;
	struct stream s;
	struct row r = { .id = "quic", .subject = "sealane",
			 .prog = "ignored", .twin = "empty4", .s = &s,
			 .verdict = 2, .scale = 1 };
	int step;

	for (step = 0; step < 2; step++) {
		b->rng = 99;		/* the same flows in all three */
		stream_quic(b, &s, step);
		before = samples(b);
		bench_load(b->obj, &s);
		bench_run(b->obj, "ignored", &s, 2);
		free((void *)s.steps);
	}
	check("quic handshakes", samples(b) - before, QUIC_FLOWS * 8 / 10);
	b->rng = 99;
	stream_quic(b, &s, 2);
	before = reason(b, SL_R_TRACKED);
	measure(b, &r, 1);
	check("quic", reason(b, SL_R_TRACKED) - before,
	      (uint64_t)RUNS * 2 * QUIC_FLOWS * 8 / 10);
	free((void *)s.steps);
}

#define FLOOD_TIMES 10	/* spoofed SYNs, in sizes of the flow table */

/* Share of the established flows' samples that a flood leaves, in percent. */
static void measure_flood(struct bench *b, const struct stream *pair)
{
	uint64_t before, calm, flooded;
	struct stream s;
	double kept;

	stream_flood(b, &s, pair, FLOOD_TIMES);
	bench_load(b->obj, pair);
	bench_run(b->obj, "tracked", pair, 2);
	before = samples(b);
	bench_run(b->obj, "tracked", pair, 2);
	calm = samples(b) - before;
	bench_load(b->obj, &s);
	bench_run(b->obj, "tracked", &s, 2);	/* so that its TSvals are new ones */
	before = samples(b);
	bench_run(b->obj, "tracked", &s, 2);
	flooded = samples(b) - before;
	if (calm < FLOWS * 95 / 100)
		die("flood: only %llu samples without it",
		    (unsigned long long)calm);
	kept = 100.0 * flooded / calm;
	printf("{\"id\":\"flood\",\"subject\":\"sealane\","
	       "\"unit\":\"percent\",\"value\":%.2f,\"min\":%.2f,"
	       "\"max\":%.2f,\"runs\":1,\"empty_ns\":0}\n", kept, kept, kept);
	free((void *)s.steps);
}

/* The two programs of traffic control; one packet, since they look at few. */
static void measure_tc(struct bench *b)
{
	const struct sl_port inside = { .side = SL_SIDE_INSIDE, .slot = 1 };
	const struct sl_port outside = { .side = SL_SIDE_OUTSIDE, .slot = 1 };
	const struct sl_port tap = { .side = SL_SIDE_TAP, .slot = 1 };
	struct stream s;
	struct row in = { .id = "tc_in", .subject = "sealane",
			  .prog = "enters", .twin = "empty_tc", .s = &s,
			  .scale = 1 };
	struct row rows[] = {
		{ .id = "tc_out", .subject = "sealane", .prog = "goes",
		  .twin = "empty_tc", .s = &s, .scale = 1 },
		{ .id = "tc_chosen", .subject = "sealane", .prog = "passes",
		  .twin = "empty_tc", .s = &s, .scale = 1 } };

	stream_ignored(b, &s);
	/* as at a million packets a second and 500 to be chosen */
	sl_dp_set_transits(b->dp, 2000);
	sl_dp_set_port(b->dp, 1, 0, &inside);	/* a test run's: lo */
	measure(b, &in, 1);
	sl_dp_set_port(b->dp, 1, 0, &outside);
	measure(b, rows, 2);
	sl_dp_set_transits(b->dp, 0);
	sl_dp_set_port(b->dp, 1, 0, &tap);
	free((void *)s.steps);
}

static void measure_flows(struct bench *b)
{
	struct stream tracked, pair;
	struct row t = { .id = "tracked", .subject = "sealane",
			 .prog = "tracked", .twin = "empty_tcp",
			 .s = &tracked, .verdict = 2, .scale = 1 };
	struct row p = { .id = "pair", .subject = "sealane",
			 .prog = "tracked", .twin = "empty_tcp",
			 .s = &pair, .verdict = 2, .scale = 2 };
	struct row to_agent[] = { p, p, p };
	uint64_t before = reason(b, SL_R_TRACKED), n = samples(b);

	b->rng = 77;		/* the same flows in both */
	stream_tracked(b, &tracked);
	b->rng = 77;
	stream_pair(b, &pair);
	measure(b, &t, 1);
	check("tracked", reason(b, SL_R_TRACKED) - before,
	      (uint64_t)RUNS * 2 * FLOWS * 95 / 100);
	if (samples(b) != n)
		die("tracked: samples were taken");
	/* as with an agent at some 100,000 a second; without one; at few */
	to_agent[0].trips = 16;
	to_agent[1].subject = "no agent";
	to_agent[2].subject = "each one";
	to_agent[2].trips = 1;
	measure(b, to_agent, 3);
	check("pair", samples(b) - n, (uint64_t)RUNS * 3 * FLOWS * 95 / 100);
	measure_quic(b);
	measure_flood(b, &pair);
	free((void *)tracked.steps);
	free((void *)pair.steps);
}

/* Keep all series of a running agent's tables active, until we are stopped:
 * what the agent reads each second. */
static int drive_series(const char *conf)
{
	struct sl_config_errors errs = {};
	struct sl_dp_opts o = {};
	struct sl_config *cfg;
	struct sl_dp *dp;
	uint64_t seed = 1, tail;
	char dir[256];
	uint32_t i;

	if (sl_config_load(conf, &cfg, &errs) ||
	    sl_dp_pin_dir(cfg->bpffs, false, dir, sizeof(dir)))
		die("cannot use %s", conf);
	o.cfg = cfg;
	o.pin_dir = dir;
	if (sl_dp_open(&o, &dp) || sl_dp_origin(dp) != SL_DP_ADOPTED)
		die("%s", sl_dp_error(dp));
	for (;;) {	/* as round trips are: most near the least, a long tail */
		for (i = 0; i < cfg->tables.series; i++) {
			seed = seed * 6364136223846793005ULL + 1;
			tail = 64 - __builtin_clzll(seed | 1ULL << 44);
			sl_dp_test_sample(dp, i, 1 + i % 100, i / 100,
					  36000000 + i * 1000 +
					  (seed >> 20) % (1000000 * (65 - tail)));
		}
		usleep(100000);
	}
}

/* Rows that need the kernel's tries and hash beside ours. */
static void measure_beside_peers(struct bench *b)
{
	double lpm_ms;
	size_t hosts;

	fprintf(stderr, "bench: the same into the kernel's tries and hash\n");
	peers_open(b, &lpm_ms);
	fprintf(stderr, "bench: measuring\n");
	measure_v4(b);
	measure_v6(b);
	if (!peers_xdp_filter(b, &hosts))
		measure_drop_other(b, hosts);
	printf("{\"id\":\"swap_1m\",\"subject\":\"LPM_TRIE\",\"unit\":\"ms\","
	       "\"value\":%.1f,\"min\":%.1f,\"max\":%.1f,\"runs\":1,"
	       "\"empty_ns\":0}\n", lpm_ms, lpm_ms, lpm_ms);
}

/* bench; bench flows, bench rules: only those rows; bench series CONF: see
 * drive_series() */
int main(int argc, char **argv)
{
	struct bench b = { .rng = 88172645463325252ULL };
	bool only_flows = argc == 2 && !strcmp(argv[1], "flows");
	bool only_rules = argc == 2 && !strcmp(argv[1], "rules");
	cpu_set_t one;

	if (argc == 3 && !strcmp(argv[1], "series"))
		return drive_series(argv[2]);
	CPU_ZERO(&one);
	CPU_SET(sysconf(_SC_NPROCESSORS_ONLN) - 1, &one);
	sched_setaffinity(0, sizeof(one), &one);
	fprintf(stderr, "bench: loading 1,000,000 prefixes, 1,000,000 hosts, "
		"200,000 IPv6 prefixes\n");
	tables_open(&b);
	open_object(&b);
	if (!only_flows && !only_rules) {
		measure_beside_peers(&b);
		measure_tc(&b);
	}
	if (!only_flows)
		measure_rules(&b);
	if (!only_rules)
		measure_flows(&b);
	return 0;
}
