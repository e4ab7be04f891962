// SPDX-License-Identifier: GPL-2.0
/* A link: two interfaces, and what happens to a packet of each direction. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "cable_iface.h"
#include "cable_link.h"

/* --- command line --- */
static bool time_ns(const char *text, uint64_t *ns)
{
	char *end;
	double v = strtod(text, &end);

	if (end == text || v < 0 || v > 60000)
		return false;
	if (!strcmp(end, "ms"))
		*ns = v * 1e6;
	else if (!strcmp(end, "us"))
		*ns = v * 1e3;
	else
		return false;
	return true;
}

static bool parse_share(const char *s, double *out)
{
	char *end;

	*out = strtod(s, &end) / 100;
	return end != s && !strcmp(end, "%") && *out >= 0 && *out <= 1;
}

static bool parse_key(struct cable_shape *s, const char *key, const char *v)
{
	if (!strcmp(key, "delay"))
		return time_ns(v, &s->delay_ns);
	if (!strcmp(key, "jitter"))
		return time_ns(v, &s->jitter_ns);
	if (!strcmp(key, "ahead"))
		return time_ns(v, &s->ahead_ns);
	if (!strcmp(key, "loss"))
		return parse_share(v, &s->loss);
	if (!strcmp(key, "reorder"))
		return parse_share(v, &s->reorder);
	if (!strcmp(key, "queue"))
		return (s->queue = atoi(v)) > 0 && s->queue <= 65536;
	return false;
}

/* A key with ">" or "<" before it holds for one direction only. */
bool cable_link_parse(const char *text, struct cable_link *l)
{
	char copy[512], *rest = copy, *word, *eq;
	int d;

	if (strlen(text) >= sizeof(copy))
		return false;
	strcpy(copy, text);
	if (!cable_iface_names(strsep(&rest, ","), l->a, l->b))
		return false;
	l->way[0].shape.queue = l->way[1].shape.queue = 1000;
	while ((word = strsep(&rest, ","))) {
		char only = *word == '>' || *word == '<' ? *word++ : 0;

		eq = strchr(word, '=');
		if (!eq)
			return false;
		*eq = '\0';
		for (d = 0; d < 2; d++)
			if ((!only || only == "><"[d]) &&
			    !parse_key(&l->way[d].shape, word, eq + 1))
				return false;
	}
	for (d = 0; d < 2; d++)
		if (!l->way[d].shape.ahead_ns)
			l->way[d].shape.ahead_ns = l->way[d].shape.delay_ns / 2;
	return true;
}

int cable_link_open(struct cable_link *l)
{
	int a = cable_iface_open(l->a, true), b = cable_iface_open(l->b, true);
	int d;

	if (a < 0 || b < 0)
		return -1;
	for (d = 0; d < 2; d++) {
		struct cable_way *w = &l->way[d];

		w->in = d ? b : a;
		w->out = d ? a : b;
		w->ring = calloc(w->shape.queue, sizeof(*w->ring));
		if (!w->ring || cable_delays_init(&w->delays)) {
			fprintf(stderr, "cable: no memory for %s:%s\n", l->a,
				l->b);
			return -1;
		}
	}
	return 0;
}

/* --- packets --- */
/* When a frame is due: never before the one ahead of it, unless reordered. */
static uint64_t due(const struct cable_way *w, uint64_t in_ns, bool reordered)
{
	const struct cable_shape *s = &w->shape;
	const struct cable_frame *last;
	uint64_t t = in_ns + s->delay_ns;

	if (reordered)
		return t - (s->ahead_ns < s->delay_ns ? s->ahead_ns :
							s->delay_ns);
	if (s->jitter_ns)
		t += (uint64_t)(s->jitter_ns * drand48());
	if (w->n) {
		last = &w->ring[(w->first + w->n - 1) % s->queue];
		if (t < last->due_ns)
			t = last->due_ns;
	}
	return t;
}

/* The last frame moves ahead of those that are due later; true: of one. */
static bool overtake(struct cable_way *w)
{
	unsigned int i;

	for (i = w->n - 1; i > 0; i--) {
		struct cable_frame *x =
			&w->ring[(w->first + i - 1) % w->shape.queue];
		struct cable_frame *y =
			&w->ring[(w->first + i) % w->shape.queue], t;

		if (x->due_ns <= y->due_ns)
			break;
		t = *x;
		*x = *y;
		*y = t;
	}
	return i < w->n - 1;
}

static void put_frame(struct cable_way *w, const uint8_t *data, uint32_t len_b,
		      uint64_t in_ns)
{
	const struct cable_shape *s = &w->shape;
	bool reordered = s->reorder > 0 && drand48() < s->reorder;
	struct cable_frame *f;

	if (s->loss > 0 && drand48() < s->loss) {
		w->lost++;
		return;
	}
	if (w->n == s->queue) {
		w->overrun++;
		return;
	}
	f = &w->ring[(w->first + w->n) % s->queue];
	f->due_ns = due(w, in_ns, reordered);
	f->in_ns = in_ns;
	f->len_b = len_b;
	memcpy(f->data, data, len_b);
	w->n++;
	if (reordered && overtake(w))
		w->reordered++;
}

void cable_link_receive(struct cable_way *w)
{
	static uint8_t data[65536 + 64];
	char control[256];
	struct iovec iov = { data, sizeof(data) };
	struct msghdr m;
	ssize_t n;
	int burst;

	for (burst = 0; burst < 64; burst++) {
		m = (struct msghdr){ .msg_iov = &iov, .msg_iovlen = 1,
				     .msg_control = control,
				     .msg_controllen = sizeof(control) };
		n = recvmsg(w->in, &m, 0);
		if (n <= 0)
			return;
		if (n > CABLE_FRAME_B)
			w->too_long++;
		else
			put_frame(w, data, n, cable_iface_stamp_ns(&m));
	}
}

void cable_link_send(struct cable_link *l, struct cable_way *w, FILE *log)
{
	struct cable_frame *f;
	uint64_t t;

	while (w->n) {
		f = &w->ring[w->first];
		if (f->due_ns > cable_now_ns())
			return;
		if (send(w->out, f->data, f->len_b, 0) < 0 && errno == EAGAIN)
			return;
		t = cable_now_ns();
		w->packets++;
		w->bytes += f->len_b;
		cable_delays_add(&w->delays, t - f->in_ns);
		if (log)
			fprintf(log, "%s>%s\t%llu\t%u\t%llu\n",
				w == &l->way[0] ? l->a : l->b,
				w == &l->way[0] ? l->b : l->a,
				(unsigned long long)f->in_ns, f->len_b,
				(unsigned long long)(t - f->in_ns));
		w->first = (w->first + 1) % w->shape.queue;
		w->n--;
	}
}

/* --- report --- */
void cable_link_print(struct cable_link *l)
{
	int d;

	for (d = 0; d < 2; d++) {
		struct cable_way *w = &l->way[d];

		cable_delays_sort(&w->delays);
		printf("{\"from\":\"%s\",\"to\":\"%s\",\"packets\":%llu,"
		       "\"bytes\":%llu,\"lost\":%llu,\"reordered\":%llu,"
		       "\"overrun\":%llu,\"too_long\":%llu,"
		       "\"delay_min_ns\":%llu,\"delay_p50_ns\":%llu,"
		       "\"delay_p99_ns\":%llu,\"delay_max_ns\":%llu}\n",
		       d ? l->b : l->a, d ? l->a : l->b,
		       (unsigned long long)w->packets,
		       (unsigned long long)w->bytes,
		       (unsigned long long)w->lost,
		       (unsigned long long)w->reordered,
		       (unsigned long long)w->overrun,
		       (unsigned long long)w->too_long,
		       (unsigned long long)
			       cable_delays_quantile_ns(&w->delays, 0),
		       (unsigned long long)
			       cable_delays_quantile_ns(&w->delays, 0.5),
		       (unsigned long long)
			       cable_delays_quantile_ns(&w->delays, 0.99),
		       (unsigned long long)
			       cable_delays_quantile_ns(&w->delays, 1));
	}
}
