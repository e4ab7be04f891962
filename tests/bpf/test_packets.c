// SPDX-License-Identifier: GPL-2.0
/*
 * Packets through the loaded program (BPF_PROG_TEST_RUN). A case is data: a
 * sentence, a frame, the verdict and the reason expected. Home is
 * 198.18.0.0/24 and 2001:db8::/64; lane 1 is 203.0.113.0/24 and 2001:db8:1::/48;
 * 203.0.113.66 and 2001:db8:1::66 are blocked, 203.0.113.77 only counted,
 * 203.0.113.88's block has expired, 198.18.0.1 is protected.
 */
#include <linux/bpf.h>
#include <stdio.h>
#include "build.h"
#include "datapath.h"
#include "names.h"
#include "kselftest_harness.h"

#define HOME "198.18.0.2"
#define FAR "203.0.113.5"
#define HOME6 "2001:db8::2"
#define FAR6 "2001:db8:1::5"
#define S 0x02
#define SA 0x12
#define A 0x10
#define PA 0x18
#define F 0x11
#define R 0x04
#define CLASSES 5

FIXTURE(dp)
{
	struct sl_dp *dp;
	struct sl_config *cfg;
	struct frame f;
	uint64_t now_ms;
};

static void add_class(struct sl_fibc *c, const char *text, uint32_t id,
		      enum sl_action action)
{
	struct sl_prefix p;

	sl_prefix_parse(text, &p, NULL);
	sl_fibc_add_class(c, &p, id, action);
}

static void add_lane(struct sl_fibc *c, const char *text, uint32_t lane)
{
	struct sl_prefix p;

	sl_prefix_parse(text, &p, NULL);
	sl_fibc_add_lane(c, &p, lane);
}

static int tables(struct sl_dp *dp)
{
	static const enum sl_action action[CLASSES] = {
		SL_ACT_NONE, SL_ACT_PROTECT, SL_ACT_DROP, SL_ACT_COUNT,
		SL_ACT_DROP };
	struct sl_fibc *c = sl_fibc_new();
	struct sl_fib_image img;
	struct sl_class cls;
	int i, rc;

	add_lane(c, "198.18.0.0/24", SL_LANE_HOME);
	add_lane(c, "2001:db8::/64", SL_LANE_HOME);
	add_lane(c, "203.0.113.0/24", 1);
	add_lane(c, "2001:db8:1::/48", 1);
	add_class(c, "198.18.0.1", 1, SL_ACT_PROTECT);
	add_class(c, "203.0.113.66", 2, SL_ACT_DROP);
	add_class(c, "2001:db8:1::66", 2, SL_ACT_DROP);
	add_class(c, "203.0.113.77", 3, SL_ACT_COUNT);
	add_class(c, "203.0.113.88", 4, SL_ACT_DROP);
	for (i = 1; i < CLASSES; i++) {
		cls = (struct sl_class){ .action = action[i],
					 .until_ns = i == 4 ? 1000 : 0 };
		sl_dp_set_class(dp, i, &cls);
	}
	rc = sl_fibc_compile(c, 4096, &img);
	if (!rc)
		rc = sl_dp_commit(dp, &img);
	sl_fib_image_free(&img);
	sl_fibc_free(c);
	return rc;
}

FIXTURE_SETUP(dp)
{
	struct sl_dp_opts o = { .replay = true };

	self->cfg = sl_config_default();
	self->cfg->tables.flows = 1024;
	self->cfg->tables.series = 64;
	self->cfg->tables.ranges = 4096;
	o.cfg = self->cfg;
	ASSERT_EQ(0, sl_dp_open(&o, &self->dp)) {
		TH_LOG("%s", sl_dp_error(self->dp));
	}
	ASSERT_EQ(0, tables(self->dp));
	self->now_ms = 1000;
}

FIXTURE_TEARDOWN(dp)
{
	sl_dp_close(self->dp);
	sl_config_free(self->cfg);
}

/* Run the frame as captured at now_ms; the reason of its exit, and its
 * verdict (XDP_*) in *verdict. The frame is empty afterwards. */
static unsigned int run(FIXTURE_DATA(dp) *self, uint32_t *verdict)
{
	struct sl_replay *r = sl_dp_replay(self->dp);

	done(&self->f);
	r->time_ns = self->now_ms * 1000000;
	r->wire_b = self->f.len;
	r->n_samples = 0;
	r->flags = 0;
	r->reason = 99;
	*verdict = 99;
	if (sl_dp_run(self->dp, self->f.b, self->f.len, verdict))
		r->reason = 98;
	self->f.len = 0;
	return r->reason;
}

/* --- one frame, one exit --- */
static void f_tcp(struct frame *f)
{
	eth(f, 0x0800);
	ip4(f, HOME, FAR, 6, 0);
	tcp(f, 1000, 80, 1, 0, S, 5, 0);
}
static void f_vlan(struct frame *f)
{
	eth(f, 0x8100);
	tag(f, 100, 0x0800);
	ip4(f, HOME, FAR, 6, 0);
	tcp(f, 1000, 80, 1, 0, S, 5, 0);
}
static void f_qinq(struct frame *f)
{
	eth(f, 0x88a8);
	tag(f, 100, 0x8100);
	tag(f, 7, 0x86dd);
	ip6(f, HOME6, FAR6, 6);
	tcp(f, 1000, 80, 1, 0, S, 5, 0);
}
static void f_cut_vlan(struct frame *f)
{
	eth(f, 0x8100);
	put16(f, 100);
}
static void f_arp(struct frame *f)
{
	eth(f, 0x0806);
	payload(f, 28);
}
static void f_udp(struct frame *f)
{
	eth(f, 0x0800);
	ip4(f, HOME, FAR, 17, 0);
	udp(f, 5000, 5001);
	payload(f, 10);
}
static void f_esp(struct frame *f)
{
	eth(f, 0x0800);
	ip4(f, HOME, FAR, 50, 0);
	payload(f, 40);
}
static void f_first_fragment(struct frame *f)
{
	eth(f, 0x0800);
	ip4(f, HOME, FAR, 6, 0x2000);
	tcp(f, 1000, 80, 1, 1, A, 5, 0);
}
static void f_later_fragment(struct frame *f)
{
	eth(f, 0x0800);
	ip4(f, HOME, FAR, 6, 100);
	payload(f, 100);
}
static void f_later_fragment6(struct frame *f)
{
	eth(f, 0x86dd);
	ip6(f, HOME6, FAR6, 44);
	put32(f, 6 << 24 | 0x0100);
	put32(f, 77);
	payload(f, 100);
}
static void f_extensions(struct frame *f)
{
	eth(f, 0x86dd);
	ip6(f, HOME6, FAR6, 0);
	put32(f, 60 << 24);
	put32(f, 0x01040000);
	put32(f, 6 << 24);
	put32(f, 0x01040000);
	tcp(f, 1000, 80, 1, 0, S, 5, 0);
}
static void f_short_ihl(struct frame *f)
{
	f_tcp(f);
	f->b[14] = 0x44;
}
static void f_version_5(struct frame *f)
{
	f_tcp(f);
	f->b[14] = 0x55;
}
static void f_total_too_small(struct frame *f)
{
	f_tcp(f);
	done(f);
	f->b[16] = 0;
	f->b[17] = 19;
}
static void f_short_doff(struct frame *f)
{
	f_tcp(f);
	f->b[46] = 0x40;
}
static void f_doff_beyond(struct frame *f)
{
	f_tcp(f);
	f->b[46] = 0xf0;
}
static void f_cut_tcp(struct frame *f)
{
	f_tcp(f);
	f->len = 14 + 20 + 12;
}
static void f_cut_ip(struct frame *f)
{
	eth(f, 0x0800);
	payload(f, 10);
}
static void f_udp_length(struct frame *f)
{
	f_udp(f);
	done(f);
	f->b[39] = 3;
}
static void f_itself(struct frame *f)
{
	eth(f, 0x0800);
	ip4(f, FAR, FAR, 6, 0);
	tcp(f, 80, 80, 1, 0, S, 5, 0);
}
static void f_home(struct frame *f)
{
	eth(f, 0x0800);
	ip4(f, HOME, "198.18.0.3", 6, 0);
	tcp(f, 1000, 80, 1, 0, S, 5, 0);
}
static void f_nested(struct frame *f)
{
	int i;

	eth(f, 0x0800);
	for (i = 0; i < 6; i++)
		ip4(f, HOME, FAR, 4, 0);
	payload(f, 20);
}
static void f_other_tunnel(struct frame *f)
{
	eth(f, 0x0800);
	ip4(f, "192.0.2.1", "192.0.2.2", 47, 0);
	put32(f, 0x20000800);
	put32(f, 43);
	ip4(f, HOME, FAR, 6, 0);
	tcp(f, 1001, 80, 1, 0, S, 5, 0);
}
static void f_many_tags(struct frame *f)
{
	int i;

	eth(f, 0x8100);
	for (i = 0; i < 60; i++)
		tag(f, 1, 0x8100);
}
static void f_blocked_dst(struct frame *f)
{
	eth(f, 0x0800);
	ip4(f, HOME, "203.0.113.66", 6, 0);
	tcp(f, 1000, 80, 1, 0, S, 5, 0);
}
static void f_blocked_src(struct frame *f)
{
	eth(f, 0x0800);
	ip4(f, "203.0.113.66", HOME, 17, 0);
	udp(f, 53, 5000);
}
static void f_blocked6(struct frame *f)
{
	eth(f, 0x86dd);
	ip6(f, HOME6, "2001:db8:1::66", 58);
	echo(f, 128, 1, 1);
}
static void f_blocked_fragment(struct frame *f)
{
	eth(f, 0x0800);
	ip4(f, "203.0.113.66", HOME, 17, 100);
	payload(f, 64);
}
static void f_blocked_malformed(struct frame *f)
{
	f_blocked_dst(f);
	f->b[46] = 0x40;
}
static void f_blocked_vlan(struct frame *f)
{
	eth(f, 0x8100);
	tag(f, 5, 0x0800);
	ip4(f, "203.0.113.66", HOME, 17, 0);
	udp(f, 53, 5000);
}
static void f_blocked_outer(struct frame *f)
{
	eth(f, 0x0800);
	ip4(f, "203.0.113.66", HOME, 47, 0);
	put32(f, 0x0800);
	ip4(f, "10.0.0.1", "10.0.0.2", 6, 0);
	tcp(f, 1000, 80, 1, 0, S, 5, 0);
}
static void f_blocked_inner(struct frame *f)
{
	eth(f, 0x0800);
	ip4(f, "192.0.2.1", HOME, 4, 0);
	ip4(f, "203.0.113.66", "10.0.0.2", 6, 0);
	tcp(f, 1000, 80, 1, 0, S, 5, 0);
}
static void f_protected(struct frame *f)
{
	eth(f, 0x0800);
	ip4(f, "203.0.113.66", "198.18.0.1", 6, 0);
	tcp(f, 1000, 179, 1, 0, S, 5, 0);
}
static void f_counted(struct frame *f)
{
	eth(f, 0x0800);
	ip4(f, HOME, "203.0.113.77", 6, 0);
	tcp(f, 1000, 80, 1, 0, S, 5, 0);
}
static void f_expired(struct frame *f)
{
	eth(f, 0x0800);
	ip4(f, HOME, "203.0.113.88", 6, 0);
	tcp(f, 1000, 80, 1, 0, S, 5, 0);
}
static void f_gre(struct frame *f)
{
	eth(f, 0x0800);
	ip4(f, "192.0.2.1", "192.0.2.2", 47, 0);
	put32(f, 0x20000800);
	put32(f, 42);
	ip4(f, HOME, FAR, 6, 0);
	tcp(f, 1001, 80, 1, 0, S, 5, 0);
}
static void f_vxlan(struct frame *f)
{
	eth(f, 0x0800);
	ip4(f, "192.0.2.1", "192.0.2.2", 17, 0);
	udp(f, 40000, 4789);
	put32(f, 0x08000000);
	put32(f, 7 << 8);
	eth(f, 0x0800);
	ip4(f, HOME, FAR, 6, 0);
	tcp(f, 1002, 80, 1, 0, S, 5, 0);
}
static void f_mpls(struct frame *f)
{
	eth(f, 0x8847);
	put32(f, 100 << 12 | 64);
	put32(f, 200 << 12 | 0x100 | 64);
	ip4(f, HOME, FAR, 6, 0);
	tcp(f, 1000, 80, 1, 0, S, 5, 0);
}
static void f_pppoe(struct frame *f)
{
	eth(f, 0x8864);
	put16(f, 0x1100);
	put16(f, 1);
	put16(f, 62);
	put16(f, 0x0021);
	ip4(f, HOME, FAR, 6, 0);
	tcp(f, 1000, 80, 1, 0, S, 5, 0);
}

static const struct {
	const char *sentence;
	void (*make)(struct frame *f);
	uint32_t verdict;
	unsigned int reason;
} cases[] = {
	{ "a SYN is tracked", f_tcp, XDP_PASS, SL_R_TRACKED },
	{ "... behind a VLAN tag", f_vlan, XDP_PASS, SL_R_TRACKED },
	{ "... behind two tags, IPv6", f_qinq, XDP_PASS, SL_R_TRACKED },
	{ "... behind two MPLS labels", f_mpls, XDP_PASS, SL_R_TRACKED },
	{ "... in PPPoE", f_pppoe, XDP_PASS, SL_R_TRACKED },
	{ "... in GRE with a key", f_gre, XDP_PASS, SL_R_TRACKED },
	{ "the same flow in another tunnel is left alone", f_other_tunnel,
	  XDP_PASS, SL_R_UNTRACKED },
	{ "... in VXLAN", f_vxlan, XDP_PASS, SL_R_TRACKED },
	{ "... behind IPv6 extension headers", f_extensions, XDP_PASS,
	  SL_R_TRACKED },
	{ "a VLAN tag cut in half is truncated", f_cut_vlan, XDP_PASS,
	  SL_R_TRUNCATED },
	{ "ARP is not IP", f_arp, XDP_PASS, SL_R_NOT_IP },
	{ "UDP is classified, not tracked", f_udp, XDP_PASS, SL_R_UNTRACKED },
	{ "ESP is another protocol", f_esp, XDP_PASS, SL_R_OTHER_PROTO },
	{ "a first fragment of TCP gives no sample", f_first_fragment, XDP_PASS,
	  SL_R_FRAGMENT_FIRST },
	{ "a later fragment has no L4", f_later_fragment, XDP_PASS,
	  SL_R_FRAGMENT_LATER },
	{ "a later IPv6 fragment has no L4", f_later_fragment6, XDP_PASS,
	  SL_R_FRAGMENT_LATER },
	{ "an IPv4 header under 20 bytes", f_short_ihl, XDP_PASS,
	  SL_R_MALFORMED_IP },
	{ "a wrong IP version", f_version_5, XDP_PASS, SL_R_MALFORMED_IP },
	{ "a total length under the header's", f_total_too_small, XDP_PASS,
	  SL_R_MALFORMED_IP },
	{ "a TCP header under 20 bytes", f_short_doff, XDP_PASS,
	  SL_R_MALFORMED_L4 },
	{ "a TCP header beyond the packet", f_doff_beyond, XDP_PASS,
	  SL_R_MALFORMED_L4 },
	{ "a TCP header that was not captured", f_cut_tcp, XDP_PASS,
	  SL_R_TRUNCATED },
	{ "an IPv4 header that was not captured", f_cut_ip, XDP_PASS,
	  SL_R_TRUNCATED },
	{ "a UDP length under 8", f_udp_length, XDP_PASS, SL_R_MALFORMED_L4 },
	{ "a packet from an end to itself", f_itself, XDP_PASS,
	  SL_R_TO_ITSELF },
	{ "home to home is none of ours", f_home, XDP_PASS, SL_R_HOME },
	{ "six IP headers are too deep", f_nested, XDP_PASS, SL_R_TOO_DEEP },
	{ "sixty tags are too deep", f_many_tags, XDP_PASS, SL_R_TOO_DEEP },
	{ "a blocked destination", f_blocked_dst, XDP_DROP, SL_R_DROP_BLOCK },
	{ "a blocked source", f_blocked_src, XDP_DROP, SL_R_DROP_BLOCK },
	{ "a blocked IPv6 host", f_blocked6, XDP_DROP, SL_R_DROP_BLOCK },
	{ "a blocked host's later fragment", f_blocked_fragment, XDP_DROP,
	  SL_R_DROP_BLOCK },
	{ "a blocked host's malformed packet", f_blocked_malformed, XDP_DROP,
	  SL_R_DROP_BLOCK },
	{ "a blocked host behind a VLAN tag", f_blocked_vlan, XDP_DROP,
	  SL_R_DROP_BLOCK },
	{ "a blocked tunnel endpoint", f_blocked_outer, XDP_DROP,
	  SL_R_DROP_BLOCK },
	{ "a blocked host inside a tunnel", f_blocked_inner, XDP_DROP,
	  SL_R_DROP_BLOCK },
	{ "protected beats blocked", f_protected, XDP_PASS, SL_R_TRACKED },
	{ "a counted host passes", f_counted, XDP_PASS, SL_R_TRACKED },
	{ "an expired block passes", f_expired, XDP_PASS, SL_R_TRACKED },
};

TEST_F(dp, every_exit_has_its_verdict_and_reason)
{
	struct sl_port_ctr ctr;
	uint32_t verdict;
	unsigned int reason;
	uint64_t before;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		sl_dp_read_port(self->dp, 0, &ctr);
		before = ctr.packets[cases[i].reason];
		cases[i].make(&self->f);
		reason = run(self, &verdict);
		EXPECT_EQ(cases[i].reason, reason) {
			TH_LOG("%s: %s", cases[i].sentence,
			       sl_reason_name(reason));
		}
		EXPECT_EQ(cases[i].verdict, verdict) {
			TH_LOG("%s", cases[i].sentence);
		}
		sl_dp_read_port(self->dp, 0, &ctr);
		EXPECT_EQ(before + 1, ctr.packets[cases[i].reason]) {
			TH_LOG("%s: not counted once", cases[i].sentence);
		}
	}
}

TEST_F(dp, hits_are_counted_by_class)
{
	struct sl_class_ctr ctr;
	uint32_t verdict;

	f_blocked_dst(&self->f);
	run(self, &verdict);
	f_blocked6(&self->f);
	run(self, &verdict);
	f_counted(&self->f);
	run(self, &verdict);
	f_expired(&self->f);
	run(self, &verdict);
	f_protected(&self->f);
	run(self, &verdict);
	sl_dp_read_class(self->dp, 2, &ctr);
	EXPECT_EQ(2, ctr.packets);
	EXPECT_EQ(66 + 62, ctr.bytes);
	sl_dp_read_class(self->dp, 3, &ctr);
	EXPECT_EQ(1, ctr.packets);
	sl_dp_read_class(self->dp, 4, &ctr);
	EXPECT_EQ(0, ctr.packets);
}

/* --- samples --- */
static const struct sl_replay *out(FIXTURE_DATA(dp) *self, uint64_t ms,
				   uint32_t seq, uint32_t ack, unsigned int fl,
				   uint32_t val, uint32_t ecr, unsigned int n)
{
	uint32_t verdict;

	self->now_ms = ms;
	eth(&self->f, 0x0800);
	ip4(&self->f, HOME, FAR, 6, 0);
	tcp(&self->f, 1000, 80, seq, ack, fl, val, ecr);
	payload(&self->f, n);
	run(self, &verdict);
	return sl_dp_replay(self->dp);
}

static const struct sl_replay *in(FIXTURE_DATA(dp) *self, uint64_t ms,
				  uint32_t seq, uint32_t ack, unsigned int fl,
				  uint32_t val, uint32_t ecr, unsigned int n)
{
	uint32_t verdict;

	self->now_ms = ms;
	eth(&self->f, 0x0800);
	ip4(&self->f, FAR, HOME, 6, 0);
	tcp(&self->f, 80, 1000, seq, ack, fl, val, ecr);
	payload(&self->f, n);
	run(self, &verdict);
	return sl_dp_replay(self->dp);
}

#define NO_SAMPLE(call) EXPECT_EQ(0, (call)->n_samples)

TEST_F(dp, a_handshake_gives_far_and_near)
{
	const struct sl_replay *r;

	NO_SAMPLE(out(self, 100, 10, 0, S, 0, 0, 0));
	r = in(self, 136, 50, 11, SA, 0, 0, 0);
	ASSERT_EQ(1, r->n_samples);
	EXPECT_EQ(SL_M_TCP_HS, r->sample[0].method);
	EXPECT_EQ(SL_HALF_FAR, r->sample[0].half);
	EXPECT_EQ(36000000, r->sample[0].rtt_ns);
	EXPECT_EQ(1, r->sample[0].lane);
	EXPECT_EQ(1000, r->sample[0].sport);
	EXPECT_EQ(80, r->sample[0].dport);
	r = out(self, 138, 11, 51, A, 0, 0, 0);
	ASSERT_EQ(1, r->n_samples);
	EXPECT_EQ(SL_HALF_NEAR, r->sample[0].half);
	EXPECT_EQ(2000000, r->sample[0].rtt_ns);
	NO_SAMPLE(out(self, 139, 11, 51, A, 0, 0, 0));
}

TEST_F(dp, a_repeated_syn_is_ambiguous)
{
	struct sl_lane_miss m;

	NO_SAMPLE(out(self, 100, 10, 0, S, 0, 0, 0));
	NO_SAMPLE(out(self, 1100, 10, 0, S, 0, 0, 0));
	NO_SAMPLE(in(self, 1136, 50, 11, SA, 0, 0, 0));
	sl_dp_read_miss(self->dp, 1, &m);
	EXPECT_EQ(1, m.n[SL_MISS_AMBIGUOUS]);
}

TEST_F(dp, an_ecn_syn_is_a_syn)
{
	NO_SAMPLE(out(self, 100, 10, 0, S | 0xc0, 0, 0, 0));
	EXPECT_EQ(1, in(self, 136, 50, 11, SA | 0x40, 0, 0, 0)->n_samples);
}

TEST_F(dp, a_syn_ack_of_something_else_answers_nothing)
{
	NO_SAMPLE(out(self, 100, 10, 0, S, 0, 0, 0));
	NO_SAMPLE(in(self, 136, 50, 999, SA, 0, 0, 0));
}

TEST_F(dp, a_new_connection_on_old_ports_starts_anew)
{
	out(self, 100, 10, 0, S, 500, 0, 0);
	in(self, 136, 50, 11, SA, 900, 500, 0);
	out(self, 137, 11, 51, A, 501, 900, 0);
	NO_SAMPLE(out(self, 5000, 7000, 0, S, 20, 0, 0));
	EXPECT_EQ(2, in(self, 5036, 8000, 7001, SA, 30, 20, 0)->n_samples);
}

TEST_F(dp, payload_is_answered_by_its_time_stamp)
{
	const struct sl_replay *r;

	out(self, 100, 10, 0, S, 500, 0, 0);
	EXPECT_EQ(2, in(self, 136, 50, 11, SA, 900, 500, 0)->n_samples);
	EXPECT_EQ(2, out(self, 137, 11, 51, A, 537, 900, 0)->n_samples);
	NO_SAMPLE(out(self, 140, 11, 51, PA, 540, 900, 100));
	NO_SAMPLE(out(self, 141, 111, 51, PA, 541, 900, 100));
	r = in(self, 176, 51, 111, A, 940, 540, 0);
	ASSERT_EQ(1, r->n_samples);
	EXPECT_EQ(SL_M_TCP_TS, r->sample[0].method);
	EXPECT_EQ(36000000, r->sample[0].rtt_ns);
	NO_SAMPLE(in(self, 177, 51, 211, A, 941, 541, 0));
}

TEST_F(dp, pure_acks_are_never_stamped)
{
	out(self, 100, 10, 0, S, 500, 0, 0);
	in(self, 136, 50, 11, SA, 900, 500, 0);
	out(self, 137, 11, 51, A, 537, 900, 0);
	NO_SAMPLE(in(self, 300, 51, 11, PA, 1064, 537, 50));
}

TEST_F(dp, a_newer_echo_voids_the_stamp)
{
	struct sl_lane_miss m;

	out(self, 100, 10, 0, S, 500, 0, 0);
	in(self, 136, 50, 11, SA, 900, 500, 0);
	out(self, 140, 11, 51, PA, 540, 900, 100);
	NO_SAMPLE(in(self, 190, 51, 211, A, 954, 550, 0));
	NO_SAMPLE(in(self, 191, 51, 211, A, 955, 540, 0));
	sl_dp_read_miss(self->dp, 1, &m);
	EXPECT_EQ(1, m.n[SL_MISS_VOIDED]);
}

TEST_F(dp, time_stamps_wrap)
{
	out(self, 100, 10, 0, S, 0xffffff00, 0, 0);
	in(self, 136, 50, 11, SA, 900, 0xffffff00, 0);
	out(self, 137, 11, 51, A, 0xffffff25, 900, 0);
	NO_SAMPLE(out(self, 140, 11, 51, PA, 5, 900, 100));
	EXPECT_EQ(1, in(self, 176, 51, 111, A, 940, 5, 0)->n_samples);
}

TEST_F(dp, a_clock_that_steps_back_gives_no_sample)
{
	struct sl_lane_miss m;

	out(self, 5000, 10, 0, S, 0, 0, 0);
	NO_SAMPLE(in(self, 4000, 50, 11, SA, 0, 0, 0));
	sl_dp_read_miss(self->dp, 1, &m);
	EXPECT_EQ(1, m.n[SL_MISS_CLOCK_BACK]);
}

TEST_F(dp, an_answer_after_a_minute_is_no_sample)
{
	out(self, 1000, 10, 0, S, 0, 0, 0);
	NO_SAMPLE(in(self, 62000, 50, 11, SA, 0, 0, 0));
}

TEST_F(dp, retransmissions_are_counted_and_keepalives_are_not)
{
	struct sl_lane_ctr c;

	out(self, 100, 10, 0, S, 0, 0, 0);
	out(self, 140, 11, 51, PA, 0, 0, 100);
	out(self, 141, 111, 51, PA, 0, 0, 100);
	out(self, 400, 11, 51, PA, 0, 0, 100);
	out(self, 900, 210, 51, A, 0, 0, 1);
	sl_dp_read_lane(self->dp, 0, 1, &c);
	EXPECT_EQ(4, c.tcp_data[SL_DIR_OUT]);
	EXPECT_EQ(1, c.retrans[SL_DIR_OUT]);
	EXPECT_EQ(5, c.packets[SL_DIR_OUT]);
}

TEST_F(dp, a_dropped_packet_neither_stamps_nor_answers)
{
	uint32_t verdict;

	f_blocked_dst(&self->f);
	run(self, &verdict);
	eth(&self->f, 0x0800);
	ip4(&self->f, "203.0.113.66", HOME, 6, 0);
	tcp(&self->f, 80, 1000, 5, 2, SA, 6, 5);
	EXPECT_EQ(SL_R_DROP_BLOCK, run(self, &verdict));
	EXPECT_EQ(0, sl_dp_replay(self->dp)->n_samples);
}

static unsigned int ping(FIXTURE_DATA(dp) *self, uint64_t ms, int reply,
			 unsigned int seq)
{
	uint32_t verdict;

	self->now_ms = ms;
	eth(&self->f, 0x86dd);
	ip6(&self->f, reply ? FAR6 : HOME6, reply ? HOME6 : FAR6, 58);
	echo(&self->f, reply ? 129 : 128, 7, seq);
	run(self, &verdict);
	return sl_dp_replay(self->dp)->n_samples;
}

TEST_F(dp, echo_replies_answer_requests)
{
	EXPECT_EQ(0, ping(self, 100, 0, 1));
	EXPECT_EQ(1, ping(self, 136, 1, 1));
	EXPECT_EQ(36000000, sl_dp_replay(self->dp)->sample[0].rtt_ns);
	EXPECT_EQ(0, ping(self, 137, 1, 1));
	/* repeated while it waits */
	EXPECT_EQ(0, ping(self, 200, 0, 2));
	EXPECT_EQ(0, ping(self, 210, 0, 2));
	EXPECT_EQ(0, ping(self, 236, 1, 2));
	/* lost, and the next one answered */
	EXPECT_EQ(0, ping(self, 300, 0, 3));
	EXPECT_EQ(0, ping(self, 400, 0, 4));
	EXPECT_EQ(0, ping(self, 436, 1, 4));
	EXPECT_EQ(0, ping(self, 500, 0, 5));
	EXPECT_EQ(1, ping(self, 536, 1, 5));
}

TEST_F(dp, bypass_passes_everything_unseen)
{
	uint32_t verdict;

	sl_dp_set_bypass(self->dp, true);
	f_blocked_dst(&self->f);
	EXPECT_EQ(SL_R_BYPASS, run(self, &verdict));
	EXPECT_EQ(XDP_PASS, verdict);
	sl_dp_set_bypass(self->dp, false);
	f_blocked_dst(&self->f);
	EXPECT_EQ(SL_R_DROP_BLOCK, run(self, &verdict));
}

TEST_F(dp, new_flows_never_push_out_confirmed_ones)
{
	struct sl_lane_miss m;
	uint32_t verdict, i;
	char src[32];

	out(self, 100, 10, 0, S, 500, 0, 0);
	in(self, 136, 50, 11, SA, 900, 500, 0);
	for (i = 0; i < 20000; i++) {
		snprintf(src, sizeof(src), "203.0.113.%u", i % 50);
		eth(&self->f, 0x0800);
		ip4(&self->f, src, HOME, 6, 0);
		tcp(&self->f, 2000 + i / 50, 443, i, 0, S, 0, 0);
		run(self, &verdict);
	}
	sl_dp_read_miss(self->dp, 1, &m);
	EXPECT_LT(15000, m.n[SL_MISS_EVICTED]);
	out(self, 140, 11, 51, PA, 540, 900, 100);
	EXPECT_EQ(1, in(self, 176, 51, 111, A, 940, 540, 0)->n_samples);
}

TEST_F(dp, histograms_hold_what_the_samples_say)
{
	struct sl_hist h;
	uint64_t key = SL_SERIES_KEY(1, 0, SL_M_ICMP, SL_HALF_FAR);
	uint32_t slot;
	int i;

	for (i = 0; i < 100; i++) {
		ping(self, 1000 + i * 100, 0, i);
		ping(self, 1040 + i * 100, 1, i);
	}
	for (slot = 0; slot < 64; slot++)
		if (sl_dp_series_key(self->dp, slot) == key)
			break;
	ASSERT_LT(slot, 64);
	ASSERT_TRUE(sl_dp_read_series(self->dp, slot, &h));
	EXPECT_EQ(100, h.count);
	EXPECT_EQ(4000000000ULL, h.sum_ns);
	EXPECT_EQ(40000000, h.min_ns);
	EXPECT_EQ(40000000, h.max_ns);
	EXPECT_FALSE(sl_dp_read_series(self->dp, slot, &h));
}

TEST_HARNESS_MAIN
