// SPDX-License-Identifier: GPL-2.0
/* Latency series of the data plane: whole, or what they grew by. */
#include <string.h>
#include <sealane/hist.h>
#include "datapath_priv.h"
#include "hist.h"

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

/* Rows of the CPUs on which the series was ever measured. */
static uint32_t rows_of(const struct sl_dp *dp, uint32_t slot,
			struct sl_hist **row)
{
	uint32_t cpu, n = 0;

	for (cpu = 0; cpu < dp->set.n_cpus; cpu++) {
		row[n] = sl_dp_at(dp, SL_MAP_HISTS,
				  cpu * dp->set.n_series + slot);
		n += __atomic_load_n(&row[n]->count, __ATOMIC_RELAXED) != 0;
	}
	return n;
}

/* The buckets of one cache line, summed: those that differ from the base. */
static void grown_line(struct sl_hist *const *row, uint32_t n_rows, uint32_t b,
		       struct sl_hist *base, struct sl_hist_sparse *out)
{
	uint32_t sum[16], differ = 0, k, r;

	memcpy(sum, row[0]->bucket + b, sizeof(sum));
	for (r = 1; r < n_rows; r++)
		for (k = 0; k < 16; k++)
			sum[k] += row[r]->bucket[b + k];
	for (k = 0; k < 16; k++)
		differ |= sum[k] ^ base->bucket[b + k];
	for (k = 0; differ && k < 16; k++) {
		if (sum[k] == base->bucket[b + k])
			continue;
		out->pair[out->n].bucket = b + k;
		out->pair[out->n++].n = sum[k] - base->bucket[b + k];
		base->bucket[b + k] = sum[k];
	}
}

/* What a row has besides its buckets. */
struct totals {
	uint64_t count, sum_ns, zero, overflow;
};

bool sl_dp_grown_series(struct sl_dp *dp, uint32_t slot, bool unmarked,
			struct sl_hist *base, struct sl_hist_sparse *out)
{
	struct sl_hist *row[dp->set.n_cpus];
	uint32_t n = rows_of(dp, slot, row), r, b;
	uint64_t lo, hi, dirty = unmarked;
	struct totals sum = {};

	for (r = 0; r < n; r++)
		dirty |= __atomic_load_n(&row[r]->dirty, __ATOMIC_RELAXED);
	if (!dirty || !n)
		return false;
	memset(out, 0, offsetof(struct sl_hist_sparse, pair));
	for (r = 0; r < n; r++) {
		/* cleared before it is read: a late sample marks it again */
		__atomic_store_n(&row[r]->dirty, 0, __ATOMIC_SEQ_CST);
		lo = __atomic_exchange_n(&row[r]->min_ns, 0, __ATOMIC_RELAXED);
		hi = __atomic_exchange_n(&row[r]->max_ns, 0, __ATOMIC_RELAXED);
		if (lo && (!out->min_ns || lo < out->min_ns))
			out->min_ns = lo;
		if (hi > out->max_ns)
			out->max_ns = hi;
		sum.count += row[r]->count;
		sum.sum_ns += row[r]->sum_ns;
		sum.zero += row[r]->zero;
		sum.overflow += row[r]->overflow;
	}
	for (b = 0; b < SL_HIST_BUCKETS; b += 16)
		grown_line(row, n, b, base, out);
	out->count = sum.count - base->count;
	out->sum_ns = sum.sum_ns - base->sum_ns;
	out->zero = sum.zero - base->zero;
	out->overflow = sum.overflow - base->overflow;
	base->count = sum.count;
	base->sum_ns = sum.sum_ns;
	base->zero = sum.zero;
	base->overflow = sum.overflow;
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

void sl_dp_test_sample(struct sl_dp *dp, uint32_t slot, uint32_t lane,
		       uint32_t method, uint64_t rtt_ns)
{
	struct sl_hist *h = sl_dp_at(dp, SL_MAP_HISTS, slot);
	uint64_t *key = sl_dp_at(dp, SL_MAP_SERIES, slot);
	int b = sl_hist_bucket(rtt_ns);

	if (!*key)
		*key = SL_SERIES_KEY(lane, 0, method, SL_HALF_FAR);
	if (b < 0 || b >= SL_HIST_BUCKETS)
		return;
	h->bucket[b]++;
	h->count++;
	h->sum_ns += rtt_ns;
	h->dirty = 1;
}
