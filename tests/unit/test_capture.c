// SPDX-License-Identifier: GPL-2.0
/* The capture reader on files made byte by byte, cut at every byte. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "capture.h"
#include "kselftest_harness.h"

static char path[] = "/tmp/sealane-capture.XXXXXX";
static uint8_t file[65536];
static size_t len;
static int big;

static void w16(unsigned int v)
{
	file[len++] = big ? v >> 8 : v;
	file[len++] = big ? v : v >> 8;
}

static void w32(uint32_t v)
{
	w16(big ? v >> 16 : v & 0xffff);
	w16(big ? v & 0xffff : v >> 16);
}

static void bytes(const void *p, size_t n)
{
	memcpy(file + len, p, n);
	len += n;
}

static void save(size_t n)
{
	static int fd = -1;
	FILE *f;

	if (fd < 0) {
		fd = mkstemp(path);
		close(fd);
	}
	f = fopen(path, "w");
	fwrite(file, 1, n, f);
	fclose(f);
}

static void pcap_head(uint32_t magic, uint32_t linktype)
{
	len = 0;
	w32(magic);
	w16(2);
	w16(4);
	w32(0);
	w32(0);
	w32(65535);
	w32(linktype);
}

static void pcap_record(uint32_t s, uint32_t frac, uint32_t incl,
			uint32_t orig)
{
	w32(s);
	w32(frac);
	w32(incl);
	w32(orig);
	memset(file + len, 0x45, incl);
	len += incl;
}

static void ng_block(uint32_t type, const void *body, uint32_t n)
{
	uint32_t pad = (n + 3) & ~3U;

	w32(type);
	w32(pad + 12);
	bytes(body, n);
	memset(file + len, 0, pad - n);
	len += pad - n;
	w32(pad + 12);
}

static void ng_section(void)
{
	len = 0;
	w32(0x0a0d0d0a);
	w32(28);
	w32(0x1a2b3c4d);
	w16(1);
	w16(0);
	w32(0xffffffff);
	w32(0xffffffff);
	w32(28);
}

/* Interface with clock ticks of 10^-resol s. */
static void ng_iface(unsigned int linktype, unsigned int resol)
{
	w32(1);
	w32(32);
	w16(linktype);
	w16(0);
	w32(0);
	w16(9);
	w16(1);
	file[len] = resol;
	memset(file + len + 1, 0, 3);
	len += 4;
	w32(0);
	w32(32);
}

static void ng_packet(uint32_t iface, uint64_t ticks, uint32_t n)
{
	w32(6);
	w32(32 + ((n + 3) & ~3U));
	w32(iface);
	w32(ticks >> 32);
	w32(ticks);
	w32(n);
	w32(n + 100);
	memset(file + len, 0x45, (n + 3) & ~3U);
	len += (n + 3) & ~3U;
	w32(32 + ((n + 3) & ~3U));
}

/* Read all; the number of packets. */
static int read_all(struct sl_capture_pkt *last, bool *cut)
{
	struct sl_capture *c;
	struct sl_capture_pkt p;
	const uint8_t *frame;
	uint32_t a, b;
	int n = 0;

	if (sl_capture_open(path, &c))
		return -1;
	while (sl_capture_next(c, &p)) {
		n++;
		*last = p;
		sl_capture_frame(c, &p, &frame, &a, &b);
	}
	*cut = sl_capture_cut(c);
	sl_capture_close(c);
	return n;
}

TEST(pcap_in_both_byte_orders_and_precisions)
{
	struct sl_capture_pkt p;
	bool cut;
	int ns;

	for (big = 0; big < 2; big++)
		for (ns = 0; ns < 2; ns++) {
			pcap_head(ns ? 0xa1b23c4d : 0xa1b2c3d4, 1);
			pcap_record(10, 5, 60, 60);
			pcap_record(11, 7, 60, 1500);
			save(len);
			ASSERT_EQ(2, read_all(&p, &cut));
			EXPECT_FALSE(cut);
			EXPECT_EQ(11000000000ULL + (ns ? 7 : 7000), p.time_ns);
			EXPECT_EQ(1, p.linktype);
			EXPECT_EQ(60, p.cap_b);
			EXPECT_EQ(1500, p.wire_b);
			EXPECT_EQ(2, p.number);
		}
	big = 0;
	unlink(path);
}

TEST(pcap_cut_at_every_byte_gives_its_whole_records)
{
	struct sl_capture_pkt p;
	size_t n;
	bool cut;
	int got;

	pcap_head(0xa1b2c3d4, 1);
	pcap_record(1, 1, 20, 20);
	pcap_record(2, 2, 20, 20);
	for (n = 0; n <= len; n++) {
		save(n);
		got = read_all(&p, &cut);
		if (n < 4) {
			EXPECT_EQ(-1, got);
			continue;
		}
		EXPECT_EQ(n < 60 ? 0 : n < 96 ? 1 : 2, got);
		EXPECT_EQ(n != 24 && n != 60 && n != 96, cut);
	}
	unlink(path);
}

TEST(pcapng_with_two_interfaces_and_clocks)
{
	struct sl_capture_pkt p;
	bool cut;

	for (big = 0; big < 2; big++) {
		ng_section();
		ng_iface(1, 6);
		ng_iface(101, 9);
		ng_packet(0, 1000000, 40);
		ng_packet(1, 3000000000ULL, 41);
		save(len);
		ASSERT_EQ(2, read_all(&p, &cut));
		EXPECT_FALSE(cut);
		EXPECT_EQ(3000000000ULL, p.time_ns);
		EXPECT_EQ(101, p.linktype);
		EXPECT_EQ(41, p.cap_b);
		EXPECT_EQ(141, p.wire_b);
	}
	big = 0;
	unlink(path);
}

TEST(pcapng_cut_or_bent_at_every_byte_never_overreads)
{
	struct sl_capture_pkt p;
	uint8_t keep;
	size_t n;
	bool cut;

	ng_section();
	ng_iface(1, 6);
	ng_packet(0, 1, 30);
	ng_block(5, "unknown", 7);
	ng_packet(0, 2, 31);
	for (n = 0; n < len; n++) {
		save(n);
		EXPECT_GE(2, read_all(&p, &cut));
	}
	for (n = 0; n < len; n++) {
		keep = file[n];
		file[n] = 0xff;
		save(len);
		EXPECT_GE(2, read_all(&p, &cut));
		file[n] = 0;
		save(len);
		EXPECT_GE(2, read_all(&p, &cut));
		file[n] = keep;
	}
	unlink(path);
}

TEST(a_simple_packet_has_no_time_and_a_wild_clock_none_either)
{
	struct sl_capture_pkt p;
	uint8_t body[24] = { 20 };
	bool cut;

	ng_section();
	ng_iface(1, 6);
	ng_block(3, body, sizeof(body));
	save(len);
	ASSERT_EQ(1, read_all(&p, &cut));
	EXPECT_FALSE(p.has_time);
	EXPECT_EQ(20, p.cap_b);
	ng_section();
	ng_iface(1, 0);
	ng_packet(0, ~0ULL, 20);
	save(len);
	ASSERT_EQ(1, read_all(&p, &cut));
	EXPECT_FALSE(p.has_time);
	unlink(path);
}

TEST(link_types_are_presented_as_ethernet)
{
	static const struct {
		uint16_t linktype;
		uint32_t skip;
	} t[] = { { 101, 0 }, { 12, 0 }, { 228, 0 }, { 0, 4 }, { 108, 4 } };
	struct sl_capture_pkt p = {};
	struct sl_capture *c;
	uint8_t data[5000];
	const uint8_t *f;
	uint32_t n, wire;
	size_t i;

	memset(data, 0x45, sizeof(data));
	pcap_head(0xa1b2c3d4, 1);
	save(len);
	ASSERT_EQ(0, sl_capture_open(path, &c));
	p.data = data;
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		p.linktype = t[i].linktype;
		p.cap_b = p.wire_b = 44;
		ASSERT_EQ(0, sl_capture_frame(c, &p, &f, &n, &wire));
		EXPECT_EQ(58 - t[i].skip, n);
		EXPECT_EQ(58 - t[i].skip, wire);
		EXPECT_EQ(0x08, f[12]);
		p.cap_b = p.wire_b = 5000;
		ASSERT_EQ(0, sl_capture_frame(c, &p, &f, &n, &wire));
		EXPECT_EQ(3520, n);
		EXPECT_EQ(5014 - t[i].skip, wire);
	}
	p.linktype = 1;
	p.cap_b = 13;
	EXPECT_EQ(-EMSGSIZE, sl_capture_frame(c, &p, &f, &n, &wire));
	p.linktype = 113;
	p.cap_b = 16;
	EXPECT_EQ(-EMSGSIZE, sl_capture_frame(c, &p, &f, &n, &wire));
	p.linktype = 105;
	EXPECT_EQ(-EPROTONOSUPPORT, sl_capture_frame(c, &p, &f, &n, &wire));
	EXPECT_STREQ("IEEE802_11", sl_linktype_name(105));
	sl_capture_close(c);
	unlink(path);
}

TEST(what_is_no_capture_is_refused)
{
	struct sl_capture *c;

	len = 0;
	bytes("hello, world, this is text", 26);
	save(len);
	EXPECT_EQ(-EINVAL, sl_capture_open(path, &c));
	unlink(path);
	EXPECT_EQ(-ENOENT, sl_capture_open("/nonexistent", &c));
}

TEST_HARNESS_MAIN
