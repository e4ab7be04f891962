// SPDX-License-Identifier: GPL-2.0
/*
 * Tokens as the agent knows them: the file (lib/token.h) is read anew when it has
 * changed. Each name has a number of its own for ever, which stands for its holder
 * where the store has a user's.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "api.h"
#include "commits.h"
#include "duration.h"
#include "store_priv.h"
#include "token.h"

#define NAMES_MOST 4096		/* that ever were */

struct tokens {
	char *path;			/* NULL: none is named */
	struct sl_tokens all;
	uid_t *uid;			/* of each */
	struct stat seen;		/* the file when it was read */
};

/* Of those that were removed too: what they did keeps its name. */
static char names[NAMES_MOST][SL_NAME_B];

const char *token_name(uid_t uid)
{
	return uid >= TOKEN_UID && uid - TOKEN_UID < NAMES_MOST &&
	       names[uid - TOKEN_UID][0] ? names[uid - TOKEN_UID] : NULL;
}

const char *caller_token(const struct caller *who)
{
	return strncmp(who->name, "token ", 6) ? NULL : who->name + 6;
}

void tokens_free(struct tokens *t)
{
	if (!t)
		return;
	free(t->path);
	free(t->all.t);
	free(t->uid);
	free(t);
}

/* 0: read, or there is no such file yet. */
static int tokens_read(struct tokens *t, char *why, size_t why_b)
{
	int rc = sl_tokens_load(t->path, &t->all, why, why_b);

	if (rc && rc != -ENOENT)
		return rc;
	t->uid = calloc(t->all.n + 1, sizeof(*t->uid));
	return t->uid ? 0 : -ENOMEM;
}

int tokens_load(const struct sl_config *cfg, struct tokens **out,
		struct refusal *r)
{
	struct tokens *t = calloc(1, sizeof(*t));
	char why[TEXT_B] = "out of memory";
	int rc = t ? 0 : -ENOMEM;

	if (t && cfg->tokens) {
		t->path = strdup(cfg->tokens);
		rc = t->path ? 0 : -ENOMEM;
		if (!rc && stat(t->path, &t->seen))
			t->seen = (struct stat){};
		if (!rc)
			rc = tokens_read(t, why, sizeof(why));
	}
	if (!rc) {
		*out = t;
		return 0;
	}
	tokens_free(t);
	return refuse(r, 400, "write it with sealane token add", "%s", why);
}

static void number_one(struct agent *a, struct tokens *t, unsigned int i)
{
	bool in_use[NAMES_MOST] = {};
	unsigned int k;
	int id;

	for (k = 0; k < NAMES_MOST; k++)
		in_use[k] = names[k][0];
	id = store_id(a, "token", t->all.t[i].name, NAMES_MOST, in_use);
	t->uid[i] = id < 0 ? (uid_t)-1 : TOKEN_UID + id;
	if (id >= 0)
		strcpy(names[id], t->all.t[i].name);
}

/* The names that the store knows, once. */
static void load_names(struct agent *a)
{
	static bool loaded;
	sqlite3_stmt *s;
	int64_t id;

	if (loaded)
		return;
	loaded = true;
	s = store_prepare(a, "SELECT name,id FROM ids WHERE kind='token'");
	while (s && sqlite3_step(s) == SQLITE_ROW) {
		id = sqlite3_column_int64(s, 1);
		if (id > 0 && id < NAMES_MOST)
			store_copy_text(s, 0, names[id], sizeof(names[id]));
	}
	sqlite3_finalize(s);
}

void tokens_number(struct agent *a, struct tokens *t)
{
	unsigned int i;

	load_names(a);
	for (i = 0; i < t->all.n; i++)
		number_one(a, t, i);
}

static bool is_same(const struct stat *x, const struct stat *y)
{
	return x->st_ino == y->st_ino && x->st_size == y->st_size &&
	       x->st_mtim.tv_sec == y->st_mtim.tv_sec &&
	       x->st_mtim.tv_nsec == y->st_mtim.tv_nsec &&
	       x->st_mode == y->st_mode && x->st_uid == y->st_uid;
}

/* A file that is gone revokes all its tokens; one that cannot be read leaves them
 * as they were, and that is said. */
void tokens_second(struct agent *a)
{
	struct tokens *old = a->api->tokens, *t;
	struct stat now = {};
	char why[TEXT_B] = "";

	if (!old || !old->path || (stat(old->path, &now), is_same(&now, &old->seen)))
		return;
	old->seen = now;
	t = calloc(1, sizeof(*t));
	if (!t)
		return;
	t->seen = now;
	t->path = strdup(old->path);
	if (!t->path || tokens_read(t, why, sizeof(why))) {
		tokens_free(t);
		event(a, LOG_ERR, "access", NULL, "tokens are as they were: %s",
		      why);
		return;
	}
	tokens_number(a, t);
	tokens_free(old);
	a->api->tokens = t;
	event(a, LOG_NOTICE, "access", NULL, "%s: %u tokens are in force",
	      t->path, t->all.n);
}

static bool is_over(const struct sl_token *t)
{
	return t->until_ns && t->until_ns <= sl_now_ns();
}

enum sl_role token_role(const struct tokens *t, const char *secret,
			struct caller *who)
{
	const struct sl_token *one, *found = NULL;
	unsigned int i;

	/* all of them, so that time does not tell which it was */
	for (i = 0; t && i < t->all.n; i++) {
		one = &t->all.t[i];
		if (!sl_token_fits(one, secret))
			continue;
		found = one;
		who->uid = t->uid[i];
	}
	if (!found || is_over(found))
		return SL_ROLE_NONE;
	strcpy(who->name, "token ");
	strcat(who->name, found->name);
	return found->role;
}

enum sl_role token_still(const struct tokens *t, const char *name)
{
	unsigned int i;

	for (i = 0; t && i < t->all.n; i++)
		if (!strcmp(t->all.t[i].name, name))
			return is_over(&t->all.t[i]) ? SL_ROLE_NONE :
			       t->all.t[i].role;
	return SL_ROLE_NONE;
}
