// SPDX-License-Identifier: GPL-2.0
/* Any bytes as a frame: the straight way and the loop of the packet parser end
 * for the same reason, with the same findings. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#define SL_NATIVE
#ifndef __always_inline
#define __always_inline inline __attribute__((always_inline))
#endif
#include "../../bpf/parse.bpf.h"

static int by_loop(const struct sl_view *v, struct sl_pkt *p, int reason)
{
	int i;

	for (i = 0; i < SL_PARSE_STEPS; i++) {
		if (reason || p->layer == SL_L_DONE)
			return reason;
		reason = parse_layer(v, p);
	}
	return reason || p->layer == SL_L_DONE ? reason : SL_R_TOO_DEEP;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *frame = malloc(size + 1);	/* exact end, for the sanitizer */
	struct sl_view v = { frame, frame + size };
	struct sl_pkt a, b;
	int x, y;

	memset(&a, 0, sizeof(a));
	if (size)
		memcpy(frame, data, size);
	a.frame_b = a.cap_b = a.wire_b = size;
	b = a;
	x = by_loop(&v, &a, 0);
	y = by_loop(&v, &b, parse_usual(&v, &b));
	/* the straight way leaves the loop some steps more */
	if (x == SL_R_TOO_DEEP) {
		free(frame);
		return 0;
	}
	if (x != y || a.family != b.family || a.l4 != b.l4 ||
	    memcmp(&a.ip, &b.ip, sizeof(a.ip)) || a.sport != b.sport ||
	    a.dport != b.dport || a.payload_b != b.payload_b)
		abort();
	if (!x && (a.has_ts != b.has_ts || a.tsval != b.tsval ||
		   a.tsecr != b.tsecr || a.seq != b.seq || a.ack != b.ack))
		abort();
	free(frame);
	return 0;
}
