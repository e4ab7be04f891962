// SPDX-License-Identifier: GPL-2.0
/* A FlowSpec route in words, near to those that ExaBGP has. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "flowspec.h"

static const char *const name[SL_FS_TYPES] = {
	[SL_FS_DST] = "destination", [SL_FS_SRC] = "source",
	[SL_FS_PROTO] = "protocol", [SL_FS_PORT] = "port",
	[SL_FS_DPORT] = "destination-port", [SL_FS_SPORT] = "source-port",
	[SL_FS_ICMP_TYPE] = "icmp-type", [SL_FS_ICMP_CODE] = "icmp-code",
	[SL_FS_TCP_FLAGS] = "tcp-flags", [SL_FS_LENGTH] = "packet-length",
	[SL_FS_DSCP] = "dscp", [SL_FS_FRAGMENT] = "fragment",
	[SL_FS_FLOW_LABEL] = "flow-label",
};

struct text {
	char *buf;
	size_t n;
};

static void add(struct text *t, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
static void add(struct text *t, const char *fmt, ...)
{
	va_list ap;
	int n;

	if (t->n >= SL_FLOWSPEC_TEXT_B)
		return;
	va_start(ap, fmt);
	n = vsnprintf(t->buf + t->n, SL_FLOWSPEC_TEXT_B - t->n, fmt, ap);
	va_end(ap);
	t->n += n;
	if (t->n >= SL_FLOWSPEC_TEXT_B)
		strcpy(t->buf + SL_FLOWSPEC_TEXT_B - 4, "...");
}

static void add_prefix(struct text *t, const struct sl_flowspec *f, int type)
{
	const struct sl_prefix *p = &f->prefix[type];
	char text[SL_PREFIX_STR_B];

	add(t, "%s", sl_prefix_str(p, text));
	if (!strchr(text, '/'))
		add(t, "/%u", p->len);
	if (f->offset[type])
		add(t, " offset %u", f->offset[type]);
}

static void add_ops(struct text *t, const struct sl_flowspec *f, int type)
{
	static const char *const numeric[] = { "false ", "=", ">", ">=", "<",
					       "<=", "!=", "true " };
	static const char *const mask[] = { "any ", "all ", "!any ", "!all " };
	bool is_mask = type == SL_FS_TCP_FLAGS || type == SL_FS_FRAGMENT;
	const uint8_t *v = f->raw + f->at[type];
	unsigned int at = 0, n;
	uint64_t value;
	uint8_t op;

	while (at < f->len_b[type] && t->n < SL_FLOWSPEC_TEXT_B) {
		op = v[at];
		if (at)
			add(t, "%s", op & 0x40 ? "&" : " ");
		at++;
		for (value = 0, n = 1U << (op >> 4 & 3); n; n--)
			value = value << 8 | v[at++];
		if (is_mask)
			add(t, "%s0x%llx", mask[op & 3],
			    (unsigned long long)value);
		else
			add(t, "%s%llu", numeric[op & 7],
			    (unsigned long long)value);
	}
}

const char *sl_flowspec_text(const struct sl_flowspec *f, char *buf)
{
	struct text t = { buf, 0 };
	int type;

	buf[0] = '\0';
	for (type = SL_FS_DST; type < SL_FS_TYPES; type++) {
		if (!f->len_b[type])
			continue;
		add(&t, "%s%s ", t.n ? " " : "", name[type]);
		if (type <= SL_FS_SRC)
			add_prefix(&t, f, type);
		else
			add_ops(&t, f, type);
	}
	return buf;
}
