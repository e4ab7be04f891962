// SPDX-License-Identifier: GPL-2.0
/* Capture files, read as a stream so that their size does not matter. zlib
 * reads plain and gzipped files alike. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include "capture_priv.h"

#define MAX_RECORD_B	(64U << 20)	/* a longer one is broken */
#define NS_PER_S	1000000000ULL

uint16_t capture_u16(const struct sl_capture *c, const uint8_t *p)
{
	return c->big_endian ? p[0] << 8 | p[1] : p[1] << 8 | p[0];
}

uint32_t capture_u32(const struct sl_capture *c, const uint8_t *p)
{
	uint32_t a = capture_u16(c, p), b = capture_u16(c, p + 2);

	return c->big_endian ? a << 16 | b : b << 16 | a;
}

/* Drop what was read, then have n bytes at c->buf. False: the file ends. */
bool capture_need(struct sl_capture *c, size_t n)
{
	uint8_t *grown;
	int got;

	if (n > MAX_RECORD_B)
		return false;
	if (n > c->room) {
		grown = realloc(c->buf, n + 65536);
		if (!grown)
			return false;
		c->buf = grown;
		c->room = n + 65536;
	}
	while (c->have < n) {
		got = gzread(c->file, c->buf + c->have, n - c->have);
		if (got <= 0)
			return false;
		c->have += got;
	}
	return true;
}

void capture_drop(struct sl_capture *c)
{
	c->have = 0;
}

/* --- pcap --- */
static const struct {
	uint32_t magic;
	bool ns, modified;
} magics[] = {
	{ 0xa1b2c3d4, false, false }, { 0xa1b23c4d, true, false },
	{ 0xa1b2cd34, false, true },
};

static int open_pcap(struct sl_capture *c)
{
	size_t i;

	for (i = 0; i < sizeof(magics) / sizeof(magics[0]); i++) {
		for (c->big_endian = false;; c->big_endian = true) {
			if (capture_u32(c, c->buf) == magics[i].magic)
				goto found;
			if (c->big_endian)
				break;
		}
	}
	return -EINVAL;
found:
	c->tick_ns = magics[i].ns ? 1 : 1000;
	c->extra_b = magics[i].modified ? 8 : 0;
	if (!capture_need(c, 24)) {
		c->cut = c->ended = true;
		return 0;
	}
	c->swapped = capture_u16(c, c->buf + 4) < 2 ||
		     (capture_u16(c, c->buf + 4) == 2 &&
		      capture_u16(c, c->buf + 6) < 3);
	c->maybe_swapped = capture_u16(c, c->buf + 4) == 2 &&
			   capture_u16(c, c->buf + 6) == 3;
	c->linktype = capture_u32(c, c->buf + 20) & 0xffff;
	capture_drop(c);
	return 0;
}

/* Old files have the two lengths of a record the other way round. */
static int next_pcap(struct sl_capture *c, struct sl_capture_pkt *pkt)
{
	uint32_t head_b = 16 + c->extra_b, incl, orig, t;

	capture_drop(c);
	if (!capture_need(c, head_b)) {
		c->cut = c->have != 0;
		return 0;
	}
	pkt->time_ns = capture_u32(c, c->buf) * NS_PER_S +
		       (uint64_t)capture_u32(c, c->buf + 4) * c->tick_ns;
	incl = capture_u32(c, c->buf + 8);
	orig = capture_u32(c, c->buf + 12);
	if (c->swapped || (c->maybe_swapped && incl > orig)) {
		t = incl;
		incl = orig;
		orig = t;
	}
	if (incl > MAX_RECORD_B || !capture_need(c, head_b + incl)) {
		c->cut = true;
		return 0;
	}
	pkt->has_time = true;
	pkt->linktype = c->linktype;
	pkt->data = c->buf + head_b;
	pkt->cap_b = incl;
	pkt->wire_b = orig > incl ? orig : incl;
	return 1;
}

int sl_capture_open(const char *path, struct sl_capture **out)
{
	struct sl_capture *c = calloc(1, sizeof(*c));
	int rc = 0;

	if (!c)
		return -ENOMEM;
	errno = 0;
	c->file = gzopen(path, "rb");
	if (!c->file) {
		rc = errno ? -errno : -ENOMEM;
	} else if (!capture_need(c, 4)) {
		gzerror(c->file, &rc);
		rc = rc == Z_ERRNO ? -errno : -EINVAL;
	} else if (!memcmp(c->buf, "\x0a\x0d\x0d\x0a", 4)) {
		c->ng = true;
	} else {
		rc = open_pcap(c);
	}
	if (rc) {
		sl_capture_close(c);
		return rc;
	}
	*out = c;
	return 0;
}

void sl_capture_close(struct sl_capture *c)
{
	if (!c)
		return;
	if (c->file)
		gzclose(c->file);
	free(c->buf);
	free(c->ifaces);
	free(c);
}

int sl_capture_next(struct sl_capture *c, struct sl_capture_pkt *pkt)
{
	int rc;

	if (c->ended)
		return 0;
	rc = c->ng ? capture_next_ng(c, pkt) : next_pcap(c, pkt);
	if (rc)
		pkt->number = ++c->count;
	else
		c->ended = true;
	return rc;
}

bool sl_capture_cut(const struct sl_capture *c)
{
	return c->cut;
}
