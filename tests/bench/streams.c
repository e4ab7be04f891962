// SPDX-License-Identifier: GPL-2.0
/* Which packets each row sees: the home side from 4,096 addresses, the remote
 * side random. */
#include <stdlib.h>
#include <string.h>
#include "bench.h"

static struct bench_step *new_steps(struct stream *s, uint32_t n)
{
	struct bench_step *steps = calloc(n, sizeof(*steps));

	if (!steps)
		die("out of memory");
	s->steps = steps;
	s->n = n;
	return steps;
}

static void frame4(struct stream *s, int proto, unsigned int len)
{
	uint8_t *f = s->frame;

	memset(f, 0, sizeof(s->frame));
	memcpy(f, "\2\0\0\0\0\1\2\0\0\0\0\2\10\0", 14);
	f[14] = 0x45;
	f[17] = len - 14;
	f[22] = 64;
	f[23] = proto;
	s->len = len;
}

static uint32_t home4(struct bench *b)
{
	return __builtin_bswap32(HOME4 | (bench_random(b) & 4095));
}

/* UDP of no protocol that is measured. */
static void frame_udp(struct stream *s)
{
	frame4(s, 17, 64);
	s->frame[39] = 64 - 34;		/* UDP length */
}

void stream_ignored(struct bench *b, struct stream *s)
{
	struct bench_step *st = new_steps(s, BENCH_STEPS);
	struct sl_prefix p, host = { .family = 4, .len = 32 };
	uint32_t i, a;

	frame_udp(s);
	for (i = 0; i < s->n; i++) {
		do {			/* not one of the blocked hosts */
			a = __builtin_bswap32(tables_hit4(b));
			memcpy(host.addr, &a, 4);
		} while (sl_pset_covers(&b->hosts, &host, &p));
		st[i].src[0] = home4(b);
		st[i].dst[0] = a;
		st[i].sport = st[i].dport = __builtin_bswap16(40000 + i % 997);
	}
}

void stream_drop(struct bench *b, struct stream *s, size_t hosts)
{
	struct bench_step *st = new_steps(s, BENCH_STEPS);
	uint32_t i;

	frame_udp(s);
	for (i = 0; i < s->n; i++) {
		st[i].src[0] = home4(b);
		st[i].dst[0] = __builtin_bswap32(
			b->hosts.v4[bench_random(b) % hosts] >> 8);
		st[i].sport = st[i].dport = __builtin_bswap16(40000);
	}
}

void stream_ignored6(struct bench *b, struct stream *s)
{
	struct bench_step *st = new_steps(s, BENCH_STEPS);
	uint8_t *f = s->frame;
	uint32_t i;

	memset(f, 0, sizeof(s->frame));
	memcpy(f, "\2\0\0\0\0\1\2\0\0\0\0\2\206\335", 14);
	f[14] = 0x60;
	f[19] = 40;
	f[20] = 17;
	f[21] = 64;
	f[59] = 40;			/* UDP length */
	s->len = 94;
	for (i = 0; i < s->n; i++) {
		st[i].src[0] = __builtin_bswap32(0x20010db8);
		st[i].src[3] = __builtin_bswap32(bench_random(b) & 4095);
		tables_hit6(b, st[i].dst);
	}
}

/* FLOWS flows, each an address and a port of its own. */
static void make_flow(struct bench *b, struct bench_step *out,
		      struct bench_step *back, uint32_t i)
{
	memset(out, 0, sizeof(*out));
	memset(back, 0, sizeof(*back));
	out->src[0] = back->dst[0] = home4(b);
	out->dst[0] = back->src[0] = __builtin_bswap32(
		0xcb007100U | (bench_random(b) & 255));	/* 203.0.113.0/24 */
	out->sport = back->dport = __builtin_bswap16(1024 + i % 60000);
	out->dport = back->sport = __builtin_bswap16(443);
	out->flags = back->flags = 0x10;
	out->ip_len = back->ip_len = 52;	/* pure ACKs */
	out->seq = 1000;
	back->seq = 5000;
}

static void frame_tcp(struct stream *s)
{
	frame4(s, 6, 66 + 32);
	s->frame[46] = 0x80;		/* 32 bytes of header */
	s->frame[48] = 2;		/* an open window */
	s->frame[54] = s->frame[55] = 1;
	s->frame[56] = 8;
	s->frame[57] = 10;
}

static void shuffle(struct bench *b, struct bench_step *st, uint32_t pairs)
{
	struct bench_step t[2];
	uint32_t i, k;

	for (i = pairs - 1; i; i--) {
		k = bench_random(b) % (i + 1);
		memcpy(t, &st[2 * i], sizeof(t));
		memcpy(&st[2 * i], &st[2 * k], sizeof(t));
		memcpy(&st[2 * k], t, sizeof(t));
	}
}

/* The pass is added to TSval, TSecr and sequence. Tracked: a pure ACK each way
 * with the time of a pass long gone, so nothing is stamped or answered. */
void stream_tracked(struct bench *b, struct stream *s)
{
	struct bench_step *st = new_steps(s, 2 * FLOWS);
	uint32_t i;

	frame_tcp(s);
	for (i = 0; i < FLOWS; i++) {
		make_flow(b, &st[2 * i], &st[2 * i + 1], i);
		st[2 * i].tsval = st[2 * i + 1].tsval = 100000;
		st[2 * i].tsecr = st[2 * i + 1].tsecr = 50;
	}
	shuffle(b, st, FLOWS);
}

/* A pair: data from home with a new TSval, and the ACK that returns it. */
void stream_pair(struct bench *b, struct stream *s)
{
	struct bench_step *st = new_steps(s, 2 * FLOWS);
	uint32_t i;

	frame_tcp(s);
	for (i = 0; i < FLOWS; i++) {
		make_flow(b, &st[2 * i], &st[2 * i + 1], i);
		st[2 * i].tsval = st[2 * i + 1].tsecr = 500000;
		st[2 * i].ip_len = 84;
		st[2 * i + 1].tsval = 100000;
		st[2 * i].tsecr = 50;
	}
	shuffle(b, st, FLOWS);
}

/* A spoofed SYN from abroad. */
static void make_syn(struct bench *b, struct bench_step *s)
{
	memset(s, 0, sizeof(*s));
	s->src[0] = bench_random(b);
	s->dst[0] = home4(b);
	s->sport = bench_random(b);
	s->dport = __builtin_bswap16(443);
	s->flags = 0x02;
	s->ip_len = 52;
	s->seq = bench_random(b);
	s->tsval = 1;
}

/* The pairs of stream_pair(), and `times` table sizes of spoofed SYNs between
 * data and answer of them. */
void stream_flood(struct bench *b, struct stream *s, const struct stream *pair,
		  unsigned int times)
{
	uint32_t lines = sl_dp_settings(b->dp)->n_flow_sets * SL_FLOW_WAYS;
	uint32_t each = (times * lines + FLOWS - 1) / FLOWS, i, k;
	struct bench_step *st = new_steps(s, FLOWS * (each + 2));

	memcpy(s->frame, pair->frame, sizeof(s->frame));
	s->len = pair->len;
	for (i = 0; i < FLOWS; i++) {
		*st++ = pair->steps[2 * i];
		for (k = 0; k < each; k++)
			make_syn(b, st++);
		*st++ = pair->steps[2 * i + 1];
	}
}

/* A QUIC flow's packets that begin with this byte, from home or back; long: an
 * Initial's size by the IP header, of which the frame has the beginning. */
static void frame_quic(struct stream *s, unsigned int first, bool is_long)
{
	unsigned int ip_b = is_long ? 20 + 8 + 1200 : 84;

	frame4(s, 17, 98);
	s->frame[16] = ip_b >> 8;
	s->frame[17] = ip_b;
	s->frame[38] = (ip_b - 20) >> 8;
	s->frame[39] = ip_b - 20;
	s->frame[42] = first;
	s->frame[46] = is_long;		/* version 1 */
}

/* Initials of QUIC_FLOWS flows (step 0), their answers (1), then short headers both
 * ways whose spin bit stands still (2). */
void stream_quic(struct bench *b, struct stream *s, int step)
{
	struct bench_step *st = new_steps(s, step == 2 ? 2 * QUIC_FLOWS : QUIC_FLOWS);
	struct bench_step out, back;
	uint32_t i;

	frame_quic(s, step == 2 ? 0x41 : step ? 0xe0 : 0xc0, step < 2);
	for (i = 0; i < QUIC_FLOWS; i++) {
		make_flow(b, &out, &back, i);
		if (step == 2) {
			st[2 * i] = out;
			st[2 * i + 1] = back;
		} else {
			st[i] = step ? back : out;
		}
	}
	if (step == 2)
		shuffle(b, st, QUIC_FLOWS);
}
