/* SPDX-License-Identifier: GPL-2.0 */
/*
 * By which paths does a lane's traffic come home, and has it moved to another one?
 * The share of each path has a baseline. Traffic has moved when the shares of a hold
 * differ from it by MOVED (total variation: the share of the packets that go another
 * way), and by more than they do from step to step anyhow: a lane of few flows that
 * changes sides with each of them moves all the time and never.
 */
#ifndef SL_SHARES_H
#define SL_SHARES_H

#include <sealane/abi.h>
#include "hold.h"

#define SL_SHARES_MOVED		0.4
#define SL_SHARES_PACKETS	20	/* a step has at least so many */

struct sl_shares {
	uint64_t now[SL_MAX_PATHS];	/* packets of the step that fills */
	uint64_t from_ns, to_ns, packets;
	double base[SL_MAX_PATHS];	/* their sum is 1 once learned */
	double sum[SL_MAX_PATHS];	/* of what waits to be believed; ... */
	unsigned int steps;		/* ... or to be learned */
	double restless;		/* mean difference from step to step */
	uint64_t learn_ns;		/* steps so far */
	bool learned;
	struct sl_hold hold;		/* what: path that gains, + 1 */
};

struct sl_shares_news {
	bool moved;
	uint32_t path_from, path_to;	/* that lost, that won most */
	double share;			/* of all packets, that moved */
	uint64_t since_ns;
};

/* Packets that came home in (from_ns, to_ns], by path. */
void sl_shares_take(struct sl_shares *s, uint64_t hold_ns, uint64_t from_ns,
		    uint64_t to_ns, const uint64_t packets[SL_MAX_PATHS],
		    struct sl_shares_news *news);

#endif
