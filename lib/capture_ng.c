// SPDX-License-Identifier: GPL-2.0
/* pcapng (draft-ietf-opsawg-pcapng): sections, interfaces, packet blocks. */
#include <stdlib.h>
#include <string.h>
#include "capture_priv.h"

#define BLOCK_SECTION	0x0a0d0d0aU
#define BLOCK_IFACE	1
#define BLOCK_PACKET	2	/* obsolete */
#define BLOCK_SIMPLE	3
#define BLOCK_ENHANCED	6

static int broken(struct sl_capture *c)
{
	c->cut = true;
	return 0;
}

static uint64_t ticks_per_s(uint8_t resol)
{
	uint64_t v = 1;
	int i;

	if (resol & 0x80)
		return (resol & 0x7f) < 64 ? 1ULL << (resol & 0x7f) : 0;
	for (i = 0; i < resol && i < 19; i++)
		v *= 10;
	return resol < 20 ? v : 0;
}

/* Interface description: body from 8, options behind its 8 bytes. */
static bool add_iface(struct sl_capture *c, uint32_t end)
{
	struct ng_iface i = { .per_s = 1000000 }, *grown;
	uint32_t o = 16;

	if (end < 16)
		return false;
	i.linktype = capture_u16(c, c->buf + 8);
	i.snap_b = capture_u32(c, c->buf + 12);
	while (o + 4 <= end) {
		uint16_t code = capture_u16(c, c->buf + o);
		uint16_t len = capture_u16(c, c->buf + o + 2);

		if (!code || o + 4 + len > end)
			break;
		if (code == 9 && len >= 1)
			i.per_s = ticks_per_s(c->buf[o + 4]);
		if (code == 14 && len >= 8) {
			uint64_t a = capture_u32(c, c->buf + o + 4);
			uint64_t b = capture_u32(c, c->buf + o + 8);

			i.offset_s = c->big_endian ? a << 32 | b : b << 32 | a;
		}
		o += 4 + ((len + 3) & ~3U);
	}
	grown = realloc(c->ifaces, (c->n_ifaces + 1) * sizeof(i));
	if (!grown || !i.per_s)
		return false;
	c->ifaces = grown;
	c->ifaces[c->n_ifaces++] = i;
	return true;
}

/* Enhanced or obsolete packet block: 1 packet, 0 broken. */
static int packet(struct sl_capture *c, uint32_t type, uint32_t end,
		  struct sl_capture_pkt *pkt)
{
	const uint8_t *b = c->buf + 8;
	const struct ng_iface *i;
	uint32_t id, incl;
	uint64_t ticks;
	__int128 t;

	if (end < 28)
		return broken(c);
	id = type == BLOCK_ENHANCED ? capture_u32(c, b) : capture_u16(c, b);
	incl = capture_u32(c, b + 12);
	if (id >= c->n_ifaces || incl > end - 28)
		return broken(c);
	i = &c->ifaces[id];
	ticks = (uint64_t)capture_u32(c, b + 4) << 32 | capture_u32(c, b + 8);
	t = (__int128)ticks * 1000000000 / i->per_s +
	    (__int128)i->offset_s * 1000000000;
	/* before 1970 or beyond 2262: no clock ever said so */
	pkt->has_time = t >= 0 && t <= INT64_MAX;
	pkt->time_ns = pkt->has_time ? (uint64_t)t : 0;
	pkt->linktype = i->linktype;
	pkt->data = b + 20;
	pkt->cap_b = incl;
	pkt->wire_b = capture_u32(c, b + 16);
	if (pkt->wire_b < incl)
		pkt->wire_b = incl;
	return 1;
}

/* Simple packet block: no time, the first interface's link type. */
static int simple(struct sl_capture *c, uint32_t end,
		  struct sl_capture_pkt *pkt)
{
	uint32_t room, snap;

	if (end < 12 || !c->n_ifaces)
		return broken(c);
	room = end - 12;
	snap = c->ifaces[0].snap_b;
	pkt->wire_b = capture_u32(c, c->buf + 8);
	pkt->cap_b = pkt->wire_b < room ? pkt->wire_b : room;
	if (snap && pkt->cap_b > snap)
		pkt->cap_b = snap;
	pkt->time_ns = 0;
	pkt->has_time = false;
	pkt->linktype = c->ifaces[0].linktype;
	pkt->data = c->buf + 12;
	return 1;
}

/* A section header tells the byte order and forgets the interfaces. */
static bool section(struct sl_capture *c)
{
	if (!capture_need(c, 12))
		return false;
	if (!memcmp(c->buf + 8, "\x4d\x3c\x2b\x1a", 4))
		c->big_endian = false;
	else if (!memcmp(c->buf + 8, "\x1a\x2b\x3c\x4d", 4))
		c->big_endian = true;
	else
		return false;
	c->n_ifaces = 0;
	return true;
}

int capture_next_ng(struct sl_capture *c, struct sl_capture_pkt *pkt)
{
	uint32_t type, len;

	for (;;) {
		if (c->started)		/* open() left the first bytes here */
			capture_drop(c);
		c->started = true;
		if (!capture_need(c, 12)) {
			c->cut |= c->have != 0;
			return 0;
		}
		if (!memcmp(c->buf, "\x0a\x0d\x0d\x0a", 4) && !section(c))
			return broken(c);
		type = capture_u32(c, c->buf);
		len = capture_u32(c, c->buf + 4);
		if (len < 12 || len % 4 || !capture_need(c, len))
			return broken(c);
		if (type == BLOCK_IFACE && !add_iface(c, len - 4))
			return broken(c);
		if (type == BLOCK_ENHANCED || type == BLOCK_PACKET)
			return packet(c, type, len - 4, pkt);
		if (type == BLOCK_SIMPLE)
			return simple(c, len - 4, pkt);
	}
}
