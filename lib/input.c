// SPDX-License-Identifier: GPL-2.0
/* Files that others make: their bytes, unpacked. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include "input.h"

static int bad_file(struct sl_mistakes *all, const char *remedy,
		    const char *what)
{
	sl_mistake(all, 0, remedy, "%s", what);
	return -EINVAL;
}

static bool is_gzip(const uint8_t *b, size_t n)
{
	return n >= 2 && b[0] == 0x1f && b[1] == 0x8b;
}

/* Inflate one gzip member after the other into z->next_out, which grows. */
static int inflate_all(z_stream *z, char **out, size_t *room,
		       struct sl_mistakes *all)
{
	size_t have;
	char *grown;
	int rc;

	for (;;) {
		have = *room - z->avail_out;
		if (z->avail_out < 2) {
			if (*room >= SL_INPUT_MAX_B)
				return bad_file(all, "split the file",
						"unpacks to over 1 GiB");
			grown = realloc(*out, *room * 2);
			if (!grown)
				return -ENOMEM;
			*out = grown;
			z->avail_out += *room;
			*room *= 2;
			z->next_out = (uint8_t *)*out + have;
		}
		rc = inflate(z, Z_NO_FLUSH);
		if (rc == Z_STREAM_END) {
			if (!is_gzip(z->next_in, z->avail_in))
				return z->avail_in ? bad_file(all, "fetch the "
					"file anew", "has bytes behind its "
					"gzip data") : 0;
			inflateReset(z);
		} else if (rc != Z_OK && z->avail_out >= 2) {
			return bad_file(all, "fetch the file anew",
					z->avail_in ? "is damaged gzip data" :
					"is gzip data cut short");
		}
	}
}

static int gunzip(const void *bytes, size_t n_b, char **out, size_t *len_b,
		  struct sl_mistakes *all)
{
	size_t room = n_b * 4 + 4096;
	z_stream z = { .next_in = (Bytef *)bytes, .avail_in = n_b };
	int rc;

	*out = malloc(room);
	if (!*out || inflateInit2(&z, 16 + MAX_WBITS) != Z_OK)
		return -ENOMEM;
	z.next_out = (uint8_t *)*out;
	z.avail_out = room;
	rc = inflate_all(&z, out, &room, all);
	*len_b = room - z.avail_out;
	inflateEnd(&z);
	return rc;
}

int sl_input_unpack(const void *bytes, size_t n_b, char **out, size_t *len_b,
		    struct sl_mistakes *all)
{
	int rc = 0;

	*out = NULL;
	if (n_b > SL_INPUT_MAX_B)
		return bad_file(all, "split the file", "is over 1 GiB");
	if (is_gzip(bytes, n_b)) {
		rc = gunzip(bytes, n_b, out, len_b, all);
	} else {
		*out = malloc(n_b + 1);
		if (!*out)
			return -ENOMEM;
		memcpy(*out, bytes, n_b);
		*len_b = n_b;
	}
	if (rc) {
		free(*out);
		*out = NULL;
		return rc;
	}
	(*out)[*len_b] = '\0';	/* one byte is always left */
	return 0;
}

static int read_whole(int fd, size_t size_b, char **out, size_t *len_b)
{
	ssize_t n;

	*len_b = 0;
	*out = malloc(size_b + 1);
	if (!*out)
		return -ENOMEM;
	while (*len_b < size_b) {
		n = read(fd, *out + *len_b, size_b - *len_b);
		if (n < 0)
			return -errno;
		if (!n)
			break;
		*len_b += n;
	}
	return 0;
}

int sl_input_read(const char *path, char **out, size_t *len_b,
		  struct sl_mistakes *all)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), rc;
	char *raw = NULL;
	struct stat st;
	size_t raw_b = 0;

	*out = NULL;
	if (fd < 0 || fstat(fd, &st)) {
		rc = -errno;
		sl_mistake(all, 0, "name a file that can be read",
			   "%s", strerror(errno));
	} else if (!S_ISREG(st.st_mode)) {
		rc = bad_file(all, "name a file", "is no regular file");
	} else if ((uint64_t)st.st_size > SL_INPUT_MAX_B) {
		rc = bad_file(all, "split the file", "is over 1 GiB");
	} else {
		rc = read_whole(fd, st.st_size, &raw, &raw_b);
		if (!rc)
			rc = sl_input_unpack(raw, raw_b, out, len_b, all);
		else
			sl_mistake(all, 0, "name a file that can be read",
				   "%s", strerror(-rc));
	}
	free(raw);
	if (fd >= 0)
		close(fd);
	return rc == -ENOMEM || !rc ? rc : -EINVAL;
}
