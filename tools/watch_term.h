/* SPDX-License-Identifier: GPL-2.0 */
/* The terminal: taken, and given back as it was on every way out. */
#ifndef SL_WATCH_TERM_H
#define SL_WATCH_TERM_H

#include "watch.h"

/* false: this terminal can no screen; it is as it was. */
bool watch_term_open(void);
void watch_term_close(void);
/* The signal that asked to leave; 0: none has. */
int watch_term_signal(void);
/* Wait up to ms for something to happen. false: the terminal is gone. */
bool watch_term_wait(int ms);
/* The next key: a character, one of enum watch_key, WATCH_TERM_REPAINT; -1: none
 * waits. */
#define WATCH_TERM_REPAINT 0x120000
int32_t watch_term_key(void);
void watch_term_size(int *width, int *height);
void watch_term_paint(const struct watch_page *p, int width, bool anew,
		      bool ascii);

#endif
