// SPDX-License-Identifier: GPL-2.0
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cli.h"
#include "plain.h"

static const struct option_spec *spec_of(const struct option_spec *s,
					 const char *word)
{
	for (; s && s->name; s++)
		if (!strcmp(s->name, word))
			return s;
	return NULL;
}

/* "-" and negative times such as -1h are operands or values, no options. */
static bool is_option(const char *word)
{
	return word[0] == '-' && word[1] && !(word[1] >= '0' && word[1] <= '9');
}

int cli_options(struct cli *cli, const struct option_spec *spec, int *argc,
		char **argv)
{
	const struct option_spec *s;
	int i, n = 0;

	for (i = 0; i < *argc; i++) {
		if (!strcmp(argv[i], "--")) {
			while (++i < *argc)
				argv[n++] = argv[i];
			break;
		}
		if (!is_option(argv[i])) {
			argv[n++] = argv[i];
			continue;
		}
		s = spec_of(spec, argv[i]);
		if (!s)
			return cli_usage(cli, "unknown option %s", argv[i]);
		if (s->flag)
			*s->flag = true;
		else if (i + 1 == *argc)
			return cli_usage(cli, "%s wants a value", argv[i]);
		else
			*s->value = argv[++i];
	}
	*argc = n;
	return 0;
}

static int say(const struct cli *cli, int code, const char *remedy,
	       const char *fmt, va_list ap)
{
	char message[512];
	struct json_object *doc, *e;

	vsnprintf(message, sizeof(message), fmt, ap);
	sl_plain(message);
	if (!cli->json) {
		fprintf(stderr, "sealane: %s%s%s\n", message,
			remedy[0] ? "; " : "", remedy);
		return code;
	}
	doc = json_object_new_object();
	e = json_object_new_object();
	json_object_object_add(e, "message", json_object_new_string(message));
	json_object_object_add(e, "remedy", json_object_new_string(remedy));
	json_object_object_add(doc, "error", e);
	cli_json(cli, doc);
	json_object_put(doc);
	return code;
}

int cli_error(const struct cli *cli, int code, const char *remedy,
	      const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(cli, code, remedy, fmt, ap);
	va_end(ap);
	return code;
}

int cli_usage(const struct cli *cli, const char *fmt, ...)
{
	char remedy[256];
	va_list ap;

	snprintf(remedy, sizeof(remedy), "usage: sealane %s %s",
		 cli->cmd ? cli->cmd->name : "COMMAND",
		 cli->cmd ? cli->cmd->args : "...");
	va_start(ap, fmt);
	say(cli, USAGE, remedy, fmt, ap);
	va_end(ap);
	return USAGE;
}

bool cli_json(const struct cli *cli, struct json_object *doc)
{
	int flags = JSON_C_TO_STRING_NOSLASHESCAPE |
		    (cli->pretty ? JSON_C_TO_STRING_PRETTY |
				   JSON_C_TO_STRING_SPACED : 0);

	if (!cli->json)
		return false;
	puts(json_object_to_json_string_ext(doc, flags));
	return true;
}

static void show_mistake(struct json_object *m)
{
	const char *rule = cli_text(m, "rule");

	fputs(cli_text(m, "file"), stderr);
	if (cli_int(m, "line"))
		fprintf(stderr, ":%s", cli_text(m, "line"));
	fprintf(stderr, ": %s%s%s%s; %s\n", rule[0] ? "rule " : "", rule,
		rule[0] ? ": " : "", cli_text(m, "message"),
		cli_text(m, "remedy"));
}

void cli_items(struct json_object *items)
{
	struct json_object *one;
	size_t i;

	for (i = 0; i < json_object_array_length(items); i++) {
		one = json_object_array_get_idx(items, i);
		if (json_object_is_type(one, json_type_object))
			show_mistake(one);
		else
			fprintf(stderr, "  %s\n", json_object_get_string(one));
	}
}

const char *cli_text(struct json_object *o, const char *key)
{
	struct json_object *v;

	if (!json_object_object_get_ex(o, key, &v) || !v)
		return "";
	return json_object_get_string(v);
}

int64_t cli_int(struct json_object *o, const char *key)
{
	struct json_object *v;

	return json_object_object_get_ex(o, key, &v) ?
	       json_object_get_int64(v) : 0;
}

void cli_live(struct json_object *doc)
{
	struct json_object *live, *share;

	if (!json_object_object_get_ex(doc, "live", &live) || !live)
		return;
	if (!json_object_object_get_ex(live, "dropped_share", &share) || !share)
		printf("what is dropped of the live traffic is NOT KNOWN: %s "
		       "packets were sampled so far\n",
		       cli_text(live, "sampled_packets"));
	else
		printf("%.1f %% of the live traffic that passed before is "
		       "dropped\n", json_object_get_double(share) * 100);
}

static void cell(char *buf, size_t len, const struct column *c,
		 struct json_object *row)
{
	struct json_object *v;

	if (!json_object_object_get_ex(row, c->key, &v) || !v)
		snprintf(buf, len, "-");
	else if (c->kind == COL_MS)
		snprintf(buf, len, json_object_get_double(v) < 1e5 ? "%.4f" :
			 "%.2f", json_object_get_double(v) / 1e6);
	else
		snprintf(buf, len, "%s", json_object_get_string(v));
	sl_plain(buf);
}

void cli_table(const struct column *cols, struct json_object *rows)
{
	size_t i, n = json_object_array_length(rows), width;
	const struct column *c;
	char buf[256];
	int *w, k, pad;

	for (k = 0; cols[k].key; k++)
		;
	w = calloc(k + 1, sizeof(*w));
	for (c = cols; w && c->key; c++) {
		width = strlen(c->title);
		for (i = 0; i < n; i++) {
			cell(buf, sizeof(buf), c,
			     json_object_array_get_idx(rows, i));
			if (sl_plain_chars(buf) > width)
				width = sl_plain_chars(buf);
		}
		w[c - cols] = width;
	}
	for (i = 0; w && i <= n; i++) {
		for (c = cols; c->key; c++) {
			if (i)
				cell(buf, sizeof(buf), c,
				     json_object_array_get_idx(rows, i - 1));
			else
				snprintf(buf, sizeof(buf), "%s", c->title);
			pad = w[c - cols] - (int)sl_plain_chars(buf);
			if (c->kind == COL_TEXT)	/* none at a line's end */
				printf("%s%*s", buf, c[1].key ? pad + 2 : 0,
				       "");
			else
				printf("%*s%s%s", pad, "", buf,
				       c[1].key ? "  " : "");
			if (!c[1].key)
				putchar('\n');
		}
	}
	free(w);
}
