/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * What the data plane and user space share: keys, verdicts, reasons and map
 * values. One header, one truth; every size is asserted below. A change of any
 * layout here bumps SL_ABI_VERSION, and the agent then refuses to adopt pins
 * of another version (docs/architecture.md, "Adoption").
 */
#ifndef SEALANE_ABI_H
#define SEALANE_ABI_H

#include <linux/types.h>

#define SL_ABI_VERSION	8

#define SL_MAX_PATHS	16	/* cables on one gateway; path 0 is "" (not known) */
#define SL_MAX_LANES	1024	/* lane 0 is `other`; fits the entry's lane field */
#define SL_MAX_IFINDEX	16384	/* direct array: a lookup without hashing */
#define SL_MAX_SLOTS	64	/* interfaces or VLANs that carry counters */
#define SL_NAME_B	32	/* lane, path and interface names, with the NUL */
#define SL_FLOW_WAYS	4	/* one set is four lines, fetched as two pairs */

/* Side of an interface: where a packet that *arrives* there comes from. */
enum sl_side {
	SL_SIDE_NONE = 0,	/* not ours: pass untouched */
	SL_SIDE_INSIDE,		/* arriving packets leave home */
	SL_SIDE_OUTSIDE,	/* arriving packets come from abroad */
	SL_SIDE_TAP,		/* a mirror: home prefixes tell the direction */
	SL_SIDE_MAX,
};

/* Direction of a packet relative to home. */
enum sl_dir {
	SL_DIR_OUT = 0,		/* home -> remote */
	SL_DIR_IN = 1,		/* remote -> home */
	SL_DIR_UNKNOWN = 2,	/* neither end is home */
};

#define SL_HALVES(X) X(UNKNOWN, "unknown") X(FAR, "far") X(NEAR, "near") \
	X(FULL, "full") X(SELF, "self")

#define SL_METHODS(X) X(TCP_HS, "tcp-hs") X(TCP_TS, "tcp-ts") \
	X(TCP_SEQ, "tcp-seq") X(QUIC_HS, "quic-hs") X(QUIC_SPIN, "quic-spin") \
	X(ICMP, "icmp") X(DNS, "dns") X(STUN, "stun") X(SRT, "srt") \
	X(STAMP, "stamp") \
	/* of half self: how it was seen that a packet left */ \
	X(TC, "tc")		/* at traffic control: before queue and NIC */ \
	X(TX_SW, "tx-sw")	/* handed to the driver, by the kernel's clock */ \
	X(TX_HW, "tx-hw")	/* sent, by the NIC's clock */
#define SL_M_ROUND_TRIPS SL_M_TC	/* methods below measure round trips */

/*
 * Reason of a packet's exit: every packet leaves with exactly one. The first
 * block passes and was fit to be measured, the second passes unmeasured, the
 * third drops.
 */
#define SL_REASONS(X) \
	X(TRACKED, "tracked") \
	X(UNTRACKED, "untracked") \
	X(HOME, "home_to_home") \
	X(MARTIAN, "martian")	/* its source cannot be where it came from */ \
	X(BYPASS, "bypass") \
	X(NO_PORT, "no_port") \
	X(NOT_IP, "not_ip") \
	X(OTHER_PROTO, "other_proto") \
	X(FRAGMENT_FIRST, "fragment_first") \
	X(FRAGMENT_LATER, "fragment_later") \
	X(TRUNCATED, "truncated") \
	X(MALFORMED_IP, "malformed_ip") \
	X(MALFORMED_L4, "malformed_l4") \
	X(MALFORMED_TUNNEL, "malformed_tunnel") \
	X(TOO_DEEP, "too_deep") \
	X(TO_ITSELF, "to_itself") \
	X(NO_TIME, "no_time") \
	X(TABLE_FULL, "table_full") \
	X(DROP_BLOCK, "block") \
	X(DROP_RULE, "rule") \
	X(DROP_LIMIT, "limit")

/* Why a packet that might have been measured was not; counted by lane. */
#define SL_MISSES(X) \
	X(REFUSED, "refused")		/* new flow, set full of confirmed ones */ \
	X(EVICTED, "evicted")		/* an unconfirmed flow made room */ \
	X(EXPIRED, "expired")		/* stamp or flow older than its limit */ \
	X(AMBIGUOUS, "ambiguous")	/* the stamped packet was repeated (Karn) */ \
	X(VOIDED, "voided")		/* a newer answer came first */ \
	X(NO_TIMESTAMP, "no_timestamp")	/* TCP flow without RFC 7323 option */ \
	X(CLOCK_BACK, "clock_back")	/* answer older than its stamp */ \
	X(FRAGMENTED, "fragmented")	/* L4 in a first fragment */ \
	X(OTHER_TUNNEL, "other_tunnel")	/* tuple tracked in another tunnel */ \
	X(SERIES_FULL, "series_full")	/* no histogram left for its key */ \
	X(GREASED, "greased")		/* QUIC flow whose spin bit does not spin */ \
	X(TRUNCATED, "truncated")	/* a header ends before its time */

#define SL_ENUM_HALF(id, name)	 SL_HALF_##id,
#define SL_ENUM_METHOD(id, name) SL_M_##id,
#define SL_ENUM_REASON(id, name) SL_R_##id,
#define SL_ENUM_MISS(id, name)	 SL_MISS_##id,
enum sl_half { SL_HALVES(SL_ENUM_HALF) SL_HALF_MAX };
enum sl_method { SL_METHODS(SL_ENUM_METHOD) SL_M_MAX };
enum sl_reason { SL_REASONS(SL_ENUM_REASON) SL_R_MAX };
enum sl_miss { SL_MISSES(SL_ENUM_MISS) SL_MISS_MAX };

#define SL_R_DROP_FIRST	SL_R_DROP_BLOCK	/* this and later reasons drop */
#define SL_REASON_SLOTS	32		/* room to grow without a new ABI */
#define SL_MISS_SLOTS	16

/* An interface, or one VLAN on it. Index of sl_ports: ifindex. */
struct sl_port {
	__u8 side;		/* enum sl_side */
	__u8 path;		/* 0..SL_MAX_PATHS-1 */
	__u8 slot;		/* 0..SL_MAX_SLOTS-1: counters */
	__u8 vlans;		/* 1: sl_vlans has the last word */
	__u32 pad;
};

/* Key of sl_vlans: outermost VLAN id of the packet (0: untagged). */
struct sl_vlan_key {
	__u32 ifindex;
	__u32 vlan;
};

/* Exits of one slot on one CPU. Index: cpu * SL_MAX_SLOTS + slot. */
struct sl_port_ctr {
	__u64 packets[SL_REASON_SLOTS];
	__u64 bytes[SL_REASON_SLOTS];
};

/* One lane on one path on one CPU, by direction of the packet (out, in).
 * Index: (cpu * SL_MAX_PATHS + path) * n_lanes + lane. */
struct sl_lane_ctr {
	__u64 packets[2];
	__u64 bytes[2];		/* frame bytes on the wire */
	__u64 tcp_data[2];	/* TCP segments with payload */
	__u64 retrans[2];	/* of these: below the highest sequence seen */
};

/* How TCP fares on one lane on one CPU, by direction (out, in) of the packet,
 * of the SYN for the last two. Index: cpu * n_lanes + lane. */
struct sl_lane_tcp {
	__u64 reordered[2];	/* overtaken on the way, by their time stamps */
	__u64 zero_window[2];	/* segments that close the window */
	__u64 reset[2];
	__u64 syn[2];		/* first copies */
	__u64 syn_answered[2];	/* ... that a SYN-ACK answered */
	__u64 pad[6];
};

#define SL_LOST_BUCKETS	32

/*
 * Stamps of one lane on one CPU that went unanswered with their evicted flow,
 * by the half that the answer would have measured (far, near) and by how long
 * they had waited (sl_lost_bucket). Index: cpu * n_lanes + lane.
 */
struct sl_lane_lost {
	__u64 n[2][SL_LOST_BUCKETS];
};

/* Bucket of a waiting time in units of the coarse clock (2^20 ns): two to each
 * power of two from 1 on, 2^(i/2) units and more; the last has no end. */
static inline __attribute__((always_inline)) __u32 sl_lost_bucket(__u32 units)
{
	__u32 i;

	for (i = 0; i < SL_LOST_BUCKETS / 2 - 1; i++)
		if (units >> i < 2)
			break;
	/* the upper half of the octave begins at its square root of two */
	return units ? 2 * i + ((__u64)units * units >> (2 * i + 1) != 0) : 0;
}

/* Missed samples of one lane on one CPU. Index: cpu * n_lanes + lane. */
struct sl_lane_miss {
	__u64 n[SL_MISS_SLOTS];
};

/*
 * The state of one direction of a flow. Its own packets write it; packets of the
 * other direction take stamp_ns by exchange (the winner owns the sample), move iss
 * when that is the highest ACK, and change the flags of what they answered. Accepted
 * races, since each direction mostly has a CPU of its own:
 * - a packet of this direction may stamp between the exchange and the sample; it
 *   then waits for its own answer;
 * - flags are bytes, read and written without a lock: a bit that the other direction
 *   clears at the same moment may stay, or one be lost. The stamp decides, so that
 *   costs a sample; a stamp is swapped and never seen empty where one follows another
 *   (rtt_tcp_seq.bpf.h).
 */
struct sl_flow_dir {
	__u64 stamp_ns;		/* clock at the outstanding stamp, or the last
				 * edge of the spin bit; 0: none */
	union {
		__u32 stamp_id;	/* its TSval, segment's end or identifier; or the
				 * point of recovery (rtt_tcp_seq.bpf.h) */
		__u32 hs_us;	/* QUIC client: handshake round trip */
	};
	union {
		__u32 ts_max;	/* newest TSval seen, RFC 7323 serial order; or
				 * what tcp-seq keeps beside its stamp */
		__u32 origin;	/* before this side was seen: SL_ORIGIN */
		__u32 last;	/* QUIC: last short header, coarse clock >> 20 */
	};
	union {
		__u32 seq_nxt;	/* end of the highest TCP sequence seen */
		struct {	/* QUIC: belief in the spin bit */
			__u8 good, strikes;
			__u8 late;	/* 1: its next edge is overdue */
		};
	};
	union {
		__u32 iss;	/* sequence number of the last SYN of this side,
				 * or the highest ACK received of its data */
		__u32 interval_us;	/* QUIC: between its last two edges */
	};
};

/* Lane and direction of a flow's first packet. */
#define SL_ORIGIN(lane, dir)	((__u32)(dir) << 16 | (lane))
#define SL_ORIGIN_LANE(o)	((o) & 0xffff)
#define SL_ORIGIN_IN(o)		((o) >> 16 == SL_DIR_IN)

/* One cache line per flow. The tags want little-endian, as all gateways are. */
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "byte order");

struct sl_flow {
	union {
		__u64 fp;	/* keyed hash of the tuple; 0: free */
		__u8 tag[2];	/* its low bytes: tunnel, by direction */
	};
	__u32 seen;		/* last packet, coarse clock >> 20 (1.05 ms) */
	__u8 path;		/* path of the last packet from outside */
	__u8 state;		/* SL_FLOW_* */
	__u8 dflags[2];		/* SL_FD_*, by direction */
	struct sl_flow_dir d[2];/* 0: sent by the lower address */
};

#define SL_FLOW_SAW0		0x01	/* a packet of direction 0 was seen */
#define SL_FLOW_SAW1		0x02
#define SL_FLOW_CONFIRMED	0x03	/* both: never evicted by a new flow */
#define SL_FLOW_USED		0x04	/* the line had a flow: the next one is not
				 * its first */
#define SL_FLOW_NO_TS		0x08	/* counted as no_timestamp already */
/* TCP: */
#define SL_FLOW_FIN0		0x10	/* direction 0 has closed */
#define SL_FLOW_FIN1		0x20
#define SL_FLOW_FINS		0x30	/* both: not confirmed any more */
/* UDP: */
#define SL_FLOW_QUIC		0x10	/* what a flow speaks */
#define SL_FLOW_SRT		0x20
#define SL_FLOW_GREASED		0x40	/* counted as greased already */

/* TCP */
#define SL_FD_TS		0x01	/* ts_max is valid */
#define SL_FD_SEQ		0x02	/* seq_nxt is valid */
#define SL_FD_SYN		0x04	/* iss is valid */
#define SL_FD_SYNACK		0x08	/* ... and it was a SYN-ACK */
#define SL_FD_STAMP_HS		0x10	/* the stamp may give a tcp-hs sample */
#define SL_FD_STAMP_TS		0x20	/* the stamp may give a tcp-ts sample */
#define SL_FD_TS_PURE		0x80	/* only pure ACKs carried ts_max so far */
/* the same bits while no time stamp option was seen: rtt_tcp_seq.bpf.h */
#define SL_FD_UNA		0x20	/* iss is the highest ACK received */
#define SL_FD_PAST		0x08	/* with UNA: the stamp is past a recovery */
#define SL_FD_SEQ1		0x40	/* the stamp may give a tcp-seq sample */
#define SL_FD_SEQ2		0x80	/* ... and there is a second; or recovery */

/* requests and replies */
#define SL_FR_REPEATED		0x01	/* request stamp_id was repeated */
/* QUIC */
#define SL_FQ_CLIENT		0x01	/* sent the first long header */
#define SL_FQ_STAMP		0x02	/* stamp_ns is its */
#define SL_FQ_REPEATED		0x04	/* sent again, too late for one flight */
#define SL_FQ_ANSWERED		0x08	/* hs_us is valid */
#define SL_FQ_KNOWN		0x10	/* a short header was seen: */
#define SL_FQ_SPIN		0x20	/* ... its spin bit */
#define SL_FQ_EDGE		0x40	/* stamp_ns is that of an edge */
#define SL_FQ_IDLE		0x80	/* ... which came after a pause */

/* What one set of the flow table holds; index: fingerprint & set mask. */
struct sl_flow_set {
	struct sl_flow way[SL_FLOW_WAYS];
} __attribute__((aligned(64)));

/*
 * A latency series: its key, packed so that one compare-and-swap claims the
 * slot. Zero is a free slot, hence the USED bit.
 */
#define SL_SERIES_USED		(1ULL << 63)
#define SL_SERIES_KEY(lane, path, method, half) (SL_SERIES_USED | \
	(__u64)(lane) << 24 | (__u64)(path) << 16 | (__u64)(method) << 8 | (half))
#define SL_SERIES_LANE(k)	((__u32)((k) >> 24 & 0xffff))
#define SL_SERIES_PATH(k)	((__u32)((k) >> 16 & 0xff))
#define SL_SERIES_METHOD(k)	((__u32)((k) >> 8 & 0xff))
#define SL_SERIES_HALF(k)	((__u32)((k) & 0xff))
#define SL_SERIES_PROBES	32	/* slots tried before the pool is full */

#define SL_HIST_BUCKETS		704	/* 2^-18 s .. 2^4 s, schema 5 */

/*
 * One series on one CPU. Index: cpu * n_series + slot. Counters only grow;
 * min and max are exchanged back to their start values by the reader.
 */
struct sl_hist {
	__u64 count;		/* all samples, zero and overflow included */
	__u64 sum_ns;
	__u64 min_ns;		/* since the last read; 0: none */
	__u64 max_ns;
	__u64 zero;		/* at or below 2^-18 s */
	__u64 overflow;		/* above 16 s */
	__u64 dirty;		/* 1: changed since the last read */
	__u64 pad;
	__u32 bucket[SL_HIST_BUCKETS];
} __attribute__((aligned(64)));

/*
 * Result of one address lookup: lane and rule class from one table entry.
 * [31] inside tables: leads to a block or node; [30:20] lane; [19:0] class.
 */
#define SL_ENTRY_EXT		(1U << 31)
#define SL_ENTRY_INDEX(e)	((e) & 0x7fffffff)
#define SL_ENTRY(lane, class)	((__u32)(lane) << 20 | (class))
#define SL_ENTRY_LANE(e)	((e) >> 20 & 0x7ff)
#define SL_ENTRY_CLASS(e)	((e) & 0xfffff)
#define SL_LANE_HOME		0x7ff	/* pseudo lane of the home prefixes */
#define SL_MAX_CLASSES		4096	/* distinct block entries at one time */

#include <sealane/abi_fib.h>
#include <sealane/abi_rules.h>
#include <sealane/abi_transit.h>
#include <sealane/abi_trip.h>

enum sl_action {
	SL_ACT_NONE = 0,
	SL_ACT_PROTECT,		/* wins over everything */
	SL_ACT_DROP,
	SL_ACT_COUNT,		/* shadow: count only */
	SL_ACT_LIMIT,		/* rules only: drop what is too much */
	SL_ACT_PASS,		/* rules only: ask no further */
};

/* Rule class: read only when a table entry names one. Class 0 is none. */
struct sl_class {
	__u32 action;		/* enum sl_action */
	__u32 rule;		/* the block's number, for people */
	__u64 until_ns;		/* clock at expiry; 0: never */
};

/* Hits of one class on one CPU. Index: cpu * SL_MAX_CLASSES + class. */
struct sl_class_ctr {
	__u64 packets;
	__u64 bytes;
	__u64 last_ns;		/* sl_ctl.tick_ns at the last hit */
	__u64 pad;
};

/*
 * The control word block; one entry, mapped by the agent. `epoch` is read
 * once per packet and selects the bank of every table: bank = epoch & 1.
 */
struct sl_ctl {
	__u64 epoch;
	__u32 bypass;		/* 1: pass everything, look at nothing */
	__u32 sample_every;	/* one packet of so many is kept; 0: none */
	__u64 tick_ns;		/* the clock, as the agent last wrote it: a load
				 * where reading it would cost 8 ns and more */
	__u64 tick_base_ns;	/* the clock when the tick counter was 0 (wraps);
				 * 0: no packet has asked yet */
	__u32 rules[2];		/* by bank: SL_RULES_* and dimensions */
	__u64 confirm_epoch;	/* past confirm_ns this epoch is over, and the
				 * other bank holds; 0: none waits */
	__u64 confirm_ns;	/* the clock */
	__u32 image[2];		/* by bank: the module's copy of the IPv6 table;
				 * 0: it has none that is right */
	__u64 hash_key[2];	/* of the flow table; kept over adoption */
	__u32 abi;		/* SL_ABI_VERSION of who loaded us */
	__u32 transit_every;	/* one leaving packet of so many is timed on its
				 * way through the gateway; 0: none */
	__u32 trip_every;	/* one round trip to the far end of so many is
				 * handed over; 0: none */
	__u32 pad2[9];
};

/* Settings known at load: the verifier removes what they make dead. */
struct sl_settings {
	__u32 n_cpus;		/* possible CPUs: rows of the per-CPU arrays */
	__u32 n_lanes;		/* lanes with counters, 1..SL_MAX_LANES */
	__u32 n_series;		/* histograms: a power of two */
	__u32 n_flow_sets;	/* a power of two */
	__u32 fib_lines;	/* of a bank: IPv4 lines, the root's too */
	__u32 fib_buckets;	/* host buckets: a power of two */
	__u32 fib_nodes;	/* IPv6 nodes */
	__u32 fib_leaves;	/* IPv6 leaf words */
	__u32 rule_rows;	/* of a bank */
	__u16 replay;		/* 1: clock and length come from sl_replay */
	__u16 kmod;		/* SL_KMOD_*: kfuncs that may be called */
	__u64 hash_key[2];	/* random per table; fixed in replay */
	__u64 tick_ns;		/* of the kernel's tick; 0: not known */
	__u64 flow_idle_ns;	/* after this a flow is new again */
	__u64 stamp_max_ns;	/* an answer later than this is no sample */
};

/*
 * The last samples by remote address, for people who ask about one: a direct
 * mapped table that forgets the older of two addresses that meet. Accepted
 * race: two CPUs that write the same entry at once may mix their samples.
 */
struct sl_recent_sample {
	__u64 time_ns;		/* clock of the answer; 0: none */
	__u64 what;		/* SL_RECENT_WHAT */
	__u32 tunnel;		/* id of the innermost tunnel; 0: none */
	__u16 vlan;		/* outermost VLAN id; 0: untagged */
	__u16 lane;
};

/* One word, so that a sample is never half another's. */
#define SL_RECENT_WHAT(rtt_ns, method, path, half) ((__u64)(rtt_ns) << 24 | \
	(__u32)(method) << 16 | (__u32)(path) << 8 | (half))
#define SL_RECENT_RTT_NS(w)	((w) >> 24)
#define SL_RECENT_METHOD(w)	((__u32)((w) >> 16 & 0xff))
#define SL_RECENT_PATH(w)	((__u32)((w) >> 8 & 0xff))
#define SL_RECENT_HALF(w)	((__u32)((w) & 0xff))

struct sl_recent {
	__u8 addr[16];		/* IPv4 as ::ffff:a.b.c.d */
	struct sl_recent_sample s[2];	/* far, full or unknown; near */
};

#define SL_RECENT_ENTRIES	(1U << 14)	/* 1 MB */

/* Entry of an address: its two halves, keyed. */
static inline __attribute__((always_inline)) __u32
sl_recent_slot(__u64 hi, __u64 lo, __u64 key)
{
	__u64 h = (hi ^ key) * 0x9e3779b97f4a7c15ULL;

	h = ((h ^ h >> 32) ^ lo) * 0x9e3779b97f4a7c15ULL;
	return (h >> 40) & (SL_RECENT_ENTRIES - 1);
}

/* One sample as replay reports it (production never leaves an event). */
struct sl_sample {
	__u64 time_ns;		/* of the answering packet */
	__u64 rtt_ns;
	__u8 src[16];		/* the end whose packet was stamped */
	__u8 dst[16];		/* the end that answered */
	__u16 sport;		/* host order; 0 where there are none */
	__u16 dport;
	__u16 lane;
	__u8 family;		/* 4 or 6 */
	__u8 method;		/* enum sl_method */
	__u8 half;		/* enum sl_half */
	__u8 path;
	__u8 pad[6];
};

#define SL_REPLAY_SAMPLES	4	/* one packet cannot answer more */
#define SL_REPLAY_NO_TIME	0x1	/* the record has no time stamp */

/* In: clock and length of the packet to come. Out: what it gave. */
struct sl_replay {
	__u64 time_ns;
	__u32 wire_b;		/* true frame length, Ethernet header in */
	__u32 flags;		/* SL_REPLAY_* */
	__u32 reason;		/* out: enum sl_reason of the exit */
	__u32 n_samples;	/* out: the caller sets it to 0 first */
	__u64 pad;
	struct sl_sample sample[SL_REPLAY_SAMPLES];
};

_Static_assert(sizeof(struct sl_port) == 8, "sl_port");
_Static_assert(sizeof(struct sl_vlan_key) == 8, "sl_vlan_key");
_Static_assert(sizeof(struct sl_port_ctr) == 512, "sl_port_ctr");
_Static_assert(sizeof(struct sl_lane_ctr) == 64, "sl_lane_ctr");
_Static_assert(sizeof(struct sl_lane_miss) == 128, "sl_lane_miss");
_Static_assert(sizeof(struct sl_lane_tcp) == 128, "sl_lane_tcp");
_Static_assert(sizeof(struct sl_lane_lost) == 512, "sl_lane_lost");
_Static_assert(sizeof(struct sl_flow_dir) == 24, "sl_flow_dir");
_Static_assert(sizeof(struct sl_flow) == 64, "a flow is one cache line");
_Static_assert(sizeof(struct sl_flow_set) == 256, "sl_flow_set");
_Static_assert(sizeof(struct sl_hist) == 2880, "sl_hist");
_Static_assert(sizeof(struct sl_class) == 16, "sl_class");
_Static_assert(sizeof(struct sl_class_ctr) == 32, "sl_class_ctr");
_Static_assert(sizeof(struct sl_ctl) == 128, "sl_ctl");
_Static_assert(sizeof(struct sl_settings) == 80, "sl_settings");
_Static_assert(sizeof(struct sl_sample) == 64, "sl_sample");
_Static_assert(sizeof(struct sl_recent) == 64, "sl_recent");
_Static_assert(sizeof(struct sl_replay) == 288, "sl_replay");
_Static_assert(SL_R_MAX <= SL_REASON_SLOTS, "reasons outgrew their counters");
_Static_assert(SL_MISS_MAX <= SL_MISS_SLOTS, "misses outgrew their counters");

#endif
