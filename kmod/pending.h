/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Stamps that were asked for and have not come. A packet is found again by the
 * key that its stamp will carry, among the few that share its bucket. Plain C
 * without a lock of its own, so that user space can test it.
 */
#ifndef SLK_PENDING_H
#define SLK_PENDING_H

#ifdef __KERNEL__
#include <linux/stddef.h>
#else
#include <stddef.h>
#endif
#include <sealane/kmod.h>

#define SLK_BUCKET_WAITS	16
#define SLK_BUCKETS		(SLK_PENDING / SLK_BUCKET_WAITS)

/* A packet that waits for its stamp. */
struct slk_wait {
	__u64 arrived_ns;	/* CLOCK_MONOTONIC */
	__u64 asked_ns;		/* likewise */
	__u64 net;		/* cookie of the namespace of ... */
	__u32 ifindex;		/* ... the NIC that sends it */
	__u32 key;
	__u16 lane;
	__u8 path;		/* below SL_MAX_PATHS */
	__u8 hw;		/* 1: the NIC was asked */
	__u8 used;
	__u8 pad[3];
};

struct slk_pending {
	struct slk_wait wait[SLK_BUCKETS][SLK_BUCKET_WAITS];
	__u32 of_path[SL_MAX_PATHS];
};

typedef void slk_lost_fn(const struct slk_wait *w);

static inline void slk_pending_free(struct slk_pending *p, struct slk_wait *w)
{
	w->used = 0;
	p->of_path[w->path]--;
}

/* Has it waited for too long? A clock that seems to stand or to go back gives up
 * nobody. */
static inline int slk_pending_is_over(const struct slk_wait *w, __u64 now_ns,
				      __u64 limit_ns)
{
	return now_ns > w->asked_ns && now_ns - w->asked_ns >= limit_ns;
}

/* Give up those of one bucket that have waited for too long; `lost` sees each. */
static inline void slk_pending_expire(struct slk_pending *p, __u32 bucket,
				      __u64 now_ns, __u64 limit_ns,
				      slk_lost_fn *lost)
{
	struct slk_wait *w = p->wait[bucket % SLK_BUCKETS];
	__u32 i;

	for (i = 0; i < SLK_BUCKET_WAITS; i++) {
		if (!w[i].used || !slk_pending_is_over(&w[i], now_ns, limit_ns))
			continue;
		slk_pending_free(p, &w[i]);
		lost(&w[i]);
	}
}

static inline __u32 slk_pending_count(const struct slk_pending *p)
{
	__u32 i, n = 0;

	for (i = 0; i < SL_MAX_PATHS; i++)
		n += p->of_path[i];
	return n;
}

/* 0; -1: its bucket or its path is full, or the key is taken. */
static inline int slk_pending_add(struct slk_pending *p,
				  const struct slk_wait *wait)
{
	struct slk_wait *w = p->wait[wait->key % SLK_BUCKETS], *free = NULL;
	__u32 i;

	if (p->of_path[wait->path] >= SLK_PENDING_PATH)
		return -1;
	for (i = 0; i < SLK_BUCKET_WAITS; i++) {
		if (!w[i].used)
			free = &w[i];
		else if (w[i].key == wait->key)
			return -1;
	}
	if (!free)
		return -1;
	*free = *wait;
	free->used = 1;
	p->of_path[wait->path]++;
	return 0;
}

/* 0 with *out; -1: nobody waits for it (any more). */
static inline int slk_pending_take(struct slk_pending *p, __u32 key,
				   struct slk_wait *out)
{
	struct slk_wait *w = p->wait[key % SLK_BUCKETS];
	__u32 i;

	for (i = 0; i < SLK_BUCKET_WAITS; i++) {
		if (!w[i].used || w[i].key != key)
			continue;
		*out = w[i];
		slk_pending_free(p, &w[i]);
		return 0;
	}
	return -1;
}

#endif
