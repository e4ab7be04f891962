// SPDX-License-Identifier: GPL-2.0
/* Open the data plane: size its maps, adopt pinned ones, load, map, pin. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include "datapath_priv.h"
#include "sealane.skel.h"

static const char *const map_name[SL_MAP_COUNT] = {
	[SL_MAP_CTL] = "sl_ctl", [SL_MAP_REPLAY] = "sl_replay",
	[SL_MAP_FIB4] = "sl_fib4", [SL_MAP_FIB_FLAGS] = "sl_fib4_flags",
	[SL_MAP_FIB_HOSTS] = "sl_fib_hosts",
	[SL_MAP_FIB6_ROOT] = "sl_fib6_root",
	[SL_MAP_FIB6_NODES] = "sl_fib6_nodes",
	[SL_MAP_FIB6_LEAVES] = "sl_fib6_leaves",
	[SL_MAP_PORTS] = "sl_ports", [SL_MAP_VLANS] = "sl_vlans",
	[SL_MAP_CLASSES] = "sl_classes",
	[SL_MAP_CLASS_CTRS] = "sl_class_ctrs",
	[SL_MAP_FLOWS] = "sl_flows", [SL_MAP_SERIES] = "sl_series",
	[SL_MAP_HISTS] = "sl_hists", [SL_MAP_LANE_CTRS] = "sl_lane_ctrs",
	[SL_MAP_LANE_MISSES] = "sl_lane_misses",
	[SL_MAP_LANE_TCPS] = "sl_lane_tcps",
	[SL_MAP_LANE_LOSTS] = "sl_lane_losts",
	[SL_MAP_RECENTS] = "sl_recents",
	[SL_MAP_PORT_CTRS] = "sl_port_ctrs", [SL_MAP_WORKS] = "sl_works",
	[SL_MAP_COMPOUNDS] = "sl_compounds",
	[SL_MAP_RULE_WORDS] = "sl_rule_words",
	[SL_MAP_RULE_AGGS] = "sl_rule_aggs",
	[SL_MAP_RULE_DIMS] = "sl_rule_dims", [SL_MAP_ACTS] = "sl_acts",
	[SL_MAP_RULE_CTRS] = "sl_rule_ctrs", [SL_MAP_LIMITS] = "sl_limits",
	[SL_MAP_LIMIT_SETS] = "sl_limit_sets", [SL_MAP_SAMPLES] = "sl_samples",
	[SL_MAP_DROPS] = "sl_drops",
	[SL_MAP_DROP_BUDGETS] = "sl_drop_budgets",
	[SL_MAP_TRANSITS] = "sl_transits", [SL_MAP_CHOOSERS] = "sl_choosers",
	[SL_MAP_DEPARTINGS] = "sl_departings", [SL_MAP_TRIPS] = "sl_trips",
	[SL_MAP_TRIP_HEADS] = "sl_trip_heads",
};

int sl_dp_fail(struct sl_dp *dp, int rc, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(dp->error, sizeof(dp->error), fmt, ap);
	va_end(ap);
	return rc;
}

/* Length of the kernel's tick: the resolution of its coarse clock. 0: not known. */
static uint64_t tick_ns(void)
{
	struct timespec res;

	if (clock_getres(CLOCK_MONOTONIC_COARSE, &res) || res.tv_sec)
		return 0;
	return res.tv_nsec;
}

void sl_dp_plan(const struct sl_dp_opts *o, struct sl_settings *s)
{
	const struct sl_fib_size *f = sl_fib_size_of(o->cfg->tables.size);
	int cpus = libbpf_num_possible_cpus();

	*s = (struct sl_settings){
		.n_cpus = o->replay || cpus < 1 ? 1 : cpus,
		.n_lanes = SL_MAX_LANES,
		.n_series = o->cfg->tables.series,
		.n_flow_sets = o->cfg->tables.flows / SL_FLOW_WAYS,
		.fib_lines = f->lines,
		.fib_buckets = f->buckets,
		.fib_nodes = f->nodes,
		.fib_leaves = f->leaves,
		.rule_rows = sl_abv_rows_of(o->cfg->tables.size),
		.replay = o->replay,
		.tick_ns = o->replay ? 0 : tick_ns(),
		.flow_idle_ns = o->cfg->flow_idle_ns,
		.stamp_max_ns = o->cfg->stamp_max_ns,
	};
	if (o->replay) {	/* fixed: the same capture, the same output */
		s->hash_key[0] = 0x736561706c616e65ULL;
		s->hash_key[1] = 0x7265706c61790a0aULL;
	}
}

/* How many elements each map needs by the settings; 0: as in the object. */
static uint32_t wanted_entries(const struct sl_settings *s,
			       enum sl_dp_map_id id)
{
	switch (id) {
	case SL_MAP_FIB4: return 2 * s->fib_lines;
	case SL_MAP_FIB_FLAGS: return 2 * SL_FIB4_FLAG_WORDS / SL_FIB_LINE;
	case SL_MAP_FIB_HOSTS: return 2 * s->fib_buckets;
	case SL_MAP_FIB6_ROOT: return 2 * SL_FIB6_ROOT_WORDS / SL_FIB_LINE;
	case SL_MAP_FIB6_NODES: return 2 * s->fib_nodes;
	case SL_MAP_FIB6_LEAVES: return 2 * s->fib_leaves / SL_FIB_LINE;
	case SL_MAP_CLASS_CTRS: return s->n_cpus * SL_MAX_CLASSES;
	case SL_MAP_FLOWS: return s->n_flow_sets;
	case SL_MAP_SERIES: return s->n_series;
	case SL_MAP_HISTS: return s->n_cpus * s->n_series;
	case SL_MAP_LANE_CTRS:
		return s->n_cpus * SL_MAX_PATHS * s->n_lanes;
	case SL_MAP_LANE_MISSES: case SL_MAP_LANE_TCPS:
	case SL_MAP_LANE_LOSTS:
		return s->n_cpus * s->n_lanes;
	case SL_MAP_PORT_CTRS: return s->n_cpus * SL_MAX_SLOTS;
	case SL_MAP_WORKS: case SL_MAP_DROP_BUDGETS:
	case SL_MAP_CHOOSERS: case SL_MAP_DEPARTINGS: case SL_MAP_TRIP_HEADS:
		return s->n_cpus;
	case SL_MAP_RULE_WORDS: return 2 * s->rule_rows * SL_RULE_ROW_LINES;
	case SL_MAP_RULE_AGGS: return 2 * s->rule_rows / 8;
	case SL_MAP_RULE_CTRS: return s->n_cpus * SL_RULE_SLOTS;
	case SL_MAP_SAMPLES: return s->n_cpus * SL_SAMPLES;
	case SL_MAP_TRIPS: return s->n_cpus * SL_TRIPS;
	default: return 0;
	}
}

int sl_dp_plan_entries(const struct sl_settings *set, const char *map,
		       uint32_t *n)
{
	int i;

	for (i = 0; i < SL_MAP_COUNT; i++) {
		if (strcmp(map_name[i], map))
			continue;
		*n = wanted_entries(set, i);
		return 0;
	}
	return -ENOENT;
}

/* Take over a pinned map when it is what we would create. */
static int adopt_map(struct sl_dp *dp, enum sl_dp_map_id id,
		     struct bpf_map *map)
{
	struct bpf_map_info info = {};
	__u32 len = sizeof(info);
	char path[320];
	int fd, rc;

	snprintf(path, sizeof(path), "%s/%s", dp->dir, map_name[id]);
	fd = bpf_obj_get(path);
	if (fd < 0)
		return fd == -ENOENT ? 0 : sl_dp_fail(dp, fd,
			"cannot open the pinned map %s: %s", path,
			strerror(-fd));
	rc = bpf_obj_get_info_by_fd(fd, &info, &len);
	if (!rc && (info.type != bpf_map__type(map) ||
		    info.value_size != bpf_map__value_size(map) ||
		    info.max_entries != bpf_map__max_entries(map)))
		rc = sl_dp_fail(dp, -EPROTO,
			"pinned map %s has %u entries of %u bytes, "
			"the configuration needs %u of %u", path,
			info.max_entries, info.value_size,
			bpf_map__max_entries(map), bpf_map__value_size(map));
	if (!rc)
		rc = bpf_map__reuse_fd(map, fd);
	close(fd);
	if (!rc) {
		dp->map[id].adopted = true;
		dp->adopted = true;
	}
	return rc;
}

static int prepare_maps(struct sl_dp *dp)
{
	int i, rc;

	for (i = 0; i < SL_MAP_COUNT; i++) {
		struct bpf_map *map = bpf_object__find_map_by_name(
			dp->skel->obj, map_name[i]);
		uint32_t n = wanted_entries(&dp->set, i);

		if (!map)
			return sl_dp_fail(dp, -EINVAL, "no map %s",
					  map_name[i]);
		if (n) {
			rc = bpf_map__set_max_entries(map, n);
			if (rc)
				return rc;
		}
		if (dp->dir[0] && i != SL_MAP_REPLAY) {
			rc = adopt_map(dp, i, map);
			if (rc)
				return rc;
		}
	}
	return 0;
}

static int map_memory(struct sl_dp *dp)
{
	int i;

	for (i = 0; i < SL_MAP_COUNT; i++) {
		struct bpf_map *map = bpf_object__find_map_by_name(
			dp->skel->obj, map_name[i]);
		struct sl_dp_map *m = &dp->map[i];

		m->name = map_name[i];
		m->fd = bpf_map__fd(map);
		m->value_b = bpf_map__value_size(map);
		m->stride = (m->value_b + 7) & ~7U;
		m->entries = bpf_map__max_entries(map);
		if (!(bpf_map__map_flags(map) & BPF_F_MMAPABLE))
			continue;
		m->mem = mmap(NULL, (size_t)m->stride * m->entries,
			      PROT_READ | PROT_WRITE, MAP_SHARED, m->fd, 0);
		if (m->mem == MAP_FAILED) {
			m->mem = NULL;
			return sl_dp_fail(dp, -errno, "cannot map %s: %s",
					  m->name, strerror(errno));
		}
	}
	return 0;
}

static int pin_maps(struct sl_dp *dp)
{
	char path[320];
	int i, rc;

	for (i = 0; i < SL_MAP_COUNT; i++) {
		if (i == SL_MAP_REPLAY || dp->map[i].adopted)
			continue;
		snprintf(path, sizeof(path), "%s/%s", dp->dir, map_name[i]);
		rc = bpf_obj_pin(dp->map[i].fd, path);
		if (rc)
			return sl_dp_fail(dp, rc, "cannot pin %s: %s", path,
					  strerror(-rc));
	}
	return 0;
}

/* The flow table's key: kept with an adopted table, random for a new one. */
static int choose_key(struct sl_dp *dp)
{
	char path[320];
	struct sl_ctl ctl = {};
	__u32 zero = 0;
	int fd;

	if (dp->set.replay)
		return 0;
	snprintf(path, sizeof(path), "%s/%s", dp->dir, map_name[SL_MAP_CTL]);
	fd = dp->dir[0] ? bpf_obj_get(path) : -ENOENT;
	if (fd >= 0) {
		bpf_map_lookup_elem(fd, &zero, &ctl);
		close(fd);
	}
	memcpy(dp->set.hash_key, ctl.hash_key, sizeof(ctl.hash_key));
	if (ctl.hash_key[0] | ctl.hash_key[1])
		return 0;
	if (getrandom(dp->set.hash_key, sizeof(dp->set.hash_key), 0) < 0)
		return sl_dp_fail(dp, -errno, "no random key: %s",
				  strerror(errno));
	return 0;
}

/* MemAvailable; 0: not known. */
static uint64_t memory_free_b(void)
{
	unsigned long long kb = 0;
	char line[128];
	FILE *f = fopen("/proc/meminfo", "re");

	while (f && !kb && fgets(line, sizeof(line), f))
		if (sscanf(line, "MemAvailable: %llu", &kb) != 1)
			kb = 0;
	if (f)
		fclose(f);
	return kb * 1024;
}

/* Refuse early what would not fit: the kernel would give half of it first. */
static int check_memory(struct sl_dp *dp)
{
	uint64_t need_b = 0, free_b = memory_free_b();
	struct bpf_map *map;
	int i;

	for (i = 0; i < SL_MAP_COUNT; i++) {
		map = bpf_object__find_map_by_name(dp->skel->obj, map_name[i]);
		if (!dp->map[i].adopted)
			need_b += (uint64_t)bpf_map__value_size(map) *
				  bpf_map__max_entries(map);
	}
	if (!free_b || need_b < free_b)
		return 0;
	return sl_dp_fail(dp, -ENOMEM, "the tables need %.0f MB and %.0f MB "
			  "are free; choose a smaller tables: size", need_b /
			  1e6, free_b / 1e6);
}

/* What the program finds beside its tables when it runs for the first time. */
static void fill_ctl(struct sl_dp *dp)
{
	sl_dp_ctl(dp)->abi = SL_ABI_VERSION;
	memcpy(sl_dp_ctl(dp)->hash_key, dp->set.hash_key,
	       sizeof(dp->set.hash_key));
}

static int load(struct sl_dp *dp, const struct sl_dp_opts *o)
{
	int rc;

	rc = sl_dp_open_skel(dp->set.kmod, &dp->skel);
	if (rc)
		return sl_dp_fail(dp, rc, "cannot open the BPF object");
	rc = choose_key(dp);
	if (rc)
		return rc;
	memcpy((void *)&dp->skel->rodata->sl_set, &dp->set, sizeof(dp->set));
	if (dp->set.replay) {	/* a capture does not pass through */
		bpf_program__set_autoload(dp->skel->progs.sealane_in, false);
		bpf_program__set_autoload(dp->skel->progs.sealane_out, false);
	}
	rc = prepare_maps(dp);
	if (!rc)
		rc = check_memory(dp);
	if (!rc && o->before_load)
		rc = o->before_load(dp->skel->obj, o->before_load_arg);
	if (rc)
		return rc;
	rc = sl_dp_load_skel(dp, dp->skel);
	if (rc)
		return rc;
	rc = map_memory(dp);
	if (rc)
		return rc;
	sl_dp_map_banks(dp);
	fill_ctl(dp);
	return dp->dir[0] ? pin_maps(dp) : 0;
}

static int make_pin_dir(struct sl_dp *dp, const char *base)
{
	char other[300];
	int v;

	for (v = 0; v < 64; v++) {
		snprintf(other, sizeof(other), "%s/v%d", base, v);
		if (v != SL_ABI_VERSION && !access(other, F_OK))
			return sl_dp_fail(dp, -EPROTO,
				"%s holds the pins of another version "
				"(ABI %d, ours is %d)", other, v,
				SL_ABI_VERSION);
	}
	snprintf(dp->dir, sizeof(dp->dir), "%s/v%d", base, SL_ABI_VERSION);
	if (mkdir(dp->dir, 0700) && errno != EEXIST)
		return sl_dp_fail(dp, -errno, "cannot make %s: %s", dp->dir,
				  strerror(errno));
	return 0;
}

int sl_dp_open(const struct sl_dp_opts *opts, struct sl_dp **out)
{
	struct sl_dp *dp = calloc(1, sizeof(*dp));
	libbpf_print_fn_t before;
	int rc = 0;

	*out = dp;
	if (!dp)
		return -ENOMEM;
	sl_dp_plan(opts, &dp->set);
	before = libbpf_set_print(NULL);
	if (opts->pin_dir)
		rc = make_pin_dir(dp, opts->pin_dir);
	if (!rc)
		rc = load(dp, opts);
	libbpf_set_print(before);
	return rc;
}

void sl_dp_close(struct sl_dp *dp)
{
	int i;

	if (!dp)
		return;
	sl_dp_drops_close(dp);
	for (i = 0; i < SL_MAP_COUNT; i++)
		if (dp->map[i].mem)
			munmap(dp->map[i].mem, (size_t)dp->map[i].stride *
			       dp->map[i].entries);
	if (dp->skel)
		sealane_bpf__destroy(dp->skel);
	free(dp);
}

void sl_dp_test_reset(struct sl_dp *dp)
{
	int i;

	for (i = 0; i < SL_MAP_COUNT; i++)
		if (dp->map[i].mem)
			memset(dp->map[i].mem, 0, (size_t)dp->map[i].stride *
			       dp->map[i].entries);
	dp->left = 0;
	fill_ctl(dp);
}

enum sl_dp_origin sl_dp_origin(const struct sl_dp *dp)
{
	return dp->adopted ? SL_DP_ADOPTED : SL_DP_FRESH;
}

const char *sl_dp_error(const struct sl_dp *dp)
{
	return dp ? dp->error : "out of memory";
}

const struct sl_settings *sl_dp_settings(const struct sl_dp *dp)
{
	return &dp->set;
}

int sl_dp_prog_fd(const struct sl_dp *dp)
{
	return bpf_program__fd(dp->skel->progs.sealane);
}

int sl_dp_map_fd(const struct sl_dp *dp, const char *name)
{
	int i;

	for (i = 0; i < SL_MAP_COUNT; i++)
		if (!strcmp(dp->map[i].name, name))
			return dp->map[i].fd;
	return -1;
}

uint64_t sl_dp_map_bytes(const struct sl_dp *dp)
{
	uint64_t sum = 0;
	int i;

	for (i = 0; i < SL_MAP_COUNT; i++)
		sum += (uint64_t)dp->map[i].stride * dp->map[i].entries;
	return sum + dp->map[SL_MAP_DROPS].entries;	/* a ring's are bytes */
}
