// SPDX-License-Identifier: GPL-2.0
/* Text of others: nothing of it moves a terminal's cursor or breaks JSON. */
#include <stdio.h>
#include <string.h>
#include "kselftest_harness.h"
#include "plain.h"

static const char *plain(const char *text)
{
	static char buf[64];

	snprintf(buf, sizeof(buf), "%s", text);
	return sl_plain(buf);
}

TEST(what_people_write_stays)
{
	static const char *const good[] = { "", "case 12", "caf\xc3\xa9",
		"\xe6\xbc\xa2\xe5\xad\x97", "\xf0\x9f\x98\x80", "\xc2\xa0",
		"\xed\x9f\xbf", "\xf4\x8f\xbf\xbf", "q\"}],\"x\":" };
	unsigned int i;

	for (i = 0; i < sizeof(good) / sizeof(*good); i++)
		EXPECT_STREQ(good[i], plain(good[i]));
}

TEST(control_characters_do_not)
{
	EXPECT_STREQ("a?[31mb", plain("a\x1b[31mb"));
	EXPECT_STREQ("a?b?c?", plain("a\nb\tc\x7f"));
	EXPECT_STREQ("a?31m", plain("a\xc2\x9b" "31m"));
	EXPECT_STREQ("?evil", plain("\xe2\x80\xae" "evil"));
	EXPECT_STREQ("a?b?c", plain("a\xe2\x80\xa8" "b\xe2\x81\xa6" "c"));
}

TEST(what_is_no_utf8_does_not)
{
	EXPECT_STREQ("bad??", plain("bad\xff\xfe"));
	EXPECT_STREQ("??", plain("\xc0\x80"));
	EXPECT_STREQ("???", plain("\xe0\x80\xaf"));
	EXPECT_STREQ("???", plain("\xed\xa0\x80"));
	EXPECT_STREQ("????", plain("\xf4\x90\x80\x80"));
	EXPECT_STREQ("??", plain("\xe6\xbc"));	/* cut off */
	EXPECT_STREQ("?x", plain("\xc3x"));
}

TEST(characters_are_counted)
{
	EXPECT_EQ(0, sl_plain_chars(""));
	EXPECT_EQ(4, sl_plain_chars("caf\xc3\xa9"));
	EXPECT_EQ(2, sl_plain_chars("\xe6\xbc\xa2\xe5\xad\x97"));
}

TEST_HARNESS_MAIN
