// SPDX-License-Identifier: GPL-2.0
/* Prefix lists in every format, good and broken. A broken one is refused with
 * its line, the bad word and a remedy, and gives no set. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include "input.h"
#include "kselftest_harness.h"

/* Unpack and parse; the mistakes are the caller's to free. */
static int parse(const void *bytes, size_t n, int format, struct sl_pset *set,
		 size_t *doubles, struct sl_mistakes *all)
{
	char *text = NULL;
	size_t len_b;
	int rc;

	memset(all, 0, sizeof(*all));
	memset(set, 0, sizeof(*set));
	rc = sl_input_unpack(bytes, n, &text, &len_b, all);
	if (!rc)
		rc = sl_list_parse(text, len_b, format, set, doubles, all);
	free(text);
	return rc;
}

static size_t zip(const char *text, size_t n, uint8_t *out, size_t room)
{
	z_stream z = { .next_in = (Bytef *)text, .avail_in = n,
		       .next_out = out, .avail_out = room };

	deflateInit2(&z, 9, Z_DEFLATED, 16 + MAX_WBITS, 9, Z_DEFAULT_STRATEGY);
	deflate(&z, Z_FINISH);
	deflateEnd(&z);
	return room - z.avail_out;
}

/* text, format, prefixes of each family, doubles */
static const struct {
	const char *text;
	int format;
	size_t n4, n6, doubles;
} good[] = {
	{ "1.2.3.4\n", SL_LIST_AUTO, 1, 0, 0 },
	{ "1.2.3.4", SL_LIST_CIDR, 1, 0, 0 },
	{ "1.2.3.0/24\r\n5.6.7.8\r\n", SL_LIST_AUTO, 2, 0, 0 },
	{ "# a\n; b\n\n \t\n1.2.3.4 # x\n1.2.3.5;y\n", SL_LIST_AUTO, 2, 0, 0 },
	{ "  1.2.3.4  \n", SL_LIST_AUTO, 1, 0, 0 },
	{ "1.2.3.4\n1.2.3.4/32\n", SL_LIST_AUTO, 1, 0, 1 },
	{ "2001:db8::/32\n2001:DB8:0::1\n::1.2.3.4\n", SL_LIST_AUTO, 0, 3, 0 },
	{ "1.2.3.0-1.2.3.255\n", SL_LIST_AUTO, 1, 0, 0 },
	{ "1.2.3.1 - 1.2.3.6\n", SL_LIST_AUTO, 4, 0, 0 },
	{ "1.2.3.4-1.2.3.4\n", SL_LIST_AUTO, 1, 0, 0 },
	{ "2001:db8::-2001:db8::f\n", SL_LIST_AUTO, 0, 1, 0 },
	{ "255.255.255.255\n0.0.0.0\n128.0.0.0/1\n", SL_LIST_AUTO, 3, 0, 0 },
	{ "\xef\xbb\xbf" "1.2.3.4\n", SL_LIST_AUTO, 1, 0, 0 },
	{ "#\n# Entries         : 2 subnets, 257 unique IPs\n1.2.3.0/24\n"
	  "1.2.4.1\n", SL_LIST_NETSET, 2, 0, 0 },
	{ "# Entries : 3 unique IPs\n1.1.1.1\n1.1.1.2\n1.1.1.3\n",
	  SL_LIST_NETSET, 3, 0, 0 },
	{ "; Spamhaus DROP List 2026/11/24\n; Expires: x\n"
	  "1.10.16.0/20 ; SBL256894\n1.19.0.0/16 ; SBL434604\n",
	  SL_LIST_SPAMHAUS, 2, 0, 0 },
	{ "{\"cidr\":\"1.10.16.0/20\",\"sblid\":\"SBL1\",\"rir\":\"apnic\"}\n"
	  "{\"cidr\":\"2001:db8::/32\",\"sblid\":\"SBL2\",\"rir\":\"x\"}\n"
	  "{\"type\":\"metadata\",\"timestamp\":1,\"size\":2,\"records\":2}\n",
	  SL_LIST_AUTO, 1, 1, 0 },
};

TEST(good_lists_of_every_format)
{
	struct sl_mistakes all;
	struct sl_pset set;
	size_t i, doubles, n;
	uint8_t packed[4096];

	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		n = strlen(good[i].text);
		ASSERT_EQ(0, parse(good[i].text, n, good[i].format, &set,
				   &doubles, &all)) {
			TH_LOG("%zu: %s", i, all.n ? all.m[0].message : "");
		}
		ASSERT_EQ(good[i].n4, set.n4) {
			TH_LOG("%zu", i);
		}
		ASSERT_EQ(good[i].n6, set.n6);
		ASSERT_EQ(good[i].doubles, doubles);
		sl_pset_free(&set);
		n = zip(good[i].text, n, packed, sizeof(packed));
		ASSERT_EQ(0, parse(packed, n, good[i].format, &set, &doubles,
				   &all));
		ASSERT_EQ(good[i].n4, set.n4);
		sl_pset_free(&set);
	}
}

/* text, line of the first mistake, a piece of its message */
static const struct {
	const char *text;
	int format;
	unsigned long line;
	const char *piece;
} broken[] = {
	{ "", SL_LIST_AUTO, 0, "no prefix" },
	{ "\n\n\n", SL_LIST_AUTO, 0, "no prefix" },
	{ "# nothing\n; at all\n", SL_LIST_CIDR, 0, "no prefix" },
	{ "banana\n", SL_LIST_AUTO, 1, "banana" },
	{ "1.2.3.4\n1.2.3\n", SL_LIST_AUTO, 2, "1.2.3 " },
	{ "1.2.3.4.5\n", SL_LIST_AUTO, 1, "1.2.3.4.5" },
	{ "1.2.3.256\n", SL_LIST_AUTO, 1, "1.2.3.256" },
	{ "01.2.3.4\n", SL_LIST_AUTO, 1, "01.2.3.4" },
	{ "1.2.3.4/33\n", SL_LIST_AUTO, 1, "/33" },
	{ "1.2.3.4/\n", SL_LIST_AUTO, 1, "1.2.3.4/" },
	{ "1.2.3.4/-1\n", SL_LIST_AUTO, 1, "1.2.3.4" },
	{ "1.2.3.4/24\n", SL_LIST_AUTO, 1, "has bits set" },
	{ "2001:db8::1/32\n", SL_LIST_AUTO, 1, "has bits set" },
	{ "2001:db8::/129\n", SL_LIST_AUTO, 1, "/129" },
	{ "2001:db8:::1\n", SL_LIST_AUTO, 1, "2001:db8:::1" },
	{ "fe80::1%eth0\n", SL_LIST_AUTO, 1, "fe80" },
	{ "0.0.0.0/0\n", SL_LIST_AUTO, 1, "everything" },
	{ "::/0\n", SL_LIST_AUTO, 1, "everything" },
	{ "0.0.0.0-255.255.255.255\n", SL_LIST_AUTO, 1, "everything" },
	{ "1.2.3.9-1.2.3.4\n", SL_LIST_AUTO, 1, "above the end" },
	{ "1.2.3.4-2001:db8::1\n", SL_LIST_AUTO, 1, "two families" },
	{ "1.2.3.0/24-1.2.4.0/24\n", SL_LIST_AUTO, 1, "prefix in a range" },
	{ "1.2.3.4-\n", SL_LIST_AUTO, 1, "IP address" },
	{ "-1.2.3.4\n", SL_LIST_AUTO, 1, "IP address" },
	{ "1.2.3.4 1.2.3.5\n", SL_LIST_AUTO, 1, "1.2.3.4 1.2.3.5" },
	{ "1.2.3.4,\n", SL_LIST_AUTO, 1, "1.2.3.4," },
	{ "http://192.0.2.1/\n", SL_LIST_AUTO, 1, "http" },
	{ "<html><body>404</body></html>\n", SL_LIST_AUTO, 1, "html" },
	{ "\xff\xfe" "1.2.3.4\n", SL_LIST_AUTO, 1, "??1.2.3.4" },
	{ "# Entries : 9 subnets, 300 unique IPs\n1.2.3.0/24\n",
	  SL_LIST_NETSET, 0, "9 subnets" },
	{ "# Entries : 300 unique IPs\n1.2.3.0/24\n", SL_LIST_NETSET, 0,
	  "300 addresses" },
	{ "{\"cidr\":\"1.2.3.0/24\"}\n", SL_LIST_AUTO, 1, "metadata" },
	{ "{\"cidr\":\"1.2.3.0/24\"}\n{\"type\":\"metadata\",\"records\":2}\n",
	  SL_LIST_AUTO, 2, "2 records" },
	{ "{\"cidr\":\"1.2.3.0/24\"}\n{\"type\":\"metadata\"}\n", SL_LIST_AUTO,
	  2, "no count" },
	{ "{\"cidr\":\"1.2.3.1/24\"}\n{\"type\":\"metadata\",\"records\":1}\n",
	  SL_LIST_AUTO, 1, "has bits set" },
	{ "{\"sblid\":\"SBL1\"}\n{\"type\":\"metadata\",\"records\":0}\n",
	  SL_LIST_SPAMHAUS, 1, "no cidr" },
	{ "{\"cidr\":5}\n{\"type\":\"metadata\",\"records\":0}\n",
	  SL_LIST_SPAMHAUS, 1, "no cidr" },
	{ "{\"cidr\":\"1.2.3.0/24\"\n{\"type\":\"metadata\",\"records\":1}\n",
	  SL_LIST_AUTO, 1, "no JSON" },
	{ "{\"type\":null}\n", SL_LIST_AUTO, 1, "no cidr" },
	{ "{\"type\":\"metadata\",\"records\":0}\n", SL_LIST_AUTO, 0,
	  "no prefix" },
	{ "{\"cidr\":\"1.2.3.0/24\"}\n{\"type\":\"metadata\",\"records\":1}\n",
	  SL_LIST_CIDR, 1, "JSON" },
};

TEST(broken_lists_are_refused_at_their_line)
{
	struct sl_mistakes all;
	struct sl_pset set;
	size_t i, doubles;

	for (i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		ASSERT_EQ(-EINVAL, parse(broken[i].text,
					 strlen(broken[i].text),
					 broken[i].format, &set, &doubles,
					 &all)) {
			TH_LOG("%zu: %s", i, broken[i].text);
		}
		ASSERT_LT(0, all.n);
		ASSERT_EQ(broken[i].line, all.m[0].line) {
			TH_LOG("%zu: %s", i, all.m[0].message);
		}
		ASSERT_NE(NULL, strstr(all.m[0].message, broken[i].piece)) {
			TH_LOG("%zu: %s", i, all.m[0].message);
		}
		ASSERT_NE(0, all.m[0].remedy[0]);
		ASSERT_EQ(NULL, set.v4);
		ASSERT_EQ(0, set.n4 + set.n6);
		sl_mistakes_free(&all);
	}
}

TEST(every_bad_line_is_reported_and_long_ones_too)
{
	char *text = malloc(200000), *at = text;
	struct sl_mistakes all;
	struct sl_pset set;
	size_t i, doubles;

	for (i = 0; i < 500; i++)
		at += sprintf(at, i % 5 ? "10.0.%zu.1\n" : "bad%zu\n", i / 5);
	memset(at, 'x', 5000);
	at += 5000;
	at += sprintf(at, "\n1.2.3.4\n");
	memcpy(at, "1.2\0.3.4\n", 9);
	at += 9;
	ASSERT_EQ(-EINVAL, parse(text, at - text, SL_LIST_AUTO, &set, &doubles,
				 &all));
	ASSERT_EQ(102, all.total);
	for (i = 0; i < 100; i++)
		ASSERT_EQ(5 * i + 1, all.m[i].line);
	ASSERT_EQ(501, all.m[100].line);
	ASSERT_EQ(503, all.m[101].line);
	sl_mistakes_free(&all);
	free(text);
}

TEST(damaged_gzip_is_refused)
{
	static const char text[] = "1.2.3.4\n1.2.3.5\n1.2.3.6\n";
	uint8_t packed[256];
	size_t n = zip(text, sizeof(text) - 1, packed, sizeof(packed)), i;
	struct sl_mistakes all;
	struct sl_pset set;
	size_t doubles;

	for (i = 2; i < n; i++) {	/* cut anywhere */
		ASSERT_EQ(-EINVAL, parse(packed, i, SL_LIST_AUTO, &set,
					 &doubles, &all));
		ASSERT_LT(0, all.n);
		sl_mistakes_free(&all);
	}
	packed[n / 2] ^= 0x55;
	ASSERT_EQ(-EINVAL, parse(packed, n, SL_LIST_AUTO, &set, &doubles,
				 &all));
	sl_mistakes_free(&all);
	packed[n / 2] ^= 0x55;
	packed[n] = 'x';		/* rubbish behind it */
	ASSERT_EQ(-EINVAL, parse(packed, n + 1, SL_LIST_AUTO, &set, &doubles,
				 &all));
	sl_mistakes_free(&all);
	memcpy(packed + n, packed, n);	/* two members are one file */
	ASSERT_EQ(0, parse(packed, 2 * n, SL_LIST_AUTO, &set, &doubles, &all));
	ASSERT_EQ(3, set.n4);
	ASSERT_EQ(3, doubles);
	sl_pset_free(&set);
}

TEST(files_that_cannot_be_read)
{
	static const char *const path[] = { "/nonexistent/x", "/", "/dev/null",
					    "/proc/self/mem" };
	struct sl_mistakes all;
	char *text;
	size_t len_b, i;
	int rc;

	for (i = 0; i < 4; i++) {
		memset(&all, 0, sizeof(all));
		rc = sl_input_read(path[i], &text, &len_b, &all);
		if (!rc) {	/* an empty file is read, and refused later */
			ASSERT_EQ(0, len_b);
			free(text);
			continue;
		}
		ASSERT_EQ(-EINVAL, rc);
		ASSERT_EQ(1, all.n);
		sl_mistakes_free(&all);
	}
}

TEST_HARNESS_MAIN
