// SPDX-License-Identifier: GPL-2.0
/* FlowSpec neighbours and their routes on disk, so that a restarted agent
 * enforces what it did until their sources speak again, or do not in time. */
#include <stdio.h>
#include <string.h>
#include "duration.h"
#include "flowspec_priv.h"
#include "store_priv.h"

static const char schema[] =
	"CREATE TABLE IF NOT EXISTS flowspec_neighbours("
	" name TEXT PRIMARY KEY, source TEXT, session INTEGER, held INTEGER,"
	" routes_max INTEGER, grace_ns INTEGER, deadline_ns INTEGER,"
	" changed_ns INTEGER);"
	"CREATE TABLE IF NOT EXISTS flowspec_routes(neighbour TEXT,"
	" kind INTEGER, family INTEGER, nlri BLOB, ext BLOB, ext6 BLOB,"
	" at_ns INTEGER, PRIMARY KEY(neighbour, kind, family, nlri));";

static int put_route(struct agent *a, const struct neighbour *n,
		     const struct sl_route *r)
{
	sqlite3_stmt *s = store_prepare(a, "INSERT INTO flowspec_routes VALUES("
					"?,?,?,?,?,?,?)");
	const uint8_t *at = r->bytes;

	if (!s)
		return -1;
	sqlite3_bind_text(s, 1, n->name, -1, SQLITE_STATIC);
	sqlite3_bind_int(s, 2, r->kind);
	sqlite3_bind_int(s, 3, r->family);
	sqlite3_bind_blob(s, 4, at, r->key_b, SQLITE_STATIC);
	at += r->key_b;
	sqlite3_bind_blob(s, 5, at, r->ext_b, SQLITE_STATIC);
	sqlite3_bind_blob(s, 6, at + r->ext_b, r->ext6_b, SQLITE_STATIC);
	sqlite3_bind_int64(s, 7, r->at_ns);
	return store_step(a, s, "FlowSpec route");
}

static int drop(struct agent *a, const char *sql, const char *name)
{
	sqlite3_stmt *s = store_prepare(a, sql);

	if (!s)
		return -1;
	sqlite3_bind_text(s, 1, name, -1, SQLITE_STATIC);
	return store_step(a, s, "FlowSpec routes");
}

int store_flowspec_put(struct agent *a, const struct neighbour *n)
{
	sqlite3_stmt *s;
	unsigned int i;
	int rc = drop(a, "DELETE FROM flowspec_routes WHERE neighbour=?",
		      n->name);

	if (!rc && !n->routes.n)	/* nothing to come back to */
		return drop(a, "DELETE FROM flowspec_neighbours WHERE name=?",
			    n->name);
	s = rc ? NULL : store_prepare(a, "INSERT OR REPLACE INTO "
				      "flowspec_neighbours VALUES("
				      "?,?,?,?,?,?,?,?)");
	if (!s)
		return -1;
	sqlite3_bind_text(s, 1, n->name, -1, SQLITE_STATIC);
	sqlite3_bind_text(s, 2, n->source, -1, SQLITE_STATIC);
	sqlite3_bind_int64(s, 3, n->session);
	sqlite3_bind_int64(s, 4, n->held);
	sqlite3_bind_int64(s, 5, n->limit);
	sqlite3_bind_int64(s, 6, n->grace_ns);
	sqlite3_bind_int64(s, 7, n->up ? 0 : n->deadline_ns);
	sqlite3_bind_int64(s, 8, n->changed_ns);
	rc = store_step(a, s, "FlowSpec neighbour");
	for (i = 0; !rc && i < n->routes.n; i++)
		rc = put_route(a, n, n->routes.r[i]);
	return rc;
}

static void load_neighbour(struct agent *a, sqlite3_stmt *s)
{
	struct neighbour *n = neighbour_add(a->flowspec, (const char *)
					    sqlite3_column_text(s, 0));

	if (!n)
		return;
	snprintf(n->source, sizeof(n->source), "%s",
		 (const char *)sqlite3_column_text(s, 1));
	n->session = sqlite3_column_int64(s, 2);
	n->held = sqlite3_column_int64(s, 3);
	n->limit = sqlite3_column_int64(s, 4);
	n->grace_ns = sqlite3_column_int64(s, 5);
	n->deadline_ns = sqlite3_column_int64(s, 6);
	if (!n->deadline_ns)	/* it was up: its grace begins now */
		n->deadline_ns = sl_now_ns() + n->grace_ns;
	n->changed_ns = sqlite3_column_int64(s, 7);
}

static void load_route(struct agent *a, sqlite3_stmt *s)
{
	struct neighbour *n = neighbour_find(a->flowspec, (const char *)
					     sqlite3_column_text(s, 0));
	struct sl_bgp_event e = { .op = SL_BGP_ANNOUNCE,
		.kind = sqlite3_column_int(s, 1),
		.family = sqlite3_column_int(s, 2),
		.key = sqlite3_column_blob(s, 3),
		.key_b = sqlite3_column_bytes(s, 3),
		.ext = sqlite3_column_blob(s, 4),
		.ext_b = sqlite3_column_bytes(s, 4),
		.ext6 = sqlite3_column_blob(s, 5),
		.ext6_b = sqlite3_column_bytes(s, 5) };
	struct sl_route *r;

	if (!n || !e.key || e.key_b > SL_FLOWSPEC_MAX_B)
		return;
	r = sl_routes_put(&n->routes, &e);
	if (r && flow_route_read(a->flowspec, r, n->name))
		sl_routes_drop(&n->routes, &e);
	else if (r)
		r->at_ns = sqlite3_column_int64(s, 6);
	n->stored = true;
}

static int load_all(struct agent *a, const char *sql,
		    void (*one)(struct agent *, sqlite3_stmt *))
{
	sqlite3_stmt *s = store_prepare(a, sql);
	int rc;

	if (!s)
		return -1;
	while ((rc = sqlite3_step(s)) == SQLITE_ROW)
		one(a, s);
	sqlite3_finalize(s);
	return rc == SQLITE_DONE ? 0 : store_fail(a, sql);
}

int store_flowspec_open(struct agent *a)
{
	if (store_run(a, schema) ||
	    load_all(a, "SELECT * FROM flowspec_neighbours", load_neighbour) ||
	    load_all(a, "SELECT * FROM flowspec_routes", load_route))
		return -1;
	if (a->flowspec->count)
		flowspec_changed(a);
	return 0;
}
