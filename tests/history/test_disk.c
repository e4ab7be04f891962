// SPDX-License-Identifier: GPL-2.0
/*
 * A disk that is full, then full of somebody else's, then read-only: a small tmpfs
 * in a mount namespace of the test's own.
 */
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include "duration.h"
#include "given.h"
#include "kselftest_harness.h"

#define START_S	1767225600ULL
#define SERIES	40
#define EACH	60		/* samples in a step of each series */
#define SIZE	"size=8m"	/* of which log and spare take 4 */

static char dir[64];
static uint64_t at_s = START_S;
static uint64_t got_samples, got_first_s;

static void put_step(bool wait)
{
	struct history_key key;
	struct sl_hist h;
	unsigned int i, k;

	for (i = 0; i < SERIES; i++) {
		memset(&h, 0, sizeof(h));
		for (k = 0; k < EACH; k++)
			sl_hist_record(&h, 10000000 + random() % 200000000);
		made_key(&key, i);
		history_add(&given, &key, &h);
	}
	if (wait)
		step_when_room(at_s * S_NS);
	else
		history_step_done(&given, at_s * S_NS);
	at_s += 900;
}

static void on_series(void *arg, uint64_t from_ns, uint64_t len_ns,
		      const struct history_key *key, const struct sl_hist *h)
{
	struct history_key first;

	(void)arg;
	(void)len_ns;
	made_key(&first, 0);
	if (memcmp(&first, key, sizeof(first)))
		return;
	if (!got_samples)
		got_first_s = from_ns / S_NS;
	got_samples += h->count;
}

static int read_back(uint64_t from_s)
{
	struct question q = { .ask = { from_s * S_NS, at_s * S_NS, 900 * S_NS,
				       NULL, NULL, on_series, NULL, NULL } };

	got_samples = got_first_s = 0;
	return ask(&q);
}

/* Until there is such an event, 15 s at most, as the loop would wait. */
static bool comes(const char *text)
{
	unsigned int i;

	for (i = 0; i < 150; i++) {
		history_second(&given);
		if (told("history", text))
			return true;
		usleep(100000);
	}
	return false;
}

static unsigned int queued(void)
{
	unsigned int n;

	pthread_mutex_lock(&given.history->lock);
	n = given.history->queued;
	pthread_mutex_unlock(&given.history->lock);
	return n;
}

/* Somebody else takes what is left. */
static void fill_disk(const char *name)
{
	char path[128], junk[4096];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
	memset(junk, 1, sizeof(junk));
	while (write(fd, junk, sizeof(junk)) > 0)
		;
	close(fd);
}

static void free_disk(const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	unlink(path);
}

FIXTURE(disk) {
};

FIXTURE_SETUP(disk)
{
	given_events = 0;
	give_limits(6 * 3600, 3 * DAY_S, 400 * DAY_S, 500);
	ASSERT_EQ(0, mount("tmpfs", dir, "tmpfs", 0, SIZE));
	ASSERT_EQ(0, given_open(dir));
}

FIXTURE_TEARDOWN(disk)
{
	history_close(&given);
	umount2(dir, MNT_DETACH);
}

TEST_F_TIMEOUT(disk, that_is_full_costs_the_oldest_and_the_newest_go_on, 120)
{
	unsigned int i;

	for (i = 0; i < 40 * 96; i++) {
		put_step(true);
		if (i % 96 == 0)
			history_second(&given);
	}
	settle();
	history_second(&given);
	ASSERT_TRUE(told("history", "the oldest went, for the disk is full"));
	ASSERT_FALSE(told("history", "are lost"));
	ASSERT_EQ(0, read_back(at_s - 86400));
	ASSERT_EQ(96 * EACH, got_samples);
	ASSERT_EQ(0, read_back(START_S));
	TH_LOG("%llu of 40 days are left",
	       (unsigned long long)((at_s - got_first_s) / DAY_S));
	ASSERT_GT(got_first_s, START_S + DAY_S);
}

TEST_F_TIMEOUT(disk, full_of_others_pauses_it_until_there_is_room, 120)
{
	uint64_t began_ns, took_ns;
	unsigned int i;

	for (i = 0; i < 100; i++)
		put_step(true);
	settle();
	/* whatever it gives up, somebody else takes at once */
	for (i = 0; i < 200 && !told("history", "history pauses"); i++) {
		fill_disk("others");
		put_step(false);
		usleep(20000);
		history_second(&given);
	}
	ASSERT_TRUE(told("history", "history pauses"));
	fill_disk("others");
	began_ns = sl_mono_ns();
	for (i = 0; i < 10; i++)
		put_step(false);
	took_ns = sl_mono_ns() - began_ns;
	ASSERT_LT(took_ns, S_NS / 10);
	ASSERT_FALSE(told("history", "history goes on"));
	free_disk("others");
	ASSERT_TRUE(comes("history goes on"));
	for (i = 0; i < 50 && queued(); i++)
		usleep(100000);
	settle();
	ASSERT_EQ(0, read_back(at_s - 9000));
	ASSERT_EQ(10 * EACH, got_samples);
}

TEST_F_TIMEOUT(disk, that_cannot_be_written_pauses_it_until_it_can, 120)
{
	unsigned int i;

	for (i = 0; i < 20; i++)
		put_step(true);
	history_close(&given);
	ASSERT_EQ(0, mount("tmpfs", dir, "tmpfs", MS_REMOUNT | MS_RDONLY,
			   SIZE));
	ASSERT_EQ(0, given_open(dir));
	for (i = 0; i < 5; i++)
		put_step(false);
	ASSERT_TRUE(comes("history pauses"));
	ASSERT_EQ(0, mount("tmpfs", dir, "tmpfs", MS_REMOUNT, SIZE));
	ASSERT_TRUE(comes("history goes on"));
	settle();
	ASSERT_EQ(0, read_back(START_S));
	ASSERT_EQ(25 * EACH, got_samples);
	history_second(&given);
	ASSERT_FALSE(told("history", "are lost"));
}

int main(int argc, char **argv)
{
	int rc;

	if (!given_dir(dir, sizeof(dir)))
		return 1;
	if (unshare(CLONE_NEWNS) ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL)) {
		printf("1..1\nok 1 disks # SKIP no mount namespace: be root\n");
		rmdir(dir);
		return 0;
	}
	rc = test_harness_run(argc, argv);
	rmdir(dir);
	return rc;
}
