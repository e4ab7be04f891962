/* SPDX-License-Identifier: GPL-2.0 */
/* A link: two interfaces, and what happens to a packet of each direction. */
#ifndef SL_CABLE_LINK_H
#define SL_CABLE_LINK_H

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include "cable_delays.h"

#define CABLE_FRAME_B	2048

/* What a link does to a packet of either direction. */
struct cable_shape {
	uint64_t delay_ns, jitter_ns;
	uint64_t ahead_ns;		/* a reordered one comes that early */
	double loss, reorder;		/* 0..1 */
	unsigned int queue;		/* packets */
};

struct cable_frame {
	uint64_t in_ns, due_ns;		/* CLOCK_REALTIME, as the stamps */
	uint32_t len_b;
	uint8_t data[CABLE_FRAME_B];
};

/* One direction: frames wait in order of arrival unless reordered. */
struct cable_way {
	int in, out;			/* sockets */
	struct cable_shape shape;
	struct cable_frame *ring;
	unsigned int first, n;
	uint64_t packets, bytes, lost, reordered, overrun, too_long;
	struct cable_delays delays;
};

struct cable_link {
	char a[IFNAMSIZ], b[IFNAMSIZ];
	struct cable_way way[2];	/* a -> b, b -> a */
};

/* A:B[,KEY=VALUE...] as usage() tells; false: not of that form. */
bool cable_link_parse(const char *text, struct cable_link *l);
/* Negative after a message. */
int cable_link_open(struct cable_link *l);
void cable_link_receive(struct cable_way *w);
/* Send what is due; log may be NULL. */
void cable_link_send(struct cable_link *l, struct cable_way *w, FILE *log);
/* A JSON line for each direction. */
void cable_link_print(struct cable_link *l);

#endif
