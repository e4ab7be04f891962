/* SPDX-License-Identifier: GPL-2.0 */
/* Replay's IPv6 lookups through the kernel module, as a gateway's go that has it. */
#ifndef SL_REPLAY_MODULE_H
#define SL_REPLAY_MODULE_H

#include "cli.h"
#include "datapath.h"

struct replay_module {
	int fd;			/* of its device; -1: not in use */
	uint32_t handle;
};

/* Once the tables are built. DONE, or REFUSED and said why. */
int replay_module_use(struct cli *cli, struct sl_dp *dp,
		      struct replay_module *m);
void replay_module_leave(struct replay_module *m);

#endif
