// SPDX-License-Identifier: GPL-2.0
#include "hold.h"

#define DAMP_FROM	2	/* changes that cost nothing yet */
#define DAMP_MOST	4	/* doublings */
#define AGAINST		3	/* so many times as much for it as against it */

uint64_t sl_hold_step_len_ns(uint64_t hold_ns)
{
	uint64_t len_ns = hold_ns / SL_HOLD_STEPS;

	return len_ns > SL_HOLD_LEAST_NS ? len_ns : SL_HOLD_LEAST_NS;
}

uint64_t sl_hold_needed_ns(const struct sl_hold *h, uint64_t hold_ns)
{
	uint32_t doublings = h->recent > DAMP_FROM ? h->recent - DAMP_FROM : 0;

	return hold_ns << (doublings < DAMP_MOST ? doublings : DAMP_MOST);
}

static void forget_changes(struct sl_hold *h, uint64_t now_ns, uint64_t hold_ns)
{
	while (h->recent && now_ns - h->recent_ns >= SL_HOLD_DAMP * hold_ns) {
		h->recent--;
		h->recent_ns += SL_HOLD_DAMP * hold_ns;
	}
}

/* What would have been told without damping keeps the damping up. */
static bool end(struct sl_hold *h, uint64_t now_ns, uint64_t hold_ns)
{
	if (h->what != SL_HOLD_FORMER && h->recent && h->with_ns >= hold_ns)
		h->recent_ns = now_ns;
	h->what = SL_HOLD_FORMER;
	return true;
}

static void begin(struct sl_hold *h, int32_t what, uint64_t from_ns,
		  uint64_t to_ns)
{
	h->what = what;
	h->since_ns = from_ns;
	h->last_ns = to_ns;
	h->with_ns = to_ns - from_ns;
	h->with = 1;
	h->against_ns = 0;
}

bool sl_hold_step(struct sl_hold *h, int32_t shows, uint64_t from_ns,
		  uint64_t to_ns, uint64_t hold_ns)
{
	bool waited = h->what != SL_HOLD_FORMER;
	uint64_t patience_ns = 3 * (to_ns - from_ns);

	forget_changes(h, to_ns, hold_ns);
	if (shows == SL_HOLD_NEITHER) {
		if (!waited || to_ns - h->last_ns <= (patience_ns > hold_ns ?
						      patience_ns : hold_ns))
			return false;
		return end(h, to_ns, hold_ns);
	}
	if (waited && shows == h->what) {
		h->with_ns += to_ns - from_ns;
		h->with++;
		h->last_ns = to_ns;
		return false;
	}
	if (shows != SL_HOLD_FORMER) {
		end(h, to_ns, hold_ns);
		begin(h, shows, from_ns, to_ns);
		return waited;
	}
	h->against_ns += to_ns - from_ns;
	if (!waited || h->against_ns * AGAINST <= h->with_ns)
		return false;
	return end(h, to_ns, hold_ns);
}

bool sl_hold_ripe(const struct sl_hold *h, uint64_t now_ns, uint64_t hold_ns)
{
	uint64_t need_ns = sl_hold_needed_ns(h, hold_ns);

	return h->what != SL_HOLD_FORMER && h->with >= 2 &&
	       now_ns - h->since_ns >= need_ns && h->with_ns >= need_ns / 4 * 3;
}

void sl_hold_settle(struct sl_hold *h, uint64_t now_ns, bool believed)
{
	h->what = SL_HOLD_FORMER;
	h->against_ns = 0;
	if (believed) {
		h->recent++;
		h->recent_ns = now_ns;
	}
}
