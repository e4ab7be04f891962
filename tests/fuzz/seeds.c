// SPDX-License-Identifier: GPL-2.0
/* Inputs for fuzz_engine.c to begin with: conversations of every kind, and the
 * beginnings of captures. seeds OUT [CAPTURE...] */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "capture.h"
#include "native/shot.h"

#define WRAPPED	0x40
#define IP6	0x20
#define ANSWER	0x10
#define AFTER	0x72	/* a time step: 32 ms */

#define PACKETS	40
#define SNAP_B	160	/* headers, and what methods look at behind them */

/* The nearest time step that is not longer. */
static unsigned int step(int64_t ns)
{
	unsigned int e = 0;

	if (ns < 0)
		return 0xf0 | (-ns >> 24 < 15 ? -ns >> 24 : 15);
	while (e < 14 && ns >> (10 + 2 * e) > 15)
		e++;
	ns >>= 10 + 2 * e;
	return e << 4 | (ns < 15 ? ns : 15);
}

static void put_u16(FILE *f, uint32_t v)
{
	if (v > 0xffff)
		v = 0xffff;
	fputc(v & 0xff, f);
	fputc(v >> 8, f);
}

/* False when nothing of the capture is of use. */
static bool convert(struct sl_capture *c, FILE *f)
{
	uint32_t len_b, wire_b, n = 0;
	struct sl_capture_pkt pkt;
	uint64_t before_ns = 0;
	const uint8_t *b;

	fputc(SCRIPT_RAW, f);
	while (n < PACKETS && sl_capture_next(c, &pkt)) {
		if (sl_capture_frame(c, &pkt, &b, &len_b, &wire_b))
			continue;
		if (len_b > SNAP_B)
			len_b = SNAP_B;
		put_u16(f, len_b);
		fputc(n++ ? step(pkt.time_ns - before_ns) : 0, f);
		put_u16(f, wire_b > len_b ? wire_b - len_b : 0);
		fwrite(b, 1, len_b, f);
		before_ns = pkt.time_ns;
	}
	return n;
}

static int make(const char *out, const char *path)
{
	const char *name = strrchr(path, '/');
	struct sl_capture *c;
	char to[1024];
	FILE *f;
	int rc;

	if (sl_capture_open(path, &c))
		return 0;
	snprintf(to, sizeof(to), "%s/%s", out, name ? name + 1 : path);
	f = fopen(to, "w");
	if (!f)
		return 1;
	rc = convert(c, f) ? 0 : remove(to);
	sl_capture_close(c);
	return fclose(f) ? 1 : rc;
}

/* A packet of tests/native/talk.c; `in` is there when it is wrapped. */
static void say(FILE *f, unsigned int kind, unsigned int arg, unsigned int len,
		unsigned int in)
{
	const uint8_t b[] = { kind, AFTER, arg, len, 0, in };

	fwrite(b, 1, kind & WRAPPED ? 6 : 5, f);
}

/* What makes a handshake and an answered segment of the kinds that are TCP, and
 * one that is asked and answered of all others. */
static int make_talk(const char *out, const char *name, unsigned int mode,
		     unsigned int kind, unsigned int in)
{
	unsigned int answer = kind | ANSWER;
	char to[1024];
	FILE *f;

	snprintf(to, sizeof(to), "%s/%s%u-%u", out, name, kind, in);
	f = fopen(to, "w");
	if (!f)
		return 1;
	fputc(mode, f);
	say(f, kind, 0x02, 0, in);
	say(f, answer, 0x12, 0, in);
	say(f, kind, 0x10, 0, in);
	say(f, kind, 0x18, 0x40, in);
	say(f, answer, 0x10, 0, in);
	say(f, kind, 1, 0, in);
	say(f, answer, 1, 0, in);
	return fclose(f) != 0;
}

static int make_talks(const char *out)
{
	unsigned int i, rc = 0;

	for (i = 0; i < TALK_KINDS; i++)
		rc |= make_talk(out, "talk", 0, i, 0) |
		      make_talk(out, "live", SCRIPT_LIVE, i, 0);
	for (i = 0; i < TALK_WRAPS; i++)
		rc |= make_talk(out, "wrapped", 0, WRAPPED, i) |
		      make_talk(out, "wrapped", 0, WRAPPED | IP6, i);
	return rc;
}

int main(int argc, char **argv)
{
	int i;

	if (argc < 2)
		return 1;
	if (make_talks(argv[1])) {
		perror(argv[1]);
		return 1;
	}
	for (i = 2; i < argc; i++)
		if (make(argv[1], argv[i])) {
			perror(argv[i]);
			return 1;
		}
	return 0;
}
