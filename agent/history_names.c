// SPDX-License-Identifier: GPL-2.0
/* Series by name: their numbers on disk. Numbers are never given out twice. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "history_priv.h"

struct name {
	struct history_key key;
	uint32_t sid;			/* 0: free */
	bool traffic;
};

/* Prefixes that have a number: those of a lane come and go, and their names are all
 * in memory. Lanes, paths and methods are bounded by what there is of them. */
#define PREFIXES_MOST	32768

struct names {
	struct name *slot;
	unsigned int size, n;		/* size: a power of two */
	unsigned int n_prefixes;
	uint32_t last;			/* half of the last number given out */
};

/* The same key is the same bytes, whatever is behind the ends of its names. */
static void plain_key(struct history_key *out, const struct history_key *key)
{
	memset(out, 0, sizeof(*out));
	memcpy(out->lane, key->lane, strnlen(key->lane, SL_NAME_B - 1));
	memcpy(out->path, key->path, strnlen(key->path, SL_NAME_B - 1));
	out->method = key->method;
	out->half = key->half;
	out->prefix = key->prefix;
}

/* FNV-1a */
static uint32_t hash(const struct history_key *key, bool traffic)
{
	const uint8_t *b = (const uint8_t *)key;
	uint32_t v = 2166136261U ^ traffic;
	unsigned int i;

	for (i = 0; i < sizeof(*key); i++)
		v = (v ^ b[i]) * 16777619U;
	return v;
}

static struct name *find(struct names *n, const struct history_key *key,
			 bool traffic)
{
	uint32_t i = hash(key, traffic);
	struct name *at;

	for (;; i++) {
		at = &n->slot[i & (n->size - 1)];
		if (!at->sid || (at->traffic == traffic &&
				 !memcmp(&at->key, key, sizeof(*key))))
			return at;
	}
}

static int grow(struct names *n)
{
	struct names bigger = { .size = n->size ? n->size * 2 : 1024,
				.n = n->n, .last = n->last,
				.n_prefixes = n->n_prefixes };
	unsigned int i;

	if (n->n * 2 < n->size)
		return 0;
	bigger.slot = calloc(bigger.size, sizeof(*bigger.slot));
	if (!bigger.slot)
		return SQLITE_NOMEM;
	for (i = 0; i < n->size; i++)
		if (n->slot[i].sid)
			*find(&bigger, &n->slot[i].key, n->slot[i].traffic) =
				n->slot[i];
	free(n->slot);
	*n = bigger;
	return 0;
}

static void remember(void *arg, uint32_t sid, const struct history_key *key)
{
	struct names *n = arg;
	struct name *at;

	if (grow(n))
		return;
	at = find(n, key, is_traffic(sid));
	n->n += !at->sid;
	n->n_prefixes += !at->sid && key->prefix.family;
	*at = (struct name){ *key, sid, is_traffic(sid) };
	if (sid / 2 > n->last)
		n->last = sid / 2;
}

static void column_text(sqlite3_stmt *s, int column, char *out, size_t len)
{
	const unsigned char *text = sqlite3_column_text(s, column);

	snprintf(out, len, "%s", text ? (const char *)text : "");
}

static void key_of(sqlite3_stmt *s, struct history_key *key)
{
	const void *addr = sqlite3_column_blob(s, 6);
	int len_b = sqlite3_column_bytes(s, 6);

	memset(key, 0, sizeof(*key));
	column_text(s, 1, key->lane, sizeof(key->lane));
	column_text(s, 2, key->path, sizeof(key->path));
	key->method = sqlite3_column_int(s, 3);
	key->half = sqlite3_column_int(s, 4);
	key->prefix.family = sqlite3_column_int(s, 5);
	if (addr && len_b <= (int)sizeof(key->prefix.addr))
		memcpy(key->prefix.addr, addr, len_b);
	key->prefix.len = sqlite3_column_int(s, 7);
}

int names_walk(sqlite3 *db, void (*fn)(void *arg, uint32_t sid,
				       const struct history_key *key),
	       void *arg)
{
	struct history_key key;
	sqlite3_stmt *s = NULL;
	int64_t sid;
	int rc = sqlite3_prepare_v2(db, "SELECT id,lane,path,method,half,"
				    "family,addr,len FROM series ORDER BY id",
				    -1, &s, NULL);

	while (rc == SQLITE_OK && (rc = sqlite3_step(s)) == SQLITE_ROW) {
		rc = SQLITE_OK;
		sid = sqlite3_column_int64(s, 0);
		key_of(s, &key);
		if (sid > 1 && sid < SIDS_MOST)
			fn(arg, sid, &key);
	}
	sqlite3_finalize(s);
	return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

void names_forget(struct history *h)
{
	if (h->names)
		free(h->names->slot);
	free(h->names);
	h->names = NULL;
}

static int load(struct history *h)
{
	int rc;

	h->names = calloc(1, sizeof(*h->names));
	if (!h->names || grow(h->names))
		return SQLITE_NOMEM;
	rc = names_walk(h->db, remember, h->names);
	/* also what is gone from the list may still have rows */
	h->names->last = db_number(h->db, "SELECT value FROM meta WHERE "
				   "key='last_series'", h->names->last);
	return rc;
}

int names_put(struct history *h, uint32_t sid, const struct history_key *key)
{
	sqlite3_stmt *s = db_statement(h, ST_SERIES_PUT);

	sqlite3_bind_int64(s, 1, sid);
	sqlite3_bind_text(s, 2, key->lane, -1, SQLITE_STATIC);
	sqlite3_bind_text(s, 3, key->path, -1, SQLITE_STATIC);
	sqlite3_bind_int(s, 4, key->method);
	sqlite3_bind_int(s, 5, key->half);
	sqlite3_bind_int(s, 6, key->prefix.family);
	sqlite3_bind_blob(s, 7, key->prefix.addr, sizeof(key->prefix.addr),
			  SQLITE_STATIC);
	sqlite3_bind_int(s, 8, key->prefix.len);
	return db_step(s);
}

static int save(struct history *h, uint32_t sid, const struct history_key *key)
{
	char sql[96];

	snprintf(sql, sizeof(sql), "INSERT OR REPLACE INTO meta VALUES("
		 "'last_series',%u)", sid / 2);
	return names_put(h, sid, key) ? sqlite3_errcode(h->db) :
					db_run(h->db, sql);
}

/* Room for more prefixes: those go that were not seen for longest. What they have
 * on disk goes with its blocks. */
static int drop_prefixes(struct history *h)
{
	char sql[160];
	int rc;

	snprintf(sql, sizeof(sql), "DELETE FROM series WHERE id IN (SELECT id "
		 "FROM series WHERE family<>0 ORDER BY seen_s,id LIMIT %u)",
		 h->names->n_prefixes - PREFIXES_MOST / 4 * 3);
	rc = db_run(h->db, sql);
	if (rc)
		return rc;
	names_forget(h);
	return load(h);
}

int names_sid(struct history *h, const struct history_key *key, bool traffic,
	      uint32_t *sid)
{
	struct history_key plain;
	struct name *at;
	int rc = h->names ? 0 : load(h);

	if (!rc && key->prefix.family && h->names->n_prefixes >= PREFIXES_MOST)
		rc = drop_prefixes(h);

	if (rc || grow(h->names))
		return rc ? rc : SQLITE_NOMEM;
	plain_key(&plain, key);
	at = find(h->names, &plain, traffic);
	if (!at->sid) {
		if (h->names->last + 1 >= SIDS_MOST / 2)
			return SQLITE_FULL;
		*sid = (h->names->last + 1) * 2 + traffic;
		rc = save(h, *sid, &plain);
		if (!rc)
			remember(h->names, *sid, &plain);
		return rc;
	}
	*sid = at->sid;
	return 0;
}

/* Series of which nothing is kept any more. */
int names_prune(struct history *h, uint32_t before_s)
{
	char sql[80];
	int rc;

	snprintf(sql, sizeof(sql), "DELETE FROM series WHERE seen_s<%u",
		 before_s);
	rc = db_run(h->db, sql);
	if (!rc && sqlite3_changes(h->db))
		names_forget(h);
	return rc;
}
