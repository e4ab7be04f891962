/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tokens for the API: what a program shows that asks over TCP. A file has a line
 * for each: name, role, salt, SHA-256 of salt and secret (both hex), and when it
 * ends (RFC 3339, or never). The secret itself is nowhere but with its holder: 256
 * random bits. A slow hash would protect words that people think of; these bits
 * cannot be tried through, and a slow hash would let anybody make the agent slow.
 */
#ifndef SL_TOKEN_H
#define SL_TOKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "config.h"

#define SL_TOKEN_B	(8 + 64 + 1)	/* "sealane_", hex digits, '\0' */
#define SL_TOKENS_MOST	256		/* all are compared at each request */

struct sl_token {
	char name[SL_NAME_B];
	enum sl_role role;
	uint8_t salt[16], hash[32];
	uint64_t until_ns;		/* wall clock; 0: never */
};

struct sl_tokens {
	struct sl_token *t;
	unsigned int n;
};

const char *sl_role_name(enum sl_role role);
int sl_role_of(const char *word);	/* -1: none */
bool sl_token_name_ok(const char *name);

/*
 * Read a file: 0 with *out (its t is the caller's), or a negative errno and *why:
 * -ENOENT: there is none; -EPERM: others than its owner (root or us) may read or
 * write it; -EINVAL: a line is wrong. *out stays as it was then.
 */
int sl_tokens_load(const char *path, struct sl_tokens *out, char *why,
		   size_t why_b);
/* Replace it at once and whole, mode 0600. Likewise. */
int sl_tokens_save(const char *path, const struct sl_tokens *t, char *why,
		   size_t why_b);
/* Draw a secret and fill in its salt and hash. 0 or a negative errno. */
int sl_token_make(struct sl_token *t, char secret[SL_TOKEN_B]);
/* Is it this one's? Takes as long whether it is or not. */
bool sl_token_fits(const struct sl_token *t, const char *secret);

#endif
