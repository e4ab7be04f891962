// SPDX-License-Identifier: GPL-2.0
/* Who holds which prefix: good files, and files broken in every way that one
 * could think of. A broken file tells its mistakes and no prefix. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "input.h"
#include "kselftest_harness.h"

#define MARKER	"\xab\xcd\xefMaxMind.com"
#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))

static char dir[] = "/tmp/sealane-world.XXXXXX";
static char path[64];
static uint8_t good[65536], file[65536];
static size_t good_b, len;
static char told[4096];		/* what the callback was told, as text */
static unsigned int calls, stop_at;
static struct sl_mistakes all;

static int tell(void *arg, const struct sl_prefix *p, uint16_t country,
		uint32_t asn)
{
	char text[SL_PREFIX_STR_B];
	size_t n = strlen(told);

	(void)arg;
	snprintf(told + n, sizeof(told) - n, "%s %c%c %u\n",
		 sl_prefix_str(p, text), country ? country >> 8 : '-',
		 country ? country & 0xff : '-', asn);
	return ++calls == stop_at ? 77 : 0;
}

static void forget(void)
{
	sl_mistakes_free(&all);
	told[0] = '\0';
	calls = 0;
}

/* Each test is a process of its own. */
static void in_dir(void)
{
	if (!mkdtemp(dir))
		exit(KSFT_FAIL);
	snprintf(path, sizeof(path), "%s/a.mmdb", dir);
}

static void clean_up(void)
{
	unlink(path);
	rmdir(dir);
	sl_mistakes_free(&all);
}

static int save(const void *bytes, size_t n)
{
	FILE *f = fopen(path, "w");

	if (!f)
		return -1;
	n -= fwrite(bytes, 1, n, f);
	return fclose(f) || n ? -1 : 0;
}

/* A database of these lines, at `path` and in good[]. */
static int make(const char *kind, const char *lines)
{
	char cmd[160];
	FILE *f;

	in_dir();
	snprintf(cmd, sizeof(cmd), "echo \"$L\" | python3 tests/mk/mmdb.py "
		 "%s %s", path, kind);
	if (setenv("L", lines, 1) || system(cmd) || !(f = fopen(path, "r")))
		return -1;
	good_b = fread(good, 1, sizeof(good), f);
	return fclose(f);
}

static int walk(void)
{
	forget();
	return sl_mmdb_walk(path, tell, NULL, &all);
}

/* At least one mistake, each with words, and nothing told. */
static bool refused(int rc)
{
	size_t i;

	for (i = 0; i < all.n; i++)
		if (!all.m[i].message[0] || !all.m[i].remedy[0])
			return false;
	return rc == -EINVAL && all.n && all.total >= all.n && !calls;
}

static const char lines[] =
	"1.0.0.0/24 SG\n1.0.0.128/25 AU\n8.8.8.8 US\n"
	"2400::/12 registered:JP\n2001:db8::/32 DE\n2001:db9::/32 DE\n";

TEST(mmdb_tells_each_network_once_and_no_alias_until_told_to_end)
{
	ASSERT_EQ(make("country", lines), 0);
	EXPECT_TRUE(!walk() && !all.n);
	EXPECT_STREQ(told, "1.0.0.0/25 SG 0\n1.0.0.128/25 AU 0\n8.8.8.8 US 0\n"
		     "2001:db8::/32 DE 0\n2001:db9::/32 DE 0\n"
		     "2400::/12 JP 0\n");
	stop_at = 2;
	EXPECT_TRUE(walk() == 77 && calls == 2);
	clean_up();
}

TEST(mmdb_tells_as_numbers_of_all_sizes)
{
	ASSERT_EQ(make("asn", "0.0.0.0/8 1\n9.0.0.0/8 300\n10.0.0.0/9 70000\n"
		       "2400::/12 4294967295\n"), 0);
	EXPECT_EQ(walk(), 0);
	EXPECT_STREQ(told, "0.0.0.0/8 -- 1\n9.0.0.0/8 -- 300\n"
		     "10.0.0.0/9 -- 70000\n2400::/12 -- 4294967295\n");
	clean_up();
}

/* --- broken databases --- */
enum how {
	RECORD,		/* side b of node a leads to c */
	BYTES,		/* b bytes of text at a in the data section */
	META,		/* the value behind metadata's key `text` is a byte b */
	KEY,		/* each word `text` is spelled otherwise */
	TWICE,		/* a maps, each with the next one twice */
};

#define NODES	(-1)	/* node_count, as RECORD's c: "empty" */

static const struct breakage {
	const char *what;
	enum how how;
	int a, b, c;
	const char *text;
} breakages[] = {
	{ "marker spelled otherwise", KEY, 0, 0, 0, MARKER },
	{ "no node count", KEY, 0, 0, 0, "node_count" },
	{ "no record size", KEY, 0, 0, 0, "record_size" },
	{ "no IP version", KEY, 0, 0, 0, "ip_version" },
	{ "no format version", KEY, 0, 0, 0, "binary_format_major_version" },
	{ "no node", META, 0, 0, 0, "node_count" },
	{ "tree over the end", META, 0, 0xffff, 0, "node_count" },
	{ "record size 0", META, 0, 0, 0, "record_size" },
	{ "record size 25", META, 0, 25, 0, "record_size" },
	{ "record size of 32 over one of 24", META, 0, 32, 0, "record_size" },
	{ "record size of 28 over one of 24", META, 0, 28, 0, "record_size" },
	{ "IP version 0", META, 0, 0, 0, "ip_version" },
	{ "IP version 5", META, 0, 5, 0, "ip_version" },
	{ "IPv4 in a tree of 128 bits", META, 0, 4, 0, "ip_version" },
	{ "format 3", META, 0, 3, 0, "binary_format_major_version" },
	{ "root leads to itself", RECORD, 0, 1, 0, NULL },
	{ "node leads to itself", RECORD, 5, 1, 5, NULL },
	{ "node leads back to the root", RECORD, 40, 1, 0, NULL },
	{ "both sides lead to one node", RECORD, 3, 1, 4, NULL },
	{ "leads into the separator", RECORD, 7, 1, NODES - 1, NULL },
	{ "leads behind the data section", RECORD, 7, 1, NODES - 60000, NULL },
	{ "leads to the last number", RECORD, 7, 1, 0xffffff, NULL },
	{ "empty tree", RECORD, 0, 0, NODES, NULL },
	{ "no country in any record", KEY, 0, 0, 0, "iso_code" },
	{ "unknown type", BYTES, 0, 2, 0, "\x01\xff" },
	{ "record that is a string", BYTES, 0, 1, 0, "\x41" },
	{ "float of one byte", BYTES, 20, 3, 0, "\x01\x08\x00" },
	{ "string over the end", BYTES, 0, 3, 0, "\x5f\xff\xff" },
	{ "map of very many", BYTES, 0, 4, 0, "\xff\xff\xff\xff" },
	{ "pointer behind the data", BYTES, 0, 3, 0, "\x30\xff\xff" },
	{ "pointer to itself", BYTES, 0, 2, 0, "\x20\x00" },
	{ "map that holds itself", BYTES, 0, 4, 0, "\xe1\x41x\x20" },
	{ "key that is a number", BYTES, 1, 2, 0, "\xa1\x01" },
	{ "number of too many bytes", BYTES, 20, 1, 0, "\xdc" },
	{ "maps that double at each level", TWICE, 20, 0, 0, NULL },
};

static uint8_t *find(const char *word)
{
	return memmem(file, len, word, strlen(word));
}

static int nodes(void)
{
	uint8_t *v = memmem(good, good_b, "node_count", 10);

	return v[10] == 0xc1 ? v[11] : v[11] << 8 | v[12];
}

static void lead(int node, int side, int to)
{
	uint8_t *r = file + node * 6 + side * 3;

	/* The tree's end is known here only: NODES - n is n behind it. */
	if (to < 0)
		to = nodes() + (NODES - to);
	r[0] = to >> 16;
	r[1] = to >> 8;
	r[2] = to;
}

/* A value of one or two bytes; the field's own size stays. */
static void set_meta(const char *key, int v)
{
	uint8_t *at = find(key) + strlen(key);
	int n = *at++ & 0x1f;

	for (; n; n--)
		*at++ = v >> 8 * (n - 1);
}

static void breaking(const struct breakage *b)
{
	uint8_t *at;
	int i;

	memcpy(file, good, good_b);
	len = good_b;
	switch (b->how) {
	case RECORD:
		lead(b->a, b->b, b->c);
		if (!b->a && b->c == NODES)
			lead(0, 1, NODES);
		break;
	case BYTES:
		memcpy(file + nodes() * 6 + 16 + b->a, b->text, b->b);
		break;
	case META:
		set_meta(b->text, b->b);
		break;
	case KEY:
		while ((at = find(b->text)))
			at[0] ^= 1;
		break;
	case TWICE:
		at = file + nodes() * 6 + 16;
		for (i = 7; i <= 7 * b->a; i += 7, at += 7)
			memcpy(at, (uint8_t[]){ 0xe2, 0x40, 0x20, i,
						0x40, 0x20, i }, 7);
		*at = 0xe0;
		break;
	}
}

TEST(mmdb_broken_in_any_way_tells_mistakes_and_nothing_else)
{
	size_t i;

	ASSERT_EQ(make("country", lines), 0);
	for (i = 0; i < COUNT(breakages); i++) {
		breaking(&breakages[i]);
		ASSERT_EQ(save(file, len), 0);
		EXPECT_TRUE(refused(walk()))
			TH_LOG("%s: %u told, %zu mistakes: %s",
			       breakages[i].what, calls, all.n, told);
	}
	clean_up();
}

TEST(mmdb_that_is_no_file_of_its_kind_is_a_mistake)
{
	in_dir();
	EXPECT_TRUE(refused(walk())) TH_LOG("missing");
	ASSERT_EQ(mkdir(path, 0700), 0);
	EXPECT_TRUE(refused(walk())) TH_LOG("directory");
	ASSERT_EQ(rmdir(path), 0);
	ASSERT_EQ(mkfifo(path, 0600), 0);
	alarm(10);
	EXPECT_TRUE(refused(walk())) TH_LOG("named pipe");
	alarm(0);
	ASSERT_EQ(unlink(path), 0);
	ASSERT_EQ(save(lines, sizeof(lines) - 1), 0);
	EXPECT_TRUE(refused(walk())) TH_LOG("text");
	clean_up();
}

TEST(mmdb_cut_at_any_byte_is_a_mistake)
{
	size_t n;

	ASSERT_EQ(make("country", lines), 0);
	for (n = 0; n < good_b; n++) {
		ASSERT_EQ(truncate(path, 0) || save(good, n), 0);
		EXPECT_TRUE(refused(walk())) TH_LOG("cut at %zu", n);
	}
	clean_up();
}

/* Some changed bytes still make a database; none may make it tell half. */
TEST(mmdb_with_random_bytes_is_whole_or_refused)
{
	unsigned int i, k;
	int rc;

	ASSERT_EQ(make("country", lines), 0);
	srandom(1);
	for (i = 0; i < 3000; i++) {
		memcpy(file, good, good_b);
		for (k = 0; k < 1 + i % 3; k++)
			file[random() % good_b] = random();
		ASSERT_EQ(save(file, good_b), 0);
		rc = walk();
		EXPECT_TRUE((!rc && !all.n && calls) || refused(rc))
			TH_LOG("round %u: rc %d", i, rc);
	}
	clean_up();
}

/* --- text --- */
typedef int (*parse_fn)(const char *, size_t, sl_world_fn, void *,
			struct sl_mistakes *);

static int parse(parse_fn fn, const char *text)
{
	forget();
	return fn(text, strlen(text), tell, NULL, &all);
}

#define V	"2|apnic|20240101|3|19830613|20231231|+1000\n"
#define R4	"apnic|SG|ipv4|1.0.0.0|256|20110811|allocated\n"

static const struct {
	parse_fn parse;
	const char *text;
	unsigned long line;
} texts[] = {
	{ sl_rir_parse, "", 0 }, { sl_rir_parse, "# nothing\n#\n", 0 },
	{ sl_rir_parse, R4, 1 }, { sl_rir_parse, "3" V, 1 },
	{ sl_rir_parse, V "|\n", 2 }, { sl_rir_parse, V V, 2 },
	{ sl_rir_parse, V "apnic|SG\n", 2 },
	{ sl_rir_parse, V R4 "apnic|SG|ipv5|1.0.0.0|1|2|allocated\n", 3 },
	{ sl_rir_parse, V "#\n\na|SG|ipv4|1.0.0|256|2|allocated\n", 4 },
	{ sl_rir_parse, V R4 "a|SG|ipv4|2.0.0.0|0|2|allocated\n", 3 },
	{ sl_rir_parse, V R4 "a|SG|ipv4|2.0.0.0|2x|2|allocated\n", 3 },
	{ sl_rir_parse, V "a|SG|ipv4|255.0.0.0|16777217|2|assigned\n", 2 },
	{ sl_rir_parse, V "a|SG|ipv4|1.0.0.0|99999999999999999999|2|"
	  "assigned\n", 2 },
	{ sl_rir_parse, V "a|SG|ipv4|2001:db8::|256|2|allocated\n", 2 },
	{ sl_rir_parse, V "a|SG|ipv6|1.0.0.0|24|2|allocated\n", 2 },
	{ sl_rir_parse, V "a|SG|ipv6|2001:db8::|129|2|allocated\n", 2 },
	{ sl_rir_parse, V "a|SG|ipv6|2001:db8::1|32|2|allocated\n", 2 },
	{ sl_rir_parse, V "a|S1|ipv4|1.0.0.0|256|2|allocated\n", 2 },
	{ sl_rir_parse, V "a||ipv4|1.0.0.0|256|2|allocated\n", 2 },
	{ sl_rir_parse, V "a|SG|ipv4|1.0.0.0|256|2|given\n", 2 },
	{ sl_rir_parse, V "a|SG|ipv4|1.0.0.0|256|2\n", 2 },
	{ sl_rir_parse, V "a|*|ipv4|*|many|summary\n" R4, 2 },
	{ sl_rir_parse, V "a|*|ipv4|*|2|summary\n" R4, 0 },
	{ sl_rir_parse, V "a|*|ipv6|*|1|summary\n" R4, 0 },
	{ sl_geofeed_parse, "", 0 }, { sl_geofeed_parse, "# nothing\n", 0 },
	{ sl_geofeed_parse, "192.0.2.0/24,US,,,\n192.0.2.0,U,,,\n", 2 },
	{ sl_geofeed_parse, "192.0.2.0/24,USA,,,\n", 1 },
	{ sl_geofeed_parse, "192.0.2.0/24,U1,,,\n", 1 },
	{ sl_geofeed_parse, "#\r\n\r\n192.0.2.0/33,US,,,\r\n", 3 },
	{ sl_geofeed_parse, "192.0.2.1/24,US,,,\n", 1 },
	{ sl_geofeed_parse, "there,US,,,\n", 1 },
	{ sl_geofeed_parse, ",US,,,\n192.0.2.0/24,US,,,\n", 1 },
	{ sl_geofeed_parse, "192.0.2.0/24;US;;;\n", 1 },
	{ sl_geofeed_parse, "192.0.2.1,US,,,\n#\n192.0.2.1/32,SG,,,\n", 3 },
};

TEST(text_with_a_bad_line_names_it_and_tells_nothing)
{
	size_t i;

	for (i = 0; i < COUNT(texts); i++) {
		EXPECT_TRUE(refused(parse(texts[i].parse, texts[i].text)) &&
			    all.m[0].line == texts[i].line)
			TH_LOG("text %zu: %zu mistakes, line %lu", i,
			       all.n, all.n ? all.m[0].line : 0);
	}
	sl_mistakes_free(&all);
}

TEST(rir_counts_become_prefixes)
{
	EXPECT_EQ(parse(sl_rir_parse, "# c\r\n2.3|apnic|1|4|1|2|+1000\r\n"
			"apnic|*|ipv4|*|3|summary\r\napnic|*|asn|*|1|summary\n"
			"apnic|JP|asn|173|1|2|allocated\n"
			"apnic|AU|ipv4|1.0.1.0|768|2|allocated|A91\n"
			"apnic|sg|ipv4|255.255.255.255|1|2|assigned\n"
			"apnic||ipv4|9.0.0.0|256||available\n"
			"apnic|CN|ipv6|2001:250::|35|2|allocated"), 0);
	EXPECT_STREQ(told, "1.0.1.0/24 AU 0\n1.0.2.0/23 AU 0\n"
		     "255.255.255.255 SG 0\n2001:250::/35 CN 0\n");
}

TEST(geofeed_takes_what_rfc_8805_allows)
{
	EXPECT_EQ(parse(sl_geofeed_parse, "# c\r\n\r\n192.0.2.0/25,us,US-AL,"
			"Alabaster,\r\n192.0.2.129,,,,\n2001:db8::/32 , SG"), 0);
	EXPECT_STREQ(told, "192.0.2.0/25 US 0\n192.0.2.129 -- 0\n"
		     "2001:db8::/32 SG 0\n");
}

TEST_HARNESS_MAIN
