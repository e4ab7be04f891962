// SPDX-License-Identifier: GPL-2.0
/*
 * cable: a link emulator. Joins pairs of interfaces by packet sockets and
 * gives each direction delay, jitter, loss, reordering and a bounded queue,
 * where the kernel has no netem. Logs what delay each packet really had. Plays
 * captures, too.
 *
 * One thread: a frame is read with the kernel's receive time stamp, put into
 * its direction's queue with the time it is due, and sent when that has come.
 */
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include "cable_iface.h"
#include "cable_link.h"
#include "cable_play.h"

#define MAX_LINKS	32
#define MAX_PLAYS	8
#define IDLE_NS		100000000	/* between looks at nothing */

static struct cable_link links[MAX_LINKS];
static struct cable_play plays[MAX_PLAYS];
static unsigned int n_links, n_plays;
static FILE *log_file;
static volatile sig_atomic_t stop, report;

static void summary(void)
{
	unsigned int i;

	for (i = 0; i < n_links; i++)
		cable_link_print(&links[i]);
	for (i = 0; i < n_plays; i++)
		cable_play_print(&plays[i]);
	fflush(stdout);
	if (log_file)
		fflush(log_file);
}

static void on_signal(int sig)
{
	if (sig == SIGUSR1)
		report = 1;
	else
		stop = 1;
}

/* Time to the next frame that is due. */
static struct timespec until_due(void)
{
	uint64_t t = cable_now_ns(), next = t + IDLE_NS;
	unsigned int i;
	int d;

	for (i = 0; i < n_links; i++)
		for (d = 0; d < 2; d++) {
			const struct cable_way *w = &links[i].way[d];

			if (w->n && w->ring[w->first].due_ns < next)
				next = w->ring[w->first].due_ns;
		}
	for (i = 0; i < n_plays; i++)
		if (!plays[i].over && plays[i].due_ns < next)
			next = plays[i].due_ns;
	next = next > t ? next - t : 0;
	return (struct timespec){ next / 1000000000, next % 1000000000 };
}

/* Without a link there is nothing to do once the captures are over. */
static bool done(void)
{
	unsigned int i;

	for (i = 0; i < n_plays; i++)
		if (!plays[i].over)
			return false;
	return !n_links;
}

static void run(void)
{
	struct pollfd p[2 * MAX_LINKS];
	struct timespec wait;
	unsigned int i;

	for (i = 0; i < 2 * n_links; i++)
		p[i] = (struct pollfd){ .fd = links[i / 2].way[i % 2].in,
					.events = POLLIN };
	while (!stop && !done()) {
		wait = until_due();
		ppoll(p, 2 * n_links, &wait, NULL);
		for (i = 0; i < 2 * n_links; i++) {
			struct cable_link *l = &links[i / 2];

			if (p[i].revents & POLLIN)
				cable_link_receive(&l->way[i % 2]);
			cable_link_send(l, &l->way[i % 2], log_file);
		}
		for (i = 0; i < n_plays; i++)
			cable_play_send(&plays[i]);
		if (report) {
			report = 0;
			summary();
		}
	}
}

static void usage(FILE *f)
{
	fputs("usage: cable --link A:B[,KEY=VALUE...] [--link ...] [--log FILE] "
	      "[--seed N]\n"
	      "       cable --play A:B,file=FILE,home=PREFIX[,home=...][,speed=2] "
	      "[--play ...]\n\n"
	      "--link joins interfaces A and B; keys, for both directions or "
	      "after > (A to B)\nor < (B to A):\n"
	      "  delay=18ms  jitter=1ms  loss=2%  queue=1000\n"
	      "  reorder=1%  ahead=3ms: how much early those come; half the "
	      "delay if not given\n\n"
	      "--play sends the packets of a capture at their recorded times: "
	      "those whose source\nis home out of A, others to home out of B; "
	      "the rest is left out and counted. Put A\nand B opposite to a "
	      "gateway's inside and outside interfaces. MAC addresses become\n"
	      "ones that no kernel takes up, and what the capture cut off is "
	      "zeros. After a\n"
	      "stall of over 1 ms the rest is played as much later.\n\n"
	      "SIGUSR1 and the end print a JSON line per direction with the "
	      "delays packets really\nhad, and one per capture. It ends with "
	      "its captures, or with a signal if there are\nlinks.\n", f);
}

/* One option with its word; false after a message. */
static bool option(const char *name, const char *word)
{
	if (!strcmp(name, "--link") && n_links < MAX_LINKS &&
	    cable_link_parse(word, &links[n_links])) {
		n_links++;
		return true;
	}
	if (!strcmp(name, "--play") && n_plays < MAX_PLAYS &&
	    cable_play_parse(word, &plays[n_plays])) {
		n_plays++;
		return true;
	}
	if (!strcmp(name, "--seed")) {
		srand48(atol(word));
		return true;
	}
	if (!strcmp(name, "--log")) {
		log_file = fopen(word, "w");
		if (!log_file)
			perror(word);
		return log_file;
	}
	fprintf(stderr, "cable: bad words %s %s; see cable --help\n", name,
		word);
	return false;
}

static int open_all(void)
{
	unsigned int i;

	for (i = 0; i < n_links; i++)
		if (cable_link_open(&links[i]))
			return -1;
	for (i = 0; i < n_plays; i++)
		if (cable_play_open(&plays[i]))
			return -1;
	return 0;
}

int main(int argc, char **argv)
{
	struct sched_param rt = { .sched_priority = 10 };
	int i;

	srand48(1);
	for (i = 1; i < argc; i += 2) {
		if (!strcmp(argv[i], "--help")) {
			usage(stdout);
			return 0;
		}
		if (i + 1 == argc || strncmp(argv[i], "--", 2)) {
			usage(stderr);
			return 1;
		}
		if (!option(argv[i], argv[i + 1]))
			return 1;
	}
	if (!n_links && !n_plays) {
		usage(stderr);
		return 1;
	}
	if (open_all())
		return 2;
	signal(SIGUSR1, on_signal);
	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);
	prctl(PR_SET_TIMERSLACK, 1UL);
	sched_setscheduler(0, SCHED_FIFO, &rt);	/* where we may */
	run();
	summary();
	return 0;
}
