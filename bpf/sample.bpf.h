/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Stage 5, account: what is made of a round trip. Its histogram; the last ones of
 * its address; for the agent, which tells prefixes apart, one of so many whole.
 */
#ifndef SL_SAMPLE_BPF_H
#define SL_SAMPLE_BPF_H

#include "account.bpf.h"
#include "work.bpf.h"

/* The last samples by remote address. Written by the packet that gave the
 * sample, read by the agent, overwritten by other addresses. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, SL_RECENT_ENTRIES);
	__type(key, __u32);
	__type(value, struct sl_recent);
} sl_recents SEC(".maps");

/* Round trips to the far end, one of so many, by CPU. Written by the packet that
 * gave it; read and emptied by the agent, overwritten when it is late. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, SL_TRIPS);
	__type(key, __u32);
	__type(value, struct sl_trip);
} sl_trips SEC(".maps");

/* How each CPU chooses them, and where it writes. Written by packets that give a
 * round trip, read by the agent, never deleted. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct sl_trip_head);
} sl_trip_heads SEC(".maps");

/* The remote end of a packet as two words, IPv4 mapped into IPv6. */
static __always_inline void remote_of(const struct sl_pkt *p, __u8 dir,
				      __u64 *hi, __u64 *lo)
{
	const __u32 *a = dir == SL_DIR_OUT ? p->ip.dst : p->ip.src;

	if (p->family == 4) {
		*hi = 0;
		*lo = (__u64)a[0] << 32 | 0xffff0000;
	} else {
		*hi = (__u64)a[1] << 32 | a[0];
		*lo = (__u64)a[3] << 32 | a[2];
	}
}

/* For `explain`: one line of memory, no lock, no insert. */
static __always_inline void remember(const struct sl_pkt *p,
				     const struct sl_cls *c, __u64 what,
				     __u64 now_ns)
{
	__u64 hi, lo, *addr;
	struct sl_recent_sample *s;
	struct sl_recent *r;
	__u32 k, near = SL_RECENT_HALF(what) == SL_HALF_NEAR;

	remote_of(p, c->dir, &hi, &lo);
	k = sl_recent_slot(hi, lo, sl_set.hash_key[0]);
	r = bpf_map_lookup_elem(&sl_recents, &k);
	if (!r)
		return;
	addr = (__u64 *)r->addr;
	if (addr[0] != hi || addr[1] != lo) {
		r->s[near ^ 1].time_ns = 0;
		addr[0] = hi;
		addr[1] = lo;
	}
	s = &r->s[near];
	s->time_ns = now_ns;
	s->what = what;
	s->lane = c->lane;
	s->tunnel = p->tunnel;
	s->vlan = p->vlan;
}

/* Replay writes each sample down. The stamped end is the destination of the
 * packet that answered; for the spin bit its source, which sent both edges. */
static __always_inline void replay_sample(const struct sl_pkt *p, __u32 lane,
					  __u32 path, __u32 method,
					  __u32 half, __u64 rtt_ns)
{
	int own = half == SL_HALF_FULL;
	struct sl_replay *r = replay_block();
	struct sl_sample *s;
	__u32 n;

	if (!r)
		return;
	n = r->n_samples;
	if (n >= SL_REPLAY_SAMPLES)
		return;
	s = &r->sample[n];
	s->time_ns = r->time_ns;
	s->rtt_ns = rtt_ns;
	__builtin_memcpy(s->src, own ? p->ip.src : p->ip.dst, sizeof(s->src));
	__builtin_memcpy(s->dst, own ? p->ip.dst : p->ip.src, sizeof(s->dst));
	s->sport = own ? p->sport : p->dport;
	s->dport = own ? p->dport : p->sport;
	s->lane = lane;
	s->family = p->family;
	s->method = method;
	s->half = half;
	s->path = path;
	r->n_samples = n + 1;
}

/* Write one down. Its time comes last: a reader in between sees none. */
static __always_inline void keep_trip(const struct sl_work *w,
				      struct sl_trip *t, __u64 key,
				      __u64 rtt_ns, __u64 now_ns, __u32 every)
{
	__u64 *addr = (__u64 *)t->addr;

	*(volatile __u64 *)&t->time_ns = 0;
	sl_forget();
	remote_of(&w->pkt, w->cls.dir, &addr[0], &addr[1]);
	t->key = key;
	t->rtt_ns = rtt_ns;
	t->every = every;
	t->hop_limit = w->pkt.hop_limit;
	t->dir = w->cls.dir;
	sl_forget();
	*(volatile __u64 *)&t->time_ns = now_ns;
}

/* One of so many, where it is known which end is far. The gaps are random, as those
 * of packets (keep.bpf.h). */
static __always_inline void maybe_keep_trip(const struct sl_work *w, __u32 row,
					    __u64 key, __u64 rtt_ns,
					    __u64 now_ns)
{
	__u32 half = SL_SERIES_HALF(key), every, k;
	const struct sl_ctl *ctl = control();
	struct sl_trip_head *h;
	struct sl_trip *t;

	if (half != SL_HALF_FAR &&
	    (half != SL_HALF_FULL || w->cls.dir == SL_DIR_UNKNOWN))
		return;
	every = ctl ? ctl->trip_every & SL_TRIP_EVERY_MAX : 0;
	if (!every)
		return;
	h = bpf_map_lookup_elem(&sl_trip_heads, &row);
	if (!h)
		return;
	h->seen++;
	/* a longer gap is of the time when there were more */
	if (h->until && h->until < 2 * every) {
		h->until--;
		return;
	}
	/* 1 .. 2 every - 1 from here; in replay always the same */
	h->until = sl_set.replay || every == 1 ? every - 1 :
		   bpf_get_prandom_u32() % (2 * every - 1);
	k = row * SL_TRIPS + (h->kept & (SL_TRIPS - 1));
	t = bpf_map_lookup_elem(&sl_trips, &k);
	if (!t)
		return;
	keep_trip(w, t, key, rtt_ns, now_ns, every);
	sl_forget();
	h->kept++;
}

/* A function of its own: the verifier walks it once, not once for each method. The
 * packet at hand is that of this CPU's row. */
__noinline int sl_sample(__u32 path_method_half, __u64 rtt_ns, __u64 now_ns)
{
	__u32 path = path_method_half >> 16, method = path_method_half >> 8 & 0xff;
	__u32 half = path_method_half & 0xff, row = cpu_row();
	struct sl_work *w = bpf_map_lookup_elem(&sl_works, &row);
	__u64 key;

	if (!w)
		return 0;
	key = SL_SERIES_KEY(w->cls.lane, path, method, half);
	if (account(row, key, rtt_ns))
		maybe_keep_trip(w, row, key, rtt_ns, now_ns);
	remember(&w->pkt, &w->cls, SL_RECENT_WHAT(rtt_ns, method, path, half),
		 now_ns);
	if (sl_set.replay)
		replay_sample(&w->pkt, w->cls.lane, path, method, half, rtt_ns);
	return 0;
}

/*
 * A stamp taken at stamp_ns was answered by this packet now: check the time
 * between, then account it. A clock that stepped back gives no sample.
 */
static __always_inline void sample(const struct sl_cls *c, __u32 path,
				   __u32 method, __u64 stamp_ns, __u64 now_ns)
{
	__u32 half = method == SL_M_QUIC_SPIN ? SL_HALF_FULL :
		     c->dir == SL_DIR_IN ? SL_HALF_FAR :
		     c->dir == SL_DIR_OUT ? SL_HALF_NEAR : SL_HALF_UNKNOWN;
	__u64 rtt_ns = now_ns - stamp_ns;

	if (now_ns < stamp_ns) {
		count_miss(c->lane, SL_MISS_CLOCK_BACK);
		return;
	}
	if (rtt_ns > sl_set.stamp_max_ns) {
		count_miss(c->lane, SL_MISS_EXPIRED);
		return;
	}
	sl_sample(path << 16 | method << 8 | half, rtt_ns, now_ns);
}

#endif
