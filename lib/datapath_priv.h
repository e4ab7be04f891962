/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of the data-plane object share; nobody else includes this. */
#ifndef SL_DATAPATH_PRIV_H
#define SL_DATAPATH_PRIV_H

#include "datapath.h"

struct sealane_bpf;

/* One map of the object: its descriptor and, where it is mmapable, its
 * memory. `stride` is the distance of two elements. */
struct sl_dp_map {
	const char *name;
	int fd;
	uint32_t value_b, stride, entries;
	bool adopted;
	uint8_t *mem;		/* NULL: not mmapable */
};

enum sl_dp_map_id {
	SL_MAP_CTL, SL_MAP_REPLAY, SL_MAP_FIB4, SL_MAP_FIB_FLAGS,
	SL_MAP_FIB_HOSTS,
	SL_MAP_FIB6_ROOT, SL_MAP_FIB6_NODES, SL_MAP_FIB6_LEAVES, SL_MAP_PORTS,
	SL_MAP_VLANS, SL_MAP_CLASSES, SL_MAP_CLASS_CTRS, SL_MAP_FLOWS,
	SL_MAP_SERIES, SL_MAP_HISTS, SL_MAP_LANE_CTRS, SL_MAP_LANE_MISSES,
	SL_MAP_LANE_TCPS, SL_MAP_LANE_LOSTS, SL_MAP_RECENTS, SL_MAP_PORT_CTRS,
	SL_MAP_WORKS, SL_MAP_COMPOUNDS, SL_MAP_RULE_WORDS, SL_MAP_RULE_AGGS,
	SL_MAP_RULE_DIMS, SL_MAP_ACTS, SL_MAP_RULE_CTRS, SL_MAP_LIMITS,
	SL_MAP_LIMIT_SETS, SL_MAP_SAMPLES, SL_MAP_DROPS,
	SL_MAP_DROP_BUDGETS, SL_MAP_TRANSITS, SL_MAP_CHOOSERS,
	SL_MAP_DEPARTINGS, SL_MAP_TRIPS, SL_MAP_TRIP_HEADS, SL_MAP_COUNT,
};

struct sl_dp {
	struct sealane_bpf *skel;
	struct sl_dp_map map[SL_MAP_COUNT];
	struct sl_settings set;
	struct sl_fib_image bank[2];	/* views of the mapped tables */
	struct sl_abv_image rules[2];
	uint32_t version[2];	/* of a bank's tables, for who copies them */
	uint64_t left;		/* epoch + 1 up to which packets have left the
				 * bank before */
	struct sl_dp_drops *drops;	/* NULL: nobody reads them */
	char dir[256];		/* of the pins, with the ABI; "": none */
	char error[256];
	bool adopted;
};

/* Point the banks at the mapped memory. */
void sl_dp_map_banks(struct sl_dp *dp);

/* Open the object so that it calls these functions of the module (SL_KMOD_*). */
int sl_dp_open_skel(uint32_t functions, struct sealane_bpf **out);
/* Let the kernel check and take an object, opened and sized. */
int sl_dp_load_skel(struct sl_dp *dp, struct sealane_bpf *skel);

/* Say what failed; returns rc, so that callers can return it. */
int sl_dp_fail(struct sl_dp *dp, int rc, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Element i of a mapped map. */
static inline void *sl_dp_at(const struct sl_dp *dp, enum sl_dp_map_id id,
			     uint32_t i)
{
	return dp->map[id].mem + (size_t)i * dp->map[id].stride;
}

static inline struct sl_ctl *sl_dp_ctl(const struct sl_dp *dp)
{
	return sl_dp_at(dp, SL_MAP_CTL, 0);
}

#endif
