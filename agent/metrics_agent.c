// SPDX-License-Identifier: GPL-2.0
/* State: the agent's process, commits, tables, events, the state directory. */
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include "commits.h"
#include "events_priv.h"
#include "history_priv.h"
#include "metrics.h"

/* Of the flow table that are looked at: 32,768 flows, 2 MB, 0.3 % of error. */
#define FLOW_SETS	8192

#define TEXT_OF(n)	#n
#define DIGITS(n)	TEXT_OF(n)

/* --- the process: names that all exporters share --- */
/* A line "key: N kB" of /proc/self/status, in bytes; 0: there is none. */
static double status_bytes(const char *key)
{
	FILE *f = fopen("/proc/self/status", "re");
	unsigned long long kb = 0;
	size_t n = strlen(key);
	char line[256];

	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, key, n) &&
		    sscanf(line + n, ": %llu kB", &kb) == 1)
			break;
	if (f)
		fclose(f);
	return kb * 1024.0;
}

static unsigned int open_files(void)
{
	DIR *d = opendir("/proc/self/fd");
	unsigned int n = 0;

	while (d && readdir(d))
		n++;
	if (d)
		closedir(d);
	return n > 3 ? n - 3 : 0;	/* . and .. and this one */
}

static void put_process(struct agent *a, struct sl_expose *x)
{
	struct rlimit files = {};
	struct rusage u = {};

	getrusage(RUSAGE_SELF, &u);
	getrlimit(RLIMIT_NOFILE, &files);
	sl_expose_family(x, "process_cpu_seconds_total", SL_COUNTER, "seconds",
			 "Time of a core that the agent used.");
	sl_expose_value(x, NULL, u.ru_utime.tv_sec + u.ru_stime.tv_sec +
			(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6);
	metrics_gauge(x, "process_resident_memory_bytes", "bytes",
		      "Resident memory, mapped tables of the data plane too.",
		      status_bytes("VmRSS"));
	metrics_gauge(x, "process_virtual_memory_bytes", "bytes",
		      "Virtual memory.", status_bytes("VmSize"));
	metrics_gauge(x, "process_start_time_seconds", "seconds",
		      "When the agent began, since 1970.",
		      a->started_ns / 1e9);
	metrics_gauge(x, "process_open_fds", NULL, "Open files.", open_files());
	metrics_gauge(x, "process_max_fds", NULL, "Files that may be open.",
		      files.rlim_cur);
	metrics_gauge(x, "sealane_agent_anonymous_memory_bytes", "bytes",
		      "Of the resident memory: the agent's own.",
		      status_bytes("RssAnon"));
	sl_expose_family(x, "sealane_build_info", SL_GAUGE, NULL,
			 "1, with the version and the data plane's ABI.");
	sl_expose_value(x, SL_LABELS({ "version", SL_VERSION },
				     { "abi", DIGITS(SL_ABI_VERSION) }), 1);
}

/* --- commits --- */
static void put_commits(struct agent *a, struct sl_expose *x)
{
	const struct pending *p = a->pending;

	metrics_gauge(x, "sealane_generation", NULL, "Number of the generation "
		      "of rules, lists and blocks in force.", a->generation);
	metrics_gauge(x, "sealane_commit_pending", NULL, "1 while a commit "
		      "waits for its confirmation, or undoes itself.",
		      p->generation != 0);
	sl_expose_family(x, "sealane_commit_deadline_timestamp_seconds",
			 SL_GAUGE, "seconds",
			 "When that commit undoes itself, since 1970.");
	if (p->generation)
		sl_expose_value(x, NULL, p->until_ns / 1e9);
	metrics_gauge(x, "sealane_bypass", NULL, "1 while everything passes and "
		      "nothing is measured or dropped.", sl_dp_bypass(a->dp));
	metrics_gauge(x, "sealane_job_running", NULL, "1 while a change is "
		      "being made ready, or waits.", jobs_busy(a));
	metrics_gauge(x, "sealane_data_plane_adopted", NULL, "1 where the data "
		      "plane is an earlier agent's, and its counters go on.",
		      sl_dp_origin(a->dp) == SL_DP_ADOPTED);
}

/* --- tables --- */
/* Entries of a table, and how many fit. */
struct table {
	const char *name;
	double used, room;
};

static void put_tables(struct agent *a, struct sl_expose *x)
{
	const struct sl_settings *s = sl_dp_settings(a->dp);
	const struct sl_fib_image *img = sl_dp_live(a->dp);
	uint32_t used, confirmed, slot, series = 0;
	size_t i;

	sl_dp_flow_estimate(a->dp, FLOW_SETS, &used, &confirmed);
	for (slot = 0; slot < s->n_series; slot++)
		series += sl_dp_series_key(a->dp, slot) != 0;
	{
		const struct table t[] = {
			{ "flows", used, (double)s->n_flow_sets * SL_FLOW_WAYS },
			{ "series", series, s->n_series },
			{ "ipv4_lines", img->lines, s->fib_lines },
			{ "ipv4_hosts", img->hosts, (double)s->fib_buckets *
			  SL_FIB_BUCKET_HOSTS },
			{ "ipv6_nodes", img->nodes, s->fib_nodes },
			{ "ipv6_leaves", img->leaves, s->fib_leaves } };

		sl_expose_family(x, "sealane_table_entries", SL_GAUGE, NULL,
				 "Entries of a table of the data plane.");
		for (i = 0; i < sizeof(t) / sizeof(t[0]); i++)
			sl_expose_value(x, SL_LABELS({ "table", t[i].name }),
					t[i].used);
		sl_expose_family(x, "sealane_table_capacity", SL_GAUGE, NULL,
				 "Entries that it has room for.");
		for (i = 0; i < sizeof(t) / sizeof(t[0]); i++)
			sl_expose_value(x, SL_LABELS({ "table", t[i].name }),
					t[i].room);
	}
	metrics_gauge(x, "sealane_confirmed_flows", NULL, "Flows that were seen "
		      "both ways: no new one takes their place.", confirmed);
	metrics_gauge(x, "sealane_prefixes", NULL, "Prefixes in force: lanes, "
		      "lists, blocks and others.", a->base->n4 + a->base->n6 +
		      a->blocks.n);
	metrics_gauge(x, "sealane_map_memory_bytes", "bytes",
		      "Memory of the data plane's tables and counters.",
		      sl_dp_map_bytes(a->dp));
}

/* --- events --- */
static void put_events(struct agent *a, struct sl_expose *x)
{
	static const char *const grave[METRICS_GRAVE] = { "error", "warning",
							  "notice" };
	const struct metrics *m = a->metrics;
	int i, g;

	sl_expose_family(x, "sealane_events_total", SL_COUNTER, NULL,
			 "Events since the agent began, by kind.");
	for (i = 0; i < METRICS_KINDS && m->kind[i].kind[0]; i++)
		for (g = 0; g < METRICS_GRAVE; g++)
			sl_expose_count(x, SL_LABELS(
				{ "kind", m->kind[i].kind },
				{ "severity", grave[g] }), m->kind[i].n[g]);
	metrics_counter(x, "sealane_events_held_back_total", NULL, "Refusals "
			"that were too many in a second to be an event each.",
			a->events->held_back);
	metrics_gauge(x, "sealane_events_disk_failing", NULL, "1 while events "
		      "cannot be written to disk.", a->events->disk_fails);
	metrics_counter(x, "sealane_drops_shown_total", NULL, "Dropped packets "
			"that GET drops could show, since the agent began.",
			drops_shown(a));
}

/* --- the state directory --- */
static void put_disk(struct agent *a, struct sl_expose *x)
{
	static const char *const file[] = { "sealane.db", "sealane.db-wal",
		"events.db", "events.db-wal", "history.db", "history.db-wal" };
	struct statvfs fs;
	char path[320];
	struct stat st;
	size_t i;

	sl_expose_family(x, "sealane_state_file_bytes", SL_GAUGE, "bytes",
			 "Files of the state directory: rules and audit, events, "
			 "history, and the logs before them.");
	for (i = 0; i < sizeof(file) / sizeof(file[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", a->cfg->state_dir,
			 file[i]);
		if (!stat(path, &st))
			sl_expose_count(x, SL_LABELS({ "file", file[i] }),
					st.st_size);
	}
	if (!statvfs(a->cfg->state_dir, &fs))
		metrics_gauge(x, "sealane_state_free_bytes", "bytes",
			      "Room that is left there.",
			      (double)fs.f_bavail * fs.f_frsize);
}

/* --- history --- */
static void put_history(struct agent *a, struct sl_expose *x)
{
	struct history *h = a->history;
	unsigned int queued;
	uint64_t lost;

	pthread_mutex_lock(&h->lock);
	queued = h->queued;
	lost = h->lost;
	pthread_mutex_unlock(&h->lock);
	metrics_gauge(x, "sealane_history_queued_steps", NULL, "Steps of 10 s "
		      "that wait to be written to the history.", queued);
	metrics_counter(x, "sealane_history_lost_steps_total", NULL, "Steps "
			"that were not written: the disk is too slow, or full.",
			lost);
	metrics_gauge(x, "sealane_history_limit_bytes", "bytes", "What the "
		      "history may take; then the oldest goes.",
		      a->cfg->history.max_mb * 1e6);
}

void metrics_agent(struct agent *a, struct sl_expose *x)
{
	put_process(a, x);
	put_commits(a, x);
	put_tables(a, x);
	put_events(a, x);
	put_disk(a, x);
	if (a->history)
		put_history(a, x);
}
