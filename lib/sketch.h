/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Histograms on disk (struct sl_hist, Prometheus schema 5): few bytes, and merged
 * by addition like the histograms themselves. Two forms:
 *
 * one sketch     exact in all members; for what is still being merged.
 * chunk          many steps of one series, members of a kind side by side so that
 *                zlib finds what they share. Counts are exact. sum_ns is within
 *                SL_CHUNK_SUM_PPM of what the buckets allow, min_ns and max_ns
 *                within SL_CHUNK_EXTREME_PPM: about an eighth of their buckets.
 *
 * Both are packed (deflate, a check sum) before they are written. Readers are
 * bounded by what they are given and refuse what is not whole: -EBADMSG.
 */
#ifndef SL_SKETCH_H
#define SL_SKETCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "hist.h"

#define SL_CHUNK_SUM_PPM	500
#define SL_CHUNK_EXTREME_PPM	1400
#define SL_CHUNK_STEPS		4096	/* at most */
#define SL_PACKED_MOST_B	(64U << 20)	/* of what was packed */

/* --- bytes that grow, and numbers in them --- */
struct sl_bytes {
	uint8_t *b;
	size_t n, room;
	bool failed;		/* no memory: what was put since is lost */
};

void sl_bytes_free(struct sl_bytes *s);
void sl_put_raw(struct sl_bytes *s, const void *b, size_t len_b);
void sl_put_u64(struct sl_bytes *s, uint64_t v);	/* LEB128 */
void sl_put_s64(struct sl_bytes *s, int64_t v);		/* zigzag */

/* What is read from; bad: it ended early or was malformed, and everything that is
 * read from then on is 0. */
struct sl_cut {
	const uint8_t *at, *end;
	bool bad;
};

uint64_t sl_get_u64(struct sl_cut *c);
int64_t sl_get_s64(struct sl_cut *c);

/* A stream among others: its length, its bytes. It is empty when it was put. */
void sl_put_part(struct sl_bytes *part, struct sl_bytes *s);
void sl_get_part(struct sl_cut *all, struct sl_cut *part);

/* --- one sketch --- */
void sl_sketch_put(struct sl_bytes *s, const struct sl_hist *h);
/* h += what is there; extremes merged. 0 or -EBADMSG. */
int sl_sketch_add(struct sl_cut *c, struct sl_hist *h);

/* --- a chunk --- */
struct sl_chunk {
	struct sl_bytes steps, used, counts, extremes, odd;
	uint32_t n, last;
};

/* Steps in growing order, each once; empty ones are left out by the caller. */
void sl_chunk_put(struct sl_chunk *k, uint32_t step, const struct sl_hist *h);
/* All of it behind what is in s; the chunk is empty then. 0 or -ENOMEM. */
int sl_chunk_end(struct sl_chunk *k, struct sl_bytes *s);
void sl_chunk_free(struct sl_chunk *k);

struct sl_chunk_reader {
	struct sl_cut steps, used, counts, extremes, odd;
	uint32_t left, last;
	bool begun;
};

int sl_chunk_open(struct sl_chunk_reader *r, const uint8_t *b, size_t len_b);
/* The next step, into h (which need not be cleared): 1, 0 at the end, or
 * -EBADMSG. */
int sl_chunk_next(struct sl_chunk_reader *r, uint32_t *step, struct sl_hist *h);

/* --- counters: the same for the members of struct sl_lane_ctr; up to 512 they
 * are exact, above within SL_COLUMN_PPM --- */
#define SL_COLUMNS	8
#define SL_COLUMN_PPM	2000

struct sl_columns {
	struct sl_bytes steps, scale, column[SL_COLUMNS];
	uint32_t n, last;
};

struct sl_columns_reader {
	struct sl_cut steps, scale, column[SL_COLUMNS];
	uint32_t left, last;
	bool begun;
};

void sl_columns_put(struct sl_columns *k, uint32_t step, const uint64_t *v);
int sl_columns_end(struct sl_columns *k, struct sl_bytes *s);
void sl_columns_free(struct sl_columns *k);
int sl_columns_open(struct sl_columns_reader *r, const uint8_t *b,
		    size_t len_b);
int sl_columns_next(struct sl_columns_reader *r, uint32_t *step, uint64_t *v);

/* --- packing --- */
/* Deflate (level 1..9) and check: `salt` says where the bytes belong, so that a
 * row that strayed is refused too. 0 or -ENOMEM. */
int sl_pack(const uint8_t *b, size_t len_b, int level, uint64_t salt,
	    struct sl_bytes *out);
/* out is overwritten. 0, -EBADMSG or -ENOMEM. */
int sl_unpack(const uint8_t *b, size_t len_b, uint64_t salt,
	      struct sl_bytes *out);

#endif
