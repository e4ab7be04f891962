/* SPDX-License-Identifier: GPL-2.0 */
/* What the bench's files share: tables.c (what is loaded), streams.c (which
 * packets), peers.c (others), bench.c (timing and rows). */
#ifndef SL_BENCH_H
#define SL_BENCH_H

#include <stdbool.h>
#include <stdint.h>
#include <bpf/libbpf.h>
#include "datapath.h"
#include "step.h"

#define PREFIXES4	1000000
#define HOSTS4		1000000
#define PREFIXES6	200000
#define HOME4		0xc6120000U	/* 198.18.0.0/20: 4,096 addresses */
#define FLOWS		50000
#define QUIC_FLOWS	25000	/* beside them: sets of four lines fill up */

struct bench {
	struct sl_dp *dp;
	struct sl_config *cfg;
	struct sl_pset prefixes, prefixes6, hosts;
	struct sl_rib *rib;		/* what they are in */
	uint64_t rng;
	struct bpf_object *obj, *peers;
};

uint64_t bench_random(struct bench *b);
double bench_now_ms(void);
__attribute__((noreturn, format(printf, 1, 2)))
void die(const char *fmt, ...);

void tables_open(struct bench *b);	/* data plane, full tables */
/* A random address below a random prefix. */
uint32_t tables_hit4(struct bench *b);
void tables_hit6(struct bench *b, uint32_t out[4]);

/* A frame and the packets to put into it. */
struct stream {
	uint8_t frame[128];
	unsigned int len;
	uint32_t n;
	const struct bench_step *steps;
};
void stream_ignored(struct bench *b, struct stream *s);
void stream_drop(struct bench *b, struct stream *s, size_t hosts);
void stream_ignored6(struct bench *b, struct stream *s);
void stream_tracked(struct bench *b, struct stream *s);
void stream_pair(struct bench *b, struct stream *s);
void stream_quic(struct bench *b, struct stream *s, int step);
void stream_flood(struct bench *b, struct stream *s, const struct stream *pair,
		  unsigned int times);

/* Put a stream before the programs of an object; ns a packet over one pass of
 * it (want: the last packet's verdict; -1: any). */
void bench_load(struct bpf_object *o, const struct stream *s);
double bench_run(struct bpf_object *o, const char *prog,
		 const struct stream *s, int want);
/* A row from its runs. */
void bench_print(const char *id, const char *subject, double *d,
		 double *empty, int n);

/* What rules add, rules.c. */
void measure_rules(struct bench *b);

/* Peers of ours and xdp-filter; -1: not to be had, said on stderr. */
void peers_open(struct bench *b, double *lpm_load_ms);
int peers_xdp_filter(struct bench *b, size_t *hosts);

#endif
