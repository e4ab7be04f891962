// SPDX-License-Identifier: GPL-2.0
/* Rule files, second step: the rules of a tree, and their own keys. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "duration.h"
#include "rule_priv.h"

/* --- a rule's own keys --- */
#define ID_CHARS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ" \
	"0123456789._:-"

static bool is_id(const char *s)
{
	size_t n = strlen(s);

	return n && n < SL_RULE_ID_B && strspn(s, ID_CHARS) == n;
}

static void read_id(struct rule_reading *r, const struct tree_node *n)
{
	const char *s = rule_word(r, n);

	if (!s)
		return;
	if (!is_id(s))
		rule_wrong(r, n->line, "1 to 63 letters, digits, dots, colons, "
			   "dashes and underscores",
			   "id %.60s is no valid id", s);
	else if (!r->ctx->stored && (!strncmp(s, "guard:", 6) ||
				     !strncmp(s, "flowspec:", 9)))
		rule_wrong(r, n->line, "give it another id", "id %s: guard: "
			   "and flowspec: are the agent's own", s);
	else
		strcpy(r->rule->id, s);
}

/*
 * One line of text: no control characters, and none of Unicode's line ends and
 * marks, which YAML takes for its own. s is UTF-8, as libyaml has seen to.
 */
static bool is_line(const char *s)
{
	const unsigned char *c = (const unsigned char *)s;

	for (; *c; c++)
		if (*c < 0x20 || *c == 0x7f ||
		    (c[0] == 0xc2 && c[1] < 0xa0) ||		/* C1 */
		    (c[0] == 0xe2 && c[1] == 0x80 &&
		     (c[2] == 0xa8 || c[2] == 0xa9)) ||		/* 2028, 2029 */
		    (c[0] == 0xef && c[1] == 0xbb && c[2] == 0xbf) ||
		    (c[0] == 0xef && c[1] == 0xbf && c[2] >= 0xbe))
			return false;
	return true;
}

static void read_text(struct rule_reading *r, const struct tree_node *n,
		      char *out, size_t room_b)
{
	const char *s = rule_word(r, n);
	char remedy[60];

	if (!s)
		return;
	snprintf(remedy, sizeof(remedy), "write at most %zu bytes",
		 room_b - 1);
	if (!is_line(s))
		rule_wrong(r, n->line, "write one line of plain text",
			   "%s has a control character in it", r->key);
	else if (strlen(s) >= room_b)
		rule_wrong(r, n->line, remedy, "%s is %zu bytes long", r->key,
			   strlen(s));
	else
		strcpy(out, s);
}

static void read_why(struct rule_reading *r, const struct tree_node *n)
{
	read_text(r, n, r->rule->why, sizeof(r->rule->why));
}

static void read_tag(struct rule_reading *r, const struct tree_node *n)
{
	read_text(r, n, r->rule->tag, sizeof(r->rule->tag));
}

static void read_by(struct rule_reading *r, const struct tree_node *n)
{
	read_text(r, n, r->rule->by, sizeof(r->rule->by));
}

/* RFC 3339 to the letter, and a day that exists: sl_time_parse() is lenient. */
static bool is_date(const char *s)
{
	static const char form[] = "dddd-dd-ddTdd:dd:dd";
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30,
				    31 };
	int year, month, day, i;

	for (i = 0; form[i]; i++)
		if (form[i] == 'd' ? s[i] < '0' || s[i] > '9' : s[i] != form[i])
			return false;
	sscanf(s, "%4d-%2d-%2d", &year, &month, &day);
	if (s[i] == '.' && (s[i + 1] < '0' || s[i + 1] > '9'))
		return false;
	/* ns since 1970 must fit into 63 bits */
	return year >= 1970 && year < 2262 && month >= 1 && month <= 12 &&
	       day >= 1 && day <= days[month - 1] + (month == 2 &&
	       year % 4 == 0 && (year % 100 != 0 || year % 400 == 0));
}

static void read_until(struct rule_reading *r, const struct tree_node *n)
{
	const char *s = rule_word(r, n);
	uint64_t ns;

	if (!s)
		return;
	if (!is_date(s) || sl_time_parse(s, 0, &ns) || !ns)
		rule_wrong(r, n->line, "write a time such as "
			   "2026-12-01T00:00:00Z", "until: %.60s is no time",
			   s);
	else if (!r->ctx->stored && ns <= r->ctx->now_ns)
		rule_wrong(r, n->line, "set a later end or remove the rule",
			   "until: %.60s is past", s);
	else
		r->rule->until_ns = ns;
}

static const struct rule_key rule_keys[] = {
	{ "id", F_RULE, read_id }, { "match", F_MATCH, rule_read_match },
	{ "action", F_ACTION, rule_read_action },
	{ "until", F_RULE, read_until }, { "why", F_RULE, read_why },
	{ "tag", F_RULE, read_tag }, { "by", F_RULE, read_by }, {}
};

/* --- rules --- */
static void read_rule(struct rule_reading *r, const struct tree_node *n)
{
	const struct tree_node *id = tree_key(r->tree, n, "id");

	r->id = id && id->kind == TREE_SCALAR && is_id(id->text) ? id->text :
		"";
	r->bad = 0;
	r->at = F_RULE;
	r->src = r->dst = NULL;
	memset(r->line, 0, sizeof(r->line));
	r->line[F_RULE] = r->rule->line = n->line;
	rule_map(r, n, "a rule", rule_keys);
	r->at = F_RULE;
	if (n->kind != TREE_MAP)
		return;
	if (!id)
		rule_wrong(r, n->line, "add id: with a word for it",
			   "a rule has no id");
	if (!r->line[F_MATCH])
		rule_wrong(r, n->line, "add match: {...}; {} is every packet",
			   "the rule has no match");
	if (!r->line[F_ACTION])
		rule_wrong(r, n->line, "add action: drop, count, pass or "
			   "{limit: {...}}", "the rule has no action");
	rule_judge(r);
}

static int by_id(const void *x, const void *y)
{
	const struct sl_rule *const *a = x, *const *b = y;
	int rc = strcmp((*a)->id, (*b)->id);

	return rc ? rc : *a < *b ? -1 : *a > *b;
}

/* An id stands for one rule, also over commits: say where it stood first. */
static int find_doubles(const struct sl_ruleset *set,
			struct sl_mistakes *all)
{
	const struct sl_rule **sorted, *first = NULL;
	unsigned int i;

	sorted = malloc((set->n + 1) * sizeof(*sorted));
	if (!sorted)
		return -ENOMEM;
	for (i = 0; i < set->n; i++)
		sorted[i] = &set->r[i];
	qsort(sorted, set->n, sizeof(*sorted), by_id);
	for (i = 0; i < set->n; i++) {
		if (!first || strcmp(first->id, sorted[i]->id))
			first = sorted[i];
		else if (first->id[0])
			sl_rule_mistake(all, sorted[i]->line, first->id,
					"give it another id", "id %s stands on "
					"line %lu already", first->id,
					first->line);
	}
	free(sorted);
	return 0;
}

static int read_rules(struct rule_reading *r, const struct tree_node *list,
		      struct sl_ruleset *out)
{
	unsigned int most = r->ctx->stored ? SL_MAX_RULES : SL_RULE_FILE_RULES;
	const struct tree_node *n;
	char remedy[60];

	snprintf(remedy, sizeof(remedy), "have at most %u rules; put addresses "
		 "into lists", most);
	for (n = tree_first(r->tree, list); n; n = tree_next(r->tree, n)) {
		if (out->n == most) {
			r->id = "";
			rule_wrong(r, n->line, remedy, "%u rules are too many",
				   list->n);
			break;
		}
		r->rule = sl_ruleset_add(out);
		if (!r->rule)
			return -ENOMEM;
		read_rule(r, n);
		if (r->no_memory)
			return -ENOMEM;
	}
	return find_doubles(out, r->all);
}

static void nothing(struct rule_reading *r, const struct tree_node *n)
{
	(void)r;
	(void)n;
}

static int read_root(struct rule_reading *r, struct sl_ruleset *out)
{
	static const struct rule_key keys[] = { { "rules", F_RULE, nothing },
						{} };
	const struct tree_node *root = r->tree->node, *list;

	rule_map(r, root, "the file", keys);
	list = tree_key(r->tree, root, "rules");
	if (list && list->kind == TREE_LIST)
		return read_rules(r, list, out);
	if (list)
		rule_wrong(r, list->line, "write a list of rules; [] is none",
			   "rules must be a list");
	else if (root->kind == TREE_MAP)
		rule_wrong(r, root->line, "add rules: [...]",
			   "the file has no rules");
	return 0;
}

int sl_rule_file_parse(const char *text, size_t len_b,
		       const struct sl_rule_context *ctx,
		       struct sl_ruleset *out, struct sl_mistakes *all)
{
	static const struct sl_rule_context nothing_known;
	struct rule_reading r = { .ctx = ctx ? ctx : &nothing_known,
				  .all = all, .id = "", .key = "" };
	size_t before = all->total;
	struct tree_fault why = {};
	struct tree t;
	int rc;

	memset(out, 0, sizeof(*out));
	rc = tree_read(text, len_b, &t, &why);
	if (rc == -EINVAL)
		sl_rule_mistake(all, why.line, "", why.remedy, "%s",
				why.message);
	if (rc)
		return rc;
	r.tree = &t;
	rc = read_root(&r, out);
	tree_free(&t);
	if (!rc && all->total > before) {
		sl_mistakes_sort(all);
		rc = -EINVAL;
	}
	if (rc)
		sl_ruleset_free(out);
	return rc;
}

/* --- files --- */
static int read_all(int fd, char **text, size_t *len_b)
{
	size_t room = 1 << 16;
	ssize_t n = 0;
	char *grown;

	*len_b = 0;
	*text = malloc(room);
	while (*text && (n = read(fd, *text + *len_b, room - *len_b - 1)) > 0) {
		*len_b += n;
		if (*len_b > SL_RULE_FILE_MAX_B)
			return -EFBIG;
		if (*len_b + 1 < room)
			continue;
		grown = realloc(*text, room *= 2);
		if (!grown)
			return -ENOMEM;
		*text = grown;
	}
	if (!*text)
		return -ENOMEM;
	(*text)[*len_b] = '\0';
	return n < 0 ? -errno : 0;
}

int sl_rule_file_read(const char *path, char **text, size_t *len_b,
		      struct sl_mistakes *all)
{
	int fd = strcmp(path, "-") ? open(path, O_RDONLY | O_CLOEXEC) : 0;
	int rc = fd < 0 ? -errno : 0;

	*text = NULL;
	if (!rc)
		rc = read_all(fd, text, len_b);
	if (fd > 0)
		close(fd);
	if (!rc)
		return 0;
	free(*text);
	*text = NULL;
	if (rc == -ENOMEM)
		return rc;
	if (rc == -EFBIG)
		sl_rule_mistake(all, 0, "", "put addresses into lists",
				"the file is over %lu MB",
				SL_RULE_FILE_MAX_B >> 20);
	else
		sl_rule_mistake(all, 0, "", "name a file that can be read",
				"%s", strerror(-rc));
	return -EINVAL;
}

int sl_rule_file_load(const char *path, const struct sl_rule_context *ctx,
		      struct sl_ruleset *out, struct sl_mistakes *all)
{
	char *text;
	size_t len_b;
	int rc = sl_rule_file_read(path, &text, &len_b, all);

	memset(out, 0, sizeof(*out));
	if (!rc)
		rc = sl_rule_file_parse(text, len_b, ctx, out, all);
	free(text);
	return rc;
}
