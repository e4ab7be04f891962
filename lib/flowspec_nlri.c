// SPDX-License-Identifier: GPL-2.0
/* FlowSpec NLRI: framing and components. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "flowspec.h"

#define OP_END	0x80		/* the component's last operator */

static int bad(char *why, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
static int bad(char *why, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, SL_FLOWSPEC_WHY_B, fmt, ap);
	va_end(ap);
	return -EBADMSG;
}

int sl_flowspec_frame(const uint8_t *list, size_t list_b, const uint8_t **nlri,
		      size_t *nlri_b)
{
	size_t head_b, len_b;

	if (!list_b)
		return -EBADMSG;
	head_b = list[0] < 0xf0 ? 1 : 2;
	if (list_b < head_b)
		return -EBADMSG;
	len_b = head_b == 1 ? list[0] : (list[0] & 0xf) << 8 | list[1];
	if (list_b - head_b < len_b)
		return -EBADMSG;
	*nlri = list + head_b;
	*nlri_b = len_b;
	return head_b + len_b;
}

/* Clear what lies behind the last bit: RFC 8955 has it ignored. */
static void trim(uint8_t *addr, unsigned int bits)
{
	if (bits % 8)
		addr[bits / 8] &= 0xff << (8 - bits % 8);
}

static int take_prefix4(struct sl_flowspec *f, int type, const uint8_t *v,
			size_t room_b, char *why)
{
	struct sl_prefix *p = &f->prefix[type];
	size_t n = (v[0] + 7) / 8;

	if (v[0] > 32)
		return bad(why, "component %d: IPv4 prefix length %u", type,
			   v[0]);
	if (room_b < 1 + n)
		return bad(why, "component %d ends inside its prefix", type);
	p->family = 4;
	p->len = v[0];
	memcpy(p->addr, v + 1, n);
	trim(p->addr, p->len);
	return 1 + n;
}

/* Length, offset, and the bits between, from the left (RFC 8956 3.1). */
static int take_prefix6(struct sl_flowspec *f, int type, const uint8_t *v,
			size_t room_b, char *why)
{
	struct sl_prefix *p = &f->prefix[type];
	unsigned int bits, i;
	size_t n;

	if (room_b < 2)
		return bad(why, "component %d ends inside its prefix", type);
	if (v[0] > 128 || (v[1] && v[1] >= v[0]))
		return bad(why, "component %d: IPv6 prefix length %u, offset "
			   "%u", type, v[0], v[1]);
	bits = v[0] - v[1];
	n = (bits + 7) / 8;
	if (room_b < 2 + n)
		return bad(why, "component %d ends inside its prefix", type);
	p->family = 6;
	p->len = v[0];
	f->offset[type] = v[1];
	for (i = 0; i < bits; i++)
		if (v[2 + i / 8] & 0x80 >> i % 8)
			p->addr[(v[1] + i) / 8] |= 0x80 >> (v[1] + i) % 8;
	return 2 + n;
}

/* Lengths that a component's values may have, 1 << code, as a bit set. */
static unsigned int lengths_of(int type)
{
	switch (type) {
	case SL_FS_TCP_FLAGS: return 0x3;
	case SL_FS_DSCP:
	case SL_FS_FRAGMENT: return 0x1;
	default: return 0xf;
	}
}

static int take_ops(int type, const uint8_t *v, size_t room_b, char *why)
{
	unsigned int ops = 0;
	size_t at = 0;
	uint8_t op;

	do {
		if (at >= room_b)
			return bad(why, "component %d has no last operator",
				   type);
		if (++ops > SL_FLOWSPEC_MAX_OPS)
			return bad(why, "component %d has over %d operators",
				   type, SL_FLOWSPEC_MAX_OPS);
		op = v[at];
		if (!(lengths_of(type) >> (op >> 4 & 3) & 1))
			return bad(why, "component %d has a value of %u bytes",
				   type, 1U << (op >> 4 & 3));
		at += 1 + (1U << (op >> 4 & 3));
		if (at > room_b)
			return bad(why, "component %d ends inside a value",
				   type);
	} while (!(op & OP_END));
	return at;
}

int sl_flowspec_decode(int family, const uint8_t *nlri, size_t nlri_b,
		       struct sl_flowspec *out, char *why)
{
	struct sl_flowspec f = { .family = family, .raw = nlri,
				 .raw_b = nlri_b };
	int last = family == 4 ? SL_FS_FRAGMENT : SL_FS_FLOW_LABEL;
	int type, before = 0, n;
	size_t at = 0;

	if (!nlri_b || nlri_b > SL_FLOWSPEC_MAX_B)
		return bad(why, "an NLRI of %zu bytes", nlri_b);
	for (; at < nlri_b; before = type) {
		type = nlri[at++];
		if (!type || type > last)
			return bad(why, "unknown component %d", type);
		if (type <= before)
			return bad(why, "component %d behind component %d",
				   type, before);
		if (at == nlri_b)
			return bad(why, "component %d has no value", type);
		if (type > SL_FS_SRC)
			n = take_ops(type, nlri + at, nlri_b - at, why);
		else if (family == 4)
			n = take_prefix4(&f, type, nlri + at, nlri_b - at, why);
		else
			n = take_prefix6(&f, type, nlri + at, nlri_b - at, why);
		if (n < 0)
			return n;
		f.at[type] = at;
		f.len_b[type] = n;
		at += n;
	}
	*out = f;
	return 0;
}
