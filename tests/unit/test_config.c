// SPDX-License-Identifier: GPL-2.0
/* Broken configuration files: each is refused at its line, with the word that
 * is wrong and a remedy. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "config.h"
#include "kselftest_harness.h"

static char path[] = "/tmp/sealane-config.XXXXXX";

static void write_file(const char *text, size_t len)
{
	static int fd = -1;
	FILE *f;

	if (fd < 0) {
		fd = mkstemp(path);
		close(fd);
	}
	f = fopen(path, "w");
	fwrite(text, 1, len, f);
	fclose(f);
}

/* text, line of the first mistake, a piece of its message */
static const struct {
	const char *text;
	unsigned int line;
	const char *piece;
} broken[] = {
	{ "", 0, "empty" },
	{ "# only a remark\n", 0, "empty" },
	{ "just words\n", 1, "must be a mapping" },
	{ "- a\n- b\n", 1, "must be a mapping" },
	{ "home: [10.0.0.0/8\n", 2, "" },
	{ "home: \"unterminated\n", 2, "" },
	{ "home:\n\t- 10.0.0.0/8\n", 2, "" },
	{ "hoem: [10.0.0.0/8]\n", 1, "unknown key hoem" },
	{ "\nhome: [10.0.0.0/8]\nhome: [10.0.0.0/8]\n", 3, "stands twice" },
	{ "home: 10.0.0.0/8\n", 1, "must be a list" },
	{ "home: [10.0.0.1/8]\n", 1, "10.0.0.1/8 has bits set" },
	{ "home: [10.0.0.0/40]\n", 1, "no valid prefix length" },
	{ "home:\n  - 10.0.0.0/8\n  - banana\n", 3, "banana is no IP" },
	{ "home: [[10.0.0.0/8]]\n", 1, "single value" },
	{ "home: [\"\"]\n", 1, "empty" },
	{ "protect: [300.1.1.1]\n", 1, "300.1.1.1 is no IP" },
	{ "protect: {a: b}\n", 1, "must be a list" },
	{ "interfaces: in0\n", 1, "must be a list" },
	{ "interfaces: [in0]\n", 1, "must be a mapping" },
	{ "interfaces: [{side: inside}]\n", 1, "no valid name" },
	{ "interfaces: [{name: averyverylongname, side: inside}]\n", 1,
	  "averyverylongname has no valid name" },
	{ "interfaces: [{name: in0}]\n", 1, "(nothing) is no side" },
	{ "interfaces:\n  - name: in0\n    side: upside\n", 3, "upside" },
	{ "interfaces: [{name: in0, side: inside, path: x}]\n", 1,
	  "path x on an inside" },
	{ "interfaces: [{name: o0, side: outside, path: \"a b\"}]\n", 1,
	  "path a b is no valid name" },
	{ "interfaces: [{name: in0, side: inside, vlan: 0}]\n", 1, "vlan: 0" },
	{ "interfaces: [{name: in0, side: inside, vlan: 4095}]\n", 1, "4095" },
	{ "interfaces: [{name: in0, side: inside, vlan: ten}]\n", 1, "ten" },
	{ "interfaces:\n  - {name: a, side: tap}\n  - {name: a, side: tap}\n",
	  3, "on line 2" },
	{ "interfaces: [{name: a, side: tap, speed: 10}]\n", 1,
	  "unknown key speed" },
	{ "lanes: {SG: 10.0.0.0/8}\n", 1, "must be a list" },
	{ "lanes: [{prefixes: [10.0.0.0/8]}]\n", 1, "(nameless)" },
	{ "lanes: [{name: SG}]\n", 1, "lane SG has no prefixes" },
	{ "lanes: [{name: other, prefixes: [10.0.0.0/8]}]\n", 1, "other" },
	{ "lanes: [{name: \"S G\", prefixes: [10.0.0.0/8]}]\n", 1, "S G" },
	{ "lanes:\n  - {name: A, prefixes: [10.0.0.0/8]}\n"
	  "  - {name: A, prefixes: [11.0.0.0/8]}\n", 3, "on line 2" },
	{ "lanes:\n  - {name: A, prefixes: [10.0.0.0/8]}\n"
	  "  - {name: B, prefixes: [10.0.0.0/8]}\n", 3, "in lane A (line 2)" },
	{ "lanes: [{name: A, prefixes: [10.0.0.0/8], cable_km: -3}]\n", 1,
	  "cable_km: -3" },
	{ "lanes: [{name: A, prefixes: [10.0.0.0/8], cable_km: far}]\n", 1,
	  "far" },
	{ "tables: {flows: 1000}\n", 1, "flows: 1000" },
	{ "tables: {flows: 100000}\n", 1, "flows: 100000" },
	{ "tables: {series: 1}\n", 1, "series: 1" },
	{ "tables: {size: huge}\n", 1, "huge is no size" },
	{ "tables: {ranges: 5}\n", 1, "unknown key ranges" },
	{ "tables: [1]\n", 1, "must be a mapping" },
	{ "timing: {flow_idle: 5}\n", 1, "flow_idle: 5 is no duration" },
	{ "timing: {flow_idle: 0s}\n", 1, "0s" },
	{ "timing: {stamp_max: soon}\n", 1, "soon" },
	{ "gateway: {at: [20.04]}\n", 1, "at: no place on Earth" },
	{ "gateway: {at: [200, 1]}\n", 1, "no place" },
	{ "lanes:\n  - name: A\n    prefixes: [10.0.0.0/8]\n"
	  "    at: [x, 1]\n", 4, "no place" },
	{ "lanes:\n  - name: A\n    prefixes: [10.0.0.0/8]\n"
	  "    budgets: [p99 < 60ms over 5m]\n", 4, "is no budget" },
	{ "lanes:\n  - name: A\n    prefixes: [10.0.0.0/8]\n"
	  "    budgets:\n      - p99 <= 60ms over 5m\n"
	  "      - p100 <= 60ms over 5m\n", 6, "p100" },
	{ "detours: [{name: a}]\n", 1, "how long is it" },
	{ "detours: [{name: a, km: 900, rtt: 9ms}]\n", 1, "how long is it" },
	{ "detours: [{km: 900}]\n", 1, "no name" },
	{ "detours: [{name: a, km: 900, lanes: [XX]}]\n", 1, "no lane XX" },
	{ "detours: [{name: a, via: XX}]\n", 1, "via: XX" },
	{ "detection: {step: 3}\n", 1, "step: 3 is no duration" },
	{ "detection: {share: 200%}\n", 1, "200%" },
	{ "history: {keep_10s: long}\n", 1, "long" },
	{ "history: {max_mb: 1}\n", 1, "max_mb: 1" },
	{ "listen: [{address: localhost}]\n", 1, "localhost is none" },
	{ "listen: [{address: 127.0.0.1}]\n", 1, "127.0.0.1 is none" },
	{ "listen: [{address: 127.0.0.1:99999}]\n", 1, "99999" },
	{ "listen: [{address: 0.0.0.0:80}]\n", 1, "0.0.0.0 without TLS" },
	{ "listen: [{address: 0.0.0.0:80, cert: a}]\n", 1, "is missing" },
	{ "listen: [{address: \"[::1]:80\", role: enforce}]\n", 1,
	  "role: enforce" },
	{ "guards: {max_share: much}\n", 1, "max_share: much is no share" },
	{ "guards: {max_share: 101%}\n", 1, "101%" },
	{ "guards: {max_share: 1.5}\n", 1, "1.5" },
	{ "guards: {max_share: nan}\n", 1, "nan" },
	{ "guards: {max_share: -1%}\n", 1, "-1%" },
	{ "residence: {per_s: many}\n", 1, "per_s: many is out of range" },
	{ "residence: {per_s: 10001}\n", 1, "10001" },
	{ "residence: {every: 5}\n", 1, "unknown key every in residence" },
	{ "residence: {hardware: on}\n", 1, "hardware: on is neither" },
	{ "module: on\n", 1, "module: on is neither auto nor off" },
	{ "module: [auto]\n", 1, "module must be a single value" },
	{ "residence: 500\n", 1, "residence must be a mapping" },
	{ "guards: {share: 5%}\n", 1, "unknown key share" },
	{ "socket: run/x.sock\n", 1, "socket: run/x.sock" },
	{ "state_dir: state\n", 1, "state_dir" },
	{ "bpffs: [a]\n", 1, "single value" },
	{ "socket: *nobody\n", 1, "" },
};

TEST(each_broken_file_is_refused_at_its_line)
{
	struct sl_config_errors errs;
	struct sl_config *cfg;
	size_t i;

	for (i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		write_file(broken[i].text, strlen(broken[i].text));
		cfg = NULL;
		ASSERT_GT(0, sl_config_load(path, &cfg, &errs)) {
			TH_LOG("accepted: %s", broken[i].text);
		}
		ASSERT_EQ(NULL, cfg);
		ASSERT_LT(0, errs.n);
		EXPECT_NE(NULL, strstr(errs.e[0].message, broken[i].piece)) {
			TH_LOG("%s: %s", broken[i].text, errs.e[0].message);
		}
		EXPECT_EQ(broken[i].line, errs.e[0].line) {
			TH_LOG("%s: %s", broken[i].text, errs.e[0].message);
		}
		EXPECT_NE('\0', errs.e[0].remedy[0]);
		sl_config_errors_free(&errs);
	}
	unlink(path);
}

TEST(all_mistakes_are_said_at_once)
{
	static const char text[] = "hoem: [1]\n"
		"interfaces: [{name: a, side: x}]\n"
		"lanes: [{name: A, prefixes: [10.0.0.1/8, zz]}]\n"
		"tables: {flows: 3}\n";
	struct sl_config_errors errs;
	struct sl_config *cfg;

	write_file(text, strlen(text));
	ASSERT_EQ(-EINVAL, sl_config_load(path, &cfg, &errs));
	ASSERT_EQ(5, errs.n);
	sl_config_errors_free(&errs);
	unlink(path);
}

TEST(no_cut_of_a_good_file_crashes)
{
	static const char text[] =
		"interfaces:\n  - {name: in0, side: inside}\n"
		"  - {name: hk0, vlan: 100, side: outside, path: hk-cable}\n"
		"home: [198.18.0.0/24, \"2001:db8::/48\"]\n"
		"protect: [198.18.0.1]\n"
		"lanes:\n  - {name: SG, prefixes: [198.18.10.0/24],"
		" cable_km: 2900}\n"
		"tables: {flows: 131072, series: 1024, size: medium}\n"
		"timing: {flow_idle: 5m, stamp_max: 60s}\n"
		"guards: {max_share: 2.5%}\n"
		"residence: {per_s: 50, hardware: off}\nmodule: off\n"
		"socket: /run/x.sock\nstate_dir: /var/lib/x\n";
	struct sl_config_errors errs;
	struct sl_config *cfg;
	size_t n;

	for (n = 0; n <= strlen(text); n++) {
		write_file(text, n);
		cfg = NULL;
		if (!sl_config_load(path, &cfg, &errs)) {
			ASSERT_NE(NULL, cfg);
			if (n == strlen(text)) {
				ASSERT_EQ(2, cfg->n_ifaces);
				ASSERT_EQ(100, cfg->ifaces[1].vlan);
				ASSERT_EQ(300000000000ULL, cfg->flow_idle_ns);
				ASSERT_EQ(25000, cfg->max_share_ppm);
				ASSERT_EQ(50, cfg->residence.per_s);
				ASSERT_FALSE(cfg->residence.hardware);
				ASSERT_FALSE(cfg->module);
			}
			sl_config_free(cfg);
		} else {
			ASSERT_LT(0, errs.n);
		}
		sl_config_errors_free(&errs);
	}
	unlink(path);
}

TEST(what_is_no_file_is_refused)
{
	struct sl_config_errors errs;
	struct sl_config *cfg;

	ASSERT_EQ(-ENOENT, sl_config_load("/nonexistent", &cfg, &errs));
	ASSERT_EQ(1, errs.n);
	sl_config_errors_free(&errs);
	ASSERT_EQ(-EISDIR, sl_config_load("/tmp", &cfg, &errs));
	sl_config_errors_free(&errs);
}

TEST_HARNESS_MAIN
