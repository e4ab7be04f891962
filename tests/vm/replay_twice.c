// SPDX-License-Identifier: GPL-2.0
/*
 * A capture through the program twice, by its own lookup and by the module's: every
 * verdict, reason and sample is the same. With an image that says something else
 * they are not, which shows that it is the module that was asked. replay_twice
 * CAPTURE; TAP.
 *
 * All frames that may hold IPv6, and one of SOME of the rest, which no table of IPv6
 * concerns. Lanes, home and blocks are made of the capture's own addresses.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "capture.h"
#include "datapath.h"
#include "module_image.h"

#define SOME		16
#define FRAMES_MAX	200000
#define ADDRESSES	2000
#define CLASS_DROP	2
#define LANES		100

static uint64_t answer[FRAMES_MAX];	/* of the first pass: a digest */
static uint8_t address[ADDRESSES][16];
static unsigned int n_addresses;
static struct sl_dp *dp;
static uint64_t samples, drops;

static bool may_hold_ipv6(const struct sl_capture_pkt *pkt,
			  const uint8_t *f, uint32_t len_b)
{
	uint32_t i;

	if (pkt->linktype != 1 || f[23] == 41)
		return true;
	for (i = 12; i + 1 < len_b && i < 64; i++)
		if (f[i] == 0x86 && f[i + 1] == 0xdd)
			return true;
	return false;
}

static bool wanted(const struct sl_capture_pkt *pkt, const uint8_t *f,
		   uint32_t len_b)
{
	return len_b >= 24 && (may_hold_ipv6(pkt, f, len_b) ||
			       !(pkt->number % SOME));
}

/* The frames that are wanted, one after the other. */
static void each(const char *path, void (*f)(const uint8_t *, uint32_t,
		 const struct sl_capture_pkt *, uint32_t, void *), void *arg)
{
	struct sl_capture_pkt pkt;
	struct sl_capture *cap;
	const uint8_t *frame;
	uint32_t len_b, wire_b;

	if (sl_capture_open(path, &cap))
		return;
	while (sl_capture_next(cap, &pkt) == 1)
		if (!sl_capture_frame(cap, &pkt, &frame, &len_b, &wire_b) &&
		    wanted(&pkt, frame, len_b))
			f(frame, len_b, &pkt, wire_b, arg);
	sl_capture_close(cap);
}

static void learn(const uint8_t *f, uint32_t len_b,
		  const struct sl_capture_pkt *pkt, uint32_t wire_b, void *arg)
{
	unsigned int i, k;

	(void)pkt;
	(void)wire_b;
	(void)arg;
	if (len_b < 54 || f[12] != 0x86 || f[13] != 0xdd)
		return;
	for (k = 0; k < 2; k++) {
		for (i = 0; i < n_addresses; i++)
			if (!memcmp(address[i], f + 22 + 16 * k, 16))
				break;
		if (i == n_addresses && i < ADDRESSES)
			memcpy(address[n_addresses++], f + 22 + 16 * k, 16);
	}
}

/* Each address gives a lane by its /48 or itself, some are home, some blocked. */
static int make_tables(unsigned int turn)
{
	const struct sl_class drop = { .action = SL_ACT_DROP };
	struct sl_rib *rib = sl_rib_new();
	unsigned int i, lane;
	int rc;

	for (i = 0; i < n_addresses; i++) {
		struct sl_prefix p = { .family = 6, .len = i % 3 ? 48 : 128 };

		memcpy(p.addr, address[i], p.len / 8);
		lane = i % 5 ? 1 + (i + turn) % LANES : SL_LANE_HOME;
		sl_rib_add_lane(rib, &p, lane, SL_LAYER_OPERATOR, 0);
		p.len = 128;
		memcpy(p.addr, address[i], 16);
		if (i % 11 == 3)
			sl_rib_add_class(rib, &p, CLASS_DROP, SL_ACT_DROP, 0);
	}
	rc = sl_rib_sort(rib);
	if (!rc)
		rc = sl_dp_set_class(dp, CLASS_DROP, &drop);
	if (!rc)
		rc = sl_dp_commit(dp, (struct sl_rib_pair){ .base = rib });
	sl_rib_free(rib);
	return rc;
}

static uint64_t digest(const void *data, size_t len_b, uint64_t h)
{
	const uint8_t *p = data;

	while (len_b--)
		h = (h ^ *p++) * 0x100000001b3ULL;
	return h;
}

struct pass {
	bool first;
	uint64_t frames, other;
};

static void run(const uint8_t *f, uint32_t len_b,
		const struct sl_capture_pkt *pkt, uint32_t wire_b, void *arg)
{
	struct sl_replay *r = sl_dp_replay(dp);
	struct pass *pass = arg;
	uint32_t verdict = 99;
	uint64_t h;

	r->time_ns = pkt->time_ns;
	r->wire_b = wire_b;
	r->flags = pkt->has_time ? 0 : SL_REPLAY_NO_TIME;
	r->n_samples = 0;
	if (sl_dp_run(dp, f, len_b, &verdict) || pass->frames == FRAMES_MAX)
		return;
	h = digest(&verdict, sizeof(verdict), 0xcbf29ce484222325ULL);
	h = digest(&r->reason, sizeof(r->reason), h);
	h = digest(r->sample, r->n_samples * sizeof(r->sample[0]), h);
	if (pass->first) {
		samples += r->n_samples;
		drops += verdict == XDP_DROP;
		answer[pass->frames] = h;
	} else {
		pass->other += answer[pass->frames] != h;
	}
	pass->frames++;
}

/* The live bank's copy, or another table's, which is then in the way. */
static bool give_image(int device, bool another)
{
	struct slk_load l;

	if (another && make_tables(1))
		return false;
	if (module_image_load(device, sl_dp_live(dp), &l))
		return false;
	if (another && make_tables(0))
		return false;
	sl_dp_set_image(dp, sl_dp_epoch(dp) & 1, l.handle);
	return true;
}

static bool again(const char *path, int device, bool another, struct pass *pass)
{
	*pass = (struct pass){};
	sl_dp_test_reset(dp);
	if (make_tables(0) || !give_image(device, another))
		return false;
	each(path, run, pass);
	return true;
}

int main(int argc, char **argv)
{
	struct sl_config *cfg = sl_config_default();
	struct sl_dp_opts o = { .cfg = cfg, .replay = true };
	struct pass first = { .first = true }, with, wrong;
	int device = open(SLK_DEVICE, O_RDWR | O_CLOEXEC);
	bool same, differs;

	strcpy(cfg->tables.size, "small");
	if (argc != 2 || device < 0 || sl_dp_open(&o, &dp)) {
		fprintf(stderr, "usage: replay_twice CAPTURE, with the module "
			"loaded\n");
		return 1;
	}
	each(argv[1], learn, NULL);
	sl_dp_test_reset(dp);
	if (make_tables(0)) {
		fprintf(stderr, "no tables: %s\n", sl_dp_error(dp));
		return 1;
	}
	each(argv[1], run, &first);
	if (sl_dp_use_module(dp, SL_KMOD_LOOKUP6)) {
		fprintf(stderr, "%s\n", sl_dp_error(dp));
		return 1;
	}
	same = again(argv[1], device, false, &with) && first.frames > 1000 &&
	       samples > 100 && drops > 100 && with.frames == first.frames &&
	       !with.other;
	printf("%sok 1 - %llu frames (all that may hold IPv6, one of %d others) "
	       "with and without the module: %llu samples, %llu drops, %llu "
	       "answers differ\n", same ? "" : "not ",
	       (unsigned long long)with.frames, SOME,
	       (unsigned long long)samples, (unsigned long long)drops,
	       (unsigned long long)with.other);
	differs = again(argv[1], device, true, &wrong) && wrong.other > 100;
	printf("%sok 2 - it is the module that was asked: with another table in it "
	       "%llu differ\n1..2\n", differs ? "" : "not ",
	       (unsigned long long)wrong.other);
	sl_dp_close(dp);
	sl_config_free(cfg);
	return !(same && differs);
}
