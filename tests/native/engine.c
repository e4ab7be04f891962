// SPDX-License-Identifier: GPL-2.0
/* The engine, the very file, for user space. Alone with it here: who wants more
 * than native.h offers gets a function below. */
#define SL_NATIVE
#include "../../bpf/sealane.bpf.c"

uint32_t native_engine(const uint8_t *data, const uint8_t *end,
		       uint32_t ifindex)
{
	struct xdp_md ctx = {
		.data = (unsigned long)data, .data_end = (unsigned long)end,
		.ingress_ifindex = ifindex,
	};

	return sealane(&ctx);
}

const struct sl_pkt *native_parsed(uint32_t *reason)
{
	__u32 row = 0;
	const struct sl_work *w = bpf_map_lookup_elem(&sl_works, &row);

	*reason = w->reason;
	return &w->pkt;
}

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

const char *native_parse_twice(const uint8_t *frame, uint32_t len_b,
			       uint32_t wire_b)
{
	struct sl_view v = { frame, frame + len_b };
	struct sl_pkt a, b;
	int x, y;

	memset(&a, 0, sizeof(a));
	a.cap_b = len_b;
	a.frame_b = a.wire_b = wire_b;
	b = a;
	x = by_loop(&v, &a, 0);
	y = by_loop(&v, &b, parse_usual(&v, &b));
	/* the straight line leaves the loop some steps more */
	if (x == SL_R_TOO_DEEP)
		return NULL;
	if (x != y)
		return "straight line and loop end for different reasons";
	/* the cursor may stop elsewhere in the last layer */
	a.off = b.off = a.cap_b = b.cap_b = 0;
	if (x) {	/* ... and the header that ended it be read in part */
		a.wire_b = b.wire_b = 0;
		return a.family != b.family || a.l4 != b.l4 ||
		       memcmp(&a.ip, &b.ip, sizeof(a.ip)) ?
		       "straight line and loop find other addresses" : NULL;
	}
	return memcmp(&a, &b, sizeof(a)) ?
	       "straight line and loop find other fields" : NULL;
}
