/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Who set or lifted the bypass last, and why: a small file beside the pins'
 * place, below /run/sealane, since `sealane bypass` works without the agent and
 * the agent wants to know afterwards.
 */
#ifndef SL_BYPASS_NOTE_H
#define SL_BYPASS_NOTE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define SL_BYPASS_WHY_B 256

struct sl_bypass_note {
	bool on;
	uint64_t at_ns;		/* wall clock */
	uid_t uid;
	pid_t pid;
	char why[SL_BYPASS_WHY_B];
};

/* 0 or negative errno; the pins' directory names the data plane. */
int sl_bypass_note_write(const char *pin_dir, const struct sl_bypass_note *n);
int sl_bypass_note_read(const char *pin_dir, struct sl_bypass_note *n);

#endif
