/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Capture files: pcap (micro- and nanoseconds, both byte orders, the modified
 * format of old Linux) and pcapng, plain or gzipped.
 */
#ifndef SL_CAPTURE_H
#define SL_CAPTURE_H

#include <stdbool.h>
#include <stdint.h>

struct sl_capture;

struct sl_capture_pkt {
	uint64_t number;	/* from 1, as other tools count frames */
	uint64_t time_ns;	/* since the epoch */
	bool has_time;		/* false: a simple packet block of pcapng */
	uint16_t linktype;	/* LINKTYPE_* number */
	const uint8_t *data;	/* valid until the next call */
	uint32_t cap_b;		/* captured bytes */
	uint32_t wire_b;	/* on the wire, at least cap_b */
};

/* 0, or negative errno: -EINVAL not a capture, -errno of the file. */
int sl_capture_open(const char *path, struct sl_capture **out);
void sl_capture_close(struct sl_capture *c);
/* 1: *pkt filled; 0: end; what the file lacks is told by sl_capture_cut(). */
int sl_capture_next(struct sl_capture *c, struct sl_capture_pkt *pkt);
/* True when the file ended inside a record or a block was broken. */
bool sl_capture_cut(const struct sl_capture *c);

/*
 * Present a packet as Ethernet, as the XDP program needs it. 0 with *frame
 * (at most 3520 bytes; valid until the next call), *len_b and *wire_b, or
 * -EPROTONOSUPPORT (link type), -EMSGSIZE (too short to be a frame).
 */
int sl_capture_frame(struct sl_capture *c, const struct sl_capture_pkt *pkt,
		     const uint8_t **frame, uint32_t *len_b, uint32_t *wire_b);
/* Name of a link type ("IEEE802_11"), or NULL. */
const char *sl_linktype_name(uint16_t linktype);
bool sl_linktype_supported(uint16_t linktype);

#endif
