// SPDX-License-Identifier: GPL-2.0
/* An interface as a packet socket. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/ethtool.h>
#include <linux/if_packet.h>
#include <linux/net_tstamp.h>
#include <linux/sockios.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include "cable_iface.h"

bool cable_iface_names(const char *text, char *a, char *b)
{
	const char *colon = strchr(text, ':');

	if (!colon || colon == text || colon - text >= IFNAMSIZ ||
	    !colon[1] || strlen(colon + 1) >= IFNAMSIZ)
		return false;
	memcpy(a, text, colon - text);
	a[colon - text] = '\0';
	strcpy(b, colon + 1);
	return true;
}

uint64_t cable_now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

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

/* Promiscuous and time-stamped; what the socket itself sends is none of it. */
static int let_receive(int fd, int ifindex)
{
	struct packet_mreq mr = { .mr_ifindex = ifindex,
				  .mr_type = PACKET_MR_PROMISC };
	int stamp = SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE;
	int one = 1, room = 8 << 20;

	if (setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one,
		       sizeof(one)) ||
	    setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &mr,
		       sizeof(mr)) ||
	    setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPING, &stamp,
		       sizeof(stamp)))
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
	return 0;
}

int cable_iface_open(const char *name, bool receives)
{
	struct sockaddr_ll ll = { .sll_family = AF_PACKET,
				  .sll_protocol = htons(receives ? ETH_P_ALL : 0),
				  .sll_ifindex = if_nametoindex(name) };
	int fd;

	if (!ll.sll_ifindex) {
		fprintf(stderr, "cable: no interface %s\n", name);
		return -1;
	}
	fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0 || (receives && let_receive(fd, ll.sll_ifindex)) ||
	    bind(fd, (struct sockaddr *)&ll, sizeof(ll))) {
		fprintf(stderr, "cable: %s: %s; root is needed\n", name,
			strerror(errno));
		return -1;
	}
	offload_off(fd, name);
	return fd;
}

uint64_t cable_iface_stamp_ns(struct msghdr *m)
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
	return cable_now_ns();
}
