/* SPDX-License-Identifier: GPL-2.0 */
/* One packet of a bench stream, as the driver writes it and the programs under
 * test read it. Network order, ready to be put into the frame. */
#ifndef SL_BENCH_STEP_H
#define SL_BENCH_STEP_H

#include <linux/types.h>

#define BENCH_STEPS	(1U << 20)
#define BENCH_ROOM	(1U << 21)	/* for the flood */

struct bench_step {
	__u32 src[4], dst[4];	/* IPv4: the first word of each */
	__u16 sport, dport;
	__u32 seq, tsval, tsecr;/* host order: the pass is added to them */
	__u32 flags;		/* of TCP */
	__u32 ip_len;		/* TCP: host order */
	__u32 pad[2];
};

_Static_assert(sizeof(struct bench_step) == 64, "bench_step");

#endif
