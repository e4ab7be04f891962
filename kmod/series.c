// SPDX-License-Identifier: GPL-2.0
#include <linux/errno.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/vmalloc.h>
#include <sealane/hist.h>
#include "series.h"
#include "stats.h"

struct series {
	u64 key;		/* 0: free; claimed in order, never given back */
	u64 lost, busy;
	struct sl_hist hist;
};

static struct series *pool;
static DEFINE_SPINLOCK(lock);

int slk_series_init(void)
{
	pool = vzalloc(SLK_SERIES * sizeof(*pool));
	if (!pool)
		return -ENOMEM;
	/* those that a full pool falls back to */
	pool[0].key = SL_SERIES_KEY(0, 0, SL_M_TX_SW, SL_HALF_SELF);
	pool[1].key = SL_SERIES_KEY(0, 0, SL_M_TX_HW, SL_HALF_SELF);
	return 0;
}

void slk_series_exit(void)
{
	vfree(pool);
}

static struct series *find(u64 key)
{
	u32 i;

	lockdep_assert_held(&lock);
	for (i = 0; i < SLK_SERIES && pool[i].key; i++)
		if (pool[i].key == key)
			return &pool[i];
	if (i == SLK_SERIES)
		return NULL;
	pool[i].key = key;
	return &pool[i];
}

/* A pool that is full: as lane 0 on path 0. */
static struct series *series_of(u64 key)
{
	struct series *s = find(key);

	if (s)
		return s;
	slk_stats_count(SLK_S_SERIES_FULL);
	return find(SL_SERIES_KEY(0, 0, SL_SERIES_METHOD(key), SL_HALF_SELF));
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

void slk_series_add(u64 key, u64 ns)
{
	unsigned long flags;
	struct series *s;

	spin_lock_irqsave(&lock, flags);
	s = series_of(key);
	if (s)
		count(&s->hist, ns);
	spin_unlock_irqrestore(&lock, flags);
}

static void miss(u64 key, u64 lost, u64 busy)
{
	unsigned long flags;
	struct series *s;

	spin_lock_irqsave(&lock, flags);
	s = series_of(key);
	if (s) {
		s->lost += lost;
		s->busy += busy;
	}
	spin_unlock_irqrestore(&lock, flags);
}

void slk_series_lost(u64 key)
{
	miss(key, 1, 0);
}

void slk_series_busy(u64 key)
{
	miss(key, 0, 1);
}

int slk_series_read(struct slk_read *r, struct sl_hist *out)
{
	unsigned long flags;
	struct series *s;
	int rc = -ENOENT;

	if (r->from >= SLK_SERIES)
		return rc;
	s = &pool[r->from];
	spin_lock_irqsave(&lock, flags);
	if (s->key) {
		r->slot = r->from;
		r->key = s->key;
		r->lost = s->lost;
		r->busy = s->busy;
		*out = s->hist;
		s->hist.min_ns = 0;
		s->hist.max_ns = 0;
		rc = 0;
	}
	spin_unlock_irqrestore(&lock, flags);
	return rc;
}
