// SPDX-License-Identifier: GPL-2.0
/* lanes: how each lane is now, by path; budgets; what is wrong on the map. */
#include <stdio.h>
#include <string.h>
#include "cli.h"

static const struct column columns[] = {
	{ "lane", "lane", COL_TEXT }, { "path", "path", COL_TEXT },
	{ "state", "state", COL_TEXT }, { "since", "since", COL_TEXT },
	{ "samples", "samples", COL_INT }, { "p5_ns", "p5 ms", COL_MS },
	{ "p50_ns", "p50 ms", COL_MS }, { "p95_ns", "p95 ms", COL_MS },
	{ "p99_ns", "p99 ms", COL_MS },
	{ "baseline_ns", "usual p5 ms", COL_MS },
	{ "floor_ns", "floor ms", COL_MS }, { "stretch", "stretch", COL_INT },
	{ "hop_limit", "hop limit", COL_INT },
	{ "idle_ns", "idle ms", COL_MS },
	{ "working_p50_ns", "working p50", COL_MS },
	{ "working_p90_ns", "p90", COL_MS },
	{ "packets_per_s", "packets/s", COL_INT },
	{ "mbit_per_s", "Mbit/s", COL_INT },
	{ "retrans_ppm", "retrans ppm", COL_INT }, {}
};

static const struct column budget_columns[] = {
	{ "lane", "lane", COL_TEXT }, { "budget", "budget", COL_TEXT },
	{ "state", "state", COL_TEXT }, { "value_ns", "now ms", COL_MS },
	{ "since", "since", COL_TEXT }, {}
};

static struct json_object *member(struct json_object *o, const char *key)
{
	struct json_object *v;

	return json_object_object_get_ex(o, key, &v) ? v : NULL;
}

/* The lane's members that a row of one of its lists has too. */
static void lend(struct json_object *row, struct json_object *lane)
{
	static const char *const key[] = { "lane", "floor_ns", "idle_ns",
		"working_p50_ns", "working_p90_ns" };
	struct json_object *bits = member(row, "bits_per_s");
	char text[40];
	unsigned int i;

	for (i = 0; i < sizeof(key) / sizeof(*key); i++)
		json_object_object_add(row, key[i], json_object_get(
			member(lane, key[i])));
	if (!bits)
		return;
	snprintf(text, sizeof(text), "%.2f", json_object_get_double(bits) / 1e6);
	json_object_object_add(row, "mbit_per_s", json_object_new_string(text));
}

/* The rows of all lanes' lists; a lane without any has one of its own. */
static struct json_object *flatten(struct json_object *lanes, const char *list,
				   bool empty_too)
{
	struct json_object *rows = json_object_new_array(), *lane, *of, *row;
	size_t i, k, n;

	for (i = 0; i < json_object_array_length(lanes); i++) {
		lane = json_object_array_get_idx(lanes, i);
		of = member(lane, list);
		n = of ? json_object_array_length(of) : 0;
		for (k = 0; k < n; k++) {
			row = json_object_get(json_object_array_get_idx(of, k));
			lend(row, lane);
			json_object_array_add(rows, row);
		}
		if (n || !empty_too)
			continue;
		row = json_object_new_object();
		lend(row, lane);
		json_object_array_add(rows, row);
	}
	return rows;
}

static void show(struct json_object *lanes)
{
	struct json_object *rows = flatten(lanes, "paths", true), *lane;
	size_t i;

	cli_table(columns, rows);
	json_object_put(rows);
	rows = flatten(lanes, "budgets", false);
	if (json_object_array_length(rows)) {
		putchar('\n');
		cli_table(budget_columns, rows);
	}
	json_object_put(rows);
	for (i = 0; i < json_object_array_length(lanes); i++) {
		lane = json_object_array_get_idx(lanes, i);
		if (!strcmp(cli_text(lane, "geography"), "broken"))
			printf("\n%s answers from nearer than its %s allows: "
			       "anycast, or wrong geography\n",
			       cli_text(lane, "lane"),
			       !strcmp(cli_text(lane, "floor_source"), "cable") ?
			       "cable" : "place");
	}
}

static bool wanted(const char *name, int argc, char **argv)
{
	int i;

	for (i = 0; i < argc; i++)
		if (!strcmp(argv[i], name))
			return true;
	return !argc;
}

/* Only those that were asked for. False: one of these does not exist. */
static bool choose(struct json_object *doc, int argc, char **argv)
{
	struct json_object *lanes = member(doc, "lanes"), *lane;
	struct json_object *chosen = json_object_new_array();
	size_t i;

	for (i = 0; i < json_object_array_length(lanes); i++) {
		lane = json_object_array_get_idx(lanes, i);
		if (wanted(cli_text(lane, "lane"), argc, argv))
			json_object_array_add(chosen, json_object_get(lane));
	}
	i = json_object_array_length(chosen);
	json_object_object_add(doc, "lanes", chosen);
	return !argc || i == (size_t)argc;
}

int cmd_lanes(struct cli *cli, int argc, char **argv)
{
	struct json_object *doc;
	int rc = cli_options(cli, NULL, &argc, argv);

	if (rc)
		return rc;
	rc = cli_call(cli, "lanes", NULL, false, &doc);
	if (rc)
		return rc;
	if (!choose(doc, argc, argv))
		rc = cli_error(cli, REFUSED, "sealane lanes has them all; other "
			       "is there only while it sees traffic",
			       "not all of these are lanes");
	else if (!cli_json(cli, doc))
		show(member(doc, "lanes"));
	json_object_put(doc);
	return rc;
}
