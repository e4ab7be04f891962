// SPDX-License-Identifier: GPL-2.0
/* What is asked of the agent, and how often: nothing more than once a round, and
 * what takes long less often, so that no answer's making takes more than a
 * fiftieth of the agent's time. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "duration.h"
#include "plain.h"
#include "watch_data.h"

#define S_NS		1000000000ULL
#define TIMEOUT_MS	5000
#define SHARE		50	/* part of the time an answer may take */
#define RARE_S		10	/* history has no finer steps */
#define TREND_LANES	64	/* in one question; the next ones next round */
#define MISSING_S	60	/* an older agent may be replaced by a newer one */

#define TEXT_OF(n) #n
#define TEXT(n) TEXT_OF(n)

struct question {
	const char *path;
	bool of_lane;		/* that is looked into: lane= is added */
	bool optional;		/* older agents do not have it */
	bool rare;
};

static const struct question questions[ASKS] = {
	[ASK_STATUS] = { "status", false, false, false },
	[ASK_LANES] = { "lanes", false, false, false },
	[ASK_TRENDS] = { "history?by=lane,path&step=10s&since=-10m", false,
			 true, true },
	[ASK_RULES] = { "rules", false, false, false },
	[ASK_FLOWSPEC] = { "flowspec", false, true, false },
	[ASK_LISTS] = { "lists", false, false, false },
	[ASK_BLOCKS] = { "blocks", false, false, false },
	[ASK_EVENTS] = { "events?limit=" TEXT(WATCH_EVENTS), false, false,
			 false },
	[ASK_LATENCY] = { "latency?by=path,method,half", true, false, false },
	[ASK_PREFIXES] = { "latency?by=prefix", true, true, true },
	[ASK_HISTORY] = { "history?by=lane&step=60s&since=-2h", true, true,
			  true },
};

/* An answer that replaces the former one, for the lane that is looked into. */
static void keep(struct json_object **former, struct json_object *doc)
{
	json_object_put(*former);
	*former = json_object_get(doc);
}

static void take(struct watch_feed *f, enum watch_ask ask,
		 struct json_object *doc, uint64_t mono_ns)
{
	struct watch_model *m = &f->m;

	switch (ask) {
	case ASK_STATUS: watch_take_status(m, doc); break;
	case ASK_LANES: watch_take_lanes(m, doc); break;
	case ASK_TRENDS: watch_take_trends(m, doc); break;
	case ASK_RULES: watch_take_drops(m, WATCH_RULE, doc, mono_ns); break;
	case ASK_FLOWSPEC:
		watch_take_drops(m, WATCH_FLOWSPEC, doc, mono_ns);
		break;
	case ASK_LISTS: watch_take_drops(m, WATCH_LIST, doc, mono_ns); break;
	case ASK_BLOCKS: watch_take_drops(m, WATCH_BLOCK, doc, mono_ns); break;
	case ASK_EVENTS: watch_take_events(m, doc); break;
	case ASK_LATENCY: keep(&m->latency, doc); break;
	case ASK_PREFIXES: keep(&m->prefixes, doc); break;
	case ASK_HISTORY: keep(&m->history, doc); break;
	default: break;
	}
}

/* Nobody there: said with the remedy, as other commands do. */
static void lose(struct watch_feed *f, const char *why)
{
	struct watch_model *m = &f->m;

	m->reached = false;
	if (!m->lost_ns)
		m->lost_ns = m->now_ns;
	snprintf(m->why, sizeof(m->why), "no agent at %s: %s", cli_where(f->cli),
		 why);
	sl_plain(m->why);
}

static void refused(struct watch_feed *f, enum watch_ask ask, long status,
		    struct json_object *doc)
{
	struct json_object *e = watch_member(doc, "error");
	char message[200], remedy[200];
	bool missing = status == 404 && questions[ask].optional;

	watch_word(e, "message", message, sizeof(message));
	watch_word(e, "remedy", remedy, sizeof(remedy));
	if (!message[0])
		snprintf(message, sizeof(message), "an answer of no known form "
			 "(status %ld)", status);
	if (ask == ASK_PREFIXES)
		strcpy(f->m.no_prefixes, message);
	else if (ask == ASK_HISTORY)
		strcpy(f->m.no_history, message);
	else if (!missing && ask != ASK_TRENDS)
		snprintf(f->trouble[ask], sizeof(f->trouble[ask]),
			 "GET %.40s: %s%s%s.", questions[ask].path, message,
			 remedy[0] ? "; " : "", remedy);
	if (missing)
		f->due_ns[ask] = sl_mono_ns() + MISSING_S * S_NS;
}

/* The lanes from the row on that comes next; the row behind them. */
static unsigned int name_lanes(const struct watch_feed *f, char *path,
			       size_t len)
{
	const struct watch_row *r = f->m.rows;
	unsigned int i, n = 0;

	for (i = f->trends; i < f->m.n_rows; i++) {
		if (i > f->trends && !strcmp(r[i].lane, r[i - 1].lane))
			continue;
		if (++n > TREND_LANES)
			break;
		cli_query(path, len, "lane", r[i].lane);
	}
	return i;
}

/* The minutes that were before we began; the model keeps them from there on. */
static void note_trends(struct watch_feed *f, unsigned int rows)
{
	f->trends = rows;
	f->due_ns[ASK_TRENDS] = rows < f->m.n_rows ? 0 : UINT64_MAX;
}

/* true: there is somebody. */
static bool ask_one(struct watch_feed *f, enum watch_ask ask)
{
	const struct question *q = &questions[ask];
	uint64_t began_ns = sl_mono_ns(), ended_ns;
	char path[CLI_PATH_B], after[24];
	struct json_object *doc;
	unsigned int rows = 0;
	const char *why;
	long status;

	snprintf(path, sizeof(path), "%s", q->path);
	if (ask == ASK_TRENDS)
		rows = name_lanes(f, path, sizeof(path));
	if (q->of_lane)
		cli_query(path, sizeof(path), "lane", f->m.lane);
	if (ask == ASK_EVENTS && f->m.last_event) {
		snprintf(after, sizeof(after), "%lld",
			 (long long)f->m.last_event);
		cli_query(path, sizeof(path), "after", after);
	}
	status = cli_exchange(f->cli, path, NULL, 0, TIMEOUT_MS, &doc, &why);
	ended_ns = sl_mono_ns();
	pthread_mutex_lock(&f->lock);
	f->m.now_ns = sl_now_ns();
	f->trouble[ask][0] = '\0';
	f->due_ns[ask] = ended_ns + (ended_ns - began_ns) * SHARE;
	if (q->rare && f->due_ns[ask] < ended_ns + RARE_S * S_NS)
		f->due_ns[ask] = ended_ns + RARE_S * S_NS;
	if (status < 0)
		lose(f, why);
	else if (status != 200 || !json_object_is_type(doc, json_type_object))
		refused(f, ask, status, doc);
	else
		take(f, ask, doc, ended_ns);
	if (ask == ASK_TRENDS && status == 200)
		note_trends(f, rows);
	pthread_mutex_unlock(&f->lock);
	json_object_put(doc);
	return status >= 0;
}

static bool is_due(const struct watch_feed *f, enum watch_ask ask)
{
	if (questions[ask].of_lane && !f->m.lane[0])
		return false;
	if (ask == ASK_TRENDS && !f->m.n_rows)
		return false;
	return sl_mono_ns() >= f->due_ns[ask];
}

static void look(struct watch_feed *f)
{
	if (!strcmp(f->m.lane, f->look))
		return;
	watch_look(&f->m, f->look);
	f->due_ns[ASK_LATENCY] = f->due_ns[ASK_PREFIXES] =
		f->due_ns[ASK_HISTORY] = 0;
}

/* A round was answered to its end, or not. */
static void note(struct watch_feed *f, bool reached)
{
	struct watch_model *m = &f->m;
	int ask;

	m->trouble[0] = '\0';
	for (ask = ASKS; ask--;)
		if (f->trouble[ask][0])
			strcpy(m->trouble, f->trouble[ask]);
	if (!reached) {
		/* the minutes without it, where somebody kept them */
		f->due_ns[ASK_TRENDS] = 0;
		f->trends = 0;
		return;
	}
	m->reached = true;
	m->ever |= m->started[0] != '\0';	/* not who is only refused */
	m->lost_ns = 0;
}

int watch_round(struct watch_feed *f)
{
	bool reached = true;
	int ask;

	pthread_mutex_lock(&f->lock);
	look(f);
	pthread_mutex_unlock(&f->lock);
	for (ask = 0; ask < ASKS && reached; ask++)
		if (is_due(f, ask))
			reached = ask_one(f, ask);
	pthread_mutex_lock(&f->lock);
	note(f, reached);
	pthread_mutex_unlock(&f->lock);
	return reached ? DONE : UNREACHABLE;
}

void watch_feed_open(struct watch_feed *f, const struct cli *cli)
{
	memset(f, 0, sizeof(*f));
	f->cli = cli;
	f->m.now_ns = sl_now_ns();
	f->m.uptime_s = f->m.generation = f->m.pid = 0;
	pthread_mutex_init(&f->lock, NULL);
}

void watch_feed_close(struct watch_feed *f)
{
	watch_model_free(&f->m);
	pthread_mutex_destroy(&f->lock);
}
