/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Stage 4, match: quic-hs. The client's first long-header packet -> the
 * server's first one. Retry and Version Negotiation void the stamp: the
 * client's next Initial starts again. Repeated more than 50 ms after the
 * first, it is ambiguous (clients send their first flight in several datagrams
 * at once).
 *
 * The round trip is kept for quic-spin, which is held against it; of an
 * ambiguous handshake the time since the last copy, which is not longer.
 */
#ifndef SL_RTT_QUIC_HS_BPF_H
#define SL_RTT_QUIC_HS_BPF_H

#include "rtt.bpf.h"

#define SL_QUIC_REPEAT_NS	50000000ULL

/* The client's side: the first packet, or one more copy of it. */
static __always_inline void quic_hs_stamp(struct sl_ends *t)
{
	__u8 fl = *t->my_flags;
	__u64 now_ns;

	if (fl & SL_FQ_ANSWERED)
		return;
	now_ns = clock_ns();
	if (!(fl & SL_FQ_STAMP)) {
		*t->my_flags = (fl & ~SL_FQ_REPEATED) | SL_FQ_STAMP |
			       SL_FQ_CLIENT;
	} else {
		/* as unsigned, so that a clock that steps back repeats too */
		if (now_ns - t->mine->stamp_ns <= SL_QUIC_REPEAT_NS)
			return;
		*t->my_flags = fl | SL_FQ_REPEATED;
	}
	put_stamp(t->mine, now_ns);
}

/* The server's side: its first long header answers. */
static __always_inline void quic_hs_answer(const struct sl_cls *c, __u32 path,
					   struct sl_ends *t)
{
	__u64 stamp_ns, now_ns, rtt_us;
	__u8 fl = *t->peer_flags;

	if (!(fl & SL_FQ_STAMP))
		return;
	stamp_ns = take_stamp(t->peer);
	*t->peer_flags = (fl & ~SL_FQ_STAMP) | SL_FQ_ANSWERED;
	if (!stamp_ns)
		return;
	now_ns = clock_ns();
	rtt_us = now_ns > stamp_ns ? (now_ns - stamp_ns) / 1000 : 0;
	t->peer->hs_us = rtt_us < 1 ? 1 : rtt_us > ~0U ? ~0U : rtt_us;
	if (fl & SL_FQ_REPEATED)
		count_miss(c->lane, SL_MISS_AMBIGUOUS);
	else
		sample(c, path, SL_M_QUIC_HS, stamp_ns, now_ns);
}

/* Retry or Version Negotiation. */
static __always_inline void quic_hs_void(const struct sl_cls *c,
					 struct sl_ends *t)
{
	if (!(*t->peer_flags & SL_FQ_STAMP))
		return;
	*t->peer_flags &= ~SL_FQ_STAMP;
	if (take_stamp(t->peer))
		count_miss(c->lane, SL_MISS_VOIDED);
}

/* A long header. Who sends the first one that we see is the client. */
static __always_inline void match_quic_long(const struct sl_pkt *p,
					    const struct sl_cls *c, __u32 path,
					    struct sl_ends *t)
{
	if (!(*t->peer_flags & SL_FQ_CLIENT)) {
		if (p->role == SL_ROLE_REQUEST)
			quic_hs_stamp(t);
	} else if (p->role == SL_ROLE_VOID) {
		quic_hs_void(c, t);
	} else {
		quic_hs_answer(c, path, t);
	}
}

#endif
