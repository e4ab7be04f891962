// SPDX-License-Identifier: GPL-2.0
/* Rule files, first step: text -> tree. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>
#include "rule_tree.h"

struct building {
	struct tree *t;
	struct tree_fault *why;
	uint32_t open[TREE_DEPTH];	/* lists and maps, outermost first */
	int depth;
};

static int fault(struct building *b, unsigned long line, const char *remedy,
		 const char *message)
{
	b->why->line = line;
	b->why->remedy = remedy;
	snprintf(b->why->message, sizeof(b->why->message), "%s", message);
	return -EINVAL;
}

/* A node at the end of the innermost open one. */
static int add(struct building *b, enum tree_kind kind, const yaml_event_t *e)
{
	struct tree *t = b->t;
	struct tree_node *n, *up;
	unsigned long line = e->start_mark.line + 1;

	if (t->n == TREE_NODES)
		return fault(b, line, "put addresses into a list",
			     "the file has more than a million values");
	if (t->n == t->room) {
		uint32_t room = t->room ? t->room * 2 : 64;

		n = realloc(t->node, room * sizeof(*n));
		if (!n)
			return -ENOMEM;
		t->node = n;
		t->room = room;
	}
	n = &t->node[t->n];
	*n = (struct tree_node){ .kind = kind, .line = line };
	if (b->depth) {
		up = &t->node[b->open[b->depth - 1]];
		if (up->last)
			t->node[up->last].next = t->n;
		else
			up->first = t->n;
		up->last = t->n;
		up->n++;
	}
	t->n++;
	return 0;
}

static int open_node(struct building *b, enum tree_kind kind,
		     const yaml_event_t *e)
{
	int rc;

	if (b->depth == TREE_DEPTH)
		return fault(b, e->start_mark.line + 1, "see docs/rules.md",
			     "lists and maps are nested too deeply");
	rc = add(b, kind, e);
	if (!rc)
		b->open[b->depth++] = b->t->n - 1;
	return rc;
}

/* The node takes the event's string over. */
static int add_scalar(struct building *b, yaml_event_t *e)
{
	struct tree_node *n;
	int rc = add(b, TREE_SCALAR, e);

	if (rc)
		return rc;
	n = &b->t->node[b->t->n - 1];
	n->text = (char *)e->data.scalar.value;
	n->text_b = e->data.scalar.length;
	n->plain = e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	e->data.scalar.value = NULL;
	if (memchr(n->text, 0, n->text_b))
		return fault(b, n->line, "remove it",
			     "a value has a NUL character in it");
	return 0;
}

/* What plain data does not need: names for values, and types. */
static int refuse_extras(struct building *b, const yaml_event_t *e)
{
	const yaml_char_t *anchor = NULL, *tag = NULL;

	if (e->type == YAML_SCALAR_EVENT) {
		anchor = e->data.scalar.anchor;
		tag = e->data.scalar.tag;
	} else if (e->type == YAML_SEQUENCE_START_EVENT) {
		anchor = e->data.sequence_start.anchor;
		tag = e->data.sequence_start.tag;
	} else if (e->type == YAML_MAPPING_START_EVENT) {
		anchor = e->data.mapping_start.anchor;
		tag = e->data.mapping_start.tag;
	}
	if (e->type == YAML_ALIAS_EVENT || anchor)
		return fault(b, e->start_mark.line + 1, "write the value out",
			     "anchors and aliases (& and *) are not read");
	if (tag)
		return fault(b, e->start_mark.line + 1, "remove it",
			     "tags (!) are not read");
	return 0;
}

static int take(struct building *b, yaml_event_t *e)
{
	int rc = refuse_extras(b, e);

	if (rc)
		return rc;
	switch (e->type) {
	case YAML_DOCUMENT_START_EVENT:
		return b->t->n ? fault(b, e->start_mark.line + 1,
				       "keep one document in a file",
				       "a second document begins") : 0;
	case YAML_SCALAR_EVENT:
		return add_scalar(b, e);
	case YAML_SEQUENCE_START_EVENT:
		return open_node(b, TREE_LIST, e);
	case YAML_MAPPING_START_EVENT:
		return open_node(b, TREE_MAP, e);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		b->depth--;
		return 0;
	default:
		return 0;
	}
}

/* Where it stands; of bytes that are no text only their place is known. */
static unsigned long line_of(const yaml_parser_t *p, const char *text,
			     size_t len_b)
{
	unsigned long line = 0;
	size_t i;

	if (p->error != YAML_READER_ERROR)
		return p->problem_mark.line ? p->problem_mark.line :
		       p->context_mark.line;
	for (i = 0; i < p->problem_offset && i < len_b; i++)
		line += text[i] == '\n';
	return line;
}

static int yaml_fault(struct building *b, const yaml_parser_t *p,
		      unsigned long line)
{
	char text[160];

	if (p->error == YAML_MEMORY_ERROR)
		return -ENOMEM;
	snprintf(text, sizeof(text), "%s%s%s", p->problem ? p->problem :
		 "not YAML", p->context ? ", " : "",
		 p->context ? p->context : "");
	return fault(b, line + 1, "mend the YAML or JSON at this place", text);
}

int tree_read(const char *text, size_t len_b, struct tree *out,
	      struct tree_fault *why)
{
	struct building b = { .t = out, .why = why };
	bool end = false;
	yaml_parser_t p;
	yaml_event_t e;
	int rc = 0;

	memset(out, 0, sizeof(*out));
	if (!yaml_parser_initialize(&p))
		return -ENOMEM;
	yaml_parser_set_input_string(&p, (const unsigned char *)text, len_b);
	while (!rc && !end) {
		if (!yaml_parser_parse(&p, &e)) {
			rc = yaml_fault(&b, &p, line_of(&p, text, len_b));
			break;
		}
		end = e.type == YAML_STREAM_END_EVENT;
		rc = take(&b, &e);
		yaml_event_delete(&e);
	}
	yaml_parser_delete(&p);
	if (!rc && !out->n)
		rc = fault(&b, 0, "write `rules: []` to have none",
			   "the file is empty");
	if (rc)
		tree_free(out);
	return rc;
}

void tree_free(struct tree *t)
{
	uint32_t i;

	for (i = 0; i < t->n; i++)
		free(t->node[i].text);
	free(t->node);
	memset(t, 0, sizeof(*t));
}

const struct tree_node *tree_first(const struct tree *t,
				   const struct tree_node *n)
{
	return n->first ? &t->node[n->first] : NULL;
}

const struct tree_node *tree_next(const struct tree *t,
				  const struct tree_node *n)
{
	return n->next ? &t->node[n->next] : NULL;
}

const struct tree_node *tree_key(const struct tree *t,
				 const struct tree_node *map, const char *key)
{
	const struct tree_node *k;

	if (map->kind != TREE_MAP)
		return NULL;
	for (k = tree_first(t, map); k; k = tree_next(t, tree_next(t, k)))
		if (k->kind == TREE_SCALAR && !strcmp(k->text, key))
			return tree_next(t, k);
	return NULL;
}
