/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Stands before libbpf's header of the same name, for engine.c. Maps are declared
 * as ever; each place that looks something up leaves a note of the map's name
 * and shape in a section of its own, from which native_open() makes the maps.
 * So a new map needs nothing here. A helper that is missing does not compile.
 */
#ifndef SL_NATIVE_BPF_HELPERS_H
#define SL_NATIVE_BPF_HELPERS_H

#include "../native.h"

#define SEC(name)
#define __ksym				/* never called here */
#define __weak __attribute__((weak))
#define __uint(name, val) int (*name)[val]
#define __type(name, val) __typeof__(val) *name

#undef __always_inline
#define __always_inline inline __attribute__((always_inline))
#define __noinline __attribute__((noinline))

#define native_uint(field) (sizeof(*(field)) / sizeof(int))

#define bpf_map_lookup_elem(which, with) ({				\
	static struct native_use here					\
	__attribute__((section("native_uses"), used)) = {		\
		.name = #which,						\
		.type = native_uint((which)->type),			\
		.entries = native_uint((which)->max_entries),		\
		.key_b = sizeof(*(which)->key),				\
		.value_b = sizeof(*(which)->value),			\
	};								\
	(__typeof__((which)->value))native_lookup(here.map, with); })

/* Any number will do. */
static inline __u32 bpf_get_prandom_u32(void)
{
	return 12345;
}

#define bpf_loop(n, fn, ctx, flags) ({					\
	__u32 i_;							\
									\
	for (i_ = 0; i_ < (n) && !(fn)(i_, ctx); i_++)			\
		;							\
	i_; })

static inline __u64 bpf_ktime_get_ns(void)
{
	return native_host.clock_ns;
}

/* The last tick of a kernel with 250 of them in a second. */
static inline __u64 bpf_ktime_get_coarse_ns(void)
{
	return native_host.clock_ns - native_host.clock_ns % 4000000;
}

/* Its counter: not 0 when the clock is. */
static inline __u64 bpf_jiffies64(void)
{
	return 4294892296ULL + native_host.clock_ns / 4000000;
}

static inline __u32 bpf_get_smp_processor_id(void)
{
	return 0;
}

static inline __u64 bpf_xdp_get_buff_len(struct xdp_md *ctx)
{
	(void)ctx;
	return native_host.buff_b;
}

/* A ring buffer that has room for one record at a time. */
#define bpf_ringbuf_reserve(ring, size, flags) native_ring_reserve(size)
#define bpf_ringbuf_submit(record, flags) native_ring_submit(record)

#endif
