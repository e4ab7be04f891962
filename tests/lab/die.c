// SPDX-License-Identifier: GPL-2.0
/*
 * Loaded into the agent with LD_PRELOAD: its process ends at the n-th write to
 * its database. $DIE_CTL is a file of two 64-bit numbers that the test writes:
 * writes that are left (0: live on), and how to die: 1 before the write, 2 in
 * the middle of it, 3 as by a power cut: all that was not yet synced is lost.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct control {
	volatile int64_t left, how;
};

/* What a write that is not synced yet has replaced. */
struct undo {
	struct undo *next;
	dev_t dev;
	ino_t ino;
	int fd;
	off_t at, size;
	size_t len;
	char was[];
};
static struct undo *undo;	/* newest first */

static ssize_t (*real_pwrite)(int, const void *, size_t, off_t);
static int (*real_fdatasync)(int);
static int (*real_fsync)(int);
static int (*real_ftruncate)(int, off_t);

static void find_real(void)
{
	real_pwrite = dlsym(RTLD_NEXT, "pwrite64");
	real_fdatasync = dlsym(RTLD_NEXT, "fdatasync");
	real_fsync = dlsym(RTLD_NEXT, "fsync");
	real_ftruncate = dlsym(RTLD_NEXT, "ftruncate64");
}

static struct control *control(void)
{
	static struct control *c;
	const char *path = getenv("DIE_CTL");
	void *at;
	int fd;

	if (c || !path)
		return c;
	find_real();
	fd = open(path, O_RDWR | O_CLOEXEC);
	at = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof(*c), PROT_READ |
		PROT_WRITE, MAP_SHARED, fd, 0);
	if (at == MAP_FAILED)
		abort();
	c = at;
	return c;
}

static int is_database(int fd)
{
	char link[64], path[512];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof(path) - 1);
	if (n < 0)
		return 0;
	path[n] = '\0';
	return strstr(path, "/sealane.db") && !strstr(path, "-shm");
}

static void note(int fd, off_t at, size_t len)
{
	struct undo *u = malloc(sizeof(*u) + len);
	struct stat st;
	ssize_t n;

	if (!u || fstat(fd, &st))
		abort();
	n = pread(fd, u->was, len, at);
	*u = (struct undo){ .next = undo, .dev = st.st_dev, .ino = st.st_ino,
			    .fd = fd, .at = at, .size = st.st_size,
			    .len = n > 0 ? n : 0 };
	undo = u;
}

/* What is synced can no longer be lost. */
static void forget(int fd)
{
	struct undo **at = &undo, *u;
	struct stat st;

	if (fstat(fd, &st))
		return;
	while ((u = *at)) {
		if (u->dev == st.st_dev && u->ino == st.st_ino) {
			*at = u->next;
			free(u);
		} else {
			at = &u->next;
		}
	}
}

static void power_cut(void)
{
	struct undo *u;

	for (u = undo; u; u = u->next) {
		if (u->len && real_pwrite(u->fd, u->was, u->len, u->at) < 0)
			abort();
		if (real_ftruncate(u->fd, u->size))
			abort();
	}
}

/* One write fewer to live. How to die now, or 0. */
static int count_down(int fd)
{
	struct control *c = control();

	if (!c || !is_database(fd) || !c->left || --c->left)
		return 0;
	return c->how;
}

static void die(int how)
{
	if (how == 3)
		power_cut();
	kill(getpid(), SIGKILL);
	pause();
}

ssize_t pwrite64(int fd, const void *buf, size_t len, off_t at)
{
	int how = count_down(fd);

	if (how == 2)
		real_pwrite(fd, buf, len / 2, at);
	if (how)
		die(how);
	if (!real_pwrite)
		find_real();
	if (is_database(fd))
		note(fd, at, len);
	return real_pwrite(fd, buf, len, at);
}

ssize_t pwrite(int fd, const void *buf, size_t len, off_t at)
{
	return pwrite64(fd, buf, len, at);
}

int ftruncate64(int fd, off_t size)
{
	int how = count_down(fd);
	struct stat st;

	if (how)
		die(how);
	if (!real_ftruncate)
		find_real();
	if (is_database(fd) && !fstat(fd, &st) && size < st.st_size)
		note(fd, size, st.st_size - size);
	return real_ftruncate(fd, size);
}

int ftruncate(int fd, off_t size)
{
	return ftruncate64(fd, size);
}

int fdatasync(int fd)
{
	int how = count_down(fd), rc;

	if (how)
		die(how);
	if (!real_fdatasync)
		find_real();
	rc = real_fdatasync(fd);
	if (!rc)
		forget(fd);
	return rc;
}

int fsync(int fd)
{
	int how = count_down(fd), rc;

	if (how)
		die(how);
	if (!real_fsync)
		find_real();
	rc = real_fsync(fd);
	if (!rc)
		forget(fd);
	return rc;
}
