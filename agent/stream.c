// SPDX-License-Identifier: GPL-2.0
/*
 * Server-sent events (WHATWG HTML, 9.2): events as they happen, and every five
 * seconds what the lanes look like. A stream holds a number, not a queue: what it
 * was not told yet lies in the events' ring, which is there once for all. One that
 * takes nothing for a while is cut off (conn.c), and may come back with the number
 * that it knows.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include "api.h"
#include "call.h"
#include "changes.h"
#include "duration.h"

#define STREAMS_MOST	32
#define STREAMS_PEER	8	/* of one address or user */
#define LANES_EVERY_S	5
#define BEAT_EVERY_S	15
#define RETRY_MS	2000	/* a browser comes back after this */
#define BLOCK_B		16384

/* A text on its way to one or several streams. */
struct piece {
	unsigned int users;
	size_t len_b;
	char text[];
};

struct stream {
	struct stream *next, **at;
	struct agent *a;
	struct conn *conn;
	struct caller who;
	struct MHD_Connection *c;
	struct piece *now;	/* being sent ... */
	size_t sent_b;		/* ... so much of it */
	int64_t next_n;		/* event that is told next */
	bool begun, lanes_due, beat_due;
	bool asleep;		/* suspended: nothing to say */
	bool over;
};

/* As they were last rendered; one for all. */
static struct piece *lanes_now;

static void piece_put(struct piece *p)
{
	if (p && !--p->users)
		free(p);
}

static struct piece *piece_new(const char *head, const char *data)
{
	size_t room = strlen(head) + strlen(data) + 16;
	struct piece *p = malloc(sizeof(*p) + room);

	if (!p)
		return NULL;
	p->users = 1;
	p->len_b = snprintf(p->text, room, "%s%s\n\n", head, data);
	return p;
}

static struct piece *piece_of(const char *head, struct json_object *doc)
{
	struct piece *p = piece_new(head, json_object_to_json_string_ext(doc,
		JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));

	json_object_put(doc);
	return p;
}

static void render_lanes(struct agent *a)
{
	piece_put(lanes_now);
	lanes_now = piece_of("event: lanes\ndata: ", lanes_now_doc(a, NULL, 0));
}

/* The next event; NULL: none is new. Who comes back after so long that some are
 * not kept any more is told which. */
static struct piece *next_event(struct stream *st)
{
	struct json_object *doc = NULL;
	int64_t oldest, last, n;
	char head[64];

	events_span(st->a, &oldest, &last);
	if (st->next_n < oldest) {
		doc = json_object_new_object();
		put_int(doc, "from", st->next_n);
		put_int(doc, "to", oldest - 1);
		st->next_n = oldest;
		return piece_of("event: missed\ndata: ", doc);
	}
	while (!doc && st->next_n <= last)
		doc = event_doc(st->a, n = st->next_n++);
	if (!doc)
		return NULL;
	snprintf(head, sizeof(head), "event: event\nid: %lld\ndata: ",
		 (long long)n);
	return piece_of(head, doc);
}

static struct piece *next_piece(struct stream *st)
{
	struct piece *p;
	char head[32];

	if (!st->begun) {
		st->begun = true;
		snprintf(head, sizeof(head), "retry: %d", RETRY_MS);
		return piece_new(head, "");
	}
	p = next_event(st);
	if (p)
		return p;
	if (st->lanes_due && lanes_now) {
		st->lanes_due = false;
		lanes_now->users++;
		return lanes_now;
	}
	if (!st->beat_due)
		return NULL;
	st->beat_due = false;
	return piece_new(":", "");
}

static bool has_news(const struct stream *st)
{
	int64_t oldest, last;

	events_span(st->a, &oldest, &last);
	return st->over || st->lanes_due || st->beat_due || st->next_n <= last;
}

/* The server can send more. Called again only when it was sent. */
static ssize_t read_more(void *arg, uint64_t at, char *out, size_t most)
{
	struct stream *st = arg;
	size_t n;

	(void)at;
	if (st->over)
		return MHD_CONTENT_READER_END_OF_STREAM;
	if (!st->now) {
		st->now = next_piece(st);
		st->sent_b = 0;
	}
	if (!st->now) {
		st->asleep = true;
		conn_rest(st->conn);
		MHD_suspend_connection(st->c);
		return 0;
	}
	n = st->now->len_b - st->sent_b;
	n = n < most ? n : most;
	memcpy(out, st->now->text + st->sent_b, n);
	st->sent_b += n;
	if (st->sent_b == st->now->len_b) {
		piece_put(st->now);
		st->now = NULL;
	}
	conn_send(st->conn, 0);
	return n;
}

static void wake(struct stream *st)
{
	if (!st->asleep || !has_news(st))
		return;
	st->asleep = false;
	MHD_resume_connection(st->c);
}

static void stream_free(void *arg)
{
	struct stream *st = arg;
	struct api *s = st->a->api;

	*st->at = st->next;
	if (st->next)
		st->next->at = st->at;
	if (st->conn->peer)
		st->conn->peer->streams--;
	piece_put(st->now);
	free(st);
	if (--s->n_streams)
		return;
	piece_put(lanes_now);
	lanes_now = NULL;
}

/* Behind which event it begins: the last one that the client knows, else what
 * happens from now on. A number that is not given out yet is from before a loss:
 * he gets what there is. An id that is no number is not ours and says nothing. */
static int begin_at(struct call *k, int64_t *n)
{
	const char *id = MHD_lookup_connection_value(k->c, MHD_HEADER_KIND,
						     "Last-Event-ID");
	const char *after = call_query(k, "after");
	int64_t oldest, last;
	uint64_t v;
	bool known = id && id[0] && !parse_number(id, INT64_MAX - 1, &v);

	events_span(k->a, &oldest, &last);
	*n = last + 1;
	if (!known && !after)
		return 0;
	if (!known && parse_number(after, INT64_MAX - 1, &v))
		return refuse(&k->r, 400, "a number of an event",
			      "after %s", after);
	*n = (int64_t)v > last ? oldest : (int64_t)v + 1;
	return 0;
}

static struct stream *stream_new(struct call *k, int64_t next_n)
{
	struct api *s = k->a->api;
	struct stream *st = calloc(1, sizeof(*st));

	if (!st)
		return NULL;
	st->a = k->a;
	st->who = k->who;
	st->c = k->c;
	st->conn = conn_of(k->c);
	st->next_n = next_n;
	st->lanes_due = true;
	st->next = s->streams;
	st->at = &s->streams;
	if (st->next)
		st->next->at = &st->next;
	s->streams = st;
	s->n_streams++;
	if (st->conn->peer)
		st->conn->peer->streams++;
	return st;
}

struct json_object *get_stream(struct call *k)
{
	const struct peer *p = conn_of(k->c)->peer;
	struct api *s = k->a->api;
	struct stream *st;
	int64_t next_n;

	if (begin_at(k, &next_n))
		return NULL;
	if (s->n_streams >= STREAMS_MOST || (p && p->streams >= STREAMS_PEER)) {
		refuse(&k->r, 429, "end one", "too many streams are open");
		return NULL;
	}
	if (!s->n_streams)
		render_lanes(k->a);
	st = stream_new(k, next_n);
	if (st)
		k->response = MHD_create_response_from_callback(
			MHD_SIZE_UNKNOWN, BLOCK_B, read_more, st, stream_free);
	if (st && !k->response)
		stream_free(st);
	if (!k->response)
		refuse(&k->r, 500, "free memory", "out of memory");
	k->type = "text/event-stream";
	return NULL;
}

void streams_wake(struct agent *a)
{
	struct stream *st;

	for (st = a->api->streams; st; st = st->next)
		wake(st);
}

/* A suspended connection is not looked at by the server. */
static bool is_gone(const struct stream *st)
{
	char byte;

	return st->asleep && recv(st->conn->fd, &byte, 1,
				  MSG_PEEK | MSG_DONTWAIT) == 0;
}

void streams_second(struct agent *a)
{
	static unsigned int s;
	struct stream *st;

	s++;
	if (a->api->streams && s % LANES_EVERY_S == 0)
		render_lanes(a);
	for (st = a->api->streams; st; st = st->next) {
		st->lanes_due |= s % LANES_EVERY_S == 0;
		st->beat_due |= s % BEAT_EVERY_S == 0;
		st->over |= is_gone(st) ||
			    !access_still(a, st->conn, &st->who, SL_ROLE_VIEW);
		wake(st);
	}
}

void streams_end(struct agent *a, const struct listener *l)
{
	struct stream *st;

	for (st = a->api->streams; st; st = st->next)
		if (!l || st->conn->l == l) {
			st->over = true;
			wake(st);
		}
}
