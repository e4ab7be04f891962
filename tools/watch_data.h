/* SPDX-License-Identifier: GPL-2.0 */
/* Where the model of watch.h comes from: rounds of requests to the agent. */
#ifndef SL_WATCH_DATA_H
#define SL_WATCH_DATA_H

#include <pthread.h>
#include "cli.h"
#include "watch.h"

enum watch_ask {
	ASK_STATUS, ASK_LANES, ASK_TRENDS, ASK_RULES, ASK_FLOWSPEC, ASK_LISTS,
	ASK_BLOCKS, ASK_EVENTS, ASK_LATENCY, ASK_PREFIXES, ASK_HISTORY, ASKS
};

struct watch_feed {
	const struct cli *cli;
	/* held while the model is changed or looked at; not while asking */
	pthread_mutex_t lock;
	struct watch_model m;
	char look[WATCH_TEXT_B];	/* the lane to look into next round */
	uint64_t due_ns[ASKS];		/* monotonic */
	unsigned int trends;		/* rows whose minutes were asked for */
	char trouble[ASKS][WATCH_LONG_B];	/* "": none */
};

void watch_feed_open(struct watch_feed *f, const struct cli *cli);
void watch_feed_close(struct watch_feed *f);
/* Ask for all that is due. DONE, or UNREACHABLE: the model says why. Not to be
 * called more than once a second. */
int watch_round(struct watch_feed *f);

/* Rounds in a thread of their own, for who cannot wait. */
struct watch_thread {
	struct watch_feed *feed;
	uint64_t every_ns;
	pthread_t id;
	pthread_cond_t wake;		/* with the feed's lock: */
	bool stop, paused, hurry;
	uint64_t version;		/* of the model: it was changed */
};

int watch_thread_start(struct watch_thread *t);
/* true: it has ended. Else it is still in a request. */
bool watch_thread_stop(struct watch_thread *t);
/* Change what the thread does, with the feed's lock held. */
void watch_thread_wake(struct watch_thread *t);

/* Rows, or documents under -j, round after round; 0 rounds: endless. */
int watch_rows(struct watch_feed *f, uint64_t every_ns, uint64_t rounds);
/* The model as docs/schema/watch.schema.json; events since the last call. */
struct json_object *watch_doc(struct watch_model *m);
/* The same as text on stdout. */
void watch_print(struct watch_model *m, bool ascii);

/* On the terminal until the user leaves it. */
int watch_screen(struct watch_feed *f, uint64_t every_ns);

#endif
