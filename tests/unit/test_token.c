// SPDX-License-Identifier: GPL-2.0
/* Tokens: what is drawn is known again, and a file is taken whole or not at all. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "kselftest_harness.h"
#include "token.h"

#define LINE "noc operate 000102030405060708090a0b0c0d0e0f " \
	"000102030405060708090a0b0c0d0e0f000102030405060708090a0b0c0d0e0f "

static char why[256];

/* A file with this text; how it is taken. */
static int take(const char *text, mode_t mode, struct sl_tokens *out)
{
	char path[] = "/tmp/sealane-token.XXXXXX";
	int fd = mkstemp(path), rc;

	if (fd < 0 || write(fd, text, strlen(text)) < 0 || fchmod(fd, mode))
		exit(1);
	close(fd);
	rc = sl_tokens_load(path, out, why, sizeof(why));
	unlink(path);
	return rc;
}

TEST(a_secret_is_known_again_and_no_other)
{
	char secret[SL_TOKEN_B], other[SL_TOKEN_B];
	struct sl_token t = {}, u = {};
	int i;

	ASSERT_EQ(0, sl_token_make(&t, secret));
	ASSERT_EQ(0, sl_token_make(&u, other));
	EXPECT_TRUE(sl_token_fits(&t, secret));
	EXPECT_FALSE(sl_token_fits(&t, other));
	EXPECT_FALSE(sl_token_fits(&t, ""));
	EXPECT_FALSE(sl_token_fits(&t, secret + 1));
	for (i = 0; i < SL_TOKEN_B - 1; i++) {
		secret[i] ^= 1;
		EXPECT_FALSE(sl_token_fits(&t, secret));
		secret[i] ^= 1;
	}
	EXPECT_NE(0, memcmp(t.salt, u.salt, sizeof(t.salt)));
}

TEST(what_is_saved_is_loaded)
{
	char path[] = "/tmp/sealane-token.XXXXXX", secret[SL_TOKEN_B];
	struct sl_token t[2] = { { .name = "a", .role = SL_ROLE_VIEW },
		{ .name = "b.c-d_E", .role = SL_ROLE_ENFORCE,
		  .until_ns = 1800000000123000000ULL } };
	struct sl_tokens all = { t, 2 }, back = {};
	struct stat st;

	close(mkstemp(path));
	ASSERT_EQ(0, sl_token_make(&t[0], secret));
	ASSERT_EQ(0, sl_token_make(&t[1], secret));
	ASSERT_EQ(0, sl_tokens_save(path, &all, why, sizeof(why)));
	ASSERT_EQ(0, stat(path, &st));
	EXPECT_EQ(0600, st.st_mode & 0777);
	ASSERT_EQ(0, sl_tokens_load(path, &back, why, sizeof(why)));
	unlink(path);
	ASSERT_EQ(2, back.n);
	EXPECT_STREQ("b.c-d_E", back.t[1].name);
	EXPECT_EQ(SL_ROLE_ENFORCE, back.t[1].role);
	EXPECT_EQ(t[1].until_ns, back.t[1].until_ns);
	EXPECT_EQ(0, back.t[0].until_ns);
	EXPECT_TRUE(sl_token_fits(&back.t[1], secret));
	free(back.t);
}

TEST(a_wrong_line_refuses_the_file_by_its_number_and_is_not_repeated)
{
	static const char *const bad[] = { "noc", LINE, LINE "never more",
		LINE "-1h", LINE "tomorrow", LINE "never\n" LINE "never",
		"x" LINE "never\n-y" LINE "never", "noc root 00 00 never",
		"noc none 000102030405060708090a0b0c0d0e0f "
		"000102030405060708090a0b0c0d0e0f000102030405060708090a0b0c0d"
		"0e0f never", "a/b" LINE "never",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" LINE "never" };
	struct sl_tokens out = {};
	unsigned int i;

	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		EXPECT_EQ(-EINVAL, take(bad[i], 0600, &out)) TH_LOG("%s",
								    bad[i]);
		EXPECT_EQ(NULL, out.t);
		EXPECT_EQ(NULL, strstr(why, "0405"));
		EXPECT_NE(NULL, strstr(why, strchr(bad[i], '\n') ? ":2: " :
				       ":1: "));
	}
	EXPECT_EQ(0, take("# a comment\n\n" LINE "never\n", 0600, &out));
	EXPECT_EQ(1, out.n);
	free(out.t);
}

TEST(a_file_that_others_may_touch_is_refused)
{
	static const mode_t bad[] = { 0604, 0602, 0640, 0620, 0666, 0610 };
	struct sl_tokens out = {};
	unsigned int i;

	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		EXPECT_EQ(-EPERM, take(LINE "never\n", bad[i], &out));
	EXPECT_EQ(-ENOENT, sl_tokens_load("/nonexistent/tokens", &out, why,
					  sizeof(why)));
	EXPECT_EQ(-EINVAL, sl_tokens_load("/dev/null", &out, why,
					  sizeof(why)));
	EXPECT_EQ(NULL, out.t);
}

TEST_HARNESS_MAIN
