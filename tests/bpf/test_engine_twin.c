// SPDX-License-Identifier: GPL-2.0
/*
 * The engine compiled for user space, under the sanitizers, against the loaded
 * program: the same packets with the same clock and tables must end alike, and
 * every byte that either writes for a packet, samples among them, must be the
 * same. Whole conversations, for what a flow remembers is the larger part.
 */
#include <dirent.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include "capture.h"
#include "names.h"
#include "native/shot.h"
#include "kselftest_harness.h"

#define SCRIPTS		4000
#define SCRIPT_B	400
#define CHAINS		60000

/* What was run so far, and what it was good for. */
struct tally {
	unsigned long packets, drops;
	unsigned long reasons[SL_R_MAX], samples[SL_M_MAX];
	const char *where;	/* the capture, or how packets were made */
};

static void tell(const struct tally *t, const struct shot *s,
		 const char *wrong)
{
	uint32_t i;

	fprintf(stderr, "# %s, packet %lu, time %llu ns, %u of %u bytes: %s\n# ",
		t->where, t->packets, (unsigned long long)s->time_ns, s->len_b,
		s->wire_b, wrong);
	for (i = 0; i < s->len_b && i < 256; i++)
		fprintf(stderr, "%02x", s->b[i]);
	fprintf(stderr, "\n");
}

/* A packet through both. 0, or -1 once it was told what is wrong. */
static int fire(struct tally *t, const struct shot *s)
{
	const struct sl_replay *r = native_at("sl_replay", 0);
	const char *wrong;
	uint32_t verdict, i;

	t->packets++;
	wrong = twin_run(s, &verdict);
	if (!wrong)
		wrong = check_packet(s, verdict);
	native_forget();
	if (wrong) {
		tell(t, s, wrong);
		return -1;
	}
	t->drops += verdict == XDP_DROP;
	t->reasons[r->reason]++;
	for (i = 0; i < r->n_samples; i++)
		t->samples[r->sample[i].method]++;
	return 0;
}

FIXTURE(engine)
{
	struct tally t;
};

FIXTURE_VARIANT(engine)
{
	unsigned int seed;
};

FIXTURE_SETUP(engine)
{
	ASSERT_EQ(0, twin_open());
	check_begin();
	srandom(variant->seed);
}

/* Whatever was run, both hold the same in the end. */
FIXTURE_TEARDOWN(engine)
{
	const char *differs = twin_compare_all();
	unsigned int i;

	TH_LOG("%lu packets, %lu dropped", self->t.packets, self->t.drops);
	for (i = 0; i < SL_R_MAX; i++)
		if (self->t.reasons[i])
			TH_LOG("  %-20s %lu", sl_reason_name(i),
			       self->t.reasons[i]);
	for (i = 0; i < SL_M_MAX; i++)
		if (self->t.samples[i])
			TH_LOG("  samples %-12s %lu", sl_method_name(i),
			       self->t.samples[i]);
	EXPECT_EQ(NULL, differs) {
		TH_LOG("%s", differs);
	}
	twin_close();
}

FIXTURE_VARIANT_ADD(engine, first) { .seed = 1 };
FIXTURE_VARIANT_ADD(engine, second) { .seed = 2 };

/* --- packets of our own --- */
/* A conversation: mostly both ends of few flows, in few milliseconds, with few
 * identifiers, so that most packets have to do with others. */
static void random_script(uint8_t *b)
{
	static const uint8_t flags[] = { 0x02, 0x12, 0x10, 0x10, 0x18, 0x18,
					 0x11, 0x04, 0x14, 0x98 };
	unsigned int kind = random() % 16, other = random() % 16, i;

	for (i = 0; i < SCRIPT_B; i++)
		b[i] = random();
	b[0] = 0;
	if (kind >= 8 && kind < 12)	/* QUIC and SRT: both kinds of packet */
		other = kind ^ 1;
	if (random() % 4 == 0)		/* any bytes */
		return;
	for (i = 1; i + 5 <= SCRIPT_B; i += 5) {
		unsigned int k = random() % 4 ? kind : other;

		b[i] = k | random() % 2 << 4;
		b[i + 1] = random() % 16 ? random() % 0x80 : random();
		b[i + 2] = k < 3 ? flags[random() % 10] :
			   k == 11 ? random() : random() % 4;
		b[i + 3] = random() % 4 ? 100 : 0;
		b[i + 4] = 0;
	}
}

TEST_F_TIMEOUT(engine, conversations_agree, 120)
{
	static struct script script;
	uint8_t bytes[SCRIPT_B];
	struct shot s;
	int i;

	self->t.where = "script";
	for (i = 0; i < SCRIPTS; i++) {
		random_script(bytes);
		script_open(&script, bytes, sizeof(bytes));
		script.now_ns += i * 120000000000ULL;	/* stamps are old */
		while (script_next(&script, &s)) {
			ASSERT_EQ(0, fire(&self->t, &s));
		}
	}
	EXPECT_LT(100000, self->t.packets);
	EXPECT_LT(1000, self->t.drops);
	/* the script speaks what these listen to */
	EXPECT_LT(100, self->t.samples[SL_M_TCP_HS]);
	EXPECT_LT(100, self->t.samples[SL_M_TCP_TS]);
	EXPECT_LT(100, self->t.samples[SL_M_QUIC_HS]);
	EXPECT_LT(100, self->t.samples[SL_M_SRT]);
	EXPECT_LT(100, self->t.samples[SL_M_TCP_SEQ]);
	EXPECT_LT(100, self->t.samples[SL_M_ICMP]);
	EXPECT_LT(100, self->t.samples[SL_M_DNS]);
	EXPECT_LT(100, self->t.samples[SL_M_STUN]);
}

/* A random chain of layers, so that mutations start from what is nearly
 * right. */
static void random_chain(struct frame *f)
{
	static const unsigned int port[] = { 4789, 4790, 6081, 2152, 6635, 53 };
	static const unsigned int proto[] = { 4, 41, 47, 17, 6, 1, 51 };
	int i, depth = random() % 5;

	f->len = f->n_len = 0;
	eth(f, random() % 3 ? 0x0800 : 0x86dd);
	if (f->b[12] == 0x86)
		ip6(f, "2001:db8::1", "2001:db8::2", random() % 2 ? 4 : 6);
	for (i = 0; i < depth && f->n_len < 12; i++) {
		unsigned int next = proto[random() % 7];

		ip4(f, "192.0.2.1", "192.0.2.2", next, 0);
		if (next == 47)
			put32(f, random() % 2 ? 0x0800 : 0x20006558);
		if (next == 17) {
			udp(f, 4000, port[random() % 6]);
			put32(f, random() % 2 ? 0x08000000 : 0x0c000003);
			put32(f, 0x100);
		}
	}
	tcp(f, 80, random() % 8 ? 443 : 80, 1, 2, 0x10,
	    random() % 2 ? 7 : 0, 9);
	payload(f, random() % 40);
	done(f);
}

static void mutate(struct frame *f)
{
	int n = random() % 6;

	while (n--)
		f->b[random() % f->len] = random() % 3 ? random() :
					  random() % 2 ? 0 : 0xff;
	if (random() % 4 == 0)
		f->len = 14 + random() % (f->len - 13);
}

TEST_F_TIMEOUT(engine, chains_of_layers_agree, 120)
{
	struct shot s = { .time_ns = 1000000000 };
	struct frame f;
	int i;

	self->t.where = "chain";
	for (i = 0; i < CHAINS; i++) {
		random_chain(&f);
		mutate(&f);
		s.b = f.b;
		s.len_b = s.wire_b = f.len;
		s.time_ns += 1000;
		ASSERT_EQ(0, fire(&self->t, &s));
	}
	/* the mutations reached every way to end a parse */
	EXPECT_LT(0, self->t.reasons[SL_R_TRACKED]);
	EXPECT_LT(0, self->t.reasons[SL_R_NOT_IP]);
	EXPECT_LT(0, self->t.reasons[SL_R_TRUNCATED]);
	EXPECT_LT(0, self->t.reasons[SL_R_MALFORMED_IP]);
	EXPECT_LT(0, self->t.reasons[SL_R_MALFORMED_L4]);
	EXPECT_LT(0, self->t.reasons[SL_R_MALFORMED_TUNNEL]);
	EXPECT_LT(0, self->t.reasons[SL_R_OTHER_PROTO]);
	EXPECT_LT(0, self->t.reasons[SL_R_FRAGMENT_LATER]);
	EXPECT_LT(0, self->t.reasons[SL_R_TOO_DEEP]);
}

/* Every line has a confirmed flow, every histogram a series. */
static void fill_up(uint64_t now_ns)
{
	struct native_map *flows = native_map("sl_flows");
	struct native_map *series = native_map("sl_series");
	uint32_t i, k;

	for (i = 0; i < flows->entries; i++) {
		struct sl_flow_set *set = native_element(flows, i);

		for (k = 0; k < SL_FLOW_WAYS; k++)
			set->way[k] = (struct sl_flow){
				.fp = (uint64_t)(k + 2) << 32,
				.state = SL_FLOW_CONFIRMED,
				.seen = now_ns >> 20 };
	}
	for (i = 0; i < series->entries; i++)
		*(uint64_t *)native_element(series, i) = SL_SERIES_USED | 1;
	twin_copy(flows);
	twin_copy(series);
}

TEST_F_TIMEOUT(engine, full_tables_agree, 120)
{
	static struct script script;
	uint8_t bytes[SCRIPT_B];
	struct shot s;
	int i;

	self->t.where = "full tables";
	for (i = 0; i < 300; i++) {
		random_script(bytes);
		script_open(&script, bytes, sizeof(bytes));
		/* half of them before the lines are old enough to be lost */
		script.now_ns += i * 2000000000ULL;
		if (!i)
			fill_up(script.now_ns);
		while (script_next(&script, &s)) {
			ASSERT_EQ(0, fire(&self->t, &s));
		}
	}
	EXPECT_LT(100, self->t.reasons[SL_R_TABLE_FULL]);
	EXPECT_LT(100, self->t.reasons[SL_R_TRACKED]);
}

/* --- packets of others --- */
/* What is done to a capture on its way. */
struct mangler {
	uint32_t seq_by, ts_by;	/* added to all TCP numbers */
	bool chosen;
	int64_t clock_by_ns;
	struct shot late;	/* waits until some have overtaken it */
	uint8_t late_b[SHOT_MAX_B];
	int overtakes;
};

static uint32_t get32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return ntohl(v);
}

static void add32(uint8_t *p, uint32_t by)
{
	uint32_t v = htonl(get32(p) + by);

	memcpy(p, &v, sizeof(v));
}

/* The TCP header of a usual frame, or NULL. */
static uint8_t *usual_tcp(uint8_t *b, uint32_t len_b)
{
	uint32_t at = 0;

	if (len_b > 34 && b[12] == 0x08 && b[13] == 0 && b[23] == 6)
		at = 14 + (b[14] & 15) * 4;
	else if (len_b > 54 && b[12] == 0x86 && b[13] == 0xdd && b[20] == 6)
		at = 54;
	return at && at + 20 <= len_b ? b + at : NULL;
}

/* All sequence numbers and time stamps moved alike, so that those of one packet
 * in the midst wrap to nothing. */
static void wrap(struct mangler *m, uint8_t *b, uint32_t len_b)
{
	uint8_t *tcp = usual_tcp(b, len_b);
	bool ts;

	if (!tcp)
		return;
	ts = tcp + 32 <= b + len_b && tcp[12] >> 4 >= 8 &&
	     get32(tcp + 20) == 0x0101080a;
	if (!m->chosen && random() % 8 == 0) {
		m->chosen = true;
		m->seq_by = -get32(tcp + 4) - 1;
		m->ts_by = ts ? -get32(tcp + 24) - 1 : 0;
	}
	add32(tcp + 4, m->seq_by);
	if (tcp[13] & 0x10)
		add32(tcp + 8, m->seq_by);
	if (!ts)
		return;
	add32(tcp + 24, m->ts_by);
	if (get32(tcp + 28))
		add32(tcp + 28, m->ts_by);
}

static void step_clock(struct mangler *m)
{
	int64_t by_ns = random() % 2000000000;

	if (random() % 8 == 0)
		by_ns *= 1000;
	m->clock_by_ns += random() % 2 ? by_ns : -by_ns;
}

static void spoil(struct shot *s, uint8_t *b)
{
	uint32_t reach = s->len_b < 100 ? s->len_b : 100;
	int n = 1 + random() % 4;

	switch (random() % 8) {
	case 0:
		s->len_b = 14 + random() % (s->len_b - 13);
		break;
	case 1:
		s->wire_b = random() % 2 ? random() % 2000 : (uint32_t)random();
		break;
	case 2:
		s->flags = SL_REPLAY_NO_TIME;
		break;
	default:
		while (n--)
			b[random() % reach] = random() % 3 ? random() :
					      random() % 2 ? 0 : 0xff;
	}
}

/* The late packet's turn. */
static int fire_late(struct tally *t, struct mangler *m)
{
	struct shot s;

	if (!m->late.b || m->overtakes--)
		return 0;
	s = m->late;
	m->late.b = NULL;
	return fire(t, &s);
}

static int fire_mangled(struct tally *t, struct mangler *m, struct shot s)
{
	uint8_t b[SHOT_MAX_B];
	int rc;

	memcpy(b, s.b, s.len_b);
	s.b = b;
	wrap(m, b, s.len_b);
	if (random() % 256 == 0)
		step_clock(m);
	s.time_ns += m->clock_by_ns;
	switch (random() % 64) {
	case 0:			/* lost */
		return 0;
	case 1:			/* twice */
		rc = fire(t, &s);
		return rc ? rc : fire(t, &s);
	case 2:
		if (m->late.b)
			break;
		m->late = s;
		memcpy(m->late_b, b, s.len_b);
		m->late.b = m->late_b;
		m->overtakes = 1 + random() % 8;
		return 0;
	case 3: case 4: case 5: case 6:
		spoil(&s, b);
	}
	rc = fire(t, &s);
	return rc ? rc : fire_late(t, m);
}

/* All packets of a file; m NULL: as they are. */
static int fire_capture(struct tally *t, struct mangler *m, const char *path)
{
	struct sl_capture *c;
	struct sl_capture_pkt pkt;
	struct shot s;
	int rc = 0;

	if (sl_capture_open(path, &c))
		return 0;		/* no capture */
	t->where = path;
	while (!rc && sl_capture_next(c, &pkt)) {
		s = (struct shot){ .time_ns = pkt.time_ns, .flags =
			pkt.has_time ? 0 : SL_REPLAY_NO_TIME };
		if (sl_capture_frame(c, &pkt, &s.b, &s.len_b, &s.wire_b))
			continue;
		rc = m ? fire_mangled(t, m, s) : fire(t, &s);
	}
	sl_capture_close(c);
	return rc;
}

/* All captures of a directory in the order of their names. 1: there are none. */
static int fire_directory(struct tally *t, bool mangled, const char *set)
{
	const char *shared = getenv("SHARED");
	struct mangler m;
	struct dirent **e;
	char dir[512], path[1024];
	int i, n, rc = 0;

	snprintf(dir, sizeof(dir), "%s/data/%s", shared ? shared : "../shared",
		 set);
	n = scandir(dir, &e, NULL, alphasort);
	if (n < 0)
		return 1;
	for (i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, e[i]->d_name);
		free(e[i]);
		memset(&m, 0, sizeof(m));
		if (!rc && strstr(path, ".pcap"))
			rc = fire_capture(t, mangled ? &m : NULL, path);
	}
	free(e);
	return rc;
}

TEST_F_TIMEOUT(engine, captures_agree, 200)
{
	bool mangled = variant->seed != 1;	/* the first as they are */
	int rc = fire_directory(&self->t, mangled, "captures");

	if (rc == 1)
		SKIP(return, "no captures: see SHARED");
	ASSERT_EQ(0, rc);
	ASSERT_EQ(0, fire_directory(&self->t, mangled, "recorded"));
	EXPECT_LT(100000, self->t.packets);
	EXPECT_LT(1000, self->t.drops);
}

TEST_HARNESS_MAIN
