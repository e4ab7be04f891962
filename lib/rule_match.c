// SPDX-License-Identifier: GPL-2.0
/* Rule files: the fields of a match. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "rule_priv.h"

/* --- addresses --- */
/* The prefix that was probably meant, as a remedy. */
static void without_host_bits(const char *text, char *remedy, size_t len_b)
{
	char addr[SL_PREFIX_STR_B], buf[SL_PREFIX_STR_B];
	const char *slash = strchr(text, '/');
	struct sl_prefix p;
	uint64_t len;
	int i;

	snprintf(remedy, len_b, "write an address, a prefix or \"@list\"");
	if (!slash || (size_t)(slash - text) >= sizeof(addr))
		return;
	memcpy(addr, text, slash - text);
	addr[slash - text] = '\0';
	if (sl_prefix_parse(addr, &p, NULL) || !rule_number(slash + 1, &len))
		return;
	if (len > p.len) {
		snprintf(remedy, len_b, "write a length of 0 to %u", p.len);
		return;
	}
	for (i = len; i < p.len; i++)
		p.addr[i / 8] &= ~(0x80 >> i % 8);
	p.len = len;
	snprintf(remedy, len_b, "write %s", sl_prefix_str(&p, buf));
}

static bool is_name(const char *s)
{
	size_t n = strlen(s);

	return n && n < SL_NAME_B &&
	       strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
			 "0123456789._-") == n;
}

/* sl_names_has() finds anything in an empty set; here that knows nothing. */
static bool is_known(const struct sl_names *known, const char *name)
{
	return !known || (known->n && sl_names_has(known, name));
}

/* A valid name that is known, or a mistake and false. instead: the remedy where
 * none is known. */
static bool check_name(struct rule_reading *r, const struct tree_node *n,
		       const char *what, const char *name,
		       const struct sl_names *known, const char *instead)
{
	if (!is_name(name))
		rule_wrong(r, n->line, "1 to 31 letters, digits, dots, dashes",
			   "%s: %.60s is no name of a %s", r->key, name, what);
	else if (!r->ctx->stored && !is_known(known, name))
		rule_wrong(r, n->line, known->n ? "name one that there is" :
			   instead, "%s: there is no %s %s", r->key, what,
			   name);
	else
		return true;
	return false;
}

static void add_list(struct rule_reading *r, struct sl_rule_addr *a,
		     const char *name)
{
	struct sl_names n = { a->list, a->n_lists };

	if (sl_names_add(&n, name))
		r->no_memory = true;
	a->list = n.name;
	a->n_lists = n.n;
}

static void add_prefix(struct rule_reading *r, struct sl_rule_addr *a,
		       const struct sl_prefix *p)
{
	struct sl_prefix *grown = a->p;

	if (!(a->n & (a->n - 1)))	/* room doubles */
		grown = realloc(a->p, (a->n ? 2 * a->n : 1) * sizeof(*grown));
	if (!grown) {
		r->no_memory = true;
		return;
	}
	a->p = grown;
	a->p[a->n++] = *p;
}

static void read_addr(struct rule_reading *r, const struct tree_node *n,
		      void *arg)
{
	const char *s = rule_word(r, n), *why;
	struct sl_rule_addr *a = arg;
	struct sl_prefix p;
	char remedy[100];

	if (!s)
		return;
	if (s[0] == '@') {
		if (check_name(r, n, "list", s + 1, r->ctx->lists,
			       "name prefixes, or push the list first: "
			       "there are no lists here"))
			add_list(r, a, s + 1);
	} else if (sl_prefix_parse(s, &p, &why)) {
		without_host_bits(s, remedy, sizeof(remedy));
		rule_wrong(r, n->line, remedy, "%s: %.60s %s", r->key, s, why);
	} else {
		add_prefix(r, a, &p);
	}
}

static int by_prefix(const void *a, const void *b)
{
	return sl_prefix_cmp(a, b);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* Sort, and drop what stands twice. */
static unsigned int finish(void *array, unsigned int n, size_t size_b,
			   int (*cmp)(const void *, const void *))
{
	char *a = array;
	unsigned int i, kept = 1;

	if (n < 2)
		return n;
	qsort(a, n, size_b, cmp);
	for (i = 1; i < n; i++)
		if (cmp(a + (kept - 1) * size_b, a + i * size_b))
			memmove(a + kept++ * size_b, a + i * size_b, size_b);
	return kept;
}

void rule_addr_finish(struct sl_rule_addr *a)
{
	a->n = finish(a->p, a->n, sizeof(*a->p), by_prefix);
	a->n_lists = finish(a->list, a->n_lists, sizeof(*a->list), by_name);
}

void rule_names_finish(struct sl_names *n)
{
	n->n = finish(n->name, n->n, sizeof(*n->name), by_name);
}

static void read_src(struct rule_reading *r, const struct tree_node *n)
{
	r->src = n;
	rule_values(r, n, read_addr, &r->rule->match.src);
	rule_addr_finish(&r->rule->match.src);
}

static void read_dst(struct rule_reading *r, const struct tree_node *n)
{
	r->dst = n;
	rule_values(r, n, read_addr, &r->rule->match.dst);
	rule_addr_finish(&r->rule->match.dst);
}

/* --- numbers, ranges and words for them --- */
struct span_field {
	struct sl_spans *spans;
	const struct sl_word *words;	/* NULL: none */
	uint32_t max;
	uint32_t least;		/* of a range's end; 0: any */
};

static void read_span(struct rule_reading *r, const struct tree_node *n,
		      void *arg)
{
	const struct span_field *f = arg;
	const char *s = rule_word(r, n);
	const struct sl_word *w;
	struct sl_span v;

	if (!s)
		return;
	w = f->words ? sl_word_find(f->words, s) : NULL;
	if (w)
		v = (struct sl_span){ w->value, w->value };
	else if (f->words && (s[0] < '0' || s[0] > '9')) {
		rule_wrong(r, n->line, "write a number or a name as in "
			   "docs/rules.md", "%s: %.60s is not known", r->key, s);
		return;
	} else if (!rule_range(r, n, s, f->max, &v))
		return;
	if (v.hi < f->least)
		rule_wrong(r, n->line, "count the IP header too",
			   "%s: no IP packet is as short as %.60s", r->key, s);
	else
		rule_add_span(r, f->spans, v.lo, v.hi);
}

static void read_spans(struct rule_reading *r, const struct tree_node *n,
		       struct span_field f)
{
	rule_values(r, n, read_span, &f);
	sl_spans_finish(f.spans);
}

#define MATCH(r) (&(r)->rule->match)

static void read_proto(struct rule_reading *r, const struct tree_node *n)
{
	read_spans(r, n, (struct span_field){ &MATCH(r)->proto, sl_proto_words,
					      255, 0 });
}

static void read_sport(struct rule_reading *r, const struct tree_node *n)
{
	read_spans(r, n, (struct span_field){ &MATCH(r)->sport, NULL, 65535,
					      0 });
}

static void read_dport(struct rule_reading *r, const struct tree_node *n)
{
	read_spans(r, n, (struct span_field){ &MATCH(r)->dport, NULL, 65535,
					      0 });
}

static void read_port(struct rule_reading *r, const struct tree_node *n)
{
	read_spans(r, n, (struct span_field){ &MATCH(r)->port, NULL, 65535,
					      0 });
}

static void read_length(struct rule_reading *r, const struct tree_node *n)
{
	read_spans(r, n, (struct span_field){ &MATCH(r)->length_b, NULL, 65535,
					      RULE_MIN4_B });
}

static void read_dscp(struct rule_reading *r, const struct tree_node *n)
{
	read_spans(r, n, (struct span_field){ &MATCH(r)->dscp, sl_dscp_words,
					      63, 0 });
}

/* --- sets of words --- */
static void read_frag(struct rule_reading *r, const struct tree_node *n,
		      void *arg)
{
	const char *s = rule_word(r, n);
	uint16_t *frags = arg;
	const struct sl_word *w;
	uint64_t kind;

	if (!s)
		return;
	w = sl_word_find(sl_frag_words, s);
	if (w)
		*frags |= w->value;
	else if (rule_number(s, &kind) && kind < 16 &&
		 SL_FRAGS_POSSIBLE >> kind & 1)
		*frags |= 1U << kind;
	else
		rule_wrong(r, n->line, "write none, first, later, last or dont",
			   "fragment: %.60s is no kind of fragment", s);
}

static void read_fragment(struct rule_reading *r, const struct tree_node *n)
{
	rule_values(r, n, read_frag, &MATCH(r)->frags);
}

static void read_dir(struct rule_reading *r, const struct tree_node *n,
		     void *arg)
{
	const char *s = rule_word(r, n);
	const struct sl_word *w = s ? sl_word_find(sl_dir_words, s) : NULL;
	uint8_t *dirs = arg;

	if (w)
		*dirs |= w->value;
	else if (s)
		rule_wrong(r, n->line, "write out (leaving home) or in",
			   "direction: %.60s is none", s);
}

static void read_direction(struct rule_reading *r, const struct tree_node *n)
{
	rule_values(r, n, read_dir, &MATCH(r)->dirs);
}

static void read_name(struct rule_reading *r, const struct tree_node *n,
		      void *arg)
{
	const struct sl_names *known = r->at == F_LANE ? r->ctx->lanes :
				       r->ctx->paths;
	const char *s = rule_word(r, n);

	if (s && check_name(r, n, r->at == F_LANE ? "lane" : "path", s, known,
			    "leave it out: the configuration has none") &&
	    sl_names_add(arg, s))
		r->no_memory = true;
}

static void read_lane(struct rule_reading *r, const struct tree_node *n)
{
	rule_values(r, n, read_name, &MATCH(r)->lanes);
	rule_names_finish(&MATCH(r)->lanes);
}

static void read_path(struct rule_reading *r, const struct tree_node *n)
{
	rule_values(r, n, read_name, &MATCH(r)->paths);
	rule_names_finish(&MATCH(r)->paths);
}

static void read_family(struct rule_reading *r, const struct tree_node *n)
{
	const char *s = rule_word(r, n);

	if (s && strcmp(s, "4") && strcmp(s, "6"))
		rule_wrong(r, n->line, "write 4 or 6, or leave it out for both",
			   "family: %.60s is none", s);
	else if (s)
		MATCH(r)->family = s[0] - '0';
}

static void read_header(struct rule_reading *r, const struct tree_node *n)
{
	const char *s = rule_word(r, n);

	if (!s)
		return;
	if (!strcmp(s, "inner"))
		MATCH(r)->at = SL_HEADER_INNER;
	else if (!strcmp(s, "outer"))
		MATCH(r)->at = SL_HEADER_OUTER;
	else
		rule_wrong(r, n->line, "write inner or outer",
			   "header: %.60s is none", s);
}

/* Names of ICMP types want the protocol, which may stand behind them. */
static void keep_icmp(struct rule_reading *r, const struct tree_node *n)
{
	r->icmp = n;
}

void rule_read_match(struct rule_reading *r, const struct tree_node *n)
{
	static const struct rule_key keys[] = {
		{ "src", F_SRC, read_src }, { "dst", F_DST, read_dst },
		{ "proto", F_PROTO, read_proto },
		{ "sport", F_SPORT, read_sport },
		{ "dport", F_DPORT, read_dport }, { "port", F_PORT, read_port },
		{ "icmp", F_ICMP, keep_icmp },
		{ "tcp_flags", F_TCP_FLAGS, rule_read_flags },
		{ "length_b", F_LENGTH, read_length },
		{ "dscp", F_DSCP, read_dscp },
		{ "fragment", F_FRAGMENT, read_fragment },
		{ "lane", F_LANE, read_lane }, { "path", F_PATH, read_path },
		{ "direction", F_DIRECTION, read_direction },
		{ "family", F_FAMILY, read_family },
		{ "header", F_HEADER, read_header }, {} };

	r->icmp = NULL;
	rule_map(r, n, "match", keys);
	if (r->icmp) {
		r->at = F_ICMP;
		r->key = "icmp";
		rule_read_icmp(r, r->icmp);
		r->at = F_MATCH;
	}
}
