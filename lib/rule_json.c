// SPDX-License-Identifier: GPL-2.0
/* Rules -> JSON, and lines for people. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "rule_file.h"
#include "rule_words.h"

#define N_FLAGS 4096

static void add_text(struct json_object *o, const char *key, const char *text)
{
	if (text[0])
		json_object_object_add(o, key, json_object_new_string(text));
}

static void add_list(struct json_object *o, const char *key,
		     struct json_object *list)
{
	if (json_object_array_length(list))
		json_object_object_add(o, key, list);
	else
		json_object_put(list);
}

static void push(struct json_object *list, const char *text)
{
	json_object_array_add(list, json_object_new_string(text));
}

/* A value by its word, a number, or a range "lo-hi". */
static void push_span(struct json_object *list, const struct sl_span *s,
		      const struct sl_word *words)
{
	const char *word = words ? sl_word_of(words, s->lo) : NULL;
	char text[32];

	if (s->lo != s->hi) {
		snprintf(text, sizeof(text), "%u-%u", s->lo, s->hi);
		push(list, text);
	} else if (word) {
		push(list, word);
	} else {
		json_object_array_add(list, json_object_new_int(s->lo));
	}
}

static void add_spans(struct json_object *o, const char *key,
		      const struct sl_spans *s, const struct sl_word *words)
{
	struct json_object *list = json_object_new_array();
	unsigned int i;

	for (i = 0; i < s->n; i++)
		push_span(list, &s->s[i], words);
	add_list(o, key, list);
}

static void add_addr(struct json_object *o, const char *key,
		     const struct sl_rule_addr *a)
{
	struct json_object *list = json_object_new_array();
	char text[SL_PREFIX_STR_B];
	unsigned int i;

	for (i = 0; i < a->n; i++)
		push(list, sl_prefix_str(&a->p[i], text));
	for (i = 0; i < a->n_lists; i++) {
		snprintf(text, sizeof(text), "@%s", a->list[i]);
		push(list, text);
	}
	add_list(o, key, list);
}

static void add_names(struct json_object *o, const char *key,
		      const struct sl_names *n)
{
	struct json_object *list = json_object_new_array();
	unsigned int i;

	for (i = 0; i < n->n; i++)
		push(list, n->name[i]);
	add_list(o, key, list);
}

/* --- TCP flags: a set of values as the masks that make it up --- */
struct flag_set {
	bool in[N_FLAGS], told[N_FLAGS];
};

static bool holds(const bool *set, uint32_t value, uint32_t mask)
{
	uint32_t rest = ~mask & (N_FLAGS - 1), sub = rest;

	do {	/* every subset of the bits that the mask leaves open */
		if (!set[value | sub])
			return false;
		sub = (sub - 1) & rest;
	} while (sub != rest);
	return true;
}

static void push_flags(struct json_object *o, const char *key, uint32_t flags,
		       bool or_zero)
{
	struct json_object *list = json_object_new_array();
	const struct sl_word *w;

	for (w = sl_flag_words; w->word; w++) {
		if (flags & w->value)
			push(list, w->word);
		flags &= ~w->value;
	}
	if (flags || (or_zero && !json_object_array_length(list)))
		json_object_array_add(list, json_object_new_int(flags));
	json_object_object_add(o, key, list);
}

/* The widest mask around a value that stays in the set, told. */
static struct json_object *flags_around(struct flag_set *f, uint32_t value)
{
	uint32_t mask = N_FLAGS - 1, bit, v;
	struct json_object *o = json_object_new_object();

	for (bit = N_FLAGS / 2; bit; bit /= 2)
		if (holds(f->in, value & mask & ~bit, mask & ~bit))
			mask &= ~bit;
	for (v = 0; v < N_FLAGS; v++)
		if ((v & mask) == (value & mask))
			f->told[v] = true;
	push_flags(o, "value", value & mask, false);
	push_flags(o, "mask", mask, true);
	return o;
}

static void add_flags(struct json_object *o, const struct sl_spans *s)
{
	struct flag_set *f = calloc(1, sizeof(*f));
	struct json_object *list = json_object_new_array();
	unsigned int i;
	uint32_t v;

	for (i = 0; f && i < s->n; i++)
		for (v = s->s[i].lo; v <= s->s[i].hi && v < N_FLAGS; v++)
			f->in[v] = true;
	for (v = 0; f && v < N_FLAGS; v++)
		if (f->in[v] && !f->told[v])
			json_object_array_add(list, flags_around(f, v));
	add_list(o, "tcp_flags", list);
	free(f);
}

/* --- ICMP: types, each with all codes or with some --- */
static void add_icmp(struct json_object *o, const struct sl_spans *s)
{
	struct json_object *list = json_object_new_array(), *it, *codes;
	struct sl_spans whole = {};
	uint32_t type, lo, hi;
	unsigned int i;

	for (i = 0; i < s->n; i++) {
		for (type = s->s[i].lo >> 8; type <= s->s[i].hi >> 8; type++) {
			lo = type << 8 > s->s[i].lo ? 0 : s->s[i].lo & 0xff;
			hi = (type << 8 | 0xff) < s->s[i].hi ? 0xff :
			     s->s[i].hi & 0xff;
			if (lo == 0 && hi == 0xff) {
				sl_spans_add(&whole, type, type);
				continue;
			}
			it = json_object_new_object();
			codes = json_object_new_array();
			push_span(codes, &(struct sl_span){ lo, hi }, NULL);
			json_object_object_add(it, "type",
					       json_object_new_int(type));
			json_object_object_add(it, "code", codes);
			json_object_array_add(list, it);
		}
	}
	sl_spans_finish(&whole);
	if (whole.n) {
		it = json_object_new_object();
		add_spans(it, "type", &whole, NULL);
		json_object_array_add(list, it);
	}
	free(whole.s);
	add_list(o, "icmp", list);
}

/* Words first, then the kinds that no word is left for. */
static void add_frags(struct json_object *o, uint16_t frags)
{
	struct json_object *list = json_object_new_array();
	const struct sl_word *w;
	unsigned int told = 0, i;

	frags &= SL_FRAGS_POSSIBLE;
	for (w = sl_frag_words; w->word; w++) {
		if (w->value & ~frags || !(w->value & ~told))
			continue;
		push(list, w->word);
		told |= w->value;
	}
	for (i = 0; i < 16; i++)
		if ((frags & ~told) >> i & 1)
			json_object_array_add(list, json_object_new_int(i));
	add_list(o, "fragment", list);
}

static struct json_object *match_doc(const struct sl_rule_match *m)
{
	struct json_object *o = json_object_new_object(), *dirs;
	const struct sl_word *w;

	add_addr(o, "src", &m->src);
	add_addr(o, "dst", &m->dst);
	add_spans(o, "proto", &m->proto, sl_proto_words);
	add_spans(o, "sport", &m->sport, NULL);
	add_spans(o, "dport", &m->dport, NULL);
	add_spans(o, "port", &m->port, NULL);
	add_icmp(o, &m->icmp);
	add_flags(o, &m->tcp_flags);
	add_spans(o, "length_b", &m->length_b, NULL);
	add_spans(o, "dscp", &m->dscp, sl_dscp_words);
	add_frags(o, m->frags);
	add_names(o, "lane", &m->lanes);
	add_names(o, "path", &m->paths);
	dirs = json_object_new_array();
	for (w = sl_dir_words; w->word; w++)
		if (m->dirs & w->value)
			push(dirs, w->word);
	add_list(o, "direction", dirs);
	if (m->family)
		json_object_object_add(o, "family",
				       json_object_new_int(m->family));
	if (m->at == SL_HEADER_OUTER)
		add_text(o, "header", "outer");
	return o;
}

static struct json_object *action_doc(const struct sl_rule *r)
{
	const char *word = sl_word_of(sl_action_words, r->action);
	struct json_object *o, *limit;

	if (r->action != SL_ACT_LIMIT)
		return json_object_new_string(word ? word : "");
	o = json_object_new_object();
	limit = json_object_new_object();
	json_object_object_add(limit, r->limit.pps ? "pps" : "bps",
			       json_object_new_int64(r->limit.pps ?
						     r->limit.pps :
						     r->limit.bps));
	json_object_object_add(limit, "burst",
			       json_object_new_int64(r->limit.burst));
	if (r->limit.per_source)
		add_text(limit, "per", "source");
	json_object_object_add(o, "limit", limit);
	return o;
}

/* To the nanosecond, where sl_time_str() has milliseconds. */
static void add_until(struct json_object *o, uint64_t ns)
{
	time_t s = ns / 1000000000;
	unsigned int frac_ns = ns % 1000000000;
	char text[64];
	struct tm tm;
	size_t n;

	if (!ns)
		return;
	gmtime_r(&s, &tm);
	n = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	if (frac_ns)
		n += snprintf(text + n, sizeof(text) - n, ".%09u", frac_ns);
	snprintf(text + n, sizeof(text) - n, "Z");
	add_text(o, "until", text);
}

struct json_object *sl_rule_json(const struct sl_rule *r)
{
	struct json_object *o = json_object_new_object();

	add_text(o, "id", r->id);
	json_object_object_add(o, "match", match_doc(&r->match));
	json_object_object_add(o, "action", action_doc(r));
	add_until(o, r->until_ns);
	add_text(o, "why", r->why);
	add_text(o, "tag", r->tag);
	add_text(o, "by", r->by);
	return o;
}

struct json_object *sl_ruleset_json(const struct sl_ruleset *set)
{
	struct json_object *doc = json_object_new_object();
	struct json_object *rules = json_object_new_array();
	unsigned int i;

	for (i = 0; i < set->n; i++)
		json_object_array_add(rules, sl_rule_json(&set->r[i]));
	json_object_object_add(doc, "rules", rules);
	return doc;
}

/* --- for people --- */
static void say_words(FILE *f, struct json_object *v)
{
	size_t i;

	if (!json_object_is_type(v, json_type_array)) {
		fputs(json_object_get_string(v), f);
		return;
	}
	for (i = 0; i < json_object_array_length(v); i++)
		fprintf(f, "%s%s", i ? "," : "", json_object_get_string(
			json_object_array_get_idx(v, i)));
}

/* "syn/syn,ack", "8", "3:1": two lists of an object, the second if it is. */
static void say_pair(FILE *f, struct json_object *o, const char *first,
		     const char *between, const char *second)
{
	struct json_object *v;

	if (!json_object_object_get_ex(o, first, &v))
		return;
	if (json_object_is_type(v, json_type_array) &&
	    !json_object_array_length(v))
		fputs("none", f);
	say_words(f, v);
	if (json_object_object_get_ex(o, second, &v)) {
		fputs(between, f);
		say_words(f, v);
	}
}

static void say_items(FILE *f, const char *key, struct json_object *v)
{
	bool icmp = !strcmp(key, "icmp");
	size_t i;

	for (i = 0; i < json_object_array_length(v); i++) {
		if (i)
			fputs(" or ", f);
		say_pair(f, json_object_array_get_idx(v, i), icmp ? "type" :
			 "value", icmp ? ":" : "/", icmp ? "code" : "mask");
	}
}

const char *sl_rule_match_text(const struct sl_rule_match *m, char *buf,
			       size_t len_b)
{
	struct json_object *doc = match_doc(m);
	FILE *f = fmemopen(buf, len_b, "w");
	const char *gap = "";

	snprintf(buf, len_b, "any packet");
	json_object_object_foreach(doc, key, v) {
		if (!f)
			break;
		fprintf(f, "%s%s ", gap, key);
		if (!strcmp(key, "icmp") || !strcmp(key, "tcp_flags"))
			say_items(f, key, v);
		else
			say_words(f, v);
		gap = " ";
	}
	if (f)
		fclose(f);
	json_object_put(doc);
	buf[len_b - 1] = '\0';
	return buf;
}

const char *sl_rule_action_text(const struct sl_rule *r, char *buf,
				size_t len_b)
{
	const char *word = sl_word_of(sl_action_words, r->action);

	if (r->action != SL_ACT_LIMIT)
		snprintf(buf, len_b, "%s", word ? word : "?");
	else if (r->limit.pps)
		snprintf(buf, len_b, "limit %llu pps burst %llu%s",
			 (unsigned long long)r->limit.pps,
			 (unsigned long long)r->limit.burst,
			 r->limit.per_source ? " per source" : "");
	else
		snprintf(buf, len_b, "limit %llu bit/s burst %llu B%s",
			 (unsigned long long)r->limit.bps,
			 (unsigned long long)r->limit.burst,
			 r->limit.per_source ? " per source" : "");
	return buf;
}
