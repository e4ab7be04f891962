/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What every stage needs: settings, the control block, the clock, per-CPU
 * rows. "Per CPU" arrays are plain arrays with one row per CPU, since only
 * those can be mapped by the agent, which reads them without a system call.
 */
#ifndef SL_BASE_BPF_H
#define SL_BASE_BPF_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <sealane/abi.h>

/* Written by the loader before load; the verifier sees constants. (In user
 * space, tests/native, there is neither.) */
#ifndef SL_NATIVE
const volatile
#endif
struct sl_settings sl_set = {};

/* Written by the agent (epoch, bypass), also by `sealane bypass` without one,
 * and by the first packet (tick_base_ns); read by every packet; never deleted.
 * One entry. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct sl_ctl);
} sl_ctl SEC(".maps");

/* Replay only. Written by replay (clock, length), answered by the data plane
 * (reason, samples); never deleted. One entry. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct sl_replay);
} sl_replay SEC(".maps");

static __always_inline const struct sl_ctl *control(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&sl_ctl, &zero);
}

static __always_inline struct sl_replay *replay_block(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&sl_replay, &zero);
}

/* The precise clock, ns. 33-39 ns a call: only for stamps and answers. */
static __always_inline __u64 clock_ns(void)
{
	if (sl_set.replay) {
		struct sl_replay *r = replay_block();

		return r ? r->time_ns : 0;
	}
	return bpf_ktime_get_ns();
}

/*
 * The same clock at tick resolution. The kernel counts its ticks by that
 * clock, so a load of the counter tells the time, once it is known what it was
 * at tick 0: 15 ns less than the helper, which is asked for that only.
 * Accepted race: CPUs that ask first at once may disagree by a tick.
 */
static __always_inline __u64 clock_coarse_ns(void)
{
	struct sl_ctl *ctl;
	__u32 zero = 0;
	__u64 ticks_ns;

	if (sl_set.replay)
		return clock_ns();
	if (!sl_set.tick_ns)
		return bpf_ktime_get_coarse_ns();
	ctl = bpf_map_lookup_elem(&sl_ctl, &zero);
	if (!ctl)
		return 0;
	ticks_ns = bpf_jiffies64() * sl_set.tick_ns;
	if (!ctl->tick_base_ns)
		ctl->tick_base_ns = bpf_ktime_get_coarse_ns() - ticks_ns;
	return ctl->tick_base_ns + ticks_ns;
}

/* Row of this CPU in the per-CPU arrays. */
static __always_inline __u32 cpu_row(void)
{
	__u32 cpu = bpf_get_smp_processor_id();

	return cpu < sl_set.n_cpus ? cpu : 0;
}

#endif
