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
#include "datapath_priv.h"
#include "duration.h"
#include <sealane/hist.h>

/* Element i of a bank of a map. */
static void *bank_at(const struct sl_dp *dp, enum sl_dp_map_id id, int bank)
{
	return sl_dp_at(dp, id, bank * (dp->map[id].entries / 2));
}

void sl_dp_map_banks(struct sl_dp *dp)
{
	struct sl_fib_image *img;
	int b;

	for (b = 0; b < 2; b++) {
		img = &dp->bank[b];
		img->room = (struct sl_fib_size){
			.lines = dp->set.fib_lines,
			.buckets = dp->set.fib_buckets,
			.nodes = dp->set.fib_nodes,
			.leaves = dp->set.fib_leaves };
		img->key = dp->set.hash_key[1];
		img->line4 = bank_at(dp, SL_MAP_FIB4, b);
		img->flag4 = bank_at(dp, SL_MAP_FIB_FLAGS, b);
		img->bucket = bank_at(dp, SL_MAP_FIB_HOSTS, b);
		img->root6 = bank_at(dp, SL_MAP_FIB6_ROOT, b);
		img->node = bank_at(dp, SL_MAP_FIB6_NODES, b);
		img->leaf = bank_at(dp, SL_MAP_FIB6_LEAVES, b);
		dp->rules[b] = (struct sl_abv_image){
			.room = dp->set.rule_rows,
			.words = bank_at(dp, SL_MAP_RULE_WORDS, b),
			.agg = bank_at(dp, SL_MAP_RULE_AGGS, b),
			.dim = bank_at(dp, SL_MAP_RULE_DIMS, b),
			.act = bank_at(dp, SL_MAP_ACTS, b),
			.compound = bank_at(dp, SL_MAP_COMPOUNDS, b) };
	}
}

/* Wait until no packet uses the bank that the last flip left. The global
 * membarrier command waits for an RCU grace period, and XDP programs run
 * inside one; where it is refused, 20 ms are far more than any packet takes. */
static void grace(void)
{
	if (syscall(__NR_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0))
		usleep(20000);
}

struct sl_fib_image *sl_dp_idle(struct sl_dp *dp)
{
	uint64_t epoch = sl_dp_epoch(dp);

	/* once for a flip: a busy CPU makes it last 100 ms and more */
	if (dp->left != epoch + 1)
		grace();
	dp->left = epoch + 1;
	sl_dp_outdate_image(dp, epoch + 1);
	return &dp->bank[(epoch + 1) & 1];
}

struct sl_fib_image *sl_dp_live(struct sl_dp *dp)
{
	return &dp->bank[sl_dp_epoch(dp) & 1];
}

struct sl_fib_image *sl_dp_other(struct sl_dp *dp)
{
	return &dp->bank[(sl_dp_epoch(dp) + 1) & 1];
}

void sl_dp_flip(struct sl_dp *dp)
{
	struct sl_ctl *ctl = sl_dp_ctl(dp);

	__atomic_store_n(&ctl->epoch, ctl->epoch + 1, __ATOMIC_RELEASE);
}

const struct sl_abv_image *sl_dp_idle_rules(struct sl_dp *dp)
{
	return &dp->rules[(sl_dp_epoch(dp) + 1) & 1];
}

void sl_dp_set_rules(struct sl_dp *dp, uint32_t head)
{
	sl_dp_ctl(dp)->rules[(sl_dp_epoch(dp) + 1) & 1] = head;
}

void sl_dp_flip_until(struct sl_dp *dp, uint64_t until_ns)
{
	struct sl_ctl *ctl = sl_dp_ctl(dp);

	ctl->confirm_ns = until_ns;
	__atomic_store_n(&ctl->confirm_epoch, ctl->epoch + 1,
			 __ATOMIC_RELEASE);
	sl_dp_flip(dp);
}

void sl_dp_confirm(struct sl_dp *dp)
{
	__atomic_store_n(&sl_dp_ctl(dp)->confirm_epoch, 0, __ATOMIC_RELEASE);
}

bool sl_dp_pending(const struct sl_dp *dp, uint64_t *until_ns)
{
	const struct sl_ctl *ctl = sl_dp_ctl(dp);

	*until_ns = ctl->confirm_ns;
	return ctl->epoch && ctl->confirm_epoch == ctl->epoch;
}

int sl_dp_commit(struct sl_dp *dp, struct sl_rib_pair p)
{
	struct sl_fib_image *img = sl_dp_idle(dp);
	struct sl_prefix bad;
	char text[SL_PREFIX_STR_B];
	int rc = sl_fib_build(img, p, NULL);

	if (!rc)
		rc = sl_fib_verify(img, p, &bad, NULL);
	if (!rc) {
		sl_dp_set_rules(dp, p.abv ? sl_abv_head(p.abv) : 0);
		sl_dp_flip(dp);
	} else if (rc == -E2BIG)
		sl_dp_fail(dp, rc, "the prefix tables would need %u lines, %u "
			   "hosts, %u nodes; there is room for %u, %u, %u",
			   img->lines, img->hosts, img->nodes,
			   img->room.lines, img->room.buckets *
			   SL_FIB_BUCKET_HOSTS, img->room.nodes);
	else if (rc == -EBADMSG)
		sl_dp_fail(dp, rc, "the new table is wrong at %s; the old one "
			   "stays", sl_prefix_str(&bad, text));
	else
		sl_dp_fail(dp, rc, "prefix tables: %s", strerror(-rc));
	return rc;
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

void sl_dp_get_class(const struct sl_dp *dp, uint32_t class_id,
		     struct sl_class *out)
{
	*out = *(struct sl_class *)sl_dp_at(dp, SL_MAP_CLASSES,
					    class_id & (SL_MAX_CLASSES - 1));
}

void sl_dp_clear_class(struct sl_dp *dp, uint32_t class_id)
{
	uint32_t cpu;

	for (cpu = 0; cpu < dp->set.n_cpus; cpu++)
		memset(sl_dp_at(dp, SL_MAP_CLASS_CTRS,
				cpu * SL_MAX_CLASSES + class_id), 0,
		       sizeof(struct sl_class_ctr));
}

void sl_dp_tick(struct sl_dp *dp)
{
	__atomic_store_n(&sl_dp_ctl(dp)->tick_ns, sl_mono_ns(),
			 __ATOMIC_RELAXED);
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

uint32_t sl_dp_lookup(struct sl_dp *dp, int family, const uint8_t *addr)
{
	return sl_fib_lookup(sl_dp_live(dp), family, addr);
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

void sl_dp_read_tcp(const struct sl_dp *dp, uint32_t lane,
		    struct sl_lane_tcp *out)
{
	sum_rows(dp, SL_MAP_LANE_TCPS, dp->set.n_lanes, lane,
		 (uint64_t *)out, sizeof(*out) / 8);
}

void sl_dp_read_lost(const struct sl_dp *dp, uint32_t lane,
		     struct sl_lane_lost *out)
{
	sum_rows(dp, SL_MAP_LANE_LOSTS, dp->set.n_lanes, lane,
		 (uint64_t *)out, sizeof(*out) / 8);
}

bool sl_dp_read_recent(const struct sl_dp *dp, int family, const uint8_t *addr,
		       struct sl_recent *out)
{
	uint8_t mapped[16] = { [10] = 0xff, [11] = 0xff };
	uint64_t hi, lo;

	if (family == 4)
		memcpy(mapped + 12, addr, 4);
	else
		memcpy(mapped, addr, 16);
	memcpy(&hi, mapped, 8);
	memcpy(&lo, mapped + 8, 8);
	memcpy(out, sl_dp_at(dp, SL_MAP_RECENTS, sl_recent_slot(hi, lo,
	       dp->set.hash_key[0])), sizeof(*out));
	return !memcmp(out->addr, mapped, sizeof(mapped));
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

void sl_dp_read_rule(const struct sl_dp *dp, uint32_t slot,
		     struct sl_rule_ctr *out)
{
	uint32_t cpu;

	memset(out, 0, sizeof(*out));
	for (cpu = 0; cpu < dp->set.n_cpus; cpu++) {
		const struct sl_rule_ctr *row = sl_dp_at(
			dp, SL_MAP_RULE_CTRS, cpu * SL_RULE_SLOTS + slot);

		out->packets += row->packets;
		out->bytes += row->bytes;
		out->over += row->over;
		if (row->last_ns > out->last_ns)
			out->last_ns = row->last_ns;
	}
}

void sl_dp_clear_rule(struct sl_dp *dp, uint32_t slot)
{
	uint32_t cpu;

	for (cpu = 0; cpu < dp->set.n_cpus; cpu++)
		memset(sl_dp_at(dp, SL_MAP_RULE_CTRS,
				cpu * SL_RULE_SLOTS + slot), 0,
		       sizeof(struct sl_rule_ctr));
	memset(sl_dp_at(dp, SL_MAP_LIMITS, slot), 0, sizeof(struct sl_limit));
}

struct sl_compound sl_dp_class_of(const struct sl_dp *dp, uint32_t entry)
{
	uint32_t id = SL_ENTRY_CLASS(entry);

	if (id < SL_MAX_CLASSES)
		return (struct sl_compound){ id, SL_ROW_SRC, SL_ROW_DST };
	return dp->rules[sl_dp_epoch(dp) & 1].compound[id - SL_MAX_CLASSES];
}

/* Of each set whose number is a multiple of `every`. */
static void flow_usage(const struct sl_dp *dp, uint32_t every, uint32_t *used,
		       uint32_t *confirmed)
{
	uint32_t i;
	int w;

	*used = *confirmed = 0;
	for (i = 0; i < dp->set.n_flow_sets; i += every) {
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

void sl_dp_flow_usage(const struct sl_dp *dp, uint32_t *used,
		      uint32_t *confirmed)
{
	flow_usage(dp, 1, used, confirmed);
}

void sl_dp_flow_estimate(const struct sl_dp *dp, uint32_t sets, uint32_t *used,
			 uint32_t *confirmed)
{
	uint32_t every = dp->set.n_flow_sets / sets;

	/* keyed hashes fill all sets alike */
	every = every ? every : 1;
	flow_usage(dp, every, used, confirmed);
	*used *= every;
	*confirmed *= every;
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
