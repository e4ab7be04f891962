/* SPDX-License-Identifier: GPL-2.0 */
/* A capture being read. Private to capture*.c. */
#ifndef SL_CAPTURE_PRIV_H
#define SL_CAPTURE_PRIV_H

#include <stddef.h>
#include <zlib.h>
#include "capture.h"

#define SL_FRAME_MAX_B 3520	/* what a test run of the kernel takes */

/* An interface of a pcapng section. */
struct ng_iface {
	uint16_t linktype;
	uint32_t snap_b;
	uint64_t per_s;		/* clock ticks per second */
	int64_t offset_s;
};

struct sl_capture {
	gzFile file;
	uint8_t *buf;		/* the current record */
	size_t have, room;
	bool ng, big_endian, cut, ended;
	/* pcap */
	bool swapped, maybe_swapped;
	uint32_t tick_ns, extra_b;
	uint16_t linktype;
	/* pcapng */
	bool started;
	struct ng_iface *ifaces;
	unsigned int n_ifaces;
	uint64_t count;
	uint8_t frame[SL_FRAME_MAX_B];
};

bool capture_need(struct sl_capture *c, size_t n);
void capture_drop(struct sl_capture *c);
uint16_t capture_u16(const struct sl_capture *c, const uint8_t *p);
uint32_t capture_u32(const struct sl_capture *c, const uint8_t *p);
int capture_next_ng(struct sl_capture *c, struct sl_capture_pkt *pkt);

#endif
