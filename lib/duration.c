// SPDX-License-Identifier: GPL-2.0
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "duration.h"

#define NS_PER_S 1000000000ULL

int sl_duration_parse(const char *text, uint64_t *ns)
{
	static const struct { const char *unit; uint64_t ns; } units[] = {
		{ "ms", 1000000 }, { "s", NS_PER_S }, { "m", 60 * NS_PER_S },
		{ "h", 3600 * NS_PER_S }, { "d", 86400 * NS_PER_S } };
	unsigned long long v;
	char *end;
	size_t i;

	if (!isdigit((unsigned char)text[0]))
		return -EINVAL;
	errno = 0;
	v = strtoull(text, &end, 10);
	for (i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (strcmp(end, units[i].unit))
			continue;
		if (errno || v > UINT64_MAX / 2 / units[i].ns)
			return -EINVAL;
		*ns = v * units[i].ns;
		return 0;
	}
	return -EINVAL;
}

/* "Z" or "+hh:mm" at the end of an RFC 3339 time, in seconds. */
static int parse_zone(const char *s, long *zone_s)
{
	int h, m, n = 0;

	*zone_s = 0;
	if (!strcmp(s, "Z") || !strcmp(s, "z"))
		return 0;
	if ((*s != '+' && *s != '-') ||
	    sscanf(s + 1, "%2d:%2d%n", &h, &m, &n) != 2 || n != 5 || s[6])
		return -EINVAL;
	*zone_s = (*s == '-' ? -1 : 1) * (h * 3600L + m * 60L);
	return 0;
}

int sl_time_parse(const char *text, uint64_t now_ns, uint64_t *ns)
{
	uint64_t back, frac = 0, unit = NS_PER_S / 10;
	struct tm tm = {};
	const char *rest;
	long zone_s;

	if (text[0] == '-') {
		if (sl_duration_parse(text + 1, &back) || back > now_ns)
			return -EINVAL;
		*ns = now_ns - back;
		return 0;
	}
	rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
	if (!rest)
		return -EINVAL;
	if (*rest == '.')
		for (rest++; isdigit((unsigned char)*rest); rest++) {
			frac += (*rest - '0') * unit;
			unit /= 10;
		}
	if (parse_zone(rest, &zone_s))
		return -EINVAL;
	*ns = (uint64_t)(timegm(&tm) - zone_s) * NS_PER_S + frac;
	return 0;
}

const char *sl_time_str(uint64_t ns, char *buf, size_t len)
{
	time_t s = ns / NS_PER_S;
	char base[32];
	struct tm tm;

	gmtime_r(&s, &tm);
	strftime(base, sizeof(base), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(buf, len, "%s.%03uZ", base,
		 (unsigned int)(ns % NS_PER_S / 1000000));
	return buf;
}

static uint64_t clock_read_ns(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

uint64_t sl_now_ns(void)
{
	return clock_read_ns(CLOCK_REALTIME);
}

uint64_t sl_mono_ns(void)
{
	return clock_read_ns(CLOCK_MONOTONIC);
}
