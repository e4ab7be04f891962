// SPDX-License-Identifier: GPL-2.0
/* Who holds which prefix, as text: RIR delegated statistics and geofeeds. Each
 * file is checked whole before the first prefix of it is told. */
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "input.h"

#define MAX_FIELDS	12
#define MAX_LINE_B	1024

/* A line cut at its separators. */
struct fields {
	char text[MAX_LINE_B];
	char *f[MAX_FIELDS];
	int n;
};

/* Where a prefix stands. */
struct place {
	struct sl_prefix p;
	unsigned long line, first;	/* first: of the same before it, or 0 */
};

struct table {
	sl_world_fn fn;			/* NULL: the first pass */
	void *arg;
	struct sl_mistakes *all;
	unsigned long line;
	/* RIR: type by type (ipv4, ipv6, asn) what was stated and what came */
	long stated[3], came[3];
	bool has_version;
	struct place *places;		/* geofeed */
	size_t n_places, room_places;
	int rc;
};

typedef void (*line_fn)(struct table *t, struct fields *f);

static void bad(struct table *t, const char *remedy, const char *word,
		const char *why)
{
	if (!t->fn)
		sl_mistake(t->all, t->line, remedy, "%.60s %s", word, why);
}

/* 0, or -1 when the line is too long or binary. */
static int cut(struct fields *f, const char *s, size_t len, char separator)
{
	char *at = f->text, *sep;

	if (len >= MAX_LINE_B || memchr(s, '\0', len))
		return -1;
	memcpy(at, s, len);
	while (len && isspace((unsigned char)at[len - 1]))
		len--;
	at[len] = '\0';
	for (f->n = 0; at && f->n < MAX_FIELDS; at = sep ? sep + 1 : NULL) {
		f->f[f->n++] = at;
		sep = strchr(at, separator);
		if (sep)
			*sep = '\0';
	}
	return 0;
}

static char *trim(char *s)
{
	char *end = s + strlen(s);

	while (end > s && isspace((unsigned char)end[-1]))
		*--end = '\0';
	while (isspace((unsigned char)*s))
		s++;
	return s;
}

static void each_line(struct table *t, const char *text, size_t len_b,
		      char separator, line_fn fn)
{
	const char *end = text + len_b, *nl;
	struct fields f;

	t->line = 0;
	for (; text < end && !t->rc; text = nl + 1) {
		nl = memchr(text, '\n', end - text);
		if (!nl)
			nl = end;
		t->line++;
		if (cut(&f, text, nl - text, separator))
			bad(t, "give a text file", "a line",
			    "is over 1024 bytes or has NUL bytes");
		else if (f.text[0] != '#' && (f.text[0] || f.n > 1))
			fn(t, &f);
	}
}

/* Check all, then tell all. */
static int both_passes(struct table *t, const char *text, size_t len_b,
		       char separator, line_fn fn, sl_world_fn told,
		       void (*check)(struct table *t))
{
	size_t before = t->all->total;

	t->fn = NULL;
	each_line(t, text, len_b, separator, fn);
	if (check)
		check(t);
	if (t->rc || t->all->total != before)
		return t->rc ? t->rc : -EINVAL;
	t->fn = told;
	each_line(t, text, len_b, separator, fn);
	return t->rc;
}

/* Two letters, packed; 0: they are none. */
static uint16_t country_of(const char *s)
{
	if (!isalpha((unsigned char)s[0]) || !isalpha((unsigned char)s[1]) ||
	    s[2])
		return 0;
	return (uint16_t)(toupper((unsigned char)s[0]) << 8 |
			  toupper((unsigned char)s[1]));
}

static void tell(struct table *t, const struct sl_prefix *p, uint16_t country)
{
	if (t->fn && !t->rc)
		t->rc = t->fn(t->arg, p, country, 0);
}

/* --- RIR delegated statistics --- */
static const char *const type_name[] = { "ipv4", "ipv6", "asn" };

static int type_of(const char *word)
{
	int i;

	for (i = 0; i < 3; i++)
		if (!strcmp(word, type_name[i]))
			return i;
	return -1;
}

/* A whole number; -1: none. */
static long number(const char *s)
{
	char *end;
	long v = strtol(s, &end, 10);

	return s[0] < '0' || s[0] > '9' || *end ? -1 : v;
}

/* `count` addresses from `start` on, as prefixes: counts are no powers of two
 * everywhere. */
static void tell4(struct table *t, const struct sl_prefix *start, long count,
		  uint16_t country)
{
	struct sl_pset set = {};
	struct sl_prefix p;
	uint32_t first = (uint32_t)start->addr[0] << 24 | start->addr[1] << 16 |
			 start->addr[2] << 8 | start->addr[3];
	size_t i;

	if (count < 1 || (uint64_t)first + count > 1ULL << 32) {
		bad(t, "a count of addresses from the start on", "the record",
		    "leaves the address space");
		return;
	}
	if (!t->fn)
		return;
	if (sl_pset_add_range4(&set, first, first + (count - 1)))
		t->rc = -ENOMEM;
	for (i = 0; i < set.n4; i++) {
		sl_pset_get(&set, i, &p);
		tell(t, &p, country);
	}
	sl_pset_free(&set);
}

static void rir_record(struct table *t, struct fields *f, int type)
{
	uint16_t country = country_of(f->f[1]);
	long value = number(f->f[4]);
	char text[INET6_ADDRSTRLEN + 8];
	const char *status = f->f[6], *why;
	struct sl_prefix p;

	if (!t->fn)
		t->came[type]++;
	if (strcmp(status, "allocated") && strcmp(status, "assigned")) {
		if (strcmp(status, "available") && strcmp(status, "reserved"))
			bad(t, "allocated, assigned, available or reserved",
			    status, "is no status");
		return;
	}
	if (type == 2)
		return;
	if (!country) {
		bad(t, "two letters of ISO 3166", f->f[1], "is no country");
		return;
	}
	snprintf(text, sizeof(text), type ? "%.45s/%ld" : "%.45s", f->f[3],
		 value);
	if (value < 1 || strchr(f->f[3], '/') ||
	    sl_prefix_parse(text, &p, &why) || p.family != (type ? 6 : 4)) {
		bad(t, type ? "start|prefix length" : "start|count of "
		    "addresses", text, type ? "is no IPv6 prefix" :
		    "is no IPv4 start");
		return;
	}
	if (type)
		tell(t, &p, country);
	else
		tell4(t, &p, value, country);
}

static void rir_line(struct table *t, struct fields *f)
{
	int type;

	if (!t->has_version) {
		if (f->n < 6 || f->f[0][0] != '2' ||
		    (f->f[0][1] && f->f[0][1] != '.'))
			bad(t, "begin with 2|registry|serial|records|...",
			    f->f[0], "is no version line of version 2");
		t->has_version = true;
		return;
	}
	if (t->fn && f->n >= 6 && f->f[0][0] == '2')
		return;		/* the version line, in the second pass */
	if (f->n < 6 || (type = type_of(f->f[2])) < 0) {
		bad(t, "registry|cc|ipv4, ipv6 or asn|start|value|...",
		    f->n > 2 ? f->f[2] : f->f[0], "is no record");
		return;
	}
	if (!strcmp(f->f[5], "summary")) {
		if (number(f->f[4]) < 0)
			bad(t, "registry|*|type|*|count|summary", f->f[4],
			    "is no count");
		else if (!t->fn)
			t->stated[type] = number(f->f[4]);
		return;
	}
	if (f->n < 7)
		bad(t, "registry|cc|type|start|value|date|status", f->f[0],
		    "has too few fields");
	else
		rir_record(t, f, type);
}

static void rir_check(struct table *t)
{
	int i;

	if (!t->has_version)
		sl_mistake(t->all, 0, "give a delegated statistics file",
			   "the file is empty");
	for (i = 0; i < 3; i++)
		if (t->stated[i] >= 0 && t->stated[i] != t->came[i])
			sl_mistake(t->all, 0, "fetch the file anew", "the "
				   "summary states %ld %s records, %ld are "
				   "there", t->stated[i], type_name[i],
				   t->came[i]);
}

int sl_rir_parse(const char *text, size_t len_b, sl_world_fn fn, void *arg,
		 struct sl_mistakes *all)
{
	struct table t = { .arg = arg, .all = all,
			   .stated = { -1, -1, -1 } };

	return both_passes(&t, text, len_b, '|', rir_line, fn, rir_check);
}

/* --- geofeeds, RFC 8805 --- */
static void note_place(struct table *t, const struct sl_prefix *p)
{
	size_t room = t->room_places ? t->room_places * 2 : 256;
	struct place *grown = t->places;

	if (t->n_places == t->room_places) {
		grown = realloc(t->places, room * sizeof(*grown));
		if (!grown) {
			t->rc = -ENOMEM;
			return;
		}
		t->places = grown;
		t->room_places = room;
	}
	grown[t->n_places++] = (struct place){ *p, t->line, 0 };
}

static int by_prefix(const void *a, const void *b)
{
	const struct place *x = a, *y = b;
	int rc = sl_prefix_cmp(&x->p, &y->p);

	return rc ? rc : x->line < y->line ? -1 : x->line > y->line;
}

static int by_line(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	return x->line < y->line ? -1 : x->line > y->line;
}

/* Two lines of one prefix may differ: neither can be right for sure. */
static void check_doubles(struct table *t)
{
	struct place *at = t->places;
	char text[SL_PREFIX_STR_B];
	size_t i;

	if (t->n_places < 2)
		return;
	qsort(at, t->n_places, sizeof(*at), by_prefix);
	for (i = 1; i < t->n_places; i++)
		if (!sl_prefix_cmp(&at[i].p, &at[i - 1].p))
			at[i].first = at[i - 1].first ? at[i - 1].first :
				      at[i - 1].line;
	qsort(at, t->n_places, sizeof(*at), by_line);
	for (i = 0; i < t->n_places; i++)
		if (at[i].first)
			sl_mistake(t->all, at[i].line, "keep one of the lines",
				   "%s is in line %lu already",
				   sl_prefix_str(&at[i].p, text), at[i].first);
}

static void feed_line(struct table *t, struct fields *f)
{
	const char *word = trim(f->f[0]), *cc, *why;
	uint16_t country = 0;
	struct sl_prefix p;

	if (word[0] == '#' || (!word[0] && f->n == 1))
		return;
	if (f->n < 2) {
		bad(t, "prefix,country,region,city,postal", word,
		    "has no country field");
		return;
	}
	if (sl_prefix_parse(word, &p, &why)) {
		bad(t, "write a prefix such as 192.0.2.0/24", word, why);
		return;
	}
	if (!p.len) {
		bad(t, "name what is meant", word, "would be everything");
		return;
	}
	cc = trim(f->f[1]);
	if (cc[0] && !(country = country_of(cc))) {
		bad(t, "two letters of ISO 3166, or nothing", cc,
		    "is no country");
		return;
	}
	if (!t->fn)
		note_place(t, &p);
	tell(t, &p, country);
}

static void feed_check(struct table *t)
{
	if (!t->n_places && !t->all->total)
		sl_mistake(t->all, 0, "give a file of prefix,country lines",
			   "the file has no prefix");
	check_doubles(t);
}

int sl_geofeed_parse(const char *text, size_t len_b, sl_world_fn fn, void *arg,
		     struct sl_mistakes *all)
{
	struct table t = { .arg = arg, .all = all };
	int rc = both_passes(&t, text, len_b, ',', feed_line, fn, feed_check);

	free(t.places);
	return rc;
}
