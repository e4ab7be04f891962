// SPDX-License-Identifier: GPL-2.0
/* Any bytes as FlowSpec routes and their actions: malformed, refused with a
 * reason, or a rule whose sets are in order and bounded. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "flowspec.h"

static void check_spans(const struct sl_spans *s, uint32_t max)
{
	unsigned int i;

	if (s->n > SL_FLOWSPEC_MAX_SPANS || (s->n && s->s[s->n - 1].hi > max))
		abort();
	for (i = 0; i < s->n; i++)
		if (s->s[i].lo > s->s[i].hi ||
		    (i && s->s[i].lo <= s->s[i - 1].hi + 1))
			abort();
}

static void check_rule(const struct sl_rule *r, int family)
{
	const struct sl_rule_match *m = &r->match;

	if (m->family != family || strlen(r->id) >= SL_RULE_ID_B ||
	    m->src.n > 1 || m->dst.n > 1)
		abort();
	check_spans(&m->proto, 255);
	check_spans(&m->port, 65535);
	check_spans(&m->sport, 65535);
	check_spans(&m->dport, 65535);
	check_spans(&m->icmp, 65535);
	check_spans(&m->tcp_flags, 4095);
	check_spans(&m->length_b, 65535);
	check_spans(&m->dscp, 63);
	if (r->action == SL_ACT_LIMIT &&
	    (!r->limit.burst || !r->limit.bps == !r->limit.pps))
		abort();
}

/* A route of the list; false when it is malformed. */
static bool one(int family, const uint8_t *b, size_t n,
		const struct sl_flowspec_actions *a, struct sl_flowspec *f)
{
	char why[SL_FLOWSPEC_WHY_B] = "", text[SL_FLOWSPEC_TEXT_B];
	struct sl_rule r;
	bool accepts;
	int rc = sl_flowspec_decode(family, b, n, f, why);

	if (rc) {
		if (!why[0])
			abort();
		return false;
	}
	if (!sl_flowspec_text(f, text)[0])
		abort();
	rc = sl_flowspec_rule(f, a, "2001:db8::1", &r, &accepts, why);
	if (rc == -EOPNOTSUPP && !why[0])
		abort();
	if (!rc) {
		check_rule(&r, family);
		sl_rule_clear(&r);
	}
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sl_flowspec_actions a = {};
	struct sl_flowspec now, before;
	char why[SL_FLOWSPEC_WHY_B];
	bool have = false;
	const uint8_t *b;
	int family, rc;
	size_t n, at;

	if (size < 9)
		return 0;
	family = data[0] & 1 ? 6 : 4;
	sl_flowspec_actions(data + 1, 8, NULL, 0, &a, why);
	for (at = 9; at < size; at += rc) {
		rc = sl_flowspec_frame(data + at, size - at, &b, &n);
		if (rc <= 0)
			break;
		if (!one(family, b, n, &a, &now))
			continue;
		if (sl_flowspec_cmp(&now, &now) ||
		    (have && sl_flowspec_cmp(&now, &before) !=
		     -sl_flowspec_cmp(&before, &now)))
			abort();
		before = now;
		have = true;
	}
	return 0;
}
