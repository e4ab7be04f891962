// SPDX-License-Identifier: GPL-2.0
/*
 * kill -9 at random moments, many times: a child writes step after step and says
 * what it handed over; after each kill the next one goes on. In the end every step
 * is there once, at each level, but for those that were in flight at a kill.
 *
 * A step of number n has one sample in each series, whose bucket is n's: so what
 * is lost or doubled shows by itself.
 */
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include "given.h"
#include "kselftest_harness.h"

#define START_S	1767225600ULL
#define KILLS	60
#define SERIES	5
#define MOST	500000

static char dir[64];

/* Shared with the children: how far they came. */
struct shared {
	unsigned int next;		/* step to be handed over */
	unsigned int sure;		/* steps below are written, the writer
					 * says */
};

static struct shared *shared;

static uint64_t value_ns(unsigned int n)
{
	return sl_hist_upper_s(n % 600 + 50) * 1e9 * 0.99;
}

static void write_until_killed(void)
{
	unsigned int base = shared->next;
	struct history_key key;
	struct sl_hist h;
	unsigned int i, n;

	if (given_open(dir))
		_exit(1);
	for (;;) {
		n = shared->next;
		for (i = 0; i < SERIES; i++) {
			memset(&h, 0, sizeof(h));
			sl_hist_record(&h, value_ns(n));
			made_key(&key, i);
			history_add(&given, &key, &h);
		}
		shared->next = n + 1;
		if (given.history->steps)
			shared->sure = base + given.history->steps;
		step_when_room((START_S + n * 10ULL) * S_NS);
	}
}

/* How often each step is there, of series 0 and 4. */
static uint8_t times[2][MOST];

static void on_series(void *arg, uint64_t from_ns, uint64_t len_ns,
		      const struct history_key *key, const struct sl_hist *h)
{
	unsigned int first = (from_ns / S_NS - START_S) / 10, i, n;
	struct history_key k;
	unsigned int which;

	(void)arg;
	for (which = 0; which < 2; which++) {
		made_key(&k, which * 4);
		if (k.method != key->method || k.half != key->half)
			continue;
		for (i = 0; i < len_ns / S_NS / 10; i++) {
			n = first + i;
			if (n < MOST)
				times[which][n] +=
					h->bucket[sl_hist_bucket(value_ns(n))];
		}
	}
}

/* Steps that are missing; *doubled: there more than once. */
static unsigned int missing(uint64_t step_s, unsigned int upto,
			    unsigned int *doubled, unsigned int *odd)
{
	struct question q = { .ask = { START_S * S_NS,
		(START_S + MOST * 10ULL) * S_NS, step_s * S_NS, NULL, NULL,
		on_series, NULL, NULL } };
	unsigned int n, gone = 0;

	memset(times, 0, sizeof(times));
	*doubled = *odd = 0;
	if (ask(&q))
		return UINT32_MAX;
	for (n = 0; n < upto; n++) {
		gone += !times[0][n];
		*doubled += times[0][n] > 1;
		*odd += times[0][n] != times[1][n];
	}
	return gone;
}

/* For kill number k: steps below are on disk. Asked of the file itself. */
static unsigned int on_disk(void)
{
	char path[600];
	sqlite3 *db;
	int64_t id;

	snprintf(path, sizeof(path), "%s/history.db", dir);
	if (sqlite3_open(path, &db))
		return 0;
	sqlite3_busy_timeout(db, 2000);
	id = db_number(db, "SELECT MAX(id) FROM young WHERE id<1<<60", 0);
	sqlite3_close(db);
	return id ? YOUNG_TICK(id) - START_S / 10 + 1 : 0;
}

TEST(killed_at_any_moment_only_what_was_on_its_way_is_lost)
{
	static const uint64_t step_s[] = { 10, 60, 900 };
	unsigned int k, n, doubled, odd, gone, flight = 0, before;
	pid_t pid;

	give_limits(400 * DAY_S, 400 * DAY_S, 400 * DAY_S, 500);
	srandom(getpid());
	for (k = 0; k < KILLS; k++) {
		before = shared->next;
		pid = fork();
		ASSERT_GE(pid, 0);
		if (!pid)
			write_until_killed();
		/* soon after its start, or in the middle of its work */
		usleep(k % 4 ? 20000 + random() % 60000 : random() % 8000);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		n = on_disk();
		ASSERT_LE(n, shared->next);
		ASSERT_GE(n, shared->sure);
		/* what is not on disk was in the queue or in the writer's hand:
		 * those never come again, as after a real kill */
		if (n > before || shared->next > before)
			flight += shared->next - (n > before ? n : before);
	}
	TH_LOG("%u steps handed over, %u of them in flight at %u kills",
	       shared->next, flight, KILLS);
	ASSERT_LT(shared->next, MOST);
	ASSERT_GT(shared->next, KILLS);
	ASSERT_EQ(0, given_open(dir));
	for (k = 0; k < 3; k++) {
		gone = missing(step_s[k], shared->next, &doubled, &odd);
		TH_LOG("by %u s: %u missing, %u doubled",
		       (unsigned int)step_s[k], gone, doubled);
		ASSERT_EQ(flight, gone);
		ASSERT_EQ(0, doubled);
		ASSERT_EQ(0, odd);
	}
	history_second(&given);
	ASSERT_FALSE(told("history", "damaged"));
	history_close(&given);
}

int main(int argc, char **argv)
{
	char cmd[96];
	int rc;

	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (!given_dir(dir, sizeof(dir)) || shared == MAP_FAILED)
		return 1;
	rc = test_harness_run(argc, argv);
	snprintf(cmd, sizeof(cmd), "rm -rf %s", dir);
	return system(cmd) ? 1 : rc;
}
