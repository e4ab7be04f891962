// SPDX-License-Identifier: GPL-2.0
/*
 * An UPDATE's body (RFC 4271 4.3) as far as FlowSpec and blackholes go. What is
 * malformed takes the routes that are known back (RFC 7606, treat-as-withdraw);
 * routes of other updates stay as they are.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "bgp.h"

#define ATTR_COMMUNITY	8
#define ATTR_REACH	14
#define ATTR_UNREACH	15
#define ATTR_EXT	16
#define ATTR_EXT6	25
#define ATTR_LONG	0x10	/* flag: two bytes of length */

#define SAFI_UNICAST	1
#define SAFI_FLOWSPEC	133
#define BLACKHOLE	0xffff029aU	/* 65535:666, RFC 7999 */

struct bytes {
	const uint8_t *b;
	size_t n;
};

struct update {
	struct sl_bgp_event e;		/* peer, and what all routes share */
	sl_bgp_sink sink;
	void *arg;
	struct bytes attr[ATTR_EXT6 + 1];
	struct bytes withdrawn, nlri;	/* IPv4 unicast */
	bool blackhole;
	bool bad;			/* announces are withdraws */
	uint8_t ext[SL_BGP_EXT_B], ext6[SL_BGP_EXT6_B];
};

static void odd(struct update *u, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
static void odd(struct update *u, const char *fmt, ...)
{
	struct sl_bgp_event e = { .op = SL_BGP_ODD };
	va_list ap;

	memcpy(e.peer, u->e.peer, sizeof(e.peer));
	va_start(ap, fmt);
	vsnprintf(e.text, sizeof(e.text), fmt, ap);
	va_end(ap);
	u->sink(u->arg, &e);
}

static bool want_attr(unsigned int type)
{
	return type == ATTR_COMMUNITY || type == ATTR_REACH ||
	       type == ATTR_UNREACH || type == ATTR_EXT || type == ATTR_EXT6;
}

/* The attributes that matter; false when their lengths do not add up. */
static bool read_attrs(struct update *u, const uint8_t *b, size_t n)
{
	size_t head, len;

	while (n) {
		head = n > 1 && b[0] & ATTR_LONG ? 4 : 3;
		if (n < head)
			return false;
		len = head == 4 ? b[2] << 8 | b[3] : b[2];
		if (n - head < len)
			return false;
		if (want_attr(b[1]) && u->attr[b[1]].b) {
			odd(u, "attribute %u twice; the first one counts",
			    b[1]);
			u->bad |= b[1] == ATTR_REACH || b[1] == ATTR_UNREACH;
		} else if (want_attr(b[1])) {
			u->attr[b[1]] = (struct bytes){ b + head, len };
		}
		b += head + len;
		n -= head + len;
	}
	return true;
}

static void read_communities(struct update *u)
{
	const struct bytes *c = &u->attr[ATTR_COMMUNITY];
	uint32_t v;
	size_t i;

	if (c->n % 4) {
		odd(u, "communities of %zu bytes", c->n);
		u->bad = true;
	}
	for (i = 0; i + 4 <= c->n; i += 4) {
		memcpy(&v, c->b + i, 4);
		u->blackhole |= ntohl(v) == BLACKHOLE;
	}
}

/* The action communities among all, each once, in out; their bytes. */
static size_t keep_actions(struct update *u, const struct bytes *all,
			   size_t one_b, uint8_t *out, size_t room_b)
{
	size_t i, k, n = 0;
	const uint8_t *c;

	if (all->n % one_b) {
		odd(u, "extended communities of %zu bytes", all->n);
		u->bad = true;
	}
	for (i = 0; i + one_b <= all->n; i += one_b) {
		c = all->b + i;
		if (!(one_b == 8 ? sl_flowspec_is_action(c) :
		      sl_flowspec_is_action6(c)))
			continue;
		for (k = 0; k < n && memcmp(out + k, c, one_b); k += one_b)
			;
		if (k < n)
			continue;
		if (n + one_b > room_b) {
			odd(u, "over %zu different actions", room_b / one_b);
			u->bad = true;
			break;
		}
		memcpy(out + n, c, one_b);
		n += one_b;
	}
	return n;
}

static void emit(struct update *u, enum sl_bgp_op op, enum sl_bgp_kind kind,
		 int family, const uint8_t *key, size_t key_b)
{
	struct sl_bgp_event e = u->e;

	/* a unicast route that is no blackhole replaces one that was */
	if (op == SL_BGP_ANNOUNCE &&
	    (u->bad || (kind == SL_BGP_RTBH && !u->blackhole)))
		op = SL_BGP_WITHDRAW;
	e.op = op;
	e.kind = kind;
	e.family = family;
	e.key = key;
	e.key_b = key_b;
	if (op == SL_BGP_ANNOUNCE && kind == SL_BGP_FLOWSPEC) {
		e.ext = u->ext;
		e.ext6 = u->ext6;
	} else {
		e.ext_b = e.ext6_b = 0;
	}
	u->sink(u->arg, &e);
}

/* The route at the head of a list; bytes taken, or -EBADMSG. */
static int frame(enum sl_bgp_kind kind, int family, struct bytes l,
		 struct bytes *key)
{
	size_t n;

	if (kind == SL_BGP_FLOWSPEC)
		return sl_flowspec_frame(l.b, l.n, &key->b, &key->n);
	if (!l.n || l.b[0] > (family == 4 ? 32 : 128))
		return -EBADMSG;
	n = 1 + (l.b[0] + 7) / 8;
	if (n > l.n)
		return -EBADMSG;
	*key = (struct bytes){ l.b, n };
	return n;
}

/* Every route of a list. Where the list is broken, what it announced so far is
 * withdrawn, since no later update may mend it. */
static void each(struct update *u, enum sl_bgp_op op, enum sl_bgp_kind kind,
		 int family, struct bytes list)
{
	struct bytes l = list, key;
	bool was_bad = u->bad;
	int n;

	for (; l.n; l.b += n, l.n -= n) {
		n = frame(kind, family, l, &key);
		if (n < 0) {
			odd(u, "the list of routes is broken %zu bytes before "
			    "its end", l.n);
			u->bad |= op == SL_BGP_ANNOUNCE;
			break;
		}
	}
	for (l = list; l.n; l.b += n, l.n -= n) {
		n = frame(kind, family, l, &key);
		if (n < 0)
			break;
		emit(u, op, kind, family, key.b, key.n);
	}
	u->bad = was_bad;
}

/* Family and kind of a multiprotocol attribute; false: not ours. */
static bool of_family(const struct bytes *a, int *family,
		      enum sl_bgp_kind *kind)
{
	unsigned int afi = a->b[0] << 8 | a->b[1];

	if ((afi != 1 && afi != 2) ||
	    (a->b[2] != SAFI_UNICAST && a->b[2] != SAFI_FLOWSPEC))
		return false;
	*family = afi == 1 ? 4 : 6;
	*kind = a->b[2] == SAFI_UNICAST ? SL_BGP_RTBH : SL_BGP_FLOWSPEC;
	return true;
}

static void unreach(struct update *u, const struct bytes *a)
{
	enum sl_bgp_kind kind;
	int family;

	if (a->n < 3) {
		odd(u, "MP_UNREACH_NLRI of %zu bytes", a->n);
		return;
	}
	if (!of_family(a, &family, &kind))
		return;
	if (a->n == 3)
		emit(u, SL_BGP_EOR, kind, family, NULL, 0);
	else
		each(u, SL_BGP_WITHDRAW, kind, family,
		     (struct bytes){ a->b + 3, a->n - 3 });
}

static void reach(struct update *u, const struct bytes *a)
{
	enum sl_bgp_kind kind;
	size_t head;
	int family;

	if (a->n < 5 || a->n < 5U + a->b[3]) {
		odd(u, "MP_REACH_NLRI of %zu bytes", a->n);
		return;
	}
	if (!of_family(a, &family, &kind))
		return;
	head = 5 + a->b[3];	/* next hop, and a reserved byte */
	each(u, SL_BGP_ANNOUNCE, kind, family,
	     (struct bytes){ a->b + head, a->n - head });
}

/* The parts of the body; false: their lengths do not add up. */
static bool split(struct update *u, const uint8_t *b, size_t n,
		  struct bytes *attrs)
{
	size_t withdrawn_b, attrs_b;

	if (n < 4)
		return false;
	withdrawn_b = b[0] << 8 | b[1];
	if (n - 4 < withdrawn_b)
		return false;
	u->withdrawn = (struct bytes){ b + 2, withdrawn_b };
	b += 2 + withdrawn_b;
	n -= 2 + withdrawn_b;
	attrs_b = b[0] << 8 | b[1];
	if (n - 2 < attrs_b)
		return false;
	*attrs = (struct bytes){ b + 2, attrs_b };
	u->nlri = (struct bytes){ b + 2 + attrs_b, n - 2 - attrs_b };
	return true;
}

void sl_bgp_update(const char *peer, const uint8_t *body, size_t body_b,
		   sl_bgp_sink sink, void *arg)
{
	struct update u = { .sink = sink, .arg = arg };
	struct bytes attrs;

	snprintf(u.e.peer, sizeof(u.e.peer), "%s", peer);
	if (!split(&u, body, body_b, &attrs)) {
		odd(&u, "an UPDATE of %zu bytes whose lengths do not add up",
		    body_b);
		return;
	}
	if (!u.withdrawn.n && !attrs.n && !u.nlri.n) {
		emit(&u, SL_BGP_EOR, SL_BGP_RTBH, 4, NULL, 0);
		return;
	}
	if (!read_attrs(&u, attrs.b, attrs.n)) {
		odd(&u, "attributes whose lengths do not add up");
		u.bad = true;
	}
	read_communities(&u);
	u.e.ext_b = keep_actions(&u, &u.attr[ATTR_EXT], 8, u.ext,
				 sizeof(u.ext));
	u.e.ext6_b = keep_actions(&u, &u.attr[ATTR_EXT6], 20, u.ext6,
				  sizeof(u.ext6));
	each(&u, SL_BGP_WITHDRAW, SL_BGP_RTBH, 4, u.withdrawn);
	if (u.attr[ATTR_UNREACH].b)
		unreach(&u, &u.attr[ATTR_UNREACH]);
	if (u.attr[ATTR_REACH].b)
		reach(&u, &u.attr[ATTR_REACH]);
	each(&u, SL_BGP_ANNOUNCE, SL_BGP_RTBH, 4, u.nlri);
}

int sl_bgp_prefix(int family, const uint8_t *key, size_t key_b,
		  struct sl_prefix *out)
{
	struct sl_prefix p = { .family = family };
	unsigned int i, max = family == 4 ? 32 : 128;

	if (!key_b || key[0] > max || key_b != 1U + (key[0] + 7) / 8)
		return -EBADMSG;
	p.len = key[0];
	for (i = 0; i < p.len; i++)
		p.addr[i / 8] |= key[1 + i / 8] & 0x80 >> i % 8;
	*out = p;
	return 0;
}

bool sl_bgp_peer_name(const char *text, char out[SL_FLOWSPEC_PEER_B])
{
	struct in6_addr addr;

	if (!text || !*text || !strcmp(text, "<nil>"))
		text = "local";
	else if (inet_pton(AF_INET, text, &addr) != 1 &&
		 inet_pton(AF_INET6, text, &addr) != 1 && strcmp(text, "local"))
		return false;
	if (strlen(text) >= SL_FLOWSPEC_PEER_B)
		return false;
	strcpy(out, text);
	return true;
}
