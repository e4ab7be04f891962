// SPDX-License-Identifier: GPL-2.0
/* Who holds which prefix, by a MaxMind DB: the search tree is walked once,
 * with a mark for each node, so that a damaged file cannot make it endless. */
#include <errno.h>
#include <maxminddb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "input.h"

/* What a data record says; networks share records, so each is read once. */
struct told {
	uint64_t offset;
	uint16_t country;
	uint8_t known;
	uint32_t asn;
};

#define TOLD_SLOTS 65536	/* by offset; a collision reads again */

struct walk {
	MMDB_s db;
	sl_world_fn fn;
	void *arg;
	struct sl_mistakes *all;
	uint8_t *seen;		/* by node */
	struct told *told;
	uint32_t ipv4_root;	/* node of ::/96; others that lead there are
				 * aliases */
	size_t networks;
	unsigned int fields;	/* of the record being checked */
	int rc;
};

static int damaged(struct walk *w, const char *what)
{
	sl_mistake(w->all, 0, "fetch the file anew", "%s", what);
	return w->rc = -EINVAL;
}

static uint32_t get_asn(MMDB_entry_s *e)
{
	MMDB_entry_data_s d;

	if (MMDB_get_value(e, &d, "autonomous_system_number", NULL) !=
	    MMDB_SUCCESS || !d.has_data)
		return 0;
	if (d.type == MMDB_DATA_TYPE_UINT32)
		return d.uint32;
	return d.type == MMDB_DATA_TYPE_UINT16 ? d.uint16 : 0;
}

/* Two letters, packed as capitals; 0: they are none. */
static uint16_t pack(const char *s)
{
	uint8_t a = s[0] & ~0x20, b = s[1] & ~0x20;

	return a < 'A' || a > 'Z' || b < 'A' || b > 'Z' ? 0 : a << 8 | b;
}

static uint16_t get_country(MMDB_entry_s *e)
{
	static const char *const where[] = { "country", "registered_country" };
	MMDB_entry_data_s d;
	uint16_t country = 0;
	int i;

	for (i = 0; !country && i < 2; i++)
		if (MMDB_get_value(e, &d, where[i], "iso_code", NULL) ==
		    MMDB_SUCCESS && d.has_data &&
		    d.type == MMDB_DATA_TYPE_UTF8_STRING && d.data_size == 2)
			country = pack(d.utf8_string);
	return country;
}

/* --- is a record whole? --- */
/* MMDB_get_value() does not look at what it skips, and
 * MMDB_get_entry_data_list() takes types that do not exist and unrolls
 * pointers without end: 1 KiB of them becomes gigabytes. */
#define MAX_RECORD_FIELDS	65536
#define MAX_RECORD_DEPTH	64

struct field {
	unsigned int type;
	uint64_t size;		/* bytes, elements, or where a pointer leads */
	uint64_t next;		/* offset behind the head */
};

/* The n bytes at f->next as a number, big endian; steps over them. */
static bool take(const struct walk *w, struct field *f, int n, uint64_t *out)
{
	uint64_t left = w->db.data_section_size;

	*out = 0;
	if (f->next >= left || left - f->next < (uint64_t)n)
		return false;
	while (n--)
		*out = *out << 8 | w->db.data_section[f->next++];
	return true;
}

static bool field_head(const struct walk *w, uint64_t at, struct field *f)
{
	static const uint64_t base[] = { 29, 285, 65821 };
	static const uint64_t to[] = { 0, 2048, 526336, 0 };
	uint64_t c, v;
	int n;

	f->next = at;
	if (!take(w, f, 1, &c))
		return false;
	f->type = c >> 5;
	if (f->type == MMDB_DATA_TYPE_POINTER) {
		n = c >> 3 & 3;
		if (!take(w, f, n + 1, &v))
			return false;
		f->size = v + to[n] + (n < 3 ? (c & 7) << 8 * (n + 1) : 0);
		return true;
	}
	if (!f->type) {
		if (!take(w, f, 1, &v))
			return false;
		f->type = v + 7;
	}
	f->size = c & 31;
	n = f->size - 28;
	if (n > 0) {
		if (!take(w, f, n, &v))
			return false;
		f->size = base[n - 1] + v;
	}
	return true;
}

/* May a field that holds nothing else have this many bytes? */
static bool fits(unsigned int type, uint64_t size)
{
	switch (type) {
	case MMDB_DATA_TYPE_UTF8_STRING:
	case MMDB_DATA_TYPE_BYTES:
		return true;
	case MMDB_DATA_TYPE_UINT16:
		return size <= 2;
	case MMDB_DATA_TYPE_UINT32:
	case MMDB_DATA_TYPE_INT32:
		return size <= 4;
	case MMDB_DATA_TYPE_DOUBLE:
		return size == 8;
	case MMDB_DATA_TYPE_UINT64:
		return size <= 8;
	case MMDB_DATA_TYPE_UINT128:
		return size <= 16;
	case MMDB_DATA_TYPE_FLOAT:
		return size == 4;
	default:
		return false;
	}
}

/* *at: the field, then what follows it. want: its type, or 0 for any. */
static bool whole(struct walk *w, uint64_t *at, unsigned int want, int depth)
{
	struct field f;
	uint64_t i, end;
	bool map;

	if (depth > MAX_RECORD_DEPTH || ++w->fields > MAX_RECORD_FIELDS ||
	    !field_head(w, *at, &f))
		return false;
	*at = f.next;
	if (f.type == MMDB_DATA_TYPE_POINTER) {
		end = f.size;
		return field_head(w, end, &f) &&
		       f.type != MMDB_DATA_TYPE_POINTER &&
		       whole(w, &end, want, depth + 1);
	}
	if (want && f.type != want)
		return false;
	map = f.type == MMDB_DATA_TYPE_MAP;
	if (map || f.type == MMDB_DATA_TYPE_ARRAY) {
		for (i = 0; i < f.size; i++)
			if ((map && !whole(w, at, MMDB_DATA_TYPE_UTF8_STRING,
					   depth + 1)) ||
			    !whole(w, at, 0, depth + 1))
				return false;
		return true;
	}
	if (f.type == MMDB_DATA_TYPE_BOOLEAN)
		return f.size <= 1;	/* the size is the value */
	*at += f.size;
	return fits(f.type, f.size) && *at <= w->db.data_section_size;
}

static const struct told *record(struct walk *w, uint64_t offset)
{
	struct told *t = &w->told[offset * 2654435761U % TOLD_SLOTS];
	MMDB_entry_s e = { .mmdb = &w->db, .offset = offset };
	uint64_t at = offset;

	if (t->known && t->offset == offset)
		return t;
	if (offset >= w->db.data_section_size) {
		damaged(w, "a network leads outside the data section");
		return NULL;
	}
	w->fields = 0;
	if (!whole(w, &at, MMDB_DATA_TYPE_MAP, 0)) {
		damaged(w, "a data record cannot be read");
		return NULL;
	}
	*t = (struct told){ offset, get_country(&e), 1, get_asn(&e) };
	return t;
}

/* A network of `len` bits: IPv4 below ::/96, where the tree has both. */
static void network(struct walk *w, const uint8_t *addr, int len,
		    uint64_t offset)
{
	struct sl_prefix p = { .family = 6, .len = len };
	static const uint8_t zero[12];
	const struct told *t;

	if (w->db.metadata.ip_version == 4) {
		p.family = 4;
		memcpy(p.addr, addr, 4);
	} else if (len >= 96 && !memcmp(addr, zero, 12)) {
		p.family = 4;
		p.len = len - 96;
		memcpy(p.addr, addr + 12, 4);
	} else {
		memcpy(p.addr, addr, 16);
	}
	t = record(w, offset);
	if (!t || (!t->country && !t->asn))
		return;
	w->networks++;
	if (w->fn)
		w->rc = w->fn(w->arg, &p, t->country, t->asn);
}

/* ::ffff:0:0/96, 2002::/16 and the like lead to the IPv4 tree once more; only
 * ::/96 is its own place. */
static bool is_alias(const struct walk *w, uint64_t node, const uint8_t *addr,
		     int depth)
{
	static const uint8_t zero[12];

	return node == w->ipv4_root &&
	       (depth != 96 || memcmp(addr, zero, sizeof(zero)));
}

static void visit(struct walk *w, uint32_t node, uint8_t *addr, int depth);

static void branch(struct walk *w, uint8_t type, uint64_t record,
		   uint64_t offset, uint8_t *addr, int depth)
{
	switch (type) {
	case MMDB_RECORD_TYPE_SEARCH_NODE:
		if (!is_alias(w, record, addr, depth))
			visit(w, record, addr, depth);
		break;
	case MMDB_RECORD_TYPE_DATA:
		network(w, addr, depth, offset);
		break;
	case MMDB_RECORD_TYPE_EMPTY:
		break;
	default:
		damaged(w, "a node leads nowhere");
	}
}

static void visit(struct walk *w, uint32_t node, uint8_t *addr, int depth)
{
	int max = w->db.metadata.ip_version == 4 ? 32 : 128;
	MMDB_search_node_s n;

	if (w->rc)
		return;
	if (depth >= max || w->seen[node]++) {
		damaged(w, depth >= max ? "the tree is deeper than an address" :
			"a node is led to twice");
		return;
	}
	if (MMDB_read_node(&w->db, node, &n) != MMDB_SUCCESS) {
		damaged(w, "a node cannot be read");
		return;
	}
	branch(w, n.left_record_type, n.left_record, n.left_record_entry.offset,
	       addr, depth + 1);
	if (w->rc)
		return;
	addr[depth / 8] |= 0x80 >> depth % 8;
	branch(w, n.right_record_type, n.right_record,
	       n.right_record_entry.offset, addr, depth + 1);
	addr[depth / 8] &= ~(0x80 >> depth % 8);
}

static void find_ipv4_root(struct walk *w)
{
	MMDB_search_node_s n;
	uint64_t node = 0;
	int i;

	w->ipv4_root = UINT32_MAX;
	for (i = 0; w->db.metadata.ip_version == 6 && i < 96; i++) {
		if (MMDB_read_node(&w->db, node, &n) != MMDB_SUCCESS ||
		    n.left_record_type != MMDB_RECORD_TYPE_SEARCH_NODE)
			return;
		node = n.left_record;
	}
	if (i == 96)
		w->ipv4_root = node;
}

/* One pass over the tree; fn NULL: only look. */
static int pass(struct walk *w, sl_world_fn fn)
{
	uint8_t addr[16] = {};

	w->fn = fn;
	w->rc = 0;
	w->networks = 0;
	memset(w->seen, 0, w->db.metadata.node_count);
	visit(w, 0, addr, 0);
	return w->rc;
}

static int walk(struct walk *w, sl_world_fn fn)
{
	const MMDB_metadata_s *m = &w->db.metadata;

	if ((m->ip_version != 4 && m->ip_version != 6) || !m->node_count)
		return damaged(w, "its metadata makes no sense");
	w->seen = calloc(m->node_count, 1);
	w->told = calloc(TOLD_SLOTS, sizeof(*w->told));
	if (!w->seen || !w->told)
		return -ENOMEM;
	find_ipv4_root(w);
	if (pass(w, NULL))
		return w->rc;
	if (!w->networks) {
		sl_mistake(w->all, 0, "name a country or an ASN database",
			   "no network in it has a country or an ASN");
		return -EINVAL;
	}
	return pass(w, fn);
}

int sl_mmdb_walk(const char *path, sl_world_fn fn, void *arg,
		 struct sl_mistakes *all)
{
	struct walk w = { .arg = arg, .all = all };
	struct stat st;
	int rc;

	/* MMDB_open() would wait for ever on a pipe. */
	if (!stat(path, &st) && !S_ISREG(st.st_mode)) {
		sl_mistake(all, 0, "name a file", "is no regular file");
		return -EINVAL;
	}
	rc = MMDB_open(path, MMDB_MODE_MMAP, &w.db);
	if (rc != MMDB_SUCCESS) {
		sl_mistake(all, 0, "name a MaxMind DB that can be read",
			   "%s", rc == MMDB_IO_ERROR ? strerror(errno) :
			   MMDB_strerror(rc));
		return -EINVAL;
	}
	rc = walk(&w, fn);
	free(w.seen);
	free(w.told);
	MMDB_close(&w.db);
	return rc;
}
