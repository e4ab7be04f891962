/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Files that others make: prefix lists, RIR statistics, geofeeds, MMDB. Every
 * mistake of a file is noted with its line; who reads gets all of them at once
 * and applies nothing.
 */
#ifndef SL_INPUT_H
#define SL_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "mistakes.h"
#include "pset.h"

#define SL_INPUT_MAX_B	(1ULL << 30)	/* of a file, uncompressed */

/* A file's bytes, or a buffer's; gzip (by its magic) is unpacked. *out gets a
 * NUL behind its len bytes and is the caller's. 0, or -EINVAL and the like with
 * a mistake noted. */
int sl_input_read(const char *path, char **out, size_t *len_b,
		  struct sl_mistakes *all);
int sl_input_unpack(const void *bytes, size_t n_b, char **out, size_t *len_b,
		    struct sl_mistakes *all);

/* --- lists --- */
enum sl_list_format {
	SL_LIST_AUTO = 0,	/* NDJSON when the first byte is '{' */
	SL_LIST_CIDR,		/* prefix, address or range a-b; # and ; comments */
	SL_LIST_NETSET,		/* FireHOL: as CIDR, its header's count verified */
	SL_LIST_SPAMHAUS,	/* DROP text ("prefix ; SBL1") or NDJSON */
	SL_LIST_FORMATS,
};

/* By name ("auto", "cidr", "netset", "spamhaus"); -1: none of them. */
int sl_list_format_of(const char *word);

/* Parse a list (unpacked, NUL-terminated, len_b without it). The set comes
 * sorted and without doubles, *doubles of which were dropped. 0, -EINVAL with
 * mistakes, -ENOMEM. */
int sl_list_parse(const char *text, size_t len_b, enum sl_list_format format,
		  struct sl_pset *out, size_t *doubles,
		  struct sl_mistakes *all);

/* --- the world: who holds which prefix --- */
/* Called for each prefix. Country: two capitals packed as 'S' << 8 | 'G', or 0
 * where none is stated; asn 0 where none is. Non-zero ends the walk. */
typedef int (*sl_world_fn)(void *arg, const struct sl_prefix *p,
			   uint16_t country, uint32_t asn);

/* RIR delegated statistics (version 2, also extended): allocated and assigned
 * records; IPv4 counts are split into prefixes; the summary's counts are
 * verified. */
int sl_rir_parse(const char *text, size_t len_b, sl_world_fn fn, void *arg,
		 struct sl_mistakes *all);
/* Geofeed, RFC 8805: prefix,country,region,city,postal; # comments. */
int sl_geofeed_parse(const char *text, size_t len_b, sl_world_fn fn, void *arg,
		     struct sl_mistakes *all);
/* MaxMind DB: country from `country.iso_code` (else registered_country), ASN
 * from `autonomous_system_number`. Aliases of the IPv4 tree are walked once. */
int sl_mmdb_walk(const char *path, sl_world_fn fn, void *arg,
		 struct sl_mistakes *all);

#endif
