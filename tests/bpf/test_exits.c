// SPDX-License-Identifier: GPL-2.0
/*
 * One frame, one exit (BPF_PROG_TEST_RUN). A case is data: a sentence, a frame,
 * the verdict and the reason expected.
 */
#include "loaded.h"

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
static void f_itself_in_ip6(struct frame *f)
{
	eth(f, 0x86dd);
	ip6(f, HOME6, FAR6, 4);
	ip4(f, FAR, FAR, 6, 0);
	tcp(f, 80, 80, 1, 1, S, 0, 0);
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
	{ "an end to itself inside IPv6", f_itself_in_ip6, XDP_PASS,
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

TEST_HARNESS_MAIN
