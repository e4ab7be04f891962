// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <gnutls/crypto.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "audit_chain.h"

/* A field as "LENGTH:BYTES,": no two lists of fields give the same bytes. */
static int feed(gnutls_hash_hd_t h, const char *text)
{
	char length[24];
	size_t n = strlen(text);

	snprintf(length, sizeof(length), "%zu:", n);
	return gnutls_hash(h, length, strlen(length)) |
	       gnutls_hash(h, text, n) | gnutls_hash(h, ",", 1);
}

static int feed_number(gnutls_hash_hd_t h, int64_t v)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRId64, v);
	return feed(h, text);
}

int sl_audit_hash(const struct sl_audit_entry *e, char out[SL_AUDIT_HASH_B])
{
	const char *const texts[] = { e->who, e->action, e->object, e->outcome,
				      e->why, e->tag, e->detail, e->prev };
	uint8_t digest[32];
	gnutls_hash_hd_t h;
	unsigned int i;
	int rc;

	if (gnutls_hash_init(&h, GNUTLS_DIG_SHA256) < 0)
		return -EIO;
	rc = feed(h, SL_AUDIT_FORMAT);
	rc |= feed_number(h, e->n) | feed_number(h, e->at_ns);
	rc |= feed_number(h, e->uid) | feed_number(h, e->pid);
	for (i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		rc |= feed(h, texts[i]);
	gnutls_hash_deinit(h, digest);
	for (i = 0; i < sizeof(digest); i++)
		sprintf(out + 2 * i, "%02x", digest[i]);
	return rc ? -EIO : 0;
}

int sl_audit_follow(struct sl_audit_head *head, const struct sl_audit_entry *e,
		    const char **why)
{
	char hash[SL_AUDIT_HASH_B];

	if (e->n != head->n + 1)
		*why = "an entry is missing before it";
	else if (strcmp(e->prev, head->n ? head->hash : SL_AUDIT_START))
		*why = "it does not follow from the entry before it";
	else if (sl_audit_hash(e, hash))
		*why = "its hash cannot be computed here";
	else if (strcmp(e->hash, hash))
		*why = "its hash is not that of what it says";
	else
		*why = NULL;
	if (*why)
		return -EBADMSG;
	head->n = e->n;
	strcpy(head->hash, hash);
	return 0;
}
