/* SPDX-License-Identifier: GPL-2.0 */
/* Durations and times as people write them. */
#ifndef SL_DURATION_H
#define SL_DURATION_H

#include <stddef.h>
#include <stdint.h>

/* "250ms", "90s", "5m", "2h", "7d" -> ns. 0 or -EINVAL. */
int sl_duration_parse(const char *text, uint64_t *ns);

/* RFC 3339 ("2026-12-01T00:00:00Z", with offset or fraction), or a duration
 * before now ("-1h") -> ns since the epoch. 0 or -EINVAL. */
int sl_time_parse(const char *text, uint64_t now_ns, uint64_t *ns);

/* ns since the epoch -> "2026-12-01T00:00:00.000Z"; buf of 40 bytes. */
const char *sl_time_str(uint64_t ns, char *buf, size_t len);

uint64_t sl_now_ns(void);	/* wall clock */
uint64_t sl_mono_ns(void);	/* CLOCK_MONOTONIC, as the data plane's */

#endif
