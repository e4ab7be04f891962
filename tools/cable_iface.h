/* SPDX-License-Identifier: GPL-2.0 */
/* An interface as a packet socket. */
#ifndef SL_CABLE_IFACE_H
#define SL_CABLE_IFACE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

/* "A:B" into two names of IFNAMSIZ; false: not of that form. */
bool cable_iface_names(const char *text, char *a, char *b);
/* A socket that sends whole frames and, if asked, receives all of them with
 * the kernel's time stamp. Negative after a message. */
int cable_iface_open(const char *name, bool receives);
/* The kernel's receive time of a message, or now. */
uint64_t cable_iface_stamp_ns(struct msghdr *m);
/* CLOCK_REALTIME, as the stamps. */
uint64_t cable_now_ns(void);

#endif
