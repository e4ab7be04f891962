// SPDX-License-Identifier: GPL-2.0
#include <linux/errno.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/vmalloc.h>
#include <sealane/hist.h>
#include "series.h"

static u64 keys[SLK_SERIES];	/* 0: free; claimed in order, never given back */
static struct sl_hist *hists;
static DEFINE_SPINLOCK(lock);

int slk_series_init(void)
{
	hists = vzalloc(SLK_SERIES * sizeof(*hists));
	return hists ? 0 : -ENOMEM;
}

void slk_series_exit(void)
{
	vfree(hists);
}

static int slot_of(u64 key)
{
	u32 i;

	lockdep_assert_held(&lock);
	for (i = 0; i < SLK_SERIES && keys[i]; i++)
		if (keys[i] == key)
			return i;
	if (i == SLK_SERIES)
		return -ENOSPC;
	keys[i] = key;
	return i;
}

static void count(struct sl_hist *h, u64 ns)
{
	int b = sl_hist_bucket(ns);

	if (b == SL_HIST_ZERO)
		h->zero++;
	else if (b == SL_HIST_OVERFLOW)
		h->overflow++;
	else
		h->bucket[b]++;
	h->count++;
	h->sum_ns += ns;
	if (!h->min_ns || ns < h->min_ns)
		h->min_ns = ns;
	if (ns > h->max_ns)
		h->max_ns = ns;
}

int slk_series_add(u64 key, u64 ns)
{
	unsigned long flags;
	int slot;

	spin_lock_irqsave(&lock, flags);
	slot = slot_of(key);
	if (slot >= 0)
		count(&hists[slot], ns);
	spin_unlock_irqrestore(&lock, flags);
	return slot < 0 ? slot : 0;
}

int slk_series_read(u32 from, u64 *key, struct sl_hist *out)
{
	unsigned long flags;
	int rc = -ENOENT;

	if (from >= SLK_SERIES)
		return rc;
	spin_lock_irqsave(&lock, flags);
	if (keys[from]) {
		*key = keys[from];
		*out = hists[from];
		hists[from].min_ns = 0;
		hists[from].max_ns = 0;
		rc = from;
	}
	spin_unlock_irqrestore(&lock, flags);
	return rc;
}
