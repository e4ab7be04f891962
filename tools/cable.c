// SPDX-License-Identifier: GPL-2.0
/*
 * cable: a link emulator. Joins pairs of interfaces by packet sockets and
 * gives each direction delay, jitter, loss, reordering and a bounded queue,
 * where the kernel has no netem. Logs what delay each packet really had.
 *
 * One thread: a frame is read with the kernel's receive time stamp, put into
 * its direction's queue with the time it is due, and sent when that has come.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/ethtool.h>
#include <linux/if_packet.h>
#include <linux/net_tstamp.h>
#include <linux/sockios.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MAX_LINKS	32
#define FRAME_B		2048
#define MAX_SAMPLES	(1 << 20)	/* true delays kept for the summary */

/* What a link does to a packet of either direction. */
struct shape {
	uint64_t delay_ns, jitter_ns;
	double loss, reorder;		/* 0..1 */
	unsigned int queue;		/* packets */
};

struct frame {
	uint64_t in_ns, due_ns;		/* CLOCK_REALTIME, as the stamps */
	uint32_t len_b;
	uint8_t data[FRAME_B];
};

/* One direction: frames wait in order of arrival unless reordered. */
struct way {
	int in, out;			/* sockets */
	struct shape shape;
	struct frame *ring;
	unsigned int first, n;
	uint64_t packets, bytes, lost, overrun, too_long;
	uint32_t *delay_us10;		/* true delays, 0.1 us */
	unsigned int n_delays;
};

struct link {
	char a[IFNAMSIZ], b[IFNAMSIZ];
	struct way way[2];		/* a -> b, b -> a */
};

static struct link links[MAX_LINKS];
static unsigned int n_links;
static FILE *log_file;
static volatile sig_atomic_t stop, report;

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

/* --- command line --- */
static int parse_ms(const char *s, uint64_t *ns)
{
	char *end;
	double v = strtod(s, &end);

	if (end == s || v < 0 || v > 60000)
		return -1;
	if (!strcmp(end, "ms"))
		*ns = v * 1e6;
	else if (!strcmp(end, "us"))
		*ns = v * 1e3;
	else
		return -1;
	return 0;
}

static int parse_share(const char *s, double *out)
{
	char *end;

	*out = strtod(s, &end) / 100;
	return end == s || strcmp(end, "%") || *out < 0 || *out > 1 ? -1 : 0;
}

static int parse_key(struct shape *s, const char *key, const char *v)
{
	if (!strcmp(key, "delay"))
		return parse_ms(v, &s->delay_ns);
	if (!strcmp(key, "jitter"))
		return parse_ms(v, &s->jitter_ns);
	if (!strcmp(key, "loss"))
		return parse_share(v, &s->loss);
	if (!strcmp(key, "reorder"))
		return parse_share(v, &s->reorder);
	if (!strcmp(key, "queue"))
		return (s->queue = atoi(v)) > 0 && s->queue <= 65536 ? 0 : -1;
	return -1;
}

/* A:B,delay=18ms[,jitter=..][,loss=2%][,reorder=1%][,queue=1000]; a key with
 * ">" or "<" before it holds for A to B or B to A only. */
static int parse_link(const char *text)
{
	struct link *l = &links[n_links];
	char copy[512], *rest = copy, *word, *eq, *colon;
	int d;

	if (n_links == MAX_LINKS || strlen(text) >= sizeof(copy))
		return -1;
	strcpy(copy, text);
	word = strsep(&rest, ",");
	colon = strchr(word, ':');
	if (!colon || colon - word >= IFNAMSIZ || strlen(colon + 1) >= IFNAMSIZ)
		return -1;
	*colon = '\0';
	strcpy(l->a, word);
	strcpy(l->b, colon + 1);
	l->way[0].shape.queue = l->way[1].shape.queue = 1000;
	while ((word = strsep(&rest, ","))) {
		char only = *word == '>' || *word == '<' ? *word++ : 0;

		eq = strchr(word, '=');
		if (!eq)
			return -1;
		*eq = '\0';
		for (d = 0; d < 2; d++)
			if ((!only || only == "><"[d]) &&
			    parse_key(&l->way[d].shape, word, eq + 1))
				return -1;
	}
	n_links++;
	return 0;
}

/* --- sockets --- */
/* Whole, checksummed frames only: no segments for a NIC to cut. */
static void offload_off(int fd, const char *name)
{
	static const uint32_t cmds[] = { ETHTOOL_STSO, ETHTOOL_SGSO,
					 ETHTOOL_SGRO, ETHTOOL_STXCSUM };
	struct ethtool_value v;
	struct ifreq ifr = {};
	size_t i;

	strcpy(ifr.ifr_name, name);
	for (i = 0; i < sizeof(cmds) / sizeof(cmds[0]); i++) {
		v = (struct ethtool_value){ .cmd = cmds[i] };
		ifr.ifr_data = (void *)&v;
		ioctl(fd, SIOCETHTOOL, &ifr);	/* where the device can */
	}
}

static int open_iface(const char *name)
{
	struct sockaddr_ll ll = { .sll_family = AF_PACKET,
				  .sll_protocol = htons(ETH_P_ALL),
				  .sll_ifindex = if_nametoindex(name) };
	struct packet_mreq mr = { .mr_ifindex = ll.sll_ifindex,
				  .mr_type = PACKET_MR_PROMISC };
	int stamp = SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE;
	int one = 1, room = 8 << 20, fd;

	if (!ll.sll_ifindex) {
		fprintf(stderr, "cable: no interface %s\n", name);
		return -1;
	}
	fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0 || setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one,
				 sizeof(one)) ||
	    bind(fd, (struct sockaddr *)&ll, sizeof(ll)) ||
	    setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &mr,
		       sizeof(mr)) ||
	    setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPING, &stamp,
		       sizeof(stamp))) {
		fprintf(stderr, "cable: %s: %s; root is needed\n", name,
			strerror(errno));
		return -1;
	}
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
	offload_off(fd, name);
	return fd;
}

static int open_link(struct link *l)
{
	int a = open_iface(l->a), b = open_iface(l->b), d;

	if (a < 0 || b < 0)
		return -1;
	for (d = 0; d < 2; d++) {
		struct way *w = &l->way[d];

		w->in = d ? b : a;
		w->out = d ? a : b;
		w->ring = calloc(w->shape.queue, sizeof(*w->ring));
		w->delay_us10 = malloc(MAX_SAMPLES * sizeof(*w->delay_us10));
		if (!w->ring || !w->delay_us10)
			return -1;
	}
	return 0;
}

/* --- packets --- */
/* The kernel's receive time, or now. */
static uint64_t stamp_of(struct msghdr *m)
{
	struct cmsghdr *c;

	for (c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c))
		if (c->cmsg_level == SOL_SOCKET &&
		    c->cmsg_type == SO_TIMESTAMPING) {
			struct timespec ts;

			memcpy(&ts, CMSG_DATA(c), sizeof(ts));
			if (ts.tv_sec)
				return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
		}
	return now_ns();
}

/* When a frame is due: never before the one ahead of it, unless reordered. */
static uint64_t due(const struct way *w, uint64_t in_ns, bool reordered)
{
	const struct shape *s = &w->shape;
	const struct frame *last;
	uint64_t t = in_ns + s->delay_ns;

	if (reordered)
		return in_ns + s->delay_ns / 2;
	if (s->jitter_ns)
		t += (uint64_t)(s->jitter_ns * drand48());
	if (w->n) {
		last = &w->ring[(w->first + w->n - 1) % s->queue];
		if (t < last->due_ns)
			t = last->due_ns;
	}
	return t;
}

static void put_frame(struct way *w, const uint8_t *data, uint32_t len_b,
		      uint64_t in_ns)
{
	const struct shape *s = &w->shape;
	bool reordered = s->reorder > 0 && drand48() < s->reorder;
	struct frame *f;
	unsigned int i;

	if (s->loss > 0 && drand48() < s->loss) {
		w->lost++;
		return;
	}
	if (w->n == s->queue) {
		w->overrun++;
		return;
	}
	f = &w->ring[(w->first + w->n) % s->queue];
	f->due_ns = due(w, in_ns, reordered);
	f->in_ns = in_ns;
	f->len_b = len_b;
	memcpy(f->data, data, len_b);
	w->n++;
	/* a reordered frame moves ahead of those that are due later */
	for (i = w->n - 1; reordered && i > 0; i--) {
		struct frame *x = &w->ring[(w->first + i - 1) % s->queue];
		struct frame *y = &w->ring[(w->first + i) % s->queue], t;

		if (x->due_ns <= y->due_ns)
			break;
		t = *x;
		*x = *y;
		*y = t;
	}
}

static void receive(struct way *w)
{
	static uint8_t data[65536 + 64];
	char control[256];
	struct iovec iov = { data, sizeof(data) };
	struct msghdr m;
	ssize_t n;
	int burst;

	for (burst = 0; burst < 64; burst++) {
		m = (struct msghdr){ .msg_iov = &iov, .msg_iovlen = 1,
				     .msg_control = control,
				     .msg_controllen = sizeof(control) };
		n = recvmsg(w->in, &m, 0);
		if (n <= 0)
			return;
		if (n > FRAME_B)
			w->too_long++;
		else
			put_frame(w, data, n, stamp_of(&m));
	}
}

static void send_due(struct link *l, struct way *w)
{
	struct frame *f;
	uint64_t t;

	while (w->n) {
		f = &w->ring[w->first];
		if (f->due_ns > now_ns())
			return;
		if (send(w->out, f->data, f->len_b, 0) < 0 && errno == EAGAIN)
			return;
		t = now_ns();
		w->packets++;
		w->bytes += f->len_b;
		if (w->n_delays < MAX_SAMPLES)
			w->delay_us10[w->n_delays++] = (t - f->in_ns) / 100;
		if (log_file)
			fprintf(log_file, "%s>%s\t%llu\t%u\t%llu\n",
				w == &l->way[0] ? l->a : l->b,
				w == &l->way[0] ? l->b : l->a,
				(unsigned long long)f->in_ns, f->len_b,
				(unsigned long long)(t - f->in_ns));
		w->first = (w->first + 1) % w->shape.queue;
		w->n--;
	}
}

/* --- report --- */
static int by_value(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static uint64_t quantile_ns(const struct way *w, double q)
{
	return w->n_delays ? w->delay_us10[(unsigned int)
					   (q * (w->n_delays - 1))] * 100ULL : 0;
}

static void summary(void)
{
	unsigned int i;
	int d;

	for (i = 0; i < n_links; i++)
		for (d = 0; d < 2; d++) {
			struct way *w = &links[i].way[d];

			qsort(w->delay_us10, w->n_delays,
			      sizeof(*w->delay_us10), by_value);
			printf("{\"from\":\"%s\",\"to\":\"%s\",\"packets\":%llu,"
			       "\"bytes\":%llu,\"lost\":%llu,\"overrun\":%llu,"
			       "\"too_long\":%llu,\"delay_min_ns\":%llu,"
			       "\"delay_p50_ns\":%llu,\"delay_p99_ns\":%llu,"
			       "\"delay_max_ns\":%llu}\n",
			       d ? links[i].b : links[i].a,
			       d ? links[i].a : links[i].b,
			       (unsigned long long)w->packets,
			       (unsigned long long)w->bytes,
			       (unsigned long long)w->lost,
			       (unsigned long long)w->overrun,
			       (unsigned long long)w->too_long,
			       (unsigned long long)quantile_ns(w, 0),
			       (unsigned long long)quantile_ns(w, 0.5),
			       (unsigned long long)quantile_ns(w, 0.99),
			       (unsigned long long)quantile_ns(w, 1));
		}
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

/* Time to the next frame that is due; 100 ms when none waits. */
static struct timespec until_due(void)
{
	uint64_t t = now_ns(), next = t + 100000000;
	unsigned int i;
	int d;

	for (i = 0; i < n_links; i++)
		for (d = 0; d < 2; d++) {
			const struct way *w = &links[i].way[d];

			if (w->n && w->ring[w->first].due_ns < next)
				next = w->ring[w->first].due_ns;
		}
	next = next > t ? next - t : 0;
	return (struct timespec){ next / 1000000000, next % 1000000000 };
}

static void run(void)
{
	struct pollfd p[2 * MAX_LINKS];
	struct timespec wait;
	unsigned int i;

	for (i = 0; i < 2 * n_links; i++)
		p[i] = (struct pollfd){ .fd = links[i / 2].way[i % 2].in,
					.events = POLLIN };
	while (!stop) {
		wait = until_due();
		ppoll(p, 2 * n_links, &wait, NULL);
		for (i = 0; i < 2 * n_links; i++) {
			if (p[i].revents & POLLIN)
				receive(&links[i / 2].way[i % 2]);
			send_due(&links[i / 2], &links[i / 2].way[i % 2]);
		}
		if (report) {
			report = 0;
			summary();
		}
	}
}

static void usage(FILE *f)
{
	fputs("usage: cable --link A:B[,KEY=VALUE...] [--link ...] [--log FILE] "
	      "[--seed N]\n\n"
	      "Joins interfaces A and B; keys, for both directions or after > "
	      "(A to B) or < (B to A):\n"
	      "  delay=18ms  jitter=1ms  loss=2%  reorder=1%  queue=1000\n\n"
	      "SIGUSR1 and the end print a JSON line per direction with the "
	      "delays packets really had.\n", f);
}

int main(int argc, char **argv)
{
	struct sched_param rt = { .sched_priority = 10 };
	unsigned int u;
	int i;

	srand48(1);
	for (i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--help")) {
			usage(stdout);
			return 0;
		}
		if (i + 1 == argc || strncmp(argv[i], "--", 2)) {
			usage(stderr);
			return 1;
		}
		if (!strcmp(argv[i], "--link") && !parse_link(argv[i + 1])) {
			i++;
		} else if (!strcmp(argv[i], "--seed")) {
			srand48(atol(argv[++i]));
		} else if (!strcmp(argv[i], "--log")) {
			log_file = fopen(argv[++i], "w");
			if (!log_file) {
				perror(argv[i]);
				return 2;
			}
		} else {
			fprintf(stderr, "cable: bad words %s %s\n", argv[i],
				argv[i + 1]);
			return 1;
		}
	}
	if (!n_links) {
		usage(stderr);
		return 1;
	}
	for (u = 0; u < n_links; u++)
		if (open_link(&links[u]))
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
