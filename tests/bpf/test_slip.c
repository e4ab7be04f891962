// SPDX-License-Identifier: GPL-2.0
/*
 * Packets made to slip through a rule: cut headers, many small headers, ports of
 * unusual protocols, tunnels around what is let through.
 */
#include "ruled.h"

/* One rule: drop what goes to this port; proto 0: of any protocol. */
static int drop_port(struct sl_dp *dp, unsigned int proto, unsigned int port,
		     struct sl_abv **abv)
{
	struct sl_ruleset set = {};
	struct sl_rule *r = sl_ruleset_add(&set);

	strcpy(r->id, "port");
	r->action = SL_ACT_DROP;
	if (proto)
		sl_spans_add(&r->match.proto, proto, proto);
	sl_spans_add(&r->match.dport, port, port);
	return one_rule(dp, &set, abv);
}

/* Headers that were cut do not slip through a rule on ports (RFC 1858). */
TEST_F(dp, cut_headers_are_judged_by_their_ports)
{
	struct sl_ruleset set = {};
	struct sl_rule *r = sl_ruleset_add(&set);
	struct sl_abv *abv;
	uint32_t verdict;

	strcpy(r->id, "smtp");
	r->action = SL_ACT_DROP;
	sl_spans_add(&r->match.proto, 6, 6);
	sl_spans_add(&r->match.dport, 25, 25);
	ASSERT_EQ(0, one_rule(self->dp, &set, &abv));
	eth(&self->f, 0x0800);
	ip4(&self->f, FAR, HOME, 6, 0x2000);
	put16(&self->f, 1000);
	put16(&self->f, 25);
	put32(&self->f, 1);
	EXPECT_EQ(SL_R_DROP_RULE, run(self, &verdict));
	eth(&self->f, 0x0800);
	ip4(&self->f, FAR, HOME, 6, 0);
	tcp(&self->f, 1000, 25, 1, 1, 2, 0, 0);
	self->f.b[14 + 20 + 12] = 0x10;		/* a header of 4 bytes */
	EXPECT_EQ(SL_R_DROP_RULE, run(self, &verdict));
	sl_abv_free(abv);
}

/* The flags are there before the header is whole. */
TEST_F(dp, flags_of_a_cut_header_are_judged)
{
	struct sl_ruleset set = {};
	struct sl_rule *r = sl_ruleset_add(&set);
	struct sl_abv *abv;
	uint32_t verdict;

	strcpy(r->id, "syn");
	r->action = SL_ACT_DROP;
	sl_spans_add(&r->match.tcp_flags, S, S);
	ASSERT_EQ(0, one_rule(self->dp, &set, &abv));
	eth(&self->f, 0x0800);
	ip4(&self->f, FAR, HOME, 6, 0x2000);
	tcp(&self->f, 1000, 25, 1, 0, S, 0, 0);
	self->f.len -= 4;		/* 16 bytes of it */
	EXPECT_EQ(SL_R_DROP_RULE, run(self, &verdict));
	eth(&self->f, 0x0800);
	ip4(&self->f, FAR, HOME, 6, 0x2000);
	tcp(&self->f, 1000, 25, 1, 0, S, 0, 0);
	self->f.len -= 12;		/* 8: they are not in it */
	run(self, &verdict);
	EXPECT_EQ(XDP_PASS, verdict);
	sl_abv_free(abv);
}

/* A rule on ports means TCP and UDP (RFC 8955, 4.2.2.4), whatever stands where
 * theirs would. */
TEST_F(dp, ports_are_those_of_tcp_and_udp)
{
	static const unsigned int protos[] = { 6, 17, 33, 132, 136 };
	struct sl_ruleset set = {};
	struct sl_rule *r = sl_ruleset_add(&set);
	struct sl_abv *abv;
	uint32_t verdict;
	unsigned int i;

	strcpy(r->id, "port");
	r->action = SL_ACT_DROP;
	sl_spans_add(&r->match.dport, 2905, 2905);
	ASSERT_EQ(0, with_rules(self->dp, &set, &abv));
	for (i = 0; i < 5; i++) {
		eth(&self->f, 0x0800);
		ip4(&self->f, FAR, HOME, protos[i], 0);
		put16(&self->f, 1000);
		put16(&self->f, 2905);
		payload(&self->f, 20);
		run(self, &verdict);
		EXPECT_EQ(i < 2 ? XDP_DROP : XDP_PASS, verdict);
	}
	sl_abv_free(abv);
	sl_ruleset_free(&set);
}

/* n of 8 bytes each, then TCP. */
static void behind_options(struct frame *f, unsigned int n)
{
	eth(f, 0x86dd);
	ip6(f, FAR6, HOME6, n ? 60 : 6);
	while (n--) {
		put8(f, n ? 60 : 6);
		put8(f, 0);
		put16(f, 0x0104);	/* PadN */
		put32(f, 0);
	}
	tcp(f, 1000, 25, 1, 1, A, 0, 0);
	payload(f, 20);
}

/* A host takes any number of extension headers. */
TEST_F(dp, many_extension_headers_hide_nothing)
{
	static const unsigned int n[] = { 0, 1, 15, 16, 17, 27, 28, 40, 180,
					  430 };
	struct sl_abv *abv;
	uint32_t verdict;
	unsigned int i;

	ASSERT_EQ(0, drop_port(self->dp, 6, 25, &abv));
	for (i = 0; i < sizeof(n) / sizeof(n[0]); i++) {
		behind_options(&self->f, n[i]);
		EXPECT_EQ(SL_R_DROP_RULE, run(self, &verdict)) {
			TH_LOG("%u headers", n[i]);
		}
	}
	sl_abv_free(abv);
}

/* What is let through at a bit a second: the burst, then one in hours. */
TEST_F(dp, the_lowest_rate_is_a_rate)
{
	struct sl_ruleset set = {};
	struct sl_rule *r = sl_ruleset_add(&set);
	unsigned int i, passed = 0;
	struct sl_abv *abv;
	uint32_t verdict;

	strcpy(r->id, "limit");
	r->action = SL_ACT_LIMIT;
	r->limit.bps = 1;
	r->limit.burst = 1500;		/* of 12,000 s */
	ASSERT_EQ(0, one_rule(self->dp, &set, &abv));
	for (i = 0; i < 10; i++) {
		udp_from(&self->f, FAR, 1500 - 28);
		run(self, &verdict);
		passed += verdict == XDP_PASS;
	}
	EXPECT_EQ(2, passed);
	self->now_ms += 11999000;
	udp_from(&self->f, FAR, 1500 - 28);
	run(self, &verdict);
	EXPECT_EQ(XDP_DROP, verdict);
	self->now_ms += 2000;
	udp_from(&self->f, FAR, 1500 - 28);
	run(self, &verdict);
	EXPECT_EQ(XDP_PASS, verdict);
	sl_abv_free(abv);
}

/* Rules that ask nothing at all are as many as they are: what stands behind them
 * in their bank is of a former commit. */
TEST_F(dp, rules_of_a_former_commit_have_no_say)
{
	struct sl_abv *abv;
	struct sl_rule_ctr ctr;
	uint32_t verdict;
	int i, k;

	for (i = 0; i < 4; i++) {	/* two in each bank, then one */
		struct sl_ruleset set = {};

		for (k = 0; k < (i < 2 ? 2 : 1); k++) {
			strcpy(sl_ruleset_add(&set)->id, "any");
			set.r[k].action = i < 2 ? SL_ACT_DROP : SL_ACT_COUNT;
		}
		ASSERT_EQ(0, one_rule(self->dp, &set, &abv));
		sl_abv_free(abv);
	}
	sl_dp_clear_rule(self->dp, 0);
	udp_from(&self->f, FAR, 10);
	run(self, &verdict);
	EXPECT_EQ(XDP_PASS, verdict);
	udp_from(&self->f, "203.0.113.66", 10);
	EXPECT_EQ(SL_R_DROP_BLOCK, run(self, &verdict));
	sl_dp_read_rule(self->dp, 0, &ctr);
	EXPECT_EQ(2, ctr.packets);
}

TEST_HARNESS_MAIN
