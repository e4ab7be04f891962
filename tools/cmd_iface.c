// SPDX-License-Identifier: GPL-2.0
/* status, attach, detach, bypass. The last two work without the agent. */
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>
#include "bypass_note.h"
#include "cli.h"
#include "datapath.h"
#include "duration.h"

/* Without an answer for so long the agent counts as hung. */
#define HURRY_MS 5000L

static const struct column iface_columns[] = {
	{ "name", "interface", COL_TEXT }, { "side", "side", COL_TEXT },
	{ "path", "path", COL_TEXT }, { "mode", "mode", COL_TEXT },
	{ "state", "state", COL_TEXT }, { "packets", "packets", COL_INT },
	{ "pps", "pps", COL_INT }, { "drops", "drops", COL_INT }, {}
};

/* The clock by which an interface's packets are seen to leave. */
static void show_clock(struct json_object *iface)
{
	struct json_object *c;

	if (!json_object_object_get_ex(iface, "clock", &c) || !c)
		return;
	printf("            %s: stamps in %s", cli_text(iface, "name"),
	       cli_text(c, "stamps"));
	if (cli_text(c, "error_ns")[0])
		printf(", %s %s ns ahead of the kernel's clock, +-%s ns, %s ppb "
		       "fast", cli_text(c, "device"), cli_text(c, "offset_ns"),
		       cli_text(c, "error_ns"), cli_text(c, "ppb"));
	printf("%s%s\n", cli_text(c, "why")[0] ? ": " : "",
	       cli_text(c, "why"));
}

/* Half self: what it means at present, and where it is not measured. */
static void show_residence(struct json_object *doc)
{
	struct json_object *o, *list, *one;
	size_t i;

	json_object_object_get_ex(doc, "residence", &o);
	printf("\nhalf self   %s: %s\n            %s packets chosen, %s left "
	       "outside, %s elsewhere\n", cli_text(o, "source"),
	       cli_text(o, "means"), cli_text(o, "chosen"),
	       cli_text(o, "left"), cli_text(o, "elsewhere"));
	json_object_object_get_ex(o, "interfaces", &list);
	for (i = 0; i < json_object_array_length(list); i++) {
		one = json_object_array_get_idx(list, i);
		if (cli_text(one, "why")[0])
			printf("            not at %s: %s\n",
			       cli_text(one, "name"), cli_text(one, "why"));
		show_clock(one);
	}
	if (!json_object_object_get_ex(doc, "module", &o) || !o)
		return;
	printf("module      version %s, %s%s\n", cli_text(o, "version"),
	       cli_int(o, "used") ? "in use" : "loaded and not used: ",
	       cli_int(o, "used") ? "" : cli_text(o, "why"));
}

static void show_status(struct json_object *doc)
{
	struct json_object *o, *list;

	json_object_object_get_ex(doc, "agent", &o);
	printf("agent       %s, pid %s, up %s s, maps %s\n",
	       cli_text(o, "version"), cli_text(o, "pid"),
	       cli_text(o, "uptime_s"), cli_text(o, "origin"));
	printf("generation  %s (epoch %s)%s\n", cli_text(doc, "generation"),
	       cli_text(doc, "epoch"),
	       cli_int(doc, "bypass") ? "   BYPASS IS ON: NOTHING IS "
	       "MEASURED OR BLOCKED" : "");
	if (json_object_object_get_ex(doc, "bypassed", &o) && o)
		printf("bypass      since %s, set by %s: %s\n",
		       cli_text(o, "since"), cli_text(o, "by")[0] ?
		       cli_text(o, "by") : "somebody", cli_text(o, "why"));
	json_object_object_get_ex(doc, "tables", &o);
	printf("prefixes    %s of %s IPv4 lines, %s of %s hosts, %s of %s "
	       "IPv6 nodes\n", cli_text(o, "lines4"),
	       cli_text(o, "lines4_max"), cli_text(o, "hosts4"),
	       cli_text(o, "hosts4_max"), cli_text(o, "nodes6"),
	       cli_text(o, "nodes6_max"));
	printf("tables      %s of %s flows, %s of %s series, %s blocks, "
	       "%.1f MB\n\n", cli_text(o, "flows_used"), cli_text(o, "flows_max"),
	       cli_text(o, "series_used"), cli_text(o, "series_max"),
	       cli_text(o, "blocks"), cli_int(o, "map_bytes") / 1e6);
	json_object_object_get_ex(doc, "interfaces", &list);
	cli_table(iface_columns, list);
	show_residence(doc);
	json_object_object_get_ex(doc, "reasons", &o);
	printf("\npackets by reason\n");
	json_object_object_foreach(o, name, ctr)
		if (cli_int(ctr, "packets"))
			printf("  %-16s %12s\n", name,
			       cli_text(ctr, "packets"));
	json_object_object_get_ex(doc, "missed", &o);
	printf("samples not taken\n");
	json_object_object_foreach(o, miss, n)
		if (json_object_get_int64(n))
			printf("  %-16s %12s\n", miss,
			       json_object_get_string(n));
}

static const struct column lane_columns[] = {
	{ "lane", "lane", COL_TEXT }, { "packets", "packets", COL_TEXT },
	{ "data_segments", "segments", COL_INT },
	{ "retrans", "retrans", COL_INT },
	{ "reordered", "reordered", COL_INT },
	{ "zero_windows", "zero windows", COL_INT },
	{ "resets", "resets", COL_INT }, { "syn", "SYNs", COL_INT },
	{ "syn_unanswered", "unanswered", COL_INT },
	{ "idle_ns", "idle ms", COL_MS },
	{ "working_p50_ns", "working p50", COL_MS },
	{ "working_p90_ns", "working p90", COL_MS }, {}
};

/* A row for each lane and direction, from where its packets go. */
static void show_lanes(struct json_object *doc)
{
	static const char *const way[] = { "out", "in" };
	static const char *const shared[] = { "lane", "idle_ns",
					      "working_p50_ns",
					      "working_p90_ns" };
	struct json_object *lanes, *lane, *tcp, *row, *v, *rows;
	size_t i, k, d;

	rows = json_object_new_array();
	json_object_object_get_ex(doc, "lanes", &lanes);
	for (i = 0; i < json_object_array_length(lanes); i++) {
		lane = json_object_array_get_idx(lanes, i);
		json_object_object_get_ex(lane, "tcp", &tcp);
		for (d = 0; d < 2; d++) {
			json_object_object_get_ex(tcp, way[d], &row);
			row = json_object_get(row);
			for (k = 0; k < 4; k++) {
				json_object_object_get_ex(lane, shared[k], &v);
				json_object_object_add(row, shared[k],
						       json_object_get(v));
			}
			json_object_object_add(row, "packets",
					       json_object_new_string(way[d]));
			json_object_array_add(rows, row);
		}
	}
	cli_table(lane_columns, rows);
	json_object_put(rows);
}

int cmd_status(struct cli *cli, int argc, char **argv)
{
	struct json_object *doc;
	bool lanes = false;
	const struct option_spec spec[] = { { "--lanes", NULL, &lanes }, {} };
	int rc = cli_options(cli, spec, &argc, argv);

	if (rc)
		return rc;
	if (argc)
		return cli_usage(cli, "unexpected word %s", argv[0]);
	rc = cli_call(cli, "status", NULL, false, &doc);
	if (rc)
		return rc;
	if (cli_json(cli, doc))
		;
	else if (lanes)
		show_lanes(doc);
	else
		show_status(doc);
	json_object_put(doc);
	return DONE;
}

static int post(struct cli *cli, const char *path, struct json_object *body,
		bool quiet)
{
	struct json_object *doc;
	int rc = cli_call(cli, path, body, quiet, &doc);

	if (rc)
		return rc;
	if (!cli_json(cli, doc)) {
		if (!strcmp(path, "bypass"))
			printf("bypass is %s\n", cli_int(doc, "bypass") ?
			       "ON: nothing is measured or blocked" : "off");
		else
			printf("%s: %s (%s)\n", cli_text(doc, "interface"),
			       cli_text(doc, "state"), cli_text(doc, "mode"));
	}
	json_object_put(doc);
	return DONE;
}

static void add_text(struct json_object *o, const char *key, const char *v)
{
	if (v)
		json_object_object_add(o, key, json_object_new_string(v));
}

int cmd_attach(struct cli *cli, int argc, char **argv)
{
	const char *side = NULL, *path = NULL;
	bool generic = false;
	const struct option_spec spec[] = {
		{ "--side", &side, NULL }, { "--path", &path, NULL },
		{ "--generic", NULL, &generic }, {} };
	struct json_object *body;
	int rc = cli_options(cli, spec, &argc, argv);

	if (rc)
		return rc;
	if (argc != 1 || !side)
		return cli_usage(cli, "attach wants an interface and --side");
	body = json_object_new_object();
	add_text(body, "interface", argv[0]);
	add_text(body, "side", side);
	add_text(body, "path", path);
	json_object_object_add(body, "generic",
			       json_object_new_boolean(generic));
	rc = post(cli, "attach", body, false);
	json_object_put(body);
	return rc;
}

/* Without an agent: said on stderr and in the system log. */
static void log_alone(const char *what, const char *why)
{
	openlog("sealane", LOG_PID, LOG_DAEMON);
	syslog(LOG_WARNING, "%s without the agent, by uid %u%s%s", what,
	       (unsigned int)getuid(), why ? ": " : "", why ? why : "");
	closelog();
	fprintf(stderr, "sealane: no agent answers: %s through the pinned "
		"objects\n", what);
}

static int alone_error(const struct cli *cli, int rc, const char *what)
{
	return cli_error(cli, REFUSED, rc == -ENOENT ?
			 "name the right --bpffs, or nothing is loaded" :
			 "be root", "%s without the agent: %s", what,
			 strerror(-rc));
}

int cmd_detach(struct cli *cli, int argc, char **argv)
{
	struct json_object *body;
	unsigned int ifindex;
	char dir[256];
	int rc = cli_options(cli, NULL, &argc, argv);

	if (rc)
		return rc;
	if (argc != 1)
		return cli_usage(cli, "detach wants an interface");
	cli->timeout_ms = HURRY_MS;
	body = json_object_new_object();
	add_text(body, "interface", argv[0]);
	rc = post(cli, "detach", body, !cli->url);
	json_object_put(body);
	if (rc != UNREACHABLE || cli->url)	/* not this machine's */
		return rc;
	ifindex = if_nametoindex(argv[0]);
	if (!ifindex)
		return cli_error(cli, REFUSED, "see ip link",
				 "no interface %s", argv[0]);
	rc = sl_dp_pin_dir(cli->bpffs, false, dir, sizeof(dir));
	if (!rc)
		rc = sl_dp_pinned_detach(dir, ifindex);
	if (rc)
		return alone_error(cli, rc, "detach");
	log_alone("detached", argv[0]);
	body = json_object_new_object();
	add_text(body, "interface", argv[0]);
	json_object_object_add(body, "ifindex", json_object_new_int(ifindex));
	add_text(body, "mode", "none");
	json_object_object_add(body, "side", NULL);
	json_object_object_add(body, "path", NULL);
	add_text(body, "state", "detached");
	if (!cli_json(cli, body))
		printf("%s: detached (none)\n", argv[0]);
	json_object_put(body);
	return DONE;
}

/* For the agent, when it is back. */
static void leave_note(const char *dir, bool on, const char *why)
{
	struct sl_bypass_note n = { .on = on, .at_ns = sl_now_ns(),
				    .uid = getuid(), .pid = getpid() };

	snprintf(n.why, sizeof(n.why), "%s", why ? why : "");
	if (sl_bypass_note_write(dir, &n))
		fputs("sealane: cannot note below /run/sealane who did this\n",
		      stderr);
}

int cmd_bypass(struct cli *cli, int argc, char **argv)
{
	const char *why = NULL;
	const struct option_spec spec[] = { { "--why", &why, NULL }, {} };
	struct json_object *body;
	char dir[256];
	bool on;
	int rc = cli_options(cli, spec, &argc, argv);

	if (rc)
		return rc;
	if (argc != 1 || (strcmp(argv[0], "on") && strcmp(argv[0], "off")))
		return cli_usage(cli, "bypass wants on or off%s%s",
				 argc ? ", not " : "", argc ? argv[0] : "");
	on = !strcmp(argv[0], "on");
	if (why && strlen(why) >= SL_BYPASS_WHY_B)
		return cli_usage(cli, "--why takes at most 255 bytes");
	if (on && !(why && why[0]))
		fputs("sealane: NO REASON GIVEN for the bypass; say it with "
		      "--why, whoever is on call next will ask\n", stderr);
	cli->timeout_ms = HURRY_MS;
	body = json_object_new_object();
	json_object_object_add(body, "on", json_object_new_boolean(on));
	add_text(body, "why", why);
	rc = post(cli, "bypass", body, !cli->url);
	json_object_put(body);
	if (rc != UNREACHABLE || cli->url)	/* not this machine's */
		return rc;
	rc = sl_dp_pin_dir(cli->bpffs, false, dir, sizeof(dir));
	if (!rc)
		rc = sl_dp_pinned_bypass(dir, on);
	if (rc)
		return alone_error(cli, rc, "bypass");
	log_alone(on ? "bypass on" : "bypass off", why ? why :
		  on ? "no reason given" : "");
	leave_note(dir, on, why);
	body = json_object_new_object();
	json_object_object_add(body, "bypass", json_object_new_boolean(on));
	if (!cli_json(cli, body))
		printf("bypass is %s\n", on ?
		       "ON: nothing is measured or blocked" : "off");
	json_object_put(body);
	return DONE;
}
