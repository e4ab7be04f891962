/* SPDX-License-Identifier: GPL-2.0 */
/* Text of others, as it may be logged, kept and shown on a terminal. */
#ifndef SL_PLAIN_H
#define SL_PLAIN_H

#include <stddef.h>

/* In place: what is no UTF-8, a control character, a line or paragraph separator,
 * or turns the direction of writing, becomes "?". Returns text. */
char *sl_plain(char *text);
/* Characters of UTF-8: what a terminal shows of it, wide and combining ones
 * aside. */
size_t sl_plain_chars(const char *text);

#endif
