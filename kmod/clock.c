// SPDX-License-Identifier: GPL-2.0
#include <linux/errno.h>
#include <linux/ktime.h>
#include <linux/spinlock.h>
#include "clock.h"

struct known {
	u64 net;
	struct slk_clock c;	/* ifindex 0: free */
};

static struct known table[SLK_CLOCKS];
static DEFINE_SPINLOCK(lock);

/* A NIC's place; with `claim` a free or stale one where it has none. */
static struct known *find(u64 net, u32 ifindex, bool claim)
{
	u64 now_ns = ktime_get_ns();
	struct known *free = NULL;
	int i;

	lockdep_assert_held(&lock);
	for (i = 0; i < SLK_CLOCKS; i++) {
		struct known *k = &table[i];

		if (k->net == net && k->c.ifindex == ifindex)
			return k;
		if (k->c.until_ns <= now_ns)
			free = k;
	}
	return claim ? free : NULL;
}

int slk_clock_set(u64 net, const struct slk_clock *c)
{
	unsigned long flags;
	struct known *k;

	spin_lock_irqsave(&lock, flags);
	k = find(net, c->ifindex, c->until_ns);
	if (k) {
		k->net = net;
		k->c = *c;
	}
	spin_unlock_irqrestore(&lock, flags);
	return k || !c->until_ns ? 0 : -ENOSPC;
}

static bool copy(u64 net, u32 ifindex, struct slk_clock *out)
{
	u64 now_ns = ktime_get_ns();
	unsigned long flags;
	struct known *k;
	bool fresh;

	spin_lock_irqsave(&lock, flags);
	k = find(net, ifindex, false);
	fresh = k && now_ns < k->c.until_ns;
	if (fresh)
		*out = k->c;
	spin_unlock_irqrestore(&lock, flags);
	return fresh;
}

bool slk_clock_is_known(u64 net, u32 ifindex)
{
	struct slk_clock c;

	return copy(net, ifindex, &c);
}

u64 slk_clock_convert(u64 net, u32 ifindex, u64 stamp_ns)
{
	struct slk_clock c;

	return copy(net, ifindex, &c) ? slk_clock_mono_ns(&c, stamp_ns) : 0;
}
