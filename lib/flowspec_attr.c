// SPDX-License-Identifier: GPL-2.0
/* Traffic filtering actions: extended communities of RFC 8955 7 and of
 * RFC 8956 6. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "flowspec.h"

/* Type and subtype. */
#define RATE_BYTES	0x8006
#define TRAFFIC_ACTION	0x8007
#define MARKING		0x8009
#define RATE_PACKETS	0x800c
#define REDIRECT_IP	0x0800	/* draft-ietf-idr-flowspec-redirect-ip */
#define REDIRECT_IP4	0x010c
#define REDIRECT6_RT	0x000d	/* in the 20 bytes of IPv6 */
#define REDIRECT6_IP	0x000c

static uint16_t kind_of(const uint8_t *ext)
{
	return ext[0] << 8 | ext[1];
}

/* To a route target of AS, of IPv4 address, of 4-byte AS; to an address. */
static bool is_redirect(uint16_t kind)
{
	return kind == 0x8008 || kind == 0x8108 || kind == 0x8208 ||
	       kind == REDIRECT_IP || kind == REDIRECT_IP4;
}

bool sl_flowspec_is_action(const uint8_t ext[8])
{
	uint16_t kind = kind_of(ext);

	return kind == RATE_BYTES || kind == RATE_PACKETS ||
	       kind == TRAFFIC_ACTION || kind == MARKING || is_redirect(kind);
}

bool sl_flowspec_is_action6(const uint8_t ext6[20])
{
	uint16_t kind = kind_of(ext6);

	return kind == REDIRECT6_RT || kind == REDIRECT6_IP;
}

/* A rate a second; below zero means zero (RFC 8955 7.1). */
static int take_rate(const uint8_t *ext, bool *there, float *rate,
		     bool *conflict, char *why)
{
	uint32_t word = (uint32_t)ext[4] << 24 | ext[5] << 16 | ext[6] << 8 |
			ext[7];
	float v;

	memcpy(&v, &word, sizeof(v));
	if (isnan(v)) {
		snprintf(why, SL_FLOWSPEC_WHY_B, "a rate that is no number");
		return -EBADMSG;
	}
	if (v <= 0)
		v = 0;
	if (*there && *rate != v)
		*conflict = true;
	*there = true;
	*rate = v;
	return 0;
}

static int take(const uint8_t *ext, struct sl_flowspec_actions *a, char *why)
{
	uint16_t kind = kind_of(ext);

	if (kind == RATE_BYTES)
		return take_rate(ext, &a->bytes, &a->bytes_rate, &a->conflict,
				 why);
	if (kind == RATE_PACKETS)
		return take_rate(ext, &a->packets, &a->packets_rate,
				 &a->conflict, why);
	if (kind == TRAFFIC_ACTION) {
		a->go_on |= ext[7] & 0x1;
		a->sample |= ext[7] & 0x2;
	} else if (kind == MARKING) {
		a->conflict |= a->mark && a->dscp != (ext[7] & 0x3f);
		a->mark = true;
		a->dscp = ext[7] & 0x3f;
	} else if (is_redirect(kind)) {
		a->redirect = true;
	}
	return 0;
}

int sl_flowspec_actions(const uint8_t *ext, size_t ext_b, const uint8_t *ext6,
			size_t ext6_b, struct sl_flowspec_actions *out,
			char *why)
{
	struct sl_flowspec_actions a = {};
	size_t i;

	if (ext_b % 8 || ext6_b % 20) {
		snprintf(why, SL_FLOWSPEC_WHY_B, "extended communities of %zu "
			 "bytes", ext_b % 8 ? ext_b : ext6_b);
		return -EBADMSG;
	}
	for (i = 0; i < ext_b; i += 8)
		if (take(ext + i, &a, why))
			return -EBADMSG;
	for (i = 0; i < ext6_b; i += 20)
		a.redirect |= sl_flowspec_is_action6(ext6 + i);
	*out = a;
	return 0;
}

const char *sl_flowspec_action_text(const struct sl_flowspec_actions *a,
				    char *buf)
{
	char dscp[24] = "", bytes[48] = "", packets[48] = "";

	if (a->bytes)
		snprintf(bytes, sizeof(bytes), "rate %g B/s ",
			 (double)a->bytes_rate);
	if (a->packets)
		snprintf(packets, sizeof(packets), "rate %g packets/s ",
			 (double)a->packets_rate);
	if (a->mark)
		snprintf(dscp, sizeof(dscp), "mark dscp %u ", a->dscp);
	snprintf(buf, SL_FLOWSPEC_TEXT_B, "%s%s%s%s%s%s", bytes, packets, dscp,
		 a->redirect ? "redirect " : "", a->sample ? "sample " : "",
		 a->go_on ? "go on " : "");
	if (!buf[0])
		snprintf(buf, SL_FLOWSPEC_TEXT_B, "accept ");
	buf[strlen(buf) - 1] = '\0';
	return buf;
}
