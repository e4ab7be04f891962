/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * Rules as the data plane has them: aggregated bit vectors (Baboescu and
 * Varghese, SIGCOMM 2001). Part of abi.h: a change here bumps SL_ABI_VERSION.
 *
 * A rule is a bit. Each dimension of a packet (its source, its protocol, a
 * port ...) gives a row: the rules that this value satisfies. The rows of all
 * dimensions, ANDed, are the rules that match; the lowest bit is the first of
 * them. Nothing else is compared, so that a match is exact by construction.
 */
#ifndef SEALANE_ABI_RULES_H
#define SEALANE_ABI_RULES_H

#include <linux/types.h>

#define SL_RULE_WORDS	80	/* of a row */
#define SL_MAX_RULES	(SL_RULE_WORDS * 64)	/* enforced at one time */
#define SL_RULE_SLOTS	8192	/* counters and limits; kept over commits */

/* Row of a dimension: bit i of word w is rule w * 64 + i. Bit b of the
 * aggregate: words 2b and 2b+1 are not both zero. */
#define SL_RULE_ROW_LINES	(SL_RULE_WORDS / 8)
struct sl_rule_words {
	__u64 word[8];
};

/*
 * Dimensions that are looked up by a value: name, number of values. The value
 * SL_DIM_ABSENT(d), behind all others, is that of a packet without such a
 * field: a later fragment has no ports.
 */
#define SL_RULE_DIMS(X) \
	X(PROTO, 512)		/* SL_PROTO_AH: and AH before it */ \
	X(SPORT, 65536) \
	X(DPORT, 65536) \
	X(ICMP, 65536)		/* type << 8 | code */ \
	X(TCP_FLAGS, 4096)	/* of RFC 9293's header: 12 bits */ \
	X(LENGTH, 65536)	/* of the IP packet, bytes */ \
	X(HEADER, 8192)		/* SL_HEADER */ \
	X(WHERE, 65536)		/* SL_WHERE */

#define SL_PROTO_AH	0x100

#define SL_ENUM_DIM(id, n)	SL_DIM_##id,
#define SL_ENUM_COUNT(id, n)	SL_DIM_##id##_N = (n),
enum sl_rule_dim { SL_RULE_DIMS(SL_ENUM_DIM) SL_DIM_MAX };
enum sl_rule_dim_size { SL_RULE_DIMS(SL_ENUM_COUNT) };

/* The rows of all values lie behind each other, in lines of 32; each
 * dimension begins a line. */
#define SL_DIM_LINE	32
#define SL_DIM_ROOM(n)	(((n) + 1 + SL_DIM_LINE - 1) / SL_DIM_LINE * SL_DIM_LINE)
#define SL_SUM_ROOM(id, n)	+ SL_DIM_ROOM(n)
#define SL_DIM_VALUES	(0 SL_RULE_DIMS(SL_SUM_ROOM))
/* Where a dimension's values begin. */
#define SL_OFFSET_ROOM(id, n)	SL_OFF_##id, SL_OFF_##id##_END = SL_OFF_##id + \
	SL_DIM_ROOM(n) - 1,
enum sl_rule_offset { SL_RULE_DIMS(SL_OFFSET_ROOM) };

struct sl_dim_line {
	__u16 row[SL_DIM_LINE];
};

/* What an IP header says beside: DSCP, kind of fragment, family, and whose
 * header it is. A packet without a tunnel is inner and outer at once. */
#define SL_HEADER(dscp, frag, v6, at) ((__u32)(dscp) << 7 | (frag) << 3 | \
	(v6) << 2 | (at))
#define SL_HEADER_INNER		0x1
#define SL_HEADER_OUTER		0x2
/* Kinds of fragment, as RFC 8955 4.2.2.12 has them. */
#define SL_FRAG_DF		0x1	/* may not be fragmented */
#define SL_FRAG_LATER		0x2	/* not the first one */
#define SL_FRAG_FIRST		0x4	/* the first one, more follow */
#define SL_FRAG_LAST		0x8	/* the last one */

#define SL_WHERE(lane, path, dir) ((__u32)(lane) << 6 | (path) << 2 | (dir))

/* A class at or above SL_MAX_CLASSES stands for a block's class and the rows
 * of an address, as source and as destination. */
#define SL_MAX_COMPOUNDS	(1U << 16)
struct sl_compound {
	__u32 class_id;
	__u16 src_row, dst_row;
};

/* What a packet does that matches a rule. */
#define SL_ACTF_PER_SOURCE	0x1	/* limit: each source has its own */
#define SL_ACTF_BYTES		0x2	/* limit: by bytes of the IP packet */
#define SL_ACTF_OUTER		0x4	/* the rule asks the outer header */
#define SL_ACTF_COARSE		0x8	/* limit: the burst lasts many ticks, the
					 * tick's clock will do */
#define SL_ACTF_OWN		0x10	/* of a tunnelled packet the outer addresses
					 * must be the rule's too */
#define SL_LIMIT_COARSE_NS	100000000ULL	/* such a burst */

struct sl_act {
	__u8 action;		/* enum sl_action */
	__u8 flags;		/* SL_ACTF_* */
	__u16 slot;		/* 0..SL_RULE_SLOTS-1 */
	__u32 pad;
	__u64 until_ns;		/* clock at expiry; 0: never */
	__u64 cost;		/* of a packet, SL_LIMIT_UNIT; of a byte << 16 */
	__u64 burst;		/* tolerance, SL_LIMIT_UNIT */
};
#define SL_LIMIT_UNIT	64	/* in a nanosecond */

/* Hits of one rule on one CPU. Index: cpu * SL_RULE_SLOTS + slot. */
struct sl_rule_ctr {
	__u64 packets;
	__u64 bytes;		/* frame bytes on the wire */
	__u64 last_ns;		/* sl_ctl.tick_ns at the last hit */
	__u64 over;		/* packets that a limit dropped */
};

/* Rows that each bank has: what holds at addresses that no rule names, as
 * source and as destination. */
#define SL_ROW_SRC	0
#define SL_ROW_DST	1

/* Bank's head, in sl_ctl: 1 << dimension that any rule asks for, and more. */
#define SL_RULES_ANY		(1U << 31)	/* rules without any address */
#define SL_RULES_OUTER		(1U << 30)	/* rules that ask for outer headers */
#define SL_RULES_SOME		(1U << 29)	/* there are rules */
#define SL_RULES_DST		(1U << 9)	/* beside those of sl_rule_dim */
#define SL_RULES_SRC		(1U << 8)

/* The state of a limit: theoretical arrival time of GCRA (ITU-T I.371),
 * SL_LIMIT_UNIT of the clock. A line of its own: CPUs share it. */
struct sl_limit {
	__u64 tat;
	__u64 pad[7];
};

/* The same by source: a line holds four. What has expired says nothing, so
 * that another source may take its place and nobody is the worse for it. */
#define SL_SOURCE_WAYS	4
#define SL_SOURCE_SETS	(1U << 14)
struct sl_limit_set {
	struct {
		__u64 fp;	/* keyed hash of source and rule */
		__u64 tat;
	} way[SL_SOURCE_WAYS];
};

/* What rules ask of one IP header and what lies behind it, host order. */
struct sl_fields {
	__u8 proto;		/* behind the extension headers */
	__u8 has;		/* SL_HAS_* */
	__u16 sport, dport;
	__u16 icmp;		/* type << 8 | code */
	__u16 tcp_flags;
	__u16 len_b;		/* of the IP packet */
	__u16 header;		/* SL_HEADER */
};
#define SL_HAS_PORTS	0x1
#define SL_HAS_ICMP	0x2
#define SL_HAS_FLAGS	0x4
#define SL_HAS_AH	0x8	/* an authentication header before proto */

/* One packet as rules see it: what plan judges and drops are shown by. */
struct sl_glance {
	__u8 src[16], dst[16];	/* IPv4 in the first four bytes */
	__u8 outer_src[16], outer_dst[16];
	struct sl_fields in, out;	/* innermost, outermost header */
	__u8 family, outer_family;	/* 4 or 6; 0: none */
	__u16 where;		/* SL_WHERE */
	__u32 frame_b;		/* on the wire */
	__u32 tunnel;		/* id of the innermost; 0: none */
	__u16 vlan;		/* outermost; 0: untagged */
	__u16 pad;
};

/* A recent packet, taken at random. Index: cpu * SL_SAMPLES + i. */
#define SL_SAMPLES	4096
#define SL_SAMPLE_EVERY_MAX	0xffffff	/* of sl_ctl.sample_every */
struct sl_sampled {
	__u64 time_ns;		/* coarse clock; 0: none yet */
	__u32 every;		/* one of so many was taken at that time */
	__u32 reason;		/* enum sl_reason */
	struct sl_glance g;
};

/* A dropped packet, in the ring sl_drops; rate-limited per CPU. */
struct sl_drop {
	__u64 time_ns;		/* the clock */
	__u32 reason;		/* SL_R_DROP_* */
	__u32 who;		/* rule's slot; of a block or list, its class */
	__u32 port;		/* slot of the interface */
	__u32 pad;
	struct sl_glance g;
};

#define SL_DROPS_B	(256U << 10)	/* the ring: of 30 CPUs in a tick */
#define SL_DROPS_A_TICK	64		/* shown on a CPU in a second */

/* What a CPU may still show of its drops. Index: cpu. */
struct sl_drop_budget {
	__u64 tick_ns;		/* sl_ctl.tick_ns that it is of */
	__u64 shown;
	__u64 pad[6];
};

_Static_assert(sizeof(struct sl_rule_words) == 64, "sl_rule_words");
_Static_assert(sizeof(struct sl_compound) == 8, "sl_compound");
_Static_assert(sizeof(struct sl_act) == 32, "sl_act");
_Static_assert(sizeof(struct sl_rule_ctr) == 32, "sl_rule_ctr");
_Static_assert(sizeof(struct sl_limit) == 64, "sl_limit");
_Static_assert(sizeof(struct sl_limit_set) == 64, "sl_limit_set");
_Static_assert(sizeof(struct sl_fields) == 14, "sl_fields");
_Static_assert(sizeof(struct sl_glance) == 108, "sl_glance");
_Static_assert(sizeof(struct sl_sampled) == 128, "sl_sampled");
_Static_assert(sizeof(struct sl_drop) == 136, "sl_drop");
_Static_assert(sizeof(struct sl_drop_budget) == 64, "sl_drop_budget");

#endif
