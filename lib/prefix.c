// SPDX-License-Identifier: GPL-2.0
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "prefix.h"

static int fail(const char **why, const char *text)
{
	if (why)
		*why = text;
	return -EINVAL;
}

/* Bit i of an address, from the left. */
static int bit(const uint8_t *addr, int i)
{
	return addr[i / 8] >> (7 - i % 8) & 1;
}

static int parse_len(const char *text, int max, uint8_t *out)
{
	char *end;
	long v = strtol(text, &end, 10);

	if (text[0] < '0' || text[0] > '9' || *end || v > max)
		return -EINVAL;
	*out = v;
	return 0;
}

int sl_prefix_parse(const char *text, struct sl_prefix *out, const char **why)
{
	struct sl_prefix p = {};
	char addr[INET6_ADDRSTRLEN + 1];
	const char *slash = strchr(text, '/');
	size_t n = slash ? (size_t)(slash - text) : strlen(text);
	int i, max;

	if (n >= sizeof(addr))
		return fail(why, "is no IP address");
	memcpy(addr, text, n);
	addr[n] = '\0';
	if (inet_pton(AF_INET, addr, p.addr) == 1)
		p.family = 4;
	else if (inet_pton(AF_INET6, addr, p.addr) == 1)
		p.family = 6;
	else
		return fail(why, "is no IP address");
	max = p.family == 4 ? 32 : 128;
	p.len = max;
	if (slash && parse_len(slash + 1, max, &p.len))
		return fail(why, "has no valid prefix length");
	for (i = p.len; i < max; i++)
		if (bit(p.addr, i))
			return fail(why, "has bits set behind its prefix length");
	*out = p;
	return 0;
}

const char *sl_prefix_str(const struct sl_prefix *p, char *buf)
{
	char addr[INET6_ADDRSTRLEN];

	inet_ntop(p->family == 4 ? AF_INET : AF_INET6, p->addr, addr,
		  sizeof(addr));
	if (p->len == (p->family == 4 ? 32 : 128))
		snprintf(buf, SL_PREFIX_STR_B, "%s", addr);
	else
		snprintf(buf, SL_PREFIX_STR_B, "%s/%d", addr, p->len);
	return buf;
}

bool sl_prefix_covers(const struct sl_prefix *a, const struct sl_prefix *b)
{
	int i;

	if (a->family != b->family || a->len > b->len)
		return false;
	for (i = 0; i < a->len; i++)
		if (bit(a->addr, i) != bit(b->addr, i))
			return false;
	return true;
}

int sl_prefix_cmp(const struct sl_prefix *a, const struct sl_prefix *b)
{
	int rc;

	if (a->family != b->family)
		return a->family - b->family;
	rc = memcmp(a->addr, b->addr, sizeof(a->addr));
	return rc ? rc : a->len - b->len;
}
