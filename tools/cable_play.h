/* SPDX-License-Identifier: GPL-2.0 */
/* A capture, played into two interfaces as it was recorded: what left home into
 * the one, what came from abroad into the other. */
#ifndef SL_CABLE_PLAY_H
#define SL_CABLE_PLAY_H

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>
#include "cable_delays.h"
#include "capture.h"
#include "prefix.h"

#define CABLE_MAX_HOMES	8

struct cable_play {
	char a[IFNAMSIZ], b[IFNAMSIZ];
	char file[256];
	struct sl_prefix home[CABLE_MAX_HOMES];
	unsigned int n_homes;
	double speed;
	int to_a, to_b;			/* sockets */
	struct sl_capture *capture;
	bool over;
	/* the packet that waits: its frame, and the socket it goes to */
	uint8_t frame[65536];
	uint32_t len_b;
	int to;
	uint64_t due_ns;		/* CLOCK_REALTIME */
	uint64_t first_ns, start_ns;	/* capture's and our first packet */
	uint64_t packets, bytes, stray, not_ip, too_long, unsent, stalls;
	struct cable_delays late;	/* sent after they were due */
};

/* A:B,file=FILE,home=PREFIX[,home=...][,speed=2]; false: not of that form. */
bool cable_play_parse(const char *text, struct cable_play *p);
/* Negative after a message. */
int cable_play_open(struct cable_play *p);
/* Send what is due; the first call starts the clock. */
void cable_play_send(struct cable_play *p);
/* One JSON line. */
void cable_play_print(struct cable_play *p);

#endif
