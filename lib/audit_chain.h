/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The audit log's hash chain: docs/audit.md. The agent writes it, the tool
 * proves it. Each entry's hash is SHA-256 over its fields and the hash before
 * it, so that no entry can be changed, left out or put in between without all
 * later ones being made anew.
 */
#ifndef SL_AUDIT_CHAIN_H
#define SL_AUDIT_CHAIN_H

#include <stdint.h>

#define SL_AUDIT_FORMAT	"sealane-audit/1"
#define SL_AUDIT_HASH_B	65	/* hexadecimal, with the NUL */
/* What stands before the first entry. */
#define SL_AUDIT_START	"00000000000000000000000000000000" \
			"00000000000000000000000000000000"

struct sl_audit_entry {
	int64_t n, at_ns, uid, pid;
	const char *who, *action, *object, *outcome, *why, *tag, *detail;
	const char *prev, *hash;
};

/* The last entry. */
struct sl_audit_head {
	int64_t n;		/* 0: none yet */
	char hash[SL_AUDIT_HASH_B];
};

/* The hash that an entry must have (e->hash is not read); 0 or -EIO. */
int sl_audit_hash(const struct sl_audit_entry *e, char out[SL_AUDIT_HASH_B]);
/* Is e the entry behind the head? 0, and head is e then; else -EBADMSG with
 * the reason in words. */
int sl_audit_follow(struct sl_audit_head *head, const struct sl_audit_entry *e,
		    const char **why);

#endif
