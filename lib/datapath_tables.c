// SPDX-License-Identifier: GPL-2.0
/* Write the data plane's tables and read its counters, all through mapped
 * memory: no system call, and nothing that a crash could leave half done but
 * the idle bank. */
#include <errno.h>
#include <linux/membarrier.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <sealane/fib.h>
#include "datapath_priv.h"

/* The live bank, in mapped memory. */
struct sl_fib_view {
	const struct sl_dp *dp;
	uint32_t bank;
};

/* Where a bank's word lies in a map of packed lines. */
static uint32_t *line_word(const struct sl_dp *dp, enum sl_dp_map_id id,
			   uint32_t bank, uint32_t i)
{
	const struct sl_dp_map *m = &dp->map[id];
	uint32_t words = m->entries / 2 * SL_FIB_LINE;

	return i < words ? (uint32_t *)m->mem + (size_t)bank * words + i : NULL;
}

/* Element i of a bank. */
static void *bank_at(const struct sl_dp *dp, enum sl_dp_map_id id,
		     uint32_t bank, uint32_t i)
{
	uint32_t half = dp->map[id].entries / 2;

	return i < half ? sl_dp_at(dp, id, bank * half + i) : NULL;
}

SL_INLINE const __u32 *sl_fib_word4(const struct sl_fib_view *v, __u32 i)
{
	return line_word(v->dp, SL_MAP_FIB4, v->bank, i);
}

SL_INLINE const struct sl_fib_bucket *
sl_fib_bucket(const struct sl_fib_view *v, __u32 i)
{
	return bank_at(v->dp, SL_MAP_FIB_HOSTS, v->bank, i);
}

SL_INLINE const __u32 *sl_fib_root6(const struct sl_fib_view *v, __u32 i)
{
	return line_word(v->dp, SL_MAP_FIB6_ROOT, v->bank, i);
}

SL_INLINE const struct sl_fib_node *
sl_fib_node(const struct sl_fib_view *v, __u32 i)
{
	return bank_at(v->dp, SL_MAP_FIB6_NODES, v->bank, i);
}

SL_INLINE const __u32 *sl_fib_leaf6(const struct sl_fib_view *v, __u32 i)
{
	return line_word(v->dp, SL_MAP_FIB6_LEAVES, v->bank, i);
}

/* Wait until no packet uses the bank that the last flip left. The global
 * membarrier command waits for an RCU grace period, and XDP programs run
 * inside one; where it is refused, 20 ms are far more than any packet takes. */
static void grace(void)
{
	if (syscall(__NR_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0))
		usleep(20000);
}

int sl_dp_compile(struct sl_dp *dp, struct sl_fibc *c,
		  struct sl_fib_image *img)
{
	const struct sl_fib_size size = {
		.groups = dp->set.fib_groups, .buckets = dp->set.fib_buckets,
		.nodes = dp->set.fib_nodes, .leaves = dp->set.fib_leaves };

	return sl_fibc_compile(c, &size, dp->set.hash_key[1], img);
}

static void copy_image(struct sl_dp *dp, uint32_t bank,
		       const struct sl_fib_image *img)
{
	memcpy(line_word(dp, SL_MAP_FIB4, bank, 0), img->word4,
	       (size_t)img->groups * SL_FIB_GROUP * sizeof(*img->word4));
	memcpy(bank_at(dp, SL_MAP_FIB_HOSTS, bank, 0), img->bucket,
	       img->buckets * sizeof(*img->bucket));
	memcpy(line_word(dp, SL_MAP_FIB6_ROOT, bank, 0), img->root6,
	       SL_FIB6_ROOT_WORDS * sizeof(*img->root6));
	if (img->nodes)
		memcpy(bank_at(dp, SL_MAP_FIB6_NODES, bank, 0), img->node,
		       img->nodes * sizeof(*img->node));
	if (img->leaves)
		memcpy(line_word(dp, SL_MAP_FIB6_LEAVES, bank, 0), img->leaf,
		       img->leaves * sizeof(*img->leaf));
}

int sl_dp_commit(struct sl_dp *dp, const struct sl_fib_image *img)
{
	struct sl_ctl *ctl = sl_dp_ctl(dp);
	uint64_t epoch = ctl->epoch;
	uint32_t bank = (epoch + 1) & 1;

	if (img->groups > dp->set.fib_groups ||
	    img->buckets != dp->set.fib_buckets ||
	    img->nodes > dp->set.fib_nodes ||
	    img->leaves > dp->set.fib_leaves)
		return sl_dp_fail(dp, -E2BIG, "the image was compiled for "
				  "another size");
	grace();
	copy_image(dp, bank, img);
	ctl->used4[bank] = img->groups;
	ctl->used6[bank] = img->nodes;
	ctl->used_hosts[bank] = img->hosts;
	__atomic_store_n(&ctl->epoch, epoch + 1, __ATOMIC_RELEASE);
	return 0;
}

void sl_dp_fib_usage(const struct sl_dp *dp, uint32_t *groups, uint32_t *hosts,
		     uint32_t *nodes)
{
	const struct sl_ctl *ctl = sl_dp_ctl(dp);
	uint32_t bank = sl_dp_epoch(dp) & 1;

	*groups = ctl->used4[bank];
	*hosts = ctl->used_hosts[bank];
	*nodes = ctl->used6[bank];
}

uint64_t sl_dp_epoch(const struct sl_dp *dp)
{
	return __atomic_load_n(&sl_dp_ctl(dp)->epoch, __ATOMIC_ACQUIRE);
}

int sl_dp_set_class(struct sl_dp *dp, uint32_t class_id,
		    const struct sl_class *cls)
{
	if (!class_id || class_id >= SL_MAX_CLASSES)
		return sl_dp_fail(dp, -E2BIG, "no rule class %u: the limit "
				  "is %d", class_id, SL_MAX_CLASSES - 1);
	*(struct sl_class *)sl_dp_at(dp, SL_MAP_CLASSES, class_id) = *cls;
	__atomic_thread_fence(__ATOMIC_RELEASE);
	return 0;
}

void sl_dp_clear_class(struct sl_dp *dp, uint32_t class_id)
{
	uint32_t cpu;

	for (cpu = 0; cpu < dp->set.n_cpus; cpu++)
		memset(sl_dp_at(dp, SL_MAP_CLASS_CTRS,
				cpu * SL_MAX_CLASSES + class_id), 0,
		       sizeof(struct sl_class_ctr));
}

int sl_dp_set_bypass(struct sl_dp *dp, bool on)
{
	__atomic_store_n(&sl_dp_ctl(dp)->bypass, on, __ATOMIC_RELEASE);
	return 0;
}

bool sl_dp_bypass(const struct sl_dp *dp)
{
	return __atomic_load_n(&sl_dp_ctl(dp)->bypass, __ATOMIC_ACQUIRE);
}

static uint64_t word(const uint8_t *b)
{
	uint64_t w;

	memcpy(&w, b, sizeof(w));
	return __builtin_bswap64(w);
}

uint32_t sl_dp_lookup(const struct sl_dp *dp, int family, const uint8_t *addr)
{
	struct sl_fib_view v = { .dp = dp, .bank = sl_dp_epoch(dp) & 1 };

	if (family == 4)
		return sl_fib_lookup4(&v, word(addr) >> 32,
				      dp->set.hash_key[1],
				      dp->set.fib_buckets - 1);
	return sl_fib_lookup6(&v, word(addr), word(addr + 8));
}

/* Sum n_u64 counters of element `i` over the CPU rows. */
static void sum_rows(const struct sl_dp *dp, enum sl_dp_map_id id,
		     uint32_t rows, uint32_t i, uint64_t *out, int n_u64)
{
	uint32_t cpu;
	int k;

	memset(out, 0, n_u64 * sizeof(*out));
	for (cpu = 0; cpu < dp->set.n_cpus; cpu++) {
		const uint64_t *row = sl_dp_at(dp, id, cpu * rows + i);

		for (k = 0; k < n_u64; k++)
			out[k] += __atomic_load_n(&row[k], __ATOMIC_RELAXED);
	}
}

void sl_dp_read_port(const struct sl_dp *dp, uint32_t slot,
		     struct sl_port_ctr *out)
{
	sum_rows(dp, SL_MAP_PORT_CTRS, SL_MAX_SLOTS, slot, (uint64_t *)out,
		 sizeof(*out) / 8);
}

void sl_dp_read_lane(const struct sl_dp *dp, uint32_t path, uint32_t lane,
		     struct sl_lane_ctr *out)
{
	sum_rows(dp, SL_MAP_LANE_CTRS, SL_MAX_PATHS * dp->set.n_lanes,
		 path * dp->set.n_lanes + lane, (uint64_t *)out,
		 sizeof(*out) / 8);
}

void sl_dp_read_miss(const struct sl_dp *dp, uint32_t lane,
		     struct sl_lane_miss *out)
{
	sum_rows(dp, SL_MAP_LANE_MISSES, dp->set.n_lanes, lane,
		 (uint64_t *)out, sizeof(*out) / 8);
}

void sl_dp_read_class(const struct sl_dp *dp, uint32_t class_id,
		      struct sl_class_ctr *out)
{
	uint32_t cpu;

	memset(out, 0, sizeof(*out));
	for (cpu = 0; cpu < dp->set.n_cpus; cpu++) {
		const struct sl_class_ctr *row = sl_dp_at(
			dp, SL_MAP_CLASS_CTRS, cpu * SL_MAX_CLASSES + class_id);

		out->packets += row->packets;
		out->bytes += row->bytes;
		if (row->last_ns > out->last_ns)
			out->last_ns = row->last_ns;
	}
}

uint64_t sl_dp_series_key(const struct sl_dp *dp, uint32_t slot)
{
	const uint64_t *key = sl_dp_at(dp, SL_MAP_SERIES, slot);

	return __atomic_load_n(key, __ATOMIC_ACQUIRE);
}

/* Add one CPU's row of a series; extremes as given. */
static void add_row(struct sl_hist *out, const struct sl_hist *row,
		    uint64_t min_ns, uint64_t max_ns)
{
	int b;

	out->count += row->count;
	out->sum_ns += row->sum_ns;
	out->zero += row->zero;
	out->overflow += row->overflow;
	for (b = 0; b < SL_HIST_BUCKETS; b++)
		out->bucket[b] += row->bucket[b];
	if (min_ns && (!out->min_ns || min_ns < out->min_ns))
		out->min_ns = min_ns;
	if (max_ns > out->max_ns)
		out->max_ns = max_ns;
}

bool sl_dp_read_series(struct sl_dp *dp, uint32_t slot, struct sl_hist *out)
{
	struct sl_hist *row;
	bool dirty = false;
	uint64_t lo, hi;
	uint32_t cpu;

	if (!sl_dp_series_key(dp, slot))
		return false;
	for (cpu = 0; cpu < dp->set.n_cpus; cpu++) {
		row = sl_dp_at(dp, SL_MAP_HISTS, cpu * dp->set.n_series + slot);
		dirty |= __atomic_load_n(&row->dirty, __ATOMIC_RELAXED) != 0;
	}
	if (!dirty)
		return false;
	memset(out, 0, sizeof(*out));
	for (cpu = 0; cpu < dp->set.n_cpus; cpu++) {
		row = sl_dp_at(dp, SL_MAP_HISTS, cpu * dp->set.n_series + slot);
		/* cleared before it is read: a late sample marks it again */
		__atomic_store_n(&row->dirty, 0, __ATOMIC_SEQ_CST);
		lo = __atomic_exchange_n(&row->min_ns, 0, __ATOMIC_RELAXED);
		hi = __atomic_exchange_n(&row->max_ns, 0, __ATOMIC_RELAXED);
		add_row(out, row, lo, hi);
	}
	return true;
}

void sl_dp_peek_series(const struct sl_dp *dp, uint32_t slot,
		       struct sl_hist *out)
{
	uint32_t cpu;

	memset(out, 0, sizeof(*out));
	for (cpu = 0; cpu < dp->set.n_cpus; cpu++) {
		const struct sl_hist *row = sl_dp_at(
			dp, SL_MAP_HISTS, cpu * dp->set.n_series + slot);

		add_row(out, row, row->min_ns, row->max_ns);
	}
}

void sl_dp_flow_usage(const struct sl_dp *dp, uint32_t *used,
		      uint32_t *confirmed)
{
	uint32_t i;
	int w;

	*used = *confirmed = 0;
	for (i = 0; i < dp->set.n_flow_sets; i++) {
		const struct sl_flow_set *set = sl_dp_at(dp, SL_MAP_FLOWS, i);

		for (w = 0; w < SL_FLOW_WAYS; w++) {
			const struct sl_flow *f = &set->way[w];

			if (!f->fp)
				continue;
			++*used;
			*confirmed += (f->state & SL_FLOW_CONFIRMED) ==
				      SL_FLOW_CONFIRMED;
		}
	}
}

struct sl_replay *sl_dp_replay(struct sl_dp *dp)
{
	return sl_dp_at(dp, SL_MAP_REPLAY, 0);
}

int sl_dp_run(struct sl_dp *dp, const void *frame, uint32_t len_b,
	      uint32_t *verdict)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame,
		    .data_size_in = len_b, .repeat = 1);
	int rc = bpf_prog_test_run_opts(sl_dp_prog_fd(dp), &opts);

	if (rc)
		return sl_dp_fail(dp, rc, "test run: %s", strerror(-rc));
	*verdict = opts.retval;
	return 0;
}
