// SPDX-License-Identifier: GPL-2.0
/* Prefix lists: lines of text. NDJSON is in list_json.c. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "list_priv.h"

#define MAX_LINE_B	4096

static const char *const format_name[SL_LIST_FORMATS] = {
	[SL_LIST_AUTO] = "auto", [SL_LIST_CIDR] = "cidr",
	[SL_LIST_NETSET] = "netset", [SL_LIST_SPAMHAUS] = "spamhaus" };

int sl_list_format_of(const char *word)
{
	int i;

	for (i = 0; i < SL_LIST_FORMATS; i++)
		if (!strcmp(word, format_name[i]))
			return i;
	return -1;
}

/* A decimal number of at most three digits, no leading zero; -1: none. */
static int small(const char **at, const char *end)
{
	const char *s = *at;
	int v = 0;

	while (s < end && *s >= '0' && *s <= '9' && s - *at < 3)
		v = v * 10 + (*s++ - '0');
	if (s == *at || (s - *at > 1 && **at == '0') ||
	    (s < end && *s >= '0' && *s <= '9'))
		return -1;
	*at = s;
	return v;
}

/* The usual line, "a.b.c.d" or "a.b.c.d/len", without a copy. False: it is
 * something else, or wrong; the long way then says what. */
static bool quick4(const char *s, const char *end, uint32_t *addr, int *len)
{
	int i, v;

	*addr = 0;
	for (i = 0; i < 4; i++) {
		v = small(&s, end);
		if (v < 0 || v > 255)
			return false;
		*addr = *addr << 8 | v;
		if (i < 3 && (s == end || *s++ != '.'))
			return false;
	}
	*len = 32;
	if (s < end && *s == '/') {
		s++;
		*len = small(&s, end);
	}
	return s == end && *len > 0 && *len <= 32 &&
	       (*len == 32 || !(*addr << *len));
}

static bool blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static void cut_blanks(const char **s, const char **end)
{
	while (*s < *end && blank(**s))
		++*s;
	while (*end > *s && blank((*end)[-1]))
		--*end;
}

static int bad(struct listing *l, const char *remedy, const char *word,
	       const char *why)
{
	sl_mistake(l->all, l->line, remedy, "%.60s %s", word, why);
	return 0;
}

static int add_range(struct listing *l, char *a, char *b)
{
	struct sl_prefix x, y;
	unsigned __int128 first = 0, last = 0;
	const char *why;
	int i;

	if (sl_prefix_parse(a, &x, &why))
		return bad(l, "write first-last, two addresses", a, why);
	if (sl_prefix_parse(b, &y, &why))
		return bad(l, "write first-last, two addresses", b, why);
	if (strchr(a, '/') || strchr(b, '/'))
		return bad(l, "write first-last, two addresses", a,
			   "is a prefix in a range");
	if (x.family != y.family)
		return bad(l, "write two addresses of one family", a,
			   "and its end are of two families");
	for (i = 0; i < (x.family == 4 ? 4 : 16); i++) {
		first = first << 8 | x.addr[i];
		last = last << 8 | y.addr[i];
	}
	if (first > last)
		return bad(l, "write the lower address first", a,
			   "is above the end of its range");
	if (!first && last == (x.family == 4 ? UINT32_MAX :
			       ~(unsigned __int128)0))
		return bad(l, "name what is meant", a, "would be everything");
	l->found++;
	return x.family == 4 ? sl_pset_add_range4(l->set, first, last) :
	       sl_pset_add_range6(l->set, first, last);
}

/* What the host bits of a prefix should have been. */
static int bad_prefix(struct listing *l, const char *word, const char *why)
{
	char text[SL_PREFIX_STR_B], remedy[SL_PREFIX_STR_B + 16];
	const char *slash = strchr(word, '/');
	struct sl_prefix p;
	char addr[64];
	int i, len;

	if (!slash || slash - word >= (long)sizeof(addr) ||
	    strncmp(why, "has bits", 8))
		return bad(l, "write an address, a prefix or first-last", word,
			   why);
	memcpy(addr, word, slash - word);
	addr[slash - word] = '\0';
	len = atoi(slash + 1);
	sl_prefix_parse(addr, &p, NULL);
	for (i = len; i < p.len; i++)
		p.addr[i / 8] &= ~(0x80 >> i % 8);
	p.len = len;
	snprintf(remedy, sizeof(remedy), "write %s", sl_prefix_str(&p, text));
	return bad(l, remedy, word, why);
}

int list_word(struct listing *l, const char *s, const char *end)
{
	char word[130], *dash;
	struct sl_prefix p;
	const char *why;
	uint32_t addr;
	int len;

	if (quick4(s, end, &addr, &len)) {
		l->found++;
		return sl_pset_add4(l->set, addr, len);
	}
	snprintf(word, sizeof(word), "%.*s", (int)(end - s), s);
	if (end - s >= (long)sizeof(word) || strlen(word) != (size_t)(end - s))
		return bad(l, "write one prefix a line", word, "is no prefix");
	dash = strchr(word, '-');
	if (dash) {
		const char *a = word, *a_end = dash, *b = dash + 1;
		const char *b_end = word + strlen(word);

		cut_blanks(&a, &a_end);
		cut_blanks(&b, &b_end);
		*(char *)a_end = '\0';
		return add_range(l, (char *)a, (char *)b);
	}
	if (sl_prefix_parse(word, &p, &why))
		return bad_prefix(l, word, why);
	if (!p.len)
		return bad(l, "name what is meant", word,
			   "would be everything");
	l->found++;
	return sl_pset_add(l->set, &p);
}

/* FireHOL's header: "# Entries : 12 subnets, 3400 unique IPs". */
static void read_header(struct listing *l, const char *s, const char *end)
{
	char text[160], *at;

	snprintf(text, sizeof(text), "%.*s", (int)(end - s), s);
	at = strstr(text, "Entries");
	if (!at || !(at = strchr(at, ':')))
		return;
	if (strstr(at, "subnets"))
		l->want_subnets = strtoull(at + 1, NULL, 10);
	at = strstr(at, "unique IPs");
	while (at && at > text && (at[-1] == ' ' ||
				   (at[-1] >= '0' && at[-1] <= '9')))
		at--;
	if (at)
		l->want_ips = strtoull(at, NULL, 10);
}

static int line(struct listing *l, const char *s, const char *end)
{
	const char *c;

	if (end - s > MAX_LINE_B)
		return bad(l, "write one prefix a line", "a line",
			   "is longer than 4096 bytes");
	if (memchr(s, '\0', end - s))
		return bad(l, "give a text file", "a line", "has NUL bytes");
	for (c = s; c < end && *c != '#' && *c != ';'; c++)
		;
	if (c < end && *c == '#')
		read_header(l, c, end);
	end = c;
	cut_blanks(&s, &end);
	return s == end ? 0 : list_word(l, s, end);
}

static uint64_t addresses4(const struct sl_pset *set)
{
	uint64_t sum = 0;
	size_t i;

	for (i = 0; i < set->n4; i++)
		sum += 1ULL << (32 - (set->v4[i] & 0xff));
	return sum;
}

/* What a netset says of itself, against what is there: a file cut short is
 * found out. Subnets and single addresses are counted together by some of its
 * makers, so only a lack is a mistake. */
static void check_header(struct listing *l)
{
	if (l->want_subnets && l->found < l->want_subnets)
		sl_mistake(l->all, 0, "fetch the file anew: it is cut short",
			   "the header states %llu subnets, %zu are there",
			   (unsigned long long)l->want_subnets, l->found);
	else if (l->want_ips && !l->set->n6 &&
		 addresses4(l->set) < l->want_ips)
		sl_mistake(l->all, 0, "fetch the file anew: it is cut short",
			   "the header states %llu addresses, %llu are there",
			   (unsigned long long)l->want_ips,
			   (unsigned long long)addresses4(l->set));
}

static bool is_json(const char *text, size_t len_b)
{
	const char *end = text + len_b;

	cut_blanks(&text, &end);
	while (text < end && (*text == '\n' || blank(*text)))
		text++;
	return text < end && *text == '{';
}

static int lines(struct listing *l, const char *text, size_t len_b)
{
	const char *end = text + len_b, *nl;
	bool json = is_json(text, len_b);
	int rc = 0;

	if (len_b >= 3 && !memcmp(text, "\xef\xbb\xbf", 3))
		text += 3;	/* a byte order mark */
	for (; text < end && !rc; text = nl + 1) {
		l->line++;
		nl = memchr(text, '\n', end - text);
		if (!nl)
			nl = end;
		rc = json ? list_json_line(l, text, nl) : line(l, text, nl);
	}
	if (!rc && json)
		list_json_end(l);
	else if (!rc)
		check_header(l);
	return rc;
}

int sl_list_parse(const char *text, size_t len_b, enum sl_list_format format,
		  struct sl_pset *out, size_t *doubles,
		  struct sl_mistakes *all)
{
	struct sl_pset set = {};
	struct listing l = { .set = &set, .all = all };
	size_t before = all->total;
	long gone = 0;
	int rc;

	if (is_json(text, len_b) && format != SL_LIST_AUTO &&
	    format != SL_LIST_SPAMHAUS)
		sl_mistake(all, 1, "use --format spamhaus, or auto",
			   "the file is JSON");
	rc = lines(&l, text, len_b);
	if (!rc)
		gone = sl_pset_finish(&set);
	if (!rc && !set.n4 && !set.n6 && all->total == before)
		sl_mistake(all, 0, "to empty a list, remove it",
			   "there is no prefix in the file");
	if (rc || gone < 0 || all->total != before) {
		sl_pset_free(&set);
		return rc || gone < 0 ? -ENOMEM : -EINVAL;
	}
	*out = set;
	*doubles = gone;
	return 0;
}
