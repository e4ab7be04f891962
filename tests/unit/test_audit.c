// SPDX-License-Identifier: GPL-2.0
/* The audit log's chain: docs/audit.md, and what must not go unnoticed. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "audit_chain.h"
#include "kselftest_harness.h"

#define N 6

static struct sl_audit_entry log_[N];
static char hash[N][SL_AUDIT_HASH_B];

/* A log whose fields differ, with lengths that could be taken for others. */
static void make_log(void)
{
	static const char *const word[] = { "", "1:a,", "block", "tag one two",
					    "1", "{\"generation\":7}" };
	int i;

	for (i = 0; i < N; i++) {
		log_[i] = (struct sl_audit_entry){
			.n = i + 1, .at_ns = 1700000000000000000 + i,
			.uid = i, .pid = 100 + i, .who = word[(i + 2) % N],
			.action = word[2], .object = word[i], .outcome = "done",
			.why = word[(i + 1) % N], .tag = word[3],
			.detail = word[5],
			.prev = i ? hash[i - 1] : SL_AUDIT_START,
			.hash = hash[i] };
		sl_audit_hash(&log_[i], hash[i]);
	}
}

/* The first entry that does not follow; 0: all do. */
static int first_broken(const struct sl_audit_entry *e, int n)
{
	struct sl_audit_head head = {};
	const char *why;
	int i;

	for (i = 0; i < n; i++)
		if (sl_audit_follow(&head, &e[i], &why))
			return i + 1;
	return 0;
}

TEST(the_hash_is_that_of_the_document)
{
	/* printf '15:sealane-audit/1,1:1,1:2,1:0,1:3,4:root,5:block,9:192.0.2.1,
	 * 4:done,4:spam,0:,2:{},64:000...0,' | sha256sum */
	const struct sl_audit_entry e = { .n = 1, .at_ns = 2, .uid = 0,
		.pid = 3, .who = "root", .action = "block",
		.object = "192.0.2.1", .outcome = "done", .why = "spam",
		.tag = "", .detail = "{}", .prev = SL_AUDIT_START };
	char got[SL_AUDIT_HASH_B];

	ASSERT_EQ(0, sl_audit_hash(&e, got));
	EXPECT_STREQ("2ddc17b18b6f85e039cf20de0aa85fb42b75ae473003e5f7d320d24046ca1e18", got);
}

TEST(a_whole_log_follows)
{
	make_log();
	EXPECT_EQ(0, first_broken(log_, N));
}

TEST(each_changed_field_of_each_entry_is_found)
{
	struct sl_audit_entry e[N];
	const char **text[] = { &e[0].who, &e[0].action, &e[0].object,
				&e[0].outcome, &e[0].why, &e[0].tag,
				&e[0].detail };
	unsigned int f;
	int i;

	make_log();
	for (i = 0; i < N; i++) {
		for (f = 0; f < sizeof(text) / sizeof(*text); f++) {
			memcpy(e, log_, sizeof(e));
			*(const char **)((char *)text[f] + i * sizeof(*e)) =
				"changed";
			EXPECT_EQ(i + 1, first_broken(e, N));
		}
		memcpy(e, log_, sizeof(e));
		e[i].at_ns++;
		EXPECT_EQ(i + 1, first_broken(e, N));
		memcpy(e, log_, sizeof(e));
		e[i].uid ^= 1;
		EXPECT_EQ(i + 1, first_broken(e, N));
		memcpy(e, log_, sizeof(e));
		e[i].pid++;
		EXPECT_EQ(i + 1, first_broken(e, N));
	}
}

TEST(text_moved_from_one_field_to_the_next_is_found)
{
	struct sl_audit_entry e[N];

	make_log();
	memcpy(e, log_, sizeof(e));
	e[2].action = "blo";
	e[2].object = "ckblock";
	EXPECT_EQ(3, first_broken(e, N));
}

TEST(an_entry_left_out_doubled_or_moved_is_found)
{
	struct sl_audit_entry e[N + 1];
	int i;

	make_log();
	for (i = 0; i < N - 1; i++) {
		memcpy(e, log_, sizeof(log_));
		memmove(&e[i], &e[i + 1], (N - 1 - i) * sizeof(*e));
		EXPECT_EQ(i + 1, first_broken(e, N - 1));
		memcpy(e, log_, sizeof(log_));
		memmove(&e[i + 1], &e[i], (N - i) * sizeof(*e));
		EXPECT_EQ(i + 2, first_broken(e, N + 1));
		memcpy(e, log_, sizeof(log_));
		e[i] = log_[i + 1];
		e[i + 1] = log_[i];
		EXPECT_EQ(i + 1, first_broken(e, N));
	}
}

TEST(an_entry_made_anew_breaks_the_next)
{
	struct sl_audit_entry e[N];
	char made[SL_AUDIT_HASH_B];

	make_log();
	memcpy(e, log_, sizeof(e));
	e[3].who = "nobody";
	sl_audit_hash(&e[3], made);
	e[3].hash = made;
	EXPECT_EQ(5, first_broken(e, N));
}

TEST_HARNESS_MAIN
