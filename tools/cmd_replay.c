// SPDX-License-Identifier: GPL-2.0
/* replay: a capture through the very program that runs on the NIC, with the
 * capture's clock. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "capture.h"
#include "cli.h"
#include "config.h"
#include "datapath.h"
#include "duration.h"
#include "hist.h"
#include "names.h"
#include "replay_module.h"
#include "replay_tables.h"
#include "rule_input.h"

#define N_LINKTYPES 65536

/* One replay under way. */
struct run {
	struct cli *cli;
	const char *file;
	struct sl_config *cfg;
	struct sl_dp *dp;
	struct sl_capture *cap;
	bool ruled;		/* by a rule file, which may be empty */
	struct replay_rules rules;
	struct replay_module module;
	FILE *samples;
	char samples_tmp[4096];
	uint64_t packets, bytes, verdict_pass, verdict_drop;
	uint64_t reasons[SL_R_MAX];
	uint64_t short_frames, supported;
	uint64_t unsupported[N_LINKTYPES];
	struct sl_hist hist[SL_M_MAX];
};

static const char *lane_name(const struct run *r, unsigned int lane)
{
	return lane && lane <= r->cfg->n_lanes ? r->cfg->lanes[lane - 1].name :
						 "other";
}

static void write_sample(struct run *r, const struct sl_sample *s)
{
	int af = s->family == 4 ? AF_INET : AF_INET6;
	char src[INET6_ADDRSTRLEN], dst[INET6_ADDRSTRLEN];

	if (s->method < SL_M_MAX)
		sl_hist_record(&r->hist[s->method], s->rtt_ns);
	if (!r->samples)
		return;
	inet_ntop(af, s->src, src, sizeof(src));
	inet_ntop(af, s->dst, dst, sizeof(dst));
	fprintf(r->samples, "{\"time_ns\":%llu,\"method\":\"%s\",\"src\":\"%s\","
		"\"sport\":%u,\"dst\":\"%s\",\"dport\":%u,\"half\":\"%s\","
		"\"rtt_ns\":%llu,\"lane\":\"%s\",\"path\":\"\"}\n",
		(unsigned long long)s->time_ns, sl_method_name(s->method), src,
		s->sport, dst, s->dport, sl_half_name(s->half),
		(unsigned long long)s->rtt_ns, lane_name(r, s->lane));
}

/* Run one packet. 0, or a negative errno of the kernel's. */
static int run_packet(struct run *r, const struct sl_capture_pkt *pkt)
{
	struct sl_replay *block = sl_dp_replay(r->dp);
	uint32_t len_b, wire_b, verdict, i;
	const uint8_t *frame;
	int rc;

	r->packets++;
	r->bytes += pkt->wire_b;
	rc = sl_capture_frame(r->cap, pkt, &frame, &len_b, &wire_b);
	if (rc == -EPROTONOSUPPORT) {
		r->unsupported[pkt->linktype]++;
		return 0;
	}
	r->supported++;
	if (rc == -EMSGSIZE) {
		r->short_frames++;
		return 0;
	}
	block->time_ns = pkt->time_ns;
	block->wire_b = wire_b;
	block->flags = pkt->has_time ? 0 : SL_REPLAY_NO_TIME;
	block->n_samples = 0;
	rc = sl_dp_run(r->dp, frame, len_b, &verdict);
	if (rc)
		return rc;
	if (verdict == XDP_DROP)
		r->verdict_drop++;
	else
		r->verdict_pass++;
	if (block->reason < SL_R_MAX)
		r->reasons[block->reason]++;
	for (i = 0; i < block->n_samples && i < SL_REPLAY_SAMPLES; i++)
		write_sample(r, &block->sample[i]);
	return 0;
}

static void add_int(struct json_object *o, const char *key, uint64_t v)
{
	json_object_object_add(o, key, json_object_new_int64(v));
}

static struct json_object *methods_doc(const struct run *r)
{
	struct json_object *all = json_object_new_object(), *o;
	int m;

	for (m = 0; m < SL_M_ROUND_TRIPS; m++) {
		const struct sl_hist *h = &r->hist[m];

		if (!h->count)
			continue;
		o = json_object_new_object();
		add_int(o, "samples", h->count);
		add_int(o, "min_ns", h->min_ns);
		add_int(o, "p50_ns", sl_hist_quantile_ns(h, 0.5));
		add_int(o, "p90_ns", sl_hist_quantile_ns(h, 0.9));
		add_int(o, "p99_ns", sl_hist_quantile_ns(h, 0.99));
		add_int(o, "max_ns", h->max_ns);
		add_int(o, "mean_ns", h->sum_ns / h->count);
		json_object_object_add(all, sl_method_name(m), o);
	}
	return all;
}

/* Why packets gave no sample: exits that are no measurement, samples that the
 * data plane missed, and what never reached it. */
static struct json_object *unmeasured_doc(const struct run *r)
{
	struct json_object *o = json_object_new_object();
	uint64_t sum[SL_MISS_MAX] = {};
	struct sl_lane_miss m;
	char key[64];
	unsigned int i, k;

	for (i = SL_R_TRACKED + 1; i < SL_R_DROP_FIRST; i++)
		if (r->reasons[i])
			add_int(o, sl_reason_name(i), r->reasons[i]);
	for (i = 0; i <= r->cfg->n_lanes; i++) {
		sl_dp_read_miss(r->dp, i, &m);
		for (k = 0; k < SL_MISS_MAX; k++)
			sum[k] += m.n[k];
	}
	for (k = 0; k < SL_MISS_MAX; k++)
		if (sum[k])
			add_int(o, sl_miss_name(k), sum[k]);
	if (r->short_frames)
		add_int(o, "short_frame", r->short_frames);
	for (i = 0; i < N_LINKTYPES; i++) {
		if (!r->unsupported[i])
			continue;
		snprintf(key, sizeof(key), "unsupported_linktype_%u", i);
		add_int(o, key, r->unsupported[i]);
	}
	return o;
}

static struct json_object *result_doc(const struct run *r)
{
	struct json_object *doc = json_object_new_object(), *o;
	unsigned int i;

	add_int(doc, "packets", r->packets);
	add_int(doc, "bytes", r->bytes);
	o = json_object_new_object();
	add_int(o, "pass", r->verdict_pass);
	add_int(o, "drop", r->verdict_drop);
	json_object_object_add(doc, "verdicts", o);
	o = json_object_new_object();
	for (i = 0; i < SL_R_MAX; i++)
		if (r->reasons[i])
			add_int(o, sl_reason_name(i), r->reasons[i]);
	json_object_object_add(doc, "reasons", o);
	json_object_object_add(doc, "methods", methods_doc(r));
	json_object_object_add(doc, "unmeasured", unmeasured_doc(r));
	if (r->ruled)
		json_object_object_add(doc, "rules",
				       replay_rules_doc(r->dp, &r->rules));
	return doc;
}

static const struct column method_columns[] = {
	{ "method", "method", COL_TEXT }, { "samples", "samples", COL_INT },
	{ "min_ns", "min ms", COL_MS }, { "p50_ns", "p50 ms", COL_MS },
	{ "p90_ns", "p90 ms", COL_MS }, { "p99_ns", "p99 ms", COL_MS },
	{ "max_ns", "max ms", COL_MS }, {}
};

static void show(struct json_object *doc, FILE *f)
{
	struct json_object *o, *rows = json_object_new_array();

	fprintf(f, "%s packets, %s bytes\n", cli_text(doc, "packets"),
		cli_text(doc, "bytes"));
	json_object_object_get_ex(doc, "methods", &o);
	json_object_object_foreach(o, name, m) {
		json_object_object_add(m, "method",
				       json_object_new_string(name));
		json_object_array_add(rows, json_object_get(m));
	}
	if (f == stdout)
		cli_table(method_columns, rows);
	json_object_put(rows);
	json_object_object_get_ex(doc, "unmeasured", &o);
	json_object_object_foreach(o, why, n)
		fprintf(f, "  not measured: %-24s %s\n", why,
			json_object_get_string(n));
	json_object_object_get_ex(doc, "verdicts", &o);
	if (cli_int(o, "drop"))
		fprintf(f, "  dropped: %s\n", cli_text(o, "drop"));
	if (f == stdout && json_object_object_get_ex(doc, "rules", &o))
		replay_rules_show(o);
}

static int open_samples(struct run *r, const char *out)
{
	if (!out)
		return 0;
	if (!strcmp(out, "-")) {
		r->samples = stdout;
		return 0;
	}
	snprintf(r->samples_tmp, sizeof(r->samples_tmp), "%s.%d.tmp", out,
		 (int)getpid());
	r->samples = fopen(r->samples_tmp, "w");
	if (!r->samples)
		return cli_error(r->cli, REFUSED, "name a writable file",
				 "cannot write %s: %s", out, strerror(errno));
	return 0;
}

/* The file gets its name only when it is whole. */
static int close_samples(struct run *r, const char *out, int rc)
{
	bool bad;

	if (!r->samples)
		return rc;
	if (r->samples == stdout)
		bad = fflush(stdout) || ferror(stdout);
	else
		bad = ferror(r->samples) | (fclose(r->samples) != 0);
	if (r->samples_tmp[0] && (bad || rc))
		unlink(r->samples_tmp);
	else if (r->samples_tmp[0])
		bad = rename(r->samples_tmp, out);
	if (bad && !rc)
		return cli_error(r->cli, REFUSED, "make room and run it again",
				 "cannot write %s: %s", out, strerror(errno));
	return rc;
}

static void progress(const struct run *r, uint64_t *next_ns)
{
	if (!isatty(2) || (r->packets & 0xfff) || sl_mono_ns() < *next_ns)
		return;
	fprintf(stderr, "\r%s: %llu packets ", r->file,
		(unsigned long long)r->packets);
	*next_ns = sl_mono_ns() + 500000000;
}

static int run_all(struct run *r)
{
	uint64_t next_ns = sl_mono_ns() + 1000000000;
	struct sl_capture_pkt pkt;
	int rc = 0;

	while (!rc && sl_capture_next(r->cap, &pkt)) {
		rc = run_packet(r, &pkt);
		progress(r, &next_ns);
	}
	if (rc)
		return cli_error(r->cli, REFUSED, "see sealane doctor",
				 "%s: packet %llu: %s", r->file,
				 (unsigned long long)pkt.number,
				 sl_dp_error(r->dp));
	if (sl_capture_cut(r->cap))
		fprintf(stderr, "sealane: %s: the file ends inside a record; "
			"its %llu whole ones were read\n", r->file,
			(unsigned long long)r->packets);
	return 0;
}

/* Link types that were passed over are named; when there was nothing else,
 * the file is refused. */
static int check_linktypes(struct run *r)
{
	unsigned int i, rc = 0;
	const char *name;

	for (i = 0; i < N_LINKTYPES; i++) {
		if (!r->unsupported[i])
			continue;
		name = sl_linktype_name(i);
		if (!r->supported)
			rc = cli_error(r->cli, REFUSED, "record on Ethernet, "
				       "raw IP, Linux cooked or loopback",
				       "%s: link type %s (%u) is not supported",
				       r->file, name ? name : "without a name",
				       i);
		else
			fprintf(stderr, "sealane: %s: %llu packets of link "
				"type %s (%u) passed over\n", r->file,
				(unsigned long long)r->unsupported[i],
				name ? name : "without a name", i);
	}
	return rc;
}

/* The capture, the configuration, and the data plane with its tables. */
static int prepare(struct run *r, const char *conf, const char *rules)
{
	struct sl_dp_opts opts = { .replay = true };
	int rc = DONE;

	if (conf)
		rc = rule_input_config(r->cli, conf, &r->cfg);
	else
		r->cfg = sl_config_default();
	if (rc)
		return rc;
	if (!r->cfg)
		return cli_error(r->cli, REFUSED, "free memory",
				 "out of memory");
	rc = sl_capture_open(r->file, &r->cap);
	if (rc)
		return cli_error(r->cli, REFUSED, "give a pcap or pcapng file",
				 "%s: %s", r->file, rc == -EINVAL ?
				 "not a capture" : strerror(-rc));
	opts.cfg = r->cfg;
	rc = sl_dp_open(&opts, &r->dp);
	if (rc)
		return cli_error(r->cli, REFUSED, "be root; see sealane doctor",
				 "cannot load the data plane: %s",
				 sl_dp_error(r->dp)[0] ? sl_dp_error(r->dp) :
				 strerror(-rc));
	r->ruled = rules;
	return replay_tables(r->cli, r->dp, r->cfg, rules, &r->rules);
}

static int replay(struct run *r, const char *out)
{
	struct json_object *doc;
	int rc = open_samples(r, out);

	if (rc)
		return rc;
	rc = run_all(r);
	if (!rc)
		rc = check_linktypes(r);
	rc = close_samples(r, out, rc);
	if (rc)
		return rc;
	doc = result_doc(r);
	if (!cli_json(r->cli, doc))
		show(doc, r->samples == stdout ? stderr : stdout);
	json_object_put(doc);
	return DONE;
}

int cmd_replay(struct cli *cli, int argc, char **argv)
{
	const char *conf = NULL, *out = NULL, *rules = NULL;
	bool module = false;
	const struct option_spec spec[] = {
		{ "-c", &conf, NULL }, { "--samples", &out, NULL },
		{ "--rules", &rules, NULL }, { "--module", NULL, &module },
		{} };
	struct run *r;
	int rc = cli_options(cli, spec, &argc, argv);

	if (rc)
		return rc;
	if (argc != 1)
		return cli_usage(cli, "replay takes one capture file");
	if (cli->json && out && !strcmp(out, "-"))
		return cli_usage(cli, "-j and --samples - both want stdout");
	r = calloc(1, sizeof(*r));
	if (!r)
		return cli_error(cli, REFUSED, "free memory", "out of memory");
	r->cli = cli;
	r->file = argv[0];
	r->module.fd = -1;
	rc = prepare(r, conf, rules);
	if (!rc && module)
		rc = replay_module_use(cli, r->dp, &r->module);
	if (!rc)
		rc = replay(r, out);
	sl_dp_close(r->dp);
	replay_module_leave(&r->module);
	replay_rules_free(&r->rules);
	sl_capture_close(r->cap);
	sl_config_free(r->cfg);
	free(r);
	return rc;
}
