/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Packets for the engine in user space: where they come from (talk.c and
 * script.c, or captures), the tables they meet (tables.c), what must hold after
 * each (check.c) and the loaded program beside it (twin.c).
 */
#ifndef SL_NATIVE_SHOT_H
#define SL_NATIVE_SHOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "../bpf/build.h"
#include "native.h"

#define SHOT_MIN_B	14	/* what a test run of the kernel takes */
#define SHOT_MAX_B	3520

/* One packet and its circumstances. */
struct shot {
	uint64_t time_ns;
	uint32_t wire_b, len_b;
	uint32_t flags;		/* SL_REPLAY_* */
	uint32_t ifindex;	/* outside of replay */
	const uint8_t *b;
};

/* The engine with replay's default sizes, without BPF: 0 or negative errno. */
int alone_open(void);
/* Run a packet; its verdict. Afterwards sl_replay tells the rest. */
uint32_t alone_run(const struct shot *s);

/* --- tables.c --- */
/*
 * Known tables, into the engine's idle bank, and a flip. Home 198.18.0.0/24,
 * 2001:db8::/64 and some private addresses; lane 1 203.0.113.0/24 and
 * 2001:db8:1::/48, of which hosts ending in 66 are blocked, in 77 counted, in
 * 88 blocked till long ago; 198.18.0.1 is protected. Any other address has a
 * lane, and one in 16 of each kind of class.
 */
int known_tables(void);
/* Interfaces for packets outside of replay: KNOWN_IF_*. */
void known_ports(void);

enum { KNOWN_IF_INSIDE = 1, KNOWN_IF_OUTSIDE, KNOWN_IF_TAP, KNOWN_IF_VLANS,
       KNOWN_IF_NONE };

/* --- talk.c --- */
#define TALK_FLOWS 4	/* ends that are: of no class, counted, blocked, expired */

#define TALK_KINDS 16
#define TALK_WRAPS 17	/* tags and tunnels */

/* What both ends have said so far. */
struct talk {
	struct talk_flow {
		uint32_t seq[2];	/* next one */
		uint32_t tsval[2];
		uint8_t spin;
	} flow[2][TALK_FLOWS];		/* by family */
};

struct talk_packet {
	uint8_t kind;		/* 0..TALK_KINDS - 1 */
	uint8_t dir;		/* 0: from home, or who asks */
	uint8_t flow;		/* 0..TALK_FLOWS - 1 */
	bool ip6, wrapped;
	uint8_t wrap;		/* which tunnel or tag */
	uint8_t arg;		/* TCP flags, identifier, ... */
	uint32_t len_b;		/* of the payload */
	uint32_t now_ms;
};

/* Build what an end would say next. */
void talk(struct talk *t, const struct talk_packet *p, struct frame *f);

/* --- script.c --- */
/*
 * Bytes as a conversation. Byte 0: bit 0 RAW, bit 1 LIVE (outside of replay), bits
 * 2-3 the interface then (by direction, tap, VLANs, none). Then packets:
 *
 * talk	kind (bits 0-3), direction (4), IPv6 (5), wrapped (6), the last frame
 *	again (7); time step; arg; payload; edits (bits 0-2), cut (3), false wire
 *	length (4), no time (5), flow (6-7); [wrap]; [cut at, in 2 bytes]; [wire
 *	length]; edits: place, value.
 * RAW	length (2 bytes, little-endian); time step; wire length beyond (2
 *	bytes); the frame.
 *
 * Time step: mantissa (bits 0-3) << (10 + 2 * bits 4-7) ns; 15 there steps
 * back, mantissa << 24 ns.
 */
struct script {
	const uint8_t *at, *end;
	uint8_t mode;
	uint64_t now_ns;
	struct talk talk;
	struct frame f;
};

#define SCRIPT_RAW	0x01
#define SCRIPT_LIVE	0x02

void script_open(struct script *s, const uint8_t *bytes, size_t n);
/* False: the end. The frame is valid until the next call. */
bool script_next(struct script *s, struct shot *out);

/* --- check.c --- */
/* Forget the packets before. */
void check_begin(void);
/* After a packet: NULL, or what must not be (static). */
const char *check_packet(const struct shot *s, uint32_t verdict);

/* --- twin.c --- */
/* The engine and the loaded program, both with the known tables: 0 or
 * negative errno, said on stderr. */
int twin_open(void);
void twin_close(void);
/* Run a packet through both. NULL: every byte that either wrote is the same;
 * else what differs (static). */
const char *twin_run(const struct shot *s, uint32_t *verdict);
/* Are all maps the same from end to end? NULL, or what differs. */
const char *twin_compare_all(void);
/* Give the loaded program what the engine's map holds. */
void twin_copy(struct native_map *m);
/* Take back what packets did since native_forget(), in both. */
void twin_undo(void);

#endif
