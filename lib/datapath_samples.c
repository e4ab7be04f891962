// SPDX-License-Identifier: GPL-2.0
/*
 * Packets that the data plane keeps (bpf/keep.bpf.h). A reader empties what it
 * has read, so that it finds where the writer is by what is there: behind the
 * last sample lies an empty place, unless the writer has lapped it.
 *
 * Round trips that it hands over (bpf/sample.bpf.h) are read likewise, but their
 * writer says where it is.
 */
#include <stddef.h>
#include <string.h>
#include "datapath_priv.h"

_Static_assert(!offsetof(struct sl_sampled, time_ns) &&
	       !offsetof(struct sl_trip, time_ns), "a place begins with its time");

void sl_dp_set_sampling(struct sl_dp *dp, uint32_t every)
{
	if (every > SL_SAMPLE_EVERY_MAX)
		every = SL_SAMPLE_EVERY_MAX;
	__atomic_store_n(&sl_dp_ctl(dp)->sample_every, every,
			 __ATOMIC_RELAXED);
}

/* Empty a place into *out; false: it was empty, or is being written. */
static bool take(void *place, void *out, size_t size)
{
	__u64 *at = place, time_ns = __atomic_load_n(at, __ATOMIC_ACQUIRE);

	if (!time_ns)
		return false;
	memcpy(out, place, size);
	memcpy(out, &time_ns, sizeof(time_ns));
	return __atomic_compare_exchange_n(at, &time_ns, 0, false,
					   __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

uint32_t sl_dp_take_samples(struct sl_dp *dp, uint32_t cpu,
			    struct sl_dp_reader *r, struct sl_sampled *out)
{
	struct sl_sampled *row = sl_dp_at(dp, SL_MAP_SAMPLES,
					  cpu * SL_SAMPLES);
	uint32_t i, k, n = 0, end = r->next;
	bool gap = false, was = false;

	for (i = 0; i < SL_SAMPLES; i++) {
		k = (r->next + i) % SL_SAMPLES;
		if (take(&row[k], &out[n], sizeof(*out))) {
			n++;
			was = true;
			continue;
		}
		if (was || i == 0)
			end = k;
		gap = true;
		was = false;
		if (r->placed)
			break;
	}
	/* a whole lap says nothing of where it ended */
	r->placed = r->placed ? gap : gap && n;
	r->next = end;
	return n;
}

void sl_dp_read_sampled_of(const struct sl_dp *dp, uint32_t cpu,
			   uint64_t *packets, uint64_t *bytes)
{
	const struct sl_port_ctr *c;
	uint32_t slot, i;

	*packets = *bytes = 0;
	for (slot = 0; slot < SL_MAX_SLOTS; slot++) {
		c = sl_dp_at(dp, SL_MAP_PORT_CTRS, cpu * SL_MAX_SLOTS + slot);
		for (i = 0; i < SL_R_MAX; i++) {
			/* these leave before anything is looked at */
			if (i == SL_R_BYPASS || i == SL_R_NO_PORT)
				continue;
			*packets += __atomic_load_n(&c->packets[i],
						    __ATOMIC_RELAXED);
			*bytes += __atomic_load_n(&c->bytes[i],
						  __ATOMIC_RELAXED);
		}
	}
}

void sl_dp_set_trips(struct sl_dp *dp, uint32_t every)
{
	if (every > SL_TRIP_EVERY_MAX)
		every = SL_TRIP_EVERY_MAX;
	__atomic_store_n(&sl_dp_ctl(dp)->trip_every, every, __ATOMIC_RELAXED);
}

uint32_t sl_dp_take_trips(struct sl_dp *dp, uint32_t cpu,
			  struct sl_dp_trip_reader *r, struct sl_trip *out,
			  uint64_t *seen)
{
	const struct sl_trip_head *h = sl_dp_at(dp, SL_MAP_TRIP_HEADS, cpu);
	uint32_t kept = __atomic_load_n(&h->kept, __ATOMIC_ACQUIRE), n = 0;
	uint64_t now = __atomic_load_n(&h->seen, __ATOMIC_RELAXED);
	struct sl_trip *row = sl_dp_at(dp, SL_MAP_TRIPS, cpu * SL_TRIPS);

	if (!r->known) {
		*r = (struct sl_dp_trip_reader){ kept, now, true };
		*seen = 0;
		return 0;
	}
	if (kept - r->next > SL_TRIPS)
		r->next = kept - SL_TRIPS;
	for (; r->next != kept; r->next++)
		n += take(&row[r->next % SL_TRIPS], &out[n], sizeof(*out));
	*seen = now - r->seen;
	r->seen = now;
	return n;
}
