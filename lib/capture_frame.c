// SPDX-License-Identifier: GPL-2.0
/* Present a captured packet as the Ethernet frame that the XDP program
 * needs. Link types: https://www.tcpdump.org/linktypes.html */
#include <errno.h>
#include <string.h>
#include "capture_priv.h"

enum { LT_NULL = 0, LT_ETHERNET = 1, LT_RAW_OLD = 12, LT_RAW_BSD = 14,
       LT_RAW = 101, LT_LOOP = 108, LT_SLL = 113, LT_IPV4 = 228,
       LT_IPV6 = 229, LT_SLL2 = 276 };

static const struct {
	uint16_t number;
	const char *name;
} names[] = {
	{ LT_NULL, "NULL" }, { LT_ETHERNET, "ETHERNET" },
	{ LT_RAW_OLD, "RAW" }, { LT_RAW_BSD, "RAW" }, { LT_RAW, "RAW" },
	{ LT_LOOP, "LOOP" }, { LT_SLL, "LINUX_SLL" }, { LT_IPV4, "IPV4" },
	{ LT_IPV6, "IPV6" }, { LT_SLL2, "LINUX_SLL2" },
	{ 6, "IEEE802_5" }, { 9, "PPP" }, { 10, "FDDI" },
	{ 50, "PPP_HDLC" }, { 51, "PPP_ETHER" }, { 104, "C_HDLC" },
	{ 105, "IEEE802_11" }, { 107, "FRELAY" }, { 109, "ENC" },
	{ 117, "PFLOG" }, { 119, "IEEE802_11_PRISM" },
	{ 127, "IEEE802_11_RADIOTAP" }, { 147, "USER0" },
	{ 163, "IEEE802_11_AVS" }, { 189, "USB_LINUX" },
	{ 192, "PPI" }, { 195, "IEEE802_15_4" }, { 219, "MPLS" },
	{ 220, "USB_LINUX_MMAPPED" }, { 239, "NFLOG" }, { 249, "USBPCAP" },
};

const char *sl_linktype_name(uint16_t linktype)
{
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].number == linktype)
			return names[i].name;
	return NULL;
}

bool sl_linktype_supported(uint16_t linktype)
{
	switch (linktype) {
	case LT_NULL: case LT_ETHERNET: case LT_RAW_OLD: case LT_RAW_BSD:
	case LT_RAW: case LT_LOOP: case LT_SLL: case LT_IPV4: case LT_IPV6:
	case LT_SLL2:
		return true;
	}
	return false;
}

/* Bytes of link header to take off, and the EtherType of what follows. The
 * IP version nibble decides where the link header does not say. */
static int peel(const struct sl_capture_pkt *p, uint32_t *skip_b,
		uint16_t *etype)
{
	const uint8_t *d = p->data;

	*etype = 0;
	switch (p->linktype) {
	case LT_NULL: case LT_LOOP:
		*skip_b = 4;
		break;
	case LT_SLL:
		*skip_b = 16;
		if (p->cap_b >= 16)
			*etype = d[14] << 8 | d[15];
		break;
	case LT_SLL2:
		*skip_b = 20;
		if (p->cap_b >= 20)
			*etype = d[0] << 8 | d[1];
		break;
	case LT_IPV4:
		*skip_b = 0;
		*etype = 0x0800;
		break;
	case LT_IPV6:
		*skip_b = 0;
		*etype = 0x86dd;
		break;
	default:
		*skip_b = 0;
	}
	if (p->cap_b <= *skip_b)
		return -EMSGSIZE;
	if (!*etype && p->linktype != LT_SLL && p->linktype != LT_SLL2)
		*etype = d[*skip_b] >> 4 == 6 ? 0x86dd : 0x0800;
	return 0;
}

int sl_capture_frame(struct sl_capture *c, const struct sl_capture_pkt *pkt,
		     const uint8_t **frame, uint32_t *len_b, uint32_t *wire_b)
{
	uint32_t skip_b, n;
	uint16_t etype;
	int rc;

	if (!sl_linktype_supported(pkt->linktype))
		return -EPROTONOSUPPORT;
	if (pkt->linktype == LT_ETHERNET) {
		if (pkt->cap_b < 14)
			return -EMSGSIZE;
		*frame = pkt->data;
		*len_b = pkt->cap_b < SL_FRAME_MAX_B ? pkt->cap_b :
						       SL_FRAME_MAX_B;
		*wire_b = pkt->wire_b;
		return 0;
	}
	rc = peel(pkt, &skip_b, &etype);
	if (rc)
		return rc;
	n = pkt->cap_b - skip_b;
	if (n > SL_FRAME_MAX_B - 14)
		n = SL_FRAME_MAX_B - 14;
	memset(c->frame, 0, 12);
	c->frame[12] = etype >> 8;
	c->frame[13] = etype & 0xff;
	memcpy(c->frame + 14, pkt->data + skip_b, n);
	*frame = c->frame;
	*len_b = n + 14;
	*wire_b = pkt->wire_b - skip_b + 14;
	return 0;
}
