// SPDX-License-Identifier: GPL-2.0
/* Change detection: the state that is shown, and steps in the noise of recordings. */
#include <json-c/json.h>
#include "change_scenes.h"
#include "kselftest_harness.h"

TEST(the_state_follows)
{
	static struct scene s = { "8 ms", LANE, .step_ns = 8 * MS };
	struct sl_change *c = calloc(1, sizeof(*c));
	struct sl_change_news news;
	struct sl_hist h;
	struct air a;
	uint64_t at, since;

	seed = 1;
	s.n = 1;
	s.at[0] = (struct truth){ HOUR, 44 * MS };
	EXPECT_EQ(sl_change_state(c, &rules, 0, &since), SL_CHANGE_LEARNING);
	for (at = 0; at < 30 * HOUR; at += 10 * S) {
		plain(&s, at, &a);
		measure(&a, &h);
		sl_change_take(c, &rules, at, at + 10 * S, &h, 0, 0,
			       SL_HOPS_SAME, &news);
		if (at == 30 * MIN)
			EXPECT_EQ(sl_change_state(c, &rules, at, &since),
				  SL_CHANGE_STEADY);
		if (at == HOUR + MIN)
			EXPECT_EQ(sl_change_state(c, &rules, at, &since),
				  SL_CHANGE_SUSPECT);
		if (at == HOUR + 5 * MIN || at == 24 * HOUR) {
			EXPECT_EQ(sl_change_state(c, &rules, at, &since),
				  SL_CHANGE_CHANGED);
			EXPECT_EQ(since, HOUR);
		}
	}
	EXPECT_EQ(sl_change_state(c, &rules, at, &since), SL_CHANGE_STEADY);
	free(c);
}

/* --- noise of real networks --- */
static struct {
	double *rtt_ns, p5_ns;
	unsigned int n;
} real;

static bool read_real(const char *file, const char *method)
{
	struct json_object *doc, *m, *flow, *samples;
	struct sl_hist h = {};
	char path[512];
	unsigned int i;

	snprintf(path, sizeof(path), "%s/data/captures/truth/%s.json",
		 getenv("SHARED") ? getenv("SHARED") : "../shared", file);
	doc = json_object_from_file(path);
	if (!doc || !json_object_object_get_ex(doc, "methods", &m) ||
	    !json_object_object_get_ex(m, method, &m))
		return false;
	for (i = 0, real.n = 0; i < json_object_array_length(m); i++) {
		flow = json_object_array_get_idx(m, i);
		if (json_object_object_get_ex(flow, "samples", &samples) &&
		    json_object_array_length(samples) > real.n) {
			real.n = json_object_array_length(samples);
			json_object_get(samples);
			json_object_object_add(doc, "longest", samples);
		}
	}
	json_object_object_get_ex(doc, "longest", &samples);
	free(real.rtt_ns);
	real.rtt_ns = calloc(real.n + 1, sizeof(*real.rtt_ns));
	for (i = 0; i < real.n; i++) {
		real.rtt_ns[i] = json_object_get_double(
			json_object_array_get_idx(json_object_array_get_idx(
				samples, i), 1));
		sl_hist_record(&h, real.rtt_ns[i]);
	}
	real.p5_ns = sl_hist_quantile_ns(&h, 0.05);
	json_object_put(doc);
	return true;
}

/* A step is a run of the recording from a random place on, so that what belongs
 * together stays together; the next step is from another place. */
static void play_real(double step_ns, struct tally *t)
{
	struct scene s = { .base_ns = real.p5_ns, .step_ns = step_ns,
			   .length_ns = 5 * DAY, .changes = 8 };
	struct sl_change *c = calloc(1, sizeof(*c));
	unsigned int next = 0, from, i;
	struct sl_change_news news;
	struct air a = {};
	struct sl_hist h;
	uint64_t at;

	seed = 7;
	plan_changes(&s);
	for (at = 0; at < s.length_ns; at += 10 * S) {
		memset(&h, 0, sizeof(h));
		from = uniform() * real.n;
		a.level_ns = level_of(&s, at);
		for (i = 0; i < 40; i++)
			sl_hist_record(&h, real.rtt_ns[(from + i) % real.n] +
				       a.level_ns - s.base_ns);
		sl_change_take(c, &rules, at, at + 10 * S, &h, 0, 0,
			       SL_HOPS_UNKNOWN, &news);
		judge(&s, t, &next, at + 10 * S, &a, &news);
	}
	t->missed = s.n - t->detected;
	free(c);
}

TEST(steps_are_seen_in_the_noise_of_recordings)
{
	static const struct {
		const char *name, *file, *method;
		double step_ns;
	} recording[] = {
		{ "5 ms in a recording: ping, 50 ms",
		  "link_null__spindump__trace_tunnel_interface_ping__86734d.pcap",
		  "icmp_echo", 5 * MS },
		{ "5 ms in one: ssh, 19 to 28 ms", "mixed_large__zeek__ssh_kex_mlkem__716e31.pcap",
		  "tcp_ts", 5 * MS },
		{ "80 ms in one: satellite, 560 to 640 ms",
		  "tcp_long_fat__tcptrace__dsack__a5cd67.pcap", "tcp_seq",
		  80 * MS },
	};
	unsigned int i;

	for (i = 0; i < 3; i++) {
		struct tally t = {};

		if (!read_real(recording[i].file, recording[i].method))
			SKIP(return, "no recordings beside the tree");
		play_real(recording[i].step_ns, &t);
		qsort(t.delay_ns, t.n_delays, sizeof(*t.delay_ns), by_value);
		printf("# | %-44s | 1 x  5.0 d |   8 | %3u | %3u | %3u | %3u | "
		       "%.0f s, %.0f s |\n", recording[i].name, t.detected,
		       t.missed, t.made_up, t.queues,
		       t.delay_ns[t.n_delays / 2] / 1e9,
		       t.delay_ns[t.n_delays - 1] / 1e9);
		fflush(stdout);
		EXPECT_EQ(t.missed, 0);
		EXPECT_EQ(t.made_up, 0);
	}
	free(real.rtt_ns);
}

TEST_HARNESS_MAIN
