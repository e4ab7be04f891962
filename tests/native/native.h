/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The whole engine in user space: bpf/sealane.bpf.c itself, compiled against
 * the headers of this directory (engine.c), and the maps, clocks and frames it
 * is given (native.c). One engine in a process, as its settings are global.
 *
 * Whatever a packet looks up is logged with the bytes it had, so that a test can
 * ask what a packet changed, and take it all back.
 */
#ifndef SL_NATIVE_H
#define SL_NATIVE_H

#include <stddef.h>
#include <stdint.h>
#include <sealane/abi.h>

struct sl_fib_image;
struct sl_pkt;

/* A map: its elements lie `stride` apart, as in the kernel. */
struct native_map {
	const char *name;
	uint32_t type;		/* BPF_MAP_TYPE_* */
	uint32_t key_b, value_b, stride;
	uint32_t entries;
	uint32_t used;		/* of a hash: how many elements, from the first */
	uint8_t *mem;
	uint8_t *keys;		/* of a hash */
	void *other;		/* for the tests: the same map elsewhere */
};

/* A place in the engine that looks something up in a map. */
struct native_use {
	struct native_map *map;
	const char *name;	/* with the & before it */
	uint32_t type, entries, key_b, value_b;
};

/* What the kernel would answer, outside of replay. */
struct native_host {
	uint64_t clock_ns;
	uint32_t buff_b;	/* frame length, fragments too */
};
extern struct native_host native_host;
extern struct sl_settings sl_set;

/* Entries of a map in *n, 0 where its declaration says; -ENOENT: not known. */
typedef int native_entries_fn(void *arg, const char *map, uint32_t *n);

/* Make every map that the engine looks into. 0 or negative errno; a map that
 * `entries` does not know, or of a kind that is not made here, is named on
 * stderr. */
int native_open(const struct sl_settings *set, native_entries_fn *entries,
		void *arg);
void native_close(void);

#define NATIVE_MAPS_MAX 64
extern struct native_map native_maps[NATIVE_MAPS_MAX];
extern unsigned int native_n_maps;
struct native_map *native_map(const char *name);	/* aborts: no such map */
void *native_at(const char *name, uint32_t i);
void *native_element(const struct native_map *m, uint32_t i);
/* Put an element into a hash. */
void native_put(const char *name, const void *key, const void *value);
/* A bank of the prefix tables, to build into. */
void native_bank(int bank, struct sl_fib_image *img);
struct sl_abv_image;
void native_rules(int bank, struct sl_abv_image *img);	/* likewise */

void *native_lookup(struct native_map *m, const void *key);
/* Of exactly that size; every byte must be written before it is submitted, as
 * the kernel hands out what lay there before. NULL while one is open. */
void *native_ring_reserve(size_t size);
void native_ring_submit(void *record);

/* Run one frame, in memory of exactly its size: XDP_PASS, XDP_DROP. */
uint32_t native_run(const void *frame, uint32_t len_b, uint32_t ifindex);

/* --- what the packets looked up --- */
struct native_touch {
	struct native_map *map;
	uint32_t i;
	size_t before;		/* where its bytes lie in the log */
};

/* Of the last packet, each element once. */
const struct native_touch *native_touched(unsigned int *n);
const void *native_before(const struct native_touch *t);
/* Forget the log; or take all back that it holds, telling each element. */
void native_forget(void);
void native_undo(void (*restored)(struct native_map *m, uint32_t i));

/* --- engine.c --- */
struct xdp_md;
uint32_t native_engine(const uint8_t *data, const uint8_t *end,
		       uint32_t ifindex);
/* What the parser found in the last packet, and how that ended. */
const struct sl_pkt *native_parsed(uint32_t *reason);
/* The parser's straight line against its loop: NULL, or what differs. */
const char *native_parse_twice(const uint8_t *frame, uint32_t len_b,
			       uint32_t wire_b);

#endif
