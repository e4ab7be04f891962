// SPDX-License-Identifier: GPL-2.0
/* What BGP speakers say becomes events: UPDATE messages made by hand, and the
 * sessions recorded from ExaBGP 4.2 and GoBGP 3.10. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "bgp_routes.h"
#include "kselftest_harness.h"

static uint64_t seed = 0x2545f4914f6cdd1dULL;
static uint32_t dice(uint32_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (seed >> 20) % n;
}

/* Events as one line of text. */
struct log {
	char text[16384];
	size_t n;
	unsigned int ops[SL_BGP_ODD + 1];
};

static void note(void *arg, const struct sl_bgp_event *e)
{
	static const char op[] = "^v+-#.!";
	char hex[2 * SL_FLOWSPEC_MAX_B + 1];
	struct log *l = arg;

	l->ops[e->op]++;
	if (l->n + 600 > sizeof(l->text) || e->key_b > 200)
		return;
	l->n += sprintf(l->text + l->n, "%s%c", l->n ? " " : "", op[e->op]);
	if (e->op == SL_BGP_ANNOUNCE || e->op == SL_BGP_WITHDRAW ||
	    e->op == SL_BGP_EOR)
		l->n += sprintf(l->text + l->n, "%c%d:%s",
				e->kind == SL_BGP_RTBH ? 'u' : 'f', e->family,
				sl_hex(e->key, e->key_b, hex));
	if (e->ext_b)
		l->n += sprintf(l->text + l->n, "=%s",
				sl_hex(e->ext, e->ext_b, hex));
	if (e->ext6_b)
		l->n += sprintf(l->text + l->n, "=%zu", e->ext6_b);
}

static const char *update(const char *hex)
{
	static struct log l;
	uint8_t b[4096];
	unsigned int v;
	size_t n = 0;

	for (; *hex; hex++) {
		if (*hex == ' ')
			continue;
		sscanf(hex++, "%2x", &v);
		b[n++] = v;
	}
	memset(&l, 0, sizeof(l));
	sl_bgp_update("192.0.2.1", b, n, note, &l);
	return l.text;
}

static const struct {
	const char *hex, *events;
} updates[] = {
	/* End-of-RIB of each family */
	{ "0000 0000", "#u4:" },
	{ "0000 0006 800f03 000185", "#f4:" },
	{ "0000 0006 800f03 000285", "#f6:" },
	{ "0000 0006 800f03 000201", "#u6:" },
	{ "0000 0006 800f03 000102", "" },		/* multicast */
	/* two rules in one, with a rate of 0 */
	{ "0000 0021 800e 13 0001 85 00 00 06 0118c0000203 06 0118c0000303 "
	  "c010 08 8006000000000000",
	  "+f4:0118c0000203=8006000000000000 "
	  "+f4:0118c0000303=8006000000000000" },
	/* a withdraw stands behind its announcement, and comes before it */
	{ "0000 0018 800e 0a 0001 85 00 00 04 0110c000 800f 08 0001 85 04 "
	  "0110c001", "-f4:0110c001 +f4:0110c000" },
	/* blackholes by community, as IPv4 has them and by MP_REACH */
	{ "0000 0007 c00804 ffff029a 20cb007142", "+u4:20cb007142" },
	{ "0000 0007 c00804 ffff029b 20cb007142", "-u4:20cb007142" },
	{ "0000 0000 20cb007142", "-u4:20cb007142" },
	{ "0005 20cb007142 0000", "-u4:20cb007142" },
	{ "0005 20cb007142 0007 c00804 ffff029a 20cb007143",
	  "-u4:20cb007142 +u4:20cb007143" },
	{ "0000 0030 c00804 ffff029a 800e 26 0002 01 10 "
	  "20010db8000000000000000000000001 00 80 "
	  "20010db8dead00000000000000000066",
	  "+u6:8020010db8dead00000000000000000066" },
	/* communities: only actions, each once */
	{ "0000 0030 800e 0a 0001 85 00 00 04 0110c000 c010 20 "
	  "0002fde900000001 8006000047f42400 8006000047f42400 "
	  "8007000000000001",
	  "+f4:0110c000=8006000047f424008007000000000001" },
	{ "0000 0024 800e 0a 0001 85 00 00 04 0110c000 c019 14 "
	  "000d 20010db8000000000000000000000001 0001", "+f4:0110c000=20" },
	/* malformed: the routes that are known are withdrawn (RFC 7606) */
	{ "0000 0017 800e 0a 0001 85 00 00 04 0110c000 c010 07 "
	  "80060000000000", "! -f4:0110c000" },
	{ "0000 0014 800e 0a 0001 85 00 00 04 0110c000 c008 04 ffff02",
	  "!" },
	{ "0000 0013 800e 0a 0001 85 00 00 04 0110c000 c008 03 ffff02",
	  "! -f4:0110c000" },
	{ "0000 0011 800e 0e 0001 85 00 00 04 0110c000 09 0110c0",
	  "! -f4:0110c000" },
	{ "0000 000f 800f 0c 0001 85 04 0110c000 09 0110c0", "! -f4:0110c000" },
	/* the attributes end inside one; what stands before it is known */
	{ "0000 0010 800e 0a 0001 85 00 00 04 0110c000 c010 ff",
	  "! -f4:0110c000" },
	/* two MP_REACH: neither is believed */
	{ "0000 001a 800e 0a 0001 85 00 00 04 0110c000 800e 0a 0001 85 00 00 "
	  "04 0110c001", "! -f4:0110c000" },
	{ "0000 0007 800e 04 0001 85 00", "!" },
	{ "0000 0008 800e 05 0001 85 02 00", "!" },
	{ "0000 0005 800f 02 0001", "!" },
	/* a prefix that is too long, or ends early */
	{ "0000 0007 c00804 ffff029a 21cb00714200", "!" },
	{ "0000 0007 c00804 ffff029a 20cb007142 20cb00",
	  "! -u4:20cb007142" },
	/* lengths that do not add up */
	{ "", "!" }, { "0000", "!" }, { "000000", "!" }, { "0001 0000", "!" },
	{ "0000 0001", "!" }, { "ffff 0000", "!" },
};

TEST(updates_become_events)
{
	size_t i;

	for (i = 0; i < sizeof(updates) / sizeof(updates[0]); i++)
		ASSERT_STREQ(updates[i].events, update(updates[i].hex)) {
			TH_LOG("case %zu", i);
		}
}

TEST(more_actions_than_are_kept_withdraw_the_route)
{
	uint8_t b[4096] = { 0, 0, 0, 0, 0xd0, 16, 0, 0 };
	static const uint8_t reach[] = { 0x80, 14, 10, 0, 1, 133, 0, 0, 4, 1,
					 16, 192, 0 };
	static struct log l;
	unsigned int i, n = 33 * 8, at = 8;

	for (i = 0; i < n; i += 8, at += 8) {
		b[at] = 0x80;
		b[at + 1] = 0x06;
		b[at + 7] = i / 8;
	}
	b[6] = n >> 8;
	b[7] = n;
	memcpy(b + at, reach, sizeof(reach));
	at += sizeof(reach);
	b[2] = (at - 4) >> 8;
	b[3] = at - 4;
	memset(&l, 0, sizeof(l));
	sl_bgp_update("192.0.2.1", b, at, note, &l);
	ASSERT_STREQ("! -f4:0110c000", l.text);
}

TEST(cut_anywhere_an_update_does_no_harm)
{
	static const uint8_t whole[] = { 0, 0, 0, 0x18, 0x80, 14, 10, 0, 1,
		133, 0, 0, 4, 1, 16, 192, 0, 0x80, 15, 8, 0, 1, 133, 4, 1, 16,
		192, 1 };
	unsigned int i, k, round;
	static struct log l;
	uint8_t *b;

	for (i = 0; i <= sizeof(whole); i++)
		for (round = 0; round < 200; round++) {
			b = malloc(i + 1);	/* exact: ASan sees the end */
			memcpy(b + 1, whole, i);
			for (k = 0; round && i && k < 3; k++)
				b[1 + dice(i)] = dice(256);
			memset(&l, 0, sizeof(l));
			sl_bgp_update("192.0.2.1", b + 1, i, note, &l);
			free(b);
		}
	ASSERT_EQ(0, l.ops[SL_BGP_UP]);
}

TEST(prefixes_of_unicast_routes)
{
	static const uint8_t key[] = { 20, 203, 0, 0xff };
	char text[SL_PREFIX_STR_B];
	struct sl_prefix p;

	ASSERT_EQ(0, sl_bgp_prefix(4, key, 4, &p));
	ASSERT_STREQ("203.0.240.0/20", sl_prefix_str(&p, text));
	ASSERT_EQ(-EBADMSG, sl_bgp_prefix(4, key, 3, &p));
	ASSERT_EQ(-EBADMSG, sl_bgp_prefix(4, key, 0, &p));
}

/* --- recorded --- */

static bool play(const char *name, void (*read)(const char *, size_t,
		 sl_bgp_sink, void *), struct log *l)
{
	const char *shared = getenv("SHARED");
	char path[512], *line = NULL;
	size_t room = 0;
	ssize_t n;
	FILE *f;

	memset(l, 0, sizeof(*l));
	snprintf(path, sizeof(path), "%s/data/peers/%s", shared ? shared :
		 "../shared", name);
	f = fopen(path, "r");
	if (!f)
		return false;
	while ((n = getline(&line, &room, f)) > 0)
		read(line, n, note, l);
	free(line);
	fclose(f);
	return true;
}

TEST(a_recorded_exabgp_session_is_read)
{
	static struct log l;

	if (!play("exabgp/exabgp-4.2.21-consolidated-full-session.jsonl",
		  sl_bgp_exabgp_line, &l))
		SKIP(return, "no recordings");
	ASSERT_EQ(1, l.ops[SL_BGP_UP]);
	ASSERT_EQ(9, l.ops[SL_BGP_ANNOUNCE]);
	ASSERT_EQ(0, l.ops[SL_BGP_WITHDRAW]);
	ASSERT_EQ(4, l.ops[SL_BGP_EOR]);
	ASSERT_EQ(1, l.ops[SL_BGP_END]);
	ASSERT_EQ(0, l.ops[SL_BGP_ODD]);
	ASSERT_NE(NULL, strstr(l.text, "+f4:0120cb0071070218c633640381060591"
			       "01bb=8006000000000000"));
	ASSERT_NE(NULL, strstr(l.text, "+u4:20cb007142"));
	ASSERT_NE(NULL, strstr(l.text, "#f6:"));
}

TEST(recorded_lists_of_routes_lose_none)
{
	static struct log l;

	if (!play("exabgp/exabgp-4.2.21-raw-peer-multi-nlri-and-0x800c.jsonl",
		  sl_bgp_exabgp_line, &l))
		SKIP(return, "no recordings");
	/* ExaBGP's parsed form has no IPv6 rule here, and no 0x800c */
	ASSERT_EQ(5, l.ops[SL_BGP_ANNOUNCE]);
	ASSERT_EQ(2, l.ops[SL_BGP_WITHDRAW]);
	ASSERT_NE(NULL, strstr(l.text, "-f4:0120cb0071070220c6336401038106 "
			       "+f4:0118cb00710a9503e80b810a="
			       "800c000047c35000"));
	ASSERT_NE(NULL, strstr(l.text, "+f6:01200020010db8026840123456789a0381"
			       "06=8006000000000000"));
	ASSERT_TRUE(play("exabgp/exabgp-4.2.21-from-gobgp-3.10-multi-nlri."
			 "jsonl", sl_bgp_exabgp_line, &l));
	ASSERT_EQ(5, l.ops[SL_BGP_ANNOUNCE]);
	ASSERT_EQ(3, l.ops[SL_BGP_WITHDRAW]);
}

TEST(exabgp_without_bodies_is_said_aloud)
{
	static struct log l;

	if (!play("exabgp/exabgp-4.2.21-parsed-announce-withdraw-down.jsonl",
		  sl_bgp_exabgp_line, &l))
		SKIP(return, "no recordings");
	ASSERT_EQ(0, l.ops[SL_BGP_ANNOUNCE]);
	ASSERT_EQ(1, l.ops[SL_BGP_UP]);
	ASSERT_LT(5, l.ops[SL_BGP_ODD]);
}

TEST(recorded_gobgp_paths_become_the_same_bytes)
{
	static struct log l;

	if (!play("gobgp/gobgp-3.10-monitor-global-rib-a-ipv4-flowspec.jsonl",
		  sl_bgp_gobgp_line, &l))
		SKIP(return, "no recordings");
	ASSERT_EQ(5, l.ops[SL_BGP_ANNOUNCE]);
	ASSERT_EQ(5, l.ops[SL_BGP_WITHDRAW]);
	ASSERT_EQ(0, l.ops[SL_BGP_ODD]);
	/* as ExaBGP has them from the wire, in another recording */
	ASSERT_NE(NULL, strstr(l.text, "+f4:0120cb0071070218c633640381060591"
			       "01bb=8006000000000000"));
	ASSERT_NE(NULL, strstr(l.text, "+f6:01800020010db8cafe000000000000000"
			       "0000702300020010db80bad038106059101bb="));
	ASSERT_NE(NULL, strstr(l.text, "=80090000000000088007000000000003"));
	ASSERT_TRUE(play("gobgp/gobgp-3.10-monitor-adj-in-a-ipv4-flowspec."
			 "jsonl", sl_bgp_gobgp_line, &l));
	ASSERT_LT(4, l.ops[SL_BGP_ANNOUNCE]);
}

static const char *const bad_lines[] = {
	"", "x", "{", "[", "null", "[]x", "{\"type\":\"update\"}",
	"{\"type\":\"update\",\"neighbor\":5}",
	"{\"type\":\"update\",\"body\":\"0x00\",\"neighbor\":{\"address\":"
	"{\"peer\":\"banana\"}}}",
	"{\"type\":\"update\",\"body\":\"0x0\",\"neighbor\":{\"address\":"
	"{\"peer\":\"192.0.2.1\"}}}",
	"{\"type\":\"update\",\"body\":\"0x0g00\",\"neighbor\":{\"address\":"
	"{\"peer\":\"192.0.2.1\"}}}",
	"{\"type\":\"update\",\"body\":7,\"neighbor\":{\"address\":"
	"{\"peer\":\"192.0.2.1\"}}}",
	"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]",
};

TEST(bad_lines_are_odd_and_nothing_else)
{
	static struct log l;
	unsigned int i, k;

	for (i = 0; i < sizeof(bad_lines) / sizeof(bad_lines[0]); i++) {
		memset(&l, 0, sizeof(l));
		sl_bgp_exabgp_line(bad_lines[i], strlen(bad_lines[i]), note,
				   &l);
		ASSERT_EQ(1, l.ops[SL_BGP_ODD]) {
			TH_LOG("%s", bad_lines[i]);
		}
		for (k = 0; k < SL_BGP_ODD; k++)
			ASSERT_EQ(0, l.ops[k]);
	}
}

static const struct {
	const char *line, *events;
} gobgp[] = {
	{ "[{\"nlri\":{\"value\":[{\"type\":5,\"value\":[{\"op\":1,\"value\":"
	  "80},{\"op\":145,\"value\":65535}]}]},\"attrs\":[{\"type\":14,"
	  "\"afi\":2}]}]", "+f6:0501509 1ffff" },
	{ "{\"nlri\":{\"value\":[{\"type\":1,\"value\":{\"prefix\":"
	  "\"::1234:5678:9a00:0/104\"},\"offset\":64}]},\"neighbor-ip\":"
	  "\"192.0.2.1\"}", "+f6:016840123456789a" },
	{ "{\"nlri\":{\"value\":[{\"type\":1,\"value\":{\"prefix\":"
	  "\"192.0.2.0/24\"}}]},\"attrs\":[{\"type\":16,\"value\":[{\"type\":"
	  "128,\"subtype\":6,\"rate\":\"much\"}]}]}", "-f4:0118c00002 !" },
	{ "{\"nlri\":{\"value\":[{\"type\":1,\"value\":{\"prefix\":"
	  "\"192.0.2.0/24\"}}]},\"attrs\":[{\"type\":16,\"value\":[{\"type\":"
	  "128,\"value\":\"AAAA\"}]}]}", "-f4:0118c00002 !" },
	/* a value that its operator has no room for; no family; two */
	{ "{\"nlri\":{\"value\":[{\"type\":5,\"value\":[{\"op\":129,"
	  "\"value\":256}]}]}}", "!" },
	{ "{\"nlri\":{\"value\":[{\"type\":5,\"value\":[{\"op\":129,"
	  "\"value\":25}]}]}}", "!" },
	{ "{\"nlri\":{\"value\":[{\"type\":1,\"value\":{\"prefix\":"
	  "\"192.0.2.0/24\"}},{\"type\":2,\"value\":{\"prefix\":\"::/0\"}}]}}",
	  "!" },
	{ "{\"nlri\":{\"value\":[]}}", "!" }, { "{}", "!" }, { "[5]", "!" },
	{ "[]", "" }, { "5", "!" },
};

TEST(gobgp_paths_that_are_right_and_wrong)
{
	static struct log l;
	char want[200];
	size_t i, k, n;

	for (i = 0; i < sizeof(gobgp) / sizeof(gobgp[0]); i++) {
		memset(&l, 0, sizeof(l));
		sl_bgp_gobgp_line(gobgp[i].line, strlen(gobgp[i].line), note,
				  &l);
		for (k = n = 0; gobgp[i].events[k]; k++)
			if (gobgp[i].events[k] != ' ' ||
			    strchr("+-!", gobgp[i].events[k + 1]))
				want[n++] = gobgp[i].events[k];
		want[n] = '\0';
		ASSERT_STREQ(want, l.text) {
			TH_LOG("%s", gobgp[i].line);
		}
	}
}

/* --- tables and JSON --- */

TEST(tables_of_routes_agree_with_a_naive_one)
{
	struct sl_routes t = {};
	uint8_t mark[256][2] = {};	/* there; action; by key */
	unsigned int round, n = 0, i;

	for (round = 0; round < 20000; round++) {
		uint8_t key[2] = { dice(64), 7 }, ext[8] = { dice(4) };
		struct sl_bgp_event e = { .kind = dice(2), .family = dice(2) ?
			4 : 6, .key = key, .key_b = 1 + dice(2), .ext = ext,
			.ext_b = 8 };
		unsigned int id = key[0] | (e.family == 6) << 6 |
				  (e.key_b == 2) << 7;
		struct sl_route *r;

		if (e.kind)
			continue;	/* the other kind: never put */
		r = sl_routes_find(&t, &e);
		ASSERT_EQ(mark[id][0], r != NULL);
		if (r)
			ASSERT_EQ(mark[id][1] == ext[0], sl_route_is(r, &e));
		if (dice(3)) {
			ASSERT_NE(NULL, sl_routes_put(&t, &e));
			n += !mark[id][0];
			mark[id][0] = 1;
			mark[id][1] = ext[0];
		} else {
			ASSERT_EQ(mark[id][0], sl_routes_drop(&t, &e));
			n -= mark[id][0];
			mark[id][0] = 0;
		}
		ASSERT_EQ(n, t.n);
	}
	ASSERT_EQ(n, sl_routes_age(&t));
	for (i = 0; i < t.n; i += 2)
		t.r[i]->stale = false;
	ASSERT_EQ(n / 2, sl_routes_sweep(&t, NULL));
	sl_routes_clear(&t);
	ASSERT_EQ(0, t.n);
}

TEST(events_survive_json)
{
	struct sl_bgp_bytes bytes;
	char why[SL_FLOWSPEC_WHY_B];
	unsigned int round, i;

	for (round = 0; round < 2000; round++) {
		uint8_t key[60], ext[32], ext6[40];
		struct sl_bgp_event e = { .op = dice(5), .kind = dice(2),
			.family = dice(2) ? 4 : 6, .key = key,
			.key_b = 1 + dice(60), .ext = ext, .ext_b =
			8 * dice(5), .ext6 = ext6, .ext6_b = 20 * dice(3),
			.session = round }, back;
		struct json_object *o;

		for (i = 0; i < sizeof(key); i++)
			key[i] = ext[i % 32] = ext6[i % 40] = dice(256);
		strcpy(e.peer, dice(2) ? "192.0.2.1" : "2001:db8::1");
		o = json_tokener_parse(json_object_to_json_string(
				       sl_bgp_event_doc(&e)));
		ASSERT_EQ(0, sl_bgp_event_parse(o, &back, &bytes, why)) {
			TH_LOG("%s", why);
		}
		json_object_put(o);
		ASSERT_EQ(e.op, back.op);
		ASSERT_STREQ(e.peer, back.peer);
		if (e.op == SL_BGP_UP)
			ASSERT_EQ(e.session, back.session);
		if (e.op != SL_BGP_ANNOUNCE)
			continue;
		ASSERT_EQ(e.key_b, back.key_b);
		ASSERT_EQ(0, memcmp(e.key, back.key, e.key_b));
		ASSERT_EQ(e.ext_b, back.ext_b);
		ASSERT_EQ(0, memcmp(e.ext, back.ext, e.ext_b));
		ASSERT_EQ(e.ext6_b, back.ext6_b);
	}
}

static const char *const bad_events[] = {
	"[]", "{}", "{\"op\":\"up\"}", "{\"op\":\"explode\",\"neighbour\":"
	"\"192.0.2.1\"}", "{\"op\":\"up\",\"neighbour\":\"x\"}",
	"{\"op\":\"announce\",\"neighbour\":\"192.0.2.1\",\"kind\":"
	"\"flowspec\",\"family\":5,\"nlri\":\"00\"}",
	"{\"op\":\"announce\",\"neighbour\":\"192.0.2.1\",\"kind\":"
	"\"flowspec\",\"family\":4,\"nlri\":\"\"}",
	"{\"op\":\"announce\",\"neighbour\":\"192.0.2.1\",\"kind\":"
	"\"flowspec\",\"family\":4,\"nlri\":\"0g\"}",
	"{\"op\":\"announce\",\"neighbour\":\"192.0.2.1\",\"kind\":"
	"\"flowspec\",\"family\":4,\"nlri\":\"000\"}",
	"{\"op\":\"announce\",\"neighbour\":\"192.0.2.1\",\"kind\":"
	"\"flowspec\",\"family\":4,\"nlri\":\"00\",\"communities\":\"00\"}",
	"{\"op\":\"announce\",\"neighbour\":\"192.0.2.1\",\"kind\":\"x\","
	"\"family\":4,\"nlri\":\"00\"}",
	"{\"op\":7,\"neighbour\":\"192.0.2.1\"}",
};

TEST(bad_events_are_refused)
{
	struct sl_bgp_bytes bytes;
	struct sl_bgp_event e;
	char why[SL_FLOWSPEC_WHY_B];
	size_t i;

	for (i = 0; i < sizeof(bad_events) / sizeof(bad_events[0]); i++) {
		struct json_object *o = json_tokener_parse(bad_events[i]);

		ASSERT_EQ(-EBADMSG, sl_bgp_event_parse(o, &e, &bytes, why)) {
			TH_LOG("%s", bad_events[i]);
		}
		ASSERT_NE(0, why[0]);
		json_object_put(o);
	}
}

TEST_HARNESS_MAIN
