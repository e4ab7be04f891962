// SPDX-License-Identifier: GPL-2.0
/* Tokens: token.h. */
#include "token.h"
#include <errno.h>
#include <fcntl.h>
#include <gnutls/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>
#include "duration.h"

#define PREFIX		"sealane_"
#define PREFIX_B	8
#define FILE_MOST_B	(256 << 10)

static const char *const role_name[SL_ROLE_MAX] = {
	"none", "view", "operate", "enforce" };

const char *sl_role_name(enum sl_role role)
{
	return role_name[role];
}

int sl_role_of(const char *word)
{
	int i;

	for (i = SL_ROLE_VIEW; i < SL_ROLE_MAX; i++)
		if (!strcmp(word, role_name[i]))
			return i;
	return -1;
}

bool sl_token_name_ok(const char *name)
{
	size_t n = strlen(name);

	return n && n < SL_NAME_B && name[0] != '-' &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVW"
			    "XYZ0123456789._-") == n;
}

static void to_hex(const uint8_t *from, size_t n, char *out)
{
	while (n--)
		out += sprintf(out, "%02x", *from++);
}

static bool of_hex(const char *text, uint8_t *out, size_t n)
{
	size_t i;

	if (strlen(text) != 2 * n ||
	    strspn(text, "0123456789abcdef") != 2 * n)
		return false;
	for (i = 0; i < n; i++)
		sscanf(text + 2 * i, "%2hhx", &out[i]);
	return true;
}

static int hash_of(const uint8_t salt[16], const char *secret, uint8_t out[32])
{
	uint8_t text[16 + SL_TOKEN_B];

	memcpy(text, salt, 16);
	memcpy(text + 16, secret, SL_TOKEN_B - 1);
	return gnutls_hash_fast(GNUTLS_DIG_SHA256, text, sizeof(text) - 1,
				out) < 0 ? -EIO : 0;
}

int sl_token_make(struct sl_token *t, char secret[SL_TOKEN_B])
{
	uint8_t bits[32 + sizeof(t->salt)];

	if (getrandom(bits, sizeof(bits), 0) != sizeof(bits))
		return -EIO;
	strcpy(secret, PREFIX);
	to_hex(bits, 32, secret + PREFIX_B);
	memcpy(t->salt, bits + 32, sizeof(t->salt));
	gnutls_memset(bits, 0, sizeof(bits));
	return hash_of(t->salt, secret, t->hash);
}

bool sl_token_fits(const struct sl_token *t, const char *secret)
{
	uint8_t hash[32];

	return strlen(secret) == SL_TOKEN_B - 1 &&
	       !hash_of(t->salt, secret, hash) &&
	       !gnutls_memcmp(hash, t->hash, sizeof(hash));
}

static bool read_line(char *line, struct sl_token *t)
{
	char name[64], role[16], salt[40], hash[72], until[48], more;
	int r;

	if (sscanf(line, "%63s %15s %39s %71s %47s %c", name, role, salt, hash,
		   until, &more) != 5)
		return false;
	r = sl_role_of(role);
	if (r < 0 || !sl_token_name_ok(name) ||
	    !of_hex(salt, t->salt, sizeof(t->salt)) ||
	    !of_hex(hash, t->hash, sizeof(t->hash)))
		return false;
	strcpy(t->name, name);
	t->role = r;
	t->until_ns = 0;
	return !strcmp(until, "never") ||
	       (until[0] != '-' && !sl_time_parse(until, 0, &t->until_ns) &&
		t->until_ns);
}

static bool has_name(const struct sl_tokens *all, const char *name)
{
	unsigned int i;

	for (i = 0; i < all->n; i++)
		if (!strcmp(all->t[i].name, name))
			return true;
	return false;
}

static int read_lines(const char *path, char *text, struct sl_tokens *out,
		      char *why, size_t why_b)
{
	char *line, *rest = text;
	struct sl_token t;
	unsigned int n = 0;

	while ((line = strsep(&rest, "\n"))) {
		n++;
		if (!line[strspn(line, " \t")] || line[0] == '#')
			continue;
		if (!read_line(line, &t) || has_name(out, t.name) ||
		    out->n == SL_TOKENS_MOST) {
			/* not the line itself: it may be a secret that went
			 * astray */
			snprintf(why, why_b, "%s:%u: no token: write name, role, "
				 "salt, hash and end, each name once, at most %d",
				 path, n, SL_TOKENS_MOST);
			return -EINVAL;
		}
		out->t[out->n++] = t;
	}
	return 0;
}

/* Whoever may write it makes himself a token. */
static int check_file(const char *path, const struct stat *st, char *why,
		      size_t why_b)
{
	if (!S_ISREG(st->st_mode) || st->st_size > FILE_MOST_B) {
		snprintf(why, why_b, "%s: no file of tokens", path);
		return -EINVAL;
	}
	if ((st->st_mode & 077) || (st->st_uid && st->st_uid != geteuid())) {
		snprintf(why, why_b, "%s: others may read or write it: "
			 "chown root, chmod 600", path);
		return -EPERM;
	}
	return 0;
}

int sl_tokens_load(const char *path, struct sl_tokens *out, char *why,
		   size_t why_b)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct sl_tokens all = {};
	char *text = NULL;
	struct stat st;
	ssize_t n = 0;
	int rc = 0;

	if (fd < 0 || fstat(fd, &st)) {
		rc = -errno;
		snprintf(why, why_b, "%s: %s", path, strerror(errno));
	} else {
		rc = check_file(path, &st, why, why_b);
	}
	if (!rc) {
		text = malloc(st.st_size + 1);
		all.t = calloc(SL_TOKENS_MOST, sizeof(*all.t));
		n = text && all.t ? read(fd, text, st.st_size) : -1;
		if (n < 0) {
			rc = -EIO;
			snprintf(why, why_b, "%s: cannot be read", path);
		}
	}
	if (fd >= 0)
		close(fd);
	if (!rc) {
		text[n] = '\0';
		rc = read_lines(path, text, &all, why, why_b);
	}
	free(text);
	if (rc)
		free(all.t);
	else
		*out = all;
	return rc;
}

static bool write_all(int fd, const struct sl_tokens *all)
{
	char salt[33], hash[65], until[48];
	const struct sl_token *t;
	bool good;

	good = dprintf(fd, "# sealane tokens: name, role, salt, hash, end. See "
		       "sealane token.\n") > 0;
	for (t = all->t; good && t < all->t + all->n; t++) {
		to_hex(t->salt, sizeof(t->salt), salt);
		to_hex(t->hash, sizeof(t->hash), hash);
		good = dprintf(fd, "%s %s %s %s %s\n", t->name,
			       sl_role_name(t->role), salt, hash, t->until_ns ?
			       sl_time_str(t->until_ns, until, sizeof(until)) :
			       "never") > 0;
	}
	return good && !fsync(fd);
}

int sl_tokens_save(const char *path, const struct sl_tokens *t, char *why,
		   size_t why_b)
{
	char *made = NULL;
	int fd = -1, rc = 0;

	if (asprintf(&made, "%s.XXXXXX", path) < 0) {
		snprintf(why, why_b, "out of memory");
		return -ENOMEM;
	}
	fd = mkostemp(made, O_CLOEXEC);		/* mode 0600 */
	if (fd < 0 || !write_all(fd, t) || rename(made, path)) {
		rc = -errno;
		snprintf(why, why_b, "%s: %s", path, strerror(errno));
		if (fd >= 0)
			unlink(made);
	}
	if (fd >= 0)
		close(fd);
	free(made);
	return rc;
}
