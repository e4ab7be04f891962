/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The loaded program with known tables. Home is 198.18.0.0/24 and
 * 2001:db8::/64; lane 1 is 203.0.113.0/24 and 2001:db8:1::/48; 203.0.113.66 and
 * 2001:db8:1::66 are blocked, 203.0.113.77 only counted, 203.0.113.88's block
 * has expired, 198.18.0.1 is protected.
 */
#ifndef SL_TEST_LOADED_H
#define SL_TEST_LOADED_H

#include <linux/bpf.h>
#include <stdio.h>
#include "build.h"
#include "datapath.h"
#include "names.h"
#include "once.h"

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
	struct frame f;
	uint64_t now_ms;
};

static void add_class(struct sl_rib *c, const char *text, uint32_t id,
		      enum sl_action action)
{
	struct sl_prefix p;

	sl_prefix_parse(text, &p, NULL);
	sl_rib_add_class(c, &p, id, action, 0);
}

static void add_lane(struct sl_rib *c, const char *text, uint32_t lane)
{
	struct sl_prefix p;

	sl_prefix_parse(text, &p, NULL);
	sl_rib_add_lane(c, &p, lane, SL_LAYER_OPERATOR, 0);
}

static int tables(struct sl_dp *dp)
{
	static const enum sl_action action[CLASSES] = {
		SL_ACT_NONE, SL_ACT_PROTECT, SL_ACT_DROP, SL_ACT_COUNT,
		SL_ACT_DROP };
	struct sl_rib *c = sl_rib_new();
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
	rc = sl_rib_sort(c);
	if (!rc)
		rc = sl_dp_commit(dp, (struct sl_rib_pair){ .base = c });
	sl_rib_free(c);
	return rc;
}

FIXTURE_SETUP(dp)
{
	ASSERT_EQ(0, loaded_rc) {
		TH_LOG("%s", sl_dp_error(loaded));
	}
	self->dp = loaded;
	sl_dp_test_reset(self->dp);
	ASSERT_EQ(0, tables(self->dp));
	self->now_ms = 1000;
}

FIXTURE_TEARDOWN(dp)
{
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

#endif
