// SPDX-License-Identifier: GPL-2.0
/*
 * Does a NIC stamp what it sends, as the kernel tells a program's own socket?
 * hw_stamps INTERFACE ADDRESS: turns stamps on, sends a few datagrams there, and
 * reads the stamps and the NIC's clock against the system's. A line of JSON. What the
 * product later says is held against this.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/errqueue.h>
#include <linux/ethtool.h>
#include <linux/net_tstamp.h>
#include <linux/ptp_clock.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define DATAGRAMS	20
#define NS_PER_S	1000000000LL

static int ask(int fd, const char *name, unsigned long what, void *data)
{
	struct ifreq r = { .ifr_data = data };

	snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", name);
	return ioctl(fd, what, &r);
}

/* Off in the end: who comes next turns them on himself. */
static int stamps(int fd, const char *name, int tx_type)
{
	struct hwtstamp_config c = { .tx_type = tx_type };

	return ask(fd, name, SIOCSHWTSTAMP, &c);
}

static int stamps_on(int fd, const char *name)
{
	const int flags = SOF_TIMESTAMPING_TX_HARDWARE |
		SOF_TIMESTAMPING_RAW_HARDWARE | SOF_TIMESTAMPING_OPT_TSONLY;

	return stamps(fd, name, HWTSTAMP_TX_ON) ||
	       setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPING, &flags,
			  sizeof(flags)) ||
	       setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name,
			  strlen(name) + 1);
}

/* The stamp of what was just sent, by the NIC's clock; 0: none came. */
static int64_t stamp(int fd)
{
	struct pollfd p = { .fd = fd };
	char control[256];
	struct msghdr m = { .msg_control = control,
			    .msg_controllen = sizeof(control) };
	struct scm_timestamping *t;
	struct cmsghdr *c;

	if (poll(&p, 1, 500) <= 0 || recvmsg(fd, &m, MSG_ERRQUEUE) < 0)
		return 0;
	for (c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c))
		if (c->cmsg_level == SOL_SOCKET &&
		    c->cmsg_type == SCM_TIMESTAMPING) {
			t = (struct scm_timestamping *)CMSG_DATA(c);
			return t->ts[2].tv_sec * NS_PER_S + t->ts[2].tv_nsec;
		}
	return 0;
}

/* The NIC's clock and by how much it can be wrong, read between two readings of
 * the system's; -1: it has none. */
static int read_clock(int fd, const char *name, int64_t *clock_ns,
		      int64_t *error_ns)
{
	struct ethtool_ts_info info = { .cmd = ETHTOOL_GET_TS_INFO };
	struct ptp_sys_offset_extended o = { .n_samples = 1 };
	char path[32];
	int ptp, rc;

	if (ask(fd, name, SIOCETHTOOL, &info) || info.phc_index < 0)
		return -1;
	snprintf(path, sizeof(path), "/dev/ptp%d", info.phc_index);
	ptp = open(path, O_RDWR);
	rc = ptp < 0 ? -1 : ioctl(ptp, PTP_SYS_OFFSET_EXTENDED, &o);
	if (ptp >= 0)
		close(ptp);
	*clock_ns = o.ts[0][1].sec * NS_PER_S + o.ts[0][1].nsec;
	*error_ns = (o.ts[0][2].sec - o.ts[0][0].sec) * NS_PER_S +
		    o.ts[0][2].nsec - o.ts[0][0].nsec;
	return rc;
}

int main(int argc, char **argv)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(9) };
	int64_t before_ns = 0, after_ns = 0, error_ns = 0, at_ns;
	int fd = socket(AF_INET, SOCK_DGRAM, 0), i, got = 0, inside = 0;

	if (argc != 3 || inet_pton(AF_INET, argv[2], &to.sin_addr) != 1 ||
	    stamps_on(fd, argv[1])) {
		fprintf(stderr, "hw_stamps: %s\n", strerror(errno));
		return 1;
	}
	for (i = 0; i < DATAGRAMS; i++) {
		if (read_clock(fd, argv[1], &before_ns, &error_ns))
			break;
		sendto(fd, "stamp", 5, 0, (struct sockaddr *)&to, sizeof(to));
		at_ns = stamp(fd);
		read_clock(fd, argv[1], &after_ns, &error_ns);
		got += at_ns > 0;
		inside += before_ns < at_ns && at_ns < after_ns;
	}
	stamps(fd, argv[1], HWTSTAMP_TX_OFF);
	printf("{\"sent\":%d,\"stamped\":%d,\"inside\":%d,"
	       "\"clock_error_ns\":%lld}\n", i, got, inside,
	       (long long)error_ns);
	return !got;
}
