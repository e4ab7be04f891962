// SPDX-License-Identifier: GPL-2.0
/*
 * Small TCP conversations for guests, with nothing but the C library:
 *   talk serve PORT                   echo to all who call (IPv4 and IPv6)
 *   talk ask ADDRESS PORT SECONDS     one connection after the other, some
 *                                     words on each; prints how many were answered
 *   talk flood ADDRESS PORT SECONDS PER-SECOND BYTES
 *                                     UDP at an even rate; prints how many
 *   talk pour ADDRESS PORT BYTES      one connection, as fast as it goes
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define WORD_B		64
#define WORDS		4	/* on one connection */
#define CALLERS_MAX	64
#define DATAGRAM_B	1400
#define NS_PER_S	1000000000ULL

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * NS_PER_S + t.tv_nsec;
}

static void sleep_until(uint64_t time_ns)
{
	struct timespec t = { .tv_sec = time_ns / NS_PER_S,
			      .tv_nsec = time_ns % NS_PER_S };

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
}

/* Both families are one kind of address here. */
static bool parse(const char *text, const char *port, struct sockaddr_in6 *out)
{
	char mapped[64];

	memset(out, 0, sizeof(*out));
	out->sin6_family = AF_INET6;
	out->sin6_port = htons(atoi(port));
	snprintf(mapped, sizeof(mapped), "%s%s",
		 strchr(text, ':') ? "" : "::ffff:", text);
	return inet_pton(AF_INET6, mapped, &out->sin6_addr) == 1;
}

static int no_delay(int fd)
{
	const int on = 1;

	return setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

static int listen_on(const char *port)
{
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in6 any;
	const int on = 1;

	if (fd < 0 || !parse("::", port, &any) ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ||
	    bind(fd, (struct sockaddr *)&any, sizeof(any)) || listen(fd, 64)) {
		perror("listen");
		return -1;
	}
	return fd;
}

/* What a caller said goes back to him; false: he has gone. */
static bool echo(int fd)
{
	char word[WORD_B];
	ssize_t n = read(fd, word, sizeof(word));

	return n > 0 && write(fd, word, n) == n;
}

static int serve(const char *port)
{
	struct pollfd p[CALLERS_MAX] = { { .fd = listen_on(port),
					   .events = POLLIN } };
	int n = 1, i;

	if (p[0].fd < 0)
		return 1;
	while (poll(p, n, -1) >= 0) {
		for (i = n - 1; i > 0; i--) {
			if (!p[i].revents || echo(p[i].fd))
				continue;
			close(p[i].fd);
			p[i] = p[--n];
		}
		if (p[0].revents && n < CALLERS_MAX) {
			p[n] = (struct pollfd){ .fd = accept(p[0].fd, NULL,
						NULL), .events = POLLIN };
			if (p[n].fd >= 0 && !no_delay(p[n].fd))
				n++;
		}
	}
	return 1;
}

/* One connection; how many words were answered. */
static int call(const struct sockaddr_in6 *to)
{
	const struct timeval patience = { .tv_sec = 2 };
	int fd = socket(AF_INET6, SOCK_STREAM, 0), words = 0;
	char word[WORD_B] = "word";

	if (fd < 0)
		return 0;
	if (!setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience,
			sizeof(patience)) &&
	    !setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience,
			sizeof(patience)) && !no_delay(fd) &&
	    !connect(fd, (const struct sockaddr *)to, sizeof(*to)))
		while (words < WORDS &&
		       write(fd, word, sizeof(word)) == sizeof(word) &&
		       recv(fd, word, sizeof(word), MSG_WAITALL) ==
		       sizeof(word))
			words++;
	close(fd);
	return words;
}

static int ask(const struct sockaddr_in6 *to, unsigned int seconds)
{
	const uint64_t end_ns = now_ns() + seconds * NS_PER_S;
	int words = 0;

	do {
		words += call(to);
		usleep(20000);	/* also when nobody listens */
	} while (now_ns() < end_ns);
	printf("%d words answered\n", words);
	return words ? 0 : 1;
}

static int flood(const struct sockaddr_in6 *to, unsigned int seconds,
		 unsigned int rate, size_t len_b)
{
	const uint64_t start_ns = now_ns(), gap_ns = NS_PER_S / rate;
	int fd = socket(AF_INET6, SOCK_DGRAM, 0);
	static char datagram[DATAGRAM_B];
	unsigned int i, sent = 0;	/* each is like no other */

	if (fd < 0 || len_b < sizeof(i) || len_b > sizeof(datagram) ||
	    connect(fd, (const struct sockaddr *)to, sizeof(*to))) {
		perror("flood");
		return 1;
	}
	for (i = 0; i < seconds * rate; i++) {
		sleep_until(start_ns + i * gap_ns);
		memcpy(datagram, &i, sizeof(i));
		/* an ICMP error is told once by the next send */
		sent += send(fd, datagram, len_b, 0) == (ssize_t)len_b ||
			send(fd, datagram, len_b, 0) == (ssize_t)len_b;
	}
	printf("%u datagrams sent\n", sent);
	return sent ? 0 : 1;
}

/* As much at once as the connection takes, so that it is sent in full segments;
 * all of it comes back. */
static int pour(const struct sockaddr_in6 *to, size_t bytes)
{
	static char block[1 << 20];
	struct pollfd p = { .events = POLLIN | POLLOUT };
	size_t sent = 0, got = 0;
	ssize_t n;

	p.fd = socket(AF_INET6, SOCK_STREAM, 0);
	if (p.fd < 0 || connect(p.fd, (const struct sockaddr *)to, sizeof(*to)))
		return 1;
	while (got < bytes && poll(&p, 1, 5000) > 0) {
		if (p.revents & POLLIN) {
			n = recv(p.fd, block, sizeof(block), MSG_DONTWAIT);
			if (n <= 0)
				break;
			got += n;
		}
		n = bytes - sent < sizeof(block) ? bytes - sent : sizeof(block);
		n = p.revents & POLLOUT ? send(p.fd, block, n, MSG_DONTWAIT) : 0;
		sent += n > 0 ? n : 0;
		p.events = sent < bytes ? POLLIN | POLLOUT : POLLIN;
	}
	close(p.fd);
	printf("%zu bytes came back\n", got);
	return got != bytes;
}

int main(int argc, char **argv)
{
	struct sockaddr_in6 to;

	signal(SIGPIPE, SIG_IGN);
	if (argc == 3 && !strcmp(argv[1], "serve"))
		return serve(argv[2]);
	if (argc == 5 && !strcmp(argv[1], "ask") &&
	    parse(argv[2], argv[3], &to))
		return ask(&to, atoi(argv[4]));
	if (argc == 7 && !strcmp(argv[1], "flood") && atoi(argv[5]) > 0 &&
	    parse(argv[2], argv[3], &to))
		return flood(&to, atoi(argv[4]), atoi(argv[5]),
			     strtoul(argv[6], NULL, 10));
	if (argc == 5 && !strcmp(argv[1], "pour") &&
	    parse(argv[2], argv[3], &to))
		return pour(&to, strtoul(argv[4], NULL, 10));
	fprintf(stderr, "usage: talk serve PORT | ask ADDRESS PORT SECONDS | "
		"flood ADDRESS PORT SECONDS PER-SECOND BYTES | "
		"pour ADDRESS PORT BYTES\n");
	return 1;
}
