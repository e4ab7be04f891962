// SPDX-License-Identifier: GPL-2.0
/* Full tables: lengths as in the global routing table, addresses random. */
#include <stdio.h>
#include <string.h>
#include "bench.h"

uint64_t bench_random(struct bench *b)
{
	b->rng ^= b->rng << 13;
	b->rng ^= b->rng >> 7;
	b->rng ^= b->rng << 17;
	return b->rng;
}

/* 1.0.0.0 to 191.255.255.255. */
static uint32_t random4(struct bench *b)
{
	return ((1 + bench_random(b) % 191) << 24) |
	       (bench_random(b) & 0xffffff);
}

static unsigned int random_len4(struct bench *b)
{
	unsigned int r = bench_random(b) % 100;

	return r < 60 ? 24 : r < 70 ? 23 : r < 82 ? 22 : r < 88 ? 20 :
	       r < 94 ? 19 : r < 98 ? 16 : 17 + bench_random(b) % 15;
}

static void make_prefixes(struct bench *b)
{
	unsigned int len;
	uint64_t hi;

	while (b->prefixes.n4 < PREFIXES4) {
		while (b->prefixes.n4 < PREFIXES4) {
			len = random_len4(b);
			sl_pset_add4(&b->prefixes, random4(b) &
				     ~(len == 32 ? 0 : ~0U >> len), len);
		}
		sl_pset_finish(&b->prefixes);
	}
	while (b->hosts.n4 < HOSTS4) {
		while (b->hosts.n4 < HOSTS4)
			sl_pset_add4(&b->hosts, random4(b), 32);
		sl_pset_finish(&b->hosts);
	}
	while (b->prefixes6.n6 < PREFIXES6) {
		struct sl_prefix p = { .family = 6 };

		len = bench_random(b) % 10;
		p.len = len < 5 ? 48 : len < 8 ? 32 + bench_random(b) % 13 :
			32;
		hi = 0x2000000000000000ULL | (bench_random(b) >> 6 &
		     0x0fffffffffffffffULL);
		hi &= ~0ULL << (64 - p.len);
		hi = __builtin_bswap64(hi);
		memcpy(p.addr, &hi, 8);
		sl_pset_add(&b->prefixes6, &p);
		if (b->prefixes6.n6 == PREFIXES6)
			sl_pset_finish(&b->prefixes6);
	}
}

static void add_lanes(struct sl_rib *rib, const struct sl_pset *set)
{
	struct sl_prefix p;
	size_t i;

	for (i = 0; i < set->n4 + set->n6; i++) {
		sl_pset_get(set, i, &p);
		sl_rib_add_lane(rib, &p, 1 + i % 100, SL_LAYER_COUNTRY, 0);
	}
}

void tables_open(struct bench *b)
{
	struct sl_dp_opts o = {};
	const struct sl_class drop = { .action = SL_ACT_DROP };
	const struct sl_port tap = { .side = SL_SIDE_TAP, .slot = 1 };
	struct sl_rib *rib = b->rib = sl_rib_new();
	struct sl_prefix home;

	b->cfg = sl_config_default();
	strcpy(b->cfg->tables.size, "large");
	o.cfg = b->cfg;
	if (sl_dp_open(&o, &b->dp))
		die("%s", sl_dp_error(b->dp));
	make_prefixes(b);
	add_lanes(rib, &b->prefixes);
	add_lanes(rib, &b->prefixes6);
	sl_rib_add_set(rib, &b->hosts, 2, SL_ACT_DROP, 0);
	sl_prefix_parse("198.18.0.0/20", &home, NULL);
	sl_rib_add_lane(rib, &home, SL_LANE_HOME, SL_LAYER_OPERATOR, 0);
	sl_prefix_parse("2001:db8::/32", &home, NULL);
	sl_rib_add_lane(rib, &home, SL_LANE_HOME, SL_LAYER_OPERATOR, 0);
	if (sl_rib_sort(rib) || sl_dp_set_class(b->dp, 2, &drop) ||
	    sl_dp_set_port(b->dp, 1, 0, &tap) ||
	    sl_dp_commit(b->dp, (struct sl_rib_pair){ .base = rib }))
		die("%s", sl_dp_error(b->dp));
}

uint32_t tables_hit4(struct bench *b)
{
	uint64_t key = b->prefixes.v4[bench_random(b) % b->prefixes.n4];
	unsigned int len = key & 0xff;

	return key >> 8 | (bench_random(b) & (len == 32 ? 0 : ~0U >> len));
}

void tables_hit6(struct bench *b, uint32_t out[4])
{
	const struct sl_prefix6 *p =
		&b->prefixes6.v6[bench_random(b) % b->prefixes6.n6];
	uint64_t hi = p->hi | (bench_random(b) & (~0ULL >> p->len));
	uint64_t lo = bench_random(b);

	out[0] = __builtin_bswap32(hi >> 32);
	out[1] = __builtin_bswap32(hi);
	out[2] = __builtin_bswap32(lo >> 32);
	out[3] = __builtin_bswap32(lo);
}
