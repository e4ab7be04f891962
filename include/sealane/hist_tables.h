/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * sl_hist_thr[j] = floor(2^(j/32) * 2^63); sl_hist_guess[g] = the largest j with
 * sl_hist_thr[j] < (2^63 | g << 57), 0 for g = 0. Held against exact rational
 * arithmetic by tests/unit/test_hist.c.
 */
#ifndef SEALANE_HIST_TABLES_H
#define SEALANE_HIST_TABLES_H

#include <linux/types.h>

static const __u64 sl_hist_thr[32] = {
	0x8000000000000000ULL, 0x82cd8698ac2ba1d7ULL,
	0x85aac367cc487b14ULL, 0x88980e8092da8527ULL,
	0x8b95c1e3ea8bd6e6ULL, 0x8ea4398b45cd53c0ULL,
	0x91c3d373ab11c336ULL, 0x94f4efa8fef70961ULL,
	0x9837f0518db8a96fULL, 0x9b8d39b9d54e5538ULL,
	0x9ef5326091a111adULL, 0xa27043030c496818ULL,
	0xa5fed6a9b15138eaULL, 0xa9a15ab4ea7c0ef8ULL,
	0xad583eea42a14ac6ULL, 0xb123f581d2ac258fULL,
	0xb504f333f9de6484ULL, 0xb8fbaf4762fb9ee9ULL,
	0xbd08a39f580c36beULL, 0xc12c4cca66709456ULL,
	0xc5672a115506daddULL, 0xc9b9bd866e2f27a2ULL,
	0xce248c151f8480e3ULL, 0xd2a81d91f12ae45aULL,
	0xd744fccad69d6af4ULL, 0xdbfbb797daf23755ULL,
	0xe0ccdeec2a94e111ULL, 0xe5b906e77c8348a8ULL,
	0xeac0c6e7dd24392eULL, 0xefe4b99bdcdaf5cbULL,
	0xf5257d152486cc2cULL, 0xfa83b2db722a033aULL,
};

static const __u8 sl_hist_guess[64] = {
	0, 0, 1, 2, 2, 3, 4, 4, 5, 6, 6, 7, 7, 8, 9, 9,
	10, 10, 11, 12, 12, 13, 13, 14, 14, 15, 15, 16, 16, 17, 17, 18,
	18, 19, 19, 20, 20, 21, 21, 21, 22, 22, 23, 23, 24, 24, 25, 25,
	25, 26, 26, 27, 27, 27, 28, 28, 29, 29, 29, 30, 30, 30, 31, 31,
};

#endif
