// SPDX-License-Identifier: GPL-2.0
/* One epoll loop: signals, the second's tick, link events, HTTP. */
#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>
#include "changes.h"
#include "commits.h"
#include "duration.h"
#include "history.h"
#include "module.h"
#include "plan.h"
#include "prefixes.h"

#define SYNC_EVERY_S 5

/* Those behind LINKS are not ours to close. */
enum source { SIGNALS, TICK, LINKS, JOBS, DROPS, HTTP, HISTORY, SOURCES };

static void our_signals(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGHUP);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGTERM);
}

void agent_signals(void)
{
	sigset_t set;

	our_signals(&set);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
}

static int open_signals(void)
{
	sigset_t set;

	our_signals(&set);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* On the second of wall clock, more or less, so that those of a step make it. */
static int open_tick(void)
{
	long ahead_ns = 1000000000 - sl_now_ns() % 1000000000;
	const struct itimerspec every = { { 1, 0 }, { ahead_ns / 1000000000,
					  ahead_ns % 1000000000 } };
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);

	if (fd >= 0)
		timerfd_settime(fd, 0, &every, NULL);
	return fd;
}

static int open_links(void)
{
	struct sockaddr_nl nl = { .nl_family = AF_NETLINK,
				  .nl_groups = RTMGRP_LINK };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK,
			NETLINK_ROUTE);

	if (fd >= 0 && bind(fd, (struct sockaddr *)&nl, sizeof(nl))) {
		close(fd);
		return -1;
	}
	return fd;
}

static void on_signal(struct agent *a, int fd)
{
	const struct caller self = { .uid = getuid(), .pid = getpid() };
	struct signalfd_siginfo si;
	struct job *j;

	while (read(fd, &si, sizeof(si)) == sizeof(si)) {
		if (si.ssi_signo != SIGHUP) {
			a->stop = true;
			continue;
		}
		sd_notify(0, "RELOADING=1");
		j = job_new(a, JOB_RELOAD, &self);
		if (j)
			job_start(a, j);
	}
}

static void count_pps(struct agent *a)
{
	struct sl_port_ctr ctr;
	unsigned int i;
	uint64_t sum;
	int k;

	for (i = 0; i < a->n_ports; i++) {
		struct port *p = &a->ports[i];

		sl_dp_read_port(a->dp, p->slot, &ctr);
		for (k = 0, sum = 0; k < SL_R_MAX; k++)
			sum += ctr.packets[k];
		p->pps = p->last_packets ? sum - p->last_packets : 0;
		p->last_packets = sum;
	}
}

static void on_tick(struct agent *a, int fd)
{
	static unsigned int ticks;
	uint64_t n;

	if (read(fd, &n, sizeof(n)) != sizeof(n))
		return;
	sl_dp_tick(a->dp);
	module_second(a);
	clocks_second(a);
	tables_set_clock(a);
	collect_second(a);
	prefixes_second(a);
	history_second(a);
	changes_second(a);
	sample_second(a);
	residence_second(a);
	count_pps(a);
	pending_tick(a);
	blocks_expire(a);
	bypass_second(a);
	events_second(a);
	api_second(a);
	flowspec_tick(a);
	audit_tick(a);
	store_tidy(a);
	if (++ticks % SYNC_EVERY_S == 0) {
		ports_sync(a);
		guards_sync(a);
	}
}

static void on_links(struct agent *a, int fd)
{
	char buf[8192];

	while (recv(fd, buf, sizeof(buf), 0) > 0 || errno == ENOBUFS)
		;
	ports_sync(a);
}

/* Until something is due without an event. */
static int timeout_ms(const struct agent *a)
{
	int api = api_timeout_ms(a), flow = flowspec_timeout_ms(a);

	return api < 0 || (flow >= 0 && flow < api) ? flow : api;
}

static int watch(int epoll, int fd, enum source source)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.u32 = source };

	return fd < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &ev) ? -1 : 0;
}

int agent_loop(struct agent *a)
{
	int fd[SOURCES] = { open_signals(), open_tick(), open_links(),
			    jobs_fd(a), drops_fd(a), api_fd(a),
			    history_fd(a) };
	int epoll = epoll_create1(EPOLL_CLOEXEC), i, n, rc = 0;
	struct epoll_event ev[SOURCES];

	for (i = 0; i < SOURCES; i++)
		rc |= watch(epoll, fd[i], i);
	if (rc)
		say(LOG_ERR, "event loop: %s", strerror(errno));
	else
		sd_notify(0, "READY=1");
	while (!rc && !a->stop) {
		n = epoll_wait(epoll, ev, SOURCES, timeout_ms(a));
		for (i = 0; i < n; i++) {
			enum source s = ev[i].data.u32;

			if (s == SIGNALS)
				on_signal(a, fd[s]);
			else if (s == TICK)
				on_tick(a, fd[s]);
			else if (s == LINKS)
				on_links(a, fd[s]);
			else if (s == JOBS)
				jobs_ready(a);
			else if (s == DROPS)
				drops_ready(a);
			else if (s == HISTORY)
				history_ready(a);
		}
		api_run(a);
		events_save(a);
		flowspec_run(a);
	}
	sd_notify(0, "STOPPING=1");
	for (i = 0; i < JOBS; i++)
		close(fd[i]);
	close(epoll);
	return rc;
}
