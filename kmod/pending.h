/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Stamps that were asked for and have not come. A packet is found again by the
 * key that its stamp will carry. Plain C without a lock of its own, so that
 * user space can test it.
 */
#ifndef SLK_PENDING_H
#define SLK_PENDING_H

#ifdef __KERNEL__
#include <linux/stddef.h>
#else
#include <stddef.h>
#endif
#include <sealane/kmod.h>

#define SLK_PENDING_NS	(SLK_PENDING_MS * 1000000ULL)

/* A packet that waits for its stamp. */
struct slk_wait {
	__u64 arrived_ns;	/* CLOCK_MONOTONIC */
	__u64 asked_ns;		/* likewise */
	__u64 net;		/* cookie of the namespace of ... */
	__u32 ifindex;		/* ... the NIC that sends it */
	__u32 key;
	__u32 lane;
	__u8 path;
	__u8 used;
	__u8 pad[2];
};

struct slk_pending {
	struct slk_wait wait[SLK_PENDING];
};

/* Give up those that wait for too long; how many. */
static inline __u32 slk_pending_expire(struct slk_pending *p, __u64 now_ns)
{
	__u32 i, n = 0;

	for (i = 0; i < SLK_PENDING; i++) {
		if (!p->wait[i].used || now_ns < p->wait[i].asked_ns ||
		    now_ns - p->wait[i].asked_ns < SLK_PENDING_NS)
			continue;
		p->wait[i].used = 0;
		n++;
	}
	return n;
}

static inline __u32 slk_pending_count(const struct slk_pending *p)
{
	__u32 i, n = 0;

	for (i = 0; i < SLK_PENDING; i++)
		n += p->wait[i].used;
	return n;
}

/* 0; -1: no place is free, or the key is taken. */
static inline int slk_pending_add(struct slk_pending *p,
				  const struct slk_wait *w)
{
	struct slk_wait *free = NULL;
	__u32 i;

	for (i = 0; i < SLK_PENDING; i++) {
		if (!p->wait[i].used)
			free = &p->wait[i];
		else if (p->wait[i].key == w->key)
			return -1;
	}
	if (!free)
		return -1;
	*free = *w;
	free->used = 1;
	return 0;
}

/* 0 with *w; -1: nobody waits for it (any more). */
static inline int slk_pending_take(struct slk_pending *p, __u32 key,
				   struct slk_wait *w)
{
	__u32 i;

	for (i = 0; i < SLK_PENDING; i++) {
		if (!p->wait[i].used || p->wait[i].key != key)
			continue;
		*w = p->wait[i];
		p->wait[i].used = 0;
		return 0;
	}
	return -1;
}

#endif
