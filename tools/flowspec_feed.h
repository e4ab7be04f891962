/* SPDX-License-Identifier: GPL-2.0 */
/* A BGP speaker's lines on stdin, told to the agent: what `sealane flowspec
 * exabgp` and `gobgp` run until stdin ends. */
#ifndef SL_FLOWSPEC_FEED_H
#define SL_FLOWSPEC_FEED_H

#include "bgp.h"
#include "cli.h"

struct feed_options {
	const char *source, *grace;
	unsigned int limit;
	void (*read)(const char *line, size_t line_b, sl_bgp_sink sink,
		     void *arg);
	bool one_path;		/* of an NLRI there is one, whoever has it */
	bool no_sessions;	/* whoever is heard is up */
};

int flowspec_feed(struct cli *cli, const struct feed_options *o);

#endif
