/* SPDX-License-Identifier: GPL-2.0 */
/* Build packets for the fixtures: layers are put one behind the other; the
 * lengths of IP and UDP headers are mended when the frame is done. */
#ifndef SL_TEST_BUILD_H
#define SL_TEST_BUILD_H

#include <arpa/inet.h>
#include <stdint.h>
#include <string.h>

struct frame {
	uint8_t b[4096];
	unsigned int len;
	unsigned int len_at[16], len_from[16], n_len;	/* 16-bit lengths */
};

static inline void put(struct frame *f, const void *p, unsigned int n)
{
	memcpy(f->b + f->len, p, n);
	f->len += n;
}

static inline void put8(struct frame *f, unsigned int v)
{
	f->b[f->len++] = v;
}

static inline void put16(struct frame *f, unsigned int v)
{
	put8(f, v >> 8 & 0xff);
	put8(f, v & 0xff);
}

static inline void put32(struct frame *f, uint32_t v)
{
	put16(f, v >> 16);
	put16(f, v & 0xffff);
}

static inline void eth(struct frame *f, unsigned int etype)
{
	put(f, "\2\0\0\0\0\1\2\0\0\0\0\2", 12);
	put16(f, etype);
}

static inline void tag(struct frame *f, unsigned int vlan, unsigned int etype)
{
	put16(f, vlan);
	put16(f, etype);
}

/* The length field at `at` counts from `from` to the frame's end. */
static inline void length(struct frame *f, unsigned int at, unsigned int from)
{
	f->len_at[f->n_len] = at;
	f->len_from[f->n_len++] = from;
}

static inline void ip4(struct frame *f, const char *src, const char *dst,
		       unsigned int proto, unsigned int frag)
{
	unsigned int start = f->len;
	struct in_addr a;

	put16(f, 0x4500);
	put16(f, 0);
	put16(f, 1);
	put16(f, frag);
	put8(f, 64);
	put8(f, proto);
	put16(f, 0);
	inet_pton(AF_INET, src, &a);
	put(f, &a, 4);
	inet_pton(AF_INET, dst, &a);
	put(f, &a, 4);
	length(f, start + 2, start);
}

static inline void ip6(struct frame *f, const char *src, const char *dst,
		       unsigned int next)
{
	unsigned int start = f->len;
	struct in6_addr a;

	put32(f, 0x60000000);
	put16(f, 0);
	put8(f, next);
	put8(f, 64);
	inet_pton(AF_INET6, src, &a);
	put(f, &a, 16);
	inet_pton(AF_INET6, dst, &a);
	put(f, &a, 16);
	length(f, start + 4, start + 40);
}

static inline void udp(struct frame *f, unsigned int sport, unsigned int dport)
{
	unsigned int start = f->len;

	put16(f, sport);
	put16(f, dport);
	put16(f, 0);
	put16(f, 0);
	length(f, start + 4, start);
}

/* A TCP header; tsval != 0 adds NOP NOP and the time stamp option. */
static inline void tcp(struct frame *f, unsigned int sport, unsigned int dport,
		       uint32_t seq, uint32_t ack, unsigned int flags,
		       uint32_t tsval, uint32_t tsecr)
{
	put16(f, sport);
	put16(f, dport);
	put32(f, seq);
	put32(f, ack);
	put8(f, tsval ? 0x80 : 0x50);
	put8(f, flags);
	put16(f, 1000);
	put32(f, 0);
	if (!tsval)
		return;
	put32(f, 0x0101080a);
	put32(f, tsval);
	put32(f, tsecr);
}

static inline void echo(struct frame *f, unsigned int type, unsigned int id,
			unsigned int seq)
{
	put8(f, type);
	put8(f, 0);
	put16(f, 0);
	put16(f, id);
	put16(f, seq);
}

static inline void payload(struct frame *f, unsigned int n)
{
	memset(f->b + f->len, 'x', n);
	f->len += n;
}

static inline void done(struct frame *f)
{
	while (f->n_len--) {
		unsigned int v = f->len - f->len_from[f->n_len];

		f->b[f->len_at[f->n_len]] = v >> 8;
		f->b[f->len_at[f->n_len] + 1] = v;
	}
	f->n_len = 0;
}

#endif
