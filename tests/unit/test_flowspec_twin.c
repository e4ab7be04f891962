// SPDX-License-Identifier: GPL-2.0
/* FlowSpec rules against the components themselves, packet by packet, and their
 * order against the RFC's own words. */
#include "flowspec_bytes.h"
#include "kselftest_harness.h"

/* --- packets against the components themselves --- */

struct packet {
	uint32_t src, dst;
	uint16_t sport, dport, len_b, flags;
	uint8_t proto, type, code, dscp, frag;
};

/* RFC 8955 4.2.2, component by component, over the bytes. */
static bool naive_match(const struct sl_flowspec *f, const struct packet *p)
{
	bool first = !(p->frag & SL_FRAG_LATER);
	bool ports = first && (p->proto == 6 || p->proto == 17);
	bool icmp = first && p->proto == 1;
	const uint8_t *v;
	uint32_t addr, mask;
	size_t n;
	int t;

	for (t = 1; t < SL_FS_TYPES; t++) {
		v = f->raw + f->at[t];
		n = f->len_b[t];
		if (!n)
			continue;
		if (t <= SL_FS_SRC) {
			addr = (uint32_t)f->prefix[t].addr[0] << 24 |
			       f->prefix[t].addr[1] << 16 |
			       f->prefix[t].addr[2] << 8 |
			       f->prefix[t].addr[3];
			mask = v[0] ? ~0U << (32 - v[0]) : 0;
			if (((t == SL_FS_DST ? p->dst : p->src) & mask) !=
			    (addr & mask))
				return false;
			continue;
		}
		if ((t == SL_FS_PROTO && !naive(v, n, p->proto, false)) ||
		    (t == SL_FS_PORT && !(ports &&
		     (naive(v, n, p->sport, false) ||
		      naive(v, n, p->dport, false)))) ||
		    (t == SL_FS_DPORT && !(ports &&
		     naive(v, n, p->dport, false))) ||
		    (t == SL_FS_SPORT && !(ports &&
		     naive(v, n, p->sport, false))) ||
		    (t == SL_FS_ICMP_TYPE && !(icmp &&
		     naive(v, n, p->type, false))) ||
		    (t == SL_FS_ICMP_CODE && !(icmp &&
		     naive(v, n, p->code, false))) ||
		    (t == SL_FS_TCP_FLAGS && !(first && p->proto == 6 &&
		     naive(v, n, p->flags, true))) ||
		    (t == SL_FS_LENGTH && !naive(v, n, p->len_b, false)) ||
		    (t == SL_FS_DSCP && !naive(v, n, p->dscp, false)) ||
		    (t == SL_FS_FRAGMENT && !naive(v, n, p->frag, true)))
			return false;
	}
	return true;
}

static bool in_addr(const struct sl_rule_addr *a, uint32_t addr)
{
	struct sl_prefix host = { .family = 4, .len = 32,
		.addr = { addr >> 24, addr >> 16, addr >> 8, addr } };

	return !a->n || sl_prefix_covers(&a->p[0], &host);
}

/* The rule as ruleset.h reads it: a field that is asked for must be there. */
static bool rule_match(const struct sl_rule_match *m, const struct packet *p)
{
	bool first = !(p->frag & SL_FRAG_LATER);
	bool ports = first && (p->proto == 6 || p->proto == 17);

	if (!in_addr(&m->src, p->src) || !in_addr(&m->dst, p->dst) ||
	    !sl_spans_has(&m->proto, p->proto) ||
	    !sl_spans_has(&m->length_b, p->len_b) ||
	    !sl_spans_has(&m->dscp, p->dscp) ||
	    (m->frags && !(m->frags >> p->frag & 1)))
		return false;
	if ((m->sport.n && !(ports && sl_spans_has(&m->sport, p->sport))) ||
	    (m->dport.n && !(ports && sl_spans_has(&m->dport, p->dport))) ||
	    (m->port.n && !(ports && (sl_spans_has(&m->port, p->sport) ||
				      sl_spans_has(&m->port, p->dport)))))
		return false;
	if (m->icmp.n && !(first && p->proto == 1 &&
			   sl_spans_has(&m->icmp, p->type << 8 | p->code)))
		return false;
	return !m->tcp_flags.n || (first && p->proto == 6 &&
				   sl_spans_has(&m->tcp_flags, p->flags));
}

static size_t random_nlri(uint8_t *b)
{
	size_t n = 0, k;
	int t;

	while (!n)
		for (t = 1; t <= SL_FS_FRAGMENT; t++) {
			if (dice(4))
				continue;
			b[n++] = t;
			if (t > SL_FS_SRC) {
				k = random_ops(b + n, t);
				if (t == SL_FS_DSCP)	/* reserved bits */
					for (size_t i = 1; i < k; i += 2)
						b[n + i] &= 0x3f;
				if (t == SL_FS_FRAGMENT)
					for (size_t i = 1; i < k; i += 2)
						b[n + i] &= 0xf;
				n += k;
				continue;
			}
			b[n] = dice(33);
			for (k = 0; k < (b[n] + 7U) / 8; k++)
				b[n + 1 + k] = dice(2) ? 10 : dice(256);
			n += 1 + k;
		}
	return n;
}

static struct packet random_packet(void)
{
	static const uint8_t frag[] = { 0, 1, 4, 5, 2, 3, 10, 11 };
	static const uint8_t proto[] = { 1, 6, 17, 50 };

	return (struct packet){ .src = 10 << 24 | 10 << 16 | dice(65536),
		.dst = 10 << 24 | dice(1 << 24), .sport = dice(300),
		.dport = dice(65536), .len_b = dice(2) ? dice(65536) :
		dice(256), .flags = dice(4096), .proto = dice(3) ?
		proto[dice(4)] : dice(256), .type = dice(256),
		.code = dice(256), .dscp = dice(64), .frag = frag[dice(8)] };
}

TEST(rules_match_what_the_components_match)
{
	unsigned int round, i, made = 0, hits = 0;
	char why[SL_FLOWSPEC_WHY_B];
	struct sl_flowspec f;
	uint8_t b[8000];
	bool accepts, hit;
	int rc;

	for (round = 0; round < 8000; round++) {
		size_t n = random_nlri(b);
		struct sl_rule r;

		if (n > SL_FLOWSPEC_MAX_B)
			continue;
		ASSERT_EQ(0, sl_flowspec_decode(4, b, n, &f, why)) {
			TH_LOG("%s", why);
		}
		rc = sl_flowspec_rule(&f, &drop, "192.0.2.1", &r, &accepts,
				      why);
		ASSERT_TRUE(!rc || rc == -EOPNOTSUPP);
		made += !rc;
		for (i = 0; i < 60; i++) {
			struct packet p = random_packet();

			hit = naive_match(&f, &p);
			hits += hit && !rc;
			if (!rc) {
				ASSERT_EQ(hit, rule_match(&r.match, &p)) {
					TH_LOG("%s", r.why);
				}
			} else if (strstr(why, "no packet matches")) {
				ASSERT_FALSE(hit);
			}
		}
		if (!rc)
			sl_rule_clear(&r);
	}
	ASSERT_LT(1000, made);
	ASSERT_LT(1000, hits);
}

/* --- order: the pseudo code of RFC 8955, appendix A, word for word --- */

struct component {
	int type, prefix_b, value_b;
	const uint8_t *value;
	uint32_t network;
};

static int components(const struct sl_flowspec *f, struct component *c)
{
	int t, n = 0;

	for (t = 1; t < SL_FS_TYPES; t++)
		if (f->len_b[t]) {
			c[n] = (struct component){ t, f->prefix[t < 3 ? t : 0]
				.len, f->len_b[t], f->raw + f->at[t], 0 };
			if (t < 3)
				c[n].network = (uint32_t)f->prefix[t].addr[0]
					<< 24 | f->prefix[t].addr[1] << 16 |
					f->prefix[t].addr[2] << 8 |
					f->prefix[t].addr[3];
			n++;
		}
	return n;
}

static bool overlaps(const struct component *a, const struct component *b)
{
	int len = a->prefix_b < b->prefix_b ? a->prefix_b : b->prefix_b;
	uint32_t mask = len ? ~0U << (32 - len) : 0;

	return (a->network & mask) == (b->network & mask);
}

#define A_HAS_PRECEDENCE (-1)
#define B_HAS_PRECEDENCE 1

static int flow_rule_cmp(const struct sl_flowspec *fa,
			 const struct sl_flowspec *fb)
{
	struct component a[SL_FS_TYPES], b[SL_FS_TYPES];
	int na = components(fa, a), nb = components(fb, b), i, common, rc;

	for (i = 0; i < na || i < nb; i++) {
		if (i >= na)
			return B_HAS_PRECEDENCE;
		if (i >= nb)
			return A_HAS_PRECEDENCE;
		if (a[i].type < b[i].type)
			return A_HAS_PRECEDENCE;
		if (a[i].type > b[i].type)
			return B_HAS_PRECEDENCE;
		if (a[i].type <= SL_FS_SRC) {
			if (overlaps(&a[i], &b[i])) {
				if (a[i].prefix_b > b[i].prefix_b)
					return A_HAS_PRECEDENCE;
				if (a[i].prefix_b < b[i].prefix_b)
					return B_HAS_PRECEDENCE;
			} else if (a[i].network > b[i].network) {
				return B_HAS_PRECEDENCE;
			} else {
				return A_HAS_PRECEDENCE;
			}
			continue;
		}
		common = a[i].value_b < b[i].value_b ? a[i].value_b :
			 b[i].value_b;
		rc = memcmp(a[i].value, b[i].value, common);
		if (rc > 0)
			return B_HAS_PRECEDENCE;
		if (rc < 0)
			return A_HAS_PRECEDENCE;
		if (a[i].value_b > b[i].value_b)
			return A_HAS_PRECEDENCE;
		if (a[i].value_b < b[i].value_b)
			return B_HAS_PRECEDENCE;
	}
	return 0;
}

TEST(order_is_that_of_the_rfc)
{
	static uint8_t b[400][SL_FLOWSPEC_MAX_B];
	static struct sl_flowspec f[400];
	char why[SL_FLOWSPEC_WHY_B];
	unsigned int i, k, equal = 0;
	size_t n;

	for (i = 0; i < 400; i++) {
		do {
			uint8_t wide[8000];

			n = random_nlri(wide);
			memcpy(b[i], wide, n < SL_FLOWSPEC_MAX_B ? n : 0);
		} while (n >= SL_FLOWSPEC_MAX_B || n > 60);
		if (i % 4 == 3) {	/* one that differs in a byte or none */
			n = f[i - 1].raw_b;
			memcpy(b[i], b[i - 1], n);
			if (b[i][0] > SL_FS_SRC && dice(2) && n > 2)
				b[i][2] ^= 1;
		}
		ASSERT_EQ(0, sl_flowspec_decode(4, b[i], n, &f[i], why));
	}
	for (i = 0; i < 400; i++)
		for (k = 0; k < 400; k++) {
			int rc = sl_flowspec_cmp(&f[i], &f[k]);

			equal += !rc;
			ASSERT_EQ(flow_rule_cmp(&f[i], &f[k]), rc);
			ASSERT_EQ(-rc, sl_flowspec_cmp(&f[k], &f[i]));
		}
	ASSERT_LT(400, equal);
}

TEST(offsets_come_before_prefixes_in_the_order)
{
	char why[SL_FLOWSPEC_WHY_B];
	struct sl_flowspec a, b;

	ASSERT_EQ(0, decode(6, "01 20 00 20010db8", &a, why));
	ASSERT_EQ(0, decode(6, "01 40 20 00000001", &b, why));
	ASSERT_EQ(-1, sl_flowspec_cmp(&a, &b));
	ASSERT_EQ(1, sl_flowspec_cmp(&b, &a));
	ASSERT_EQ(0, decode(6, "01 30 00 20010db80001", &b, why));
	ASSERT_EQ(1, sl_flowspec_cmp(&a, &b));	/* the longer one first */
}

TEST(overlap_is_never_wrongly_denied)
{
	unsigned int round, i, apart = 0;
	char why[SL_FLOWSPEC_WHY_B];
	uint8_t b[2][8000];
	bool accepts;

	for (round = 0; round < 3000; round++) {
		struct sl_flowspec f[2];
		struct sl_rule r[2];
		int rc[2];

		for (i = 0; i < 2; i++) {
			size_t n = random_nlri(b[i]);

			rc[i] = n > SL_FLOWSPEC_MAX_B ? -1 :
				sl_flowspec_decode(4, b[i], n, &f[i], why);
			if (!rc[i])
				rc[i] = sl_flowspec_rule(&f[i], &drop, "x",
							 &r[i], &accepts, why);
		}
		if (!rc[0] && !rc[1] && !sl_rules_overlap(&r[0], &r[1])) {
			apart++;
			for (i = 0; i < 60; i++) {
				struct packet p = random_packet();

				ASSERT_FALSE(rule_match(&r[0].match, &p) &&
					     rule_match(&r[1].match, &p));
			}
		}
		for (i = 0; i < 2; i++)
			if (!rc[i])
				sl_rule_clear(&r[i]);
	}
	ASSERT_LT(50, apart);
}

TEST_HARNESS_MAIN
