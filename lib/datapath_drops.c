// SPDX-License-Identifier: GPL-2.0
/* Dropped packets as the data plane shows them: its ring buffer. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <bpf/libbpf.h>
#include "datapath_priv.h"

struct sl_dp_drops {
	struct ring_buffer *ring;
	sl_dp_drop_fn *take;
	void *arg;
};

static int take(void *arg, void *data, size_t len_b)
{
	struct sl_dp_drops *d = arg;

	if (len_b >= sizeof(struct sl_drop))
		d->take(d->arg, data);
	return 0;
}

int sl_dp_drops_open(struct sl_dp *dp, sl_dp_drop_fn *fn, void *arg)
{
	struct sl_dp_drops *d = calloc(1, sizeof(*d));
	int rc;

	if (!d)
		return sl_dp_fail(dp, -ENOMEM, "out of memory");
	d->take = fn;
	d->arg = arg;
	d->ring = ring_buffer__new(dp->map[SL_MAP_DROPS].fd, take, d, NULL);
	if (!d->ring) {
		rc = -errno;
		free(d);
		return sl_dp_fail(dp, rc, "cannot read the drops: %s",
				  strerror(-rc));
	}
	dp->drops = d;
	return 0;
}

void sl_dp_drops_close(struct sl_dp *dp)
{
	if (!dp->drops)
		return;
	ring_buffer__free(dp->drops->ring);
	free(dp->drops);
	dp->drops = NULL;
}

int sl_dp_drops_fd(const struct sl_dp *dp)
{
	return ring_buffer__epoll_fd(dp->drops->ring);
}

int sl_dp_drops_read(struct sl_dp *dp)
{
	return ring_buffer__consume(dp->drops->ring);
}
