// SPDX-License-Identifier: GPL-2.0
/*
 * Rules in the loaded program: random rules and real frames, behind VLANs and
 * in tunnels, against a comparison field by field; limits; the deadline of an
 * unconfirmed commit; what is kept for plan.
 */
#include "ruled.h"

#define RULES 300

/* --- frames from their descriptions --- */
static void put_l4(struct frame *f, const struct header *h)
{
	unsigned int n = random() % 40;

	if (h->frag & SL_FRAG_LATER) {
		payload(f, 24);
		return;
	}
	switch (h->proto) {
	case 6:
		tcp(f, h->sport, h->dport, 1, 1, h->flags, 0, 0);
		f->b[f->len - 8] |= h->flags >> 8;
		break;
	case 17:
		udp(f, h->sport, h->dport);
		break;
	case 1: case 58:
		put16(f, h->icmp);
		put16(f, 0);
		put32(f, random());
		break;
	case 132:
		put16(f, h->sport);
		put16(f, h->dport);
		n = 20;
		break;
	default:
		n = 20;
	}
	payload(f, n);
}

/* An IP header; its length is mended by done(). */
static void put_ip(struct frame *f, struct header *h)
{
	unsigned int at = f->len, later = h->frag & SL_FRAG_LATER;
	unsigned int more = h->frag && h->frag != SL_FRAG_DF &&
			    !(h->frag & SL_FRAG_LAST);

	if (h->family == 4) {
		ip4(f, h->src, h->dst, h->proto, (later ? 100 : 0) |
		    (more ? 0x2000 : 0) |
		    (h->frag & SL_FRAG_DF ? 0x4000 : 0));
		f->b[at + 1] = h->dscp << 2 | 1;
		return;
	}
	ip6(f, h->src, h->dst, later || more ? 44 : h->proto);
	f->b[at] |= h->dscp >> 2;
	f->b[at + 1] |= (h->dscp & 3) << 6;
	if (later || more) {
		put8(f, h->proto);
		put8(f, 0);
		put16(f, (later ? 100 << 3 : 0) | more);
		put32(f, 77);
	}
}

/* What an outer header carries, in one of four ways. */
static void put_tunnel(struct frame *f, struct packet *p)
{
	int inner6 = p->in.family == 6;

	p->out.frag &= SL_FRAG_DF;
	switch (random() % 3) {
	case 0:
		p->out.proto = inner6 ? 41 : 4;
		put_ip(f, &p->out);
		break;
	case 1:
		p->out.proto = 47;
		put_ip(f, &p->out);
		put16(f, 0);
		put16(f, inner6 ? 0x86dd : 0x0800);
		break;
	default:
		p->out.proto = 17;
		p->out.sport = PICK(ports);
		p->out.dport = 4789;
		put_ip(f, &p->out);
		udp(f, p->out.sport, 4789);
		put32(f, 0x08000000);
		put32(f, 5000 << 8);
		eth(f, inner6 ? 0x86dd : 0x0800);
	}
}

static void put_packet(struct frame *f, struct packet *p)
{
	int outer6 = (p->out.family ? p->out.family : p->in.family) == 6;
	unsigned int etype = outer6 ? 0x86dd : 0x0800;
	unsigned int out_at, in_at;

	f->len = f->n_len = 0;
	eth(f, MAYBE(3) ? 0x8100 : etype);
	if (f->b[12] == 0x81)
		tag(f, 10, etype);
	out_at = f->len;
	if (p->out.family)
		put_tunnel(f, p);
	in_at = f->len;
	put_ip(f, &p->in);
	put_l4(f, &p->in);
	p->in.len_b = f->len - in_at;
	if (p->out.family)
		p->out.len_b = f->len - out_at;
}

/* Lane and direction, as the tables of loaded.h have them. */
static int lane_at(const char *addr)
{
	if (inside("198.18.0.0/24", addr) || inside("2001:db8::/64", addr))
		return SL_LANE_HOME;
	return inside("203.0.113.0/24", addr) || inside("2001:db8:1::/48", addr);
}

static void find_lane(struct packet *p)
{
	int s = lane_at(p->in.src), d = lane_at(p->in.dst);

	if (!s && !d && p->out.family) {
		s = lane_at(p->out.src);
		d = lane_at(p->out.dst);
	}
	p->dir = (s == SL_LANE_HOME) == (d == SL_LANE_HOME) ? SL_DIR_UNKNOWN :
		 s == SL_LANE_HOME ? SL_DIR_OUT : SL_DIR_IN;
	s = s == SL_LANE_HOME ? 0 : s;
	d = d == SL_LANE_HOME ? 0 : d;
	p->lane = p->dir == SL_DIR_OUT ? d : p->dir == SL_DIR_IN ? s :
		  s > d ? s : d;
}

static bool at_any(const struct packet *p, const char *addr)
{
	return !strcmp(p->in.src, addr) || !strcmp(p->in.dst, addr) ||
	       (p->out.family && (!strcmp(p->out.src, addr) ||
				  !strcmp(p->out.dst, addr)));
}

/* Reason of a drop by the rules and blocks; 0: it passes. Counts hits. */
static unsigned int expected(const struct sl_ruleset *set,
			     const struct packet *p, uint64_t *hits)
{
	unsigned int i;

	if (at_any(p, "198.18.0.1"))
		return 0;
	for (i = 0; i < set->n; i++) {
		if (!naive_matches(&set->r[i], p))
			continue;
		hits[i]++;
		if (set->r[i].action == SL_ACT_DROP)
			return SL_R_DROP_RULE;
		if (set->r[i].action != SL_ACT_COUNT)
			return 0;
	}
	return at_any(p, "203.0.113.66") || at_any(p, "2001:db8:1::66") ?
	       SL_R_DROP_BLOCK : 0;
}

static unsigned int rounds(struct __test_metadata *_metadata,
			   FIXTURE_DATA(dp) *self, unsigned int n_rules,
			   unsigned int n_packets)
{
	uint64_t hits[RULES] = {};
	unsigned int i, want, got, wrong = 0, dropped = 0;
	struct sl_ruleset set = {};
	struct sl_rule_ctr ctr;
	struct sl_abv *abv;
	struct packet p;
	uint32_t verdict;

	random_rules(&set, n_rules);
	for (i = 0; i < RULES; i++)
		sl_dp_clear_rule(self->dp, i);
	ASSERT_EQ(0, with_rules(self->dp, &set, &abv)) {
		TH_LOG("%s", sl_abv_error(abv));
	}
	for (i = 0; i < n_packets; i++) {
		memset(&p, 0, sizeof(p));
		random_header(&p.in);
		if (MAYBE(3))
			random_header(&p.out);
		put_packet(&self->f, &p);
		find_lane(&p);
		want = expected(&set, &p, hits);
		got = run(self, &verdict);
		if (got < SL_R_DROP_FIRST)
			got = 0;
		wrong += got != want || (verdict == XDP_DROP) != !!want;
		dropped += !!want;
	}
	for (i = 0; i < n_rules; i++) {
		sl_dp_read_rule(self->dp, i, &ctr);
		wrong += ctr.packets != hits[i];
	}
	sl_abv_free(abv);
	sl_ruleset_free(&set);
	ASSERT_EQ(0, wrong);
	return dropped;
}

TEST_F(dp, rules_as_a_comparison_field_by_field)
{
	static const unsigned int sizes[] = { 1, 4, 20, 64, 130, RULES };
	unsigned int i, dropped = 0;

	srandom(2);
	for (i = 0; i < 12; i++)
		dropped += rounds(_metadata, self, sizes[i % 6], 1500);
	EXPECT_GT(dropped, 1000);
	TH_LOG("18000 packets, %u dropped", dropped);
}

/* --- single rules --- */
/* 100 packets a second, 10 at once. */
TEST_F(dp, a_limit_keeps_its_rate_and_burst)
{
	struct sl_ruleset set = {};
	struct sl_rule *r = sl_ruleset_add(&set);
	unsigned int i, passed = 0;
	struct sl_rule_ctr ctr;
	struct sl_abv *abv;
	uint32_t verdict;

	strcpy(r->id, "limit");
	r->action = SL_ACT_LIMIT;
	r->limit.pps = 100;
	r->limit.burst = 10;
	ASSERT_EQ(0, one_rule(self->dp, &set, &abv));
	for (i = 0; i < 50; i++) {	/* at one time */
		udp_from(&self->f, FAR, 10);
		run(self, &verdict);
		passed += verdict == XDP_PASS;
	}
	EXPECT_EQ(10, passed);
	self->now_ms += 10000;
	for (i = passed = 0; i < 5000; i++) {	/* 1000 a second for 5 s */
		self->now_ms++;
		udp_from(&self->f, FAR, 10);
		run(self, &verdict);
		passed += verdict == XDP_PASS;
	}
	EXPECT_GE(passed, 509 - 1);
	EXPECT_LE(passed, 509 + 2);
	sl_dp_read_rule(self->dp, 0, &ctr);
	EXPECT_EQ(5050, ctr.packets);
	EXPECT_EQ(5050 - 10 - passed, ctr.over);
	sl_abv_free(abv);
}

TEST_F(dp, a_limit_in_bits_counts_ip_bytes)
{
	struct sl_ruleset set = {};
	struct sl_rule *r = sl_ruleset_add(&set);
	unsigned int i, passed = 0;
	struct sl_abv *abv;
	uint32_t verdict;

	strcpy(r->id, "limit");
	r->action = SL_ACT_LIMIT;
	r->limit.bps = 8000000;		/* 1 MB a second */
	r->limit.burst = 10000;
	ASSERT_EQ(0, one_rule(self->dp, &set, &abv));
	for (i = 0; i < 4000; i++) {	/* 1000 bytes every half millisecond */
		self->now_ms += i & 1;
		udp_from(&self->f, FAR, 1000 - 28);
		run(self, &verdict);
		passed += verdict == XDP_PASS;
	}
	/* 2 s of 1 MB/s, and the burst */
	EXPECT_GE(passed, 2009 - 2);
	EXPECT_LE(passed, 2011 + 2);
	sl_abv_free(abv);
}

/* A flood of spoofed sources many times the table's size takes nothing from a
 * source that keeps to its rate, and one that does not is limited all the
 * same. */
TEST_F(dp, limits_by_source_are_not_hurt_by_spoofing)
{
	unsigned int i, good = 0, good_sent = 0, bad = 0, bad_sent = 0;
	struct sl_ruleset set = {};
	struct sl_rule *r = sl_ruleset_add(&set);
	struct sl_abv *abv;
	uint32_t verdict;
	char src[32];

	strcpy(r->id, "limit");
	r->action = SL_ACT_LIMIT;
	r->limit.pps = 100;
	r->limit.burst = 10;
	r->limit.per_source = true;
	ASSERT_EQ(0, one_rule(self->dp, &set, &abv));
	for (i = 0; i < 100000; i++) {	/* 100,000 spoofed ones a second */
		self->now_ms += i % 100 == 0;
		snprintf(src, sizeof(src), "10.%u.%u.%u", i >> 16 & 255,
			 i >> 8 & 255, i & 255);
		udp_from(&self->f, src, 10);
		run(self, &verdict);
		if (i % 2000 == 0) {	/* 50 a second */
			good_sent++;
			udp_from(&self->f, "203.0.113.5", 10);
			run(self, &verdict);
			good += verdict == XDP_PASS;
		}
		if (i % 100 == 50) {	/* 1,000 a second */
			bad_sent++;
			udp_from(&self->f, "203.0.113.6", 10);
			run(self, &verdict);
			bad += verdict == XDP_PASS;
		}
	}
	EXPECT_EQ(good_sent, good);
	/* a second of 100, and the burst */
	EXPECT_GE(bad, 100);
	EXPECT_LE(bad, 125);
	TH_LOG("%u of %u, %u of %u passed", good, good_sent, bad, bad_sent);
	sl_abv_free(abv);
}

TEST_F(dp, an_expired_rule_has_no_say)
{
	struct sl_ruleset set = {};
	struct sl_rule *r = sl_ruleset_add(&set);
	struct sl_abv *abv;
	uint32_t verdict;

	strcpy(r->id, "until");
	r->action = SL_ACT_DROP;
	r->until_ns = 2000000000;
	ASSERT_EQ(0, one_rule(self->dp, &set, &abv));
	udp_from(&self->f, FAR, 10);
	EXPECT_EQ(SL_R_DROP_RULE, run(self, &verdict));
	self->now_ms = 2000;
	udp_from(&self->f, FAR, 10);
	run(self, &verdict);
	EXPECT_EQ(XDP_PASS, verdict);
	sl_abv_free(abv);
}

/* The former bank holds again past the deadline, with nobody's help. */
TEST_F(dp, an_unconfirmed_epoch_ends_by_itself)
{
	struct sl_ruleset set = {};
	struct sl_abv *abv, *former;
	uint32_t verdict;
	uint64_t until_ns;

	ASSERT_EQ(0, with_rules(self->dp, &set, &former));
	strcpy(sl_ruleset_add(&set)->id, "all");
	set.r[0].action = SL_ACT_DROP;
	ASSERT_EQ(0, one_rule(self->dp, &set, &abv));
	/* as if the flip had been one until 5 s */
	sl_dp_idle(self->dp);
	sl_dp_flip(self->dp);
	sl_dp_flip_until(self->dp, 5000000000);
	EXPECT_TRUE(sl_dp_pending(self->dp, &until_ns));
	EXPECT_EQ(5000000000, until_ns);
	self->now_ms = 4999;
	udp_from(&self->f, FAR, 10);
	EXPECT_EQ(SL_R_DROP_RULE, run(self, &verdict));
	self->now_ms = 5000;
	udp_from(&self->f, FAR, 10);
	run(self, &verdict);
	EXPECT_EQ(XDP_PASS, verdict);
	/* ... and does not when it was confirmed */
	sl_dp_confirm(self->dp);
	EXPECT_FALSE(sl_dp_pending(self->dp, &until_ns));
	udp_from(&self->f, FAR, 10);
	EXPECT_EQ(SL_R_DROP_RULE, run(self, &verdict));
	sl_abv_free(abv);
	sl_abv_free(former);
}

TEST_HARNESS_MAIN
