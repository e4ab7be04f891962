/* SPDX-License-Identifier: GPL-2.0 */
/* Names of the ABI's enumerations, from the one list in abi.h. */
#ifndef SL_NAMES_H
#define SL_NAMES_H

/* A name, or "?" beyond the list. */
const char *sl_method_name(unsigned int method);
const char *sl_half_name(unsigned int half);
const char *sl_reason_name(unsigned int reason);
const char *sl_miss_name(unsigned int miss);
const char *sl_side_name(unsigned int side);

#endif
