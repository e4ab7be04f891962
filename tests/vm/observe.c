// SPDX-License-Identifier: GPL-2.0
/*
 * What packets really did in a gateway, seen without the product: packet sockets
 * with the kernel's time stamps. observe SECONDS INSIDE OUTSIDE... prints a line of
 * JSON for each outside interface:
 *   echo   echo request arrives inside -> its reply arrives outside
 *   syn    the same of a SYN and its SYN-ACK
 *   self   any packet arrives inside -> it leaves outside, after the queue and
 *          before the driver
 * The kernel stamps what leaves where it hands it to the driver.
 */
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <arpa/inet.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define IFS_MAX		4
#define SEEN_BITS	14	/* packets under way at once, at most */
#define SAMPLES_MAX	65536
#define HEAD_B		128
#define NS_PER_S	1000000000ULL

struct samples {
	unsigned int n;
	int64_t ns[SAMPLES_MAX];
};

struct iface {
	int fd;
	const char *name;
	struct samples echo, syn, self;
};

/* Packets that came in, by what identifies them. */
struct seen {
	uint64_t key;
	int64_t time_ns;
};

static struct iface ifs[IFS_MAX];
static struct seen packets[1 << SEEN_BITS], asked[1 << SEEN_BITS];

static uint64_t hash(const uint8_t *p, size_t len_b)
{
	uint64_t h = 0xcbf29ce484222325ULL;

	while (len_b--)
		h = (h ^ *p++) * 0x100000001b3ULL;
	return h | 1;
}

static void note(struct seen *table, uint64_t key, int64_t time_ns)
{
	table[key >> (64 - SEEN_BITS)] = (struct seen){ key, time_ns };
}

/* Time since it was noted, which is then forgotten. */
static void settle(struct seen *table, uint64_t key, int64_t time_ns,
		   struct samples *s)
{
	struct seen *e = &table[key >> (64 - SEEN_BITS)];

	if (e->key != key)
		return;
	e->key = 0;
	if (s->n < SAMPLES_MAX)
		s->ns[s->n++] = time_ns - e->time_ns;
}

/* Where the transport header lies; 0: no IP. */
static size_t l4_of(const uint8_t *p, size_t len_b, uint8_t *proto)
{
	if (len_b >= 28 && p[0] >> 4 == 4) {
		*proto = p[9];
		return 4 * (p[0] & 15);
	}
	if (len_b >= 48 && p[0] >> 4 == 6) {
		*proto = p[6];
		return 40;
	}
	return 0;
}

/* A packet by its addresses and all behind the IP header, which forwarding
 * leaves alone, but for the checksum: that may be left to the driver. */
static uint64_t key_of(const uint8_t *p, size_t len_b, size_t l4, uint8_t proto)
{
	const size_t addr = p[0] >> 4 == 4 ? 12 : 8;
	const size_t sum = l4 + (proto == 6 ? 16 : proto == 17 ? 6 : 2);
	uint64_t h = hash(p + addr, (p[0] >> 4 == 4 ? 20 : 40) - addr);

	if (sum + 2 > len_b)
		return h ^ hash(p + l4, len_b - l4) << 1;
	return h ^ hash(p + l4, sum - l4) << 1 ^
	       hash(p + sum + 2, len_b - sum - 2) << 2;
}

/* An echo by its identifier and number; 0: it is none of this kind. */
static uint64_t echo_of(const uint8_t *p, size_t l4, uint8_t proto, bool reply)
{
	const uint8_t type = p[l4];

	if ((proto == 1 && type == (reply ? 0 : 8)) ||
	    (proto == 58 && type == (reply ? 129 : 128)))
		return hash(p + l4 + 4, 4) * 2654435761 + proto;
	return 0;
}

/* A SYN or SYN-ACK by the end that asked: its port and, as the next number to
 * come, its sequence. */
static uint64_t syn_of(const uint8_t *p, size_t len_b, size_t l4, uint8_t proto,
		       bool reply)
{
	uint32_t next;
	uint8_t id[6];

	if (proto != 6 || l4 + 14 > len_b ||
	    (p[l4 + 13] & 0x12) != (reply ? 0x12 : 0x02))
		return 0;
	memcpy(&next, p + l4 + (reply ? 8 : 4), sizeof(next));
	next = ntohl(next) + !reply;
	memcpy(id, &next, sizeof(next));
	memcpy(id + 4, p + l4 + (reply ? 2 : 0), 2);
	return hash(id, sizeof(id));
}

static void take(struct iface *i, const uint8_t *p, size_t len_b, bool leaves,
		 int64_t time_ns)
{
	uint8_t proto = 0;
	size_t l4 = l4_of(p, len_b, &proto);
	uint64_t echo, syn;

	if (!l4 || l4 + 8 > len_b)
		return;
	if (leaves) {
		if (i != &ifs[0])
			settle(packets, key_of(p, len_b, l4, proto), time_ns,
			       &i->self);
		return;
	}
	echo = echo_of(p, l4, proto, i != &ifs[0]);
	syn = syn_of(p, len_b, l4, proto, i != &ifs[0]);
	if (i == &ifs[0]) {
		note(packets, key_of(p, len_b, l4, proto), time_ns);
		if (echo || syn)
			note(asked, echo | syn, time_ns);
	} else if (echo) {
		settle(asked, echo, time_ns, &i->echo);
	} else if (syn) {
		settle(asked, syn, time_ns, &i->syn);
	}
}

static int64_t stamp_of(struct msghdr *m)
{
	struct cmsghdr *c;
	struct timespec t;

	for (c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c))
		if (c->cmsg_level == SOL_SOCKET &&
		    c->cmsg_type == SO_TIMESTAMPNS) {
			memcpy(&t, CMSG_DATA(c), sizeof(t));
			return t.tv_sec * NS_PER_S + t.tv_nsec;
		}
	return 0;
}

static bool read_one(struct iface *i)
{
	uint8_t head[HEAD_B];
	char control[128];
	struct sockaddr_ll from;
	struct iovec v = { head, sizeof(head) };
	struct msghdr m = { .msg_name = &from, .msg_namelen = sizeof(from),
			    .msg_iov = &v, .msg_iovlen = 1,
			    .msg_control = control,
			    .msg_controllen = sizeof(control) };
	ssize_t n = recvmsg(i->fd, &m, MSG_DONTWAIT);

	if (n < 0)
		return false;
	take(i, head, n, from.sll_pkttype == PACKET_OUTGOING, stamp_of(&m));
	return true;
}

static bool open_iface(struct iface *i, const char *name)
{
	struct sockaddr_ll at = { .sll_family = AF_PACKET,
				  .sll_protocol = htons(ETH_P_ALL),
				  .sll_ifindex = if_nametoindex(name) };
	const int on = 1, room_b = 4 << 20;

	i->name = name;
	i->fd = socket(AF_PACKET, SOCK_DGRAM, 0);
	if (at.sll_ifindex && i->fd >= 0 &&
	    !setsockopt(i->fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on)) &&
	    !setsockopt(i->fd, SOL_SOCKET, SO_RCVBUFFORCE, &room_b,
			sizeof(room_b)) &&
	    !bind(i->fd, (struct sockaddr *)&at, sizeof(at)))
		return true;
	fprintf(stderr, "%s: %s\n", name, strerror(errno));
	return false;
}

static int by_size(const void *a, const void *b)
{
	const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

static void print(const char *what, struct samples *s)
{
	qsort(s->ns, s->n, sizeof(s->ns[0]), by_size);
	printf(",\"%s\":{\"samples\":%u,\"min_ns\":%lld,\"p50_ns\":%lld,"
	       "\"p90_ns\":%lld,\"max_ns\":%lld}", what, s->n,
	       s->n ? (long long)s->ns[0] : 0,
	       s->n ? (long long)s->ns[s->n / 2] : 0,
	       s->n ? (long long)s->ns[s->n * 9 / 10] : 0,
	       s->n ? (long long)s->ns[s->n - 1] : 0);
}

static void watch(struct pollfd *p, int n, time_t seconds)
{
	const time_t end = time(NULL) + seconds;
	int i;

	while (time(NULL) < end) {
		if (poll(p, n, 200) <= 0)
			continue;
		/* what came in first must be known when it leaves */
		for (i = 0; i < n; i++)
			while ((!i || p[i].revents) && read_one(&ifs[i]))
				;
	}
}

int main(int argc, char **argv)
{
	struct pollfd p[IFS_MAX];
	int i, n = argc - 2;

	if (argc < 4 || n > IFS_MAX || atoi(argv[1]) <= 0) {
		fprintf(stderr, "usage: observe SECONDS INSIDE OUTSIDE...\n");
		return 1;
	}
	for (i = 0; i < n; i++) {
		if (!open_iface(&ifs[i], argv[i + 2]))
			return 1;
		p[i] = (struct pollfd){ .fd = ifs[i].fd, .events = POLLIN };
	}
	watch(p, n, atoi(argv[1]));
	for (i = 1; i < n; i++) {
		printf("{\"truth\":\"%s\"", ifs[i].name);
		print("echo", &ifs[i].echo);
		print("syn", &ifs[i].syn);
		print("self", &ifs[i].self);
		printf("}\n");
	}
	return 0;
}
