/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What BGP neighbours say, as events, and who reads it: UPDATE messages byte
 * for byte (bgp_update.c), ExaBGP's JSON lines around them (bgp_exabgp.c),
 * GoBGP's (bgp_gobgp.c). Readers keep nothing and
 * never fail: what they cannot use is an event too.
 */
#ifndef SL_BGP_H
#define SL_BGP_H

#include <stddef.h>
#include <stdint.h>
#include "flowspec.h"

enum sl_bgp_op {
	SL_BGP_UP,		/* the session */
	SL_BGP_DOWN,
	SL_BGP_ANNOUNCE,
	SL_BGP_WITHDRAW,
	SL_BGP_EOR,		/* End-of-RIB of family and kind */
	SL_BGP_END,		/* the speaker itself ends */
	SL_BGP_ODD,		/* text says what cannot be used */
};

/* A flow specification, or a unicast route: it matters only as a blackhole. */
enum sl_bgp_kind { SL_BGP_FLOWSPEC, SL_BGP_RTBH };

#define SL_BGP_EXT_B	256	/* of action communities kept for a route */
#define SL_BGP_EXT6_B	200

struct sl_bgp_event {
	enum sl_bgp_op op;
	char peer[SL_FLOWSPEC_PEER_B];
	int64_t session;		/* of UP: which one, 0 where nobody says */
	enum sl_bgp_kind kind;
	uint8_t family;			/* 4 or 6 */
	/* of a route: the NLRI behind its length; of a unicast one its prefix,
	 * length first */
	const uint8_t *key;
	size_t key_b;
	const uint8_t *ext, *ext6;	/* action communities */
	size_t ext_b, ext6_b;
	char text[SL_FLOWSPEC_WHY_B];	/* of ODD, DOWN */
};

typedef void (*sl_bgp_sink)(void *arg, const struct sl_bgp_event *e);

/* The body of an UPDATE: withdraws come before announces. */
void sl_bgp_update(const char *peer, const uint8_t *body, size_t body_b,
		   sl_bgp_sink sink, void *arg);

/* A unicast route's key as a prefix; 0 or -EBADMSG. */
int sl_bgp_prefix(int family, const uint8_t *key, size_t key_b,
		  struct sl_prefix *out);
/* Addresses, and what speakers use for routes of their own; else false. */
bool sl_bgp_peer_name(const char *text, char out[SL_FLOWSPEC_PEER_B]);

void sl_bgp_exabgp_line(const char *line, size_t line_b, sl_bgp_sink sink,
			void *arg);
/* Tells no sessions: whoever is heard is up. */
void sl_bgp_gobgp_line(const char *line, size_t line_b, sl_bgp_sink sink,
		       void *arg);

#endif
